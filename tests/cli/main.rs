//! The commands as a user and as scripts see them: the built binary, its output and its exit status.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper of a test may fail the test")]

#[path = "../common/mod.rs"]
mod common;

mod demo;
mod help;
mod main_job;
mod produce;
mod queries;
mod refusals;
mod serve;
mod status;
mod verbs;
