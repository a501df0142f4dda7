//! A `.json` file: an object, a list of objects, or objects one after another.
//!
//! Such a file is read whole, since only its end says that it is JSON at all.

use std::ops::Range;

use crate::input::chunk::Record;

/// Finds the values that are records: the members of a list, or else what stands at the top.
///
/// A value that never ends is one too: reading it says what is wrong.
pub(super) fn records(bytes: &[u8]) -> Vec<Record> {
    let mut at = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    at = next_visible(bytes, at);
    let is_list = bytes.get(at) == Some(&b'[');
    at += usize::from(is_list);
    let mut records = Vec::new();
    loop {
        at = next_visible(bytes, at);
        match bytes.get(at) {
            None => return records,
            Some(b']') if is_list => {
                // After a list there is nothing; what stands there all the same is told as a record that is no object.
                let rest = next_visible(bytes, at + 1);
                if rest < bytes.len() {
                    records.push(record(records.len(), rest, bytes.trim_ascii_end().len()));
                }
                return records;
            }
            Some(b',') if is_list && !records.is_empty() => at += 1,
            Some(_) => {
                let end = value_end(bytes, at);
                records.push(record(records.len(), at, end));
                at = end;
            }
        }
    }
}

fn record(row: usize, start: usize, end: usize) -> Record {
    Record { row: row as u64, range: start..end, end }
}

fn next_visible(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|byte| !byte.is_ascii_whitespace()).map_or(bytes.len(), |more| at + more)
}

/// Returns where the value that begins at `at` ends, as far as brackets and quotes tell.
fn value_end(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => at = string_end(bytes, at),
            b'{' | b'[' => {
                depth += 1;
                continue;
            }
            b'}' | b']' if depth > 0 => depth -= 1,
            // Of a number, a word or something else, all that no bracket or comma ends.
            _ if depth == 0 => {
                let ends =
                    |byte: &u8| matches!(byte, b',' | b']' | b'}' | b'{' | b'[' | b'"') || byte.is_ascii_whitespace();
                return bytes[at..].iter().position(ends).map_or(bytes.len(), |more| at + more);
            }
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

/// Returns where a string ends whose opening quote stands before `at`.
fn string_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(found) = memchr::memchr2(b'"', b'\\', &bytes[at..]) {
        if bytes[at + found] == b'"' {
            return at + found + 1;
        }
        at = (at + found + 2).min(bytes.len());
    }
    bytes.len()
}

/// Returns what goes with members that are left out: each with the comma after it, the last ones with that before them.
pub(super) fn without(records: &[Record], left_out: &[bool]) -> Vec<Range<usize>> {
    let last_kept = left_out.iter().rposition(|out| !out);
    let mut cuts: Vec<Range<usize>> = Vec::new();
    for (at, record) in records.iter().enumerate().filter(|(at, _)| left_out[*at]) {
        match (records.get(at + 1), last_kept) {
            (Some(next), last) if last.is_none_or(|last| at < last) => cuts.push(record.range.start..next.range.start),
            (None, None) => cuts.push(record.range.clone()),
            (_, Some(last)) if at == last + 1 => {
                cuts.push(records[last].range.end..records[records.len() - 1].range.end);
                break;
            }
            _ => break,
        }
    }
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(text: &str) -> Vec<&str> {
        records(text.as_bytes()).into_iter().map(|record| &text[record.range]).collect()
    }

    #[test]
    fn members_of_a_list_and_values_at_the_top_are_records() {
        assert_eq!(
            values("\u{feff}[ {\"a\": \"]},{\\\"\"} ,\n{\"b\":[{}]}]\n"),
            ["{\"a\": \"]},{\\\"\"}", "{\"b\":[{}]}"]
        );
        assert_eq!(values("{\"a\": 1}"), ["{\"a\": 1}"]);
        assert_eq!(values("{\"a\": 1}\n{\"b\": 2} 7"), ["{\"a\": 1}", "{\"b\": 2}", "7"]);
        assert_eq!(values(" \n"), [""; 0]);
        assert_eq!(values("[]"), [""; 0]);
        assert_eq!(values("[1, {}] more"), ["1", "{}", "more"]);
        assert_eq!(values("[{\"a\": \"cut "), ["{\"a\": \"cut "]);
    }

    #[test]
    fn what_is_left_of_a_list_is_a_list() {
        let text = "[ {\"a\":0}, {\"a\":1} ,{\"a\":2}, {\"a\":3}\n]";
        let records = records(text.as_bytes());
        for mask in 0..16_u32 {
            let left_out: Vec<bool> = (0..4).map(|bit| mask >> bit & 1 == 1).collect();
            let rest = crate::input::ranges::without(text.as_bytes(), &without(&records, &left_out));
            let rest: serde_json::Value = serde_json::from_slice(&rest).unwrap();
            let expected: Vec<u64> = (0..4).filter(|number| !left_out[*number as usize]).collect();
            let found: Vec<u64> = rest.as_array().unwrap().iter().map(|one| one["a"].as_u64().unwrap()).collect();
            assert_eq!(found, expected, "{mask:04b}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_cut_into_ascending_records(text in "[\\[\\]{}\",\\\\ a1\n]{0,60}") {
            let records = records(text.as_bytes());
            prop_assert!(records.iter().all(|record| record.range.start < record.range.end));
            prop_assert!(records.windows(2).all(|pair| pair[0].range.end <= pair[1].range.start));
        }
    }
}
