//! As someone who has to trust a scan, I look at it, and say where it is wrong.

use std::io::Read;

use retold::Config;
use retold::similarity::{Article, Profile, Reason, VerifiedPair, verify};
use serde_json::{Value, json};

use crate::support::Place;

pub const HARBOR: &str = "The harbor was closed on Monday after a crane fell into the water near the eastern pier. \
    Nobody was hurt, the port authority said, and divers will look at the wreck on Tuesday. \
    Ships that were due to unload had to wait outside until the evening, when the tide was high enough again.";
pub const MARKET: &str = "A night market opened beside the old station this week, with forty stalls and one stage. \
    The council pays for the lights, and traders say that they sold out before ten on the first evening. \
    It stays open every Friday until the end of the summer, unless the neighbors complain about the noise.";
pub const NEWSLETTER: &str = "Sign up for our newsletter and get the best stories in your inbox every morning.";

/// What must be shown as text and never run.
const HOSTILE: &str = "</script><script>window.ran = 1</script><img src=x onerror=\"window.ran = 2\"> <!-- ]]> \u{2028} \
    javascript:window.ran=3 {{data}} \u{202e}txet\u{0} and a long word follows, which nobody would ever write by hand: ";

/// A crawl with two stories told twice, a newsletter box, and documents that attack whoever looks at them.
pub fn place() -> Place {
    let hostile =
        format!("{HOSTILE}{}\n\nThe rest of the page is quite harmless, and it ends here.", "x".repeat(100_000));
    let story = |text: &str| format!("{text}\n\n{NEWSLETTER}\n");
    let rows = [
        json!({"id": "harbor", "site": "a.example", "date": "2024-03-01", "title": "Crane closes the harbor", "text": story(HARBOR)}),
        json!({"id": "harbor-copy", "site": "b.example", "date": "2024-03-02", "title": "Crane closes the harbor",
            "text": story(&HARBOR.replace("Tuesday", "Sunday").replace("Monday", "Friday"))}),
        json!({"id": "market", "site": "c.example", "title": "A market at night", "text": story(MARKET)}),
        json!({"id": "market-copy", "site": "d.example", "title": HOSTILE, "text": story(MARKET)}),
        json!({"id": "hostile<b>", "site": "<i>e", "url": "javascript:alert(1)", "title": HOSTILE, "text": hostile}),
        json!({"id": "hostile, \"two\"", "site": "<i>e", "title": HOSTILE, "text": hostile.replace("harmless", "innocent")}),
    ];
    let place = Place::new();
    place.file("crawl.jsonl", rows.map(|row| format!("{row}\n")).concat());
    place.run(["scan", "crawl.jsonl", "-o", "found"]).ends_with(0);
    place
}

/// Returns what a page's script reads of an element.
fn unpacked(html: &str, id: &str) -> Value {
    let start = format!("id=\"{id}\">");
    let text = html.split_once(&start).unwrap_or_else(|| panic!("there is no {id}")).1;
    let text = text.split_once('<').expect("it is closed").0;
    let value = |digit: u8| match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut bytes = Vec::new();
    for four in text.trim_end_matches('=').as_bytes().chunks(4) {
        let word = four.iter().fold(0u32, |word, digit| word << 6 | u32::from(value(*digit))) << (6 * (4 - four.len()));
        bytes.extend(&word.to_be_bytes()[1..four.len()]);
    }
    let mut json = String::new();
    flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut json).expect("it was packed with gzip");
    serde_json::from_str(&json).expect("it is JSON")
}

/// Returns the document of a page.
fn document<'a>(data: &'a Value, id: &str) -> &'a Value {
    let documents = data["documents"].as_array().expect("documents are a list");
    documents.iter().find(|document| document["id"] == id).unwrap_or_else(|| panic!("{id} is not in the page"))
}

/// Returns the pieces of a document's text.
fn pieces(html: &str, data: &Value, id: &str) -> Value {
    let text = &document(data, id)["text"];
    unpacked(html, &format!("part-{}", text[0]))[text[1].as_u64().expect("a number") as usize].clone()
}

