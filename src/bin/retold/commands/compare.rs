//! `compare`: what changed between two scans.

use anyhow::Result;
use retold::report::{Change, Comparison, compare};

use crate::args::{CompareArgs, Format, GlobalArgs};
use crate::commands::{Status, print};
use crate::diagnostics::Paint;
use crate::finished;
use crate::render::{WIDTH, count, counted, cut, wrap};

/// Compares.
pub fn run(global: &GlobalArgs, args: &CompareArgs) -> Result<Status> {
    let found = compare(&finished::open(&args.before)?, &finished::open(&args.after)?)?;
    match global.format {
        Format::Json => {
            let mut text = serde_json::to_vec_pretty(&found)?;
            text.push(b'\n');
            print(&text)?;
        }
        Format::Text => print(text(&found, args.top, Paint::new(global.color, &std::io::stdout())).as_bytes())?,
    }
    Ok(Status::Done)
}

/// Returns the comparison as lines for people.
fn text(found: &Comparison, top: usize, paint: Paint) -> String {
    let mut out = format!("{} before, {} after\n", counted(found.before, "document"), count(found.after));
    let kinds = [
        (found.new, "new"),
        (found.gone, "gone"),
        (found.text, "with another text"),
        (found.cluster, "in a cluster of other members"),
        (found.kept, "with another kept copy"),
        (found.removed, "of which something else is removed"),
    ];
    let changed: Vec<_> = kinds.iter().filter(|(documents, _)| *documents > 0).collect();
    if changed.is_empty() {
        out.push_str(&format!("\n{}\n", paint.bold("Nothing changed for any document.")));
    } else {
        out.push_str(&format!("\n{}\n", paint.bold("Changed:")));
    }
    for (documents, name) in &changed {
        out.push_str(&format!("  {:>9}  {name}\n", count(*documents)));
    }
    let mut causes = Vec::new();
    for (name, before, after) in &found.settings {
        causes.push(format!("setting `{name}`: {before} before, {after} after"));
    }
    for (name, before, after) in &found.versions {
        causes.push(format!("version of {}: {before} before, {after} after", name.replace('_', " ")));
    }
    if !found.inputs.is_empty() {
        let named = found.inputs.iter().take(top).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let more = found.inputs.len().saturating_sub(top);
        let more = if more > 0 { format!(" and {} more", count(more as u64)) } else { String::new() };
        causes.push(format!("{}: {named}{more}", counted(found.inputs.len() as u64, "input")));
    }
    if !causes.is_empty() {
        out.push_str(&format!("\n{}\n", paint.bold("What differs between the runs:")));
        for cause in &causes {
            for (at, line) in wrap(cause, WIDTH - 4).iter().enumerate() {
                out.push_str(&format!("{}{line}\n", if at == 0 { "  " } else { "    " }));
            }
        }
    }
    if !found.causes.is_empty() {
        out.push_str(&format!("\n{}\n", paint.bold("Documents by what may have changed them:")));
        for (cause, documents) in &found.causes {
            out.push_str(&format!("  {:>9}  {cause}\n", count(*documents)));
        }
    }
    if !found.changes.is_empty() && top > 0 {
        out.push('\n');
        for change in found.changes.iter().take(top) {
            out.push_str(&format!("{}\n", cut(&line(change), WIDTH)));
        }
        let more = found.changed.saturating_sub(top as u64);
        if more > 0 {
            let more = count(more);
            out.push_str(&format!(
                "  … and {more} more: `--top N` shows them, `--format json` lists the first 1,000\n"
            ));
        }
    }
    out
}

fn line(change: &Change) -> String {
    let size = match change.cluster_size {
        [Some(before), Some(after)] if before != after => format!(", cluster of {before} before, of {after} after"),
        _ => String::new(),
    };
    format!("  {}: {}{size} ({})", change.id, change.what.join(", "), change.causes.join(" or "))
}
