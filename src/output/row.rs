//! Rows of the largest table as JSON.

use serde::Serialize;

use crate::output::BlockRow;
use crate::output::schema::rounded;

impl BlockRow<'_> {
    /// Appends the row as one line of JSON: the bytes that its `Serialize` gives, for a third of the instructions. Every
    /// block that is judged boilerplate is a row, so a large share of a run's output passes here.
    pub(super) fn append_to(&self, out: &mut Vec<u8>) {
        let BlockRow {
            id,
            start,
            end,
            start_char,
            end_char,
            line,
            kind,
            score,
            removed,
            evidence_documents,
            evidence_sites,
            evidence_clusters,
            evidence_cue,
            evidence_rule,
            evidence_place,
            text,
        } = self;
        out.reserve(ROW_BYTES + id.len() + text.len());
        out.extend_from_slice(br#"{"id":"#);
        append_text(id, out);
        append(br#","start":"#, start, out);
        append(br#","end":"#, end, out);
        append(br#","start_char":"#, start_char, out);
        append(br#","end_char":"#, end_char, out);
        append(br#","line":"#, line, out);
        append_optional(br#","kind":"#, kind.as_deref(), out);
        append(br#","score":"#, &rounded(*score), out);
        append(br#","removed":"#, removed, out);
        append(br#","evidence_documents":"#, evidence_documents, out);
        append(br#","evidence_sites":"#, evidence_sites, out);
        append(br#","evidence_clusters":"#, evidence_clusters, out);
        append_optional(br#","evidence_cue":"#, evidence_cue.as_deref(), out);
        append(br#","evidence_rule":"#, evidence_rule, out);
        append_optional(br#","evidence_place":"#, Some(evidence_place), out);
        append_optional(br#","text":"#, Some(text), out);
        out.extend_from_slice(b"}\n");
    }
}

/// Bytes of a row without its id and text, at most in most rows.
const ROW_BYTES: usize = 400;

fn append<T: Serialize>(key: &[u8], value: &T, out: &mut Vec<u8>) {
    out.extend_from_slice(key);
    serde_json::to_writer(out, value).expect("numbers are JSON, and a Vec takes any bytes");
}

fn append_optional(key: &[u8], text: Option<&str>, out: &mut Vec<u8>) {
    out.extend_from_slice(key);
    match text {
        Some(text) => append_text(text, out),
        None => out.extend_from_slice(b"null"),
    }
}

/// Appends a string. Most texts have nothing to escape, and all of a text is asked at once, without a branch a byte.
fn append_text(text: &str, out: &mut Vec<u8>) {
    let escaped = text.bytes().fold(false, |any, byte| any | (byte < b' ') | (byte == b'"') | (byte == b'\\'));
    if escaped {
        serde_json::to_writer(out, text).expect("texts are JSON, and a Vec takes any bytes");
        return;
    }
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::*;

    fn text() -> impl Strategy<Value = String> {
        prop_oneof!["[ -~]{0,40}", "[\\x00-\\x7f]{0,40}", any::<String>()]
    }

    proptest! {
        #[test]
        fn a_row_is_what_serde_makes_of_it(
            texts in [text(), text(), text(), text(), text()],
            numbers in any::<[u64; 5]>(),
            counts in any::<[u32; 3]>(),
            score in prop_oneof![0f64..=1.0, Just(0.0), Just(1.0), any::<f64>()],
            removed in any::<bool>(),
            is_there in any::<[bool; 3]>(),
        ) {
            let [id, kind, cue, place, text] = texts.map(Cow::Owned);
            let row = BlockRow {
                id,
                start: numbers[0],
                end: numbers[1],
                start_char: numbers[2],
                end_char: numbers[3],
                line: numbers[4],
                kind: is_there[0].then_some(kind),
                score,
                removed,
                evidence_documents: counts[0],
                evidence_sites: counts[1],
                evidence_clusters: counts[2],
                evidence_cue: is_there[1].then_some(cue),
                evidence_rule: is_there[2].then_some(counts[0]),
                evidence_place: place,
                text,
            };
            let mut bytes = Vec::new();
            row.append_to(&mut bytes);
            prop_assert_eq!(String::from_utf8(bytes).unwrap(), serde_json::to_string(&row).unwrap() + "\n");
        }
    }
}
