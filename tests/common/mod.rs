//! Runs the built binary and talks to it as a Kafka client does. Everything waits for what it can see: a line, the
//! end of a stream, an acknowledgement.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, reason = "each test binary uses its part of it")]

pub(crate) mod client;

use std::ffi::OsStr;
use std::fmt::Debug;
use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpSocket;

/// After so long a test gives up waiting; far more than anything takes.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A running `brooklet`; killed when dropped.
pub(crate) struct Brooklet {
    child: Child,
    pub(crate) stdout: Text,
    pub(crate) stderr: Text,
}

/// What a process wrote, to the end where it has ended.
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Brooklet {
    /// Starts the binary with its standard input closed.
    pub(crate) fn spawn<S: AsRef<OsStr>>(args: &[S]) -> Self {
        Self::from_command(command(args).stdin(Stdio::null()))
    }

    /// Starts the binary with a reader of its standard output that goes away after the first line.
    pub(crate) fn spawn_for_one_line<S: AsRef<OsStr>>(args: &[S]) -> Self {
        Self::read_by(command(args).stdin(Stdio::null()), |stdout| Text::read(FirstLine(Some(stdout))))
    }

    pub(crate) fn from_command(command: &mut Command) -> Self {
        Self::read_by(command, Text::read)
    }

    fn read_by(command: &mut Command, read: impl FnOnce(ChildStdout) -> Text) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = read(child.stdout.take().unwrap());
        let stderr = Text::read(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    /// `brooklet serve` on a free port with `args`, once it says that it listens.
    pub(crate) fn serve<S: AsRef<OsStr>>(args: &[S]) -> (Self, SocketAddr) {
        let mut command = command(&["serve", "--listen", "127.0.0.1:0"]);
        command.args(args).stdin(Stdio::null());
        let brooklet = Self::from_command(&mut command);
        let address = brooklet.listening();
        (brooklet, address)
    }

    /// Where it listens, once it says so.
    pub(crate) fn listening(&self) -> SocketAddr {
        let text = self.stderr.wait_for("listening=HOST:PORT", |text| listening_line(text).is_some());
        listening_line(&text).unwrap().parse().unwrap()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// kill -9, and wait until the process is gone.
    pub(crate) fn kill(mut self) -> Output {
        self.child.kill().unwrap();
        self.wait()
    }

    /// Asks it to end and waits until it has.
    pub(crate) fn terminate(self) -> Output {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// Waits for the end of the process.
    pub(crate) fn wait(mut self) -> Output {
        let stdout = self.stdout.wait_end();
        let stderr = self.stderr.wait_end();
        let status = self.child.wait().unwrap();
        Output { status, stdout, stderr }
    }
}

impl Drop for Brooklet {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn command<S: AsRef<OsStr>>(args: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brooklet"));
    command.args(args).env_remove("RUST_LOG");
    command
}

/// Runs the binary to its end.
pub(crate) fn run<S: AsRef<OsStr>>(args: &[S]) -> Output {
    Brooklet::spawn(args).wait()
}

/// Runs the binary to its end with `input` on its standard input.
pub(crate) fn run_with_input<S: AsRef<OsStr>>(args: &[S], input: &[u8]) -> Output {
    let mut brooklet = Brooklet::from_command(command(args).stdin(Stdio::piped()));
    let mut stdin = brooklet.child.stdin.take().unwrap();
    // The process may end without having read it all.
    let _ = stdin.write_all(input);
    drop(stdin);
    brooklet.wait()
}

/// A port that stays the same over restarts, so that clients find the broker again: below the range from which the
/// operating system takes ports of its own, so that nobody gets it while the broker is down.
pub(crate) fn fixed_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let offset = (std::process::id() % 10_000) as u16;
    loop {
        let port = 20_000 + (offset + NEXT.fetch_add(1, Ordering::Relaxed) * 7) % 10_000;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

/// Asks until the answer is the wanted one.
pub(crate) fn wait_until<T: Debug>(what: &str, ask: impl Fn() -> T, wanted: impl Fn(&T) -> bool) -> T {
    let until = Instant::now() + DEADLINE;
    loop {
        let answer = ask();
        if wanted(&answer) {
            return answer;
        }
        assert!(Instant::now() < until, "never: {what}; the last answer: {answer:?}");
    }
}

/// An address at which connections are refused for as long as the socket lives: it is taken, and nobody listens.
pub(crate) fn refusing_address() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// Reads up to the end of a line, and closes what it reads from.
struct FirstLine(Option<ChildStdout>);

impl Read for FirstLine {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let (Some(stdout), Some(byte)) = (&mut self.0, buffer.get_mut(..1)) else { return Ok(0) };
        let read = stdout.read(byte)?;
        if byte == b"\n" {
            self.0 = None;
        }
        Ok(read)
    }
}

fn listening_line(text: &str) -> Option<&str> {
    let (complete, _) = text.rsplit_once('\n')?;
    complete.lines().find_map(|line| line.strip_prefix("listening="))
}

/// What a stream has given so far.
#[derive(Clone)]
pub(crate) struct Text(Arc<(Mutex<Stream>, Condvar)>);

#[derive(Default)]
struct Stream {
    bytes: Vec<u8>,
    ended: bool,
}

impl Text {
    fn read(mut from: impl Read + Send + 'static) -> Self {
        let text = Self(Arc::default());
        let shared = text.clone();
        thread::spawn(move || {
            let mut buffer = [0; 8192];
            loop {
                let read = from.read(&mut buffer).unwrap_or(0);
                let mut state = shared.0.0.lock().unwrap();
                state.bytes.extend_from_slice(&buffer[..read]);
                state.ended = read == 0;
                shared.0.1.notify_all();
                if read == 0 {
                    break;
                }
            }
        });
        text
    }

    /// All there is so far.
    pub(crate) fn so_far(&self) -> String {
        String::from_utf8(self.0.0.lock().unwrap().bytes.clone()).unwrap()
    }

    /// Waits until `enough` of the text; panics with the text if the stream ends first.
    pub(crate) fn wait_for(&self, what: &str, enough: impl Fn(&str) -> bool) -> String {
        let (text, found) = self.wait(|state| {
            let text = String::from_utf8_lossy(&state.bytes);
            (enough(&text) || state.ended).then(|| (text.clone().into_owned(), enough(&text)))
        });
        assert!(found, "the process ended before {what}:\n{text}");
        text
    }

    /// Waits until the text contains `part`.
    pub(crate) fn wait_contains(&self, part: &str) -> String {
        self.wait_for(part, |text| text.contains(part))
    }

    /// Waits for the end of the stream.
    pub(crate) fn wait_end(&self) -> String {
        self.wait(|state| state.ended.then(|| String::from_utf8(state.bytes.clone()).unwrap()))
    }

    fn wait<T>(&self, ready: impl Fn(&Stream) -> Option<T>) -> T {
        let until = Instant::now() + DEADLINE;
        let mut state = self.0.0.lock().unwrap();
        loop {
            if let Some(value) = ready(&state) {
                return value;
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain; so far:\n{}", String::from_utf8_lossy(&state.bytes));
            state = self.0.1.wait_timeout(state, left).unwrap().0;
        }
    }
}
