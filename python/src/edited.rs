//! What decisions make of documents: the rows of a table in memory as they stay, or a table of the documents of files.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use arrow_array::builder::{ArrayBuilder, Int64Builder, LargeStringBuilder, StringBuilder};
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use arrow_select::filter::filter_record_batch;
use arrow_select::interleave::interleave;
use pyo3::prelude::*;
use retold::input::{Cell, Source, cell_of_arrow as cell};
use retold::output::{Applied, AppliedTables, DROPPED, REMOVED};

use crate::arrow::ArrowTable;
use crate::diagnostics::hinted;
use crate::rows;

/// What `clean` and `dedup` give: the documents, and what went.
#[pyclass(module = "retold._retold", frozen)]
#[derive(Debug)]
pub struct Edited {
    /// The documents that stay, as they stay.
    #[pyo3(get)]
    table: Py<ArrowTable>,
    /// The table `removed`: what was cut out, block by block.
    #[pyo3(get)]
    removed: Py<ArrowTable>,
    /// The table `dropped`: documents left out, each with the one kept in its place.
    #[pyo3(get)]
    dropped: Py<ArrowTable>,
    /// The summary, as JSON.
    #[pyo3(get)]
    summary: String,
    /// Whether what was skipped is within `max_skipped`.
    #[pyo3(get)]
    allowed: bool,
}

impl Edited {
    /// Gives the tables to Python.
    pub fn new(py: Python<'_>, parts: Parts) -> PyResult<Edited> {
        Ok(Edited {
            table: Py::new(py, parts.table)?,
            removed: Py::new(py, parts.removed)?,
            dropped: Py::new(py, parts.dropped)?,
            summary: parts.summary,
            allowed: parts.allowed,
        })
    }
}

/// The same, not yet Python's.
pub struct Parts {
    pub table: ArrowTable,
    pub removed: ArrowTable,
    pub dropped: ArrowTable,
    pub summary: String,
    pub allowed: bool,
}

/// Returns the tables of what went.
pub fn gone(tables: &AppliedTables) -> Result<(ArrowTable, ArrowTable)> {
    let removed = rows::of_lines(tables.removed.as_slice(), &REMOVED).context("the table `removed`")?;
    let dropped = rows::of_lines(tables.dropped.as_slice(), &DROPPED).context("the table `dropped`")?;
    Ok((removed, dropped))
}

/// What becomes of the rows of a table.
pub struct Edits<'a> {
    table: &'a ArrowTable,
    /// The columns that may hold the text, the first wins.
    text_columns: Vec<usize>,
    /// Whether rows that are no documents, since they hold no text that can be read, stay: `clean` keeps them.
    keeps_unread: bool,
    rows: Vec<Option<Edit>>,
}

struct Edit {
    keeps: bool,
    text: Option<String>,
}

