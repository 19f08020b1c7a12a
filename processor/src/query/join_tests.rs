//! Joins with tables of latest values, held against a plain map.

use std::collections::BTreeMap;
use std::sync::Arc;

use brooklet_storage::Storage;
use proptest::prelude::*;

use super::kill_tests::{options, run_plan};
use crate::adhoc::{AdHocQuery, Format};
use crate::error::QueryError;
use crate::options::QueryOptions;
use crate::plan::{OutputMode, Plan};
use crate::sql::{PlanSettings, plan_all};
use crate::testing::{Screen, memory, put, records, segments, send, topic};

const TABLES: &str = "CREATE TABLE clicks (n STRING, user STRING);
    CREATE TABLE users (id STRING, team STRING) WITH (latest_by = 'key');
    CREATE TABLE teams (name STRING, size BIGINT) WITH (latest_by = 'name');";

/// Each click with its user's team, and the team's size.
const ROWS: &str = "INSERT INTO joined SELECT clicks.n, u.team, size FROM clicks \
    LEFT JOIN users u ON u.key = clicks.user LEFT JOIN teams ON teams.name = u.team";

/// Clicks by team, of users that are known.
const COUNTS: &str = "INSERT INTO joined SELECT team, COUNT(*) AS count FROM clicks JOIN users ON users.key = clicks.user \
    GROUP BY team";

fn plan(sql: &str, mode: OutputMode, batch: bool) -> Plan {
    let settings = PlanSettings { mode: Some(mode), batch, ..PlanSettings::default() };
    plan_all(&format!("{TABLES} {sql}"), &settings).unwrap().remove(0)
}

/// What happens before a run of the query: users and teams change, and then there are clicks.
#[derive(Clone, Debug)]
struct Step {
    /// A user's new team; None ends the user.
    users: Vec<(u8, Option<u8>)>,
    /// A team's new size; None is a record that is no JSON.
    teams: Vec<(u8, Option<u8>)>,
    clicks: Vec<Option<u8>>,
    kill: Option<usize>,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let users = prop::collection::vec((0u8..6, prop::option::weighted(0.8, 0u8..4)), 0..6);
    let teams = prop::collection::vec((0u8..4, prop::option::weighted(0.9, 0u8..100)), 0..4);
    let clicks = prop::collection::vec(prop::option::weighted(0.9, 0u8..8), 0..8);
    let step = (users, teams, clicks, prop::option::of(0usize..40));
    prop::collection::vec(step.prop_map(|(users, teams, clicks, kill)| Step { users, teams, clicks, kill }), 1..6)
}

/// What a plain map says.
#[derive(Default)]
struct Model {
    users: BTreeMap<u8, u8>,
    teams: BTreeMap<u8, u8>,
    clicks: Vec<Option<u8>>,
    rows: Vec<String>,
    counts: BTreeMap<u8, u64>,
}

impl Model {
    fn tables(&mut self, step: &Step) {
        for (user, team) in &step.users {
            match team {
                Some(team) => self.users.insert(*user, *team),
                None => self.users.remove(user),
            };
        }
        self.teams.extend(step.teams.iter().filter_map(|(team, size)| Some((*team, (*size)?))));
    }

    fn click(&mut self, user: Option<u8>) {
        let number = self.clicks.len();
        self.clicks.push(user);
        let team = user.and_then(|user| self.users.get(&user)).copied();
        let size = team.and_then(|team| self.teams.get(&team)).map_or("null".to_owned(), u8::to_string);
        let text = team.map_or("null".to_owned(), |team| format!("\"team {team}\""));
        self.rows.push(format!("{{\"n\":\"{number}\",\"team\":{text},\"size\":{size}}}"));
        if let Some(team) = team {
            *self.counts.entry(team).or_default() += 1;
        }
    }

    fn step(&mut self, step: &Step) {
        self.tables(step);
        step.clicks.iter().for_each(|user| self.click(*user));
    }
}

fn fill(storage: &Storage, first: usize, step: &Step) {
    for (user, team) in &step.users {
        let value = team.map(|team| format!("{{\"id\":\"{user}\",\"team\":\"team {team}\"}}"));
        put(storage, "users", i32::from(user % 2), &format!("user {user}"), value.as_deref());
    }
    for (team, size) in &step.teams {
        let value = size.map_or("no JSON".to_owned(), |size| format!("{{\"name\":\"team {team}\",\"size\":{size}}}"));
        send(storage, "teams", 0, &[value]);
    }
    for (number, user) in step.clicks.iter().enumerate() {
        let user = user.map_or("null".to_owned(), |user| format!("\"user {user}\""));
        send(storage, "clicks", 0, &[format!("{{\"n\":\"{}\",\"user\":{user}}}", first + number)]);
    }
}

fn new_topics(storage: &Storage) {
    [("clicks", 1), ("users", 2), ("teams", 1)].iter().for_each(|(name, partitions)| {
        topic(storage, name, *partitions);
    });
}

/// All steps, each to its end, however often the query is killed in it.
fn run(storage: &Arc<Storage>, plan: &Plan, steps: &[Step], max: u64) -> Model {
    let mut model = Model::default();
    for step in steps {
        fill(storage, model.clicks.len(), step);
        model.step(step);
        if let Some(kill) = step.kill {
            run_plan(storage, plan.clone(), options(max), Some(kill));
        }
        assert!(run_plan(storage, plan.clone(), options(max), None));
    }
    model
}

fn values(storage: &Storage, name: &str) -> Vec<String> {
    let partitions = storage.topic(name).unwrap().partitions.clone();
    partitions.iter().flat_map(|log| records(log)).map(|(_, value)| value.unwrap()).collect()
}

