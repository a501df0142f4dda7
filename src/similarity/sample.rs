//! Sampled shingles (FracMinHash): the channel that sees containment and low overlap.

use crate::hash::mix64;
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

    /// Returns the keys of the sampled shingles, in the order of `hashes` and with their repeats.
    ///
    /// Two texts sample the shingles that they share alike, so of *n* shared ones about *n* / `scale` meet, whatever else
    /// the texts hold: this is how an excerpt finds its article.
    pub fn keys<'a>(&self, hashes: &'a [u64]) -> impl Iterator<Item = u64> + use<'a> {
        let sampler = *self;
        hashes.iter().copied().filter(move |hash| sampler.takes(*hash)).map(mix64)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_so_many_is_taken_and_spread_again() {
        let hashes: Vec<u64> = (0..80_000).map(mix64).collect();
        let keys: Vec<u64> = Sampler { scale: 8 }.keys(&hashes).collect();
        assert!((9_600..10_400).contains(&keys.len()), "{}", keys.len());
        let upper = keys.iter().filter(|key| **key > u64::MAX / 2).count();
        assert!((keys.len() * 45 / 100..keys.len() * 55 / 100).contains(&upper));
    }

    #[test]
    fn a_scale_of_one_takes_all() {
        assert_eq!(Sampler { scale: 1 }.keys(&[0, 1, u64::MAX - 1]).count(), 3);
    }

    #[test]
    fn a_part_has_the_samples_of_the_whole() {
        let hashes: Vec<u64> = (0..1000).map(mix64).collect();
        let sampler = Sampler { scale: 16 };
        let whole: Vec<u64> = sampler.keys(&hashes).collect();
        assert!(sampler.keys(&hashes[300..700]).all(|key| whole.contains(&key)));
    }
}
