//! The order of the stages, and the threads. Reads like the flow.
//!
//! ```text
//! read ─▶ occurrences ─▶ repeat ─▶ judge ─▶ identities, bands, samples ─▶ pair ─▶ group ─▶ rows
//! ```
//!
//! Three passes over the documents: to count what repeats, to judge, and to read again those that are to be compared.
//! Between them stand small fixed-width records, sorted within the memory of the workspace.

mod clock;
mod company;
mod component;
mod crew;
mod decide;
mod group;
mod judge;
mod pair;
mod profiles;
mod read;
mod repeat;
mod suggest;
mod version;
mod write;

pub use clock::{Clock, cpu_seconds, peak_resident};
pub use write::Scan;

use crate::boilerplate::data_versions;
use crate::config::{Config, Verify};
use crate::document::DocumentSource;
use crate::error::Error;
use crate::headlines::HeadlineRelation;
use crate::observe::Observer;
use crate::output::{DecisionCount, HeadlineRow, SCHEMA, Sink, SiteCount, SketchFacts, Summary, WithinCount};
use crate::pipeline::crew::Run;
use crate::pipeline::decide::decide;
use crate::pipeline::group::{Grouping, group};
use crate::pipeline::judge::{Judgment, SAMPLE_SCALE, banding, judge};
use crate::pipeline::pair::{Crowds, candidates, copies, told, verified, wanted};
use crate::pipeline::read::{Census, read};
use crate::pipeline::repeat::{Repeats, repeat};
use crate::pipeline::suggest::Suggesting;
use crate::pipeline::version::{successions, versions};
use crate::pipeline::write::Taught;
use crate::similarity::{Banding, MOST_ROWS, SKETCH_VERSION, VerifiedPair};
use crate::store::{Sorted, Workspace};

/// Returns how often a scan reads its documents, at most.
pub fn passes(config: &Config) -> u64 {
    if config.verify == Verify::Sketch { 2 } else { 3 }
}

/// Sites that the summary names.
const SITES: usize = 1000;

/// Scans documents: judges their blocks, finds those that tell the same, and chooses what to keep. Changes nothing.
///
/// `sink` takes the rows of `blocks` while documents are judged; all other tables are read from the scan.
///
/// # Errors
/// If the settings, the input as a whole, scratch space or the sink fail. A record that cannot be read is no error.
pub fn scan<'w>(
    config: &Config,
    workspace: &'w Workspace,
    source: &dyn DocumentSource,
    observer: &dyn Observer,
    sink: Option<&dyn Sink>,
) -> Result<Scan<'w>, Error> {
    config.check()?;
    let run = Run::new(config, workspace, source, observer);
    let mut clock = Clock::start(workspace);

    let mut census = read(&run)?;
    clock.lap("read", census.documents.into());
    let blocks = census.occurrences.as_ref().map_or(0, Sorted::len);
    // Once all is judged, what repeats is opened again only where it is to be saved or suggested.
    let repeats = if config.boilerplate && (config.saves_repeats() || !run.is_done("judge")?) {
        Some(repeat(&run, &mut census)?)
    } else {
        run.workspace.forget(&["occurrences", "clusters of blocks", "counted"]);
        None
    };
    clock.lap("repeat", blocks);
    let suggesting = match repeats.as_ref().and_then(|repeats| repeats.recurrences.as_ref()) {
        Some(recurrences) if config.suggest_rules => Some(Suggesting::choose(recurrences)?),
        _ => None,
    };
    let mut judgment = judge(&run, &census, repeats.as_ref(), suggesting.as_ref(), sink)?;
    let suggested = suggesting.map(|suggesting| suggesting.finish(&census, &judgment.seen));
    // A process that goes on with the run chooses anew what to suggest.
    let keeps_repeats = config.save_evidence || workspace.is_resumable();
    let taught = repeats.and_then(|Repeats { site_clusters, recurrences, journal, .. }| {
        let recurrences = recurrences.filter(|_| keeps_repeats)?;
        Some(Taught { site_clusters, recurrences, _journal: journal })
    });
    clock.lap("judge", census.documents.into());

    let decided = decide(config, &judgment)?;
    let copies = copies(config, &census, &decided, &judgment.identities)?;
    let successions = successions(&run, &census, &judgment, &copies)?;
    let (met, crowds) = candidates(&run, &census, &judgment, &copies, &successions)?;
    run.done("meet")?;
    clock.lap("meet", judgment.comparable.take().map_or(0, |comparable| comparable.len()));
    let wanted = wanted(config, census.documents, &met, &copies, &decided, &successions)?;
    let texts = told(&run, &census, &mut judgment, &wanted)?;
    clock.lap("read again", texts.told.len() as u64);
    let verified = verified(&run, &met, wanted, &texts)?;
    clock.lap("verify", met.len());
    let grouping = group(&run, &census, &judgment, &copies, &decided, &verified, &texts)?;
    let versions = versions(&run, &copies, &successions, &verified, &texts, &judgment.facts)?;
    clock.lap("group", verified.len());

    let census_documents = census.documents;
    let closest = closest(&census, &verified, &grouping)?;
    let headlines = headlines(&census, &judgment, &grouping)?;
    let mut scan = Scan {
        config: config.clone(),
        census,
        judgment,
        grouping,
        versions,
        decided,
        headlines,
        suggested: suggested.unwrap_or_default(),
        taught,
        summary: Summary::default(),
        timings: Vec::new(),
    };
    scan.summary = summarize(&scan, &crowds, closest)?;
    clock.lap("sum up", census_documents.into());
    scan.timings = clock.into_stages();
    Ok(scan)
}

