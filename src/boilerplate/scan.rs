//! The words and marks of a block, one after the other: what its shape, its words and its template are read from.

use std::sync::LazyLock;

use pulp::{Arch, Simd, WithSimd};

use crate::hash::hash_word;
use crate::text::{WINDOW, Window, hash_ascii_word};

/// What a character is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Lower,
    Upper,
    Digit,
    Unspaced,
    Space,
    Mark,
}

impl Class {
    /// Returns whether words of scripts with spaces are made of it.
    pub(super) fn is_of_word(self) -> bool {
        matches!(self, Class::Lower | Class::Upper | Class::Digit)
    }
}

const ASCII: [Class; 128] = {
    let mut table = [Class::Mark; 128];
    let mut at = 0;
    while at < 128 {
        table[at] = match at as u8 {
            b'a'..=b'z' => Class::Lower,
            b'A'..=b'Z' => Class::Upper,
            b'0'..=b'9' => Class::Digit,
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => Class::Space,
            _ => Class::Mark,
        };
        at += 1;
    }
    table
};

/// Returns class and folded form of a character: lower case, Greek without accents.
#[inline]
pub(super) fn classify(c: char) -> (Class, char) {
    match ASCII.get(c as usize) {
        Some(Class::Upper) => (Class::Upper, c.to_ascii_lowercase()),
        Some(class) => (*class, c),
        None => classify_other(c),
    }
}

/// What [`classify`] returns beyond ASCII.
#[inline]
fn classify_other(c: char) -> (Class, char) {
    match c {
        FIRST_OTHER..='\u{7ff}' => OF_TWO_BYTES[c as usize - FIRST_OTHER as usize],
        _ => classify_by_properties(c),
    }
}

/// The first character beyond ASCII.
const FIRST_OTHER: char = '\u{80}';

/// What is said of the characters that UTF-8 writes in two bytes: the letters of most alphabets.
static OF_TWO_BYTES: LazyLock<Vec<(Class, char)>> =
    LazyLock::new(|| (FIRST_OTHER..='\u{7ff}').map(classify_by_properties).collect());

/// What [`classify_other`] returns, from the character's properties: kept out of line, so that the loops over plain text
/// stay short.
#[inline(never)]
fn classify_by_properties(c: char) -> (Class, char) {
    match c {
        'а'..='џ' => (Class::Lower, c),
        'А'..='Я' => (Class::Upper, char::from_u32(c as u32 + 0x20).unwrap_or(c)),
        'Ѐ'..='Џ' => (Class::Upper, char::from_u32(c as u32 + 0x50).unwrap_or(c)),
        'α'..='ρ' | 'σ'..='ω' => (Class::Lower, c),
        'ς' => (Class::Lower, 'σ'),
        'ά' | 'Ά' => (if c == 'ά' { Class::Lower } else { Class::Upper }, 'α'),
        'έ' | 'Έ' => (if c == 'έ' { Class::Lower } else { Class::Upper }, 'ε'),
        'ή' | 'Ή' => (if c == 'ή' { Class::Lower } else { Class::Upper }, 'η'),
        'ί' | 'Ί' | 'ϊ' | 'ΐ' => (if c == 'Ί' { Class::Upper } else { Class::Lower }, 'ι'),
        'ό' | 'Ό' => (if c == 'ό' { Class::Lower } else { Class::Upper }, 'ο'),
        'ύ' | 'Ύ' | 'ϋ' | 'ΰ' => (if c == 'Ύ' { Class::Upper } else { Class::Lower }, 'υ'),
        'ώ' | 'Ώ' => (if c == 'ώ' { Class::Lower } else { Class::Upper }, 'ω'),
        'Α'..='Ω' => (Class::Upper, char::from_u32(c as u32 + 0x20).unwrap_or(c)),
        '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' => {
            if c == '・' { (Class::Mark, c) } else { (Class::Unspaced, c) }
        }
        '\u{e00}'..='\u{eff}' | '\u{1780}'..='\u{17ff}' | '\u{1000}'..='\u{109f}' => (Class::Unspaced, c),
        'İ' => (Class::Upper, 'i'),
        '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{303f}' => {
            if c.is_whitespace() {
                (Class::Space, c)
            } else {
                (Class::Mark, c)
            }
        }
        // Full-width forms say the same as their ASCII counterparts.
        '\u{ff01}'..='\u{ff5e}' => {
            let narrow = char::from_u32(c as u32 - 0xfee0).unwrap_or(c);
            let class = ASCII[narrow as usize & 127];
            (class, narrow.to_ascii_lowercase())
        }
        _ if c.is_alphabetic() => {
            if c.is_uppercase() {
                (Class::Upper, c.to_lowercase().next().unwrap_or(c))
            } else {
                (Class::Lower, c)
            }
        }
        _ if c.is_numeric() => (Class::Digit, c),
        _ if c.is_whitespace() => (Class::Space, c),
        // Combining marks belong to the word they stand in.
        '\u{300}'..='\u{36f}' | '\u{64b}'..='\u{652}' | '\u{93c}'..='\u{94d}' | '\u{981}'..='\u{9cd}' => {
            (Class::Lower, c)
        }
        _ => (Class::Mark, c),
    }
}

