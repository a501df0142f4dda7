//! The published tables, row by row. A change of a name or a shape here is a breaking change.

use std::borrow::Cow;

use serde::{Deserialize, Serialize, Serializer};

use crate::document::Skipped;

/// What a document is to its cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// No other document tells the same.
    Unique,
    /// The one its cluster is held together by.
    Representative,
    /// It matches a representative, or repeats a reference.
    Duplicate,
    /// It has no word.
    Empty,
}

/// Writes a ratio with at most six decimals: enough for any pair of articles, and stable.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn ratio<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(rounded(*value))
}

/// Returns a ratio with the decimals that the tables give it.
pub(super) fn rounded(ratio: f64) -> f64 {
    (ratio * 1e6).round() / 1e6
}

/// Writes a ratio that may be missing.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn optional_ratio<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => ratio(value, serializer),
        None => serializer.serialize_none(),
    }
}

/// A row of `documents`: every document has one, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentRow {
    /// The id, unique in the run.
    pub id: String,
    /// The id path of its file.
    pub source: String,
    /// Its number in that file, 0 for the first.
    pub row: u64,
    /// Its address.
    pub url: Option<String>,
    /// Its site.
    pub site: Option<String>,
    /// Its date as given.
    pub date: Option<String>,
    /// Its headline.
    pub headline: Option<String>,
    /// Whence the headline was taken: `title` or `text`.
    pub headline_source: Option<String>,
    /// Its language.
    pub lang: Option<String>,
    /// Words of the text.
    pub words: u64,
    /// Words of the text without what `clean` removes.
    pub content_words: u64,
    /// XXH3-128 of the text as decoded, 32 hexadecimal digits.
    pub text_hash: String,
    /// Id of the first member of its cluster, in order; its own when it is alone, and when it is empty unless people decided
    /// otherwise. Never null.
    pub cluster_id: String,
    /// Documents in the cluster, itself included.
    pub cluster_size: u64,
    /// Whether `dedup` keeps it.
    pub keep: bool,
    /// What it is to its cluster.
    pub role: Role,
    /// Id of the cluster's representative, or of the reference that it repeats; its own when it is alone.
    pub representative: String,
    /// Jaccard similarity to the representative or reference, without boilerplate; null when alone.
    #[serde(serialize_with = "optional_ratio")]
    pub similarity: Option<f64>,
    /// What it is to the representative or reference; null when alone or the representative itself.
    pub relation: Option<String>,
    /// Whether it repeats a reference: then `representative` is the reference's id.
    #[serde(default)]
    pub known: bool,
    /// The line of `--decisions` that says whether it is kept; null when none does.
    #[serde(default)]
    pub decision: Option<String>,
}

/// A row of `blocks`: a block judged boilerplate or that a rule decided about, or every block with `--all-blocks`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockRow<'a> {
    /// The document.
    pub id: Cow<'a, str>,
    /// First byte in the decoded text.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// First code point.
    pub start_char: u64,
    /// One past the last code point.
    pub end_char: u64,
    /// The line it begins on, 1 for the first.
    pub line: u64,
    /// Its kind; null: content.
    pub kind: Option<Cow<'a, str>>,
    /// Probability that it is boilerplate.
    #[serde(serialize_with = "ratio")]
    pub score: f64,
    /// Whether `clean` takes it.
    pub removed: bool,
    /// Documents of the run that hold it (or its template).
    pub evidence_documents: u32,
    /// Sites among them.
    pub evidence_sites: u32,
    /// Near-duplicate clusters among them.
    pub evidence_clusters: u32,
    /// The cue phrase found in it.
    pub evidence_cue: Option<Cow<'a, str>>,
    /// The line of the rules file whose rule decided, whatever the evidence; null: no rule did.
    #[serde(default)]
    pub evidence_rule: Option<u32>,
    /// Where it stands: `head`, `middle`, `tail`.
    pub evidence_place: Cow<'a, str>,
    /// The block itself.
    pub text: Cow<'a, str>,
}

/// A row of `pairs`: a pair whose verified similarity passes, joined or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairRow {
    /// Id of the document that comes first in order.
    pub a: String,
    /// Id of the other.
    pub b: String,
    /// Exact Jaccard similarity without boilerplate; an estimate, as all measures then, with `--verify sketch`.
    #[serde(serialize_with = "ratio")]
    pub jaccard: f64,
    /// Exact Jaccard similarity of the texts as read.
    #[serde(serialize_with = "ratio")]
    pub jaccard_raw: f64,
    /// Share of `a` that is in `b`, without boilerplate.
    #[serde(serialize_with = "ratio")]
    pub a_in_b: f64,
    /// Share of `b` that is in `a`.
    #[serde(serialize_with = "ratio")]
    pub b_in_a: f64,
    /// `identical`, `near`, `contains`, `contained`, `version` or `related`.
    pub relation: String,
    /// Whether the share of the shorter text joins the two whatever the threshold, unless facts part them.
    #[serde(default)]
    pub retelling: bool,
    /// Whether the two are in one cluster, or `a` repeats `b`, which is a reference.
    pub joined: bool,
    /// Which measure or fact decided.
    pub reason: String,
}

