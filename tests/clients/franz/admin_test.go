package franz

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestTopicsAreCreatedWidenedAndDeleted(t *testing.T) {
	t.Parallel()
	ctx, admin, topic := within(t), adminOf(t), topicOf(t, 3, nil)
	topics, err := admin.ListTopics(ctx)
	must(t, err)
	same(t, len(topics[topic].Partitions), 3)
	same(t, topics[topic].ID == kadm.TopicID{}, false)
	widened, err := admin.CreatePartitions(ctx, 2, topic)
	must(t, err)
	must(t, widened.Error())
	until(t, "five partitions", func() bool {
		topics, err := admin.ListTopics(ctx, topic)
		return err == nil && len(topics[topic].Partitions) == 5
	})
	_, err = admin.DeleteTopic(ctx, topic)
	must(t, err)
	until(t, "the topic is gone", func() bool {
		topics, err := admin.ListTopics(ctx)
		return err == nil && !topics.Has(topic)
	})
}

func TestWhatCannotBeHasKafkasError(t *testing.T) {
	t.Parallel()
	ctx, admin, topic := within(t), adminOf(t), topicOf(t, 2, nil)
	refused := func(name string, partitions int32, factor int16, configs map[string]*string) error {
		_, err := admin.CreateTopic(ctx, partitions, factor, configs, name)
		return err
	}
	soon := map[string]*string{"retention.ms": kadm.StringPtr("soon")}
	for _, each := range []struct {
		got      error
		expected *kerr.Error
	}{
		{refused(topic, 1, 1, nil), kerr.TopicAlreadyExists},
		{refused("no/good", 1, 1, nil), kerr.InvalidTopicException},
		{refused(fresh(), 0, 1, nil), kerr.InvalidPartitions},
		{refused(fresh(), 1, 7, nil), kerr.InvalidReplicationFactor},
		{refused(fresh(), 1, 1, soon), kerr.InvalidConfig},
	} {
		if !errors.Is(each.got, each.expected) {
			t.Errorf("got %v, expected %v", each.got, each.expected)
		}
	}
	_, err := admin.DeleteTopic(ctx, fresh())
	same(t, errors.Is(err, kerr.UnknownTopicOrPartition), true)
	fewer, err := admin.UpdatePartitions(ctx, 1, topic)
	must(t, err)
	same(t, errors.Is(fewer[topic].Err, kerr.InvalidPartitions), true)
	unmade := fresh()
	valid, err := admin.ValidateCreateTopics(ctx, 1, 1, nil, unmade)
	must(t, err)
	must(t, valid.Error())
	topics, err := admin.ListTopics(ctx)
	must(t, err)
	same(t, topics.Has(unmade), false)
}

func TestConfigsAreToldAndAltered(t *testing.T) {
	t.Parallel()
	ctx, admin := within(t), adminOf(t)
	topic := topicOf(t, 1, map[string]*string{"cleanup.policy": kadm.StringPtr("compact")})
	setting := func(name string) string {
		told, err := admin.DescribeTopicConfigs(ctx, topic)
		must(t, err)
		for _, config := range told[0].Configs {
			if config.Key == name {
				return config.MaybeValue() + " " + config.Source.String()
			}
		}
		return "none"
	}
	same(t, setting("cleanup.policy"), "compact DYNAMIC_TOPIC_CONFIG")
	same(t, setting("max.message.bytes"), "1048588 DEFAULT_CONFIG")
	alter := func(changes ...kadm.AlterConfig) {
		altered, err := admin.AlterTopicConfigs(ctx, changes, topic)
		must(t, err)
		must(t, altered[0].Err)
	}
	alter(kadm.AlterConfig{Op: kadm.SetConfig, Name: "retention.ms", Value: kadm.StringPtr("12345")},
		kadm.AlterConfig{Op: kadm.AppendConfig, Name: "cleanup.policy", Value: kadm.StringPtr("delete")})
	until(t, "the settings", func() bool { return setting("retention.ms") == "12345 DYNAMIC_TOPIC_CONFIG" })
	same(t, setting("cleanup.policy"), "compact,delete DYNAMIC_TOPIC_CONFIG")
	alter(kadm.AlterConfig{Op: kadm.DeleteConfig, Name: "retention.ms"})
	until(t, "the default", func() bool { return setting("retention.ms") == "604800000 DEFAULT_CONFIG" })
}

