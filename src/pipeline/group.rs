//! Verified pairs → clusters, the copy to keep, and the pairs to list.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::address::canonical;
use crate::cluster::{Cluster, Copy, LookAlikes, Member, choose, correct, is_round_up};
use crate::config::Config;
use crate::corpus::Facts;
use crate::error::Error;
use crate::pipeline::component::representatives;
use crate::pipeline::crew::Run;
use crate::pipeline::decide::Decided;
use crate::pipeline::judge::Judgment;
use crate::pipeline::pair::{Copies, Texts};
use crate::pipeline::profiles::Profiles;
use crate::pipeline::read::Census;
use crate::record::Record;
use crate::similarity::{Components, Reason, Relation, VerifiedPair};
use crate::store::{Sorted, Spool, StoreError};

/// A document of a cluster of two or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Membership {
    pub document: u32,
    /// The first document of the cluster.
    pub first: u32,
    pub representative: u32,
    pub size: u32,
    /// The document that `dedup` keeps for it; itself when it is kept, or when none is.
    pub kept: u32,
    pub keep: bool,
    pub relation: Relation,
    /// Bits of the similarity to the representative, or to the reference; none for the representative.
    pub similarity: Option<u64>,
    /// The reference that the document repeats.
    pub reference: Option<u32>,
}

impl Record for Membership {
    const WIDTH: usize = 35;

    fn encode(&self, out: &mut [u8]) {
        let numbers = [self.document, self.first, self.representative, self.size, self.kept];
        for (number, out) in numbers.iter().zip(out[..20].chunks_exact_mut(4)) {
            out.copy_from_slice(&number.to_le_bytes());
        }
        out[20] = u8::from(self.keep);
        out[21] = self.relation as u8;
        out[22] = u8::from(self.similarity.is_some());
        out[23..31].copy_from_slice(&self.similarity.unwrap_or(0).to_le_bytes());
        out[31..35].copy_from_slice(&self.reference.unwrap_or(u32::MAX).to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> Membership {
        let number = |at: usize| u32::from_le_bytes(bytes[4 * at..4 * at + 4].try_into().expect("four bytes"));
        let similarity = u64::from_le_bytes(bytes[23..31].try_into().expect("eight bytes"));
        let reference = u32::from_le_bytes(bytes[31..35].try_into().expect("four bytes"));
        Membership {
            document: number(0),
            first: number(1),
            representative: number(2),
            size: number(3),
            kept: number(4),
            keep: bytes[20] == 1,
            relation: Relation::from_number(bytes[21]),
            similarity: (bytes[22] == 1).then_some(similarity),
            // A number that no document has: there are fewer.
            reference: (reference != u32::MAX).then_some(reference),
        }
    }

    fn key(&self) -> u64 {
        u64::from(self.document)
    }
}

/// Clusters of the run.
#[derive(Debug)]
pub(super) struct Grouping<'w> {
    /// Every document of a cluster of two or more, and those alone that repeat a reference or are dropped by decision.
    pub memberships: Sorted<'w, Membership>,
    /// Pairs to list, in order; equal ones may follow each other.
    pub pairs: Sorted<'w, VerifiedPair>,
    /// The representative of every document, itself when it is alone.
    pub representative_of: Vec<u32>,
    /// Clusters in the order of their first members: first member and representative, then members, by offsets.
    pub clusters: Clusters,
    /// Copies listed with their leader only.
    pub with_leader: u64,
}

/// Members of all clusters of two or more, in one list.
#[derive(Debug, Default)]
pub(super) struct Clusters {
    members: Vec<u32>,
    starts: Vec<usize>,
}

impl Clusters {
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Members of one cluster, in order.
    pub(super) fn members(&self, at: usize) -> &[u32] {
        let end = self.starts.get(at + 1).copied().unwrap_or(self.members.len());
        &self.members[self.starts[at]..end]
    }

