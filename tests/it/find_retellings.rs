//! As an analyst I want to know which pages tell the same story, and to keep one of each.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::Place;
use crate::support::articles::{Page, crawl, json_lines};

/// Returns the pages of every story that several pages tell.
fn planted(pages: &[Page]) -> BTreeSet<BTreeSet<String>> {
    let mut stories: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for page in pages {
        stories.entry(page.story).or_default().insert(page.id.clone());
    }
    stories.into_values().filter(|story| story.len() > 1).collect()
}

fn found(place: &Place, directory: &str) -> BTreeSet<BTreeSet<String>> {
    let rows = place.rows(&format!("{directory}/clusters.jsonl"));
    let members = |row: &serde_json::Value| {
        let members = row["members"].as_array().expect("a cluster has members");
        members.iter().map(|member| member.as_str().expect("an id is text").to_owned()).collect()
    };
    rows.iter().map(members).collect()
}

#[test]
fn every_planted_copy_joins_its_story_and_nothing_else_does() {
    let place = Place::new();
    let pages = crawl(11, 240, 10);
    place.file("crawl.jsonl", json_lines(&pages));
    place.run(["scan", "crawl.jsonl", "-o", "found"]).ends_with(0);
    let (found, planted) = (found(&place, "found"), planted(&pages));
    let missing: Vec<_> = planted.difference(&found).collect();
    let wrong: Vec<_> = found.difference(&planted).collect();
    assert!(
        missing.is_empty() && wrong.is_empty(),
        "planted but not found: {missing:?}; found but not planted: {wrong:?}"
    );
}

#[test]
fn every_document_has_a_row_and_a_cluster() {
    let place = Place::new();
    let pages = crawl(12, 80, 5);
    place.file("crawl.jsonl", json_lines(&pages));
    place.run(["scan", "crawl.jsonl", "-o", "found"]).ends_with(0);
    let rows = place.rows("found/documents.jsonl");
    let ids: Vec<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids, pages.iter().map(|page| page.id.as_str()).collect::<Vec<_>>());
    for row in &rows {
        let size = row["cluster_size"].as_u64().unwrap();
        assert_eq!(size == 1, row["role"] == "unique", "{row}");
        assert_eq!(rows.iter().filter(|other| other["cluster_id"] == row["cluster_id"]).count() as u64, size, "{row}");
        assert!(row["site"].as_str().is_some_and(|site| site.ends_with(".example")), "{row}");
    }
    let kept = rows.iter().filter(|row| row["keep"] == true).count();
    assert_eq!(place.json("found/summary.json")["kept"].as_u64(), Some(kept as u64));
}

