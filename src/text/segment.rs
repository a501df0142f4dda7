//! Blocks: lines, paragraphs where lines are wrapped, sentences where there are no line breaks.

use memchr::memchr2_iter;

use crate::document::Span;

/// A part of the text that is judged as a whole: never blank, never overlapping the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Where it stands, without the white space around it.
    pub span: Span,
    /// The line it begins on, 1 for the first.
    pub line: u32,
}

/// What the blocks of a text are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Every line is a block. A line longer than 16 KiB is cut into sentences.
    Lines,
    /// Lines are hard-wrapped: paragraphs are the blocks.
    Wrapped,
    /// (Almost) no line breaks: sentences are the blocks.
    Sentences,
}

/// A text's blocks in order; what lies between them is white space, so that blocks and gaps make the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segments {
    /// What the blocks are.
    pub layout: Layout,
    /// The blocks.
    pub blocks: Vec<Block>,
}

/// Non-blank lines up to which a text counts as one without line breaks.
const FEW_LINES: usize = 3;
/// Bytes from which such a text is cut into sentences: a shorter one is a paragraph or two, and is judged as such.
const MANY_BYTES: usize = 1200;
/// Bytes from which a line is no paragraph, whatever the lines around it are.
const LONG_LINE: usize = 16 << 10;

/// Cuts a text into blocks.
///
/// Lines end with `\n`, `\r\n` or a lone `\r`. A text is taken as hard-wrapped when its lines end because the next word
/// would not have fitted; it is then cut at blank lines and after lines that end early. A table and a fenced block of
/// Markdown are one block: a row of two short cells, by itself, reads like a menu. A text of at most three lines and
/// 1,200 bytes or more is cut into sentences, and so is any line beyond 16 KiB. O(n), near memory speed for ordinary lines.
pub fn segment(text: &str) -> Segments {
    let lines = join_marked(text, lines(text));
    if lines.len() <= FEW_LINES && text.len() >= MANY_BYTES {
        let mut blocks = Vec::new();
        for line in &lines {
            sentences(text, *line, &mut blocks);
        }
        return Segments { layout: Layout::Sentences, blocks };
    }
    if let Some(width) = wrap_width(text, &lines) {
        return Segments { layout: Layout::Wrapped, blocks: paragraphs(text, &lines, width) };
    }
    if lines.iter().all(|line| line.span.len() <= LONG_LINE) {
        return Segments { layout: Layout::Lines, blocks: lines };
    }
    let mut blocks = Vec::with_capacity(lines.len());
    for line in lines {
        if line.span.len() > LONG_LINE {
            sentences(text, line, &mut blocks);
        } else {
            blocks.push(line);
        }
    }
    Segments { layout: Layout::Lines, blocks }
}

/// Returns the lines that are not blank.
fn lines(text: &str) -> Vec<Block> {
    let bytes = text.as_bytes();
    let mut lines = Vec::new();
    let mut start = 0;
    let mut number = 1;
    let mut push = |start: usize, stop: usize, number: u32| {
        if let Some(span) = trimmed(text, start, stop) {
            lines.push(Block { span, line: number });
        }
    };
    for at in memchr2_iter(b'\n', b'\r', bytes) {
        // The second half of `\r\n`.
        if at > 0 && bytes[at] == b'\n' && bytes[at - 1] == b'\r' {
            start = at + 1;
            continue;
        }
        push(start, at, number);
        number += 1;
        start = at + 1;
    }
    push(start, bytes.len(), number);
    lines
}

