//! What a finished scan gives: rows in order, the summary, and decisions for cleaned copies.

use std::collections::{BTreeMap, HashSet};

use crate::address::canonical;
use crate::boilerplate::{BoilerplateKind, Recurrence};
use crate::config::Config;
use crate::corpus::{Facts, decode_verdicts};
use crate::document::Skipped;
use crate::error::Error;
use crate::evidence::{EvidenceWriter, OnSite};
use crate::output::{
    ClusterRow, CrowdCount, Decision, DocumentRow, DroppedDocument, HeadlineRow, PairRow, ReferenceRow, RemovedBlock,
    Role, SiteCount, StageFacts, Suggestion, Summary, VersionRow, dropped_because,
};
use crate::pipeline::decide::Decided;
use crate::pipeline::group::{Grouping, Membership, keeper};
use crate::pipeline::judge::Judgment;
use crate::pipeline::read::Census;
use crate::pipeline::version::Version;
use crate::similarity::{Crowd, Reason, VerifiedPair};
use crate::store::{Sorted, Spool};

/// Groups of look-alikes that the summary names.
const CROWDS: usize = 100;

/// A finished scan: every table, row by row in order, and the summary.
#[derive(Debug)]
pub struct Scan<'w> {
    pub(super) config: Config,
    pub(super) census: Census<'w>,
    pub(super) judgment: Judgment<'w>,
    pub(super) grouping: Grouping<'w>,
    pub(super) versions: Sorted<'w, Version>,
    pub(super) decided: Decided,
    pub(super) headlines: Vec<HeadlineRow>,
    pub(super) suggested: Vec<Suggestion>,
    pub(super) taught: Option<Taught<'w>>,
    pub(super) summary: Summary,
    pub(super) timings: Vec<StageFacts>,
}

/// What the run counted, to be saved.
#[derive(Debug)]
pub(super) struct Taught<'w> {
    /// Near-duplicate clusters of every site, by its number.
    pub site_clusters: Vec<u32>,
    /// Every block and template that stands in two documents or more.
    pub recurrences: Sorted<'w, Recurrence>,
    /// The clusters, for a process that goes on with the run.
    pub _journal: Option<Spool<'w>>,
}

