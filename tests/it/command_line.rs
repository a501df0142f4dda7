//! The conventions of the command line, each with a test.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::articles::{crawl, json_lines};
use crate::support::{Outcome, Place};

const STORY: &str = "The council voted on Monday to close the old bridge until the spring.\n\n\
    Engineers had found cracks in two of its five arches, and the repair will cost four million.\n";

fn place() -> Place {
    let place = Place::new();
    place.file("crawl/a.txt", STORY).file("crawl/b.txt", STORY.replace("bridge", "tunnel")).file("crawl/c.txt", "");
    place
}

#[test]
fn help_teaches_with_an_example_for_every_command() {
    let place = place();
    for command in ["scan", "clean", "dedup", "explain", "config", "completions", "man"] {
        let outcome = place.run([command, "--help"]).ends_with(0).says_nothing();
        assert!(outcome.stdout.contains("Example:\n  retold"), "{command}:\n{}", outcome.stdout);
    }
    place.run(["--help"]).ends_with(0).prints("Exit status: 0 done; 1 done, but");
    place.run(["scan", "--help"]).prints("reading_time").prints("share that both have");
    let version = place.run(["--version"]).ends_with(0).prints("retold ").prints("(model ");
    place.run(["scan", "crawl", "-o", "out"]).ends_with(0);
    let kept = place.json("out/summary.json");
    for pair in kept["data_versions"].as_array().expect("a list of pairs") {
        let said = format!("{} {}", pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
        assert!(version.stdout.contains(&said), "{said} is not in {}", version.stdout);
    }
    assert!(version.stdout.contains("public_suffix_list 2."), "{}", version.stdout);
}

#[test]
fn wrong_usage_is_not_done() {
    let place = place();
    place.run(["scan", "crawl", "--no-such-flag"]).ends_with(2).tells("--no-such-flag");
    place.run(["clean", "crawl"]).ends_with(2).tells("--output");
    place.run(["scan", "crawl", "--threshold", "0.1"]).ends_with(2).tells("`--threshold`: expected 0.3 to 1.0");
    place.run(["scan", "crawl", "--spare", "bylines"]).ends_with(2).tells("did you mean `byline`?");
    place.run(["scan", "crawl", "--memory", "1M"]).ends_with(2).tells("at least 64M");
    place.run(["scan", "crawl", "--keep", "site-priority"]).ends_with(2).tells("`--site-priority` is missing");
    place.run(["scan", "crawl", "--site-from", "("]).ends_with(2).tells("`--site-from`: expected a regular expression");
    place.run(["man", "scam"]).ends_with(2).tells("there is no command `scam`");
}

#[test]
fn data_goes_to_standard_output_and_talk_to_standard_error() {
    let place = place();
    place.file("crawl/.hidden.txt", "x");
    let talkative = place.run(["scan", "crawl"]).ends_with(0).prints("3 documents").tells("hidden");
    assert!(!talkative.stderr.contains("documents,"), "{}", talkative.stderr);
    place.run(["scan", "crawl", "--quiet"]).ends_with(0).says_nothing().prints("3 documents");
    place.run(["scan", "nowhere", "--quiet"]).ends_with(2).tells("error:");
}

#[test]
fn json_is_the_summary_on_one_page() {
    let place = place();
    let outcome = place.run(["scan", "crawl", "--format", "json", "-o", "out"]).ends_with(0);
    let printed: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("it is JSON");
    assert_eq!(printed["documents"], 3);
    assert_eq!(printed["empty"], 1);
    assert_eq!(printed, place.json("out/summary.json"));
    assert_eq!(printed["run"]["threads"].as_u64().map(|threads| threads > 0), Some(true));
}

#[test]
fn color_is_for_terminals_and_for_those_who_ask() {
    let place = place();
    let escapes = |outcome: Outcome| outcome.stdout.contains('\x1b');
    assert!(!escapes(place.run(["scan", "crawl"])));
    assert!(escapes(place.run(["scan", "crawl", "--color", "always"])));
    assert!(escapes(Outcome::of(place.command().args(["scan", "crawl"]).env("CLICOLOR_FORCE", "1"))));
    let both = [("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")];
    assert!(!escapes(Outcome::of(place.command().args(["scan", "crawl"]).envs(both))));
    let asked = ["scan", "crawl", "--color", "always"];
    assert!(escapes(Outcome::of(place.command().args(asked).env("NO_COLOR", "1"))));
}

#[test]
fn a_flag_wins_over_the_environment_that_over_the_file_that_over_the_default() {
    let place = place();
    let setting = |place: &Place, more: &[&str], variable: Option<&str>| {
        let mut command = place.command();
        command.args(["config", "--print", "--format", "json"]).args(more);
        command.envs(variable.map(|value| ("RETOLD_THRESHOLD", value)));
        let printed: serde_json::Value = serde_json::from_str(&Outcome::of(&mut command).ends_with(0).stdout).unwrap();
        let threshold = &printed["threshold"];
        (threshold["value"].as_f64().unwrap(), threshold["from"].as_str().unwrap().to_owned())
    };
    assert_eq!(setting(&place, &[], None), (0.5, "default".into()));
    place.file("retold.toml", "threshold = 0.6\n");
    assert_eq!(setting(&place, &[], None).0, 0.6);
    assert!(setting(&place, &[], None).1.ends_with("retold.toml`"));
    assert_eq!(setting(&place, &[], Some("0.7")), (0.7, "environment RETOLD_THRESHOLD".into()));
    assert_eq!(setting(&place, &["--threshold", "0.8"], Some("0.7")), (0.8, "flag".into()));
    assert_eq!(setting(&place, &["--no-config"], None), (0.5, "default".into()));
    place.file("other.toml", "threshold = 0.9\n");
    assert_eq!(setting(&place, &["--config", "other.toml"], None).0, 0.9);
}

#[test]
fn a_mistake_in_the_settings_file_names_file_and_key() {
    let place = place();
    place.file("retold.toml", "treshold = 0.6\n");
    place
        .run(["scan", "crawl"])
        .ends_with(2)
        .tells("there is no setting `treshold`")
        .tells("did you mean `threshold`?");
    place.file("retold.toml", "threshold = \"high\"\n");
    place.run(["scan", "crawl"]).ends_with(2).tells("retold.toml`, key `threshold`");
    place.run(["scan", "crawl", "--config", "nowhere.toml"]).ends_with(2).tells("`nowhere.toml`");
}

#[test]
fn the_settings_file_that_is_offered_can_be_used() {
    let place = place();
    let template = place.run(["config"]).ends_with(0).stdout;
    place.file("retold.toml", template.replace("# threshold = 0.5", "threshold = 0.8"));
    place.run(["config", "--print"]).ends_with(0).prints("threshold = 0.8");
    let printed = place.run(["config", "--print"]).stdout;
    place.file("retold.toml", printed);
    place.run(["scan", "crawl"]).ends_with(0);
}

#[test]
fn completions_and_manual_are_printed() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        place.run(["completions", shell]).ends_with(0).prints("retold").prints("no-boilerplate");
    }
    place.run(["man"]).ends_with(0).prints(".TH retold 1");
    place.run(["man", "scan"]).ends_with(0).prints(".TH retold-scan 1").prints("Example:");
}

