//! A table: a row is a record, its first row names the columns.
//!
//! Rows and cells are found in the bytes as they stand, so that a cell's text can be cut out of them. What is a cell is what
//! RFC 4180 says, and beyond that what programs write: any line end, other delimiters, quotes in cells that do not begin
//! with one. A row whose quotes do not close as they should is read once more with its quotes as characters; if it has the
//! columns of the table then, that is what they are.

use std::borrow::Cow;
use std::io::Read;
use std::ops::Range;

use crate::document::{Skipped, Span};
use crate::input::InputFile;
use crate::input::chunk::Record;
use crate::input::chunks::open_input;
use crate::input::decode::{Charset, decode_as, detect, detected};
use crate::input::fields::{self, Field, Fields, Value};
use crate::input::parse::{Trouble, Values};
use crate::input::ranges::{ends, raw_ranges, without};

/// Bytes that the first row must fit in.
const HEAD_BYTES: u64 = 1 << 20;

/// Delimiters that tables are written with, the likelier first.
const DELIMITERS: [(u8, &str); 4] = [(b',', "commas"), (b';', "semicolons"), (b'\t', "tabs"), (b'|', "vertical bars")];

/// How a table is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    delimiter: u8,
    columns: Vec<String>,
}

/// A cell of a row: where its value stands, quotes excluded.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cell {
    range: Range<usize>,
    quoted: bool,
    /// Whether quotes in it are doubled.
    doubled: bool,
}

/// A row found in some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    /// Where its last cell ends, closing quote included.
    body_end: usize,
    /// Where its line end ends.
    end: usize,
    /// Why it has no cells, if it has none.
    wrong: Option<&'static str>,
}

impl Layout {
    /// Reads how a table is written from its first row.
    ///
    /// # Errors
    /// If it names no column that holds a text.
    pub fn read(file: &InputFile, fields: &Fields, memory_bytes: u64) -> Result<Layout, Skipped> {
        let mut head = Vec::new();
        let reader = open_input(file, memory_bytes)?;
        // A tear is told where it stands, by whoever reads the rows.
        let _ = reader.take(HEAD_BYTES).read_to_end(&mut head);
        let is_tabbed = file.source.to_ascii_lowercase().contains(".tsv");
        let layout = Layout::of_head(&head, is_tabbed, (head.len() as u64) < HEAD_BYTES);
        let is_text = |name: &String| fields.meanings(name).iter().any(|meaning| meaning.field == Field::Text);
        // An empty file is a table without rows; UTF-16 is told by whoever reads the rows.
        let is_wide = memchr::memchr2(0, b'\n', &head).is_some_and(|at| head[at] == 0);
        if layout.columns.iter().any(is_text) || head.trim_ascii().is_empty() || is_wide {
            return Ok(layout);
        }
        let asked = fields.text_names();
        let seen: Vec<String> = layout.columns.iter().map(|name| format!("`{name}`")).collect();
        let found = if seen.is_empty() { "none".to_owned() } else { seen.join(", ") };
        let reason = format!("expected a column `{}` in its first row, found {found}", asked[0]);
        let hint = "name the column of the text with `--text-field`; the first row must name the columns";
        Err(file.skipped(None, None, reason, Some(hint.to_owned())))
    }

    /// Takes the delimiter by which the first row names a text, or else parts it into most cells.
    fn of_head(head: &[u8], is_tabbed: bool, is_whole: bool) -> Layout {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        let mut layouts: Vec<Layout> = DELIMITERS
            .iter()
            .filter_map(|(delimiter, _)| {
                let mut cells = Vec::new();
                let row = next_row(head, blank_lines(head, 0), *delimiter, None, is_whole, &mut cells)?;
                if row.wrong.is_some() {
                    return None;
                }
                let columns = cells.iter().map(|cell| text_of(head, cell).trim().to_owned()).collect();
                Some(Layout { delimiter: *delimiter, columns })
            })
            .collect();
        layouts.sort_by_key(|layout| {
            let tabs = is_tabbed && layout.delimiter == b'\t' && layout.columns.len() > 1;
            let names_text = layout.columns.iter().any(|name| Field::Text.names().contains(&name.as_str()));
            std::cmp::Reverse((tabs, names_text && layout.columns.len() > 1, layout.columns.len()))
        });
        let none = Layout { delimiter: b',', columns: Vec::new() };
        layouts.into_iter().next().unwrap_or(none)
    }

