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

/// Returns the text of a file of the Python module; none in a package, which is without it.
fn of_python(name: &str) -> Option<String> {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("python").join(name)).ok()
}

#[test]
fn the_python_module_holds_all_of_the_program() {
    let Some(module) = of_python("src/lib.rs") else { return };
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin/retold");
    let mut missing = Vec::new();
    for entry in std::fs::read_dir(program).expect("sources can be listed") {
        let name = entry.expect("an entry can be read").file_name().to_string_lossy().into_owned();
        let source = if name.ends_with(".rs") { name.clone() } else { format!("{name}/mod.rs") };
        if name != "main.rs" && !module.contains(&format!("#[path = \"../../src/bin/retold/{source}\"]\n")) {
            missing.push(name);
        }
    }
    assert!(missing.is_empty(), "`python/src/lib.rs` lacks {}", missing.join(", "));
}

/// Returns the packages of a lock file, each as `name version`.
fn locked(lock: &str) -> Vec<String> {
    let value = |line: Option<&str>| line?.split('"').nth(1).map(str::to_owned);
    let packages = lock.split("[[package]]").skip(1).map(|package| {
        let mut lines = package.trim_start().lines();
        Some(format!("{} {}", value(lines.next())?, value(lines.next())?))
    });
    packages.collect::<Option<_>>().expect("a package has a name and a version")
}

#[test]
fn the_python_module_is_built_of_the_packages_that_the_program_is_built_of() {
    let Some(lock) = of_python("Cargo.lock") else { return };
    let ours = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock"));
    let (ours, theirs) = (locked(&ours.expect("the lock file is there")), locked(&lock));
    // Versions that cannot stand for each other are two packages.
    let line = |package: &str| {
        let parts: Vec<&str> = package.split('.').collect();
        if parts[0].ends_with(" 0") { parts[..2].join(".") } else { parts[0].to_owned() }
    };
    let known = |package: &&String| ours.iter().any(|one| line(one) == line(package));
    let other: Vec<&String> = theirs.iter().filter(known).filter(|package| !ours.contains(package)).collect();
    assert!(other.is_empty(), "`python/Cargo.lock` has other versions than `Cargo.lock`: {other:?}");
    assert!(theirs.len() > 100 && ours.len() > 100);
}