/// Returns the most similar pair that was not joined: what is closest to the line.
fn closest(
    census: &Census<'_>,
    verified: &Sorted<'_, VerifiedPair>,
    grouping: &Grouping<'_>,
) -> Result<Option<VerifiedPair>, Error> {
    let of = |document: u32| grouping.representative_of[document as usize];
    let mut closest: Option<VerifiedPair> = None;
    for pair in verified.iter()? {
        let pair = pair?;
        if !census.is_reference(pair.b)
            && of(pair.a) != of(pair.b)
            && closest.is_none_or(|closest| closest.jaccard < pair.jaccard)
        {
            closest = Some(pair);
        }
    }
    Ok(closest)
}

/// Finds headlines that several documents carry.
fn headlines(census: &Census<'_>, judgment: &Judgment<'_>, grouping: &Grouping<'_>) -> Result<Vec<HeadlineRow>, Error> {
    let mut found: Vec<(u32, HeadlineRow)> = Vec::new();
    let mut group: Vec<u32> = Vec::new();
    let mut key = None;
    let mut settle = |group: &mut Vec<u32>| -> Result<(), Error> {
        if group.len() > 1 {
            let count = |of: &dyn Fn(u32) -> u32| {
                let mut values: Vec<u32> = group.iter().map(|document| of(*document)).collect();
                values.sort_unstable();
                values.dedup();
                values.len()
            };
            let sites = count(&|document| census.site_of[document as usize]);
            let clusters = count(&|document| grouping.representative_of[document as usize]);
            let facts = judgment.facts.get(group[0])?.expect("every document has facts");
            let headline = crate::corpus::Facts::decode(&facts).headline.unwrap_or_default();
            let relation = HeadlineRelation::of(clusters, sites).name();
            found.push((
                group[0],
                HeadlineRow {
                    headline,
                    documents: group.len() as u64,
                    sites: sites as u64,
                    relation: relation.to_owned(),
                },
            ));
        }
        group.clear();
        Ok(())
    };
    for entry in judgment.headlines.iter()? {
        let entry = entry?;
        if key != Some(entry.headline) {
            settle(&mut group)?;
            key = Some(entry.headline);
        }
        group.push(entry.document);
    }
    settle(&mut group)?;
    found.sort_unstable_by_key(|(first, _)| *first);
    Ok(found.into_iter().map(|(_, row)| row).collect())
}

