//! As one who scrapes every night I want to know what is new.

use serde_json::{Value, json};

use crate::support::Place;
use crate::support::articles::{crawl, json_lines};

const HARBOR: &str = "The harbor was closed on Monday after a crane fell into the water near the eastern pier. \
    Nobody was hurt, the port authority said, and divers will look at the wreck on Tuesday. \
    Ships that were due to unload had to wait outside until the evening.";
const MARKET: &str = "A night market opened beside the old station this week, with forty stalls and one stage. \
    The council pays for the lights, and traders say that they sold out before ten on the first evening. \
    It stays open every Friday until the end of the summer.";
const RIVER: &str = "Rain is expected in the north from Thursday, and the rivers are already high there. \
    The water board has opened two gates above the town and asks walkers to keep away from the banks. \
    Schools stay open, and buses take the long way round.";

fn lines(records: &[Value]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

fn row(place: &Place, table: &str, id: &str) -> Value {
    place.rows(table).into_iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("{id} is not in {table}"))
}

#[test]
fn what_repeats_a_reference_is_known_and_the_rest_is_new() {
    let place = Place::new();
    place.file("old/monday.jsonl", lines(&[json!({"id": "1", "text": HARBOR}), json!({"id": "2", "text": RIVER})]));
    let edited = HARBOR.replace("on Tuesday", "at the end of the week");
    let records = [
        json!({"id": "1", "text": edited}),
        json!({"id": "2", "text": MARKET}),
        json!({"id": "3", "text": MARKET}),
        json!({"id": "4", "text": HARBOR}),
        json!({"id": "5", "text": ""}),
    ];
    place.file("today.jsonl", lines(&records));
    place
        .run(["scan", "today.jsonl", "--against", "old", "-o", "found"])
        .ends_with(0)
        .tells("the references in `old` are known as `old:ID`")
        .prints("Known: 2 of 5 documents; each repeats one of 2 references");
    let rows = place.rows("found/documents.jsonl");
    assert_eq!(rows.len(), 5, "references have no row");
    let first = row(&place, "found/documents.jsonl", "1");
    assert_eq!((&first["role"], &first["representative"]), (&"duplicate".into(), &"old:1".into()));
    assert_eq!((&first["keep"], &first["known"]), (&false.into(), &true.into()));
    assert_eq!(row(&place, "found/documents.jsonl", "4")["relation"], "identical");
    // Clusters are those of the documents themselves.
    assert_eq!(first["cluster_id"], row(&place, "found/documents.jsonl", "4")["cluster_id"]);
    assert_eq!(row(&place, "found/documents.jsonl", "2")["keep"], true);
    assert_eq!(row(&place, "found/documents.jsonl", "3")["representative"], "2");
    let references = place.rows("found/references.jsonl");
    assert_eq!(references.len(), 1);
    assert_eq!((&references[0]["id"], &references[0]["documents"]), (&"old:1".into(), &2.into()));
    let summary = place.json("found/summary.json");
    assert_eq!((&summary["documents"], &summary["references"], &summary["known"]), (&5.into(), &2.into(), &2.into()));
    let pairs = place.rows("found/pairs.jsonl");
    assert!(pairs.iter().any(|pair| pair["a"] == "1" && pair["b"] == "old:1" && pair["joined"] == true), "{pairs:?}");

    place
        .run(["dedup", "today.jsonl", "--against", "old", "-o", "new"])
        .ends_with(0)
        .prints("2 known from 2 references");
    let kept: Vec<Value> = place.rows("new/today.jsonl").into_iter().map(|row| row["id"].clone()).collect();
    assert_eq!(kept, ["2", "5"]);
    assert_eq!(row(&place, "new/dropped.jsonl", "1")["kept_id"], "old:1");
    assert_eq!(place.tree("new"), ["dropped.jsonl", "skipped.jsonl", "summary.json", "today.jsonl"]);
    // A finished scan needs no references to be applied.
    std::fs::remove_dir_all(place.path("old")).unwrap();
    place.run(["dedup", "--from", "found", "-o", "again"]).ends_with(0);
    assert_eq!(place.text("again/dropped.jsonl"), place.text("new/dropped.jsonl"));
}

#[test]
fn references_that_are_copies_of_each_other_are_no_cluster() {
    let place = Place::new();
    let twice = [json!({"id": "1", "text": HARBOR}), json!({"id": "2", "text": HARBOR})];
    place.file("old.jsonl", lines(&twice));
    place.file("today.jsonl", lines(&[&twice[..], &[json!({"id": "3", "text": MARKET})]].concat()));
    place.run(["scan", "today.jsonl", "--against", "old.jsonl", "-o", "found"]).ends_with(0);
    let summary = place.json("found/summary.json");
    assert_eq!((&summary["kept"], &summary["known"]), (&json!(1), &json!(2)));
    assert_eq!((&summary["clusters"], &summary["clustered"]), (&json!(1), &json!(2)));
    assert_eq!(place.rows("found/clusters.jsonl").len(), 1);
}

