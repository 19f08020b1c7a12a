//! The command line: every subcommand and flag, with its help.

mod query;
mod serve;
mod value;

use clap::error::{ContextKind, ContextValue};
use clap::{Args, CommandFactory as _, Parser, Subcommand};
use tracing::level_filters::LevelFilter;

pub(crate) use query::{Format, QueryArgs, StatusArgs};
pub(crate) use serve::{Engine, Fsync, LimitArgs, OnDataLoss, ServeArgs, Sink};
pub(crate) use value::HostPort;

/// What `brooklet` alone and the demo run.
pub(crate) const MAIN_JOB: &str = "SELECT level, COUNT(*) AS count FROM logs GROUP BY level";

const EXAMPLES: &str = "\
Examples:
  brooklet                        broker on 127.0.0.1:9092 and a live count of `logs` by level
  brooklet demo                   the same with a producer, nothing to set up, nothing left behind
  brooklet serve                  the broker alone; see `brooklet serve --help` for queries
  echo '{\"level\": \"INFO\"}' | brooklet produce --topic logs

Without a command: `brooklet serve` with the query
  SELECT level, COUNT(*) AS count FROM logs GROUP BY level
on the console.";

const DEMO_EXAMPLES: &str = "\
Examples:
  brooklet demo                        until Ctrl-C
  brooklet demo --records 1000         ends when all are counted
  brooklet demo --rate 5000 --listen 127.0.0.1:0";

/// A Kafka-compatible broker with a streaming SQL processor inside
#[derive(Parser, Debug)]
#[command(name = "brooklet", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// How much to tell on standard error; without it, RUST_LOG decides (e.g. `debug`, `brooklet_broker=trace`)
    #[arg(long, global = true, display_order = 1000, value_name = "LEVEL", value_parser = value::level)]
    pub(crate) log_level: Option<LevelFilter>,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

impl Cli {
    /// The command line of this process; one that is wrong ends it.
    pub(crate) fn of_process() -> Self {
        Self::try_parse().unwrap_or_else(|error| with_advice(error).exit())
    }
}

/// Who gives a flag of `serve` to `brooklet` alone is told where it belongs.
fn with_advice(mut error: clap::Error) -> clap::Error {
    let is_alone = std::env::args().nth(1).is_some_and(|first| first.starts_with('-'));
    if let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg)
        && is_alone
        && let Some(serve) = Cli::command().find_subcommand("serve")
        && serve.get_arguments().any(|known| known.get_long() == flag.strip_prefix("--"))
    {
        let tip = format!("it is a flag of `brooklet serve`: brooklet serve {flag} …");
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    Serve(ServeArgs),
    Demo(DemoArgs),
    Produce(brooklet_producer::ProduceArgs),
    Query(QueryArgs),
    Status(StatusArgs),
    Consume(brooklet_producer::ConsumeArgs),
    Topics(brooklet_producer::TopicsArgs),
    Groups(brooklet_producer::GroupsArgs),
    Configs(brooklet_producer::ConfigsArgs),
    Transactions(brooklet_producer::TransactionsArgs),
    Completions(CompletionsArgs),
}

/// Watch it work: a broker, a producer of log records and a count of them by level
#[derive(Args, Debug)]
#[command(after_help = DEMO_EXAMPLES)]
pub(crate) struct DemoArgs {
    /// Send so many records, and end when all are counted; without it, until Ctrl-C
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) records: Option<u64>,

    /// Records a second [default: 50; with --records, more where the demo would take longer than ten seconds]
    #[arg(long, value_name = "R")]
    pub(crate) rate: Option<brooklet_producer::Rate>,

    /// Address to listen on [default: 127.0.0.1:9092, or a free port where that is taken]
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) listen: Option<HostPort>,
}

/// Print the completion script of a shell
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  brooklet completions bash > ~/.local/share/bash-completion/completions/brooklet")]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}