/// A word that was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    /// Hash of its characters in lower case; of plain ASCII it is the term.
    pub(super) hash: u64,
    /// Characters.
    pub(super) length: u32,
    /// Digits among them.
    pub(super) digits: u32,
    /// Capitals among them.
    pub(super) upper: u32,
    /// Whether the first one is a capital.
    pub(super) upper_first: bool,
}

/// What is told of a block, in the order of the text. White space is not told.
pub(super) trait Sink {
    /// Takes a word: a run of letters and digits of a script that puts spaces between words.
    fn word(&mut self, word: Word);
    /// Takes a character of a script without spaces.
    fn unspaced(&mut self, folded: char);
    /// Takes a mark, the byte that it begins at, and the class of what stands before it, blanks left out.
    fn mark(&mut self, mark: char, at: usize, before: Class);
    /// Takes a character beyond ASCII before all else is told of it: the byte that it begins at, its class, and what it
    /// is read as.
    #[inline]
    fn other(&mut self, _character: char, _at: usize, _class: Class, _folded: char) {}
}

/// Reads a block. ASCII is read 64 bytes at once, all else by the character.
///
/// To find and to count bits of a window takes one instruction each where the machine has them, which are chosen here.
pub(super) fn scan(text: &str, sink: &mut impl Sink) {
    Arch::new().dispatch(Scan { text, sink });
}

/// A block and what is told of it, as the dispatch to a machine's instructions takes them.
struct Scan<'t, 's, S> {
    text: &'t str,
    sink: &'s mut S,
}

impl<S: Sink> WithSimd for Scan<'_, '_, S> {
    type Output = ();

    // What is not inlined is not compiled for the instructions that were chosen.
    #[inline(always)]
    fn with_simd<M: Simd>(self, _: M) {
        let Scan { text, sink } = self;
        let mut scanner = Scanner { text, sink, partial: Partial::default(), before: Class::Space };
        let mut at = 0;
        while let Some(byte) = text.as_bytes().get(at) {
            at = if byte.is_ascii() { scanner.window(at) } else { scanner.characters(at) };
        }
        scanner.partial.end(scanner.sink);
    }
}

struct Scanner<'t, 's, S> {
    text: &'t str,
    sink: &'s mut S,
    partial: Partial,
    /// Class of the last character that was no white space.
    before: Class,
}

impl<S: Sink> Scanner<'_, '_, S> {
    /// Reads characters from one beyond ASCII to the next letter or digit of ASCII, and returns where that stands: in most
    /// scripts beyond ASCII, what stands between words is of ASCII, and not worth a window.
    fn characters(&mut self, start: usize) -> usize {
        for (at, c) in self.text[start..].char_indices() {
            let at = start + at;
            match u8::try_from(c) {
                Ok(byte) if byte.is_ascii_alphanumeric() => return at,
                Ok(byte) if byte.is_ascii() => self.take(c, at, ASCII[usize::from(byte)], c),
                _ => {
                    let (class, folded) = classify_other(c);
                    self.sink.other(c, at, class, folded);
                    self.take(c, at, class, folded);
                }
            }
        }
        self.text.len()
    }

