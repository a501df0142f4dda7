//! Features of blocks: what a block looks like, what stands around it, where it stands.
//!
//! Two matrices, one row a block. [`Blocks::look_row`] needs the page alone; [`Blocks::context_row`] also needs a first
//! score of every block, so that a block can be judged by what its neighbors turned out to be. Training reads the same
//! rows, so what is learned is what is judged.

use std::cell::Cell;
use std::ops::Range;
use std::sync::LazyLock;

use crate::boilerplate::BoilerplateKind;
use crate::boilerplate::cues::{Lexicon, is_content};
use crate::boilerplate::headline;
use crate::boilerplate::shape::{self, FLAGS, Shape, UNSPACED, Words, end};
use crate::boilerplate::thread::{self, Shared, Thread};
use crate::text::Block;

/// Features of a block itself.
pub(super) const OWN: usize = 47;
/// Features of its place.
const PLACE: usize = 35;
/// Neighbors looked at on each side.
const NEAR: usize = 3;
/// Features taken of each neighbor.
const NEIGHBOR: [usize; 7] =
    [own::WORDS, own::FUNCTION, own::CAPITALIZED, own::END, own::STRONG, own::WEAK, own::LEXICAL];
/// Features of windows around it.
const WINDOWS: usize = 12;
/// Columns that both matrices begin with.
pub(super) const PAGE_COLUMNS: usize = OWN + PLACE + thread::COLUMNS;
/// Further columns of the first matrix.
pub(super) const NEAR_COLUMNS: usize = 2 * NEAR * NEIGHBOR.len() + WINDOWS;
/// Columns of the first matrix.
pub const LOOK_COLUMNS: usize = PAGE_COLUMNS + NEAR_COLUMNS;
/// Further columns of the second matrix: the scores around a block.
pub(super) const SCORE_COLUMNS: usize = 34;
/// Columns of the second matrix.
pub const CONTEXT_COLUMNS: usize = PAGE_COLUMNS + SCORE_COLUMNS;

/// Columns of the features of a block itself that others refer to.
mod own {
    pub(super) const WORDS: usize = 0;
    pub(super) const FUNCTION: usize = 3;
    pub(super) const CAPITALIZED: usize = 4;
    pub(super) const END: usize = 12;
    pub(super) const STRONG: usize = 24;
    pub(super) const WEAK: usize = 25;
    pub(super) const LEXICAL: usize = 39;
    pub(super) const TOPICAL: usize = 40;
    pub(super) const HEADLINE: usize = 42;
}

/// Words that are looked up for the words' own score, from the front and from the back of a block.
const LEXICAL_FRONT: usize = 24;
const LEXICAL_BACK: usize = 8;
/// Buckets of the hashed word weights, as a power of two.
pub const LEXICAL_BITS: u32 = 15;

/// Slots of the table of the page's topical words.
const TOPIC: usize = 1 << 13;

/// The blocks of a page, or of a part of a very long one, looked at.
#[derive(Debug)]
pub(super) struct Blocks {
    pub(super) shapes: Vec<Shape>,
    words: Words,
    pub(super) own: Vec<[f32; OWN]>,
    /// The headline among them: index of its block.
    pub(super) headline: Option<usize>,
    /// The language found, as a bit of the lexicon; 0: not known.
    pub(super) language: u32,
    /// Whether the language stood out.
    pub(super) language_sure: bool,
    place: Place,
    thread: Thread,
}

/// What the features of place are read from: one pass over the page.
#[derive(Debug, Default)]
struct Place {
    words_before: Vec<f32>,
    previous_long: Vec<u32>,
    next_long: Vec<u32>,
    long_before: Vec<u32>,
    since: [Vec<u32>; 6],
    until: [Vec<u32>; 6],
    short_run: Vec<u32>,
    alike_run: Vec<u32>,
    lexical: Vec<f32>,
    mass: Vec<f32>,
    words: Vec<f32>,
    strong: Vec<f32>,
    topical: Vec<f32>,
    long_words: f32,
    function: f32,
}

/// No such block.
const NONE: u32 = u32::MAX;

/// Distances are cut here, in blocks.
const FAR: f32 = 60.0;

