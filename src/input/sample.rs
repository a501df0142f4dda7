//! Which documents of an input are read, where not all are: a part of them, for a first look.

use std::fmt;
use std::str::FromStr;

use crate::hash::{hash64, mix64};

/// A part of the documents, drawn by chance that is the same in every run.
///
/// A document is in it if a hash of the seed, of the id path of its file and of its number in that file, taken as a
/// number from 0 to 1, lies below the share. So it depends on nothing else that is read, and a smaller share of the same
/// seed is a part of a larger one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// The share of the documents, above 0 and at most 1.
    pub share: f64,
    /// Another seed draws others.
    pub seed: u64,
}

impl Sample {
    /// Returns whether the document of this number in this file is in the sample.
    ///
    /// ```
    /// use retold::input::Sample;
    /// let taken = |share| (0..1000).filter(|row| Sample { share, seed: 0 }.takes("crawl.jsonl", *row)).count();
    /// assert!((50..150).contains(&taken(0.1)) && taken(1.0) == 1000);
    /// ```
    pub fn takes(&self, source: &str, row: u64) -> bool {
        let hash = mix64(hash64(source.as_bytes()) ^ mix64(row ^ mix64(self.seed)));
        // The upper 53 bits are exactly a number of this type.
        ((hash >> 11) as f64) / ((1_u64 << 53) as f64) < self.share
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.share, self.seed)
    }
}

impl FromStr for Sample {
    type Err = String;

    /// Reads `SHARE` or `SHARE:SEED`, as `0.01` or `0.01:7`.
    fn from_str(text: &str) -> Result<Sample, String> {
        let (share, seed) = text.split_once(':').unwrap_or((text, "0"));
        let wrong = || format!("expected a share such as 0.01, or 0.01:7 with a seed, found `{text}`");
        let share: f64 = share.parse().map_err(|_| wrong())?;
        let seed = seed.parse().map_err(|_| wrong())?;
        if share > 0.0 && share <= 1.0 { Ok(Sample { share, seed }) } else { Err(wrong()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smaller_share_is_part_of_a_larger_one_and_another_seed_draws_others() {
        let taken = |share: f64, seed: u64| -> Vec<u64> {
            (0..10_000).filter(|row| Sample { share, seed }.takes("a.jsonl", *row)).collect()
        };
        let (few, many, others) = (taken(0.05, 0), taken(0.2, 0), taken(0.05, 1));
        assert!(few.iter().all(|row| many.contains(row)));
        assert!((400..600).contains(&few.len()) && (1800..2200).contains(&many.len()), "{} {}", few.len(), many.len());
        assert!(others.iter().filter(|row| few.contains(row)).count() < 60);
    }

    #[test]
    fn a_sample_is_read_as_it_is_written() {
        assert_eq!("0.01:7".parse(), Ok(Sample { share: 0.01, seed: 7 }));
        assert_eq!("1".parse(), Ok(Sample { share: 1.0, seed: 0 }));
        assert_eq!(Sample { share: 0.5, seed: 3 }.to_string(), "0.5:3");
        for wrong in ["0", "1.5", "-1", "NaN", "x", "0.1:", "0.1:x", ""] {
            assert!(wrong.parse::<Sample>().is_err(), "{wrong}");
        }
    }
}