/// A site of so many documents …
const WARN_DOCUMENTS: u64 = 5;
/// … that would lose more than this share of its words is worth a look: either chrome was scraped with little else, or the
/// judge is wrong there.
const WARN_SHARE: f64 = 0.8;

/// Names the sites that would lose most of their words.
fn site_warnings(sites: &[SiteCount]) -> Vec<String> {
    sites
        .iter()
        .filter(|site| site.documents >= WARN_DOCUMENTS)
        .filter(|site| site.removed_words as f64 > WARN_SHARE * site.words as f64)
        .map(|site| {
            let share = 100.0 * site.removed_words as f64 / site.words as f64;
            format!("{share:.0}% of the words of `{}` would be removed, in {} documents", site.site, site.documents)
        })
        .collect()
}

/// Says what an estimate is, when pairs are measured by their sketches.
fn sketch_warning(config: &Config) -> Option<String> {
    (config.verify == Verify::Sketch).then(|| {
        let error = 0.5 / (MOST_ROWS as f64).sqrt();
        format!(
            "similarity is estimated (`--verify sketch`), with a standard error of up to {error:.2}: facts, quotations and \
             retellings were not looked at"
        )
    })
}

/// Ids of decisions that a warning names.
const GONE: usize = 10;

/// Names the ids of decisions that are not there.
fn gone_warning(count: &DecisionCount) -> Option<String> {
    let named: Vec<String> = count.gone.iter().take(GONE).map(|id| format!("`{id}`")).collect();
    let more = count.gone.len().saturating_sub(GONE);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!named.is_empty()).then(|| {
        let left = count.lines - count.followed;
        let what = if left == 1 { "1 decision".to_owned() } else { format!("{left} decisions") };
        format!("{what} of `{}` not followed, no document is called: {}{more}", count.file, named.join(", "))
    })
}

/// Says what is worth a look: decisions about documents that are gone, texts of which nothing would be left, and sites that would lose most of their words.
///
/// The judge itself leaves something of every text, so only rules of the user's can empty one.
fn warnings(decisions: Option<&DecisionCount>, emptied: u64, sites: &[SiteCount]) -> Vec<String> {
    let emptied = match emptied {
        0 => None,
        1 => Some("1 document would be left without a word: the rules take all of it".to_owned()),
        many => Some(format!("{many} documents would be left without a word: the rules take all of them")),
    };
    decisions.and_then(gone_warning).into_iter().chain(emptied).chain(site_warnings(sites)).collect()
}

/// Returns the versions of the data that the run judged by: those of the program, but for other weights.
fn versions_of_data(config: &Config) -> Vec<(String, String)> {
    let mut versions = data_versions();
    if let (Some(weights), Some(model)) = (&config.weights, versions.iter_mut().find(|(name, _)| name == "model")) {
        model.1 = weights.version();
    }
    versions
}

/// Says what brought pairs together.
fn sketch_facts(config: &Config) -> SketchFacts {
    let Banding { bands, rows } = banding(config);
    SketchFacts { version: SKETCH_VERSION, bands: bands as u64, rows: rows as u64, sampled_one_in: SAMPLE_SCALE }
}

