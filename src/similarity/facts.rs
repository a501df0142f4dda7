//! Facts: the names and numbers of a text, and whether two texts differ in them at the same places.
//!
//! Monday's market report and Tuesday's share their whole frame and none of their figures; a reprint shares both. Texts
//! are aligned on the runs of words that they have in common; what stands between two runs on both sides was replaced.

use crate::text::tokens;

/// A word of a text as facts see it: 30 bits of its term, 2 bits of what it looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Word(u32);

/// What a word looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Plain,
    Name,
    Number,
}

impl Word {
    fn new(term: u64, look: Look) -> Word {
        let code = match look {
            Look::Plain => 0,
            Look::Name => 1,
            Look::Number => 2,
        };
        Word((term >> 32) as u32 & !3 | code)
    }

    /// The term alone: a name at the start of a sentence is the same word as inside it.
    fn term(self) -> u32 {
        self.0 & !3
    }

    fn is_name(self) -> bool {
        self.0 & 3 == 1
    }

    fn is_number(self) -> bool {
        self.0 & 3 == 2
    }
}

/// Appends the terms of `part` and its words.
///
/// A name is a capitalized word inside a sentence of mixed case; a number is a word with a digit. Lines in capitals,
/// and scripts without capitals, have no names that can be told, only numbers.
pub(crate) fn words(part: &str, terms: &mut Vec<u64>, out: &mut Vec<Word>) {
    let shouting = is_shouting(part);
    let mut end = 0;
    for token in tokens(part) {
        let between = &part[end..token.span.start];
        let starts_sentence = end == 0 || between.contains(['.', '!', '?', ':', '\n', '"', '“', '‘', '•', '>', '|']);
        end = token.span.end;
        let word = token.span.of(part);
        let look = if word.bytes().any(|byte| byte.is_ascii_digit()) || word.chars().any(char::is_numeric) {
            Look::Number
        } else if !shouting && !starts_sentence && word.chars().next().is_some_and(char::is_uppercase) {
            Look::Name
        } else {
            Look::Plain
        };
        terms.push(token.term);
        out.push(Word::new(token.term, look));
    }
}

fn is_shouting(text: &str) -> bool {
    let (mut upper, mut lower) = (0, 0);
    for c in text.chars() {
        upper += usize::from(c.is_uppercase());
        lower += usize::from(c.is_lowercase());
    }
    upper > lower
}

/// How two texts differ where they are aligned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Differences {
    /// Words that stand in common runs.
    pub(crate) matched: u32,
    /// Names in common runs.
    pub(crate) agreed_names: u32,
    /// Numbers in common runs.
    pub(crate) agreed_numbers: u32,
    /// Places where both texts say something else.
    pub(crate) replaced: u32,
    /// Of those, places with other names on both sides.
    pub(crate) other_names: u32,
    /// Of those, places with other numbers on both sides.
    pub(crate) other_numbers: u32,
    /// Of those, places with either.
    pub(crate) other_facts: u32,
}

impl Differences {
    pub(crate) fn dbg(&self) -> [u32; 8] {
        [
            self.matched,
            self.agreed_names,
            self.agreed_numbers,
            self.replaced,
            self.other_names,
            self.other_numbers,
            self.other_facts,
            0,
        ]
    }

    /// Returns whether other names and numbers stand at the same places of one frame: two stories told by a template.
    ///
    /// A copy that was edited keeps most of its facts, and its edits hit plain words as often.
    pub(crate) fn is_template(&self) -> bool {
        self.other_facts >= 2 && 2 * self.other_facts > self.replaced && self.other_numbers > 0
    }
}

/// Words on either side of a place that was replaced: beyond it a passage was rewritten, and its facts are not at "the
/// same place" any more.
const REPLACED_WORDS: usize = 12;

/// Words of a run that anchors the alignment.
const ANCHOR: usize = 3;

/// Aligns two texts on their common runs and compares the facts in between. O((n + m) log n).
pub(crate) fn differences(a: &[Word], b: &[Word]) -> Differences {
    let runs = common_runs(a, b);
    let mut found = Differences::default();
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
    if a.is_empty() || b.is_empty() || a.len() > REPLACED_WORDS || b.len() > REPLACED_WORDS {
        return;
    }
    let lacks = |word: &Word, other: &[Word]| other.iter().all(|that| that.term() != word.term());
    let other = |is: fn(Word) -> bool| {
        let says = |one: &[Word], that: &[Word]| one.iter().any(|word| is(*word) && lacks(word, that));
        says(a, b) && says(b, a)
    };
    let (names, numbers) = (other(Word::is_name), other(Word::is_number));
    found.replaced += 1;
    found.other_names += u32::from(names);
    found.other_numbers += u32::from(numbers);
    found.other_facts += u32::from(names || numbers);
}

/// Returns the common runs (start in `a`, start in `b`, length) that stand in one order in both: the longest chain of
/// word triples that are unique in each, extended to both sides.
fn common_runs(a: &[Word], b: &[Word]) -> Vec<(usize, usize, usize)> {
    let (in_a, in_b) = (unique_triples(a), unique_triples(b));
    let mut hits = Vec::new();
    let (mut x, mut y) = (0, 0);
    while x < in_a.len() && y < in_b.len() {
        match in_a[x].0.cmp(&in_b[y].0) {
            std::cmp::Ordering::Less => x += 1,
            std::cmp::Ordering::Greater => y += 1,
            std::cmp::Ordering::Equal => {
                hits.push((in_a[x].1, in_b[y].1));
                x += 1;
                y += 1;
            }
        }
    }
    hits.sort_unstable();
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

/// Returns the triples that occur once, with their place, ascending.
fn unique_triples(words: &[Word]) -> Vec<(u64, u32)> {
    let mut triples: Vec<(u64, u32)> = words
        .windows(ANCHOR)
        .enumerate()
        .map(|(at, triple)| {
            let sum = triple
                .iter()
                .fold(0u64, |sum, word| sum.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(u64::from(word.term())));
            (crate::hash::mix64(sum), at as u32)
        })
        .collect();
    triples.sort_unstable();
    let mut unique = Vec::with_capacity(triples.len());
    for group in triples.chunk_by(|one, that| one.0 == that.0) {
        if let [only] = group {
            unique.push(*only);
        }
    }
    unique
}

/// Returns the longest chain of hits that ascends in both places. `hits` ascend by the first.
fn longest_chain(hits: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut ends: Vec<usize> = Vec::new();
    let mut before = vec![usize::MAX; hits.len()];
    for (at, hit) in hits.iter().enumerate() {
        let length = ends.partition_point(|&end| hits[end].1 < hit.1);
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
