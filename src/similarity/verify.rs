//! Exact similarity, containment and facts → verified pairs.

use std::cmp::Ordering;
use std::str::FromStr;
use std::sync::OnceLock;

use crate::address::canonical;
use crate::config::{Config, Shingle};
use crate::document::Span;
use crate::hash::{hash64, mix64, sort_by_hash};
use crate::record::Record;
use crate::similarity::facts::{self, Aligned};
use crate::similarity::quotation;
use crate::similarity::shingle::Sieve;
use crate::similarity::{ShingleSet, identity};
use crate::text::is_alphanumeric;

/// A text to verify: what it says, and which parts of it are its article.
#[derive(Clone, Copy, Debug)]
pub struct Article<'a> {
    /// The text as read.
    pub text: &'a str,
    /// The blocks that were kept, in order: the text without boilerplate.
    pub content: &'a [Span],
    /// Its headline.
    pub headline: Option<&'a str>,
    /// Its site.
    pub site: Option<&'a str>,
    /// Its date as the record gave it.
    pub date: Option<&'a str>,
    /// Its address.
    pub url: Option<&'a str>,
}

/// What verification needs of one text, made once per text and used for every pair it is in.
///
/// Most candidates are told apart by their shingles alone, so only these are made at once; the rest is made when the
/// first pair asks for it.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The text as read, and its blocks without boilerplate.
    text: Box<str>,
    blocks: Box<[Span]>,
    /// Hash of all terms in order: equal for texts of one normal form.
    fingerprint: u128,
    /// The run's own shingles, without boilerplate.
    content: ShingleSet,
    /// Those of the text as read; none when nothing was left out of it.
    raw: Option<ShingleSet>,
    sieve: OnceLock<Sieve>,
    /// Triples of words, without boilerplate; none when they are the run's own shingles.
    triples: Option<ShingleSet>,
    /// Hash of the canonical address.
    address: Option<u64>,
    /// Hash of the headline's terms in order; none when it is too short to be told by.
    headline: Option<u64>,
    /// Its distinct terms, ascending.
    headline_terms: Vec<u64>,
    grams: OnceLock<Vec<u32>>,
    details: OnceLock<Details>,
    lines: OnceLock<Vec<u64>>,
}

/// What only pairs that have something in common need of a text.
#[derive(Clone, Debug)]
struct Details {
    /// Triples of words outside quoted lines; none when no line is quoted.
    own: Option<ShingleSet>,
    /// The words in order, with what is a name and what a number.
    words: Aligned,
}

/// Words of a shingle of the retelling rule. True reprints in historical newspapers share about 30% of their triples,
/// and far less of anything longer.
const TRIPLE: usize = 3;

/// Letters and digits of a character gram.
const GRAM: usize = 8;

/// One gram of so many is kept: a text of 400 letters still has a hundred, an error of 0.05 at a share of one half.
const GRAM_SCALE: u64 = 4;

impl Profile {
    /// Reads a text.
    ///
    /// O(n log n) in its length; keeps the text and about as much again.
    pub fn new(article: &Article<'_>, config: &Config) -> Profile {
        let (terms, raw_terms) = terms(article);
        let (content, raw) = match config.shingle {
            Shingle::Words(width) => {
                (ShingleSet::new(&terms, width), raw_terms.map(|terms| ShingleSet::new(&terms, width)))
            }
            Shingle::Chars(width) => {
                let whole = [Span::new(0, article.text.len())];
                let raw = raw_terms.map(|_| characters(article.text, &whole, width));
                (characters(article.text, article.content, width), raw)
            }
        };
        let mut headline_terms = Vec::new();
        if let Some(line) = article.headline {
            crate::text::hash_terms(line, &mut headline_terms);
        }
        let headline = (headline_terms.len() >= HEADLINE_WORDS).then(|| crate::text::fingerprint(&headline_terms));
        headline_terms.sort_unstable();
        headline_terms.dedup();
        Profile {
            text: article.text.into(),
            blocks: article.content.into(),
            fingerprint: identity(&terms),
            content,
            raw,
            sieve: OnceLock::new(),
            triples: (config.shingle != Shingle::Words(TRIPLE)).then(|| ShingleSet::new(&terms, TRIPLE)),
            address: article.url.and_then(canonical).map(|address| hash64(address.as_bytes())),
            headline,
            headline_terms,
            grams: OnceLock::new(),
            details: OnceLock::new(),
            lines: OnceLock::new(),
        }
    }

