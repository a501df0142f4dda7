//! Text for a terminal: numbers, columns, cut lines, quoted words.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Width that summaries are made for.
pub const WIDTH: usize = 80;

/// Returns a count with its thousands parted.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Returns a count and its noun, in the plural unless it is one.
pub fn counted(number: u64, noun: &str) -> String {
    let noun = match (number, noun.strip_suffix('y')) {
        (1, _) => noun.to_owned(),
        (_, Some(stem)) => format!("{stem}ies"),
        _ => format!("{noun}s"),
    };
    format!("{} {noun}", count(number))
}

/// Returns a share as a percentage, with a decimal below ten.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "0%".to_owned();
    }
    let value = part as f64 * 100.0 / whole as f64;
    if value >= 9.95 || part == 0 { format!("{value:.0}%") } else { format!("{value:.1}%") }
}

/// Returns a number of bytes in powers of 1024, as `--memory` takes them: `223M`, `1.5G`.
pub fn size(bytes: u64) -> String {
    let units = [(40, "T"), (30, "G"), (20, "M"), (10, "K")];
    let Some((shift, unit)) = units.into_iter().find(|(shift, _)| bytes >> shift > 0) else { return bytes.to_string() };
    let value = bytes as f64 / (1_u64 << shift) as f64;
    if value < 9.95 { format!("{value:.1}{unit}") } else { format!("{value:.0}{unit}") }
}

/// Returns the columns that a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// Returns the text on one line, control characters and runs of blanks made one blank, cut to `columns`.
pub fn cut(text: &str, columns: usize) -> String {
    let mut line = String::new();
    let mut taken = 0;
    let mut blank = false;
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            blank = !line.is_empty();
            continue;
        }
        if blank {
            line.push(' ');
            taken += 1;
            blank = false;
        }
        line.push(c);
        taken += c.width().unwrap_or(0);
        if taken > columns {
            break;
        }
    }
    if taken <= columns {
        return line;
    }
    while line.width() + 1 > columns {
        if line.pop().is_none() {
            return line;
        }
    }
    line.truncate(line.trim_end().len());
    line.push('…');
    line
}

/// Returns the text cut or filled up to `columns`.
pub fn fit(text: &str, columns: usize) -> String {
    let mut line = cut(text, columns);
    let filled = line.width();
    line.extend(std::iter::repeat_n(' ', columns.saturating_sub(filled)));
    line
}

/// Breaks a text into lines of at most `columns`, between words where it can.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut taken = 0;
    for word in text.split_whitespace() {
        let wide = word.width();
        if taken > 0 && taken + 1 + wide > columns {
            lines.push(std::mem::take(&mut line));
            taken = 0;
        }
        if taken > 0 {
            line.push(' ');
            taken += 1;
        }
        for c in word.chars().filter(|c| !c.is_control()) {
            let wide = c.width().unwrap_or(0);
            if taken + wide > columns {
                lines.push(std::mem::take(&mut line));
                taken = 0;
            }
            line.push(c);
            taken += wide;
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Returns a word as a shell reads it back.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_in_threes() {
        assert_eq!(count(7), "7");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(counted(1, "document"), "1 document");
        assert_eq!(counted(1000, "document"), "1,000 documents");
        assert_eq!((counted(1, "story"), counted(0, "story")), ("1 story".into(), "0 stories".into()));
    }

    #[test]
    fn shares_keep_a_decimal_where_it_matters() {
        assert_eq!(percent(1, 3), "33%");
        assert_eq!(percent(1, 30), "3.3%");
        assert_eq!(percent(0, 30), "0%");
        assert_eq!(percent(1, 0), "0%");
    }

    #[test]
    fn sizes_are_told_in_powers_of_1024() {
        assert_eq!([0, 1023, 1 << 10, 223 << 20, 3 << 29].map(size), ["0", "1023", "1.0K", "223M", "1.5G"]);
    }

    #[test]
    fn a_cut_line_is_never_wider_than_asked() {
        assert_eq!(cut("one\n  two", 80), "one two");
        assert_eq!(cut("one two three", 8), "one two…");
        assert_eq!(cut("日本語の記事", 7), "日本語…");
        for columns in 1..12 {
            for text in ["abc def ghi jkl", "日本語の記事です", "e\u{301}e\u{301}e\u{301}", ""] {
                assert!(width(&cut(text, columns)) <= columns, "{text} in {columns}");
                assert_eq!(width(&fit(text, columns)), columns, "{text} in {columns}");
            }
        }
    }

    #[test]
    fn lines_break_between_words_or_inside_one_that_is_too_long() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("日本語", 4), ["日本", "語"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn a_quoted_word_is_safe_in_a_shell() {
        assert_eq!(quoted("crawl/a.txt"), "crawl/a.txt");
        assert_eq!(quoted("my crawl"), "'my crawl'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
