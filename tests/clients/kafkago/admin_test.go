package kafkago

import (
	"slices"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

func created(t *testing.T, client *kafka.Client, topic kafka.TopicConfig) error {
	t.Helper()
	told, err := client.CreateTopics(within(t), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{topic}})
	must(t, err)
	return told.Errors[topic.Topic]
}

func TestTopicsAreCreatedWidenedAndDeleted(t *testing.T) {
	t.Parallel()
	ctx, client, topic := within(t), clientOf(t), fresh()
	must(t, created(t, client, kafka.TopicConfig{Topic: topic, NumPartitions: 3, ReplicationFactor: 1}))
	until(t, "three partitions", func() bool { return partitionsOf(t, topic) == 3 })
	widen := func(count int32) error {
		told, err := client.CreatePartitions(ctx, &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: count}}})
		must(t, err)
		return told.Errors[topic]
	}
	must(t, widen(5))
	until(t, "five partitions", func() bool { return partitionsOf(t, topic) == 5 })
	refused(t, widen(2), kafka.InvalidPartitionNumber)
	conn := connOf(t)
	told, err := conn.ReadPartitions(topic)
	must(t, err)
	same(t, []any{len(told), address(told[0].Leader), len(told[0].Replicas), len(told[0].Isr)}, []any{5, bootstrap(), 1, 1})
	must(t, conn.DeleteTopics(topic))
	until(t, "the topic is gone", func() bool { return partitionsOf(t, topic) == 0 })
	gone, err := client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{topic}})
	must(t, err)
	refused(t, gone.Errors[topic], kafka.UnknownTopicOrPartition)
}

func TestWhatCannotBeHasKafkasError(t *testing.T) {
	t.Parallel()
	client, soon := clientOf(t), []kafka.ConfigEntry{{ConfigName: "retention.ms", ConfigValue: "soon"}}
	for _, each := range []struct {
		topic    kafka.TopicConfig
		expected kafka.Error
	}{
		{kafka.TopicConfig{Topic: topicOf(t, 1), NumPartitions: 1, ReplicationFactor: 1}, kafka.TopicAlreadyExists},
		{kafka.TopicConfig{Topic: "no/good", NumPartitions: 1, ReplicationFactor: 1}, kafka.InvalidTopic},
		{kafka.TopicConfig{Topic: fresh(), NumPartitions: 0, ReplicationFactor: 1}, kafka.InvalidPartitionNumber},
		{kafka.TopicConfig{Topic: fresh(), NumPartitions: 1, ReplicationFactor: 7}, kafka.InvalidReplicationFactor},
		{kafka.TopicConfig{Topic: fresh(), NumPartitions: 1, ReplicationFactor: 1, ConfigEntries: soon}, kafka.InvalidConfiguration},
	} {
		refused(t, created(t, client, each.topic), each.expected)
	}
}

func TestConfigsAreToldAndAltered(t *testing.T) {
	t.Parallel()
	ctx, client := within(t), clientOf(t)
	topic := topicOf(t, 1, kafka.ConfigEntry{ConfigName: "cleanup.policy", ConfigValue: "compact"})
	setting := func(name string) string {
		told, err := client.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{
			Resources:       []kafka.DescribeConfigRequestResource{{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, ConfigNames: []string{name}}},
			IncludeSynonyms: true, IncludeDocumentation: true,
		})
		must(t, err)
		must(t, told.Resources[0].Error)
		entry := told.Resources[0].ConfigEntries[0]
		same(t, entry.ConfigName, name)
		return entry.ConfigValue
	}
	alter := func(name, value string, operation kafka.ConfigOperation) error {
		told, err := client.IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{
			Resources: []kafka.IncrementalAlterConfigsRequestResource{{
				ResourceType: kafka.ResourceTypeTopic, ResourceName: topic,
				Configs: []kafka.IncrementalAlterConfigsRequestConfig{{Name: name, Value: value, ConfigOperation: operation}},
			}},
		})
		must(t, err)
		return told.Resources[0].Error
	}
	becomes := func(name, value string) {
		until(t, name, func() bool { return setting(name) == value })
	}
	same(t, setting("cleanup.policy"), "compact")
	must(t, alter("cleanup.policy", "delete", kafka.ConfigOperationAppend))
	becomes("cleanup.policy", "compact,delete")
	must(t, alter("cleanup.policy", "compact", kafka.ConfigOperationSubtract))
	becomes("cleanup.policy", "delete")
	must(t, alter("retention.ms", "12345", kafka.ConfigOperationSet))
	becomes("retention.ms", "12345")
	must(t, alter("retention.ms", "", kafka.ConfigOperationDelete))
	becomes("retention.ms", "604800000")
	refused(t, alter("retention.ms", "soon", kafka.ConfigOperationSet), kafka.InvalidConfiguration)
	refused(t, alter("retention.ms", "1", kafka.ConfigOperationAppend), kafka.InvalidConfiguration)
	told, err := client.AlterConfigs(ctx, &kafka.AlterConfigsRequest{Resources: []kafka.AlterConfigRequestResource{{
		ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, Configs: []kafka.AlterConfigRequestConfig{{Name: "retention.ms", Value: "777"}},
	}}})
	must(t, err)
	for _, err := range told.Errors {
		must(t, err)
	}
	becomes("retention.ms", "777")
}

