//! What can go wrong with a query.

use brooklet_storage::StorageError;

use crate::changelog::ChangelogError;
use crate::step::Stopped;

/// Why a query was not started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The name cannot be that of a query.
    #[error("{0:?} cannot be a query's name: use 1 to 200 of a-z, A-Z, 0-9, '.', '_' and '-'")]
    Name(String),
    /// A query of that name runs on this storage.
    #[error("a query called {0} is running already")]
    Running(String),
    /// The name's checkpoint is that of a query whose state the new one cannot go on with.
    #[error(
        "the checkpoint of {name} belongs to another query, {stored}; a changed query goes on with it only if it reads the \
         same topics with the same GROUP BY and the same aggregates; take another --name, or forget it with --reset {name}"
    )]
    OtherQuery {
        /// The name.
        name: String,
        /// The plan that the checkpoint holds.
        stored: String,
    },
    /// Dead letters need a topic that the query neither reads nor writes.
    #[error("dead letters cannot go to {0}, which the query reads or writes itself; name another topic")]
    DeadLetters(String),
    /// The checkpoint cannot be read or made.
    #[error("the checkpoint of {name} cannot be used: {error}")]
    Changelog {
        /// The query's name.
        name: String,
        /// Why.
        error: ChangelogError,
    },
    /// The source or the output topic is missing and could not be created.
    #[error("topic {topic} cannot be created: {error}")]
    Topic {
        /// Which topic.
        topic: String,
        /// Why.
        error: String,
    },
    /// The system gave no thread.
    #[error("no thread for the query: {0}")]
    Thread(std::io::Error),
}

/// Why a query ended before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// Records that were to be read are gone.
    #[error("{0}; the query stops, for its counts would be wrong (on-data-loss=continue goes on with what is there)")]
    DataLoss(String),
    /// The groups take more memory than they may.
    #[error(
        "the query's {groups} groups take {bytes} bytes, and it may use {bytes_max}; group by fewer keys, or allow more"
    )]
    StateTooLarge {
        /// How many there are.
        groups: usize,
        /// What they take.
        bytes: usize,
        /// What they may take.
        bytes_max: usize,
    },
    /// Rows could not be written to the console.
    #[error("the console cannot be written: {0}")]
    Console(std::io::Error),
    /// Rows could not be written to a file.
    #[error("{} cannot be written: {error}", path.display())]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// There is nothing to read.
    #[error("there is no topic {0}")]
    NoTopic(String),
    /// The records could not be fetched.
    #[error("records cannot be fetched: {0}")]
    Fetch(String),
    /// Rows could not be appended to the output topic.
    #[error("topic {topic} cannot be written: {error}")]
    Output {
        /// The topic.
        topic: String,
        /// Why.
        error: String,
    },
    /// A partition of the source could not be read.
    #[error("partition {partition} of {topic} cannot be read: {error}")]
    Source {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// Why.
        error: StorageError,
    },
    /// The query's changelog failed.
    #[error(transparent)]
    Changelog(ChangelogError),
    /// A fault of brooklet itself.
    #[error("the query's thread failed: {0}")]
    Failed(String),
    /// The query was told to stop. (Whoever waits for the query is told of success.)
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl From<ChangelogError> for QueryError {
    fn from(error: ChangelogError) -> Self {
        match error {
            ChangelogError::Stopped(stopped) => Self::Stopped(stopped),
            error => Self::Changelog(error),
        }
    }
}
