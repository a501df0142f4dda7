//! Terms: the words of a text in normal form, hashed once.
//!
//! A *word* is a maximal run of letters, marks and numbers (Unicode categories L, M, N) of the normal form; everything
//! else lies between words, so `don't` is `don` and `t`. In scripts that put no spaces between words (Han, kana, Thai,
//! Lao, Khmer, Myanmar) every character with the marks that follow it is a word of its own, within mixed text too: on
//! labelled copies, three of them to a shingle kept copies and other texts as far apart as three words do elsewhere
//! (share of the shorter text, least of copies and most of others: Chinese 0.60 and 0.34, Japanese 0.57 and 0.17, Thai
//! 0.74 and 0.39); pairs of characters kept them no further apart and lost copies at a Jaccard similarity of 0.5.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use crate::document::Span;
use crate::hash::{hash_two, hash_word, mix64};
use crate::text::normalize::{Class, Lookup, for_each_char, is_blank, next_unit};
use crate::text::window::{WINDOW, Window};

/// A word: where it stands in the text, and the hash of its normal form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// Bytes of the text given.
    pub span: Span,
    /// Hash of the normal form.
    pub term: u64,
}

/// Appends the hash of every term of `text`, in order: those of [`tokens`], without their places.
///
/// This is the loop that a run spends most of its time in, so ASCII takes a way of its own: 64 bytes are classified at
/// once and words are hashed where they lie. Other characters are looked up one by one; only the units (what lies between
/// white space) that need more than that, a few in a thousand, are normalized first.
///
/// ```
/// use retold::text::hash_terms;
/// let (mut one, mut other) = (Vec::new(), Vec::new());
/// hash_terms("The ﬁrst re-\nprint, it’s said", &mut one);
/// hash_terms("THE FIRST REPRINT (it's said)", &mut other);
/// assert_eq!(one, other);
/// ```
pub fn hash_terms(text: &str, out: &mut Vec<u64>) {
    read_terms(text, out);
}

/// Returns the tokens of a text: the same terms as [`hash_terms`], with their spans.
///
/// A span covers all bytes that its word was made of: `&eacute;t&eacute;` is one token of 17 bytes.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut out = Vec::new();
    read_tokens(text, &mut out);
    out
}

/// Appends the tokens of a text.
pub(crate) fn read_tokens(text: &str, out: &mut Vec<Token>) {
    read_terms(text, out);
}

/// Hashes terms, in order, to one value: two blocks have one fingerprint when they have the same words in their order.
///
/// What stands between the words does not count, so this is what exact repetition is counted by; 0 for no terms.
pub fn fingerprint(terms: &[u64]) -> u64 {
    terms.iter().fold(0, |sum, term| mix64(sum.rotate_left(1) ^ term))
}

/// What terms are read into. What a unit gave can be taken back, for units that turn out to need a closer look.
trait Terms {
    fn push(&mut self, term: u64, range: Range<usize>);
    fn len(&self) -> usize;
    fn truncate(&mut self, len: usize);
}

impl Terms for Vec<u64> {
    #[inline]
    fn push(&mut self, term: u64, _: Range<usize>) {
        self.push(term);
    }

    fn len(&self) -> usize {
        self.len()
    }

    fn truncate(&mut self, len: usize) {
        self.truncate(len);
    }
}

impl Terms for Vec<Token> {
    #[inline]
    fn push(&mut self, term: u64, range: Range<usize>) {
        self.push(Token { span: Span::new(range.start, range.end), term });
    }

    fn len(&self) -> usize {
        self.len()
    }

    fn truncate(&mut self, len: usize) {
        self.truncate(len);
    }
}

/// Reads the terms of a text.
///
/// To find bits of a window takes one instruction where the machine has it, which is chosen here.
fn read_terms(text: &str, out: &mut impl Terms) {
    Arch::new().dispatch(Reading { text, out });
}

/// A text and what its terms are read into, as the dispatch to a machine's instructions takes them.
struct Reading<'t, 'o, T> {
    text: &'t str,
    out: &'o mut T,
}

impl<T: Terms> WithSimd for Reading<'_, '_, T> {
    type Output = ();

