//! kill -9 while client quotas are set: those that were acknowledged are there, each once and with its last value.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper of a test may fail the test")]

mod common;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;

use common::{Brooklet, DEADLINE};

const DESCRIBE_CLIENT_QUOTAS: i16 = 48;
const ALTER_CLIENT_QUOTAS: i16 = 49;
/// Quotas acknowledged before each kill; some clients come again with another value.
const ROUND: usize = 60;
const CLIENTS: usize = 25;

/// Sends a request in version 0 and reads its answer, without the correlation id.
fn call(socket: &mut TcpStream, key: i16, body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut frame = [&key.to_be_bytes()[..], &[0, 0], &[0, 0, 0, 7], &[0, 4], b"test", body].concat();
    frame.splice(0..0, (frame.len() as u32).to_be_bytes());
    socket.write_all(&frame)?;
    let mut length = [0; 4];
    socket.read_exact(&mut length)?;
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    socket.read_exact(&mut answer)?;
    Ok(answer.split_off(4))
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat()
}

fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket
}

/// Sets one client's quota; the error code.
fn alter(socket: &mut TcpStream, client: &str, bound: f64) -> std::io::Result<i16> {
    let one = [0, 0, 0, 1];
    let entity = [&one[..], &text("client-id"), &text(client)].concat();
    let operation = [&one[..], &text("producer_byte_rate"), &bound.to_be_bytes(), &[0]].concat();
    let answer = call(socket, ALTER_CLIENT_QUOTAS, &[&one[..], &entity, &operation, &[0]].concat())?;
    // Throttle time, and one entry.
    Ok(i16::from_be_bytes(answer[8..10].try_into().unwrap()))
}

/// Takes an answer apart.
struct Reader(Vec<u8>);

impl Reader {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        self.0.drain(..N).collect::<Vec<_>>().try_into().unwrap()
    }

    fn count(&mut self) -> u32 {
        u32::from_be_bytes(self.bytes())
    }

    fn text(&mut self) -> String {
        let len = u16::from_be_bytes(self.bytes());
        String::from_utf8(self.0.drain(..usize::from(len)).collect()).unwrap()
    }
}

/// All quotas by client.
fn describe(address: SocketAddr) -> BTreeMap<String, f64> {
    let mut answer = Reader(call(&mut connect(address), DESCRIBE_CLIENT_QUOTAS, &[0, 0, 0, 0, 0]).unwrap());
    // Throttle time, error code, an empty message.
    assert_eq!(answer.bytes::<8>(), [0; 8]);
    let mut quotas = BTreeMap::new();
    for _ in 0..answer.count() {
        assert_eq!((answer.count(), answer.text()), (1, "client-id".to_owned()));
        let client = answer.text();
        assert_eq!((answer.count(), answer.text()), (1, "producer_byte_rate".to_owned()));
        assert_eq!(quotas.insert(client, f64::from_be_bytes(answer.bytes())), None);
    }
    quotas
}

#[test]
fn acknowledged_quotas_survive_kills() {
    for (engine, fsync) in [("segments", "interval"), ("segments", "always"), ("sled", "interval")] {
        let folder = tempfile::tempdir().unwrap();
        let args = ["--data-dir", folder.path().to_str().unwrap(), "--storage", engine, "--fsync", fsync];
        let mut acknowledged = BTreeMap::new();
        let mut next = 0;
        for _ in 0..4 {
            let (brooklet, address) = Brooklet::serve(&args);
            assert_eq!(describe(address), acknowledged, "{engine} {fsync}");
            let (tell, told) = mpsc::channel();
            let setting = thread::spawn(move || {
                let mut socket = connect(address);
                for number in next.. {
                    // Ends with the broker.
                    let Ok(code) = alter(&mut socket, &format!("c{}", number % CLIENTS), number as f64 + 1.0) else {
                        return number;
                    };
                    assert_eq!(code, 0);
                    tell.send(number).unwrap();
                }
                unreachable!("numbers do not end")
            });
            let mut known: Vec<_> = (0..ROUND).map(|_| told.recv_timeout(DEADLINE).unwrap()).collect();
            brooklet.kill();
            let unknown = setting.join().unwrap();
            known.extend(told.iter());
            for number in known {
                acknowledged.insert(format!("c{}", number % CLIENTS), number as f64 + 1.0);
            }
            // What was under way is there or not.
            let (brooklet, address) = Brooklet::serve(&args);
            let there = describe(address);
            let client = format!("c{}", unknown % CLIENTS);
            if there.get(&client) == Some(&(unknown as f64 + 1.0)) {
                acknowledged.insert(client, unknown as f64 + 1.0);
            }
            assert_eq!(there, acknowledged, "{engine} {fsync}");
            brooklet.kill();
            next = unknown + 1;
        }
    }
}
