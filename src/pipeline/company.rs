//! Candidates → companies: documents whose pairs are verified in a row, so that a text is read and profiled once for
//! most of them.

use crate::record::Record;
use crate::similarity::{CandidatePair, Components};
use crate::store::{Sorted, StoreError};

/// Documents of a company at most: their profiles are kept side by side from a budget of 48 MiB a thread, and one
/// company is no more than a small part of a large run, whose parts are shared among threads.
const COMPANY: u32 = 256;

/// Shared samples from which two documents keep each other company, most first: what meets most often is verified
/// together, and what shares little joins companies only where they have room.
const ROUNDS: [u16; 3] = [32, 8, 2];

/// Puts documents into companies along the candidates, and returns the first document of each one's company.
///
/// A group of linked documents that is too large for one company becomes several. O(n) in the pairs, which are read once
/// a round; what comes out depends on the pairs alone.
pub(super) fn companies(documents: u32, candidates: &Sorted<'_, CandidatePair>) -> Result<Vec<u32>, StoreError> {
    let mut companies = Companies::new(documents, COMPANY);
    for least in ROUNDS {
        for pair in candidates.iter()? {
            let pair = pair?;
            if pair.samples >= least {
                companies.join(pair.a, pair.b);
            }
        }
    }
    Ok(companies.linked.into_roots())
}

/// Companies as they grow.
struct Companies {
    linked: Components,
    /// Of each first document, how many are in its company.
    sizes: Vec<u32>,
    most: u32,
}

impl Companies {
    fn new(documents: u32, most: u32) -> Companies {
        Companies { linked: Components::new(documents as usize), sizes: vec![1; documents as usize], most }
    }

    /// Makes one company of those of two documents, if it has room for both.
    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.linked.root(a), self.linked.root(b));
        let size = self.sizes[a as usize] + self.sizes[b as usize];
        if a != b && size <= self.most {
            self.linked.join(a, b);
            self.sizes[a.min(b) as usize] = size;
        }
    }
}

/// A candidate by the companies of its documents.
///
/// In this order the pairs inside a company stand in a row, and so do those between two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Meeting {
    companies: (u32, u32),
    pub a: u32,
    pub b: u32,
}

impl Meeting {
    pub(super) fn new(pair: &CandidatePair, company: &[u32]) -> Meeting {
        let (one, other) = (company[pair.a as usize], company[pair.b as usize]);
        Meeting { companies: (one.min(other), one.max(other)), a: pair.a, b: pair.b }
    }
}

impl Record for Meeting {
    const WIDTH: usize = 16;

    // To verify a pair takes some 100 microseconds.
    const SMALLEST_PART: u64 = 1 << 8;

    fn encode(&self, out: &mut [u8]) {
        for (bytes, number) in out.chunks_exact_mut(4).zip([self.companies.0, self.companies.1, self.a, self.b]) {
            bytes.copy_from_slice(&number.to_le_bytes());
        }
    }

    fn decode(bytes: &[u8]) -> Meeting {
        let number = |at: usize| u32::from_le_bytes(bytes[4 * at..4 * at + 4].try_into().expect("four bytes"));
        Meeting { companies: (number(0), number(1)), a: number(2), b: number(3) }
    }

    fn key(&self) -> u64 {
        u64::from(self.companies.0) << 32 | u64::from(self.companies.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Sorter, Workspace};
    use proptest::prelude::*;

    #[test]
    fn a_company_takes_in_whoever_it_has_room_for() {
        let mut companies = Companies::new(7, 3);
        for (a, b) in [(5, 6), (1, 5), (0, 1), (5, 6), (0, 2), (2, 3), (3, 4)] {
            companies.join(a, b);
        }
        assert_eq!(companies.linked.into_roots(), [0, 1, 0, 0, 4, 1, 1]);
    }

    #[test]
    fn pairs_of_two_companies_stand_in_a_row_whichever_document_comes_first() {
        let company = [0, 1, 0, 1, 4];
        let meeting = |a, b| Meeting::new(&CandidatePair { a, b, samples: 2, crowded: false }, &company);
        let mut meetings = [meeting(3, 4), meeting(1, 2), meeting(0, 3), meeting(1, 3), meeting(0, 2)];
        meetings.sort_unstable();
        assert_eq!(meetings.map(|one| (one.a, one.b)), [(0, 2), (0, 3), (1, 2), (1, 3), (3, 4)]);
        assert_eq!(meetings[1].key(), meetings[2].key());
    }

    #[test]
    fn a_few_thousand_meetings_are_work_for_all_threads() {
        let workspace = Workspace::new(std::env::temp_dir(), 64 << 20, 2);
        let sorter = Sorter::new(&workspace, "meetings");
        let mut writer = sorter.writer();
        let company: Vec<u32> = (0..4000).map(|document| document / 8 * 8).collect();
        for a in 0..3999 {
            writer.push(Meeting::new(&CandidatePair { a, b: a + 1, samples: 2, crowded: false }, &company)).unwrap();
        }
        writer.finish().unwrap();
        let sorted = sorter.finish().unwrap();
        let sizes: Vec<usize> = (0..sorted.parts()).map(|part| sorted.part(part).unwrap().count()).collect();
        assert_eq!(sizes.iter().sum::<usize>(), 3999);
        assert!(sizes.len() >= 8 && sizes.iter().all(|size| *size < 1000), "{sizes:?}");
    }

    proptest! {
        #[test]
        fn a_meeting_is_what_it_was(a in any::<u32>(), b in any::<u32>(), one in any::<u32>(), other in any::<u32>()) {
            let meeting = Meeting { companies: (one, other), a, b };
            let mut bytes = vec![0; Meeting::WIDTH];
            meeting.encode(&mut bytes);
            prop_assert_eq!(Meeting::decode(&bytes), meeting);
        }
    }
}
