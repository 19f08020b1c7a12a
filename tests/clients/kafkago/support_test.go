// Package kafkago drives a broker with segmentio's kafka-go.
package kafkago

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

const limit = 30 * time.Second

var names atomic.Int64

// fresh is a name that no other test, and no other run on the same broker, has used.
func fresh() string {
	return fmt.Sprintf("kgo-%d-%d-%d", os.Getpid(), time.Now().Unix(), names.Add(1))
}

func bootstrap() string { return os.Getenv("BOOTSTRAP") }

// A broker that has just started makes its coordinators' topics when they are first asked for.
func TestMain(m *testing.M) {
	client := &kafka.Client{Addr: kafka.TCP(bootstrap()), Timeout: limit}
	for _, kind := range []kafka.CoordinatorKeyType{kafka.CoordinatorKeyTypeConsumer, kafka.CoordinatorKeyTypeTransaction} {
		there := func() bool {
			found, err := client.FindCoordinator(context.Background(), &kafka.FindCoordinatorRequest{Key: fresh(), KeyType: kind})
			return err == nil && found.Error == nil
		}
		for deadline := time.Now().Add(limit); !there() && time.Now().Before(deadline); {
			time.Sleep(20 * time.Millisecond)
		}
	}
	os.Exit(m.Run())
}

// within is the time that one test has.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*limit)
	t.Cleanup(cancel)
	return ctx
}

// clientOf has connections of its own, opened when it is first used; it goes by what it then hears of the cluster.
func clientOf(t *testing.T) *kafka.Client {
	t.Helper()
	transport := &kafka.Transport{ClientID: "brooklet-kafka-go"}
	t.Cleanup(transport.CloseIdleConnections)
	return &kafka.Client{Addr: kafka.TCP(bootstrap()), Timeout: limit, Transport: transport}
}

func connOf(t *testing.T) *kafka.Conn {
	t.Helper()
	conn, err := kafka.DialContext(within(t), "tcp", bootstrap())
	return open(t, conn, err)
}

func leaderOf(t *testing.T, topic string, partition int) *kafka.Conn {
	t.Helper()
	conn, err := kafka.DialLeader(within(t), "tcp", bootstrap(), topic, partition)
	return open(t, conn, err)
}

func open(t *testing.T, conn *kafka.Conn, err error) *kafka.Conn {
	t.Helper()
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	must(t, conn.SetDeadline(time.Now().Add(limit)))
	return conn
}

// topicOf makes a topic and waits until the broker leads its partitions.
func topicOf(t *testing.T, partitions int, configs ...kafka.ConfigEntry) string {
	t.Helper()
	conn, topic := connOf(t), fresh()
	must(t, conn.CreateTopics(kafka.TopicConfig{
		Topic: topic, NumPartitions: partitions, ReplicationFactor: 1, ConfigEntries: configs,
	}))
	until(t, "the topic is known", func() bool { return partitionsOf(t, topic) == partitions })
	ends := make([]kafka.OffsetRequest, partitions)
	for p := range ends {
		ends[p] = kafka.LastOffsetOf(p)
	}
	until(t, "the partitions are led", func() bool {
		told, err := clientOf(t).ListOffsets(within(t), &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: ends}})
		return err == nil && !slices.ContainsFunc(told.Topics[topic], func(p kafka.PartitionOffsets) bool { return p.Error != nil })
	})
	return topic
}

// partitionsOf is how many partitions the topic has; 0 without the topic.
func partitionsOf(t *testing.T, topic string) int {
	t.Helper()
	told, err := clientOf(t).Metadata(within(t), &kafka.MetadataRequest{Topics: []string{topic}})
	must(t, err)
	if told.Topics[0].Error != nil {
		return 0
	}
	return len(told.Topics[0].Partitions)
}

func writerOf(t *testing.T, topic string) *kafka.Writer {
	t.Helper()
	transport := &kafka.Transport{}
	w := &kafka.Writer{
		Addr: kafka.TCP(bootstrap()), Topic: topic, Transport: transport, BatchTimeout: 5 * time.Millisecond,
		RequiredAcks: kafka.RequireAll, Balancer: &kafka.RoundRobin{}, WriteBackoffMin: 20 * time.Millisecond,
	}
	t.Cleanup(func() {
		must(t, w.Close())
		transport.CloseIdleConnections()
	})
	return w
}

// send produces the numbers, each one its own key, and waits for all acknowledgements.
func send(t *testing.T, topic string, from, to int) {
	t.Helper()
	must(t, writerOf(t, topic).WriteMessages(within(t), messages(from, to)...))
}

func messages(from, to int) []kafka.Message {
	all := make([]kafka.Message, 0, to-from)
	for n := from; n < to; n++ {
		text := []byte(strconv.Itoa(n))
		all = append(all, kafka.Message{Key: text, Value: text})
	}
	return all
}

func readerOf(t *testing.T, config kafka.ReaderConfig) *kafka.Reader {
	t.Helper()
	config.Brokers = []string{bootstrap()}
	config.MaxWait = 100 * time.Millisecond
	config.ReadBackoffMin, config.ReadBackoffMax = 10*time.Millisecond, 50*time.Millisecond
	r := kafka.NewReader(config)
	t.Cleanup(func() { r.Close() })
	return r
}

// numbers reads so many messages, in the order in which they come.
func numbers(t *testing.T, reader *kafka.Reader, count int) []int {
	t.Helper()
	found := make([]int, 0, count)
	for ctx := within(t); len(found) < count; {
		m, err := reader.ReadMessage(ctx)
		must(t, err)
		found = append(found, number(t, m))
	}
	return found
}

func number(t *testing.T, m kafka.Message) int {
	t.Helper()
	n, err := strconv.Atoi(string(m.Value))
	must(t, err)
	return n
}

func sorted(all []int) []int {
	all = slices.Clone(all)
	slices.Sort(all)
	return all
}

func upTo(count int) []int {
	all := make([]int, count)
	for n := range all {
		all[n] = n
	}
	return all
}

func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("did not come to be: %s", what)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused demands that error of the broker.
func refused(t *testing.T, got error, expected kafka.Error) {
	t.Helper()
	if all, many := got.(kafka.WriteErrors); many {
		got = all[0]
	}
	if !errors.Is(got, expected) {
		t.Fatalf("got %v, expected %v", got, expected)
	}
}

func same[T any](t *testing.T, got, expected T) {
	t.Helper()
	if g, e := fmt.Sprint(got), fmt.Sprint(expected); g != e {
		t.Fatalf("got %s, expected %s", g, e)
	}
}

func address(b kafka.Broker) string { return net.JoinHostPort(b.Host, strconv.Itoa(b.Port)) }
