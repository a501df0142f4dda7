//! Verified pairs → clusters, the copy to keep, and the pairs to list.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::cluster::{Copy, LookAlikes, Member, choose, split};
use crate::config::Config;
use crate::corpus::Facts;
use crate::error::Error;
use crate::pipeline::crew::Run;
use crate::pipeline::judge::Judgment;
use crate::pipeline::pair::{ComponentPair, Copies, Profiles};
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
    /// Bits of the similarity to the representative; none for the representative.
    pub similarity: Option<u64>,
}

impl Record for Membership {
    const WIDTH: usize = 31;

    fn encode(&self, out: &mut [u8]) {
        let numbers = [self.document, self.first, self.representative, self.size, self.kept];
        for (number, out) in numbers.iter().zip(out[..20].chunks_exact_mut(4)) {
            out.copy_from_slice(&number.to_le_bytes());
        }
        out[20] = u8::from(self.keep);
        out[21] = self.relation as u8;
        out[22] = u8::from(self.similarity.is_some());
        out[23..31].copy_from_slice(&self.similarity.unwrap_or(0).to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> Membership {
        let number = |at: usize| u32::from_le_bytes(bytes[4 * at..4 * at + 4].try_into().expect("four bytes"));
        let similarity = u64::from_le_bytes(bytes[23..31].try_into().expect("eight bytes"));
        Membership {
            document: number(0),
            first: number(1),
            representative: number(2),
            size: number(3),
            kept: number(4),
            keep: bytes[20] == 1,
            relation: Relation::from_number(bytes[21]),
            similarity: (bytes[22] == 1).then_some(similarity),
        }
    }

    fn key(&self) -> u64 {
        u64::from(self.document)
    }
}

/// Clusters of the run.
#[derive(Debug)]
pub(super) struct Grouping<'w> {
    /// Every document of a cluster of two or more.
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
    verified: &Sorted<'_, VerifiedPair>,
    texts: &Spool<'_>,
) -> Result<Grouping<'w>, Error> {
    let config = run.config;
    let representative_of = representatives(run, census, judgment, copies, verified, texts)?;
    let clusters = clusters(&representative_of);

