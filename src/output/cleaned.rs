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

use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::AtomicU64;

use rayon::prelude::*;
use serde::Serialize;

use crate::boilerplate::BoilerplateKind;
use crate::document::{Document, Skipped, Span};
use crate::files::{Compression, OutputDirectory, OutputFile};
use crate::input::chunk::{self, Chunk, text_ranges, without};
use crate::input::decode::{Charset, decode_as, detect};
use crate::input::{Container, Cut, InputFile, Source, fields, parquet as stored, text, warc};
use crate::observe::{Leg, Observer};
use crate::output::WriteError;
use crate::output::cut::widen;
use crate::output::parquet::{self, Edit};
use crate::output::schema::{DroppedRow, RemovedRow};
use crate::output::tables::append_row;

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
}

impl Mode {
    fn removes(self) -> bool {
        self != Mode::Dedup
    }

    fn drops(self) -> bool {
        self != Mode::Clean
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
    /// Documents left out: rows of `dropped`.
    pub dropped: u64,
    /// Blocks cut out: rows of `removed`.
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

/// Names that stand beside the copies in a directory, and that no copy may have.
pub(super) const TABLES: [&str; 4] = ["removed.jsonl", "dropped.jsonl", "skipped.jsonl", "summary.json"];

/// Pieces that are worked on together, by thread: enough that all threads are busy, few enough to stay small in memory.
const PIECES_PER_THREAD: usize = 4;

/// Writes the documents of `source` again as `decisions` say, one for every document, in order.
///
/// Reads the input once and holds a few pieces of it at a time. What is written does not depend on the threads. A
/// document whose encoding cannot be cut where a block ends is kept whole, and told.
///
/// # Errors
/// The decisions' own; if an output cannot be written; if documents and decisions do not fit together, or the input is
/// not what was judged; if the observer asks to stop.
pub fn rewrite<'a, E: From<WriteError> + Send>(
    source: &'a Source,
    decisions: &mut (dyn Iterator<Item = Result<Decision, E>> + Send),
    settings: &RewriteSettings,
    target: Target<'a>,
    observer: &dyn Observer,
) -> Result<Rewritten, E> {
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

/// A piece of the input, read.
enum Piece {
    Records { file: usize, chunk: Chunk, records: Vec<Record> },
    Rows { file: usize, group: usize, rows: Vec<Row>, packed_bytes: u64, trouble: Option<Skipped> },
    Texts(Vec<TextPiece>),
    Unreadable(Skipped),
}

/// A row of typed cells.
struct Row {
    text_column: Option<usize>,
    read: Result<Document, Skipped>,
}

/// A record that holds something.
struct Record {
    place: chunk::Record,
    read: Result<Document, Skipped>,
}

/// Some records of a file.
struct RecordsPiece<'a> {
    source: &'a Source,
    file: usize,
    chunk: Chunk,
    records: Vec<Record>,
}

/// A text file.
struct TextPiece {
    file: usize,
    read: Result<TextDocument, Skipped>,
}

struct TextDocument {
    document: Document,
    bytes: Vec<u8>,
    charset: Charset,
    mark: usize,
    compression: Compression,
    torn: Option<Skipped>,
}

/// What one piece gives to write, in order.
#[derive(Default)]
struct Output {
    bytes: u64,
    /// The file of JSON lines that `copy` belongs to.
    file: Option<usize>,
    copy: Vec<u8>,
    /// What becomes of the rows of a file's row group.
    rows: Option<(usize, usize, Vec<Edit>)>,
    removed: Vec<u8>,
    dropped: Vec<u8>,
    counts: Rewritten,
}

impl Piece {
    fn read(source: &Source, cut: Cut, digests: &[AtomicU64]) -> Piece {
        match cut {
            Cut::Unreadable(skipped) => Piece::Unreadable(skipped),
            Cut::Records(file, chunk) => {
                source.note_records(file, &chunk, digests);
                let mut notes = chunk::Notes::default();
                let mut read = |place: chunk::Record| {
                    let read = chunk::read_record(&chunk, &place, &source.files()[file], source.fields(), &mut notes);
                    Some(Record { read: read.transpose()?, place })
                };
                let records = chunk.records().into_iter().filter_map(&mut read).collect();
                Piece::Records { file, chunk, records }
            }
            Cut::Rows(file, piece) => {
                source.note_rows(file, &piece, digests);
                let mut notes = chunk::Notes::default();
                let stored::Piece { group, first_row, rows, packed_bytes, trouble } = piece;
                let mut read = |row: u64, cells: stored::Row| Row {
                    text_column: cells.text_column,
                    read: chunk::read_cells(cells.record, row, &source.files()[file], source.fields(), &mut notes),
                };
                let rows = (first_row..).zip(rows).map(|(row, cells)| read(row, cells)).collect();
                Piece::Rows { file, group, rows, packed_bytes, trouble }
            }
            Cut::Texts(files) => {
                Piece::Texts(files.map(|file| TextPiece { file, read: read_text(source, file, digests) }).collect())
            }
        }
    }

    fn documents(&self) -> impl Iterator<Item = &Document> {
        let documents: Box<dyn Iterator<Item = &Document>> = match self {
            Piece::Records { records, .. } => Box::new(records.iter().filter_map(|record| record.read.as_ref().ok())),
            Piece::Rows { rows, .. } => Box::new(rows.iter().filter_map(|row| row.read.as_ref().ok())),
            Piece::Texts(texts) => {
                Box::new(texts.iter().filter_map(|text| text.read.as_ref().ok().map(|text| &text.document)))
            }
            Piece::Unreadable(_) => Box::new(std::iter::empty()),
        };
        documents
    }

