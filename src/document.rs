//! The words everything else is said in: a document as read, where it stands, and parts of its text.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The place of a document in the run's order: 0 for the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentId(pub u32);

impl DocumentId {
    /// Returns the ordinal as an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Bytes `start..end` of a document's text as read (decoded to UTF-8, byte order mark excluded).
///
/// Spans never move: normalizing changes what a token is compared as, never where it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// Returns the span `start..end`.
    pub fn new(start: usize, end: usize) -> Span {
        debug_assert!(start <= end, "a span does not run backwards");
        Span { start, end }
    }

    /// Returns the length in bytes.
    pub fn len(self) -> usize {
        self.end - self.start
    }

    /// Returns whether the span holds no byte.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Returns the span as a range, for slicing.
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }

    /// Returns the part of `text` that the span covers.
    ///
    /// # Panics
    /// If the span is not one of this text.
    pub fn of(self, text: &str) -> &str {
        &text[self.range()]
    }
}

/// A document as read: its text and what its record said about it.
///
/// Empty and null fields are missing. `id` is unique in the run, and so is `(source, row)`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// The id given by the record, or made from its place.
    pub id: String,
    /// The id path of the file it came from: `/`-separated, relative to the input given.
    pub source: Arc<str>,
    /// Its number in that file, 0 for the first.
    pub row: u64,
    /// Its address.
    pub url: Option<String>,
    /// Where it is from: the field, or the registrable domain of the address, or read from the path.
    pub site: Option<String>,
    /// Its title as a field said it. Not a line of the text.
    pub title: Option<String>,
    /// Its date as the field said it.
    pub date: Option<String>,
    /// What its record says in the field inside whose values documents are compared, when one is asked for.
    pub within: Option<String>,
    /// The text, decoded to UTF-8, without a byte order mark.
    pub text: String,
}

/// An input or a record that could not be read: one row of the table `skipped`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// The id path of the file, or the path as given.
    pub source: String,
    /// The record's number in it, 0 for the first; none when the whole input is meant.
    pub row: Option<u64>,
    /// The byte of the (decompressed) input where the trouble lies, when known.
    pub byte: Option<u64>,
    /// The field or column that is meant, when one is.
    #[serde(default)]
    pub field: Option<String>,
    /// What is wrong, for people: what was expected, what was found.
    pub reason: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The record as read, when it is small.
    pub raw: Option<String>,
}

impl Skipped {
    /// Returns the row of an input that cannot be read at all.
    pub(crate) fn whole(source: String, reason: impl Into<String>, hint: &str) -> Skipped {
        let (reason, hint) = (reason.into(), Some(hint.to_owned()));
        Skipped { source, row: None, byte: None, field: None, reason, hint, raw: None }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.source)?;
        if let Some(row) = self.row {
            write!(f, ", {} {}", numbered(&self.source), row + 1)?;
        }
        if let Some(byte) = self.byte {
            write!(f, ", byte {byte}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// Returns what the numbers of a file's records count, by the file's name: its lines, or the records themselves.
pub(crate) fn numbered(source: &str) -> &'static str {
    const COUNTED: [&str; 7] = [".csv", ".tsv", ".json", ".parquet", ".warc", ".wet", ".arrow"];
    let name = source.rsplit('/').next().unwrap_or(source);
    let bare = [".gz", ".zst", ".bz2", ".xz"].into_iter().find_map(|packed| name.strip_suffix(packed)).unwrap_or(name);
    if COUNTED.iter().any(|suffix| bare.ends_with(suffix)) { "record" } else { "line" }
}

/// Documents that can be read several times, in one order: what the pipeline runs over.
///
/// The pipeline reads its input once per pass instead of keeping a copy, so every pass must give the same documents in
/// the same order. Files implement this in `input`; a caller with documents in memory uses [`Documents`].
pub trait DocumentSource: Sync {
    /// Begins a pass over all documents.
    ///
    /// # Errors
    /// If the input cannot be opened again.
    fn pass(&self) -> Result<Box<dyn DocumentPass + Send + '_>, SourceError>;

    /// Begins a pass where an earlier one stood, maybe in another process, after `batches` batches; `mark` is what it said
    /// then ([`DocumentPass::mark`]). By default those batches are taken and dropped.
    ///
    /// # Errors
    /// If the input cannot be opened again.
    fn pass_from(&self, batches: u64, mark: &str) -> Result<Box<dyn DocumentPass + Send + '_>, SourceError> {
        let _ = mark;
        let mut pass = self.pass()?;
        for _ in 0..batches {
            pass.next_batch()?;
        }
        Ok(pass)
    }

    /// Returns the bytes that a pass reads, as far as known: for progress alone.
    fn bytes(&self) -> Option<u64> {
        None
    }
}

/// One pass: batches in order. Taking a batch is cheap and happens under a lock; parsing it is the worker's job.
pub trait DocumentPass {
    /// Returns the next batch, or none at the end.
    ///
    /// # Errors
    /// If the input can no longer be read at all. A broken file or record is no error here: the batch reports it.
    fn next_batch(&mut self) -> Result<Option<Box<dyn Batch + Send>>, SourceError>;

