//! Third pass: who meets whom, read again and verified.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::config::{Config, Verify};
use crate::corpus::{Told, decode_verdicts};
use crate::document::{DocumentId, Parsed, Span};
use crate::error::Error;
use crate::observe::Leg;
use crate::pipeline::company::{Meeting, companies};
use crate::pipeline::crew::Run;
use crate::pipeline::decide::Decided;
use crate::pipeline::judge::{Comparable, Judgment, same_batch};
use crate::pipeline::profiles::Profiles;
use crate::pipeline::read::Census;
use crate::pipeline::version::Version;
use crate::record::Record;
use crate::similarity::{
    CandidatePair, Components, Crowd, CrowdedPair, IdentityEntry, PrefixEntry, RankedShingle, VerifiedPair,
    bucket_pairs, posting_pairs, prefix_length, prefix_pairs,
};
use crate::store::{Sorted, Sorter, SorterWriter, Spool, SpoolWriter, StoreError};
use crate::text::segment;

/// Equal texts, collapsed.
#[derive(Debug)]
pub(super) struct Copies {
    /// The first document with this one's text without boilerplate; itself when it is that, or has no word.
    pub leader_of: Vec<u32>,
    /// Documents whose text as read is another than that of their leader: all others need no second look.
    pub differs: Bits,
    /// Leaders of two documents or more.
    pub leads: Bits,
    /// Leaders of one text, the second of each a reference, or apart by decision: they meet whatever their buckets hold.
    pub echoes: Vec<(u32, u32)>,
}

impl Copies {
    /// Returns the document whose text stands for that of this one: a copy that reads as its leader does is measured as its
    /// leader.
    pub(super) fn stand_in(&self, document: u32) -> u32 {
        if self.differs.has(document) { document } else { self.leader_of[document as usize] }
    }
}

/// One bit a document.
#[derive(Clone, Debug)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub(super) fn new(count: usize) -> Bits {
        Bits(vec![0; count.div_ceil(64)])
    }

    pub(super) fn set(&mut self, at: u32) {
        self.0[at as usize / 64] |= 1 << (at % 64);
    }

    pub(super) fn has(&self, at: u32) -> bool {
        self.0[at as usize / 64] >> (at % 64) & 1 == 1
    }
}

/// Finds equal texts. Where the settings restrict who is compared with whom nothing collapses: equal texts are pairs like
/// any other.
///
/// Documents and references collapse apart from each other, and what is different by decision collapses with nothing.
pub(super) fn copies(
    config: &Config,
    census: &Census<'_>,
    decided: &Decided,
    identities: &Sorted<'_, IdentityEntry>,
) -> Result<Copies, Error> {
    let documents = census.documents;
    let apart: HashSet<u32> = decided.of(false).flat_map(|(a, b)| [a, b]).collect();
    let mut copies = Copies {
        echoes: Vec::new(),
        leader_of: (0..documents).collect(),
        differs: Bits::new(documents as usize),
        leads: Bits::new(documents as usize),
    };
    if config.restricts_pairs() {
        return Ok(copies);
    }
    let mut leader: Option<IdentityEntry> = None;
    for entry in identities.iter()? {
        let entry = entry?;
        match leader {
            Some(first) if first.content == entry.content && apart.contains(&entry.item) => {
                copies.echoes.push((first.item, entry.item));
            }
            Some(first)
                if first.content == entry.content
                    && census.is_reference(entry.item)
                    && !census.is_reference(first.item) =>
            {
                copies.echoes.push((first.item, entry.item));
                leader = Some(entry);
            }
            Some(first) if first.content == entry.content => {
                copies.leader_of[entry.item as usize] = first.item;
                copies.leads.set(first.item);
                if first.raw != entry.raw {
                    copies.differs.set(entry.item);
                }
            }
            _ => leader = Some(entry),
        }
    }
    Ok(copies)
}

/// In a run of at most so many documents everyone meets everyone: exact, and a person sees which pair is closest.
const ALL_MEET: usize = 64;

