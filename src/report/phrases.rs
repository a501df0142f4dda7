//! Blocks that repeat, folded by template, and the blocks of the documents whose texts are shown.

use std::cmp::Reverse;
use std::collections::HashMap;

use serde::Serialize;

use crate::boilerplate::{BoilerplateKind, Recent};
use crate::hash::mix64;
use crate::output::{BlockRow, DocumentRow, FinishedScan, WriteError};
use crate::report::documents::Listed;
use crate::report::sample::Smallest;
use crate::report::{Limits, cut};

/// Templates that are counted at once. Beyond that the rarest are forgotten and the counts of others are lower bounds.
const COUNTED: usize = 200_000;

/// Templates of a kind that are shown, however rare beside others.
const OF_KIND: usize = 20;

/// Templates of a site that are shown, of the sites with most documents, and so many sites.
const OF_SITE: usize = 5;
const SITES: usize = 30;

/// Wordings, sites and places of a template that are listed.
const LISTED: usize = 8;

/// Characters of a block that are shown.
const TEXT: usize = 400;

/// Blocks of a document that are kept for showing it; a text of more is shown up to the last of them.
pub(super) const OF_DOCUMENT: usize = 800;

/// A repeated block, all wordings of one template together.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Phrase {
    pub kind: String,
    pub documents: u32,
    pub removed: bool,
    pub rule: bool,
    /// Sites as the scan's evidence counts them.
    pub sites: u32,
    /// Near-duplicate clusters likewise.
    pub clusters: u32,
    /// The sites that most of its documents are of.
    pub at: Vec<(String, u32)>,
    /// Wordings in the order of coming; the first is whole if it is no longer than 400 characters.
    pub texts: Vec<String>,
    /// Whether the first wording is whole, so that a rule can be made of it.
    pub whole: bool,
    /// Whether there are more wordings.
    pub more: bool,
    /// Documents that hold it, the first in order.
    pub ids: Vec<String>,
}

/// What the table `blocks` tells.
#[derive(Debug)]
pub(super) struct Blocks {
    pub phrases: Vec<Phrase>,
    /// Templates that two documents or more hold.
    pub repeated: u64,
    /// Whether counts may be too low by this much, since there were more templates than are counted at once.
    pub lost: u32,
    /// The blocks of the documents asked for.
    pub of_document: HashMap<usize, Vec<BlockRow<'static>>>,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    documents: u32,
    last: u32,
    kind: u8,
}

/// Counts in bounded room: what is rare is forgotten when there is too much.
#[derive(Debug, Default)]
struct Counts {
    counts: HashMap<u64, Count>,
    lost: u32,
}

impl Counts {
    fn add(&mut self, key: u64, document: u32, kind: u8) {
        if self.counts.len() >= COUNTED && !self.counts.contains_key(&key) {
            while self.counts.len() >= COUNTED / 2 {
                self.lost += 1;
                let least = self.lost;
                self.counts.retain(|_, count| count.documents > least);
            }
        }
        let count = self.counts.entry(key).or_insert(Count { documents: 0, last: u32::MAX, kind });
        if count.last != document {
            count.documents += 1;
            count.last = document;
        }
    }
}