    /// Makes what is to be written of the piece; text files are written on the spot, since each is a file of its own.
    fn write(
        self,
        source: &Source,
        mode: Mode,
        directory: Option<&OutputDirectory>,
        decisions: Vec<Decision>,
    ) -> Result<Output, WriteError> {
        let mut output = Output::default();
        let mut decisions = decisions.into_iter();
        let mut decide = || decisions.next().expect("there is a decision for every document");
        match self {
            Piece::Unreadable(skipped) => output.counts.skipped.push(skipped),
            Piece::Records { file, chunk, records } => {
                let piece = RecordsPiece { source, file, chunk, records };
                output.write_records(piece, mode, directory.is_some(), decide)?;
            }
            Piece::Rows { file, group, rows, packed_bytes, trouble } => {
                let edits = output.edit_rows(rows, mode, directory.is_some(), decide);
                output.rows = directory.map(|_| (file, group, edits));
                output.counts.skipped.extend(trouble);
                output.bytes = packed_bytes;
            }
            Piece::Texts(texts) => {
                for text in texts {
                    let file = &source.files()[text.file];
                    output.bytes += file.bytes;
                    match text.read {
                        Err(skipped) => output.counts.skipped.push(skipped),
                        Ok(text) => {
                            output.counts.skipped.extend(text.torn.clone());
                            let decision = decide();
                            if output.keeps(mode, &text.document, &decision) {
                                write_text(text, file, mode, directory, &decision, &mut output)?;
                            }
                        }
                    }
                }
            }
        }
        Ok(output)
    }
}

impl Output {
    /// Makes what is to be written of some records.
    fn write_records(
        &mut self,
        piece: RecordsPiece<'_>,
        mode: Mode,
        to_directory: bool,
        mut decide: impl FnMut() -> Decision,
    ) -> Result<(), WriteError> {
        let RecordsPiece { source, file, chunk, records } = piece;
        if to_directory && source.files()[file].container == Container::Warc {
            return self.write_archived(source, file, chunk, records, mode, decide);
        }
        let is_json = matches!(source.files()[file].container, Container::Jsonl | Container::Json);
        let mut left_out = Vec::with_capacity(records.len());
        let mut cuts: Vec<Range<usize>> = Vec::new();
        for record in &records {
            let document = match &record.read {
                Ok(document) => document,
                Err(skipped) => {
                    self.counts.skipped.push(skipped.clone());
                    left_out.push(mode.drops());
                    continue;
                }
            };
            let decision = decide();
            let keeps = self.keeps(mode, document, &decision);
            left_out.push(!keeps);
            if !keeps {
                continue;
            }
            let removes = mode.removes() && !decision.removed.is_empty();
            if !to_directory && !is_json {
                self.print(document, &decision, removes);
            } else if removes {
                match cut_record(&chunk, &record.place, document, &decision.removed, source.fields()) {
                    Some(found) => self.cut(&found, &chunk.bytes, document, &decision, chunk.offset, &mut cuts),
                    None => self.keeps_whole(document),
                }
            }
        }
        self.counts.skipped.extend(chunk.trouble.clone());
        self.bytes = chunk.packed_bytes;
        if to_directory {
            let places: Vec<chunk::Record> = records.into_iter().map(|record| record.place).collect();
            cuts.extend(chunk.without(&places, &left_out));
            cuts.sort_unstable_by_key(|cut| cut.start);
            self.file = Some(file);
            self.copy = packed(source, file, without(&chunk.bytes, &cuts), chunk.compression)?;
        } else if is_json {
            let mut cuts = cuts.into_iter().peekable();
            for (record, _) in records.iter().zip(&left_out).filter(|(_, out)| !**out) {
                let range = record.place.range.clone();
                let within: Vec<Range<usize>> = std::iter::from_fn(|| cuts.next_if(|cut| cut.start < range.end))
                    .map(|cut| cut.start - range.start..cut.end - range.start)
                    .collect();
                let line = without(&chunk.bytes[range], &within);
                // Between its tokens JSON may be broken into lines; inside a string there is no line end.
                self.copy.extend(line.into_iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
                self.copy.push(b'\n');
            }
        }
        Ok(())
    }

    /// Writes the texts of a web archive's pages.
    fn write_archived(
        &mut self,
        source: &Source,
        file: usize,
        chunk: Chunk,
        records: Vec<Record>,
        mode: Mode,
        mut decide: impl FnMut() -> Decision,
    ) -> Result<(), WriteError> {
        for record in records {
            let document = match record.read {
                Ok(document) => document,
                // Nothing of it can be a text.
                Err(skipped) => {
                    self.counts.skipped.push(skipped);
                    continue;
                }
            };
            let decision = decide();
            if !self.keeps(mode, &document, &decision) {
                continue;
            }
            let removes = mode.removes() && !decision.removed.is_empty();
            let cuts = if removes { self.cut_out(&document, &decision) } else { Vec::new() };
            let text = without(document.text.as_bytes(), &cuts);
            let text = String::from_utf8(text).expect("spans end between characters");
            // A member each, as tools that take single records out of a packed archive need it.
            let record = warc::conversion(chunk.bytes_of(&record.place), &text);
            self.copy.extend(packed(source, file, record, chunk.compression)?);
        }
        self.counts.skipped.extend(chunk.trouble);
        self.bytes = chunk.packed_bytes;
        self.file = Some(file);
        Ok(())
    }

    /// Decides what becomes of some rows.
    fn edit_rows(
        &mut self,
        rows: Vec<Row>,
        mode: Mode,
        to_directory: bool,
        mut decide: impl FnMut() -> Decision,
    ) -> Vec<Edit> {
        let mut edits = Vec::with_capacity(rows.len());
        for row in rows {
            let document = match row.read {
                Ok(document) => document,
                Err(skipped) => {
                    self.counts.skipped.push(skipped);
                    edits.push(Edit { drops: mode.drops(), cuts: None });
                    continue;
                }
            };
            let decision = decide();
            let keeps = self.keeps(mode, &document, &decision);
            let removes = keeps && mode.removes() && !decision.removed.is_empty();
            let mut edit = Edit { drops: !keeps, cuts: None };
            if !to_directory && keeps {
                self.print(&document, &decision, removes);
            } else if removes {
                edit.cuts = row.text_column.map(|column| (column, self.cut_out(&document, &decision)));
            }
            edits.push(edit);
        }
        edits
    }

    /// Lists what is cut out of a text that is written anew; returns its ranges of the text.
    fn cut_out(&mut self, document: &Document, decision: &Decision) -> Vec<Range<usize>> {
        let spans = widened(&document.text, &decision.removed);
        for (span, block) in spans.iter().zip(&decision.removed) {
            self.removed_row(document, decision, block, *span, None, (None, None));
        }
        spans.iter().map(|span| span.range()).collect()
    }

    /// Lists a part of a text that is cut out.
    fn removed_row(
        &mut self,
        document: &Document,
        decision: &Decision,
        block: &RemovedBlock,
        span: Span,
        byte: Option<u64>,
        (raw, raw_hex): (Option<String>, Option<String>),
    ) {
        let row = RemovedRow {
            id: decision.id.clone(),
            source: document.source.to_string(),
            row: document.row,
            start: span.start as u64,
            end: span.end as u64,
            kind: block.kind.name().to_owned(),
            score: block.score,
            text: span.of(&document.text).to_owned(),
            byte,
            raw,
            raw_hex,
        };
        append_row(&row, &mut self.removed);
        self.counts.removed += 1;
        self.counts.removed_bytes += span.len() as u64;
    }

    /// Adds a document as a line of JSON, for it comes from a container that no stream can be.
    fn print(&mut self, document: &Document, decision: &Decision, removes: bool) {
        let spans = if removes { widened(&document.text, &decision.removed) } else { Vec::new() };
        self.counts.removed += spans.len() as u64;
        self.counts.removed_bytes += spans.iter().map(|span| span.len() as u64).sum::<u64>();
        let cuts: Vec<Range<usize>> = spans.iter().map(|span| span.range()).collect();
        let text = String::from_utf8(without(document.text.as_bytes(), &cuts)).expect("spans end between characters");
        append_row(&TextRecord::new(&decision.id, &text, document), &mut self.copy);
    }

    /// Counts a document, and lists it when it is dropped; returns whether it is kept.
    fn keeps(&mut self, mode: Mode, document: &Document, decision: &Decision) -> bool {
        self.counts.documents += 1;
        let kept = decision.keep || !mode.drops();
        if kept {
            self.counts.kept += 1;
            self.counts.text_bytes += document.text.len() as u64;
        } else {
            self.counts.dropped += 1;
            let dropped = decision.dropped.as_ref();
            let row = DroppedRow {
                id: decision.id.clone(),
                source: document.source.to_string(),
                row: document.row,
                kept_id: dropped.and_then(|dropped| dropped.kept_id.clone()),
                similarity: dropped.and_then(|dropped| dropped.similarity),
                relation: dropped.map(|dropped| dropped.relation.clone()),
                reason: dropped.map(|dropped| dropped.reason.clone()),
            };
            append_row(&row, &mut self.dropped);
        }
        kept
    }

    /// Lists what is cut out of a document, and adds the ranges of `bytes` that go.
    fn cut(
        &mut self,
        found: &[(Span, Range<usize>)],
        bytes: &[u8],
        document: &Document,
        decision: &Decision,
        offset: u64,
        cuts: &mut Vec<Range<usize>>,
    ) {
        for ((span, range), block) in found.iter().zip(&decision.removed) {
            let text = span.of(&document.text);
            let raw = &bytes[range.clone()];
            let (raw, raw_hex) = match std::str::from_utf8(raw) {
                _ if raw == text.as_bytes() => (None, None),
                Ok(raw) => (Some(raw.to_owned()), None),
                Err(_) => (None, Some(raw.iter().map(|byte| format!("{byte:02x}")).collect())),
            };
            let byte = Some(offset + range.start as u64);
            self.removed_row(document, decision, block, *span, byte, (raw, raw_hex));
            cuts.push(range.clone());
        }
    }

    fn keeps_whole(&mut self, document: &Document) {
        self.counts.notes.push(format!(
            "`{}`: kept whole, since it would read otherwise in its file without its boilerplate",
            document.id
        ));
    }
}

/// Packs a piece of a file as the file was packed. Nothing of a piece that is all gone is left, not even a member of no
/// bytes, but for the first one: an empty file must still be a packed one.
fn packed(source: &Source, file: usize, copy: Vec<u8>, compression: Compression) -> Result<Vec<u8>, WriteError> {
    if copy.is_empty() {
        return Ok(copy);
    }
    let path = &source.files()[file].path;
    compression.pack(copy).map_err(|source| WriteError::File { path: path.clone(), source })
}

fn read_text(source: &Source, file: usize, digests: &[AtomicU64]) -> Result<TextDocument, Skipped> {
    let read = source.read_text(file, digests)?;
    let of = &source.files()[file];
    if of.is_written_anew() {
        let (document, _) = text::document(read.bytes, of)?;
        let bytes = document.text.clone().into_bytes();
        let (compression, torn) = (read.compression, read.torn);
        return Ok(TextDocument { document, bytes, charset: Charset::Utf8, mark: 0, compression, torn });
    }
    let (charset, mark) = detect(&read.bytes).map_err(|found| of.no_text(found))?;
    let text = decode_as(&read.bytes[mark..], charset).into_owned();
    let document = of.text_document(text);
    Ok(TextDocument { document, bytes: read.bytes, charset, mark, compression: read.compression, torn: read.torn })
}

/// Writes the copy of a text file, or its record where everything goes into one stream.
fn write_text(
    text: TextDocument,
    file: &InputFile,
    mode: Mode,
    directory: Option<&OutputDirectory>,
    decision: &Decision,
    output: &mut Output,
) -> Result<(), WriteError> {
    let mut cuts = Vec::new();
    if mode.removes() && !decision.removed.is_empty() && file.is_written_anew() {
        cuts = output.cut_out(&text.document, decision);
    } else if mode.removes() && !decision.removed.is_empty() {
        match cut_text(&text.bytes, text.charset, text.mark, &text.document.text, &decision.removed) {
            Some(found) => {
                output.cut(&found, &text.bytes, &text.document, decision, 0, &mut cuts);
            }
            None => output.keeps_whole(&text.document),
        }
    }
    let copy = if cuts.is_empty() { text.bytes } else { without(&text.bytes, &cuts) };
    let Some(directory) = directory else {
        let decoded = decode_as(&copy[text.mark..], text.charset);
        append_row(&TextRecord::new(&decision.id, &decoded, &text.document), &mut output.copy);
        return Ok(());
    };
    let packed = text.compression.pack(copy).map_err(|source| WriteError::File { path: file.path.clone(), source })?;
    let mut out = directory.create_file(&file.copy_path())?;
    out.put(&packed)?;
    out.finish()?;
    Ok(())
}

/// A text file's document as a record.
#[derive(Serialize)]
struct TextRecord<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<&'a str>,
    text: &'a str,
}

impl<'a> TextRecord<'a> {
    fn new(id: &'a str, text: &'a str, document: &'a Document) -> TextRecord<'a> {
        TextRecord {
            id,
            url: document.url.as_deref(),
            site: document.site.as_deref(),
            title: document.title.as_deref(),
            date: document.date.as_deref(),
            text,
        }
    }
}

/// What goes for every block: its span of the text, and its range of the bytes that the text was read from.
type Found = Vec<(Span, Range<usize>)>;

/// Finds what goes of a text file; none if what stays would not read as the text that stays.
fn cut_text(bytes: &[u8], charset: Charset, mark: usize, text: &str, removed: &[RemovedBlock]) -> Option<Found> {
    let spans = widened(text, removed);
    let ranges = text_ranges(bytes, charset, mark, text, &spans)?;
    Some(spans.into_iter().zip(ranges).collect())
}

/// As [`cut_text`], for a record of a chunk.
fn cut_record(
    chunk: &Chunk,
    place: &chunk::Record,
    document: &Document,
    removed: &[RemovedBlock],
    fields: &fields::Fields,
) -> Option<Found> {
    let spans = widened(&document.text, removed);
    let ranges = chunk.ranges_of(place, &document.text, &spans, fields)?;
    Some(spans.into_iter().zip(ranges).collect())
}

/// Returns what goes of a text with the blocks that are removed.
fn widened(text: &str, removed: &[RemovedBlock]) -> Vec<Span> {
    widen(text, &removed.iter().map(|block| block.span).collect::<Vec<_>>())
}

/// Writes outputs in order.
struct Writer<'a> {
    source: &'a Source,
    target: Target<'a>,
    removed: Option<OutputFile>,
    dropped: Option<OutputFile>,
    /// The file of JSON lines that is being written.
    open: Option<(usize, OutputFile, bool)>,
    /// The Parquet file that is being written.
    open_rows: Option<(usize, parquet::Copy<OutputFile>)>,
}

impl<'a> Writer<'a> {
    fn new(source: &'a Source, mode: Mode, target: Target<'a>) -> Result<Writer<'a>, WriteError> {
        let mut writer = Writer { source, target, removed: None, dropped: None, open: None, open_rows: None };
        if let Target::Directory(directory) = &writer.target {
            if let Some(input) = source.file_in(directory.target()) {
                return Err(WriteError::OverInput { path: directory.target().to_owned(), input });
            }
            for name in TABLES {
                if source.files().iter().any(|file| file.copy_path() == Path::new(name)) {
                    return Err(WriteError::Collision { name });
                }
            }
            let table = |wanted: bool, name: &str| wanted.then(|| directory.create_file(Path::new(name))).transpose();
            writer.removed = table(mode.removes(), "removed.jsonl")?;
            writer.dropped = table(mode.drops(), "dropped.jsonl")?;
        }
        Ok(writer)
    }

