//! What one block looks like: counts taken in one pass over its characters, and its words as hashes.

use crate::boilerplate::cues::{FIRST, FUNCTION, Lexicon, MONTH, SECOND};
use crate::boilerplate::plain::Plain;
use crate::boilerplate::scan::{Class, Sink, Word, classify, scan};
use crate::hash::{hash_word, mix64};

/// Bits of a word hash that are flags.
pub(super) const FLAGS: u32 = 3;
/// Flag: the word carries meaning (no function word, no number).
pub(super) const CONTENT: u32 = 1;
/// Flag: the word is a character of a script without spaces.
pub(super) const UNSPACED: u32 = 2;

/// Bytes of a block that are looked at: what follows a thousand words tells nothing new.
const LOOKED_AT: usize = 8 << 10;

/// Kinds that cue phrases are counted for, by number.
pub(super) const KINDS: usize = 21;

/// The counts of one block.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shape {
    /// Words; for scripts without spaces, half the characters.
    pub(super) words: f32,
    /// Characters, white space left out.
    pub(super) chars: f32,
    /// Word tokens: a character of an unspaced script counts as one.
    pub(super) tokens: u32,
    /// Where its words begin in the page's list.
    pub(super) first_word: usize,
    /// Words whose first letter is a capital.
    pub(super) capitalized: u32,
    /// Words of two letters and more in capitals throughout.
    pub(super) capitals: u32,
    /// Words that are numbers.
    pub(super) numbers: u32,
    /// Digits.
    pub(super) digits: u32,
    /// Marks that are neither letter, digit nor white space.
    pub(super) marks: u32,
    /// Ends of sentences inside the block or at its end.
    pub(super) enders: u32,
    /// Commas.
    pub(super) commas: u32,
    /// Marks that separate items: `|`, `»`, `›`, `>`, `•`, `·`, `/`.
    pub(super) separators: u32,
    /// Quotation marks.
    pub(super) quotes: u32,
    /// Opening brackets.
    pub(super) brackets: u32,
    /// Colons.
    pub(super) colons: u32,
    /// Addresses: `http`, `www`, `@`.
    pub(super) links: u32,
    /// `©`, `®`, `™`.
    pub(super) rights: u32,
    /// Characters of scripts without spaces.
    pub(super) unspaced: u32,
    /// Function words of the page's language.
    pub(super) function: u32,
    /// Pronouns of the first person.
    pub(super) first: u32,
    /// Pronouns of the second person.
    pub(super) second: u32,
    /// Names of months.
    pub(super) months: u32,
    /// Times of the day: digits, a colon, digits.
    pub(super) clocks: u32,
    /// What it begins with.
    pub(super) start: u8,
    /// What it ends with.
    pub(super) end: u8,
    /// Words taken by strong cue phrases, by kind.
    pub(super) cues: [u8; KINDS],
    /// Words taken by strong cue phrases.
    pub(super) strong: u32,
    /// Words taken by weak cue phrases.
    pub(super) weak: u32,
    /// Whether a strong cue phrase stands at its start.
    pub(super) cue_first: bool,
    /// The phrase that takes most words, as its number plus one.
    pub(super) cue: u16,
    /// Words before a colon near its start, as in `Photo:`; 0 where there is none.
    pub(super) label: u32,
    /// The kind that these words name, if a cue phrase is all of them.
    pub(super) label_kind: Option<u8>,
    /// Hash of its words in order, numbers alike.
    pub(super) hash: u32,
    /// Whether the full hashes of its words are its terms: all of it was read, and all of it is [`Plain`].
    pub(super) plain: bool,
}

/// How a block begins.
pub(super) mod start {
    pub(in super::super) const LOWER: u8 = 0;
    pub(in super::super) const UPPER: u8 = 1;
    pub(in super::super) const DIGIT: u8 = 2;
    pub(in super::super) const QUOTE: u8 = 3;
    pub(in super::super) const BULLET: u8 = 4;
    pub(in super::super) const MARK: u8 = 5;
    pub(in super::super) const UNSPACED: u8 = 6;
}

