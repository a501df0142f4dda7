//! Facts: the names and numbers of a text, and whether two texts differ in them at the same places.
//!
//! Monday's market report and Tuesday's share their whole frame and none of their figures; a reprint shares both. Texts
//! are aligned on the runs of words that they have in common; what stands between two runs on both sides was replaced.

use crate::hash::{mix64, sort_by_hash};
use crate::text::{Token, is_lowercase, is_uppercase, lower_by_range};

/// A word of a text as facts see it: 36 bits of its term, 26 of its letters, 2 of what it looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Word(u64);

/// What a word looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// A short word: most of them stand in any text.
    Short,
    Plain,
    Name,
    Number,
}

impl Look {
    fn code(self) -> u64 {
        match self {
            Look::Short => 0,
            Look::Name => 1,
            Look::Number => 2,
            Look::Plain => 3,
        }
    }
}

/// The bit of a letter, in lower case.
const fn letter(c: u32) -> u64 {
    1 << (2 + c.wrapping_mul(7) % 26)
}

/// What the letters of a word say together.
#[derive(Clone, Copy, Debug, Default)]
struct Letters(u64);

/// The bits of all letters.
const LETTERS: u64 = (1 << 28) - 4;

impl Letters {
    /// A digit is among them.
    const DIGIT: u64 = 1 << 63;
    /// Something other than a capital is among them.
    const NO_CAPITAL: u64 = 1 << 62;
    /// Something beyond ASCII is among them.
    const OTHER: u64 = 1 << 61;

    /// What every byte adds: most words are plain ASCII, and Unicode's tables are slow.
    const BYTES: [u64; 256] = {
        let mut bytes = [Letters::OTHER; 256];
        let mut byte = 0;
        while byte < 128 {
            let own = letter((byte as u8).to_ascii_lowercase() as u32);
            let digit = if (byte as u8).is_ascii_digit() { Letters::DIGIT } else { 0 };
            let capital = if (byte as u8).is_ascii_uppercase() { 0 } else { Letters::NO_CAPITAL };
            bytes[byte] = own | digit | capital;
            byte += 1;
        }
        bytes
    };

    fn of(word: &str) -> Letters {
        let letters = word.bytes().fold(0, |letters, byte| letters | Letters::BYTES[usize::from(byte)]);
        if letters & Letters::OTHER == 0 { Letters(letters) } else { Letters::of_chars(word) }
    }

    fn of_chars(word: &str) -> Letters {
        let mut letters = 0;
        for c in word.chars() {
            if let Some(lower) = lower_by_range(c) {
                letters |= letter(u32::from(lower));
                letters |= if c.is_ascii_digit() { Letters::DIGIT } else { 0 };
            } else {
                letters = c.to_lowercase().fold(letters, |letters, c| letters | letter(u32::from(c)));
                letters |= if c.is_numeric() { Letters::DIGIT } else { 0 };
            }
            letters |= if is_uppercase(c) { 0 } else { Letters::NO_CAPITAL };
        }
        Letters(letters)
    }

    fn has_digit(self) -> bool {
        self.0 & Letters::DIGIT != 0
    }

    fn are_capitals(self) -> bool {
        self.0 & Letters::NO_CAPITAL == 0
    }
}

impl Word {
    fn new(term: u64, letters: Letters, look: Look) -> Word {
        Word(term & !0 << 28 | letters.0 & LETTERS | look.code())
    }

    fn with(self, look: Look) -> Word {
        Word(self.0 & !3 | look.code())
    }

    /// The term alone: a name at the start of a sentence is the same word as inside it.
    fn term(self) -> u64 {
        self.0 >> 28
    }

    fn is_name(self) -> bool {
        self.0 & 3 == 1
    }

    fn is_number(self) -> bool {
        self.0 & 3 == 2
    }

    fn is_plain(self) -> bool {
        self.0 & 3 == 3
    }

    fn is_fact(self) -> bool {
        self.is_name() || self.is_number()
    }

    /// Whether two words may be one that was misspelled or misread: at most a third of their letters differ. Numbers are
    /// not misspelled: they differ.
    fn may_be(self, other: Word) -> bool {
        if self.is_number() || other.is_number() {
            return false;
        }
        let (one, that) = (self.0 & LETTERS, other.0 & LETTERS);
        3 * (one ^ that).count_ones() <= (one | that).count_ones() + 2
    }
}

