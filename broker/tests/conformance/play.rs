//! Plays scripts against a broker and takes down its answers.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use std::{io, thread};

use bytes::{Buf, BufMut, Bytes};
use serde_json::{Value, json};

use crate::codec::{self, to_bytes};
use crate::normal::{Normaliser, Unordered};
use crate::schema::Api;
use crate::script::{Script, Step, Subject, at, substitute};

/// After so long there is no answer; Kafka leaves a few wrong requests so.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// How long a broker may take to come to what a step waits for.
const UNTIL_MAX: Duration = Duration::from_secs(60);
/// Kafka's broker learns later than the answer says what its controller has changed.
const SETTLE: Duration = Duration::from_millis(200);
const API_VERSIONS: i16 = 18;

/// Requests after which Kafka is given time.
const CHANGES: &[&str] = &[
    "CreateTopics",
    "DeleteTopics",
    "CreatePartitions",
    "AlterConfigs",
    "IncrementalAlterConfigs",
    "AlterClientQuotas",
    "AlterUserScramCredentials",
    "AlterPartitionReassignments",
    "UpdateFeatures",
    "ElectLeaders",
    "EndTxn",
    "InitProducerId",
];

/// One request and its answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Exchange {
    pub(crate) script: String,
    /// API and version, or the step's own name; unique in its script.
    pub(crate) label: String,
    pub(crate) answer: Value,
}

pub(crate) struct Player<'a> {
    pub(crate) apis: &'a BTreeMap<String, Api>,
    pub(crate) unordered: &'a Unordered,
    pub(crate) addr: SocketAddr,
    /// Whether it is Kafka, whose answers may lag.
    pub(crate) recording: bool,
}

/// A connection and what has been asked on it.
struct Connection {
    socket: TcpStream,
    correlation_id: i32,
    asked: Vec<Asked>,
}

#[derive(Debug)]
struct Asked {
    api: Option<String>,
    version: i16,
    correlation_id: i32,
}

/// What a script has open, and knows.
#[derive(Default)]
struct Stage {
    connections: BTreeMap<String, Connection>,
    variables: BTreeMap<String, Value>,
    normaliser: Normaliser,
    exchanges: Vec<Exchange>,
}

