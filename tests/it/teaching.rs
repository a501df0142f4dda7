//! As someone who knows my sites I teach the program what they say on every page, and what only looks like it.

use crate::support::Place;
use crate::support::articles::{crawl, json_lines};

/// An article with a line that no judge could know to be chrome, and one that looks like chrome and is none.
const PAGE: &str = "The harbor closes its eastern pier until the spring\n\
    The port authority closed the eastern pier on Monday after divers had found cracks in three of its pillars.\n\
    Ships of more than forty meters are sent to the northern basin, where two berths were kept free for them.\n\
    A tide table hangs in the porch of the old customs house\n\
    The repairs will cost four million and should be done before the season begins, the head of the port said.\n\
    Sign up for our newsletter\n";

fn taught(rules: &str) -> Place {
    let place = Place::new();
    place.file("page.txt", PAGE).file("rules.toml", rules);
    place
}

#[test]
fn a_phrase_of_mine_goes_and_another_one_stays() {
    let place = taught(
        "[[rule]]\ntext = \"a tide table hangs in the porch\"\nmatch = \"starts\"\nkind = \"source_note\"\n\n\
         [[rule]]\ntext = \"SIGN UP for our newsletter\"\naction = \"keep\"\n",
    );
    place.run(["clean", "page.txt", "-o", "plain"]).ends_with(0);
    assert!(!place.text("plain/page.txt").contains("Sign up"), "the judge knows that it is chrome");
    for more in [&[][..], &["--no-model"], &["--careful"], &["--spare", "source_note"]] {
        let mut arguments = vec!["clean", "page.txt", "-o", "taught", "--force", "--rules", "rules.toml"];
        arguments.extend(more);
        place.run(arguments).ends_with(0);
        let text = place.text("taught/page.txt");
        assert!(!text.contains("tide table"), "{more:?}: {text}");
        assert!(text.contains("Sign up for our newsletter"), "{more:?}: {text}");
        assert!(text.contains("four million"), "{more:?}: {text}");
    }
}

#[test]
fn a_rule_that_decided_is_named_wherever_the_verdict_is() {
    let place = taught(
        "# mine\n[[rule]]\ntext = \"tide table\"\nmatch = \"contains\"\n[[rule]]\ntext = \"Sign up for our newsletter\"\naction = \"keep\"\n",
    );
    let told = place.run(["explain", "page.txt", "--rules", "rules.toml"]).ends_with(0).stdout;
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("removed by the rule on line 2 of your rules file"), "{told}");
    assert!(told.contains("kept by the rule on line 5 of your rules file"), "{told}");
    place.run(["scan", "page.txt", "-o", "found", "--rules", "rules.toml"]).ends_with(0);
    let rows = place.rows("found/blocks.jsonl");
    let row = |text: &str| rows.iter().find(|row| row["text"].as_str().unwrap().contains(text)).unwrap();
    assert_eq!((&row("tide table")["kind"], &row("tide table")["evidence_rule"]), (&"other".into(), &2.into()));
    assert_eq!((&row("Sign up")["removed"], &row("Sign up")["evidence_rule"]), (&false.into(), &5.into()));
    let version = place.json("found/summary.json")["settings"]["rules"].clone();
    assert_eq!(version.as_str().unwrap().len(), 16);
    let told = place.run(["explain", "--from", "found", "page.txt"]).ends_with(0).stdout;
    assert!(told.contains("kept by the rule on line 5"), "{told}");
}

#[test]
fn a_rules_file_that_is_wrong_says_where() {
    let place = taught("[[rule]]\ntext = \"tide table\"\n\n[[rule]]\ntext = \"sign up\"\nkind = \"newsleter\"\n");
    place
        .run(["scan", "page.txt", "--rules", "rules.toml"])
        .ends_with(2)
        .tells("`rules.toml`, line 6: field `kind`: expected one of")
        .tells("hint: did you mean `newsletter`?");
    place.run(["scan", "page.txt", "--rules", "none.toml"]).ends_with(2).tells("`none.toml`: could not be read");
    place.run(["scan", "page.txt", "--rules", "rules.toml", "--no-boilerplate"]).ends_with(2).tells("--no-boilerplate");
}