    /// Returns where the pass stands, for [`DocumentSource::pass_from`]: asked when all batches taken are parsed.
    fn mark(&self) -> String {
        String::new()
    }
}

/// Some consecutive documents, not yet parsed.
pub trait Batch {
    /// Parses the batch: its documents in order, and what could not be read.
    fn parse(self: Box<Self>) -> Parsed;
}

/// A parsed batch.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The documents, in order.
    pub documents: Vec<Document>,
    /// Records and inputs that could not be read, in order.
    pub skipped: Vec<Skipped>,
    /// Things worth telling that cost nothing: another encoding, a repeated id.
    pub notes: Vec<String>,
    /// Bytes of input that the batch took, for progress.
    pub bytes: u64,
    /// A hash of those bytes, so that a later pass notices a changed input.
    pub digest: u64,
    /// Whether these are references: documents that others are matched with, and of which nothing is written. They come
    /// after all others, see [`Against`].
    pub reference: bool,
}

/// The input as a whole failed: not a record, not one file among others.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    /// What and where.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// Why.
    #[source]
    pub cause: Option<std::io::Error>,
}

/// Documents in memory, as a source.
///
/// ```
/// use retold::{Document, Documents};
/// let documents = Documents::new(vec![Document { id: "a".into(), text: "One line.".into(), ..Document::default() }]);
/// assert_eq!(documents.len(), 1);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Documents {
    documents: Vec<Document>,
}

impl Documents {
    /// Takes documents in the order they are to be judged in.
    pub fn new(documents: Vec<Document>) -> Documents {
        Documents { documents }
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }
}

/// Documents per batch of [`Documents`]: enough to make a lock cheap, few enough to feed several threads.
const BATCH: usize = 64;

impl DocumentSource for Documents {
    fn pass(&self) -> Result<Box<dyn DocumentPass + Send + '_>, SourceError> {
        Ok(Box::new(DocumentsPass { rest: &self.documents }))
    }
}

/// Documents, and references after them: what is new, what repeats something known.
///
/// References are read and judged like all others, and a document that tells the same as one of them is known. They are
/// never in a cluster, kept or dropped. The id and source of a reference begin with the name of where it is from, and a
/// colon.
///
/// ```
/// use retold::document::Against;
/// use retold::{Document, DocumentSource, Documents};
/// let page = |id: &str| Document { id: id.into(), text: "One line.".into(), ..Document::default() };
/// let (today, known) = (Documents::new(vec![page("a")]), Documents::new(vec![page("a")]));
/// let both = Against { documents: &today, references: vec![("known".into(), &known)] };
/// let mut pass = both.pass()?;
/// let mut ids = Vec::new();
/// while let Some(batch) = pass.next_batch()? {
///     ids.extend(batch.parse().documents.into_iter().map(|document| document.id));
/// }
/// assert_eq!(ids, ["a", "known:a"]);
/// # Ok::<(), retold::document::SourceError>(())
/// ```
pub struct Against<'a> {
    /// What is judged.
    pub documents: &'a dyn DocumentSource,
    /// What is known, by the name that its ids begin with.
    pub references: Vec<(String, &'a dyn DocumentSource)>,
}

