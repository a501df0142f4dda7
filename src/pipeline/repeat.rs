//! What repeats: blocks counted by document, site and near-duplicate cluster.
//!
//! Clusters for this count are taken on lines that are rare on their site, or else chrome would join pages: a line that
//! a site shows on many of its pages says nothing about which of them tell one story.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::boilerplate::{Counted, Link, Occurrence, Recurrence, Tally};
use crate::error::Error;
use crate::evidence::SavedEvidence;
use crate::pipeline::crew::Run;
use crate::pipeline::read::{Census, LONG_WORDS};
use crate::similarity::Components;
use crate::store::{Sorted, Spool, SpoolWriter, StoreError};

/// What the blocks of the run repeat.
#[derive(Debug)]
pub(super) struct Repeats<'w> {
    /// Every block that stands in two documents or more, by document and block; none once all is judged.
    pub counted: Option<Sorted<'w, Counted>>,
    /// Near-duplicate clusters of every site, by its number.
    pub site_clusters: Vec<u32>,
    /// Every block and template that stands in two documents or more, when it is to be saved or suggested.
    pub recurrences: Option<Sorted<'w, Recurrence>>,
    /// The clusters, for a process that goes on with the run.
    pub journal: Option<Spool<'w>>,
}

/// A line is rare on its site when at most so many of the site's documents hold it …
const RARE_DOCUMENTS: u32 = 2;
/// … or at most this share of them (measured on the development sites: with it content F1 rose from 0.904 to 0.930).
const RARE_SHARE: f64 = 0.15;
/// Documents are one cluster for counting when they share this much of the smaller one's rare lines, by words.
const LINKED_SHARE: f64 = 0.3;
/// The same where a site is not known, so that its chrome cannot be told from rare lines.
const LINKED_SHARE_NO_SITE: f64 = 0.5;

/// Counts what the census met or looks it up in saved evidence, or opens what another process has found; the census'
/// occurrences are used up.
pub(super) fn repeat<'w>(run: &Run<'_, 'w>, census: &mut Census<'w>) -> Result<Repeats<'w>, Error> {
    match &run.config.evidence {
        Some(evidence) => look_up(run, census, evidence),
        None => count(run, census),
    }
}

/// Counts what the census met.
fn count<'w>(run: &Run<'_, 'w>, census: &mut Census<'w>) -> Result<Repeats<'w>, Error> {
    let occurrences = census.occurrences.take();
    let census = &*census;
    let journal = SpoolWriter::resume(run.workspace, "clusters of blocks")?;
    let cluster_of = match (&occurrences, run.is_done("link")?) {
        (Some(occurrences), false) => {
            let cluster_of = clusters(run, census, occurrences)?;
            if run.workspace.is_resumable() {
                journal.put(vec![(0, serde_json::to_vec(&cluster_of).expect("numbers have no keys"))])?;
                journal.seal()?;
                run.done("link")?;
            }
            cluster_of
        }
        _ => journal
            .strings()?
            .first()
            .map_or_else(Vec::new, |(_, bytes)| serde_json::from_slice(bytes).expect("a journal is kept as it was")),
    };
    let mut of_sites: Vec<u64> = census
        .site_of
        .iter()
        .zip(&cluster_of)
        .map(|(site, cluster)| u64::from(*site) << 32 | u64::from(*cluster))
        .collect();
    of_sites.sort_unstable();
    of_sites.dedup();
    let mut site_clusters = vec![0; census.sites.len()];
    for pair in of_sites {
        site_clusters[(pair >> 32) as usize] += 1;
    }

    let wanted = run.config.saves_repeats();
    let Some(occurrences) = occurrences else {
        run.workspace.forget(&["occurrences"]);
        let counted = still_counted(run)?;
        let recurrences = if wanted { Some(Sorted::resume(run.workspace, "recurrences")?) } else { None };
        return Ok(Repeats { counted, site_clusters, recurrences, journal: Some(journal.finish()?) });
    };
    let counted = run.sorter("counted");
    let recurrences = run.sorter("recurrences");
    run.each(occurrences.parts(), |part| -> Result<(), StoreError> {
        let mut writer = counted.writer();
        let mut recurring = recurrences.writer();
        let mut group = None;
        for_each_group(
            &occurrences,
            part,
            |tally, member| {
                let document = member.document as usize;
                tally.add(member.document, census.site_of[document], cluster_of[document]);
            },
            |tally, member| {
                if tally.documents() < 2 {
                    return Ok(());
                }
                if wanted && group != Some(member.fingerprint) {
                    group = Some(member.fingerprint);
                    tally.recurrences(member.fingerprint).try_for_each(|one| recurring.push(one))?;
                }
                writer.push(Counted {
                    document: member.document,
                    block: member.block(),
                    near: member.near(),
                    counts: tally.counts(census.site_of[member.document as usize]),
                })
            },
        )?;
        writer.finish()?;
        recurring.finish()
    })?;
    let counted = Some(run.sort(counted)?);
    let recurrences = if wanted { Some(run.sort(recurrences)?) } else { None };
    drop(occurrences);
    run.done("repeat")?;
    Ok(Repeats { counted, site_clusters, recurrences, journal: Some(journal.finish()?) })
}

/// Opens what another process has counted, if judging still needs it.
fn still_counted<'w>(run: &Run<'_, 'w>) -> Result<Option<Sorted<'w, Counted>>, StoreError> {
    if run.is_done("judge")? {
        run.workspace.forget(&["counted"]);
        return Ok(None);
    }
    Sorted::resume(run.workspace, "counted").map(Some)
}