    /// Returns where the last whole row of `bytes` ends, 0 if none does, and how many rows of data stand before that.
    pub fn whole(&self, bytes: &[u8], has_header: bool) -> (usize, u64) {
        let (mut end, mut rows) = (0, 0);
        let mut is_header = has_header;
        let mut at = start_of(bytes, has_header);
        let mut cells = Vec::with_capacity(self.columns.len());
        while let Some(row) = self.row_at(bytes, &mut at, false, &mut cells) {
            end = row.end;
            rows += u64::from(!std::mem::take(&mut is_header));
        }
        (end, rows)
    }

    /// Returns where a row that never ends is cut off: at its first line end.
    pub fn give_up(&self, bytes: &[u8]) -> Option<usize> {
        let start = blank_lines(bytes, 0);
        let at = start + memchr::memchr2(b'\n', b'\r', &bytes[start..])?;
        line_end(bytes, at, false)
    }

    /// Returns the rows of data in whole rows.
    pub fn rows(&self, bytes: &[u8], has_header: bool, first_row: u64) -> Vec<Record> {
        let mut at = start_of(bytes, has_header);
        let mut cells = Vec::with_capacity(self.columns.len());
        if has_header {
            self.row_at(bytes, &mut at, true, &mut cells);
        }
        let mut records = Vec::new();
        loop {
            at = blank_lines(bytes, at);
            let start = at;
            let Some(row) = self.row_at(bytes, &mut at, true, &mut cells) else { return records };
            let number = first_row + records.len() as u64;
            records.push(Record { row: number, range: start..row.body_end, end: row.end });
        }
    }

    fn row_at(&self, bytes: &[u8], at: &mut usize, is_whole: bool, cells: &mut Vec<Cell>) -> Option<Row> {
        let columns = Some(self.columns.len());
        let row = next_row(bytes, blank_lines(bytes, *at), self.delimiter, columns, is_whole, cells)?;
        *at = row.end;
        Some(row)
    }

    /// Finds the cells of one row.
    fn cells(&self, bytes: &[u8]) -> Result<Vec<Cell>, Trouble> {
        let trouble = |reason: String| Trouble {
            reason,
            hint: Some("repair the row; the others are read".to_owned()),
            column: Some(0),
            field: None,
            is_text: true,
        };
        let mut cells = Vec::with_capacity(self.columns.len());
        let row = next_row(bytes, 0, self.delimiter, Some(self.columns.len()), true, &mut cells);
        if let Some(wrong) = row.and_then(|row| row.wrong) {
            return Err(trouble(wrong.to_owned()));
        }
        if cells.len() == self.columns.len() {
            return Ok(cells);
        }
        let delimiter =
            DELIMITERS.iter().find(|(known, _)| *known == self.delimiter).map_or("commas", |(_, name)| name);
        let (expected, found) = (self.columns.len(), cells.len());
        Err(trouble(format!("expected {expected} cells separated by {delimiter}, as in the first row, found {found}")))
    }

    /// Reads the cells of one row that mean something.
    pub(super) fn read_row(&self, bytes: &[u8], fields: &Fields) -> Result<Values, Trouble> {
        let cells = self.cells(bytes)?;
        let (charset, text) = detected(bytes).map_err(|found| Trouble::no_text("a row of a table", found))?;
        let mut record = fields::Record::default();
        for (name, cell) in self.columns.iter().zip(&cells) {
            let Some((last, others)) = fields.meanings(name).split_last() else { continue };
            let text = match text {
                // Delimiters and quotes are characters of their own, so that cells begin and end between characters.
                Some(row) => unquoted(Cow::Borrowed(&row[cell.range.clone()]), cell),
                None => value(bytes, cell, charset),
            };
            let value = if text.is_empty() { Value::Missing } else { Value::Given(text) };
            for meaning in others {
                record.offer(*meaning, value.clone());
            }
            record.offer(*last, value);
        }
        Ok(Values { record, note: charset.note() })
    }