/// Returns whether a block reads like a paragraph of running text.
fn is_long(shape: &Shape) -> bool {
    shape.words >= 15.0
        && (shape.enders > 0 || shape.end == end::COLON)
        && (shape.unspaced > 0 || shape.function as f32 >= 0.12 * shape.words)
}

/// Visits the buckets of a block's word n-grams: what the words' own score is summed over.
pub(super) fn lexical_buckets(words: &[u32], mut visit: impl FnMut(u32)) {
    let mut bucket = |kind: u32, a: u32, b: u32| {
        let key =
            (u64::from(a & !FLAGS) << 32 | u64::from(b & !FLAGS) | u64::from(kind)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (key ^ (key >> 32)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        visit((mixed >> (64 - LEXICAL_BITS)) as u32);
    };
    let front = words.len().min(LEXICAL_FRONT);
    let back = words.len().saturating_sub(LEXICAL_BACK).max(front);
    if let (Some(first), Some(last)) = (words.first(), words.last()) {
        bucket(1, *first, 0);
        bucket(2, *last, 0);
        bucket(3, words.len().min(6) as u32 * 4, 0);
    }
    for range in [0..front, back..words.len()] {
        for at in range.clone() {
            bucket(0, words[at], 0);
            if at + 1 < range.end {
                bucket(0, words[at], words[at + 1]);
            }
        }
    }
}

/// Visits the hashes of the words that carry meaning; of unspaced scripts, of pairs of characters.
pub(super) fn topical_words(words: &[u32], mut visit: impl FnMut(u32)) {
    let mut before = 0;
    for word in words {
        if word & UNSPACED != 0 {
            if before != 0 {
                visit((before ^ word.rotate_left(11)).wrapping_mul(0x9e37_79b1));
            }
            before = word & !FLAGS;
        } else {
            before = 0;
            if is_content(*word) {
                visit((word & !FLAGS).wrapping_mul(0x9e37_79b1));
            }
        }
    }
}

/// In which long blocks of the page a word occurs.
#[derive(Clone, Copy, Debug, Default)]
struct Uses {
    /// How many they are; 0: the word has not been met.
    count: u16,
    first: u16,
    last: u16,
}

/// The words of the page's long blocks. Blocks are judged by the part, so that their numbers are small.
struct Topic {
    uses: Vec<Uses>,
    /// The slots in use.
    met: Vec<u16>,
}

thread_local! {
    /// A table that is clear, kept for the next page: to make one costs more than most pages do.
    static CLEAR: Cell<Option<Topic>> = const { Cell::new(None) };
}

impl Topic {
    /// Reads the long blocks of a page.
    fn read(shapes: &[Shape], words: &[u32]) -> Topic {
        debug_assert!(shapes.len() <= usize::from(u16::MAX));
        let clear = CLEAR.take();
        let mut topic = clear.unwrap_or_else(|| Topic { uses: vec![Uses::default(); TOPIC], met: Vec::new() });
        for (at, shape) in (0..).zip(shapes) {
            if is_long(shape) {
                topic.add(at, words_of(shape, words));
            }
        }
        topic
    }

    /// Clears the table, for the next page.
    fn put_back(mut self) {
        for slot in self.met.drain(..) {
            self.uses[usize::from(slot)] = Uses::default();
        }
        CLEAR.set(Some(self));
    }

    fn slot(hash: u32) -> usize {
        hash as usize >> 19
    }

    fn add(&mut self, block: u16, words: &[u32]) {
        topical_words(words, |hash| {
            let slot = Topic::slot(hash);
            let uses = &mut self.uses[slot];
            if uses.count == 0 {
                self.met.push(slot as u16);
                *uses = Uses { count: 1, first: block, last: block };
            } else if uses.last != block {
                uses.last = block;
                uses.count = uses.count.saturating_add(1);
            }
        });
    }

    /// Returns which share of a block's words occurs in other long blocks.
    fn share(&self, at: usize, words: &[u32], own: u16) -> Shared {
        let (mut all, mut any, mut above, mut below) = (0u32, 0u32, 0u32, 0u32);
        topical_words(words, |hash| {
            let uses = self.uses[Topic::slot(hash)];
            all += 1;
            any += u32::from(uses.count > own);
            above += u32::from(uses.count > 0 && usize::from(uses.first) < at);
            below += u32::from(usize::from(uses.last) > at);
        });
        if all == 0 {
            return Shared { any: -0.1, above: -0.1, below: -0.1 };
        }
        let share = |count: u32| count as f32 / all as f32;
        Shared { any: share(any), above: share(above), below: share(below) }
    }

    /// Returns, for the gap above every block, how many words stand in long blocks on both sides of it.
    fn bridges(&self, count: usize) -> Vec<u32> {
        let mut changes = vec![0i32; count + 1];
        for slot in &self.met {
            let uses = self.uses[usize::from(*slot)];
            if uses.last > uses.first {
                changes[usize::from(uses.first) + 1] += 1;
                changes[usize::from(uses.last) + 1] -= 1;
            }
        }
        let mut sum = 0;
        changes
            .iter()
            .take(count)
            .map(|change| {
                sum += change;
                sum as u32
            })
            .collect()
    }
}

/// Logarithms of the small whole numbers: nearly all that are asked for.
static LOGARITHMS: LazyLock<[f32; 512]> = LazyLock::new(|| std::array::from_fn(|value| ln1p_of(value as f32)));

fn ln1p(value: f32) -> f32 {
    match LOGARITHMS.get(value as usize) {
        Some(logarithm) if value as usize as f32 == value => *logarithm,
        _ => ln1p_of(value),
    }
}

fn ln1p_of(value: f32) -> f32 {
    // Rounded to a grid, so that no platform's last bit can move a block across a threshold.
    ((f64::from(value) + 1.0).ln() * 1024.0).round() as f32 / 1024.0
}

impl Blocks {
    /// Looks at all blocks. `lexical` gives the words' own score.
    pub(super) fn look(text: &str, blocks: &[Block], title: Option<&str>, lexical: impl Fn(&[u32]) -> f32) -> Blocks {
        let mut words = Words::with_capacity(text.len().min(1 << 20) / 5);
        let mut shapes: Vec<Shape> = blocks.iter().map(|block| shape::read(block.span.of(text), &mut words)).collect();
        let (language, hits, second) = shape::language(sample(&shapes, &words.hashes));
        let language_sure = hits >= 8 && 2 * hits >= 3 * second;
        let language = if hits >= 4 { language } else { 0 };
        for shape in &mut shapes {
            shape::look_up(shape, language, &mut words.hashes);
        }
        let topic = Topic::read(&shapes, &words.hashes);
        let mut order: Vec<(u32, u32)> = shapes.iter().enumerate().map(|(at, shape)| (shape.hash, at as u32)).collect();
        order.sort_unstable();
        let mut repeats = vec![1f32; shapes.len()];
        for group in order.chunk_by(|a, b| a.0 == b.0) {
            for (_, at) in group {
                repeats[*at as usize] = group.len() as f32;
            }
        }
        let mut own = Vec::with_capacity(shapes.len());
        let mut shared = Vec::with_capacity(shapes.len());
        for (at, shape) in shapes.iter().enumerate() {
            let words = words_of(shape, &words.hashes);
            let topical = topic.share(at, words, u16::from(is_long(shape)));
            own.push(own_features(shape, lexical(words), topical.any, repeats[at]));
            shared.push(topical);
        }
        let thread = Thread::read(&shapes, shared, &topic.bridges(shapes.len()), &repeats);
        topic.put_back();
        let place = Place::default();
        let mut page = Blocks { shapes, words, own, headline: None, language, language_sure, place, thread };
        page.headline = headline::find(&page, title);
        let similar: Vec<f32> = match (page.headline, title) {
            (Some(at), _) => headline::similarities(&page, page.words_of(at)),
            (None, Some(title)) => {
                let mut words = Vec::new();
                shape::words_of(title, &mut words);
                headline::similarities(&page, &words)
            }
            (None, None) => vec![0.0; page.shapes.len()],
        };
        for (at, similar) in similar.into_iter().enumerate() {
            page.own[at][own::HEADLINE] = similar;
        }
        page.place = Place::read(&page.shapes, &page.own);
        page
    }

    /// Returns how many blocks there are.
    pub(super) fn len(&self) -> usize {
        self.shapes.len()
    }

    /// Returns a block's words.
    pub(super) fn words_of(&self, at: usize) -> &[u32] {
        words_of(&self.shapes[at], &self.words.hashes)
    }

    /// Returns where the terms of a block are among those of all, where its words are its terms.
    pub(super) fn terms_of(&self, at: usize) -> Option<Range<usize>> {
        let shape = &self.shapes[at];
        shape.plain.then(|| shape.first_word..shape.first_word + shape.tokens as usize)
    }

    /// Returns the terms of all blocks, and keeps none.
    pub(super) fn take_terms(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.words.terms)
    }

    /// Returns whether a block reads like a paragraph.
    pub(super) fn is_long(&self, at: usize) -> bool {
        is_long(&self.shapes[at])
    }

    /// Returns the share of a block's words that the page's paragraphs use too.
    pub(super) fn topical(&self, at: usize) -> f32 {
        self.own[at][own::TOPICAL]
    }

    /// Returns the words' own score of a block.
    pub(super) fn lexical(&self, at: usize) -> f32 {
        self.own[at][own::LEXICAL]
    }

    /// Returns how alike a block and the headline are.
    pub(super) fn headline_similarity(&self, at: usize) -> f32 {
        self.own[at][own::HEADLINE]
    }

    /// Writes a row of the first matrix.
    pub(super) fn look_row(&self, at: usize, row: &mut [f32; LOOK_COLUMNS]) {
        let (page, near) = row.split_at_mut(PAGE_COLUMNS);
        self.page_features(at, page.try_into().expect("the first columns"));
        self.near_features(at, near.try_into().expect("the other columns"));
    }

    /// Writes a row of the second matrix: own features, place, and what the first scores say around the block.
    pub(super) fn context_row(&self, at: usize, scores: &Scores, row: &mut [f32; CONTEXT_COLUMNS]) {
        let (page, around) = row.split_at_mut(PAGE_COLUMNS);
        self.page_features(at, page.try_into().expect("the first columns"));
        scores.features(at, around.try_into().expect("the other columns"));
    }

    /// Writes what both matrices begin with: a block's own features, its place, and the stretch that it stands in.
    pub(super) fn page_features(&self, at: usize, row: &mut [f32; PAGE_COLUMNS]) {
        row[..OWN].copy_from_slice(&self.own[at]);
        self.place_features(at, &mut row[OWN..OWN + PLACE]);
        self.thread.features(at, &mut row[OWN + PLACE..]);
    }

    /// Writes what stands around a block.
    pub(super) fn near_features(&self, at: usize, row: &mut [f32; NEAR_COLUMNS]) {
        let mut column = 0;
        for step in 1..=NEAR {
            for near in [at.checked_sub(step), Some(at + step).filter(|near| *near < self.len())] {
                for feature in NEIGHBOR {
                    row[column] = near.map_or(-1.0, |near| self.own[near][feature]);
                    column += 1;
                }
            }
        }
        let place = &self.place;
        for (from, to) in [self.window(at, 5, false), self.window(at, 5, true)] {
            let mass = place.mass[to] - place.mass[from];
            let blocks = (to - from).max(1) as f32;
            row[column] = (place.lexical[to] - place.lexical[from]) / mass.max(0.5);
            row[column + 1] = (place.words[to] - place.words[from]) / blocks;
            row[column + 2] = (place.strong[to] - place.strong[from]) / blocks;
            row[column + 3] = (place.topical[to] - place.topical[from]) / blocks;
            column += 4;
        }
        for (from, to) in [self.window(at, 16, false), self.window(at, 16, true)] {
            let mass = place.mass[to] - place.mass[from];
            let blocks = (to - from).max(1) as f32;
            row[column] = (place.lexical[to] - place.lexical[from]) / mass.max(0.5);
            row[column + 1] = (place.words[to] - place.words[from]) / blocks;
            column += 2;
        }
        debug_assert_eq!(column, NEAR_COLUMNS);
    }

    /// Returns the blocks before or after a block, as a half-open range into the running sums.
    fn window(&self, at: usize, width: usize, after: bool) -> (usize, usize) {
        if after { (at + 1, (at + 1 + width).min(self.len())) } else { (at.saturating_sub(width), at) }
    }

    fn place_features(&self, at: usize, row: &mut [f32]) {
        let place = &self.place;
        let count = self.len();
        let total = place.words_before[count].max(1.0);
        let distance = |other: u32| if other == NONE { FAR + 1.0 } else { (other.abs_diff(at as u32) as f32).min(FAR) };
        let words_at = |other: u32| if other == NONE { -1.0 } else { self.own[other as usize][own::WORDS] };
        row[0] = ln1p(at as f32);
        row[1] = ln1p((count - 1 - at) as f32);
        row[2] = at as f32 / count as f32;
        row[3] = place.words_before[at] / total;
        row[4] = (total - place.words_before[at + 1]) / total;
        row[5] = ln1p(count as f32);
        row[6] = ln1p(total);
        row[7] = place.long_words / total;
        row[8] = place.function;
        row[9] = match self.headline {
            None => -FAR - 1.0,
            Some(headline) => (at as f32 - headline as f32).clamp(-FAR, FAR),
        };
        row[10] = distance(place.previous_long[at]);
        row[11] = distance(place.next_long[at]);
        row[12] = words_at(place.previous_long[at]);
        row[13] = words_at(place.next_long[at]);
        let long = place.long_before[count];
        row[14] = place.long_before[at] as f32 / long.max(1) as f32;
        row[15] = ln1p(place.long_before[at] as f32);
        row[16] = ln1p((long - place.long_before[(at + 1).min(count)]) as f32);
        for (column, since) in place.since.iter().enumerate() {
            row[17 + column] = if since[at] == NONE { FAR + 1.0 } else { (since[at] as f32).min(FAR) };
        }
        row[23] = ln1p(place.short_run[at] as f32);
        row[24] = ln1p(place.alike_run[at] as f32);
        let gap = |other: u32, before: bool| match other {
            NONE => -1.0,
            other => {
                let other = other as usize;
                let between = if before {
                    place.words_before[at] - place.words_before[other + 1]
                } else {
                    place.words_before[other] - place.words_before[at + 1]
                };
                ln1p(between.max(0.0))
            }
        };
        row[25] = gap(place.previous_long[at], true);
        row[26] = gap(place.next_long[at], false);
        row[27] = place.words_before[count] / count as f32;
        row[28] = long as f32;
        for (column, until) in place.until.iter().enumerate() {
            row[29 + column] = if until[at] == NONE { FAR + 1.0 } else { (until[at] as f32).min(FAR) };
        }
    }
}

fn words_of<'a>(shape: &Shape, words: &'a [u32]) -> &'a [u32] {
    &words[shape.first_word..shape.first_word + shape.tokens as usize]
}

