//! ShingleSet → Signature: the Fast Similarity Sketch.

use crate::hash::mix64;

/// The sketch of a set: its rows are equal to another set's, each with the probability of their Jaccard similarity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    rows: Vec<u32>,
}

impl Signature {
    /// Takes rows that [`Signature::rows`] gave.
    pub fn from_rows(rows: Vec<u32>) -> Signature {
        Signature { rows }
    }

    /// Returns the rows.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Estimates the Jaccard similarity of two sets: the share of equal rows, in 0..=1, unbiased.
    ///
    /// The standard error is at most `sqrt(J * (1 - J) / n)` for n rows, as for classic MinHash: 0.044 for J = 0.5 and
    /// n = 128. O(n), no allocation.
    ///
    /// # Panics
    /// If the signatures differ in length.
    pub fn similarity(&self, other: &Signature) -> f64 {
        assert_eq!(self.rows.len(), other.rows.len(), "signatures of one sketcher have one length");
        let equal = self.rows.iter().zip(&other.rows).filter(|(a, b)| a == b).count();
        equal as f64 / self.rows.len() as f64
    }
}

/// Makes signatures of one length.
///
/// # Source
/// S. Dahlgaard, M. Knudsen, M. Thorup, *Fast Similarity Sketching*, 2017 (arXiv 1704.04370).
#[derive(Clone, Debug)]
pub struct Sketcher {
    rows: usize,
}

/// Rows at most: what a banding asks for, and what fits beside the first-level cache.
pub const MOST_ROWS: usize = 256;

/// Version of the sketch: shingle hashes of one text, their signature and their bands are the same wherever it is the
/// same. A test holds a signature of this version.
pub const SKETCH_VERSION: u32 = 1;

/// A row that no shingle fell into yet: larger than what any does.
const EMPTY: u64 = u64::MAX;

impl Sketcher {
    /// Makes a sketcher of `rows` rows.
    ///
    /// # Panics
    /// If there are none or more than [`MOST_ROWS`].
    pub fn new(rows: usize) -> Sketcher {
        assert!((1..=MOST_ROWS).contains(&rows), "a signature has 1 to {MOST_ROWS} rows");
        Sketcher { rows }
    }