    pub(super) fn documents(&self) -> u64 {
        self.members.len() as u64
    }
}

/// Clusters up to this size list all their pairs; larger ones list each member with its representative.
const ALL_PAIRS: usize = 64;

/// Groups what was verified.
pub(super) fn group<'w>(
    run: &Run<'_, 'w>,
    census: &Census<'_>,
    judgment: &Judgment<'_>,
    copies: &Copies,
    decided: &Decided,
    verified: &Sorted<'_, VerifiedPair>,
    texts: &Texts<'_>,
) -> Result<Grouping<'w>, Error> {
    let config = run.config;
    let mut look_alikes = LookAlikes::new(copies.leader_of.len());
    for pair in verified.iter()? {
        look_alikes.count(&pair?);
    }
    let measure = || Measure::new(run, copies, verified, texts, &judgment.facts);
    let mut representative_of = representatives(run, census, judgment, copies, &look_alikes, verified, texts)?;
    follow(&mut representative_of, census, judgment, decided, &mut measure())?;
    let repeats = Repeats::find(config, census, judgment, copies, decided, &look_alikes, verified, &mut measure())?;
    let clusters = clusters(&representative_of, census.own);
    let settled = |pair: VerifiedPair, joined: bool| settled(pair, joined, decided);
    // Decided pairs are measured whole and listed last.
    let undecided = |pair: &VerifiedPair| decided.pair(pair.a, pair.b).is_none();

    let memberships = run.sorter("memberships");
    let pairs = run.sorter("pairs");
    let with_leader = AtomicU64::new(0);
    // Pairs between clusters, and of documents alone, as they were verified.
    run.each(verified.parts(), |part| -> Result<(), StoreError> {
        let mut writer = pairs.writer();
        for pair in verified.part(part)? {
            let pair = pair?;
            let (pair, joined) = if census.is_reference(pair.b) {
                let pair = look_alikes.confirmed(pair);
                (pair, repeats.joins(pair, decided))
            } else {
                (pair, representative_of[pair.a as usize] == representative_of[pair.b as usize])
            };
            if (pair.listed || joined) && undecided(&pair) {
                writer.push(settled(pair, joined))?;
            }
        }
        writer.finish()
    })?;
    // Clusters are handed out in slices, so that a thread's writers and profiles serve many.
    let slice = clusters.len().div_ceil(4 * run.workspace.threads()).max(1);
    run.each(clusters.len().div_ceil(slice), |at| -> Result<(), Error> {
        let mut membership_writer = memberships.writer();
        let mut pair_writer = pairs.writer();
        let mut measure = measure();
        for cluster in at * slice..((at + 1) * slice).min(clusters.len()) {
            if run.observer.stopped() {
                return Err(Error::Stopped);
            }
            let members = clusters.members(cluster);
            let representative = representative_of[members[0] as usize];
            measure.forget();
            let mut references = Vec::with_capacity(members.len());
            let mates = repeats.of_cluster(members);
            for document in members {
                let found = repeats.of(*document, &mates, &mut |a, b| measure.pair(a, b))?;
                if let Some(pair) = found.filter(undecided) {
                    pair_writer.push(settled(pair, true))?;
                }
                references.push(found);
            }
            let free: Vec<u32> = members
                .iter()
                .zip(&references)
                .filter(|(member, found)| found.is_none() || decided.copy(**member).is_some())
                .map(|(member, _)| *member)
                .collect();
            let kept = keeper(config, judgment, census, decided, representative, &free)?;
            let first_kept = kept.items.first().copied();
            let lists_all = members.len() <= ALL_PAIRS;
            for (document, found) in members.iter().zip(&references) {
                if run.observer.stopped() {
                    return Err(Error::Stopped);
                }
                let mut relation = Relation::Identical;
                let mut similarity = None;
                if *document != representative {
                    let pair = measure.pair(representative, *document)?;
                    if !lists_all && undecided(&pair) {
                        pair_writer.push(settled(pair, true))?;
                    }
                    let pair = settled(pair, true);
                    similarity = Some(pair.jaccard.to_bits());
                    relation = if pair.a == *document { pair.relation } else { pair.relation.reversed() };
                }
                if let Some(pair) = found {
                    similarity = Some(pair.jaccard.to_bits());
                    relation = pair.relation;
                }
                membership_writer.push(Membership {
                    document: *document,
                    first: members[0],
                    representative,
                    size: members.len() as u32,
                    kept: first_kept.unwrap_or(*document),
                    keep: kept.items.contains(document),
                    relation,
                    similarity,
                    reference: found.map(|pair| pair.b),
                })?;
            }
            if lists_all {
                for (at, a) in members.iter().enumerate() {
                    for b in members[at + 1..].iter().filter(|b| census.may_meet(config, *a, **b)) {
                        let pair = measure.pair(*a, *b)?;
                        let is_listed = pair.listed || pair.joins || [*a, *b].contains(&representative);
                        if is_listed && undecided(&pair) {
                            pair_writer.push(settled(pair, true))?;
                        }
                    }
                }
            } else {
                with_leader.fetch_add(members.len() as u64 - 1, Ordering::Relaxed);
            }
        }
        membership_writer.finish()?;
        Ok(pair_writer.finish()?)
    })?;
    let (mut membership_writer, mut pair_writer) = (memberships.writer(), pairs.writer());
    let mut measure = measure();
    let mut alone: BTreeSet<u32> = repeats.documents().chain(decided.copies.keys().copied()).collect();
    if !alone.is_empty() {
        let clustered: HashSet<u32> = clusters.members.iter().copied().collect();
        alone.retain(|document| !clustered.contains(document) && !census.is_reference(*document));
    }
    for document in alone {
        let found = repeats.of(document, &[], &mut |a, b| measure.pair(a, b))?;
        if let Some(pair) = found.filter(undecided) {
            pair_writer.push(settled(pair, true))?;
        }
        let keep = decided.copy(document).map_or(found.is_none(), |(keep, _)| keep);
        membership_writer.push(Membership {
            document,
            first: document,
            representative: document,
            size: 1,
            kept: document,
            keep,
            relation: found.map_or(Relation::Identical, |pair| pair.relation),
            similarity: found.map(|pair| pair.jaccard.to_bits()),
            reference: found.map(|pair| pair.b),
        })?;
    }
    for (a, b) in decided.pairs.keys().copied().filter(|(a, _)| !census.is_reference(*a)) {
        let joined = match census.is_reference(b) {
            true => decided.pair(a, b).is_some_and(|(same, _)| same),
            false => representative_of[a as usize] == representative_of[b as usize],
        };
        let mut pair = measure.pair(a, b)?;
        measure.profiles.complete(copies.stand_in(a), copies.stand_in(b), &mut pair)?;
        pair_writer.push(settled(pair, joined))?;
    }
    membership_writer.finish()?;
    pair_writer.finish()?;
    Ok(Grouping {
        memberships: run.sort(memberships)?,
        pairs: run.sort(pairs)?,
        representative_of,
        clusters,
        with_leader: with_leader.into_inner(),
    })
}

