package franz

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// member is one consumer of a group: it commits what it was given before it gives partitions up.
type member struct {
	client *kgo.Client
	over   chan struct{}
	lock   sync.Mutex
	held   map[int32]bool
	seen   []int
	failed error
}

func memberOf(t *testing.T, group, topic string, more ...kgo.Opt) *member {
	t.Helper()
	m := &member{held: map[int32]bool{}, over: make(chan struct{})}
	held := func(partitions map[string][]int32, now bool) {
		m.lock.Lock()
		defer m.lock.Unlock()
		for _, p := range partitions[topic] {
			if delete(m.held, p); now {
				m.held[p] = true
			}
		}
	}
	m.client = clientOf(t, append([]kgo.Opt{
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.HeartbeatInterval(300 * time.Millisecond), kgo.SessionTimeout(10 * time.Second),
		kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, p map[string][]int32) { held(p, true) }),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, p map[string][]int32) { held(p, false) }),
		kgo.OnPartitionsRevoked(func(ctx context.Context, c *kgo.Client, p map[string][]int32) {
			if err := c.CommitUncommittedOffsets(ctx); err != nil {
				m.lock.Lock()
				m.failed = err
				m.lock.Unlock()
			}
			held(p, false)
		}),
	}, more...)...)
	go func() {
		defer close(m.over)
		for {
			fetches := m.client.PollFetches(context.Background())
			if fetches.IsClientClosed() {
				return
			}
			m.lock.Lock()
			fetches.EachRecord(func(r *kgo.Record) { m.seen = append(m.seen, number(t, r)) })
			m.lock.Unlock()
			m.client.AllowRebalance()
		}
	}()
	t.Cleanup(m.leave)
	return m
}

// leave commits and leaves the group.
func (m *member) leave() {
	m.client.CloseAllowingRebalance()
	<-m.over
}

func (m *member) partitions() int {
	m.lock.Lock()
	defer m.lock.Unlock()
	return len(m.held)
}

// together is all that the members were given, sorted.
func together(t *testing.T, members ...*member) []int {
	t.Helper()
	var all []int
	for _, m := range members {
		m.lock.Lock()
		must(t, m.failed)
		all = append(all, m.seen...)
		m.lock.Unlock()
	}
	slices.Sort(all)
	return all
}

func TestNothingIsLostOrDoubledWhileMembersComeAndGo(t *testing.T) {
	t.Parallel()
	for name, balancer := range map[string]kgo.GroupBalancer{
		"range": kgo.RangeBalancer(), "roundrobin": kgo.RoundRobinBalancer(), "sticky": kgo.StickyBalancer(),
		"cooperative-sticky": kgo.CooperativeStickyBalancer(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			topic, group, balance := topicOf(t, 6, nil), fresh(), kgo.Balancers(balancer)
			all := func(count int, members ...*member) {
				until(t, "all records", func() bool { return len(together(t, members...)) >= count })
				same(t, together(t, members...), upTo(count, 1))
			}
			first := memberOf(t, group, topic, balance)
			until(t, "the first one has all", func() bool { return first.partitions() == 6 })
			send(t, topic, 0, 300)
			all(300, first)
			second, third := memberOf(t, group, topic, balance), memberOf(t, group, topic, balance)
			until(t, "each one has a third", func() bool {
				return first.partitions() == 2 && second.partitions() == 2 && third.partitions() == 2
			})
			send(t, topic, 300, 600)
			all(600, first, second, third)
			first.leave()
			until(t, "each one has half", func() bool { return second.partitions() == 3 && third.partitions() == 3 })
			send(t, topic, 600, 900)
			all(900, first, second, third)
		})
	}
}

func TestASecondRunGoesOnWhereTheFirstStopped(t *testing.T) {
	t.Parallel()
	topic, group := topicOf(t, 3, nil), fresh()
	send(t, topic, 0, 100)
	first := memberOf(t, group, topic)
	until(t, "the first run", func() bool { return len(together(t, first)) == 100 })
	first.leave()
	send(t, topic, 100, 101)
	second := memberOf(t, group, topic)
	until(t, "the second run", func() bool { return len(together(t, second)) > 0 })
	same(t, together(t, second), []int{100})
}

func TestAStaticMemberComesBackToItsPartitions(t *testing.T) {
	t.Parallel()
	topic, group := topicOf(t, 4, nil), fresh()
	static := func(instance string) *member {
		return memberOf(t, group, topic, kgo.InstanceID(instance), kgo.Balancers(kgo.RangeBalancer()))
	}
	stays, goes := static("stays"), static("goes")
	until(t, "each one has half", func() bool { return stays.partitions() == 2 && goes.partitions() == 2 })
	ctx, admin := within(t), adminOf(t)
	memberID := func() string {
		groups, err := admin.DescribeGroups(ctx, group)
		must(t, err)
		same(t, groups[group].State, "Stable")
		for _, m := range groups[group].Members {
			if m.InstanceID != nil && *m.InstanceID == "stays" {
				return m.MemberID
			}
		}
		return "none"
	}
	before := memberID()
	goes.leave()
	back := static("goes")
	until(t, "it has its half again", func() bool { return back.partitions() == 2 })
	same(t, stays.partitions(), 2)
	same(t, memberID(), before)
}

func TestAGroupInUseIsDescribedWithItsLag(t *testing.T) {
	t.Parallel()
	ctx, admin, topic, group := within(t), adminOf(t), topicOf(t, 2, nil), fresh()
	m := memberOf(t, group, topic)
	until(t, "the member has all", func() bool { return m.partitions() == 2 })
	send(t, topic, 0, 50)
	until(t, "all records", func() bool { return len(together(t, m)) == 50 })
	must(t, m.client.CommitUncommittedOffsets(ctx))
	lags, err := admin.Lag(ctx, group)
	must(t, err)
	must(t, lags.Error())
	lag := lags[group]
	same(t, []any{lag.State, lag.ProtocolType, lag.Lag.Total()}, []any{"Stable", "consumer", int64(0)})
	same(t, []any{len(lag.Members), lag.Members[0].ClientID}, []any{1, "brooklet-go"})
	groups, err := admin.ListGroups(ctx, "Stable")
	must(t, err)
	same(t, groups[group].State, "Stable")
}