/// Blocks that tell the language, the longest ones, and words taken from each and from all of them.
const SAMPLE_BLOCKS: usize = 8;
const SAMPLE_OF_BLOCK: usize = 120;
const SAMPLE_WORDS: usize = 240;

/// Takes words from the longest blocks: enough to tell the language.
fn sample<'a>(shapes: &[Shape], words: &'a [u32]) -> impl Iterator<Item = &'a u32> {
    let order = |at: &u32| (std::cmp::Reverse(shapes[*at as usize].tokens), *at);
    let mut longest: Vec<u32> = (0..shapes.len() as u32).collect();
    if longest.len() > SAMPLE_BLOCKS {
        longest.select_nth_unstable_by_key(SAMPLE_BLOCKS - 1, order);
        longest.truncate(SAMPLE_BLOCKS);
    }
    longest.sort_unstable_by_key(order);
    let spans: Vec<(usize, usize)> = longest
        .into_iter()
        .map(|at| (shapes[at as usize].first_word, (shapes[at as usize].tokens as usize).min(SAMPLE_OF_BLOCK)))
        .collect();
    spans.into_iter().flat_map(|(first, count)| &words[first..first + count]).take(SAMPLE_WORDS)
}

fn own_features(shape: &Shape, lexical: f32, topical: f32, repeats: f32) -> [f32; OWN] {
    use BoilerplateKind as Kind;
    let tokens = shape.tokens.max(1) as f32;
    let words = shape.words.max(1.0);
    let chars = shape.chars.max(1.0);
    let cue = |kinds: &[Kind]| match shape.cue {
        // Most blocks hold no phrase.
        0 => 0.0,
        _ => kinds.iter().map(|kind| f32::from(shape.cues[*kind as usize])).sum::<f32>() / tokens,
    };
    [
        ln1p(shape.words),
        ln1p(shape.chars),
        chars / words,
        shape.function as f32 / tokens,
        shape.capitalized as f32 / tokens,
        shape.capitals as f32 / tokens,
        shape.numbers as f32 / tokens,
        shape.digits as f32 / chars,
        shape.marks as f32 / chars,
        ln1p(shape.enders as f32),
        shape.commas as f32 / words,
        f32::from(shape.start),
        f32::from(shape.end),
        shape.separators as f32 / words,
        shape.links.min(3) as f32,
        (shape.months + shape.numbers + shape.clocks) as f32 / tokens,
        shape.months.min(2) as f32,
        shape.clocks.min(2) as f32,
        shape.first as f32 / tokens,
        shape.second as f32 / tokens,
        shape.quotes.min(6) as f32,
        shape.brackets.min(4) as f32,
        shape.colons.min(4) as f32,
        shape.rights.min(2) as f32,
        shape.strong as f32 / tokens,
        shape.weak as f32 / tokens,
        f32::from(u8::from(shape.cue_first)),
        cue(&[Kind::Share]),
        cue(&[Kind::Related]),
        cue(&[Kind::Newsletter, Kind::Donation, Kind::Subscription]),
        cue(&[Kind::CommentFooter, Kind::Comments]),
        cue(&[Kind::CookiePrivacy, Kind::Copyright, Kind::Disclaimer]),
        cue(&[Kind::Navigation]),
        cue(&[Kind::Byline, Kind::AuthorBio]),
        cue(&[Kind::Dateline, Kind::ReadingTime]),
        cue(&[Kind::Caption]),
        cue(&[Kind::Tags]),
        cue(&[Kind::SourceNote]),
        cue(&[Kind::Advertisement]),
        lexical,
        topical,
        repeats.min(8.0),
        0.0,
        shape.unspaced as f32 / tokens,
        ln1p(shape.words / shape.enders.max(1) as f32),
        shape.label as f32,
        if shape.cue > 0 { f32::from(shape.cues[Lexicon::get().cue(shape.cue - 1).kind as usize]) } else { 0.0 },
    ]
}

