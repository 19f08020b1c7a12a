//! Consumer groups as librdkafka sees them: members share partitions eagerly and cooperatively, a static member comes
//! back to its own, and a group resumes where it committed, after a restart of the broker too.
#![allow(clippy::unwrap_used, clippy::expect_used)] // Helpers of tests.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use brooklet_broker::{Broker, BrokerConfig};
use brooklet_storage::{Engine, Storage, StorageConfig};
use rdkafka::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use tokio_util::sync::CancellationToken;

/// However slow the machine, it does not take this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A broker with a runtime of its own.
struct TestBroker {
    runtime: tokio::runtime::Runtime,
    storage: std::sync::Arc<Storage>,
    shutdown: CancellationToken,
    serving: tokio::task::JoinHandle<()>,
    address: String,
}

impl TestBroker {
    fn start(data_dir: &Path, engine: Engine) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let config = StorageConfig { engine, ..StorageConfig::new(data_dir) };
        let _inside = runtime.enter();
        let storage = Storage::open(config).unwrap();
        let config =
            BrokerConfig { listen: "127.0.0.1:0".to_owned(), default_partitions: 4, ..BrokerConfig::default() };
        let broker = runtime.block_on(Broker::bind(config, storage.clone())).unwrap();
        let address = broker.local_addr().to_string();
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        let serving = runtime.spawn(async move {
            let _ = broker.serve(stop).await;
        });
        drop(_inside);
        Self { runtime, storage, shutdown, serving, address }
    }

    fn stop(self) {
        self.shutdown.cancel();
        self.runtime.block_on(self.serving).unwrap();
        self.runtime.block_on(self.storage.shutdown()).unwrap();
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.address);
        config
    }

    fn consumer(&self, group: &str, settings: &[(&str, &str)]) -> Member {
        let mut config = self.client();
        config
            .set("group.id", group)
            .set("auto.offset.reset", "earliest")
            .set("enable.auto.commit", "false")
            // Longer than any test waits: nothing here comes about by a member's silence.
            .set("session.timeout.ms", "120000")
            .set("heartbeat.interval.ms", "50")
            .set("topic.metadata.refresh.interval.ms", "200");
        for (name, value) in settings {
            config.set(*name, *value);
        }
        Member(config.create_with_context(Rebalances::default()).unwrap())
    }

    fn produce(&self, topic: &str, values: std::ops::Range<i32>) {
        let producer: BaseProducer = self.client().create().unwrap();
        for value in values {
            let value = value.to_string();
            producer.send(BaseRecord::<(), _>::to(topic).partition(0).payload(&value)).unwrap();
        }
        producer.flush(PATIENCE).unwrap();
    }
}

/// Counts how often a member's assignment changed.
#[derive(Default)]
struct Rebalances(AtomicUsize);

impl ClientContext for Rebalances {}

impl ConsumerContext for Rebalances {
    fn post_rebalance(&self, _: &BaseConsumer<Self>, _: &Rebalance<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

struct Member(BaseConsumer<Rebalances>);

impl Member {
    fn subscribe(&self, topic: &str) -> &Self {
        self.0.subscribe(&[topic]).unwrap();
        self
    }

    fn assigned(&self) -> BTreeSet<i32> {
        let _ = self.0.poll(Duration::from_millis(10));
        self.0.assignment().unwrap().elements().iter().map(|element| element.partition()).collect()
    }

    fn rebalances(&self) -> usize {
        self.0.context().0.load(Ordering::Relaxed)
    }

    fn next(&self) -> i32 {
        let started = Instant::now();
        loop {
            match self.0.poll(Duration::from_millis(100)) {
                Some(Ok(message)) => {
                    return std::str::from_utf8(message.payload().unwrap()).unwrap().parse().unwrap();
                }
                Some(Err(error)) => panic!("{error}"),
                None => assert!(started.elapsed() < PATIENCE, "no record came"),
            }
        }
    }
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "never: {what}");
    }
}