/// Bytes of a word from which it says something about the text it stands in.
const PLAIN_BYTES: usize = 5;

/// Bytes of a name that a point behind it abbreviates ("Mr.", "Sen.", "St.") instead of ending the sentence.
const ABBREVIATION_BYTES: usize = 4;

/// Letters of a word in capitals from which it is a name even at the start of a sentence, as in a dateline.
const CAPITALS: usize = 4;

/// What begins a sentence, somewhere before its first word.
const SENTENCE_MARKS: [char; 11] = ['.', '!', '?', ':', '\n', '"', '“', '‘', '•', '>', '|'];

/// Appends the words of `part`, whose tokens are given.
///
/// A name is a capitalized word inside a sentence, or one in capitals, where the text is of mixed case; a number is a
/// word with a digit, with its decimals and thousands. Lines in capitals, and scripts without capitals, have no names
/// that can be told, only numbers.
pub(crate) fn words(part: &str, tokens: &[Token], out: &mut Vec<Word>) {
    let shouting = is_shouting(part);
    let (mut end, mut last) = (0, Look::Short);
    let mut last_word = "";
    for token in tokens {
        // Two terms may come from one character, as from a vulgar fraction.
        let between = part.get(end..token.span.start).unwrap_or_default();
        let abbreviated = between == ". " && last_word.len() <= ABBREVIATION_BYTES && last == Look::Name;
        let starts_sentence = end == 0 || !abbreviated && between != " " && between.contains(SENTENCE_MARKS);
        end = token.span.end;
        let word = token.span.of(part);
        let letters = Letters::of(word);
        let capital = !shouting && word.chars().next().is_some_and(is_uppercase);
        let mut term = token.term;
        let look = if letters.has_digit() {
            Look::Number
        } else if capital && (!starts_sentence || letters.are_capitals() && word.len() >= CAPITALS) {
            Look::Name
        } else if word.len() < PLAIN_BYTES {
            Look::Short
        } else {
            Look::Plain
        };
        if look == Look::Number && last == Look::Number && matches!(between, "." | ",") {
            // One number was cut at its point: its first part alone says nothing.
            if let Some(first) = out.last_mut() {
                term = mix64(term ^ mix64(first.0));
                *first = first.with(Look::Short);
            }
        }
        out.push(Word::new(term, letters, look));
        (last, last_word) = (look, word);
    }
}

fn is_shouting(text: &str) -> bool {
    let (mut upper, mut lower) = (0, 0);
    if text.is_ascii() {
        for byte in text.bytes() {
            upper += usize::from(byte.is_ascii_uppercase());
            lower += usize::from(byte.is_ascii_lowercase());
        }
        return upper > lower;
    }
    for c in text.chars() {
        upper += usize::from(is_uppercase(c));
        lower += usize::from(is_lowercase(c));
    }
    upper > lower
}

/// How two texts differ where they are aligned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Differences {
    /// Words that stand in common runs.
    pub(crate) matched: u32,
    /// Words of the shorter text from its first common run to its last.
    pub(crate) core: u32,
    /// Names in common runs.
    pub(crate) agreed_names: u32,
    /// Numbers in common runs.
    pub(crate) agreed_numbers: u32,
    /// Distinct names and numbers of the shorter text's core.
    pub(crate) core_facts: u32,
    /// Of those, how many stand anywhere in the longer text.
    pub(crate) kept_facts: u32,
    /// Distinct longer plain words of the shorter text's core.
    pub(crate) core_plain: u32,
    /// Of those, how many stand anywhere in the longer text.
    pub(crate) kept_plain: u32,
    /// Places where both texts say something else.
    pub(crate) replaced: u32,
    /// Names there that the other text has others for.
    pub(crate) other_names: u32,
    /// Numbers there that the other text has others for.
    pub(crate) other_numbers: u32,
    /// Of the places, those where a word stands that is no misspelling of the other text's.
    pub(crate) other_words: u32,
    /// Of the places, those with other names or numbers.
    pub(crate) other_facts: u32,
}