#[test]
fn only_what_is_kept_depends_on_the_policy() {
    let place = Place::new();
    place.file("crawl.jsonl", json_lines(&crawl(13, 120, 6)));
    let mut clusters = Vec::new();
    for policy in ["longest", "earliest", "latest", "first", "none"] {
        place.run(["scan", "crawl.jsonl", "-o", policy, "--keep", policy]).ends_with(0);
        clusters.push(found(&place, policy));
        let rows = place.rows(&format!("{policy}/documents.jsonl"));
        for cluster in &clusters[0] {
            let of: Vec<_> = rows.iter().filter(|row| cluster.contains(row["id"].as_str().unwrap())).collect();
            let kept: Vec<_> = of.iter().filter(|row| row["keep"] == true).collect();
            assert_eq!(kept.len(), usize::from(policy != "none"), "{policy}: {cluster:?}");
            if policy == "earliest" {
                assert_eq!(Some(kept[0]["date"].as_str()), of.iter().map(|row| row["date"].as_str()).min());
            }
            if policy == "first" {
                assert_eq!(kept[0]["id"], of[0]["id"]);
            }
        }
    }
    assert!(clusters.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_higher_threshold_clusters_a_finished_scan_again() {
    let place = Place::new();
    place.file("crawl.jsonl", json_lines(&crawl(15, 160, 8)));
    for more in [&[][..], &["--no-retellings"]] {
        let scan = |threshold: &str, output: &str| {
            let words = ["scan", "crawl.jsonl", "--force", "--threshold", threshold, "-o", output];
            place.run(words.iter().chain(more)).ends_with(0);
        };
        scan("0.4", "low");
        scan("0.8", "high");
        place.run(["dedup", "--from", "low", "--threshold", "0.8", "-o", "again", "--force"]).ends_with(0);
        place.run(["dedup", "--from", "high", "-o", "unique", "--force"]).ends_with(0);
        for file in ["crawl.jsonl", "dropped.jsonl"] {
            assert_eq!(place.text(&format!("again/{file}")), place.text(&format!("unique/{file}")), "{file}, {more:?}");
        }
        let (again, unique) = (place.json("again/summary.json"), place.json("unique/summary.json"));
        for figure in ["clusters", "clustered", "kept"] {
            assert_eq!(again[figure], unique[figure], "{figure}, {more:?}");
        }
        assert_eq!(again["settings"]["threshold"], 0.8);
    }
    place
        .run(["dedup", "--from", "high", "--threshold", "0.5", "-o", "lower"])
        .ends_with(2)
        .tells("`--threshold 0.5` is below the 0.8 of the scan in `high`")
        .tells("hint: scan again with `--threshold 0.5`");
    place.run(["clean", "--from", "low", "--threshold", "0.8", "-o", "cleaned"]).ends_with(2).tells("has no effect");
    place.run(["clean", "--from", "low", "--threshold", "0.8", "--dedup", "-o", "cleaned"]).ends_with(0);
}

#[test]
fn similarity_is_estimated_only_when_asked_and_says_so() {
    let place = Place::new();
    place.file("crawl.jsonl", json_lines(&crawl(16, 120, 6)));
    place.run(["scan", "crawl.jsonl", "-o", "exact", "--no-retellings"]).ends_with(0);
    place
        .run(["scan", "crawl.jsonl", "-o", "sketch", "--verify", "sketch"])
        .ends_with(0)
        .prints("similarity is estimated (`--verify sketch`)");
    assert_eq!(place.json("sketch/summary.json")["settings"]["verify"], "sketch");
    let measures = |directory: &str| -> BTreeMap<(String, String), f64> {
        let rows = place.rows(&format!("{directory}/pairs.jsonl"));
        let text = |value: &serde_json::Value| value.as_str().expect("an id is text").to_owned();
        rows.iter().map(|row| ((text(&row["a"]), text(&row["b"])), row["jaccard"].as_f64().unwrap())).collect()
    };
    let (exact, sketch) = (measures("exact"), measures("sketch"));
    let mut both = 0;
    for (pair, estimate) in &sketch {
        if let Some(jaccard) = exact.get(pair) {
            assert!((jaccard - estimate).abs() < 0.15, "{pair:?}: {jaccard}, estimated {estimate}");
            both += 1;
        }
    }
    assert!(both > 0 && 10 * both >= 8 * sketch.len(), "{both} of {}", sketch.len());
    for row in place.rows("sketch/pairs.jsonl") {
        let reason = row["reason"].as_str().unwrap();
        assert!(reason.starts_with("estimated jaccard") || reason == "same text" || reason.contains("nearer"), "{row}");
    }
    place.run(["scan", "crawl.jsonl", "--verify", "skech"]).ends_with(2).tells("did you mean `sketch`?");
}

#[test]
fn a_pair_is_explained_with_what_differs() {
    let place = Place::new();
    let story = "The harbor was closed on Monday after a crane fell into the water near the eastern pier. \
        Nobody was hurt, the port authority said, and divers will look at the wreck on Tuesday. \
        Ships that were due to unload had to wait outside until the evening.\n";
    place.file("a.txt", story).file("b.txt", story.replace("on Tuesday", "at the end of the week"));
    place
        .run(["explain", "a.txt", "b.txt"])
        .ends_with(0)
        .prints("Judged alone")
        .prints("one story")
        .prints("in both: ")
        .prints("│ ");
    let outcome = place.run(["explain", "a.txt", "b.txt", "--format", "json"]).ends_with(0);
    let told: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("it is JSON");
    assert_eq!(told["pair"]["joined"], true);
    assert_eq!(told["documents"].as_array().map(Vec::len), Some(2));
    let passages = told["pair"]["passages"].as_array().expect("texts are at hand");
    let differing: Vec<_> = passages.iter().filter(|passage| passage["shared"] == false).collect();
    assert_eq!(differing.len(), 1);
    assert_eq!(differing[0]["b"], "at the end of the week");
}

#[test]
fn a_finished_scan_explains_its_verdicts_by_id() {
    let place = Place::new();
    let pages = crawl(14, 40, 4);
    place.file("crawl.jsonl", json_lines(&pages));
    place.run(["scan", "crawl.jsonl", "-o", "found"]).ends_with(0);
    let cluster = found(&place, "found").into_iter().next().expect("copies were planted");
    let ids: Vec<&String> = cluster.iter().take(2).collect();
    place
        .run(["explain", "--from", "found", ids[0], ids[1]])
        .ends_with(0)
        .prints("As judged by the scan in `found`, of 40 documents.")
        .prints("verdict     one story");
    place.run(["explain", "--from", "found", ids[0]]).ends_with(0).prints(ids[0]);
    place.run(["explain", "--from", "found", "nobody"]).ends_with(2).tells("has no document `nobody`");
    place.run(["explain", "--from", "nowhere", ids[0]]).ends_with(2).tells("`nowhere`: expected a finished scan");
    // Without the input what the scan wrote is still there.
    std::fs::remove_file(place.path("crawl.jsonl")).unwrap();
    place.run(["explain", "--from", "found", ids[0]]).ends_with(0).tells("the texts are not at hand");
}

/// A page of a template that tells of another place, with a sentence of its own.
fn notice(number: usize) -> String {
    let place = ["Alder", "Birch", "Cedar", "Dogwood", "Elm"][number % 5];
    format!(
        "The {place} {number} reservoir is inspected in week {} of the year. Water from this reservoir is tested for lead, \
         nitrate and chlorine by the county laboratory, and the results are sent to every household that is connected to \
         it. Residents who find that the water is cloudy should let it run for two minutes before they call the number on \
         the back of their bill. Pump {} delivered {} liters.",
        number % 52,
        number * 7,
        number * 31,
    )
}

#[test]
fn the_pages_of_one_template_are_told_and_a_copy_among_them_is_found() {
    let place = Place::new();
    let mut lines: Vec<serde_json::Value> =
        (0..150).map(|number| serde_json::json!({"id": format!("page-{number}"), "text": notice(number)})).collect();
    lines.push(serde_json::json!({"id": "copy", "text": notice(77).replace("should let", "must let")}));
    place.file("crawl.jsonl", lines.iter().map(|line| format!("{line}\n")).collect::<String>());
    place
        .run(["scan", "crawl.jsonl", "-o", "found"])
        .ends_with(0)
        .prints("Of large groups of look-alikes not all pairs were tried");
    let crowds = place.json("found/summary.json")["crowds"].clone();
    assert_eq!(crowds[0]["example"], "page-0", "{crowds}");
    assert!(crowds[0]["documents"].as_u64().is_some_and(|documents| documents > 100), "{crowds}");
    assert_eq!(found(&place, "found"), BTreeSet::from([BTreeSet::from(["copy".to_owned(), "page-77".to_owned()])]));
}
