//! Features and repetition → verdicts.

use std::ops::Range;
use std::sync::Arc;

use crate::boilerplate::cues::Lexicon;
use crate::boilerplate::features::{Blocks, PAGE_COLUMNS, Scores};
use crate::boilerplate::matrix::Matrix;
use crate::boilerplate::model::{Decision, Model};
use crate::boilerplate::repetition::evidence;
use crate::boilerplate::{BoilerplateKind, KindSet, Repetition, RuleMatch, chain, frame, kinds, says};
use crate::config::Config;
use crate::text::{Block, Segments};

/// One page to judge.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The document's text.
    pub text: &'a str,
    /// Its blocks.
    pub segments: &'a Segments,
    /// The title its record gave, not a line of the text.
    pub title: Option<&'a str>,
    /// What the run counted about each block, in order; empty: nothing was counted, as for a page alone.
    pub repetition: &'a [Repetition],
    /// Documents of its site in the run, itself included; 0 when its site is not known.
    pub site_documents: u32,
    /// Near-duplicate clusters among those.
    pub site_clusters: u32,
}

/// What the judge says of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The headline, when there is one.
    pub headline: Option<Headline>,
    /// The language, as an ISO 639-1 code where there is one, else 639-3.
    pub lang: Option<&'static str>,
    /// One verdict a block, in order.
    pub verdicts: Vec<Verdict>,
    /// Set when the judge would have dropped nearly everything and therefore kept it: worth a warning.
    pub withheld: bool,
    /// The terms of blocks that were read to be judged.
    pub terms: BlockTerms,
}

/// Terms of blocks, as [`hash_terms`](crate::text::hash_terms) gives them, where judging has found them on its way: those
/// of nearly all blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockTerms {
    terms: Vec<u64>,
    blocks: Vec<Option<Range<usize>>>,
}

impl BlockTerms {
    /// Returns the terms of a block, when they were found.
    pub fn of(&self, block: usize) -> Option<&[u64]> {
        self.blocks.get(block)?.clone().map(|range| &self.terms[range])
    }

    /// Adds those of the blocks of a page or of the next part of it.
    fn extend(&mut self, looked: &mut Blocks) {
        let before = self.terms.len();
        self.blocks.extend((0..looked.len()).map(|at| {
            let range = looked.terms_of(at)?;
            Some(before + range.start..before + range.end)
        }));
        if before == 0 {
            self.terms = looked.take_terms();
        } else {
            self.terms.append(&mut looked.take_terms());
        }
    }
}

/// A page's headline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headline {
    /// The text.
    pub text: String,
    /// Whence it was taken.
    pub source: HeadlineSource,
    /// The block that says it, when one does.
    pub block: Option<usize>,
}

/// Whence a headline was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadlineSource {
    /// The record's title field.
    Title,
    /// The first line of the text that reads like one.
    Text,
}

impl HeadlineSource {
    /// Returns the published name.
    pub fn name(self) -> &'static str {
        match self {
            HeadlineSource::Title => "title",
            HeadlineSource::Text => "text",
        }
    }
}

/// What a block is, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Its kind; none: content.
    pub kind: Option<BoilerplateKind>,
    /// Calibrated probability that it is boilerplate, in 0..=1.
    pub score: f64,
    /// What speaks for it.
    pub evidence: Evidence,
}

impl Verdict {
    /// Returns whether the block goes when the kinds of `remove` go. A rule of the user's is obeyed whatever they are.
    pub fn is_removed(&self, remove: KindSet) -> bool {
        match self.evidence.rule {
            Some(rule) => rule.removes,
            None => self.kind.is_some_and(|kind| remove.has(kind)),
        }
    }
}

/// What speaks for a verdict, beside the repetition that the caller knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The cue phrase found in it, if any.
    pub cue: Option<&'static str>,
    /// Where in the page it stands.
    pub place: Place,
    /// The user's rule that decided, whatever else speaks for or against it.
    pub rule: Option<RuleMatch>,
}

