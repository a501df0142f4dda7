//! Groups of documents that tell the same story, each held together by its representative.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, VecDeque};

use crate::similarity::{Relation, VerifiedPair};

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
    /// The most complete text; ties by order.
    pub representative: u32,
    /// All members in order, the representative among them.
    pub members: Vec<u32>,
}

/// Pairs per member that are measured although they were no candidates: enough to find the representative of a copy
/// that met others only, few enough that a component of any shape costs linear time.
const TRIES: u8 = 16;

/// Stories inside one page that are compared with each other to find out whether they are several.
const STORIES: usize = 16;

/// Share of word triples below which two stories inside one page have nothing in common.
const UNRELATED: f64 = 0.05;

/// Splits one component into clusters by leaders, the longest first.
///
/// `members` ascend by item; `pairs` are the component's verified pairs. `verify` measures a pair that was no candidate
/// (its first item is the smaller one).
/// Every member is in exactly one of the clusters returned, which come in the order of their first members.
///
/// Every member of a cluster joins its representative itself, so that no chain A~B~C~D puts A and D together. A page that
/// holds two unrelated stories joins neither. The order of `pairs` does not matter. O(members + pairs) calls and time,
/// up to a logarithm.
pub fn split(
    members: &[Member],
    pairs: &[VerifiedPair],
    verify: &mut dyn FnMut(u32, u32) -> VerifiedPair,
) -> Vec<Cluster> {
    let mut links = Links::new(members, pairs, verify);
    links.part_round_ups();
    let mut by_length: Vec<usize> = (0..members.len()).collect();
    by_length.sort_by_key(|&at| (Reverse(members[at].content_words), at));
    let mut leader = vec![usize::MAX; members.len()];
    let mut tries = vec![0u8; members.len()];
    for &representative in &by_length {
        if leader[representative] != usize::MAX {
            continue;
        }
        leader[representative] = representative;
        let mut seen = BTreeSet::from([representative]);
        let mut reached = VecDeque::from([representative]);
        while let Some(from) = reached.pop_front() {
            for to in links.neighbors[from].clone() {
                if leader[to] != usize::MAX || !seen.insert(to) {
                    continue;
                }
                let joins = match links.known(representative, to) {
                    Some(pair) => pair.joins,
                    None if tries[to] < TRIES => {
                        tries[to] += 1;
                        links.measure(representative, to).joins
                    }
                    None => false,
                };
                if joins && !links.are_parted(representative, to) {
                    leader[to] = representative;
                    reached.push_back(to);
                }
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
                .filter(|&other| self.known(page, other).is_some_and(|pair| tells(pair, self.members[page].item)))
                .collect();
            told.sort_by_key(|&at| (Reverse(self.members[at].content_words), at));
            told.truncate(STORIES);
            self.parted[page] = (0..told.len()).any(|one| {
                (one + 1..told.len()).any(|other| {
                    let pair = self.measure(told[one], told[other]);
                    pair.told < UNRELATED && !pair.same_headline
                })
            });
        }
    }
}

/// Returns whether `page` tells all of the other document of a pair.
fn tells(pair: &VerifiedPair, page: u32) -> bool {
    match pair.relation {
        Relation::Contains => pair.a == page,
        Relation::Contained => pair.b == page,
        _ => false,
    }
}

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

/// Chooses the copy to keep. (Skeleton; to be filled in.)
pub fn choose(config: &crate::config::Config, representative: u32, copies: &[Copy]) -> Choice {
    let _ = (config, copies);
    Choice { kept: Some(representative), reason: "the most complete text".to_owned() }
}
