//! What one block looks like: counts taken in one pass over its characters, and its words as hashes.

use crate::boilerplate::cues::{FIRST, FUNCTION, Lexicon, MONTH, SECOND};

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
    /// Hash of its words in order, numbers alike.
    pub(super) hash: u32,
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

/// What a character is to us.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Lower,
    Upper,
    Digit,
    Unspaced,
    Space,
    Mark,
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
fn classify(c: char) -> (Class, char) {
    match ASCII.get(c as usize) {
        Some(Class::Upper) => (Class::Upper, c.to_ascii_lowercase()),
        Some(class) => (*class, c),
        None => classify_other(c),
    }
}

/// What [`classify`] returns beyond ASCII: kept out of line, so that the loops over plain text stay short.
#[inline(never)]
fn classify_other(c: char) -> (Class, char) {
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

const SEED: u32 = 0x811c_9dc5;

#[inline]
fn step(hash: u32, c: char) -> u32 {
    (hash ^ c as u32).wrapping_mul(0x0100_0193)
}

#[inline]
fn finish(hash: u32) -> u32 {
    let mixed = (hash ^ (hash >> 15)).wrapping_mul(0x2c1b_3c6d);
    (mixed ^ (mixed >> 12)) & !FLAGS
}

/// Hash of every number.
fn number() -> u32 {
    finish(step(SEED, '0'))
}

/// Appends the word hashes of a short text, as [`read`] would give them, without looking anything up.
pub(super) fn words_of(text: &str, words: &mut Vec<u32>) {
    let mut reader = Reader::default();
    let mut next = 0;
    while next < text.len() {
        let run = reader.read_lower(&text.as_bytes()[next..]);
        if run > 0 {
            next += run;
            continue;
        }
        let c = char_at(text, next);
        next += c.len_utf8();
        reader.read(c, words);
    }
    reader.flush(words);
}

/// Returns the character that begins at a byte of a text.
#[inline]
fn char_at(text: &str, at: usize) -> char {
    let byte = text.as_bytes()[at];
    if byte.is_ascii() {
        char::from(byte)
    } else {
        text[at..].chars().next().expect("a character begins before the end")
    }
}

/// Visits the words of a text: hash, and whether it is one that a template masks: a number, a month's name, or
/// capitalized and not first of a sentence.
pub(super) fn words_with(text: &str, mut visit: impl FnMut(u32, bool)) {
    let lexicon = Lexicon::get();
    let mut reader = Reader::default();
    let mut words = Vec::new();
    let mut begins = true;
    let (mut capitalized, mut numbers) = (0, 0);
    let mut next = 0;
    while next <= text.len() {
        // Small letters end no word and begin no sentence.
        next += reader.read_lower(&text.as_bytes()[next..]);
        let c = if next < text.len() { char_at(text, next) } else { ' ' };
        next += c.len_utf8();
        let class = reader.read(c, &mut words);
        if !words.is_empty() {
            let capital = reader.shape.capitalized > capitalized;
            let number = reader.shape.numbers > numbers;
            for word in &words {
                visit(*word, number || capital && !begins || lexicon.word(*word).classes & MONTH != 0);
                begins = false;
            }
            words.clear();
            (capitalized, numbers) = (reader.shape.capitalized, reader.shape.numbers);
        }
        begins |= class == Class::Mark && matches!(c, '.' | '!' | '?' | ':' | '•' | '|' | '“' | '"');
    }
}

/// Reads characters into words and counts.
struct Reader {
    hash: u32,
    length: u32,
    digits: u32,
    upper: u32,
    upper_first: bool,
    shape: Shape,
}

impl Default for Reader {
    fn default() -> Reader {
        Reader { hash: SEED, length: 0, digits: 0, upper: 0, upper_first: false, shape: Shape::default() }
    }
}

impl Reader {
    // Its callers know that what comes is no small letter, and each does something else with the class.
    #[inline(always)]
    fn read(&mut self, c: char, words: &mut Vec<u32>) -> Class {
        let (class, folded) = classify(c);
        match class {
            Class::Lower | Class::Digit => {
                self.digits += u32::from(class == Class::Digit);
                self.hash = step(self.hash, folded);
                self.length += 1;
            }
            Class::Upper => {
                self.upper_first |= self.length == 0;
                self.upper += 1;
                self.hash = step(self.hash, folded);
                self.length += 1;
            }
            Class::Unspaced => {
                self.flush(words);
                words.push(finish(step(SEED, folded)) | UNSPACED);
                self.shape.unspaced += 1;
            }
            Class::Space | Class::Mark => self.flush(words),
        }
        class
    }

    /// Reads the small letters of ASCII that `bytes` begin with, as [`Reader::read`] would; returns how many they are.
    #[inline]
    fn read_lower(&mut self, bytes: &[u8]) -> usize {
        let mut hash = self.hash;
        let mut count = 0;
        while let Some(byte) = bytes.get(count).filter(|byte| byte.is_ascii_lowercase()) {
            hash = step(hash, char::from(*byte));
            count += 1;
        }
        self.hash = hash;
        self.length += count as u32;
        count
    }

    #[inline]
    fn flush(&mut self, words: &mut Vec<u32>) {
        if self.length == 0 {
            return;
        }
        self.shape.digits += self.digits;
        self.shape.chars += self.length as f32;
        if self.digits == self.length {
            self.shape.numbers += 1;
            words.push(number());
        } else {
            self.shape.capitalized += u32::from(self.upper_first);
            self.shape.capitals += u32::from(self.upper == self.length && self.length > 1);
            words.push(finish(self.hash) | if self.length > 1 { CONTENT } else { 0 });
        }
        self.shape.words += 1.0;
        self.hash = SEED;
        self.length = 0;
        self.digits = 0;
        self.upper = 0;
        self.upper_first = false;
    }
}

/// Reads a block: appends its words to `words` and returns what its characters count.
///
/// Of a block longer than 8 KiB only the first 8 KiB are looked at, and its length is estimated from them.
pub(super) fn read(text: &str, words: &mut Vec<u32>) -> Shape {
    let mut cut = text.len().min(LOOKED_AT);
    while !text.is_char_boundary(cut) {
        cut -= 1;
    }
    let first_word = words.len();
    let mut reader = Reader::default();
    let mut last = Class::Space;
    let mut ended = ' ';
    let mut next = 0;
    while next < cut {
        let at = next;
        // Most of a text is small letters of ASCII, and these need nothing but their hash.
        let run = reader.read_lower(&text.as_bytes()[at..cut]);
        if run > 0 {
            if at == 0 {
                reader.shape.start = starts(char::from(text.as_bytes()[0]), Class::Lower);
            }
            next += run;
            last = Class::Lower;
            continue;
        }
        let c = char_at(text, at);
        next += c.len_utf8();
        let class = reader.read(c, words);
        if at == 0 {
            reader.shape.start = starts(c, class);
        }
        if class == Class::Space {
            continue;
        }
        if class == Class::Mark {
            let shape = &mut reader.shape;
            shape.marks += 1;
            match c {
                '.' | '!' | '?' | '。' | '！' | '？' | '؟' | '।' | '｡' => {
                    shape.enders += u32::from(last != Class::Mark || !matches!(ended, '.' | '!' | '?'));
                }
                ',' | '，' | '、' | '،' => shape.commas += 1,
                '|' | '»' | '›' | '>' | '•' | '·' | '/' | '→' | '▸' | '▶' | '<' | '«' | '｜' | '\\' | '・' =>
                {
                    shape.separators += 1;
                    shape.quotes += u32::from(matches!(c, '«' | '»'));
                }
                '"' | '“' | '”' | '„' | '「' | '」' | '『' | '』' => shape.quotes += 1,
                '(' | '[' | '（' | '【' | '{' => shape.brackets += 1,
                ':' | '：' => {
                    shape.colons += 1;
                    if shape.colons == 1 && words.len() - first_word <= 3 {
                        shape.label = (words.len() - first_word) as u32;
                    }
                    shape.clocks += u32::from(
                        last == Class::Digit
                            && text[at + c.len_utf8()..].starts_with(|next: char| next.is_ascii_digit()),
                    );
                    shape.links += u32::from(text[at..].starts_with("://"));
                }
                '@' => shape.links += 1,
                '©' | '®' | '™' => shape.rights += 1,
                _ => {}
            }
            ended = c;
        }
        last = class;
    }
    reader.flush(words);
    let mut shape = reader.shape;
    shape.end = ends(text);
    shape.first_word = first_word;
    shape.chars += (shape.unspaced + shape.marks) as f32;
    shape.words += shape.unspaced as f32 / 2.0;
    shape.tokens = (words.len() - first_word) as u32;
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
    let mut hash = SEED;
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
