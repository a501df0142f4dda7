//! Second pass: blocks judged, and what is left made comparable.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::boilerplate::{
    BlockTerms, BoilerplateKind, Counted, Evidence, Headline, HeadlineSource, Judge, Judged, KindSet, Page, Repetition,
    Verdict,
};
use crate::config::{Config, Shingle, Verify};
use crate::corpus::{Facts, KeptVerdict, encode_verdicts};
use crate::document::{Document, DocumentId, Parsed, Span};
use crate::error::Error;
use crate::hash::{hash128, mix64};
use crate::headlines::terms as headline_terms;
use crate::observe::Leg;
use crate::output::{BlockRow, Example, KindCount, Sink};
use crate::pipeline::crew::Run;
use crate::pipeline::pair::content;
use crate::pipeline::read::Census;
use crate::pipeline::repeat::Repeats;
use crate::pipeline::suggest::{Block as Suggested, Seen, Suggesting};
use crate::pipeline::version::AddressEntry;
use crate::record::Record;
use crate::similarity::{
    BandEntry, Banding, IdentityEntry, MOST_ROWS, SampleEntry, Sampler, ShingleSet, Sketched, Sketcher, hash_shingles,
    identity, is_remnant,
};
use crate::store::{Sorted, Sorter, SorterWriter, Spool, SpoolWriter, StoreError};
use crate::text::{Segments, hash_characters, hash_terms, segment};

/// What the second pass made.
#[derive(Debug)]
pub(super) struct Judgment<'w> {
    /// What is known of every document.
    pub facts: Spool<'w>,
    /// The verdicts of every document that has any.
    pub verdicts: Spool<'w>,
    /// Every document with a word, by the identity of its text.
    pub identities: Sorted<'w, IdentityEntry>,
    /// What candidates are found by, until they are found.
    pub comparable: Option<Comparable<'w>>,
    /// The sketch of every document with a word, when pairs are measured by them.
    pub sketches: Option<Spool<'w>>,
    /// Documents by their addresses.
    pub addresses: Sorted<'w, AddressEntry>,
    /// Headlines by the hash of what they are compared as.
    pub headlines: Sorted<'w, HeadlineEntry>,
    /// Words without boilerplate, of every document.
    pub content_words: Vec<u32>,
    /// The figures.
    pub totals: Totals,
    /// What became of the blocks that may be suggested as rules.
    pub seen: Seen,
    /// Words and figures, for a process that goes on with the run.
    _journal: Spool<'w>,
}

/// What makes documents meet: most of what a run keeps on disk.
#[derive(Debug)]
pub(super) struct Comparable<'w> {
    /// Signatures' bands.
    pub bands: Sorted<'w, BandEntry>,
    /// Sampled shingles.
    pub samples: Sorted<'w, SampleEntry>,
    /// All shingles, for the exact join; empty unless it is asked for.
    pub shingles: Sorted<'w, SampleEntry>,
}

impl Comparable<'_> {
    /// Returns how many records there are.
    pub(super) fn len(&self) -> u64 {
        self.bands.len() + self.samples.len() + self.shingles.len()
    }
}

/// What the journal of this pass holds: the words of the documents since the checkpoint before, and the figures so far.
#[derive(Serialize, Deserialize)]
struct Checked {
    content_words: Vec<u32>,
    totals: Totals,
    /// What became since then of the blocks that may be suggested.
    seen: Seen,
    /// Bytes of the table of blocks.
    table_bytes: u64,
}

/// The width of a sampled shingle, in words. Measured on reprints: with five words and one in eight, 0.996 of the true
/// pairs share two samples at 81 records a document; three words find as many and meet seven times the strangers.
const SAMPLE_WORDS: usize = 5;
/// One shingle of so many is sampled.
pub(super) const SAMPLE_SCALE: u64 = 8;
/// Recall of the bands at the threshold: verification restores precision, nothing restores a pair that never met.
const BAND_RECALL: f64 = 0.98;

