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
    /// Changed documents by cause.
    pub causes: Vec<(String, u64)>,
    /// Settings that differ, each with its values before and after.
    pub settings: Vec<(String, serde_json::Value, serde_json::Value)>,
    /// Versions of the program and its data that differ, likewise.
    pub versions: Vec<(String, String, String)>,
    /// Input files that are new, gone or of other bytes.
    pub inputs: Vec<String>,
    /// The first changed documents in order, at most 1,000.
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

/// Compares two scans; documents are the same if they stand at the same place of a file of the same name.
///
/// Reads the tables side by side, in their order; keeps about 100 bytes for every cluster in memory.
///
/// A document whose own text is another has changed because of the input. For every other change the causes are all those
/// that differ between the two runs: which of them it was, only a third scan could tell.
///
/// # Errors
/// If a table is missing or cannot be understood.
pub fn compare(before: &FinishedScan, after: &FinishedScan) -> Result<Comparison, WriteError> {
    let mut found = Comparison {
        before: before.summary().documents,
        after: after.summary().documents,
        ..differing_runs(before.summary(), after.summary())
    };
    let causes = run_causes(&found);
    let (mut old, mut new) = (Side::open(before)?, Side::open(after)?);
    let mut by_cause: HashMap<&'static str, u64> = HashMap::new();
    loop {
        let order = match (old.place()?, new.place()?) {
            (None, None) => break,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(a), Some(b)) => a.cmp(&b),
        };
        let a = if order.is_le() { old.next()? } else { None };
        let b = if order.is_ge() { new.next()? } else { None };
        let Some(change) = change(a, b, &causes) else { continue };
        for what in &change.what {
            *match *what {
                "new" => &mut found.new,
                "gone" => &mut found.gone,
                "text" => &mut found.text,
                "cluster" => &mut found.cluster,
                "kept" => &mut found.kept,
                _ => &mut found.removed,
            } += 1;
        }
        for cause in &change.causes {
            *by_cause.entry(cause).or_default() += 1;
        }
        if found.changes.len() < LISTED {
            found.changes.push(change);
        }
    }
    let named = ["input", "setting", "rules", "model version"].into_iter();
    found.causes = named.filter_map(|cause| Some((cause.to_owned(), *by_cause.get(cause)?))).collect();
    Ok(found)
}

/// What one scan says of a document.
struct Told {
    row: DocumentRow,
    members: u64,
    kept: Option<String>,
    removed: u64,
}

fn change(before: Option<Told>, after: Option<Told>, run_causes: &[&'static str]) -> Option<Change> {
    let mut what = Vec::new();
    let mut causes = run_causes.to_vec();
    match (&before, &after) {
        (Some(a), Some(b)) => {
            let new_text = a.row.text_hash != b.row.text_hash;
            let differs = [
                ("text", new_text),
                ("cluster", a.members != b.members),
                ("kept", a.kept != b.kept),
                ("removed", a.removed != b.removed && !new_text),
            ];
            what.extend(differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name));
            if new_text {
                causes = vec!["input"];
            }
        }
        (None, _) => what.push("new"),
        (_, None) => what.push("gone"),
    }
    if what.is_empty() {
        return None;
    }
    if before.is_none() || after.is_none() {
        causes = vec!["input"];
    }
    let of = |told: &Option<Told>| {
        let told = told.as_ref();
        (
            told.map(|told| told.row.cluster_size),
            told.and_then(|told| told.kept.clone()),
            told.map(|told| told.row.content_words),
        )
    };
    let ((size_a, kept_a, words_a), (size_b, kept_b, words_b)) = (of(&before), of(&after));
    Some(Change {
        id: after.or(before)?.row.id,
        what,
        causes,
        cluster_size: [size_a, size_b],
        kept: [kept_a, kept_b],
        content_words: [words_a, words_b],
    })
}

/// Settings that name what people taught: rules, decisions, evidence.
const TAUGHT: [&str; 3] = ["rules", "decisions", "evidence"];

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
    let taught = |name: &str| TAUGHT.contains(&name);
    let causes = [
        ("input", !found.inputs.is_empty()),
        ("setting", found.settings.iter().any(|(name, ..)| !taught(name))),
        ("rules", found.settings.iter().any(|(name, ..)| taught(name))),
        ("model version", !found.versions.is_empty()),
    ];
    causes.into_iter().filter(|(_, holds)| *holds).map(|(name, _)| name).collect()
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

type Rows<T> = Peekable<Box<dyn Iterator<Item = Result<T, WriteError>>>>;

/// The tables of one scan, document by document.
struct Side {
    documents: Rows<DocumentRow>,
    blocks: Rows<Removed>,
    /// By the hash of a cluster's id: a sum over the places of its members, and the copy that is kept.
    clusters: HashMap<u64, (u64, Option<String>)>,
}

impl Side {
    fn open(scan: &FinishedScan) -> Result<Side, WriteError> {
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
        let documents: Box<dyn Iterator<Item = _>> = Box::new(scan.rows("documents")?);
        let blocks: Box<dyn Iterator<Item = _>> = Box::new(scan.rows("blocks")?);
        Ok(Side { documents: documents.peekable(), blocks: blocks.peekable(), clusters })
    }

    /// Returns where the next document stands.
    fn place(&mut self) -> Result<Option<(String, u64)>, WriteError> {
        match self.documents.next_if(Result::is_err) {
            Some(error) => error.map(|_| None),
            None => {
                Ok(self.documents.peek().and_then(|row| row.as_ref().ok()).map(|row| (row.source.clone(), row.row)))
            }
        }
    }

    fn next(&mut self) -> Result<Option<Told>, WriteError> {
        let Some(row) = self.documents.next().transpose()? else { return Ok(None) };
        let mut removed = 0u64;
        while let Some(block) = self.blocks.next_if(|block| block.as_ref().map_or(true, |block| block.id == row.id)) {
            let block = block?;
            if block.removed {
                let kind = block.kind.as_deref().unwrap_or_default();
                removed = mix64(removed ^ mix64(block.start) ^ block.end.rotate_left(32) ^ hash64(kind.as_bytes()));
            }
        }
        let own = || (mix64(hash64(row.id.as_bytes())), row.keep.then(|| row.id.clone()));
        let cluster = self.clusters.get(&hash64(row.cluster_id.as_bytes())).cloned();
        let (members, kept) = cluster.unwrap_or_else(own);
        Ok(Some(Told { row, members, kept, removed }))
    }
}