    fn details(&self) -> &Details {
        self.details.get_or_init(|| {
            // What is left of a remnant says nothing: its facts are those of the page.
            let whole = [Span::new(0, self.text.len())];
            let blocks = if self.is_remnant() { &whole[..] } else { &self.blocks };
            let may_quote = blocks.iter().any(|span| quotation::may_quote(span.of(&self.text)));
            let (mut tokens, mut own, mut quoted) = (Vec::new(), Vec::new(), 0);
            let mut words = Vec::with_capacity(self.text.len() / 5);
            for span in blocks {
                let part = span.of(&self.text);
                tokens.clear();
                crate::text::read_tokens(part, &mut tokens);
                facts::words(part, &tokens, &mut words);
                if may_quote {
                    let spans: Vec<_> = tokens.iter().map(|token| token.span).collect();
                    for (token, outside) in tokens.iter().zip(quotation::outside(part, &spans)) {
                        if outside {
                            own.push(token.term);
                        } else {
                            quoted += 1;
                        }
                    }
                }
            }
            Details { own: (quoted > 0).then(|| ShingleSet::new(&own, TRIPLE)), words: Aligned::new(words) }
        })
    }

    /// Hashes of the terms of all short blocks, ascending: few pairs ask for them.
    fn lines(&self) -> &[u64] {
        self.lines.get_or_init(|| {
            let (mut terms, mut lines) = (Vec::new(), Vec::new());
            // A headline inside a page is often taken for boilerplate, so all blocks count.
            for block in crate::text::segment(&self.text).blocks {
                terms.clear();
                crate::text::hash_terms(block.span.of(&self.text), &mut terms);
                if (HEADLINE_WORDS..LINE_WORDS).contains(&terms.len()) {
                    lines.push(crate::text::fingerprint(&terms));
                }
            }
            lines.sort_unstable();
            lines
        })
    }

    /// A quarter of the character grams, ascending and distinct.
    fn grams(&self) -> &[u32] {
        self.grams.get_or_init(|| {
            let mut letters = Vec::with_capacity(self.text.len());
            let mut form = String::new();
            for span in &self.blocks {
                let block = span.of(&self.text);
                // All that the normal form of plain ASCII changes in letters and digits is their case.
                if block.is_ascii() && !block.contains('&') {
                    push_letters(block, &mut letters);
                } else {
                    form.clear();
                    crate::text::normalize_into(block, &mut form);
                    push_letters(&form, &mut letters);
                }
            }
            grams(&letters)
        })
    }

    /// The run's own shingles of the text as read.
    fn raw(&self) -> &ShingleSet {
        self.raw.as_ref().unwrap_or(&self.content)
    }

    /// Returns whether next to nothing was left of the text.
    fn is_remnant(&self) -> bool {
        is_remnant(self.content.len(), self.raw().len())
    }

    fn triples(&self) -> &ShingleSet {
        self.triples.as_ref().unwrap_or(&self.content)
    }
}

/// Returns whether two headlines share half of the shorter one's words.
fn same_headline(first: &Profile, second: &Profile) -> bool {
    let (a, b) = (&first.headline_terms, &second.headline_terms);
    let shared = a.iter().filter(|term| b.binary_search(term).is_ok()).count();
    shared > 0 && 2 * shared >= a.len().min(b.len())
}

/// Words from which a block is no headline any more.
const LINE_WORDS: usize = 30;

/// Words of a headline from which its occurrence in another text is no accident.
const HEADLINE_WORDS: usize = 4;

/// Returns whether `page` carries `story` as one item of several: the story's headline stands in it, is not its own, and
/// most of its text is something else.
fn carries(page: &Profile, story: &Profile, share: f64) -> bool {
    share < ITEM && story.headline.is_some_and(|headline| page.lines().binary_search(&headline).is_ok())
}

/// Returns the terms of an article without what was left out, and those of all of it when something was.
fn terms(article: &Article<'_>) -> (Vec<u64>, Option<Vec<u64>>) {
    let mut terms = Vec::with_capacity(article.text.len() / 5);
    let mut raw: Option<Vec<u64>> = None;
    let mut end = 0;
    let rest = Span::new(article.text.len(), article.text.len());
    for span in article.content.iter().chain([&rest]) {
        let left_out = article.text[end..span.start].trim();
        if !left_out.is_empty() {
            let raw = raw.get_or_insert_with(|| terms.clone());
            crate::text::hash_terms(left_out, raw);
        }
        let first = terms.len();
        crate::text::hash_terms(span.of(article.text), &mut terms);
        if let Some(raw) = &mut raw {
            raw.extend_from_slice(&terms[first..]);
        }
        end = span.end;
    }
    (terms, raw)
}

/// Returns the shingles of `width` consecutive characters of the normal form.
fn characters(text: &str, blocks: &[Span], width: usize) -> ShingleSet {
    let mut terms = Vec::with_capacity(text.len());
    for span in blocks {
        crate::text::hash_characters(span.of(text), &mut terms);
    }
    ShingleSet::new(&terms, width)
}