/// Returns the banding that the settings ask for.
pub(super) fn banding(config: &Config) -> Banding {
    Banding::for_threshold(config.threshold, BAND_RECALL)
}

/// A document by its headline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct HeadlineEntry {
    pub headline: u64,
    pub document: u32,
}

impl Record for HeadlineEntry {
    const WIDTH: usize = 12;

    fn encode(&self, out: &mut [u8]) {
        out[..8].copy_from_slice(&self.headline.to_le_bytes());
        out[8..12].copy_from_slice(&self.document.to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> HeadlineEntry {
        HeadlineEntry {
            headline: u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")),
            document: u32::from_le_bytes(bytes[8..12].try_into().expect("four bytes")),
        }
    }

    fn key(&self) -> u64 {
        self.headline
    }
}

/// Figures added up over documents.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Totals {
    pub empty: u64,
    pub words: u64,
    pub removed_words: u64,
    pub text_bytes: u64,
    pub withheld: u64,
    /// Documents with words of which none are left.
    pub emptied: u64,
    /// Words and removed words by site number.
    pub by_site: HashMap<u32, (u64, u64)>,
    kinds: BTreeMap<BoilerplateKind, KindTotal>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct KindTotal {
    blocks: u64,
    words: u64,
    documents: u64,
    /// The first one met, by document.
    first: Option<(u32, Example)>,
}

impl Totals {
    fn merge(&mut self, other: Totals) {
        self.empty += other.empty;
        self.words += other.words;
        self.removed_words += other.removed_words;
        self.text_bytes += other.text_bytes;
        self.withheld += other.withheld;
        self.emptied += other.emptied;
        for (site, (words, removed)) in other.by_site {
            let total = self.by_site.entry(site).or_default();
            total.0 += words;
            total.1 += removed;
        }
        for (kind, more) in other.kinds {
            let total = self.kinds.entry(kind).or_default();
            total.blocks += more.blocks;
            total.words += more.words;
            total.documents += more.documents;
            let earlier = match (&total.first, &more.first) {
                (Some((mine, _)), Some((theirs, _))) => theirs < mine,
                (mine, _) => mine.is_none(),
            };
            if earlier {
                total.first = more.first;
            }
        }
    }

    /// Returns the kinds found, the most frequent first.
    pub(super) fn kind_counts(&self, config: &Config) -> Vec<KindCount> {
        let mut counts: Vec<KindCount> = self
            .kinds
            .iter()
            .map(|(kind, total)| KindCount {
                kind: kind.name().to_owned(),
                blocks: total.blocks,
                words: total.words,
                documents: total.documents,
                removed: config.remove.has(*kind),
                example: total.first.as_ref().map(|(_, example)| example.clone()),
            })
            .collect();
        counts.sort_by_key(|count| std::cmp::Reverse(count.blocks));
        counts
    }
}

/// What every thread uses and none changes.
struct Bench<'a> {
    config: &'a Config,
    census: &'a Census<'a>,
    site_clusters: &'a [u32],
    judge: Judge,
    banding: Banding,
    sketcher: Sketcher,
    sampler: Sampler,
    suggesting: Option<&'a Suggesting>,
    sink: Option<&'a dyn Sink>,
}

/// One thread's own things.
struct Worker<'s, 'w> {
    identities: SorterWriter<'s, 'w, IdentityEntry>,
    bands: SorterWriter<'s, 'w, BandEntry>,
    samples: SorterWriter<'s, 'w, SampleEntry>,
    shingles: SorterWriter<'s, 'w, SampleEntry>,
    headlines: SorterWriter<'s, 'w, HeadlineEntry>,
    addresses: SorterWriter<'s, 'w, AddressEntry>,
    totals: Totals,
    seen: Seen,
    /// Sketches of the documents at hand.
    sketches: Vec<(u32, Vec<u8>)>,
    /// Room for the rows of the documents to come.
    bytes: Vec<u8>,
    terms: Vec<u64>,
    /// Those of the text as read.
    raw: Vec<u64>,
    characters: Vec<u64>,
    shingles_here: Vec<u64>,
}

/// What the checkpoints of this pass have written down.
#[derive(Default)]
struct Register {
    content_words: Vec<u32>,
    seen: Seen,
    /// Documents whose words are in the journal.
    written: usize,
    entries: u32,
}

/// Judges all documents, or goes on where another process stood; `repeats` says what repeats, unless that one was done.
pub(super) fn judge<'w>(
    run: &Run<'_, 'w>,
    census: &Census<'_>,
    repeats: Option<&Repeats<'_>>,
    suggesting: Option<&Suggesting>,
    sink: Option<&dyn Sink>,
) -> Result<Judgment<'w>, Error> {
    let config = run.config;
    let journal = SpoolWriter::resume(run.workspace, "judged")?;
    let (mut register, mut totals, mut table_bytes) = (Register::default(), Totals::default(), 0);
    for (_, bytes) in journal.strings()? {
        let checked: Checked = serde_json::from_slice(&bytes).expect("a journal is kept as it was");
        register.content_words.extend(checked.content_words);
        register.entries += 1;
        totals = checked.totals;
        register.seen.merge(checked.seen);
        table_bytes = checked.table_bytes;
    }
    register.written = register.content_words.len();
    if run.is_done("judge")? {
        run.recall_pass(Leg::Judge)?;
        let comparable = if run.is_done("meet")? {
            run.workspace.forget(&["bands", "samples", "shingles"]);
            None
        } else {
            Some(Comparable {
                bands: Sorted::resume(run.workspace, "bands")?,
                samples: Sorted::resume(run.workspace, "samples")?,
                shingles: Sorted::resume(run.workspace, "shingles")?,
            })
        };
        return Ok(Judgment {
            facts: Spool::resume(run.workspace, "facts")?,
            verdicts: Spool::resume(run.workspace, "verdicts")?,
            sketches: match config.verify {
                Verify::Exact => None,
                Verify::Sketch => Some(Spool::resume(run.workspace, "sketches")?),
            },
            identities: Sorted::resume(run.workspace, "identities")?,
            comparable,
            headlines: Sorted::resume(run.workspace, "headlines")?,
            addresses: Sorted::resume(run.workspace, "addresses")?,
            content_words: register.content_words,
            totals,
            seen: register.seen,
            _journal: journal.finish()?,
        });
    }
    let banding = banding(config);
    let bench = Bench {
        config,
        census,
        site_clusters: repeats.map_or(&[], |repeats| &repeats.site_clusters),
        judge: Judge::new(config),
        banding,
        // Bands are the first rows of a longer signature as well.
        sketcher: Sketcher::new(match config.verify {
            Verify::Exact => banding.signature_rows(),
            Verify::Sketch => MOST_ROWS,
        }),
        sampler: Sampler { scale: SAMPLE_SCALE },
        suggesting,
        sink,
    };
    let facts = SpoolWriter::resume(run.workspace, "facts")?;
    let verdicts = SpoolWriter::resume(run.workspace, "verdicts")?;
    let sketches = match config.verify {
        Verify::Exact => None,
        Verify::Sketch => Some(SpoolWriter::resume(run.workspace, "sketches")?),
    };
    let identities = Sorter::resume(run.workspace, "identities")?;
    let bands = Sorter::resume(run.workspace, "bands")?;
    let samples = Sorter::resume(run.workspace, "samples")?;
    let shingles = Sorter::resume(run.workspace, "shingles")?;
    let headlines = Sorter::resume(run.workspace, "headlines")?;
    let addresses = Sorter::resume(run.workspace, "addresses")?;
    let totals = Mutex::new(totals);
    let seen = Mutex::new(Seen::default());
    let content_words: Mutex<Vec<(u32, Vec<u32>)>> = Mutex::new(Vec::new());
    let first = register.content_words.len() as u32;
    let in_order = InOrder::new(sink, first);
    if let Some(sink) = sink {
        sink.rewind(table_bytes)?;
    }
    let mut counted = match repeats.and_then(|repeats| repeats.counted.as_ref()) {
        Some(all) => {
            let first = Counted { document: first, block: 0, near: false, counts: [0; 5] };
            Some(all.range(&(first.key()..=u64::MAX))?.peekable())
        }
        None => None,
    };
    let mut batches = census.batches[run.batches_done(Leg::Judge)?..].iter();
    let register = Mutex::new(register);
    // Puts what threads left in no order behind what is in order already.
    let settle = |register: &mut Register| {
        let mut words = std::mem::take(&mut *content_words.lock().expect("no thread panicked here"));
        words.sort_unstable_by_key(|(base, _)| *base);
        register.content_words.extend(words.into_iter().flat_map(|(_, words)| words));
        // Returned without the texts that are known already.
        let mut seen = std::mem::take(&mut *seen.lock().expect("no thread panicked here"));
        seen.forget_texts(&register.seen);
        register.seen.merge(seen.clone());
        seen
    };
    let keep = || -> Result<(), Error> {
        let mut register = register.lock().expect("no thread panicked here");
        let seen = settle(&mut register);
        let table_bytes = sink.map_or(Ok(0), Sink::seal)?;
        let totals = totals.lock().expect("no thread panicked here").clone();
        let content_words = register.content_words[register.written..].to_vec();
        let checked = Checked { content_words, totals, seen, table_bytes };
        journal.put(vec![(register.entries, serde_json::to_vec(&checked).expect("figures have string keys"))])?;
        register.entries += 1;
        register.written = register.content_words.len();
        journal.seal()?;
        facts.seal()?;
        verdicts.seal()?;
        sketches.as_ref().map_or(Ok(()), SpoolWriter::seal)?;
        identities.seal()?;
        bands.seal()?;
        samples.seal()?;
        shingles.seal()?;
        headlines.seal()?;
        Ok(addresses.seal()?)
    };
    run.pass(
        Leg::Judge,
        Some(&keep),
        |base, parsed: &mut Parsed| {
            same_batch(batches.next(), parsed)?;
            let end = base.0 + parsed.documents.len() as u32;
            let mut here: Vec<Counted> = Vec::new();
            if let Some(counted) = &mut counted {
                while let Some(next) = counted.next_if(|next| next.as_ref().map_or(true, |next| next.document < end)) {
                    here.push(next?);
                }
            }
            Ok(here)
        },
        || Worker {
            identities: identities.writer(),
            bands: bands.writer(),
            samples: samples.writer(),
            shingles: shingles.writer(),
            headlines: headlines.writer(),
            addresses: addresses.writer(),
            totals: Totals::default(),
            seen: Seen::default(),
            sketches: Vec::new(),
            bytes: Vec::new(),
            terms: Vec::new(),
            raw: Vec::new(),
            characters: Vec::new(),
            shingles_here: Vec::new(),
        },
        |worker, base: DocumentId, parsed, counted: Vec<Counted>| {
            let mut bytes = std::mem::take(&mut worker.bytes);
            let mut all_facts = Vec::with_capacity(parsed.documents.len());
            let mut all_verdicts = Vec::new();
            let mut all_words = Vec::with_capacity(parsed.documents.len());
            let count = parsed.documents.len() as u32;
            let mut counted = counted.as_slice();
            for (number, mut document) in (base.0..).zip(parsed.documents) {
                if let Some(repeat) = census.repeated_ids.get(&number) {
                    document.id = format!("{}#{repeat}", document.id);
                }
                let here = counted.partition_point(|next| next.document == number);
                let (own, rest) = counted.split_at(here);
                counted = rest;
                let done = bench.document(worker, number, &document, own)?;
                all_words.push(u32::try_from(done.facts.content_words).unwrap_or(u32::MAX));
                all_facts.push((number, done.facts.encode()));
                if !done.verdicts.is_empty() {
                    all_verdicts.push((number, encode_verdicts(&done.verdicts)));
                }
                if let Some(sink) = bench.sink {
                    sink.encode(&done.rows, &mut bytes);
                }
            }
            facts.put(all_facts)?;
            verdicts.put(all_verdicts)?;
            if let Some(sketches) = &sketches {
                sketches.put(std::mem::take(&mut worker.sketches))?;
            }
            content_words.lock().expect("no thread panicked here").push((base.0, all_words));
            worker.bytes = in_order.write(base.0, count, bytes)?;
            Ok(())
        },
        |worker: Worker<'_, '_>| {
            worker.identities.finish()?;
            worker.bands.finish()?;
            worker.samples.finish()?;
            worker.shingles.finish()?;
            worker.headlines.finish()?;
            worker.addresses.finish()?;
            totals.lock().expect("no thread panicked here").merge(worker.totals);
            seen.lock().expect("no thread panicked here").merge(worker.seen);
            Ok(())
        },
    )?;
    let mut register = register.into_inner().expect("no thread panicked here");
    settle(&mut register);
    let judgment = Judgment {
        facts: facts.finish()?,
        verdicts: verdicts.finish()?,
        sketches: sketches.map(SpoolWriter::finish).transpose()?,
        identities: run.sort(identities)?,
        comparable: Some(Comparable {
            bands: run.sort(bands)?,
            samples: run.sort(samples)?,
            shingles: run.sort(shingles)?,
        }),
        headlines: run.sort(headlines)?,
        addresses: run.sort(addresses)?,
        content_words: register.content_words,
        totals: totals.into_inner().expect("no thread panicked here"),
        seen: register.seen,
        _journal: journal.finish()?,
    };
    run.done("judge")?;
    Ok(judgment)
}