/// Joins the lines of what Markdown marks as one: tables with their rule (`|---|`), and what stands between fences.
fn join_marked(text: &str, lines: Vec<Block>) -> Vec<Block> {
    let first = |block: &Block| text.as_bytes()[block.span.start];
    if !lines.iter().any(|line| matches!(first(line), b'|' | b'`' | b'~')) {
        return lines;
    }
    let mut joined: Vec<Block> = Vec::with_capacity(lines.len());
    let mut at = 0;
    // Before this line no fence closes that has not been met.
    let mut open_until = 0;
    while at < lines.len() {
        let line = lines[at];
        let within = |other: &Block| other.span.end - line.span.start <= LONG_LINE;
        let rest = &lines[at + 1..];
        let more = match first(&line) {
            b'|' if rest.first().is_some_and(|next| next.line == line.line + 1 && is_rule(next.span.of(text))) => {
                let row = |(number, next): &(u32, &Block)| next.line == *number && first(next) == b'|' && within(next);
                (line.line + 1..).zip(rest).take_while(row).count()
            }
            mark @ (b'`' | b'~') if at >= open_until && is_fence(line.span.of(text), mark) => {
                let reach = rest.iter().take_while(|next| within(next)).count();
                let closes = |next: &Block| {
                    let next = next.span.of(text);
                    is_fence(next, mark) && next.bytes().all(|byte| byte == mark)
                };
                rest[..reach].iter().position(closes).map_or_else(
                    || {
                        open_until = at + reach;
                        0
                    },
                    |closing| closing + 1,
                )
            }
            _ => 0,
        };
        at += more;
        joined.push(Block { span: Span::new(line.span.start, lines[at].span.end), line: line.line });
        at += 1;
    }
    joined
}

/// Returns whether a line is the rule below the head of a table: `| --- | :---: |`.
fn is_rule(line: &str) -> bool {
    line.starts_with('|') && line.contains("--") && line.bytes().all(|byte| matches!(byte, b'|' | b'-' | b':' | b' '))
}

/// Returns whether a line begins with a fence of this mark.
fn is_fence(line: &str, mark: u8) -> bool {
    line.len() >= 3 && line.as_bytes()[..3].iter().all(|byte| *byte == mark)
}

/// Returns the part of `start..stop` without the white space around it, if any is left.
fn trimmed(text: &str, start: usize, stop: usize) -> Option<Span> {
    let bytes = &text.as_bytes()[start..stop];
    // Nearly every line begins and ends with a visible ASCII character.
    if let (Some(b'!'..=b'~'), Some(b'!'..=b'~')) = (bytes.first(), bytes.last()) {
        return Some(Span::new(start, stop));
    }
    let part = &text[start..stop];
    let inner = part.trim();
    if inner.is_empty() {
        return None;
    }
    let at = start + (part.len() - part.trim_start().len());
    Some(Span::new(at, at + inner.len()))
}

/// Lines that are looked at to tell whether a text is wrapped.
const SAMPLE: usize = 512;
/// Columns that text is wrapped at.
const WIDTHS: std::ops::RangeInclusive<usize> = 40..=100;

/// Returns the columns at which a text is hard-wrapped, if it is.
///
/// Only lines that another one directly follows can tell. Of wrapped text nearly all of them are so long that the next
/// line's first word would not have fitted; of lists, menus and verse nearly none.
fn wrap_width(text: &str, lines: &[Block]) -> Option<usize> {
    if lines.len() < 8 {
        return None;
    }
    let sample = &lines[..lines.len().min(SAMPLE)];
    let mut inner: Vec<(usize, usize)> = Vec::new();
    let mut too_long = 0;
    for pair in sample.windows(2) {
        if pair[1].line != pair[0].line + 1 {
            continue;
        }
        if pair[0].span.len() > 4 * WIDTHS.end() {
            too_long += 1;
            continue;
        }
        inner.push((columns(pair[0].span.of(text)), columns(first_word(pair[1].span.of(text)))));
    }
    if inner.len() < 6 || 20 * too_long > inner.len() || 2 * inner.len() < sample.len() {
        return None;
    }
    let mut widths: Vec<usize> = inner.iter().map(|(width, _)| *width).collect();
    widths.sort_unstable();
    // The longest lines may be addresses that could not be broken.
    let width = widths[(widths.len() - 1) * 95 / 100];
    let full = inner.iter().filter(|(line, next)| line + 1 + next > width).count();
    (WIDTHS.contains(&width) && full * 100 >= inner.len() * 75).then_some(width)
}