impl Differences {
    /// Returns whether other names and numbers stand at the same places of one frame: two stories told by a template.
    ///
    /// A copy that was edited keeps most of its facts, and its edits hit plain words as often. The shares were read off
    /// reprints with up to 8% wrong letters and changed figures on the one side, box scores, dividend notices, quake
    /// reports and police logs on the other: of 4,153 pairs of copies 18 are refused, of 4,991 pairs of pages 29 are not.
    pub(crate) fn is_template(&self) -> bool {
        let other = self.other_names + self.other_numbers;
        let facts = other + self.agreed_names + self.agreed_numbers;
        let names = share(self.other_names, self.other_names + self.agreed_names);
        let numbers = share(self.other_numbers, self.other_numbers + self.agreed_numbers);
        let places = share(self.other_facts, self.replaced);
        let plain = share(self.kept_plain, self.core_plain);
        let kept = share(self.kept_facts, self.core_facts) / plain.max(0.01);
        // Facts stand so close that the text is made of them, and most of one kind are others.
        let dense = other >= 2
            && 20 * other >= self.matched
            && 6 * other >= facts
            && (3.0 * numbers >= 2.0 || 4.0 * names >= 1.0)
            && (places >= 0.5 || other >= 2 * self.replaced)
            && kept < 0.9;
        // The frame is the same to the word, and names and numbers are all that differs in it.
        let framed =
            other >= 3 && self.other_names >= 1 && names >= 0.1 && places >= 0.6 && 5 * other >= facts && kept < 0.75;
        // The frame is kept, its items stand in another order or at other places.
        let listed = self.core_facts >= 16 && self.core_plain >= 8 && plain >= 0.8 && kept < 0.5;
        dense || framed || listed
    }
}

fn share(part: u32, whole: u32) -> f64 {
    if whole == 0 { 0.0 } else { f64::from(part) / f64::from(whole) }
}

/// Words on either side of a place that was replaced: beyond it a passage was rewritten, and its facts are not at "the
/// same place" any more.
const REPLACED_WORDS: usize = 12;

/// Words of a run that anchors the alignment.
const ANCHOR: usize = 3;

/// The words of a text, and where they may be aligned with another's: found once for all its pairs.
#[derive(Clone, Debug)]
pub(crate) struct Aligned {
    words: Vec<Word>,
    /// The triples that occur once, by their hash.
    anchors: Vec<Placed>,
    /// All words, ascending by term and place.
    placed: Vec<Placed>,
    /// The names and numbers among them.
    facts: Vec<Placed>,
    /// The longer plain words among them.
    plain: Vec<Placed>,
}

/// A term, its place in the text, and the look of the word there, in 36, 26 and 2 bits; words from the 67 millionth on
/// share the last place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Placed(u64);

impl Placed {
    const PLACES: u64 = (1 << 26) - 1;

    fn new(word: Word, place: usize) -> Placed {
        Placed(word.0 & !0 << 28 | (place as u64).min(Placed::PLACES) << 2 | word.0 & 3)
    }

    /// The word, but for its letters.
    fn word(self) -> Word {
        Word(self.0)
    }

    fn term(self) -> u64 {
        self.0 >> 28
    }

    fn place(self) -> usize {
        (self.0 >> 2 & Placed::PLACES) as usize
    }
}

impl Aligned {
    pub(crate) fn new(words: Vec<Word>) -> Aligned {
        let anchors = unique_triples(&words);
        let mut placed: Vec<Placed> = words.iter().zip(0..).map(|(word, at)| Placed::new(*word, at)).collect();
        sort_by_hash(&mut placed, |placed| placed.0);
        let of = |is: fn(Word) -> bool| placed.iter().filter(|placed| is(placed.word())).copied().collect();
        let (facts, plain) = (of(Word::is_fact), of(Word::is_plain));
        Aligned { words, anchors, placed, facts, plain }
    }

    /// Returns how many words there are.
    pub(crate) fn len(&self) -> usize {
        self.words.len()
    }

    /// Returns whether a term stands anywhere, for terms asked in ascending order; `next` keeps the place.
    fn holds(&self, term: u64, next: &mut usize) -> bool {
        while self.placed.get(*next).is_some_and(|held| held.term() < term) {
            *next += 1;
        }
        self.placed.get(*next).is_some_and(|held| held.term() == term)
    }
}

