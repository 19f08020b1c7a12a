//! No frame ends the process, with little memory too: the address space is bounded by `ulimit -v`.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test ends where its set-up fails")]

mod common;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Command, Stdio};

use common::{Brooklet, DEADLINE};

/// KiB of address space: some four times what an idle broker has mapped.
const ADDRESS_SPACE_KIB: u32 = 600_000;

fn serve_in_little_memory() -> (Brooklet, SocketAddr) {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("ulimit -v {ADDRESS_SPACE_KIB} && exec \"$0\" \"$@\""));
    command.arg(env!("CARGO_BIN_EXE_brooklet"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--storage", "memory"]).stdin(Stdio::null());
    // Each thread maps a stack, and an arena of the C library: as many threads as the machine has cores may be too many.
    command.env("TOKIO_WORKER_THREADS", "2");
    let brooklet = Brooklet::from_command(&mut command);
    let address = brooklet.listening();
    (brooklet, address)
}

fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket
}

/// Sends one frame and says no more, then reads what comes until the broker closes. A reset is a way to close too.
fn send_and_drain(address: SocketAddr, frame: &[u8]) {
    let mut socket = connect(address);
    let sent = socket.write_all(&(frame.len() as i32).to_be_bytes()).and_then(|()| socket.write_all(frame));
    if sent.and_then(|()| socket.shutdown(Shutdown::Write)).is_ok() {
        let _ = socket.read_to_end(&mut Vec::new());
    }
}

/// ApiVersions 0 must be answered.
fn assert_answers(address: SocketAddr) {
    let mut socket = connect(address);
    socket.write_all(&[0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff]).unwrap();
    let mut reply = [0; 10];
    socket.read_exact(&mut reply).unwrap();
    assert_eq!(reply[4..], [0, 0, 0, 7, 0, 0]);
}

/// Numbers that look random and are the same in every run (xorshift).
fn noise(seed: &mut u64) -> u8 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    (*seed >> 24) as u8
}

#[test]
fn counts_that_cannot_be_meant_are_refused() {
    let (brooklet, address) = serve_in_little_memory();
    // Metadata 1 with two thousand million topics.
    send_and_drain(address, &[0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    let mut seed = 0x9e37_79b9_7f4a_7c15;
    for key in 0..=92 {
        for version in 0..=18 {
            for fill in 0..3 {
                let mut frame = vec![0, key, 0, version, 0, 0, 0, 1, 0xff, 0xff];
                frame.extend((0..64).map(|at| match fill {
                    0 if at % 4 == 0 => 0x7f,
                    0 => 0xff,
                    1 => 0xff,
                    _ => noise(&mut seed),
                }));
                send_and_drain(address, &frame);
            }
        }
    }
    assert_answers(address);
    assert!(brooklet.terminate().status.success());
}

#[test]
fn many_large_frames_at_once_wait_for_their_turn() {
    let (brooklet, address) = serve_in_little_memory();
    let frame = vec![0; 40 << 20];
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| send_and_drain(address, &frame));
        }
    });
    assert_answers(address);
    assert!(brooklet.terminate().status.success());
}