/// Where in the page a block stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// Before the article's first paragraph.
    Head,
    /// Inside it.
    #[default]
    Middle,
    /// After its last paragraph.
    Tail,
}

impl Place {
    /// Returns the published name.
    pub fn name(self) -> &'static str {
        match self {
            Place::Head => "head",
            Place::Middle => "middle",
            Place::Tail => "tail",
        }
    }
}

/// Blocks that are judged together: a longer document is no page, and is judged part by part in bounded memory.
const PART: usize = 1 << 14;

/// Share of a page's words that may go. Of the development pages of which less would be left nearly all held an article
/// of a few lines, which was lost; then only what the run has seen repeated goes, or nothing at all.
const MOST: f32 = 0.97;

/// Log odds of the counts that let a block go even then.
const REPEATED: f32 = 1.0;

/// Log odds of all evidence that let a block go even then: 97 in a hundred.
const CERTAIN: f32 = 3.5;

/// Returns a heading without the marks that Markdown puts before it and may put behind it.
fn unmarked(heading: &str) -> &str {
    match heading.trim_start_matches('#') {
        rest if rest.len() < heading.len() && rest.starts_with([' ', '\t']) => rest.trim_matches(['#', ' ', '\t']),
        _ => heading,
    }
}

/// Returns whether removing the flagged blocks would leave (next to) nothing of a page.
fn leaves_too_little(looked: &Blocks, flagged: &[bool]) -> bool {
    let (mut all, mut gone) = (0.0, 0.0);
    for (shape, flagged) in looked.shapes.iter().zip(flagged) {
        all += shape.words;
        gone += if *flagged { shape.words } else { 0.0 };
    }
    gone > MOST * all
}

/// Log odds from which even the headline is taken for chrome.
const SURE: f32 = 2.0;

/// The judge: weights and settings, made once, used from every thread.
#[derive(Debug)]
pub struct Judge {
    careful: bool,
    with_model: bool,
    model: Arc<Model>,
}

impl Judge {
    /// Makes the judge that the settings ask for.
    pub fn new(config: &Config) -> Judge {
        let model = config.weights.as_ref().map_or_else(Model::built_in, |weights| Arc::clone(&weights.model));
        Judge { careful: config.careful, with_model: config.model, model }
    }

    /// Judges one page: one verdict a block.
    ///
    /// A block's score is a calibrated probability that comes from two sums of log odds: what the block, its neighbors and
    /// its place look like, by two forests of boosted trees (the second sees what the first said of the neighbors); and
    /// what the counts of its repetition say, by a weighted sum. A two-state chain over the page then lets neighbors
    /// speak for each other. O(blocks), about a microsecond each; a page of more than 16,384 blocks is judged part by part.
    pub fn judge(&self, page: &Page<'_>) -> Judged {
        let blocks = &page.segments.blocks;
        let mut judged = Judged {
            headline: None,
            lang: None,
            verdicts: Vec::with_capacity(blocks.len()),
            withheld: false,
            terms: BlockTerms::default(),
        };
        for (part, chunk) in blocks.chunks(PART).enumerate() {
            let title = page.title.filter(|_| part == 0);
            let mut looked =
                Blocks::look(
                    page.text,
                    chunk,
                    title,
                    |words| {
                        if self.with_model { self.model.lexical(words) } else { 0.0 }
                    },
                );
            judged.terms.extend(&mut looked);
            let repetition = page.repetition.get(part * PART..).unwrap_or_default();
            let counts = self.counts(&looked, repetition, page.site_clusters);
            let log_odds = self.log_odds(&looked, &counts);
            let mut flagged: Vec<bool> = log_odds.iter().map(|odds| *odds >= self.decision().threshold).collect();
            if leaves_too_little(&looked, &flagged) {
                judged.withheld = true;
                for ((flagged, counts), odds) in flagged.iter_mut().zip(&counts).zip(&log_odds) {
                    *flagged &= *counts >= REPEATED || *odds >= CERTAIN;
                }
                if leaves_too_little(&looked, &flagged) {
                    flagged.fill(false);
                }
            }
            // The headline stays: a line that reads like one by all signs is not chrome for standing among chrome.
            if let Some(headline) = looked.headline {
                flagged[headline] &= log_odds[headline] >= SURE;
            }
            if part == 0 {
                judged.lang = language(page.text, chunk, &looked);
                judged.headline = match (page.title, looked.headline) {
                    (Some(title), block) => {
                        Some(Headline { text: title.to_owned(), source: HeadlineSource::Title, block })
                    }
                    (None, Some(at)) => Some(Headline {
                        text: unmarked(chunk[at].span.of(page.text)).to_owned(),
                        source: HeadlineSource::Text,
                        block: Some(at),
                    }),
                    (None, None) => None,
                };
            }
            let kinds = kinds::decide(&looked, &flagged, self.with_model);
            let first = flagged.iter().position(|flagged| !flagged).unwrap_or(0);
            let last = flagged.iter().rposition(|flagged| !flagged).unwrap_or(flagged.len());
            for (at, kind) in kinds.into_iter().enumerate() {
                let shape = &looked.shapes[at];
                let place = match at {
                    at if at < first => Place::Head,
                    at if at > last => Place::Tail,
                    _ => Place::Middle,
                };
                let cue = (shape.cue > 0).then(|| Lexicon::get().cue(shape.cue - 1).text);
                let score = probability(log_odds[at]);
                judged.verdicts.push(Verdict { kind, score, evidence: Evidence { cue, place, rule: None } });
            }
        }
        judged
    }

