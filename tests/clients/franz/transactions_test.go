package franz

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// in runs one transaction that sends the numbers.
func in(t *testing.T, client *kgo.Client, topic string, from, to int, end kgo.TransactionEndTry) {
	t.Helper()
	ctx := within(t)
	must(t, client.BeginTransaction())
	for n := from; n < to; n++ {
		must(t, client.ProduceSync(ctx, record(topic, n)).FirstErr())
	}
	must(t, client.EndTransaction(ctx, end))
}

func TestAbortedRecordsAreNotRead(t *testing.T) {
	t.Parallel()
	needs(t, addPart)
	topic := topicOf(t, 1, nil)
	client := clientOf(t, kgo.TransactionalID(fresh()))
	in(t, client, topic, 0, 5, kgo.TryCommit)
	in(t, client, topic, 100, 105, kgo.TryAbort)
	in(t, client, topic, 5, 10, kgo.TryCommit)
	same(t, numbers(t, topic, 10, kgo.ReadCommitted()), upTo(10, 1))
	same(t, len(numbers(t, topic, 15, kgo.ReadUncommitted())), 15)
	ends, err := adminOf(t).ListEndOffsets(within(t), topic)
	must(t, err)
	same(t, ends[topic][0].Offset, 18)
}

func TestAnOpenTransactionHoldsTheStableOffset(t *testing.T) {
	t.Parallel()
	needs(t, addPart)
	ctx, admin, topic := within(t), adminOf(t), topicOf(t, 1, nil)
	client := clientOf(t, kgo.TransactionalID(fresh()))
	send(t, topic, 0, 3)
	must(t, client.BeginTransaction())
	must(t, client.ProduceSync(ctx, record(topic, 3)).FirstErr())
	send(t, topic, 4, 6)
	stable, err := admin.ListCommittedOffsets(ctx, topic)
	must(t, err)
	same(t, stable[topic][0].Offset, 3)
	same(t, numbers(t, topic, 3, kgo.ReadCommitted()), upTo(3, 1))
	must(t, client.EndTransaction(ctx, kgo.TryCommit))
	same(t, numbers(t, topic, 6, kgo.ReadCommitted()), upTo(6, 1))
}

func TestASecondProducerFencesTheFirst(t *testing.T) {
	t.Parallel()
	needs(t, addPart)
	ctx, topic, id := within(t), topicOf(t, 1, nil), fresh()
	first := clientOf(t, kgo.TransactionalID(id))
	must(t, first.BeginTransaction())
	must(t, first.ProduceSync(ctx, record(topic, 100)).FirstErr())
	in(t, clientOf(t, kgo.TransactionalID(id)), topic, 0, 1, kgo.TryCommit)
	err := first.EndTransaction(ctx, kgo.TryCommit)
	if !errors.Is(err, kerr.ProducerFenced) && !errors.Is(err, kerr.InvalidProducerEpoch) {
		t.Fatalf("the first producer was told %v", err)
	}
	same(t, numbers(t, topic, 1, kgo.ReadCommitted()), []int{0})
}

// Two members take records over, each batch in a transaction with its offsets; every third one is aborted first.
func TestConsumeTransformProduceTakesEachRecordOnce(t *testing.T) {
	t.Parallel()
	needs(t, addPart)
	const count = 600
	source, sink, group := topicOf(t, 4, nil), topicOf(t, 3, nil), fresh()
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	var members sync.WaitGroup
	start := func() {
		session, err := kgo.NewGroupTransactSession(options(
			kgo.TransactionalID(fresh()), kgo.ConsumerGroup(group), kgo.ConsumeTopics(source),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
			kgo.RequireStableFetchOffsets(), kgo.HeartbeatInterval(300*time.Millisecond), kgo.SessionTimeout(10*time.Second),
		)...)
		must(t, err)
		members.Go(func() {
			defer session.Close()
			if err := transform(ctx, t, session, sink); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		})
	}
	start()
	send(t, source, 0, count/2)
	start()
	send(t, source, count/2, count)
	same(t, numbers(t, sink, count, kgo.ReadCommitted()), upTo(count, 2))
	admin := adminOf(t)
	until(t, "all offsets are committed", func() bool {
		lags, err := admin.Lag(ctx, group)
		return err == nil && lags.Error() == nil && lags[group].Lag.Total() == 0
	})
	cancel()
	members.Wait()
	more := numbers(t, sink, count+1, kgo.ReadUncommitted())
	same(t, len(more) > count, true)
}

func transform(ctx context.Context, t *testing.T, session *kgo.GroupTransactSession, sink string) error {
	for turn := 0; ; turn++ {
		fetches := session.PollRecords(ctx, 50)
		if err := fetches.Err(); err != nil {
			return err
		}
		if fetches.Empty() {
			continue
		}
		if err := session.Begin(); err != nil {
			return err
		}
		promise := kgo.AbortingFirstErrPromise(session.Client())
		fetches.EachRecord(func(r *kgo.Record) { session.Produce(ctx, record(sink, 2*number(t, r)), promise.Promise()) })
		end := kgo.TransactionEndTry(promise.Err() == nil && turn%3 != 0)
		if _, err := session.End(ctx, end); err != nil {
			return err
		}
	}
}

func TestATransactionIsListedAndDescribed(t *testing.T) {
	t.Parallel()
	needs(t, addPart)
	needs(t, 65)
	needs(t, 66)
	ctx, admin, topic, id := within(t), adminOf(t), topicOf(t, 1, nil), fresh()
	client := clientOf(t, kgo.TransactionalID(id), kgo.TransactionTimeout(20*time.Second))
	states := func() []string {
		described, err := admin.DescribeTransactions(ctx, id)
		must(t, err)
		must(t, described[id].Err)
		same(t, described[id].TimeoutMillis, 20000)
		listed, err := admin.ListTransactions(ctx, nil, nil)
		must(t, err)
		return []string{described[id].State, listed[id].State}
	}
	must(t, client.BeginTransaction())
	must(t, client.ProduceSync(ctx, record(topic, 0)).FirstErr())
	same(t, states(), []string{"Ongoing", "Ongoing"})
	must(t, client.EndTransaction(ctx, kgo.TryAbort))
	until(t, "the abort is complete", func() bool { return slices.Equal(states(), []string{"CompleteAbort", "CompleteAbort"}) })
}
