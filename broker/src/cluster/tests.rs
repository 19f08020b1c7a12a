use std::collections::BTreeMap;

use brooklet_storage::{Engine, StorageConfig};
use kafka_protocol::protocol::StrBytes;
use proptest::prelude::*;

use super::credentials::Upsertion;
use super::features::{FEATURES, Wish};
use super::quotas::{Alteration, Entity, Match, Quotas};
use super::*;

/// Something that a client may ask for.
#[derive(Clone, Debug)]
enum Step {
    Quota(Entity, Vec<(String, Option<f64>)>),
    Credential(&'static str, i8, Option<i32>),
    Level(&'static str, i16, i8),
}

fn name() -> impl Strategy<Value = Option<String>> {
    prop_oneof![Just(None), Just(Some("a".to_owned())), Just(Some("ü/\"\\\n".to_owned())), Just(Some(String::new()))]
}

fn entity() -> impl Strategy<Value = Entity> {
    let kind = prop_oneof!["user", "client-id", "ip", "group"].prop_map(|kind| kind.to_owned());
    proptest::collection::btree_map(kind, name(), 0..3)
}

fn operation() -> impl Strategy<Value = (String, Option<f64>)> {
    let keys = ["producer_byte_rate", "request_percentage", "connection_creation_rate", "none"];
    let bound = prop_oneof![
        Just(None),
        Just(Some(f64::INFINITY)),
        Just(Some(0.1 + 0.2)),
        (-1i32..1_000_000).prop_map(|bound| Some(bound.into())),
    ];
    (proptest::sample::select(keys.to_vec()).prop_map(str::to_owned), bound)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (entity(), proptest::collection::vec(operation(), 0..4)).prop_map(|(entity, all)| Step::Quota(entity, all)),
        (
            proptest::sample::select(vec!["ann", "b/ob", ""]),
            0i8..4,
            proptest::option::of(prop_oneof![Just(4096), Just(16_384), Just(1)])
        )
            .prop_map(|(user, mechanism, iterations)| Step::Credential(user, mechanism, iterations)),
        (
            proptest::sample::select(vec!["transaction.version", "eligible.leader.replicas.version", "no.version"]),
            -1i16..4,
            0i8..5
        )
            .prop_map(|(feature, level, way)| Step::Level(feature, level, way)),
    ]
}

fn decide(contents: &Contents, step: &Step) -> Vec<Update> {
    match step.clone() {
        Step::Quota(entity, operations) => {
            contents.quotas.alter(vec![Alteration { entity, operations }], &["a".to_owned()]).0
        }
        Step::Credential(user, mechanism, None) => {
            contents.credentials.alter(vec![(StrBytes::from_static_str(user), mechanism)], Vec::new()).0
        }
        Step::Credential(user, mechanism, Some(iterations)) => {
            let user = StrBytes::from_static_str(user);
            let (salt, salted_password) = (vec![0, 255], b"password".to_vec());
            let upsertion = Upsertion { user, mechanism, iterations, salt, salted_password };
            contents.credentials.alter(Vec::new(), vec![upsertion]).0
        }
        Step::Level(feature, level, way) => {
            contents.features.update(&[Wish { feature: feature.to_owned(), level, way }]).0
        }
    }
}

fn open(folder: &std::path::Path, engine: Engine) -> Cluster {
    Cluster::open(Storage::open(StorageConfig { engine, ..StorageConfig::new(folder) }).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// After any prefix of any history a restart finds what there was, down to the last bit of a bound.
    #[test]
    fn a_restart_finds_what_was_kept(steps in proptest::collection::vec(step(), 1..30), cut in 0usize..30) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for engine in [Engine::Segments, Engine::Sled] {
            let folder = tempfile::tempdir().unwrap();
            for part in [&steps[..cut.min(steps.len())], &steps[cut.min(steps.len())..]] {
                let cluster = open(folder.path(), engine);
                for step in part {
                    let looked_at = cluster.contents().clone();
                    runtime.block_on(cluster.change(true, |contents| (decide(contents, step), ()))).unwrap();
                    prop_assert_eq!(&*cluster.contents(), &looked_at);
                    runtime.block_on(cluster.change(false, |contents| (decide(contents, step), ()))).unwrap();
                }
                let before = cluster.contents().clone();
                drop(cluster);
                let after = open(folder.path(), engine).contents().clone();
                prop_assert_eq!(after, before);
            }
        }
    }

    /// A filter lets through what it says, and a strict one nothing with other kinds.
    #[test]
    fn a_filter_lets_through_what_it_says(
        entities in proptest::collection::btree_set(entity(), 0..12), kinds in proptest::collection::btree_map("user|client-id|ip", proptest::option::of(name()), 0..3),
    ) {
        let quotas = Quotas::of(entities.iter().map(|entity| (entity.clone(), [("key".to_owned(), 1.0)].into())));
        let wanted = |name: Option<Option<String>>| name.map_or(Match::Any, Match::Exactly);
        let filter: BTreeMap<_, _> = kinds.into_iter().map(|(kind, name)| (kind, wanted(name))).collect();
        let all: Vec<_> = quotas.matching(&filter, false).map(|(entity, _)| entity.clone()).collect();
        let strict: Vec<_> = quotas.matching(&filter, true).map(|(entity, _)| entity.clone()).collect();
        for entity in &entities {
            let fits = filter.iter().all(|(kind, wanted)| match wanted {
                Match::Any => entity.contains_key(kind),
                Match::Exactly(name) => entity.get(kind) == Some(name),
            });
            prop_assert_eq!(all.contains(entity), fits);
            prop_assert_eq!(strict.contains(entity), fits && entity.keys().eq(filter.keys()));
        }
    }
}

#[tokio::test]
async fn a_broker_that_keeps_nothing_has_no_log_of_it() {
    let storage = Storage::open(StorageConfig::memory()).unwrap();
    let cluster = Cluster::open(storage.clone()).unwrap();
    cluster.change(false, |_| (Vec::new(), ())).await.unwrap();
    assert!(storage.known_hidden_log(LOG).is_none());
    assert!(
        FEATURES
            .iter()
            .all(|feature| (feature.min..=feature.max).contains(&cluster.contents().features.level(feature)))
    );
}

#[tokio::test]
async fn what_is_too_much_is_not_kept() {
    let cluster = Cluster::open(Storage::open(StorageConfig::memory()).unwrap()).unwrap();
    let quota = |number: usize, len: usize| {
        let client = Some(format!("{number:04}{}", "x".repeat(len - 4)));
        let entity = [("client-id".to_owned(), client)].into();
        Alteration { entity, operations: vec![("producer_byte_rate".to_owned(), Some(1.0))] }
    };
    let keep = |all| cluster.change(false, |contents| contents.quotas.alter(all, &[]));
    // Some 32 KB each: four megabytes have room for 127.
    for number in 0..127 {
        assert!(keep(vec![quota(number, NAME_LEN_MAX)]).await.unwrap().values().all(Result::is_ok));
    }
    assert!(matches!(keep(vec![quota(127, NAME_LEN_MAX)]).await, Err(ClusterError::Full)));
    assert_eq!(cluster.contents().quotas.all().count(), 127);
    let long = keep(vec![quota(0, NAME_LEN_MAX + 1)]).await.unwrap();
    assert!(long.values().all(Result::is_err));
}

#[tokio::test]
async fn what_cannot_be_written_does_not_hold() {
    for made_before in [false, true] {
        let storage = Storage::open(StorageConfig::memory()).unwrap();
        let cluster = Cluster::open(storage.clone()).unwrap();
        let wish = |level| [Wish { feature: "transaction.version".to_owned(), level, way: 2 }];
        if made_before {
            cluster.change(false, |contents| contents.features.update(&wish(1))).await.unwrap().unwrap();
        }
        let before = cluster.contents().clone();
        storage.shutdown().await.unwrap();
        let error = cluster.change(false, |contents| contents.features.update(&wish(0))).await.unwrap_err();
        assert_eq!(ApiError::from(error).kind(), ResponseError::KafkaStorageError);
        assert_eq!(*cluster.contents(), before);
    }
}

/// What one request may change is bounded before it is written down, whatever becomes of it then.
#[test]
fn a_request_that_is_too_much_is_cut() {
    let quota = |number: usize| {
        let client = Some(format!("{number:04}{}", "\0".repeat(NAME_LEN_MAX - 4)));
        let entity = [("client-id".to_owned(), client)].into();
        Alteration { entity, operations: vec![("producer_byte_rate".to_owned(), Some(1.0))] }
    };
    let (updates, results) = Quotas::default().alter((0..1000).map(quota).collect(), &[]);
    assert_eq!(results.len(), 1000);
    assert!(updates.iter().map(|(key, _)| key.len()).sum::<usize>() <= WEIGHT_MAX);
    assert!(!updates.is_empty() && results.values().filter(|result| result.is_err()).count() == 1000 - updates.len());
}

#[test]
fn a_record_that_cannot_be_read_is_not_passed_over() {
    let mut contents = Contents::default();
    for key in ["quota/{", "scram/ann", "scram/1/ann", "features", "features/more"] {
        assert!(matches!(contents.replay(key.as_bytes(), Some(b"x")), Err(ClusterError::Damaged(_))), "{key}");
    }
    assert!(contents.replay(b"of a later version", Some(b"x")).is_ok());
    assert_eq!(contents, Contents::default());
}
