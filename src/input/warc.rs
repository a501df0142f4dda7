//! Records of web archives: pages as fetched (WARC), or their text (WET).
//!
//! A record that says how long it is and lies costs itself alone: what follows is found by the line that begins a record.
//!
//! # Source
//! ISO 28500 (WARC 1.0 and 1.1); RFC 9112 (messages of HTTP/1.1).

use std::borrow::Cow;
use std::io::{Cursor, Read};
use std::ops::Range;

use crate::hash::{hash64, mix64};
use crate::input::decode::{decode_page, decode_part};
use crate::input::html;
use crate::input::limits::Limits;
use crate::input::parse::Trouble;

/// What begins a record.
const BEGIN: &[u8] = b"WARC/";
/// Bytes that the header of a record has at most.
const HEADER_BYTES: usize = 1 << 20;
/// What to do about a body that unpacks to more than is held.
const UNPACKS: &str = "raise `--memory`, `--max-record` or `--max-ratio` if it is what it should be";

/// The lines of a header: of a record, or of the message in it.
struct Header<'a>(&'a [u8]);

impl<'a> Header<'a> {
    /// Returns a field's value.
    fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        let [value] = self.get_all([name]);
        value
    }

    /// Returns the values of some fields; of one that stands there several times the first.
    fn get_all<const N: usize>(&self, names: [&str; N]) -> [Option<Cow<'a, str>>; N] {
        let mut values = [const { None }; N];
        for line in self.lines() {
            let Some(colon) = memchr::memchr(b':', line) else { continue };
            let name = line[..colon].trim_ascii();
            let at = names.iter().position(|known| name.eq_ignore_ascii_case(known.as_bytes()));
            if let Some(value) = at.map(|at| &mut values[at]).filter(|value| value.is_none()) {
                *value = Some(String::from_utf8_lossy(line[colon + 1..].trim_ascii()));
            }
        }
        values
    }

    fn lines(&self) -> impl Iterator<Item = &'a [u8]> {
        let bytes = self.0;
        let ends = memchr::memchr_iter(b'\n', bytes).chain([bytes.len()]);
        ends.scan(0, move |start, end| Some(bytes[std::mem::replace(start, end + 1)..end].trim_ascii_end()))
    }
}

/// A record found in some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    /// Where it ends, with the empty lines after it.
    end: usize,
    /// Where its block stands; none if it does not stand where its header says.
    block: Option<Range<usize>>,
}

/// Returns where the last whole record ends, 0 if none does, and how many there are.
pub(super) fn whole(bytes: &[u8]) -> (usize, u64) {
    let (mut end, mut count) = (0, 0);
    while let Some(found) = next(bytes, end, false) {
        end = found.end;
        count += 1;
    }
    (end, count)
}

/// Returns the records of a chunk: where each begins, and where what belongs to it ends.
pub(super) fn records(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut records = Vec::new();
    let mut at = 0;
    while let Some(found) = next(bytes, at, true) {
        records.push(at..found.end);
        at = found.end;
    }
    records
}

/// Returns where a record that never ends is given up: where the next one begins.
pub(super) fn give_up(bytes: &[u8]) -> Option<usize> {
    let start = bytes.iter().position(|byte| !byte.is_ascii_whitespace())?;
    next_begin(bytes, start + 1)
}