#[test]
fn a_page_shows_the_scan_and_asks_the_network_for_nothing() {
    let place = place();
    place.run(["report", "found", "-o", "page.html"]).ends_with(0).tells("with 6 texts");
    let html = place.text("page.html");
    assert!(html.contains("content=\"default-src 'none'; script-src 'sha256-"));
    assert!(!html.contains("unsafe-"));
    for outside in ["src=\"", "href=\"h", "url(h", "@import", "style=\""] {
        assert!(!html.contains(outside), "{outside}");
    }
    // The largest clusters and the charts are there for readers without a script.
    assert!(html.contains("Crane closes the harbor"));
    assert!(html.matches("<svg").count() >= 3);
    let data = unpacked(&html, "data");
    assert_eq!(data["clusters"].as_array().map(Vec::len), Some(3));
    let copy = pieces(&html, &data, "harbor-copy");
    let block = copy["pieces"].as_array().unwrap().iter().find(|piece| piece[0] == NEWSLETTER);
    assert!(block.is_some(), "{copy}");
    assert_eq!(copy["differences"].as_object().map(|all| all.len()), Some(1), "{copy}");
    let phrases = data["phrases"].as_array().unwrap();
    assert!(phrases.iter().any(|phrase| phrase["texts"][0] == NEWSLETTER && phrase["documents"] == 4), "{phrases:?}");
}

#[test]
fn no_text_of_a_document_is_markup() {
    let place = place();
    place.run(["report", "found", "-o", "page.html"]).ends_with(0);
    let html = place.text("page.html");
    for markup in ["window.ran = 1</script>", "<img", "<b>", "<i>", "\u{202e}", "\u{0}"] {
        assert!(!html.contains(markup), "{markup:?}");
    }
    let parts = html.matches("id=\"part-").count();
    assert_eq!(html.matches("<script").count(), parts + 2);
    let data = unpacked(&html, "data");
    let text = pieces(&html, &data, "hostile<b>");
    assert!(text["pieces"][0].to_string().contains("window.ran = 1"));
    assert!(text["cut"].as_u64().is_some_and(|cut| cut > 60_000), "a giant line is cut, and said to be");
}

#[test]
fn the_same_scan_gives_the_same_bytes() {
    let place = place();
    place.run(["report", "found", "-o", "one.html", "--threads", "1"]).ends_with(0);
    place.run(["report", "found", "-o", "two.html", "--threads", "4"]).ends_with(0);
    place.run(["scan", "crawl.jsonl", "-o", "again", "--report", "three.html", "--memory", "64M"]).ends_with(0);
    assert_eq!(place.read("one.html"), place.read("two.html"));
    assert_eq!(place.read("one.html"), place.read("three.html"));
}

#[test]
fn texts_that_changed_or_are_gone_are_told_and_not_shown() {
    let place = place();
    let rows = place.text("crawl.jsonl").replace("divers", "robots");
    let rows: Vec<&str> = rows.lines().filter(|row| !row.contains("hostile")).collect();
    place.file("crawl.jsonl", rows.join("\n"));
    let told = place.run(["report", "found", "-o", "page.html"]).ends_with(0);
    told.tells("2 texts have changed since the scan and 2 are gone");
    let html = place.text("page.html");
    assert!(html.contains("2 documents changed since the scan"));
    let data = unpacked(&html, "data");
    assert_eq!(document(&data, "harbor")["absent"], "changed");
    assert_eq!(document(&data, "hostile<b>")["absent"], "missing");
    assert_eq!(document(&data, "market")["absent"], Value::Null);
    // What the scan wrote of its blocks is shown all the same.
    assert_eq!(pieces(&html, &data, "harbor")["pieces"][0][0], NEWSLETTER);
}

#[test]
fn what_was_piped_in_is_shown_if_its_texts_were_kept() {
    let place = place();
    place
        .shell("retold scan - -o piped < crawl.jsonl && retold report piped -o piped.html")
        .ends_with(0)
        .tells("no texts");
    assert!(place.text("piped.html").contains("The texts are not at hand"));
    place.shell("retold scan - -o kept --keep-texts < crawl.jsonl && retold report kept -o kept.html").ends_with(0);
    let html = place.text("kept.html");
    let data = unpacked(&html, "data");
    assert!(pieces(&html, &data, "harbor")["pieces"][0].to_string().contains("divers"));
    assert_eq!(place.rows("kept/texts.jsonl").len(), 6);
}