/// Returns the pair as it is published, once it is known whether its two are in one cluster.
fn settled(mut pair: VerifiedPair, joined: bool, decided: &Decided) -> VerifiedPair {
    if let Some((same, _)) = decided.pair(pair.a, pair.b) {
        // The relation is what the measures say; near are only those that are together.
        if pair.relation == Relation::Near && !same {
            pair.relation = Relation::Related;
        }
        pair.listed = true;
    } else if pair.joins && !joined {
        // Each is nearer to another representative: the far ends of a chain.
        pair.relation = if pair.relation == Relation::Near { Relation::Related } else { pair.relation };
        pair.reason = Reason::OtherCluster;
    }
    pair.joins = joined;
    pair
}

/// Joins and parts clusters as people decided.
fn follow(
    representative_of: &mut [u32],
    census: &Census<'_>,
    judgment: &Judgment<'_>,
    decided: &Decided,
    measure: &mut Measure<'_>,
) -> Result<(), Error> {
    let own = |pair: &(u32, u32)| !census.is_reference(pair.1);
    let same: Vec<(u32, u32)> = decided.of(true).filter(own).collect();
    let different: Vec<(u32, u32)> = decided.of(false).filter(own).collect();
    let mut held: BTreeMap<u32, Vec<u32>> = same
        .iter()
        .chain(&different)
        .flat_map(|(a, b)| [*a, *b])
        .map(|at| (representative_of[at as usize], Vec::new()))
        .collect();
    if held.is_empty() {
        return Ok(());
    }
    for (document, representative) in (0..).zip(representative_of.iter()) {
        if let Some(members) = held.get_mut(representative) {
            members.push(document);
        }
    }
    let places: Vec<u32> = held.keys().copied().collect();
    let place = |at: u32| places.binary_search(&representative_of[at as usize]).expect("its cluster is held") as u32;
    let mut components = Components::new(places.len());
    for (a, b) in &same {
        components.join(place(*a), place(*b));
    }
    let roots = components.into_roots();
    let mut pools: BTreeMap<u32, Vec<Cluster>> = BTreeMap::new();
    for ((representative, members), root) in held.into_iter().zip(roots) {
        pools.entry(root).or_default().push(Cluster { representative, members });
    }
    let words = |document: u32| judgment.content_words[document as usize];
    let mut corrected = Vec::new();
    for pool in pools.values() {
        let mut failed = None;
        corrected.extend(correct(pool, &same, &different, &words, &mut |a, b| {
            measure.pair(a, b).unwrap_or_else(|error| {
                failed = Some(error);
                VerifiedPair::apart(a, b)
            })
        }));
        measure.forget();
        if let Some(error) = failed {
            return Err(error.into());
        }
    }
    for cluster in corrected {
        for member in cluster.members {
            representative_of[member as usize] = cluster.representative;
        }
    }
    Ok(())
}

