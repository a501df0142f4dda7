//! What a file holds, by its name or its first bytes.

use std::io::{self, Read};

use crate::files::{Compression, FileError, InputReader};
use crate::input::xml;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// One document.
    Text,
    /// A document a line.
    Jsonl,
    /// A document a row.
    Csv,
    /// A document an object: one, or the members of a list.
    Json,
    /// A document a row, typed.
    Parquet,
    /// A document a row, typed: Arrow IPC, as a file (Feather) or a stream.
    Arrow,
    /// One document, of which a reader sees the text.
    Html,
    /// One document, as trafilatura writes it.
    Xml,
    /// A document a page as it was fetched, or its text.
    Warc,
    /// A document a row of a table in memory: no file.
    Held,
}

impl Container {
    /// Returns whether copies of such a file are files of another form, or written anew.
    pub(super) fn is_written_anew(self) -> bool {
        matches!(self, Container::Html | Container::Xml | Container::Warc) || self.has_columns()
    }

    /// Returns whether a file is a table of typed columns.
    pub(super) fn has_columns(self) -> bool {
        matches!(self, Container::Parquet | Container::Arrow)
    }

    /// Returns whether a file is one document.
    pub(super) fn is_file(self) -> bool {
        matches!(self, Container::Text | Container::Html | Container::Xml)
    }

    /// Returns the suffix of a file of this kind.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Container::Text => "txt",
            Container::Jsonl => "jsonl",
            Container::Csv => "csv",
            Container::Json => "json",
            Container::Parquet => "parquet",
            Container::Arrow => "arrow",
            Container::Html => "html",
            Container::Xml => "xml",
            Container::Warc => "warc",
            Container::Held => "arrow",
        }
    }

    /// Returns what a file's name says.
    pub(super) fn of_name(name: &str) -> Option<Container> {
        let (_, bare) = Compression::of_name(name);
        match suffix(bare)?.to_ascii_lowercase().as_str() {
            "txt" | "md" => Some(Container::Text),
            "jsonl" | "ndjson" => Some(Container::Jsonl),
            "csv" | "tsv" => Some(Container::Csv),
            "json" => Some(Container::Json),
            "html" | "htm" => Some(Container::Html),
            "xml" => Some(Container::Xml),
            "warc" | "wet" => Some(Container::Warc),
            "parquet" if bare.len() == name.len() => Some(Container::Parquet),
            "arrow" | "arrows" | "feather" | "ipc" if bare.len() == name.len() => Some(Container::Arrow),
            _ => None,
        }
    }
}

/// Returns what follows a name's last dot, if a name is left before it.
pub(super) fn suffix(name: &str) -> Option<&str> {
    name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map(|(_, suffix)| suffix)
}

/// Bytes in which a line of JSON must end for the file to be known as lines.
const GUESS_BYTES: u64 = 4 << 20;

/// Returns what a file holds whose name does not tell: JSON lines if it begins with a line that is an object, else one
/// text; JSON of another form where that is known. None: XML that holds no article.
pub(super) fn guess_container(
    opened: Result<InputReader, FileError>,
    known: Option<Container>,
) -> io::Result<Option<Container>> {
    let failed = |error| match error {
        FileError::Read { source, .. } | FileError::Write { source, .. } => source,
        other => io::Error::other(other.to_string()),
    };
    let reader = opened.map_err(failed)?;
    let mut head = Vec::new();
    // A tear is told when the file is read in earnest.
    let _ = reader.take(if known.is_some() { GUESS_BYTES } else { 64 << 10 }).read_to_end(&mut head);
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head).trim_ascii_start();
    if head.starts_with(b"WARC/") {
        return Ok(Some(Container::Warc));
    }
    let begins = |tag: &[u8]| head.get(..tag.len()).is_some_and(|head| head.eq_ignore_ascii_case(tag));
    if begins(b"<!doctype html") || begins(b"<html") {
        return Ok(Some(Container::Html));
    }
    if head.starts_with(b"PAR1") {
        return Ok(Some(Container::Parquet));
    }
    // A stream begins with the mark of a message and a length of less than 16 MiB; no text does.
    if head.starts_with(b"ARROW1") || (head.starts_with(&[0xff; 4]) && head.get(7) == Some(&0)) {
        return Ok(Some(Container::Arrow));
    }
    let is_xml = head.starts_with(b"<") && xml::is_article(head);
    if is_xml || known == Some(Container::Xml) {
        return Ok(is_xml.then_some(Container::Xml));
    }
    if known != Some(Container::Json) {
        return Ok(Some(if head.starts_with(b"{") { Container::Jsonl } else { Container::Text }));
    }
    let line_end = memchr::memchr(b'\n', head).filter(|end| !head[*end..].trim_ascii().is_empty());
    let is_object = |line: &[u8]| serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok();
    let is_lines = head.starts_with(b"{") && line_end.is_some_and(|end| is_object(&head[..end]));
    Ok(Some(if is_lines { Container::Jsonl } else { Container::Json }))
}

/// Returns whether the copies of a file of this name are files of another form, or written anew.
pub(crate) fn is_written_anew(source: &str) -> bool {
    Container::of_name(source.rsplit('/').next().unwrap_or(source)).is_some_and(Container::is_written_anew)
}