/// Appends the letters and digits of a part, those of ASCII in lower case.
fn push_letters(part: &str, out: &mut Vec<u32>) {
    if !part.is_ascii() {
        out.extend(part.chars().filter(|c| is_alphanumeric(*c)).map(u32::from));
        return;
    }
    let start = out.len();
    out.resize(start + part.len(), 0);
    let mut end = start;
    // A byte that is none is written over by the next: words are too short to predict where they end.
    for byte in part.bytes() {
        out[end] = u32::from(byte.to_ascii_lowercase());
        end += usize::from(byte.is_ascii_alphanumeric());
    }
    out.truncate(end);
}

/// Returns a sample of the hashes of `GRAM` consecutive letters and digits, blanks and marks left out: scanning errors
/// split and join words.
fn grams(letters: &[u32]) -> Vec<u32> {
    const BASE: u64 = 0x9e37_79b9_7f4a_7c15;
    let leaving = (1..GRAM).fold(BASE, |power, _| power.wrapping_mul(BASE));
    let (first, later) = letters.split_at(letters.len().min(GRAM - 1));
    let code = |c: &u32| u64::from(*c) + 1;
    let mut sum = first.iter().fold(0u64, |sum, c| sum.wrapping_add(code(c)).wrapping_mul(BASE));
    // Which gram is kept is as good as random: all are written, and one that is not kept is written over.
    let mut sample = vec![0; later.len()];
    let mut count = 0;
    for (left, c) in letters.iter().zip(later) {
        sum = sum.wrapping_add(code(c)).wrapping_mul(BASE);
        let hash = mix64(sum);
        sample[count] = hash as u32;
        count += usize::from(hash < u64::MAX / GRAM_SCALE);
        sum = sum.wrapping_sub(code(left).wrapping_mul(leaving));
    }
    sample.truncate(count);
    sort_by_hash(&mut sample, |hash| u64::from(*hash) << 32);
    sample.dedup();
    sample
}

/// What a pair is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Relation {
    /// One normal form.
    Identical,
    /// Similar enough, or one retells the other.
    Near,
    /// `a` tells all of `b`.
    Contains,
    /// `b` tells all of `a`.
    Contained,
    /// One canonical address, two texts.
    Version,
    /// Similar, but not one story.
    Related,
}

impl FromStr for Relation {
    type Err = String;

    fn from_str(name: &str) -> Result<Relation, String> {
        Relation::ALL
            .into_iter()
            .find(|relation| relation.name() == name)
            .ok_or_else(|| format!("expected a relation, found `{name}`"))
    }
}

impl Relation {
    const ALL: [Relation; 6] = [
        Relation::Identical,
        Relation::Near,
        Relation::Contains,
        Relation::Contained,
        Relation::Version,
        Relation::Related,
    ];

    /// Returns the relation of a number, `relation as u8`.
    pub(crate) fn from_number(number: u8) -> Relation {
        Relation::ALL[usize::from(number)]
    }

    /// Returns the published name.
    pub fn name(self) -> &'static str {
        match self {
            Relation::Identical => "identical",
            Relation::Near => "near",
            Relation::Contains => "contains",
            Relation::Contained => "contained",
            Relation::Version => "version",
            Relation::Related => "related",
        }
    }

    /// Returns the relation seen from the other side.
    #[must_use]
    pub fn reversed(self) -> Relation {
        match self {
            Relation::Contains => Relation::Contained,
            Relation::Contained => Relation::Contains,
            other => other,
        }
    }
}

/// Which measure or fact decided a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Reason {
    /// The normal forms are equal.
    SameText,
    /// The Jaccard similarity passes the threshold.
    Jaccard,
    /// The longer text tells enough of the shorter one, word by word.
    Told,
    /// The longer text tells enough of the shorter one, letter by letter: scanning errors.
    ToldInLetters,
    /// Other names or numbers stand at the same places: one template, two stories.
    OtherFacts,
    /// The one quotes the other inside text of its own.
    Quotation,
    /// The one carries the other as one story among several.
    RoundUp,
    /// The two match, but each is nearer to another representative: the far ends of a chain.
    OtherCluster,
    /// Told by a share of the shorter text, which the settings say not to go by.
    RetellingsOff,
    /// So little of one text is left without boilerplate that it tells no story.
    TooLittle,
    /// Too little in common.
    TooDifferent,
}

impl Reason {
    const ALL: [Reason; 11] = [
        Reason::SameText,
        Reason::Jaccard,
        Reason::Told,
        Reason::ToldInLetters,
        Reason::OtherFacts,
        Reason::Quotation,
        Reason::RoundUp,
        Reason::OtherCluster,
        Reason::RetellingsOff,
        Reason::TooLittle,
        Reason::TooDifferent,
    ];

