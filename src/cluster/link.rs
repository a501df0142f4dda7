//! What is known of the pairs of a component, small enough to hold for many.

use crate::record::Record;
use crate::similarity::{Relation, VerifiedPair};

/// A verified pair, seen from one of its items.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// The other item.
    pub to: u32,
    /// Whether the two may join one cluster.
    pub joins: bool,
    /// What the first item is to the other.
    pub relation: Relation,
    /// Whether the headlines share half of the shorter one's words.
    pub same_headline: bool,
    /// Share of the shorter text's word triples that the longer one holds.
    pub told: f32,
    /// The same in letters.
    pub told_in_letters: f32,
    /// Share of the first item's shingles that the other holds.
    pub from_in_to: f32,
    /// Share of the other's shingles that the first item holds.
    pub to_in_from: f32,
}

impl Link {
    /// Returns a pair as seen from `from`, which is one of its items.
    pub fn new(pair: &VerifiedPair, from: u32) -> Link {
        let pair = if pair.a == from { *pair } else { pair.reversed() };
        Link {
            to: pair.b,
            joins: pair.joins,
            relation: pair.relation,
            same_headline: pair.same_headline,
            told: pair.told as f32,
            told_in_letters: pair.told_in_letters as f32,
            from_in_to: pair.a_in_b as f32,
            to_in_from: pair.b_in_a as f32,
        }
    }

    /// Returns whether the first item tells all of the other.
    pub fn tells(&self) -> bool {
        self.relation == Relation::Contains
    }

    /// Returns whether the other item tells all of the first.
    pub fn is_told(&self) -> bool {
        self.relation == Relation::Contained
    }

    /// Bytes that one link takes.
    pub const WIDTH: usize = 23;

    fn shares(&self) -> [f32; 4] {
        [self.told, self.told_in_letters, self.from_in_to, self.to_in_from]
    }

    /// All that it is, so that links can be compared.
    fn bits(&self) -> (u32, [u32; 4], [u8; 3]) {
        let marks = [u8::from(self.joins), self.relation as u8, u8::from(self.same_headline)];
        (self.to, self.shares().map(f32::to_bits), marks)
    }

    /// Writes the link into `out`, which is `WIDTH` bytes long.
    pub fn encode(&self, out: &mut [u8]) {
        let (to, shares, marks) = self.bits();
        for (part, value) in out[..20].chunks_exact_mut(4).zip([to].into_iter().chain(shares)) {
            part.copy_from_slice(&value.to_le_bytes());
        }
        out[20..].copy_from_slice(&marks);
    }

    /// Reads a link that [`Link::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Link {
        let number = |at: usize| u32::from_le_bytes(bytes[at * 4..at * 4 + 4].try_into().expect("four bytes"));
        let share = |at: usize| f32::from_bits(number(at));
        Link {
            to: number(0),
            told: share(1),
            told_in_letters: share(2),
            from_in_to: share(3),
            to_in_from: share(4),
            joins: bytes[20] == 1,
            relation: Relation::from_number(bytes[21]),
            same_headline: bytes[22] == 1,
        }
    }
}

/// A link of a component, by the component: its records follow each other, and among them those of one item.
#[derive(Clone, Copy, Debug)]
pub struct ComponentLink {
    /// The component: its first item.
    pub root: u32,
    /// The item that the pair is seen from.
    pub from: u32,
    /// The pair.
    pub link: Link,
}

impl ComponentLink {
    fn bits(&self) -> (u32, u32, (u32, [u32; 4], [u8; 3])) {
        (self.root, self.from, self.link.bits())
    }
}

impl PartialEq for ComponentLink {
    fn eq(&self, other: &ComponentLink) -> bool {
        self.bits() == other.bits()
    }
}

impl Eq for ComponentLink {}

impl PartialOrd for ComponentLink {
    fn partial_cmp(&self, other: &ComponentLink) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ComponentLink {
    fn cmp(&self, other: &ComponentLink) -> std::cmp::Ordering {
        self.bits().cmp(&other.bits())
    }
}

impl Record for ComponentLink {
    const WIDTH: usize = 8 + Link::WIDTH;

    fn encode(&self, out: &mut [u8]) {
        out[..4].copy_from_slice(&self.root.to_le_bytes());
        out[4..8].copy_from_slice(&self.from.to_le_bytes());
        self.link.encode(&mut out[8..]);
    }

    fn decode(bytes: &[u8]) -> ComponentLink {
        let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        ComponentLink { root: number(0), from: number(4), link: Link::decode(&bytes[8..]) }
    }

