//! Groups of documents that tell the same story, each held together by its representative.

mod correct;

pub use correct::correct;

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

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

/// Pairs per member that are measured although they were no candidates: enough to find the representative of a copy
/// that met others only, few enough that a component of any shape costs linear time.
const TRIES: u8 = 16;

/// Members least like the center that a new one is compared with.
const WITNESSES: usize = 8;

/// Share of word triples or letters of the shorter one below which two members of a cluster are at odds: two versions of
/// a page that moved on, while two damaged copies of one text keep more than that.
const AT_ODDS: f64 = 0.2;

/// Members, the longest first, that are tried as a cluster's representative.
const CONTENDERS: usize = 4;

/// Stories inside one page that are compared with each other to find out whether they are several.
const STORIES: usize = 16;

/// How many times longer than a passage those that tell it are, at least.
const LONGER: u32 = 2;

/// Words of a document inside a page from which it is a story of its own.
const STORY_WORDS: u32 = 60;

/// Share of word triples below which two stories inside one page have nothing in common.
const UNRELATED: f64 = 0.05;

/// Splits one component into clusters by leaders: first the document that most others match, the longest among equals.
///
/// `members` ascend by item; `pairs` are the component's verified pairs. `verify` measures a pair that was no candidate
/// (its first item is the smaller one).
/// Every member is in exactly one of the clusters returned, which come in the order of their first members.
///
/// Every member of a cluster joins its representative itself, so that no chain A~B~C~D puts A and D together. The
/// representative is the longest member that all others match. A page that holds two unrelated stories joins neither.
/// The order of `pairs` does not matter. O(members + pairs) calls and time, up to a logarithm.
pub fn split(
    members: &[Member],
    pairs: &[VerifiedPair],
    verify: &mut dyn FnMut(u32, u32) -> VerifiedPair,
) -> Vec<Cluster> {
    let mut links = Links::new(members, pairs, verify);
    links.part_round_ups();
    let mut leader = vec![usize::MAX; members.len()];
    let mut tries = vec![0u8; members.len()];
    let mut matches: Vec<usize> = links.neighbors.iter().map(Vec::len).collect();
    let rank = |at: usize, matches: &[usize]| (matches[at], members[at].content_words, Reverse(at));
    let mut queue: BinaryHeap<_> = (0..members.len()).map(|at| rank(at, &matches)).collect();
    while let Some((count, _, Reverse(center))) = queue.pop() {
        if leader[center] != usize::MAX {
            continue;
        }
        if count != matches[center] {
            queue.push(rank(center, &matches));
            continue;
        }
        let mut group = vec![center];
        let mut seen = BTreeSet::from([center]);
        let mut reached = 0;
        while reached < group.len() {
            for to in links.neighbors[group[reached]].clone() {
                if leader[to] != usize::MAX || !seen.insert(to) {
                    continue;
                }
                let joins = match links.known(center, to) {
                    Some(pair) => pair.joins && !links.are_parted(center, to),
                    None if tries[to] < TRIES => {
                        tries[to] += 1;
                        links.joins(center, to)
                    }
                    None => false,
                };
                if joins {
                    group.push(to);
                }
            }
            reached += 1;
        }
        links.admit(&mut group);
        let representative = links.representative(&group);
        for &at in &group {
            leader[at] = representative;
            for &near in &links.neighbors[at] {
                matches[near] -= 1;
            }
        }
    }
    let mut clusters: Vec<Cluster> = Vec::new();
    let mut place = HashMap::new();
    for (at, member) in members.iter().enumerate() {
        let slot = *place.entry(leader[at]).or_insert_with(|| {
            clusters.push(Cluster { representative: members[leader[at]].item, members: Vec::new() });
            clusters.len() - 1
        });
        clusters[slot].members.push(member.item);
    }
    clusters
}

/// What is known about the pairs of a component, by position in `members`.
struct Links<'a> {
    members: &'a [Member],
    known: HashMap<(u32, u32), VerifiedPair>,
    neighbors: Vec<Vec<usize>>,
    parted: Vec<bool>,
    verify: &'a mut dyn FnMut(u32, u32) -> VerifiedPair,
}

