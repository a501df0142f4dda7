//! Components → clusters, by leaders.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::cluster::link::{Link, Links};
use crate::cluster::{Cluster, Member, STORIES, STORY_WORDS, UNRELATED};

/// Pairs per member that are measured although they were no candidates: enough to find the representative of a copy
/// that met others only, few enough that a component of any shape costs linear time.
const TRIES: u8 = 16;

/// Members least like the center that a new one is compared with.
const WITNESSES: usize = 8;

/// Share of word triples or letters of the shorter one below which two members of a cluster are at odds: two versions of
/// a page that moved on, while two damaged copies of one text keep more than that.
const AT_ODDS: f32 = 0.2;

/// Members, the longest first, that are tried as a cluster's representative.
const CONTENDERS: usize = 4;

/// How many times longer than a passage those that tell it are, at least.
const LONGER: u32 = 2;

/// Splits one component into clusters by leaders: first the document that most others match, the longest among equals.
///
/// `members` ascend by item; `links` gives the component's verified pairs, and measures others.
/// Every member is in exactly one of the clusters returned, which come in the order of their first members.
///
/// Every member of a cluster joins its representative itself, so that no chain A~B~C~D puts A and D together. The
/// representative is the longest member that all others match. A page that holds two unrelated stories joins neither.
///
/// Holds some forty bytes a member and the links of one member at a time. O(members + links) calls and time, up to a
/// logarithm.
///
/// # Errors
/// Those of `links`.
pub fn split<L: Links>(members: &[Member], links: &mut L) -> Result<Vec<Cluster>, L::Error> {
    let mut splitting = Splitting { members, links, parted: vec![false; members.len()], buffer: Vec::new() };
    splitting.part_round_ups()?;
    let leader = splitting.leaders()?;
    let mut clusters: Vec<Cluster> = Vec::new();
    let mut place = HashMap::new();
    for (at, member) in members.iter().enumerate() {
        let slot = *place.entry(leader[at]).or_insert_with(|| {
            clusters.push(Cluster { representative: members[leader[at] as usize].item, members: Vec::new() });
            clusters.len() - 1
        });
        clusters[slot].members.push(member.item);
    }
    Ok(clusters)
}

/// No member: members that have no leader yet, and none that was seen.
const NONE: u32 = u32::MAX;

/// A component while it is split. Members go by their position.
struct Splitting<'a, L> {
    members: &'a [Member],
    links: &'a mut L,
    /// Pages of several stories, and passages that several stories tell.
    parted: Vec<bool>,
    /// Room for the links of one member.
    buffer: Vec<Link>,
}

/// A member of a group, linked with its center.
#[derive(Clone, Copy)]
struct Linked {
    at: u32,
    link: Link,
}

