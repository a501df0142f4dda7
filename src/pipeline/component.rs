//! Components of verified pairs → the representative of every document.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::cluster::{Cluster, ComponentLink, HeldLinks, Link, Links, LookAlikes, Member, split};
use crate::error::Error;
use crate::pipeline::crew::Run;
use crate::pipeline::judge::Judgment;
use crate::pipeline::pair::{Copies, Texts};
use crate::pipeline::profiles::Profiles;
use crate::pipeline::read::Census;
use crate::similarity::{Components, VerifiedPair};
use crate::store::{Sorted, Spool, SpoolWriter, StoreError};

/// Splits every component by leaders, and returns the representative of every document.
pub(super) fn representatives(
    run: &Run<'_, '_>,
    census: &Census<'_>,
    judgment: &Judgment<'_>,
    copies: &Copies,
    look_alikes: &LookAlikes,
    verified: &Sorted<'_, VerifiedPair>,
    texts: &Texts<'_>,
) -> Result<Vec<u32>, Error> {
    let documents = copies.leader_of.len();
    let mut components = Components::new(documents);
    for pair in verified.iter()? {
        let pair = look_alikes.confirmed(pair?);
        if pair.joins && !census.is_reference(pair.b) {
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
            if root == roots[pair.b as usize] && !census.is_reference(pair.b) {
                writer.push(ComponentLink { root, from: pair.a, link: Link::new(&pair, pair.a) })?;
                writer.push(ComponentLink { root, from: pair.b, link: Link::new(&pair, pair.b) })?;
            }
        }
        writer.finish()
    })?;
    let by_component = run.sort(by_component)?;
    drop(roots);
    let representative_of: Vec<AtomicU32> = copies.leader_of.iter().map(|leader| AtomicU32::new(*leader)).collect();
    let settle = |clusters: Vec<Cluster>| {
        for cluster in clusters {
            for member in cluster.members {
                representative_of[member as usize].store(cluster.representative, Ordering::Relaxed);
            }
        }
    };
    let member = |item: u32| Member { item, content_words: judgment.content_words[item as usize] };
    let verify = |profiles: &mut Profiles<'_>, a: u32, b: u32| -> Result<VerifiedPair, Error> {
        if run.observer.stopped() {
            return Err(Error::Stopped);
        }
        let pair = profiles.verify(a, b)?;
        Ok(if census.may_meet(run.config, a, b) { pair } else { VerifiedPair::apart(pair.a, pair.b) })
    };
    let spooled = SpoolWriter::new(run.workspace, "links");
    let large: Mutex<Vec<Vec<Member>>> = Mutex::new(Vec::new());
    run.each(by_component.parts(), |part| -> Result<(), Error> {
        let mut profiles = Profiles::new(run, texts);
        by_component.for_each_group(part, |_, group| {
            let mut held: Vec<(u32, Link)> = group.by_ref().take(HELD_LINKS).map(|one| (one.from, one.link)).collect();
            let mut members: Vec<Member> = Vec::new();
            if held.len() < HELD_LINKS {
                members.extend(held.chunk_by(|one, other| one.0 == other.0).map(|links| member(links[0].0)));
                settle(split(&members, &mut HeldLinks::new(&held, |a, b| verify(&mut profiles, a, b)))?);
                return Ok(());
            }
            group.rewind();
            held.clear();
            let mut rest = group.peekable();
            while let Some(first) = rest.peek().map(|one| one.from) {
                members.push(member(first));
                held.extend(std::iter::from_fn(|| rest.next_if(|one| one.from == first)).map(|one| (first, one.link)));
                if held.len() >= SPOOLED_AT_ONCE {
                    spool_links(&spooled, &mut held)?;
                }
            }
            spool_links(&spooled, &mut held)?;
            large.lock().expect("no thread panicked here").push(members);
            Ok(())
        })
    })?;
    drop(by_component);
    let spooled = spooled.finish()?;
    let large = large.into_inner().expect("no thread panicked here");
    run.each(large.len(), |at| -> Result<(), Error> {
        let mut profiles = Profiles::new(run, texts);
        let measure = |a, b| verify(&mut profiles, a, b);
        settle(split(&large[at], &mut SpooledLinks { spooled: &spooled, measure })?);
        Ok(())
    })?;
    let mut representative_of: Vec<u32> = representative_of.into_iter().map(AtomicU32::into_inner).collect();
    for document in 0..documents {
        let leader = copies.leader_of[document] as usize;
        representative_of[document] = representative_of[leader];
    }
    Ok(representative_of)
}

