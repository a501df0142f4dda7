//! What people decided about pairs, carried into clusters.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::cluster::Cluster;
use crate::similarity::{Components, VerifiedPair};

/// Joins and parts clusters as `same` and `different` say.
///
/// `pool` are clusters that pairs of `same` tie together. The clusters returned hold the same members: all pairs of `same`
/// are together, no pair of `different` is, and where nothing is different there is one cluster. Where a cluster parts,
/// the document more like its representative stays, and every other member goes with the one that it is more like.
/// `content_words` tells how complete a document is, and `verify` measures a pair (its first item is the smaller one).
/// O(members × parts) calls of `verify` where something is different, none elsewhere.
///
/// # Panics
/// If `same` ties two documents together that are different: the decisions' reader refuses those.
pub fn correct(
    pool: &[Cluster],
    same: &[(u32, u32)],
    different: &[(u32, u32)],
    content_words: &dyn Fn(u32) -> u32,
    verify: &mut dyn FnMut(u32, u32) -> VerifiedPair,
) -> Vec<Cluster> {
    let mut home: BTreeMap<u32, usize> = BTreeMap::new();
    for (at, cluster) in pool.iter().enumerate() {
        home.extend(cluster.members.iter().map(|member| (*member, at)));
    }
    let members: Vec<u32> = home.keys().copied().collect();
    let place = |item: u32| members.binary_search(&item).ok();
    let inside = |pairs: &[(u32, u32)]| -> Vec<(usize, usize)> {
        pairs.iter().filter_map(|(a, b)| Some((place(*a)?, place(*b)?))).collect()
    };
    let mut components = Components::new(members.len());
    for (a, b) in inside(same) {
        components.join(a as u32, b as u32);
    }
    let unit_of = components.into_roots();
    let mut conflicts: BTreeSet<(u32, u32)> = BTreeSet::new();
    for (a, b) in inside(different) {
        let (a, b) = (unit_of[a], unit_of[b]);
        assert_ne!(a, b, "documents that are one story are not different");
        conflicts.extend([(a, b), (b, a)]);
    }
    let longest = |items: &mut dyn Iterator<Item = u32>| {
        items.max_by_key(|item| (content_words(*item), Reverse(*item))).expect("a cluster has members")
    };
    let leader = longest(&mut pool.iter().map(|cluster| cluster.representative));
    if conflicts.is_empty() {
        return vec![Cluster { representative: leader, members }];
    }
    let mut units: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (member, unit) in members.iter().zip(&unit_of) {
        units.entry(*unit).or_default().push(*member);
    }
    let mut told: HashMap<(u32, u32), VerifiedPair> = HashMap::new();
    let mut measure = |a: u32, b: u32| {
        let key = (a.min(b), a.max(b));
        *told.entry(key).or_insert_with(|| verify(key.0, key.1))
    };
    let mut parts = Parts { parts: Vec::new(), home: &home, conflicts: &conflicts };
    let leading = unit_of[place(leader).expect("a representative is a member")];
    parts.begin(leader, leading, &units[&leading]);

    let mut parted: Vec<u32> = units.keys().copied().filter(|unit| conflicts.iter().any(|(a, _)| a == unit)).collect();
    parted.retain(|unit| *unit != leading);
    parted.sort_by_cached_key(|unit| {
        let like = measure(leader, units[unit][0]).told;
        (Reverse(like.to_bits()), units[unit][0])
    });
    for unit in parted {
        let own = &units[&unit];
        let anchor = longest(&mut own.iter().copied());
        let near = parts.nearest(unit, own, &mut |at| {
            let pair = measure(at, anchor);
            (pair.told, pair.joins)
        });
        match near {
            Some(part) => parts.put(part, unit, own),
            None => parts.begin(anchor, unit, own),
        }
    }
    // Every member is tied to one that has its place by a cluster or by decisions, so that each round finds some.
    let placed: BTreeSet<u32> = parts.parts.iter().flat_map(|part| part.units.iter().copied()).collect();
    let mut rest: Vec<u32> = units.keys().copied().filter(|unit| !placed.contains(unit)).collect();
    while !rest.is_empty() {
        let before = rest.len();
        rest.retain(|unit| {
            let own = &units[unit];
            let part = parts.nearest(*unit, own, &mut |at| (measure(at, own[0]).told, false));
            if let Some(part) = part {
                parts.put(part, *unit, own);
            }
            part.is_none()
        });
        assert!(rest.len() < before, "a pool holds together");
    }
    let representatives: BTreeSet<u32> = pool.iter().map(|cluster| cluster.representative).collect();
    let mut clusters: Vec<Cluster> = parts
        .parts
        .into_iter()
        .map(|mut part| {
            part.members.sort_unstable();
            let among: Vec<u32> = part.members.iter().copied().filter(|at| representatives.contains(at)).collect();
            let representative = if among.is_empty() { part.anchor } else { longest(&mut among.iter().copied()) };
            Cluster { representative, members: part.members }
        })
        .collect();
    clusters.sort_by_key(|cluster| cluster.members[0]);
    clusters
}

/// What a pool falls into.
struct Parts<'a> {
    parts: Vec<Part>,
    home: &'a BTreeMap<u32, usize>,
    conflicts: &'a BTreeSet<(u32, u32)>,
}