fn columns(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or("")
}

/// Joins wrapped lines into paragraphs.
fn paragraphs(text: &str, lines: &[Block], width: usize) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut before: Option<Block> = None;
    for line in lines {
        let goes_on = before.is_some_and(|before| {
            let words = line.span.of(text);
            line.line == before.line + 1
                && !words.starts_with(['•', '*', '-', '#', '>', '|'])
                && columns(before.span.of(text)) + 1 + columns(first_word(words)) > width
        });
        match blocks.last_mut() {
            Some(block) if goes_on && line.span.end - block.span.start <= LONG_LINE => block.span.end = line.span.end,
            _ => blocks.push(*line),
        }
        before = Some(*line);
    }
    blocks
}

/// Bytes after which a sentence without an end is cut at white space.
const ENDLESS: usize = 1000;
/// Bytes after which it is cut anywhere.
const MUST_END: usize = 4000;

/// Bytes at which a sentence may end, or the first bytes of such characters.
const MAY_END: [bool; 256] = {
    let mut table = [false; 256];
    let mut at = 0;
    let bytes = b".!?|;\xe3\xef\xe2\xd8\xe0\xe1\xdb\xd6 \t";
    while at < bytes.len() {
        table[bytes[at] as usize] = true;
        at += 1;
    }
    table
};

/// Cuts a line into sentences.
///
/// A sentence ends after `.`, `!`, `?` and `…` (and closing quotes) when white space and no lower-case letter follow and
/// the word before is no abbreviation; after `。`, `！`, `？`, `।` and their like always, but for a Japanese quotation; before `|` and `•` between white space; at a
/// blank within Thai and the like once it is long; and at white space when it will not end at all.
fn sentences(text: &str, line: Block, blocks: &mut Vec<Block>) {
    let bytes = text.as_bytes();
    let stop = line.span.end;
    let mut start = line.span.start;
    let mut at = start;
    let mut space = start;
    while at < stop {
        let byte = bytes[at];
        if at - start >= MUST_END && text.is_char_boundary(at) {
            let cut = if space > start { space } else { at };
            push(text, start, cut, line.line, blocks);
            start = cut;
            space = start;
            continue;
        }
        if !MAY_END[usize::from(byte)] {
            at += 1;
            continue;
        }
        if byte == b' ' || byte == b'\t' {
            let unspaced = at >= start + 3 && bytes[at - 3] == 0xe0 && bytes[at - 2] >= 0xb8;
            if at - start >= ENDLESS || unspaced && at - start >= 240 {
                push(text, start, at, line.line, blocks);
                start = at;
            }
            space = at;
            at += 1;
            continue;
        }
        if !text.is_char_boundary(at) {
            at += 1;
            continue;
        }
        let c = text[at..].chars().next().expect("a character begins here");
        let after = at + c.len_utf8();
        let end = match c {
            '。' | '！' | '？' | '｡' | '।' | '۔' | '։' | '።' | '។' | '။' => {
                let end = closed(text, after, stop);
                // Japanese says after the quotation that it was one: 「…。」と語った。
                (end == after || !text[end..stop].starts_with('と')).then_some(end)
            }
            '.' | '!' | '?' | '…' | '؟' => {
                let end = closed(text, after, stop);
                let goes_on = match text[end..stop].chars().next() {
                    None => false,
                    Some(next) if !next.is_whitespace() => true,
                    Some(_) => {
                        text[end..stop].trim_start().starts_with(char::is_lowercase)
                            || c == '.' && abbreviation(text, start, at)
                    }
                };
                (!goes_on).then_some(end)
            }
            '|' | '•' if at > start && bytes[at - 1] == b' ' && bytes.get(after) == Some(&b' ') => Some(at),
            _ => None,
        };
        match end {
            Some(end) if end > start => {
                push(text, start, end, line.line, blocks);
                start = end;
                space = start;
                at = end.max(after);
            }
            _ => at = after,
        }
    }
    push(text, start, stop, line.line, blocks);
}

