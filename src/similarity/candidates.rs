//! Buckets and postings → candidate pairs.

use serde::{Deserialize, Serialize};

use crate::record::Record;

/// Two items worth verifying.
///
/// A pair from a bucket is a candidate as it stands (`samples` = 2 or more); a pair from a posting counts one shared
/// sample, and the pairs of all postings are added up: two shared samples make a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CandidatePair {
    /// The smaller item.
    pub a: u32,
    /// The larger item.
    pub b: u32,
    /// What this record adds to the count of shared samples.
    pub samples: u16,
    /// Whether it comes from a large group, which does not give all of its pairs.
    pub crowded: bool,
}

impl Record for CandidatePair {
    const WIDTH: usize = 11;

    fn encode(&self, out: &mut [u8]) {
        out[..4].copy_from_slice(&self.a.to_le_bytes());
        out[4..8].copy_from_slice(&self.b.to_le_bytes());
        out[8..10].copy_from_slice(&self.samples.to_le_bytes());
        out[10] = u8::from(self.crowded);
    }

    fn decode(bytes: &[u8]) -> CandidatePair {
        CandidatePair {
            a: u32::from_le_bytes(bytes[..4].try_into().expect("four bytes")),
            b: u32::from_le_bytes(bytes[4..8].try_into().expect("four bytes")),
            samples: u16::from_le_bytes(bytes[8..10].try_into().expect("two bytes")),
            crowded: bytes[10] == 1,
        }
    }

    fn key(&self) -> u64 {
        u64::from(self.a) << 32 | u64::from(self.b)
    }
}

/// Items of a bucket up to which every pair is given.
const WHOLE_BUCKET: usize = 16;

/// Items of a posting up to which every pair is given. On reprints of 2,566 articles, 32 find what 64 find (0.998 of the
/// pairs with 5-word shingles, one in eight sampled) for a quarter fewer candidates.
const WHOLE_POSTING: usize = 32;

/// Items before it that an item of a larger group is paired with, beside the first.
const NEIGHBORS: usize = 3;

/// A pair of large groups only, from the later item's side: by how often the two met, most often first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CrowdedPair {
    /// The larger item.
    pub b: u32,
    /// What is missing to the highest count of shared samples.
    pub missing: u16,
    /// The smaller item.
    pub a: u32,
}

impl CrowdedPair {
    /// Earlier items that an item meets of the large groups that it is in: half of them those that it shares most buckets
    /// and postings with, half those that stand nearest before it, which say what the group is like. The pages of one
    /// template share most of their buckets, and without this each would meet fifty others.
    pub const MOST: usize = 16;

    /// Takes a candidate, all records of which were added up.
    pub fn new(pair: &CandidatePair) -> CrowdedPair {
        CrowdedPair { b: pair.b, missing: u16::MAX - pair.samples, a: pair.a }
    }

    /// Moves those that an item meets of all its pairs, which come as they are sorted, to the front, and returns how many
    /// they are.
    pub fn choose(pairs: &mut [CrowdedPair]) -> usize {
        let count = pairs.len().min(CrowdedPair::MOST);
        if let Some(rest) = pairs.get_mut(CrowdedPair::MOST / 2..) {
            rest.sort_unstable_by_key(|pair| std::cmp::Reverse(pair.a));
        }
        count
    }

    /// Returns the candidate again.
    pub fn candidate(&self) -> CandidatePair {
        CandidatePair { a: self.a, b: self.b, samples: u16::MAX - self.missing, crowded: true }
    }
}

impl Record for CrowdedPair {
    const WIDTH: usize = 10;

