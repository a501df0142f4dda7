//! What changed between two scans, document by document, and why.

use std::collections::HashMap;
use std::iter::Peekable;

use serde::{Deserialize, Serialize};

use crate::hash::{hash64, mix64};
use crate::output::{ClusterRow, DocumentRow, FinishedScan, Summary, WriteError};

/// Changed documents that are listed one by one.
const LISTED: usize = 1000;

/// What differs between two scans.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// Documents of the first scan.
    pub before: u64,
    /// Documents of the second.
    pub after: u64,
    /// Documents that only the second has.
    pub new: u64,
    /// Documents that only the first has.
    pub gone: u64,
    /// Documents of both whose text is another.
    pub text: u64,
    /// Documents of both whose cluster has other members.
    pub cluster: u64,
    /// Documents of both of whose story another copy, or none, is kept.
    pub kept: u64,
    /// Documents of both of which something else is removed.
    pub removed: u64,
    /// Documents of which anything has changed.
    pub changed: u64,
    /// Changed documents by cause.
    pub causes: Vec<(String, u64)>,
    /// Settings that differ, each with its values before and after.
    pub settings: Vec<(String, serde_json::Value, serde_json::Value)>,
    /// Versions of the program and its data that differ, likewise.
    pub versions: Vec<(String, String, String)>,
    /// Input files that are new, gone or of other bytes.
    pub inputs: Vec<String>,
    /// The first changed documents, at most 1,000: in the order of the second scan, then those that are gone.
    pub changes: Vec<Change>,
}

/// A document that changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Its id, in the second scan if it is in both.
    pub id: String,
    /// What changed: `new`, `gone`, `text`, `cluster`, `kept`, `removed`.
    pub what: Vec<&'static str>,
    /// What may have caused it: `input`, `setting`, `rules`, `model version`.
    pub causes: Vec<&'static str>,
    /// Documents in its cluster, before and after.
    pub cluster_size: [Option<u64>; 2],
    /// The copy of its story that is kept, before and after.
    pub kept: [Option<String>; 2],
    /// Words without what is removed, before and after.
    pub content_words: [Option<u64>; 2],
}

/// Compares two scans; documents are the same if their ids are.
///
/// Reads the tables in their order; keeps about 100 bytes in memory for every document of the first scan, and likewise for
/// every cluster of both.
///
/// A document whose own text is another has changed because of the input. For every other change the causes are all those
/// that differ between the two runs: which of them it was, only a third scan could tell.
///
/// # Errors
/// If a table is missing or cannot be understood.
pub fn compare(before: &FinishedScan, after: &FinishedScan) -> Result<Comparison, WriteError> {
    let runs = differing_runs(before.summary(), after.summary());
    let causes = run_causes(&runs);
    let mut found = Comparison {
        before: before.summary().documents,
        after: after.summary().documents,
        causes: CAUSES.map(|cause| (cause.to_owned(), 0)).to_vec(),
        ..runs
    };
    let (old, new) = (Clusters::read(before)?, Clusters::read(after)?);
    let mut known = HashMap::new();
    for told in Documents::open(before)? {
        let (_, told) = told?;
        known.insert(told.id, told);
    }
    for told in Documents::open(after)? {
        let (id, told) = told?;
        let earlier = known.remove(&told.id);
        let change = Change {
            what: match &earlier {
                Some(earlier) => differing(earlier, &told, &id, &old, &new),
                None => vec!["new"],
            },
            causes: match &earlier {
                Some(earlier) if earlier.text == told.text => causes.clone(),
                _ => vec!["input"],
            },
            cluster_size: [earlier.map(|earlier| earlier.cluster_size), Some(told.cluster_size)],
            kept: [earlier.and_then(|earlier| old.kept(&earlier, &id)), new.kept(&told, &id)],
            content_words: [earlier.map(|earlier| earlier.content_words), Some(told.content_words)],
            id,
        };
        found.add(change);
    }
    // Whatever the second scan did not tell of is gone.
    for row in before.rows::<DocumentRow>("documents")? {
        let DocumentRow { id, .. } = row?;
        let Some(told) = known.get(&hash64(id.as_bytes())) else { continue };
        found.add(Change {
            what: vec!["gone"],
            causes: vec!["input"],
            cluster_size: [Some(told.cluster_size), None],
            kept: [old.kept(told, &id), None],
            content_words: [Some(told.content_words), None],
            id,
        });
    }
    found.causes.retain(|(_, documents)| *documents > 0);
    Ok(found)
}

impl Comparison {
    /// Counts a document, if anything of it has changed.
    fn add(&mut self, change: Change) {
        if change.what.is_empty() {
            return;
        }
        for what in &change.what {
            *match *what {
                "new" => &mut self.new,
                "gone" => &mut self.gone,
                "text" => &mut self.text,
                "cluster" => &mut self.cluster,
                "kept" => &mut self.kept,
                _ => &mut self.removed,
            } += 1;
        }
        for (cause, documents) in &mut self.causes {
            *documents += u64::from(change.causes.contains(&cause.as_str()));
        }
        self.changed += 1;
        if self.changes.len() < LISTED {
            self.changes.push(change);
        }
    }
}

/// What a scan says of a document: as much as is kept until the other tells of it.
#[derive(Clone, Copy)]
struct Told {
    id: u64,
    text: u64,
    cluster: u64,
    cluster_size: u64,
    content_words: u64,
    removed: u64,
    keep: bool,
}

