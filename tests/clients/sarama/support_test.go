// Package sarama drives a broker with sarama, which asks in the versions of the Kafka that it is told the broker is.
package sarama

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/IBM/sarama"
)

const limit = 60 * time.Second

var (
	names atomic.Int64
	// Kafka 4 no longer serves all that an administrator of a Kafka before 2.1 asks for (KIP-896).
	adminVersions = []sarama.KafkaVersion{sarama.V2_1_0_0, sarama.V2_8_2_0, sarama.V3_6_2_0, sarama.V4_1_0_0}
	versions      = append([]sarama.KafkaVersion{sarama.V0_11_0_2, sarama.V1_1_1_0}, adminVersions...)
)

// fresh is a name that no other test, and no other run on the same broker, has used.
func fresh() string {
	return fmt.Sprintf("sarama-%d-%d-%d", os.Getpid(), time.Now().Unix(), names.Add(1))
}

func bootstrap() []string {
	return []string{os.Getenv("BOOTSTRAP")}
}

// eachVersion runs a test as a client of each Kafka.
func eachVersion(t *testing.T, versions []sarama.KafkaVersion, test func(t *testing.T, version sarama.KafkaVersion)) {
	for _, version := range versions {
		t.Run(version.String(), func(t *testing.T) { test(t, version) })
	}
}

func configOf(version sarama.KafkaVersion) *sarama.Config {
	config := sarama.NewConfig()
	config.Version = version
	config.ClientID = "brooklet-sarama"
	config.Producer.Return.Successes = true
	config.Producer.Return.Errors = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Consumer.Return.Errors = true
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Group.Heartbeat.Interval = 200 * time.Millisecond
	config.Consumer.MaxWaitTime = 200 * time.Millisecond
	config.Metadata.AllowAutoTopicCreation = false
	return config
}

func idempotent(config *sarama.Config) *sarama.Config {
	config.Producer.Idempotent = true
	config.Net.MaxOpenRequests = 1
	return config
}

func clientOf(t *testing.T, config *sarama.Config) sarama.Client {
	t.Helper()
	client, err := sarama.NewClient(bootstrap(), config)
	must(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func adminOf(t *testing.T, version sarama.KafkaVersion) sarama.ClusterAdmin {
	t.Helper()
	admin, err := sarama.NewClusterAdmin(bootstrap(), configOf(version))
	must(t, err)
	t.Cleanup(func() { _ = admin.Close() })
	return admin
}

// topicOf makes a topic and waits until the broker tells of it.
func topicOf(t *testing.T, version sarama.KafkaVersion, partitions int32) string {
	t.Helper()
	admin, topic := adminOf(t, version), fresh()
	must(t, admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1}, false))
	until(t, "the topic is known", func() bool {
		told, err := admin.DescribeTopics([]string{topic})
		return err == nil && told[0].Err == sarama.ErrNoError && len(told[0].Partitions) == int(partitions)
	})
	return topic
}

// send produces the numbers, each one its own key.
func send(t *testing.T, config *sarama.Config, topic string, from, to int) {
	t.Helper()
	producer, err := sarama.NewSyncProducer(bootstrap(), config)
	must(t, err)
	defer func() { must(t, producer.Close()) }()
	must(t, producer.SendMessages(messages(topic, from, to)))
}

func messages(topic string, from, to int) []*sarama.ProducerMessage {
	all := make([]*sarama.ProducerMessage, 0, to-from)
	for n := from; n < to; n++ {
		text := sarama.StringEncoder(strconv.Itoa(n))
		all = append(all, &sarama.ProducerMessage{Topic: topic, Key: text, Value: text})
	}
	return all
}

// read is what a partition has from an offset up to its end, as that isolation sees it.
func read(t *testing.T, config *sarama.Config, topic string, partition int32, from int64, count int) []*sarama.ConsumerMessage {
	t.Helper()
	consumer, err := sarama.NewConsumerFromClient(clientOf(t, config))
	must(t, err)
	defer func() { must(t, consumer.Close()) }()
	stream, err := consumer.ConsumePartition(topic, partition, from)
	must(t, err)
	defer stream.AsyncClose()
	var all []*sarama.ConsumerMessage
	for timeout := time.After(limit); len(all) < count; {
		select {
		case message := <-stream.Messages():
			all = append(all, message)
		case err := <-stream.Errors():
			t.Fatal(err)
		case <-timeout:
			t.Fatalf("%d of %d records", len(all), count)
		}
	}
	return all
}

func values(all []*sarama.ConsumerMessage) []int {
	numbers := make([]int, 0, len(all))
	for _, message := range all {
		n, _ := strconv.Atoi(string(message.Value))
		numbers = append(numbers, n)
	}
	return numbers
}

func span(from, to int) []int {
	all := make([]int, 0, to-from)
	for n := from; n < to; n++ {
		all = append(all, n)
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

func same(t *testing.T, what string, expected, got []int) {
	t.Helper()
	if !slices.Equal(expected, got) {
		t.Fatalf("%s: expected %v, got %v", what, expected, got)
	}
}
