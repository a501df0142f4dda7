//! Why a document's blocks are what they are, and why two documents are or are not one story: values, not print.

use std::time::{Duration, Instant};

use serde::Serialize;
use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

use crate::boilerplate::{Judge, Page, fingerprints};
use crate::config::Config;
use crate::document::{Document, Span};
use crate::evidence::EvidenceError;
use crate::output::{BlockRow, DocumentRow, PairRow};
use crate::similarity::{Article, Profile, Reason, verify};
use crate::text::{hash_terms, segment, tokens};

/// A document, block by block.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DocumentExplanation {
    /// Its id.
    pub id: String,
    /// Its site.
    pub site: Option<String>,
    /// Its headline.
    pub headline: Option<String>,
    /// Whence the headline was taken: `title` or `text`.
    pub headline_source: Option<String>,
    /// Its language.
    pub lang: Option<String>,
    /// Words of the text.
    pub words: u64,
    /// Words without what `clean` removes.
    pub content_words: u64,
    /// Whether the judge would have dropped nearly everything and therefore kept it.
    pub withheld: bool,
    /// Its blocks in order.
    pub blocks: Vec<BlockExplanation>,
}

/// A block with its verdict.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BlockExplanation {
    /// First byte in the decoded text.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// The line it begins on, 1 for the first.
    pub line: u64,
    /// Its kind; none: content.
    pub kind: Option<String>,
    /// Probability that it is boilerplate.
    pub score: f64,
    /// Whether `clean` takes it.
    pub removed: bool,
    /// The line of the rules file whose rule decided; none: no rule did.
    pub rule: Option<u32>,
    /// What speaks for the verdict, in words.
    pub reason: String,
    /// The block itself.
    pub text: String,
}

/// Two documents, compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PairExplanation {
    /// Id of the first.
    pub a: String,
    /// Id of the second.
    pub b: String,
    /// Exact Jaccard similarity without boilerplate.
    pub jaccard: f64,
    /// Exact Jaccard similarity of the texts as read.
    pub jaccard_raw: f64,
    /// Share of `a` that is in `b`, without boilerplate.
    pub a_in_b: f64,
    /// Share of `b` that is in `a`.
    pub b_in_a: f64,
    /// What the pair is: `identical`, `near`, `contains`, `contained`, `version` or `related`.
    pub relation: String,
    /// Whether the two are one cluster, or would be if nothing else were compared.
    pub joined: bool,
    /// Which measure or fact decided.
    pub reason: String,
    /// What they share and what differs, in order; empty when the texts were not at hand.
    pub passages: Vec<Passage>,
}

/// A stretch of both texts without boilerplate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Passage {
    /// Whether both say the same here.
    pub shared: bool,
    /// Words of the first document here.
    pub words_a: u64,
    /// Words of the second.
    pub words_b: u64,
    /// What the first says.
    pub a: String,
    /// What the second says.
    pub b: String,
}

/// Explains a document judged alone: of what repeats nothing is known but what saved evidence tells.
///
/// # Errors
/// If the evidence of the settings cannot be read.
pub fn explain_document(document: &Document, config: &Config) -> Result<DocumentExplanation, EvidenceError> {
    let segments = segment(&document.text);
    let site = document.site.as_deref();
    let known = match &config.evidence {
        Some(evidence) => {
            let prints = segments.blocks.iter().map(|block| {
                let text = block.span.of(&document.text);
                let mut terms = Vec::new();
                hash_terms(text, &mut terms);
                fingerprints(text, &terms)
            });
            Some(evidence.of_page(site, &prints.collect::<Vec<_>>())?)
        }
        None => None,
    };
    let mut judged = Judge::new(config).judge(&Page {
        text: &document.text,
        segments: &segments,
        title: document.title.as_deref(),
        repetition: known.as_ref().map_or(&[], |known| &known.blocks),
        site_documents: known.as_ref().map_or(0, |known| known.site_documents),
        site_clusters: known.as_ref().map_or(0, |known| known.site_clusters),
    });
    if let Some(rules) = &config.rules {
        rules.overrule(&document.text, site, &segments.blocks, &mut judged);
    }
    let mut words = 0;
    let mut content_words = 0;
    let mut blocks = Vec::with_capacity(segments.blocks.len());
    for (at, (block, verdict)) in segments.blocks.iter().zip(&judged.verdicts).enumerate() {
        let text = block.span.of(&document.text);
        let count = tokens(text).len() as u64;
        let kind = verdict.kind.filter(|_| config.boilerplate);
        let removed = config.boilerplate && verdict.is_removed(config.remove);
        words += count;
        content_words += if removed { 0 } else { count };
        let evidence = Seen {
            rule: verdict.evidence.rule.map(|rule| (rule.line, rule.removes)),
            cue: verdict.evidence.cue,
            place: verdict.evidence.place.name(),
            counts: known.as_ref().map(|known| Counts {
                documents: u64::from(known.blocks[at].documents),
                sites: u64::from(known.blocks[at].sites),
                clusters: u64::from(known.blocks[at].clusters),
                site,
                site_documents: Some(u64::from(known.site_documents)),
            }),
        };
        blocks.push(BlockExplanation {
            start: block.span.start as u64,
            end: block.span.end as u64,
            line: u64::from(block.line),
            kind: kind.map(|kind| kind.name().to_owned()),
            score: verdict.score,
            removed,
            rule: verdict.evidence.rule.map(|rule| rule.line),
            reason: evidence.in_words(),
            text: text.to_owned(),
        });
    }
    let headline = judged.headline;
    Ok(DocumentExplanation {
        id: document.id.clone(),
        site: document.site.clone(),
        headline_source: headline.as_ref().map(|headline| headline.source.name().to_owned()),
        headline: headline.map(|headline| headline.text),
        lang: judged.lang.map(str::to_owned),
        words,
        content_words,
        withheld: judged.withheld,
        blocks,
    })
}