impl<'a> Edits<'a> {
    /// Begins with a table as it is read by `source`.
    pub fn new(table: &'a ArrowTable, source: &Source, keeps_unread: bool) -> Result<Edits<'a>> {
        let names = source.text_names();
        let columns = names.iter().filter_map(|name| table.schema.index_of(name).ok());
        let text_columns: Vec<usize> = columns.collect();
        if text_columns.is_empty() && keeps_unread {
            let error = anyhow!("the text is part of another column, out of which nothing can be cut");
            return Err(hinted(error, "make it a column of its own, and name that with `text_field`"));
        }
        let rows = table.batches.iter().map(RecordBatch::num_rows).sum();
        Ok(Edits { table, text_columns, keeps_unread, rows: std::iter::repeat_with(|| None).take(rows).collect() })
    }

    /// Takes what becomes of a document.
    pub fn take(&mut self, applied: Applied) {
        let row = usize::try_from(applied.document.row).expect("a row of a table in memory");
        self.rows[row] = Some(Edit { keeps: applied.keeps, text: applied.text });
    }

    /// Returns the rows that stay, as they stay.
    pub fn finish(self) -> Result<ArrowTable> {
        let mut rows = self.rows.iter();
        let mut batches = Vec::with_capacity(self.table.batches.len());
        for batch in &self.table.batches {
            let edits: Vec<Option<&Edit>> = rows.by_ref().take(batch.num_rows()).map(Option::as_ref).collect();
            let stays = |edit: &Option<&Edit>| edit.map_or(self.keeps_unread, |edit| edit.keeps);
            let mut columns = batch.columns().to_vec();
            for column in &self.text_columns {
                columns[*column] = self.cut(batch, *column, &edits)?;
            }
            let edited = RecordBatch::try_new(batch.schema(), columns)?;
            let mask: BooleanArray = edits.iter().map(|edit| Some(stays(edit))).collect();
            let edited = if mask.true_count() == mask.len() { edited } else { filter_record_batch(&edited, &mask)? };
            if edited.num_rows() > 0 {
                batches.push(edited);
            }
        }
        Ok(ArrowTable { schema: self.table.schema.clone(), batches })
    }

    /// Returns a column with what was cut out of the texts in it.
    fn cut(&self, batch: &RecordBatch, column: usize, edits: &[Option<&Edit>]) -> Result<ArrayRef> {
        let array = batch.column(column);
        let is_text =
            |row: usize| self.text_columns.iter().copied().find(|of| holds(batch.column(*of), row)) == Some(column);
        let cut = |row: usize| edits[row].and_then(|edit| edit.text.as_deref()).filter(|_| is_text(row));
        if !(0..array.len()).any(|row| cut(row).is_some()) {
            return Ok(array.clone());
        }
        // What is not cut stays as it is, be it text or not.
        let (mut texts, mut places) = (LargeStringBuilder::new(), Vec::with_capacity(array.len()));
        for row in 0..array.len() {
            places.push(match cut(row) {
                Some(text) => {
                    texts.append_value(text);
                    (1, texts.len() - 1)
                }
                None => (0, row),
            });
        }
        let texts = arrow_cast::cast(&(Arc::new(texts.finish()) as ArrayRef), array.data_type())?;
        Ok(interleave(&[array, &texts], &places)?)
    }
}

/// Returns whether a row holds a text there.
fn holds(array: &dyn Array, row: usize) -> bool {
    matches!(cell(array, row), Cell::Text(text) if !text.is_empty())
}

/// A table of documents being built.
#[derive(Default)]
pub struct DocumentTable {
    batches: Vec<[ArrayRef; 8]>,
    texts: [StringBuilder; 6],
    rows: Int64Builder,
    text: LargeStringBuilder,
    length: usize,
}

/// Rows of a batch of documents.
const BATCH_ROWS: usize = 4 << 10;

impl DocumentTable {
    /// Takes a document, if it stays.
    pub fn take(&mut self, applied: Applied) {
        if !applied.keeps {
            return;
        }
        let document = applied.document;
        let [id, source, url, site, title, date] = &mut self.texts;
        id.append_value(&applied.id);
        source.append_value(&document.source);
        self.rows.append_value(document.row as i64);
        url.append_option(document.url);
        site.append_option(document.site);
        title.append_option(document.title);
        date.append_option(document.date);
        self.text.append_value(applied.text.unwrap_or(document.text));
        self.length += 1;
        if self.length.is_multiple_of(BATCH_ROWS) {
            self.end_batch();
        }
    }

    fn end_batch(&mut self) {
        let [id, source, url, site, title, date] =
            self.texts.each_mut().map(|texts| Arc::new(texts.finish()) as ArrayRef);
        let (rows, text) = (Arc::new(self.rows.finish()), Arc::new(self.text.finish()));
        self.batches.push([id, source, rows, url, site, title, date, text]);
    }

    /// Returns the table.
    pub fn finish(mut self) -> Result<ArrowTable> {
        if !self.length.is_multiple_of(BATCH_ROWS) {
            self.end_batch();
        }
        let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
        let schema = Arc::new(Schema::new(vec![
            text("id", false),
            text("source", false),
            Field::new("row", DataType::Int64, false),
            text("url", true),
            text("site", true),
            text("title", true),
            text("date", true),
            Field::new("text", DataType::LargeUtf8, false),
        ]));
        let batches = self.batches.into_iter().map(|columns| RecordBatch::try_new(schema.clone(), columns.to_vec()));
        let batches = batches.collect::<Result<_, _>>()?;
        Ok(ArrowTable { schema, batches })
    }
}
