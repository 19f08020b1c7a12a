package sarama

import (
	"errors"
	"slices"
	"testing"

	"github.com/IBM/sarama"
)

func TestTopicsAreConfiguredWidenedCutAndDeleted(t *testing.T) {
	eachVersion(t, adminVersions, func(t *testing.T, version sarama.KafkaVersion) {
		admin, topic, config := adminOf(t, version), topicOf(t, version, 1), configOf(version)
		resource := sarama.ConfigResource{Type: sarama.TopicResource, Name: topic}
		hour, gzip := "3600000", "gzip"
		must(t, admin.AlterConfig(sarama.TopicResource, topic, map[string]*string{"retention.ms": &hour}, false))
		until(t, "retention.ms", func() bool { return settingOf(t, admin, resource, "retention.ms") == hour })
		if version.IsAtLeast(sarama.V2_3_0_0) {
			must(t, admin.IncrementalAlterConfig(sarama.TopicResource, topic, map[string]sarama.IncrementalAlterConfigsEntry{
				"compression.type": {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &gzip},
			}, false))
			until(t, "compression.type", func() bool { return settingOf(t, admin, resource, "compression.type") == gzip })
			if got := settingOf(t, admin, resource, "retention.ms"); got != hour {
				t.Fatal(got)
			}
		}
		send(t, config, topic, 0, 100)
		must(t, admin.DeleteRecords(topic, map[int32]int64{0: 60}))
		same(t, "what is left", span(60, 100), values(read(t, config, topic, 0, sarama.OffsetOldest, 40)))
		must(t, admin.CreatePartitions(topic, 3, nil, false))
		until(t, "three partitions", func() bool {
			told, err := admin.DescribeTopics([]string{topic})
			return err == nil && len(told[0].Partitions) == 3
		})
		must(t, admin.DeleteTopic(topic))
		until(t, "the topic is gone", func() bool {
			topics, err := admin.ListTopics()
			_, there := topics[topic]
			return err == nil && !there
		})
		if err := admin.DeleteTopic(topic); !errors.Is(err, sarama.ErrUnknownTopicOrPartition) {
			t.Fatal(err)
		}
	})
}

func settingOf(t *testing.T, admin sarama.ClusterAdmin, resource sarama.ConfigResource, name string) string {
	t.Helper()
	resource.ConfigNames = []string{name}
	entries, err := admin.DescribeConfig(resource)
	must(t, err)
	if len(entries) != 1 || entries[0].Name != name {
		t.Fatalf("%+v", entries)
	}
	return entries[0].Value
}

func TestGroupsAreToldOfAndDeleted(t *testing.T) {
	eachVersion(t, adminVersions, func(t *testing.T, version sarama.KafkaVersion) {
		admin, topic, group, config := adminOf(t, version), topicOf(t, version, 2), fresh(), configOf(version)
		send(t, config, topic, 0, 50)
		all := &tally{}
		stop := join(t, config, group, topic, handler{all})
		until(t, "all", func() bool { return len(all.sorted()) == 50 })
		stop()
		groups, err := admin.ListConsumerGroups()
		must(t, err)
		if groups[group] != "consumer" {
			t.Fatal(groups)
		}
		offsets, err := admin.ListConsumerGroupOffsets(group, map[string][]int32{topic: {0, 1}})
		must(t, err)
		sum := offsets.GetBlock(topic, 0).Offset + offsets.GetBlock(topic, 1).Offset
		if sum != 50 {
			t.Fatal(sum)
		}
		if version.IsAtLeast(sarama.V2_4_0_0) {
			must(t, admin.DeleteConsumerGroupOffset(group, topic, 1))
			offsets, err = admin.ListConsumerGroupOffsets(group, map[string][]int32{topic: {0, 1}})
			must(t, err)
			if offsets.GetBlock(topic, 1).Offset != -1 {
				t.Fatal(offsets.GetBlock(topic, 1))
			}
		}
		must(t, admin.DeleteConsumerGroup(group))
		if err = admin.DeleteConsumerGroup(group); !errors.Is(err, sarama.ErrGroupIDNotFound) {
			t.Fatal(err)
		}
	})
}

func TestTheClusterTellsOfItself(t *testing.T) {
	eachVersion(t, adminVersions, func(t *testing.T, version sarama.KafkaVersion) {
		admin, topic, config := adminOf(t, version), topicOf(t, version, 1), configOf(version)
		send(t, config, topic, 0, 10)
		brokers, controller, err := admin.DescribeCluster()
		must(t, err)
		if len(brokers) != 1 || brokers[0].ID() != controller || brokers[0].Addr() != bootstrap()[0] {
			t.Fatal(brokers, controller)
		}
		dirs, err := admin.DescribeLogDirs([]int32{controller})
		must(t, err)
		holds := slices.ContainsFunc(dirs[controller], func(dir sarama.DescribeLogDirsResponseDirMetadata) bool {
			return slices.ContainsFunc(dir.Topics, func(it sarama.DescribeLogDirsResponseTopic) bool {
				return it.Topic == topic && it.Partitions[0].Size > 0
			})
		})
		if !holds {
			t.Fatalf("%+v", dirs)
		}
	})
}