/// Documents that stay together.
struct Part {
    /// The one that others are compared with.
    anchor: u32,
    /// Documents that are the same by decision, by the first of each.
    units: Vec<u32>,
    members: Vec<u32>,
    /// The clusters that its members come from.
    homes: BTreeSet<usize>,
}

impl Parts<'_> {
    fn begin(&mut self, anchor: u32, unit: u32, members: &[u32]) {
        self.parts.push(Part { anchor, units: Vec::new(), members: Vec::new(), homes: BTreeSet::new() });
        self.put(self.parts.len() - 1, unit, members);
    }

    fn put(&mut self, part: usize, unit: u32, members: &[u32]) {
        let part = &mut self.parts[part];
        part.units.push(unit);
        part.members.extend_from_slice(members);
        part.homes.extend(members.iter().map(|member| self.home[member]));
    }

    /// Returns the part most like these documents: among those that none of them is different from, and that either hold
    /// a member of one of their clusters or match. `like` tells, for an anchor, how much is told and whether it matches.
    fn nearest(&self, unit: u32, members: &[u32], like: &mut dyn FnMut(u32) -> (f64, bool)) -> Option<usize> {
        let free = |part: &&Part| !part.units.iter().any(|other| self.conflicts.contains(&(unit, *other)));
        let at_home = |part: &Part| members.iter().any(|member| part.homes.contains(&self.home[member]));
        let able: Vec<(usize, &Part)> = self.parts.iter().enumerate().filter(|(_, part)| free(part)).collect();
        if let [(only, part)] = able.as_slice()
            && at_home(part)
        {
            return Some(*only);
        }
        let mut best: Option<(f64, usize)> = None;
        for (at, part) in able {
            let (told, matches) = like(part.anchor);
            if (matches || at_home(part)) && best.is_none_or(|(most, _)| told > most) {
                best = Some((told, at));
            }
        }
        best.map(|(_, at)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cluster(members: &[u32]) -> Cluster {
        Cluster { representative: members[0], members: members.to_vec() }
    }

    /// Documents are alike by how near their numbers are; the smallest is the longest.
    fn corrected(pool: &[Cluster], same: &[(u32, u32)], different: &[(u32, u32)]) -> Vec<Vec<u32>> {
        let mut verify =
            |a: u32, b: u32| VerifiedPair { told: 1.0 / f64::from(1 + a.abs_diff(b)), ..VerifiedPair::apart(a, b) };
        let clusters = correct(pool, same, different, &|item| 1000 - item, &mut verify);
        assert!(clusters.iter().all(|cluster| cluster.members.contains(&cluster.representative)));
        clusters.into_iter().map(|cluster| cluster.members).collect()
    }

    #[test]
    fn clusters_of_documents_that_are_the_same_become_one() {
        assert_eq!(
            corrected(&[cluster(&[1, 4]), cluster(&[2]), cluster(&[3, 5])], &[(2, 4), (2, 5)], &[]),
            [vec![1, 2, 3, 4, 5]]
        );
    }

    #[test]
    fn a_document_that_is_different_leaves_with_those_that_are_more_like_it() {
        assert_eq!(corrected(&[cluster(&[1, 2, 3, 11, 12])], &[], &[(1, 11)]), [vec![1, 2, 3], vec![11, 12]]);
        assert_eq!(corrected(&[cluster(&[1, 2, 3, 12])], &[], &[(2, 3)]), [vec![1, 2], vec![3, 12]]);
    }

    #[test]
    fn different_documents_stay_apart_by_way_of_others_too() {
        let pool = [cluster(&[1, 2]), cluster(&[3, 4])];
        assert_eq!(corrected(&pool, &[(1, 3)], &[(2, 4)]), [vec![1, 2, 3], vec![4]]);
    }

    proptest! {
        #[test]
        fn decisions_hold_and_nobody_is_lost(
            homes in proptest::collection::vec(0usize..4, 2..14),
            wanted in proptest::collection::vec((0u32..14, 0u32..14), 0..6),
            unwanted in proptest::collection::vec((0u32..14, 0u32..14), 0..6),
        ) {
            let count = homes.len() as u32;
            let mut groups: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
            for (item, home) in (0..).zip(&homes) {
                groups.entry(*home).or_default().push(item);
            }
            let pool: Vec<Cluster> = groups.values().map(|members| cluster(members)).collect();
            // A pool holds together, and decisions do not contradict each other.
            let ties = pool.windows(2).map(|two| (two[0].members[0], two[1].members[0]));
            let known = |pair: &(u32, u32)| pair.0 < count && pair.1 < count && pair.0 != pair.1;
            let same: Vec<(u32, u32)> = ties.chain(wanted.into_iter().filter(known)).collect();
            let mut components = Components::new(homes.len());
            same.iter().for_each(|(a, b)| components.join(*a, *b));
            let roots = components.into_roots();
            let apart = |pair: &(u32, u32)| roots[pair.0 as usize] != roots[pair.1 as usize];
            let different: Vec<(u32, u32)> = unwanted.into_iter().filter(known).filter(apart).collect();
            let parts = corrected(&pool, &same, &different);
            let mut all: Vec<u32> = parts.concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..count).collect::<Vec<_>>());
            let part_of = |item: u32| parts.iter().position(|part| part.contains(&item));
            for (a, b) in same {
                prop_assert_eq!(part_of(a), part_of(b));
            }
            for (a, b) in different {
                prop_assert_ne!(part_of(a), part_of(b));
            }
        }
    }
}