#[test]
fn a_page_is_not_written_over_anything() {
    let place = place();
    place.file("page.html", "mine");
    place.run(["report", "found", "-o", "page.html"]).ends_with(2).tells("page.html");
    assert_eq!(place.text("page.html"), "mine");
    place.run(["report", "found", "-o", "page.html", "--force"]).ends_with(0);
    place.run(["report", "found", "-o", "crawl.jsonl", "--force"]).ends_with(2).tells("is the input");
    place.run(["report", "nothing", "-o", "other.html"]).ends_with(2).tells("retold scan -o DIR");
    assert!(!place.path("other.html").exists());
}

/// Returns a row of the table `pairs`.
fn pair(jaccard: f64, joined: bool, retelling: bool, reason: &str) -> String {
    let row = json!({"a": "harbor", "b": "market", "jaccard": jaccard, "jaccard_raw": jaccard, "a_in_b": 0.5, "b_in_a": 0.5,
        "relation": "related", "retelling": retelling, "joined": joined, "reason": reason});
    format!("{row}\n")
}

#[test]
fn the_ten_pairs_nearest_to_the_threshold_are_shown_and_those_that_facts_keep_apart() {
    let place = place();
    let config = Config::default();
    let empty = Article { text: "", content: &[], headline: None, site: None, date: None, url: None };
    let empty = Profile::new(&empty, &config);
    let chained = VerifiedPair { reason: Reason::OtherCluster, ..verify(0, &empty, 1, &empty, &config) };
    let near: String = (0..40).map(|at| pair(0.3 + f64::from(at) / 100.0, true, false, "jaccard")).collect();
    let apart = [
        pair(0.9, false, false, "other names or numbers at 3 of 4 places that differ"),
        pair(0.31, false, true, "quoted inside text of its own"),
        pair(0.32, false, false, "jaccard 0.32 < 0.5"),
        pair(0.8, false, false, &Reason::describe(&chained, &config)),
    ];
    place.file("found/pairs.jsonl", near + &apart.concat());
    place.run(["report", "found", "-o", "page.html"]).ends_with(0);
    let data = unpacked(&place.text("page.html"), "data");
    let shown = |group: &str| -> Vec<i64> {
        let pairs = data["pairs"].as_array().expect("pairs are a list").iter().filter(|pair| pair["group"] == group);
        pairs.map(|pair| (pair["jaccard"].as_f64().expect("a number") * 100.0).round() as i64).collect()
    };
    assert_eq!(shown("above"), (50..60).collect::<Vec<_>>());
    assert_eq!(shown("below"), (40..50).rev().collect::<Vec<_>>());
    // Neither a pair that is not alike enough, nor one whose place among the clusters decided.
    assert_eq!(shown("apart"), [90, 31]);
}

#[test]
fn every_member_of_a_cluster_stands_beside_the_representative() {
    let place = Place::new();
    let rows = (0..20).map(|at| {
        let text = HARBOR.replace("Tuesday", ["Sunday", "Friday"][at % 2]);
        format!("{}\n", json!({"id": format!("copy-{at}"), "text": format!("{text} This is copy {at}.")}))
    });
    place.file("crawl.jsonl", rows.collect::<String>());
    place.run(["scan", "crawl.jsonl", "-o", "found", "--report", "page.html"]).ends_with(0);
    let html = place.text("page.html");
    let data = unpacked(&html, "data");
    assert_eq!(data["clusters"][0]["members"].as_array().map(Vec::len), Some(19));
    let beside = (0..20).filter(|at| {
        let text = pieces(&html, &data, &format!("copy-{at}"));
        text["differences"].as_object().is_some_and(|all| !all.is_empty())
    });
    assert_eq!(beside.count(), 19);
}