    /// Says in words which measure or fact decided `pair`.
    pub fn describe(pair: &VerifiedPair, config: &Config) -> String {
        match pair.reason {
            Reason::SameText => "same text".to_owned(),
            Reason::Jaccard => format!("{}jaccard {:.2} ≥ {}", config.verify.prefix(), pair.jaccard, config.threshold),
            Reason::Told => format!("{:.2} of the shorter text's word triples ≥ {TOLD}", pair.told),
            Reason::ToldInLetters => {
                format!(
                    "{:.2} of the shorter text's letters, {GRAM} at a time, ≥ {TOLD_IN_LETTERS}",
                    pair.told_in_letters
                )
            }
            Reason::OtherFacts if pair.other_facts == 0 => "pages of one template, other stories".to_owned(),
            Reason::OtherFacts => {
                format!("other names or numbers at {} of {} places that differ", pair.other_facts, pair.replaced)
            }
            Reason::Quotation => "quoted inside text of its own".to_owned(),
            Reason::RoundUp => "one story among several".to_owned(),
            Reason::OtherCluster => "each is nearer to another representative".to_owned(),
            Reason::RetellingsOff => format!("jaccard {:.2} < {}, retellings are off", pair.jaccard, config.threshold),
            Reason::TooLittle => "too little text is left without boilerplate".to_owned(),
            Reason::TooDifferent => {
                format!("{}jaccard {:.2} < {}", config.verify.prefix(), pair.jaccard, config.threshold)
            }
        }
    }
}

/// A pair whose similarity was measured exactly. `a` < `b`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VerifiedPair {
    /// The smaller item.
    pub a: u32,
    /// The larger item.
    pub b: u32,
    /// Jaccard similarity of the texts without boilerplate.
    pub jaccard: f64,
    /// Jaccard similarity of the texts as read.
    pub jaccard_raw: f64,
    /// Share of `a`'s shingles that `b` holds, without boilerplate.
    pub a_in_b: f64,
    /// Share of `b`'s shingles that `a` holds, without boilerplate.
    pub b_in_a: f64,
    /// Share of the shorter text's word triples that the longer one holds.
    pub told: f64,
    /// Share of the shorter text's grams of eight letters that the longer one holds, from a sample of one in four.
    pub told_in_letters: f64,
    /// Places where the aligned texts say something else.
    pub replaced: u32,
    /// Of those, places where other names or numbers stand.
    pub other_facts: u32,
    /// Whether the headlines share half of the shorter one's words.
    pub same_headline: bool,
    /// Whether the share of the shorter text is enough to join, whatever the threshold: the retelling rule, before facts.
    pub retells: bool,
    /// What the pair is.
    pub relation: Relation,
    /// Whether the pair may join one cluster.
    pub joins: bool,
    /// Whether the pair belongs in the table `pairs`.
    pub listed: bool,
    /// What decided.
    pub reason: Reason,
}

impl VerifiedPair {
    /// Returns the pair of two items whose texts are equal as read.
    pub fn identical(a: u32, b: u32) -> VerifiedPair {
        VerifiedPair {
            jaccard: 1.0,
            jaccard_raw: 1.0,
            a_in_b: 1.0,
            b_in_a: 1.0,
            told: 1.0,
            told_in_letters: 1.0,
            relation: Relation::Identical,
            retells: true,
            joins: true,
            listed: true,
            reason: Reason::SameText,
            ..VerifiedPair::apart(a, b)
        }
    }

    /// Returns the pair of two items that have nothing in common.
    pub fn apart(a: u32, b: u32) -> VerifiedPair {
        VerifiedPair {
            a,
            b,
            jaccard: 0.0,
            jaccard_raw: 0.0,
            a_in_b: 0.0,
            b_in_a: 0.0,
            told: 0.0,
            told_in_letters: 0.0,
            replaced: 0,
            other_facts: 0,
            same_headline: false,
            retells: false,
            relation: Relation::Related,
            joins: false,
            listed: false,
            reason: Reason::TooDifferent,
        }
    }

    /// Returns the pair seen from the other side.
    #[must_use]
    pub fn reversed(self) -> VerifiedPair {
        VerifiedPair {
            a: self.b,
            b: self.a,
            a_in_b: self.b_in_a,
            b_in_a: self.a_in_b,
            relation: self.relation.reversed(),
            ..self
        }
    }

    fn bits(&self) -> ([u32; 4], [u64; 6], [u8; 6]) {
        (
            [self.a, self.b, self.replaced, self.other_facts],
            [self.jaccard, self.jaccard_raw, self.a_in_b, self.b_in_a, self.told, self.told_in_letters]
                .map(f64::to_bits),
            [
                self.relation as u8,
                u8::from(self.joins),
                u8::from(self.listed),
                self.reason as u8,
                u8::from(self.same_headline),
                u8::from(self.retells),
            ],
        )
    }
}

impl Eq for VerifiedPair {}