/// The rows in the order of the clicks; there is one for each.
fn rows(storage: &Storage) -> Vec<String> {
    let mut rows = values(storage, "joined");
    let number = |row: &String| row.split('"').nth(3).unwrap().parse::<u64>().unwrap();
    rows.sort_by_key(number);
    rows
}

fn counts(storage: &Storage) -> BTreeMap<u8, u64> {
    let mut counts = BTreeMap::new();
    for row in values(storage, "joined") {
        let row: serde_json::Value = serde_json::from_str(&row).unwrap();
        let team = row["team"].as_str().unwrap().strip_prefix("team ").unwrap().parse().unwrap();
        let count = row["count"].as_u64().unwrap();
        let before = counts.insert(team, count);
        assert!(before < Some(count), "a row of a team was written twice");
    }
    counts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn a_row_meets_the_table_as_it_is_when_its_batch_begins(steps in steps(), max in 1u64..20) {
        let storage = memory();
        new_topics(&storage);
        let model = run(&storage, &plan(ROWS, OutputMode::Append, false), &steps, max);
        prop_assert_eq!(rows(&storage), model.rows);

        let storage = memory();
        new_topics(&storage);
        let model = run(&storage, &plan(COUNTS, OutputMode::Update, false), &steps, max);
        prop_assert_eq!(counts(&storage), model.counts);
    }

    #[test]
    fn a_batch_meets_the_table_that_is_there_at_its_end(steps in steps()) {
        let storage = memory();
        new_topics(&storage);
        let mut model = Model::default();
        let mut clicks = Vec::new();
        for step in &steps {
            fill(&storage, clicks.len(), step);
            model.tables(step);
            clicks.extend(step.clicks.iter().copied());
        }
        clicks.into_iter().for_each(|user| model.click(user));
        let screen = Screen::default();
        let select = ROWS.strip_prefix("INSERT INTO joined ").unwrap();
        let plan = plan(select, OutputMode::Update, true);
        let mut query = AdHocQuery::new(plan, &options(1), Format::Json, Box::new(screen.clone()));
        let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
        executor.block_on(query.run_on_storage(&storage)).unwrap();
        let text = screen.text();
        prop_assert_eq!(text.lines().collect::<Vec<_>>(), model.rows);
    }
}

fn step(users: &[(u8, Option<u8>)], clicks: &[u8]) -> Step {
    Step {
        users: users.to_vec(),
        teams: Vec::new(),
        clicks: clicks.iter().map(|user| Some(*user)).collect(),
        kill: None,
    }
}

/// At every single step of a run, on files, with the storage opened anew each time.
#[test]
fn a_kill_at_any_step_is_made_good_on_files() {
    let plan = plan(COUNTS, OutputMode::Update, false);
    let steps = [
        step(&[(1, Some(1)), (2, Some(2)), (3, Some(1)), (1, None), (3, Some(2))], &[1, 2, 3, 2]),
        step(&[(2, None), (1, Some(3))], &[1, 2, 3]),
    ];
    let mut kill = 0;
    loop {
        let folder = tempfile::tempdir().unwrap();
        let mut model = Model::default();
        let mut was_killed = false;
        for step in &steps {
            let storage = segments(folder.path());
            if model.clicks.is_empty() {
                new_topics(&storage);
            }
            fill(&storage, model.clicks.len(), step);
            model.step(step);
            was_killed |= !run_plan(&storage, plan.clone(), options(1), Some(kill));
            drop(storage);
            assert!(run_plan(&segments(folder.path()), plan.clone(), options(1), None));
        }
        assert_eq!(counts(&segments(folder.path())), model.counts, "killed after {kill} steps");
        if !was_killed {
            break;
        }
        kill += 1;
    }
    assert!(kill > 15, "only {kill} steps were tried");
}

#[test]
fn a_table_whose_topic_is_made_anew_begins_anew() {
    let storage = memory();
    new_topics(&storage);
    let plan = plan(ROWS, OutputMode::Append, false);
    let mut options = options(10);
    options.on_data_loss = crate::options::OnDataLoss::Continue;
    let go_on = |step: Step, first: usize| {
        fill(&storage, first, &step);
        assert!(run_plan(&storage, plan.clone(), options.clone(), None));
    };
    go_on(step(&[(1, Some(1)), (2, Some(2))], &[1, 2]), 0);
    storage.delete_topic("users").unwrap();
    topic(&storage, "users", 2);
    go_on(step(&[(2, Some(3))], &[1, 2]), 2);
    let row = |number: u8, team: &str| format!("{{\"n\":\"{number}\",\"team\":{team},\"size\":null}}");
    let teams = ["\"team 1\"", "\"team 2\"", "null", "\"team 3\""];
    assert_eq!(rows(&storage), (0..).zip(teams).map(|(number, team)| row(number, team)).collect::<Vec<_>>());
}

#[test]
fn a_table_counts_for_the_memory_of_the_state() {
    let storage = memory();
    new_topics(&storage);
    for user in 0..200 {
        let long = format!("{{\"id\":\"{user}\",\"team\":\"{}\"}}", "x".repeat(1000));
        put(&storage, "users", 0, &format!("user {user}"), Some(&long));
    }
    send(&storage, "clicks", 0, &["{\"user\":\"user 1\"}"]);
    let select = COUNTS.strip_prefix("INSERT INTO joined ").unwrap();
    let options = QueryOptions { state_bytes_max: 100_000, ..QueryOptions::default() };
    let plan = plan(select, OutputMode::Update, true);
    let mut query = AdHocQuery::new(plan, &options, Format::Json, Box::new(Screen::default()));
    let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let error = executor.block_on(query.run_on_storage(&storage)).unwrap_err();
    assert!(matches!(error, QueryError::StateTooLarge { .. }), "{error}");
}