#[test]
fn a_block_is_content_when_it_is_only_listed_and_says_when_it_is_not_whole() {
    let place = place();
    place.run(["scan", "crawl.jsonl", "-o", "all", "--all-blocks", "--report", "all.html"]).ends_with(0);
    let html = place.text("all.html");
    let data = unpacked(&html, "data");
    let harbor = pieces(&html, &data, "harbor");
    let block = |starts: &str, of: &Value| {
        let mut all = of["pieces"].as_array().expect("pieces are a list").iter();
        let block = all.find(|piece| piece[0].as_str().is_some_and(|text| text.starts_with(starts)));
        block.unwrap_or_else(|| panic!("{starts} is no block of {of}")).clone()
    };
    let story = block("The harbor", &harbor);
    assert_eq!((&story[1], &story[3], &story[9], &story[11]), (&Value::Null, &json!(0), &Value::Null, &json!(1)));
    let hostile = pieces(&html, &data, "hostile<b>");
    let whole: Vec<i64> =
        hostile["pieces"].as_array().into_iter().flatten().filter_map(|piece| piece[11].as_i64()).collect();
    assert_eq!(
        whole.iter().filter(|whole| **whole == 0).count(),
        1,
        "the giant line is longer than what is shown: {whole:?}"
    );
}

#[test]
fn the_overview_states_its_rules_and_its_measure() {
    let place = place();
    place.run(["scan", "crawl.jsonl", "-o", "quick", "--verify", "sketch", "--report", "quick.html"]).ends_with(0);
    let summary = place.json("quick/summary.json");
    let html = place.text("quick.html");
    for (name, figure) in [("documents", &summary["documents"]), ("sites", &summary["sites"])] {
        assert!(html.contains(&format!("<dt>{name}</dt><dd>{figure}</dd>")), "{name} {figure}");
    }
    assert!(html.contains("Pairs by Jaccard similarity, estimated from sketches</figcaption>"));
    assert!(html.contains("A site is marked where more than 50% of its words would go."));
    place.run(["report", "found", "-o", "page.html"]).ends_with(0);
    assert!(place.text("page.html").contains("Pairs by Jaccard similarity</figcaption>"));
}