/// How a block ends.
pub(super) mod end {
    pub(in super::super) const NONE: u8 = 0;
    pub(in super::super) const SENTENCE: u8 = 1;
    pub(in super::super) const QUESTION: u8 = 2;
    pub(in super::super) const COLON: u8 = 3;
    pub(in super::super) const COMMA: u8 = 4;
    pub(in super::super) const ELLIPSIS: u8 = 5;
    pub(in super::super) const DIGIT: u8 = 6;
    pub(in super::super) const MARK: u8 = 7;
}

/// The words of a page, or of a part of it, block after block.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// Hashes, with flags in their lowest bits.
    pub(super) hashes: Vec<u32>,
    /// Hashes of full width: the terms, where a block is [`Plain`].
    pub(super) terms: Vec<u64>,
}

impl Words {
    /// Makes room for so many words.
    pub(super) fn with_capacity(words: usize) -> Words {
        Words { hashes: Vec::with_capacity(words), terms: Vec::with_capacity(words) }
    }

    #[inline]
    fn push(&mut self, word: Word) {
        self.hashes.push(hash_of(word));
        self.terms.push(word.hash);
    }

    fn push_unspaced(&mut self, folded: char) {
        self.hashes.push(hash_of_unspaced(folded));
        self.terms.push(term_of_unspaced(folded));
    }
}

/// Returns a word's hash with its flags; all numbers are one word.
#[inline]
fn hash_of(word: Word) -> u32 {
    if word.digits == word.length {
        return key(number());
    }
    key(word.hash) | if word.length > 1 { CONTENT } else { 0 }
}

fn hash_of_unspaced(folded: char) -> u32 {
    key(mix64(u64::from(folded))) | UNSPACED
}

/// Returns the term of a character of a script without spaces that is its own normal form.
fn term_of_unspaced(character: char) -> u64 {
    hash_word(character.encode_utf8(&mut [0; 4]).as_bytes())
}

#[inline]
fn key(hash: u64) -> u32 {
    (hash >> 32) as u32 & !FLAGS
}

/// Hash of every number.
#[inline]
fn number() -> u64 {
    hash_word(b"0")
}

/// Appends the word hashes of a short text, as [`read`] would give them, without looking anything up.
pub(super) fn words_of(text: &str, words: &mut Vec<u32>) {
    struct Hashes<'a>(&'a mut Vec<u32>);
    impl Sink for Hashes<'_> {
        fn word(&mut self, word: Word) {
            self.0.push(hash_of(word));
        }

        fn unspaced(&mut self, folded: char) {
            self.0.push(hash_of_unspaced(folded));
        }

        fn mark(&mut self, _: char, _: usize, _: Class) {}
    }
    scan(text, &mut Hashes(words));
}

/// Visits the words of a text: hash, and whether it is one that a template masks: a number, a month's name, or
/// capitalized and not first of a sentence. Appends the words' full hashes to `terms`, and returns whether they are the
/// text's terms.
pub(super) fn words_with(text: &str, terms: &mut Vec<u64>, visit: impl FnMut(u32, bool)) -> bool {
    struct Masked<'a, F> {
        text: &'a str,
        terms: &'a mut Vec<u64>,
        plain: Plain,
        visit: F,
        lexicon: &'static Lexicon,
        begins: bool,
    }
    impl<F: FnMut(u32, bool)> Masked<'_, F> {
        #[inline]
        fn visit(&mut self, hash: u32, masked: bool) {
            (self.visit)(hash, masked || self.lexicon.word(hash).classes & MONTH != 0);
            self.begins = false;
        }
    }
    impl<F: FnMut(u32, bool)> Sink for Masked<'_, F> {
        #[inline]
        fn word(&mut self, word: Word) {
            self.terms.push(word.hash);
            self.visit(hash_of(word), word.digits == word.length || word.upper_first && !self.begins);
        }

        fn unspaced(&mut self, folded: char) {
            self.terms.push(term_of_unspaced(folded));
            self.visit(hash_of_unspaced(folded), false);
        }

        fn mark(&mut self, mark: char, at: usize, _: Class) {
            self.begins |= matches!(mark, '.' | '!' | '?' | ':' | '•' | '|' | '“' | '"');
            self.plain.mark(mark, &self.text[at + mark.len_utf8()..]);
        }

        #[inline]
        fn other(&mut self, character: char, at: usize, class: Class, folded: char) {
            self.plain.other(self.text, at, character, class, folded);
        }
    }
    let mut masked = Masked { text, terms, plain: Plain::new(), visit, lexicon: Lexicon::get(), begins: true };
    scan(text, &mut masked);
    masked.plain.holds()
}