/// Returns how many of the distinct terms that have a place in `core` stand anywhere in `whole`, and how many they are.
fn kept(placed: &[Placed], core: std::ops::Range<usize>, whole: &Aligned) -> (u32, u32) {
    let (mut kept, mut all, mut next) = (0, 0, 0);
    for group in placed.chunk_by(|one, other| one.term() == other.term()) {
        if group.iter().any(|placed| core.contains(&placed.place())) {
            all += 1;
            kept += u32::from(whole.holds(group[0].term(), &mut next));
        }
    }
    (kept, all)
}

/// Aligns two texts on their common runs and compares the facts in between. O(n + m) but for what was moved about.
pub(crate) fn differences(first: &Aligned, second: &Aligned) -> Differences {
    let runs = common_runs(first, second);
    let (a, b) = (&first.words[..], &second.words[..]);
    let mut found = Differences::default();
    if let (Some(from), Some(to)) = (runs.first(), runs.last()) {
        let (shorter, core, whole) = if a.len() <= b.len() {
            (first, from.0..to.0 + to.2, second)
        } else {
            (second, from.1..to.1 + to.2, first)
        };
        found.core = core.len() as u32;
        (found.kept_facts, found.core_facts) = kept(&shorter.facts, core.clone(), whole);
        (found.kept_plain, found.core_plain) = kept(&shorter.plain, core, whole);
    }
    let mut last: Option<(usize, usize)> = None;
    for &(i, j, length) in &runs {
        if let Some((i0, j0)) = last {
            replaced(&a[i0..i], &b[j0..j], &mut found);
        }
        last = Some((i + length, j + length));
        for word in &a[i..i + length] {
            found.matched += 1;
            found.agreed_names += u32::from(word.is_name());
            found.agreed_numbers += u32::from(word.is_number());
        }
    }
    // What stands before the first run and after the last: headlines differ by outlet, so only short ends count.
    if let (Some(&(i, j, _)), Some((i1, j1))) = (runs.first(), last) {
        replaced(&a[..i], &b[..j], &mut found);
        replaced(&a[i1..], &b[j1..], &mut found);
    } else {
        replaced(a, b, &mut found);
    }
    found
}

fn replaced(a: &[Word], b: &[Word], found: &mut Differences) {
    let is_place = |side: &[Word]| {
        let facts = side.iter().filter(|word| word.is_fact()).count();
        !side.is_empty() && (side.len() <= REPLACED_WORDS || 2 * facts >= side.len())
    };
    if !is_place(a) || !is_place(b) {
        return;
    }
    let other = |is: fn(Word) -> bool| {
        let only = |one: &[Word], that: &[Word]| {
            one.iter()
                .filter(|word| is(**word))
                .filter(|word| that.iter().all(|other| other.term() != word.term() && !word.may_be(*other)))
                .count()
        };
        only(a, b).min(only(b, a)) as u32
    };
    let (names, numbers) = (other(Word::is_name), other(Word::is_number));
    let any = |one: &[Word], that: &[Word]| {
        one.iter().any(|word| that.iter().all(|other| other.term() != word.term() && !word.may_be(*other)))
    };
    found.replaced += 1;
    found.other_words += u32::from(any(a, b) && any(b, a));
    found.other_names += names;
    found.other_numbers += numbers;
    found.other_facts += u32::from(names + numbers > 0);
}

/// No place in the other text.
const NOWHERE: u32 = u32::MAX;