    fn decision(&self) -> &Decision {
        if self.careful { &self.model.parameters.careful } else { &self.model.parameters.usual }
    }

    /// Returns what the counts of every block add to its log odds.
    fn counts(&self, looked: &Blocks, repetition: &[Repetition], site_clusters: u32) -> Vec<f32> {
        let weights = &self.model.parameters.repetition;
        (0..looked.len())
            .map(|at| {
                let Some(repetition) = repetition.get(at) else { return 0.0 };
                let row = evidence(repetition, site_clusters, looked.shapes[at].words);
                row.iter().zip(weights).map(|(value, weight)| value * weight).sum()
            })
            .collect()
    }

    /// Returns the calibrated log odds of every block.
    fn log_odds(&self, looked: &Blocks, counts: &[f32]) -> Vec<f32> {
        let parameters = &self.model.parameters;
        if !self.with_model {
            return frame::log_odds(counts, |at| looked.shapes[at].words);
        }
        let mut matrix = Matrix::with_rows(looked.len());
        matrix.write(0, |at, row| looked.page_features(at, row));
        matrix.write(PAGE_COLUMNS, |at, row| looked.near_features(at, row));
        let scores = Scores::new(looked, matrix.evaluate(&self.model.look), counts);
        matrix.write(PAGE_COLUMNS, |at, row| scores.features(at, row));
        let mut second = matrix.evaluate(&self.model.context);
        for (at, second) in second.iter_mut().enumerate() {
            let long = (looked.shapes[at].words / 25.0).min(1.0) - 0.4;
            *second += parameters.first * (scores.first(at) - *second) + counts[at] - parameters.long * long;
            // A phrase may stand in the article too: the careful judge takes no line for what it says alone.
            if !self.careful {
                *second += says::log_odds(&looked.shapes[at], &parameters.says);
            }
        }
        let weights: Vec<f32> =
            looked.shapes.iter().map(|shape| (shape.words / parameters.full_words).clamp(0.02, 1.0).sqrt()).collect();
        chain::smooth(&second, &weights, parameters, self.decision())
    }
}

fn probability(log_odds: f32) -> f64 {
    let probability = 1.0 / (1.0 + (-f64::from(log_odds)).exp());
    // Four digits, so that no platform's last bit shows.
    (probability * 10_000.0).round() / 10_000.0
}

