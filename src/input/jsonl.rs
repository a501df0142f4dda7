//! A record that is one JSON object.

use std::borrow::Cow;
use std::ops::Range;

use crate::document::Span;
use crate::input::decode::{Charset, decode_as, detect};
use crate::input::fields::{self, Fields};
use crate::input::parse::{Trouble, Values};
use crate::input::ranges::{ends, raw_ranges};

/// Reads the fields of an object.
pub(super) fn read(bytes: &[u8], fields: &Fields) -> Result<Values, Trouble> {
    let (charset, json) = decoded(bytes).map_err(|found| Trouble::no_text("JSON", found))?;
    let record = fields::read_record(&json, fields).map_err(|error| broken(&json, &error))?;
    Ok(Values { record, note: charset.note() })
}

/// Decodes an object; nearly all are UTF-8, which is quickly told.
fn decoded(bytes: &[u8]) -> Result<(Charset, Cow<'_, str>), &'static str> {
    if let Ok(json) = simdutf8::basic::from_utf8(bytes) {
        return Ok((Charset::Utf8, Cow::Borrowed(json)));
    }
    let (charset, mark) = detect(bytes)?;
    Ok((charset, decode_as(&bytes[mark..], charset)))
}

/// Finds where parts of the text stand in an object's bytes.
pub(super) fn ranges_of(bytes: &[u8], spans: &[Span], fields: &Fields) -> Option<Vec<Range<usize>>> {
    let (charset, json) = decoded(bytes).ok()?;
    let mark = detect(bytes).ok()?.1;
    let raw = fields::raw_text(&json, fields).ok()??;
    let field = raw.as_ptr().addr() - json.as_ptr().addr();
    let offsets: Vec<usize> = value_offsets(raw, &ends(spans)).iter().map(|offset| field + offset).collect();
    raw_ranges(bytes, charset, mark, &json, &offsets)
}

/// Returns where the characters at ascending `offsets` of a JSON string's value begin in its raw form.
///
/// `raw` is a valid JSON string, quotes included; offsets count from its first byte.
fn value_offsets(raw: &str, offsets: &[usize]) -> Vec<usize> {
    let bytes = raw.as_bytes();
    let unit = |at: usize| u32::from_str_radix(&raw[at + 2..at + 6], 16).expect("the JSON was read before");
    let mut found = Vec::with_capacity(offsets.len());
    let (mut at, mut value) = (1, 0);
    for offset in offsets {
        while value < *offset {
            let run = memchr::memchr(b'\\', &bytes[at..]).unwrap_or(bytes.len() - at);
            if run > 0 {
                let step = run.min(offset - value);
                at += step;
                value += step;
                continue;
            }
            let (raw_len, value_len) = match bytes[at + 1] {
                b'u' => match unit(at) {
                    0xd800..=0xdbff => (12, 4),
                    unit => (6, char::from_u32(unit).map_or(3, char::len_utf8)),
                },
                _ => (2, 1),
            };
            at += raw_len;
            value += value_len;
        }
        found.push(at);
    }
    found
}

/// Explains a record that is no JSON object.
fn broken(json: &str, error: &serde_json::Error) -> Trouble {
    let hint = Some("repair it; the other records are read".to_owned());
    let first = json.trim_start().as_bytes().first().copied().unwrap_or_default();
    let found = match first {
        b'{' => {
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default();
            let reason = match error.line() {
                0 | 1 => format!("broken JSON at column {}: {message}", error.column()),
                line => format!("broken JSON at its line {line}, column {}: {message}", error.column()),
            };
            let column = (error.line() <= 1).then(|| error.column().saturating_sub(1));
            return Trouble { reason, hint, column, field: None, is_text: true };
        }
        b'[' => "a list",
        b'"' => "a string",
        b'-' | b'0'..=b'9' => "a number",
        _ => "something else",
    };
    let reason = format!("expected a JSON object, found {found}");
    Trouble { reason, hint, column: Some(0), field: None, is_text: true }
}

/// Explains a record without a text.
pub(super) fn no_text(bytes: &[u8], fields: &Fields, found: &str) -> Trouble {
    let names = decoded(bytes).map(|(_, json)| fields::names(&json)).unwrap_or_default();
    let seen: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let asked = fields.text_names();
    let name = asked.iter().find(|name| seen.contains(&format!("`{name}`"))).unwrap_or(&asked[0]);
    let has = if seen.is_empty() { "no fields".to_owned() } else { seen.join(", ") };
    Trouble {
        reason: format!("expected a string in field `{name}`, found {found}"),
        hint: Some(format!("name the text field with `--text-field`; this record has {has}")),
        column: None,
        field: Some(name.clone()),
        is_text: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_counted_as_what_they_mean() {
        let raw = r#""a\n\u00e9b\ud83d\ude00\"c\\""#;
        let value: String = serde_json::from_str(raw).unwrap();
        let offsets: Vec<usize> = value.char_indices().map(|(at, _)| at).chain([value.len()]).collect();
        let found = value_offsets(raw, &offsets);
        assert_eq!(found.last(), Some(&(raw.len() - 1)));
        for (pair, c) in found.windows(2).zip(value.chars()) {
            let piece: String = serde_json::from_str(&format!("\"{}\"", &raw[pair[0]..pair[1]])).unwrap();
            assert_eq!(piece, c.to_string());
        }
    }
}