/// What documents repeat of the references.
struct Repeats<'a> {
    config: &'a Config,
    census: &'a Census<'a>,
    copies: &'a Copies,
    decided: &'a Decided,
    look_alikes: &'a LookAlikes,
    /// The reference most like a document that was verified against some.
    best: HashMap<u32, VerifiedPair>,
    /// Documents of the same text, by that one.
    copies_of: HashMap<u32, Vec<u32>>,
    /// Documents that tell several references, and therefore repeat none.
    round_ups: HashSet<u32>,
}

/// References that a cluster's members repeat, with which its other members are compared too: a large bucket pairs its
/// members with their leader alone.
const CLUSTER_REFERENCES: usize = 16;

impl<'a> Repeats<'a> {
    #[allow(clippy::too_many_arguments, reason = "all that is known by then")]
    fn find(
        config: &'a Config,
        census: &'a Census<'a>,
        judgment: &Judgment<'_>,
        copies: &'a Copies,
        decided: &'a Decided,
        look_alikes: &'a LookAlikes,
        verified: &Sorted<'_, VerifiedPair>,
        measure: &mut Measure<'_>,
    ) -> Result<Repeats<'a>, Error> {
        let mut repeats = Repeats {
            config,
            census,
            copies,
            decided,
            look_alikes,
            best: HashMap::new(),
            copies_of: HashMap::new(),
            round_ups: HashSet::new(),
        };
        if census.own == census.documents {
            return Ok(repeats);
        }
        // Pairs come in the order of their documents: those of one stand together.
        let mut contained: Vec<Member> = Vec::new();
        let mut pairs = verified.iter()?.peekable();
        while let Some(pair) = pairs.next() {
            let pair = pair?;
            if census.is_reference(pair.b) && repeats.joins(look_alikes.confirmed(pair), decided) {
                repeats.offer(pair);
                if pair.relation == Relation::Contains {
                    let content_words = judgment.content_words[pair.b as usize];
                    contained.push(Member { item: pair.b, content_words });
                }
            }
            let is_last = pairs.peek().is_none_or(|next| next.as_ref().map_or(true, |next| next.a != pair.a));
            if is_last {
                if contained.len() > 1 && is_round_up(&contained, &mut |a, b| measure.pair(a, b))? {
                    repeats.best.remove(&pair.a);
                    repeats.round_ups.insert(pair.a);
                }
                contained.clear();
                measure.forget();
            }
        }
        for (a, b) in decided.of(true).filter(|(a, b)| census.is_reference(*b) && !census.is_reference(*a)) {
            // Above every measure: it is what people say that the document repeats.
            repeats.best.insert(a, VerifiedPair { told: f64::INFINITY, ..VerifiedPair::identical(a, b) });
        }
        for (document, leader) in (0..census.own).zip(&copies.leader_of) {
            if document != *leader && repeats.best.contains_key(leader) {
                repeats.copies_of.entry(*leader).or_default().push(document);
            }
        }
        Ok(repeats)
    }

    /// Returns whether a document repeats a reference, which no cluster decides.
    fn joins(&self, pair: VerifiedPair, decided: &Decided) -> bool {
        decided.pair(pair.a, pair.b).map_or(pair.joins, |(same, _)| same)
    }

    fn offer(&mut self, pair: VerifiedPair) {
        let best = self.best.entry(pair.a).or_insert(pair);
        let rank = |pair: &VerifiedPair| (pair.told.to_bits(), pair.jaccard.to_bits(), Reverse(pair.b));
        if rank(&pair) > rank(best) {
            *best = pair;
        }
    }

    /// Returns every document that is known to repeat a reference by itself.
    fn documents(&self) -> impl Iterator<Item = u32> + '_ {
        self.best.keys().copied().chain(self.copies_of.values().flatten().copied())
    }

    fn known(&self, document: u32) -> Option<&VerifiedPair> {
        self.best.get(&document).or_else(|| self.best.get(&self.copies.leader_of[document as usize]))
    }

    /// Returns the references that members of a cluster repeat, the first few.
    fn of_cluster(&self, members: &[u32]) -> Vec<u32> {
        if self.best.is_empty() {
            return Vec::new();
        }
        let found: BTreeSet<u32> = members.iter().filter_map(|member| self.known(*member)).map(|pair| pair.b).collect();
        found.into_iter().take(CLUSTER_REFERENCES).collect()
    }

    /// Returns the pair of a document and the reference that it repeats, if it does; `mates` are references that others of
    /// its cluster repeat.
    fn of(
        &self,
        document: u32,
        mates: &[u32],
        measure: &mut dyn FnMut(u32, u32) -> Result<VerifiedPair, StoreError>,
    ) -> Result<Option<VerifiedPair>, StoreError> {
        if let Some(pair) = self.known(document) {
            // A decision about one copy is none about another.
            if pair.a == document || pair.told.is_finite() {
                let pair = measure(document, pair.b)?;
                if self.joins(pair, self.decided) {
                    return Ok(Some(pair));
                }
            }
        }
        if self.round_ups.contains(&self.copies.leader_of[document as usize]) {
            return Ok(None);
        }
        let mut best: Option<VerifiedPair> = None;
        for reference in mates {
            let pair = measure(document, *reference)?;
            let may_meet = self.census.may_meet(self.config, document, *reference);
            let joins = may_meet && self.joins(self.look_alikes.confirmed(pair), self.decided);
            if joins && best.is_none_or(|best| (pair.told, pair.jaccard) > (best.told, best.jaccard)) {
                best = Some(pair);
            }
        }
        Ok(best)
    }
}