fn shared_between(members: &[&Member], each: usize) -> bool {
    let parts: Vec<BTreeSet<i32>> = members.iter().map(|member| member.assigned()).collect();
    let all: BTreeSet<i32> = parts.iter().flatten().copied().collect();
    parts.iter().all(|part| part.len() == each) && all.len() == 4
}

fn share_and_take_over(strategy: &str) {
    let folder = tempfile::tempdir().unwrap();
    let broker = TestBroker::start(folder.path(), Engine::Memory);
    broker.produce("t", 0..1);
    let settings = [("partition.assignment.strategy", strategy)];
    let first = broker.consumer("g", &settings);
    first.subscribe("t");
    until("one member has all", || shared_between(&[&first], 4));
    let second = broker.consumer("g", &settings);
    second.subscribe("t");
    until("two members have half each", || shared_between(&[&first, &second], 2));
    let listed = first.0.fetch_group_list(Some("g"), PATIENCE).unwrap();
    let group = &listed.groups()[0];
    assert_eq!((group.name(), group.state(), group.protocol_type()), ("g", "Stable", "consumer"));
    assert_eq!((group.protocol(), group.members().len()), (strategy, 2));
    // Leaving takes effect at once, not after the session timeout.
    second.0.unsubscribe();
    drop(second);
    until("the one that is left has all", || shared_between(&[&first], 4));
    drop(first);
    broker.stop();
}

#[test]
fn members_share_partitions_eagerly() {
    share_and_take_over("range");
}

#[test]
fn members_share_partitions_cooperatively() {
    share_and_take_over("cooperative-sticky");
}

#[test]
fn a_static_member_comes_back_without_a_rebalance() {
    let folder = tempfile::tempdir().unwrap();
    let broker = TestBroker::start(folder.path(), Engine::Memory);
    broker.produce("t", 0..1);
    let one = broker.consumer("g", &[("group.instance.id", "one")]);
    one.subscribe("t");
    until("one member has all", || shared_between(&[&one], 4));
    let two = broker.consumer("g", &[("group.instance.id", "two")]);
    two.subscribe("t");
    until("two members have half each", || shared_between(&[&one, &two], 2));
    let (part, rebalances) = (two.assigned(), one.rebalances());
    drop(two);
    let two = broker.consumer("g", &[("group.instance.id", "two")]);
    two.subscribe("t");
    until("it has its part again", || {
        one.assigned();
        two.assigned() == part
    });
    assert_eq!(one.rebalances(), rebalances);
    drop((one, two));
    broker.stop();
}

#[test]
fn a_group_resumes_where_it_committed_though_the_broker_restarted() {
    let folder = tempfile::tempdir().unwrap();
    let broker = TestBroker::start(folder.path(), Engine::Segments);
    broker.produce("t", 0..10);
    let consumer = broker.consumer("g", &[]);
    consumer.subscribe("t");
    for expected in 0..5 {
        assert_eq!(consumer.next(), expected);
    }
    consumer.0.commit_consumer_state(CommitMode::Sync).unwrap();
    drop(consumer);
    broker.stop();
    for _ in 0..2 {
        let broker = TestBroker::start(folder.path(), Engine::Segments);
        let consumer = broker.consumer("g", &[]);
        consumer.subscribe("t");
        assert_eq!(consumer.next(), 5);
        drop(consumer);
        broker.stop();
    }
}

#[test]
fn many_members_that_come_at_once_settle() {
    let folder = tempfile::tempdir().unwrap();
    let broker = TestBroker::start(folder.path(), Engine::Memory);
    broker.produce("t", 0..1);
    let members = [(); 4].map(|()| broker.consumer("g", &[]));
    for member in &members {
        member.subscribe("t");
    }
    let all: Vec<&Member> = members.iter().collect();
    until("four members have one each", || shared_between(&all, 1));
    drop(members);
    broker.stop();
}
