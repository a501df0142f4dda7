//! What a finished scan gives: rows in order, the summary, and decisions for cleaned copies.

use std::collections::HashSet;

use crate::boilerplate::BoilerplateKind;
use crate::cluster::choose;
use crate::config::Config;
use crate::corpus::{Facts, decode_verdicts};
use crate::document::Skipped;
use crate::error::Error;
use crate::output::{
    ClusterRow, Decision, DocumentRow, DroppedDocument, HeadlineRow, PairRow, RemovedBlock, Role, SiteCount,
    StageFacts, Summary,
};
use crate::pipeline::group::{Grouping, Membership, facts_as_copy};
use crate::pipeline::judge::Judgment;
use crate::pipeline::read::Census;
use crate::similarity::{Reason, VerifiedPair};

/// A finished scan: every table, row by row in order, and the summary.
#[derive(Debug)]
pub struct Scan<'w> {
    pub(super) config: Config,
    pub(super) census: Census<'w>,
    pub(super) judgment: Judgment<'w>,
    pub(super) grouping: Grouping<'w>,
    pub(super) headlines: Vec<HeadlineRow>,
    pub(super) summary: Summary,
    pub(super) timings: Vec<StageFacts>,
}

impl Scan<'_> {
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
        Ok(self.judgment.facts.iter().map(move |next| {
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
                Some(of) => (self.id(of.first)?, self.id(of.representative)?),
                None => (facts.id.clone(), facts.id.clone()),
            };
            Ok(DocumentRow {
                cluster_id,
                cluster_size: membership.map_or(1, |of| u64::from(of.size)),
                keep: membership.is_none_or(|of| of.keep),
                role: match membership {
                    _ if facts.words == 0 => Role::Empty,
                    None => Role::Unique,
                    Some(of) if of.representative == document => Role::Representative,
                    Some(_) => Role::Duplicate,
                },
                representative,
                similarity: membership.and_then(|of| of.similarity).map(f64::from_bits),
                relation: membership.filter(|of| of.similarity.is_some()).map(|of| of.relation.name().to_owned()),
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
            joined: pair.joins,
            reason: Reason::describe(pair, &self.config),
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
        let mut copies = Vec::with_capacity(documents.len());
        let (mut members, mut sites, mut headlines) = (Vec::new(), Distinct::default(), Distinct::default());
        for document in documents {
            copies.push(facts_as_copy(&self.config, &self.judgment, &self.census, *document)?);
            let facts = self.facts(*document)?;
            members.push(facts.id);
            sites.add(facts.site);
            headlines.add(facts.headline);
        }
        Ok(ClusterRow {
            cluster_id: members[0].clone(),
            cluster_size: members.len() as u64,
            representative: self.id(representative)?,
            reason: choose(&self.config, representative, &copies).reason,
            sites: sites.list,
            members,
            headlines: headlines.list,
        })
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
                    kept_id: self.id(of.kept)?,
                    similarity: of.similarity.map_or(1.0, f64::from_bits),
                    relation: of.relation.name().to_owned(),
                    reason: format!("{} to `{}`", of.relation.name(), self.id(of.representative)?),
                }),
                _ => None,
            };
            Ok(Decision { id: facts.id, keep, removed, dropped })
        }))
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
                    documents: u64::from(site.documents),
                    words,
                    removed_words,
                    dropped: dropped[number as usize],
                }
            })
            .collect();
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