impl DocumentSource for Against<'_> {
    fn pass(&self) -> Result<Box<dyn DocumentPass + Send + '_>, SourceError> {
        let documents = Reading { pass: self.documents.pass()?, batches: 0 };
        Ok(Box::new(AgainstPass { name: None, rest: self.references.iter(), sources: vec![documents] }))
    }

    fn pass_from(&self, _batches: u64, mark: &str) -> Result<Box<dyn DocumentPass + Send + '_>, SourceError> {
        let marks: Vec<(u64, String)> = serde_json::from_str(mark).unwrap_or_default();
        let Some(((batches, mark), of_references)) =
            marks.split_first().filter(|(_, of)| of.len() <= self.references.len())
        else {
            return Err(SourceError {
                message: "the references are not those of the interrupted run".to_owned(),
                hint: Some("run once without `--resume` to begin anew".to_owned()),
                cause: None,
            });
        };
        let mut sources = vec![Reading { pass: self.documents.pass_from(*batches, mark)?, batches: *batches }];
        let mut rest = self.references.iter();
        let mut name = None;
        for ((batches, mark), (known_as, source)) in of_references.iter().zip(rest.by_ref()) {
            sources.push(Reading { pass: source.pass_from(*batches, mark)?, batches: *batches });
            name = Some(known_as.as_str().into());
        }
        Ok(Box::new(AgainstPass { name, rest, sources }))
    }

    fn bytes(&self) -> Option<u64> {
        let references = self.references.iter().map(|(_, source)| *source);
        std::iter::once(self.documents).chain(references).map(DocumentSource::bytes).sum()
    }
}

struct AgainstPass<'a> {
    /// The name of the references being read; none before them.
    name: Option<Arc<str>>,
    rest: std::slice::Iter<'a, (String, &'a dyn DocumentSource)>,
    /// Every source up to the one being read: where a finished one stands is known when its last batch is parsed.
    sources: Vec<Reading<'a>>,
}

struct Reading<'a> {
    pass: Box<dyn DocumentPass + Send + 'a>,
    batches: u64,
}

impl DocumentPass for AgainstPass<'_> {
    fn next_batch(&mut self) -> Result<Option<Box<dyn Batch + Send>>, SourceError> {
        loop {
            let now = self.sources.last_mut().expect("the documents are the first");
            if let Some(batch) = now.pass.next_batch()? {
                now.batches += 1;
                return Ok(Some(match &self.name {
                    None => batch,
                    Some(name) => Box::new(ReferenceBatch { name: name.clone(), batch }),
                }));
            }
            let Some((name, source)) = self.rest.next() else { return Ok(None) };
            self.sources.push(Reading { pass: source.pass()?, batches: 0 });
            self.name = Some(name.as_str().into());
        }
    }

    fn mark(&self) -> String {
        let marks: Vec<(u64, String)> = self.sources.iter().map(|one| (one.batches, one.pass.mark())).collect();
        serde_json::to_string(&marks).expect("numbers and texts are JSON")
    }
}

struct ReferenceBatch {
    name: Arc<str>,
    batch: Box<dyn Batch + Send>,
}

impl Batch for ReferenceBatch {
    fn parse(self: Box<Self>) -> Parsed {
        let mut parsed = self.batch.parse();
        let named = |text: &str| format!("{}:{text}", self.name);
        let mut source: (Arc<str>, Arc<str>) = Default::default();
        for document in &mut parsed.documents {
            document.id = named(&document.id);
            if document.source != source.0 || source.1.is_empty() {
                source = (document.source.clone(), named(&document.source).into());
            }
            document.source = source.1.clone();
        }
        for skipped in &mut parsed.skipped {
            skipped.source = named(&skipped.source);
        }
        parsed.reference = true;
        parsed
    }
}

struct DocumentsPass<'a> {
    rest: &'a [Document],
}

impl DocumentPass for DocumentsPass<'_> {
    fn next_batch(&mut self) -> Result<Option<Box<dyn Batch + Send>>, SourceError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (now, rest) = self.rest.split_at(self.rest.len().min(BATCH));
        self.rest = rest;
        Ok(Some(Box::new(DocumentsBatch { documents: now.to_vec() })))
    }
}

struct DocumentsBatch {
    documents: Vec<Document>,
}

impl Batch for DocumentsBatch {
    fn parse(self: Box<Self>) -> Parsed {
        let bytes = self.documents.iter().map(|document| document.text.len() as u64).sum();
        Parsed { documents: self.documents, bytes, ..Parsed::default() }
    }
}
