//! As a corpus builder I want the articles without what surrounds them, and every other byte as I had it.

use std::collections::{BTreeMap, HashSet};
use std::io::{Read, Write};

use crate::support::Place;
use crate::support::articles::{Page, crawl, head, json_lines, site, tail};

/// Files of many kinds, packed and not, with odd ends and white space.
fn mixed(place: &Place) {
    let pages = crawl(41, 48, 4);
    for page in &pages[..16] {
        place.file(&format!("crawl/pages/{}.txt", page.id.replace('/', "-")), &page.text);
    }
    place.file("crawl/crlf.txt", pages[16].text.replace('\n', "\r\n"));
    place.file("crawl/mark.txt", format!("\u{feff}{}", pages[17].text));
    place.file("crawl/open.txt", pages[18].text.trim_end());
    place.file("crawl/empty.txt", "").file("crawl/blank.txt", "\n \n");
    place.file("crawl/lines.jsonl", json_lines(&pages[19..30]));
    let escaped = json_lines(&pages[30..34]).replace("©", "\\u00a9").replace("\"text\":\"", "\"text\" : \"\\t");
    place.file("crawl/escaped.ndjson", escaped.replace("\"url\"", "\"extra\":[1, 2 , {\"a\":null}],\"url\""));
    place.file("crawl/packed.jsonl.gz", gzip(json_lines(&pages[34..40]).as_bytes()));
    place.file("crawl/packed.jsonl.zst", zstd::encode_all(json_lines(&pages[40..48]).as_bytes(), 3).unwrap());
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Returns a file's bytes, unpacked.
fn unpacked(place: &Place, path: &str) -> Vec<u8> {
    let bytes = place.read(path);
    let mut out = Vec::new();
    if path.ends_with(".gz") {
        flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut out).unwrap();
    } else if path.ends_with(".zst") {
        zstd::stream::copy_decode(&bytes[..], &mut out).unwrap();
    } else {
        return bytes;
    }
    out
}

#[test]
fn the_tree_is_mirrored_and_restored_byte_for_byte() {
    let place = Place::new();
    mixed(&place);
    place.run(["clean", "crawl", "-o", "clean"]).ends_with(0).prints("taken out");
    let input = place.tree("crawl");
    let mut expected = input.clone();
    expected.extend(["removed.jsonl", "skipped.jsonl", "summary.json"].map(str::to_owned));
    expected.sort();
    assert_eq!(place.tree("clean"), expected);
    place.run(["clean", "--restore", "clean", "-o", "again"]).ends_with(0);
    assert_eq!(place.tree("again"), input);
    for name in &input {
        let (before, after) = (format!("crawl/{name}"), format!("again/{name}"));
        assert_eq!(unpacked(&place, &before), unpacked(&place, &after), "{name}");
    }
}

#[test]
fn what_every_page_of_a_site_says_is_taken_and_the_article_stays() {
    let place = Place::new();
    let pages = crawl(42, 60, 3);
    place.file("crawl.jsonl", json_lines(&pages));
    place.run(["clean", "crawl.jsonl", "-o", "clean"]).ends_with(0);
    let cleaned = place.rows("clean/crawl.jsonl");
    assert_eq!(cleaned.len(), pages.len());
    let (mut kept, mut left, mut chrome) = (0, 0, 0);
    for (row, page) in cleaned.iter().zip(&pages) {
        assert_eq!(row["id"], page.id.as_str());
        assert_eq!(row["url"], page.url.as_str());
        let text = row["text"].as_str().unwrap();
        kept += page.article.lines().filter(|line| text.contains(line)).count();
        for line in tail(&page.site) {
            chrome += 1;
            left += usize::from(text.contains(&line));
        }
    }
    let paragraphs: usize = pages.iter().map(|page| page.article.lines().count()).sum();
    assert_eq!(kept, paragraphs, "a paragraph of an article was lost");
    assert!(left * 50 <= chrome, "{left} of {chrome} lines that every page has are left");
}

