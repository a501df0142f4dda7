//! What the run counted about a block: in how many documents, sites and near-duplicate clusters it stands.

use crate::hash::hash64;
use crate::text::normalize;

/// How often a block occurs in the run. The counts include the block's own document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repetition {
    /// Documents that hold it.
    pub documents: u32,
    /// Sites that hold it; documents without a site count as one site together.
    pub sites: u32,
    /// Near-duplicate clusters that hold it (a document alone is a cluster): what separates boilerplate from syndication.
    pub clusters: u32,
    /// Documents of the block's own site that hold it.
    pub site_documents: u32,
    /// Near-duplicate clusters among those.
    pub site_clusters: u32,
    /// Whether the counts are those of its template (names, dates and numbers masked), since the exact block is rarer.
    pub near: bool,
}

impl Default for Repetition {
    fn default() -> Repetition {
        Repetition { documents: 1, sites: 1, clusters: 1, site_documents: 1, site_clusters: 1, near: false }
    }
}

/// What a block is counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprints {
    /// Hash of the normal form.
    pub exact: u64,
    /// Hash of the normal form with names, dates and numbers masked; none where that would be (nearly) all of it, or
    /// where nothing is masked, or where the block is too long to be a template.
    pub template: Option<u64>,
    /// Words of the block.
    pub words: u32,
}

/// Returns what a block's text is counted by. (Skeleton; to be filled in.)
pub fn fingerprints(block: &str) -> Fingerprints {
    Fingerprints {
        exact: hash64(normalize(block).as_bytes()),
        template: None,
        words: crate::text::tokens(block).len() as u32,
    }
}