/// Pairs worth verifying, in order, each once; and the groups that were too large to try all of their pairs.
pub(super) fn candidates<'w>(
    run: &Run<'_, 'w>,
    census: &Census<'_>,
    judgment: &Judgment<'_>,
    copies: &Copies,
    successions: &Sorted<'_, Version>,
) -> Result<(Sorted<'w, CandidatePair>, Crowds), Error> {
    let Some(comparable) = &judgment.comparable else {
        let crowds = run.workspace.kept("crowds")?.unwrap_or_default();
        return Ok((Sorted::resume(run.workspace, "candidates")?, crowds));
    };
    let met = run.sorter("met");
    let crowds = Mutex::new(Crowds::default());
    let meet = |crowd: Option<Crowd>| {
        if let Some(crowd) = crowd {
            crowds.lock().expect("no thread panicked here").add(crowd);
        }
    };
    let leads = |item: &u32| copies.leader_of[*item as usize] == *item;
    run.each(comparable.bands.parts(), |part| -> Result<(), StoreError> {
        let mut writer = met.writer();
        comparable.bands.for_each_group(part, |_, group| {
            push_all(&mut writer, |emit| {
                meet(bucket_pairs(&mut group.map(|entry| entry.item).filter(leads), emit));
            })
        })?;
        writer.finish()
    })?;
    run.each(comparable.samples.parts(), |part| -> Result<(), StoreError> {
        let mut writer = met.writer();
        comparable.samples.for_each_group(part, |_, group| {
            push_all(&mut writer, |emit| {
                meet(posting_pairs(&mut group.map(|entry| entry.item).filter(leads), emit));
            })
        })?;
        writer.finish()
    })?;
    if run.config.exact {
        exact_pairs(run, comparable, copies, &met)?;
    }
    let mut writer = met.writer();
    for (a, b) in &copies.echoes {
        writer.push(CandidatePair { a: *a, b: *b, samples: 2, crowded: false })?;
    }
    for version in successions.iter()? {
        let version = version?;
        let (a, b) = (copies.stand_in(version.previous), copies.stand_in(version.document));
        writer.push(CandidatePair { a: a.min(b), b: a.max(b), samples: 2, crowded: false })?;
    }
    writer.finish()?;
    if copies.leader_of.len() <= ALL_MEET {
        let mut writer = met.writer();
        let items = 0..copies.leader_of.len() as u32;
        for a in items.clone().filter(leads) {
            for b in items.clone().skip(a as usize + 1).filter(leads) {
                writer.push(CandidatePair { a, b, samples: 2, crowded: false })?;
            }
        }
        writer.finish()?;
    }
    let met = run.sort(met)?;
    let candidates = added_up(run, census, &met)?;
    drop(met);
    let mut crowds = crowds.into_inner().expect("no thread panicked here");
    crowds.merge(copies.leader_of.len(), &candidates)?;
    run.workspace.keep("crowds", &crowds);
    Ok((candidates, crowds))
}

/// Adds up what brought each pair together, and keeps those that are worth verifying: of large groups, the few of each
/// document that it met most often.
fn added_up<'w>(
    run: &Run<'_, 'w>,
    census: &Census<'_>,
    met: &Sorted<'_, CandidatePair>,
) -> Result<Sorted<'w, CandidatePair>, Error> {
    let candidates = run.sorter("candidates");
    let crowded = run.sorter("crowded");
    run.each(met.parts(), |part| -> Result<(), StoreError> {
        let mut writer = candidates.writer();
        let mut crowded_writer = crowded.writer();
        let mut sum: Option<CandidatePair> = None;
        let mut settle = |sum: Option<CandidatePair>| match sum {
            // References are matched with documents, not with each other.
            Some(pair)
                if pair.samples >= 2 && !census.is_reference(pair.a) && census.may_meet(run.config, pair.a, pair.b) =>
            {
                if pair.crowded {
                    crowded_writer.push(CrowdedPair::new(&pair))
                } else {
                    writer.push(pair)
                }
            }
            _ => Ok(()),
        };
        for pair in met.part(part)? {
            let pair = pair?;
            match &mut sum {
                Some(sum) if (sum.a, sum.b) == (pair.a, pair.b) => {
                    sum.samples = sum.samples.saturating_add(pair.samples);
                    sum.crowded &= pair.crowded;
                }
                _ => settle(sum.replace(pair))?,
            }
        }
        settle(sum)?;
        crowded_writer.finish()?;
        writer.finish()
    })?;
    let crowded = run.sort(crowded)?;
    run.each(crowded.parts(), |part| -> Result<(), StoreError> {
        let mut writer = candidates.writer();
        // An item's buckets and postings are few, and each gives it four pairs at most.
        let mut pairs = Vec::new();
        crowded.for_each_group(part, |_, group| {
            pairs.clear();
            pairs.extend(group);
            let chosen = CrowdedPair::choose(&mut pairs);
            pairs[..chosen].iter().try_for_each(|pair| writer.push(pair.candidate()))
        })?;
        writer.finish()
    })?;
    Ok(run.sort(candidates)?)
}

/// Groups of look-alikes that were too large to try all of their pairs: mostly the pages that one template makes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Crowds {
    /// The largest, by their leaders while they are collected, then one for each company of documents that met.
    pub largest: Vec<Crowd>,
    /// Pairs that were not tried, in every bucket and posting.
    pub left_out: u64,
}

impl Crowds {
    /// Groups that are remembered.
    const MOST: usize = 1000;