/// Explains what a finished scan said of a document: its row, its rows of `blocks`, and, when at hand, its text.
///
/// With the text, the blocks that the table leaves out are shown as the content they are. `site_documents` is how many
/// documents of its site the scan had, when that is known.
pub fn explain_rows(
    row: &DocumentRow,
    blocks: &[BlockRow<'_>],
    site_documents: Option<u64>,
    text: Option<&str>,
) -> DocumentExplanation {
    let mut explained: Vec<BlockExplanation> = blocks
        .iter()
        .map(|block| {
            let counts = Counts {
                documents: u64::from(block.evidence_documents),
                sites: u64::from(block.evidence_sites),
                clusters: u64::from(block.evidence_clusters),
                site: row.site.as_deref(),
                site_documents,
            };
            let evidence = Seen {
                rule: block.evidence_rule.map(|line| (line, block.removed)),
                cue: block.evidence_cue.as_deref(),
                place: &block.evidence_place,
                counts: Some(counts),
            };
            BlockExplanation {
                start: block.start,
                end: block.end,
                line: block.line,
                kind: block.kind.as_deref().map(str::to_owned),
                score: block.score,
                removed: block.removed,
                rule: block.evidence_rule,
                reason: evidence.in_words(),
                text: block.text.to_string(),
            }
        })
        .collect();
    if let Some(text) = text {
        let listed: std::collections::HashSet<u64> = blocks.iter().map(|block| block.start).collect();
        let rest = segment(text).blocks.into_iter().filter(|block| !listed.contains(&(block.span.start as u64)));
        explained.extend(rest.map(|block| BlockExplanation {
            start: block.span.start as u64,
            end: block.span.end as u64,
            line: u64::from(block.line),
            kind: None,
            score: 0.0,
            removed: false,
            rule: None,
            reason: String::new(),
            text: block.span.of(text).to_owned(),
        }));
        explained.sort_by_key(|block| block.start);
    }
    DocumentExplanation {
        id: row.id.clone(),
        site: row.site.clone(),
        headline: row.headline.clone(),
        headline_source: row.headline_source.clone(),
        lang: row.lang.clone(),
        words: row.words,
        content_words: row.content_words,
        withheld: false,
        blocks: explained,
    }
}

/// A document beside its explanation: what [`explain_pair`] compares.
#[derive(Clone, Copy, Debug)]
pub struct Explained<'a> {
    /// The document as read.
    pub document: &'a Document,
    /// What was said of it.
    pub explanation: &'a DocumentExplanation,
}

impl Explained<'_> {
    /// Returns the blocks that stay.
    fn content(&self) -> Vec<Span> {
        let kept = self.explanation.blocks.iter().filter(|block| !block.removed);
        kept.map(|block| Span::new(block.start as usize, block.end as usize)).collect()
    }
}

