//! Terms → shingles: hashes of `width` consecutive terms, sorted and distinct.

/// The distinct shingles of a text, ascending. A text of fewer terms than the width has one shingle, of all its terms;
/// a text without terms has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShingleSet {
    hashes: Vec<u64>,
}

impl ShingleSet {
    /// Makes the set of the shingles of `width` consecutive terms. (Skeleton; to be made fast.)
    ///
    /// # Panics
    /// If `width` is 0.
    pub fn new(terms: &[u64], width: usize) -> ShingleSet {
        assert!(width > 0, "a shingle holds at least one term");
        if terms.is_empty() {
            return ShingleSet::default();
        }
        let combine = |window: &[u64]| {
            crate::hash::mix64(
                window.iter().fold(0, |sum: u64, term| sum.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(*term)),
            )
        };
        let mut hashes: Vec<u64> =
            if terms.len() < width { vec![combine(terms)] } else { terms.windows(width).map(combine).collect() };
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

    /// Returns how many shingles the two sets share. O(n + m).
    pub fn shared(&self, other: &ShingleSet) -> usize {
        let (mut i, mut j, mut shared) = (0, 0, 0);
        while i < self.hashes.len() && j < other.hashes.len() {
            match self.hashes[i].cmp(&other.hashes[j]) {
                std::cmp::Ordering::Less => i += 1,
                std::cmp::Ordering::Greater => j += 1,
                std::cmp::Ordering::Equal => {
                    shared += 1;
                    i += 1;
                    j += 1;
                }
            }
        }
        shared
    }

    /// Returns the exact Jaccard similarity, in 0..=1; 0 when either set is empty.
    pub fn jaccard(&self, other: &ShingleSet) -> f64 {
        let shared = self.shared(other);
        if shared == 0 { 0.0 } else { shared as f64 / (self.len() + other.len() - shared) as f64 }
    }
}
