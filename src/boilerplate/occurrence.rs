//! Records of block repetition: what is sorted to learn in how many documents, sites and clusters a block stands.
//!
//! ```text
//! Occurrence ──sort by fingerprint──▶ Tally of a group ──▶ Counted (sorted back by document) ──▶ Repetition
//!                                          └──▶ Link (documents that share a rare line) ──▶ clusters for counting
//! ```

use crate::boilerplate::Repetition;
use crate::record::Record;

/// One block of one document, by its fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Occurrence {
    /// The exact fingerprint, or that of the template.
    pub fingerprint: u64,
    /// The document.
    pub document: u32,
    packed: u32,
}

const BLOCK_BITS: u32 = 25;

impl Occurrence {
    /// Blocks from this number on are not counted: no page has so many, and a list that does repeats nothing.
    pub const BLOCKS: u32 = 1 << BLOCK_BITS;
    /// Words are counted up to this: more says nothing more about a line.
    pub const WORDS: u32 = 63;

    /// Makes an occurrence of block number `block`, which has `words` words.
    ///
    /// # Panics
    /// If `block` is not below [`Occurrence::BLOCKS`].
    pub fn new(fingerprint: u64, document: u32, block: u32, words: u32, near: bool) -> Occurrence {
        assert!(block < Occurrence::BLOCKS, "the caller leaves out blocks beyond the last number");
        let packed = u32::from(near) << 31 | words.min(Occurrence::WORDS) << BLOCK_BITS | block;
        Occurrence { fingerprint, document, packed }
    }

    /// Returns the block's number in its document.
    pub fn block(&self) -> u32 {
        self.packed & (Occurrence::BLOCKS - 1)
    }

    /// Returns the block's words, 63 for more.
    pub fn words(&self) -> u32 {
        self.packed >> BLOCK_BITS & Occurrence::WORDS
    }

    /// Returns whether the fingerprint is that of a template.
    pub fn near(&self) -> bool {
        self.packed >> 31 == 1
    }
}

impl Record for Occurrence {
    const WIDTH: usize = 16;

    fn encode(&self, out: &mut [u8]) {
        out[..8].copy_from_slice(&self.fingerprint.to_le_bytes());
        out[8..12].copy_from_slice(&self.document.to_le_bytes());
        out[12..16].copy_from_slice(&self.packed.to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> Occurrence {
        Occurrence {
            fingerprint: u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")),
            document: u32_at(bytes, 8),
            packed: u32_at(bytes, 12),
        }
    }

    fn key(&self) -> u64 {
        self.fingerprint
    }
}

/// Two documents that share a line which is rare on the site of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The smaller document.
    pub a: u32,
    /// The larger.
    pub b: u32,
    /// Words of the line.
    pub words: u32,
}

impl Record for Link {
    const WIDTH: usize = 12;

    fn encode(&self, out: &mut [u8]) {
        out[..4].copy_from_slice(&self.a.to_le_bytes());
        out[4..8].copy_from_slice(&self.b.to_le_bytes());
        out[8..12].copy_from_slice(&self.words.to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> Link {
        Link { a: u32_at(bytes, 0), b: u32_at(bytes, 4), words: u32_at(bytes, 8) }
    }

    fn key(&self) -> u64 {
        u64::from(self.a) << 32 | u64::from(self.b)
    }
}

/// What was counted for one block, on its way back to its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counted {
    /// The document.
    pub document: u32,
    /// The block's number in it.
    pub block: u32,
    /// Whether the counts are those of its template.
    pub near: bool,
    /// Documents, sites, clusters; documents and clusters of its own site.
    pub counts: [u32; 5],
}

impl Counted {
    /// Returns the counts as evidence for the judge.
    pub fn repetition(&self) -> Repetition {
        let [documents, sites, clusters, site_documents, site_clusters] = self.counts;
        Repetition { documents, sites, clusters, site_documents, site_clusters, near: self.near }
    }
}

impl Record for Counted {
    const WIDTH: usize = 28;