/// Checks that a batch is the one that the first pass met.
pub(super) fn same_batch(before: Option<&(u64, u32)>, now: &Parsed) -> Result<(), Error> {
    if before == Some(&(now.digest, now.documents.len() as u32)) {
        return Ok(());
    }
    let what = match now.documents.first() {
        Some(document) => format!("`{}` near row {} is not what it was", document.source, document.row),
        None => "a part without documents is not what it was".to_owned(),
    };
    Err(Error::Changed { what })
}

/// A document judged.
struct Done<'d> {
    facts: Facts,
    verdicts: Vec<KeptVerdict>,
    /// Its rows of the table of blocks.
    rows: Vec<BlockRow<'d>>,
}

impl Bench<'_> {
    fn document<'d>(
        &self,
        worker: &mut Worker<'_, '_>,
        number: u32,
        document: &'d Document,
        counted: &[Counted],
    ) -> Result<Done<'d>, StoreError> {
        let text = &document.text;
        let site = self.census.site_of[number as usize];
        let segments = segment(text);
        let (repetition, judged) = self.judged(document, site, &segments, counted);
        let is_reference = self.census.is_reference(number);
        let (mut verdicts, mut rows) = (Vec::new(), Vec::with_capacity(segments.blocks.len()));
        worker.terms.clear();
        let mut raw = std::mem::take(&mut worker.raw);
        raw.clear();
        let mut removed_words = 0;
        let mut kinds = KindSet::none();
        for (at, (block, verdict)) in segments.blocks.iter().zip(&judged.verdicts).enumerate() {
            let removed = verdict.is_removed(self.config.remove);
            let before = raw.len();
            match judged.terms.of(at) {
                Some(terms) => raw.extend_from_slice(terms),
                None => hash_terms(block.span.of(text), &mut raw),
            }
            let words = (raw.len() - before) as u64;
            if removed {
                removed_words += words;
            } else {
                worker.terms.extend_from_slice(&raw[before..]);
            }
            if let Some(suggesting) = self.suggesting.filter(|_| repetition[at].documents > 1) {
                let text = block.span.of(text);
                let kind = verdict.kind.filter(|_| removed);
                let suggested = Suggested { place: (number, at as u32), site, text, terms: &raw[before..], kind };
                suggesting.meet(&suggested, &mut worker.seen);
            }
            // The table and what is kept say the same to the last digit, so that `--from` applies what judging anew would.
            let score = (verdict.score * f64::from(u16::MAX)).round() as u16;
            if let Some(kind) = verdict.kind {
                verdicts.push(KeptVerdict {
                    span: block.span,
                    kind: BoilerplateKind::ALL.iter().position(|one| *one == kind).expect("listed") as u8,
                    removed,
                    score,
                });
                if !is_reference {
                    kinds = kinds.with(kind);
                    worker.totals.count_kind(kind, words, number, document, block.span, block.line);
                }
            }
            let told = verdict.kind.is_some() || verdict.evidence.rule.is_some() || self.config.all_blocks;
            if self.sink.is_some() && !is_reference && told {
                let counts = repetition.get(at).copied().unwrap_or_default();
                rows.push(BlockRow {
                    id: Cow::Borrowed(&document.id),
                    start: block.span.start as u64,
                    end: block.span.end as u64,
                    start_char: 0,
                    end_char: 0,
                    line: u64::from(block.line),
                    kind: verdict.kind.map(|kind| Cow::Borrowed(kind.name())),
                    score: f64::from(score) / f64::from(u16::MAX),
                    removed,
                    evidence_documents: counts.documents,
                    evidence_sites: counts.sites,
                    evidence_clusters: counts.clusters,
                    evidence_cue: verdict.evidence.cue.map(Cow::Borrowed),
                    evidence_rule: verdict.evidence.rule.map(|rule| rule.line),
                    evidence_place: Cow::Borrowed(verdict.evidence.place.name()),
                    text: Cow::Borrowed(block.span.of(text)),
                });
            }
        }
        worker.totals.count_documents(kinds.kinds());
        count_chars(text, &mut rows);
        let words = raw.len() as u64;
        let content_words = words - removed_words;
        if !is_reference {
            worker.totals.empty += u64::from(words == 0);
            worker.totals.words += words;
            worker.totals.removed_words += removed_words;
            worker.totals.text_bytes += text.len() as u64;
            worker.totals.withheld += u64::from(judged.withheld);
            worker.totals.emptied += u64::from(words > 0 && content_words == 0);
            let of_site = worker.totals.by_site.entry(site).or_default();
            of_site.0 += words;
            of_site.1 += removed_words;
        }
        if content_words > 0 {
            self.compare(worker, number, document, &verdicts, &raw)?;
            if let Some(entry) = AddressEntry::new(document.url.as_deref(), number) {
                worker.addresses.push(entry)?;
            }
        }
        if let Some(headline) = judged.headline.as_ref().filter(|_| !is_reference) {
            let key = headline_terms(&headline.text, document.site.as_deref());
            if !key.is_empty() {
                worker.headlines.push(HeadlineEntry { headline: identity(&key) as u64, document: number })?;
            }
        }
        let facts = Facts {
            id: document.id.clone(),
            source: document.source.to_string(),
            row: document.row,
            url: document.url.clone(),
            site: document.site.clone(),
            date: document.date.clone(),
            headline: judged.headline.as_ref().map(|headline| headline.text.clone()),
            headline_source: judged.headline.as_ref().map(|headline| headline.source.name().to_owned()),
            lang: judged.lang.map(str::to_owned),
            words,
            content_words,
            text_hash: hash128(text.as_bytes()),
        };
        worker.raw = raw;
        Ok(Done { facts, verdicts, rows })
    }

    fn judged(
        &self,
        document: &Document,
        site: u32,
        segments: &Segments,
        counted: &[Counted],
    ) -> (Vec<Repetition>, Judged) {
        let mut repetition = vec![Repetition::default(); segments.blocks.len()];
        for one in counted {
            repetition[one.block as usize].or_more(one.repetition());
        }
        let known = site != 0;
        let page = Page {
            text: &document.text,
            segments,
            title: document.title.as_deref(),
            repetition: &repetition,
            site_documents: if known { self.census.sites[site as usize].documents } else { 0 },
            site_clusters: if known { self.site_clusters.get(site as usize).copied().unwrap_or(0) } else { 0 },
        };
        let mut judged = if self.config.boilerplate { self.judge.judge(&page) } else { unjudged(&page) };
        if let Some(rules) = self.config.rules.as_deref().filter(|_| self.config.boilerplate) {
            rules.overrule(&document.text, document.site.as_deref(), &segments.blocks, &mut judged);
        }
        (repetition, judged)
    }

    /// Makes a document comparable: its identity, its bands, its samples.
    fn compare(
        &self,
        worker: &mut Worker<'_, '_>,
        number: u32,
        document: &Document,
        verdicts: &[KeptVerdict],
        raw: &[u64],
    ) -> Result<(), StoreError> {
        // Documents of different values share no key, so that they never meet.
        let salt = match self.census.within(number) {
            0 => 0,
            value => mix64(u64::from(value)),
        };
        // Pages of which next to nothing is left are not one text because that little is.
        let remnant = is_remnant(worker.terms.len(), raw.len());
        worker.identities.push(IdentityEntry {
            content: identity(if remnant { raw } else { &worker.terms }) ^ u128::from(salt),
            item: number,
            raw: identity(raw) as u64,
        })?;
        worker.shingles_here.clear();
        match self.config.shingle {
            Shingle::Words(width) => hash_shingles(&worker.terms, width, &mut worker.shingles_here),
            Shingle::Chars(width) => {
                worker.characters.clear();
                let removed = verdicts.iter().filter(|one| one.removed).map(|one| one.span);
                for span in content(&document.text, removed) {
                    hash_characters(span.of(&document.text), &mut worker.characters);
                }
                hash_shingles(&worker.characters, width, &mut worker.shingles_here);
            }
        }
        if self.config.verify == Verify::Sketch
            && let Some(sketched) = self.sketched(worker, document, raw)
        {
            worker.sketches.push((number, sketched.encode()));
        }
        if self.config.exact {
            for hash in ShingleSet::from_hashes(worker.shingles_here.clone()).hashes() {
                worker.shingles.push(SampleEntry { key: *hash ^ salt, item: number })?;
            }
        } else if let Some(signature) = self.sketcher.sketch(&worker.shingles_here) {
            for key in self.banding.keys(&signature) {
                worker.bands.push(BandEntry { key: key ^ salt, item: number })?;
            }
        }
        // Sampled first, so that an eighth is sorted.
        worker.shingles_here.clear();
        hash_shingles(&worker.terms, SAMPLE_WORDS, &mut worker.shingles_here);
        worker.shingles_here.retain(|hash| self.sampler.takes(*hash));
        worker.shingles_here.sort_unstable();
        worker.shingles_here.dedup();
        for hash in &worker.shingles_here {
            worker.samples.push(SampleEntry { key: mix64(*hash) ^ salt, item: number })?;
        }
        Ok(())
    }
}