    // What is not inlined is not compiled for the instructions that were chosen.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Reading { text, out } = self;
        let mut buffer = Vec::new();
        let mut next = Next::Ascii(0);
        loop {
            next = match next {
                Next::Ascii(at) => read_ascii(text, at, out),
                Next::Mixed(at) => read_mixed(text, at, &mut buffer, out),
                Next::Unit(at) => {
                    let Some(unit) = next_unit(text, at) else { return };
                    let start = unit.start;
                    let end = unit.end;
                    let mut word = Word::new(&mut buffer);
                    let mut emit = |term, range: Range<usize>| out.push(term, start + range.start..start + range.end);
                    for_each_char(&text[unit], |char, class, range| word.next(char, class, range, &mut emit));
                    word.end(&mut emit);
                    Next::Mixed(end)
                }
                Next::End => return,
            }
        }
    }
}

/// How a text goes on, from a place where a unit begins, or a blank before it.
enum Next {
    /// With ASCII.
    Ascii(usize),
    /// With other characters, which will be looked up one by one.
    Mixed(usize),
    /// With a unit whose characters must be looked at together.
    Unit(usize),
    /// It has ended.
    End,
}

/// The word that is being read.
struct Word<'b> {
    bytes: &'b mut Vec<u8>,
    span: Range<usize>,
    /// Whether it is of a script that puts spaces between words.
    spaced: bool,
}

impl Word<'_> {
    fn new(buffer: &mut Vec<u8>) -> Word<'_> {
        buffer.clear();
        Word { bytes: buffer, span: 0..0, spaced: true }
    }

    /// Reads the next character, and emits the word before it if that has ended.
    #[inline]
    fn next(&mut self, char: char, class: Class, range: Range<usize>, emit: &mut impl FnMut(u64, Range<usize>)) {
        match class {
            Class::Word if self.spaced => {}
            Class::UnspacedMark => {}
            Class::Word | Class::Unspaced => self.end(emit),
            Class::Separator => return self.end(emit),
        }
        self.spaced &= class != Class::Unspaced;
        if self.bytes.is_empty() {
            self.span.start = range.start;
        }
        self.span.end = range.end;
        match char.len_utf8() {
            1 => self.bytes.push(char as u8),
            2 => self.bytes.extend([0xc0 | (char as u32 >> 6) as u8, 0x80 | (char as u32 & 0x3f) as u8]),
            _ => self.bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }

    /// Ends the word and begins another.
    #[inline]
    fn end(&mut self, emit: &mut impl FnMut(u64, Range<usize>)) {
        self.spaced = true;
        if !self.bytes.is_empty() {
            emit(hash_word(self.bytes), self.span.clone());
            self.bytes.clear();
        }
    }
}

/// Bytes of ASCII after a blank from which it is likely that ASCII goes on.
const ASCII_AHEAD: usize = 16;

/// Reads the terms of `text` from `start`, looking characters up one by one, until that will not do or ASCII goes on.
fn read_mixed(text: &str, start: usize, buffer: &mut Vec<u8>, out: &mut impl Terms) -> Next {
    let bytes = text.as_bytes();
    let mut word = Word::new(buffer);
    let mut lookup = Lookup::new();
    // Where the unit began, in the text and in `out`: what it gave is taken back when it needs a closer look.
    let mut unit = (start, out.len());
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        let looked_up = if *byte < 0x80 {
            lookup.ascii();
            let broken = match *byte {
                b'-' => matches!(bytes.get(at + 1), Some(b'\n' | b'\r')),
                b'\n' | b'\r' => text[..at].ends_with('\u{2010}'),
                _ => false,
            };
            let class = if byte.is_ascii_alphanumeric() { Class::Word } else { Class::Separator };
            (*byte != b'&' && !broken).then_some((char::from(byte | 0x20), class, 1))
        } else {
            let char = text[at..].chars().next().expect("there is more");
            lookup.next(char).map(|(normal, class)| (normal, class, char.len_utf8()))
        };
        let Some((char, class, len)) = looked_up else {
            out.truncate(unit.1);
            return Next::Unit(unit.0);
        };
        word.next(char, class, at..at + len, &mut |term, range| out.push(term, range));
        at += len;
        if is_blank(*byte) {
            unit = (at, out.len());
            if bytes[at..].first_chunk::<ASCII_AHEAD>().is_some_and(|ahead| ahead.is_ascii()) {
                return Next::Ascii(at);
            }
        }
    }
    word.end(&mut |term, range| out.push(term, range));
    Next::End
}