impl<'a> Links<'a> {
    fn new(
        members: &'a [Member],
        pairs: &[VerifiedPair],
        verify: &'a mut dyn FnMut(u32, u32) -> VerifiedPair,
    ) -> Links<'a> {
        let place = |item: u32| members.binary_search_by_key(&item, |member| member.item);
        let mut known = HashMap::with_capacity(pairs.len());
        let mut neighbors = vec![Vec::new(); members.len()];
        for pair in pairs {
            let (Ok(a), Ok(b)) = (place(pair.a), place(pair.b)) else { continue };
            if known.insert((pair.a, pair.b), *pair).is_none() && pair.joins {
                neighbors[a].push(b);
                neighbors[b].push(a);
            }
        }
        for near in &mut neighbors {
            near.sort_unstable();
        }
        Links { members, known, neighbors, parted: vec![false; members.len()], verify }
    }

    fn items(&self, a: usize, b: usize) -> (u32, u32) {
        let (a, b) = (self.members[a].item, self.members[b].item);
        (a.min(b), a.max(b))
    }

    fn known(&self, a: usize, b: usize) -> Option<&VerifiedPair> {
        self.known.get(&self.items(a, b))
    }

    fn measure(&mut self, a: usize, b: usize) -> VerifiedPair {
        let (a, b) = self.items(a, b);
        if let Some(pair) = self.known.get(&(a, b)) {
            return *pair;
        }
        let pair = (self.verify)(a, b);
        self.known.insert((a, b), pair);
        pair
    }

    fn joins(&mut self, a: usize, b: usize) -> bool {
        !self.are_parted(a, b) && self.measure(a, b).joins
    }

    /// Keeps those members of a group, the most similar to its center first, that share something with the others.
    fn admit(&mut self, group: &mut Vec<usize>) {
        let center = group[0];
        let mut order: Vec<(usize, VerifiedPair)> =
            group[1..].iter().map(|&at| (at, self.measure(center, at))).collect();
        order.sort_by(|(a, one), (b, that)| that.told.total_cmp(&one.told).then(a.cmp(b)));
        let mut admitted: Vec<(usize, VerifiedPair)> = Vec::with_capacity(order.len());
        for (at, pair) in order {
            let item = self.members[center].item;
            let at_odds = !tells(&pair, item)
                && (0..admitted.len().min(WITNESSES)).any(|back| {
                    let (other, that) = admitted[admitted.len() - 1 - back];
                    if tells(&that, item) || pair.jaccard + that.jaccard - 1.0 >= AT_ODDS {
                        return false;
                    }
                    let between = self.measure(at, other);
                    between.told.max(between.told_in_letters) < AT_ODDS
                });
            if !at_odds {
                admitted.push((at, pair));
            }
        }
        group.truncate(1);
        group.extend(admitted.into_iter().map(|(at, _)| at));
    }

    /// Returns the longest member of a group that all others match; its first member is one that they do.
    fn representative(&mut self, group: &[usize]) -> usize {
        let mut longest = group.to_vec();
        longest.sort_by_key(|&at| (Reverse(self.members[at].content_words), at));
        longest
            .into_iter()
            .take(CONTENDERS)
            .find(|&at| group.iter().all(|&other| other == at || self.joins(at, other)))
            .unwrap_or(group[0])
    }

    /// Returns whether one of the two is a page of several stories and the other is not.
    fn are_parted(&self, a: usize, b: usize) -> bool {
        self.parted[a] != self.parted[b]
    }

    /// Finds the pages that tell all of two documents which have nothing in common.
    fn part_round_ups(&mut self) {
        for page in 0..self.members.len() {
            let mut told: Vec<usize> = self.neighbors[page]
                .iter()
                .copied()
                .filter(|&other| self.members[other].content_words >= STORY_WORDS)
                .filter(|&other| self.known(page, other).is_some_and(|pair| tells(pair, self.members[page].item)))
                .collect();
            told.sort_by_key(|&at| (Reverse(self.members[at].content_words), at));
            told.truncate(STORIES);
            self.parted[page] = (0..told.len())
                .any(|one| (one + 1..told.len()).any(|other| are_unrelated(&self.measure(told[one], told[other]))));
        }
        self.part_passages();
        for page in 0..self.members.len() {
            let mut near = std::mem::take(&mut self.neighbors[page]);
            near.retain(|&other| !self.are_parted(page, other));
            self.neighbors[page] = near;
        }
    }

    /// Finds the passages: documents that two longer ones tell, which share next to nothing else. A notice, a quotation, or
    /// what a site writes around every article, left over where the article was lost, is told by several stories and is
    /// none of them.
    fn part_passages(&mut self) {
        let mut passages = Vec::new();
        for passage in 0..self.members.len() {
            let words = self.members[passage].content_words;
            let mut holders: Vec<usize> = self.neighbors[passage]
                .iter()
                .copied()
                .filter(|&other| !self.parted[other] && self.members[other].content_words / LONGER >= words)
                .filter(|&other| self.known(passage, other).is_some_and(|pair| tells(pair, self.members[other].item)))
                .collect();
            holders.sort_by_key(|&at| (Reverse(self.members[at].content_words), at));
            holders.truncate(STORIES);
            let Some((&first, others)) = holders.split_first() else { continue };
            let at_odds = others.iter().any(|&other| {
                let pair = self.measure(first, other);
                pair.told.max(pair.told_in_letters) < AT_ODDS && !pair.same_headline
            });
            if at_odds && !self.parted[passage] {
                passages.push(passage);
            }
        }
        for passage in passages {
            self.parted[passage] = true;
        }
    }
}

/// Returns whether two documents have so little in common that a page which tells both is one of several stories.
fn are_unrelated(pair: &VerifiedPair) -> bool {
    pair.told < UNRELATED && !pair.same_headline
}

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
            if are_unrelated(&verify(*one, *other)?) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Returns whether `page` tells all of the other document of a pair.