    /// Explains a row without a text.
    pub(super) fn no_text(&self, fields: &Fields, found: &str) -> Trouble {
        let name = &fields.text_names()[0];
        Trouble {
            reason: format!("expected a cell in column `{name}`, found {found}"),
            hint: Some(
                "name the column of the text with `--text-field`; the first row must name the columns".to_owned(),
            ),
            column: Some(0),
            field: Some(name.clone()),
            is_text: true,
        }
    }

    /// Finds where parts of the text stand in a row's bytes.
    pub fn ranges_of(&self, bytes: &[u8], text: &str, spans: &[Span], fields: &Fields) -> Option<Vec<Range<usize>>> {
        let cells = self.cells(bytes).ok()?;
        let (charset, _) = detect(bytes).ok()?;
        let named = self.columns.iter().zip(&cells).filter_map(|(name, cell)| {
            let meaning = fields.meanings(name).iter().find(|meaning| meaning.field == Field::Text)?;
            Some((meaning.rank, cell))
        });
        let (_, cell) = named.filter(|(_, cell)| value(bytes, cell, charset) == text).min_by_key(|(rank, _)| *rank)?;
        let raw = &bytes[cell.range.clone()];
        let decoded = decode_as(raw, charset);
        let offsets = value_offsets(&decoded, cell.doubled, &ends(spans));
        let ranges = raw_ranges(raw, charset, 0, &decoded, &offsets)?;
        let left = without(raw, &ranges);
        // A bare cell must not begin with a quote, nor be all there is on its line and empty.
        if !cell.quoted && (left.starts_with(b"\"") || (left.is_empty() && cells.len() == 1)) {
            return None;
        }
        let start = cell.range.start;
        Some(ranges.into_iter().map(|range| start + range.start..start + range.end).collect())
    }
}

fn start_of(bytes: &[u8], has_header: bool) -> usize {
    if has_header && bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 }
}

/// Returns where the line ends that stand at `at` end: a row of no cells is none.
fn blank_lines(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|byte| !matches!(byte, b'\n' | b'\r')).map_or(bytes.len(), |more| at + more)
}

fn text_of(bytes: &[u8], cell: &Cell) -> String {
    let (charset, _) = detect(bytes).unwrap_or((Charset::BrokenUtf8, 0));
    value(bytes, cell, charset)
}

fn value(bytes: &[u8], cell: &Cell, charset: Charset) -> String {
    unquoted(decode_as(&bytes[cell.range.clone()], charset), cell)
}

fn unquoted(text: Cow<'_, str>, cell: &Cell) -> String {
    if cell.doubled { text.replace("\"\"", "\"") } else { text.into_owned() }
}

/// Returns where the characters at ascending `offsets` of a cell's value begin in the cell as written.
fn value_offsets(raw: &str, doubled: bool, offsets: &[usize]) -> Vec<usize> {
    if !doubled {
        return offsets.to_vec();
    }
    let (mut at, mut value) = (0, 0);
    let mut found = Vec::with_capacity(offsets.len());
    for offset in offsets {
        while value < *offset {
            let run = memchr::memchr(b'"', &raw.as_bytes()[at..]).unwrap_or(raw.len() - at);
            if run > 0 {
                let step = run.min(offset - value);
                at += step;
                value += step;
                continue;
            }
            at += 2;
            value += 1;
        }
        found.push(at);
    }
    found
}