    fn directory(&self) -> Option<&'a OutputDirectory> {
        if let Target::Directory(directory) = &self.target { Some(directory) } else { None }
    }

    fn put(&mut self, output: Output, rewritten: &mut Rewritten) -> Result<(), WriteError> {
        rewritten.add(output.counts);
        for (table, bytes) in [(&mut self.removed, &output.removed), (&mut self.dropped, &output.dropped)] {
            if let Some(table) = table {
                table.put(bytes)?;
            }
        }
        let directory = match &mut self.target {
            Target::Stream(stream) => {
                return stream.write_all(&output.copy).map_err(|source| WriteError::Stream { source });
            }
            Target::Directory(directory) => *directory,
        };
        if let Some((number, group, edits)) = output.rows {
            return self.put_rows(number, group, edits, directory);
        }
        let Some(number) = output.file else { return Ok(()) };
        if self.open.as_ref().is_none_or(|(open, _, _)| *open != number) {
            self.close()?;
            let file = directory.create_file(&self.source.files()[number].copy_path())?;
            self.open = Some((number, file, false));
        }
        let (_, file, written) = self.open.as_mut().expect("it was opened above");
        *written |= !output.copy.is_empty();
        Ok(file.put(&output.copy)?)
    }

    /// Writes what becomes of rows of a Parquet file.
    fn put_rows(
        &mut self,
        number: usize,
        group: usize,
        edits: Vec<Edit>,
        directory: &OutputDirectory,
    ) -> Result<(), WriteError> {
        let input = &self.source.files()[number];
        if self.open_rows.as_ref().is_none_or(|(open, _)| *open != number) {
            self.close()?;
            let file = directory.create_file(&input.relative)?;
            let copy = parquet::copy(input, file).map_err(|error| not_copied(input, &error))?;
            self.open_rows = Some((number, copy));
        }
        let (_, copy) = self.open_rows.as_mut().expect("it was opened above");
        copy.put(group, edits).map_err(|error| not_copied(input, &error))
    }

    /// Ends the file that is being written.
    fn close(&mut self) -> Result<(), WriteError> {
        if let Some((number, copy)) = self.open_rows.take() {
            let file = copy.finish().map_err(|error| not_copied(&self.source.files()[number], &error))?;
            file.finish()?;
        }
        let Some((number, mut file, written)) = self.open.take() else { return Ok(()) };
        if !written {
            let input = &self.source.files()[number];
            let empty = input.compression().and_then(|compression| compression.pack(Vec::new()));
            file.put(&empty.map_err(|source| WriteError::File { path: input.path.clone(), source })?)?;
        }
        Ok(file.finish()?)
    }

    fn finish(mut self) -> Result<(), WriteError> {
        self.close()?;
        for table in [self.removed, self.dropped].into_iter().flatten() {
            table.finish()?;
        }
        if let Target::Stream(stream) = self.target {
            stream.flush().map_err(|source| WriteError::Stream { source })?;
        }
        Ok(())
    }
}

