//! `man`: the manual page.

use anyhow::{Result, anyhow};
use clap::CommandFactory;

use crate::args::{Cli, ManArgs};
use crate::commands::{Status, print};
use crate::diagnostics::hinted;

/// Prints the page of the program or of one of its commands.
pub fn run(args: &ManArgs) -> Result<Status> {
    let mut command = Cli::command();
    command.build();
    let wanted = match &args.command {
        None => command,
        Some(name) => {
            let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
            let found = command.find_subcommand(name).ok_or_else(|| {
                hinted(anyhow!("there is no command `{name}`"), format!("there are {}", names.join(", ")))
            })?;
            // A page is found under a name without blanks: `man retold-scan`.
            found.clone().display_name(format!("retold-{name}"))
        }
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(wanted).render(&mut page)?;
    print(&page)?;
    Ok(Status::Done)
}