impl Scan<'_> {
    /// Returns the blocks that repeat most, as rules to edit, in the order of a rules file; none unless
    /// [`Config::suggest_rules`] was set.
    pub fn suggestions(&self) -> &[Suggestion] {
        &self.suggested
    }

    /// Writes what the run counted, for [`Config::evidence`] of runs to come.
    ///
    /// The bytes depend on the documents alone. Holds a few numbers for every site in memory.
    ///
    /// # Errors
    /// If `out` cannot be written to, or scratch data cannot be read back.
    ///
    /// # Panics
    /// If [`Config::save_evidence`] was not set, or the scan itself looked its counts up.
    pub fn save_evidence(&self, out: impl std::io::Write) -> Result<(), Error> {
        let taught = self.taught.as_ref().expect("the settings asked to keep what was counted");
        let sites = &self.census.sites;
        let mut by_name: Vec<u32> = (0..sites.len() as u32).collect();
        by_name.sort_by(|a, b| sites[*a as usize].name.cmp(&sites[*b as usize].name));
        let mut number_of = vec![0; sites.len()];
        for (number, site) in (0..).zip(&by_name) {
            number_of[*site as usize] = number;
        }
        let named = by_name.iter().map(|site| {
            let at = *site as usize;
            (sites[at].name.as_str(), sites[at].documents, taught.site_clusters[at])
        });
        let mut writer = EvidenceWriter::new(out, u64::from(self.census.documents), named)?;
        let mut on_sites: Vec<OnSite> = Vec::new();
        let mut all: Option<Recurrence> = None;
        let mut write = |all: &Option<Recurrence>, on_sites: &mut Vec<OnSite>| -> Result<(), Error> {
            if let Some(all) = all {
                on_sites.sort_unstable_by_key(|on| on.site);
                writer.block(all.fingerprint, all.documents, all.sites, all.clusters, on_sites)?;
            }
            on_sites.clear();
            Ok(())
        };
        for next in taught.recurrences.iter()? {
            let next = next?;
            match next.site {
                None => {
                    write(&all, &mut on_sites)?;
                    all = Some(next);
                }
                Some(site) => on_sites.push(OnSite {
                    site: number_of[site as usize],
                    documents: next.documents,
                    clusters: next.clusters,
                }),
            }
        }
        write(&all, &mut on_sites)?;
        writer.finish()?;
        Ok(())
    }

    /// Returns the summary. `retold`, `inputs` and `run` are for the caller to fill in.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Returns the stages of the run in order, each with what it took.
    pub fn timings(&self) -> &[StageFacts] {
        &self.timings
    }

    /// Returns what could not be read, in order.
    pub fn skipped(&self) -> &[Skipped] {
        &self.census.skipped
    }

    /// Returns the id of a document.
    fn id(&self, document: u32) -> Result<String, Error> {
        Ok(self.facts(document)?.id)
    }

    fn facts(&self, document: u32) -> Result<Facts, Error> {
        let bytes = self.judgment.facts.get(document)?.expect("every document has facts");
        Ok(Facts::decode(&bytes))
    }

    /// Returns every document's number, facts and membership, in order.
    fn everyone(&self) -> Result<impl Iterator<Item = Result<Known, Error>> + Send + '_, Error> {
        let mut memberships = self.grouping.memberships.iter()?.peekable();
        let own = self.census.own as usize;
        Ok(self.judgment.facts.iter().take(own).map(move |next| {
            let (document, bytes) = next?;
            let membership =
                memberships.next_if(|next| next.as_ref().map_or(true, |next| next.document == document)).transpose()?;
            Ok((document, Facts::decode(&bytes), membership))
        }))
    }

    /// Returns the rows of `documents`, in order.
    ///
    /// # Errors
    /// If scratch data cannot be read back.
    pub fn documents(&self) -> Result<impl Iterator<Item = Result<DocumentRow, Error>> + Send + '_, Error> {
        Ok(self.everyone()?.map(|next| {
            let (document, facts, membership) = next?;
            let (cluster_id, representative) = match membership {
                Some(of) => (self.id(of.first)?, self.id(of.reference.unwrap_or(of.representative))?),
                None => (facts.id.clone(), facts.id.clone()),
            };
            Ok(DocumentRow {
                cluster_id,
                cluster_size: membership.map_or(1, |of| u64::from(of.size)),
                keep: membership.is_none_or(|of| of.keep),
                role: match membership {
                    _ if facts.words == 0 => Role::Empty,
                    None => Role::Unique,
                    Some(of) if of.reference.is_some() => Role::Duplicate,
                    Some(of) if of.size == 1 => Role::Unique,
                    Some(of) if of.representative == document => Role::Representative,
                    Some(_) => Role::Duplicate,
                },
                representative,
                similarity: membership.and_then(|of| of.similarity).map(f64::from_bits),
                relation: membership.filter(|of| of.similarity.is_some()).map(|of| of.relation.name().to_owned()),
                known: membership.is_some_and(|of| of.reference.is_some()),
                decision: self.decision(document),
                id: facts.id,
                source: facts.source,
                row: facts.row,
                url: facts.url,
                site: facts.site,
                date: facts.date,
                headline: facts.headline,
                headline_source: facts.headline_source,
                lang: facts.lang,
                words: facts.words,
                content_words: facts.content_words,
                text_hash: format!("{:032x}", facts.text_hash),
            })
        }))
    }

    /// Returns the line of the decision about a document.
    fn decision(&self, document: u32) -> Option<String> {
        self.decided.copy(document).map(|(_, line)| self.config.decisions.line(line))
    }

    /// Returns the rows of `references`, in order.
    ///
    /// # Errors
    /// If scratch data cannot be read back.
    pub fn references(&self) -> Result<impl Iterator<Item = Result<ReferenceRow, Error>> + Send + '_, Error> {
        let mut repeated: BTreeMap<u32, u64> = BTreeMap::new();
        for next in self.grouping.memberships.iter()? {
            if let Some(reference) = next?.reference {
                *repeated.entry(reference).or_default() += 1;
            }
        }
        Ok(repeated.into_iter().map(|(reference, documents)| {
            let facts = self.facts(reference)?;
            Ok(ReferenceRow {
                id: facts.id,
                source: facts.source,
                row: facts.row,
                url: facts.url,
                site: facts.site,
                date: facts.date,
                headline: facts.headline,
                documents,
            })
        }))
    }

    /// Returns the listed pairs, each once, in order.
    fn listed(&self) -> Result<impl Iterator<Item = Result<VerifiedPair, Error>> + Send + '_, Error> {
        let mut last = None;
        Ok(self.grouping.pairs.iter()?.filter_map(move |next| match next {
            Ok(pair) if last == Some((pair.a, pair.b)) => None,
            Ok(pair) => {
                last = Some((pair.a, pair.b));
                Some(Ok(pair))
            }
            Err(error) => Some(Err(error.into())),
        }))
    }

    /// Returns the rows of `pairs`, in order of their documents.
    ///
    /// # Errors
    /// If scratch data cannot be read back.
    pub fn pairs(&self) -> Result<impl Iterator<Item = Result<PairRow, Error>> + Send + '_, Error> {
        Ok(self.listed()?.map(|next| self.pair_row(&next?)))
    }

    pub(super) fn pair_row(&self, pair: &VerifiedPair) -> Result<PairRow, Error> {
        Ok(PairRow {
            a: self.id(pair.a)?,
            b: self.id(pair.b)?,
            jaccard: pair.jaccard,
            jaccard_raw: pair.jaccard_raw,
            a_in_b: pair.a_in_b,
            b_in_a: pair.b_in_a,
            relation: pair.relation.name().to_owned(),
            retelling: pair.retells,
            joined: pair.joins,
            reason: match self.decided.pair(pair.a, pair.b) {
                Some((_, line)) => self.config.decisions.line(line),
                None => Reason::describe(pair, &self.config),
            },
        })
    }

    /// Returns the rows of `clusters`, in order of their first members.
    ///
    /// # Errors
    /// If scratch data cannot be read back.
    pub fn clusters(&self) -> Result<impl Iterator<Item = Result<ClusterRow, Error>> + Send + '_, Error> {
        Ok((0..self.grouping.clusters.len()).map(|at| self.cluster_row(at)))
    }

    fn cluster_row(&self, at: usize) -> Result<ClusterRow, Error> {
        let documents = self.grouping.clusters.members(at);
        let representative = self.grouping.representative_of[documents[0] as usize];
        let free = self.free_of_references(documents)?;
        let kept = keeper(&self.config, &self.judgment, &self.census, &self.decided, representative, &free)?;
        let (mut members, mut sites, mut headlines) = (Vec::new(), Distinct::default(), Distinct::default());
        for document in documents {
            let facts = self.facts(*document)?;
            members.push(facts.id);
            sites.add(facts.site);
            headlines.add(facts.headline);
        }
        Ok(ClusterRow {
            cluster_id: members[0].clone(),
            cluster_size: members.len() as u64,
            representative: self.id(representative)?,
            reason: kept.reason,
            sites: sites.list,
            members,
            headlines: headlines.list,
        })
    }

    /// Returns those documents of a cluster that repeat no reference, or are kept by decision all the same.
    fn free_of_references(&self, documents: &[u32]) -> Result<Vec<u32>, Error> {
        if self.census.own == self.census.documents {
            return Ok(documents.to_vec());
        }
        let mut free = Vec::with_capacity(documents.len());
        for document in documents {
            let place = u64::from(*document);
            let of = self.grouping.memberships.range(&(place..=place))?.next().transpose()?;
            if of.is_none_or(|of| of.reference.is_none()) || self.decided.copy(*document).is_some() {
                free.push(*document);
            }
        }
        Ok(free)
    }

    /// Returns the rows of `versions`, by the first document of each page, then by version.
    ///
    /// # Errors
    /// If scratch data cannot be read back.
    pub fn versions(&self) -> Result<impl Iterator<Item = Result<VersionRow, Error>> + Send + '_, Error> {
        Ok(self.versions.iter()?.map(|next| {
            let version = next?;
            let (facts, previous) = (self.facts(version.document)?, self.facts(version.previous)?);
            let of = |document: u32| self.grouping.representative_of[document as usize];
            let pair = (version.previous.min(version.document), version.previous.max(version.document));
            let joined = match self.census.is_reference(pair.1) {
                true => self.repeats(pair.0, pair.1)?,
                false => of(pair.0) == of(pair.1),
            };
            Ok(VersionRow {
                url: facts.url.as_deref().and_then(canonical).unwrap_or_default(),
                version: u64::from(version.number),
                id: facts.id,
                previous_id: previous.id,
                date: facts.date,
                previous_date: previous.date,
                words_added: u64::from(version.words_added),
                words_removed: u64::from(version.words_removed),
                jaccard: f64::from_bits(version.jaccard_bits),
                joined,
            })
        }))
    }

    /// Returns whether a document was found to repeat this reference.
    fn repeats(&self, document: u32, reference: u32) -> Result<bool, Error> {
        let place = u64::from(document) << 32 | u64::from(reference);
        let listed = self.grouping.pairs.range(&(place..=place))?.next().transpose()?;
        Ok(listed.is_some_and(|pair| pair.joins))
    }

    /// Returns the rows of `headlines`, in order of the first document that carries each.
    pub fn headlines(&self) -> &[HeadlineRow] {
        &self.headlines
    }

    /// Returns what is to be done with every document, in order.
    ///
    /// # Errors
    /// If scratch data cannot be read back.
    pub fn decisions(&self) -> Result<impl Iterator<Item = Result<Decision, Error>> + Send + '_, Error> {
        Ok(self.everyone()?.map(|next| {
            let (document, facts, membership) = next?;
            let verdicts = self.judgment.verdicts.get(document)?.map(|bytes| decode_verdicts(&bytes));
            let removed = verdicts
                .unwrap_or_default()
                .into_iter()
                .filter(|verdict| verdict.removed)
                .map(|verdict| RemovedBlock {
                    span: verdict.span,
                    kind: BoilerplateKind::ALL[usize::from(verdict.kind)],
                    score: f64::from(verdict.score) / f64::from(u16::MAX),
                })
                .collect();
            let keep = membership.is_none_or(|of| of.keep);
            let dropped = match membership {
                Some(of) if !keep => Some(DroppedDocument {
                    kept_id: match of.reference {
                        Some(reference) => Some(self.id(reference)?),
                        None if of.kept == document => None,
                        None => Some(self.id(of.kept)?),
                    },
                    similarity: of.similarity.map(f64::from_bits),
                    relation: of.relation.name().to_owned(),
                    reason: dropped_because(
                        self.decision(document).as_deref(),
                        of.relation.name(),
                        &self.id(of.reference.unwrap_or(of.representative))?,
                    ),
                }),
                _ => None,
            };
            Ok(Decision { id: facts.id, keep, removed, dropped })
        }))
    }

    /// Names the largest groups of look-alikes of which not all pairs were tried.
    pub(super) fn crowd_counts(&self, largest: &[Crowd]) -> Result<Vec<CrowdCount>, Error> {
        let count = |crowd: &Crowd| {
            Ok(CrowdCount { example: self.id(crowd.leader)?, documents: crowd.items, pairs_left_out: crowd.left_out })
        };
        largest.iter().take(CROWDS).map(count).collect()
    }

    /// Returns the figures of every site, the largest first, at most `most`.
    pub(super) fn site_counts(&self, most: usize) -> Result<Vec<SiteCount>, Error> {
        let mut dropped = vec![0; self.census.sites.len()];
        for next in self.grouping.memberships.iter()? {
            let of = next?;
            dropped[self.census.site_of[of.document as usize] as usize] += u64::from(!of.keep);
        }
        let mut counts: Vec<SiteCount> = (1_u32..)
            .zip(&self.census.sites[1..])
            .map(|(number, site)| {
                let (words, removed_words) = self.judgment.totals.by_site.get(&number).copied().unwrap_or_default();
                SiteCount {
                    site: site.name.clone(),
                    documents: u64::from(site.own),
                    words,
                    removed_words,
                    dropped: dropped[number as usize],
                }
            })
            .collect();
        counts.retain(|site| site.documents > 0);
        counts.sort_by(|a, b| b.documents.cmp(&a.documents).then_with(|| a.site.cmp(&b.site)));
        counts.truncate(most);
        Ok(counts)
    }

    /// Returns how many rows `pairs` has.
    pub(super) fn count_pairs(&self) -> Result<u64, Error> {
        let mut count = 0;
        for pair in self.listed()? {
            pair?;
            count += 1;
        }
        Ok(count)
    }
}

/// A document's number, facts and membership.
type Known = (u32, Facts, Option<Membership>);

/// Strings in the order they were met, each once.
#[derive(Debug, Default)]
struct Distinct {
    list: Vec<String>,
    seen: HashSet<String>,
}

impl Distinct {
    fn add(&mut self, string: Option<String>) {
        if let Some(string) = string
            && self.seen.insert(string.clone())
        {
            self.list.push(string);
        }
    }
}
