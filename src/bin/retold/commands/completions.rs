//! `completions`: a script for a shell.

use anyhow::Result;
use clap::CommandFactory;

use crate::args::{Cli, CompletionsArgs};
use crate::commands::{Status, print};

/// Prints the script.
pub fn run(args: &CompletionsArgs) -> Result<Status> {
    // The generator panics on a closed pipe, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "retold", &mut script);
    print(&script)?;
    Ok(Status::Done)
}