/// Returns the common runs (start in `a`, start in `b`, length) that stand in one order in both: the longest chain of
/// word triples that are unique in each, extended to both sides.
fn common_runs(first: &Aligned, second: &Aligned) -> Vec<(usize, usize, usize)> {
    let (a, b) = (&first.words[..], &second.words[..]);
    let (in_a, in_b) = (&first.anchors, &second.anchors);
    // Where each word of the one begins a triple that the other has too: hits in the order of the one, unsorted.
    let mut opposite = vec![NOWHERE; a.len()];
    let (mut x, mut y) = (0, 0);
    while let (Some(one), Some(other)) = (in_a.get(x), in_b.get(y)) {
        if one.term() == other.term() {
            let (here, there) = (one.place(), other.place());
            let (mine, theirs) = (&a[here..here + ANCHOR], &b[there..there + ANCHOR]);
            // Short hashes may meet by chance.
            if mine.iter().zip(theirs).all(|(one, other)| one.term() == other.term()) {
                opposite[here] = there as u32;
            }
        }
        x += usize::from(one.term() <= other.term());
        y += usize::from(other.term() <= one.term());
    }
    let hits: Vec<(u32, u32)> = (0..).zip(opposite).filter(|(_, there)| *there != NOWHERE).collect();
    let mut runs: Vec<(usize, usize, usize)> = Vec::new();
    for (i, j) in longest_chain(&hits) {
        let (i, j) = (i as usize, j as usize);
        let (i0, j0) = runs.last().map_or((0, 0), |&(i, j, length)| (i + length, j + length));
        // A triple inside the last run, or one that the run overlaps in one of the texts only.
        if i + ANCHOR <= i0 || j + ANCHOR <= j0 || (i < i0) != (j < j0) || (i < i0 && i0 - i != j0 - j) {
            continue;
        }
        let back = (1..).take_while(|&n| i >= i0 + n && j >= j0 + n && a[i - n].term() == b[j - n].term()).count();
        let start = (i.max(i0) - back.min(i.max(i0) - i0), j.max(j0) - back.min(j.max(j0) - j0));
        let ahead = a[start.0..].iter().zip(&b[start.1..]).take_while(|(one, that)| one.term() == that.term()).count();
        match runs.last_mut() {
            Some(run) if start == (i0, j0) => run.2 += ahead,
            _ => runs.push((start.0, start.1, ahead)),
        }
    }
    runs
}

/// Returns the triples that occur once, by their hash and with their place, ascending.
fn unique_triples(words: &[Word]) -> Vec<Placed> {
    let hash = |triple: &[Word]| {
        let add = |sum: u64, word: &Word| sum.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(word.term());
        Word(mix64(triple.iter().fold(0, add)))
    };
    let triples = words.windows(ANCHOR).zip(0..Placed::PLACES as usize);
    let mut triples: Vec<Placed> = triples.map(|(triple, at)| Placed::new(hash(triple), at)).collect();
    sort_by_hash(&mut triples, |triple| triple.0);
    let (mut kept, mut start) = (0, 0);
    while start < triples.len() {
        let term = triples[start].term();
        let alike = triples[start..].iter().take_while(|triple| triple.term() == term).count();
        if alike == 1 {
            triples[kept] = triples[start];
            kept += 1;
        }
        start += alike;
    }
    triples.truncate(kept);
    triples
}

