//! The tables of a finished scan → one HTML page to look at, and what changed between two scans.
//!
//! ```text
//! clusters ─▶ what is shown ─▶ pairs, documents, blocks of it ─▶ its texts, read again ─▶ differences ─▶ page
//! ```
//!
//! A page shows what a person can look at: the largest clusters and a seeded sample of the others, the same in every run,
//! and says so. Every table is read as a stream; what is kept in memory is what is shown, so that the page of a billion
//! documents takes the room of that of a hundred thousand. The page asks the network for nothing, and no text of a
//! document is ever markup in it.
//!
//! Judges nothing and compares no documents but to show how two texts differ; does not know where texts are read from.

mod compare;
mod documents;
mod encode;
mod gather;
mod phrases;
mod sample;
mod texts;

mod charts;
mod html;

pub use compare::{Change, Comparison, compare};
pub use html::{Page, page};
pub use texts::{TextRow, Texts};

/// How much of each thing a page shows at most.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The largest clusters.
    pub largest_clusters: usize,
    /// Clusters drawn from the others.
    pub sampled_clusters: usize,
    /// Members listed of a cluster, the representative among them.
    pub members: usize,
    /// Documents drawn from all.
    pub sampled_documents: usize,
    /// Texts that are read again.
    pub texts: usize,
    /// Bytes of a text that are shown.
    pub text_bytes: usize,
    /// Bytes of the packed texts in the page.
    pub packed_bytes: usize,
    /// Repeated blocks.
    pub phrases: usize,
    /// Headlines of each relation.
    pub headlines: usize,
}

impl Default for Limits {
    /// What gives a page of less than 15 MB that opens at once.
    fn default() -> Limits {
        Limits {
            largest_clusters: 300,
            sampled_clusters: 200,
            members: 30,
            sampled_documents: 1000,
            texts: 2000,
            text_bytes: 32 << 10,
            packed_bytes: 9 << 20,
            phrases: 400,
            headlines: 200,
        }
    }
}

/// Returns a text cut to so many characters for showing, with a mark where it is cut.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
