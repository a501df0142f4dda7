//! Groups of documents that tell the same story, each held together by its representative.

mod correct;
mod link;
mod split;

pub use correct::correct;
pub use link::{ComponentLink, HeldLinks, Link, Links, links_of};
pub use split::split;

use std::cmp::Reverse;

use crate::config::{Config, Keep};
use crate::similarity::{Reason, Relation, VerifiedPair};

/// A document of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The document.
    pub item: u32,
    /// Words without boilerplate: how complete it is.
    pub content_words: u32,
}

/// One cluster: documents that all match its representative.
#[derive(Clone, Debug, PartialEq)]
pub struct Cluster {
    /// The longest text that all others match; ties by order.
    pub representative: u32,
    /// All members in order, the representative among them.
    pub members: Vec<u32>,
}

/// Stories inside one page that are compared with each other to find out whether they are several.
const STORIES: usize = 16;

/// Words of a document inside a page from which it is a story of its own.
const STORY_WORDS: u32 = 60;

/// Share of word triples below which two stories inside one page have nothing in common.
const UNRELATED: f64 = 0.05;

/// Returns whether a page that wholly tells these documents is one of several stories: two of them have nothing in common.
///
/// Looks at the first 16 of at least 60 words; `verify` measures a pair.
///
/// # Errors
/// Those of `verify`.
pub fn is_round_up<E>(
    stories: &[Member],
    verify: &mut dyn FnMut(u32, u32) -> Result<VerifiedPair, E>,
) -> Result<bool, E> {
    let stories = stories.iter().filter(|story| story.content_words >= STORY_WORDS).take(STORIES);
    let stories: Vec<u32> = stories.map(|story| story.item).collect();
    for (at, one) in stories.iter().enumerate() {
        for other in &stories[at + 1..] {
            let pair = verify(*one, *other)?;
            if pair.told < UNRELATED && !pair.same_headline {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// What the look-alikes of every document are: copies, or other stories told by the same template.
///
/// A page of a template looks like all others of it, and now and then two agree in so many names and numbers that facts do
/// not part them. Among look-alikes that mostly tell other stories, one that seems to be a copy is one more page.
#[derive(Clone, Debug)]
pub struct LookAlikes {
    copies: Vec<u16>,
    others: Vec<u16>,
}

/// Look-alikes with other facts from which a document is taken for a page of a template.
const FAMILY: u16 = 3;

impl LookAlikes {
    /// Makes counts for documents 0..n.
    pub fn new(documents: usize) -> LookAlikes {
        LookAlikes { copies: vec![0; documents], others: vec![0; documents] }
    }

    /// Counts a verified pair.
    pub fn count(&mut self, pair: &VerifiedPair) {
        let counts = if pair.joins {
            &mut self.copies
        } else if pair.reason == Reason::OtherFacts {
            &mut self.others
        } else {
            return;
        };
        for item in [pair.a, pair.b] {
            counts[item as usize] = counts[item as usize].saturating_add(1);
        }
    }

    /// Returns a pair as it stands once all pairs were counted.
    pub fn confirmed(&self, mut pair: VerifiedPair) -> VerifiedPair {
        let is_template = |item: u32| {
            let (copies, others) = (self.copies[item as usize], self.others[item as usize]);
            others >= FAMILY && others > copies.saturating_mul(2)
        };
        let certain = pair.other_facts == 0 && pair.jaccard >= CERTAIN;
        if pair.joins && !certain && is_template(pair.a) && is_template(pair.b) {
            pair.joins = false;
            pair.relation = Relation::Related;
            pair.reason = Reason::OtherFacts;
        }
        pair
    }
}

/// Jaccard similarity from which two pages of a template without other facts are copies.
const CERTAIN: f64 = 0.8;

/// What the choice of the copy to keep needs of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// The document.
    pub item: u32,
    /// Words without boilerplate.
    pub content_words: u32,
    /// Its date as given, where the policy asks for it.
    pub date: Option<String>,
    /// Its site.
    pub site: Option<String>,
}

/// The copy that is kept, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The copy; none when the policy keeps none.
    pub kept: Option<u32>,
    /// Why that one, in words.
    pub reason: String,
}

/// Chooses the copy to keep of one cluster, by the policy that `config` names.
///
/// `copies` are the cluster's members that may be kept, in order. Where the policy asks for what no copy
/// has (a date that can be read, a site of the list), and among equals, the most complete text wins, then the first.
pub fn choose(config: &Config, representative: u32, copies: &[Copy]) -> Choice {
    let longest = |copy: &Copy| (Reverse(copy.content_words), copy.item != representative, copy.item);
    // The representative may be out of the choice by decision, or since it repeats a reference.
    let complete = copies.iter().find(|copy| copy.item == representative);
    let complete = complete.or_else(|| copies.iter().min_by_key(|copy| longest(copy))).map(|copy| copy.item);
    let fallback = |why: &str| Choice { kept: complete, reason: format!("the most complete text{why}") };
    let best = |rank: &dyn Fn(&Copy) -> Option<i64>| {
        let ranked = copies.iter().filter_map(|copy| Some((rank(copy)?, copy)));
        ranked.min_by_key(|(rank, copy)| (*rank, longest(copy))).map(|(_, copy)| copy)
    };
    let moment = |copy: &Copy| copy.date.as_deref().and_then(crate::date::moment);
    let dated = |copy: &Copy, which: &str| Choice {
        kept: Some(copy.item),
        reason: format!("the {which} date: {}", copy.date.as_deref().unwrap_or_default()),
    };
    match config.keep {
        Keep::Longest => fallback(""),
        Keep::Earliest => best(&moment).map_or_else(|| fallback(", no date is known"), |copy| dated(copy, "earliest")),
        Keep::Latest => best(&|copy| moment(copy).map(|moment| -moment))
            .map_or_else(|| fallback(", no date is known"), |copy| dated(copy, "latest")),
        Keep::First => {
            Choice { kept: copies.iter().map(|copy| copy.item).min(), reason: "the first in order".to_owned() }
        }
        Keep::None => Choice { kept: None, reason: "none is kept".to_owned() },
        Keep::SitePriority => {
            let place = |copy: &Copy| {
                let site = copy.site.as_deref()?;
                config.site_priority.iter().position(|name| name == site).map(|place| place as i64)
            };
            best(&place).map_or_else(
                || fallback(", no site is in the list"),
                |copy| Choice {
                    kept: Some(copy.item),
                    reason: format!("the preferred site: {}", copy.site.as_deref().unwrap_or_default()),
                },
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn pair(a: u32, b: u32, joins: bool, told: f64) -> VerifiedPair {
        VerifiedPair {
            joins,
            told,
            jaccard: told,
            relation: if joins { Relation::Near } else { Relation::Related },
            ..VerifiedPair::apart(a, b)
        }
    }

    #[test]
    fn a_look_alike_among_other_stories_is_one_more_of_them() {
        let mut counts = LookAlikes::new(8);
        let others: Vec<VerifiedPair> = [(0, 2), (0, 3), (0, 4), (1, 2), (1, 3), (1, 4)]
            .map(|(a, b)| VerifiedPair { reason: Reason::OtherFacts, ..pair(a, b, false, 0.7) })
            .to_vec();
        let suspect = VerifiedPair { reason: Reason::Told, ..pair(0, 1, true, 0.7) };
        let copies = VerifiedPair { reason: Reason::Told, ..pair(5, 6, true, 0.7) };
        others.iter().chain([&suspect, &copies]).for_each(|pair| counts.count(pair));
        assert!(!counts.confirmed(suspect).joins);
        assert!(counts.confirmed(copies).joins);
    }

    #[test]
    fn every_policy_keeps_the_copy_it_names() {
        let copy = |item, content_words, date: &str, site: &str| Copy {
            item,
            content_words,
            date: (!date.is_empty()).then(|| date.to_owned()),
            site: Some(site.to_owned()),
        };
        let copies = [
            copy(3, 90, "2025-03-05", "b.example"),
            copy(5, 120, "", "a.example"),
            copy(8, 80, "4 Mar 2025", "c.example"),
        ];
        let kept = |keep: Keep, sites: &[&str]| {
            let config =
                Config { keep, site_priority: sites.iter().map(ToString::to_string).collect(), ..Config::default() };
            choose(&config, 5, &copies).kept
        };
        assert_eq!(kept(Keep::Longest, &[]), Some(5));
        assert_eq!(kept(Keep::Earliest, &[]), Some(8));
        assert_eq!(kept(Keep::Latest, &[]), Some(3));
        assert_eq!(kept(Keep::First, &[]), Some(3));
        assert_eq!(kept(Keep::None, &[]), None);
        assert_eq!(kept(Keep::SitePriority, &["c.example", "b.example"]), Some(8));
        assert_eq!(kept(Keep::SitePriority, &["d.example"]), Some(5));
    }
}