impl PartialOrd for VerifiedPair {
    fn partial_cmp(&self, other: &VerifiedPair) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for VerifiedPair {
    fn cmp(&self, other: &VerifiedPair) -> Ordering {
        self.bits().cmp(&other.bits())
    }
}

impl Record for VerifiedPair {
    const WIDTH: usize = 70;

    fn encode(&self, out: &mut [u8]) {
        let (places, measures, marks) = self.bits();
        for (part, value) in out[..16].chunks_exact_mut(4).zip(places) {
            part.copy_from_slice(&value.to_le_bytes());
        }
        for (part, value) in out[16..64].chunks_exact_mut(8).zip(measures) {
            part.copy_from_slice(&value.to_le_bytes());
        }
        out[64..70].copy_from_slice(&marks);
    }

    fn decode(bytes: &[u8]) -> VerifiedPair {
        let place = |at: usize| u32::from_le_bytes(bytes[at * 4..at * 4 + 4].try_into().expect("four bytes"));
        let measure = |at: usize| {
            f64::from_bits(u64::from_le_bytes(bytes[16 + at * 8..24 + at * 8].try_into().expect("eight bytes")))
        };
        VerifiedPair {
            a: place(0),
            b: place(1),
            replaced: place(2),
            other_facts: place(3),
            jaccard: measure(0),
            jaccard_raw: measure(1),
            a_in_b: measure(2),
            b_in_a: measure(3),
            told: measure(4),
            told_in_letters: measure(5),
            relation: Relation::ALL[usize::from(bytes[64])],
            joins: bytes[65] != 0,
            listed: bytes[66] != 0,
            reason: Reason::ALL[usize::from(bytes[67])],
            same_headline: bytes[68] != 0,
            retells: bytes[69] != 0,
        }
    }

