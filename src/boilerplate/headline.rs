//! The headline: which block says it, and which others say it again.

use crate::boilerplate::features::{Blocks, topical_words};
use crate::boilerplate::shape::{FLAGS, end};

/// Blocks in which a headline is looked for: chrome at the head of a whole page can be long.
const SEARCHED: usize = 400;

/// Finds the block that says the headline: the one most like the title, or else the first that reads like one.
pub(super) fn find(page: &Blocks, title: Option<&str>) -> Option<usize> {
    let count = page.len().min(SEARCHED);
    if let Some(title) = title {
        let mut words = Vec::new();
        crate::boilerplate::shape::words_of(title, &mut words);
        let mut likeness = Likeness::to(&words);
        let best = (0..count)
            .filter(|at| page.shapes[*at].words <= 40.0)
            .map(|at| (likeness.of(page.words_of(at)), std::cmp::Reverse(at)))
            .max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        if let Some((similar, std::cmp::Reverse(at))) = best
            && similar >= 0.8
        {
            return Some(at);
        }
    }
    let first_long = (0..page.len()).find(|at| page.is_long(*at) && page.topical(*at) > 0.2)?;
    let mut best = None;
    let mut best_value = 0.0;
    for at in first_long.saturating_sub(SEARCHED)..first_long {
        let value = likeness(page, at, first_long);
        if value > best_value + 1e-6 {
            best_value = value;
            best = Some(at);
        }
    }
    let best = best.filter(|_| best_value >= ENOUGH)?;
    // A page title stands above the headline and says the same, often with the site's name: the first one counts.
    let begins = page.words_of(best)[0];
    let words = sorted(page.words_of(best));
    let first = (best.saturating_sub(10)..best).find(|at| {
        let shape = &page.shapes[*at];
        (3.0..=40.0).contains(&shape.words)
            && shape.end != end::SENTENCE
            && (*at == 0 || page.words_of(*at)[0] == begins)
            && told(&words, &sorted(page.words_of(*at)))
    });
    Some(first.unwrap_or(best))
}

/// Likeness from which a block is a headline.
const ENOUGH: f32 = 0.65;

/// Returns whether one of two sets of three words or more holds most of the other.
fn told(a: &[u32], b: &[u32]) -> bool {
    let smaller = a.len().min(b.len());
    let common = a.iter().filter(|word| b.binary_search(word).is_ok()).count();
    smaller >= 3 && 10 * common >= 6 * smaller
}

/// Returns how much a block reads like the headline of the article that begins at `first_long`.
fn likeness(page: &Blocks, at: usize, first_long: usize) -> f32 {
    let shape = &page.shapes[at];
    let words = shape.words;
    let tokens = shape.tokens.max(1) as f32;
    if !(2.0..=32.0).contains(&words)
        || shape.strong as f32 > 0.5 * tokens
        || shape.weak as f32 > 0.7 * tokens
        || shape.rights > 0
        || shape.links > 0
        || (shape.months + shape.numbers + shape.clocks) as f32 > 0.4 * tokens
    {
        return 0.0;
    }
    let mut value = 0.0;
    value += page.topical(at).max(0.0) * 1.2;
    value += match words {
        words if words >= 5.0 => 0.6,
        words if words >= 3.0 => 0.3,
        _ => 0.0,
    };
    value -= match shape.end {
        end::SENTENCE => 0.5,
        end::COLON | end::COMMA => 0.6,
        end::ELLIPSIS => 0.3,
        _ => 0.0,
    };
    value -= 0.1 * page.lexical(at).clamp(-2.0, 5.0);
    value -= 1.2 * (shape.strong as f32 / tokens) + 0.3 * (shape.weak as f32 / tokens);
    // The nearer to the first paragraph, the likelier; but chrome and a standfirst may stand between.
    let between = (first_long - at - 1) as f32;
    value -= 0.05 * between.min(12.0) + 0.01 * (between - 12.0).clamp(0.0, 40.0);
    // Said twice: page title and headline.
    let again = (at + 1..(at + 40).min(first_long)).any(|other| page.shapes[other].hash == shape.hash);
    if again {
        value += 0.5;
    }
    if at == 0 {
        value += 0.25;
    }
    value
}

/// Returns how alike every block and the headline are, in 0..=1.
pub(super) fn similarities(page: &Blocks, headline: &[u32]) -> Vec<f32> {
    let longest = headline.len() * 3 + 6;
    let mut likeness = Likeness::to(headline);
    (0..page.len())
        .map(|at| {
            let words = page.words_of(at);
            if words.len() > longest { 0.0 } else { likeness.of(words) }
        })
        .collect()
}

/// How alike texts are to one short text, whose words are sorted once.
struct Likeness<'a> {
    words: &'a [u32],
    sorted: Vec<u32>,
    /// Room for the other's words.
    other: Vec<u32>,
}

impl<'a> Likeness<'a> {
    fn to(words: &'a [u32]) -> Likeness<'a> {
        Likeness { words, sorted: sorted(words), other: Vec::new() }
    }

    /// Returns which share of the words two short texts have in common, in 0..=1; 1 for equal texts.
    fn of(&mut self, words: &[u32]) -> f32 {
        if words.is_empty() || self.words.is_empty() {
            return 0.0;
        }
        if words.len() == self.words.len() && words.iter().zip(self.words).all(|(a, b)| a & !FLAGS == b & !FLAGS) {
            return 1.0;
        }
        if self.sorted.is_empty() {
            return 0.0;
        }
        sort_into(words, &mut self.other);
        if self.other.is_empty() {
            return 0.0;
        }
        let common = self.other.iter().filter(|word| self.sorted.binary_search(word).is_ok()).count();
        common as f32 / (self.other.len() + self.sorted.len() - common) as f32
    }
}

fn sorted(words: &[u32]) -> Vec<u32> {
    let mut out = Vec::new();
    sort_into(words, &mut out);
    out
}

/// Replaces what is in `out` by the words that carry meaning, sorted, each once.
fn sort_into(words: &[u32], out: &mut Vec<u32>) {
    out.clear();
    topical_words(words, |hash| out.push(hash));
    out.sort_unstable();
    out.dedup();
}
