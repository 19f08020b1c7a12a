package sarama

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/IBM/sarama"
)

// tally is what the members of a group have taken.
type tally struct {
	mutex  sync.Mutex
	values []int
	ready  map[string]bool
}

func (c *tally) take(message *sarama.ConsumerMessage) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.values = append(c.values, values([]*sarama.ConsumerMessage{message})...)
}

func (c *tally) sorted() []int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return slices.Sorted(slices.Values(c.values))
}

// handler takes records and marks them.
type handler struct {
	tally *tally
}

func (handler) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (handler) Cleanup(sarama.ConsumerGroupSession) error { return nil }
func (h handler) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case message, open := <-claim.Messages():
			if !open {
				return nil
			}
			h.tally.take(message)
			session.MarkMessage(message, "")
		case <-session.Context().Done():
			return nil
		}
	}
}

// join has one member consume until it is stopped; what it has taken is committed then.
func join(t *testing.T, config *sarama.Config, group, topic string, with sarama.ConsumerGroupHandler) (stop func()) {
	t.Helper()
	// Errors of the fetcher are retried: a member whose errors nobody takes would stand still.
	own := *config
	own.Consumer.Return.Errors = false
	member, err := sarama.NewConsumerGroup(bootstrap(), group, &own)
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		for ctx.Err() == nil {
			if err := member.Consume(ctx, []string{topic}, with); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		cancel()
		<-over
		must(t, member.Close())
	})
}

func TestAGroupTakesAllWhileMembersComeAndGo(t *testing.T) {
	strategies := []sarama.BalanceStrategy{sarama.NewBalanceStrategyRange(), sarama.NewBalanceStrategyRoundRobin(),
		sarama.NewBalanceStrategySticky()}
	eachVersion(t, versions, func(t *testing.T, version sarama.KafkaVersion) {
		topic, group, config := topicOf(t, version, 6), fresh(), configOf(version)
		config.Consumer.Group.Rebalance.GroupStrategies = strategies[len(strategies)-1:]
		all := &tally{}
		send(t, config, topic, 0, 1000)
		first := join(t, config, group, topic, handler{all})
		defer first()
		until(t, "the first half", func() bool { return len(all.sorted()) >= 1000 })
		second := join(t, config, group, topic, handler{all})
		defer second()
		until(t, "two members", func() bool { return membersOf(t, version, group) == 2 })
		first()
		send(t, config, topic, 1000, 2000)
		until(t, "the second half", func() bool { return len(all.sorted()) >= 2000 })
		second()
		same(t, "what was taken", span(0, 2000), slices.Compact(all.sorted()))

		rest := &tally{}
		send(t, config, topic, 2000, 2100)
		third := join(t, config, group, topic, handler{rest})
		defer third()
		until(t, "the rest", func() bool { return len(rest.sorted()) >= 100 })
		third()
		same(t, "what a later member took", span(2000, 2100), rest.sorted())
	})
	// The other ways to divide, once.
	for _, strategy := range strategies[:2] {
		t.Run(strategy.Name(), func(t *testing.T) {
			version := sarama.V4_1_0_0
			topic, group, config := topicOf(t, version, 4), fresh(), configOf(version)
			config.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{strategy}
			config.Consumer.Group.InstanceId = fresh()
			all := &tally{}
			send(t, config, topic, 0, 400)
			stop := join(t, config, group, topic, handler{all})
			defer stop()
			until(t, "all", func() bool { return len(all.sorted()) >= 400 })
			stop()
			same(t, "what was taken", span(0, 400), all.sorted())
		})
	}
}

func membersOf(t *testing.T, version sarama.KafkaVersion, group string) int {
	t.Helper()
	told, err := adminOf(t, version).DescribeConsumerGroups([]string{group})
	must(t, err)
	if told[0].State != "Stable" {
		return 0
	}
	return len(told[0].Members)
}
