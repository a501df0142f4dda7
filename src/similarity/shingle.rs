//! Terms → shingles: hashes of `width` consecutive terms; and the sets of them that are compared exactly.

use crate::hash::{mix64, sort_by_hash};

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

/// Bits of a sieve for each hash in it: of others one in so many passes.
const SIEVE_BITS: usize = 16;

/// A bit for each range of hashes, set where a set has one in it.
#[derive(Clone, Debug)]
pub(crate) struct Sieve {
    bits: Box<[u64]>,
    shift: u32,
}

impl Sieve {
    fn passes(&self, hash: u64) -> bool {
        let place = (hash >> self.shift) as usize;
        self.bits[place / 64] >> (place % 64) & 1 == 1
    }
}

/// Passed hashes are searched for one by one where the set has so many times more.
const SEARCHED: usize = 8;

/// Returns how many hashes stand in both of two ascending slices; `few` may be far shorter.
fn shared(many: &[u64], few: &[u64]) -> usize {
    if SEARCHED * few.len() < many.len() {
        return few.iter().filter(|hash| many.binary_search(hash).is_ok()).count();
    }
    // Each step waits for the one before it, so the lower and the upper half are met side by side.
    let middle = many.len() / 2;
    let Some(pivot) = many.get(middle) else { return 0 };
    let (a, c) = many.split_at(middle);
    let (b, d) = few.split_at(few.partition_point(|hash| hash < pivot));
    let (mut i, mut j, mut k, mut l, mut shared) = (0, 0, 0, 0, 0);
    while let (Some(w), Some(x), Some(y), Some(z)) = (a.get(i), b.get(j), c.get(k), d.get(l)) {
        i += usize::from(w <= x);
        j += usize::from(x <= w);
        k += usize::from(y <= z);
        l += usize::from(z <= y);
        shared += usize::from(w == x) + usize::from(y == z);
    }
    shared + merged(&a[i..], &b[j..]) + merged(&c[k..], &d[l..])
}

fn merged(one: &[u64], other: &[u64]) -> usize {
    let (mut i, mut j, mut shared) = (0, 0, 0);
    while let (Some(a), Some(b)) = (one.get(i), other.get(j)) {
        i += usize::from(a <= b);
        j += usize::from(b <= a);
        shared += usize::from(a == b);
    }
    shared
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
        sort_by_hash(&mut hashes, |hash| *hash);
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
        shared(&self.hashes, &other.hashes)
    }

    /// Makes a sieve that lets all hashes of this set through, and few others.
    pub(crate) fn sieve(&self) -> Sieve {
        let places = (SIEVE_BITS * self.len()).next_power_of_two().max(64);
        let shift = 64 - places.trailing_zeros();
        let mut bits = vec![0u64; places / 64].into_boxed_slice();
        for hash in &self.hashes {
            let place = (hash >> shift) as usize;
            bits[place / 64] |= 1 << (place % 64);
        }
        Sieve { bits, shift }
    }

    /// Returns what [`ShingleSet::shared`] does, by way of this set's sieve: sooner where little is shared.
    pub(crate) fn shared_through(&self, sieve: &Sieve, other: &ShingleSet) -> usize {
        let mut passed = vec![0; other.len()];
        let mut count = 0;
        for hash in &other.hashes {
            // One that does not pass is written over by the next: which pass is hard to predict.
            passed[count] = *hash;
            count += usize::from(sieve.passes(*hash));
        }
        shared(&self.hashes, &passed[..count])
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
            let [wide_a, wide_b] = [&a, &b].map(|set| ShingleSet::from_hashes(set.hashes().iter().map(|hash| mix64(*hash)).collect()));
            for (one, other) in [(&a, &b), (&wide_a, &wide_b), (&wide_b, &wide_a)] {
                prop_assert_eq!(one.shared_through(&one.sieve(), other), shared);
            }
            prop_assert_eq!(a.jaccard(&a), if a.is_empty() { 0.0 } else { 1.0 });
        }
    }
}
