package sarama

import (
	"errors"
	"testing"
	"time"

	"github.com/IBM/sarama"
)

func TestEachCodecComesBackAsItWent(t *testing.T) {
	eachVersion(t, versions, func(t *testing.T, version sarama.KafkaVersion) {
		codecs := []sarama.CompressionCodec{sarama.CompressionNone, sarama.CompressionGZIP, sarama.CompressionSnappy,
			sarama.CompressionLZ4}
		if version.IsAtLeast(sarama.V2_1_0_0) {
			codecs = append(codecs, sarama.CompressionZSTD)
		}
		for _, codec := range codecs {
			config := idempotent(configOf(version))
			config.Producer.Compression = codec
			topic := topicOf(t, version, 1)
			send(t, config, topic, 0, 1000)
			same(t, codec.String(), span(0, 1000), values(read(t, config, topic, 0, sarama.OffsetOldest, 1000)))
		}
	})
}

func TestHeadersKeysAndTimesComeBack(t *testing.T) {
	eachVersion(t, versions, func(t *testing.T, version sarama.KafkaVersion) {
		topic, config := topicOf(t, version, 1), configOf(version)
		producer, err := sarama.NewSyncProducer(bootstrap(), config)
		must(t, err)
		defer func() { must(t, producer.Close()) }()
		at := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
		headers := []sarama.RecordHeader{{Key: []byte("a"), Value: []byte("1")}, {Key: []byte("a"), Value: []byte("2")}}
		_, offset, err := producer.SendMessage(&sarama.ProducerMessage{Topic: topic, Key: sarama.StringEncoder("k"),
			Value: nil, Headers: headers, Timestamp: at})
		must(t, err)
		got := read(t, config, topic, 0, sarama.OffsetOldest, 1)[0]
		if offset != 0 || string(got.Key) != "k" || got.Value != nil || !got.Timestamp.Equal(at) || len(got.Headers) != 2 ||
			string(got.Headers[0].Value) != "1" || string(got.Headers[1].Value) != "2" {
			t.Fatalf("%d %+v", offset, got)
		}
	})
}

func TestManyAtOnceEachOnceAndInOrder(t *testing.T) {
	eachVersion(t, versions, func(t *testing.T, version sarama.KafkaVersion) {
		const count = 20000
		topic, config := topicOf(t, version, 1), idempotent(configOf(version))
		producer, err := sarama.NewAsyncProducer(bootstrap(), config)
		must(t, err)
		go func() {
			for _, message := range messages(topic, 0, count) {
				producer.Input() <- message
			}
			producer.AsyncClose()
		}()
		go func() {
			for range producer.Successes() {
			}
		}()
		for err := range producer.Errors() {
			t.Fatal(err)
		}
		same(t, "the log", span(0, count), values(read(t, config, topic, 0, sarama.OffsetOldest, count)))
	})
}

func TestOffsetsAndTimes(t *testing.T) {
	eachVersion(t, versions, func(t *testing.T, version sarama.KafkaVersion) {
		topic, config := topicOf(t, version, 1), configOf(version)
		send(t, config, topic, 0, 100)
		client := clientOf(t, config)
		middle := read(t, config, topic, 0, 50, 1)[0]
		for _, it := range []struct{ at, offset int64 }{
			{sarama.OffsetOldest, 0}, {sarama.OffsetNewest, 100}, {time.Now().Add(-time.Hour).UnixMilli(), 0},
			{time.Now().Add(time.Hour).UnixMilli(), -1},
		} {
			offset, err := client.GetOffset(topic, 0, it.at)
			must(t, err)
			if offset != it.offset {
				t.Fatalf("%d: %d for %d", it.at, offset, it.offset)
			}
		}
		if middle.Offset != 50 {
			t.Fatal(middle.Offset)
		}
		consumer, err := sarama.NewConsumerFromClient(client)
		must(t, err)
		if _, err = consumer.ConsumePartition(topic, 0, 101); !errors.Is(err, sarama.ErrOffsetOutOfRange) {
			t.Fatal(err)
		}
	})
}

func TestWhatCannotBeHasKafkasError(t *testing.T) {
	eachVersion(t, versions, func(t *testing.T, version sarama.KafkaVersion) {
		config := configOf(version)
		config.Producer.MaxMessageBytes = 4 << 20
		config.Producer.Retry.Max = 0
		topic := topicOf(t, version, 1)
		producer, err := sarama.NewSyncProducer(bootstrap(), config)
		must(t, err)
		defer func() { must(t, producer.Close()) }()
		large := sarama.ByteEncoder(make([]byte, 2<<20))
		_, _, err = producer.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: large})
		if !errors.Is(err, sarama.ErrMessageSizeTooLarge) {
			t.Fatal(err)
		}
		_, _, err = producer.SendMessage(&sarama.ProducerMessage{Topic: "no/topic", Value: sarama.StringEncoder("x")})
		if !errors.Is(err, sarama.ErrInvalidTopic) {
			t.Fatal(err)
		}
		admin := adminOf(t, version)
		detail := &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1}
		if err = admin.CreateTopic(topic, detail, false); !errors.Is(err, sarama.ErrTopicAlreadyExists) {
			t.Fatal(err)
		}
		detail.ReplicationFactor = 2
		if err = admin.CreateTopic(fresh(), detail, false); !errors.Is(err, sarama.ErrInvalidReplicationFactor) {
			t.Fatal(err)
		}
	})
}