#[test]
fn a_night_without_news_writes_nothing_and_is_done() {
    let place = Place::new();
    place.file("old.txt", HARBOR).file("today/a.txt", HARBOR);
    place.run(["dedup", "today", "--against", "old.txt", "-o", "new"]).ends_with(0).prints("0 of 1 document");
    place.run(["dedup", "today", "--against", "-", "-o", "other"]).ends_with(2).tells("expected a file or a directory");
    place.run(["dedup", "today", "--against", "gone", "-o", "other"]).ends_with(2).tells("`gone`");
}

#[test]
fn a_reference_of_which_a_copy_was_decided_to_be_another_story_drops_nothing() {
    let place = Place::new();
    place.file("old.txt", HARBOR).file("today/a.txt", HARBOR).file("today/b.txt", MARKET);
    place.file("decisions.csv", "a.txt,old.txt:old.txt,different\nb.txt,old.txt:old.txt,same\n");
    place.run(["scan", "today", "--against", "old.txt", "--decisions", "decisions.csv", "-o", "found"]).ends_with(0);
    assert_eq!(row(&place, "found/documents.jsonl", "a.txt")["keep"], true);
    assert_eq!(row(&place, "found/documents.jsonl", "b.txt")["representative"], "old.txt:old.txt");
}

#[test]
fn a_page_that_carries_several_known_stories_is_new() {
    let place = Place::new();
    let long = |from: usize| -> String {
        (from..from + 9)
            .map(|at| {
                format!("The {at}th witness named street{at} and river{at} before court{at} rose for lunch{at}. ")
            })
            .collect()
    };
    place.file("old/a.txt", long(0)).file("old/b.txt", long(40));
    place.file("today/both.txt", format!("{}\n\n{}", long(0), long(40))).file("today/one.txt", long(0));
    place.run(["scan", "today", "--against", "old", "-o", "found"]).ends_with(0);
    assert_eq!(row(&place, "found/documents.jsonl", "both.txt")["known"], false);
    assert_eq!(row(&place, "found/documents.jsonl", "one.txt")["representative"], "old:a.txt");
    let pairs = place.rows("found/pairs.jsonl");
    let listed = pairs.iter().filter(|pair| pair["a"] == "both.txt" && pair["relation"] == "contains").count();
    assert!(listed >= 2, "{pairs:?}");
}

#[test]
fn a_half_of_a_crawl_is_known_from_the_other() {
    let place = Place::new();
    let pages = crawl(22, 160, 8);
    let (old, new) = pages.split_at(80);
    place.file("old.jsonl", json_lines(old)).file("new.jsonl", json_lines(new));
    for (name, threads, memory) in [("one", "1", "unlimited"), ("two", "8", "64M")] {
        place
            .run(["scan", "new.jsonl", "--against", "old.jsonl", "-o", name, "--threads", threads, "--memory", memory])
            .ends_with(0);
    }
    for table in ["documents", "pairs", "clusters", "references", "blocks", "headlines"] {
        assert_eq!(place.text(&format!("one/{table}.jsonl")), place.text(&format!("two/{table}.jsonl")), "{table}");
    }
    // What is known is what one run over both puts together.
    place.run(["scan", "new.jsonl", "old.jsonl", "-o", "both"]).ends_with(0);
    let of_old = |id: &Value| old.iter().any(|page| *id == page.id);
    let clusters = place.rows("both/clusters.jsonl");
    let with_old = |id: &Value| {
        let members = |row: &Value| row["members"].as_array().expect("a cluster has members").clone();
        clusters.iter().map(members).any(|members| members.contains(id) && members.iter().any(of_old))
    };
    let rows = place.rows("one/documents.jsonl");
    assert!(rows.iter().any(|row| row["known"] == true));
    for row in &rows {
        assert_eq!(row["known"], with_old(&row["id"]), "{row}");
    }
}

#[test]
fn documents_are_compared_inside_each_value_of_a_field() {
    let place = Place::new();
    let record = |id: &str, dump: Value| json!({"id": id, "dump": dump, "text": HARBOR});
    let dumps = [json!("2024-10"), json!("2024-18"), json!("2024-10"), Value::Null, json!(2024), json!("")];
    let records: Vec<Value> = ('a'..).zip(dumps).map(|(id, dump)| record(&id.to_string(), dump)).collect();
    place.file("crawl.jsonl", lines(&records));
    place
        .run(["scan", "crawl.jsonl", "--within", "dump", "-o", "found"])
        .ends_with(0)
        .prints("Compared inside each of 3 values of `dump` alone; 2 documents without one");
    let clusters: Vec<Value> =
        place.rows("found/clusters.jsonl").into_iter().map(|row| row["members"].clone()).collect();
    assert_eq!(clusters, [json!(["a", "c"]), json!(["d", "f"])]);
    let summary = place.json("found/summary.json");
    assert_eq!(summary["within"], json!({"field": "dump", "values": 3, "without": 2}));
    assert_eq!(summary["settings"]["within"], "dump");
    place.run(["dedup", "crawl.jsonl", "--within", "dump", "-o", "unique"]).ends_with(0);
    assert_eq!(place.rows("unique/crawl.jsonl").len(), 4);
}

