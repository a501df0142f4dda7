//! Buckets and postings → candidate pairs.

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
}

impl Record for CandidatePair {
    const WIDTH: usize = 10;

    fn encode(&self, out: &mut [u8]) {
        out[..4].copy_from_slice(&self.a.to_le_bytes());
        out[4..8].copy_from_slice(&self.b.to_le_bytes());
        out[8..10].copy_from_slice(&self.samples.to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> CandidatePair {
        CandidatePair {
            a: u32::from_le_bytes(bytes[..4].try_into().expect("four bytes")),
            b: u32::from_le_bytes(bytes[4..8].try_into().expect("four bytes")),
            samples: u16::from_le_bytes(bytes[8..10].try_into().expect("two bytes")),
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

/// Gives the candidate pairs of one bucket, whose `items` ascend; repeats are passed over. Returns how many pairs of the
/// bucket were left out.
///
/// A bucket of more than 16 items gives no more than four pairs an item: to its leader, the first, and to the three before
/// it. Copies find each other through their leader; the buckets of other bands bring other leaders and neighbors.
pub fn bucket_pairs(items: &mut dyn Iterator<Item = u32>, emit: &mut dyn FnMut(CandidatePair)) -> u64 {
    pairs(items, WHOLE_BUCKET, &mut |a, b| emit(CandidatePair { a, b, samples: 2 }))
}

/// Gives the pairs of one posting, each one shared sample; as [`bucket_pairs`], but whole up to 32 items.
pub fn posting_pairs(items: &mut dyn Iterator<Item = u32>, emit: &mut dyn FnMut(CandidatePair)) -> u64 {
    pairs(items, WHOLE_POSTING, &mut |a, b| emit(CandidatePair { a, b, samples: 1 }))
}

/// Gives all pairs of up to `whole` items, or else those to the first item and to the [`NEIGHBORS`] before; returns how many
/// were left out. Holds up to `whole` items, however many there are.
fn pairs(items: &mut dyn Iterator<Item = u32>, whole: usize, emit: &mut dyn FnMut(u32, u32)) -> u64 {
    let mut last = None;
    let mut distinct = items.filter(|item| last.replace(*item) != Some(*item));
    let first: Vec<u32> = distinct.by_ref().take(whole + 1).collect();
    if first.len() <= whole {
        for (index, b) in first.iter().enumerate() {
            first[..index].iter().for_each(|a| emit(*a, *b));
        }
        return 0;
    }
    let mut before = [first[0]; NEIGHBORS];
    let (mut count, mut given) = (1, 0);
    for b in first[1..].iter().copied().chain(distinct) {
        emit(first[0], b);
        // The nearest stand last; of the first few items, not all neighbors exist beside the leader.
        let neighbors = NEIGHBORS.min(count - 1);
        before[NEIGHBORS - neighbors..].iter().for_each(|a| emit(*a, b));
        given += 1 + neighbors as u64;
        before.rotate_left(1);
        before[NEIGHBORS - 1] = b;
        count += 1;
    }
    let count = count as u64;
    count * (count - 1) / 2 - given
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn given(
        items: &[u32],
        pairs: fn(&mut dyn Iterator<Item = u32>, &mut dyn FnMut(CandidatePair)) -> u64,
    ) -> (Vec<CandidatePair>, u64) {
        let mut out = Vec::new();
        let left_out = pairs(&mut items.iter().copied(), &mut |pair| out.push(pair));
        (out, left_out)
    }

    #[test]
    fn one_item_is_no_pair() {
        assert_eq!(given(&[], bucket_pairs), (vec![], 0));
        assert_eq!(given(&[4, 4, 4], bucket_pairs), (vec![], 0));
    }

    #[test]
    fn small_groups_give_every_pair_once() {
        let (pairs, left_out) = given(&[1, 5, 5, 9], bucket_pairs);
        assert_eq!(pairs, [(1, 5), (1, 9), (5, 9)].map(|(a, b)| CandidatePair { a, b, samples: 2 }));
        assert_eq!(left_out, 0);
        let (pairs, left_out) = given(&(0..32).collect::<Vec<_>>(), posting_pairs);
        assert_eq!((pairs.len(), left_out), (32 * 31 / 2, 0));
        assert!(pairs.iter().all(|pair| pair.samples == 1));
    }

    #[test]
    fn large_groups_give_few_pairs_an_item_and_count_the_rest() {
        for items in [17u32, 65, 10_000] {
            let all: Vec<u32> = (0..items).collect();
            let (pairs, left_out) = given(&all, bucket_pairs);
            let distinct: BTreeSet<_> = pairs.iter().collect();
            assert_eq!(distinct.len(), pairs.len(), "no pair twice");
            assert!(pairs.iter().all(|pair| pair.a < pair.b));
            assert!(pairs.len() <= 4 * items as usize);
            assert_eq!(pairs.len() as u64 + left_out, u64::from(items) * u64::from(items - 1) / 2);
            assert_eq!(pairs.iter().filter(|pair| pair.a == 0).count(), items as usize - 1, "all meet the leader");
        }
    }

    #[test]
    fn a_record_is_what_it_was() {
        let pair = CandidatePair { a: 7, b: u32::MAX, samples: 300 };
        let mut bytes = [0; CandidatePair::WIDTH];
        pair.encode(&mut bytes);
        assert_eq!(CandidatePair::decode(&bytes), pair);
    }
}