func TestOffsetsOfATopic(t *testing.T) {
	t.Parallel()
	ctx, client, topic := within(t), clientOf(t), topicOf(t, 1)
	writer := writerOf(t, topic)
	for n, at := range []int64{1000, 3000, 5000} {
		m := messages(n, n+1)[0]
		m.Time = time.UnixMilli(at)
		must(t, writer.WriteMessages(ctx, m))
	}
	told, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{
		topic: {kafka.FirstOffsetOf(0), kafka.LastOffsetOf(0), kafka.TimeOffsetOf(0, time.UnixMilli(2000))},
	}})
	must(t, err)
	found := told.Topics[topic][0]
	must(t, found.Error)
	same(t, []int64{found.FirstOffset, found.LastOffset}, []int64{0, 3})
	_, there := found.Offsets[1]
	same(t, []any{len(found.Offsets), there}, []any{1, true})
	offset, err := leaderOf(t, topic, 0).ReadOffset(time.UnixMilli(4000))
	must(t, err)
	same(t, offset, 2)
	told, err = client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: {kafka.LastOffsetOf(7)}}})
	if err == nil {
		err = told.Topics[topic][0].Error
	}
	refused(t, err, kafka.UnknownTopicOrPartition)
}

func TestTheClusterTellsOfItself(t *testing.T) {
	t.Parallel()
	ctx, client, conn := within(t), clientOf(t), connOf(t)
	told, err := client.Metadata(ctx, &kafka.MetadataRequest{})
	must(t, err)
	same(t, []any{len(told.Brokers), len(told.ClusterID), told.Controller}, []any{1, 22, told.Brokers[0]})
	same(t, address(told.Brokers[0]), bootstrap())
	controller, err := conn.Controller()
	must(t, err)
	same(t, controller, told.Controller)
	brokers, err := conn.Brokers()
	must(t, err)
	same(t, brokers, told.Brokers)
	old, err := conn.ApiVersions()
	must(t, err)
	now, err := client.ApiVersions(ctx, &kafka.ApiVersionsRequest{})
	must(t, err)
	must(t, now.Error)
	same(t, len(now.ApiKeys), len(old))
}

func TestLeadersAndReplicasStayWhereTheyAre(t *testing.T) {
	t.Parallel()
	ctx, client, topic := within(t), clientOf(t), topicOf(t, 2)
	told, err := client.Metadata(ctx, &kafka.MetadataRequest{})
	must(t, err)
	broker := told.Brokers[0].ID
	elected, err := client.ElectLeaders(ctx, &kafka.ElectLeadersRequest{Topic: topic, Partitions: []int{0, 1}, Timeout: limit})
	must(t, err)
	must(t, elected.Error)
	same(t, len(elected.PartitionResults), 2)
	refused(t, elected.PartitionResults[0].Error, kafka.ElectionNotNeeded)
	move := func(to ...int) error {
		moved, err := client.AlterPartitionReassignments(ctx, &kafka.AlterPartitionReassignmentsRequest{
			Topic: topic, Timeout: limit, Assignments: []kafka.AlterPartitionReassignmentsRequestAssignment{{PartitionID: 1, BrokerIDs: to}},
		})
		must(t, err)
		must(t, moved.Error)
		return moved.PartitionResults[0].Error
	}
	must(t, move(broker))
	refused(t, move(broker+7), kafka.InvalidReplicaAssignment)
	moving, err := client.ListPartitionReassignments(ctx, &kafka.ListPartitionReassignmentsRequest{Timeout: limit})
	must(t, err)
	must(t, moving.Error)
	same(t, len(moving.Topics), 0)
}

