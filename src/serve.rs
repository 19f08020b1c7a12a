//! `brooklet serve`, and `brooklet` alone.

use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;

use anyhow::bail;
use brooklet_broker::{BrokerConfig, Limits};
use brooklet_processor as processor;
use brooklet_processor::{Backoff, PlanSettings, QueryOptions};
use brooklet_storage as storage;
use brooklet_storage::StorageConfig;
use bytesize::ByteSize;
use clap::Parser as _;

use crate::cli::{Engine, Fsync, LimitArgs, MAIN_JOB, OnDataLoss, ServeArgs, Sink};
use crate::logging::say;
use crate::node::{self, NamedPlan, Node, NodeConfig};
use crate::signals;

/// `brooklet` alone: `brooklet serve` with the main job.
pub(crate) fn main_job() -> anyhow::Result<()> {
    run(ServeArgs::parse_from(["brooklet serve", "--query", MAIN_JOB]))
}

/// Runs until a signal ends it.
///
/// # Errors
/// Bad SQL, a taken port, a data folder that cannot be used: in this order, and before anything else is started.
pub(crate) fn run(args: ServeArgs) -> anyhow::Result<()> {
    let plans = plan_all(&args)?;
    let listener = node::listen(&args.listen)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let shutdown = signals::shutdown()?;
        let config = NodeConfig {
            listener,
            broker: broker_config(&args),
            storage: storage_config(&args),
            plans,
            resets: args.resets.clone(),
            options: query_options(&args),
        };
        let node = Node::start(config)?;
        if io::stderr().is_terminal() {
            banner(&args, node.local_addr());
        }
        node::announce(node.local_addr());
        node.run(shutdown).await
    })
}

/// Plans the queries and names them; the same one twice, or a name twice, would be two queries on one checkpoint.
fn plan_all(args: &ServeArgs) -> anyhow::Result<Vec<NamedPlan>> {
    let mode = args.output_mode.into();
    let sink = match &args.sink {
        Sink::Console => processor::Sink::Console,
        Sink::Json => processor::Sink::Json,
        Sink::File(path) => processor::Sink::File(path.clone()),
    };
    let settings = PlanSettings { mode: Some(mode), sink, ..PlanSettings::default() };
    let mut plans: Vec<NamedPlan> = Vec::with_capacity(args.queries.len());
    let mut names = args.names.iter();
    for sql in &args.queries {
        for plan in processor::plan_all(sql, &settings)? {
            let name = names.next().cloned().unwrap_or_else(|| plan.derived_name());
            if plans.iter().any(|known| known.name == name) {
                bail!("two queries are called {name}, or one is given twice: {sql}");
            }
            plans.push(NamedPlan { name, plan });
        }
    }
    let on_screen = plans.iter().filter(|named| *named.plan.sink() == processor::Sink::Console).count();
    if args.live && on_screen > 1 {
        bail!("--live shows one query, and {on_screen} print to the console; give the others a topic, or a file");
    }
    match names.next() {
        Some(name) => bail!("there are fewer queries than names: {name} names none"),
        None => Ok(plans),
    }
}

fn broker_config(args: &ServeArgs) -> BrokerConfig {
    BrokerConfig {
        listen: args.listen.to_string(),
        advertise: args.advertise.clone().map(|it| (it.host, it.port)),
        default_partitions: args.partitions,
        clamp_replication: args.clamp_replication,
        limits: limits(&args.limits),
    }
}

fn limits(args: &LimitArgs) -> Limits {
    let mut limits = Limits::default();
    let bytes = |size: ByteSize| usize::try_from(size.as_u64()).unwrap_or(usize::MAX);
    if let Some(size) = args.max_request {
        limits.frame_bytes_max = bytes(size);
    }
    if let Some(size) = args.max_requests {
        limits.frames_bytes_max = bytes(size);
    }
    if let Some(connections) = args.max_connections {
        limits.connections_max = connections;
    }
    if let Some(size) = args.max_fetch {
        limits.fetch_bytes_max = bytes(size);
    }
    if let Some(sessions) = args.max_fetch_sessions {
        limits.fetch_sessions_max = sessions;
    }
    if let Some(members) = args.max_group_members {
        limits.group_members_max = members;
    }
    limits
}

fn storage_config(args: &ServeArgs) -> StorageConfig {
    let engine = match args.storage {
        Engine::Segments => storage::Engine::Segments,
        Engine::Sled => storage::Engine::Sled,
        Engine::Memory => storage::Engine::Memory,
    };
    let fsync = match args.fsync {
        Fsync::Interval => storage::Fsync::Interval,
        Fsync::Always => storage::Fsync::Always,
        Fsync::Never => storage::Fsync::Never,
    };
    let mut config = StorageConfig { engine, fsync, ..StorageConfig::new(&args.data_dir) };
    if let Some(size) = args.limits.cleaner_memory {
        config.cleaner_bytes_max = usize::try_from(size.as_u64()).unwrap_or(usize::MAX);
    }
    config
}

fn query_options(args: &ServeArgs) -> QueryOptions {
    let on_data_loss = match args.on_data_loss {
        OnDataLoss::Fail => processor::OnDataLoss::Fail,
        OnDataLoss::Continue => processor::OnDataLoss::Continue,
    };
    let mut options = QueryOptions {
        from: args.from,
        trigger: args.trigger,
        on_data_loss,
        partitions: args.partitions,
        dead_letters: args.dead_letter.clone(),
        live: (args.live && io::stdout().is_terminal()).then_some(terminal_size),
        backoff: Some(Backoff::default()),
        ..QueryOptions::default()
    };
    if let Some(size) = args.state_memory {
        options.state_bytes_max = usize::try_from(size.as_u64()).unwrap_or(usize::MAX);
    }
    options
}

/// Columns and lines of the terminal that standard output is.
fn terminal_size() -> (u16, u16) {
    rustix::termios::tcgetwinsize(io::stdout()).map_or((80, 24), |size| (size.ws_col, size.ws_row))
}

fn banner(args: &ServeArgs, address: SocketAddr) {
    let data = match args.storage {
        Engine::Memory => "in memory, gone at the end".to_owned(),
        _ => args.data_dir.display().to_string(),
    };
    say(format_args!("brooklet {}: Kafka clients connect to {address}", env!("CARGO_PKG_VERSION")));
    say(format_args!("  data        {data}"));
    for query in &args.queries {
        say(format_args!("  query       {query}"));
    }
    say(format_args!(
        "  try it      echo '{{\"level\": \"INFO\"}}' | brooklet produce --topic logs{}",
        bootstrap_flag(address)
    ));
}

/// How a command line says where the broker is; nothing where the default does.
pub(crate) fn bootstrap_flag(address: SocketAddr) -> String {
    if address == SocketAddr::from(([127, 0, 0, 1], 9092)) {
        return String::new();
    }
    format!(" --bootstrap-server {address}")
}