/// Finds the record at `at`; none at the end, or if more bytes are needed to tell.
fn next(bytes: &[u8], at: usize, is_whole: bool) -> Option<Found> {
    if at >= bytes.len() {
        return None;
    }
    let lost = |from: usize| match next_begin(bytes, from) {
        Some(begin) => Some(Found { end: begin, block: None }),
        None => is_whole.then_some(Found { end: bytes.len(), block: None }),
    };
    let start = at + bytes[at..].iter().position(|byte| !byte.is_ascii_whitespace())?;
    if !bytes[start..].starts_with(BEGIN) {
        let may_begin = !is_whole && BEGIN.starts_with(&bytes[start..]);
        return if may_begin { None } else { lost(start) };
    }
    let Some(header) = header_end(&bytes[start..]) else {
        let is_long = bytes.len() - start > HEADER_BYTES;
        return if is_whole || is_long { lost(start + BEGIN.len()) } else { None };
    };
    let header = start + header;
    let length = Header(&bytes[start..header]).get("Content-Length").and_then(|length| length.parse::<usize>().ok());
    let Some(end) = length.and_then(|length| header.checked_add(length)) else { return lost(header) };
    if end > bytes.len() {
        return if is_whole { lost(header) } else { None };
    }
    let blanks = bytes[end..].iter().position(|byte| !matches!(byte, b'\r' | b'\n'));
    let after = blanks.map_or(bytes.len(), |blanks| end + blanks);
    if blanks.is_none() {
        // More line ends may follow, which belong to this record; a new one begins with a letter.
        return (is_whole || after - end >= 4).then_some(Found { end: after, block: Some(header..end) });
    }
    let follows = &bytes[after..];
    if follows.starts_with(BEGIN) {
        return Some(Found { end: after, block: Some(header..end) });
    }
    if !is_whole && BEGIN.starts_with(follows) {
        return None;
    }
    lost(header)
}

/// Returns where a header ends: behind the first empty line.
fn header_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\n', &bytes[at..bytes.len().min(HEADER_BYTES)]) {
        at += found + 1;
        match &bytes[at..] {
            [b'\r', b'\n', ..] => return Some(at + 2),
            [b'\n', ..] => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Returns where a line begins that begins a record, at `from` or later.
pub(super) fn next_begin(bytes: &[u8], from: usize) -> Option<usize> {
    memchr::memmem::find_iter(&bytes[from..], b"\nWARC/").map(|at| from + at + 1).next()
}

/// What a record says of a document.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub id: Option<String>,
    pub url: Option<String>,
    pub date: Option<String>,
    pub title: Option<String>,
    pub text: String,
    /// What is worth telling about how it was read.
    pub note: Option<String>,
}

/// What a record is.
pub(super) enum Kind {
    Document(Box<Said>),
    /// No document, and nobody would expect one: a request, a description of the archive.
    Nothing,
    /// A page or file that has no text to take.
    LeftOut(String),
}

/// Reads a record.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Kind, Trouble> {
    let trouble = |reason: &str, hint: &str| Trouble {
        reason: reason.to_owned(),
        hint: Some(hint.to_owned()),
        column: Some(0),
        field: None,
        is_text: false,
    };
    let Some(Found { block: Some(block), .. }) = next(bytes, 0, true) else {
        let hint = "fetch the file again; the other records are read";
        return Err(trouble("a record is damaged, or not as long as it says", hint));
    };
    let header = Header(&bytes[..block.start]);
    let block = &bytes[block];
    let [kind, content_type, id, url, date] =
        header.get_all(["WARC-Type", "Content-Type", "WARC-Record-ID", "WARC-Target-URI", "WARC-Date"]);
    let kind = kind.unwrap_or_default().to_ascii_lowercase();
    let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
    let read = match kind.as_str() {
        "conversion" => text(block, &content_type, None),
        "resource" => text(block, &content_type, charset_of(&content_type)),
        "response" if content_type.is_empty() || content_type.starts_with("application/http") => {
            response(block, limits).map_err(|reason| trouble(&reason, UNPACKS))?
        }
        _ => return Ok(Kind::Nothing),
    };
    Ok(match read {
        Ok(said) => {
            let bare = |value: Option<Cow<'_, str>>| {
                let value = value?;
                let value = value.trim_matches(['<', '>']).trim();
                (!value.is_empty()).then(|| value.to_owned())
            };
            let (id, url, date) = (bare(id), bare(url), bare(date));
            Kind::Document(Box::new(Said { id, url: url.or(said.url), date: said.date.or(date), ..said }))
        }
        Err(what) => Kind::LeftOut(what),
    })
}