    /// Sketches a set of shingle hashes; none when it is empty. Order and repeats do not matter, so that shingles need not
    /// be sorted first; the hashes must be well mixed, as those of [`hash_shingles`](super::hash_shingles) are.
    ///
    /// In round *i* every shingle falls into a row by its hash, with a value in *i*..*i* + 1; each row keeps its least.
    /// Rounds follow until no row is empty (from round `rows` on, one row is filled in each). So a set of many shingles
    /// takes one round, O(n), where classic MinHash takes O(n · rows); a small one takes about `rows · ln rows` steps.
    pub fn sketch(&self, hashes: &[u64]) -> Option<Signature> {
        if hashes.is_empty() {
            return None;
        }
        let mut least = [EMPTY; MOST_ROWS];
        let least = &mut least[..self.rows];
        for round in 0..2 * self.rows as u64 {
            let seed = round.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            for hash in hashes {
                // The hashes are mixed already: the first round, which is the only one for most texts, takes them as they are.
                let hash = if round == 0 { *hash } else { mix64(hash.wrapping_add(seed)) };
                let row = match round.checked_sub(self.rows as u64) {
                    None => (((hash >> 32) * self.rows as u64) >> 32) as usize,
                    Some(row) => row as usize,
                };
                let value = round << 32 | hash & 0xffff_ffff;
                least[row] = least[row].min(value);
            }
            if least.iter().all(|value| *value != EMPTY) {
                break;
            }
        }
        // The round belongs to the row: without it, hashes of two rounds could pass for one.
        Some(Signature { rows: least.iter().map(|value| mix64(*value) as u32).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_signature_of_this_version_is_what_it_was() {
        let mut terms = Vec::new();
        crate::text::hash_terms("The harbor was closed on Monday after a crane fell into the water.", &mut terms);
        let hashes = crate::similarity::ShingleSet::new(&terms, 3);
        let signature = Sketcher::new(8).sketch(hashes.hashes()).expect("not empty");
        const ROWS: [u32; 8] =
            [2688996686, 1658883429, 789925629, 443916250, 3101833836, 4017996490, 2550738031, 3057497132];
        // Whoever changes these numbers changes `SKETCH_VERSION`.
        assert_eq!((SKETCH_VERSION, signature.rows()), (1, &ROWS[..]));
    }

    /// Two sets of `n` hashes each that share so many that their Jaccard similarity is about `jaccard`; and what it is.
    fn sets(n: u64, jaccard: f64, seed: u64) -> ([Vec<u64>; 2], f64) {
        let shared = (2.0 * n as f64 * jaccard / (1.0 + jaccard)).round() as u64;
        let hash = |number: u64| mix64(number ^ mix64(seed));
        let a = (0..n).map(hash).collect();
        let b = (n - shared..2 * n - shared).map(hash).collect();
        ([a, b], shared as f64 / (2 * n - shared) as f64)
    }

    /// Returns the mean error and the root mean square error of an estimate.
    fn errors(n: u64, jaccard: f64, estimate: impl Fn(&[u64], &[u64]) -> f64) -> (f64, f64) {
        const TRIALS: u64 = 400;
        let errors: Vec<f64> = (0..TRIALS)
            .map(|seed| {
                let ([a, b], exact) = sets(n, jaccard, seed);
                estimate(&a, &b) - exact
            })
            .collect();
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / TRIALS as f64;
        (mean(&mut errors.iter().copied()), mean(&mut errors.iter().map(|error| error * error)).sqrt())
    }

    #[test]
    fn an_empty_set_has_no_signature() {
        assert_eq!(Sketcher::new(128).sketch(&[]), None);
    }

    #[test]
    fn one_shingle_fills_every_row() {
        for rows in [1, 3, 128, 256] {
            let signature = Sketcher::new(rows).sketch(&[mix64(7)]).expect("not empty");
            assert_eq!(signature.rows().len(), rows);
            assert_eq!(signature.similarity(&signature), 1.0);
        }
    }

    #[test]
    fn the_estimate_is_unbiased_and_no_worse_than_classic_minhash() {
        const ROWS: usize = 128;
        let sketcher = Sketcher::new(ROWS);
        let fast = |a: &[u64], b: &[u64]| {
            let [a, b] = [a, b].map(|hashes| sketcher.sketch(hashes).expect("not empty"));
            a.similarity(&b)
        };
        for n in [1, 5, 40, 300, 1000] {
            for jaccard in [0.1, 0.5, 0.8] {
                let ([_, _], exact) = sets(n, jaccard, 0);
                let classic = (exact * (1.0 - exact) / ROWS as f64).sqrt();
                let (bias, rmse) = errors(n, jaccard, fast);
                // 400 trials know the mean to within a 20th of the error, and the error to within 4 percent.
                assert!(
                    bias.abs() <= 4.0 * classic / 20.0,
                    "{n} shingles, {jaccard}: bias {bias}, classic error {classic}"
                );
                assert!(rmse <= 1.12 * classic, "{n} shingles, {jaccard}: error {rmse}, classic {classic}");
            }
        }
    }

    proptest! {
        #[test]
        fn order_and_repeats_do_not_matter(numbers in prop::collection::vec(0u64..500, 1..300), rows in 1usize..=256) {
            let hashes: Vec<u64> = numbers.into_iter().map(mix64).collect();
            let mut sorted = hashes.clone();
            sorted.sort_unstable();
            sorted.dedup();
            let sketcher = Sketcher::new(rows);
            prop_assert_eq!(sketcher.sketch(&hashes), sketcher.sketch(&sorted));
        }
    }
}
