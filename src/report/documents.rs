//! The documents that a page lists: members of its clusters, those of its pairs, and a sample of all.

use std::collections::HashMap;

use serde::Serialize;

use crate::date;
use crate::output::{DocumentRow, FinishedScan, Role, WriteError};
use crate::report::gather::{Gathered, HEADLINE};
use crate::report::sample::{Smallest, draw};
use crate::report::{Limits, cut};

/// Characters of an id that are shown; a longer one is cut, and nothing can be decided about it in the page.
const ID: usize = 300;

/// A document that is listed.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ShownDocument {
    pub id: String,
    /// Whether the id is shown whole and can stand in a file of decisions.
    pub whole_id: bool,
    pub url: Option<String>,
    pub site: Option<String>,
    pub date: Option<String>,
    /// Days since 1970-01-01.
    pub day: Option<i32>,
    pub headline: Option<String>,
    pub lang: Option<String>,
    pub words: u64,
    pub content_words: u64,
    pub role: Role,
    pub keep: bool,
    pub cluster: String,
    pub cluster_size: u64,
    pub representative: String,
    pub similarity: Option<f64>,
    pub relation: Option<String>,
    pub decision: Option<String>,
    /// Where its text is: the number of a packed part, and of the text in it.
    pub text: Option<(usize, usize)>,
    /// Why its text is not there.
    pub absent: Option<&'static str>,
    #[serde(skip)]
    pub source: String,
    #[serde(skip)]
    pub row: u64,
    #[serde(skip)]
    pub text_hash: String,
}

impl ShownDocument {
    fn of(row: &DocumentRow) -> ShownDocument {
        let short = |text: &Option<String>| text.as_deref().map(|text| cut(text, HEADLINE));
        let id = cut(&row.id, ID);
        ShownDocument {
            whole_id: id == row.id && can_be_decided(&row.id),
            id,
            url: short(&row.url),
            site: short(&row.site),
            day: row.date.as_deref().and_then(date::day),
            date: short(&row.date),
            headline: short(&row.headline),
            lang: row.lang.clone(),
            words: row.words,
            content_words: row.content_words,
            role: row.role,
            keep: row.keep,
            cluster: cut(&row.cluster_id, ID),
            cluster_size: row.cluster_size,
            representative: cut(&row.representative, ID),
            similarity: row.similarity,
            relation: row.relation.clone(),
            decision: short(&row.decision),
            text: None,
            absent: None,
            source: row.source.clone(),
            row: row.row,
            text_hash: row.text_hash.clone(),
        }
    }
}

/// Returns whether a line of a file of decisions can name this id: one line, whose blanks at both ends are lost.
fn can_be_decided(id: &str) -> bool {
    id.trim() == id && !id.contains(['\n', '\r'])
}

/// The documents listed, in order, and where each is found.
#[derive(Debug)]
pub(super) struct Listed {
    pub documents: Vec<ShownDocument>,
    /// Their numbers by whole ids.
    pub by_id: HashMap<String, usize>,
    /// The lowest and highest similarity to the representative in each cluster shown, by its place.
    pub ranges: Vec<Option<(f64, f64)>>,
    /// Those drawn from all, in the order of drawing.
    pub drawn: Vec<usize>,
}

/// Reads the table `documents`.
pub(super) fn list(scan: &FinishedScan, gathered: &Gathered, limits: &Limits) -> Result<Listed, WriteError> {
    let clusters: HashMap<&str, usize> =
        gathered.clusters.iter().enumerate().map(|(at, cluster)| (cluster.id.as_str(), at)).collect();
    let mut wanted: HashMap<&str, Option<(u64, ShownDocument)>> = HashMap::new();
    for cluster in &gathered.clusters {
        wanted.extend(cluster.members.iter().map(|id| (id.as_str(), None)));
    }
    for pair in &gathered.pairs {
        wanted.extend([&pair.row.a, &pair.row.b].map(|id| (id.as_str(), None)));
    }
    for version in &gathered.versions {
        wanted.extend([&version.id, &version.previous_id].map(|id| (id.as_str(), None)));
    }
    let mut ranges: Vec<Option<(f64, f64)>> = vec![None; gathered.clusters.len()];
    let mut drawn = Smallest::new(limits.sampled_documents);
    for (number, row) in scan.rows::<DocumentRow>("documents")?.enumerate() {
        let row = row?;
        if let (Some(at), Some(similarity)) = (clusters.get(row.cluster_id.as_str()), row.similarity)
            && row.role == Role::Duplicate
        {
            let (low, high) = ranges[*at].unwrap_or((similarity, similarity));
            ranges[*at] = Some((low.min(similarity), high.max(similarity)));
        }
        drawn.offer(draw(&row.id), || (row.id.clone(), ShownDocument::of(&row)));
        if let Some(slot) = wanted.get_mut(row.id.as_str()) {
            *slot = Some((number as u64, ShownDocument::of(&row)));
        }
    }
    let drawn: Vec<(u64, (String, ShownDocument))> = drawn.into_items().collect();
    let drawn_ids: Vec<String> = drawn.iter().map(|(_, (id, _))| id.clone()).collect();
    let mut all: Vec<(u64, String, ShownDocument)> =
        wanted.into_iter().filter_map(|(id, found)| found.map(|(number, one)| (number, id.to_owned(), one))).collect();
    all.extend(drawn.into_iter().map(|(number, (id, one))| (number, id, one)));
    all.sort_by_key(|(number, ..)| *number);
    all.dedup_by_key(|(number, ..)| *number);
    let by_id: HashMap<String, usize> = all.iter().enumerate().map(|(at, (_, id, _))| (id.clone(), at)).collect();
    Ok(Listed {
        drawn: drawn_ids.iter().map(|id| by_id[id]).collect(),
        documents: all.into_iter().map(|(.., one)| one).collect(),
        by_id,
        ranges,
    })
}