/// Reads the text of a body, or says why it has none.
fn text(body: &[u8], content_type: &str, charset: Option<&str>) -> Result<Said, String> {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let is_page = matches!(kind, "text/html" | "application/xhtml+xml")
        || (kind.is_empty() && body.trim_ascii_start().starts_with(b"<"));
    if is_page {
        if cfg!(not(feature = "html")) {
            return Err("HTML, for which this program was built without the feature `html`".to_owned());
        }
        let (page, note) = decode_page(body, charset).map_err(str::to_owned)?;
        let page = html::read(&page);
        return Ok(Said { text: page.text, title: page.title, url: page.url, date: page.date, note, id: None });
    }
    if kind != "text/plain" && !kind.is_empty() {
        return Err(format!("`{kind}`"));
    }
    let decoded = decode_part(body).map_err(str::to_owned)?;
    Ok(Said { note: decoded.note(), text: decoded.text, ..Said::default() })
}

/// Reads the page in a response.
///
/// # Errors
/// If its body unpacks to more than is held.
fn response(block: &[u8], limits: &Limits) -> Result<Result<Said, String>, String> {
    let Some(end) = header_end(block) else { return Ok(Err("a response without an end of its header".to_owned())) };
    let header = Header(&block[..end]);
    let status = header.lines().next().and_then(|line| line.split(|byte| *byte == b' ').nth(1)).unwrap_or_default();
    if !status.starts_with(b"2") {
        return Ok(Err(format!("a response with status {}", String::from_utf8_lossy(status))));
    }
    let mut body = Cow::Borrowed(&block[end..]);
    let says = |name: &str| header.get(name).unwrap_or_default().to_ascii_lowercase();
    if says("Transfer-Encoding").contains("chunked")
        // Many archives hold bodies that were put together already, under the header as it was sent.
        && let Some(whole) = put_together(&body)
    {
        body = Cow::Owned(whole);
    }
    for encoding in says("Content-Encoding").split(',').rev() {
        if let Some(unpacked) = unpacked(&body, encoding.trim(), limits)? {
            body = Cow::Owned(unpacked);
        }
    }
    let content_type = says("Content-Type");
    Ok(text(&body, &content_type, charset_of(&content_type)))
}

fn charset_of(content_type: &str) -> Option<&str> {
    let charset = content_type.split(';').find_map(|part| part.trim().strip_prefix("charset="))?;
    Some(charset.trim_matches(['"', '\'', ' ']))
}

/// Puts the chunks of a body together; none if it does not consist of chunks.
fn put_together(body: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::with_capacity(body.len());
    let mut at = 0;
    loop {
        let line_end = at + memchr::memchr(b'\n', &body[at..])?;
        let line = std::str::from_utf8(&body[at..line_end]).ok()?;
        let size = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
        let start = line_end + 1;
        if size == 0 {
            return Some(whole);
        }
        let end = start.checked_add(size)?;
        if end >= body.len() {
            // The connection broke off: what came is what there is.
            whole.extend_from_slice(&body[start..]);
            return Some(whole);
        }
        whole.extend_from_slice(&body[start..end]);
        at = end + if body[end..].starts_with(b"\r\n") { 2 } else { 1 };
        if at > body.len() {
            return Some(whole);
        }
    }
}

/// Unpacks a body; none if it is not packed so, as where an archive holds bodies unpacked under the header as it was sent.
fn unpacked(body: &[u8], encoding: &str, limits: &Limits) -> Result<Option<Vec<u8>>, String> {
    let reader: Box<dyn Read + '_> = match encoding {
        "gzip" | "x-gzip" => Box::new(flate2::read::MultiGzDecoder::new(body)),
        "deflate" if body.first().is_some_and(|first| first & 0x0f == 8) => {
            Box::new(flate2::read::ZlibDecoder::new(body))
        }
        "deflate" => Box::new(flate2::read::DeflateDecoder::new(body)),
        "br" => Box::new(brotli_decompressor::Decompressor::new(Cursor::new(body), 64 << 10)),
        "zstd" => match zstd::Decoder::new(body) {
            Ok(decoder) => Box::new(decoder),
            Err(_) => return Ok(None),
        },
        _ => return Ok(None),
    };
    let most = limits.most_of_body(body.len() as u64);
    let mut out = Vec::new();
    // What stands before a tear counts.
    let failed = reader.take(most + 1).read_to_end(&mut out).is_err();
    if out.len() as u64 > most {
        return Err(format!("a body of {} bytes unpacks to more than {} MiB", body.len(), most >> 20));
    }
    Ok(if failed && out.is_empty() { None } else { Some(out) })
}

