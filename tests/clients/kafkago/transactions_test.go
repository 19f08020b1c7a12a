package kafkago

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// producer runs transactions with the client's raw requests: its writers know none.
type producer struct {
	client   *kafka.Client
	ctx      context.Context
	id       string
	session  kafka.ProducerSession
	sequence map[string]int
}

func producerOf(t *testing.T, id string) *producer {
	t.Helper()
	p := &producer{client: clientOf(t), ctx: within(t), id: id, sequence: map[string]int{}}
	until(t, "the coordinator has the id", func() bool {
		told, err := p.client.InitProducerID(p.ctx, &kafka.InitProducerIDRequest{
			TransactionalID: id, TransactionTimeoutMs: 30000, ProducerID: -1, ProducerEpoch: -1,
		})
		must(t, err)
		p.session = *told.Producer
		return accepted(t, told.Error)
	})
	return p
}

// accepted is false where a client is to ask again: the coordinator loads, or the last transaction's markers are not
// written yet.
func accepted(t *testing.T, err error) bool {
	t.Helper()
	if errors.Is(err, kafka.GroupLoadInProgress) || errors.Is(err, kafka.ConcurrentTransactions) {
		return false
	}
	must(t, err)
	return true
}

func (p *producer) add(t *testing.T, topic string) error {
	t.Helper()
	told, err := p.client.AddPartitionsToTxn(p.ctx, &kafka.AddPartitionsToTxnRequest{
		TransactionalID: p.id, ProducerID: p.session.ProducerID, ProducerEpoch: p.session.ProducerEpoch,
		Topics: map[string][]kafka.AddPartitionToTxn{topic: {{Partition: 0}}},
	})
	must(t, err)
	return told.Topics[topic][0].Error
}

// send writes the numbers as one batch to partition 0, which the transaction has.
func (p *producer) send(t *testing.T, topic string, from, to int) error {
	t.Helper()
	told, err := p.client.RawProduce(p.ctx, &kafka.RawProduceRequest{
		Topic: topic, RequiredAcks: kafka.RequireAll, TransactionalID: p.id,
		RawRecords: protocol.RawRecordSet{Reader: p.batch(t, topic, from, to)},
	})
	must(t, err)
	p.sequence[topic] += to - from
	return told.Error
}

// batch is the client's own encoding, with the producer's id, epoch and sequence in place of none.
func (p *producer) batch(t *testing.T, topic string, from, to int) *bytes.Buffer {
	t.Helper()
	var records []kafka.Record
	for _, m := range messages(from, to) {
		records = append(records, kafka.Record{Value: kafka.NewBytes(m.Value)})
	}
	var out bytes.Buffer
	set := protocol.RecordSet{Version: 2, Attributes: protocol.Transactional, Records: kafka.NewRecordReader(records...)}
	_, err := set.WriteTo(&out)
	must(t, err)
	// After the length of the set.
	batch := out.Bytes()[4:]
	binary.BigEndian.PutUint64(batch[43:], uint64(p.session.ProducerID))
	binary.BigEndian.PutUint16(batch[51:], uint16(p.session.ProducerEpoch))
	binary.BigEndian.PutUint32(batch[53:], uint32(p.sequence[topic]))
	binary.BigEndian.PutUint32(batch[17:], crc32.Checksum(batch[21:], crc32.MakeTable(crc32.Castagnoli)))
	return &out
}

func (p *producer) end(t *testing.T, commit bool) error {
	t.Helper()
	told, err := p.client.EndTxn(p.ctx, &kafka.EndTxnRequest{
		TransactionalID: p.id, ProducerID: p.session.ProducerID, ProducerEpoch: p.session.ProducerEpoch, Committed: commit,
	})
	must(t, err)
	return told.Error
}

// begin adds the topic, once the transaction before is over.
func (p *producer) begin(t *testing.T, topic string) {
	t.Helper()
	until(t, "a transaction", func() bool { return accepted(t, p.add(t, topic)) })
}

func (p *producer) run(t *testing.T, topic string, from, to int, commit bool) {
	t.Helper()
	p.begin(t, topic)
	must(t, p.send(t, topic, from, to))
	must(t, p.end(t, commit))
}

// endsAt waits for the last marker: the stable offset behind it, and what is committed before.
func endsAt(t *testing.T, client *kafka.Client, topic string, stable int64, committed []int) {
	t.Helper()
	until(t, "the last marker", func() bool {
		got, found := fetched(t, client, topic, kafka.ReadCommitted)
		return got.LastStableOffset == stable && slices.Equal(found, committed)
	})
}

