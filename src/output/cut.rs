//! Which parts of a text go when blocks are removed.
//!
//! Pure: texts and spans in, spans out.

use crate::document::Span;

/// Widens removed blocks to what goes with them: one span for every block, in order, none overlapping.
///
/// `blocks` ascend and stand in `text`. A block that is all there is on its line takes the line with it, line end and
/// all; and where that would leave two blank lines in a row, or one at the text's start or end, it takes one of them too.
/// A block in running text takes the blanks after it, or those before it at the end of a line.
pub(super) fn widen(text: &str, blocks: &[Span]) -> Vec<Span> {
    let mut cuts: Vec<Span> = Vec::with_capacity(blocks.len());
    let mut line = Line { start: 0, end: None, is_held: false, first_cut: 0 };
    let mut run: Option<Run> = None;
    for block in blocks {
        let done = cuts.last().map_or(0, |cut| cut.end);
        let start = block.start.max(done);
        let end = block.end.max(start);
        // Lines are looked for from the last one on: a text of a million sentences may be one line.
        let from = line.start.max(done);
        let line_start = text[from..start].rfind('\n').map_or(line.start, |at| from + at + 1);
        if line_start != line.start {
            line = Line { start: line_start, end: None, is_held: false, first_cut: cuts.len() };
        }
        let whole_start = line.start.max(done);
        line.is_held |= !is_blank(&text[whole_start..start]);
        let line_end = match line.end {
            Some(known) if known >= end => known,
            _ => *line.end.insert(text[end..].find('\n').map_or(text.len(), |at| end + at)),
        };
        let rest = &text[end..line_end];
        if line.is_held {
            run = None;
        } else if run.is_none() || whole_start != done {
            run = Some(Run::after(text, whole_start, done, cuts.len()));
        }
        if !is_blank(rest) {
            cuts.push(Span::new(start, end + rest.len() - rest.trim_start().len()));
            continue;
        }
        let Some(run) = run else {
            cuts.push(Span::new(start, end));
            let adjoining = cuts[line.first_cut..].windows(2).rev().take_while(|pair| pair[0].end == pair[1].start);
            let first = cuts.len() - 1 - adjoining.count();
            let floor = if first > 0 { cuts[first - 1].end } else { 0 };
            let kept = text[floor..cuts[first].start].trim_end_matches([' ', '\t', '\u{a0}', '\u{3000}']).len();
            cuts[first].start = floor + kept;
            continue;
        };
        let mut whole_end = (line_end + 1).min(text.len());
        let next_end = text[whole_end..].find('\n').map_or(text.len(), |at| whole_end + at + 1);
        if run.is_after_blank && whole_end < next_end && is_blank(&text[whole_end..next_end]) {
            whole_end = next_end;
        }
        cuts.push(Span::new(whole_start, whole_end));
        // The blanks before the line's first block go with it.
        cuts[line.first_cut].start =
            if line.first_cut > 0 { cuts[line.first_cut - 1].end.max(line.start) } else { line.start };
        if whole_end == text.len() && run.is_after_blank {
            cuts[run.first_cut].start = run.blank_start;
        }
        line = Line { start: whole_end, end: None, is_held: false, first_cut: cuts.len() };
    }
    cuts
}

/// The line that blocks are being taken from.
struct Line {
    start: usize,
    /// Where it ends, once looked for.
    end: Option<usize>,
    /// Whether something before the block stays on it.
    is_held: bool,
    /// The first cut on it.
    first_cut: usize,
}

/// Cuts of whole lines, one right after the other.
#[derive(Clone, Copy)]
struct Run {
    first_cut: usize,
    /// Whether a blank line, or the text's start, stands before it.
    is_after_blank: bool,
    /// Where that blank line begins.
    blank_start: usize,
}

