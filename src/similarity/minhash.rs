//! ShingleSet → Signature. (Skeleton: one hash per row; to become the Fast Similarity Sketch.)

use crate::hash::mix64;

/// `rows` minima of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    rows: Vec<u32>,
}

impl Signature {
    /// Returns the rows.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Estimates the Jaccard similarity: the share of equal rows.
    pub fn similarity(&self, other: &Signature) -> f64 {
        assert_eq!(self.rows.len(), other.rows.len(), "signatures of one sketcher have one length");
        let equal = self.rows.iter().zip(&other.rows).filter(|(a, b)| a == b).count();
        equal as f64 / self.rows.len() as f64
    }
}

/// Makes signatures of one length.
#[derive(Clone, Debug)]
pub struct Sketcher {
    rows: usize,
}

impl Sketcher {
    /// Makes a sketcher of `rows` rows.
    pub fn new(rows: usize) -> Sketcher {
        Sketcher { rows }
    }

    /// Sketches a set of shingle hashes (order and repeats do not matter); none when it is empty.
    pub fn sketch(&self, hashes: &[u64]) -> Option<Signature> {
        if hashes.is_empty() {
            return None;
        }
        let rows = (0..self.rows as u64)
            .map(|row| hashes.iter().map(|hash| (mix64(hash ^ mix64(row + 1)) >> 32) as u32).min().expect("not empty"))
            .collect();
        Some(Signature { rows })
    }
}
