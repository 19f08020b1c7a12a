// Package franz drives a broker with franz-go.
package franz

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	limit   = 30 * time.Second
	addPart = 24
)

var names atomic.Int64

// fresh is a name that no other test, and no other run on the same broker, has used.
func fresh() string {
	return fmt.Sprintf("go-%d-%d-%d", os.Getpid(), time.Now().Unix(), names.Add(1))
}

// within is the time that one test has.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*limit)
	t.Cleanup(cancel)
	return ctx
}

func options(more ...kgo.Opt) []kgo.Opt {
	return append([]kgo.Opt{
		kgo.SeedBrokers(os.Getenv("BOOTSTRAP")),
		kgo.ClientID("brooklet-go"),
		kgo.FetchMaxWait(200 * time.Millisecond),
		kgo.MetadataMinAge(50 * time.Millisecond),
	}, more...)
}

func clientOf(t *testing.T, more ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(options(more...)...)
	must(t, err)
	t.Cleanup(client.Close)
	return client
}

func adminOf(t *testing.T) *kadm.Client {
	t.Helper()
	return kadm.NewClient(clientOf(t))
}

// topicOf makes a topic and waits until the broker tells of it.
func topicOf(t *testing.T, partitions int32, configs map[string]*string) string {
	t.Helper()
	ctx, admin, topic := within(t), adminOf(t), fresh()
	_, err := admin.CreateTopic(ctx, partitions, 1, configs, topic)
	must(t, err)
	until(t, "the topic is known", func() bool {
		topics, err := admin.ListTopics(ctx, topic)
		return err == nil && len(topics[topic].Partitions) == int(partitions)
	})
	return topic
}

// send produces the numbers, each one its own key, and waits for all acknowledgements.
func send(t *testing.T, topic string, from, to int, more ...kgo.Opt) {
	t.Helper()
	records := make([]*kgo.Record, 0, to-from)
	for n := from; n < to; n++ {
		records = append(records, record(topic, n))
	}
	must(t, clientOf(t, more...).ProduceSync(within(t), records...).FirstErr())
}

func record(topic string, n int) *kgo.Record {
	text := []byte(strconv.Itoa(n))
	return &kgo.Record{Topic: topic, Key: text, Value: text}
}

func number(t *testing.T, r *kgo.Record) int {
	t.Helper()
	n, err := strconv.Atoi(string(r.Value))
	must(t, err)
	return n
}

// numbers reads the topic from its start until so many records came, sorted.
func numbers(t *testing.T, topic string, count int, isolation kgo.IsolationLevel) []int {
	t.Helper()
	client := clientOf(t, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(isolation))
	var found []int
	for ctx := within(t); len(found) < count && ctx.Err() == nil; {
		client.PollFetches(ctx).EachRecord(func(r *kgo.Record) { found = append(found, number(t, r)) })
	}
	slices.Sort(found)
	return found
}

func upTo(count, factor int) []int {
	all := make([]int, count)
	for n := range all {
		all[n] = n * factor
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

// needs skips the test where the broker does not advertise an API.
func needs(t *testing.T, key int16) {
	t.Helper()
	versions, err := adminOf(t).ApiVersions(within(t))
	must(t, err)
	for _, broker := range versions {
		if _, advertised := broker.KeyMaxVersion(key); !advertised {
			t.Skipf("the broker does not advertise %s (%d)", kmsg.NameForKey(key), key)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func same[T any](t *testing.T, got, expected T) {
	t.Helper()
	if g, e := fmt.Sprint(got), fmt.Sprint(expected); g != e {
		t.Fatalf("got %s, expected %s", g, e)
	}
}