impl<L: Links> Splitting<'_, L> {
    fn item(&self, at: u32) -> u32 {
        self.members[at as usize].item
    }

    fn words(&self, at: u32) -> u32 {
        self.members[at as usize].content_words
    }

    fn place(&self, item: u32) -> Option<u32> {
        self.members.binary_search_by_key(&item, |member| member.item).ok().map(|at| at as u32)
    }

    /// Returns whether one of the two is a page of several stories and the other is not.
    fn are_parted(&self, a: u32, b: u32) -> bool {
        self.parted[a as usize] != self.parted[b as usize]
    }

    /// Gives the members that a member may join, ascending, with their links.
    fn neighbors(&mut self, at: u32, out: &mut Vec<Linked>) -> Result<(), L::Error> {
        out.clear();
        self.links.of(self.members[at as usize].item, &mut self.buffer)?;
        for link in self.buffer.iter().filter(|link| link.joins) {
            if let Some(to) = self.place(link.to) {
                out.push(Linked { at: to, link: *link });
            }
        }
        Ok(())
    }

    fn between(&mut self, a: u32, b: u32) -> Result<Link, L::Error> {
        self.links.between(self.members[a as usize].item, self.members[b as usize].item)
    }

    /// Returns the leader of every member.
    fn leaders(&mut self) -> Result<Vec<u32>, L::Error> {
        let count = self.members.len();
        let mut leader = vec![NONE; count];
        let mut tries = vec![0u8; count];
        // The center for which a member was looked at last.
        let mut seen = vec![NONE; count];
        let mut matches = vec![0u32; count];
        let mut near = Vec::new();
        for at in 0..count as u32 {
            self.neighbors(at, &mut near)?;
            matches[at as usize] = near.iter().filter(|one| !self.are_parted(at, one.at)).count() as u32;
        }
        let rank =
            |at: u32, matches: &[u32]| (matches[at as usize], self.members[at as usize].content_words, Reverse(at));
        let mut queue: BinaryHeap<_> = (0..count as u32).map(|at| rank(at, &matches)).collect();
        let mut own = Vec::new();
        while let Some((ranked, words, Reverse(center))) = queue.pop() {
            if leader[center as usize] != NONE {
                continue;
            }
            if ranked != matches[center as usize] {
                queue.push((matches[center as usize], words, Reverse(center)));
                continue;
            }
            seen[center as usize] = center;
            self.links.of(self.members[center as usize].item, &mut own)?;
            let mut group: Vec<Linked> = Vec::new();
            let mut from = center;
            let mut reached = 0;
            loop {
                self.neighbors(from, &mut near)?;
                for to in near.iter().map(|one| one.at) {
                    let joinable = leader[to as usize] == NONE && !self.are_parted(from, to);
                    if !joinable || seen[to as usize] == center {
                        continue;
                    }
                    seen[to as usize] = center;
                    let item = self.item(to);
                    let link = match own.binary_search_by_key(&item, |link| link.to) {
                        Ok(at) => own[at],
                        Err(_) if tries[to as usize] < TRIES => {
                            tries[to as usize] += 1;
                            self.between(center, to)?
                        }
                        Err(_) => continue,
                    };
                    if link.joins {
                        group.push(Linked { at: to, link });
                    }
                }
                let Some(next) = group.get(reached) else { break };
                from = next.at;
                reached += 1;
            }
            self.admit(&mut group)?;
            let representative = self.representative(center, &group)?;
            for at in group.iter().map(|one| one.at).chain([center]) {
                leader[at as usize] = representative;
                self.neighbors(at, &mut near)?;
                for to in near.iter().map(|one| one.at).filter(|to| !self.are_parted(at, *to)) {
                    matches[to as usize] -= 1;
                }
            }
        }
        Ok(leader)
    }

    /// Keeps those members of a group, the most similar to its center first, that share something with the others.
    fn admit(&mut self, group: &mut Vec<Linked>) -> Result<(), L::Error> {
        group.sort_unstable_by(|a, b| b.link.told.total_cmp(&a.link.told).then(a.at.cmp(&b.at)));
        let mut admitted = 0_usize;
        for index in 0..group.len() {
            let one = group[index];
            let mut at_odds = false;
            if !one.link.tells() {
                for other in &group[admitted.saturating_sub(WITNESSES)..admitted] {
                    if other.link.tells() || shared_at_least(&one.link, &other.link) >= AT_ODDS {
                        continue;
                    }
                    let between = self.links.between(one.link.to, other.link.to)?;
                    if between.told.max(between.told_in_letters) < AT_ODDS {
                        at_odds = true;
                        break;
                    }
                }
            }
            if !at_odds {
                group[admitted] = one;
                admitted += 1;
            }
        }
        group.truncate(admitted);
        Ok(())
    }

    /// Returns the longest member of a group that all others match; its center is one that they do.
    fn representative(&mut self, center: u32, group: &[Linked]) -> Result<u32, L::Error> {
        let rank = |at: u32| (Reverse(self.words(at)), at);
        let mut longest: Vec<u32> = vec![center];
        for one in group {
            let place = longest.partition_point(|at| rank(*at) < rank(one.at));
            if place < CONTENDERS {
                longest.insert(place, one.at);
                longest.truncate(CONTENDERS);
            }
        }
        let mut own = Vec::new();
        for contender in longest {
            if contender == center {
                return Ok(center);
            }
            self.links.of(self.members[contender as usize].item, &mut own)?;
            if self.all_match(contender, &own, center, group)? {
                return Ok(contender);
            }
        }
        Ok(center)
    }

    /// Returns whether all of a group join one of them, whose links are `own`: what is known is asked first.
    fn all_match(&mut self, one: u32, own: &[Link], center: u32, group: &[Linked]) -> Result<bool, L::Error> {
        let known = |item: u32| own.binary_search_by_key(&item, |link| link.to).ok().map(|at| own[at].joins);
        let others = || group.iter().map(|other| other.at).chain([center]).filter(|other| *other != one);
        if others().any(|other| self.are_parted(one, other) || known(self.item(other)) == Some(false)) {
            return Ok(false);
        }
        for other in others() {
            if known(self.item(other)).is_none() && !self.between(one, other)?.joins {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Finds the pages that tell all of two documents which have nothing in common.
    fn part_round_ups(&mut self) -> Result<(), L::Error> {
        let mut near = Vec::new();
        for page in 0..self.members.len() as u32 {
            self.neighbors(page, &mut near)?;
            near.retain(|one| one.link.tells() && self.words(one.at) >= STORY_WORDS);
            self.longest(&mut near);
            'stories: for (number, one) in near.iter().enumerate() {
                for other in &near[number + 1..] {
                    if are_unrelated(&self.between(one.at, other.at)?) {
                        self.parted[page as usize] = true;
                        break 'stories;
                    }
                }
            }
        }
        self.part_passages()
    }

    /// Keeps the longest few, in the order of their length.
    fn longest(&self, linked: &mut Vec<Linked>) {
        linked.sort_unstable_by_key(|one| (Reverse(self.words(one.at)), one.at));
        linked.truncate(STORIES);
    }

    /// Finds the passages: documents that two longer ones tell, which share next to nothing else. A notice, a quotation, or
    /// what a site writes around every article, left over where the article was lost, is told by several stories and is
    /// none of them.
    fn part_passages(&mut self) -> Result<(), L::Error> {
        let mut passages = Vec::new();
        let mut holders = Vec::new();
        for passage in 0..self.members.len() as u32 {
            if self.parted[passage as usize] {
                continue;
            }
            let words = self.words(passage);
            self.neighbors(passage, &mut holders)?;
            holders.retain(|one| {
                one.link.is_told() && !self.parted[one.at as usize] && self.words(one.at) / LONGER >= words
            });
            self.longest(&mut holders);
            let Some((first, others)) = holders.split_first() else { continue };
            for other in others {
                let link = self.between(first.at, other.at)?;
                if link.told.max(link.told_in_letters) < AT_ODDS && !link.same_headline {
                    passages.push(passage);
                    break;
                }
            }
        }
        for passage in passages {
            self.parted[passage as usize] = true;
        }
        Ok(())
    }
}

/// Returns a share of the shorter one's shingles that two members hold in common at least, for what each holds of their
/// center: what together they hold more than all of it, they both hold.
fn shared_at_least(one: &Link, other: &Link) -> f32 {
    let size = |link: &Link| link.from_in_to / link.to_in_from;
    (one.from_in_to + other.from_in_to - 1.0) / size(one).min(size(other))
}

/// Returns whether two documents have so little in common that a page which tells both is one of several stories.
fn are_unrelated(link: &Link) -> bool {
    f64::from(link.told) < UNRELATED && !link.same_headline
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::tests::pair;
    use crate::cluster::{HeldLinks, links_of};
    use crate::similarity::{Relation, VerifiedPair};
    use proptest::prelude::*;
    use std::convert::Infallible;

    fn members(words: &[u32]) -> Vec<Member> {
        (0..).zip(words).map(|(item, content_words)| Member { item, content_words: *content_words }).collect()
    }

    fn split_by(
        members: &[Member],
        pairs: &[VerifiedPair],
        mut measure: impl FnMut(u32, u32) -> VerifiedPair,
    ) -> Vec<(u32, Vec<u32>)> {
        let held = links_of(pairs);
        let mut links = HeldLinks::new(&held, |a, b| Ok::<_, Infallible>(measure(a, b)));
        let Ok(clusters) = split(members, &mut links);
        clusters.into_iter().map(|cluster| (cluster.representative, cluster.members)).collect()
    }

    fn groups(members: &[Member], pairs: &[VerifiedPair]) -> Vec<(u32, Vec<u32>)> {
        split_by(members, pairs, VerifiedPair::apart)
    }

    #[test]
    fn a_passage_that_two_stories_tell_is_neither_of_them() {
        let told = |a, b| VerifiedPair { relation: Relation::Contained, ..pair(a, b, true, 0.9) };
        let members = members(&[80, 900, 700, 690]);
        let pairs = [told(0, 1), told(0, 2), told(0, 3), pair(2, 3, true, 0.8)];
        assert_eq!(groups(&members, &pairs), [(0, vec![0]), (1, vec![1]), (2, vec![2, 3])]);
        // Two copies of one story hold an excerpt of it.
        let pairs = [told(0, 2), told(0, 3), pair(2, 3, true, 0.8)];
        let excerpt = [members[0], members[2], members[3]];
        assert_eq!(groups(&excerpt, &pairs), [(2, vec![0, 2, 3])]);
    }

    #[test]
    fn a_chain_falls_apart_where_its_ends_share_nothing() {
        let pairs: Vec<VerifiedPair> = (0..5).map(|at| pair(at, at + 1, true, 0.6)).collect();
        for (representative, members) in groups(&members(&[100; 6]), &pairs) {
            assert!(members.iter().all(|member| member.abs_diff(representative) <= 1));
        }
    }

    #[test]
    fn the_longest_that_all_match_represents_them() {
        let pairs = [pair(0, 1, true, 0.9), pair(0, 2, true, 0.9), pair(1, 2, true, 0.9)];
        assert_eq!(groups(&members(&[90, 120, 110]), &pairs), [(1, vec![0, 1, 2])]);
    }

    #[test]
    fn a_copy_that_met_others_only_is_measured_against_the_representative() {
        let pairs = [pair(0, 1, true, 0.9), pair(1, 2, true, 0.9), pair(0, 3, true, 0.9)];
        let mut measured = Vec::new();
        let clusters = split_by(&members(&[100; 4]), &pairs, |a, b| {
            measured.push((a, b));
            pair(a, b, true, 0.9)
        });
        assert_eq!(clusters.len(), 1);
        assert!(measured.contains(&(0, 2)));
    }

    #[test]
    fn a_page_of_two_stories_joins_neither() {
        let contains = |a, b| VerifiedPair { relation: Relation::Contains, ..pair(a, b, true, 1.0) };
        let pairs = [contains(0, 1), contains(0, 2), pair(1, 3, true, 0.9)];
        let found = groups(&members(&[400, 150, 200, 140]), &pairs);
        assert_eq!(found, [(0, vec![0]), (1, vec![1, 3]), (2, vec![2])]);
    }

    proptest! {
        #[test]
        fn the_order_of_pairs_does_not_matter(
            words in proptest::collection::vec(1u32..50, 1..14),
            links in proptest::collection::vec((0u32..14, 0u32..14, any::<bool>(), 0.0..1.0f64), 0..50),
            seed in any::<u64>(),
        ) {
            let members = members(&words);
            let count = words.len() as u32;
            let mut known = HashMap::new();
            for (a, b, joins, told) in links {
                let (a, b) = (a.min(b) % count, a.max(b) % count);
                if a != b {
                    known.insert((a.min(b), a.max(b)), pair(a.min(b), a.max(b), joins, told));
                }
            }
            let mut pairs: Vec<VerifiedPair> = known.values().copied().collect();
            pairs.sort();
            let mut shuffled = pairs.clone();
            shuffled.sort_by_key(|pair| crate::hash::mix64(u64::from(pair.a) << 32 | u64::from(pair.b)) ^ seed);
            let found = groups(&members, &pairs);
            prop_assert_eq!(&found, &groups(&members, &shuffled));
            let mut all: Vec<u32> = found.iter().flat_map(|(_, members)| members.clone()).collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..count).collect::<Vec<_>>());
            for (representative, members) in &found {
                for member in members.iter().filter(|member| *member != representative) {
                    let key = (*member.min(representative), *member.max(representative));
                    prop_assert!(known.get(&key).is_some_and(|pair| pair.joins));
                }
            }
        }
    }
}
