//! What a run gives: rows of the published tables, the summary, and files of them.
//!
//! Knows how tables look and where they go; decides nothing.

mod cleaned;
mod cut;
mod error;
mod explain;
mod export;
mod finished;
mod recluster;
mod restore;
mod row;
mod rows;
mod schema;
mod suggest;
mod summary;
mod tables;

pub use cleaned::{
    Applied, AppliedTables, Decision, DroppedDocument, Mode, RemovedBlock, RewriteSettings, Rewritten, Target, apply,
    rewrite,
};
pub use error::WriteError;
pub use explain::{
    BlockExplanation, DocumentExplanation, Explained, PairExplanation, Passage, explain_document, explain_pair,
    explain_pair_row, explain_rows,
};
pub use export::{Column, ColumnKind, DROPPED, Exported, REMOVED, TABLES, TableFormat, export_tables};
pub use finished::FinishedScan;
pub(crate) use finished::dropped_because;
pub use recluster::Reclustered;
pub use restore::{Restored, restore};
pub use schema::{
    BlockRow, ClusterRow, DocumentRow, DroppedRow, HeadlineRow, PairRow, ReferenceRow, RemovedRow, Role, SkippedRow,
    VersionRow,
};
pub use suggest::{Suggestion, suggested_rules};
pub use summary::{
    CrowdCount, DecisionCount, Example, Input, KindCount, RunFacts, SCHEMA, SiteCount, SketchFacts, StageFacts,
    Summary, WithinCount,
};
pub use tables::{Sink, Tables};