    fn key(&self) -> u64 {
        u64::from(self.a) << 32 | u64::from(self.b)
    }
}

/// Share of the shorter text's word triples from which the longer one retells it.
const TOLD: f64 = 0.45;

/// Share of the shorter text's grams from which the longer one retells it through scanning errors.
const TOLD_IN_LETTERS: f64 = 0.4;

/// Wrong letters that are spread evenly leave the square of the grams' share to the triples (17 letters against 8);
/// passages that were cut out take both alike.
const DAMAGE: f64 = 0.8;

/// Below this share of word triples not even letters are compared: texts that are told apart by their triples alone.
const FAINT: f64 = 0.05;

/// Below this share of word triples nothing else is looked at: at 8% wrong letters 0.29 of them survive.
const SCREEN: f64 = 0.15;

/// Share of a page below which a story whose headline stands in it is one item of several.
const ITEM: f64 = 0.6;

/// Share from which a text tells all of another.
const WHOLE: f64 = 0.8;

/// Share of the shorter text as read that a text must hold at least to tell all of it: where more of the other is its
/// site's than that, nobody would say that it stands in the first.
const WHOLE_RAW: f64 = 0.65;

/// Share of the shorter text as read from which one of two equal articles contains the other, page and all.
const SAME_RAW: f64 = 0.95;

/// Triples of the shorter text from which a share of them says that it was retold: three dividend notices of twenty words
/// share a third of theirs.
const RETELLING_TRIPLES: usize = 30;

/// How many times longer than a damaged copy its original may be: in a volume of hundreds of pages eight letters in a row
/// meet by chance.
const VOLUME: usize = 10;

/// Triples of its own from which a post that quotes is more than a wrapper.
const OWN_TRIPLES: usize = 20;

/// Share of a post's own triples that the quoted story holds, below which they are its own.
const OWN_TOLD: f64 = 0.3;

/// Words left of a text, and share of it, below which what is left is a remnant: a caption, the sentence that a template
/// changes, what survived a wrong verdict.
const REMNANT_WORDS: usize = 60;
const REMNANT: f64 = 0.25;

/// Returns whether so many words without boilerplate are but a remnant of a text of so many.
pub fn is_remnant(content_words: usize, words: usize) -> bool {
    content_words < REMNANT_WORDS && (content_words as f64) < REMNANT * words as f64
}

/// Share of a cut text whose core, between its first and its last common run, another text holds: around it stands what
/// its site wrote ("Read the full article").
const CORE: f64 = 0.65;

/// Share of that core from which it is held wholly.
const CORE_WHOLE: f64 = 0.95;

/// Words of a text in which one other name or number makes another story.
const SHORT: usize = 30;

/// Words of a text, like a headline or a message, in which any other word does.
const HEADLINE: usize = 14;

/// Compares two texts.
///
/// Two texts of one canonical address are versions of a page, whatever they have in common, and always listed.
pub fn verify(a: u32, first: &Profile, b: u32, second: &Profile, config: &Config) -> VerifiedPair {
    let mut pair = compare(a, first, b, second, config);
    if first.address.is_some() && first.address == second.address && first.fingerprint != second.fingerprint {
        pair.relation = Relation::Version;
        if !pair.listed {
            pair.jaccard_raw = jaccard_raw(first, second);
            pair.listed = true;
        }
    }
    pair
}

/// Returns the Jaccard similarity of two texts as read, which [`verify`] leaves out of pairs that share next to nothing.
pub fn jaccard_raw(first: &Profile, second: &Profile) -> f64 {
    let (a, b) = (first.raw(), second.raw());
    let shared = a.shared(b);
    shared as f64 / (a.len() + b.len() - shared).max(1) as f64
}

/// Compares two texts, wherever they stood: as [`verify`], but that two addresses are two pages.
pub fn compare(a: u32, first: &Profile, b: u32, second: &Profile, config: &Config) -> VerifiedPair {
    let share = |shared: usize, of: usize| if of == 0 { 0.0 } else { shared as f64 / of as f64 };
    // The first text is met with many others in turn, and most of them share next to nothing with it.
    let sieve = first.sieve.get_or_init(|| first.content.sieve());
    let shared = first.content.shared_through(sieve, &second.content);
    let union = first.content.len() + second.content.len() - shared;
    let mut pair = VerifiedPair {
        jaccard: share(shared, union),
        a_in_b: share(shared, first.content.len()),
        b_in_a: share(shared, second.content.len()),
        same_headline: same_headline(first, second),
        ..VerifiedPair::apart(a, b)
    };
    if first.content.is_empty() || second.content.is_empty() {
        return pair;
    }
    let shorter = first.triples().len().min(second.triples().len());
    // Triples are the run's own shingles by default, and most texts are whole: sets are met once.
    let one_unit = first.triples.is_none() && second.triples.is_none();
    let shared_triples = if one_unit { shared } else { first.triples().shared(second.triples()) };
    pair.told = share(shared_triples, shorter);
    if pair.told < FAINT && pair.jaccard < config.threshold {
        return pair;
    }
    if pair.told < TOLD {
        // Letters are asked only where words do not decide.
        let (a_grams, b_grams) = (first.grams(), second.grams());
        pair.told_in_letters = share(shared_grams(a_grams, b_grams), a_grams.len().min(b_grams.len()));
    }
    if pair.told < SCREEN && pair.jaccard < config.threshold {
        return pair;
    }
    let (a_raw, b_raw) = (first.raw(), second.raw());
    let whole = std::ptr::eq(a_raw, &first.content) && std::ptr::eq(b_raw, &second.content);
    let shared_raw = if whole { shared } else { a_raw.shared(b_raw) };
    pair.jaccard_raw = share(shared_raw, a_raw.len() + b_raw.len() - shared_raw);
    let told_raw = share(shared_raw, a_raw.len().min(b_raw.len()));
    let similar = pair.jaccard >= config.threshold;
    let enough = shorter >= RETELLING_TRIPLES;
    let longer = first.triples().len().max(second.triples().len());
    let told = pair.told >= if enough { TOLD } else { WHOLE };
    let told_in_letters = enough
        && longer <= VOLUME * shorter
        && pair.told_in_letters >= TOLD_IN_LETTERS
        && pair.told_in_letters.powi(2) >= DAMAGE * pair.told;
    let contained = pair.told >= WHOLE && told_raw >= WHOLE_RAW || told_raw >= WHOLE;
    pair.listed = similar || contained || config.retellings && (told || told_in_letters);
    if !pair.listed {
        return pair;
    }
    pair.retells = config.retellings && (told || told_in_letters);
    pair.joins = similar || pair.retells;
    let remnant = first.is_remnant() || second.is_remnant();
    pair.reason = if first.fingerprint == second.fingerprint && (!remnant || a_raw == b_raw) {
        Reason::SameText
    } else if similar {
        Reason::Jaccard
    } else if !config.retellings {
        Reason::RetellingsOff
    } else if told {
        Reason::Told
    } else if told_in_letters {
        Reason::ToldInLetters
    } else {
        Reason::TooDifferent
    };
    let mut core_told = false;
    if pair.reason != Reason::SameText {
        let (a_words, b_words) = (&first.details().words, &second.details().words);
        let differences = facts::differences(a_words, b_words);
        pair.replaced = differences.replaced;
        pair.other_facts = differences.other_facts;
        core_told = pair.told >= CORE && f64::from(differences.matched) >= CORE_WHOLE * f64::from(differences.core);
        let shortest = a_words.len().min(b_words.len());
        let refusal = if differences.is_template()
            || shortest < SHORT && differences.other_facts > 0
            || shortest < HEADLINE && differences.other_words > 0
        {
            Some(Reason::OtherFacts)
        } else if quotes(first, second) || quotes(second, first) {
            Some(Reason::Quotation)
        } else if !pair.same_headline && (carries(first, second, pair.a_in_b) || carries(second, first, pair.b_in_a)) {
            Some(Reason::RoundUp)
        } else if remnant && told_raw < TOLD {
            Some(Reason::TooLittle)
        } else {
            None
        };
        if let Some(reason) = refusal {
            pair.joins = false;
            pair.reason = reason;
        }
    }
    pair.relation = if pair.reason == Reason::OtherFacts {
        Relation::Related
    } else if pair.reason == Reason::SameText && (a_raw == b_raw || told_raw < SAME_RAW) {
        Relation::Identical
    } else if told_raw >= WHOLE {
        container(a_raw.len(), b_raw.len())
    } else if contained || pair.joins && core_told {
        container(first.triples().len(), second.triples().len())
    } else if pair.joins {
        Relation::Near
    } else {
        Relation::Related
    };
    pair
}

/// Returns which of two texts contains the other, by their size: `a` where they are equal.
fn container(a: usize, b: usize) -> Relation {
    if a >= b { Relation::Contains } else { Relation::Contained }
}

/// Returns whether `post` holds `story` in quoted lines alone, inside text of its own.
fn quotes(post: &Profile, story: &Profile) -> bool {
    let Some(own) = &post.details().own else { return false };
    let told = own.shared(story.triples());
    own.len() >= OWN_TRIPLES && (told as f64) < OWN_TOLD * own.len() as f64
}

fn shared_grams(a: &[u32], b: &[u32]) -> usize {
    let (mut i, mut j, mut shared) = (0, 0, 0);
    while let (Some(one), Some(other)) = (a.get(i), b.get(j)) {
        i += usize::from(one <= other);
        j += usize::from(other <= one);
        shared += usize::from(one == other);
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn profile(text: &str, headline: Option<&str>) -> Profile {
        let content: Vec<Span> = crate::text::segment(text).blocks.iter().map(|block| block.span).collect();
        let article = Article { text, content: &content, headline, site: None, date: None, url: None };
        Profile::new(&article, &Config::default())
    }

    fn compare(a: &str, b: &str) -> VerifiedPair {
        verify(0, &profile(a, None), 1, &profile(b, None), &Config::default())
    }

    /// Sentences that share no three words with each other.
    fn story(from: usize, sentences: usize) -> String {
        (from..from + sentences)
            .map(|at| {
                format!("the {at}th witness named street{at} and river{at} before court{at} rose for lunch{at}.\n")
            })
            .collect()
    }

    #[test]
    fn the_same_words_are_one_text_whatever_stands_between() {
        let pair = compare("Rates rise, again; and again.", "rates RISE again and again");
        assert_eq!((pair.relation, pair.joins, pair.jaccard), (Relation::Identical, true, 1.0));
    }

    #[test]
    fn a_text_without_words_matches_nothing() {
        let pair = compare("", "");
        assert!(!pair.joins && !pair.listed);
    }

    #[test]
    fn an_excerpt_joins_and_is_contained() {
        let pair = compare(&story(0, 4), &story(0, 20));
        assert_eq!((pair.relation, pair.joins, pair.reason), (Relation::Contained, true, Reason::Told));
        assert_eq!(pair.a_in_b, 1.0);
    }

    #[test]
    fn retellings_can_be_switched_off_and_are_listed_when_contained() {
        let config = Config { retellings: false, ..Config::default() };
        let pair = verify(0, &profile(&story(0, 4), None), 1, &profile(&story(0, 20), None), &config);
        assert_eq!((pair.joins, pair.listed, pair.reason), (false, true, Reason::RetellingsOff));
    }

    #[test]
    fn a_scan_with_wrong_letters_joins_its_original() {
        let word = |at: u64| -> String {
            (0..6).map(|letter| char::from(b'a' + (mix64(at * 8 + letter) % 26) as u8)).collect::<String>() + " "
        };
        let original: String = (0..200).map(word).collect();
        let scanned: String =
            original.char_indices().map(|(at, c)| if at % 29 == 9 && c != ' ' { '0' } else { c }).collect();
        let pair = compare(&original, &scanned);
        assert!(pair.joins && pair.told < TOLD, "{pair:?}");
        assert_eq!(pair.reason, Reason::ToldInLetters);
    }

    #[test]
    fn other_figures_in_one_frame_are_listed_and_do_not_join() {
        let page = |town: &str, figures: [u32; 4]| {
            let [a, b, c, d] = figures;
            format!(
                "The quake near {town} had a depth of {a} miles and was felt by {b} people, the survey said. It struck at \
                 {c} minutes past the hour. In the past ten days there were {d} quakes nearby. This report was made by a \
                 program of the survey and was not read by an editor before it was published here."
            )
        };
        let pair = compare(&page("Jasper", [4, 120, 17, 3]), &page("Lowell", [9, 260, 41, 8]));
        assert!(pair.listed && !pair.joins, "{pair:?}");
        assert_eq!((pair.relation, pair.reason), (Relation::Related, Reason::OtherFacts));
    }

    #[test]
    fn headlines_that_differ_in_a_word_are_two() {
        assert!(!compare("Bank of the north cuts its rate again", "Bank of the north lifts its rate again").joins);
        assert!(
            compare("Bank of the north cuts its rate again", "Update 1 Bank of the north cuts its rate again").joins
        );
    }

    #[test]
    fn a_story_quoted_in_a_post_of_its_own_stays_apart_and_is_contained() {
        let quoted: String = story(0, 6).lines().map(|line| format!("> {line}\n")).collect();
        let post = format!("{quoted}\n{}", story(50, 6));
        let pair = compare(&post, &story(0, 6));
        assert_eq!((pair.relation, pair.joins, pair.reason), (Relation::Contains, false, Reason::Quotation));
        let wrapped = format!("Worth reading:\n{quoted}");
        assert!(compare(&wrapped, &story(0, 6)).joins);
    }

    #[test]
    fn a_page_that_carries_a_story_under_its_headline_stays_apart() {
        let headline = "Witnesses name streets and rivers";
        let page = format!("News in brief\n{}{headline}\n{}{}", story(40, 8), story(0, 6), story(60, 8));
        let own = format!("{headline}\n{}", story(0, 6));
        let pair =
            verify(0, &profile(&page, Some("News in brief")), 1, &profile(&own, Some(headline)), &Config::default());
        assert_eq!((pair.relation, pair.joins, pair.reason), (Relation::Contains, false, Reason::RoundUp));
    }

    #[test]
    fn remnants_of_pages_do_not_make_them_one() {
        let page = |from: usize| format!("{}Read more about this here today\n", story(from, 12));
        let remnant = |text: &str| {
            let start = text.len() - "Read more about this here today\n".len();
            let content = [Span::new(start, text.len() - 1)];
            let article = Article { text, content: &content, headline: None, site: None, date: None, url: None };
            Profile::new(&article, &Config::default())
        };
        let pair = verify(0, &remnant(&page(0)), 1, &remnant(&page(50)), &Config::default());
        assert_eq!((pair.jaccard, pair.joins, pair.reason), (1.0, false, Reason::TooLittle));
    }

    #[test]
    fn two_texts_of_one_address_are_versions_and_join_when_they_are_alike() {
        let at = |text: &str, url: &str| {
            let content: Vec<Span> = crate::text::segment(text).blocks.iter().map(|block| block.span).collect();
            let article = Article { text, content: &content, headline: None, site: None, date: None, url: Some(url) };
            Profile::new(&article, &Config::default())
        };
        let compare = |a: &str, b: &str| {
            let (first, second) = (at(a, "https://example.com/a"), at(b, "http://www.example.com/a/?utm_source=x"));
            verify(0, &first, 1, &second, &Config::default())
        };
        let grown = compare(&story(0, 10), &story(0, 12));
        assert_eq!((grown.relation, grown.joins), (Relation::Version, true));
        let other = compare(&story(0, 10), &story(40, 10));
        assert_eq!((other.relation, other.joins, other.listed), (Relation::Version, false, true));
        let same = compare(&story(0, 10), &story(0, 10).to_uppercase());
        assert_eq!((same.relation, same.joins), (Relation::Identical, true));
    }

    #[test]
    fn every_reason_says_something() {
        for reason in Reason::ALL {
            assert_eq!(Reason::ALL[reason as usize], reason);
            let pair = VerifiedPair { reason, ..compare("one two three four", "one two three four") };
            assert!(!Reason::describe(&pair, &Config::default()).is_empty());
        }
    }

    proptest! {
        #[test]
        fn a_record_is_what_it_was(a in any::<u32>(), b in any::<u32>(), measures in any::<[f64; 6]>(), marks in any::<(bool, bool, bool)>()) {
            let pair = VerifiedPair {
                jaccard: measures[0],
                jaccard_raw: measures[1],
                told: measures[4],
                relation: Relation::Contains,
                joins: marks.0,
                listed: marks.1,
                same_headline: marks.2,
                reason: Reason::Told,
                ..VerifiedPair::apart(a, b)
            };
            let mut bytes = vec![0; VerifiedPair::WIDTH];
            pair.encode(&mut bytes);
            prop_assert_eq!(VerifiedPair::decode(&bytes).cmp(&pair), Ordering::Equal);
        }

        #[test]
        fn measures_are_symmetric(a in "([a-d]{1,2} ){0,40}", b in "([a-d]{1,2} ){0,40}") {
            let (one, other) = (compare(&a, &b), compare(&b, &a));
            prop_assert_eq!(one.jaccard, other.jaccard);
            prop_assert_eq!((one.a_in_b, one.told, one.joins), (other.b_in_a, other.told, other.joins));
            prop_assert!(!one.joins || one.listed);
        }
    }
}