/// Finds the row that begins at `start`, and its cells in place of those given; none if there is none, or if more bytes are
/// needed to tell.
///
/// With `columns`, a row whose quotes are wrong is taken for its first line, its quotes for characters.
///
/// # Source
/// RFC 4180; beyond it, as the crate `csv` reads.
fn next_row(
    bytes: &[u8],
    start: usize,
    delimiter: u8,
    columns: Option<usize>,
    is_whole: bool,
    cells: &mut Vec<Cell>,
) -> Option<Row> {
    cells.clear();
    let mut at = start;
    if start >= bytes.len() {
        return None;
    }
    loop {
        let (cell, after) = if bytes.get(at) == Some(&b'"') {
            match quoted_cell(bytes, at + 1, is_whole) {
                Quoted::Closed(cell, after) if bytes.get(after).is_none_or(|byte| ends_cell(*byte, delimiter)) => {
                    (cell, after)
                }
                Quoted::More => return None,
                Quoted::Closed(..) => return bare_row(bytes, start, delimiter, columns, is_whole, cells, INNER_QUOTE),
                Quoted::Open => return bare_row(bytes, start, delimiter, columns, is_whole, cells, OPEN_QUOTE),
            }
        } else {
            bare_cell(bytes, at, delimiter, is_whole)?
        };
        cells.push(cell);
        match bytes.get(after) {
            Some(byte) if *byte == delimiter => at = after + 1,
            _ => return Some(Row { body_end: after, end: line_end(bytes, after, is_whole)?, wrong: None }),
        }
    }
}

const INNER_QUOTE: &str = "a quote inside a quoted cell is not doubled";
const OPEN_QUOTE: &str = "a quote that opens a cell is never closed";

/// Reads the line at `start` with its quotes as characters, for want of a better way.
fn bare_row(
    bytes: &[u8],
    start: usize,
    delimiter: u8,
    columns: Option<usize>,
    is_whole: bool,
    cells: &mut Vec<Cell>,
    wrong: &'static str,
) -> Option<Row> {
    cells.clear();
    let mut at = start;
    loop {
        let (cell, after) = bare_cell(bytes, at, delimiter, is_whole)?;
        cells.push(cell);
        if bytes.get(after) == Some(&delimiter) {
            at = after + 1;
            continue;
        }
        let wrong = (columns != Some(cells.len())).then_some(wrong);
        return Some(Row { body_end: after, end: line_end(bytes, after, is_whole)?, wrong });
    }
}

fn ends_cell(byte: u8, delimiter: u8) -> bool {
    byte == delimiter || matches!(byte, b'\n' | b'\r')
}

enum Quoted {
    Closed(Cell, usize),
    Open,
    More,
}

/// Finds the quote that closes a cell whose value begins at `start`.
fn quoted_cell(bytes: &[u8], start: usize, is_whole: bool) -> Quoted {
    let mut at = start;
    let mut doubled = false;
    while let Some(found) = memchr::memchr(b'"', &bytes[at..]) {
        let quote = at + found;
        match bytes.get(quote + 1) {
            Some(b'"') => {
                doubled = true;
                at = quote + 2;
            }
            None if !is_whole => return Quoted::More,
            _ => return Quoted::Closed(Cell { range: start..quote, quoted: true, doubled }, quote + 1),
        }
    }
    if is_whole { Quoted::Open } else { Quoted::More }
}

/// Finds the end of a cell without quotes, and what stands after it.
fn bare_cell(bytes: &[u8], start: usize, delimiter: u8, is_whole: bool) -> Option<(Cell, usize)> {
    let end = match memchr::memchr3(delimiter, b'\n', b'\r', &bytes[start..]) {
        Some(found) => start + found,
        None if is_whole => bytes.len(),
        None => return None,
    };
    Some((Cell { range: start..end, quoted: false, doubled: false }, end))
}

