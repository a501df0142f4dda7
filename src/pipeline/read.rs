//! First pass: who is there, and which blocks occur where.

use std::collections::HashMap;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::boilerplate::{Occurrence, Recent};
use crate::config::{Config, Sites};
use crate::date::day;
use crate::document::{DocumentId, Parsed, Skipped};
use crate::error::Error;
use crate::hash::hash64;
use crate::observe::{Leg, Observer};
use crate::pipeline::crew::Run;
use crate::record::Record;
use crate::store::{Sorted, Sorter, SorterWriter, Spool, SpoolWriter, StoreError};
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
    /// All this as it came in, for a process that goes on with the run.
    _journal: Spool<'w>,
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
    days: Vec<Option<i32>>,
    keeps_days: bool,
    /// Where the references begin.
    own: Option<u32>,
    within: Option<Within>,
    long_words: Vec<u32>,
    /// What is in the journal already.
    written: Written,
}

/// Values inside which documents are compared, numbered as they come; 0: missing.
#[derive(Default)]
struct Within {
    numbers: HashMap<String, u32>,
    of: Vec<u32>,
}

impl Within {
    /// Returns the values from this number on, in order of their numbers.
    fn values_from(&self, number: u32) -> Vec<String> {
        let mut values: Vec<(u32, &String)> =
            self.numbers.iter().filter(|(_, own)| **own >= number).map(|(value, own)| (*own, value)).collect();
        values.sort_unstable();
        values.into_iter().map(|(_, value)| value.clone()).collect()
    }

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

/// How much of a register is in the journal.
#[derive(Default)]
struct Written {
    sites: usize,
    documents: usize,
    days: usize,
    within: usize,
    within_values: u32,
    skipped: usize,
    batches: usize,
    entries: u32,
}

/// What came to a register between two checkpoints.
#[derive(Serialize, Deserialize)]
struct Arrivals {
    sites: Vec<String>,
    site_of: Vec<u32>,
    long_words: Vec<u32>,
    days: Vec<Option<i32>>,
    own: Option<u32>,
    within: Vec<u32>,
    within_values: Vec<String>,
    skipped: Vec<Skipped>,
    batches: Vec<(u64, u32)>,
    without_date: u64,
}

impl Register {
    /// Writes what came since the last time to the journal.
    fn write(&mut self, journal: &SpoolWriter<'_>) -> Result<(), StoreError> {
        let written = &self.written;
        let within = self.within.as_ref();
        let arrivals = Arrivals {
            sites: self.sites[written.sites..].iter().map(|site| site.name.clone()).collect(),
            site_of: self.site_of[written.documents..].to_vec(),
            long_words: self.long_words[written.documents..].to_vec(),
            days: self.days[written.days..].to_vec(),
            own: self.own,
            within: within.map_or_else(Vec::new, |within| within.of[written.within..].to_vec()),
            within_values: within.map_or_else(Vec::new, |within| within.values_from(written.within_values + 1)),
            skipped: self.skipped[written.skipped..].to_vec(),
            batches: self.batches[written.batches..].to_vec(),
            without_date: self.without_date,
        };
        let bytes = serde_json::to_vec(&arrivals).expect("arrivals have string keys");
        journal.put(vec![(written.entries, bytes)])?;
        self.count_written(self.written.entries + 1);
        journal.seal()
    }

    /// Enters what a journal holds.
    fn replay(&mut self, journal: &SpoolWriter<'_>, observer: &dyn Observer) -> Result<(), StoreError> {
        let entries = journal.strings()?;
        let count = entries.len() as u32;
        for (_, bytes) in entries {
            let arrivals: Arrivals = serde_json::from_slice(&bytes).expect("a journal is kept as it was");
            for site in arrivals.sites {
                self.numbers.insert(site.clone(), self.sites.len() as u32);
                self.sites.push(SiteTotal { name: site, ..SiteTotal::default() });
            }
            self.own = arrivals.own;
            for (document, site) in (self.site_of.len() as u32..).zip(&arrivals.site_of) {
                let site = &mut self.sites[*site as usize];
                site.documents += 1;
                site.own += u32::from(self.own.is_none_or(|own| document < own));
            }
            if let Some(within) = &mut self.within {
                let first = within.numbers.len() as u32 + 1;
                within.numbers.extend(arrivals.within_values.into_iter().zip(first..));
                within.of.extend(arrivals.within);
            }
            arrivals.skipped.iter().for_each(|skipped| observer.skipped(skipped));
            self.site_of.extend(arrivals.site_of);
            self.long_words.extend(arrivals.long_words);
            self.days.extend(arrivals.days);
            self.skipped.extend(arrivals.skipped);
            self.batches.extend(arrivals.batches);
            self.without_date = arrivals.without_date;
        }
        self.count_written(count);
        Ok(())
    }