#[test]
fn kept_text_and_removed_text_make_the_page() {
    let place = Place::new();
    let pages = crawl(43, 24, 3);
    place.file("crawl.jsonl", json_lines(&pages));
    place.run(["clean", "crawl.jsonl", "-o", "clean"]).ends_with(0);
    let mut removed: BTreeMap<String, usize> = BTreeMap::new();
    for row in place.rows("clean/removed.jsonl") {
        let (id, text) = (row["id"].as_str().unwrap(), row["text"].as_str().unwrap());
        let page = pages.iter().find(|page| page.id == id).unwrap();
        let range = row["start"].as_u64().unwrap() as usize..row["end"].as_u64().unwrap() as usize;
        assert_eq!(&page.text[range], text);
        *removed.entry(id.to_owned()).or_default() += text.len();
    }
    for (row, page) in place.rows("clean/crawl.jsonl").iter().zip(&pages) {
        let gone = removed.get(&page.id).copied().unwrap_or(0);
        assert_eq!(row["text"].as_str().unwrap().len() + gone, page.text.len(), "{}", page.id);
    }
}

#[test]
fn kinds_that_are_spared_stay() {
    let place = Place::new();
    let pages = crawl(44, 24, 3);
    place.file("crawl.jsonl", json_lines(&pages));
    let kinds = |directory: &str| {
        let rows = place.rows(&format!("{directory}/removed.jsonl"));
        rows.iter().map(|row| row["kind"].as_str().unwrap().to_owned()).collect::<std::collections::BTreeSet<_>>()
    };
    place.run(["clean", "crawl.jsonl", "-o", "all"]).ends_with(0);
    let all = kinds("all");
    assert!(all.contains("newsletter") && all.contains("byline"), "{all:?}");
    place.run(["clean", "crawl.jsonl", "-o", "spared", "--spare", "newsletter", "--for", "linguistics"]).ends_with(0);
    let spared = kinds("spared");
    assert!(!spared.contains("newsletter") && !spared.contains("byline"), "{spared:?}");
    place.run(["clean", "crawl.jsonl", "-o", "only", "--remove", "newsletter"]).ends_with(0);
    assert_eq!(kinds("only").into_iter().collect::<Vec<_>>(), ["newsletter"]);
    place.run(["clean", "crawl.jsonl", "-o", "none", "--no-boilerplate"]).ends_with(0);
    assert_eq!(place.read("none/crawl.jsonl"), place.read("crawl.jsonl"));
}

