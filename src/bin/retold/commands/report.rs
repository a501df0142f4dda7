//! `report`: a finished scan as a page to look at.

use std::io::Write;
use std::path::Path;

use anyhow::Result;
use retold::Error;
use retold::document::{Document, DocumentSource};
use retold::files::{FileError, NewFile};
use retold::input::Source;
use retold::observe::Observer;
use retold::output::{FinishedScan, Tables};
use retold::report::{Limits, TextRow, Texts, compare, page};

use crate::args::{GlobalArgs, ReportArgs};
use crate::commands::Status;
use crate::finished;
use crate::interrupt;
use crate::progress::{StandardError, Talk};
use crate::render::{count, counted, size};
use crate::run::{self, Means};

/// Writes the page.
pub fn run(global: &GlobalArgs, args: &ReportArgs) -> Result<Status> {
    let means = Means::new(global);
    let talk = Talk::new(StandardError::new(global));
    // A directory that holds no scan is told before a file is begun.
    let scan = finished::open(&args.scan)?;
    let read = finished::paths(scan.summary()).unwrap_or_default();
    let file = run::new_file(&args.output, args.replace.force, &read)?;
    write(&args.scan, args.since.as_deref(), file, &|scan| inputs(scan, &means, &talk), &talk)?;
    Ok(Status::Done)
}

/// Writes the page of the scan in `directory`, with what changed since an earlier one; `open` opens its inputs.
pub fn write(
    directory: &Path,
    since: Option<&Path>,
    mut file: NewFile,
    open: &dyn Fn(&FinishedScan) -> Result<Source>,
    talk: &Talk,
) -> Result<()> {
    interrupt::remember(file.path());
    let scan = finished::open(directory)?;
    let changes = since.map(finished::open).transpose()?.map(|earlier| compare(&earlier, &scan)).transpose()?;
    let source = if has_texts(&scan) { None } else { at_hand(open(&scan), talk) };
    let texts = match &source {
        Some(source) => Texts::Inputs(source),
        None if has_texts(&scan) => Texts::Kept,
        None => Texts::Nowhere,
    };
    let made = page(&scan, &texts, changes.as_ref(), &Limits::default())?;
    file.write_all(made.html.as_bytes()).map_err(FileError::write(file.path()))?;
    file.commit()?;
    interrupt::forget();
    talk.note(&format!(
        "the page shows {} of {} with {}, {}",
        count(made.clusters as u64),
        counted(made.all_clusters, "cluster"),
        counted(made.texts as u64, "text"),
        size(made.html.len() as u64)
    ));
    if made.changed + made.missing > 0 {
        let told = |number: usize, one: &'static str, more: &'static str| if number == 1 { one } else { more };
        talk.warn(&format!(
            "{} {} changed since the scan and {} {} gone: the page shows what the scan wrote of them",
            counted(made.changed as u64, "text"),
            told(made.changed, "has", "have"),
            count(made.missing as u64),
            told(made.missing, "is", "are")
        ));
    }
    Ok(())
}

/// Stores the texts of all documents as the table `texts`.
pub fn keep_texts(tables: &Tables, source: &Source) -> Result<(), Error> {
    let mut pass = source.pass()?;
    let mut batch: std::vec::IntoIter<Document> = Vec::new().into_iter();
    let rows = std::iter::from_fn(|| {
        loop {
            if let Some(document) = batch.next() {
                let source = document.source.to_string();
                return Some(Ok(TextRow { source, row: document.row, text: document.text }));
            }
            match pass.next_batch() {
                Ok(Some(next)) => batch = next.parse().documents.into_iter(),
                Ok(None) => return None,
                Err(error) => return Some(Err(Error::from(error))),
            }
        }
    });
    tables.write_table("texts", rows)?;
    Ok(())
}

fn has_texts(scan: &FinishedScan) -> bool {
    scan.directory().join("texts.jsonl").is_file()
}

/// Returns the inputs of a scan, as far as any of them can still be read.
pub fn inputs(scan: &FinishedScan, means: &Means, talk: &Talk) -> Result<Source> {
    Ok(run::find(&finished::paths(scan.summary())?, &finished::source_settings(scan.summary(), means)?, 1, talk)?)
}

/// Returns inputs if they could be opened, or tells why not.
fn at_hand(opened: Result<Source>, talk: &Talk) -> Option<Source> {
    match opened {
        Ok(source) => Some(source),
        Err(error) => {
            talk.warn(&format!("the page has no texts: {error:#}; `scan --keep-texts` stores them"));
            None
        }
    }
}