/// Returns what of a document is not as it was.
fn differing(before: &Told, after: &Told, id: &str, old: &Clusters, new: &Clusters) -> Vec<&'static str> {
    let new_text = before.text != after.text;
    let differs = [
        ("text", new_text),
        ("cluster", old.members(before) != new.members(after)),
        ("kept", old.kept(before, id) != new.kept(after, id)),
        ("removed", before.removed != after.removed && !new_text),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

/// What may change documents, in the order of telling.
const CAUSES: [&str; 4] = ["input", "setting", "rules", "model version"];

/// Settings that name what people taught.
const TAUGHT: [&str; 4] = ["rules", "decisions", "decisions_version", "evidence"];

/// The setting that names the version of a model of the user's own.
const WEIGHTS: &str = "weights";

/// Returns what differs between two runs as wholes.
fn differing_runs(before: &Summary, after: &Summary) -> Comparison {
    let mut found = Comparison::default();
    let mut names: Vec<&String> = before.settings.keys().chain(after.settings.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let of = |summary: &Summary| summary.settings.get(name).cloned().unwrap_or_default();
        if of(before) != of(after) {
            found.settings.push((name.clone(), of(before), of(after)));
        }
    }
    let versions = |summary: &Summary| {
        let program = ("retold".to_owned(), summary.version.clone());
        std::iter::once(program).chain(summary.data_versions.iter().cloned()).collect::<Vec<_>>()
    };
    let (old, new) = (versions(before), versions(after));
    for (name, version) in &new {
        let earlier = old.iter().find(|(known, _)| known == name).map_or("", |(_, version)| version);
        if earlier != version {
            found.versions.push((name.clone(), earlier.to_owned(), version.clone()));
        }
    }
    let inputs = |summary: &Summary| {
        let inputs = summary.inputs.iter();
        inputs.map(|input| (input.source.clone(), (input.bytes, input.digest.clone()))).collect::<HashMap<_, _>>()
    };
    let (old, new) = (inputs(before), inputs(after));
    found.inputs = old.keys().chain(new.keys()).filter(|name| old.get(*name) != new.get(*name)).cloned().collect();
    found.inputs.sort();
    found.inputs.dedup();
    found
}

/// Returns what may have changed documents whose own text is the same.
fn run_causes(found: &Comparison) -> Vec<&'static str> {
    let differs = |of: &dyn Fn(&str) -> bool| found.settings.iter().any(|(name, ..)| of(name));
    let holds = [
        !found.inputs.is_empty(),
        differs(&|name| !TAUGHT.contains(&name) && name != WEIGHTS),
        differs(&|name| TAUGHT.contains(&name)),
        !found.versions.is_empty() || differs(&|name| name == WEIGHTS),
    ];
    CAUSES.into_iter().zip(holds).filter(|(_, holds)| *holds).map(|(name, _)| name).collect()
}

/// What is compared of the clusters of a scan, by the hash of their ids: a sum over their members, and the copy that is kept.
struct Clusters(HashMap<u64, (u64, Option<String>)>);

impl Clusters {
    fn read(scan: &FinishedScan) -> Result<Clusters, WriteError> {
        let mut clusters = HashMap::new();
        for row in scan.rows::<ClusterRow>("clusters")? {
            let row = row?;
            let members = row.members.iter().fold(0u64, |sum, id| sum.wrapping_add(mix64(hash64(id.as_bytes()))));
            clusters.insert(hash64(row.cluster_id.as_bytes()), (members, None));
        }
        for row in scan.rows::<DocumentRow>("documents")? {
            let row = row?;
            if row.keep
                && let Some((_, kept)) = clusters.get_mut(&hash64(row.cluster_id.as_bytes()))
            {
                kept.get_or_insert(row.id);
            }
        }
        Ok(Clusters(clusters))
    }

    /// Returns who is in the cluster of a document: equal for equal members.
    fn members(&self, told: &Told) -> u64 {
        self.0.get(&told.cluster).map_or(mix64(told.id), |(members, _)| *members)
    }

    /// Returns the copy that is kept of the story of a document, whose id is `id`.
    fn kept(&self, told: &Told, id: &str) -> Option<String> {
        match self.0.get(&told.cluster) {
            Some((_, kept)) => kept.clone(),
            None => told.keep.then(|| id.to_owned()),
        }
    }
}

/// What of a row of `blocks` is compared.
#[derive(Deserialize)]
struct Removed {
    id: String,
    start: u64,
    end: u64,
    kind: Option<String>,
    removed: bool,
}

type Rows<T> = Box<dyn Iterator<Item = Result<T, WriteError>>>;

/// The documents of a scan with what is removed of them, in order.
struct Documents {
    documents: Rows<DocumentRow>,
    blocks: Peekable<Rows<Removed>>,
}

impl Documents {
    fn open(scan: &FinishedScan) -> Result<Documents, WriteError> {
        let blocks: Rows<Removed> = Box::new(scan.rows("blocks")?);
        Ok(Documents { documents: Box::new(scan.rows("documents")?), blocks: blocks.peekable() })
    }

    fn told(&mut self, row: DocumentRow) -> Result<(String, Told), WriteError> {
        let mut removed = 0u64;
        while let Some(block) = self.blocks.next_if(|block| block.as_ref().map_or(true, |block| block.id == row.id)) {
            let block = block?;
            if block.removed {
                let kind = block.kind.as_deref().unwrap_or_default();
                removed = mix64(removed ^ mix64(block.start) ^ block.end.rotate_left(32) ^ hash64(kind.as_bytes()));
            }
        }
        let told = Told {
            id: hash64(row.id.as_bytes()),
            text: hash64(row.text_hash.as_bytes()),
            cluster: hash64(row.cluster_id.as_bytes()),
            cluster_size: row.cluster_size,
            content_words: row.content_words,
            removed,
            keep: row.keep,
        };
        Ok((row.id, told))
    }
}

impl Iterator for Documents {
    type Item = Result<(String, Told), WriteError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.documents.next()?;
        Some(row.and_then(|row| self.told(row)))
    }
}