/// Kinds whose last cue above a block is remembered: what follows them is rarely the article.
const MARKERS: [&[BoilerplateKind]; 6] = [
    &[BoilerplateKind::CommentFooter, BoilerplateKind::Comments],
    &[BoilerplateKind::Related],
    &[BoilerplateKind::Newsletter, BoilerplateKind::Donation, BoilerplateKind::Subscription],
    &[BoilerplateKind::Share, BoilerplateKind::Tags],
    &[BoilerplateKind::AuthorBio, BoilerplateKind::SourceNote, BoilerplateKind::Disclaimer],
    &[BoilerplateKind::Copyright, BoilerplateKind::CookiePrivacy],
];

/// Returns of which of [`MARKERS`] the cue phrases make up a third of a block, one bit each.
fn markers(shape: &Shape) -> u8 {
    if shape.cue == 0 {
        return 0;
    }
    let marks = |kinds: &[BoilerplateKind]| {
        let taken: u32 = kinds.iter().map(|kind| u32::from(shape.cues[*kind as usize])).sum();
        taken > 0 && 3 * taken >= shape.tokens
    };
    MARKERS.iter().rev().fold(0, |bits, kinds| bits << 1 | u8::from(marks(kinds)))
}

impl Place {
    fn read(shapes: &[Shape], own: &[[f32; OWN]]) -> Place {
        let count = shapes.len();
        let mut place = Place {
            previous_long: vec![NONE; count],
            next_long: vec![NONE; count],
            short_run: vec![0; count],
            alike_run: vec![0; count],
            ..Place::default()
        };
        for distances in place.since.iter_mut().chain(&mut place.until) {
            *distances = vec![NONE; count];
        }
        let sums = |of: &dyn Fn(usize) -> f32| {
            let mut sum = 0f64;
            let mut sums = Vec::with_capacity(count + 1);
            sums.push(0.0);
            for at in 0..count {
                sum += f64::from(of(at));
                sums.push(sum as f32);
            }
            sums
        };
        let weight = |at: usize| shapes[at].words.min(40.0).sqrt();
        place.words_before = sums(&|at| shapes[at].words);
        place.lexical = sums(&|at| own[at][self::own::LEXICAL] * weight(at));
        place.mass = sums(&weight);
        place.words = sums(&|at| own[at][self::own::WORDS]);
        place.strong = sums(&|at| own[at][self::own::STRONG]);
        place.topical = sums(&|at| own[at][self::own::TOPICAL]);
        let mut function = 0f64;
        let mut previous = NONE;
        let mut long = 0;
        let marked: Vec<u8> = shapes.iter().map(markers).collect();
        let mut seen = [NONE; MARKERS.len()];
        for at in 0..count {
            let shape = &shapes[at];
            place.long_before.push(long);
            place.previous_long[at] = previous;
            function += f64::from(shape.function);
            if is_long(shape) {
                previous = at as u32;
                long += 1;
                place.long_words += shape.words;
            }
            for (marker, (seen, since)) in seen.iter_mut().zip(&mut place.since).enumerate() {
                since[at] = if *seen == NONE { NONE } else { at as u32 - *seen };
                if marked[at] >> marker & 1 == 1 {
                    *seen = at as u32;
                }
            }
        }
        place.long_before.push(long);
        place.function = (function / f64::from(place.words_before[count].max(1.0))) as f32;
        let mut next = NONE;
        seen.fill(NONE);
        for at in (0..count).rev() {
            for (marker, (seen, until)) in seen.iter_mut().zip(&mut place.until).enumerate() {
                until[at] = if *seen == NONE { NONE } else { *seen - at as u32 };
                if marked[at] >> marker & 1 == 1 {
                    *seen = at as u32;
                }
            }
            place.next_long[at] = next;
            if is_long(&shapes[at]) {
                next = at as u32;
            }
        }
        runs(&mut place.short_run, |at| shapes[at].words < 10.0 && shapes[at].end != end::SENTENCE, |_, _| true);
        runs(
            &mut place.alike_run,
            |_| true,
            |a, b| {
                let (a, b) = (&shapes[a], &shapes[b]);
                a.start == b.start && a.end == b.end && (ln1p(a.words) - ln1p(b.words)).abs() < 0.8
            },
        );
        place
    }
}

