//! Decisions applied to documents one by one, for callers that write them in a form of their own: a data frame, a database.

use crate::document::{Document, DocumentSource};
use crate::input::Source;
use crate::input::ranges::without;
use crate::observe::{Leg, Observer};
use crate::output::WriteError;
use crate::output::cleaned::outcome::Output;
use crate::output::cleaned::{Decision, Mode, RewriteSettings, Rewritten, check};

/// A document with what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The id, unique in the run.
    pub id: String,
    /// The document as read.
    pub document: Document,
    /// Whether it is kept.
    pub keeps: bool,
    /// Its text, where something of it is cut out; none: it stays as it is.
    pub text: Option<String>,
}

/// What applying decisions has given, beside the documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppliedTables {
    /// Counts, and what could not be read.
    pub rewritten: Rewritten,
    /// The table `removed`, as lines of JSON.
    pub removed: Vec<u8>,
    /// The table `dropped`, as lines of JSON.
    pub dropped: Vec<u8>,
}

/// Applies decisions to the documents of `source`, one for every document, in order; `each` takes them.
///
/// Does what [`crate::output::rewrite`] does, but for the writing: the same is cut out of the same texts.
///
/// # Errors
/// The decisions' own; if documents and decisions do not fit together, or the input is not what was judged; if the observer
/// asks to stop; and for [`Mode::Attributes`], which are lines beside lines.
pub fn apply<E: From<WriteError>>(
    source: &Source,
    decisions: &mut dyn Iterator<Item = Result<Decision, E>>,
    settings: &RewriteSettings,
    observer: &dyn Observer,
    each: &mut dyn FnMut(Applied),
) -> Result<AppliedTables, E> {
    let mode = settings.mode;
    if mode == Mode::Attributes {
        let input = source.files().first().map(|file| file.source.to_string()).unwrap_or_default();
        return Err(WriteError::NoLines { input }.into());
    }
    observer.begin(Leg::Write, source.bytes());
    let mut output = Output::default();
    let failed = |error: crate::document::SourceError| WriteError::Decisions { what: error.to_string() };
    let mut pass = source.pass().map_err(failed)?;
    while let Some(batch) = pass.next_batch().map_err(failed)? {
        if observer.stopped() {
            return Err(WriteError::Stopped.into());
        }
        let parsed = batch.parse();
        output.counts.skipped.extend(parsed.skipped);
        output.counts.notes.extend(parsed.notes);
        observer.advance(parsed.bytes, parsed.documents.len() as u64);
        for document in parsed.documents {
            let decision = decisions
                .next()
                .ok_or_else(|| WriteError::Decisions { what: format!("none for document `{}`", document.id) })??;
            check(&decision, &document)?;
            let keeps = output.keeps(mode, &document, &decision);
            let text = (keeps && mode.removes() && !decision.removed.is_empty()).then(|| {
                let cuts = output.cut_out(&document, &decision);
                let text = without(document.text.as_bytes(), &cuts);
                String::from_utf8(text).expect("spans end between characters")
            });
            each(Applied { id: decision.id, document, keeps, text });
        }
    }
    drop(pass);
    if let Some(decision) = decisions.next() {
        return Err(WriteError::Decisions { what: format!("one for `{}`, which was not read", decision?.id) }.into());
    }
    if let Some(expected) = &settings.digests
        && let Some(file) = source.digests().iter().zip(expected).position(|(now, then)| now != then)
    {
        return Err(WriteError::Changed { input: source.files()[file].source.to_string() }.into());
    }
    Ok(AppliedTables { rewritten: output.counts, removed: output.removed, dropped: output.dropped })
}