    fn add(&mut self, crowd: Crowd) {
        self.left_out += crowd.left_out;
        self.largest.push(crowd);
        if self.largest.len() >= 2 * Crowds::MOST {
            self.settle(|crowd| crowd.leader);
        }
    }

    /// Keeps the largest of those that `of` says are one, and of these the largest.
    fn settle(&mut self, mut of: impl FnMut(&Crowd) -> u32) {
        self.largest.sort_unstable_by_key(|crowd| (Reverse(crowd.items), crowd.leader, Reverse(crowd.left_out)));
        let mut seen = HashSet::new();
        self.largest.retain(|crowd| seen.insert(of(crowd)));
        self.largest.truncate(Crowds::MOST);
    }

    /// Makes one of those whose documents met over any number of steps.
    fn merge(&mut self, documents: usize, candidates: &Sorted<'_, CandidatePair>) -> Result<(), StoreError> {
        if self.largest.is_empty() {
            return Ok(());
        }
        let mut linked = Components::new(documents);
        for pair in candidates.iter()? {
            let pair = pair?;
            linked.join(pair.a, pair.b);
        }
        self.settle(|crowd| linked.root(crowd.leader));
        Ok(())
    }
}

/// Gives the candidates of the exact join: every pair whose similarity can reach the threshold.
fn exact_pairs<'w>(
    run: &Run<'_, 'w>,
    comparable: &Comparable<'_>,
    copies: &Copies,
    met: &Sorter<'w, CandidatePair>,
) -> Result<(), StoreError> {
    let threshold = run.config.threshold;
    let ranked = run.sorter("ranked");
    run.each(comparable.shingles.parts(), |part| -> Result<(), StoreError> {
        let mut writer = ranked.writer();
        comparable.shingles.for_each_group(part, |shingle, group| {
            let mut frequency = 0;
            group.by_ref().for_each(|_| frequency += 1);
            group.rewind();
            for entry in group.filter(|entry| copies.leader_of[entry.item as usize] == entry.item) {
                writer.push(RankedShingle { item: entry.item, frequency, shingle })?;
            }
            Ok::<(), StoreError>(())
        })?;
        writer.finish()
    })?;
    let ranked = run.sort(ranked)?;
    let prefixes = run.sorter("prefixes");
    run.each(ranked.parts(), |part| -> Result<(), StoreError> {
        let mut writer = prefixes.writer();
        ranked.for_each_group(part, |item, group| {
            let mut length = 0;
            group.by_ref().for_each(|_| length += 1);
            group.rewind();
            for entry in group.take(prefix_length(length, threshold)) {
                writer.push(PrefixEntry { shingle: entry.shingle, length: length as u32, item: item as u32 })?;
            }
            Ok::<(), StoreError>(())
        })?;
        writer.finish()
    })?;
    drop(ranked);
    let prefixes = run.sort(prefixes)?;
    run.each(prefixes.parts(), |part| -> Result<(), StoreError> {
        let mut writer = met.writer();
        prefixes.for_each_group(part, |_, group| {
            let posting: Vec<PrefixEntry> = group.collect();
            push_all(&mut writer, |emit| prefix_pairs(&posting, threshold, emit))
        })?;
        writer.finish()
    })
}

/// Pushes all that `give` emits, and returns the first error of a push.
fn push_all<R: Record>(
    writer: &mut SorterWriter<'_, '_, R>,
    give: impl FnOnce(&mut dyn FnMut(R)),
) -> Result<(), StoreError> {
    let mut pushed = Ok(());
    give(&mut |record| {
        if pushed.is_ok() {
            pushed = writer.push(record);
        }
    });
    pushed
}

/// Reads again the documents that are to be compared, and keeps their texts.
pub(super) fn told<'w>(
    run: &Run<'_, 'w>,
    census: &Census<'_>,
    judgment: &mut Judgment<'w>,
    wanted: &Wanted,
) -> Result<Texts<'w>, Error> {
    let sketches = judgment.sketches.take();
    if run.is_done("read again")? {
        return Ok(Texts { told: Spool::resume(run.workspace, "texts")?, sketches });
    }
    let texts = SpoolWriter::packing(run.workspace, "texts");
    if !wanted.any {
        return Ok(Texts { told: texts.finish()?, sketches });
    }
    let judgment = &*judgment;
    let mut batches = census.batches.iter();
    run.pass(
        Leg::Pair,
        None,
        |_, parsed: &mut Parsed| same_batch(batches.next(), parsed),
        || (),
        |(), base: DocumentId, parsed, ()| {
            let mut kept = Vec::new();
            for (number, document) in (base.0..).zip(parsed.documents) {
                if !wanted.documents.has(number) {
                    continue;
                }
                let removed = match judgment.verdicts.get(number)? {
                    Some(bytes) => decode_verdicts(&bytes),
                    None => Vec::new(),
                };
                let content = content(&document.text, removed.iter().filter(|one| one.removed).map(|one| one.span));
                let facts = judgment.facts.get(number)?.expect("every document has facts");
                let told = Told {
                    content,
                    headline: crate::corpus::Facts::decode(&facts).headline,
                    site: document.site,
                    date: document.date,
                    url: document.url,
                    text: document.text.into(),
                };
                kept.push((number, told.encode()));
            }
            Ok(texts.put(kept)?)
        },
        |()| Ok(()),
    )?;
    let told = texts.finish()?;
    run.done("read again")?;
    Ok(Texts { told, sketches })
}