/// Looks up in saved evidence what the census met, instead of counting it: what a document is told depends on no other
/// document of the run. Both are read once, in order of the fingerprints.
fn look_up<'w>(run: &Run<'_, 'w>, census: &mut Census<'w>, evidence: &SavedEvidence) -> Result<Repeats<'w>, Error> {
    let occurrences = census.occurrences.take();
    let census = &*census;
    let numbers: HashMap<&str, usize> =
        census.sites.iter().enumerate().map(|(number, site)| (site.name.as_str(), number)).collect();
    // A site that the evidence does not know has one document, the one that is judged.
    let mut site_clusters = vec![1; census.sites.len()];
    let mut saved_as = vec![None; census.sites.len()];
    evidence.for_each_site(|saved, name, _, clusters| {
        if let Some(number) = numbers.get(name) {
            site_clusters[*number] = clusters;
            saved_as[*number] = Some(saved);
        }
    })?;
    let Some(occurrences) = occurrences else {
        run.workspace.forget(&["occurrences"]);
        let counted = still_counted(run)?;
        return Ok(Repeats { counted, site_clusters, recurrences: None, journal: None });
    };
    let counted = run.sorter("counted");
    run.each(occurrences.parts(), |part| -> Result<(), Error> {
        let mut writer = counted.writer();
        let mut cursor = evidence.cursor()?;
        occurrences.for_each_group(part, |fingerprint, group| -> Result<(), Error> {
            let Some(found) = cursor.find(fingerprint)? else { return Ok(()) };
            for member in group {
                let site = saved_as[census.site_of[member.document as usize] as usize];
                let (document, block, near) = (member.document, member.block(), member.near());
                writer.push(Counted { document, block, near, counts: found.counts(site) })?;
            }
            Ok(())
        })?;
        Ok(writer.finish()?)
    })?;
    let counted = Some(run.sort(counted)?);
    drop(occurrences);
    run.done("repeat")?;
    Ok(Repeats { counted, site_clusters, recurrences: None, journal: None })
}

/// Returns the cluster of every document, as the number of its first member.
fn clusters(run: &Run<'_, '_>, census: &Census<'_>, occurrences: &Sorted<'_, Occurrence>) -> Result<Vec<u32>, Error> {
    // Words of each document's long lines, less those that are common on its site.
    let rare_words: Vec<AtomicU32> = census.long_words.iter().map(|words| AtomicU32::new(*words)).collect();
    let links = run.sorter("links");
    run.each(occurrences.parts(), |part| -> Result<(), StoreError> {
        let mut writer = links.writer();
        let mut first_rare = None;
        let mut group = None;
        for_each_group(
            occurrences,
            part,
            |tally, member| tally.add(member.document, census.site_of[member.document as usize], 0),
            |tally, member| {
                if tally.documents() < 2 || member.near() || member.words() < LONG_WORDS {
                    return Ok(());
                }
                if group != Some(member.fingerprint) {
                    group = Some(member.fingerprint);
                    first_rare = None;
                }
                let document = member.document;
                let site = census.site_of[document as usize];
                let (on_site, _) = tally.of_site(site);
                let site_documents = census.sites[site as usize].documents;
                let rare = on_site <= RARE_DOCUMENTS || f64::from(on_site) <= RARE_SHARE * f64::from(site_documents);
                if !rare {
                    let _ = rare_words[document as usize].fetch_update(Ordering::Relaxed, Ordering::Relaxed, |words| {
                        Some(words.saturating_sub(member.words()))
                    });
                    return Ok(());
                }
                match first_rare {
                    None => first_rare = Some(document),
                    Some(first) if first != document => {
                        writer.push(Link { a: first, b: document, words: member.words() })?;
                    }
                    Some(_) => {}
                }
                Ok(())
            },
        )?;
        writer.finish()
    })?;
    let links = run.sort(links)?;
    let mut components = Components::new(census.site_of.len());
    let mut join = |pair: Link| {
        let rare = |document: u32| rare_words[document as usize].load(Ordering::Relaxed);
        let known = |document: u32| census.site_of[document as usize] != 0;
        let share = if known(pair.a) && known(pair.b) { LINKED_SHARE } else { LINKED_SHARE_NO_SITE };
        if f64::from(pair.words) >= share * f64::from(rare(pair.a).min(rare(pair.b))) {
            components.join(pair.a, pair.b);
        }
    };
    let mut sum: Option<Link> = None;
    for link in links.iter()? {
        let link = link?;
        match &mut sum {
            Some(sum) if (sum.a, sum.b) == (link.a, link.b) => sum.words += link.words,
            _ => {
                if let Some(done) = sum.replace(link) {
                    join(done);
                }
            }
        }
    }
    if let Some(done) = sum {
        join(done);
    }
    Ok(components.into_roots())
}

/// Reads one part group by group, each twice: every member goes to `add`, and once the tally of the group is finished,
/// every member goes to `emit`. A block that stands once is passed over.
fn for_each_group(
    occurrences: &Sorted<'_, Occurrence>,
    part: usize,
    mut add: impl FnMut(&mut Tally, &Occurrence),
    mut emit: impl FnMut(&Tally, &Occurrence) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut tally = Tally::default();
    occurrences.for_each_group(part, |_, group| {
        if group.as_slice().is_some_and(|members| members.len() == 1) {
            return Ok(());
        }
        tally.clear();
        for member in &mut *group {
            add(&mut tally, &member);
        }
        tally.finish();
        group.rewind();
        for member in group {
            emit(&tally, &member)?;
        }
        Ok(())
    })
}
