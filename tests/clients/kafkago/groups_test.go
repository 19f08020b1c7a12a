package kafkago

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

// member is one reader of a group, which commits each message once it has it.
type member struct {
	reader *kafka.Reader
	stop   context.CancelFunc
	over   chan struct{}
	lock   sync.Mutex
	seen   []int
	failed error
}

func memberOf(t *testing.T, group string, balancer kafka.GroupBalancer, topics ...string) *member {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	m := &member{stop: stop, over: make(chan struct{}), reader: readerOf(t, kafka.ReaderConfig{
		GroupID: group, GroupTopics: topics, GroupBalancers: []kafka.GroupBalancer{balancer},
		HeartbeatInterval: 200 * time.Millisecond, SessionTimeout: 10 * time.Second, RebalanceTimeout: 10 * time.Second,
		JoinGroupBackoff: 100 * time.Millisecond, StartOffset: kafka.FirstOffset,
	})}
	go func() {
		defer close(m.over)
		for {
			message, err := m.reader.FetchMessage(ctx)
			if err == nil {
				err = m.reader.CommitMessages(ctx, message)
			}
			m.lock.Lock()
			if err == nil {
				m.seen = append(m.seen, number(t, message))
			} else if ctx.Err() == nil {
				m.failed = err
			}
			m.lock.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(m.leave)
	return m
}

func (m *member) leave() {
	m.stop()
	<-m.over
	m.reader.Close()
}

// together is all that the members were given, each number once: a message on its way while partitions move is
// given again, as its commit is refused.
func together(t *testing.T, members ...*member) []int {
	t.Helper()
	var all []int
	for _, m := range members {
		m.lock.Lock()
		must(t, m.failed)
		all = append(all, m.seen...)
		m.lock.Unlock()
	}
	return slices.Compact(sorted(all))
}

func described(t *testing.T, client *kafka.Client, group string) kafka.DescribeGroupsResponseGroup {
	t.Helper()
	told, err := client.DescribeGroups(within(t), &kafka.DescribeGroupsRequest{GroupIDs: []string{group}})
	must(t, err)
	must(t, told.Groups[0].Error)
	return told.Groups[0]
}

// shares is how many partitions each member has, sorted; nothing unless the group is stable.
func shares(t *testing.T, client *kafka.Client, group string) []int {
	t.Helper()
	told := described(t, client, group)
	if told.GroupState != "Stable" {
		return nil
	}
	var all []int
	for _, m := range told.Members {
		count := 0
		for _, topic := range m.MemberAssignments.Topics {
			count += len(topic.Partitions)
		}
		all = append(all, count)
	}
	return sorted(all)
}

func TestMembersShareAndTakeBack(t *testing.T) {
	t.Parallel()
	for name, balancer := range map[string]kafka.GroupBalancer{
		"range": kafka.RangeGroupBalancer{}, "roundrobin": kafka.RoundRobinGroupBalancer{}, "rack": kafka.RackAffinityGroupBalancer{},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, topic, group := clientOf(t), topicOf(t, 4), fresh()
			shared := func(expected ...int) func() bool {
				return func() bool { return slices.Equal(shares(t, client, group), expected) }
			}
			all := func(count int, members ...*member) {
				until(t, "all messages", func() bool { return len(together(t, members...)) >= count })
				same(t, together(t, members...), upTo(count))
			}
			first := memberOf(t, group, balancer, topic)
			send(t, topic, 0, 100)
			all(100, first)
			second := memberOf(t, group, balancer, topic)
			until(t, "each one has half", shared(2, 2))
			send(t, topic, 100, 200)
			all(200, first, second)
			first.leave()
			until(t, "the second one has all", shared(4))
			send(t, topic, 200, 300)
			all(300, first, second)
		})
	}
}

func TestASecondRunGoesOnWhereTheFirstStopped(t *testing.T) {
	t.Parallel()
	group, one, two := fresh(), topicOf(t, 3), topicOf(t, 1)
	send(t, one, 0, 100)
	send(t, two, 100, 150)
	first := memberOf(t, group, kafka.RangeGroupBalancer{}, one, two)
	until(t, "the first run", func() bool { return len(together(t, first)) == 150 })
	first.leave()
	send(t, two, 150, 151)
	second := memberOf(t, group, kafka.RangeGroupBalancer{}, one, two)
	until(t, "the second run", func() bool { return len(together(t, second)) > 0 })
	same(t, together(t, second), []int{150})
}