/// Writes, for every block, how long the run is that it belongs to; 0 where it belongs to none.
fn runs(out: &mut [u32], member: impl Fn(usize) -> bool, joined: impl Fn(usize, usize) -> bool) {
    let mut start = 0;
    while start < out.len() {
        let mut stop = start;
        while stop < out.len() && member(stop) && (stop == start || joined(stop - 1, stop)) {
            stop += 1;
        }
        let length = (stop - start) as u32;
        for run in &mut out[start..stop] {
            *run = length;
        }
        start = stop.max(start + 1);
    }
}

/// First scores of a page's blocks, summed up for the second matrix.
#[derive(Debug)]
pub(super) struct Scores {
    /// Log odds of boilerplate by the first matrix alone.
    own: Vec<f32>,
    /// The same with the evidence of repetition.
    with: Vec<f32>,
    words: Vec<f32>,
    content: Vec<f32>,
    mass: Vec<f32>,
    kept: Vec<f32>,
    /// The stretch of the page that holds most of the article.
    body: (usize, usize),
    forward: Vec<[f32; 2]>,
    backward: Vec<[f32; 2]>,
    sure_content: [Vec<u32>; 2],
    sure_boilerplate: [Vec<u32>; 2],
}

fn probability(log_odds: f32) -> f32 {
    (1.0 / (1.0 + (-f64::from(log_odds)).exp())) as f32
}