/// Reads the terms of `text` from `start` up to the first unit that is not plain ASCII.
#[inline(always)]
fn read_ascii(text: &str, start: usize, out: &mut impl Terms) -> Next {
    let bytes = text.as_bytes();
    let mut word_start = None;
    let mut base = start;
    while base < bytes.len() {
        let window = Window::at(bytes, base);
        // Other than ASCII, the begin of an entity, and hyphens, for the sake of those at line ends.
        let (mut words, mut special) = (window.words, window.others | window.joints);
        let mut stop = None;
        while special != 0 {
            let at = base + special.trailing_zeros() as usize;
            if bytes[at] != b'-' || matches!(bytes.get(at + 1), Some(b'\n' | b'\r')) {
                stop = Some(start + bytes[start..at].iter().rposition(|byte| is_blank(*byte)).map_or(0, |at| at + 1));
                break;
            }
            special &= special - 1;
        }
        if let Some(unit) = stop {
            if unit < base {
                // The unit began in an earlier block: its words up to here are taken back.
                let begun = bytes[unit..base].chunk_by(|a, b| a.is_ascii_alphanumeric() == b.is_ascii_alphanumeric());
                let begun = begun.filter(|run| run[0].is_ascii_alphanumeric()).count();
                out.truncate(out.len() - (begun - usize::from(word_start.is_some())));
                return Next::Mixed(unit);
            }
            words &= !(u64::MAX << (unit - base));
        }
        let before = words << 1 | u64::from(word_start.is_some());
        let (mut starts, mut ends) = (words & !before, before & !words);
        while ends != 0 {
            let from = word_start.take().unwrap_or_else(|| {
                let from = base + starts.trailing_zeros() as usize;
                starts &= starts - 1;
                from
            });
            let to = base + ends.trailing_zeros() as usize;
            out.push(hash_ascii_word(bytes, from, to), from..to);
            ends &= ends - 1;
        }
        if let Some(unit) = stop {
            return Next::Mixed(unit);
        }
        if starts != 0 {
            word_start = Some(base + starts.trailing_zeros() as usize);
        }
        base += WINDOW;
    }
    if let Some(from) = word_start {
        out.push(hash_ascii_word(bytes, from, bytes.len()), from..bytes.len());
    }
    Next::End
}

/// Hashes `bytes[start..end]`, ASCII letters and digits, in lower case.
///
/// The same as [`hash_word`] of them in lower case.
#[inline]
pub(crate) fn hash_ascii_word(bytes: &[u8], start: usize, end: usize) -> u64 {
    /// Makes letters lower case and leaves digits as they are.
    const LOWER: u64 = 0x2020_2020_2020_2020;
    let len = end - start;
    match bytes[..end].last_chunk() {
        Some(last) if len <= 8 => mix64((u64::from_le_bytes(*last) | LOWER) >> (u64::BITS as usize - 8 * len)),
        Some(last) if len <= 16 => {
            let first = bytes[start..].first_chunk().expect("a word of more than eight bytes");
            hash_two(u64::from_le_bytes(*first) | LOWER, u64::from_le_bytes(*last) | LOWER, len)
        }
        _ => hash_lowered(&bytes[start..end]),
    }
}