/// Lists the clusters of two documents or more in the order of their first members.
fn clusters(representative_of: &[u32], own: u32) -> Clusters {
    let mut sizes = vec![0_u32; representative_of.len()];
    // References that are copies of each other stand behind the documents, and are nobody's cluster.
    let representative_of = &representative_of[..own as usize];
    for representative in representative_of {
        sizes[*representative as usize] += 1;
    }
    // Members by cluster: the cluster's place is taken when its first member is met.
    let mut starts = Vec::new();
    let mut cursor_of: HashMap<u32, usize> = HashMap::new();
    let mut total = 0;
    for representative in representative_of {
        let size = sizes[*representative as usize] as usize;
        if size > 1 && !cursor_of.contains_key(representative) {
            cursor_of.insert(*representative, total);
            starts.push(total);
            total += size;
        }
    }
    drop(sizes);
    let mut members = vec![0; total];
    for (document, representative) in (0..).zip(representative_of) {
        if let Some(cursor) = cursor_of.get_mut(representative) {
            members[*cursor] = document;
            *cursor += 1;
        }
    }
    Clusters { members, starts }
}

/// What `dedup` keeps of a cluster, and why.
pub(super) struct Kept {
    /// The copies: one, unless people decided otherwise.
    pub items: Vec<u32>,
    /// Why these, in words.
    pub reason: String,
}