    fn encode(&self, out: &mut [u8]) {
        out[..4].copy_from_slice(&self.b.to_le_bytes());
        out[4..6].copy_from_slice(&self.missing.to_le_bytes());
        out[6..10].copy_from_slice(&self.a.to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> CrowdedPair {
        let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        let missing = u16::from_le_bytes(bytes[4..6].try_into().expect("two bytes"));
        CrowdedPair { b: number(0), missing, a: number(6) }
    }

    fn key(&self) -> u64 {
        u64::from(self.b)
    }
}

/// A group of more items than all meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crowd {
    /// Its first item.
    pub leader: u32,
    /// How many items it has.
    pub items: u64,
    /// Pairs of them that it did not give.
    pub left_out: u64,
}

/// Gives the candidate pairs of one bucket, whose `items` ascend; repeats are passed over. Returns the bucket if it is too
/// large to give all.
///
/// A bucket of more than 16 items gives no more than four pairs an item: to its leader, the first, and to the three before
/// it. Copies find each other through their leader; the buckets of other bands bring other leaders and neighbors.
pub fn bucket_pairs(items: &mut dyn Iterator<Item = u32>, emit: &mut dyn FnMut(CandidatePair)) -> Option<Crowd> {
    pairs(items, WHOLE_BUCKET, &mut |a, b, crowded| emit(CandidatePair { a, b, samples: 2, crowded }))
}

/// Gives the pairs of one posting, each one shared sample; as [`bucket_pairs`], but whole up to 32 items.
pub fn posting_pairs(items: &mut dyn Iterator<Item = u32>, emit: &mut dyn FnMut(CandidatePair)) -> Option<Crowd> {
    pairs(items, WHOLE_POSTING, &mut |a, b, crowded| emit(CandidatePair { a, b, samples: 1, crowded }))
}

/// Gives all pairs of up to `whole` items, or else those to the first item and to the [`NEIGHBORS`] before. Holds up to
/// `whole` items, however many there are.
fn pairs(items: &mut dyn Iterator<Item = u32>, whole: usize, emit: &mut dyn FnMut(u32, u32, bool)) -> Option<Crowd> {
    let mut last = None;
    let mut distinct = items.filter(|item| last.replace(*item) != Some(*item));
    // Most groups are of one item: what no other text has.
    let leader = distinct.next()?;
    let second = distinct.next()?;
    let mut first = Vec::with_capacity(whole + 1);
    first.extend([leader, second]);
    first.extend(distinct.by_ref().take(whole - 1));
    if first.len() <= whole {
        for (index, b) in first.iter().enumerate() {
            first[..index].iter().for_each(|a| emit(*a, *b, false));
        }
        return None;
    }
    let mut before = [first[0]; NEIGHBORS];
    let (mut count, mut given) = (1, 0);
    for b in first[1..].iter().copied().chain(distinct) {
        emit(first[0], b, true);
        // The nearest stand last; of the first few items, not all neighbors exist beside the leader.
        let neighbors = NEIGHBORS.min(count - 1);
        before[NEIGHBORS - neighbors..].iter().for_each(|a| emit(*a, b, true));
        given += 1 + neighbors as u64;
        before.rotate_left(1);
        before[NEIGHBORS - 1] = b;
        count += 1;
    }
    let items = count as u64;
    Some(Crowd { leader: first[0], items, left_out: items * (items - 1) / 2 - given })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    type Giving = fn(&mut dyn Iterator<Item = u32>, &mut dyn FnMut(CandidatePair)) -> Option<Crowd>;

    fn given(items: &[u32], pairs: Giving) -> (Vec<CandidatePair>, Option<Crowd>) {
        let mut out = Vec::new();
        let crowd = pairs(&mut items.iter().copied(), &mut |pair| out.push(pair));
        (out, crowd)
    }

    #[test]
    fn one_item_is_no_pair() {
        assert_eq!(given(&[], bucket_pairs), (vec![], None));
        assert_eq!(given(&[4, 4, 4], bucket_pairs), (vec![], None));
    }

    #[test]
    fn of_large_groups_an_item_meets_its_likest_and_its_nearest() {
        let pair = |a: u32| CrowdedPair::new(&CandidatePair { a, b: 99, samples: (a == 7).into(), crowded: true });
        let mut pairs: Vec<CrowdedPair> = (0..40).map(pair).collect();
        pairs.sort_unstable();
        let chosen = CrowdedPair::choose(&mut pairs);
        let mut met: Vec<u32> = pairs[..chosen].iter().map(|pair| pair.a).collect();
        met.sort_unstable();
        assert_eq!(met, (0..8).chain(32..40).collect::<Vec<_>>());
        assert_eq!(CrowdedPair::choose(&mut [pair(1)]), 1);
    }

    #[test]
    fn small_groups_give_every_pair_once() {
        let (pairs, crowd) = given(&[1, 5, 5, 9], bucket_pairs);
        assert_eq!(pairs, [(1, 5), (1, 9), (5, 9)].map(|(a, b)| CandidatePair { a, b, samples: 2, crowded: false }));
        assert_eq!(crowd, None);
        let (pairs, crowd) = given(&(0..32).collect::<Vec<_>>(), posting_pairs);
        assert_eq!((pairs.len(), crowd), (32 * 31 / 2, None));
        assert!(pairs.iter().all(|pair| pair.samples == 1));
    }

    #[test]
    fn large_groups_give_few_pairs_an_item_and_count_the_rest() {
        for items in [17u32, 65, 10_000] {
            let all: Vec<u32> = (0..items).collect();
            let (pairs, crowd) = given(&all, bucket_pairs);
            let crowd = crowd.expect("more than all meet");
            assert_eq!((crowd.leader, crowd.items), (0, u64::from(items)));
            let distinct: BTreeSet<_> = pairs.iter().collect();
            assert_eq!(distinct.len(), pairs.len(), "no pair twice");
            assert!(pairs.iter().all(|pair| pair.a < pair.b && pair.crowded));
            assert!(pairs.len() <= 4 * items as usize);
            assert_eq!(pairs.len() as u64 + crowd.left_out, u64::from(items) * u64::from(items - 1) / 2);
            assert_eq!(pairs.iter().filter(|pair| pair.a == 0).count(), items as usize - 1, "all meet the leader");
        }
    }

    #[test]
    fn a_record_is_what_it_was() {
        let pair = CandidatePair { a: 7, b: u32::MAX, samples: 300, crowded: true };
        let mut bytes = [0; CandidatePair::WIDTH];
        pair.encode(&mut bytes);
        assert_eq!(CandidatePair::decode(&bytes), pair);
        let crowded = CrowdedPair::new(&pair);
        let mut bytes = [0; CrowdedPair::WIDTH];
        crowded.encode(&mut bytes);
        assert_eq!(CrowdedPair::decode(&bytes).candidate(), pair);
        assert!(crowded < CrowdedPair::new(&CandidatePair { a: 1, samples: 299, ..pair }), "most often first");
    }
}