#[test]
fn duplicates_are_dropped_and_the_rest_stays_as_it_was() {
    let place = Place::new();
    let pages = crawl(45, 64, 4);
    let text = json_lines(&pages);
    place.file("crawl/a.jsonl", &text);
    place
        .file("crawl/b/copy.txt", &pages[3].text)
        .file("crawl/b/own.txt", "A note of its own about gardens and paths.\n");
    place.run(["dedup", "crawl", "-o", "unique", "--keep", "first"]).ends_with(0).prints("dropped");
    let dropped = place.rows("unique/dropped.jsonl");
    let gone: Vec<&str> = dropped.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert!(gone.contains(&"b/copy.txt"), "{gone:?}");
    let kept: String = text
        .lines()
        .zip(&pages)
        .filter(|(_, page)| !gone.contains(&page.id.as_str()))
        .map(|(line, _)| format!("{line}\n"))
        .collect();
    assert_eq!(place.text("unique/a.jsonl"), kept);
    assert!(!place.path("unique/b/copy.txt").exists());
    assert_eq!(place.read("unique/b/own.txt"), place.read("crawl/b/own.txt"));
    let stories: std::collections::BTreeSet<usize> = pages.iter().map(|page| page.story).collect();
    assert_eq!(kept.lines().count(), stories.len());
    for row in &dropped {
        let kept_id = row["kept_id"].as_str().unwrap();
        assert!(!gone.contains(&kept_id), "{row}");
        assert!(row["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{row}");
    }
}

#[test]
fn a_finished_scan_is_applied_as_if_judged_anew() {
    let place = Place::new();
    mixed(&place);
    place.run(["scan", "crawl", "-o", "found"]).ends_with(0);
    for (command, more) in [("clean", &[][..]), ("clean", &["--dedup"]), ("dedup", &[])] {
        let (anew, from) = (format!("{command}{}-anew", more.len()), format!("{command}{}-from", more.len()));
        place.run([command, "crawl", "-o", &anew].iter().chain(more)).ends_with(0);
        place.run([command, "--from", "found", "-o", &from].iter().chain(more)).ends_with(0);
        assert_eq!(place.tree(&anew), place.tree(&from));
        for name in place.tree(&anew).iter().filter(|name| *name != "summary.json") {
            let (anew, from) = (format!("{anew}/{name}"), format!("{from}/{name}"));
            assert!(place.read(&anew) == place.read(&from), "{anew} and {from} differ");
        }
    }
}

#[test]
fn a_finished_scan_is_not_applied_to_other_input_or_under_other_settings() {
    let place = Place::new();
    place.file("crawl.jsonl", json_lines(&crawl(46, 20, 2)));
    place.run(["scan", "crawl.jsonl", "-o", "found"]).ends_with(0);
    let refused = place.run(["clean", "--from", "found", "-o", "clean", "--threshold", "0.6"]).ends_with(2);
    assert!(refused.stderr.contains("`--threshold` has no effect with `--from found`"), "{}", refused.stderr);
    // One letter less somewhere, one more elsewhere: the size is the same.
    let text = place.text("crawl.jsonl").replacen("council", "COUNCIL", 1);
    place.file("crawl.jsonl", text);
    place.run(["clean", "--from", "found", "-o", "clean"]).ends_with(2).tells("`crawl.jsonl`").tells("changed");
    assert!(!place.path("clean").exists() && !place.path("clean.partial").exists());
    place.run(["clean", "--from", "crawl.jsonl", "-o", "clean"]).ends_with(2).tells("expected a finished scan");
    place.run(["dedup", "--from", "nowhere", "-o", "clean"]).ends_with(2).tells("expected a finished scan");
}

#[test]
fn nothing_is_written_when_nearly_everything_would_go() {
    let place = Place::new();
    let story = &crawl(47, 1, 1)[0].article;
    for number in 0..20 {
        place.file(&format!("crawl/{number}.txt"), story);
    }
    let refused = place.run(["dedup", "crawl", "-o", "unique"]).ends_with(2);
    assert!(refused.stderr.contains("95% of all words would go"), "{}", refused.stderr);
    assert!(refused.stderr.contains("19 documents"), "{}", refused.stderr);
    assert!(refused.stderr.contains("`retold scan crawl` shows"), "{}", refused.stderr);
    assert!(!place.path("unique").exists() && !place.path("unique.partial").exists());
    place.run(["dedup", "crawl", "-o", "unique", "--max-removed", "1"]).ends_with(0);
    place.run(["clean", "crawl", "-o", "clean"]).ends_with(0);
}

#[test]
fn records_can_be_streamed() {
    let place = Place::new();
    let pages = crawl(48, 20, 2);
    place.file("crawl.jsonl", json_lines(&pages)).file("one.txt", &pages[0].text);
    place.run(["clean", "crawl.jsonl", "-o", "clean"]).ends_with(0);
    let streamed = place.run(["clean", "crawl.jsonl", "-o", "-"]).ends_with(0).says_nothing();
    assert_eq!(streamed.stdout, place.text("clean/crawl.jsonl"));
    let one = place.run(["clean", "one.txt", "-o", "-"]).ends_with(0);
    let row: serde_json::Value = serde_json::from_str(&one.stdout).expect("it is a line of JSON");
    assert_eq!(row["id"], "one.txt");
    place
        .shell("retold clean crawl.jsonl -o - | retold dedup - -o - > unique.jsonl; exit ${PIPESTATUS[1]}")
        .ends_with(0);
    let stories: std::collections::BTreeSet<usize> = pages.iter().map(|page| page.story).collect();
    assert_eq!(place.rows("unique.jsonl").len(), stories.len());
    place.shell("retold clean crawl.jsonl -o - | true; exit ${PIPESTATUS[0]}").ends_with(0).says_nothing();
    place.shell("retold clean crawl.jsonl -o - > /dev/full").ends_with(2).tells("error:");
}

#[test]
fn an_article_that_many_sites_reprint_keeps_every_paragraph() {
    const SITES: usize = 100;
    let place = Place::new();
    // Two pages of every site's own, and four agency stories that 2, 5, 20 and 100 of the sites print under their own chrome.
    let mut pages: Vec<_> = crawl(61, 2 * SITES, SITES);
    let mut paragraphs: HashSet<String> = HashSet::new();
    let mut reprints = HashSet::new();
    for (story, copies) in crawl(62, 4, 4).into_iter().zip([2, 5, 20, SITES]) {
        paragraphs.extend(story.article.lines().map(str::to_owned));
        for number in 0..copies {
            let site = site(number);
            let mut lines = head(&site);
            lines.push(story.title.clone());
            lines.push("By Agency Staff".to_owned());
            lines.extend(story.article.lines().map(str::to_owned));
            lines.extend(tail(&site));
            let id = format!("{site}/reprint-{}", story.story);
            reprints.insert(id.clone());
            let text = lines.join("\n\n") + "\n";
            let url = format!("https://www.{site}/agency/{}.html", story.story);
            pages.push(Page { id, site, url, text, ..story.clone() });
        }
    }
    place.file("crawl.jsonl", json_lines(&pages));
    place.run(["scan", "crawl.jsonl", "-o", "scan", "--all-blocks"]).ends_with(0);
    let (mut chrome, mut kept) = (0, Vec::new());
    for row in place.rows("scan/blocks.jsonl") {
        let text = row["text"].as_str().unwrap();
        assert!(row["kind"].is_null() || !paragraphs.contains(text), "a syndicated paragraph is taken: {row}");
        let id = row["id"].as_str().unwrap();
        let site = id.split('/').next().unwrap();
        let of_site = head(site).iter().chain(&tail(site)).any(|line| line == text);
        if of_site && reprints.contains(id) {
            chrome += usize::from(row["removed"] == true);
            if row["removed"] == false {
                kept.push(row.to_string());
            }
        }
    }
    let lines = reprints.len() * (head("").len() + tail("").len());
    assert!(100 * chrome >= 98 * lines, "{chrome} of {lines} lines of the sites are taken, not {:?}", kept.first());
}

/// A sentence of an article for every number, none like another.
fn sentence(number: usize) -> String {
    let subjects = ["The port authority", "A diver from the north", "The head of the council", "One of the captains"];
    let verbs = ["closed", "had repaired", "wanted to visit", "described"];
    let objects =
        ["the eastern pier", "a berth behind the old crane", "the ferry to the islands", "three cracked pillars"];
    let at = |list: [&'static str; 4], by: usize| list[number / by % 4];
    format!(
        "{} {} {} on day {number}, when the wind had turned and the water was low. ",
        at(subjects, 1),
        at(verbs, 4),
        at(objects, 16)
    )
}

#[test]
fn a_page_on_one_line_loses_its_chrome_and_keeps_its_sentences() {
    // The last sentence stands beside chrome and may be taken for it; all others stay.
    let article: String = (1..499).map(sentence).collect();
    let chinese = "潜水员在三根支柱上发现了裂缝，船只将改停北边的港池，那里为它们预留了两个泊位。\
                   维修费用预计为四百五十万元，应在旺季开始之前完成，港务局局长星期二在会上说。";
    let place = Place::new();
    let chrome = "Share on Facebook. Sign up for our free weekly newsletter. © 2025 Harbor Ledger. All rights reserved. \
                  Leave a Reply. Your email address will not be published. Required fields are marked *";
    place.file("pages/one.txt", format!("{article}{}{chrome}", sentence(499)));
    place.file("pages/zh.txt", format!("{}版权所有 © 2025 港口日报。发表评论。", chinese.repeat(12)));
    place.run(["clean", "pages", "-o", "clean"]).ends_with(0);
    let one = place.text("clean/one.txt");
    assert!(one.starts_with(article.trim_end()), "{}", &one[one.len().saturating_sub(300)..]);
    assert!(!one.contains("Leave a Reply") && !one.contains("newsletter"), "{}", &one[one.len() - 300..]);
    let zh = place.text("clean/zh.txt");
    assert!(zh.starts_with(&chinese.repeat(12)) && !zh.contains("发表评论"), "{zh}");
}

#[test]
fn an_article_in_markdown_keeps_its_table_its_code_and_its_list() {
    let paragraph = |number: usize| format!("{}{}\n\n", sentence(number), sentence(number + 21));
    let middle = "## What is open\n\n- The northern basin, for ships of more than forty meters.\n- Two berths beside it.\n\n\
                  | Pier | Open |\n|------|------|\n| East | no |\n| North | yes |\n\n```\ndraft = 4.5\n```\n\n";
    let text = format!(
        "# Harbor closes its eastern pier\n\n[Home](/) | [News](/news) | [Sports](/sports)\n\n{}{}{}{middle}{}{}{}\
         ## Read more\n\n* [Bridge to close until spring](https://example.com/bridge)\n\n\
         Sign up for our [newsletter](https://example.com/newsletter)\n\n© 2025 Harbor Ledger. All rights reserved.\n",
        paragraph(1),
        paragraph(2),
        paragraph(3),
        paragraph(4),
        paragraph(5),
        paragraph(6),
    );
    let place = Place::new();
    place.file("page.md", &text);
    place.run(["scan", "page.md", "-o", "found"]).ends_with(0);
    assert_eq!(place.rows("found/documents.jsonl")[0]["headline"], "Harbor closes its eastern pier");
    place.run(["clean", "page.md", "-o", "clean"]).ends_with(0);
    let clean = place.text("clean/page.md");
    assert!(clean.contains(middle) && clean.starts_with("# Harbor closes"), "{clean}");
    assert!(!clean.contains("newsletter") && !clean.contains("Read more") && !clean.contains("/sports"), "{clean}");
}

/// Takes spans of characters out of a text.
fn without(text: &str, spans: &[serde_json::Value]) -> String {
    let within = |at: usize| spans.iter().any(|span| (span[0].as_u64()..span[1].as_u64()).contains(&Some(at as u64)));
    text.chars().enumerate().filter(|(at, _)| !within(*at)).map(|(_, c)| c).collect()
}

#[test]
fn attributes_say_beside_the_shards_what_clean_takes_and_dedup_drops() {
    let place = Place::new();
    let mut pages = crawl(47, 60, 3);
    for (at, page) in pages.iter_mut().enumerate() {
        page.text = format!("Zürich — 東京, № {at}\n\n{}", page.text);
    }
    place.file("corpus/documents/a/one.jsonl.gz", gzip(json_lines(&pages[..30]).as_bytes()));
    place.file("corpus/documents/two.jsonl", format!("{}{{\"id\": \"none\"}}\n", json_lines(&pages[30..])));
    let shown = place.run(["clean", "corpus/documents", "--attributes", "dolma", "-o", "corpus/attributes/retold"]);
    shown.ends_with(1).prints("Attributes of 60 documents").prints("`retold__duplicate`");
    place.run(["clean", "corpus/documents", "-o", "clean"]).ends_with(1);
    place.run(["dedup", "corpus/documents", "-o", "unique"]).ends_with(1);
    let lines = |path: &str| -> Vec<serde_json::Value> {
        let text = String::from_utf8(unpacked(&place, path)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let mut duplicates = Vec::new();
    for shard in ["a/one.jsonl.gz", "two.jsonl"] {
        let (before, clean) = (lines(&format!("corpus/documents/{shard}")), lines(&format!("clean/{shard}")));
        let attributes = lines(&format!("corpus/attributes/retold/{shard}"));
        assert_eq!((before.len(), before.len()), (clean.len(), attributes.len()));
        for ((before, clean), line) in before.iter().zip(&clean).zip(&attributes) {
            assert_eq!(before["id"], line["id"]);
            let Some(text) = before["text"].as_str() else { continue };
            let spans = line["attributes"]["retold__boilerplate"].as_array().cloned().unwrap_or_default();
            assert_eq!(without(text, &spans), clean["text"].as_str().unwrap());
            let by_kind = line["attributes"].as_object().unwrap().iter();
            let by_kind =
                by_kind.filter(|(name, _)| !["retold__boilerplate", "retold__duplicate"].contains(&name.as_str()));
            assert_eq!(by_kind.map(|(_, spans)| spans.as_array().unwrap().len()).sum::<usize>(), spans.len());
            if let Some(whole) = line["attributes"].get("retold__duplicate") {
                assert_eq!((whole[0][0].as_u64(), whole[0][1].as_u64()), (Some(0), Some(text.chars().count() as u64)));
                duplicates.push(line["id"].as_str().unwrap().to_owned());
            }
        }
    }
    let dropped = place.rows("unique/dropped.jsonl");
    assert!(!dropped.is_empty());
    assert_eq!(duplicates, dropped.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>());
    place.file("corpus/documents/three.csv", "id,text\n1,One.\n");
    let refused = place.run(["clean", "corpus/documents", "--attributes", "dolma", "-o", "again"]).ends_with(2);
    refused.tells("`three.csv`: attributes are lines beside").tells("--glob");
    place.run(["clean", "--restore", "corpus/attributes/retold", "-o", "again"]).ends_with(2);
    assert!(!place.path("again").exists());
}