    fn into_census<'w>(
        self,
        occurrences: Option<Sorted<'w, Occurrence>>,
        repeated_ids: HashMap<u32, u32>,
        journal: Spool<'w>,
    ) -> Census<'w> {
        let documents = self.long_words.len() as u32;
        let within = self.within.unwrap_or_default();
        Census {
            documents,
            own: self.own.unwrap_or(documents),
            within_values: within.numbers.len() as u32,
            within_of: within.of,
            site_of: self.site_of,
            sites: self.sites,
            long_words: self.long_words,
            occurrences,
            repeated_ids,
            skipped: self.skipped,
            batches: self.batches,
            without_date: self.without_date,
            days: self.days,
            _journal: journal,
        }
    }

    fn count_written(&mut self, entries: u32) {
        self.written = Written {
            sites: self.sites.len(),
            documents: self.site_of.len(),
            days: self.days.len(),
            within: self.within.as_ref().map_or(0, |within| within.of.len()),
            within_values: self.within.as_ref().map_or(0, |within| within.numbers.len() as u32),
            skipped: self.skipped.len(),
            batches: self.batches.len(),
            entries,
        };
    }

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
            if self.keeps_days {
                self.days.push(document.date.as_deref().and_then(day));
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

/// Reads all documents once, or goes on where another process stood.
pub(super) fn read<'w>(run: &Run<'_, 'w>) -> Result<Census<'w>, Error> {
    let count_blocks = run.config.boilerplate;
    let journal = SpoolWriter::resume(run.workspace, "register")?;
    // The first site is that of documents whose site is not known; the journal begins with those after it.
    let written = Written { sites: 1, ..Written::default() };
    let keeps_days = run.config.date_window.is_some();
    let within = run.config.within.as_ref().map(|_| Within::default());
    let sites = vec![SiteTotal::default()];
    let mut register = Register { sites, keeps_days, within, written, ..Register::default() };
    register.replay(&journal, run.observer)?;
    if run.is_done("read")? {
        let repeated_ids = run.workspace.kept::<Vec<(u32, u32)>>("repeated ids")?.unwrap_or_default();
        let counts = count_blocks && !run.is_done("repeat")?;
        let occurrences = if counts { Some(Sorted::resume(run.workspace, "occurrences")?) } else { None };
        return Ok(register.into_census(occurrences, repeated_ids.into_iter().collect(), journal.finish()?));
    }
    let occurrences = Sorter::resume(run.workspace, "occurrences")?;
    let ids = Sorter::resume(run.workspace, "ids")?;
    let long_words: Mutex<Vec<(u32, Vec<u32>)>> = Mutex::new(Vec::new());
    let register = Mutex::new(register);
    // Puts what threads left in no order behind what is in order already.
    let settle = |register: &mut Register| {
        let mut words = std::mem::take(&mut *long_words.lock().expect("no thread panicked here"));
        words.sort_unstable_by_key(|(base, _)| *base);
        register.long_words.extend(words.into_iter().flat_map(|(_, words)| words));
    };
    run.pass(
        Leg::Read,
        Some(&|| {
            let mut register = register.lock().expect("no thread panicked here");
            settle(&mut register);
            register.write(&journal)?;
            occurrences.seal()?;
            Ok(ids.seal()?)
        }),
        |base, parsed: &mut Parsed| {
            let room = u32::MAX - base.0;
            if parsed.documents.len() as u64 > u64::from(room) {
                return Err(too_many());
            }
            register.lock().expect("no thread panicked here").enter(base, parsed, run.observer);
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
        |(occurrences, ids, _): (SorterWriter<'_, '_, _>, SorterWriter<'_, '_, _>, _)| {
            occurrences.finish()?;
            ids.finish()?;
            Ok(())
        },
    )?;
    let mut register = register.into_inner().expect("no thread panicked here");
    settle(&mut register);
    let occurrences = if count_blocks { Some(run.sort(occurrences)?) } else { None };
    let repeated_ids = repeated_ids(&run.sort(ids)?)?;
    if !repeated_ids.is_empty() {
        run.observer.note(&format!(
            "{} documents have an id that occurred before: theirs end in `#2` and so on",
            repeated_ids.len()
        ));
    }
    if run.workspace.is_resumable() {
        run.workspace.keep("repeated ids", &repeated_ids.iter().collect::<Vec<_>>());
        run.done("read")?;
    }
    Ok(register.into_census(occurrences, repeated_ids, journal.finish()?))
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
    use crate::store::Workspace;

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