/// Links of a component that a thread holds at most: two megabytes. Those of a larger one are kept like texts, in memory
/// as far as the budget goes; what is found is the same.
const HELD_LINKS: usize = 1 << 16;

/// Links that are written at once.
const SPOOLED_AT_ONCE: usize = 1 << 12;

/// Writes the links of some documents, ascending, and empties `held`.
fn spool_links(spooled: &SpoolWriter<'_>, held: &mut Vec<(u32, Link)>) -> Result<(), StoreError> {
    let strings = held.chunk_by(|one, other| one.0 == other.0).map(|links| {
        let mut bytes = vec![0; links.len() * Link::WIDTH];
        links.iter().zip(bytes.chunks_exact_mut(Link::WIDTH)).for_each(|((_, link), out)| link.encode(out));
        (links[0].0, bytes)
    });
    spooled.put(strings.collect())?;
    held.clear();
    Ok(())
}

/// The links of a large component; a pair that is asked for by itself is measured, which costs less than to look for it
/// among those of a document that all others were compared with.
struct SpooledLinks<'a, 'w, F> {
    spooled: &'a Spool<'w>,
    measure: F,
}

impl<F: FnMut(u32, u32) -> Result<VerifiedPair, Error>> Links for SpooledLinks<'_, '_, F> {
    type Error = Error;

    fn of(&mut self, from: u32, out: &mut Vec<Link>) -> Result<(), Error> {
        out.clear();
        if let Some(bytes) = self.spooled.get(from)? {
            out.extend(bytes.chunks_exact(Link::WIDTH).map(Link::decode));
        }
        Ok(())
    }

    fn between(&mut self, from: u32, to: u32) -> Result<Link, Error> {
        Ok(Link::new(&(self.measure)(from.min(to), from.max(to))?, from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::links_of;
    use crate::store::Workspace;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn a_component_is_split_alike_wherever_its_links_lie(
            words in proptest::collection::vec(1u32..200, 2..24),
            shares in proptest::collection::vec((0u32..24, 0u32..24, 0.0..1.0f64), 1..120),
            budget in prop_oneof![Just(0), Just(4096), Just(u64::MAX)],
        ) {
            let count = words.len() as u32;
            let mut pairs = BTreeMap::new();
            for (a, b, told) in shares {
                let (a, b) = ((a % count).min(b % count), (a % count).max(b % count));
                if a != b {
                    let joins = told > 0.4;
                    pairs.insert((a, b), VerifiedPair { joins, told, a_in_b: told, b_in_a: told, ..VerifiedPair::apart(a, b) });
                }
            }
            let held = links_of(&pairs.values().copied().collect::<Vec<_>>());
            let members: Vec<Member> =
                (0..count).zip(words).map(|(item, content_words)| Member { item, content_words }).collect();
            let measure = |a, b| Ok::<_, Error>(pairs.get(&(a, b)).copied().unwrap_or(VerifiedPair::apart(a, b)));
            let expected = split(&members, &mut HeldLinks::new(&held, measure)).unwrap();
            let workspace = Workspace::new(std::env::temp_dir(), budget, 1);
            let writer = SpoolWriter::new(&workspace, "links");
            spool_links(&writer, &mut held.clone()).unwrap();
            let spooled = writer.finish().unwrap();
            prop_assert_eq!(split(&members, &mut SpooledLinks { spooled: &spooled, measure }).unwrap(), expected);
        }
    }
}