/// Chooses what `dedup` keeps of the members that repeat no reference: what people decided, else by the policy.
pub(super) fn keeper(
    config: &Config,
    judgment: &Judgment<'_>,
    census: &Census<'_>,
    decided: &Decided,
    representative: u32,
    members: &[u32],
) -> Result<Kept, StoreError> {
    let line = |line: u32| config.decisions.line(line);
    let kept = |member: &u32| decided.copy(*member).filter(|(keep, _)| *keep);
    if let Some((_, first)) = members.iter().find_map(kept) {
        let items = members.iter().copied().filter(|member| kept(member).is_some()).collect();
        return Ok(Kept { items, reason: line(first) });
    }
    let mut copies = Vec::with_capacity(members.len());
    let mut dropped = None;
    for document in members {
        match decided.copy(*document) {
            Some((_, line)) => dropped = Some(line),
            None => copies.push(facts_as_copy(config, judgment, census, *document)?),
        }
    }
    if copies.is_empty() {
        let reason = match dropped {
            Some(number) => format!("none is kept: {}", line(number)),
            None => "none is kept: each repeats a reference".to_owned(),
        };
        return Ok(Kept { items: Vec::new(), reason });
    }
    let choice = choose(config, representative, &copies);
    Ok(Kept { items: choice.kept.into_iter().collect(), reason: choice.reason })
}

/// What the choice of a keeper needs of a document.
pub(super) fn facts_as_copy(
    config: &Config,
    judgment: &Judgment<'_>,
    census: &Census<'_>,
    document: u32,
) -> Result<Copy, StoreError> {
    let needs_date = matches!(config.keep, crate::config::Keep::Earliest | crate::config::Keep::Latest);
    let date =
        if needs_date { judgment.facts.get(document)?.and_then(|bytes| Facts::decode(&bytes).date) } else { None };
    let site = census.site_of[document as usize];
    Ok(Copy {
        item: document,
        content_words: judgment.content_words[document as usize],
        date,
        site: (site != 0).then(|| census.sites[site as usize].name.clone()),
    })
}

/// Measures pairs of one cluster's documents, copies among them, each once.
pub(super) struct Measure<'a> {
    copies: &'a Copies,
    verified: &'a Sorted<'a, VerifiedPair>,
    profiles: Profiles<'a>,
    facts: &'a Spool<'a>,
    known: HashMap<(u32, u32), VerifiedPair>,
}

/// Pairs that are remembered while a cluster is measured: all of a cluster that lists all.
const KNOWN: usize = ALL_PAIRS * ALL_PAIRS;

impl<'a> Measure<'a> {
    pub(super) fn new(
        run: &'a Run<'_, '_>,
        copies: &'a Copies,
        verified: &'a Sorted<'a, VerifiedPair>,
        texts: &'a Texts<'a>,
        facts: &'a Spool<'a>,
    ) -> Measure<'a> {
        Measure { copies, verified, profiles: Profiles::new(run, texts), facts, known: HashMap::new() }
    }

    /// Returns the canonical address of a document.
    fn address(&self, document: u32) -> Result<Option<String>, StoreError> {
        let facts = self.facts.get(document)?.expect("every document has facts");
        Ok(Facts::decode(&facts).url.as_deref().and_then(canonical))
    }

    /// Forgets what was measured: another cluster follows.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    pub(super) fn pair(&mut self, one: u32, other: u32) -> Result<VerifiedPair, StoreError> {
        let (a, b) = (one.min(other), one.max(other));
        let (x, y) = (self.copies.stand_in(a), self.copies.stand_in(b));
        let mut pair = if x == y {
            VerifiedPair::identical(a, b)
        } else {
            let key = (x.min(y), x.max(y));
            match self.known.get(&key) {
                Some(pair) => *pair,
                None => {
                    // Most pairs of a cluster were candidates: where they lie in memory, to look one up costs less than to
                    // measure it again.
                    let place = u64::from(key.0) << 32 | u64::from(key.1);
                    let pair = match self.verified.held(place).and_then(<[_]>::first) {
                        Some(pair) => *pair,
                        None => self.profiles.verify(key.0, key.1)?,
                    };
                    if self.known.len() < KNOWN {
                        self.known.insert(key, pair);
                    }
                    pair
                }
            }
        };
        // A copy is measured as its leader, whose address may be another.
        if (x, y) != (a, b) && pair.relation != Relation::Identical {
            let address = self.address(a)?;
            if address.is_some() && address == self.address(b)? {
                if pair.reason != Reason::SameText {
                    self.profiles.complete(x, y, &mut pair)?;
                    (pair.relation, pair.listed) = (Relation::Version, true);
                }
            } else if pair.relation == Relation::Version {
                pair = self.profiles.compare(x, y)?;
            }
        }
        if pair.a == y && x != y {
            pair = pair.reversed();
        }
        (pair.a, pair.b) = (a, b);
        Ok(pair)
    }
}