impl Scores {
    /// Sums up first scores: `own` log odds by looks, `repetition` what counts add to them.
    pub(super) fn new(blocks: &Blocks, own: Vec<f32>, repetition: &[f32]) -> Scores {
        let count = own.len();
        let with: Vec<f32> = (0..count).map(|at| own[at] + repetition.get(at).copied().unwrap_or(0.0)).collect();
        let content: Vec<f32> = with.iter().map(|odds| 1.0 - probability(*odds)).collect();
        let words: Vec<f32> = blocks.shapes.iter().map(|shape| shape.words.max(0.5)).collect();
        let weight: Vec<f32> = words.iter().map(|words| words.min(60.0).sqrt()).collect();
        let running = |of: &dyn Fn(usize) -> f32| {
            let mut sum = 0f64;
            let mut sums = Vec::with_capacity(count + 1);
            sums.push(0f32);
            for at in 0..count {
                sum += f64::from(of(at));
                sums.push(sum as f32);
            }
            sums
        };
        let mass = running(&|at| weight[at]);
        let kept = running(&|at| weight[at] * content[at]);
        let word_sums = running(&|at| words[at] * content[at]);
        let mut best = (0f32, 0usize, 0usize);
        let (mut sum, mut start) = (0f32, 0usize);
        for at in 0..count {
            if sum <= 0.0 {
                (sum, start) = (0.0, at);
            }
            sum += (content[at] - 0.5) * weight[at];
            if sum > best.0 {
                best = (sum, start, at + 1);
            }
        }
        let decay = |order: &mut dyn Iterator<Item = usize>| {
            let mut out = vec![[0f32; 2]; count];
            let mut state = [0f32; 2];
            for at in order {
                out[at] = state;
                let value = with[at].clamp(-4.0, 4.0);
                let share = (weight[at] / 6.0).min(1.0);
                for (state, speed) in state.iter_mut().zip([0.6f32, 0.2]) {
                    let step = speed * share.max(0.25);
                    *state += step * (value - *state);
                }
            }
            out
        };
        let forward = decay(&mut (0..count));
        let backward = decay(&mut (0..count).rev());
        let near = |is: &dyn Fn(usize) -> bool| {
            let mut before = vec![NONE; count];
            let mut after = vec![NONE; count];
            let mut last = NONE;
            for (at, before) in before.iter_mut().enumerate() {
                *before = last;
                if is(at) {
                    last = at as u32;
                }
            }
            last = NONE;
            for at in (0..count).rev() {
                after[at] = last;
                if is(at) {
                    last = at as u32;
                }
            }
            [before, after]
        };
        let sure_content = near(&|at| with[at] < -1.5 && words[at] >= 10.0);
        let sure_boilerplate = near(&|at| with[at] > 2.0);
        Scores {
            own,
            with,
            words: word_sums,
            content,
            mass,
            kept,
            body: (best.1, best.2),
            forward,
            backward,
            sure_content,
            sure_boilerplate,
        }
    }

