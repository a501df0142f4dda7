//! First pass: who is there, and which blocks occur where.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::boilerplate::{Occurrence, Recent};
use crate::config::{Config, Sites};
use crate::date::day;
use crate::document::{DocumentId, Parsed, Skipped};
use crate::error::Error;
use crate::hash::hash64;
use crate::observe::{Leg, Observer};
use crate::pipeline::crew::Run;
use crate::record::Record;
use crate::store::Sorted;
use crate::text::segment;

/// What the first pass learned.
#[derive(Debug)]
pub(super) struct Census<'w> {
    /// How many documents there are, references among them.
    pub documents: u32,
    /// How many of them are no references: these come first.
    pub own: u32,
    /// The site of every document, as a number; 0: not known.
    pub site_of: Vec<u32>,
    /// The sites by number; the first is the empty name of those not known.
    pub sites: Vec<SiteTotal>,
    /// Words in lines long enough to link documents, for every document.
    pub long_words: Vec<u32>,
    /// Every block by fingerprint; none when boilerplate is not judged.
    pub occurrences: Option<Sorted<'w, Occurrence>>,
    /// Documents whose id occurred before, with the number that makes theirs unique.
    pub repeated_ids: HashMap<u32, u32>,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
    /// Digest and documents of every batch, to notice an input that changes.
    pub batches: Vec<(u64, u32)>,
    /// Documents without a date.
    pub without_date: u64,
    /// The day of every document, when a window of days is asked for.
    pub days: Vec<Option<i32>>,
    /// The value inside which every document is compared, as a number; 0: missing. Empty when none is asked for.
    pub within_of: Vec<u32>,
    /// How many values there are, the missing one left out.
    pub within_values: u32,
}

impl Census<'_> {
    /// Returns whether a document is a reference.
    pub(super) fn is_reference(&self, document: u32) -> bool {
        document >= self.own
    }

    /// Returns the number of the value inside which a document is compared.
    pub(super) fn within(&self, document: u32) -> u32 {
        self.within_of.get(document as usize).copied().unwrap_or(0)
    }

    /// Returns whether the settings allow two documents to be compared.
    pub(super) fn may_meet(&self, config: &Config, a: u32, b: u32) -> bool {
        let site = |document: u32| self.site_of[document as usize];
        let one_site = site(a) != 0 && site(a) == site(b);
        let sites = match config.sites {
            Sites::All => true,
            Sites::Across => !one_site,
            Sites::Same => one_site,
        };
        let near = |window: u32| match (self.days[a as usize], self.days[b as usize]) {
            (Some(a), Some(b)) => a.abs_diff(b) <= window,
            _ => true,
        };
        sites && self.within(a) == self.within(b) && config.date_window.is_none_or(near)
    }
}

/// A site and its documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SiteTotal {
    pub name: String,
    /// Documents, references among them: what repeats there is counted over all.
    pub documents: u32,
    /// Documents that are no references.
    pub own: u32,
}

/// A line of so many words is long: it links the documents that share it, when it is rare on their sites. Eight words
/// are a sentence; shorter lines recur by chance ("Photo by Reuters").
pub(super) const LONG_WORDS: u32 = 8;

/// What is kept in order while documents come in.
#[derive(Default)]
struct Register {
    numbers: HashMap<String, u32>,
    sites: Vec<SiteTotal>,
    site_of: Vec<u32>,
    skipped: Vec<Skipped>,
    batches: Vec<(u64, u32)>,
    without_date: u64,
    days: Option<Vec<Option<i32>>>,
    /// Where the references begin.
    own: Option<u32>,
    within: Option<Within>,
}

/// Values inside which documents are compared, numbered as they come; 0: missing.
#[derive(Default)]
struct Within {
    numbers: HashMap<String, u32>,
    of: Vec<u32>,
}

impl Within {
    fn enter(&mut self, value: Option<&str>) {
        let number = match value.map(|value| (value, self.numbers.get(value))) {
            None => 0,
            Some((_, Some(number))) => *number,
            Some((value, None)) => {
                let number = self.numbers.len() as u32 + 1;
                self.numbers.insert(value.to_owned(), number);
                number
            }
        };
        self.of.push(number);
    }
}