impl Run {
    /// Begins a run at `start`; what stands before `done` is cut or settled already.
    fn after(text: &str, start: usize, done: usize, first_cut: usize) -> Run {
        let line_before = text[done..start.saturating_sub(1).max(done)].rfind('\n').map_or(done, |at| done + at + 1);
        let is_after_blank = start == 0 || (line_before < start && is_blank(&text[line_before..start]));
        Run { first_cut, is_after_blank, blank_start: line_before.min(start) }
    }
}

fn is_blank(text: &str) -> bool {
    text.trim_start().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::ranges::without;
    use proptest::prelude::*;
    use std::ops::Range;

    /// Removes every block that is an `X` and digits.
    fn cleaned(text: &str) -> String {
        let mut blocks = Vec::new();
        let mut at = 0;
        while let Some(start) = text[at..].find('X').map(|found| at + found) {
            let end = start + text[start..].find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len() - start);
            blocks.push(Span::new(start, end));
            at = end;
        }
        let cuts = widen(text, &blocks);
        assert_eq!(cuts.len(), blocks.len());
        assert!(cuts.iter().zip(&blocks).all(|(cut, block)| cut.start <= block.start && cut.end >= block.end));
        let ranges: Vec<Range<usize>> = cuts.iter().map(|cut| cut.range()).collect();
        String::from_utf8(without(text.as_bytes(), &ranges)).unwrap()
    }

    #[test]
    fn a_line_goes_with_its_line_end() {
        assert_eq!(cleaned("a\nX\nb\n"), "a\nb\n");
        assert_eq!(cleaned("a\r\n  X \r\nb\r\n"), "a\r\nb\r\n");
        assert_eq!(cleaned("X\nb"), "b");
        assert_eq!(cleaned("a\nX"), "a\n");
        assert_eq!(cleaned("X"), "");
        assert_eq!(cleaned("X1\nX2\n"), "");
    }

    #[test]
    fn one_blank_line_goes_where_two_would_meet_or_one_would_lead_or_trail() {
        assert_eq!(cleaned("a\n\nX\n\nb\n"), "a\n\nb\n");
        assert_eq!(cleaned("a\r\n\r\nX\r\n\r\nb\r\n"), "a\r\n\r\nb\r\n");
        assert_eq!(cleaned("X\n\nb"), "b");
        assert_eq!(cleaned("a\n\nX\n"), "a\n");
        assert_eq!(cleaned("a\n\nX1\n\nX2\n\nX3\n\nb"), "a\n\nb");
        assert_eq!(cleaned("a\n\nX1\nX2\n\nb"), "a\n\nb");
        assert_eq!(cleaned("a\n\nX1\n\nX2\n"), "a\n");
        assert_eq!(cleaned("a\n\nX1\n\nX2"), "a\n");
    }

    #[test]
    fn a_blank_line_that_parts_two_kept_lines_stays() {
        assert_eq!(cleaned("a\nX\n\nb"), "a\n\nb");
        assert_eq!(cleaned("a\n\nX\nb"), "a\n\nb");
    }

    #[test]
    fn in_running_text_one_gap_goes() {
        assert_eq!(cleaned("One. X Two."), "One. Two.");
        assert_eq!(cleaned("X One.\nTwo."), "One.\nTwo.");
        assert_eq!(cleaned("One. X\nTwo."), "One.\nTwo.");
        assert_eq!(cleaned("One. X1 X2\nTwo."), "One.\nTwo.");
        assert_eq!(cleaned("a\nX1 X2\nb"), "a\nb");
        assert_eq!(cleaned("a X1 b X2 c X3"), "a b c");
    }

    proptest! {
        #[test]
        fn only_blocks_and_blanks_go(text in "([aX1 ]|\n|\r\n){0,40}") {
            let visible = |text: &str| text.split_whitespace().collect::<String>();
            let mut rest = String::new();
            let mut in_block = false;
            for c in text.chars() {
                in_block = c == 'X' || (in_block && c.is_ascii_alphanumeric());
                if !in_block {
                    rest.push(c);
                }
            }
            prop_assert_eq!(visible(&cleaned(&text)), visible(&rest));
            if rest == text {
                prop_assert_eq!(cleaned(&text), text);
            }
        }
    }
}
