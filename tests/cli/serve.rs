//! `brooklet serve`: where it listens, how it ends, what it says where.

use std::fs;
use std::io::{Read as _, Write as _};
use std::process::Stdio;

use rustix::process::Signal;

use crate::common::{Brooklet, client, command, fixed_address, run};

const ENGINES: [&str; 3] = ["segments", "sled", "memory"];
const COUNT: &str = "SELECT level, COUNT(*) AS count FROM logs GROUP BY level";

#[test]
fn it_listens_on_a_free_port_says_so_at_any_level_and_a_signal_ends_it() {
    for (level, signal) in [("off", Signal::TERM), ("trace", Signal::INT)] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let (brooklet, address) = Brooklet::serve(&["--data-dir", data.to_str().unwrap(), "--log-level", level]);
        assert_ne!(address.port(), 0);
        std::net::TcpStream::connect(address).unwrap();
        brooklet.signal(signal);
        let output = brooklet.wait();
        assert_eq!(output.status.code(), Some(0), "{}", output.stderr);
        assert_eq!(output.stdout, "");
        if level == "off" {
            assert_eq!(output.stderr, format!("listening={address}\n"));
        }
    }
}

#[test]
fn signals_that_come_together_are_one() {
    let (brooklet, address) = Brooklet::serve(&["--storage", "memory", "--query", COUNT]);
    client::send(address, "logs", &["{}"]);
    brooklet.signal(Signal::INT);
    brooklet.signal(Signal::TERM);
    assert_eq!(brooklet.wait().status.code(), Some(0));
}

#[test]
fn a_listener_accepts_clients_as_soon_as_it_says_so() {
    let (_brooklet, address) = Brooklet::serve(&["--storage", "memory"]);
    client::send(address, "first", &["hello"]);
    assert_eq!(client::read_all(address, "first"), [(None, Some("hello".to_owned()))]);
}

#[test]
fn clients_are_told_the_advertised_address() {
    let address = fixed_address();
    let (listen, advertise) = (address.to_string(), format!("localhost:{}", address.port()));
    let mut command = command(&["serve", "--storage", "memory", "--listen", &listen, "--advertise", &advertise]);
    let brooklet = Brooklet::from_command(command.stdin(Stdio::null()));
    assert_eq!(brooklet.listening(), address);
    let metadata = client::metadata(address, None);
    let brokers: Vec<_> = metadata.brokers().iter().map(|it| (it.host(), it.port())).collect();
    assert_eq!(brokers, [("localhost", i32::from(address.port()))]);
}

#[test]
fn topics_made_on_first_use_have_the_partitions_asked_for() {
    let (_brooklet, address) = Brooklet::serve(&["--storage", "memory", "--partitions", "3"]);
    client::send(address, "wide", &["hello"]);
    let metadata = client::metadata(address, Some("wide"));
    assert_eq!(metadata.topics()[0].partitions().len(), 3);
}

#[test]
fn records_survive_a_restart_unless_they_live_in_memory() {
    for engine in ENGINES {
        let folder = tempfile::tempdir().unwrap();
        let args = ["--data-dir", folder.path().to_str().unwrap(), "--storage", engine];
        let (brooklet, address) = Brooklet::serve(&args);
        client::send(address, "kept", &["one", "two"]);
        assert_eq!(brooklet.terminate().status.code(), Some(0), "{engine}");
        let (_brooklet, address) = Brooklet::serve(&args);
        let expected: &[&str] = if engine == "memory" { &[] } else { &["one", "two"] };
        client::send(address, "kept", &["three"]);
        let values: Vec<_> = client::read_all(address, "kept").into_iter().filter_map(|(_, value)| value).collect();
        assert_eq!(values, [expected, &["three"]].concat(), "{engine}");
    }
}