    /// Takes a character of a class, read as `folded`.
    #[inline]
    fn take(&mut self, c: char, at: usize, class: Class, folded: char) {
        if class.is_of_word() {
            self.partial.push(folded, class);
        } else {
            self.partial.end(self.sink);
            match class {
                Class::Unspaced => self.sink.unspaced(folded),
                Class::Mark => self.sink.mark(c, at, self.before),
                _ => {}
            }
        }
        if class != Class::Space {
            self.before = class;
        }
    }

    fn character_at(&self, at: usize) -> char {
        self.text[at..].chars().next().expect("a character begins before the end")
    }

    /// Reads ASCII, up to 64 bytes of it, and returns where it stopped.
    #[inline(always)]
    fn window(&mut self, start: usize) -> usize {
        let bytes = self.text.as_bytes();
        let window = Window::at(bytes, start);
        let mut len = (window.others.trailing_zeros() as usize).min(bytes.len() - start);
        let mut words = window.words & low(len);
        // A word that began with a character beyond ASCII goes on, or ends here.
        if self.partial.word.length > 0 {
            let run = (!words).trailing_zeros() as usize;
            self.partial.extend(&bytes[start..start + run]);
            if run == len && start + len < bytes.len() {
                self.before = class_at(&window, run as u32 - 1);
                return start + len;
            }
            self.partial.end(self.sink);
            words &= !low(run);
        }
        // A word at the end may go on behind it: read again from its first byte, or kept until it has ended.
        let tail = len - (words << (WINDOW - len)).leading_ones() as usize;
        let mut kept = None;
        if tail < len && start + len < bytes.len() {
            if len == WINDOW && tail > 0 {
                len = tail;
            } else if len == WINDOW || classify_other(self.character_at(start + len)).0.is_of_word() {
                kept = Some(tail);
            }
            if kept.is_some() || len == tail {
                words &= low(tail);
            }
        }
        let said = !window.blanks & low(len);
        let mut marks = said & !window.words;
        let mut starts = words & !(words << 1);
        while marks != 0 {
            let place = marks.trailing_zeros();
            while starts.trailing_zeros() < place {
                self.word(start, &window, words, &mut starts);
            }
            let before = match said & low(place as usize) {
                0 => self.before,
                earlier => class_at(&window, WINDOW as u32 - 1 - earlier.leading_zeros()),
            };
            let at = start + place as usize;
            self.sink.mark(char::from(bytes[at]), at, before);
            marks &= marks - 1;
        }
        while starts != 0 {
            self.word(start, &window, words, &mut starts);
        }
        if said != 0 {
            self.before = class_at(&window, WINDOW as u32 - 1 - said.leading_zeros());
        }
        if let Some(tail) = kept {
            self.partial.extend(&bytes[start + tail..start + len]);
        }
        start + len
    }

    /// Tells the word whose first byte is the lowest of `starts`, and takes it from there.
    #[inline(always)]
    fn word(&mut self, base: usize, window: &Window, words: u64, starts: &mut u64) {
        let start = starts.trailing_zeros();
        let length = (!(words >> start)).trailing_zeros();
        *starts &= *starts - 1;
        let own = low(length as usize) << start;
        let count = |set: u64| if set & own == 0 { 0 } else { (set & own).count_ones() };
        let from = base + start as usize;
        self.sink.word(Word {
            hash: hash_ascii_word(self.text.as_bytes(), from, from + length as usize),
            length,
            digits: count(window.digits),
            upper: count(window.capitals),
            upper_first: window.capitals >> start & 1 != 0,
        });
    }
}

/// Returns the lowest `count` bits set, 64 at most.
#[inline]
fn low(count: usize) -> u64 {
    if count == WINDOW { u64::MAX } else { (1 << count) - 1 }
}