/// Returns the longest chain of hits that ascends in both places. `hits` ascend by the first.
fn longest_chain(hits: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut ends: Vec<usize> = Vec::new();
    let mut before = vec![usize::MAX; hits.len()];
    for (at, hit) in hits.iter().enumerate() {
        // Most hits lengthen the longest chain so far.
        let length = match ends.last() {
            Some(&end) if hits[end].1 < hit.1 => ends.len(),
            _ => ends.partition_point(|&end| hits[end].1 < hit.1),
        };
        if length > 0 {
            before[at] = ends[length - 1];
        }
        if length == ends.len() {
            ends.push(at);
        } else {
            ends[length] = at;
        }
    }
    let mut chain = Vec::with_capacity(ends.len());
    let mut at = ends.last().copied().unwrap_or(usize::MAX);
    while at != usize::MAX {
        chain.push(hits[at]);
        at = before[at];
    }
    chain.reverse();
    chain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tokens;
    use proptest::prelude::*;

    fn differences(a: &[Word], b: &[Word]) -> Differences {
        super::differences(&Aligned::new(a.to_vec()), &Aligned::new(b.to_vec()))
    }

    #[test]
    fn letters_of_ascii_are_those_of_unicode() {
        for word in ["Straight", "A1", "zZ"] {
            let bits = word.chars().flat_map(char::to_lowercase).fold(0, |bits, c| bits | letter(u32::from(c)));
            assert_eq!(Word::new(0, Letters::of(word), Look::Short).0, bits);
        }
    }

    fn read(text: &str) -> Vec<Word> {
        let mut out = Vec::new();
        words(text, &tokens(text), &mut out);
        out
    }

    fn looks(text: &str) -> String {
        let mark = |word: &Word| match () {
            () if word.is_name() => 'N',
            () if word.is_number() => '9',
            () => '.',
        };
        read(text).iter().map(mark).collect()
    }

    #[test]
    fn capitals_inside_a_sentence_are_names_and_digits_are_numbers() {
        assert_eq!(looks("Today the Board met Anna Novak. Nobody spoke for 15 minutes"), "..N.NN...9.");
    }

    #[test]
    fn an_abbreviated_title_ends_no_sentence() {
        assert_eq!(looks("When Gov. Walker met Sen. Schumer"), ".NN.NN");
    }

    #[test]
    fn a_line_in_capitals_has_no_names_and_a_dateline_is_one() {
        assert_eq!(looks("BANK CUTS RATE"), "...");
        assert_eq!(looks("TRENTON, Wednesday - the bank cut rates again"), "NN.....");
    }

    #[test]
    fn decimals_are_one_number() {
        let (one, other) = (read("rose to 5.7 percent"), read("rose to 5.3 percent"));
        assert_eq!(looks("rose to 5.7 percent"), "...9.");
        assert_ne!(one[3].term(), other[3].term());
        assert_eq!(one[2].term(), other[2].term());
    }

    #[test]
    fn a_misspelled_name_may_be_the_name_and_another_may_not() {
        let word = |text: &str| read(text)[0];
        assert!(word("Guatemala").may_be(word("Guatcmala")));
        assert!(!word("Novak").may_be(word("Okafor")));
        assert!(!word("1987").may_be(word("1978")));
    }

    const NOTICE: [&str; 2] = [
        "The board of Lumen Works today declared a dividend of 98 cents per share, payable on May 21 to holders of record \
         on April 23 at its office in Trenton.",
        "The board of Everline Group today declared a dividend of 31 cents per share, payable on June 26 to holders of \
         record on May 17 at its office in Salida.",
    ];

    #[test]
    fn two_notices_of_one_template_are_two_stories() {
        assert!(differences(&read(NOTICE[0]), &read(NOTICE[1])).is_template());
    }

    #[test]
    fn a_notice_with_one_figure_corrected_is_a_copy() {
        let corrected = NOTICE[0].replace("98 cents", "97 cents");
        let found = differences(&read(NOTICE[0]), &read(&corrected));
        assert_eq!((found.replaced, found.other_numbers, found.other_names), (1, 1, 0));
        assert!(!found.is_template());
    }

    #[test]
    fn a_copy_with_other_plain_words_is_a_copy() {
        let edited = NOTICE[0].replace("today declared", "has announced").replace("payable", "to be paid");
        assert!(!differences(&read(NOTICE[0]), &read(&edited)).is_template());
    }

    #[test]
    fn texts_without_a_common_run_are_compared_as_one_place() {
        let found = differences(&read("met Anna Novak"), &read("saw Carl Zeller"));
        assert_eq!((found.matched, found.replaced, found.other_names), (0, 1, 2));
    }

    proptest! {
        #[test]
        fn a_text_differs_from_itself_in_nothing(text in "([A-Za-z0-9]{1,6}[ .,]){0,60}") {
            let words = read(&text);
            let found = differences(&words, &words);
            prop_assert_eq!(found.other_facts, 0);
            prop_assert!(!found.is_template());
        }

        #[test]
        fn common_runs_are_equal_and_in_order(a in proptest::collection::vec(0u64..6, 0..40), b in proptest::collection::vec(0u64..6, 0..40)) {
            let make = |terms: &[u64]| -> Vec<Word> { terms.iter().map(|term| Word::new(mix64(*term), Letters::of("word"), Look::Short)).collect() };
            let (a, b) = (make(&a), make(&b));
            let (mut i0, mut j0) = (0, 0);
            for (i, j, length) in common_runs(&Aligned::new(a.clone()), &Aligned::new(b.clone())) {
                prop_assert!(i >= i0 && j >= j0);
                prop_assert_eq!(&a[i..i + length], &b[j..j + length]);
                (i0, j0) = (i + length, j + length);
            }
        }
    }
}
