//! Runs that are stopped, killed, timed, or begun while another one writes the same directory.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::Place;
use crate::support::articles::{Page, crawl, json_lines};

const TABLES: [&str; 8] =
    ["blocks", "clusters", "documents", "headlines", "pairs", "references", "skipped", "versions"];

/// A crawl of several shards and one that is packed, so that every way of reading on is taken.
fn place_with_crawl(pages: usize) -> Place {
    let place = Place::new();
    let pages = crawl(11, pages, 6);
    let (plain, packed) = pages.split_at(pages.len() / 2);
    for (number, shard) in plain.chunks(plain.len().div_ceil(3)).enumerate() {
        place.file(&format!("crawl/{number}.jsonl"), json_lines(shard));
    }
    let text = format!("{}{{broken\n", json_lines(packed));
    place.file("crawl/packed.jsonl.zst", zstd::encode_all(text.as_bytes(), 1).unwrap());
    place
}

/// Starts the program in the place, which is not waited for.
fn start(place: &Place, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_retold"));
    command.args(arguments).current_dir(place.path("")).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("the program can be started")
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(status.expect("`kill` is there").success());
}

/// Starts a scan that writes `found` and may be gone on with, and kills it before it has ended.
fn kill_midway(place: &Place, arguments: &[&str]) {
    for _ in 0..50 {
        let mut child = start(place, arguments);
        while !place.path("found.partial/.retold-resume/run.json").exists() && !place.path("found").exists() {
            std::thread::sleep(Duration::from_micros(200));
        }
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        if !place.path("found").exists() {
            return;
        }
        std::fs::remove_dir_all(place.path("found")).expect("it can be removed");
    }
    panic!("every run ended before it was killed");
}

/// Kills a scan at `kills` moments spread over its length, each time letting the next one go on, and compares.
///
/// `flags` are further flags of the scan, `files` flags that name a file to write beside the tables.
fn kill_and_compare(place: &Place, kills: u32, flags: &[&str], files: &[&str]) {
    let command = |directory: &str| -> Vec<String> {
        let written = files.iter().flat_map(|flag| [(*flag).to_owned(), format!("{directory}{flag}")]);
        let all = ["scan", "crawl", "-o", directory, "--memory", "64M"];
        all.iter().chain(flags).map(|word| (*word).to_owned()).chain(written).collect()
    };
    let began = Instant::now();
    place.run(command("whole")).ends_with(1);
    let whole = began.elapsed();
    let again = [command("again"), vec!["--resume".to_owned()]].concat();
    let again: Vec<&str> = again.iter().map(String::as_str).collect();
    let summary = |name: &str| {
        let mut summary = place.json(&format!("{name}/summary.json"));
        summary["run"] = serde_json::Value::Null;
        summary
    };
    let mut interrupted = 0;
    for kill in 0..kills {
        // The golden ratio spreads any number of moments evenly.
        let share = (0.02 + f64::from(kill) * 0.618_034) % 1.0;
        let mut child = start(place, &again);
        std::thread::sleep(Duration::from_secs_f64(share * whole.as_secs_f64()));
        if kill % 3 == 2 {
            signal(&child, "INT");
        } else {
            child.kill().expect("it can be killed");
        }
        child.wait().expect("it ends");
        if !place.path("again").exists() {
            interrupted += 1;
            // Other threads, the same bytes.
            place.run(again.iter().copied().chain(["--threads", "3"])).ends_with(1);
        }
        for table in TABLES {
            let rows = |name: &str| place.read(&format!("{name}/{table}.jsonl"));
            assert!(rows("whole") == rows("again"), "{table} differs after a kill at {share:.3} of the run");
        }
        assert_eq!(summary("whole"), summary("again"));
        for file in files {
            let bytes = |name: &str| place.read(&format!("{name}{file}"));
            assert!(bytes("whole") == bytes("again"), "{file} differs after a kill at {share:.3} of the run");
            std::fs::remove_file(place.path(format!("again{file}"))).expect("it can be removed");
        }
        let left: Vec<String> = place.tree("").into_iter().filter(|path| path.contains(".retold")).collect();
        assert!(left.is_empty() && !place.path("again.partial").exists(), "left after the run: {left:?}");
        std::fs::remove_dir_all(place.path("again")).expect("it can be removed");
    }
    assert!(interrupted > 0, "every run ended before it was killed");
}

