//! The input again, in the shape it came in: without boilerplate, without duplicates, or both.
//!
//! Files keep their relative path, name, encoding and compression; records keep their fields and order. Nothing is
//! written anew: what goes is cut out of the bytes as they were read, so that what stays is what was read.
//!
//! ```text
//! cuts of the input ──parse──▶ pieces ──decisions──▶ byte ranges to cut ──▶ copies · removed · dropped
//! ```
//!
//! A record that could not be read is no document and has no decision: `clean` copies its line as it is, `dedup`, which
//! writes the kept documents only, leaves it out; it stands in `skipped` either way. So does a file that could not be
//! read, of which there is no copy.

#![allow(
    clippy::result_large_err,
    reason = "an error is a row of `skipped`, no larger than the document it stands for"
)]

mod applied;

mod attributes;

mod piece;

mod outcome;

mod writer;

#[cfg(test)]
mod tests;

pub use applied::{Applied, AppliedTables, apply};

use std::io::Write;

use rayon::prelude::*;

use crate::boilerplate::BoilerplateKind;
use crate::document::{Document, Skipped, Span};
use crate::files::OutputDirectory;
use crate::input::{Container, Cut, Source};
use crate::observe::{Leg, Observer};
use crate::output::WriteError;
use crate::output::cut::widen;
use piece::Piece;
use writer::Writer;

/// What is to be done with one document: what `clean` takes from it, and whether `dedup` keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The document's id.
    pub id: String,
    /// Whether `dedup` keeps it.
    pub keep: bool,
    /// The blocks that `clean` takes, in order.
    pub removed: Vec<RemovedBlock>,
    /// Why it is dropped, when it is.
    pub dropped: Option<DroppedDocument>,
}

/// A block that `clean` takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RemovedBlock {
    /// Where it stands in the text.
    pub span: Span,
    /// What it is.
    pub kind: BoilerplateKind,
    /// Probability that it is boilerplate.
    pub score: f64,
}

/// Why a document is dropped.
#[derive(Clone, Debug, PartialEq)]
pub struct DroppedDocument {
    /// Id of the document or reference kept in its place; none when none is.
    pub kept_id: Option<String>,
    /// Similarity to its representative or reference; none when that was not measured.
    pub similarity: Option<f64>,
    /// What it is to its representative.
    pub relation: String,
    /// In words.
    pub reason: String,
}

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Every document, without its boilerplate.
    Clean,
    /// The kept documents, as they are.
    Dedup,
    /// The kept documents, without their boilerplate.
    CleanDedup,
    /// No document: for each a line that says what the others would take out of it, and whether they would drop it, for
    /// the mixer of the dolma toolkit.
    Attributes,
}

impl Mode {
    fn removes(self) -> bool {
        matches!(self, Mode::Clean | Mode::CleanDedup)
    }

    fn drops(self) -> bool {
        matches!(self, Mode::Dedup | Mode::CleanDedup)
    }
}

/// How the input is written again.
#[derive(Clone, Debug)]
pub struct RewriteSettings {
    /// What is written.
    pub mode: Mode,
    /// The digest of every file as it was judged ([`Source::digests`]): a file that reads otherwise now is an error.
    pub digests: Option<Vec<u64>>,
    /// Threads that may be busy at once.
    pub threads: usize,
}