/// Returns the class of a byte of ASCII that is no white space.
#[inline]
fn class_at(window: &Window, place: u32) -> Class {
    if window.digits >> place & 1 != 0 {
        Class::Digit
    } else if window.capitals >> place & 1 != 0 {
        Class::Upper
    } else if window.words >> place & 1 != 0 {
        Class::Lower
    } else {
        Class::Mark
    }
}

/// A word of which not all characters have been read.
#[derive(Default)]
struct Partial {
    text: String,
    word: Word,
}

impl Partial {
    fn push(&mut self, folded: char, class: Class) {
        self.word.upper_first |= class == Class::Upper && self.word.length == 0;
        self.word.upper += u32::from(class == Class::Upper);
        self.word.digits += u32::from(class == Class::Digit);
        self.word.length += 1;
        self.text.push(folded);
    }

    fn extend(&mut self, ascii: &[u8]) {
        for byte in ascii {
            let (class, folded) = classify(char::from(*byte));
            self.push(folded, class);
        }
    }

    fn end(&mut self, sink: &mut impl Sink) {
        if self.word.length > 0 {
            let hash = hash_word(self.text.as_bytes());
            self.text.clear();
            sink.word(Word { hash, ..std::mem::take(&mut self.word) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::hash_terms;
    use proptest::prelude::*;

    /// What was told, and where.
    #[derive(Debug, Default, PartialEq)]
    struct Told {
        words: Vec<Word>,
        unspaced: String,
        marks: Vec<(char, usize, Class, usize)>,
    }

    impl Sink for Told {
        fn word(&mut self, word: Word) {
            self.words.push(word);
        }

        fn unspaced(&mut self, folded: char) {
            self.unspaced.push(folded);
        }

        fn mark(&mut self, mark: char, at: usize, before: Class) {
            self.marks.push((mark, at, before, self.words.len()));
        }
    }

    fn told(text: &str) -> Told {
        let mut told = Told::default();
        scan(text, &mut told);
        told
    }

    /// The definition: one character after the other.
    fn by_the_character(text: &str) -> Told {
        let mut told = Told::default();
        let mut partial = Partial::default();
        let mut before = Class::Space;
        for (at, c) in text.char_indices() {
            let (class, folded) = classify(c);
            match class {
                Class::Lower | Class::Upper | Class::Digit => partial.push(folded, class),
                Class::Unspaced => {
                    partial.end(&mut told);
                    told.unspaced(folded);
                }
                Class::Mark => {
                    partial.end(&mut told);
                    told.mark(c, at, before);
                }
                Class::Space => partial.end(&mut told),
            }
            if class != Class::Space {
                before = class;
            }
        }
        partial.end(&mut told);
        told
    }

    #[test]
    fn words_and_marks_are_told_in_the_order_of_the_text() {
        let told = told("Été 2021: “NATO—東京” (café42)…");
        let lengths: Vec<_> = told.words.iter().map(|word| (word.length, word.digits, word.upper)).collect();
        assert_eq!(lengths, [(3, 0, 1), (4, 4, 0), (4, 0, 4), (6, 2, 0)]);
        assert_eq!(told.unspaced, "東京");
        assert_eq!(told.marks[0], (':', 10, Class::Digit, 2));
    }

    #[test]
    fn the_hash_of_a_plain_word_is_its_term() {
        let text = "The Senate passed Internationalization 7 times, by 51 votes: a_b";
        let mut terms = Vec::new();
        hash_terms(text, &mut terms);
        assert_eq!(told(text).words.iter().map(|word| word.hash).collect::<Vec<_>>(), terms);
    }

    proptest! {
        #[test]
        fn windows_tell_what_single_characters_tell(
            parts in prop::collection::vec(
                prop_oneof![
                    "[a-zA-Z0-9]{1,20}", "[ -~]{0,70}", Just("é".to_owned()), Just("”".to_owned()), Just("東".to_owned()),
                    Just("\u{301}".to_owned()), Just("\u{2003}".to_owned()), "[a-z]{60,140}", any::<String>(),
                ],
                0..12,
            )
        ) {
            let text = parts.concat();
            prop_assert_eq!(told(&text), by_the_character(&text));
        }
    }
}