#[test]
fn a_finished_scan_is_not_applied_with_rules_that_it_did_not_have() {
    let place = taught("[[rule]]\ntext = \"tide table\"\n");
    place.file("retold.toml", "rules = \"rules.toml\"\n");
    place.run(["scan", "page.txt", "-o", "found"]).ends_with(0);
    place.run(["clean", "--from", "found", "-o", "one"]).ends_with(0);
    place.run(["clean", "--from", "found", "-o", "flag", "--rules", "rules.toml"]).ends_with(2).tells("has no effect");
    place.file("rules.toml", "[[rule]]\ntext = \"customs house\"\n");
    place
        .run(["clean", "--from", "found", "-o", "two"])
        .ends_with(2)
        .tells("`rules.toml` as it is now")
        .tells("scan again");
    place.run(["clean", "--from", "found", "-o", "three", "--no-config"]).ends_with(0);
}

#[test]
fn a_text_that_rules_empty_is_told() {
    let place = taught("[[rule]]\ntext = \"The\"\nmatch = \"starts\"\n");
    place.file("short.txt", "The harbor is closed.\n");
    place
        .run(["scan", "short.txt", "--rules", "rules.toml"])
        .ends_with(0)
        .prints("1 document would be left without a word");
}

#[test]
fn other_weights_of_the_same_format_judge_in_place_of_the_built_in_ones() {
    let place = Place::new();
    place.file("crawl.jsonl", json_lines(&crawl(71, 12, 2)));
    let built_in = include_bytes!("../../src/boilerplate/data/model.bin");
    place.file("same.bin", built_in);
    // A header of twelve bytes ends with the count of parameters. Before the last four, those of the careful judge, stands
    // the threshold of the decision: nothing is above it.
    let parameters = usize::from(u16::from_le_bytes([built_in[10], built_in[11]]));
    let mut mild = built_in.to_vec();
    mild[12 + 4 * (parameters - 5)..][..4].copy_from_slice(&60f32.to_le_bytes());
    place.file("mild.bin", mild);
    place.run(["clean", "crawl.jsonl", "-o", "plain"]).ends_with(0);
    place.run(["clean", "crawl.jsonl", "-o", "same", "--model", "same.bin"]).ends_with(0);
    assert_eq!(place.read("plain/crawl.jsonl"), place.read("same/crawl.jsonl"));
    place.run(["clean", "crawl.jsonl", "-o", "mild", "--model", "mild.bin"]).ends_with(0);
    assert_eq!(place.read("mild/removed.jsonl"), b"");
    let version = |name: &str| {
        let summary = place.json(&format!("{name}/summary.json"));
        let versions = summary["data_versions"].as_array().unwrap().clone();
        let model = versions.iter().find(|pair| pair[0] == "model").expect("the model has a version");
        (model[1].clone(), summary["settings"]["weights"].clone())
    };
    assert_eq!(version("plain"), (version("same").0, serde_json::Value::Null));
    assert_eq!(version("same").0, version("same").1);
    assert_ne!(version("mild").0, version("same").0);
    let mut newer = built_in.to_vec();
    newer[4] = 9;
    place.file("newer.bin", newer).file("text.bin", "no weights");
    let refused = place.run(["scan", "crawl.jsonl", "--model", "newer.bin"]).ends_with(2);
    refused.tells("`newer.bin`").tells("found version 9").tells("hint: train it again");
    place.run(["scan", "crawl.jsonl", "--model", "text.bin"]).ends_with(2).tells("expected a boilerplate model");
}

/// Saves what a crawl teaches, beside the crawl.
fn archive(seed: u64) -> Place {
    let place = Place::new();
    place.file("archive.jsonl", json_lines(&crawl(seed, 200, 4)));
    place.run(["scan", "archive.jsonl", "--save-evidence", "seen.evidence"]).ends_with(0);
    place
}

#[test]
fn tonights_page_is_cut_alone_as_it_is_among_a_thousand_others() {
    let place = archive(72);
    let tonight = crawl(73, 1001, 4);
    place.file("night.jsonl", json_lines(&tonight));
    place.run(["clean", "night.jsonl", "-o", "all", "--evidence", "seen.evidence"]).ends_with(0);
    let all = place.text("all/night.jsonl");
    let lines: Vec<&str> = all.lines().collect();
    assert_eq!(lines.len(), 1001);
    for at in [0, 1, 500, 1000] {
        let name = format!("page-{at}");
        place.file(&format!("{name}.jsonl"), json_lines(&tonight[at..=at]));
        place.run(["clean", &format!("{name}.jsonl"), "-o", &name, "--evidence", "seen.evidence"]).ends_with(0);
        assert_eq!(place.text(&format!("{name}/{name}.jsonl")).trim_end(), lines[at], "page {at}");
    }
}