impl Bench<'_> {
    /// Sketches a document whose shingles without boilerplate are at hand; `raw` are the terms of the text as read.
    fn sketched(&self, worker: &mut Worker<'_, '_>, document: &Document, raw: &[u64]) -> Option<Sketched> {
        let mut hashes = Vec::new();
        match self.config.shingle {
            Shingle::Words(width) => hash_shingles(raw, width, &mut hashes),
            Shingle::Chars(width) => {
                worker.characters.clear();
                hash_characters(&document.text, &mut worker.characters);
                hash_shingles(&worker.characters, width, &mut hashes);
            }
        }
        let content = self.sketcher.sketch(&worker.shingles_here)?;
        let raw = self.sketcher.sketch(&hashes)?;
        Some(Sketched {
            content,
            raw,
            shingles: ShingleSet::from_hashes(worker.shingles_here.clone()).len() as u32,
            fingerprint: identity(&worker.terms),
            address: AddressEntry::new(document.url.as_deref(), 0).map(|entry| entry.address),
        })
    }
}

/// Words up to which the first block is taken for a headline where nothing is judged.
const HEADLINE_WORDS: usize = 30;

/// What is said of a page whose blocks are not judged: its title, or its first line when that is short, is the headline.
fn unjudged(page: &Page<'_>) -> Judged {
    let first = page.segments.blocks.first().map(|block| block.span.of(page.text));
    let headline = match (page.title, first) {
        (Some(title), _) => Some(Headline { text: title.to_owned(), source: HeadlineSource::Title, block: None }),
        (None, Some(first)) if first.split_whitespace().nth(HEADLINE_WORDS).is_none() && !first.ends_with('.') => {
            Some(Headline { text: first.to_owned(), source: HeadlineSource::Text, block: Some(0) })
        }
        _ => None,
    };
    let content = Verdict { kind: None, score: 0.0, evidence: Evidence::default() };
    Judged {
        headline,
        lang: None,
        verdicts: vec![content; page.segments.blocks.len()],
        withheld: false,
        terms: BlockTerms::default(),
    }
}