impl Register {
    fn enter(&mut self, base: DocumentId, parsed: &mut Parsed, observer: &dyn Observer) {
        if parsed.reference && self.own.is_none() {
            self.own = Some(base.0);
        }
        let own = !parsed.reference;
        for document in &parsed.documents {
            let number = match &document.site {
                None => 0,
                Some(site) => match self.numbers.get(site.as_str()) {
                    Some(number) => *number,
                    None => {
                        let number = self.sites.len() as u32;
                        self.numbers.insert(site.clone(), number);
                        self.sites.push(SiteTotal { name: site.clone(), ..SiteTotal::default() });
                        number
                    }
                },
            };
            self.sites[number as usize].documents += 1;
            self.sites[number as usize].own += u32::from(own);
            self.site_of.push(number);
            self.without_date += u64::from(own && document.date.is_none());
            if let Some(within) = &mut self.within {
                within.enter(document.within.as_deref());
            }
            if let Some(days) = &mut self.days {
                days.push(document.date.as_deref().and_then(day));
            }
        }
        for skipped in parsed.skipped.drain(..) {
            observer.skipped(&skipped);
            self.skipped.push(skipped);
        }
        for note in parsed.notes.drain(..) {
            observer.note(&note);
        }
        self.batches.push((parsed.digest, parsed.documents.len() as u32));
    }
}

/// Reads all documents once.
pub(super) fn read<'w>(run: &Run<'_, 'w>) -> Result<Census<'w>, Error> {
    let count_blocks = run.config.boilerplate;
    let occurrences = run.sorter("occurrences");
    let ids = run.sorter("ids");
    let long_words: Mutex<Vec<(u32, Vec<u32>)>> = Mutex::new(Vec::new());
    let days = run.config.date_window.map(|_| Vec::new());
    let within = run.config.within.as_ref().map(|_| Within::default());
    let mut register = Register { sites: vec![SiteTotal::default()], days, within, ..Register::default() };
    run.pass(
        Leg::Read,
        |base, parsed: &mut Parsed| {
            let room = u32::MAX - base.0;
            if parsed.documents.len() as u64 > u64::from(room) {
                return Err(too_many());
            }
            register.enter(base, parsed, run.observer);
            Ok(())
        },
        || (occurrences.writer(), ids.writer(), Recent::default()),
        |(occurrences, ids, recent), base: DocumentId, parsed, ()| {
            let mut long = Vec::with_capacity(parsed.documents.len());
            for (number, document) in (base.0..).zip(&parsed.documents) {
                for entry in id_entries(&document.id, number) {
                    ids.push(entry)?;
                }
                let mut long_here = 0;
                if count_blocks {
                    let blocks = segment(&document.text).blocks;
                    for (block, at) in blocks.iter().take(Occurrence::BLOCKS as usize).zip(0..) {
                        let text = block.span.of(&document.text);
                        let (prints, terms) = recent.fingerprints(text);
                        let words = terms.min(Occurrence::WORDS as usize) as u32;
                        if words >= LONG_WORDS {
                            long_here += words;
                        }
                        occurrences.push(Occurrence::new(prints.exact, number, at, words, false))?;
                        if let Some(template) = prints.template {
                            occurrences.push(Occurrence::new(template, number, at, words, true))?;
                        }
                    }
                }
                long.push(long_here);
            }
            long_words.lock().expect("no thread panicked here").push((base.0, long));
            Ok(())
        },
        |(occurrences, ids, _)| {
            occurrences.finish()?;
            ids.finish()?;
            Ok(())
        },
    )?;
    let mut in_order = long_words.into_inner().expect("no thread panicked here");
    in_order.sort_unstable_by_key(|(base, _)| *base);
    let long_words: Vec<u32> = in_order.into_iter().flat_map(|(_, words)| words).collect();
    let occurrences = if count_blocks { Some(run.sort(occurrences)?) } else { None };
    let repeated_ids = repeated_ids(&run.sort(ids)?)?;
    if !repeated_ids.is_empty() {
        run.observer.note(&format!(
            "{} documents have an id that occurred before: theirs end in `#2` and so on",
            repeated_ids.len()
        ));
    }
    let documents = long_words.len() as u32;
    let within = register.within.unwrap_or_default();
    Ok(Census {
        documents,
        own: register.own.unwrap_or(documents),
        within_values: within.numbers.len() as u32,
        within_of: within.of,
        site_of: register.site_of,
        sites: register.sites,
        long_words,
        occurrences,
        repeated_ids,
        skipped: register.skipped,
        batches: register.batches,
        without_date: register.without_date,
        days: register.days.unwrap_or_default(),
    })
}

