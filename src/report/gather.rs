//! One look through the tables `clusters`, `pairs`, `headlines` and `versions`: what of them is shown.

use std::cmp::Reverse;
use std::collections::HashMap;

use serde::Serialize;

use crate::hash::{hash64, mix64};
use crate::output::{ClusterRow, FinishedScan, HeadlineRow, PairRow, VersionRow, WriteError};
use crate::report::sample::{LargestAndSample, Smallest};
use crate::report::{Limits, cut};

/// Characters of a headline that are shown.
pub(super) const HEADLINE: usize = 200;

/// Sites and headlines of a cluster that are listed.
const LISTED: usize = 12;

/// Bars of the histogram of similarities.
pub(super) const BARS: usize = 50;

/// Pairs shown of each group of borderline ones.
const BORDERLINE: usize = 10;

/// Why a pair that matches is not joined though no fact parts it: its place among the clusters.
const ELSEWHERE: &str = "each is nearer to another representative";

/// Versions that are listed.
const VERSIONS: usize = 200;

/// A cluster that is shown.
#[derive(Clone, Debug)]
pub(super) struct ShownCluster {
    pub id: String,
    pub size: u64,
    pub representative: String,
    pub reason: String,
    pub sites: Vec<String>,
    pub site_count: usize,
    pub headlines: Vec<String>,
    pub headline_count: usize,
    /// The representative, then the first others in order.
    pub members: Vec<String>,
}

/// A pair with its measures.
#[derive(Clone, Debug)]
pub(super) struct ShownPair {
    pub group: PairGroup,
    pub row: PairRow,
}

/// Why a pair is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PairGroup {
    /// At the threshold or just above.
    Above,
    /// Just below.
    Below,
    /// Similar enough, and kept apart by facts: other names and numbers, a quotation, a round-up.
    Apart,
}

/// What the tables tell, as far as it is shown.
#[derive(Debug)]
pub(super) struct Gathered {
    pub clusters: Vec<ShownCluster>,
    pub all_clusters: u64,
    /// Clusters of 2, of 3, of 4, of 5 to 9, of 10 to 99, of 100 to 999, of 1,000 and more.
    pub cluster_sizes: [u64; 7],
    /// Pairs by similarity: joined, listed and not joined.
    pub joined: [u64; BARS],
    pub apart: [u64; BARS],
    pub pairs: Vec<ShownPair>,
    /// Pairs of a representative and a listed member, by [`pair_key`].
    pub with_representative: HashMap<u64, PairRow>,
    pub headlines: Vec<HeadlineRow>,
    pub all_headlines: u64,
    pub versions: Vec<VersionRow>,
    pub all_versions: u64,
}

/// Returns the key of a pair, whichever comes first.
pub(super) fn pair_key(a: &str, b: &str) -> u64 {
    mix64(hash64(a.as_bytes())).wrapping_add(mix64(hash64(b.as_bytes())))
}

/// Returns the class of a cluster's size.
fn size_class(size: u64) -> usize {
    match size {
        0..=4 => size.saturating_sub(2) as usize,
        5..=9 => 3,
        10..=99 => 4,
        100..=999 => 5,
        _ => 6,
    }
}

/// Reads the tables.
pub(super) fn gather(scan: &FinishedScan, threshold: f64, limits: &Limits) -> Result<Gathered, WriteError> {
    let mut cluster_sizes = [0; 7];
    let mut picked = LargestAndSample::new(limits.largest_clusters, limits.sampled_clusters);
    for row in scan.rows::<ClusterRow>("clusters")? {
        let row = row?;
        cluster_sizes[size_class(row.cluster_size)] += 1;
        picked.offer(row.cluster_size, &row.cluster_id, || shown(&row, limits));
    }
    let all_clusters = picked.offered();
    let clusters = picked.into_items();
    let mut gathered = Gathered {
        clusters,
        all_clusters,
        cluster_sizes,
        joined: [0; BARS],
        apart: [0; BARS],
        pairs: Vec::new(),
        with_representative: HashMap::new(),
        headlines: Vec::new(),
        all_headlines: 0,
        versions: Vec::new(),
        all_versions: 0,
    };
    gather_pairs(scan, threshold, &mut gathered)?;
    gather_headlines(scan, limits, &mut gathered)?;
    let mut versions = Smallest::new(VERSIONS);
    for row in scan.rows::<VersionRow>("versions")? {
        let row = row?;
        versions.offer(Reverse(row.words_added + row.words_removed), || row.clone());
    }
    gathered.all_versions = versions.offered();
    gathered.versions = versions.into_items().map(|(_, row)| row).collect();
    Ok(gathered)
}

