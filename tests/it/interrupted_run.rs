//! Runs that are stopped, killed, timed, or begun while another one writes the same directory.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::Place;
use crate::support::articles::{crawl, json_lines};

const TABLES: [&str; 6] = ["blocks", "clusters", "documents", "headlines", "pairs", "skipped"];

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

/// Kills a scan at `kills` moments spread over its length, each time letting the next one go on, and compares.
fn kill_and_compare(pages: usize, kills: u32) {
    let place = place_with_crawl(pages);
    let began = Instant::now();
    place.run(["scan", "crawl", "-o", "whole", "--memory", "64M"]).ends_with(1);
    let whole = began.elapsed();
    let summary = |name: &str| {
        let mut summary = place.json(&format!("{name}/summary.json"));
        summary["run"] = serde_json::Value::Null;
        summary
    };
    let mut interrupted = 0;
    for kill in 0..kills {
        // The golden ratio spreads any number of moments evenly.
        let share = (0.02 + f64::from(kill) * 0.618_034) % 1.0;
        let again = ["scan", "crawl", "-o", "again", "--memory", "64M", "--resume"];
        let mut child = start(&place, &again);
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
            place.run(again.into_iter().chain(["--threads", "3"])).ends_with(1);
        }
        for table in TABLES {
            let rows = |name: &str| place.read(&format!("{name}/{table}.jsonl"));
            assert!(rows("whole") == rows("again"), "{table} differs after a kill at {share:.3} of the run");
        }
        assert_eq!(summary("whole"), summary("again"));
        let left: Vec<String> = place.tree("").into_iter().filter(|path| path.contains(".retold")).collect();
        assert!(left.is_empty() && !place.path("again.partial").exists(), "left after the run: {left:?}");
        std::fs::remove_dir_all(place.path("again")).expect("it can be removed");
    }
    assert!(interrupted > 0, "every run ended before it was killed");
}

#[test]
fn a_killed_scan_goes_on_and_gives_the_same_bytes() {
    kill_and_compare(240, 4);
}

#[test]
#[ignore = "takes minutes: 50 moments, by hand"]
fn a_scan_killed_at_fifty_moments_goes_on_each_time() {
    kill_and_compare(1200, 50);
}

#[test]
fn a_run_is_not_gone_on_with_when_something_has_changed() {
    let place = place_with_crawl(60);
    let arguments = ["scan", "crawl", "-o", "found", "--resume"];
    let mut child = start(&place, &arguments);
    while !place.path("found.partial/.retold-resume/run.json").exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    if place.path("found").exists() {
        return;
    }
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
    while !place.path("found.partial").exists() {
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
