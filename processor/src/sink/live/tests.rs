use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::*;
use crate::testing::Screen;
use crate::types::Value;

fn size() -> (u16, u16) {
    (80, 24)
}

fn push(sink: &mut LiveSink, batch: u64, rows: &[(&str, i64)]) -> io::Result<()> {
    sink.begin();
    for (level, count) in rows {
        let level = Value::String(level.as_bytes().into());
        let values = [level.borrowed(), Value::BigInt(*count)];
        sink.push(&OutputRow { key: &values[..1], values: &values });
    }
    sink.finish(batch)
}

fn plan() -> Plan {
    crate::plan("SELECT level, COUNT(*) AS n FROM logs GROUP BY level").unwrap()
}

#[test]
fn the_last_picture_has_all_that_came() {
    let screen = Screen::default();
    let mut sink = LiveSink::new(&plan(), Box::new(screen.clone()), size).unwrap();
    push(&mut sink, 0, &[]).unwrap();
    push(&mut sink, 1, &[("INFO", 1), ("ERROR", 2)]).unwrap();
    push(&mut sink, 2, &[("INFO", 3)]).unwrap();
    drop(sink);
    let text = screen.text();
    let last = text.rsplit("\x1b[J").next().unwrap();
    let rows: Vec<Vec<&str>> = last.lines().map(|line| line.split_whitespace().take(2).collect()).collect();
    assert_eq!(rows, [["level", "n"], ["INFO", "3"], ["ERROR", "2"], ["batch", "2,"]]);
    // Every picture but the first begins where the one before did.
    assert!(text.matches("\x1b[J").count() <= 1 + text.matches('A').count(), "{text:?}");
}

#[test]
fn a_terminal_that_is_gone_ends_the_query_and_not_the_thread_alone() {
    #[derive(Clone, Default)]
    struct Gone(Arc<Mutex<u32>>);
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            *self.0.lock() += 1;
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let gone = Gone::default();
    let mut sink = LiveSink::new(&plan(), Box::new(gone.clone()), size).unwrap();
    while *gone.0.lock() == 0 || sink.picture.state.lock().failed.is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(push(&mut sink, 0, &[]).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}