#[test]
fn an_input_that_is_gone_takes_only_its_own_texts() {
    let place = place();
    place.file("other.jsonl", format!("{}\n", json!({"id": "other", "text": MARKET})));
    place.file("third.jsonl", format!("{}\n", json!({"id": "third", "text": HARBOR})));
    place.run(["scan", "crawl.jsonl", "other.jsonl", "third.jsonl", "-o", "three"]).ends_with(0);
    std::fs::remove_file(place.path("other.jsonl")).expect("it was there");
    let told = place.run(["report", "three", "-o", "page.html"]).ends_with(0);
    told.tells("0 texts have changed since the scan and 1 is gone");
    let html = place.text("page.html");
    let data = unpacked(&html, "data");
    assert_eq!(document(&data, "other")["absent"], "missing");
    assert_eq!(
        (&document(&data, "harbor")["absent"], &document(&data, "third")["absent"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn two_scans_are_compared_document_by_document() {
    let place = place();
    place.run(["scan", "crawl.jsonl", "-o", "strict", "--threshold", "0.95", "--no-retellings"]).ends_with(0);
    place.run(["compare", "found", "found"]).ends_with(0).prints("Nothing changed for any document.");
    let text =
        place.run(["compare", "found", "strict"]).ends_with(0).prints("setting `threshold`: 0.5 before, 0.95 after");
    text.prints("harbor-copy: cluster, kept, cluster of 2 before, of 1 after (setting)");
    place.file("decisions.csv", "market,market-copy,different\n");
    place.run(["scan", "crawl.jsonl", "-o", "decided", "--decisions", "decisions.csv"]).ends_with(0);
    let compared = |before: &str, after: &str| -> Value {
        let outcome = place.run(["compare", before, after, "--format", "json"]).ends_with(0);
        serde_json::from_str(&outcome.stdout).expect("it is JSON")
    };
    let found = compared("found", "decided");
    assert_eq!(found["causes"], json!([["rules", 2]]));
    assert_eq!((&found["cluster"], &found["new"], &found["text"]), (&json!(2), &json!(0), &json!(0)));

    let rows = place.text("crawl.jsonl");
    let rows: Vec<String> = rows.lines().take(5).map(|row| row.replace("forty stalls", "fifty stalls")).collect();
    place.file("crawl.jsonl", rows.join("\n"));
    place.run(["scan", "crawl.jsonl", "-o", "later"]).ends_with(0);
    let found = compared("found", "later");
    assert_eq!((&found["gone"], &found["text"]), (&json!(1), &json!(2)));
    assert_eq!((&found["causes"][0][0], &found["changed"]), (&json!("input"), &json!(4)), "{found}");
    place.run(["report", "later", "-o", "later.html", "--since", "found"]).ends_with(0);
    assert_eq!(unpacked(&place.text("later.html"), "data")["changes"]["gone"], 1);
}

#[test]
fn documents_are_the_same_by_id_wherever_they_stand() {
    let place = place();
    let rows = place.text("crawl.jsonl");
    let new =
        json!({"id": "new", "site": "z.example", "text": "A letter of one line, about nothing that was said before."});
    let moved: Vec<&str> = rows.lines().rev().collect();
    place.file("crawl.jsonl", format!("{new}\n{}\n", moved.join("\n")));
    place.run(["scan", "crawl.jsonl", "-o", "later", "--keep", "none"]).ends_with(0);
    place.run(["scan", "crawl.jsonl", "-o", "again", "--keep", "none"]).ends_with(0);
    let compared = |before: &str, after: &str| -> Value {
        let outcome = place.run(["compare", before, after, "--format", "json"]).ends_with(0);
        serde_json::from_str(&outcome.stdout).expect("it is JSON")
    };
    let found = compared("found", "later");
    assert_eq!(
        (&found["new"], &found["gone"], &found["text"], &found["cluster"]),
        (&json!(1), &json!(0), &json!(0), &json!(0))
    );
    assert_eq!(found["changes"][0]["id"], "new");
    // Decisions count by what they say, not by the name of their file.
    place.file("decisions.csv", "market,market-copy,different\n");
    place.run(["scan", "crawl.jsonl", "-o", "one", "--decisions", "decisions.csv"]).ends_with(0);
    place.file("decisions.csv", "harbor,harbor-copy,different\n");
    place.run(["scan", "crawl.jsonl", "-o", "two", "--decisions", "decisions.csv"]).ends_with(0);
    let found = compared("one", "two");
    assert_eq!((&found["cluster"], &found["causes"]), (&json!(4), &json!([["rules", 4]])));
    assert_eq!(compared("later", "again")["changed"], 0);
}

#[test]
fn explain_marks_the_words_that_the_page_marks() {
    let place = place();
    place.run(["report", "found", "-o", "page.html"]).ends_with(0);
    let html = place.text("page.html");
    let data = unpacked(&html, "data");
    let copy = pieces(&html, &data, "harbor-copy");
    let runs = copy["differences"].as_object().and_then(|all| all.values().next()).expect("it stands beside another");
    let runs: Vec<u64> = runs.as_array().expect("runs are a list").iter().filter_map(Value::as_u64).collect();
    let marked: Vec<[u64; 2]> = runs.chunks(3).filter(|run| run[1] + run[2] > 0).map(|run| [run[1], run[2]]).collect();
    assert_eq!(marked, [[1, 1], [1, 1]]);
    let told = place.run(["explain", "--from", "found", "harbor", "harbor-copy", "--format", "json"]).ends_with(0);
    let told: Value = serde_json::from_str(&told.stdout).expect("it is JSON");
    let passages = told["pair"]["passages"].as_array().expect("passages are a list").iter();
    let differing: Vec<[&Value; 2]> =
        passages.filter(|passage| passage["shared"] == false).map(|passage| [&passage["a"], &passage["b"]]).collect();
    assert_eq!(differing, [[&json!("Monday"), &json!("Friday")], [&json!("Tuesday"), &json!("Sunday")]]);
    place.run(["explain", "--from", "found", "harbor", "harbor-copy"]).ends_with(0).prints("│ Friday");
}

#[test]
fn a_scan_ends_with_as_much_as_is_asked_for_in_80_columns() {
    let place = place();
    let told = place.run(["scan", "crawl.jsonl", "--top", "1"]).ends_with(0).prints("… and 2 more");
    assert_eq!(told.stdout.matches(" × “").count(), 1);
    let told = place.run(["scan", "crawl.jsonl", "--top", "3"]).ends_with(0);
    assert_eq!(told.stdout.matches(" × “").count(), 3);
    for line in told.stdout.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}
