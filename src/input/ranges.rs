//! Where parts of a text stand in the bytes that it was read from.

use std::ops::Range;

use crate::document::Span;
use crate::input::decode::{Charset, decode_as, raw_offsets};

/// Finds where spans of a field's value stand in its record's bytes: `offsets` leads from the value to the decoded record.
///
/// Returns none if the bytes that stay would not decode to what stays of the decoded record.
pub(super) fn raw_ranges(
    bytes: &[u8],
    charset: Charset,
    mark: usize,
    decoded: &str,
    offsets: &[usize],
) -> Option<Vec<Range<usize>>> {
    let ranges = pairs(&raw_offsets(bytes, charset, mark, offsets));
    let stays = || without(decoded.as_bytes(), &pairs(offsets));
    (charset == Charset::Utf8 || decode_as(&without(bytes, &ranges)[mark..], charset).as_bytes() == stays())
        .then_some(ranges)
}

/// Returns where spans begin and end, in order.
pub(crate) fn ends(spans: &[Span]) -> Vec<usize> {
    spans.iter().flat_map(|span| [span.start, span.end]).collect()
}

fn pairs(ends: &[usize]) -> Vec<Range<usize>> {
    ends.chunks_exact(2).map(|pair| pair[0]..pair[1]).collect()
}

/// Returns `bytes` without the ranges, which ascend and do not overlap.
pub(crate) fn without<'r>(bytes: &[u8], ranges: impl IntoIterator<Item = &'r Range<usize>>) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for range in ranges {
        out.extend_from_slice(&bytes[at..range.start]);
        at = range.end;
    }
    out.extend_from_slice(&bytes[at..]);
    out
}

/// Finds where spans of a text stand in the bytes that it was decoded from.
///
/// Returns none if the bytes that stay would not decode to the text that stays.
pub(crate) fn text_ranges(
    bytes: &[u8],
    charset: Charset,
    mark: usize,
    text: &str,
    spans: &[Span],
) -> Option<Vec<Range<usize>>> {
    raw_ranges(bytes, charset, mark, text, &ends(spans))
}