#[test]
fn a_reprint_elsewhere_is_no_version_and_hides_none() {
    let place = Place::new();
    let page = |id: &str, url: &str, text: &str| json!({"id": id, "url": url, "text": text});
    let grown = format!("{HARBOR} The crane was lifted on Wednesday.");
    let records = [
        page("reprint", "https://other.example/harbor", HARBOR),
        page("first", "https://example.com/harbor", HARBOR),
        page("second", "https://example.com/harbor", &grown),
        page("reprint of second", "https://third.example/harbor", &grown),
    ];
    place.file("crawl.jsonl", lines(&records));
    place.run(["scan", "crawl.jsonl", "-o", "found"]).ends_with(0).prints("Versions: 1");
    let rows = place.rows("found/versions.jsonl");
    assert_eq!((&rows[0]["previous_id"], &rows[0]["id"]), (&"first".into(), &"second".into()));
    let pairs = place.rows("found/pairs.jsonl");
    let versions: Vec<_> = pairs.iter().filter(|pair| pair["relation"] == "version").collect();
    assert_eq!(versions.len(), 1, "{pairs:?}");
    assert_eq!((&versions[0]["a"], &versions[0]["b"]), (&"first".into(), &"second".into()));
}

#[test]
fn another_text_at_one_address_is_a_version_with_the_size_of_its_change() {
    let place = Place::new();
    let page = |id: &str, url: &str, date: &str, text: &str| json!({"id": id, "url": url, "date": date, "text": text});
    let grown = format!("{HARBOR} The crane was lifted on Wednesday.");
    let records = [
        page("c", "https://www.example.com/harbor/", "2025-03-04T18:00:00Z", &grown),
        page("a", "http://example.com/harbor?utm_source=mail", "2025-03-04T09:00:00Z", HARBOR),
        page("b", "https://example.com/harbor/amp", "2025-03-04T12:00:00Z", HARBOR),
        page("d", "https://example.com/harbor#top", "2025-03-06", MARKET),
        page("e", "https://example.com/river", "2025-03-06", RIVER),
    ];
    place.file("crawl.jsonl", lines(&records));
    place.run(["scan", "crawl.jsonl", "-o", "found"]).ends_with(0).prints("Versions: 2");
    let rows = place.rows("found/versions.jsonl");
    assert_eq!(rows.len(), 2, "a copy of a version is none: {rows:?}");
    assert_eq!((&rows[0]["id"], &rows[0]["previous_id"], &rows[0]["version"]), (&"c".into(), &"b".into(), &2.into()));
    assert_eq!((&rows[0]["words_added"], &rows[0]["words_removed"]), (&6.into(), &0.into()));
    assert_eq!((&rows[0]["url"], &rows[0]["joined"]), (&"example.com/harbor".into(), &true.into()));
    assert_eq!((&rows[1]["id"], &rows[1]["version"], &rows[1]["joined"]), (&"d".into(), &3.into(), &false.into()));
    let pairs = place.rows("found/pairs.jsonl");
    let relation = |a: &str, b: &str| {
        let pair = pairs.iter().find(|pair| pair["a"] == a && pair["b"] == b);
        pair.unwrap_or_else(|| panic!("{a}, {b} are not listed"))["relation"].clone()
    };
    assert_eq!((relation("a", "b"), relation("c", "a")), ("identical".into(), "version".into()));
    assert_eq!(relation("c", "d"), "version");
    place.run(["dedup", "crawl.jsonl", "-o", "latest", "--keep", "latest"]).ends_with(0);
    let kept: Vec<Value> = place.rows("latest/crawl.jsonl").into_iter().map(|row| row["id"].clone()).collect();
    assert_eq!(kept, ["c", "d", "e"]);
    // A version of what is known: yesterday's page, grown over night.
    place.file("old.jsonl", lines(&records[1..2])).file("new.jsonl", lines(&[records[0].clone(), records[3].clone()]));
    place.run(["scan", "new.jsonl", "--against", "old.jsonl", "-o", "night"]).ends_with(0);
    let rows = place.rows("night/versions.jsonl");
    assert_eq!((&rows[0]["id"], &rows[0]["previous_id"]), (&"c".into(), &"old.jsonl:a".into()));
    assert_eq!(rows[0]["joined"], row(&place, "night/documents.jsonl", "c")["known"]);
}