#[test]
fn a_killed_scan_goes_on_and_gives_the_same_bytes() {
    kill_and_compare(&place_with_crawl(240), 4, &[], &[]);
}

/// A crawl with later versions of some pages, references, decisions, and rules.
fn place_with_everything(pages: usize) -> Place {
    let place = place_with_crawl(pages);
    let first = crawl(11, pages, 6);
    let update = |page: &Page| {
        let id = format!("{}-later", page.id);
        let text = format!(
            "{}\n\nUpdate: the story has gone on since, and the figures above are no longer true.\n",
            page.text
        );
        Page { id, text, date: "2025-03-01".into(), ..page.clone() }
    };
    place.file("crawl/later.jsonl", json_lines(&first.iter().step_by(5).map(update).collect::<Vec<_>>()));
    let known: Vec<Page> = first.iter().skip(3).step_by(7).map(update).chain(crawl(12, pages / 4, 3)).collect();
    place.file("known.jsonl", json_lines(&known));
    place.file("old/known.jsonl", json_lines(&crawl(13, 20, 2)));
    let copies: Vec<&Page> = first.iter().enumerate().filter(|(at, _)| at % 8 == 7).map(|(_, page)| page).collect();
    let mut decisions = format!("{},drop\nnobody/1,keep\n", copies[0].id);
    for page in &copies[1..4] {
        let story = first.iter().find(|other| other.story == page.story).expect("a copy is one of a page");
        decisions.push_str(&format!("{},{},different\n", story.id, page.id));
    }
    decisions.push_str(&format!("{},{},same\n", first[0].id, first[1].id));
    place.file("decisions.csv", decisions);
    let rules = "[[rule]]\ntext = \"Leave a Reply\"\naction = \"keep\"\n\
        [[rule]]\ntext = \"Update: the story\"\nmatch = \"starts\"\nkind = \"other\"\n";
    place.file("rules.toml", rules);
    place
}

#[test]
fn a_killed_scan_goes_on_with_all_that_it_was_told() {
    let place = place_with_everything(160);
    let told = ["--decisions", "decisions.csv", "--rules", "rules.toml"];
    let flags = [told.as_slice(), &["--against", "known.jsonl", "--against", "old/known.jsonl"]].concat();
    kill_and_compare(&place, 5, &flags, &["--save-evidence", "--suggest-rules"]);
    for table in ["versions", "references", "clusters", "skipped"] {
        assert!(!place.read(&format!("whole/{table}.jsonl")).is_empty(), "{table}");
    }
    assert_eq!(place.json("whole/summary.json")["decisions"]["followed"], 5);
    std::fs::remove_dir_all(place.path("whole")).expect("it can be removed");
    let flags = [told.as_slice(), &["--evidence", "whole--save-evidence", "--within", "title"]].concat();
    kill_and_compare(&place, 3, &[&flags, ["--date-window", "900", "--exact"].as_slice()].concat(), &[]);
}

#[test]
#[ignore = "takes minutes: 50 moments, by hand"]
fn a_scan_killed_at_fifty_moments_goes_on_each_time() {
    kill_and_compare(&place_with_crawl(1200), 50, &[], &[]);
}

#[test]
#[ignore = "takes minutes: 50 moments, by hand"]
fn a_scan_with_all_that_it_was_told_goes_on_at_fifty_moments() {
    let place = place_with_everything(900);
    let flags = ["--decisions", "decisions.csv", "--rules", "rules.toml", "--against", "known.jsonl"];
    kill_and_compare(&place, 50, &flags, &["--save-evidence", "--suggest-rules"]);
}

