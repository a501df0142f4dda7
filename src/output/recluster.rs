//! A finished scan at a higher threshold: its pairs again, without its texts.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::convert::Infallible;
use std::path::PathBuf;

use crate::cluster::{Cluster, Copy, HeldLinks, Member, choose, correct, links_of, split};
use crate::config::Config;
use crate::output::finished::Rows;
use crate::output::{DocumentRow, FinishedScan, PairRow, Role, WriteError};
use crate::similarity::{Components, Relation, VerifiedPair};

/// The clusters of a finished scan at a higher threshold.
///
/// A pair that the scan joined still joins when its similarity passes the new threshold, or when the retelling rule or a
/// decision joins it. Documents leave clusters and none comes to one. Of a cluster of more than 64 documents the scan lists
/// each member with its representative only: members that no longer match it are then alone.
#[derive(Debug)]
pub struct Reclustered {
    documents: PathBuf,
    places: HashMap<String, Place>,
    /// Clusters of two documents or more.
    pub clusters: u64,
    /// Documents in them.
    pub clustered: u64,
    /// Documents that `dedup` keeps.
    pub kept: u64,
    /// Documents that repeat a reference.
    pub known: u64,
}

/// Where a document that was clustered, known or decided about stands now.
#[derive(Clone, Debug)]
struct Place {
    cluster_id: String,
    cluster_size: u64,
    representative: String,
    role: Role,
    similarity: Option<f64>,
    relation: Option<String>,
    known: bool,
    keep: bool,
}

/// A pair that joins at the new threshold.
struct Joined {
    pair: VerifiedPair,
    relation: String,
    decided: bool,
}

impl FinishedScan {
    /// Clusters the scan's pairs again, at the threshold of `config`, which is not below the scan's; what is kept follows
    /// `config` too.
    ///
    /// Holds the rows of all documents that were in clusters, and the pairs among them.
    ///
    /// # Errors
    /// If a table is missing or cannot be understood.
    pub fn recluster(&self, config: &Config) -> Result<Reclustered, WriteError> {
        let documents = self.directory().join("documents.jsonl");
        let mut rows: Vec<DocumentRow> = Vec::new();
        let mut others_kept = 0;
        for next in Rows::<DocumentRow>::open(&documents, 0)? {
            let (_, row) = next?;
            if row.cluster_size > 1 || row.known {
                rows.push(row);
            } else {
                others_kept += u64::from(row.keep);
            }
        }
        let numbers: HashMap<&str, u32> = (0..).zip(&rows).map(|(number, row)| (row.id.as_str(), number)).collect();
        let mut joined: BTreeMap<(u32, u32), Joined> = BTreeMap::new();
        let mut references: BTreeMap<u32, PairRow> = BTreeMap::new();
        for next in Rows::<PairRow>::open(&self.directory().join("pairs.jsonl"), 0)? {
            let (_, row) = next?;
            let decided = row.reason.starts_with("decision, ");
            if !row.joined || !(row.jaccard >= config.threshold || row.retelling || decided) {
                continue;
            }
            let Some(&a) = numbers.get(row.a.as_str()) else { continue };
            match numbers.get(row.b.as_str()) {
                Some(&b) => {
                    let pair = VerifiedPair {
                        jaccard: row.jaccard,
                        told: row.a_in_b.max(row.b_in_a),
                        joins: true,
                        relation: row.relation.parse().unwrap_or(Relation::Near),
                        ..VerifiedPair::apart(a.min(b), a.max(b))
                    };
                    joined.insert((pair.a, pair.b), Joined { pair, relation: row.relation, decided });
                }
                // What is joined and no document of the scan is a reference.
                None => {
                    let rank = |row: &PairRow, decided: bool| (decided, row.a_in_b.max(row.b_in_a), row.jaccard);
                    let is_better = references
                        .get(&a)
                        .is_none_or(|best| rank(&row, decided) > rank(best, best.reason.starts_with("decision, ")));
                    if is_better {
                        references.insert(a, row);
                    }
                }
            }
        }
        let clusters = clusters(&rows, &joined);
        let mut reclustered = Reclustered {
            documents,
            places: HashMap::new(),
            clusters: clusters.iter().filter(|cluster| cluster.members.len() > 1).count() as u64,
            clustered: 0,
            kept: others_kept,
            known: references.len() as u64,
        };
        for cluster in clusters {
            reclustered.settle(config, &cluster, &rows, &joined, &references);
        }
        Ok(reclustered)
    }
}

/// Splits what the joined pairs hold together, and ties again what people decided.
fn clusters(rows: &[DocumentRow], joined: &BTreeMap<(u32, u32), Joined>) -> Vec<Cluster> {
    let mut components = Components::new(rows.len());
    joined.keys().for_each(|(a, b)| components.join(*a, *b));
    let roots = components.into_roots();
    let mut members: BTreeMap<u32, Vec<Member>> = BTreeMap::new();
    for ((item, row), root) in (0..).zip(rows).zip(&roots) {
        let content_words = u32::try_from(row.content_words).unwrap_or(u32::MAX);
        members.entry(*root).or_default().push(Member { item, content_words });
    }
    let mut pairs: BTreeMap<u32, Vec<VerifiedPair>> = BTreeMap::new();
    for one in joined.values() {
        pairs.entry(roots[one.pair.a as usize]).or_default().push(one.pair);
    }
    // Of a pair that is not listed all that is known is that it does not join.
    let mut unknown = |a, b| VerifiedPair { told: 1.0, ..VerifiedPair::apart(a, b) };
    let mut all = Vec::new();
    for (root, members) in members {
        let pairs = pairs.get(&root).map_or(&[][..], Vec::as_slice);
        let held = links_of(pairs);
        let Ok(parts) = split(&members, &mut HeldLinks::new(&held, |a, b| Ok::<_, Infallible>(unknown(a, b))));
        let same: Vec<(u32, u32)> =
            pairs.iter().map(|pair| (pair.a, pair.b)).filter(|pair| joined[pair].decided).collect();
        all.extend(tied(parts, &same, rows, &mut unknown));
    }
    all
}