    fn key(&self) -> u64 {
        u64::from(self.root)
    }
}

/// Where the links of a component lie: in memory, or wherever there are too many.
pub trait Links {
    /// Why they cannot be read.
    type Error;

    /// Replaces `out` by the links of an item, ascending by the other one.
    ///
    /// # Errors
    /// If they cannot be read.
    fn of(&mut self, from: u32, out: &mut Vec<Link>) -> Result<(), Self::Error>;

    /// Returns the link of two items: one that is held, or else what is measured now. What the texts share is the same
    /// either way; whether two may join is asked of pairs that are known not to be linked.
    ///
    /// # Errors
    /// If the link or the texts cannot be read.
    fn between(&mut self, from: u32, to: u32) -> Result<Link, Self::Error>;
}

/// Links that lie in memory; `measure` gives a pair that was no candidate, its first item the smaller one.
pub struct HeldLinks<'a, F> {
    /// Ascending by the first item, then by the other.
    held: &'a [(u32, Link)],
    measure: F,
}

impl<'a, F> HeldLinks<'a, F> {
    /// Takes links of both directions, ascending.
    pub fn new(held: &'a [(u32, Link)], measure: F) -> HeldLinks<'a, F> {
        debug_assert!(held.is_sorted_by_key(|(from, link)| (*from, link.to)), "links ascend");
        HeldLinks { held, measure }
    }

    fn links_of(&self, from: u32) -> &'a [(u32, Link)] {
        let start = self.held.partition_point(|(at, _)| *at < from);
        let held = &self.held[start..];
        &held[..held.partition_point(|(at, _)| *at == from)]
    }
}

/// Returns the links of pairs in both directions, ascending, as [`HeldLinks`] takes them. Pairs that occur twice count once.
pub fn links_of(pairs: &[VerifiedPair]) -> Vec<(u32, Link)> {
    let mut links: Vec<(u32, Link)> =
        pairs.iter().flat_map(|pair| [pair.a, pair.b].map(|from| (from, Link::new(pair, from)))).collect();
    links.sort_by_key(|(from, link)| (*from, link.to));
    links.dedup_by_key(|(from, link)| (*from, link.to));
    links
}

impl<E, F: FnMut(u32, u32) -> Result<VerifiedPair, E>> Links for HeldLinks<'_, F> {
    type Error = E;

    fn of(&mut self, from: u32, out: &mut Vec<Link>) -> Result<(), E> {
        out.clear();
        out.extend(self.links_of(from).iter().map(|(_, link)| *link));
        Ok(())
    }

    fn between(&mut self, from: u32, to: u32) -> Result<Link, E> {
        let links = self.links_of(from);
        match links.binary_search_by_key(&to, |(_, link)| link.to) {
            Ok(at) => Ok(links[at].1),
            Err(_) => Ok(Link::new(&(self.measure)(from.min(to), from.max(to))?, from)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_the_pair_seen_from_one_side() {
        let pair =
            VerifiedPair { relation: Relation::Contains, a_in_b: 0.25, b_in_a: 1.0, ..VerifiedPair::identical(3, 9) };
        let (one, other) = (Link::new(&pair, 3), Link::new(&pair, 9));
        assert_eq!((one.to, one.tells(), one.from_in_to, one.to_in_from), (9, true, 0.25, 1.0));
        assert_eq!((other.to, other.is_told(), other.from_in_to, other.to_in_from), (3, true, 1.0, 0.25));
    }

    #[test]
    fn a_record_is_what_it_was() {
        let pair = VerifiedPair { relation: Relation::Contained, same_headline: true, ..VerifiedPair::identical(3, 9) };
        let link = ComponentLink { root: 1, from: 9, link: Link::new(&pair, 9) };
        let mut bytes = [0; ComponentLink::WIDTH];
        link.encode(&mut bytes);
        assert_eq!(ComponentLink::decode(&bytes), link);
        assert_eq!(link.key(), 1);
    }

    #[test]
    fn a_pair_that_is_not_held_is_measured() {
        let held = links_of(&[VerifiedPair::identical(2, 5)]);
        let mut links = HeldLinks::new(&held, |a, b| Ok::<_, ()>(VerifiedPair::apart(a, b)));
        assert!(links.between(5, 2).unwrap().joins);
        assert!(!links.between(7, 5).unwrap().joins);
        let mut of = Vec::new();
        links.of(2, &mut of).unwrap();
        assert_eq!(of.iter().map(|link| link.to).collect::<Vec<_>>(), [5]);
    }
}
