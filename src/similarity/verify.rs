//! Exact similarity, containment and facts → verified pairs.

use crate::config::{Config, Shingle};
use crate::document::Span;
use crate::similarity::ShingleSet;

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
#[derive(Clone, Debug)]
pub struct Profile {
    content: ShingleSet,
    raw: ShingleSet,
}

impl Profile {
    /// Reads a text. (Skeleton; to be filled in.)
    pub fn new(article: &Article<'_>, config: &Config) -> Profile {
        let Shingle::Words(width) = config.shingle else { todo!("characters") };
        let mut terms = Vec::new();
        for span in article.content {
            crate::text::hash_terms(span.of(article.text), &mut terms);
        }
        let content = ShingleSet::new(&terms, width);
        terms.clear();
        crate::text::hash_terms(article.text, &mut terms);
        Profile { content, raw: ShingleSet::new(&terms, width) }
    }
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

impl Relation {
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
    /// Too little in common.
    TooDifferent,
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
    /// What the pair is.
    pub relation: Relation,
    /// Whether the pair may join one cluster.
    pub joins: bool,
    /// Whether the pair belongs in the table `pairs`.
    pub listed: bool,
    /// What decided.
    pub reason: Reason,
}

/// Compares two texts. (Skeleton; to be filled in.)
pub fn verify(a: u32, first: &Profile, b: u32, second: &Profile, config: &Config) -> VerifiedPair {
    let shared = first.content.shared(&second.content) as f64;
    let share = |set: &ShingleSet| if set.is_empty() { 0.0 } else { shared / set.len() as f64 };
    let jaccard = first.content.jaccard(&second.content);
    let joins = jaccard >= config.threshold;
    VerifiedPair {
        a,
        b,
        jaccard,
        jaccard_raw: first.raw.jaccard(&second.raw),
        a_in_b: share(&first.content),
        b_in_a: share(&second.content),
        relation: if joins { Relation::Near } else { Relation::Related },
        joins,
        listed: joins,
        reason: if joins { Reason::Jaccard } else { Reason::TooDifferent },
    }
}