    /// Returns the first score of a block.
    pub(super) fn first(&self, at: usize) -> f32 {
        self.own[at]
    }

    /// Writes what the scores around a block say.
    pub(super) fn features(&self, at: usize, row: &mut [f32; SCORE_COLUMNS]) {
        let count = self.own.len();
        row[0] = self.own[at];
        let mut column = 1;
        for step in 1..=4 {
            row[column] = if at >= step { self.with[at - step] } else { 5.0 };
            row[column + 1] = self.with.get(at + step).copied().unwrap_or(5.0);
            column += 2;
        }
        let share = |from: usize, to: usize| {
            let mass = self.mass[to] - self.mass[from];
            if mass > 0.0 { (self.kept[to] - self.kept[from]) / mass } else { 0.0 }
        };
        for width in [5, 12, 30] {
            row[column] = share(at.saturating_sub(width), at);
            row[column + 1] = share((at + 1).min(count), (at + 1 + width).min(count));
            column += 2;
        }
        let total = self.words[count].max(0.1);
        row[column] = self.words[at] / total;
        row[column + 1] = (total - self.words[at + 1]) / total;
        row[column + 2] = ln1p(total);
        row[column + 3] = self.kept[count] / self.mass[count].max(0.1);
        column += 4;
        let (start, stop) = self.body;
        row[column] = f32::from(u8::from(at >= start && at < stop));
        row[column + 1] = (at as f32 - start as f32).clamp(-FAR, FAR);
        row[column + 2] = (stop as f32 - 1.0 - at as f32).clamp(-FAR, FAR);
        row[column + 3] = (self.words[stop] - self.words[start]) / total;
        column += 4;
        for state in [self.forward[at], self.backward[at]] {
            row[column] = state[0];
            row[column + 1] = state[1];
            column += 2;
        }
        for near in [&self.sure_content, &self.sure_boilerplate] {
            for side in near {
                row[column] = match side[at] {
                    NONE => FAR + 1.0,
                    other => (other.abs_diff(at as u32) as f32).min(FAR),
                };
                column += 1;
            }
        }
        row[column] = share(start, stop.max(start));
        row[column + 1] = (self.kept[at] + self.content[at]) / self.kept[count].max(0.1);
        row[column + 2] = (stop - start) as f32 / count as f32;
        debug_assert_eq!(column + 3, SCORE_COLUMNS);
    }
}
