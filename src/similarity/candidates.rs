//! Buckets and postings → candidate pairs.

use crate::record::Record;

/// Two items worth verifying.
///
/// A pair from a bucket is a candidate as it stands (`samples` = 2 or more); a pair from a posting counts one shared
/// sample, and the pairs of all postings are added up: two shared samples make a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CandidatePair {
    /// The smaller item.
    pub a: u32,
    /// The larger item.
    pub b: u32,
    /// What this record adds to the count of shared samples.
    pub samples: u16,
}

impl Record for CandidatePair {
    const WIDTH: usize = 10;

    fn encode(&self, out: &mut [u8]) {
        out[..4].copy_from_slice(&self.a.to_le_bytes());
        out[4..8].copy_from_slice(&self.b.to_le_bytes());
        out[8..10].copy_from_slice(&self.samples.to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> CandidatePair {
        CandidatePair {
            a: u32::from_le_bytes(bytes[..4].try_into().expect("four bytes")),
            b: u32::from_le_bytes(bytes[4..8].try_into().expect("four bytes")),
            samples: u16::from_le_bytes(bytes[8..10].try_into().expect("two bytes")),
        }
    }

    fn key(&self) -> u64 {
        u64::from(self.a) << 32 | u64::from(self.b)
    }
}

/// Gives the candidate pairs of one bucket: `items` ascending and distinct. (Skeleton: to its leader.)
pub fn bucket_pairs(items: &mut dyn Iterator<Item = u32>, emit: &mut dyn FnMut(CandidatePair)) {
    let Some(leader) = items.next() else { return };
    for b in items {
        emit(CandidatePair { a: leader, b, samples: 2 });
    }
}

/// Gives the pairs of one posting: `items` ascending and distinct. (Skeleton: to its leader.)
pub fn posting_pairs(items: &mut dyn Iterator<Item = u32>, emit: &mut dyn FnMut(CandidatePair)) {
    let Some(leader) = items.next() else { return };
    for b in items {
        emit(CandidatePair { a: leader, b, samples: 1 });
    }
}
