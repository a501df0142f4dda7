//! `clean`: copies without boilerplate, and the way back.

use std::path::Path;

use anyhow::Result;
use retold::output::{Mode, restore};
use serde_json::json;

use crate::args::{AttributesForm, CleanArgs, Format, GlobalArgs};
use crate::commands::rewrite::{self, Job};
use crate::commands::{Status, print};
use crate::diagnostics::hinted;
use crate::interrupt;
use crate::render::{counted, quoted};
use crate::run::{self, Means};
use crate::settings::Parsed;

/// Cleans, or restores what was cleaned.
pub fn run(parsed: &Parsed, args: &CleanArgs) -> Result<Status> {
    if let Some(cleaned) = &args.restore {
        return put_back(&parsed.cli.global, args, cleaned);
    }
    rewrite::run(parsed, &job(args))
}

/// Returns what is to be written.
pub fn job(args: &CleanArgs) -> Job<'_> {
    Job {
        command: "clean",
        mode: match args.attributes {
            Some(AttributesForm::Dolma) => Mode::Attributes,
            None if args.dedup => Mode::CleanDedup,
            None => Mode::Clean,
        },
        inputs: &args.inputs,
        output: &args.output,
        force: args.replace.force,
        from: args.from.as_deref(),
        max_removed: args.guard.max_removed,
        judging: &args.judging,
        reading: &args.reading,
    }
}

/// Rebuilds what `clean` had read.
fn put_back(global: &GlobalArgs, args: &CleanArgs, cleaned: &Path) -> Result<Status> {
    let means = Means::new(global);
    if args.output.as_os_str() == "-" {
        let error = anyhow::anyhow!("`--restore` writes files, and cannot print them");
        return Err(hinted(error, "name a new directory with `-o`"));
    }
    let output = run::output(&args.output, args.replace.force, false, &[cleaned.to_owned()])?;
    let restored = restore(cleaned, &output, means.threads)?;
    output.commit()?;
    interrupt::forget();
    match global.format {
        Format::Json => {
            print(format!("{}\n", json!({ "files": restored.files, "blocks": restored.blocks })).as_bytes())?
        }
        Format::Text => print(
            format!(
                "{} written to {}, {} put back\n",
                counted(restored.files, "file"),
                quoted(&args.output.to_string_lossy()),
                counted(restored.blocks, "block")
            )
            .as_bytes(),
        )?,
    }
    Ok(Status::Done)
}