/// A block that is being read.
struct Reading<'a> {
    text: &'a str,
    words: &'a mut Words,
    first_word: usize,
    /// The mark read last.
    ended: char,
    plain: Plain,
    shape: Shape,
}

impl Sink for Reading<'_> {
    #[inline]
    fn word(&mut self, word: Word) {
        let shape = &mut self.shape;
        shape.digits += word.digits;
        shape.chars += word.length as f32;
        if word.digits == word.length {
            shape.numbers += 1;
        } else {
            shape.capitalized += u32::from(word.upper_first);
            shape.capitals += u32::from(word.upper == word.length && word.length > 1);
        }
        shape.words += 1.0;
        self.words.push(word);
    }

    fn unspaced(&mut self, folded: char) {
        self.words.push_unspaced(folded);
        self.shape.unspaced += 1;
    }

    fn mark(&mut self, mark: char, at: usize, before: Class) {
        let shape = &mut self.shape;
        let words = self.words.hashes.len() - self.first_word;
        let rest = &self.text[at + mark.len_utf8()..];
        shape.marks += 1;
        match mark {
            '.' | '!' | '?' | '。' | '！' | '？' | '؟' | '।' | '｡' => {
                shape.enders += u32::from(before != Class::Mark || !matches!(self.ended, '.' | '!' | '?'));
            }
            ',' | '，' | '、' | '،' => shape.commas += 1,
            '|' | '»' | '›' | '>' | '•' | '·' | '/' | '→' | '▸' | '▶' | '<' | '«' | '｜' | '\\' | '・' =>
            {
                shape.separators += 1;
                shape.quotes += u32::from(matches!(mark, '«' | '»'));
            }
            '"' | '“' | '”' | '„' | '「' | '」' | '『' | '』' => shape.quotes += 1,
            '(' | '[' | '（' | '【' | '{' => shape.brackets += 1,
            ':' | '：' => {
                shape.colons += 1;
                if shape.colons == 1 && words <= 3 {
                    shape.label = words as u32;
                }
                shape.clocks +=
                    u32::from(before == Class::Digit && rest.starts_with(|next: char| next.is_ascii_digit()));
                shape.links += u32::from(mark == ':' && rest.starts_with("//"));
            }
            '@' => shape.links += 1,
            '©' | '®' | '™' => shape.rights += 1,
            _ => {}
        }
        self.plain.mark(mark, rest);
        self.ended = mark;
    }

    #[inline]
    fn other(&mut self, character: char, at: usize, class: Class, folded: char) {
        self.plain.other(self.text, at, character, class, folded);
    }
}

/// Reads a block: appends its words to `words` and returns what its characters count.
///
/// Of a block longer than 8 KiB only the first 8 KiB are looked at, and its length is estimated from them.
pub(super) fn read(text: &str, words: &mut Words) -> Shape {
    let mut cut = text.len().min(LOOKED_AT);
    while !text.is_char_boundary(cut) {
        cut -= 1;
    }
    let first_word = words.hashes.len();
    let shape = Shape { first_word, ..Shape::default() };
    let mut reading = Reading { text, words, first_word, ended: ' ', plain: Plain::new(), shape };
    scan(&text[..cut], &mut reading);
    let mut shape = reading.shape;
    shape.plain = cut == text.len() && reading.plain.holds();
    shape.start = text.chars().next().map_or(start::LOWER, |c| starts(c, classify(c).0));
    shape.end = ends(text);
    shape.chars += (shape.unspaced + shape.marks) as f32;
    shape.words += shape.unspaced as f32 / 2.0;
    shape.tokens = (words.hashes.len() - first_word) as u32;
    if cut < text.len() {
        let scale = text.len() as f32 / cut as f32;
        shape.words *= scale;
        shape.chars *= scale;
    }
    shape
}