/// Compares two documents by what is left of them without boilerplate.
///
/// Time grows with the length of the texts times what differs; the alignment of passages stops refining after two
/// seconds.
pub fn explain_pair(first: Explained<'_>, second: Explained<'_>, config: &Config) -> PairExplanation {
    let (content_a, content_b) = (first.content(), second.content());
    let profile = |side: Explained<'_>, content: &[Span]| {
        let document = side.document;
        let article = Article {
            text: &document.text,
            content,
            headline: side.explanation.headline.as_deref(),
            site: document.site.as_deref(),
            date: document.date.as_deref(),
            url: document.url.as_deref(),
        };
        Profile::new(&article, config)
    };
    let pair = verify(0, &profile(first, &content_a), 1, &profile(second, &content_b), config);
    // A pair that is far apart is not measured on the texts as read, unless they are taken for content.
    let jaccard_raw = if pair.listed {
        pair.jaccard_raw
    } else {
        let whole = |side: Explained<'_>| profile(side, &[Span::new(0, side.document.text.len())]);
        verify(0, &whole(first), 1, &whole(second), config).jaccard
    };
    PairExplanation {
        a: first.document.id.clone(),
        b: second.document.id.clone(),
        jaccard: pair.jaccard,
        jaccard_raw,
        a_in_b: pair.a_in_b,
        b_in_a: pair.b_in_a,
        relation: pair.relation.name().to_owned(),
        joined: pair.joins,
        reason: Reason::describe(&pair, config),
        passages: passages((&first.document.text, &content_a), (&second.document.text, &content_b)),
    }
}

/// Returns what a finished scan said of a pair, with passages when both texts are at hand.
pub fn explain_pair_row(row: &PairRow, texts: Option<(Explained<'_>, Explained<'_>)>) -> PairExplanation {
    PairExplanation {
        a: row.a.clone(),
        b: row.b.clone(),
        jaccard: row.jaccard,
        jaccard_raw: row.jaccard_raw,
        a_in_b: row.a_in_b,
        b_in_a: row.b_in_a,
        relation: row.relation.clone(),
        joined: row.joined,
        reason: row.reason.clone(),
        passages: texts.map_or_else(Vec::new, |(a, b)| {
            passages((&a.document.text, &a.content()), (&b.document.text, &b.content()))
        }),
    }
}

/// What speaks for a verdict.
struct Seen<'a> {
    /// The rule that decided: its line in the rules file, and whether it removes.
    rule: Option<(u32, bool)>,
    cue: Option<&'a str>,
    place: &'a str,
    counts: Option<Counts<'a>>,
}

/// How often the block, or its template, stands in the run.
struct Counts<'a> {
    documents: u64,
    sites: u64,
    clusters: u64,
    site: Option<&'a str>,
    site_documents: Option<u64>,
}

impl Seen<'_> {
    fn in_words(&self) -> String {
        let mut parts = Vec::new();
        if let Some((line, removes)) = self.rule {
            let what = if removes { "removed" } else { "kept" };
            parts.push(format!("{what} by the rule on line {line} of your rules file"));
        }
        if let Some(counts) = &self.counts {
            match (counts.documents, counts.sites, counts.site, counts.site_documents) {
                (0 | 1, ..) => parts.push("in no other document".to_owned()),
                (documents, 1, Some(site), Some(of)) => {
                    parts.push(format!("in {documents} of {of} documents of {site}"))
                }
                (documents, 1, ..) => parts.push(format!("in {documents} documents of one site")),
                (documents, sites, ..) => parts.push(format!("in {documents} documents of {sites} sites")),
            }
            if counts.documents > 1 {
                parts.push(match counts.clusters {
                    1 => "all of one story".to_owned(),
                    clusters => format!("{clusters} stories"),
                });
            }
        }
        parts.push(match self.place {
            "head" => "before the article".to_owned(),
            "tail" => "after the article".to_owned(),
            _ => "inside the article".to_owned(),
        });
        if let Some(cue) = self.cue {
            parts.push(format!("says “{cue}”"));
        }
        parts.join(", ")
    }
}

/// Words in common below which a stretch counts as part of the difference around it: fewer are an accident of grammar.
const SHORTEST_SHARED: usize = 4;

/// How long passages are refined; what is not aligned by then is shown as different.
const PATIENCE: Duration = Duration::from_secs(2);

/// A run of words on both sides.
struct Stretch {
    shared: bool,
    a: std::ops::Range<usize>,
    b: std::ops::Range<usize>,
}