func TestAclsAreOffWithoutAnAuthorizer(t *testing.T) {
	t.Parallel()
	ctx, client := within(t), clientOf(t)
	filter := kafka.ACLFilter{
		ResourceTypeFilter: kafka.ResourceTypeAny, ResourcePatternTypeFilter: kafka.PatternTypeAny,
		Operation: kafka.ACLOperationTypeAny, PermissionType: kafka.ACLPermissionTypeAny,
	}
	told, err := client.DescribeACLs(ctx, &kafka.DescribeACLsRequest{Filter: filter})
	must(t, err)
	refused(t, told.Error, kafka.SecurityDisabled)
	put, err := client.CreateACLs(ctx, &kafka.CreateACLsRequest{ACLs: []kafka.ACLEntry{{
		ResourceType: kafka.ResourceTypeTopic, ResourceName: "t", ResourcePatternType: kafka.PatternTypeLiteral,
		Principal: "User:alice", Host: "*", Operation: kafka.ACLOperationTypeRead, PermissionType: kafka.ACLPermissionTypeAllow,
	}}})
	must(t, err)
	refused(t, put.Errors[0], kafka.SecurityDisabled)
	gone, err := client.DeleteACLs(ctx, &kafka.DeleteACLsRequest{Filters: []kafka.DeleteACLsFilter{kafka.DeleteACLsFilter(filter)}})
	must(t, err)
	refused(t, gone.Results[0].Error, kafka.SecurityDisabled)
}

func TestQuotasAndCredentialsAreKept(t *testing.T) {
	t.Parallel()
	ctx, client, name := within(t), clientOf(t), fresh()
	quota := func(remove bool) {
		told, err := client.AlterClientQuotas(ctx, &kafka.AlterClientQuotasRequest{Entries: []kafka.AlterClientQuotaEntry{{
			Entities: []kafka.AlterClientQuotaEntity{{EntityType: "client-id", EntityName: name}},
			Ops:      []kafka.AlterClientQuotaOps{{Key: "producer_byte_rate", Value: 1e9, Remove: remove}},
		}}})
		must(t, err)
		must(t, told.Entries[0].Error)
	}
	quotas := func() (all []kafka.DescribeClientQuotasValue) {
		told, err := client.DescribeClientQuotas(ctx, &kafka.DescribeClientQuotasRequest{
			Components: []kafka.DescribeClientQuotasRequestComponent{{EntityType: "client-id", Match: name}},
		})
		must(t, err)
		must(t, told.Error)
		for _, entry := range told.Entries {
			all = append(all, entry.Values...)
		}
		return all
	}
	quota(false)
	until(t, "the quota", func() bool {
		return slices.Equal(quotas(), []kafka.DescribeClientQuotasValue{{Key: "producer_byte_rate", Value: 1e9}})
	})
	quota(true)
	until(t, "no quota", func() bool { return len(quotas()) == 0 })
	credentials := func() []kafka.DescribeUserScramCredentialsResponseResult {
		told, err := client.DescribeUserScramCredentials(ctx, &kafka.DescribeUserScramCredentialsRequest{
			Users: []kafka.UserScramCredentialsUser{{Name: name}},
		})
		must(t, err)
		must(t, told.Error)
		return told.Results
	}
	alter := func(request *kafka.AlterUserScramCredentialsRequest) {
		told, err := client.AlterUserScramCredentials(ctx, request)
		must(t, err)
		must(t, told.Results[0].Error)
	}
	refused(t, credentials()[0].Error, kafka.ResourceNotFound)
	alter(&kafka.AlterUserScramCredentialsRequest{Upsertions: []kafka.UserScramCredentialsUpsertion{{
		Name: name, Mechanism: kafka.ScramMechanismSha512, Iterations: 5000, Salt: []byte("salt"), SaltedPassword: make([]byte, 64),
	}}})
	until(t, "the credential", func() bool {
		told := credentials()[0]
		return told.Error == nil && told.CredentialInfos[0].Iterations == 5000
	})
	alter(&kafka.AlterUserScramCredentialsRequest{Deletions: []kafka.UserScramCredentialsDeletion{{Name: name, Mechanism: kafka.ScramMechanismSha512}}})
}
