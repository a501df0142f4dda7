//! Cue phrases and small words: what the data files say, ready to be looked up by word hash.
//!
//! Everything is looked up by hash: a word costs one probe, and only a word that begins a phrase costs more. The files
//! are part of the program and read once.

use std::sync::LazyLock;

use crate::boilerplate::BoilerplateKind;
use crate::boilerplate::shape::{self, CONTENT, FLAGS};
use crate::boilerplate::versions::{CUES, WORDS};

/// A word is a function word of some language.
pub(super) const FUNCTION: u8 = 1;
/// A word is a pronoun of the first person.
pub(super) const FIRST: u8 = 2;
/// A word is a pronoun of the second person.
pub(super) const SECOND: u8 = 4;
/// A word is the name of a month.
pub(super) const MONTH: u8 = 8;
/// A word begins a cue phrase.
const BEGINS: u8 = 16;

/// What is known of a word.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Word {
    key: u32,
    /// Languages in which it is a function word, one bit each, in the order of [`Lexicon::languages`].
    pub(super) languages: u32,
    /// Number of the phrase that is this word alone, plus one; 0: there is none.
    phrase: u16,
    /// Classes, as bits.
    pub(super) classes: u8,
}

/// A phrase of two words and more, or the beginning of one.
#[derive(Clone, Copy, Debug, Default)]
struct Phrase {
    key: u32,
    /// Index into the list of phrases plus one; 0: a beginning only.
    number: u16,
    taken: bool,
}

/// A cue phrase of the data file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cue {
    /// The kind it speaks for.
    pub(super) kind: BoilerplateKind,
    /// Whether it counts only where it makes up most of its block.
    pub(super) weak: bool,
    /// Its text.
    pub(super) text: &'static str,
}

/// A phrase found in a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// Which phrase.
    pub(super) cue: u16,
    /// Word of the block that it begins at.
    pub(super) start: usize,
    /// Words that it takes.
    pub(super) words: usize,
}

/// The data files, hashed.
#[derive(Debug)]
pub(super) struct Lexicon {
    words: Vec<Word>,
    /// One bit for every key of `words`, by [`bit`]: most words of a text are in no list, and this says so from a table
    /// that stays in the nearest cache.
    known: Box<[u64; KNOWN / 64]>,
    /// The same for the keys of the first two words of a phrase: most words that begin one are small words that go on
    /// otherwise.
    begun: Box<[u64; KNOWN / 64]>,
    phrases: Vec<Phrase>,
    cues: Vec<Cue>,
    languages: Vec<&'static str>,
}

/// Bits that tell words that may be known, and pairs of words that may begin a phrase.
const KNOWN: usize = 1 << 16;

