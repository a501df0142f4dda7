//! A finished scan read back from its directory, and what it decides for every document.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::document::Span;
use crate::files::FileError;
use crate::input::Source;
use crate::output::restore::{next_line, open_at};
use crate::output::{Decision, DocumentRow, DroppedDocument, RemovedBlock, SCHEMA, Summary, WriteError};

/// A directory that `scan -o` wrote.
#[derive(Clone, Debug)]
pub struct FinishedScan {
    directory: PathBuf,
    summary: Summary,
}

impl FinishedScan {
    /// Opens the directory of a finished scan.
    ///
    /// # Errors
    /// If it holds no `summary.json` that this version can read, or that of another command.
    pub fn open(directory: &Path) -> Result<FinishedScan, WriteError> {
        let path = directory.join("summary.json");
        let file = File::open(&path).map_err(FileError::read(&path))?;
        let summary: Summary = serde_json::from_reader(BufReader::new(file)).map_err(|source| WriteError::Table {
            path,
            line: source.line() as u64,
            source,
        })?;
        if summary.retold != "scan" {
            return Err(WriteError::OtherRun {
                path: directory.to_owned(),
                expected: "an output of `scan`",
                found: format!("one of `{}`", summary.retold),
            });
        }
        if summary.schema != SCHEMA {
            let path = directory.to_owned();
            return Err(WriteError::OtherSchema { path, expected: SCHEMA, found: summary.schema });
        }
        Ok(FinishedScan { directory: directory.to_owned(), summary })
    }

    /// Returns its summary.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Checks that `source` holds the files that were judged, each with its size; returns the digests that they had, for
    /// [`crate::output::RewriteSettings`].
    ///
    /// # Errors
    /// Names the first file that is new, gone or of another size.
    pub fn check(&self, source: &Source) -> Result<Vec<u64>, WriteError> {
        let changed = |input: &str| WriteError::Changed { input: input.to_owned() };
        let mut files = source.files().iter();
        let mut digests = Vec::with_capacity(self.summary.inputs.len());
        for input in &self.summary.inputs {
            let digest = u64::from_str_radix(&input.digest, 16).map_err(|_| changed(&input.source))?;
            match files.next() {
                Some(file) if *file.source == *input.source && file.bytes == input.bytes => digests.push(digest),
                _ => return Err(changed(&input.source)),
            }
        }
        match files.next() {
            Some(new) => Err(changed(&new.source)),
            None => Ok(digests),
        }
    }

    /// Returns the directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the rows of a table, in order; those of one that scans of an earlier version did not write are none.
    ///
    /// # Errors
    /// If the table is missing or cannot be read; as items, where a row cannot be understood.
    pub(crate) fn rows<T: DeserializeOwned>(
        &self,
        table: &str,
    ) -> Result<impl Iterator<Item = Result<T, WriteError>> + use<T>, WriteError> {
        let path = self.directory.join(format!("{table}.jsonl"));
        let later = matches!(table, "versions" | "references");
        let rows = if later && !path.exists() { None } else { Some(Rows::open(&path, 0)?) };
        Ok(rows.into_iter().flatten().map(|next| next.map(|(_, row)| row)))
    }

    /// Returns the rows of the table `documents`, in order.
    ///
    /// # Errors
    /// If the table is missing; as items, where a row cannot be understood.
    pub fn documents(
        &self,
    ) -> Result<impl Iterator<Item = Result<DocumentRow, WriteError>> + Send + use<>, WriteError> {
        Ok(Rows::open(&self.directory.join("documents.jsonl"), 0)?.map(|next| next.map(|(_, row)| row)))
    }

    /// Returns what the scan decided for every document, in order; `rows` gives those of `documents`, of this scan or of it
    /// [at a higher threshold](FinishedScan::recluster).
    ///
    /// Holds the id of every cluster of two or more in memory, with that of the copy that is kept; reads the rows twice, and
    /// the table `blocks` row by row.
    ///
    /// # Errors
    /// If a table is missing or cannot be understood; as items, where a later row cannot.
    pub fn decisions<R: Iterator<Item = Result<DocumentRow, WriteError>> + Send>(
        &self,
        rows: impl Fn() -> Result<R, WriteError>,
    ) -> Result<impl Iterator<Item = Result<Decision, WriteError>> + Send, WriteError> {
        let mut kept: HashMap<String, String> = HashMap::new();
        for row in rows()? {
            let row = row?;
            if row.cluster_size > 1 && row.keep {
                kept.entry(row.cluster_id).or_insert(row.id);
            }
        }
        let mut blocks = Rows::<BlockRow>::open(&self.directory.join("blocks.jsonl"), 0)?.peekable();
        Ok(rows()?.map(move |row| {
            let row = row?;
            let mut removed = Vec::new();
            // An error is no block of another document: it is told here.
            while let Some(next) = blocks.next_if(|next| next.as_ref().map_or(true, |(_, block)| block.id == row.id)) {
                let (_, block) = next?;
                if let Some(kind) = block.kind.filter(|_| block.removed) {
                    let kind = kind.parse().map_err(|what| WriteError::Decisions { what })?;
                    removed.push(RemovedBlock {
                        span: Span { start: block.start, end: block.end },
                        kind,
                        score: block.score,
                    });
                }
            }
            let relation = row.relation.unwrap_or_else(|| "identical".to_owned());
            let dropped = (!row.keep).then(|| DroppedDocument {
                kept_id: match row.known {
                    true => Some(row.representative.clone()),
                    false => kept.get(&row.cluster_id).cloned(),
                },
                similarity: row.similarity,
                reason: dropped_because(row.decision.as_deref(), &relation, &row.representative),
                relation,
            });
            Ok(Decision { id: row.id, keep: row.keep, removed, dropped })
        }))
    }
}

/// Says why a document is dropped: the line of the decision, or else what it is to its representative.
pub(crate) fn dropped_because(decision: Option<&str>, relation: &str, representative: &str) -> String {
    decision.map_or_else(|| format!("{relation} to `{representative}`"), str::to_owned)
}

/// What a decision needs of a row of `blocks`.
#[derive(Deserialize)]
struct BlockRow {
    id: String,
    start: usize,
    end: usize,
    kind: Option<String>,
    score: f64,
    removed: bool,
}

/// The rows of a table, each with the byte that it begins at.
pub(super) struct Rows<T> {
    reader: BufReader<File>,
    path: PathBuf,
    line: Vec<u8>,
    number: u64,
    offset: u64,
    rows: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Rows<T> {
    /// Opens a table at the byte that a row begins at.
    pub(super) fn open(path: &Path, offset: u64) -> Result<Rows<T>, WriteError> {
        let reader = open_at(path, offset)?;
        Ok(Rows { reader, path: path.to_owned(), line: Vec::new(), number: 0, offset, rows: PhantomData })
    }
}

impl<T: DeserializeOwned> Iterator for Rows<T> {
    type Item = Result<(u64, T), WriteError>;

    fn next(&mut self) -> Option<Self::Item> {
        match next_line(&mut self.reader, &self.path, &mut self.line) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => return Some(Err(error)),
        }
        let offset = self.offset;
        self.offset += self.line.len() as u64;
        self.number += 1;
        let row = serde_json::from_slice(&self.line);
        Some(row.map(|row| (offset, row)).map_err(|source| WriteError::Table {
            path: self.path.clone(),
            line: self.number,
            source,
        }))
    }
}
