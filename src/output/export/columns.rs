//! The columns of every table, in order: the published schema, see [`crate::output::DocumentRow`] and its neighbours.

use Kind::{Flag, Integer, List, Ratio, Text};

/// What a column holds; any cell may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Ratio,
    Flag,
    /// Several texts.
    List,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub name: &'static str,
    pub kind: Kind,
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind }
}

/// Every table with its columns.
pub(super) const TABLES: [(&str, &[Column]); 8] = [
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
