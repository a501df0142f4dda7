//! Documents of one address: versions of a page, one after the other.

use std::cmp::Ordering;

use crate::address::canonical;
use crate::corpus::{Facts, Told};
use crate::date::moment;
use crate::error::Error;
use crate::hash::hash64;
use crate::pipeline::crew::Run;
use crate::pipeline::group::Measure;
use crate::pipeline::judge::Judgment;
use crate::pipeline::pair::{Copies, Texts};
use crate::pipeline::read::Census;
use crate::record::Record;
use crate::similarity::{Reason, Relation, VerifiedPair};
use crate::store::{Sorted, Spool, StoreError};
use crate::text::hash_terms;

/// A document by its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AddressEntry {
    pub address: u64,
    pub document: u32,
}

impl AddressEntry {
    /// Returns the entry of a document that has an address.
    pub(super) fn new(url: Option<&str>, document: u32) -> Option<AddressEntry> {
        Some(AddressEntry { address: hash64(canonical(url?)?.as_bytes()), document })
    }
}

impl Record for AddressEntry {
    const WIDTH: usize = 12;

    fn encode(&self, out: &mut [u8]) {
        out[..8].copy_from_slice(&self.address.to_le_bytes());
        out[8..12].copy_from_slice(&self.document.to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> AddressEntry {
        AddressEntry {
            address: u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")),
            document: u32::from_le_bytes(bytes[8..12].try_into().expect("four bytes")),
        }
    }

    fn key(&self) -> u64 {
        self.address
    }
}

/// A version of a page, after the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    /// The first document of the page in the run's order: pages stand in the order of these.
    pub first: u32,
    /// 1 for the second document of the page; once versions are measured, for the second version.
    pub number: u32,
    pub document: u32,
    pub previous: u32,
    pub words_added: u32,
    pub words_removed: u32,
    pub jaccard_bits: u64,
}

impl Version {
    fn numbers(&self) -> [u32; 6] {
        [self.first, self.number, self.document, self.previous, self.words_added, self.words_removed]
    }
}

impl Record for Version {
    const WIDTH: usize = 32;

