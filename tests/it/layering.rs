//! Imports point up the page: what each room may use of the others.

use std::path::{Path, PathBuf};

/// Every room with the rooms that it may import.
const ROOMS: [(&str, &str); 22] = [
    ("document", ""),
    ("record", ""),
    ("hash", ""),
    ("date", ""),
    ("address", ""),
    ("decisions", "hash"),
    ("config", "hash boilerplate decisions evidence"),
    ("observe", "document"),
    ("remote", "hash"),
    ("files", "remote"),
    ("input", "document config observe files hash remote"),
    ("text", "document config hash"),
    ("similarity", "record hash address config document text"),
    ("boilerplate", "document record hash config text similarity"),
    ("evidence", "boilerplate hash"),
    ("headlines", "text"),
    ("cluster", "document record config date similarity"),
    ("store", "record config files hash"),
    ("corpus", "document text store record hash"),
    ("output", "document config text boilerplate similarity cluster files input observe hash evidence"),
    ("report", "document boilerplate date hash text output error"),
    ("error", "config document store output input evidence"),
];

/// The room that may import all others but those that read and write files of people's.
const PIPELINE: &str = "pipeline";

fn sources(directory: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("sources can be listed") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|suffix| suffix == "rs") {
            out.push(path);
        }
    }
}

/// Returns the rooms that a source names by `crate::`, its tests left out.
fn imports(text: &str) -> Vec<&str> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default())
        .filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
        .collect()
}

#[test]
fn every_room_imports_only_what_stands_above_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    let mut wrong = Vec::new();
    for path in paths {
        let relative = path.strip_prefix(&root).expect("it lies below").to_string_lossy().into_owned();
        let room = relative.split(['/', '.']).next().unwrap_or_default();
        if room == "bin" || room == "lib" {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a source can be read");
        for import in imports(&text) {
            let allowed = import == room
                || match ROOMS.iter().find(|(name, _)| *name == room) {
                    Some((_, may)) => may.split(' ').any(|name| name == import),
                    None => room == PIPELINE && !matches!(import, "files" | "input" | "remote"),
                };
            if !allowed {
                wrong.push(format!("src/{relative} imports `{import}`"));
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_program_knows_the_library_by_its_name_alone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a source can be read");
        assert!(!text.contains("#[path"), "{} includes a source of the library", path.display());
    }
}