#[test]
fn clients_that_are_connected_or_wait_for_records_do_not_hold_up_the_end() {
    use rdkafka::message::Message as _;
    let (brooklet, address) = Brooklet::serve(&["--storage", "memory", "--query", COUNT]);
    client::send(address, "logs", &["{}"]);
    let mut config = client::config(address);
    config.set("fetch.wait.max.ms", "290000").set("socket.timeout.ms", "300000");
    let consumer = client::consumer(&mut config, "logs");
    let record = consumer.iter().next().unwrap().unwrap();
    assert_eq!(record.payload(), Some(&b"{}"[..]));
    let _silent = std::net::TcpStream::connect(address).unwrap();
    let output = brooklet.terminate();
    assert_eq!(output.status.code(), Some(0), "{}", output.stderr);
    assert!(!output.stderr.contains("cut off"), "{}", output.stderr);
}

#[test]
fn the_memory_engine_leaves_no_file_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(&["serve", "--listen", "127.0.0.1:0", "--storage", "memory"]);
    let brooklet = Brooklet::from_command(command.current_dir(folder.path()).stdin(Stdio::null()));
    client::send(brooklet.listening(), "t", &["one"]);
    assert_eq!(brooklet.terminate().status.code(), Some(0));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_reader_that_goes_away_stops_its_query_and_not_the_broker() {
    let args = ["serve", "--listen", "127.0.0.1:0", "--storage", "memory", "--query", COUNT];
    let brooklet = Brooklet::spawn_for_one_line(&args);
    let address = brooklet.listening();
    client::send(address, "logs", &[r#"{"level": "INFO"}"#]);
    brooklet.stdout.wait_contains("-------");
    // The reader is gone by the time that one of these is printed.
    let mut sent = 1;
    while !brooklet.stderr.so_far().contains("the query ended") {
        client::send(address, "logs", &[r#"{"level": "INFO"}"#]);
        sent += 1;
        assert!(sent < 1000, "{}", brooklet.stderr.so_far());
    }
    client::send(address, "logs", &["still there"]);
    assert_eq!(client::read_all(address, "logs").len(), sent + 1);
}

#[test]
fn a_topic_of_three_replicas_is_made_with_one_where_it_may() {
    let create = ["topics", "create", "wide", "--replication-factor", "3", "--bootstrap-server"];
    for (flags, code) in [(&[][..], 1), (&["--clamp-replication"], 0)] {
        let (_brooklet, address) = Brooklet::serve(&[&["--storage", "memory"], flags].concat());
        let output = run(&[&create[..], &[&address.to_string()]].concat());
        assert_eq!(output.status.code(), Some(code), "{}", output.stderr);
    }
}

/// IncrementalAlterConfigs 0: sets the level of the logger `root` of broker 1 to DEBUG.
const LOG_AT_DEBUG: &[u8] = b"\0\x2c\0\0\0\0\0\x07\0\x01c\0\0\0\x01\x08\0\x011\0\0\0\x01\0\x04root\0\0\x05DEBUG\0";

#[test]
fn the_level_of_logging_is_changed_while_it_runs() {
    let (brooklet, address) = Brooklet::serve(&["--storage", "memory", "--log-level", "error"]);
    let send = |frame: &[u8]| {
        let mut socket = std::net::TcpStream::connect(address).unwrap();
        socket.write_all(&(frame.len() as i32).to_be_bytes()).unwrap();
        socket.write_all(frame).unwrap();
        socket
    };
    let mut answer = [0; 4 + 4 + 4 + 4 + 2];
    send(LOG_AT_DEBUG).read_exact(&mut answer).unwrap();
    assert_eq!(answer[4..], *b"\0\0\0\x07\0\0\0\0\0\0\0\x01\0\0");
    // Why the broker closes on a frame that is none is told at this level alone.
    send(b"none").read_to_end(&mut Vec::new()).unwrap();
    brooklet.stderr.wait_contains("header is malformed");
    assert_eq!(brooklet.terminate().status.code(), Some(0));
}