/// Aligns two texts word by word and returns the stretches that both have and those that differ.
fn passages((text_a, content_a): (&str, &[Span]), (text_b, content_b): (&str, &[Span])) -> Vec<Passage> {
    let (words_a, words_b) = (words(text_a, content_a), words(text_b, content_b));
    let terms = |words: &[(Span, u64)]| words.iter().map(|(_, term)| *term).collect::<Vec<_>>();
    let deadline = Instant::now().checked_add(PATIENCE);
    let ops = capture_diff_slices_deadline(Algorithm::Myers, &terms(&words_a), &terms(&words_b), deadline);
    let last = ops.len().saturating_sub(1);
    let mut stretches: Vec<Stretch> = Vec::new();
    for (position, op) in ops.iter().enumerate() {
        let (a, b) = (op.old_range(), op.new_range());
        let at_an_end = position == 0 || position == last;
        let shared = matches!(op, DiffOp::Equal { .. }) && (a.len() >= SHORTEST_SHARED || (at_an_end && ops.len() < 3));
        match stretches.last_mut() {
            Some(before) if before.shared == shared => {
                before.a.end = a.end;
                before.b.end = b.end;
            }
            _ => stretches.push(Stretch { shared, a, b }),
        }
    }
    let said = |text: &str, words: &[(Span, u64)]| match (words.first(), words.last()) {
        (Some((first, _)), Some((last, _))) => text[first.start..last.end].to_owned(),
        _ => String::new(),
    };
    stretches
        .into_iter()
        .map(|stretch| Passage {
            shared: stretch.shared,
            words_a: stretch.a.len() as u64,
            words_b: stretch.b.len() as u64,
            a: said(text_a, &words_a[stretch.a]),
            b: said(text_b, &words_b[stretch.b]),
        })
        .collect()
}

/// Returns the words of the blocks that stay, with where each stands in the text.
fn words(text: &str, content: &[Span]) -> Vec<(Span, u64)> {
    let mut words = Vec::new();
    for block in content {
        let moved = |span: Span| Span::new(span.start + block.start, span.end + block.start);
        words.extend(tokens(block.of(text)).into_iter().map(|token| (moved(token.span), token.term)));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(id: &str, text: &str) -> Document {
        Document { id: id.into(), text: text.into(), ..Document::default() }
    }

    fn compare(a: &str, b: &str) -> PairExplanation {
        let config = Config { boilerplate: false, ..Config::default() };
        let (a, b) = (document("a", a), document("b", b));
        let (of_a, of_b) = (explain_document(&a, &config).unwrap(), explain_document(&b, &config).unwrap());
        let first = Explained { document: &a, explanation: &of_a };
        let second = Explained { document: &b, explanation: &of_b };
        explain_pair(first, second, &config)
    }

    const STORY: &str = "The council voted on Monday to close the old bridge until the spring at least.";

    #[test]
    fn equal_texts_are_one_shared_passage() {
        let pair = compare(STORY, STORY);
        assert_eq!(pair.jaccard, 1.0);
        assert_eq!(pair.passages.len(), 1);
        assert!(pair.passages[0].shared);
        assert_eq!(pair.passages[0].a, STORY.trim_end_matches('.'));
    }

    #[test]
    fn what_differs_stands_between_what_is_shared() {
        let pair = compare(STORY, &STORY.replace("the old bridge", "a new tunnel"));
        let told: Vec<(bool, &str, &str)> =
            pair.passages.iter().map(|passage| (passage.shared, passage.a.as_str(), passage.b.as_str())).collect();
        assert_eq!(
            told,
            [
                (true, "The council voted on Monday to close", "The council voted on Monday to close"),
                (false, "the old bridge", "a new tunnel"),
                (true, "until the spring at least", "until the spring at least"),
            ]
        );
    }

    #[test]
    fn an_empty_text_shares_nothing() {
        let pair = compare("", STORY);
        assert_eq!(pair.jaccard, 0.0);
        assert!(pair.passages.iter().all(|passage| !passage.shared));
    }

    #[test]
    fn a_reason_names_counts_place_and_cue() {
        let counts =
            Counts { documents: 41, sites: 1, clusters: 38, site: Some("example.com"), site_documents: Some(44) };
        let seen = Seen { rule: None, cue: Some("sign up"), place: "tail", counts: Some(counts) };
        assert_eq!(
            seen.in_words(),
            "in 41 of 44 documents of example.com, 38 stories, after the article, says “sign up”"
        );
    }
}