fn tells(pair: &VerifiedPair, page: u32) -> bool {
    match pair.relation {
        Relation::Contains => pair.a == page,
        Relation::Contained => pair.b == page,
        _ => false,
    }
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
    use proptest::prelude::*;

    fn pair(a: u32, b: u32, joins: bool, told: f64) -> VerifiedPair {
        VerifiedPair {
            joins,
            told,
            jaccard: told,
            relation: if joins { Relation::Near } else { Relation::Related },
            ..VerifiedPair::apart(a, b)
        }
    }

    fn members(words: &[u32]) -> Vec<Member> {
        (0..).zip(words).map(|(item, content_words)| Member { item, content_words: *content_words }).collect()
    }

    fn groups(members: &[Member], pairs: &[VerifiedPair]) -> Vec<(u32, Vec<u32>)> {
        let mut none = |a, b| VerifiedPair::apart(a, b);
        split(members, pairs, &mut none).into_iter().map(|cluster| (cluster.representative, cluster.members)).collect()
    }

    #[test]
    fn a_passage_that_two_stories_tell_is_neither_of_them() {
        let told = |a, b| VerifiedPair { relation: Relation::Contained, ..pair(a, b, true, 0.9) };
        let members = members(&[80, 900, 700, 690]);
        let pairs = [told(0, 1), told(0, 2), told(0, 3), pair(2, 3, true, 0.8)];
        assert_eq!(groups(&members, &pairs), [(0, vec![0]), (1, vec![1]), (2, vec![2, 3])]);
        // Two copies of one story hold an excerpt of it.
        let pairs = [told(0, 2), told(0, 3), pair(2, 3, true, 0.8)];
        let excerpt = [members[0], members[2], members[3]];
        assert_eq!(groups(&excerpt, &pairs), [(2, vec![0, 2, 3])]);
    }

    #[test]
    fn a_chain_falls_apart_where_its_ends_share_nothing() {
        let pairs: Vec<VerifiedPair> = (0..5).map(|at| pair(at, at + 1, true, 0.6)).collect();
        for (representative, members) in groups(&members(&[100; 6]), &pairs) {
            assert!(members.iter().all(|member| member.abs_diff(representative) <= 1));
        }
    }

    #[test]
    fn the_longest_that_all_match_represents_them() {
        let pairs = [pair(0, 1, true, 0.9), pair(0, 2, true, 0.9), pair(1, 2, true, 0.9)];
        assert_eq!(groups(&members(&[90, 120, 110]), &pairs), [(1, vec![0, 1, 2])]);
    }

    #[test]
    fn a_copy_that_met_others_only_is_measured_against_the_representative() {
        let pairs = [pair(0, 1, true, 0.9), pair(1, 2, true, 0.9), pair(0, 3, true, 0.9)];
        let mut measured = Vec::new();
        let clusters = split(&members(&[100; 4]), &pairs, &mut |a, b| {
            measured.push((a, b));
            pair(a, b, true, 0.9)
        });
        assert_eq!(clusters.len(), 1);
        assert!(measured.contains(&(0, 2)));
    }

    #[test]
    fn a_page_of_two_stories_joins_neither() {
        let contains = |a, b| VerifiedPair { relation: Relation::Contains, ..pair(a, b, true, 1.0) };
        let pairs = [contains(0, 1), contains(0, 2), pair(1, 3, true, 0.9)];
        let found = groups(&members(&[400, 150, 200, 140]), &pairs);
        assert_eq!(found, [(0, vec![0]), (1, vec![1, 3]), (2, vec![2])]);
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

    proptest! {
        #[test]
        fn the_order_of_pairs_does_not_matter(
            words in proptest::collection::vec(1u32..50, 1..14),
            links in proptest::collection::vec((0u32..14, 0u32..14, any::<bool>(), 0.0..1.0f64), 0..50),
            seed in any::<u64>(),
        ) {
            let members = members(&words);
            let count = words.len() as u32;
            let mut known = HashMap::new();
            for (a, b, joins, told) in links {
                let (a, b) = (a.min(b) % count, a.max(b) % count);
                if a != b {
                    known.insert((a.min(b), a.max(b)), pair(a.min(b), a.max(b), joins, told));
                }
            }
            let mut pairs: Vec<VerifiedPair> = known.values().copied().collect();
            pairs.sort();
            let mut shuffled = pairs.clone();
            shuffled.sort_by_key(|pair| crate::hash::mix64(u64::from(pair.a) << 32 | u64::from(pair.b)) ^ seed);
            let found = groups(&members, &pairs);
            prop_assert_eq!(&found, &groups(&members, &shuffled));
            let mut all: Vec<u32> = found.iter().flat_map(|(_, members)| members.clone()).collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..count).collect::<Vec<_>>());
            for (representative, members) in &found {
                for member in members.iter().filter(|member| *member != representative) {
                    let key = (*member.min(representative), *member.max(representative));
                    prop_assert!(known.get(&key).is_some_and(|pair| pair.joins));
                }
            }
        }
    }
}