/// Looks up the words of a block that was read: counts what they mean, and marks the function words among them.
/// `language` is a bit of the lexicon, or 0. A word costs one probe.
pub(super) fn look_up(shape: &mut Shape, language: u32, words: &mut [u32]) {
    let lexicon = Lexicon::get();
    let words = &mut words[shape.first_word..][..shape.tokens as usize];
    let mut hash = 0x811c_9dc5;
    let mut cue_end = 0;
    let mut longest = 0;
    for at in 0..words.len() {
        let word = lexicon.word(words[at]);
        hash = (hash ^ (words[at] & !FLAGS)).wrapping_mul(0x9e37_79b1).rotate_left(13);
        if word.classes == 0 {
            continue;
        }
        shape.first += u32::from(word.classes & FIRST != 0);
        shape.second += u32::from(word.classes & SECOND != 0);
        shape.months += u32::from(word.classes & MONTH != 0);
        if word.classes & FUNCTION != 0 && (word.languages & language != 0 || language == 0) {
            shape.function += 1;
            words[at] &= !CONTENT;
        }
        if at < cue_end {
            continue;
        }
        if let Some(found) = lexicon.phrase_at(words, at, word) {
            let cue = lexicon.cue(found.cue);
            cue_end = found.start + found.words;
            let labels = at == 0 && found.words as u32 == shape.label;
            let weak = cue.weak && !labels;
            if labels {
                shape.label_kind = Some(cue.kind as u8);
            }
            if weak {
                shape.weak += found.words as u32;
            } else {
                shape.strong += found.words as u32;
                shape.cue_first |= at == 0;
            }
            let slot = &mut shape.cues[cue.kind as usize];
            if !weak || words.len() <= 2 * found.words + 2 {
                *slot = slot.saturating_add(found.words.min(255) as u8);
                if found.words > longest {
                    longest = found.words;
                    shape.cue = found.cue + 1;
                }
            }
        }
    }
    shape.hash = hash;
}

fn starts(c: char, class: Class) -> u8 {
    match class {
        Class::Lower => start::LOWER,
        Class::Upper => start::UPPER,
        Class::Digit => start::DIGIT,
        Class::Unspaced => start::UNSPACED,
        _ => match c {
            '"' | '“' | '„' | '«' | '\'' | '‘' | '「' | '『' => start::QUOTE,
            '•' | '·' | '*' | '-' | '–' | '—' | '●' | '○' | '■' | '▪' | '►' | '‣' | '◦' | '>' | '»' | '›' | '▶' => {
                start::BULLET
            }
            _ => start::MARK,
        },
    }
}

fn ends(text: &str) -> u8 {
    let mut back = text.chars().rev().skip_while(|c| {
        matches!(c, '"' | '”' | '“' | '»' | '\'' | '’' | ')' | ']' | '」' | '』' | '）' | '】') || c.is_whitespace()
    });
    match back.next() {
        None => end::MARK,
        Some('.') if back.next() == Some('.') => end::ELLIPSIS,
        Some('.' | '。' | '।' | '｡') => end::SENTENCE,
        Some('!' | '?' | '！' | '？' | '؟' | ';') => end::QUESTION,
        Some(':' | '：') => end::COLON,
        Some(',' | '，' | '、' | '،') => end::COMMA,
        Some('…') => end::ELLIPSIS,
        Some(c) => match classify(c).0 {
            Class::Digit => end::DIGIT,
            Class::Mark => end::MARK,
            _ => end::NONE,
        },
    }
}

/// Returns the language whose function words are commonest in a sample of the text, as a bit of the lexicon, with the
/// number of hits for it and for the runner-up.
pub(super) fn language<'a>(words: impl Iterator<Item = &'a u32>) -> (u32, u32, u32) {
    let lexicon = Lexicon::get();
    let mut hits = [0u32; 32];
    for hash in words {
        let mut languages = lexicon.word(*hash).languages;
        while languages != 0 {
            hits[languages.trailing_zeros() as usize] += 1;
            languages &= languages - 1;
        }
    }
    // Of equals the first wins.
    let (mut best, mut second) = (0, 0);
    for bit in 1..hits.len() {
        if hits[bit] > hits[best] {
            second = hits[best];
            best = bit;
        } else {
            second = second.max(hits[bit]);
        }
    }
    (1 << best, hits[best], second)
}