    let memberships = run.sorter("memberships");
    let pairs = run.sorter("pairs");
    let with_leader = AtomicU64::new(0);
    // Pairs between clusters, and of documents alone, as they were verified.
    run.each(verified.parts(), |part| -> Result<(), StoreError> {
        let mut writer = pairs.writer();
        for pair in verified.part(part)? {
            let pair = pair?;
            let joined = representative_of[pair.a as usize] == representative_of[pair.b as usize];
            if pair.listed || joined {
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
        let mut measure = Measure { copies, verified, profiles: Profiles::new(run, texts), known: HashMap::new() };
        for cluster in at * slice..((at + 1) * slice).min(clusters.len()) {
            if run.observer.stopped() {
                return Err(Error::Stopped);
            }
            let members = clusters.members(cluster);
            let representative = representative_of[members[0] as usize];
            let kept = keeper(config, judgment, census, representative, members)?;
            measure.known.clear();
            for document in members {
                let mut relation = Relation::Identical;
                let mut similarity = None;
                if *document != representative {
                    let pair = measure.pair(representative, *document)?;
                    similarity = Some(pair.jaccard.to_bits());
                    relation = if pair.a == *document { pair.relation } else { pair.relation.reversed() };
                }
                membership_writer.push(Membership {
                    document: *document,
                    first: members[0],
                    representative,
                    size: members.len() as u32,
                    kept: kept.unwrap_or(*document),
                    keep: kept == Some(*document),
                    relation,
                    similarity,
                })?;
            }
            if members.len() <= ALL_PAIRS {
                for (at, a) in members.iter().enumerate() {
                    for b in members[at + 1..].iter().filter(|b| census.may_meet(config, *a, **b)) {
                        let pair = measure.pair(*a, *b)?;
                        if pair.listed || pair.joins || [*a, *b].contains(&representative) {
                            pair_writer.push(settled(pair, true))?;
                        }
                    }
                }
            } else {
                with_leader.fetch_add(members.len() as u64 - 1, Ordering::Relaxed);
                for b in members.iter().filter(|document| **document != representative) {
                    pair_writer.push(settled(measure.pair(representative, *b)?, true))?;
                }
            }
        }
        membership_writer.finish()?;
        Ok(pair_writer.finish()?)
    })?;
    Ok(Grouping {
        memberships: run.sort(memberships)?,
        pairs: run.sort(pairs)?,
        representative_of,
        clusters,
        with_leader: with_leader.into_inner(),
    })
}

/// Returns the pair as it is published, once it is known whether its two are in one cluster.
fn settled(mut pair: VerifiedPair, joined: bool) -> VerifiedPair {
    if pair.joins && !joined {
        // Each is nearer to another representative: the far ends of a chain.
        pair.relation = if pair.relation == Relation::Near { Relation::Related } else { pair.relation };
        pair.reason = Reason::OtherCluster;
    }
    pair.joins = joined;
    pair
}

/// Splits every component by leaders, and returns the representative of every document.
fn representatives(
    run: &Run<'_, '_>,
    census: &Census<'_>,
    judgment: &Judgment<'_>,
    copies: &Copies,
    verified: &Sorted<'_, VerifiedPair>,
    texts: &Spool<'_>,
) -> Result<Vec<u32>, Error> {
    let documents = copies.leader_of.len();
    let mut look_alikes = LookAlikes::new(documents);
    for pair in verified.iter()? {
        look_alikes.count(&pair?);
    }
    let mut components = Components::new(documents);
    for pair in verified.iter()? {
        let pair = look_alikes.confirmed(pair?);
        if pair.joins {
            components.join(pair.a, pair.b);
        }
    }
    let roots = components.into_roots();
    let by_component = run.sorter("components");
    run.each(verified.parts(), |part| -> Result<(), StoreError> {
        let mut writer = by_component.writer();
        for pair in verified.part(part)? {
            let pair = look_alikes.confirmed(pair?);
            let root = roots[pair.a as usize];
            if root == roots[pair.b as usize] {
                writer.push(ComponentPair { root, pair })?;
            }
        }
        writer.finish()
    })?;
    let by_component = run.sort(by_component)?;
    drop(roots);
    let representative_of: Vec<AtomicU32> = copies.leader_of.iter().map(|leader| AtomicU32::new(*leader)).collect();
    run.each(by_component.parts(), |part| -> Result<(), Error> {
        let mut profiles = Profiles::new(run, texts);
        let mut pairs = by_component.part(part)?.peekable();
        let mut component: Vec<VerifiedPair> = Vec::new();
        while let Some(first) = pairs.next() {
            let first = first?;
            component.clear();
            component.push(first.pair);
            while let Some(next) = pairs.next_if(|next| next.as_ref().map_or(true, |next| next.root == first.root)) {
                component.push(next?.pair);
            }
            let mut members: Vec<u32> = component.iter().flat_map(|pair| [pair.a, pair.b]).collect();
            members.sort_unstable();
            members.dedup();
            let members: Vec<Member> = members
                .into_iter()
                .map(|item| Member { item, content_words: judgment.content_words[item as usize] })
                .collect();
            let mut failed = None;
            let split = split(&members, &component, &mut |a, b| match profiles.verify(a, b) {
                Ok(pair) if !census.may_meet(run.config, a, b) => VerifiedPair::apart(pair.a, pair.b),
                Ok(pair) => pair,
                Err(error) => {
                    failed = Some(error);
                    VerifiedPair::apart(a.min(b), a.max(b))
                }
            });
            if let Some(error) = failed {
                return Err(error.into());
            }
            for cluster in split {
                for member in cluster.members {
                    representative_of[member as usize].store(cluster.representative, Ordering::Relaxed);
                }
            }
        }
        Ok(())
    })?;
    let mut representative_of: Vec<u32> = representative_of.into_iter().map(AtomicU32::into_inner).collect();
    for document in 0..documents {
        let leader = copies.leader_of[document] as usize;
        representative_of[document] = representative_of[leader];
    }
    Ok(representative_of)
}

/// Lists the clusters of two documents or more in the order of their first members.
fn clusters(representative_of: &[u32]) -> Clusters {
    let mut sizes = vec![0_u32; representative_of.len()];
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

/// Chooses the member that `dedup` keeps.
fn keeper(
    config: &Config,
    judgment: &Judgment<'_>,
    census: &Census<'_>,
    representative: u32,
    members: &[u32],
) -> Result<Option<u32>, StoreError> {
    let mut copies = Vec::with_capacity(members.len());
    for document in members {
        copies.push(facts_as_copy(config, judgment, census, *document)?);
    }
    Ok(choose(config, representative, &copies).kept)
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
struct Measure<'a> {
    copies: &'a Copies,
    verified: &'a Sorted<'a, VerifiedPair>,
    profiles: Profiles<'a>,
    known: HashMap<(u32, u32), VerifiedPair>,
}

/// Pairs that are remembered while a cluster is measured: all of a cluster that lists all.
const KNOWN: usize = ALL_PAIRS * ALL_PAIRS;

impl Measure<'_> {
    fn pair(&mut self, one: u32, other: u32) -> Result<VerifiedPair, StoreError> {
        // A copy that reads as its leader does is measured as its leader.
        let stand_in = |document: u32| {
            if self.copies.differs.has(document) { document } else { self.copies.leader_of[document as usize] }
        };
        let (a, b) = (one.min(other), one.max(other));
        let (x, y) = (stand_in(a), stand_in(b));
        let mut pair = if x == y {
            VerifiedPair::identical(a, b)
        } else {
            let key = (x.min(y), x.max(y));
            match self.known.get(&key) {
                Some(pair) => *pair,
                None => {
                    // Most pairs of a cluster were candidates: to look one up costs less than to measure it again.
                    let place = u64::from(key.0) << 32 | u64::from(key.1);
                    let pair = match self.verified.range(&(place..=place))?.next().transpose()? {
                        Some(pair) => pair,
                        None => self.profiles.verify(key.0, key.1)?,
                    };
                    if self.known.len() < KNOWN {
                        self.known.insert(key, pair);
                    }
                    pair
                }
            }
        };
        if pair.a == y && x != y {
            pair = pair.reversed();
        }
        (pair.a, pair.b) = (a, b);
        Ok(pair)
    }
}