#[test]
fn a_run_is_not_gone_on_with_when_what_it_was_told_has_changed() {
    let place = place_with_everything(60);
    let told = ["--decisions", "decisions.csv", "--rules", "rules.toml", "--against", "known.jsonl"];
    let arguments = ["scan", "crawl", "-o", "found", "--resume"].iter().chain(&told).copied().collect::<Vec<_>>();
    kill_midway(&place, &arguments);
    let refused = |file: &str, more: &str, what: &str| {
        let before = place.read(file);
        place.file(file, [before.as_slice(), more.as_bytes()].concat());
        place.run(&arguments).ends_with(2).tells(what);
        place.file(file, before);
    };
    refused("decisions.csv", "a,b,same\n", "contents of decisions was");
    refused("rules.toml", "\n", "settings rules was");
    // Files that are read through are known by their size and time, so this one stays changed.
    refused("known.jsonl", "\n", "references known.jsonl");
}

#[test]
fn a_run_is_not_gone_on_with_when_something_has_changed() {
    let place = place_with_crawl(60);
    let arguments = ["scan", "crawl", "-o", "found", "--resume"];
    kill_midway(&place, &arguments);
    let changed = arguments.iter().chain(&["--threshold", "0.7"]);
    place.run(changed).ends_with(2).tells("settings threshold was `0.5`, is `0.7`").tells("without `--resume`");
    place.file("crawl/0.jsonl", "{\"text\": \"Something else.\"}\n");
    place.run(arguments).ends_with(2).tells("inputs 0.jsonl was");
    // Without the flag it begins anew, and leaves nothing.
    place.run(["scan", "crawl", "-o", "found"]).ends_with(1);
    assert!(place.path("found/summary.json").exists() && !place.path("found.partial").exists());
}

#[test]
fn standard_input_cannot_be_gone_on_with() {
    let place = Place::new();
    let outcome = place.shell("echo '{\"text\": \"One.\"}' | retold scan - -o found --resume");
    outcome.ends_with(2).tells("needs inputs that can be read again");
}

#[test]
fn a_signal_ends_a_run_and_leaves_nothing() {
    for name in ["INT", "TERM", "HUP"] {
        let place = place_with_crawl(200);
        let arguments = ["scan", "crawl", "-o", "found", "--memory", "64M", "--temp-dir", "scratch"];
        let mut child = start(&place, &arguments);
        while !place.path("found.partial").exists() {
            std::thread::sleep(Duration::from_millis(1));
        }
        signal(&child, name);
        let began = Instant::now();
        let status = child.wait().expect("it ends");
        assert!(began.elapsed() < Duration::from_secs(3), "SIG{name}");
        assert_eq!(status.code(), Some(2), "SIG{name}");
        assert_eq!(place.tree("scratch"), [""; 0], "SIG{name}");
        assert!(!place.path("found").exists() && !place.path("found.partial").exists(), "SIG{name}");
    }
}

#[test]
fn a_directory_is_written_by_one_run_at_a_time() {
    let place = place_with_crawl(200);
    let mut first = start(&place, &["scan", "crawl", "-o", "found"]);
    while !place.path("found.partial/blocks.jsonl").exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let second = place.run(["scan", "crawl", "-o", "found"]).ends_with(2);
    assert!(second.stderr.contains("another run is writing there") || second.stderr.contains("exists already"));
    assert!(first.wait().expect("it ends").code() == Some(1), "the first one is not disturbed");
    assert!(place.path("found/summary.json").exists());
}

#[test]
fn timings_tell_every_stage_after_the_summary_and_in_it() {
    let place = place_with_crawl(40);
    let shown = place.run(["scan", "crawl", "-o", "found", "--timings"]).ends_with(1).prints("Timings:");
    for stage in ["read", "repeat", "judge", "meet", "read again", "verify", "group", "sum up", "write", "all"] {
        assert!(shown.stdout.contains(&format!("\n  {stage} ")), "{stage} is not in:\n{}", shown.stdout);
    }
    let run = &place.json("found/summary.json")["run"];
    assert_eq!(run["stages"].as_array().map(Vec::len), Some(9));
    assert_eq!(run["stages"][0]["records"], 40);
}