/// What pairs are measured by.
pub(super) struct Texts<'w> {
    /// The texts that were read again.
    pub told: Spool<'w>,
    /// Sketches of all documents, which then stand for the texts.
    pub sketches: Option<Spool<'w>>,
}

/// Returns the blocks of a text that were not removed; `removed` are blocks of it, in order.
pub(super) fn content(text: &str, removed: impl Iterator<Item = Span>) -> Vec<Span> {
    let mut removed = removed.peekable();
    segment(text)
        .blocks
        .into_iter()
        .map(|block| block.span)
        .filter(|span| removed.next_if(|gone| gone.start <= span.start).is_none())
        .collect()
}

/// Verifies the candidates: what is similar, in order.
pub(super) fn verified<'w>(
    run: &Run<'_, 'w>,
    candidates: &Sorted<'_, CandidatePair>,
    wanted: Wanted,
    texts: &Texts<'_>,
) -> Result<Sorted<'w, VerifiedPair>, Error> {
    if run.is_done("verify")? {
        return Ok(Sorted::resume(run.workspace, "verified")?);
    }
    let meetings = if run.is_done("company")? {
        Sorted::resume(run.workspace, "meetings")?
    } else {
        let meetings = run.sorter("meetings");
        let company = wanted.company;
        run.each(candidates.parts(), |part| -> Result<(), StoreError> {
            let mut writer = meetings.writer();
            for pair in candidates.part(part)? {
                writer.push(Meeting::new(&pair?, &company))?;
            }
            writer.finish()
        })?;
        drop(company);
        run.sort(meetings)?
    };
    run.done("company")?;
    let verified = Sorter::resume(run.workspace, "verified")?;
    let verify_part = |profiles: &mut Profiles<'_>, part: usize| -> Result<(), Error> {
        let mut writer = verified.writer();
        for pair in meetings.part(part)? {
            if run.observer.stopped() {
                return Err(Error::Stopped);
            }
            let pair = pair?;
            writer.push(profiles.verify(pair.a, pair.b)?)?;
        }
        Ok(writer.finish()?)
    };
    let profiles = || Profiles::new(run, texts);
    run.each_kept("parts verified", meetings.parts(), profiles, verify_part, &|| Ok(verified.seal()?))?;
    let verified = run.sort(verified)?;
    drop(meetings);
    run.done("verify")?;
    Ok(verified)
}

/// What candidates and copies ask for.
#[derive(Debug)]
pub(super) struct Wanted {
    /// The documents that have to be read again.
    pub documents: Bits,
    /// Whether there is any.
    pub any: bool,
    /// For every document the first one of its company.
    company: Vec<u32>,
}

/// Returns the documents that candidates and copies make it necessary to read again.
pub(super) fn wanted(
    config: &Config,
    documents: u32,
    candidates: &Sorted<'_, CandidatePair>,
    copies: &Copies,
    decided: &Decided,
    successions: &Sorted<'_, Version>,
) -> Result<Wanted, StoreError> {
    let mut wanted = Bits::new(documents as usize);
    for version in successions.iter()? {
        let version = version?;
        wanted.set(copies.stand_in(version.previous));
        wanted.set(copies.stand_in(version.document));
    }
    if config.verify == Verify::Sketch {
        // Only the changes of versions are counted in the texts.
        let any = wanted.0.iter().any(|bits| *bits != 0);
        return Ok(Wanted { documents: wanted, any, company: (0..documents).collect() });
    }
    for document in decided.pairs.keys().flat_map(|(a, b)| [*a, *b]) {
        wanted.set(document);
        wanted.set(copies.leader_of[document as usize]);
    }
    for pair in candidates.iter()? {
        let pair = pair?;
        wanted.set(pair.a);
        wanted.set(pair.b);
    }
    for (document, leader) in (0..).zip(&copies.leader_of) {
        if copies.differs.has(document) {
            wanted.set(document);
            wanted.set(*leader);
        }
    }
    let any = wanted.0.iter().any(|bits| *bits != 0);
    let company = companies(documents, candidates)?;
    Ok(Wanted { documents: wanted, any, company })
}
