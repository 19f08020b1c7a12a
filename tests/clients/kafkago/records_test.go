package kafkago

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

func TestEachCodecComesBackAsItWent(t *testing.T) {
	t.Parallel()
	for _, codec := range []kafka.Compression{0, kafka.Gzip, kafka.Snappy, kafka.Lz4, kafka.Zstd} {
		t.Run(codec.String(), func(t *testing.T) {
			ctx, topic := within(t), topicOf(t, 1)
			writer := writerOf(t, topic)
			writer.Compression = codec
			at := time.UnixMilli(1234567)
			headers := []kafka.Header{{Key: "trace", Value: []byte("x1")}, {Key: "trace", Value: []byte("x2")}}
			must(t, writer.WriteMessages(ctx,
				kafka.Message{Key: []byte("k"), Value: []byte("first"), Headers: headers, Time: at},
				kafka.Message{Key: []byte("gone"), Time: at}))
			must(t, writer.WriteMessages(ctx, messages(0, 2000)...))
			reader := readerOf(t, kafka.ReaderConfig{Topic: topic})
			first, err := reader.ReadMessage(ctx)
			must(t, err)
			same(t, fmt.Sprint(string(first.Key), string(first.Value), first.Headers, first.Time.UnixMilli()),
				fmt.Sprint("k", "first", headers, 1234567))
			gone, err := reader.ReadMessage(ctx)
			must(t, err)
			same(t, []bool{string(gone.Key) == "gone", len(gone.Value) == 0}, []bool{true, true})
			same(t, numbers(t, reader, 2000), upTo(2000))
		})
	}
}

func TestAcknowledgements(t *testing.T) {
	t.Parallel()
	for _, acks := range []kafka.RequiredAcks{kafka.RequireNone, kafka.RequireOne, kafka.RequireAll} {
		t.Run(acks.String(), func(t *testing.T) {
			topic := topicOf(t, 1)
			writer := writerOf(t, topic)
			writer.RequiredAcks = acks
			must(t, writer.WriteMessages(within(t), messages(0, 500)...))
			// Without acknowledgements, batches go by several connections at once.
			same(t, sorted(numbers(t, readerOf(t, kafka.ReaderConfig{Topic: topic}), 500)), upTo(500))
		})
	}
}

func TestAnAsynchronousWriterTellsOfEachMessage(t *testing.T) {
	t.Parallel()
	topic := topicOf(t, 3)
	writer := writerOf(t, topic)
	var done, failed atomic.Int64
	writer.Async, writer.BatchSize = true, 50
	writer.Completion = func(messages []kafka.Message, err error) {
		if err != nil {
			failed.Add(1)
		}
		done.Add(int64(len(messages)))
	}
	must(t, writer.WriteMessages(within(t), messages(0, 1000)...))
	until(t, "all are acknowledged", func() bool { return done.Load() == 1000 })
	same(t, failed.Load(), 0)
}

func TestATopicIsMadeByTheFirstWrite(t *testing.T) {
	t.Parallel()
	topic := fresh()
	strict := writerOf(t, topic)
	strict.MaxAttempts = 1
	refused(t, strict.WriteMessages(within(t), messages(0, 1)...), kafka.UnknownTopicOrPartition)
	writer := writerOf(t, topic)
	writer.AllowAutoTopicCreation = true
	until(t, "the topic is there", func() bool { return writer.WriteMessages(within(t), messages(0, 10)...) == nil })
	same(t, numbers(t, readerOf(t, kafka.ReaderConfig{Topic: topic}), 10), upTo(10))
}

func TestAKeyGoesWhereOtherClientsPutIt(t *testing.T) {
	t.Parallel()
	for name, each := range map[string]struct {
		balancer kafka.Balancer
		expected int
	}{
		"murmur2": {kafka.Murmur2Balancer{Consistent: true}, 0}, "crc32": {kafka.CRC32Balancer{Consistent: true}, 1},
		"fnv": {&kafka.Hash{}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			topic := topicOf(t, 4)
			writer := writerOf(t, topic)
			writer.Balancer = each.balancer
			must(t, writer.WriteMessages(within(t), kafka.Message{Key: []byte("a key"), Value: []byte("7")}))
			same(t, numbers(t, readerOf(t, kafka.ReaderConfig{Topic: topic, Partition: each.expected}), 1), []int{7})
		})
	}
}

func TestWhatIsTooLargeIsRefusedByTheBroker(t *testing.T) {
	t.Parallel()
	topic := topicOf(t, 1, kafka.ConfigEntry{ConfigName: "max.message.bytes", ConfigValue: "1000"})
	writer := writerOf(t, topic)
	writer.MaxAttempts = 1
	refused(t, writer.WriteMessages(within(t), kafka.Message{Value: make([]byte, 2000)}), kafka.MessageSizeTooLarge)
	must(t, writer.WriteMessages(within(t), kafka.Message{Value: make([]byte, 500)}))
}

