//! Sampled shingles (FracMinHash): the channel that sees containment and low overlap.

use crate::record::Record;

/// Samples the shingles whose hash lies below 1/`scale` of the range.
///
/// # Source
/// L. Irber et al., *Lightweight compositional analysis of metagenomes with FracMinHash and minimum metagenome covers*, 2022.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampler {
    /// One shingle of so many is taken.
    pub scale: u64,
}

impl Sampler {
    /// Returns whether a shingle hash belongs to the sample.
    pub fn takes(&self, hash: u64) -> bool {
        hash < u64::MAX / self.scale
    }
}

/// A sampled shingle of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SampleEntry {
    /// The shingle, mixed once more so that sampled hashes spread over the whole range again.
    pub key: u64,
    /// The item.
    pub item: u32,
}

impl Record for SampleEntry {
    const WIDTH: usize = 12;

    fn encode(&self, out: &mut [u8]) {
        out[..8].copy_from_slice(&self.key.to_le_bytes());
        out[8..12].copy_from_slice(&self.item.to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> SampleEntry {
        SampleEntry {
            key: u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")),
            item: u32::from_le_bytes(bytes[8..12].try_into().expect("four bytes")),
        }
    }

    fn key(&self) -> u64 {
        self.key
    }
}
