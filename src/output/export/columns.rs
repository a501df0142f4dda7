//! The columns of every table, in order: the published schema, see [`crate::output::DocumentRow`] and its neighbours.

use ColumnKind::{Flag, Integer, List, Ratio, Text};

/// What a column holds; any cell may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// A text.
    Text,
    /// A whole number.
    Integer,
    /// A number that may have decimals.
    Ratio,
    /// True or false.
    Flag,
    /// Several texts.
    List,
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name: that of the field in the lines of JSON.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnKind,
}

const fn column(name: &'static str, kind: ColumnKind) -> Column {
    Column { name, kind }
}

/// The columns of `removed`, of a table in memory: nothing of it has a place in a file.
pub const REMOVED: [Column; 8] = [
    column("id", Text),
    column("source", Text),
    column("row", Integer),
    column("start", Integer),
    column("end", Integer),
    column("kind", Text),
    column("score", Ratio),
    column("text", Text),
];

/// The columns of `dropped`.
pub const DROPPED: [Column; 7] = [
    column("id", Text),
    column("source", Text),
    column("row", Integer),
    column("kept_id", Text),
    column("similarity", Ratio),
    column("relation", Text),
    column("reason", Text),
];

/// Every table of a scan with its columns.
pub const TABLES: [(&str, &[Column]); 8] = [
    (
        "documents",
        &[
            column("id", Text),
            column("source", Text),
            column("row", Integer),
            column("url", Text),
            column("site", Text),
            column("date", Text),
            column("headline", Text),
            column("headline_source", Text),
            column("lang", Text),
            column("words", Integer),
            column("content_words", Integer),
            column("text_hash", Text),
            column("cluster_id", Text),
            column("cluster_size", Integer),
            column("keep", Flag),
            column("role", Text),
            column("representative", Text),
            column("similarity", Ratio),
            column("relation", Text),
            column("known", Flag),
            column("decision", Text),
        ],
    ),
    (
        "blocks",
        &[
            column("id", Text),
            column("start", Integer),
            column("end", Integer),
            column("start_char", Integer),
            column("end_char", Integer),
            column("line", Integer),
            column("kind", Text),
            column("score", Ratio),
            column("removed", Flag),
            column("evidence_documents", Integer),
            column("evidence_sites", Integer),
            column("evidence_clusters", Integer),
            column("evidence_cue", Text),
            column("evidence_rule", Integer),
            column("evidence_place", Text),
            column("text", Text),
        ],
    ),
    (
        "pairs",
        &[
            column("a", Text),
            column("b", Text),
            column("jaccard", Ratio),
            column("jaccard_raw", Ratio),
            column("a_in_b", Ratio),
            column("b_in_a", Ratio),
            column("relation", Text),
            column("retelling", Flag),
            column("joined", Flag),
            column("reason", Text),
        ],
    ),
    (
        "clusters",
        &[
            column("cluster_id", Text),
            column("cluster_size", Integer),
            column("representative", Text),
            column("reason", Text),
            column("sites", List),
            column("members", List),
            column("headlines", List),
        ],
    ),
    (
        "versions",
        &[
            column("url", Text),
            column("version", Integer),
            column("id", Text),
            column("previous_id", Text),
            column("date", Text),
            column("previous_date", Text),
            column("words_added", Integer),
            column("words_removed", Integer),
            column("jaccard", Ratio),
            column("joined", Flag),
        ],
    ),
    (
        "references",
        &[
            column("id", Text),
            column("source", Text),
            column("row", Integer),
            column("url", Text),
            column("site", Text),
            column("date", Text),
            column("headline", Text),
            column("documents", Integer),
        ],
    ),
    (
        "headlines",
        &[column("headline", Text), column("documents", Integer), column("sites", Integer), column("relation", Text)],
    ),
    (
        "skipped",
        &[
            column("source", Text),
            column("row", Integer),
            column("byte", Integer),
            column("reason", Text),
            column("raw", Text),
        ],
    ),
];