fn not_copied(input: &InputFile, error: &dyn std::error::Error) -> WriteError {
    WriteError::Copy { input: input.source.to_string(), what: error.to_string() }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::SourceSettings;
    use crate::observe::Silent;
    use crate::output::{FinishedScan, Restored, restore};
    use std::fs;
    use std::path::PathBuf;

    /// Decides that every line that says "Subscribe" goes, and every document that says "copy" is dropped.
    fn decide(source: &Source) -> Vec<Result<Decision, WriteError>> {
        let mut decisions = Vec::new();
        let mut pass = crate::document::DocumentSource::pass(source).unwrap();
        while let Some(batch) = pass.next_batch().unwrap() {
            for document in batch.parse().documents {
                let mut removed = Vec::new();
                let mut at = 0;
                for line in document.text.split_inclusive('\n') {
                    if line.contains("Subscribe") {
                        let span = Span::new(at, at + line.trim_end().len());
                        removed.push(RemovedBlock { span, kind: BoilerplateKind::Newsletter, score: 0.75 });
                    }
                    at += line.len();
                }
                let keep = !document.text.contains("copy");
                let dropped = (!keep).then(|| DroppedDocument {
                    kept_id: Some("first".to_owned()),
                    similarity: Some(1.0),
                    relation: "identical".to_owned(),
                    reason: "identical to `first`".to_owned(),
                });
                decisions.push(Ok(Decision { id: document.id, keep, removed, dropped }));
            }
        }
        decisions
    }

    struct Case {
        root: tempfile::TempDir,
    }

    impl Case {
        fn new(files: &[(&str, Vec<u8>)]) -> Case {
            let root = tempfile::tempdir().unwrap();
            for (name, bytes) in files {
                let path = root.path().join("in").join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, bytes).unwrap();
            }
            Case { root }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.root.path().join(name)
        }

        fn source(&self) -> Source {
            Source::open(&[self.path("in")], &SourceSettings::default()).unwrap()
        }

        fn rewrite(&self, mode: Mode, threads: usize) -> Result<Rewritten, WriteError> {
            let source = self.source();
            let mut decisions = decide(&source).into_iter();
            let settings = RewriteSettings { mode, digests: Some(source.digests()), threads };
            let _ = fs::remove_dir_all(self.path("out"));
            let directory = OutputDirectory::create(&self.path("out"), false)?;
            let rewritten = rewrite(&source, &mut decisions, &settings, Target::Directory(&directory), &Silent)?;
            directory.create_file(Path::new("summary.json"))?.put(b"{\"retold\": \"clean\"}")?;
            directory.commit()?;
            Ok(rewritten)
        }

        fn restore(&self) -> Result<Restored, WriteError> {
            let _ = fs::remove_dir_all(self.path("again"));
            let directory = OutputDirectory::create(&self.path("again"), false)?;
            let restored = restore(&self.path("out"), &directory, 2)?;
            directory.commit()?;
            Ok(restored)
        }

        fn unpacked(&self, name: &str) -> Vec<u8> {
            let mut bytes = Vec::new();
            let mut file = crate::files::open(&self.path(name), u64::MAX).unwrap();
            std::io::Read::read_to_end(&mut file, &mut bytes).unwrap();
            bytes
        }
    }

    fn latin(text: &str) -> Vec<u8> {
        encoding_rs::WINDOWS_1252.encode(text).0.into_owned()
    }

    fn utf16(text: &str) -> Vec<u8> {
        [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    }

    const TABLE: &str = "\u{feff}id;text;note\r\n1;\"One \"\"so\"\".\nSubscribe \"\"now\"\"\n\nTwo; three.\";\"a \"\"b\"\"\"\r\n\r\n2;;Subscribe\r\n3;plain;x";
    const TABLE_CLEAN: &str =
        "\u{feff}id;text;note\r\n1;\"One \"\"so\"\".\n\nTwo; three.\";\"a \"\"b\"\"\"\r\n\r\n2;;Subscribe\r\n3;plain;x";
    const TABS: &str =
        "text\turl\n\"L'\u{e9}cole a ferm\u{e9} apr\u{e8}s l'\u{e9}t\u{e9}.\nSubscribe d\u{e8}s aujourd'hui\n\"\tu\n";
    const TABS_CLEAN: &str = "text\turl\n\"L'\u{e9}cole a ferm\u{e9} apr\u{e8}s l'\u{e9}t\u{e9}.\n\"\tu\n";
    const LIST: &str = "[\n  {\"text\": \"One.\\nSubscribe\\nTwo.\", \"n\": 1},\n  {\"text\": \"Three.\"}\n]\n";

    /// Inputs with what `clean` makes of them.
    fn inputs() -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
        let french = "L'\u{e9}cole a ferm\u{e9} apr\u{e8}s l'\u{e9}t\u{e9}.\nSubscribe d\u{e8}s aujourd'hui\nLa mairie l'a annonc\u{e9}.\n";
        let french_clean = french.replace("Subscribe d\u{e8}s aujourd'hui\n", "");
        let escaped = "{\"id\":\"x\" , \"other\": [1.50,\"\\u00e9\"],\"text\" :\"One \\\"\\u00e9\\ud83d\\ude00\\\".\\n\\nSubscribe \\u0026 \\/win\\n\\nTwo.\",\"z\":null}\r\n\n{\"text\":\"Three.\"}";
        let escaped_clean = "{\"id\":\"x\" , \"other\": [1.50,\"\\u00e9\"],\"text\" :\"One \\\"\\u00e9\\ud83d\\ude00\\\".\\n\\nTwo.\",\"z\":null}\r\n\n{\"text\":\"Three.\"}";
        let broken = "not JSON: Subscribe\n{\"text\": \"Four.\\nSubscribe\"}\n";
        let broken_clean = "not JSON: Subscribe\n{\"text\": \"Four.\\n\"}\n";
        let line = |text: &str| latin(&format!("{{\"text\": \"{}\", \"n\": 1}}\n", text.replace('\n', "\\n")));
        let gzip = |bytes: &str| Compression::Gzip.pack(bytes.as_bytes().to_vec()).unwrap();
        let zstd = |bytes: &str| Compression::Zstd.pack(bytes.as_bytes().to_vec()).unwrap();
        vec![
            ("a/plain.txt", b"One.\n\nSubscribe now\n\nTwo.\n".to_vec(), b"One.\n\nTwo.\n".to_vec()),
            ("a/crlf.txt", b"One.\r\nSubscribe\r\nTwo.".to_vec(), b"One.\r\nTwo.".to_vec()),
            ("b/mark.txt", b"\xef\xbb\xbfSubscribe\nOne.\n".to_vec(), b"\xef\xbb\xbfOne.\n".to_vec()),
            ("b/latin.txt", latin(french), latin(&french_clean)),
            ("b/utf16.txt", utf16(french), utf16(&french_clean)),
            (
                "b/broken.txt",
                b"Caf\xc3\xa9 Caf\xc3\xa9 Caf\xc3\xa9 Caf\xc3\xa9\nSubscribe \xff\nend\n".to_vec(),
                b"Caf\xc3\xa9 Caf\xc3\xa9 Caf\xc3\xa9 Caf\xc3\xa9\nend\n".to_vec(),
            ),
            ("empty.txt", Vec::new(), Vec::new()),
            ("all.txt", b"Subscribe".to_vec(), Vec::new()),
            ("escaped.jsonl", escaped.as_bytes().to_vec(), escaped_clean.as_bytes().to_vec()),
            ("escaped.jsonl.gz", gzip(escaped), escaped_clean.as_bytes().to_vec()),
            ("escaped.ndjson.zst", zstd(escaped), escaped_clean.as_bytes().to_vec()),
            ("plain.txt.gz", gzip("One.\nSubscribe\n"), b"One.\n".to_vec()),
            ("broken.jsonl", broken.as_bytes().to_vec(), broken_clean.as_bytes().to_vec()),
            ("latin.jsonl", line(french), line(&french_clean)),
            ("none.jsonl.gz", gzip(""), Vec::new()),
            ("table.csv.gz", gzip(TABLE), TABLE_CLEAN.as_bytes().to_vec()),
            ("table.tsv", latin(TABS), latin(TABS_CLEAN)),
            ("list.json", LIST.as_bytes().to_vec(), LIST.replace("Subscribe\\n", "").into_bytes()),
        ]
    }

    #[test]
    fn cleaned_copies_keep_every_other_byte_and_restore_puts_all_back() {
        let inputs = inputs();
        let case = Case::new(&inputs.iter().map(|(name, bytes, _)| (*name, bytes.clone())).collect::<Vec<_>>());
        for threads in [1, 4] {
            let rewritten = case.rewrite(Mode::Clean, threads).unwrap();
            assert_eq!((rewritten.removed, rewritten.dropped, rewritten.skipped.len()), (16, 0, 1));
            assert!(rewritten.notes.is_empty(), "{:?}", rewritten.notes);
            for (name, bytes, clean) in &inputs {
                let copy = case.unpacked(&format!("out/{name}"));
                assert_eq!(copy, *clean, "{name}: {}", String::from_utf8_lossy(&copy));
                let packed = fs::read(case.path(&format!("out/{name}"))).unwrap();
                assert_eq!(Compression::of_magic(&packed), Compression::of_magic(bytes), "{name}");
            }
            let restored = case.restore().unwrap();
            assert_eq!(restored, Restored { files: inputs.len() as u64, blocks: 16 });
            for (name, _, _) in &inputs {
                assert_eq!(case.unpacked(&format!("again/{name}")), case.unpacked(&format!("in/{name}")), "{name}");
            }
        }
    }

    #[test]
    fn removed_says_what_was_cut_out_of_text_and_file() {
        let case = Case::new(&[("a.jsonl", b"{\"text\":\"One.\\nSubscribe\\nTwo.\"}\n".to_vec())]);
        case.rewrite(Mode::Clean, 1).unwrap();
        assert_eq!(
            fs::read_to_string(case.path("out/removed.jsonl")).unwrap(),
            "{\"id\":\"a.jsonl:0\",\"source\":\"a.jsonl\",\"row\":0,\"start\":5,\"end\":15,\"kind\":\"newsletter\",\
             \"score\":0.75,\"text\":\"Subscribe\\n\",\"byte\":15,\"raw\":\"Subscribe\\\\n\"}\n"
        );
    }

    #[test]
    fn dedup_keeps_container_fields_and_order_and_lists_what_it_drops() {
        let lines = "\u{feff}{\"text\":\"a copy\"}\n{\"id\": 1, \"text\":\"One.\\nSubscribe\"}\r\nbroken\n{\"text\":\"a copy\"}\n{\"text\":\"Two.\"}";
        let case = Case::new(&[
            ("a.jsonl", lines.as_bytes().to_vec()),
            ("b.txt", b"a copy".to_vec()),
            ("c.txt", b"Three.".to_vec()),
        ]);
        let rewritten = case.rewrite(Mode::Dedup, 2).unwrap();
        assert_eq!((rewritten.documents, rewritten.kept, rewritten.dropped, rewritten.removed), (6, 3, 3, 0));
        assert_eq!(
            String::from_utf8(case.unpacked("out/a.jsonl")).unwrap(),
            "\u{feff}{\"id\": 1, \"text\":\"One.\\nSubscribe\"}\r\n{\"text\":\"Two.\"}"
        );
        assert!(!case.path("out/b.txt").exists() && case.path("out/c.txt").exists());
        let dropped = fs::read_to_string(case.path("out/dropped.jsonl")).unwrap();
        assert_eq!(dropped.lines().count(), 3);
        assert_eq!(
            dropped.lines().next().unwrap(),
            "{\"id\":\"a.jsonl:0\",\"source\":\"a.jsonl\",\"row\":0,\"kept_id\":\"first\",\"similarity\":1.0,\
             \"relation\":\"identical\",\"reason\":\"identical to `first`\"}"
        );
        assert!(!case.path("out/removed.jsonl").exists());
        case.rewrite(Mode::CleanDedup, 2).unwrap();
        assert!(String::from_utf8(case.unpacked("out/a.jsonl")).unwrap().contains("\"One.\\n\""));
        assert!(matches!(case.restore(), Err(WriteError::OtherRun { .. })));
    }

    #[test]
    fn rows_and_members_that_are_dropped_leave_a_table_and_a_list() {
        let case = Case::new(&[
            ("a.csv", b"id,text\n1,a copy\n2,\"One,\n2\"\n3,a copy\nx\n".to_vec()),
            ("b.json", b"[{\"text\": \"a copy\"},\n {\"text\": \"Two.\"}, {\"text\": \"a copy\"}]\n".to_vec()),
        ]);
        let rewritten = case.rewrite(Mode::Dedup, 2).unwrap();
        assert_eq!((rewritten.kept, rewritten.dropped, rewritten.skipped.len()), (2, 4, 1));
        assert_eq!(case.unpacked("out/a.csv"), b"id,text\n2,\"One,\n2\"\n");
        assert_eq!(case.unpacked("out/b.json"), b"[{\"text\": \"Two.\"}]\n");
    }

    #[test]
    fn a_stream_takes_records_and_texts_as_records() {
        let case = Case::new(&[
            ("c.csv", b"url,text\nu,\"One.\nSubscribe\"\n".to_vec()),
            ("d.json", b"{\"x\": 1,\n \"text\":\"One.\\nSubscribe\"}".to_vec()),
            ("a.jsonl", b"\xef\xbb\xbf{\"x\": 1, \"text\":\"One.\\nSubscribe\"}".to_vec()),
            ("b.txt", latin("\u{c9}t\u{e9} \u{e0} l'\u{e9}cole.\nSubscribe\n")),
        ]);
        let source = case.source();
        let mut stream = Vec::new();
        let settings = RewriteSettings { mode: Mode::Clean, digests: None, threads: 2 };
        rewrite(&source, &mut decide(&source).into_iter(), &settings, Target::Stream(&mut stream), &Silent).unwrap();
        assert_eq!(
            String::from_utf8(stream).unwrap(),
            "{\"x\": 1, \"text\":\"One.\\n\"}\n{\"id\":\"b.txt\",\"text\":\"\u{c9}t\u{e9} \u{e0} l'\u{e9}cole.\\n\"}\n\
             {\"id\":\"c.csv:0\",\"url\":\"u\",\"text\":\"One.\\n\"}\n{\"x\": 1,  \"text\":\"One.\\n\"}\n"
        );
    }

    #[test]
    fn what_does_not_fit_together_is_refused_and_leaves_nothing() {
        let case = Case::new(&[("a.txt", b"One.".to_vec()), ("b.txt", b"Two.".to_vec())]);
        let source = case.source();
        type Decisions = Vec<Result<Decision, WriteError>>;
        let attempt = |change: &dyn Fn(&mut Decisions), digests: Option<Vec<u64>>| {
            let mut decisions = decide(&source);
            change(&mut decisions);
            let settings = RewriteSettings { mode: Mode::Clean, digests, threads: 1 };
            let directory = OutputDirectory::create(&case.path("out"), false).unwrap();
            let target = Target::Directory(&directory);
            rewrite(&source, &mut decisions.into_iter(), &settings, target, &Silent).unwrap_err()
        };
        let error = attempt(&|decisions| decisions.swap(0, 1), None);
        assert!(error.to_string().ends_with("found one for `b.txt`, where document `a.txt` was read"), "{error}");
        assert!(matches!(attempt(&|decisions| decisions.truncate(1), None), WriteError::Decisions { .. }));
        let more = decide(&source).pop().unwrap().unwrap();
        assert!(matches!(attempt(&|decisions| decisions.push(Ok(more.clone())), None), WriteError::Decisions { .. }));
        assert!(matches!(attempt(&|_| (), Some(vec![1, 2])), WriteError::Changed { .. }));
        assert!(!case.path("out").exists() && !case.path("out.partial").exists());
    }

    #[test]
    fn a_finished_scan_decides_as_its_tables_say() {
        let case = Case::new(&[("a.txt", b"One.\nSubscribe\n".to_vec()), ("b.txt", b"One.\n".to_vec())]);
        let source = case.source();
        decide(&source);
        let inputs: Vec<crate::output::Input> = source
            .files()
            .iter()
            .zip(source.digests())
            .map(|(file, digest)| crate::output::Input {
                source: file.source.to_string(),
                bytes: file.bytes,
                digest: format!("{digest:016x}"),
            })
            .collect();
        let scan = case.path("scan");
        fs::create_dir(&scan).unwrap();
        let summary = crate::output::Summary {
            retold: "scan".to_owned(),
            schema: crate::output::SCHEMA,
            inputs,
            ..Default::default()
        };
        fs::write(scan.join("summary.json"), serde_json::to_vec(&summary).unwrap()).unwrap();
        let document = |id: &str, keep: bool, similarity: &str| {
            format!(
                "{{\"id\":\"{id}\",\"source\":\"{id}\",\"row\":0,\"words\":1,\"content_words\":1,\"text_hash\":\"\",\
                 \"cluster_id\":\"a.txt\",\"cluster_size\":2,\"keep\":{keep},\"role\":\"duplicate\",\
                 \"representative\":\"a.txt\",\"similarity\":{similarity},\"relation\":\"near\"}}\n"
            )
        };
        fs::write(scan.join("documents.jsonl"), document("a.txt", true, "null") + &document("b.txt", false, "0.75"))
            .unwrap();
        let block = |kind: &str, removed: bool| {
            format!("{{\"id\":\"a.txt\",\"start\":5,\"end\":14,\"kind\":{kind},\"score\":0.5,\"removed\":{removed}}}\n")
        };
        fs::write(scan.join("blocks.jsonl"), block("null", false) + &block("\"newsletter\"", true)).unwrap();

        let finished = FinishedScan::open(&scan).unwrap();
        let digests = finished.check(&source).unwrap();
        assert_eq!(digests, source.digests());
        let decisions: Vec<Decision> =
            finished.decisions(|| finished.documents()).unwrap().map(Result::unwrap).collect();
        assert_eq!(decisions[0].removed.len(), 1);
        assert_eq!(decisions[1].dropped.as_ref().unwrap().kept_id.as_deref(), Some("a.txt"));
        let settings = RewriteSettings { mode: Mode::CleanDedup, digests: Some(digests), threads: 1 };
        let directory = OutputDirectory::create(&case.path("out"), false).unwrap();
        let mut decisions = finished.decisions(|| finished.documents()).unwrap();
        rewrite(&source, &mut decisions, &settings, Target::Directory(&directory), &Silent).unwrap();
        directory.commit().unwrap();
        assert_eq!(case.unpacked("out/a.txt"), b"One.\n");

        fs::write(case.path("in/a.txt"), "One.").unwrap();
        let error = finished.check(&case.source()).unwrap_err();
        assert_eq!(error.to_string(), "`a.txt`: has changed since it was judged");
        let other = crate::output::Summary { schema: crate::output::SCHEMA + 1, ..summary };
        fs::write(scan.join("summary.json"), serde_json::to_vec(&other).unwrap()).unwrap();
        assert!(matches!(FinishedScan::open(&scan), Err(WriteError::OtherSchema { .. })));
        fs::write(scan.join("summary.json"), "{}").unwrap();
        assert!(matches!(FinishedScan::open(&scan), Err(WriteError::Table { .. })));
    }

    #[test]
    fn an_output_over_the_input_and_a_copy_with_a_table_s_name_are_refused() {
        let case = Case::new(&[("a.txt", b"One.".to_vec()), ("summary.json", b"{\"retold\": 1}".to_vec())]);
        let source = case.source();
        let settings = RewriteSettings { mode: Mode::Clean, digests: None, threads: 1 };
        let attempt = |source: &Source, target: &str| {
            let directory = OutputDirectory::create(&case.path(target), true).unwrap();
            let target = Target::Directory(&directory);
            rewrite(source, &mut decide(source).into_iter(), &settings, target, &Silent).unwrap_err()
        };
        assert!(matches!(attempt(&source, "in"), WriteError::OverInput { .. }));
        fs::write(case.path("removed.jsonl"), "{\"text\": \"mine\"}").unwrap();
        let named = Source::open(&[case.path("removed.jsonl")], &SourceSettings::default()).unwrap();
        assert!(matches!(attempt(&named, "out"), WriteError::Collision { .. }));
    }
}