fn shown(row: &ClusterRow, limits: &Limits) -> ShownCluster {
    let others = row.members.iter().filter(|id| **id != row.representative);
    let members = std::iter::once(&row.representative).chain(others).take(limits.members).cloned().collect();
    ShownCluster {
        id: row.cluster_id.clone(),
        size: row.cluster_size,
        representative: row.representative.clone(),
        reason: cut(&row.reason, HEADLINE),
        sites: row.sites.iter().take(LISTED).map(|site| cut(site, HEADLINE)).collect(),
        site_count: row.sites.len(),
        headlines: row.headlines.iter().take(LISTED).map(|headline| cut(headline, HEADLINE)).collect(),
        headline_count: row.headlines.len(),
        members,
    }
}

fn gather_pairs(scan: &FinishedScan, threshold: f64, gathered: &mut Gathered) -> Result<(), WriteError> {
    let mut wanted: HashMap<u64, Option<PairRow>> = HashMap::new();
    for cluster in &gathered.clusters {
        let others = cluster.members.iter().skip(1);
        wanted.extend(others.map(|member| (pair_key(&cluster.representative, member), None)));
    }
    // A similarity in millionths orders as it stands in the table.
    let millionths = |value: f64| (value * 1e6).round() as i64;
    let line = millionths(threshold);
    let (mut above, mut below) = (Smallest::new(BORDERLINE), Smallest::new(BORDERLINE));
    let mut apart = Smallest::new(BORDERLINE);
    for row in scan.rows::<PairRow>("pairs")? {
        let row = row?;
        let similarity = millionths(row.jaccard);
        let bar = ((row.jaccard * BARS as f64) as usize).min(BARS - 1);
        let bars = if row.joined { &mut gathered.joined } else { &mut gathered.apart };
        bars[bar] += 1;
        let side = if similarity >= line { &mut above } else { &mut below };
        side.offer((similarity - line).abs(), || row.clone());
        let matches = similarity >= line || row.retelling;
        if matches && !row.joined && row.reason != ELSEWHERE {
            apart.offer(Reverse(similarity), || row.clone());
        }
        if let Some(slot) = wanted.get_mut(&pair_key(&row.a, &row.b)) {
            *slot = Some(row);
        }
    }
    gathered.with_representative = wanted.into_iter().filter_map(|(key, row)| Some((key, row?))).collect();
    for (group, rows) in [(PairGroup::Above, above.into_items()), (PairGroup::Below, below.into_items())] {
        gathered.pairs.extend(rows.map(|(_, row)| ShownPair { group, row }));
    }
    gathered.pairs.extend(apart.into_items().map(|(_, row)| ShownPair { group: PairGroup::Apart, row }));
    Ok(())
}

fn gather_headlines(scan: &FinishedScan, limits: &Limits, gathered: &mut Gathered) -> Result<(), WriteError> {
    let mut groups: [(&str, Smallest<Reverse<u64>, HeadlineRow>); 3] =
        ["same_story", "recurring", "generic"].map(|relation| (relation, Smallest::new(limits.headlines)));
    for row in scan.rows::<HeadlineRow>("headlines")? {
        let row = row?;
        gathered.all_headlines += 1;
        if let Some((_, group)) = groups.iter_mut().find(|(relation, _)| *relation == row.relation) {
            let shown = || HeadlineRow { headline: cut(&row.headline, HEADLINE), ..row.clone() };
            group.offer(Reverse(row.documents), shown);
        }
    }
    gathered.headlines = groups.into_iter().flat_map(|(_, group)| group.into_items().map(|(_, row)| row)).collect();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_clusters_fall_into_seven_classes() {
        let classes = [2, 3, 4, 5, 9, 10, 99, 100, 999, 1000, u64::MAX].map(size_class);
        assert_eq!(classes, [0, 1, 2, 3, 3, 4, 4, 5, 5, 6, 6]);
    }

    #[test]
    fn a_pair_has_one_key_whichever_comes_first() {
        assert_eq!(pair_key("a", "b"), pair_key("b", "a"));
        assert_ne!(pair_key("a", "b"), pair_key("a", "c"));
    }
}