func TestAGroupIsDescribedWithItsOffsets(t *testing.T) {
	t.Parallel()
	ctx, client, topic, group := within(t), clientOf(t), topicOf(t, 2), fresh()
	send(t, topic, 0, 50)
	m := memberOf(t, group, kafka.RangeGroupBalancer{}, topic)
	until(t, "all messages", func() bool { return len(together(t, m)) == 50 })
	told := described(t, client, group)
	same(t, []any{told.GroupState, len(told.Members), told.Members[0].MemberMetadata.Topics}, []any{"Stable", 1, []string{topic}})
	offsets, err := client.ConsumerOffsets(ctx, kafka.TopicAndGroup{Topic: topic, GroupId: group})
	must(t, err)
	same(t, offsets[0]+offsets[1], 50)
	listed, err := client.ListGroups(ctx, &kafka.ListGroupsRequest{})
	must(t, err)
	must(t, listed.Error)
	same(t, slices.ContainsFunc(listed.Groups, func(g kafka.ListGroupsResponseGroup) bool { return g.GroupID == group }), true)
	busy, err := client.DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: []string{group}})
	must(t, err)
	refused(t, busy.Errors[group], kafka.NonEmptyGroup)
	kept, err := client.OffsetDelete(ctx, &kafka.OffsetDeleteRequest{GroupID: group, Topics: map[string][]int{topic: {0}}})
	must(t, err)
	refused(t, kept.Topics[topic][0].Error, kafka.GroupSubscribedToTopic)
	m.leave()
	until(t, "the group is empty", func() bool { return described(t, client, group).GroupState == "Empty" })
	forgotten, err := client.OffsetDelete(ctx, &kafka.OffsetDeleteRequest{GroupID: group, Topics: map[string][]int{topic: {0}}})
	must(t, err)
	must(t, errors.Join(forgotten.Error, forgotten.Topics[topic][0].Error))
	offsets, err = client.ConsumerOffsets(ctx, kafka.TopicAndGroup{Topic: topic, GroupId: group})
	must(t, err)
	same(t, offsets[0], -1)
	gone, err := client.DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: []string{group}})
	must(t, err)
	must(t, gone.Errors[group])
	gone, err = client.DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: []string{group}})
	must(t, err)
	refused(t, gone.Errors[group], kafka.GroupIdNotFound)
}

func TestOffsetsAreCommittedWithoutMembers(t *testing.T) {
	t.Parallel()
	ctx, client, topic, group := within(t), clientOf(t), topicOf(t, 2), fresh()
	commit := func(generation int, member string) error {
		put, err := client.OffsetCommit(ctx, &kafka.OffsetCommitRequest{
			GroupID: group, GenerationID: generation, MemberID: member,
			Topics: map[string][]kafka.OffsetCommit{topic: {{Partition: 1, Offset: 7, Metadata: "what I was doing"}}},
		})
		must(t, err)
		return put.Topics[topic][0].Error
	}
	must(t, commit(-1, ""))
	got, err := client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{topic: {1}}})
	must(t, err)
	must(t, got.Error)
	found := got.Topics[topic][0]
	same(t, []any{found.CommittedOffset, found.Metadata, found.Error}, []any{int64(7), "what I was doing", nil})
	refused(t, commit(3, "nobody"), kafka.UnknownMemberId)
}

func TestMembersByHand(t *testing.T) {
	t.Parallel()
	ctx, client, group := within(t), clientOf(t), fresh()
	topic := topicOf(t, 1)
	join := &kafka.JoinGroupRequest{
		GroupID: group, SessionTimeout: 10 * time.Second, RebalanceTimeout: 10 * time.Second, ProtocolType: "consumer",
		Protocols: []kafka.GroupProtocol{{Name: "range", Metadata: kafka.GroupProtocolSubscription{Topics: []string{topic}}}},
	}
	joined, err := client.JoinGroup(ctx, join)
	must(t, err)
	refused(t, joined.Error, kafka.MemberIDRequired)
	join.MemberID = joined.MemberID
	joined, err = client.JoinGroup(ctx, join)
	must(t, err)
	must(t, joined.Error)
	same(t, []any{joined.GenerationID, joined.LeaderID == join.MemberID, len(joined.Members)}, []any{1, true, 1})
	synced, err := client.SyncGroup(ctx, &kafka.SyncGroupRequest{
		GroupID: group, GenerationID: 1, MemberID: join.MemberID, ProtocolType: "consumer", ProtocolName: "range",
		Assignments: []kafka.SyncGroupRequestAssignment{{
			MemberID: join.MemberID, Assignment: kafka.GroupProtocolAssignment{AssignedPartitions: map[string][]int{topic: {0}}},
		}},
	})
	must(t, err)
	must(t, synced.Error)
	same(t, synced.Assignment.AssignedPartitions, map[string][]int{topic: {0}})
	commit := func(generation int) error {
		put, err := client.OffsetCommit(ctx, &kafka.OffsetCommitRequest{
			GroupID: group, GenerationID: generation, MemberID: join.MemberID,
			Topics: map[string][]kafka.OffsetCommit{topic: {{Partition: 0, Offset: 7}}},
		})
		must(t, err)
		return put.Topics[topic][0].Error
	}
	must(t, commit(1))
	refused(t, commit(7), kafka.IllegalGeneration)
	left, err := client.LeaveGroup(ctx, &kafka.LeaveGroupRequest{
		GroupID: group, Members: []kafka.LeaveGroupRequestMember{{ID: join.MemberID}},
	})
	must(t, err)
	must(t, errors.Join(left.Error, left.Members[0].Error))
	refused(t, commit(1), kafka.UnknownMemberId)
}
