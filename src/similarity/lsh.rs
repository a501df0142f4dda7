//! Banding: which signatures meet in a bucket.

use crate::hash::mix64;
use crate::record::Record;
use crate::similarity::{MOST_ROWS, Signature};

/// Rows of a band beyond which only copies meet: near 1.0 as many bands as will do are few anyway.
const MOST_ROWS_OF_A_BAND: usize = 16;

/// Bands of rows, chosen for a recall at a threshold.
///
/// A set's signature is cut into bands; two sets meet in a bucket when all rows of a band agree. Verification restores
/// precision, so bands are chosen for recall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Banding {
    /// How many bands.
    pub bands: usize,
    /// Rows in each.
    pub rows: usize,
}

impl Banding {
    /// Chooses the banding whose expected recall at `threshold` is at least `recall`, with signatures of at most
    /// [`MOST_ROWS`] rows, that lets the fewest pairs of lower similarity meet: as many rows to a band as there can be,
    /// then as few bands as will do.
    ///
    /// For a recall of 0.98: 0.3 → 42×2, 0.5 → 61×4, 0.7 → 32×6, 0.8 → 28×9, 0.9 → 17×15.
    ///
    /// # Panics
    /// If no banding of one row has that recall: for a recall of 0.98, if `threshold` is below 0.02.
    pub fn for_threshold(threshold: f64, recall: f64) -> Banding {
        let fits = |rows: usize| {
            (1..=MOST_ROWS / rows)
                .map(|bands| Banding { bands, rows })
                .find(|banding| banding.recall(threshold) >= recall)
        };
        (1..=MOST_ROWS_OF_A_BAND).rev().find_map(fits).expect("some banding of one row has the recall")
    }

    /// Returns the probability that two sets of this Jaccard similarity share a bucket.
    pub fn recall(&self, similarity: f64) -> f64 {
        1.0 - (1.0 - similarity.powi(self.rows as i32)).powi(self.bands as i32)
    }

    /// Returns how many rows a signature needs.
    pub fn signature_rows(&self) -> usize {
        self.bands * self.rows
    }

    /// Returns the key of every band: a 64-bit mix over all its rows and its number.
    pub fn keys<'a>(&'a self, signature: &'a Signature) -> impl Iterator<Item = u64> + 'a {
        signature.rows().chunks_exact(self.rows).take(self.bands).enumerate().map(|(band, rows)| {
            // Every row is mixed in its turn: in a sum, rows of one total would collide.
            rows.iter().fold(mix64(band as u64 + 1), |key, row| mix64(key.wrapping_add(u64::from(*row))))
        })
    }
}

/// An item in a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BandEntry {
    /// The bucket.
    pub key: u64,
    /// The item.
    pub item: u32,
}

impl Record for BandEntry {
    const WIDTH: usize = 12;

    fn encode(&self, out: &mut [u8]) {
        out[..8].copy_from_slice(&self.key.to_le_bytes());
        out[8..12].copy_from_slice(&self.item.to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> BandEntry {
        BandEntry {
            key: u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")),
            item: u32::from_le_bytes(bytes[8..12].try_into().expect("four bytes")),
        }
    }

    fn key(&self) -> u64 {
        self.key
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::similarity::Sketcher;

    #[test]
    fn the_recall_holds_at_every_threshold() {
        for hundredths in 30..=100 {
            let threshold = f64::from(hundredths) / 100.0;
            let banding = Banding::for_threshold(threshold, 0.98);
            assert!(banding.recall(threshold) >= 0.98, "{threshold}: {banding:?}");
            assert!(banding.signature_rows() <= MOST_ROWS);
            let fewer = Banding { bands: banding.bands - 1, ..banding };
            assert!(fewer.recall(threshold) < 0.98, "{threshold}: {banding:?}");
        }
    }

    #[test]
    fn the_documented_bandings_are_chosen() {
        let chosen = [0.3, 0.5, 0.7, 0.8, 0.9].map(|threshold| {
            let banding = Banding::for_threshold(threshold, 0.98);
            (banding.bands, banding.rows)
        });
        assert_eq!(chosen, [(42, 2), (61, 4), (32, 6), (28, 9), (17, 15)]);
    }

    #[test]
    fn the_expected_recall_of_every_step_is_written_down() {
        let steps = (6..=20).map(|twentieths| {
            let threshold = f64::from(twentieths) / 20.0;
            let banding = Banding::for_threshold(threshold, 0.98);
            format!("{threshold:.2} {}x{} {:.4}", banding.bands, banding.rows, banding.recall(threshold))
        });
        const STEPS: [&str; 15] = [
            "0.30 42x2 0.9810",
            "0.35 30x2 0.9802",
            "0.40 60x3 0.9811",
            "0.45 41x3 0.9801",
            "0.50 61x4 0.9805",
            "0.55 41x4 0.9804",
            "0.60 49x5 0.9811",
            "0.65 32x5 0.9807",
            "0.70 32x6 0.9818",
            "0.75 28x7 0.9819",
            "0.80 28x9 0.9823",
            "0.85 22x11 0.9822",
            "0.90 17x15 0.9801",
            "0.95 7x16 0.9828",
            "1.00 1x16 1.0000",
        ];
        assert_eq!(steps.collect::<Vec<_>>(), STEPS);
    }

    #[test]
    fn pairs_at_the_threshold_meet_as_often_as_expected() {
        let banding = Banding::for_threshold(0.5, 0.98);
        let sketcher = Sketcher::new(banding.signature_rows());
        // 300 shingles each, 200 shared: a Jaccard similarity of exactly 0.5.
        let met = (0..500u64)
            .filter(|seed| {
                let hash = |number: u64| mix64(number ^ mix64(*seed));
                let [a, b] = [0..300, 100..400]
                    .map(|numbers| sketcher.sketch(&numbers.map(hash).collect::<Vec<_>>()).expect("not empty"));
                banding.keys(&a).zip(banding.keys(&b)).any(|(a, b)| a == b)
            })
            .count();
        assert!(met >= 480, "{met} of 500");
    }

    #[test]
    fn a_key_belongs_to_its_band() {
        let signature = Sketcher::new(8).sketch(&[mix64(1)]).expect("not empty");
        let keys: std::collections::BTreeSet<u64> = Banding { bands: 4, rows: 2 }.keys(&signature).collect();
        assert_eq!(keys.len(), 4);
    }
}