func TestAReaderSeeksByOffsetAndByTime(t *testing.T) {
	t.Parallel()
	ctx, topic := within(t), topicOf(t, 1)
	writer := writerOf(t, topic)
	for n, m := range messages(0, 10) {
		m.Time = time.UnixMilli(int64(1000 * (n + 1)))
		must(t, writer.WriteMessages(ctx, m))
	}
	reader := readerOf(t, kafka.ReaderConfig{Topic: topic})
	lag, err := reader.ReadLag(ctx)
	must(t, err)
	same(t, lag, 10)
	must(t, reader.SetOffset(7))
	same(t, numbers(t, reader, 3), []int{7, 8, 9})
	same(t, []int64{reader.Offset(), reader.Lag()}, []int64{10, 0})
	must(t, reader.SetOffsetAt(ctx, time.UnixMilli(4500)))
	same(t, numbers(t, reader, 6), []int{4, 5, 6, 7, 8, 9})
	must(t, reader.SetOffset(kafka.FirstOffset))
	same(t, numbers(t, reader, 10), upTo(10))
	strict := readerOf(t, kafka.ReaderConfig{Topic: topic, OffsetOutOfRangeError: true})
	must(t, strict.SetOffset(500))
	_, err = strict.ReadMessage(ctx)
	refused(t, err, kafka.OffsetOutOfRange)
}

func TestAReaderWaitsAtTheEnd(t *testing.T) {
	t.Parallel()
	topic := topicOf(t, 1)
	reader := readerOf(t, kafka.ReaderConfig{Topic: topic, MinBytes: 1, MaxBytes: 1e6})
	got := make(chan error, 1)
	go func() {
		m, err := reader.ReadMessage(within(t))
		if err == nil && string(m.Value) != "0" {
			err = errors.New(string(m.Value))
		}
		got <- err
	}()
	send(t, topic, 0, 1)
	must(t, <-got)
}

func TestAConnectionToTheLeaderWritesAndReads(t *testing.T) {
	t.Parallel()
	topic := topicOf(t, 2)
	conn := leaderOf(t, topic, 1)
	_, partition, offset, _, err := conn.WriteCompressedMessagesAt(kafka.Snappy.Codec(), messages(0, 20)...)
	must(t, err)
	same(t, []int64{int64(partition), offset}, []int64{1, 0})
	_, _, offset, _, err = conn.WriteCompressedMessagesAt(nil, messages(20, 40)...)
	must(t, err)
	same(t, offset, 20)
	_, err = conn.Seek(15, kafka.SeekAbsolute)
	must(t, err)
	batch := conn.ReadBatch(1, 1e6)
	same(t, []int64{batch.HighWaterMark(), int64(batch.Partition())}, []int64{40, 1})
	var found []int
	for {
		m, err := batch.ReadMessage()
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		found = append(found, number(t, m))
	}
	must(t, batch.Close())
	same(t, found[:5], []int{15, 16, 17, 18, 19})
	first, last, err := conn.ReadOffsets()
	must(t, err)
	same(t, []int64{first, last}, []int64{0, 40})
}

func TestRecordsOfTheClient(t *testing.T) {
	t.Parallel()
	client, topic := clientOf(t), topicOf(t, 1)
	put, err := client.Produce(within(t), &kafka.ProduceRequest{
		Topic: topic, RequiredAcks: kafka.RequireAll, Compression: kafka.Zstd,
		Records: kafka.NewRecordReader(kafka.Record{Value: kafka.NewBytes([]byte("1"))}, kafka.Record{Value: kafka.NewBytes([]byte("2"))}),
	})
	must(t, err)
	must(t, put.Error)
	same(t, []int64{put.BaseOffset, put.LogStartOffset}, []int64{0, 0})
	got, found := fetched(t, client, topic, kafka.ReadUncommitted)
	same(t, []int64{got.HighWatermark, got.LastStableOffset, got.LogStartOffset}, []int64{2, 2, 0})
	same(t, found, []int{1, 2})
}

// fetched is one answer to the client's own request, and its numbers. The client leaves out control records, but not
// those that were aborted.
func fetched(t *testing.T, client *kafka.Client, topic string, isolation kafka.IsolationLevel) (*kafka.FetchResponse, []int) {
	t.Helper()
	got, err := client.Fetch(within(t), &kafka.FetchRequest{
		Topic: topic, MinBytes: 1, MaxBytes: 1e6, MaxWait: time.Second, IsolationLevel: isolation,
	})
	must(t, err)
	must(t, got.Error)
	var found []int
	for {
		r, err := got.Records.ReadRecord()
		if errors.Is(err, io.EOF) {
			return got, found
		}
		must(t, err)
		value, err := kafka.ReadAll(r.Value)
		must(t, err)
		found = append(found, number(t, kafka.Message{Value: value}))
	}
}