/// Returns the number of a key's group of bits, and its bit there. The upper half of a key is taken, as the table is
/// indexed by the lower one.
#[inline]
fn bit(key: u32) -> (usize, u64) {
    let at = key >> 16;
    ((at >> 6) as usize, 1 << (at & 63))
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(Lexicon::read);

impl Lexicon {
    /// Returns the one lexicon.
    pub(super) fn get() -> &'static Lexicon {
        &LEXICON
    }

    /// Returns the languages that function words are known for, as ISO 639-1 codes.
    pub(super) fn languages(&self) -> &[&'static str] {
        &self.languages
    }

    /// Returns a phrase by its number.
    pub(super) fn cue(&self, number: u16) -> Cue {
        self.cues[usize::from(number)]
    }

    fn read() -> Lexicon {
        let mut lexicon = Lexicon {
            words: vec![Word::default(); 1 << 14],
            known: Box::new([0; KNOWN / 64]),
            begun: Box::new([0; KNOWN / 64]),
            phrases: vec![Phrase::default(); 1 << 16],
            cues: Vec::new(),
            languages: Vec::new(),
        };
        for (head, list) in entries(WORDS) {
            let (class, language) = head.split_once(' ').expect("a line of words begins with class and language");
            let class = match class {
                "function" => FUNCTION,
                "first" => FIRST,
                "second" => SECOND,
                "month" => MONTH,
                _ => unreachable!("the classes of words.txt are these four"),
            };
            let bit = match lexicon.languages.iter().position(|known| *known == language) {
                Some(at) => at,
                None => {
                    lexicon.languages.push(language);
                    lexicon.languages.len() - 1
                }
            };
            let mut hashes = Vec::new();
            for word in list.split_whitespace() {
                hashes.clear();
                shape::words_of(word, &mut hashes);
                for hash in &hashes {
                    let entry = lexicon.word_mut(hash & !FLAGS);
                    entry.classes |= class;
                    if class == FUNCTION {
                        entry.languages |= 1 << bit;
                    }
                }
            }
        }
        for (head, list) in entries(CUES) {
            let (kind, _) = head.split_once(' ').expect("a line of cues begins with kind and language");
            let kind: BoilerplateKind = kind.parse().expect("cues.txt names kinds by their published names");
            for text in list.split('|') {
                let text = text.trim();
                let (weak, text) = text.strip_prefix('~').map_or((false, text), |text| (true, text));
                lexicon.add(Cue { kind, weak, text });
            }
        }
        lexicon
    }

    fn add(&mut self, cue: Cue) {
        let mut hashes = Vec::new();
        shape::words_of(cue.text, &mut hashes);
        if hashes.is_empty() {
            return;
        }
        let number = self.cues.len() as u16 + 1;
        let first = self.word_mut(hashes[0] & !FLAGS);
        first.classes |= BEGINS;
        // The first kind that lists a phrase keeps it.
        let mut place = &mut first.phrase;
        let mut key = chain(0, hashes[0]);
        for (at, hash) in hashes.iter().enumerate().skip(1) {
            key = chain(key, *hash);
            if at == 1 {
                let (group, bit) = bit(key);
                self.begun[group] |= bit;
            }
            place = &mut self.phrase_mut(key).number;
        }
        if *place == 0 {
            *place = number;
            self.cues.push(cue);
        }
    }

    fn word_mut(&mut self, key: u32) -> &mut Word {
        let (number, bit) = bit(key);
        self.known[number] |= bit;
        let mask = self.words.len() - 1;
        let mut at = (key >> 2) as usize & mask;
        while self.words[at].key != key && self.words[at].classes != 0 {
            at = (at + 1) & mask;
        }
        self.words[at].key = key;
        &mut self.words[at]
    }

    fn phrase_mut(&mut self, key: u32) -> &mut Phrase {
        let mask = self.phrases.len() - 1;
        let mut at = key as usize & mask;
        while self.phrases[at].taken && self.phrases[at].key != key {
            at = (at + 1) & mask;
        }
        self.phrases[at].key = key;
        self.phrases[at].taken = true;
        &mut self.phrases[at]
    }

    /// Returns what is known of a word; no class when nothing is.
    #[inline]
    pub(super) fn word(&self, hash: u32) -> Word {
        let key = hash & !FLAGS;
        let (number, bit) = bit(key);
        if self.known[number] & bit == 0 {
            return Word::default();
        }
        let mask = self.words.len() - 1;
        let mut at = (key >> 2) as usize & mask;
        loop {
            let word = self.words[at];
            if word.classes == 0 || word.key == key {
                return word;
            }
            at = (at + 1) & mask;
        }
    }

    #[inline]
    fn phrase(&self, key: u32) -> Option<Phrase> {
        let mask = self.phrases.len() - 1;
        let mut at = key as usize & mask;
        loop {
            let phrase = self.phrases[at];
            if !phrase.taken {
                return None;
            }
            if phrase.key == key {
                return Some(phrase);
            }
            at = (at + 1) & mask;
        }
    }

    /// Returns the longest phrase that begins at word `start` of `words`.
    #[inline]
    pub(super) fn phrase_at(&self, words: &[u32], start: usize, word: Word) -> Option<Found> {
        if word.classes & BEGINS == 0 {
            return None;
        }
        let found_at = |number: u16, words| number.checked_sub(1).map(|cue| Found { cue, start, words });
        let mut found = found_at(word.phrase, 1);
        let mut key = chain(0, words[start]);
        for (at, hash) in words[start..].iter().enumerate().skip(1) {
            key = chain(key, *hash);
            let (group, bit) = bit(key);
            if at == 1 && self.begun[group] & bit == 0 {
                break;
            }
            let Some(phrase) = self.phrase(key) else { break };
            found = found_at(phrase.number, at + 1).or(found);
        }
        found
    }
}

/// Extends the key of a phrase by a word.
#[inline]
fn chain(key: u32, hash: u32) -> u32 {
    let mixed = (u64::from(key) << 32 | u64::from(hash & !FLAGS)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32) as u32
}

/// Returns the lines of a data file as head and list, comments left out.
fn entries(file: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    file.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split_once(": ").expect("a line of data is a head, a colon and a list"))
}

/// Returns whether a word carries meaning: neither a function word nor a number.
#[inline]
pub(super) fn is_content(hash: u32) -> bool {
    hash & CONTENT != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(BoilerplateKind, &'static str)> {
        let lexicon = Lexicon::get();
        let mut words = Vec::new();
        shape::words_of(text, &mut words);
        (0..words.len())
            .filter_map(|at| lexicon.phrase_at(&words, at, lexicon.word(words[at])))
            .map(|found| (lexicon.cue(found.cue).kind, lexicon.cue(found.cue).text))
            .collect()
    }

    #[test]
    fn the_longest_phrase_wins() {
        assert_eq!(found("SIGN UP FOR OUR list")[0], (BoilerplateKind::Newsletter, "sign up for our"));
    }

    #[test]
    fn a_number_stands_for_any_number() {
        assert_eq!(found("17 Comments")[0], (BoilerplateKind::CommentFooter, "0 comments"));
    }

    #[test]
    fn phrases_are_bounded_by_words() {
        assert!(found("unshared").is_empty());
    }

    #[test]
    fn scripts_without_spaces_are_matched_by_character() {
        assert!(found("請點延伸閱讀這裡").contains(&(BoilerplateKind::Related, "延伸閱讀")));
    }

    #[test]
    fn every_phrase_of_the_file_is_found_as_written() {
        for cue in &Lexicon::get().cues {
            let hits = found(cue.text);
            assert!(hits.iter().any(|(_, text)| *text == cue.text), "`{}` is not found", cue.text);
        }
    }

    #[test]
    fn fifteen_languages_have_function_words() {
        let languages = Lexicon::get().languages();
        for code in ["en", "de", "fr", "es", "it", "pt", "nl", "pl", "ru", "uk", "el", "tr", "ar", "zh", "ja"] {
            assert!(languages.contains(&code), "{code}");
        }
        assert!(languages.len() <= 32, "a language is a bit");
    }
}
