package sarama

import (
	"errors"
	"slices"
	"testing"

	"github.com/IBM/sarama"
)

func transactional(version sarama.KafkaVersion, id string) *sarama.Config {
	config := idempotent(configOf(version))
	config.Producer.Transaction.ID = id
	return config
}

func committed(version sarama.KafkaVersion) *sarama.Config {
	config := configOf(version)
	config.Consumer.IsolationLevel = sarama.ReadCommitted
	return config
}

func TestAbortedRecordsAreNotRead(t *testing.T) {
	eachVersion(t, versions, func(t *testing.T, version sarama.KafkaVersion) {
		topic := topicOf(t, version, 1)
		producer, err := sarama.NewSyncProducer(bootstrap(), transactional(version, fresh()))
		must(t, err)
		defer func() { must(t, producer.Close()) }()
		for round := range 6 {
			must(t, producer.BeginTxn())
			must(t, producer.SendMessages(messages(topic, 100*round, 100*round+100)))
			if round%2 == 0 {
				must(t, producer.CommitTxn())
			} else {
				must(t, producer.AbortTxn())
			}
		}
		expected := slices.Concat(span(0, 100), span(200, 300), span(400, 500))
		same(t, "committed", expected, values(read(t, committed(version), topic, 0, sarama.OffsetOldest, 300)))
		same(t, "all", span(0, 600), values(read(t, configOf(version), topic, 0, sarama.OffsetOldest, 600)))
	})
}

func TestASecondProducerFencesTheFirst(t *testing.T) {
	eachVersion(t, versions, func(t *testing.T, version sarama.KafkaVersion) {
		topic, id := topicOf(t, version, 1), fresh()
		first, err := sarama.NewSyncProducer(bootstrap(), transactional(version, id))
		must(t, err)
		must(t, first.BeginTxn())
		must(t, first.SendMessages(messages(topic, 0, 10)))
		var second sarama.SyncProducer
		until(t, "what the first began is aborted", func() bool {
			second, err = sarama.NewSyncProducer(bootstrap(), transactional(version, id))
			if !errors.Is(err, sarama.ErrConcurrentTransactions) {
				must(t, err)
			}
			return err == nil
		})
		must(t, second.BeginTxn())
		must(t, second.SendMessages(messages(topic, 10, 20)))
		must(t, second.CommitTxn())
		err = first.CommitTxn()
		if !errors.Is(err, sarama.ErrInvalidProducerEpoch) && !errors.Is(err, sarama.ErrProducerFenced) {
			t.Fatal(err)
		}
		_ = first.Close()
		must(t, second.Close())
		same(t, "committed", span(10, 20), values(read(t, committed(version), topic, 0, sarama.OffsetOldest, 10)))
	})
}

// loop is a member that sends on what it takes, in transactions with its offsets; every third one is aborted.
type loop struct {
	t        *testing.T
	group    string
	to       string
	producer sarama.SyncProducer
	rounds   *int
}

func (loop) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (loop) Cleanup(sarama.ConsumerGroupSession) error { return nil }
func (l loop) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for message := range claim.Messages() {
		*l.rounds++
		out := &sarama.ProducerMessage{Topic: l.to, Value: sarama.ByteEncoder(message.Value)}
		err := errors.Join(l.producer.BeginTxn(), l.producer.SendMessages([]*sarama.ProducerMessage{out}),
			l.producer.AddMessageToTxn(message, l.group, nil))
		if err == nil && *l.rounds%3 == 0 {
			err = l.producer.AbortTxn()
			session.ResetOffset(message.Topic, message.Partition, message.Offset, "")
			if err == nil {
				return nil
			}
		} else if err == nil {
			err = l.producer.CommitTxn()
		}
		if err != nil {
			l.t.Error(err)
			return err
		}
	}
	return nil
}

func TestConsumeTransformProduceTakesEachRecordOnce(t *testing.T) {
	eachVersion(t, versions, func(t *testing.T, version sarama.KafkaVersion) {
		const count = 12
		from, to, group := topicOf(t, version, 1), topicOf(t, version, 1), fresh()
		send(t, configOf(version), from, 0, count)
		producer, err := sarama.NewSyncProducer(bootstrap(), transactional(version, fresh()))
		must(t, err)
		defer func() { must(t, producer.Close()) }()
		config := committed(version)
		config.Consumer.Offsets.AutoCommit.Enable = false
		rounds := 0
		stop := join(t, config, group, from, loop{t, group, to, producer, &rounds})
		defer stop()
		same(t, "sent on", span(0, count), values(read(t, committed(version), to, 0, sarama.OffsetOldest, count)))
		stop()
		offsets, err := adminOf(t, version).ListConsumerGroupOffsets(group, map[string][]int32{from: {0}})
		must(t, err)
		if got := offsets.GetBlock(from, 0).Offset; got != count {
			t.Fatal(got)
		}
	})
}