/// Returns the position after closing quotes and brackets, and after further marks of the same end.
fn closed(text: &str, from: usize, stop: usize) -> usize {
    let rest = &text[from..stop];
    let closing =
        |c: char| matches!(c, '"' | '”' | '’' | '»' | ')' | ']' | '」' | '』' | '）' | '】' | '.' | '!' | '?');
    from + (rest.len() - rest.trim_start_matches(closing).len())
}

/// Returns whether the word that ends at `at` is an abbreviation: a single letter, or one of a few titles.
fn abbreviation(text: &str, start: usize, at: usize) -> bool {
    let word = text[start..at].rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
    let mut letters = word.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) => letter.is_alphabetic(),
        _ => ABBREVIATIONS.contains(&word),
    }
}

/// Words before a name or a number, as they are written in the languages that abbreviate them with a point.
const ABBREVIATIONS: [&str; 40] = [
    "Mr", "Mrs", "Ms", "Dr", "Prof", "St", "Sr", "Jr", "Gen", "Col", "Lt", "Sgt", "Capt", "Gov", "Sen", "Rep", "Rev",
    "Hon", "No", "Nos", "vs", "Inc", "Ltd", "Co", "Corp", "Jan", "Feb", "Aug", "Sept", "Oct", "Nov", "Dec", "Nr",
    "Mio", "bzw", "Sra", "Mme", "ул", "проф", "тыс",
];