func TestOffsetsOfATopic(t *testing.T) {
	t.Parallel()
	ctx, admin, topic := within(t), adminOf(t), topicOf(t, 1, nil)
	client := clientOf(t)
	for _, at := range []int64{1000, 3000, 5000} {
		r := record(topic, int(at))
		r.Timestamp = time.UnixMilli(at)
		must(t, client.ProduceSync(ctx, r).FirstErr())
	}
	after, err := admin.ListOffsetsAfterMilli(ctx, 2000, topic)
	must(t, err)
	same(t, []int64{after[topic][0].Offset, after[topic][0].Timestamp}, []int64{1, 3000})
	late, err := admin.ListOffsetsAfterMilli(ctx, 6000, topic)
	must(t, err)
	same(t, late[topic][0].Offset, 3)
	ends := kadm.Offsets{}
	ends.AddOffset(topic, 0, 2, -1)
	deleted, err := admin.DeleteRecords(ctx, ends)
	must(t, err)
	must(t, deleted.Error())
	same(t, deleted[topic][0].LowWatermark, 2)
	start, err := admin.ListStartOffsets(ctx, topic)
	must(t, err)
	same(t, start[topic][0].Offset, 2)
	end, err := admin.ListEndOffsets(ctx, topic)
	must(t, err)
	same(t, end[topic][0].Offset, 3)
}

func TestOffsetsAndLagOfAGroup(t *testing.T) {
	t.Parallel()
	ctx, admin, topic, group := within(t), adminOf(t), topicOf(t, 2, nil), fresh()
	send(t, topic, 0, 100)
	offsets := kadm.Offsets{}
	offsets.Add(kadm.Offset{Topic: topic, Partition: 0, At: 5, LeaderEpoch: -1, Metadata: "what I was doing"})
	must(t, admin.CommitAllOffsets(ctx, group, offsets))
	fetched, err := admin.FetchOffsets(ctx, group)
	must(t, err)
	found, _ := fetched.Lookup(topic, 0)
	same(t, []any{found.At, found.Metadata, found.Err}, []any{int64(5), "what I was doing", nil})
	_, there := fetched.Lookup(topic, 1)
	same(t, there, false)
	lags, err := admin.Lag(ctx, group)
	must(t, err)
	must(t, lags.Error())
	same(t, lags[group].State, "Empty")
	same(t, lags[group].Lag.Total(), 95)
}

func TestAGroupIsDeletedWithItsOffsets(t *testing.T) {
	t.Parallel()
	needs(t, 42)
	ctx, admin, topic, group := within(t), adminOf(t), topicOf(t, 1, nil), fresh()
	offsets := kadm.Offsets{}
	offsets.AddOffset(topic, 0, 5, -1)
	must(t, admin.CommitAllOffsets(ctx, group, offsets))
	deleted, err := admin.DeleteGroups(ctx, group)
	must(t, err)
	must(t, deleted.Error())
	deleted, err = admin.DeleteGroups(ctx, group)
	must(t, err)
	same(t, errors.Is(deleted[group].Err, kerr.GroupIDNotFound), true)
}

func TestTheClusterTellsOfItself(t *testing.T) {
	t.Parallel()
	meta, err := adminOf(t).BrokerMetadata(within(t))
	must(t, err)
	same(t, len(meta.Brokers), 1)
	same(t, len(meta.Cluster), 22)
	same(t, meta.Controller, meta.Brokers[0].NodeID)
	same(t, fmt.Sprintf("%s:%d", meta.Brokers[0].Host, meta.Brokers[0].Port), os.Getenv("BOOTSTRAP"))
}

func TestEachCodecComesBackAsItWent(t *testing.T) {
	t.Parallel()
	for name, codec := range map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	} {
		t.Run(name, func(t *testing.T) {
			topic := topicOf(t, 1, nil)
			send(t, topic, 0, 2000, kgo.ProducerBatchCompression(codec))
			same(t, numbers(t, topic, 2000, kgo.ReadUncommitted()), upTo(2000, 1))
		})
	}
}
