//! What a run gives: rows of the published tables, the summary, and files of them.
//!
//! Knows how tables look and where they go; decides nothing.

mod error;
mod explain;
mod schema;
mod summary;
mod tables;

pub use error::WriteError;
pub use explain::{
    BlockExplanation, DocumentExplanation, Explained, PairExplanation, Passage, explain_document, explain_pair,
    explain_pair_row, explain_rows,
};
pub use schema::{BlockRow, ClusterRow, DocumentRow, HeadlineRow, PairRow, Role, SkippedRow};
pub use summary::{Example, Input, KindCount, RunFacts, SiteCount, Summary};
pub use tables::{Sink, Tables};