/// A row of `clusters`: a cluster of two documents or more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterRow {
    /// Id of its first member.
    pub cluster_id: String,
    /// Documents in it.
    pub cluster_size: u64,
    /// Id of the representative.
    pub representative: String,
    /// Why that one.
    pub reason: String,
    /// Sites of its members, distinct, in order.
    pub sites: Vec<String>,
    /// Ids of its members, in order.
    pub members: Vec<String>,
    /// Headlines of its members, distinct, in order.
    pub headlines: Vec<String>,
}

/// A row of `versions`: a document whose page was met before with another text.
///
/// Documents of one canonical address stand in the order of their dates, those of one moment and all where one has no date
/// as they were given, references first. Each whose text differs from that of the one before it has a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VersionRow {
    /// The canonical address: see [`crate::address::canonical`].
    pub url: String,
    /// Number of this version, 2 for the second.
    pub version: u64,
    /// The document.
    pub id: String,
    /// The document, or reference, of the version before it.
    pub previous_id: String,
    /// Its date as given.
    pub date: Option<String>,
    /// The date of the version before it.
    pub previous_date: Option<String>,
    /// Words that it has more often than the version before it: a sentence that moved counts for nothing.
    pub words_added: u64,
    /// Words that the version before it has more often.
    pub words_removed: u64,
    /// Jaccard similarity to the version before it, without boilerplate.
    #[serde(serialize_with = "ratio")]
    pub jaccard: f64,
    /// Whether it joins the version before it: they are similar enough to be one story.
    pub joined: bool,
}

/// A row of `references`: a reference that some document repeats.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReferenceRow {
    /// Its id: the name of where it is from, a colon, its own id.
    pub id: String,
    /// The id path of its file, after the same name.
    pub source: String,
    /// Its number in that file, 0 for the first.
    pub row: u64,
    /// Its address.
    pub url: Option<String>,
    /// Its site.
    pub site: Option<String>,
    /// Its date as given.
    pub date: Option<String>,
    /// Its headline.
    pub headline: Option<String>,
    /// Documents that repeat it: those that name it as their representative.
    pub documents: u64,
}

/// A row of `headlines`: a headline that several documents carry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeadlineRow {
    /// The headline as its first document has it.
    pub headline: String,
    /// Documents that carry it.
    pub documents: u64,
    /// Sites among them.
    pub sites: u64,
    /// `same_story`, `recurring` or `generic`.
    pub relation: String,
}

/// A row of `skipped`: an input or a record that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedRow {
    /// The file.
    pub source: String,
    /// The record's number in it, 0 for the first; null: the whole file.
    pub row: Option<u64>,
    /// The byte where the trouble lies.
    pub byte: Option<u64>,
    /// What is wrong.
    pub reason: String,
    /// The record as read, when it is small.
    pub raw: Option<String>,
}

impl From<&Skipped> for SkippedRow {
    fn from(skipped: &Skipped) -> SkippedRow {
        SkippedRow {
            source: skipped.source.clone(),
            row: skipped.row,
            byte: skipped.byte,
            reason: match &skipped.hint {
                Some(hint) => format!("{}; {hint}", skipped.reason),
                None => skipped.reason.clone(),
            },
            raw: skipped.raw.clone(),
        }
    }
}

/// A row of `removed`: what `clean` cut out of a document, block by block, in order.
///
/// `raw` and `raw_hex` say what was cut out of the file where that is not the bytes of `text`: JSON escapes, or another
/// encoding (two hexadecimal digits a byte).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RemovedRow {
    /// The document.
    pub id: String,
    /// The id path of its file.
    pub source: String,
    /// Its number in that file, 0 for the first.
    pub row: u64,
    /// First byte in the decoded text of what was cut out: the block, its line end, and a blank line if one went too.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// The kind of the block.
    pub kind: String,
    /// Probability that it is boilerplate.
    #[serde(serialize_with = "ratio")]
    pub score: f64,
    /// What was cut out of the text.
    pub text: String,
    /// First byte in the unpacked file of what was cut out; none where the copy is a file of another form, or written anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub byte: Option<u64>,
    /// What was cut out of the file, if it is other text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// What was cut out of the file, if it is no UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_hex: Option<String>,
}

/// A row of `dropped`: a document that `dedup` left out, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DroppedRow {
    /// The document.
    pub id: String,
    /// The id path of its file.
    pub source: String,
    /// Its number in that file, 0 for the first.
    pub row: u64,
    /// Id of the document kept in its place; null when none is.
    pub kept_id: Option<String>,
    /// Similarity to its representative.
    #[serde(serialize_with = "optional_ratio")]
    pub similarity: Option<f64>,
    /// What it is to its representative.
    pub relation: Option<String>,
    /// Why, in words.
    pub reason: Option<String>,
}
