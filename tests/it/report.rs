//! As someone who has to trust a scan, I look at it, and say where it is wrong.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::Place;

const HARBOR: &str = "The harbor was closed on Monday after a crane fell into the water near the eastern pier. \
    Nobody was hurt, the port authority said, and divers will look at the wreck on Tuesday. \
    Ships that were due to unload had to wait outside until the evening, when the tide was high enough again.";
const MARKET: &str = "A night market opened beside the old station this week, with forty stalls and one stage. \
    The council pays for the lights, and traders say that they sold out before ten on the first evening. \
    It stays open every Friday until the end of the summer, unless the neighbors complain about the noise.";
const NEWSLETTER: &str = "Sign up for our newsletter and get the best stories in your inbox every morning.";

/// What must be shown as text and never run.
const HOSTILE: &str = "</script><script>window.ran = 1</script><img src=x onerror=\"window.ran = 2\"> <!-- ]]> \u{2028} \
    javascript:window.ran=3 {{data}} \u{202e}txet\u{0} and a long word follows, which nobody would ever write by hand: ";

/// A crawl with two stories told twice, a newsletter box, and documents that attack whoever looks at them.
fn place() -> Place {
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
    assert_eq!(found["causes"][0][0], "input");
    place.run(["report", "later", "-o", "later.html", "--since", "found"]).ends_with(0);
    assert_eq!(unpacked(&place.text("later.html"), "data")["changes"]["gone"], 1);
}

/// Returns a browser and Node.js with what drives it, or what is missing.
fn browser() -> Result<PathBuf, &'static str> {
    let names = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    let browser = names.into_iter().map(PathBuf::from).find(|path| path.is_file()).ok_or("no Chromium")?;
    let drives = "require('playwright-core'); require.resolve('axe-core/axe.min.js')";
    let node = Command::new("node").args(["-e", drives]).current_dir(driver()).output();
    match node {
        Ok(output) if output.status.success() => Ok(browser),
        _ => Err("no Node.js with playwright-core and axe-core"),
    }
}

fn driver() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser")
}

#[test]
#[allow(clippy::print_stderr, reason = "a test that is left out says so")]
fn a_person_uses_the_page_in_a_browser_and_a_scan_follows_the_corrections() {
    let browser = match browser() {
        Ok(browser) => browser,
        Err(missing) => {
            assert!(std::env::var_os("BROWSER_TESTS").is_none(), "{missing}: the browser tests cannot be run");
            eprintln!(
                "browser tests skipped: found {missing}. Install Chromium and run `npm ci` in tests/browser; `.ci/run` does."
            );
            return;
        }
    };
    let place = place();
    place.run(["report", "found", "-o", "page.html"]).ends_with(0);
    let mut node = Command::new("node");
    node.arg(driver().join("report.cjs")).arg(place.path("page.html")).arg(place.path("")).arg(&browser);
    let output = node.output().expect("Node.js was found");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    place
        .run(["scan", "crawl.jsonl", "-o", "after", "--decisions", "decisions.csv", "--rules", "rules.toml"])
        .ends_with(0);
    let row = |id: &str| {
        let rows = place.rows("after/documents.jsonl");
        rows.into_iter().find(|row| row["id"] == id).expect("every document has a row")
    };
    assert_eq!(row("harbor")["cluster_size"], 1);
    assert_ne!(row("harbor")["cluster_id"], row("harbor-copy")["cluster_id"]);
    let kept = place.rows("after/blocks.jsonl");
    assert!(kept.iter().any(|block| block["text"] == NEWSLETTER && block["removed"] == false), "{kept:?}");
}