/// Returns a record of the text alone, as WET files hold it: that of the text as read with another one, or one that refers
/// to the page.
pub(crate) fn conversion(original: &[u8], text: &str) -> Vec<u8> {
    let Some(Found { block: Some(block), .. }) = next(original, 0, true) else { return Vec::new() };
    let header = Header(&original[..block.start]);
    let is_conversion = header.get("WARC-Type").is_some_and(|kind| kind.eq_ignore_ascii_case("conversion"));
    if is_conversion && &original[block.clone()] == text.as_bytes() {
        return original.to_vec();
    }
    let mut out = Vec::with_capacity(text.len() + 512);
    if is_conversion {
        const CHANGED: [&str; 3] = ["content-length", "warc-block-digest", "warc-payload-digest"];
        let name = |line: &[u8]| {
            String::from_utf8_lossy(line.split(|byte| *byte == b':').next().unwrap_or_default())
                .trim()
                .to_ascii_lowercase()
        };
        for line in header.lines().filter(|line| !line.is_empty() && !CHANGED.contains(&name(line).as_str())) {
            out.extend_from_slice(line);
            out.extend_from_slice(b"\r\n");
        }
    } else {
        let value = |name: &str| header.get(name).unwrap_or_default();
        let id = value("WARC-Record-ID");
        let mut field = |name: &str, value: &str| out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        field("WARC-Type", "conversion");
        for name in ["WARC-Target-URI", "WARC-Date"] {
            field(name, &value(name));
        }
        field("WARC-Record-ID", &format!("<urn:uuid:{}>", derived_uuid(id.as_bytes())));
        field("WARC-Refers-To", &id);
        field("Content-Type", "text/plain");
        out.splice(0..0, *b"WARC/1.0\r\n");
    }
    out.extend_from_slice(format!("Content-Length: {}\r\n\r\n", text.len()).as_bytes());
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b"\r\n\r\n");
    out
}