#[test]
fn an_archive_is_cut_by_its_own_evidence_as_it_was_by_counting() {
    let place = archive(74);
    for more in [&[][..], &["--no-model"]] {
        let run = |output: &str, extra: &[&str]| {
            let arguments = ["clean", "archive.jsonl", "-o", output, "--force"];
            place.run(arguments.iter().chain(more).chain(extra)).ends_with(0);
            (place.text(&format!("{output}/archive.jsonl")), place.text(&format!("{output}/removed.jsonl")))
        };
        let counted = run("counted", &[]);
        assert!(!counted.1.is_empty());
        assert!(counted == run("looked-up", &["--evidence", "seen.evidence"]), "{more:?}");
    }
}

#[test]
fn evidence_serves_every_command_and_is_named_in_the_summary() {
    let place = archive(75);
    let page = &crawl(76, 1, 4)[0];
    place.file("night.jsonl", json_lines(std::slice::from_ref(page)));
    place.run(["scan", "night.jsonl", "-o", "found", "--evidence", "seen.evidence"]).ends_with(0);
    let version = place.json("found/summary.json")["settings"]["evidence"].clone();
    assert_eq!(version.as_str().map(str::len), Some(16));
    place.run(["dedup", "night.jsonl", "-o", "unique", "--evidence", "seen.evidence"]).ends_with(0);
    let told = place.run(["explain", "night.jsonl", "--evidence", "seen.evidence"]).ends_with(0).stdout;
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("Judged with saved evidence of 200 documents."), "{told}");
    assert!(told.contains(&format!("documents of {}", page.site)), "{told}");
    place.run(["explain", "--from", "found", page.id.as_str()]).ends_with(0).prints("stories");
    // Applied again with the settings file naming other evidence, it is refused.
    place.run(["scan", "night.jsonl", "--save-evidence", "other.evidence"]).ends_with(0);
    place.file("retold.toml", "evidence = \"other.evidence\"\n");
    place.run(["clean", "--from", "found", "-o", "x"]).ends_with(2).tells("`other.evidence` as it is now");
}

#[test]
fn evidence_is_never_overwritten_and_a_wrong_file_says_so() {
    let place = archive(77);
    let again = ["scan", "archive.jsonl", "--save-evidence", "seen.evidence"];
    place.run(again).ends_with(2).tells("`seen.evidence`: exists already").tells("pass `--force`");
    let before = place.read("seen.evidence");
    place.run(again.iter().chain(&["--force"])).ends_with(0);
    assert!(before == place.read("seen.evidence"), "the same crawl teaches the same");
    let over = ["scan", "archive.jsonl", "--suggest-rules", "archive.jsonl", "--force"];
    place.run(over).ends_with(2).tells("is the input");
    let wrong = ["scan", "archive.jsonl", "--evidence", "archive.jsonl"];
    place.run(wrong).ends_with(2).tells("`archive.jsonl`: expected saved evidence").tells("--save-evidence FILE");
    place
        .run(again.iter().chain(&["--force", "--evidence", "seen.evidence"]))
        .ends_with(2)
        .tells("cannot be used with");
    assert_eq!(place.tree("."), ["archive.jsonl", "seen.evidence"], "nothing half written is left");
}

#[test]
fn suggested_rules_change_nothing_until_i_edit_them() {
    let place = Place::new();
    place.file("crawl.jsonl", json_lines(&crawl(78, 200, 4)));
    place.run(["scan", "crawl.jsonl", "--suggest-rules", "rules.toml"]).ends_with(0);
    let rules = place.text("rules.toml");
    assert!(rules.matches("[[rule]]").count() > 20, "{rules}");
    let clean = |output: &str, more: &[&str]| {
        let arguments = ["clean", "crawl.jsonl", "-o", output, "--force"];
        place.run(arguments.iter().chain(more)).ends_with(0);
        place.rows(&format!("{output}/removed.jsonl")).len()
    };
    let (plain, taught) = (clean("plain", &[]), clean("taught", &["--rules", "rules.toml"]));
    // A block that was judged now one way and now the other is settled by the rule.
    assert!(plain.abs_diff(taught) * 50 <= plain, "{plain} blocks removed, {taught} with the rules");
    place.file("rules.toml", rules.replace("action = \"remove\"", "action = \"keep\"").replace("kind = ", "# kind = "));
    let kept = clean("kept", &["--rules", "rules.toml"]);
    assert!(kept * 4 < plain, "{plain} blocks removed, {kept} when the rules keep them");
    place.run(["scan", "crawl.jsonl", "--suggest-rules", "rules.toml"]).ends_with(2).tells("exists already");
}
