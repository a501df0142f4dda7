//! `dedup`: one document of every story.

use anyhow::Result;
use retold::output::Mode;

use crate::args::DedupArgs;
use crate::commands::Status;
use crate::commands::rewrite::{self, Job};
use crate::settings::Parsed;

/// Writes the documents that are kept.
pub fn run(parsed: &Parsed, args: &DedupArgs) -> Result<Status> {
    rewrite::run(parsed, &job(args))
}

/// Returns what is to be written.
pub fn job(args: &DedupArgs) -> Job<'_> {
    Job {
        command: "dedup",
        mode: Mode::Dedup,
        inputs: &args.inputs,
        output: &args.output,
        force: args.replace.force,
        from: args.from.as_deref(),
        max_removed: args.guard.max_removed,
        judging: &args.judging,
        reading: &args.reading,
    }
}
