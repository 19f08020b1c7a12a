//! A process that is killed: the test `child` of the same file, run on a folder of its own, which says line by line what
//! it has done.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use brooklet_storage::{Engine, Fsync, Storage, StorageConfig};

const PLACE: &str = "BROOKLET_STORAGE_CHILD";

/// Where the child writes, and how.
#[derive(Clone, Debug)]
pub struct Place {
    pub folder: PathBuf,
    pub engine: Engine,
    pub fsync: Fsync,
}

impl Place {
    pub fn new(folder: &Path, engine: Engine, fsync: Fsync) -> Self {
        Self { folder: folder.to_owned(), engine, fsync }
    }

    /// The place that the child was given.
    pub fn of_child() -> Self {
        let text = env::var(PLACE).unwrap();
        let [folder, engine, fsync] = text.split('|').collect::<Vec<_>>().try_into().unwrap();
        Self::new(Path::new(folder), engine.parse().unwrap(), fsync.parse().unwrap())
    }

    /// Opens it with checkpoints and compaction at every moment.
    pub fn open_busy(&self) -> Arc<Storage> {
        let config = StorageConfig {
            fsync: self.fsync,
            checkpoint_interval: Duration::from_millis(3),
            cleaner_backoff: Duration::from_millis(1),
            ..super::config(&self.folder, self.engine)
        };
        Storage::open(config).unwrap()
    }

    /// Runs a child and kills it at the line that is the `lines`th of those that `take` takes.
    pub fn run_and_kill(&self, lines: usize, mut take: impl FnMut(&[&str]) -> bool) {
        let Self { folder, engine, fsync } = self;
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--ignored", "--exact", "child", "--nocapture"])
            .env(PLACE, format!("{}|{engine}|{fsync}", folder.display()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut count = 0;
        for line in out.lines() {
            let line = line.unwrap();
            if take(&line.split_whitespace().collect::<Vec<_>>()) {
                count += 1;
                if count == lines {
                    // What stands in the pipe was done too: the loop goes on to its end.
                    child.kill().unwrap();
                }
            }
        }
        assert!(count >= lines, "the child ended by itself: {:?}", child.wait());
        child.wait().unwrap();
    }
}