    fn encode(&self, out: &mut [u8]) {
        out[..4].copy_from_slice(&self.document.to_le_bytes());
        let packed = u32::from(self.near) << 31 | self.block;
        out[4..8].copy_from_slice(&packed.to_le_bytes());
        for (count, out) in self.counts.iter().zip(out[8..28].chunks_exact_mut(4)) {
            out.copy_from_slice(&count.to_le_bytes());
        }
    }

    fn decode(bytes: &[u8]) -> Counted {
        let packed = u32_at(bytes, 4);
        Counted {
            document: u32_at(bytes, 0),
            block: packed & !(1 << 31),
            near: packed >> 31 == 1,
            counts: std::array::from_fn(|at| u32_at(bytes, 8 + 4 * at)),
        }
    }

    fn key(&self) -> u64 {
        u64::from(self.document) << 32 | u64::from(self.block)
    }
}

/// How often a block or template stands in the run: one record for all sites together, and one for each that holds it
/// twice or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Recurrence {
    /// Fingerprint of the block or template.
    pub fingerprint: u64,
    /// The site that is counted; none: all.
    pub site: Option<u32>,
    /// Documents that hold it.
    pub documents: u32,
    /// Sites that hold it; 1 where one is counted.
    pub sites: u32,
    /// Near-duplicate clusters that hold it.
    pub clusters: u32,
}

impl Record for Recurrence {
    const WIDTH: usize = 24;

    fn encode(&self, out: &mut [u8]) {
        out[..8].copy_from_slice(&self.fingerprint.to_le_bytes());
        // No run has 2^32 - 1 sites: it has fewer documents, and one number is that of the site not known.
        let site = self.site.map_or(0, |site| site + 1);
        for (value, out) in [site, self.documents, self.sites, self.clusters].iter().zip(out[8..24].chunks_exact_mut(4))
        {
            out.copy_from_slice(&value.to_le_bytes());
        }
    }

    fn decode(bytes: &[u8]) -> Recurrence {
        Recurrence {
            fingerprint: u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")),
            site: u32_at(bytes, 8).checked_sub(1),
            documents: u32_at(bytes, 12),
            sites: u32_at(bytes, 16),
            clusters: u32_at(bytes, 20),
        }
    }

    fn key(&self) -> u64 {
        self.fingerprint
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

/// Counts a group of occurrences: by site and cluster.
///
/// Memory is bounded: beyond [`Tally::DISTINCT`] different pairs of site and cluster, further ones are counted as
/// documents only. A block so widespread is boilerplate by any count.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    documents: u32,
    last_document: Option<u32>,
    /// Site in the high half, cluster in the low one, and the documents of both; sorted up to `sorted`.
    parts: Vec<(u64, u32)>,
    /// Site, its documents, its clusters; by site.
    by_site: Vec<(u32, u32, u32)>,
    clusters: Vec<u32>,
}

impl Tally {
    /// Pairs of site and cluster that are told apart.
    pub const DISTINCT: usize = 1 << 16;

    /// Forgets everything, for the next group.
    pub fn clear(&mut self) {
        self.documents = 0;
        self.last_document = None;
        self.parts.clear();
        self.by_site.clear();
        self.clusters.clear();
    }

    /// Counts a document; the documents of a group come in ascending order, and repeats count once.
    pub fn add(&mut self, document: u32, site: u32, cluster: u32) {
        if self.last_document == Some(document) {
            return;
        }
        self.last_document = Some(document);
        self.documents += 1;
        if self.parts.len() == 2 * Tally::DISTINCT {
            self.compact();
            self.parts.truncate(Tally::DISTINCT);
        }
        self.parts.push((u64::from(site) << 32 | u64::from(cluster), 1));
    }

