//! Prefix filtering: the exact all-pairs join, for small sets and as the truth that bands are measured against.
//!
//! Two sets of Jaccard similarity t and more share a shingle among the first `n - ⌈t·n⌉ + 1` of each, in any order that
//! is the same for all sets. With the rarest first, few strangers meet there.
//!
//! # Source
//! R. Bayardo, Y. Ma, R. Srikant, *Scaling Up All Pairs Similarity Search*, 2007 (AllPairs); C. Xiao et al., *Efficient
//! Similarity Joins for Near Duplicate Detection*, 2008 (PPJoin).

use crate::record::Record;
use crate::similarity::CandidatePair;

/// A shingle of an item, ordered by how many items hold it: rarest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RankedShingle {
    /// The item.
    pub item: u32,
    /// How many items hold the shingle.
    pub frequency: u32,
    /// The shingle.
    pub shingle: u64,
}

impl Record for RankedShingle {
    const WIDTH: usize = 16;

    fn encode(&self, out: &mut [u8]) {
        out[..4].copy_from_slice(&self.item.to_le_bytes());
        out[4..8].copy_from_slice(&self.frequency.to_le_bytes());
        out[8..16].copy_from_slice(&self.shingle.to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> RankedShingle {
        RankedShingle {
            item: u32::from_le_bytes(bytes[..4].try_into().expect("four bytes")),
            frequency: u32::from_le_bytes(bytes[4..8].try_into().expect("four bytes")),
            shingle: u64::from_le_bytes(bytes[8..16].try_into().expect("eight bytes")),
        }
    }

    fn key(&self) -> u64 {
        u64::from(self.item)
    }
}

/// A shingle in the prefix of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PrefixEntry {
    /// The shingle.
    pub shingle: u64,
    /// How many shingles the item has.
    pub length: u32,
    /// The item.
    pub item: u32,
}

impl Record for PrefixEntry {
    const WIDTH: usize = 16;

    fn encode(&self, out: &mut [u8]) {
        out[..8].copy_from_slice(&self.shingle.to_le_bytes());
        out[8..12].copy_from_slice(&self.length.to_le_bytes());
        out[12..16].copy_from_slice(&self.item.to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> PrefixEntry {
        PrefixEntry {
            shingle: u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")),
            length: u32::from_le_bytes(bytes[8..12].try_into().expect("four bytes")),
            item: u32::from_le_bytes(bytes[12..16].try_into().expect("four bytes")),
        }
    }

    fn key(&self) -> u64 {
        self.shingle
    }
}

/// Returns how many of a set's `length` shingles, in the common order, are its prefix at a threshold.
pub fn prefix_length(length: usize, threshold: f64) -> usize {
    let needed = (threshold * length as f64 - 1e-9).ceil().max(1.0) as usize;
    length - needed.min(length) + 1
}

/// Gives all pairs of a posting whose lengths allow the threshold; `posting` ascends by length.
pub fn prefix_pairs(posting: &[PrefixEntry], threshold: f64, emit: &mut dyn FnMut(CandidatePair)) {
    for (at, long) in posting.iter().enumerate() {
        let least = threshold * f64::from(long.length) - 1e-9;
        for short in posting[..at].iter().rev().take_while(|short| f64::from(short.length) >= least) {
            let (a, b) = (short.item.min(long.item), short.item.max(long.item));
            emit(CandidatePair { a, b, samples: 2, crowded: false });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::similarity::ShingleSet;
    use proptest::prelude::*;

    #[test]
    fn the_prefix_is_all_at_zero_and_one_at_one() {
        assert_eq!(prefix_length(10, 1.0), 1);
        assert_eq!(prefix_length(10, 0.5), 6);
        assert_eq!(prefix_length(1, 0.3), 1);
    }

    proptest! {
        #[test]
        fn similar_sets_share_a_shingle_of_their_prefixes(
            a in proptest::collection::vec(0u64..40, 1..40),
            b in proptest::collection::vec(0u64..40, 1..40),
            threshold in 0.3f64..1.0,
        ) {
            let (a, b) = (ShingleSet::new(&a, 1), ShingleSet::new(&b, 1));
            if a.jaccard(&b) >= threshold {
                let prefix = |set: &ShingleSet| set.hashes()[..prefix_length(set.len(), threshold)].to_vec();
                let (first, second) = (prefix(&a), prefix(&b));
                prop_assert!(first.iter().any(|hash| second.contains(hash)));
            }
        }
    }
}