/// Returns the language: by function words, or, where they leave doubt, by the letters of a sample.
fn language(text: &str, blocks: &[Block], looked: &Blocks) -> Option<&'static str> {
    let known = Lexicon::get().languages();
    if looked.language_sure {
        return Some(known[looked.language.trailing_zeros() as usize]);
    }
    let longest = blocks.iter().max_by_key(|block| (block.span.len(), std::cmp::Reverse(block.span.start)))?;
    let sample = longest.span.of(text);
    let mut cut = sample.len().min(600);
    while !sample.is_char_boundary(cut) {
        cut -= 1;
    }
    let found = whatlang::detect(&sample[..cut])?;
    if !found.is_reliable() && sample.len() < 60 {
        return None;
    }
    let code = found.lang().code();
    Some(SHORT_CODES.iter().find(|(long, _)| *long == code).map_or(code, |(_, short)| short))
}

/// ISO 639-3 and 639-1 codes of the languages that are told by letters.
const SHORT_CODES: [(&str, &str); 69] = [
    ("afr", "af"),
    ("aka", "ak"),
    ("amh", "am"),
    ("ara", "ar"),
    ("aze", "az"),
    ("bel", "be"),
    ("ben", "bn"),
    ("bul", "bg"),
    ("cat", "ca"),
    ("ces", "cs"),
    ("cmn", "zh"),
    ("cym", "cy"),
    ("dan", "da"),
    ("deu", "de"),
    ("ell", "el"),
    ("eng", "en"),
    ("epo", "eo"),
    ("est", "et"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("guj", "gu"),
    ("heb", "he"),
    ("hin", "hi"),
    ("hrv", "hr"),
    ("hun", "hu"),
    ("hye", "hy"),
    ("ind", "id"),
    ("ita", "it"),
    ("jav", "jv"),
    ("jpn", "ja"),
    ("kan", "kn"),
    ("kat", "ka"),
    ("khm", "km"),
    ("kor", "ko"),
    ("lat", "la"),
    ("lav", "lv"),
    ("lit", "lt"),
    ("mal", "ml"),
    ("mar", "mr"),
    ("mkd", "mk"),
    ("mya", "my"),
    ("nep", "ne"),
    ("nld", "nl"),
    ("nob", "nb"),
    ("ori", "or"),
    ("pan", "pa"),
    ("pes", "fa"),
    ("pol", "pl"),
    ("por", "pt"),
    ("ron", "ro"),
    ("rus", "ru"),
    ("sin", "si"),
    ("slk", "sk"),
    ("slv", "sl"),
    ("sna", "sn"),
    ("spa", "es"),
    ("srp", "sr"),
    ("swe", "sv"),
    ("tam", "ta"),
    ("tel", "te"),
    ("tgl", "tl"),
    ("tha", "th"),
    ("tuk", "tk"),
    ("tur", "tr"),
    ("ukr", "uk"),
    ("urd", "ur"),
    ("uzb", "uz"),
    ("vie", "vi"),
    ("yid", "yi"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::segment;

    fn judge(text: &str) -> Judged {
        let segments = segment(text);
        let page =
            Page { text, segments: &segments, title: None, repetition: &[], site_documents: 0, site_clusters: 0 };
        Judge::new(&Config::default()).judge(&page)
    }

    fn seed(name: &str) -> String {
        std::fs::read_to_string(format!("{}/seeds/{name}", env!("CARGO_MANIFEST_DIR")))
            .expect("the seeds are committed")
    }

    /// A seed's file, the beginning of its headline, and its flagged blocks.
    type Seed = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

    /// The flagged blocks of the seeds: how each begins, and its kind.
    const SEEDS: [Seed; 5] = [
        (
            "000_c65f7068fd7c1654.txt",
            "Putin’s Meeting with Trump",
            &[("Putin’s Meeting with Trump Marks", "repeated_headline"), ("Tags", "tags")],
        ),
        (
            "001_9d950e5d5b89fb94.txt",
            "The Putin-Trump Dynamic: Opportunities",
            &[
                ("The Putin-Trump Dynamic: A Double-Edged", "headline_variant"),
                ("The Putin-Trump Dynamic: A Double-Edged", "repeated_headline"),
                ("Professor Mark Galeotti is the author", "author_bio"),
                ("Leave a Reply", "comment_footer"),
                ("Your email address will not be published", "comment_footer"),
                ("Back To Top", "navigation"),
            ],
        ),
        (
            "002_a651404527db1a0e.txt",
            "Putin Sees Trump Summit as Crucial",
            &[
                ("Putin Sees Trump Summit", "repeated_headline"),
                ("Post a Comment", "comment_footer"),
                ("0 Comments", "comment_footer"),
            ],
        ),
        (
            "003_fd83145bf835ab4b.txt",
            "Negotiations With Trump Are a Win-Win",
            &[
                ("Support The Moscow Times!", "donation"),
                ("Kremlin.ru", "caption"),
                ("The views expressed in opinion pieces", "disclaimer"),
                ("Sign up for our free weekly newsletter", "newsletter"),
                ("Our weekly newsletter contains", "newsletter"),
                ("Subscribers agree to the Privacy Policy", "cookie_privacy"),
                ("A Message from The Moscow Times:", "donation"),
                ("Dear readers,", "donation"),
                ("We are facing unprecedented challenges.", "donation"),
                ("These actions are direct attempts", "donation"),
                ("We, the journalists of The Moscow Times", "donation"),
                ("Your support, no matter how small", "donation"),
                ("By supporting The Moscow Times", "donation"),
                ("Once", "donation"),
                ("Monthly", "donation"),
                ("Annual", "donation"),
                ("Continue", "donation"),
                ("paiment methods", "donation"),
                ("Not ready to support today?", "donation"),
                ("Remind me later.", "donation"),
                ("Read more", "related"),
            ],
        ),
        (
            "004_a5eb49e10b94d38d.txt",
            "For Putin, a Deal with Trump",
            &[
                ("top of page", "navigation"),
                ("• Writer: Armin Sijamić", "byline"),
                ("Armin Sijamić", "byline"),
                ("• Feb 27", "dateline"),
                ("• 5 min read", "reading_time"),
                ("Two men in suits talking outdoors", "caption"),
                ("Photo: Vladimir Putin and Donald Trump", "caption"),
                ("The article was previously published", "source_note"),
                ("Comments", "comment_footer"),
                ("bottom of page", "navigation"),
            ],
        ),
    ];

    #[test]
    fn the_seeds_are_judged_as_a_careful_editor_would() {
        let (mut found, mut right) = (0, 0);
        let mut expected_lines = 0;
        for (name, headline, expected) in SEEDS {
            let text = seed(name);
            let segments = segment(&text);
            let judged = judge(&text);
            let begins = &judged.headline.as_ref().expect("every seed has a headline").text;
            assert!(begins.starts_with(headline), "{name}: {begins}");
            let mut expected = expected.iter().peekable();
            let headline_block = judged.headline.as_ref().and_then(|headline| headline.block);
            for (at, (block, verdict)) in segments.blocks.iter().zip(&judged.verdicts).enumerate() {
                if Some(at) == headline_block {
                    assert_eq!(verdict.kind, None, "{name}");
                    continue;
                }
                let line = block.span.of(&text);
                let kind = verdict.kind.map(BoilerplateKind::name);
                match expected.next_if(|(begins, _)| line.starts_with(begins)) {
                    Some((_, "headline_variant")) => {}
                    Some((_, want)) => {
                        expected_lines += 1;
                        found += u32::from(kind.is_some());
                        right += u32::from(kind == Some(want));
                    }
                    None => assert_eq!(kind, None, "{name}: {line}"),
                }
            }
            assert!(expected.next().is_none(), "{name}: the table names a line that is not there");
        }
        assert_eq!(expected_lines, 41);
        assert!(found >= 39, "{found} of 41 lines found");
        assert!(right >= 38, "{right} of 41 kinds right");
    }
}