#[test]
fn a_closed_pipe_is_a_clean_end() {
    let place = place();
    for command in ["scan crawl", "completions bash", "man scan", "config", "explain crawl/a.txt", "--help"] {
        place.shell(&format!("retold {command} | true; exit ${{PIPESTATUS[0]}}")).ends_with(0).says_nothing();
    }
}

#[test]
fn an_existing_output_is_replaced_only_when_it_is_ours_and_we_are_told_to() {
    let place = place();
    place.run(["scan", "crawl", "-o", "out"]).ends_with(0);
    place.run(["scan", "crawl", "-o", "out"]).ends_with(2).tells("`out`: exists already").tells("`--force`");
    place.run(["scan", "crawl", "-o", "out", "--force"]).ends_with(0);
    place.file("mine/letter.txt", "Dear Sir");
    place.run(["scan", "crawl", "-o", "mine", "--force"]).ends_with(2).tells("`mine`");
    assert_eq!(place.text("mine/letter.txt"), "Dear Sir");
    assert_eq!(place.tree(""), {
        let mut files = vec!["crawl/a.txt".to_owned(), "crawl/b.txt".into(), "crawl/c.txt".into()];
        files.push("mine/letter.txt".into());
        files.extend(TABLES.map(|table| format!("out/{table}")));
        files.sort();
        files
    });
}

const TABLES: [&str; 9] = [
    "blocks.jsonl",
    "clusters.jsonl",
    "documents.jsonl",
    "headlines.jsonl",
    "pairs.jsonl",
    "references.jsonl",
    "skipped.jsonl",
    "summary.json",
    "versions.jsonl",
];

#[test]
fn every_table_is_written_even_when_it_is_empty() {
    let place = Place::new();
    place.file("crawl/a.txt", STORY);
    place.run(["scan", "crawl", "-o", "out"]).ends_with(0);
    assert_eq!(place.tree("out"), TABLES);
    assert_eq!(place.text("out/pairs.jsonl"), "");
    assert_eq!(place.rows("out/documents.jsonl").len(), 1);
}

