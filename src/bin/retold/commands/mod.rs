//! One file per subcommand.

pub mod clean;
mod compare;
mod completions;
mod config;
pub mod dedup;
pub mod explain;
mod man;
pub mod report;
pub mod rewrite;
pub mod scan;

use anyhow::{Context, Result};
use std::io::Write;

use crate::args::Command;
use crate::settings::Parsed;

/// How a command ended, when it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// All of it.
    Done = 0,
    /// Outputs are complete, but inputs or records were skipped.
    Skipped = 1,
}

/// Runs the command asked for.
pub fn dispatch(parsed: &Parsed) -> Result<Status> {
    match &parsed.cli.command {
        Command::Scan(args) => scan::run(parsed, args),
        Command::Clean(args) => clean::run(parsed, args),
        Command::Dedup(args) => dedup::run(parsed, args),
        Command::Explain(args) => explain::run(&parsed.cli.global, args),
        Command::Report(args) => report::run(&parsed.cli.global, args),
        Command::Compare(args) => compare::run(&parsed.cli.global, args),
        Command::Config(args) => config::run(parsed, args),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args),
    }
}

/// Writes data to standard output, all of it or an error.
fn print(data: &[u8]) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(data).and_then(|()| stdout.flush()).context("could not write to standard output")
}