/// Makes one cluster of those that decisions tie together.
fn tied(
    parts: Vec<Cluster>,
    same: &[(u32, u32)],
    rows: &[DocumentRow],
    unknown: &mut dyn FnMut(u32, u32) -> VerifiedPair,
) -> Vec<Cluster> {
    if same.is_empty() {
        return parts;
    }
    let part_of: HashMap<u32, u32> =
        (0..).zip(&parts).flat_map(|(at, part)| part.members.iter().map(move |member| (*member, at))).collect();
    let mut components = Components::new(parts.len());
    same.iter().for_each(|(a, b)| components.join(part_of[a], part_of[b]));
    let mut pools: BTreeMap<u32, Vec<Cluster>> = BTreeMap::new();
    for (root, part) in components.into_roots().into_iter().zip(parts) {
        pools.entry(root).or_default().push(part);
    }
    let words = |item: u32| u32::try_from(rows[item as usize].content_words).unwrap_or(u32::MAX);
    pools.into_values().flat_map(|pool| correct(&pool, same, &[], &words, unknown)).collect()
}

impl Reclustered {
    fn settle(
        &mut self,
        config: &Config,
        cluster: &Cluster,
        rows: &[DocumentRow],
        joined: &BTreeMap<(u32, u32), Joined>,
        references: &BTreeMap<u32, PairRow>,
    ) {
        let row = |item: u32| &rows[item as usize];
        let size = cluster.members.len() as u64;
        // What people decided about copies stands in the rows: it depends on no threshold.
        let decided = |item: &u32| row(*item).decision.is_some();
        let mut kept: BTreeSet<u32> =
            cluster.members.iter().copied().filter(|item| decided(item) && row(*item).keep).collect();
        if kept.is_empty() {
            let free = cluster.members.iter().filter(|item| !decided(item) && !references.contains_key(item));
            let copies: Vec<Copy> = free
                .map(|item| Copy {
                    item: *item,
                    content_words: u32::try_from(row(*item).content_words).unwrap_or(u32::MAX),
                    date: row(*item).date.clone(),
                    site: row(*item).site.clone(),
                })
                .collect();
            if size == 1 {
                kept.extend(copies.iter().map(|copy| copy.item));
            } else if !copies.is_empty() {
                kept.extend(choose(config, cluster.representative, &copies).kept);
            }
        }
        self.clustered += if size > 1 { size } else { 0 };
        self.kept += kept.len() as u64;
        for item in &cluster.members {
            let own = row(*item);
            let to_representative =
                joined.get(&((*item).min(cluster.representative), (*item).max(cluster.representative))).map(|one| {
                    let relation = match (one.pair.a == *item, one.relation.as_str()) {
                        (false, "contains") => "contained",
                        (false, "contained") => "contains",
                        (_, relation) => relation,
                    };
                    (one.pair.jaccard, relation.to_owned())
                });
            let reference = references.get(item);
            let measured = match reference {
                Some(pair) => Some((pair.jaccard, pair.relation.clone())),
                None => to_representative,
            };
            let (similarity, relation) = measured.unzip();
            self.places.insert(
                own.id.clone(),
                Place {
                    cluster_id: row(cluster.members[0]).id.clone(),
                    cluster_size: size,
                    representative: reference
                        .map_or_else(|| row(cluster.representative).id.clone(), |pair| pair.b.clone()),
                    role: match (own.role, size) {
                        (Role::Empty, _) => Role::Empty,
                        _ if reference.is_some() => Role::Duplicate,
                        (_, 1) => Role::Unique,
                        _ if *item == cluster.representative => Role::Representative,
                        _ => Role::Duplicate,
                    },
                    similarity,
                    relation,
                    known: reference.is_some(),
                    keep: kept.contains(item),
                },
            );
        }
    }

    /// Returns the rows of `documents` as they are at the new threshold, in order.
    ///
    /// # Errors
    /// If the table is missing; as items, where a row cannot be understood.
    pub fn documents(
        &self,
    ) -> Result<impl Iterator<Item = Result<DocumentRow, WriteError>> + Send + use<>, WriteError> {
        let places = self.places.clone();
        Ok(Rows::<DocumentRow>::open(&self.documents, 0)?.map(move |next| {
            let (_, mut row) = next?;
            if let Some(place) = places.get(&row.id).cloned() {
                row.cluster_id = place.cluster_id;
                row.cluster_size = place.cluster_size;
                row.representative = place.representative;
                row.role = place.role;
                row.similarity = place.similarity;
                row.relation = place.relation;
                row.known = place.known;
                row.keep = place.keep;
            }
            Ok(row)
        }))
    }
}