/// Fills in the places of rows in code points: one walk over the text for all of them.
fn count_chars(text: &str, rows: &mut [BlockRow<'_>]) {
    let (mut byte, mut chars) = (0, 0);
    let mut advance = |to: u64| {
        let to = to as usize;
        chars += text[byte..to].chars().count() as u64;
        byte = to;
        chars
    };
    for row in rows {
        row.start_char = advance(row.start);
        row.end_char = advance(row.end);
    }
}

/// Examples are cut to so many characters.
const EXAMPLE_CHARS: usize = 200;

impl Totals {
    fn count_kind(
        &mut self,
        kind: BoilerplateKind,
        words: u64,
        number: u32,
        document: &Document,
        span: Span,
        line: u32,
    ) {
        let total = self.kinds.entry(kind).or_default();
        total.blocks += 1;
        total.words += words;
        // The last document counted for the kind is this one when it has several such blocks.
        if total.first.as_ref().is_none_or(|(first, _)| number < *first) {
            let text = span.of(&document.text).chars().take(EXAMPLE_CHARS).collect();
            total.first = Some((number, Example { id: document.id.clone(), line: u64::from(line), text }));
        }
    }

    fn count_documents(&mut self, kinds: impl Iterator<Item = BoilerplateKind>) {
        for kind in kinds {
            self.kinds.entry(kind).or_default().documents += 1;
        }
    }
}

/// Hands bytes to the sink in document order, whatever order they are made in.
struct InOrder<'a> {
    sink: Option<&'a dyn Sink>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    next: u32,
    parts: BTreeMap<u32, (u32, Vec<u8>)>,
}

impl<'a> InOrder<'a> {
    fn new(sink: Option<&'a dyn Sink>, first: u32) -> InOrder<'a> {
        InOrder { sink, waiting: Mutex::new(Waiting { next: first, ..Waiting::default() }) }
    }

    /// Takes the bytes of documents `base..base + count`, and returns room for those of others: what has been written.
    fn write(&self, base: u32, count: u32, bytes: Vec<u8>) -> Result<Vec<u8>, Error> {
        let Some(sink) = self.sink else { return Ok(bytes) };
        let mut waiting = self.waiting.lock().expect("no thread panicked here");
        if count > 0 {
            waiting.parts.insert(base, (count, bytes));
        }
        let mut next = waiting.next;
        let mut room = Vec::new();
        while let Some((count, bytes)) = waiting.parts.remove(&next) {
            sink.write(&bytes)?;
            next += count;
            room = bytes;
        }
        waiting.next = next;
        room.clear();
        room.shrink_to(ROOM_BYTES);
        Ok(room)
    }
}

/// Bytes of room for rows that are kept: those of a batch of pages as they come; one of few and very long pages takes more.
const ROOM_BYTES: usize = 4 << 20;