/// Returns an identifier that is always the same for the same name: version 8 of RFC 9562.
fn derived_uuid(name: &[u8]) -> String {
    let (high, low) = (hash64(name), mix64(hash64(name) ^ 0x7265_746f_6c64));
    let high = high & !0xf000 | 0x8000;
    let low = low & !(0b11 << 62) | 0b10 << 62;
    let hex = format!("{high:016x}{low:016x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(kind: &str, length: usize, block: &[u8]) -> Vec<u8> {
        let kind_of = if kind == "response" { "application/http; msgtype=response" } else { "text/plain" };
        let header = format!(
            "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{length}>\r\nWARC-Target-URI: https://a.example/\r\n\
             WARC-Date: 2024-05-01T00:00:00Z\r\nContent-Type: {kind_of}\r\nContent-Length: {length}\r\n\r\n"
        );
        [header.as_bytes(), block, b"\r\n\r\n"].concat()
    }

    fn said(bytes: &[u8]) -> Said {
        match read(bytes, &Limits::of_records(1 << 30)) {
            Ok(Kind::Document(said)) => *said,
            Ok(Kind::LeftOut(what)) => panic!("left out: {what}"),
            Ok(Kind::Nothing) => panic!("nothing"),
            Err(trouble) => panic!("{}", trouble.reason),
        }
    }

    fn page(headers: &str, body: &[u8]) -> String {
        let block = [format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n").as_bytes(), body].concat();
        said(&record("response", block.len(), &block)).text
    }

    #[test]
    fn a_record_that_lies_about_its_length_costs_itself_alone() {
        let good = record("conversion", 4, b"text");
        for length in [0, 2, 60, 1 << 40] {
            let bytes = [&good[..], &record("conversion", length, b"lies"), &good].concat();
            let found = records(&bytes);
            assert_eq!(found.len(), 3, "{length}");
            assert!(read(&bytes[found[1].clone()], &Limits::of_records(1 << 20)).is_err(), "{length}");
            assert_eq!(said(&bytes[found[2].clone()]).text, "text");
        }
        assert_eq!(said(&good).id.as_deref(), Some("urn:uuid:4"));
    }

    #[test]
    fn a_header_without_a_value_says_nothing() {
        let record =
            b"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Record-ID: <>\r\nWARC-Target-URI: < >\r\nWARC-Date:\r\n\
                       Content-Length: 4\r\n\r\ntext\r\n\r\n";
        assert_eq!(said(record), Said { text: "text".to_owned(), ..Said::default() });
    }

    #[cfg(feature = "html")]
    #[test]
    fn bodies_are_put_together_unpacked_and_decoded() {
        let gzip = crate::files::Compression::Gzip.pack(b"<p>packed".to_vec()).unwrap();
        let html = "Content-Type: text/html";
        assert_eq!(page(&format!("{html}\r\nContent-Encoding: gzip"), &gzip), "packed\n");
        assert_eq!(page(&format!("{html}\r\nContent-Encoding: gzip"), b"<p>not packed"), "not packed\n");
        assert_eq!(
            page(&format!("{html}\r\nTransfer-Encoding: chunked"), b"4\r\n<p>a\r\n3;x\r\n bc\r\n0\r\n\r\n"),
            "a bc\n"
        );
        assert_eq!(page(&format!("{html}\r\nTransfer-Encoding: chunked"), b"<p>whole"), "whole\n");
        assert_eq!(page(&format!("{html}; charset=windows-1251"), b"\xcc\xe8\xf0"), "\u{41c}\u{438}\u{440}\n");
        assert_eq!(page(html, b"<meta charset=koi8-r><p>\xed\xc9\xd2"), "\u{41c}\u{438}\u{440}\n");
    }

    #[test]
    fn a_body_that_unpacks_without_end_is_refused() {
        let bomb = crate::files::Compression::Gzip.pack(vec![b' '; 70 << 20]).unwrap();
        let error = unpacked(&bomb, "gzip", &Limits::of_records(1 << 30)).unwrap_err();
        assert!(error.ends_with("unpacks to more than 64 MiB"), "{error}");
        assert!(unpacked(&bomb, "gzip", &Limits::of_records(1 << 20)).is_err());
    }

    #[test]
    fn the_record_of_a_text_is_read_back_as_it() {
        let block = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nOne.\nTwo.\n";
        let wet = conversion(&record("response", block.len(), block), "Two.\n");
        assert_eq!((said(&wet).text.as_str(), said(&wet).url.as_deref()), ("Two.\n", Some("https://a.example/")));
        let again = conversion(&wet, "Two.\n");
        assert_eq!(again, wet);
        assert_eq!(said(&conversion(&wet, "2")).id, said(&wet).id);
    }

    proptest! {
        #[test]
        fn records_are_the_same_wherever_the_bytes_are_cut(
            parts in proptest::collection::vec((0..8_usize, "[aW\r\n]{0,8}"), 0..5), at in 0..2000_usize
        ) {
            let bytes: Vec<u8> = parts.iter().flat_map(|(length, block)| record("conversion", *length, block.as_bytes())).collect();
            let all = records(&bytes);
            let (end, count) = whole(&bytes[..at.min(bytes.len())]);
            let mut cut = records(&bytes[..end]);
            prop_assert_eq!(cut.len() as u64, count);
            cut.extend(records(&bytes[end..]).into_iter().map(|record| record.start + end..record.end + end));
            let texts = |ranges: Vec<Range<usize>>| -> Vec<Vec<u8>> {
                ranges.into_iter().map(|range| bytes[range].trim_ascii().to_vec()).collect()
            };
            prop_assert_eq!(texts(cut), texts(all));
        }

        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let bytes = [&b"WARC/1.0\r\nContent-Length: 9\r\nWARC-Type: response\r\n"[..], &bytes].concat();
            for range in records(&bytes) {
                let _ = read(&bytes[range], &Limits::of_records(1 << 20));
            }
        }
    }
}