impl Player<'_> {
    pub(crate) fn play(&self, subject: &Subject) -> Vec<Exchange> {
        if self.recording {
            subject.needs.iter().for_each(|need| self.prepare(need));
        }
        subject.scripts.iter().flat_map(|script| self.play_script(script)).collect()
    }

    pub(crate) fn play_script(&self, script: &Script) -> Vec<Exchange> {
        let mut stage = Stage { variables: script.variables.clone(), ..Stage::default() };
        stage.normaliser.port = self.addr.port();
        stage.normaliser.mark = script.variables.get("p").and_then(Value::as_str).map(str::to_owned);
        for step in &script.steps {
            match &step.api {
                Some(name) => {
                    let api = self.apis.get(name).unwrap_or_else(|| panic!("{}: no API {name}", script.name));
                    for version in versions(&step.v, api) {
                        self.exchange(script, step, Some((api, version)), &mut stage);
                    }
                }
                None => self.exchange(script, step, None, &mut stage),
            }
        }
        stage.exchanges
    }

    fn exchange(&self, script: &Script, step: &Step, api: Option<(&Api, i16)>, stage: &mut Stage) {
        if let Some(name) = &step.close {
            stage.connections.remove(name);
            return;
        }
        if let Some((_, version)) = api {
            stage.variables.insert("v".to_owned(), version.into());
        }
        let started = Instant::now();
        let on = step.answer.as_deref().or(step.on.as_deref()).unwrap_or("main");
        let (asked, answer) = loop {
            if step.answer.is_none() {
                self.send(step, api, on, stage);
            }
            // Nor is it known when a request that another connection waits for has come.
            let changes = api.is_some_and(|(api, _)| CHANGES.contains(&api.name.as_str()));
            if self.recording && (changes || step.later) {
                thread::sleep(SETTLE);
            }
            if step.later || step.silent {
                return;
            }
            let (asked, answer) = self.receive(on, stage);
            let answer = answer.unwrap_or_else(|error| panic!("{}, {asked:?}: {error}", script.name));
            let come = |(path, wanted): (&String, &Value)| is_same(at(&answer, path), wanted);
            if (!self.recording || step.until.iter().all(come)) && step.wait.iter().all(come) {
                break (asked, answer);
            }
            assert!(started.elapsed() < UNTIL_MAX, "{}, {asked:?} never came: {answer}", script.name);
            thread::sleep(Duration::from_millis(50));
        };
        for (name, path) in &step.keep {
            // A number that is 0 is left out of the answer.
            let value = Some(at(&answer, path)).filter(|value| !value.is_null()).or(script.variables.get(name));
            stage.variables.insert(name.clone(), value.cloned().unwrap_or_else(|| 0.into()));
        }
        if step.quiet {
            return;
        }
        let label = match &step.name {
            Some(name) => substitute(&name.as_str().into(), &stage.variables).as_str().unwrap().to_owned(),
            None => asked.label(),
        };
        let taken = |label: &String| stage.exchanges.iter().any(|exchange| exchange.label == *label);
        let numbered = (2..).map(|number| format!("{label} ({number})"));
        let label = std::iter::once(label.clone()).chain(numbered).find(|label| !taken(label)).unwrap();
        let api = asked.api.as_deref().unwrap_or_default();
        let answer = stage.normaliser.answer(api, answer, self.unordered, &step.exact);
        stage.exchanges.push(Exchange { script: script.name.clone(), label, answer });
    }

    fn send(&self, step: &Step, api: Option<(&Api, i16)>, on: &str, stage: &mut Stage) {
        let Stage { connections, variables, .. } = stage;
        let connection = connections.entry(on.to_owned()).or_insert_with(|| Connection::open(self.addr));
        connection.correlation_id += 1;
        let correlation_id = connection.correlation_id;
        let mut frame = Vec::new();
        match (&step.frame, api) {
            (Some(bytes), _) => {
                let bytes = to_bytes(bytes).unwrap();
                connection.asked.push(Asked { api: None, version: 0, correlation_id });
                // The peer may have closed in the middle of it.
                let _ = connection.socket.write_all(&bytes);
                return;
            }
            (None, Some((api, version))) => {
                let known = version.clamp(api.versions.0, api.versions.1);
                frame.put_i16(api.key);
                frame.put_i16(version);
                frame.put_i32(correlation_id);
                codec::put_text(&mut frame, Some(step.client.as_deref().unwrap_or("conformance")), false);
                if api.is_flexible(version) {
                    frame.put_u8(0);
                }
                match &step.raw {
                    Some(bytes) => frame.extend(to_bytes(bytes).unwrap()),
                    None => {
                        let body = substitute(&step.body, variables);
                        codec::encode(&api.request, &body, known, api.is_flexible(known), &mut frame);
                    }
                }
                if !step.silent {
                    let version = step.answered_as.unwrap_or(version);
                    connection.asked.push(Asked { api: Some(api.name.clone()), version, correlation_id });
                }
            }
            (None, None) => panic!("a step without an API, a frame or an answer"),
        }
        let mut bytes = Vec::new();
        bytes.put_i32(frame.len() as i32);
        bytes.extend(frame);
        // The peer may have closed.
        let _ = connection.socket.write_all(&bytes);
    }

    fn receive(&self, on: &str, stage: &mut Stage) -> (Asked, io::Result<Value>) {
        let connection = stage.connections.get_mut(on).unwrap_or_else(|| panic!("no connection {on}"));
        let asked = connection.asked.remove(0);
        let answer = match connection.read() {
            Err(error) if is_end(&error) => {
                stage.connections.remove(on);
                Ok("closed".into())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                stage.connections.remove(on);
                Ok("nothing".into())
            }
            Err(error) => Err(error),
            Ok(frame) => Ok(self.decode(&asked, frame)),
        };
        (asked, answer)
    }

    fn decode(&self, asked: &Asked, mut frame: Bytes) -> Value {
        let whole = frame.clone();
        assert_eq!(frame.get_i32(), asked.correlation_id, "answers are out of order");
        let Some(api) = asked.api.as_ref().map(|name| &self.apis[name]) else { return codec::from_bytes(&whole) };
        let flexible = api.is_flexible(asked.version);
        if flexible && api.key != API_VERSIONS {
            assert_eq!(frame.get_u8(), 0, "tagged fields in a header");
        }
        match codec::decode(&api.response, &mut frame, asked.version, flexible) {
            Some(answer) if frame.is_empty() => answer,
            _ => json!({ "not an answer": codec::from_bytes(&whole) }),
        }
    }

    /// Has Kafka load what it makes on first use.
    pub(crate) fn prepare(&self, need: &str) {
        let (key_type, key) = match need {
            "groups" => (0, "conformance-prepares"),
            "transactions" => (1, "conformance-prepares"),
            other => panic!("nothing to prepare for {other}"),
        };
        let find = json!({ "coordinatorKeys": [key], "keyType": key_type });
        self.until_zero("FindCoordinator", 4, find, "coordinators.0.errorCode");
        match need {
            "groups" => {
                self.until_zero("OffsetFetch", 8, json!({ "groups": [{ "groupId": key }] }), "groups.0.errorCode")
            }
            _ => {
                let init = json!({ "transactionalId": key, "transactionTimeoutMs": 1000 });
                self.until_zero("InitProducerId", 1, init, "errorCode");
            }
        }
    }

    fn until_zero(&self, api: &str, version: i16, body: Value, path: &str) {
        let step = Step { body, until: [(path.to_owned(), 0.into())].into(), quiet: true, ..Step::default() };
        self.exchange(&Script::default(), &step, Some((&self.apis[api], version)), &mut Stage::default());
    }
}

impl Asked {
    fn label(&self) -> String {
        self.api.as_ref().map_or("frame".to_owned(), |api| format!("{api} {}", self.version))
    }
}

impl Connection {
    fn open(addr: SocketAddr) -> Self {
        let socket = TcpStream::connect(addr).unwrap();
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(ANSWER_MAX)).unwrap();
        Self { socket, correlation_id: 0, asked: Vec::new() }
    }

    fn read(&mut self) -> io::Result<Bytes> {
        let mut length = [0; 4];
        self.socket.read_exact(&mut length)?;
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        self.socket.read_exact(&mut frame)?;
        Ok(frame.into())
    }
}

fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe)
}

fn versions(asked: &Value, api: &Api) -> Vec<i16> {
    let (lowest, highest) = (api.versions.0, api.versions.1);
    let number = |value: &Value| value.as_i64().unwrap_or_else(|| panic!("{value} is no version")) as i16;
    match asked {
        Value::String(word) => match word.as_str() {
            "lowest" => vec![lowest],
            "highest" => vec![highest],
            "both" => vec![lowest, highest],
            "all" => (lowest..=highest).collect(),
            other => panic!("{other} is no version"),
        },
        Value::Array(numbers) => numbers.iter().map(number).collect(),
        number_alone => vec![number(number_alone)],
    }
}

/// Whether a value is the wanted one, where what has its default is absent.
fn is_same(value: &Value, wanted: &Value) -> bool {
    let default = wanted.is_null() || *wanted == 0 || *wanted == "" || *wanted == false;
    value == wanted || (value.is_null() && default)
}