    fn encode(&self, out: &mut [u8]) {
        for (number, out) in self.numbers().iter().zip(out[..24].chunks_exact_mut(4)) {
            out.copy_from_slice(&number.to_le_bytes());
        }
        out[24..32].copy_from_slice(&self.jaccard_bits.to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> Version {
        let number = |at: usize| u32::from_le_bytes(bytes[4 * at..4 * at + 4].try_into().expect("four bytes"));
        Version {
            first: number(0),
            number: number(1),
            document: number(2),
            previous: number(3),
            words_added: number(4),
            words_removed: number(5),
            jaccard_bits: u64::from_le_bytes(bytes[24..32].try_into().expect("eight bytes")),
        }
    }

    fn key(&self) -> u64 {
        u64::from(self.first)
    }
}

/// Finds documents of one address whose texts are not one, each after the one before it.
pub(super) fn successions<'w>(
    run: &Run<'_, 'w>,
    census: &Census<'_>,
    judgment: &Judgment<'_>,
    copies: &Copies,
) -> Result<Sorted<'w, Version>, Error> {
    if run.is_done("meet")? {
        return Ok(Sorted::resume(run.workspace, "successions")?);
    }
    let found = run.sorter("successions");
    run.each(judgment.addresses.parts(), |part| -> Result<(), StoreError> {
        let mut writer = found.writer();
        judgment.addresses.for_each_group(part, |_, group| {
            let documents: Vec<u32> = group.map(|entry| entry.document).collect();
            let [first, _, ..] = documents.as_slice() else { return Ok(()) };
            let first = *first;
            let documents = in_order(documents, census, judgment)?;
            for (number, two) in (1..).zip(documents.windows(2)) {
                let [previous, document] = [two[0], two[1]];
                let same_text = copies.leader_of[previous as usize] == copies.leader_of[document as usize];
                let references = census.is_reference(previous) && census.is_reference(document);
                if !same_text && !references && census.may_meet(run.config, previous, document) {
                    let (words_added, words_removed, jaccard_bits) = (0, 0, 0);
                    writer.push(Version {
                        first,
                        number,
                        document,
                        previous,
                        words_added,
                        words_removed,
                        jaccard_bits,
                    })?;
                }
            }
            Ok::<(), StoreError>(())
        })?;
        writer.finish()
    })?;
    Ok(run.sort(found)?)
}

/// Returns the documents of one page by their dates, or as they were given where one has none; references come first then.
fn in_order(documents: Vec<u32>, census: &Census<'_>, judgment: &Judgment<'_>) -> Result<Vec<u32>, StoreError> {
    let mut dated = Vec::with_capacity(documents.len());
    for document in documents {
        let date = judgment.facts.get(document)?.and_then(|facts| Facts::decode(&facts).date);
        dated.push((date.as_deref().and_then(moment), !census.is_reference(document), document));
    }
    if dated.iter().any(|(moment, _, _)| moment.is_none()) {
        dated.iter_mut().for_each(|(moment, _, _)| *moment = None);
    }
    dated.sort_unstable();
    Ok(dated.into_iter().map(|(_, _, document)| document).collect())
}

/// Measures what changed from version to version.
pub(super) fn versions<'w>(
    run: &Run<'_, 'w>,
    copies: &Copies,
    successions: &Sorted<'_, Version>,
    verified: &Sorted<'_, VerifiedPair>,
    texts: &Texts<'_>,
    facts: &Spool<'_>,
) -> Result<Sorted<'w, Version>, Error> {
    let versions = run.sorter("versions");
    run.each(successions.parts(), |part| -> Result<(), Error> {
        let mut writer = versions.writer();
        let mut measure = Measure::new(run, copies, verified, texts, facts);
        let mut last = None;
        for next in successions.part(part)? {
            let mut version = next?;
            let pair = measure.pair(version.previous, version.document)?;
            measure.forget();
            // The same text again is no version. A copy is measured as its leader, so the relation need not say it.
            if pair.relation == Relation::Identical || pair.reason == Reason::SameText {
                continue;
            }
            let number = last.filter(|(first, _)| *first == version.first).map_or(1, |(_, number)| number) + 1;
            last = Some((version.first, number));
            version.number = number;
            version.jaccard_bits = pair.jaccard.to_bits();
            let before = terms(texts, copies.stand_in(version.previous))?;
            let after = terms(texts, copies.stand_in(version.document))?;
            (version.words_added, version.words_removed) = changes(&before, &after);
            writer.push(version)?;
        }
        Ok(writer.finish()?)
    })?;
    Ok(run.sort(versions)?)
}

/// Returns the words of a text without boilerplate, as sorted hashes.
fn terms(texts: &Texts<'_>, document: u32) -> Result<Vec<u64>, StoreError> {
    let bytes = texts.told.get(document)?.expect("texts of all versions were kept");
    let told = Told::decode(&bytes);
    let mut terms = Vec::new();
    told.content.iter().for_each(|span| hash_terms(span.of(&told.text), &mut terms));
    terms.sort_unstable();
    Ok(terms)
}

/// Counts the terms that `after` has more often than `before`, and the other way round; both are sorted.
fn changes(before: &[u64], after: &[u64]) -> (u32, u32) {
    let (mut at, mut to, mut removed, mut added) = (0, 0, 0, 0);
    loop {
        match (before.get(at), after.get(to)) {
            (None, None) => return (added, removed),
            (one, other) => {
                let order = match (one, other) {
                    (Some(one), Some(other)) => one.cmp(other),
                    (Some(_), None) => Ordering::Less,
                    _ => Ordering::Greater,
                };
                at += usize::from(order.is_le());
                to += usize::from(order.is_ge());
                removed += u32::from(order.is_lt());
                added += u32::from(order.is_gt());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_counted_as_often_as_they_stand() {
        assert_eq!(changes(&[], &[]), (0, 0));
        assert_eq!(changes(&[1, 2, 2, 5], &[2, 3, 5, 5, 9]), (3, 2));
        assert_eq!(changes(&[7, 7], &[]), (0, 2));
        assert_eq!(changes(&[], &[7]), (1, 0));
    }

    #[test]
    fn a_record_is_what_it_was() {
        let version = Version {
            first: 1,
            number: 2,
            document: 3,
            previous: 4,
            words_added: 5,
            words_removed: 6,
            jaccard_bits: 0.25_f64.to_bits(),
        };
        let mut bytes = vec![0; Version::WIDTH];
        version.encode(&mut bytes);
        assert_eq!(Version::decode(&bytes), version);
    }
}