/// Hashes a word of ASCII in lower case, whatever its length and place: out of line, so that the short way stays short.
#[cold]
#[inline(never)]
fn hash_lowered(word: &[u8]) -> u64 {
    hash_word(&word.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::normalize;
    use crate::text::normalize::tests::texts;
    use proptest::prelude::*;

    fn terms(text: &str) -> Vec<u64> {
        let mut out = Vec::new();
        hash_terms(text, &mut out);
        out
    }

    fn hashes(words: &[&str]) -> Vec<u64> {
        words.iter().map(|word| hash_word(word.as_bytes())).collect()
    }

    fn words(text: &str) -> Vec<&str> {
        tokens(text).iter().map(|token| token.span.of(text)).collect()
    }

    #[test]
    fn words_are_runs_of_letters_marks_and_numbers() {
        assert_eq!(terms("Don't stop, 3.5% of C3PO_x!"), hashes(&["don", "t", "stop", "3", "5", "of", "c3po", "x"]));
        assert_eq!(terms("Ça va — «Été» ½"), hashes(&["ça", "va", "été", "1", "2"]));
        assert_eq!(terms("नमस्ते दुनिया"), hashes(&["नमस्ते", "दुनिया"]));
        assert!(terms("").is_empty());
    }

    #[test]
    fn scripts_without_spaces_are_cut_into_characters() {
        assert_eq!(terms("Sony在東京 Tｏkyo2020年"), hashes(&["sony", "在", "東", "京", "tokyo2020", "年"]));
        assert_eq!(terms("カﾞ"), hashes(&["ガ"]));
        assert_eq!(terms("ที่นี่ok๑"), hashes(&["ที่", "นี่", "ok", "๑"]));
        assert_eq!(terms("안녕 세상"), hashes(&["안녕", "세상"]));
    }

    #[test]
    fn a_span_covers_what_its_word_was_made_of() {
        assert_eq!(
            words("It’s &eacute;t&eacute;, re-\nprint cafÃ© 東京"),
            ["It", "s", "&eacute;t&eacute;", "re-\nprint", "cafÃ©", "東", "京"]
        );
    }

    #[test]
    fn long_words_and_block_borders_change_nothing() {
        for len in [1, 7, 8, 9, 15, 16, 17, 63, 64, 65, 200] {
            for pad in 0..70 {
                let word = "aB3".repeat(70)[..len].to_owned();
                let text = format!("{}{word} {word}", ".".repeat(pad));
                let hash = hash_word(word.to_lowercase().as_bytes());
                assert_eq!(terms(&text), [hash, hash], "{len} bytes after {pad}");
                let mixed = format!("{}x/{word}/é", ".".repeat(pad));
                assert_eq!(
                    terms(&mixed),
                    [hash_word(b"x"), hash, hash_word("é".as_bytes())],
                    "{len} bytes after {pad}"
                );
            }
        }
    }

    #[test]
    fn fingerprints_know_order_and_repeats() {
        let of = |text: &str| fingerprint(&terms(text));
        assert_eq!(of("Leave a Reply"), of("leave a reply …"));
        assert_ne!(of("a reply leave"), of("leave a reply"));
        assert_ne!(of("a a"), of("a a a"));
        assert_ne!(of("a a b b"), of("b b a a"));
        assert_eq!(of("***"), 0);
    }

    proptest! {
        #[test]
        fn the_short_ways_give_what_the_long_way_does(text in texts()) {
            let mut expected = Vec::new();
            let mut at = 0;
            while let Some(unit) = next_unit(&text, at) {
                let mut buffer = Vec::new();
                let mut word = Word::new(&mut buffer);
                let mut emit = |term, range: Range<usize>| {
                    expected.push(Token { term, span: Span::new(unit.start + range.start, unit.start + range.end) });
                };
                for_each_char(&text[unit.clone()], |char, class, range| word.next(char, class, range, &mut emit));
                word.end(&mut emit);
                at = unit.end;
            }
            prop_assert_eq!(tokens(&text), expected.clone());
            prop_assert_eq!(terms(&text), expected.iter().map(|token| token.term).collect::<Vec<_>>());
        }

        #[test]
        fn terms_are_those_of_the_normal_form(text in texts()) {
            prop_assert_eq!(terms(&text), terms(&normalize(&text)));
        }

        #[test]
        fn mixed_ascii_is_hashed_as_by_definition(text in "[a-zA-Z0-9 .,&\n-]{0,300}(é[a-z ]{0,80}){0,3}[ -~]{0,100}") {
            let normal = normalize(&text).into_owned();
            let expected: Vec<u64> = normal
                .split(|char: char| !char.is_alphanumeric())
                .filter(|word| !word.is_empty())
                .map(|word| hash_word(word.as_bytes()))
                .collect();
            prop_assert_eq!(terms(&text), expected);
        }

        #[test]
        fn spans_ascend_and_lie_on_characters(text in texts()) {
            let mut last = Span::new(0, 0);
            for token in tokens(&text) {
                // Marks that are put in order share the bytes of their sequence.
                prop_assert!(token.span.start >= last.start && token.span.end >= last.end, "{:?}", token);
                prop_assert!(!token.span.of(&text).is_empty());
                last = token.span;
            }
        }
    }
}