fn push(text: &str, start: usize, stop: usize, line: u32, blocks: &mut Vec<Block>) {
    if let Some(span) = trimmed(text, start, stop) {
        blocks.push(Block { span, line });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        segment(text).blocks.iter().map(|block| block.span.of(text)).collect()
    }

    #[test]
    fn lines_are_blocks() {
        let text = "\n  Title \r\n\r\nFirst.\u{a0}\rSecond.\n \u{3000}\n";
        let segments = segment(text);
        assert_eq!(segments.layout, Layout::Lines);
        assert_eq!(texts(text), ["Title", "First.", "Second."]);
        assert_eq!(segments.blocks.iter().map(|block| block.line).collect::<Vec<_>>(), [2, 4, 5]);
    }

    /// Wraps words greedily, as mail programs do.
    fn wrap(words: &str, width: usize) -> String {
        let mut out = String::new();
        let mut column = 0;
        for word in words.split(' ') {
            if column > 0 && column + 1 + word.len() > width {
                out.push('\n');
                column = 0;
            } else if column > 0 {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += word.len();
        }
        out
    }

    const PARAGRAPH: &str = "The harbor was closed for the third day in a row, and the ferries lay at their moorings while the \
        captains played cards in the waiting room and told each other about winters that had been worse than this one by far.";

    #[test]
    fn wrapped_lines_make_paragraphs() {
        let text = format!("A Winter Without Ferries\n\n{0}\n\n{0}\n\n{0}\n", wrap(PARAGRAPH, 72));
        let segments = segment(&text);
        assert_eq!(segments.layout, Layout::Wrapped);
        assert_eq!(segments.blocks.len(), 4);
        assert_eq!(segments.blocks[1].line, 3);
    }

    #[test]
    fn lists_and_menus_are_not_wrapped_text() {
        let menu = "Home\nNews from the region\nSports\nBusiness and finance today\nCulture\nTravel\nWeather\nShop\nAbout us\n";
        assert_eq!(segment(menu).layout, Layout::Lines);
        let paragraphs = [PARAGRAPH; 12].join("\n");
        assert_eq!(segment(&paragraphs).layout, Layout::Lines);
    }

    #[test]
    fn a_single_line_is_cut_into_sentences() {
        let sentence = "Mr. Smith, of the U.S. office, paid 3.5 million for it. \"Why?\" asked V. Petrov. ";
        let text = sentence.repeat(40);
        let segments = segment(&text);
        assert_eq!(segments.layout, Layout::Sentences);
        assert_eq!(segments.blocks[0].span.of(&text), "Mr. Smith, of the U.S. office, paid 3.5 million for it.");
        assert_eq!(segments.blocks[1].span.of(&text), "\"Why?\" asked V. Petrov.");
        assert_eq!(segments.blocks.len(), 80);
    }

    #[test]
    fn unspaced_scripts_are_cut_too() {
        let text = "港口已经关闭了三天。渡轮停在码头！".repeat(60);
        assert_eq!(segment(&text).blocks.len(), 120);
        let thai = "ท่าเรือปิดเป็นวันที่สามติดต่อกันแล้วและเรือข้ามฟากจอดอยู่ที่ท่า ".repeat(60);
        assert!(segment(&thai).blocks.len() > 20);
    }

    #[test]
    fn a_quotation_goes_on_and_other_full_stops_end_a_sentence() {
        let japanese = "「春まで待てなかった。」と局長は語った。けが人はいなかった。".repeat(30);
        assert_eq!(segment(&japanese).blocks[0].span.of(&japanese), "「春まで待てなかった。」と局長は語った。");
        assert_eq!(segment(&japanese).blocks.len(), 60);
        for mark in ["۔", "។", "။", "።", "։"] {
            let text = format!("ددد ددد{mark} ").repeat(100);
            assert_eq!(segment(&text).blocks.len(), 100, "{mark}");
        }
    }

    #[test]
    fn a_table_and_a_fenced_block_of_markdown_are_one_block_each() {
        let text = "# Piers\n\n| Pier | Open |\n|------|:----:|\n| East | no |\n| North | yes |\n| South | yes |\n\n\
                    ```rust\nlet open = 2;\n\nlet shut = 1;\n```\nThat is all.\n~~~\nnever closed\n| no | table |\n| at | all |\n";
        assert_eq!(
            texts(text),
            [
                "# Piers",
                "| Pier | Open |\n|------|:----:|\n| East | no |\n| North | yes |\n| South | yes |",
                "```rust\nlet open = 2;\n\nlet shut = 1;\n```",
                "That is all.",
                "~~~",
                "never closed",
                "| no | table |",
                "| at | all |",
            ]
        );
        assert_eq!(segment(text).blocks[3].line, 14);
    }

    #[test]
    fn fences_that_never_close_cost_no_time() {
        let text = "```a\n~~~b\n".repeat(100_000);
        assert_eq!(segment(&text).blocks.len(), 200_000);
    }

    #[test]
    fn a_line_without_any_end_is_cut_all_the_same() {
        let words = "word ".repeat(100_000);
        assert!(segment(&words).blocks.iter().all(|block| block.span.len() <= MUST_END));
        let letters = "é".repeat(100_000);
        assert!(segment(&letters).blocks.iter().all(|block| block.span.len() <= MUST_END + 4));
    }

    proptest! {
        #[test]
        fn blocks_and_gaps_make_the_text(text in "([a-zé。.!? |•\n\r\u{a0}\u{3000}]|[A-Zก-ฮ]|\n```|\n\\|--\\||」と){0,400}", times in 1usize..8) {
            let text = text.repeat(times);
            let segments = segment(&text);
            let mut at = 0;
            let mut line = 0;
            for block in &segments.blocks {
                prop_assert!(block.span.start >= at);
                prop_assert!(text[at..block.span.start].trim().is_empty());
                let inner = block.span.of(&text);
                prop_assert!(!inner.is_empty());
                prop_assert_eq!(inner, inner.trim());
                prop_assert!(block.line >= line);
                at = block.span.end;
                line = block.line;
            }
            prop_assert!(text[at..].trim().is_empty());
        }
    }
}