/// The rows of `blocks` that are boilerplate, each with the number of its document and the place of its site.
fn boilerplate_rows(
    scan: &FinishedScan,
    mut each: impl FnMut(u32, Option<usize>, &DocumentRow, BlockRow<'static>),
) -> Result<(), WriteError> {
    let sites: HashMap<&str, usize> =
        scan.summary().by_site.iter().enumerate().map(|(at, site)| (site.site.as_str(), at)).collect();
    let mut documents = scan.rows::<DocumentRow>("documents")?;
    let mut current: Option<DocumentRow> = None;
    let mut number = 0;
    for row in scan.rows::<BlockRow>("blocks")? {
        let row = row?;
        while current.as_ref().is_none_or(|document| document.id != row.id) {
            current = Some(documents.next().ok_or_else(|| WriteError::Decisions {
                what: format!("blocks of `{}`, which is not in the table `documents` or not in order", row.id),
            })??);
            number += 1;
        }
        let document = current.as_ref().expect("it was just found");
        let site = document.site.as_deref().and_then(|site| sites.get(site).copied());
        each(number, site, document, row);
    }
    Ok(())
}

fn kind_number(row: &BlockRow) -> Option<u8> {
    let kind: BoilerplateKind = row.kind.as_deref()?.parse().ok()?;
    Some(kind as u8)
}

/// Reads the table `blocks` twice: what repeats most, then its wordings and places; and the blocks of `wanted` documents.
pub(super) fn read(
    scan: &FinishedScan,
    listed: &Listed,
    wanted: &[usize],
    limits: &Limits,
) -> Result<Blocks, WriteError> {
    let mut recent = Recent::default();
    let mut key = move |row: &BlockRow, kind: u8| {
        let prints = recent.fingerprints(&row.text).0;
        mix64(prints.template.unwrap_or(prints.exact)) ^ u64::from(kind)
    };
    let mut counts = Counts::default();
    let mut of_site = Counts::default();
    boilerplate_rows(scan, |document, site, _, row| {
        let Some(kind) = kind_number(&row) else { return };
        let key = key(&row, kind);
        counts.add(key, document, kind);
        if let Some(site) = site.filter(|site| *site < SITES) {
            of_site.add(mix64(key).wrapping_add(site as u64), document, kind);
        }
    })?;
    let mut chosen = choose(&counts, limits);
    let repeated = counts.counts.values().filter(|count| count.documents > 1).count() as u64;
    let mut of_sites: Vec<Smallest<(Reverse<u32>, u64), u64>> = (0..SITES).map(|_| Smallest::new(OF_SITE)).collect();
    // What a site repeats is found by asking for every template there.
    for (key, count) in counts.counts.iter().filter(|(_, count)| count.documents > 1) {
        for (site, smallest) in of_sites.iter_mut().enumerate() {
            if let Some(here) = of_site.counts.get(&mix64(*key).wrapping_add(site as u64))
                && here.documents > 1
                && here.kind == count.kind
            {
                smallest.offer((Reverse(here.documents), *key), || *key);
            }
        }
    }
    for (_, key) in of_sites.into_iter().flat_map(Smallest::into_items) {
        chosen.entry(key).or_default();
    }
    let mut of_document: HashMap<usize, Vec<BlockRow<'static>>> = wanted.iter().map(|at| (*at, Vec::new())).collect();
    boilerplate_rows(scan, |_, site, document, row| {
        if let Some(kind) = kind_number(&row)
            && let Some(details) = chosen.get_mut(&key(&row, kind))
        {
            details.add(site, document, &row);
        }
        let place = listed.by_id.get(&document.id).and_then(|at| of_document.get_mut(at));
        if let Some(blocks) = place.filter(|blocks| blocks.len() < OF_DOCUMENT) {
            let end = row.text.char_indices().nth(4 * TEXT).map_or(row.text.len(), |(at, _)| at);
            blocks.push(BlockRow { text: row.text[..end].to_owned().into(), ..row });
        }
    })?;
    let mut phrases: Vec<(u64, Phrase)> = chosen
        .into_iter()
        .map(|(key, details)| {
            let count = counts.counts.get(&key).expect("what is chosen was counted");
            (key, details.phrase(count.documents, scan))
        })
        .collect();
    phrases.sort_by_key(|(key, phrase)| (Reverse(phrase.documents), *key));
    let phrases = phrases.into_iter().map(|(_, phrase)| phrase).collect();
    Ok(Blocks { phrases, repeated, lost: counts.lost, of_document })
}

/// Returns the templates of most documents, of all and of every kind.
fn choose(counts: &Counts, limits: &Limits) -> HashMap<u64, Details> {
    let mut all = Smallest::new(limits.phrases);
    let mut of_kind: Vec<Smallest<(Reverse<u32>, u64), u64>> =
        BoilerplateKind::ALL.iter().map(|_| Smallest::new(OF_KIND)).collect();
    for (key, count) in counts.counts.iter().filter(|(_, count)| count.documents > 1) {
        // The key breaks ties: a map has no order of its own.
        let rank = (Reverse(count.documents), *key);
        all.offer(rank, || *key);
        of_kind[usize::from(count.kind)].offer(rank, || *key);
    }
    let of_kind = of_kind.into_iter().flat_map(Smallest::into_items);
    all.into_items().chain(of_kind).map(|(_, key)| (key, Details::default())).collect()
}

#[derive(Debug, Default)]
struct Details {
    phrase: Phrase,
    sites: HashMap<usize, u32>,
    last: String,
}

impl Details {
    fn add(&mut self, site: Option<usize>, document: &DocumentRow, row: &BlockRow) {
        let phrase = &mut self.phrase;
        if phrase.texts.is_empty() {
            phrase.kind = row.kind.as_deref().unwrap_or_default().to_owned();
            phrase.removed = row.removed;
        }
        phrase.rule |= row.evidence_rule.is_some();
        phrase.sites = phrase.sites.max(row.evidence_sites);
        phrase.clusters = phrase.clusters.max(row.evidence_clusters);
        let text = cut(row.text.trim(), TEXT);
        if !phrase.texts.contains(&text) {
            if phrase.texts.len() < LISTED {
                phrase.whole |= phrase.texts.is_empty() && text == row.text.trim();
                phrase.texts.push(text);
            } else {
                phrase.more = true;
            }
        }
        if self.last != document.id {
            self.last.clone_from(&document.id);
            if let Some(site) = site {
                *self.sites.entry(site).or_default() += 1;
            }
            if phrase.ids.len() < LISTED {
                phrase.ids.push(cut(&document.id, TEXT));
            }
        }
    }

    fn phrase(self, documents: u32, scan: &FinishedScan) -> Phrase {
        let mut sites: Vec<(usize, u32)> = self.sites.into_iter().collect();
        sites.sort_by_key(|(site, documents)| (Reverse(*documents), *site));
        sites.truncate(LISTED);
        let named = |(site, documents): (usize, u32)| (cut(&scan.summary().by_site[site].site, TEXT), documents);
        Phrase { documents, at: sites.into_iter().map(named).collect(), ..self.phrase }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_stay_in_their_room_and_frequent_ones_stay() {
        let mut counts = Counts::default();
        for document in 0..COUNTED as u32 * 2 {
            counts.add(u64::from(document) + 10, document, 0);
            counts.add(1, document, 0);
            counts.add(1, document, 0);
        }
        assert!(counts.counts.len() <= COUNTED);
        assert!(counts.lost > 0);
        assert_eq!(counts.counts[&1].documents, COUNTED as u32 * 2);
    }
}