/// Returns where the line end at `at` ends.
fn line_end(bytes: &[u8], at: usize, is_whole: bool) -> Option<usize> {
    match (bytes.get(at), bytes.get(at + 1)) {
        (Some(b'\r'), Some(b'\n')) => Some(at + 2),
        (Some(b'\r'), None) if !is_whole => None,
        (Some(_), _) => Some(at + 1),
        (None, _) => is_whole.then_some(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table(text: &str) -> Vec<Result<Vec<String>, String>> {
        let layout = Layout::of_head(text.as_bytes(), false, true);
        let rows = layout.rows(text.as_bytes(), true, 0);
        rows.iter()
            .map(|row| {
                let bytes = &text.as_bytes()[row.range.clone()];
                let cells = layout.cells(bytes).map_err(|trouble| trouble.reason)?;
                Ok(cells.iter().map(|cell| value(bytes, cell, Charset::Utf8)).collect())
            })
            .collect()
    }

    fn row(cells: &[&str]) -> Result<Vec<String>, String> {
        Ok(cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn cells_hold_delimiters_line_ends_and_quotes() {
        let text = "\u{feff}id,text\r\n1,\"a, \"\"b\"\"\r\nc\"\r\n\r\n2,5\" pipe\n\"3\",\"\"";
        assert_eq!(table(text), [row(&["1", "a, \"b\"\r\nc"]), row(&["2", "5\" pipe"]), row(&["3", ""])]);
    }

    #[test]
    fn the_delimiter_is_told_from_the_first_row() {
        for (text, delimiter) in [
            ("id;text\n", b';'),
            ("id\ttext, with a comma\ttext\n", b'\t'),
            ("id|text|url", b'|'),
            ("\"a;b\",text\n", b','),
            ("text\n", b','),
            ("", b','),
        ] {
            assert_eq!(Layout::of_head(text.as_bytes(), false, true).delimiter, delimiter, "{text}");
        }
        assert_eq!(Layout::of_head(b"a,b,text\tx\n", true, true).delimiter, b'\t');
    }

    #[test]
    fn a_stray_quote_costs_at_most_its_line() {
        let text = "id,text\n1,\"He said\n2,fine\n3,\"so \"they\" say\n4,\"fine, \"\"too\"\"\"\n5,\"an, open";
        assert_eq!(
            table(text),
            [
                row(&["1", "\"He said"]),
                row(&["2", "fine"]),
                row(&["3", "\"so \"they\" say"]),
                row(&["4", "fine, \"too\""]),
                Err(OPEN_QUOTE.to_owned())
            ]
        );
        let cells = "expected 2 cells separated by commas, as in the first row, found 3";
        assert_eq!(table("id,text\n1,a,b\n2,c"), [Err(cells.to_owned()), row(&["2", "c"])]);
    }

    #[test]
    fn a_part_of_a_value_leads_back_to_the_cell() {
        assert_eq!(value_offsets("a\"\"b\"\"", true, &[0, 1, 2, 3, 4]), [0, 1, 3, 4, 6]);
        let layout = Layout { delimiter: b',', columns: vec!["id".into(), "text".into()] };
        let bytes = b"1,\"One.\nSay \"\"cheese\"\"\nTwo.\"";
        let spans = [Span::new(5, 18)];
        let fields = Fields::new([None; 6]);
        let ranges = layout.ranges_of(bytes, "One.\nSay \"cheese\"\nTwo.", &spans, &fields).unwrap();
        assert_eq!(without(bytes, &ranges), b"1,\"One.\nTwo.\"");
        // Without its first word this cell would begin with a quote, and read otherwise.
        assert_eq!(layout.ranges_of(b"1,So \"it is\"", "So \"it is\"", &[Span::new(0, 3)], &fields), None);
    }

    proptest! {
        #[test]
        fn what_is_well_formed_is_read_as_others_read_it(
            rows in proptest::collection::vec(proptest::array::uniform2("[ab,\"\r\n;é]{0,6}"), 0..6)
        ) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["id", "text"]).unwrap();
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let expected: Vec<_> = rows.iter().map(|cells| row(&[&cells[0], &cells[1]])).collect();
            prop_assert_eq!(table(&text), expected);
        }

        #[test]
        fn rows_are_the_same_wherever_the_bytes_are_cut(text in "(id,text\n)?[ab,\"\r\n]{0,40}", at in 0..50_usize) {
            let layout = Layout { delimiter: b',', columns: vec!["id".into(), "text".into()] };
            let bytes = text.as_bytes();
            let whole: Vec<Range<usize>> = layout.rows(bytes, false, 0).into_iter().map(|row| row.range).collect();
            let (end, count) = layout.whole(&bytes[..at.min(bytes.len())], false);
            let mut parts = layout.rows(&bytes[..end], false, 0);
            prop_assert_eq!(parts.len() as u64, count);
            let rest = layout.rows(&bytes[end..], false, count);
            parts.extend(rest.into_iter().map(|row| Record { range: row.range.start + end..row.range.end + end, ..row }));
            prop_assert_eq!(parts.into_iter().map(|row| row.range).collect::<Vec<_>>(), whole);
        }
    }
}
