use std::io;

/// Where records come from, one at a time; the bytes live until the next call, so that one buffer serves all.
pub trait RecordSource: Send {
    /// The next record.
    ///
    /// # Errors
    /// What the underlying reader gave; the source is at its end then.
    fn next(&mut self) -> io::Result<Sourced<'_>>;
}

/// What a [`RecordSource`] gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Sourced<'a> {
    /// A record.
    Record {
        /// `None` is Kafka's null key.
        key: Option<&'a [u8]>,
        /// The value.
        value: &'a [u8],
    },
    /// There was a record, longer than the source may hold; it was passed over.
    TooLong,
    /// There are no more.
    End,
}