/// Where it is written.
pub enum Target<'a> {
    /// Files of the same names, and the tables `removed` and `dropped`, in a directory.
    Directory(&'a OutputDirectory),
    /// Records as JSON lines, those of text files as objects with `id`, `text` and what else is known; no tables.
    Stream(&'a mut (dyn Write + Send)),
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rewritten {
    /// Documents of the input.
    pub documents: u64,
    /// Documents written.
    pub kept: u64,
    /// Documents left out: rows of `dropped`; of attributes, documents said to be duplicates.
    pub dropped: u64,
    /// Blocks cut out: rows of `removed`; of attributes, blocks said to be boilerplate.
    pub removed: u64,
    /// Bytes of text in the documents written, before anything was cut out of them.
    pub text_bytes: u64,
    /// Bytes of text cut out of them.
    pub removed_bytes: u64,
    /// What could not be read, in order.
    pub skipped: Vec<Skipped>,
    /// Things worth telling, in order.
    pub notes: Vec<String>,
}

impl Rewritten {
    fn add(&mut self, more: Rewritten) {
        self.documents += more.documents;
        self.kept += more.kept;
        self.dropped += more.dropped;
        self.removed += more.removed;
        self.text_bytes += more.text_bytes;
        self.removed_bytes += more.removed_bytes;
        self.skipped.extend(more.skipped);
        self.notes.extend(more.notes);
    }
}

/// Names that stand beside the copies in a directory, and that no copy may have.
pub(in crate::output) const TABLES: [&str; 4] = ["removed.jsonl", "dropped.jsonl", "skipped.jsonl", "summary.json"];

/// Pieces that are worked on together, by thread: enough that all threads are busy, few enough to stay small in memory.
const PIECES_PER_THREAD: usize = 4;

/// Writes the documents of `source` again as `decisions` say, one for every document, in order.
///
/// Reads the input once and holds a few pieces of it at a time. What is written does not depend on the threads. A
/// document whose encoding cannot be cut where a block ends is kept whole, and told.
///
/// # Errors
/// The decisions' own; if an output cannot be written; if the source is a table in memory, of which there is no copy; if documents and decisions do not fit together, or the input is
/// not what was judged; if the observer asks to stop.
pub fn rewrite<'a, E: From<WriteError> + Send>(
    source: &'a Source,
    decisions: &mut (dyn Iterator<Item = Result<Decision, E>> + Send),
    settings: &RewriteSettings,
    target: Target<'a>,
    observer: &dyn Observer,
) -> Result<Rewritten, E> {
    if let Some(table) = source.files().iter().find(|file| file.container == Container::Held) {
        return Err(WriteError::Held { input: table.source.to_string() }.into());
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(settings.threads)
        .build()
        .map_err(|error| WriteError::Threads { source: std::io::Error::other(error) })?;
    observer.begin(Leg::Write, crate::document::DocumentSource::bytes(source));
    let mut writer = Writer::new(source, settings.mode, target)?;
    let mut cuts = source.cuts();
    let digests = cuts.digests.clone();
    let wave = settings.threads.max(1) * PIECES_PER_THREAD;
    let take = |cuts: &mut dyn Iterator<Item = Cut>| cuts.take(wave).collect::<Vec<_>>();
    let mut rewritten = Rewritten::default();
    let mut now = take(&mut cuts);
    while !now.is_empty() {
        if observer.stopped() {
            return Err(WriteError::Stopped.into());
        }
        // The next pieces are unpacked while these are parsed.
        let (next, pieces) = pool.install(|| {
            rayon::join(
                || take(&mut cuts),
                || now.into_par_iter().map(|cut| Piece::read(source, cut, &digests)).collect::<Vec<_>>(),
            )
        });
        now = next;
        if let Some(error) = source.failure() {
            return Err(WriteError::Source(error).into());
        }
        let mut decided = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let mut for_piece = Vec::new();
            for document in piece.documents() {
                let decision = decisions
                    .next()
                    .ok_or_else(|| WriteError::Decisions { what: format!("none for document `{}`", document.id) })??;
                check(&decision, document)?;
                for_piece.push(decision);
            }
            decided.push((piece, for_piece));
        }
        let (mode, directory) = (settings.mode, writer.directory());
        let written = pool.install(|| {
            decided
                .into_par_iter()
                .map(|(piece, decisions)| piece.write(source, mode, directory, decisions))
                .collect::<Result<Vec<_>, WriteError>>()
        })?;
        for output in written {
            observer.advance(output.bytes, output.counts.documents);
            writer.put(output, &mut rewritten)?;
        }
    }
    if let Some(decision) = decisions.next() {
        return Err(WriteError::Decisions { what: format!("one for `{}`, which was not read", decision?.id) }.into());
    }
    if let Some(error) = source.failure() {
        return Err(WriteError::Source(error).into());
    }
    if let Some(expected) = &settings.digests {
        let changed = source.digests().iter().zip(expected).position(|(now, then)| now != then);
        if let Some(file) = changed {
            return Err(WriteError::Changed { input: source.files()[file].source.to_string() }.into());
        }
    }
    writer.finish()?;
    Ok(rewritten)
}

/// Checks that a decision is about a document. The pipeline tells equal ids apart as `id#2`.
fn check(decision: &Decision, document: &Document) -> Result<(), WriteError> {
    let rest = decision.id.strip_prefix(document.id.as_str());
    let same = rest.is_some_and(|rest| {
        rest.is_empty() || rest.strip_prefix('#').is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    });
    let fits = decision.removed.iter().all(|block| document.text.get(block.span.range()).is_some());
    let ascending = decision.removed.windows(2).all(|pair| pair[0].span.start <= pair[1].span.start);
    if same && fits && ascending {
        return Ok(());
    }
    Err(WriteError::Decisions { what: format!("one for `{}`, where document `{}` was read", decision.id, document.id) })
}

/// Returns what goes of a text with the blocks that are removed.
fn widened(text: &str, removed: &[RemovedBlock]) -> Vec<Span> {
    widen(text, &removed.iter().map(|block| block.span).collect::<Vec<_>>())
}