    /// Ends counting: from here on the counts can be asked for.
    pub fn finish(&mut self) {
        self.compact();
        self.clusters.extend(self.parts.iter().map(|(key, _)| *key as u32));
        self.clusters.sort_unstable();
        self.clusters.dedup();
        for (key, documents) in &self.parts {
            let site = (key >> 32) as u32;
            match self.by_site.last_mut() {
                Some(last) if last.0 == site => {
                    last.1 += documents;
                    last.2 += 1;
                }
                _ => self.by_site.push((site, *documents, 1)),
            }
        }
    }

    fn compact(&mut self) {
        self.parts.sort_unstable();
        self.parts.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.1 += if same { next.1 } else { 0 };
            same
        });
    }

    /// Returns how many documents there are.
    pub fn documents(&self) -> u32 {
        self.documents
    }

    /// Returns how many documents and clusters of a site there are.
    pub fn of_site(&self, site: u32) -> (u32, u32) {
        match self.by_site.binary_search_by_key(&site, |(site, _, _)| *site) {
            Ok(at) => (self.by_site[at].1, self.by_site[at].2),
            Err(_) => (0, 0),
        }
    }

    /// Returns the block's recurrences: over all sites, then on each that holds it in two documents or more.
    pub fn recurrences(&self, fingerprint: u64) -> impl Iterator<Item = Recurrence> + '_ {
        let all = Recurrence {
            fingerprint,
            site: None,
            documents: self.documents,
            sites: self.by_site.len() as u32,
            clusters: self.clusters.len() as u32,
        };
        let repeated = self.by_site.iter().filter(|(_, documents, _)| *documents > 1);
        let on_site = move |(site, documents, clusters): &(u32, u32, u32)| Recurrence {
            fingerprint,
            site: Some(*site),
            documents: *documents,
            sites: 1,
            clusters: *clusters,
        };
        std::iter::once(all).chain(repeated.map(on_site))
    }

    /// Returns the counts for a document of `site`: documents, sites, clusters, and its site's documents and clusters.
    pub fn counts(&self, site: u32) -> [u32; 5] {
        let (site_documents, site_clusters) = self.of_site(site);
        [self.documents, self.by_site.len() as u32, self.clusters.len() as u32, site_documents, site_clusters]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_counts_documents_sites_and_clusters_once() {
        let mut tally = Tally::default();
        for (document, site, cluster) in [(1, 0, 1), (1, 0, 1), (2, 0, 1), (3, 7, 1), (4, 7, 4)] {
            tally.add(document, site, cluster);
        }
        tally.finish();
        assert_eq!(tally.counts(0), [4, 2, 2, 2, 1]);
        assert_eq!(tally.counts(7), [4, 2, 2, 2, 2]);
        let recurrences: Vec<_> = tally.recurrences(5).map(|one| (one.site, one.documents, one.clusters)).collect();
        assert_eq!(recurrences, [(None, 4, 2), (Some(0), 2, 1), (Some(7), 2, 2)]);
    }

    #[test]
    fn records_come_back_as_they_were_encoded() {
        let occurrence = Occurrence::new(u64::MAX - 3, 9, Occurrence::BLOCKS - 1, 200, true);
        let mut bytes = [0; 16];
        occurrence.encode(&mut bytes);
        assert_eq!(Occurrence::decode(&bytes), occurrence);
        assert_eq!((occurrence.block(), occurrence.words(), occurrence.near()), (Occurrence::BLOCKS - 1, 63, true));
        let counted = Counted { document: 3, block: 77, near: true, counts: [1, 2, 3, 4, 5] };
        let mut bytes = [0; 28];
        counted.encode(&mut bytes);
        assert_eq!(Counted::decode(&bytes), counted);
        for site in [None, Some(0), Some(9)] {
            let recurrence = Recurrence { fingerprint: 1 << 60, site, documents: 3, sites: 2, clusters: 1 };
            let mut bytes = [0; 24];
            recurrence.encode(&mut bytes);
            assert_eq!(Recurrence::decode(&bytes), recurrence);
        }
    }
}
