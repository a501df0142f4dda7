//! Banding: which signatures meet in a bucket.

use crate::hash::mix64;
use crate::record::Record;
use crate::similarity::Signature;

/// Bands of rows, chosen for a recall at a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Banding {
    /// How many bands.
    pub bands: usize,
    /// Rows in each.
    pub rows: usize,
}

impl Banding {
    /// Chooses the banding with at most 256 rows whose expected recall at `threshold` is at least `recall`, and that
    /// lets the fewest pairs of lower similarity meet. (Skeleton; to be filled in.)
    pub fn for_threshold(threshold: f64, recall: f64) -> Banding {
        let mut best = Banding { bands: 256, rows: 1 };
        for rows in 1..=16 {
            let bands = 256 / rows;
            let banding = Banding { bands, rows };
            if banding.recall(threshold) >= recall {
                best = banding;
            }
        }
        best
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