#[test]
fn an_output_over_or_inside_an_input_is_refused() {
    let place = place();
    let before = place.tree("");
    place.run(["scan", "crawl", "-o", "crawl"]).ends_with(2).tells("`crawl` is the input");
    place.run(["scan", "crawl", "-o", "crawl/out"]).ends_with(2).tells("lies inside the input");
    place.run(["scan", "crawl/a.txt", "-o", "crawl", "--force"]).ends_with(2).tells("holds the input");
    assert_eq!(place.tree(""), before);
}

#[test]
fn standard_input_is_read_when_it_is_piped() {
    let place = place();
    let lines = json_lines(&crawl(1, 3, 1));
    place.file("three.jsonl", &lines);
    for line in ["retold scan - < three.jsonl", "cat three.jsonl | retold scan", "retold scan < three.jsonl"] {
        place.shell(line).ends_with(0).prints("3 documents from 1 site");
    }
    place.shell("retold scan < /dev/null").ends_with(2).tells("no input was given");
}

#[test]
fn the_status_tells_whether_anything_was_skipped() {
    let place = place();
    place.run(["scan", "crawl"]).ends_with(0);
    place.file("crawl/d.jsonl", "{\"text\":\"One story about a harbor.\"}\nno json\n");
    place.run(["scan", "crawl"]).ends_with(1).tells("`d.jsonl`, line 2").prints("Skipped: 1");
    place.run(["scan", "crawl", "--max-skipped", "1"]).ends_with(0);
    place.run(["scan", "crawl", "--max-skipped", "20%"]).ends_with(0);
    place.run(["scan", "crawl", "--max-skipped", "0.1"]).ends_with(1);
    place.run(["scan", "crawl", "-o", "out"]).ends_with(1);
    let skipped = place.rows("out/skipped.jsonl");
    assert_eq!(skipped.len(), 1);
    assert_eq!((&skipped[0]["source"], &skipped[0]["row"]), (&"d.jsonl".into(), &1.into()));
    assert_eq!(skipped[0]["raw"], "no json");
}

#[test]
fn the_next_commands_are_filled_in() {
    let place = place();
    place.file("my crawl/a.txt", STORY).file("my crawl/b.txt", STORY);
    place
        .run(["scan", "my crawl", "--threshold", "0.7", "--threads", "1"])
        .prints("\n  retold clean 'my crawl' --threshold 0.7 -o clean\n")
        .prints("\n  retold dedup 'my crawl' --threshold 0.7 -o unique\n");
    place.run(["scan", "my crawl", "-o", "found"]).prints("\n  retold dedup --from found -o unique\n");
}

#[test]
fn ctrl_c_ends_a_waiting_run_and_leaves_nothing() {
    let place = place();
    std::fs::create_dir(place.path("scratch")).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_retold"))
        .args(["scan", "-", "-o", "out", "--temp-dir", "scratch"])
        .current_dir(place.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // More than a pipe holds: when it is written, the program has begun to read and listens for signals.
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&vec![b'x'; 1 << 20]).unwrap();
    let began = std::time::Instant::now();
    interrupt(child.id());
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(2));
    assert!(began.elapsed().as_secs_f64() < 2.0, "it took {:?}", began.elapsed());
    assert_eq!(place.tree("scratch"), [""; 0]);
    assert!(!place.path("out").exists() && !place.path("out.partial").exists());
}

#[test]
fn ctrl_c_ends_a_working_run_and_leaves_nothing() {
    let place = Place::new();
    place.file("crawl.jsonl", json_lines(&crawl(3, 6000, 40)));
    std::fs::create_dir(place.path("scratch")).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_retold"))
        .args(["scan", "crawl.jsonl", "-o", "out", "--temp-dir", "scratch", "--memory", "64M"])
        .current_dir(place.path(""))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !place.path("out.partial/blocks.jsonl").exists() {
        std::thread::yield_now();
    }
    let began = std::time::Instant::now();
    interrupt(child.id());
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(2));
    assert!(began.elapsed().as_secs_f64() < 2.0, "it took {:?}", began.elapsed());
    assert_eq!(place.tree("scratch"), [""; 0]);
    assert!(!place.path("out").exists() && !place.path("out.partial").exists());
}

fn interrupt(process: u32) {
    let status = Command::new("kill").args(["-INT", &process.to_string()]).status().unwrap();
    assert!(status.success());
}