/// Adds up what was found.
fn summarize(scan: &Scan<'_>, crowds: &Crowds, closest: Option<VerifiedPair>) -> Result<Summary, Error> {
    let totals = &scan.judgment.totals;
    let (mut dropped, mut known) = (0, 0);
    for next in scan.grouping.memberships.iter()? {
        let of = next?;
        dropped += u64::from(!of.keep);
        known += u64::from(of.reference.is_some());
    }
    let census = &scan.census;
    let documents = u64::from(census.own);
    let by_site = scan.site_counts(SITES)?;
    Ok(Summary {
        retold: "scan".to_owned(),
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        data_versions: versions_of_data(&scan.config),
        sketch: sketch_facts(&scan.config),
        settings: scan.config.settings(),
        inputs: Vec::new(),
        documents,
        empty: totals.empty,
        references: u64::from(census.documents - census.own),
        known,
        decisions: scan.decided.count.clone(),
        within: scan.config.within.clone().map(|field| WithinCount {
            field,
            values: u64::from(census.within_values),
            without: (0..census.own).filter(|document| census.within(*document) == 0).count() as u64,
        }),
        sites: census.sites[1..].iter().filter(|site| site.own > 0).count() as u64,
        without_site: u64::from(census.sites[0].own),
        without_date: scan.census.without_date,
        words: totals.words,
        removed_words: totals.removed_words,
        text_bytes: totals.text_bytes,
        kinds: totals.kind_counts(&scan.config),
        withheld: totals.withheld,
        clusters: scan.grouping.clusters.len() as u64,
        clustered: scan.grouping.clusters.documents(),
        kept: documents - dropped,
        pairs: scan.count_pairs()?,
        copies_listed_with_leader: scan.grouping.with_leader,
        closest: closest.map(|pair| scan.pair_row(&pair)).transpose()?,
        headlines: scan.headlines.len() as u64,
        versions: scan.versions.len(),
        skipped: scan.census.skipped.len() as u64,
        expected_recall: if scan.config.exact { 1.0 } else { banding(&scan.config).recall(scan.config.threshold) },
        pairs_left_out: crowds.left_out,
        crowds: scan.crowd_counts(&crowds.largest)?,
        warnings: sketch_warning(&scan.config)
            .into_iter()
            .chain(warnings(scan.decided.count.as_ref(), totals.emptied, &by_site))
            .collect(),
        by_site,
        run: crate::output::RunFacts::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Document, Documents};
    use crate::observe::Silent;
    use crate::output::Role;

    fn document(id: &str, site: &str, text: &str) -> Document {
        Document { id: id.into(), site: Some(site.into()), text: text.into(), ..Document::default() }
    }

    #[test]
    fn a_site_that_would_lose_nearly_all_its_words_is_named() {
        let site = |site: &str, documents, removed_words| SiteCount {
            site: site.into(),
            documents,
            words: 1000,
            removed_words,
            dropped: 0,
        };
        let sites = [site("small.example", 4, 990), site("bare.example", 5, 810), site("fine.example", 50, 500)];
        assert_eq!(site_warnings(&sites), ["81% of the words of `bare.example` would be removed, in 5 documents"]);
    }

    #[test]
    fn copies_join_and_strangers_stay_apart() {
        let story = "The harbor was closed on Monday after a crane fell into the water near the eastern pier.\n\
                     Nobody was hurt, the port authority said, and divers will look at the wreck on Tuesday.";
        let other = "The city council voted to plant four hundred trees along the river before the winter comes.";
        let documents = Documents::new(vec![
            document("a", "one.example", story),
            document("b", "two.example", other),
            document("c", "three.example", story),
            document("c", "four.example", ""),
        ]);
        let workspace = Workspace::new(std::env::temp_dir(), u64::MAX, 2);
        let config = Config { boilerplate: false, ..Config::default() };
        let scan = scan(&config, &workspace, &documents, &Silent, None).unwrap();
        let rows: Vec<_> = scan.documents().unwrap().map(Result::unwrap).collect();
        let seen: Vec<_> =
            rows.iter().map(|row| (row.id.as_str(), row.cluster_id.as_str(), row.role, row.keep)).collect();
        assert_eq!(
            seen,
            [
                ("a", "a", Role::Representative, true),
                ("b", "b", Role::Unique, true),
                ("c", "a", Role::Duplicate, false),
                ("c#2", "c#2", Role::Empty, true),
            ]
        );
        let pairs: Vec<_> = scan.pairs().unwrap().map(Result::unwrap).collect();
        assert_eq!(pairs.len(), 1);
        assert_eq!((pairs[0].relation.as_str(), pairs[0].joined), ("identical", true));
        assert_eq!(scan.summary().clusters, 1);
        assert!(scan.summary().closest.is_some());
    }
}