func TestATransactionEndsWithAMarker(t *testing.T) {
	t.Parallel()
	client, topic := clientOf(t), topicOf(t, 1)
	p := producerOf(t, fresh())
	p.run(t, topic, 0, 5, true)
	p.run(t, topic, 5, 10, false)
	p.run(t, topic, 10, 15, true)
	endsAt(t, client, topic, 18, upTo(15))
}

func TestAnOpenTransactionHoldsTheStableOffset(t *testing.T) {
	t.Parallel()
	client, topic := clientOf(t), topicOf(t, 1)
	p := producerOf(t, fresh())
	send(t, topic, 0, 3)
	p.begin(t, topic)
	must(t, p.send(t, topic, 3, 4))
	send(t, topic, 4, 6)
	got, found := fetched(t, client, topic, kafka.ReadCommitted)
	same(t, []int64{got.HighWatermark, got.LastStableOffset}, []int64{6, 3})
	same(t, found, upTo(3))
	reader := readerOf(t, kafka.ReaderConfig{Topic: topic, IsolationLevel: kafka.ReadCommitted})
	same(t, numbers(t, reader, 3), upTo(3))
	must(t, p.end(t, true))
	same(t, numbers(t, reader, 3), []int{3, 4, 5})
}

func TestOffsetsAreCommittedWithTheirTransaction(t *testing.T) {
	t.Parallel()
	client, topic, group := clientOf(t), topicOf(t, 1), fresh()
	p := producerOf(t, fresh())
	offset := func() int64 {
		offsets, err := client.ConsumerOffsets(p.ctx, kafka.TopicAndGroup{Topic: topic, GroupId: group})
		must(t, err)
		return offsets[0]
	}
	for _, each := range []struct {
		commit            bool
		written, expected int64
	}{{false, 5, -1}, {true, 7, 7}, {false, 9, 7}} {
		until(t, "the group is in the transaction", func() bool {
			told, err := p.client.AddOffsetsToTxn(p.ctx, &kafka.AddOffsetsToTxnRequest{
				TransactionalID: p.id, ProducerID: p.session.ProducerID, ProducerEpoch: p.session.ProducerEpoch, GroupID: group,
			})
			must(t, err)
			return accepted(t, told.Error)
		})
		before := offset()
		told, err := p.client.TxnOffsetCommit(p.ctx, &kafka.TxnOffsetCommitRequest{
			TransactionalID: p.id, ProducerID: p.session.ProducerID, ProducerEpoch: p.session.ProducerEpoch,
			GroupID: group, GenerationID: -1, Topics: map[string][]kafka.TxnOffsetCommit{topic: {{Partition: 0, Offset: each.written}}},
		})
		must(t, err)
		must(t, told.Topics[topic][0].Error)
		same(t, offset(), before)
		must(t, p.end(t, each.commit))
		until(t, "the offset is told", func() bool { return offset() == each.expected })
	}
}

func TestASecondProducerFencesTheFirst(t *testing.T) {
	t.Parallel()
	client, topic, id := clientOf(t), topicOf(t, 1), fresh()
	first := producerOf(t, id)
	first.begin(t, topic)
	must(t, first.send(t, topic, 0, 5))
	second := producerOf(t, id)
	same(t, second.session.ProducerID, first.session.ProducerID)
	refused(t, first.end(t, true), kafka.ProducerFenced)
	refused(t, first.add(t, topic), kafka.ProducerFenced)
	second.run(t, topic, 5, 10, true)
	endsAt(t, client, topic, 12, upTo(10))
}

func TestASequenceIsTakenOnceAndInOrder(t *testing.T) {
	t.Parallel()
	client, topic := clientOf(t), topicOf(t, 1)
	p := producerOf(t, fresh())
	p.begin(t, topic)
	must(t, p.send(t, topic, 0, 5))
	p.sequence[topic] = 0
	must(t, p.send(t, topic, 0, 5))
	p.sequence[topic] = 50
	refused(t, p.send(t, topic, 5, 10), kafka.OutOfOrderSequenceNumber)
	must(t, p.end(t, true))
	until(t, "the marker", func() bool {
		got, found := fetched(t, client, topic, kafka.ReadCommitted)
		return got.LastStableOffset == 6 && slices.Equal(found, upTo(5))
	})
}
