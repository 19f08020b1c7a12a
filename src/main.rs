//! The one binary. A file per subcommand; what they share: `cli.rs` (flags), `node.rs` (a broker with its queries),
//! `signals.rs`, `logging.rs`.

mod cli;
mod completions;
mod demo;
mod logging;
mod node;
mod query;
mod serve;
mod signals;
mod status;

use std::process::ExitCode;

use crate::cli::{Cli, Command};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::of_process();
    logging::start(cli.log_level);
    let result = match cli.command {
        None => serve::main_job(),
        Some(Command::Serve(args)) => serve::run(args),
        Some(Command::Demo(args)) => demo::run(args),
        Some(Command::Produce(args)) => brooklet_producer::run(&args),
        Some(Command::Query(args)) => query::run(&args),
        Some(Command::Status(args)) => status::run(&args),
        Some(Command::Consume(args)) => brooklet_producer::consume(&args),
        Some(Command::Topics(args)) => brooklet_producer::topics(&args),
        Some(Command::Groups(args)) => brooklet_producer::groups(&args),
        Some(Command::Configs(args)) => brooklet_producer::configs(&args),
        Some(Command::Transactions(args)) => brooklet_producer::transactions(&args),
        Some(Command::Completions(args)) => completions::run(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let line = format!("{error:#}").lines().map(str::trim).collect::<Vec<_>>().join(" ");
            logging::say(format_args!("brooklet: {line}"));
            ExitCode::FAILURE
        }
    }
}
