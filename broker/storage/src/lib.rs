//! The partition log and its index.
