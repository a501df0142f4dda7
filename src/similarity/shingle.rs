//! Terms → shingles: hashes of `width` consecutive terms; and the sets of them that are compared exactly.

use crate::hash::mix64;

/// What a term is multiplied by for each place that it stands before the end of its shingle: odd, so that no bit is lost.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Appends the hash of every shingle of `width` consecutive terms, in order and with repeats. A text of fewer terms has one
/// shingle, of all its terms; a text without terms has none.
///
/// O(n) at any width: a polynomial that rolls along, then a strong finalizer. (An exclusive-or of terms instead would lose
/// every word that a shingle repeats.) Order and repeats do not matter to what is made of them: a signature, a sample,
/// a [`ShingleSet`].
///
/// # Panics
/// If `width` is 0.
pub fn hash_shingles(terms: &[u64], width: usize, out: &mut Vec<u64>) {
    assert!(width > 0, "a shingle holds at least one term");
    if terms.is_empty() {
        return;
    }
    let (first, later) = terms.split_at(width.min(terms.len()));
    let mut sum = first.iter().fold(0, |sum: u64, term| sum.wrapping_mul(STEP).wrapping_add(*term));
    let leaving = (1..width).fold(1, |power: u64, _| power.wrapping_mul(STEP));
    out.reserve(later.len() + 1);
    out.push(mix64(sum));
    out.extend(terms.iter().zip(later).map(|(left, term)| {
        sum = sum.wrapping_sub(left.wrapping_mul(leaving)).wrapping_mul(STEP).wrapping_add(*term);
        mix64(sum)
    }));
}

/// The distinct shingles of a text, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShingleSet {
    hashes: Vec<u64>,
}

impl ShingleSet {
    /// Makes the set of the shingles of `width` consecutive terms, as [`hash_shingles`] gives them. O(n log n).
    ///
    /// # Panics
    /// If `width` is 0.
    pub fn new(terms: &[u64], width: usize) -> ShingleSet {
        let mut hashes = Vec::new();
        hash_shingles(terms, width, &mut hashes);
        ShingleSet::from_hashes(hashes)
    }

    /// Makes a set of shingles that were hashed already, in any order, with or without repeats.
    pub fn from_hashes(mut hashes: Vec<u64>) -> ShingleSet {
        hashes.sort_unstable();
        hashes.dedup();
        ShingleSet { hashes }
    }

    /// Returns the hashes, ascending.
    pub fn hashes(&self) -> &[u64] {
        &self.hashes
    }

    /// Returns how many distinct shingles there are.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// Returns how many shingles the two sets share. O(n + m), without a branch that depends on the hashes.
    pub fn shared(&self, other: &ShingleSet) -> usize {
        let (mut i, mut j, mut shared) = (0, 0, 0);
        while let (Some(a), Some(b)) = (self.hashes.get(i), other.hashes.get(j)) {
            i += usize::from(a <= b);
            j += usize::from(b <= a);
            shared += usize::from(a == b);
        }
        shared
    }

    /// Returns the exact Jaccard similarity, in 0..=1; 0 when either set is empty.
    pub fn jaccard(&self, other: &ShingleSet) -> f64 {
        let shared = self.shared(other);
        if shared == 0 { 0.0 } else { shared as f64 / (self.len() + other.len() - shared) as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shingles(terms: &[u64], width: usize) -> Vec<u64> {
        let mut out = Vec::new();
        hash_shingles(terms, width, &mut out);
        out
    }

    #[test]
    fn a_text_without_terms_has_no_shingle() {
        assert!(ShingleSet::new(&[], 3).is_empty());
        assert_eq!(ShingleSet::default().jaccard(&ShingleSet::default()), 0.0);
    }

    #[test]
    fn a_short_text_has_one_shingle() {
        assert_eq!(shingles(&[1, 2], 3).len(), 1);
        assert_ne!(shingles(&[1, 2], 3), shingles(&[2, 1], 3));
        assert_eq!(shingles(&[1, 2, 3], 3), shingles(&[1, 2, 3], 5));
    }

    #[test]
    fn order_and_repeats_within_a_shingle_count() {
        let distinct = [[1, 1, 2], [2, 1, 1], [1, 2, 1], [1, 1, 1], [2, 2, 2], [3, 3, 2]];
        let mut hashes: Vec<u64> = distinct.iter().flat_map(|terms| shingles(terms, 3)).collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), distinct.len());
    }

    proptest! {
        #[test]
        fn rolling_is_hashing_every_window(terms in prop::collection::vec(any::<u64>(), 1..60), width in 1usize..9) {
            let expected: Vec<u64> = match terms.len() < width {
                true => shingles(&terms, terms.len()),
                false => terms.windows(width).flat_map(|window| shingles(window, width)).collect(),
            };
            prop_assert_eq!(shingles(&terms, width), expected);
        }

        #[test]
        fn similarity_is_that_of_sets(a in prop::collection::vec(0u64..40, 0..60), b in prop::collection::vec(0u64..40, 0..60)) {
            let sets = [&a, &b].map(|hashes| hashes.iter().copied().collect::<std::collections::BTreeSet<_>>());
            let shared = sets[0].intersection(&sets[1]).count();
            let [a, b] = [a, b].map(ShingleSet::from_hashes);
            prop_assert_eq!(a.shared(&b), shared);
            prop_assert_eq!(a.jaccard(&b), b.jaccard(&a));
            prop_assert_eq!(a.jaccard(&a), if a.is_empty() { 0.0 } else { 1.0 });
        }
    }
}