fn too_many() -> Error {
    Error::Source(crate::document::SourceError {
        message: "the input holds more than 4,294,967,295 documents".to_owned(),
        hint: Some("scan it in parts".to_owned()),
        cause: None,
    })
}

/// A document's claim to an id: `claim` 0 for its own id; an id that reads `x#3` also claims number 3 of `x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct IdEntry {
    id: u64,
    claim: u32,
    document: u32,
}

impl Record for IdEntry {
    const WIDTH: usize = 16;

    fn encode(&self, out: &mut [u8]) {
        out[..8].copy_from_slice(&self.id.to_le_bytes());
        out[8..12].copy_from_slice(&self.claim.to_le_bytes());
        out[12..16].copy_from_slice(&self.document.to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> IdEntry {
        IdEntry {
            id: u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")),
            claim: u32::from_le_bytes(bytes[8..12].try_into().expect("four bytes")),
            document: u32::from_le_bytes(bytes[12..16].try_into().expect("four bytes")),
        }
    }

    fn key(&self) -> u64 {
        self.id
    }
}

fn id_entries(id: &str, document: u32) -> impl Iterator<Item = IdEntry> {
    let own = IdEntry { id: hash64(id.as_bytes()), claim: 0, document };
    let claimed = id.rsplit_once('#').and_then(|(stem, number)| {
        let claim: u32 = number.parse().ok().filter(|claim| *claim > 1)?;
        Some(IdEntry { id: hash64(stem.as_bytes()), claim, document })
    });
    std::iter::once(own).chain(claimed)
}

/// Numbers the documents whose id occurred before: the second is 2, unless another document is called so already.
fn repeated_ids(ids: &Sorted<'_, IdEntry>) -> Result<HashMap<u32, u32>, Error> {
    let mut repeated = HashMap::new();
    let (mut key, mut group): (u64, Vec<IdEntry>) = (0, Vec::new());
    let mut settle = |group: &mut Vec<IdEntry>| {
        let owners = group.iter().take_while(|entry| entry.claim == 0).count();
        if owners > 1 {
            let mut claims = group[owners..].iter().map(|entry| entry.claim).peekable();
            let mut number = 1;
            for entry in &group[1..owners] {
                number += 1;
                while let Some(claim) = claims.next_if(|claim| *claim <= number) {
                    number += u32::from(claim == number);
                }
                repeated.insert(entry.document, number);
            }
        }
        group.clear();
    };
    for entry in ids.iter()? {
        let entry = entry?;
        if entry.id != key {
            settle(&mut group);
            key = entry.id;
        }
        group.push(entry);
    }
    settle(&mut group);
    Ok(repeated)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Sorter, Workspace};

    #[test]
    fn a_repeated_id_gets_the_next_free_number() {
        let workspace = Workspace::new(std::env::temp_dir(), u64::MAX, 1);
        let sorter = Sorter::new(&workspace, "ids");
        let mut writer = sorter.writer();
        for (document, id) in (0..).zip(["a", "b", "a#2", "a", "a", "b"]) {
            for entry in id_entries(id, document) {
                writer.push(entry).unwrap();
            }
        }
        writer.finish().unwrap();
        let mut repeated: Vec<_> = repeated_ids(&sorter.finish().unwrap()).unwrap().into_iter().collect();
        repeated.sort_unstable();
        assert_eq!(repeated, [(3, 3), (4, 4), (5, 2)]);
    }
}
