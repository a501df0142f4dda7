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
    /// Similar, but each is nearer to another representative.
    OtherCluster,
    /// Too little in common.
    TooDifferent,
}

impl Reason {
    /// Says in words which measure or fact decided `pair`.
    pub fn describe(pair: &VerifiedPair, config: &Config) -> String {
        match pair.reason {
            Reason::SameText => "same text".to_owned(),
            Reason::Jaccard => format!("jaccard {:.2} ≥ {}", pair.jaccard, config.threshold),
            Reason::OtherCluster => "each is nearer to another representative".to_owned(),
            Reason::TooDifferent => format!("jaccard {:.2} < {}", pair.jaccard, config.threshold),
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
    /// Returns the pair of two items whose normal forms are equal as read.
    pub fn identical(a: u32, b: u32) -> VerifiedPair {
        VerifiedPair {
            jaccard: 1.0,
            jaccard_raw: 1.0,
            a_in_b: 1.0,
            b_in_a: 1.0,
            relation: Relation::Identical,
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

    fn bits(&self) -> ([u32; 2], [u64; 4], [u8; 4]) {
        (
            [self.a, self.b],
            [self.jaccard, self.jaccard_raw, self.a_in_b, self.b_in_a].map(f64::to_bits),
            [self.relation as u8, u8::from(self.joins), u8::from(self.listed), self.reason as u8],
        )
    }
}

impl Eq for VerifiedPair {}

impl PartialOrd for VerifiedPair {
    fn partial_cmp(&self, other: &VerifiedPair) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for VerifiedPair {
    fn cmp(&self, other: &VerifiedPair) -> std::cmp::Ordering {
        self.bits().cmp(&other.bits())
    }
}

impl crate::record::Record for VerifiedPair {
    const WIDTH: usize = 1;
    fn encode(&self, _: &mut [u8]) {
        unimplemented!()
    }
    fn decode(_: &[u8]) -> VerifiedPair {
        unimplemented!()
    }
    fn key(&self) -> u64 {
        u64::from(self.a) << 32 | u64::from(self.b)
    }
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
