//! What becomes of a piece of the input: the bytes of its copy, and the rows of `removed` and `dropped`.

use std::ops::Range;

use serde::Serialize;

use crate::document::{Document, Span};
use crate::files::{Compression, OutputDirectory};
use crate::input::chunk::{self, Chunk};
use crate::input::decode::{Charset, decode_as};
use crate::input::ranges::{text_ranges, without};
use crate::input::{Container, InputFile, Source, fields, warc};
use crate::output::WriteError;
use crate::output::cleaned::attributes;
use crate::output::cleaned::piece::{Piece, Record, Row, TextDocument};
use crate::output::cleaned::{Decision, Mode, RemovedBlock, Rewritten, widened};
use crate::output::rows::Edit;
use crate::output::schema::{DroppedRow, RemovedRow};
use crate::output::tables::append_row;

/// What one piece gives to write, in order.
#[derive(Default)]
pub(super) struct Output {
    pub(super) bytes: u64,
    /// The file of JSON lines that `copy` belongs to.
    pub(super) file: Option<usize>,
    pub(super) copy: Vec<u8>,
    /// What becomes of the rows of a file's row group.
    pub(super) rows: Option<(usize, usize, Vec<Edit>)>,
    pub(super) removed: Vec<u8>,
    pub(super) dropped: Vec<u8>,
    pub(super) counts: Rewritten,
}

/// Some records of a file.
struct RecordsPiece<'a> {
    source: &'a Source,
    file: usize,
    chunk: Chunk,
    records: Vec<Record>,
}

impl Piece {
    /// Makes what is to be written of the piece; text files are written on the spot, since each is a file of its own.
    pub(super) fn write(
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
                if mode == Mode::Attributes {
                    output.write_attributes(piece, directory.is_some(), decide)?;
                    return Ok(output);
                }
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

    /// Says what would become of some records.
    fn write_attributes(
        &mut self,
        piece: RecordsPiece<'_>,
        to_directory: bool,
        mut decide: impl FnMut() -> Decision,
    ) -> Result<(), WriteError> {
        let RecordsPiece { source, file, chunk, records } = piece;
        let mut lines = Vec::new();
        for record in records {
            let bytes = chunk.bytes_of(&record.place);
            let document = match record.read {
                Ok(document) => document,
                Err(skipped) => {
                    self.counts.skipped.push(skipped);
                    attributes::append(bytes, None, &mut lines);
                    continue;
                }
            };
            let decision = decide();
            attributes::append(bytes, Some((&document, &decision)), &mut lines);
            self.counts.documents += 1;
            self.counts.kept += 1;
            self.counts.dropped += u64::from(!decision.keep);
            self.counts.removed += decision.removed.len() as u64;
            self.counts.text_bytes += document.text.len() as u64;
            let spans = widened(&document.text, &decision.removed);
            self.counts.removed_bytes += spans.iter().map(|span| span.len() as u64).sum::<u64>();
        }
        self.counts.skipped.extend(chunk.trouble.clone());
        self.bytes = chunk.packed_bytes;
        self.file = Some(file);
        self.copy = if to_directory { packed(source, file, lines, chunk.compression)? } else { lines };
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
    pub(super) fn cut_out(&mut self, document: &Document, decision: &Decision) -> Vec<Range<usize>> {
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
    pub(super) fn keeps(&mut self, mode: Mode, document: &Document, decision: &Decision) -> bool {
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
    let path = source.files()[file].place.shown();
    compression.pack(copy).map_err(|source| WriteError::File { path: path.clone(), source })
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
    let packed = text.compression.pack(copy).map_err(|source| WriteError::File { path: file.place.shown(), source })?;
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
