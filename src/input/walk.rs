//! Directories and globs → files in a stable order.
//!
//! Every directory is read whole and the result is sorted by id path, so that neither the order of arguments nor that of
//! the file system shows.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use ignore::gitignore::Gitignore;
use ignore::overrides::{Override, OverrideBuilder};

use crate::document::Skipped;
use crate::files::{self, Compression, Part};
use crate::input::archive::{self, Kind, Place};
use crate::input::container::{Container, suffix};
use crate::input::left_out::LeftOut;
use crate::input::stream::ScratchFile;
use crate::input::{ReadError, SourceSettings};

/// Suffixes of containers that are known not to be text or JSONL: such a file is not guessed at when it is named.
const OTHER_CONTAINERS: [&str; 7] = ["7z", "rar", "pdf", "docx", "doc", "odt", "epub"];

/// Names of the tables that lie beside mirrored files in our outputs.
const TABLES: [&str; 11] = [
    "documents",
    "blocks",
    "pairs",
    "clusters",
    "headlines",
    "versions",
    "references",
    "skipped",
    "removed",
    "dropped",
    "summary",
];

/// A file to read.
#[derive(Debug)]
pub(super) struct Found {
    /// Its id path: that of a member of an archive is the archive's, an exclamation mark, and the member's.
    pub source: String,
    pub path: PathBuf,
    /// The part of that file which it is; none: all of it.
    pub part: Option<Part>,
    /// Its path below the input given, led by the input's name if there are several.
    pub relative: PathBuf,
    /// The first directory on its path below the input given; the input's own name, or that of the directory it is in, if
    /// there is none.
    pub directory: String,
    /// None: to be told from its first bytes.
    pub container: Option<Container>,
    pub bytes: u64,
    pub modified: Option<SystemTime>,
}

/// What a walk found.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub files: Vec<Found>,
    pub skipped: Vec<Skipped>,
    pub left_out: LeftOut,
    /// Scratch files that stand for members of archives.
    pub scratch: Vec<ScratchFile>,
}

/// Finds the files of `paths`, which are files, directories and patterns that match some; `several`: ids lead with the
/// names of their inputs.
pub(super) fn walk(paths: &[PathBuf], settings: &SourceSettings, several: bool) -> Result<Walked, ReadError> {
    let mut walked = Walked::default();
    let mut roots: Vec<Root> = Vec::new();
    for path in paths {
        let expanded = if fs::symlink_metadata(path).is_err() { expand(path) } else { None };
        for path in expanded.unwrap_or_else(|| vec![path.clone()]) {
            match Root::open(&path) {
                Ok(root) if roots.iter().any(|known| known.canonical == root.canonical) => {
                    if !root.directory {
                        walked.left_out.repeated += 1;
                    }
                }
                Ok(root) => roots.push(root),
                Err(skipped) => {
                    walked.skipped.push(skipped);
                }
            }
        }
    }
    let names = if several || roots.len() > 1 {
        distinct_names(&roots.iter().map(|root| root.canonical.as_path()).collect::<Vec<_>>())
    } else {
        roots.iter().map(Root::name_alone).collect()
    };
    let overlap = roots.iter().any(|root| {
        roots.iter().any(|other| other.canonical != root.canonical && root.canonical.starts_with(&other.canonical))
    });
    for (root, name) in roots.iter().zip(names) {
        let file_name = root.canonical.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let archive = Kind::of_name(&file_name).filter(|_| !root.directory);
        if root.directory || archive.is_some() {
            let mut walk = Walk {
                settings,
                globs: glob_set(&root.path, &settings.globs)?,
                ignores: Vec::new(),
                ancestors: vec![root.canonical.clone()],
                root_name: last_name(&root.canonical),
                out: &mut walked,
            };
            match archive {
                Some(kind) => walk.archive(kind, &root.path, &name, Path::new(""), root.modified),
                None => walk.directory(&root.path, &name, Path::new(""), true),
            }
        } else {
            walked.files.push(Found {
                source: id_path(&name),
                path: root.path.clone(),
                part: None,
                container: name.file_name().and_then(|name| Container::of_name(&name.to_string_lossy())),
                relative: name,
                directory: root.canonical.parent().map(last_name).unwrap_or_default(),
                bytes: root.bytes,
                modified: root.modified,
            });
        }
    }
    walked.files.sort_by(|a, b| a.source.cmp(&b.source));
    if overlap {
        let mut seen = HashSet::new();
        let before = walked.files.len();
        let offset = |file: &Found| file.part.map(|part| part.offset);
        walked.files.retain(|file| file.path.canonicalize().map_or(true, |path| seen.insert((path, offset(file)))));
        walked.left_out.repeated += (before - walked.files.len()) as u64;
    }
    walked.skipped.sort_by(|a, b| a.source.cmp(&b.source));
    walked.left_out.outputs.sort();
    Ok(walked)
}

/// Returns a path as documents name it: `/`-separated, bytes that are no text written as `\x..`.
pub(crate) fn id_path(path: &Path) -> String {
    let mut out = String::new();
    for component in path.components() {
        if !out.is_empty() {
            out.push('/');
        }
        for chunk in component.as_os_str().as_encoded_bytes().utf8_chunks() {
            out.push_str(chunk.valid());
            for byte in chunk.invalid() {
                out.push_str(&format!("\\x{byte:02x}"));
            }
        }
    }
    out
}

/// Makes the row of `skipped` for a path that could not be used.
pub(super) fn skipped_path(source: String, error: &std::io::Error) -> Skipped {
    let (reason, hint) = match error.kind() {
        std::io::ErrorKind::NotFound => ("no such file or directory".to_owned(), "check the spelling of the path"),
        std::io::ErrorKind::PermissionDenied => ("permission denied".to_owned(), "check the permissions"),
        _ => (format!("could not be read: {error}"), "check that it can be read"),
    };
    Skipped::whole(source, reason, hint)
}

/// An input as given.
struct Root {
    path: PathBuf,
    canonical: PathBuf,
    directory: bool,
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Root {
    fn open(path: &Path) -> Result<Root, Skipped> {
        let failed = |error: std::io::Error| skipped_path(path.to_string_lossy().into_owned(), &error);
        let metadata = fs::metadata(path).map_err(failed)?;
        let canonical = path.canonicalize().map_err(failed)?;
        if metadata.is_file() {
            File::open(path).map_err(failed)?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let (_, bare) = Compression::of_name(&name);
            if let Some(other) =
                suffix(bare).filter(|suffix| OTHER_CONTAINERS.contains(&suffix.to_ascii_lowercase().as_str()))
            {
                let hint = "unpack it, or take its text out, first";
                let reason = format!("`.{other}` files are not read");
                return Err(Skipped::whole(path.to_string_lossy().into_owned(), reason, hint));
            }
        } else if metadata.is_dir() {
            fs::read_dir(path).map_err(failed)?;
        }
        Ok(Root {
            path: path.to_owned(),
            canonical,
            directory: metadata.is_dir(),
            bytes: metadata.len(),
            modified: metadata.modified().ok(),
        })
    }

    /// Returns what the paths of its files begin with when it is the only input: nothing, or a file's own name.
    fn name_alone(&self) -> PathBuf {
        if self.directory { PathBuf::new() } else { PathBuf::from(self.path.file_name().unwrap_or_default()) }
    }
}

/// One walk below one directory.
struct Walk<'a> {
    settings: &'a SourceSettings,
    globs: Option<Override>,
    /// The `.retoldignore` files on the way down, the outermost first.
    ignores: Vec<Gitignore>,
    /// The canonical directories on the way down, to notice a link that leads back to one.
    ancestors: Vec<PathBuf>,
    root_name: String,
    out: &'a mut Walked,
}

impl Walk<'_> {
    /// Walks `path`; `relative` is the path that ids are made of, `below` the one that patterns match.
    fn directory(&mut self, path: &Path, relative: &Path, below: &Path, is_root: bool) {
        let entries = fs::read_dir(path).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.out.skipped.push(skipped_path(id_path(relative), &error)),
        };
        let ours = is_root && files::is_ours(path);
        let ignore_file = path.join(".retoldignore");
        let has_ignores = entries.iter().any(|entry| entry.file_name() == ".retoldignore");
        if has_ignores {
            // A line that is no pattern ignores nothing; the rest of the file holds.
            let (ignores, _) = Gitignore::new(&ignore_file);
            self.ignores.push(ignores);
        }
        for entry in entries {
            let name = entry.file_name();
            if name != ".retoldignore" {
                self.entry(&entry.path(), &relative.join(&name), &below.join(&name), &name, ours);
            }
        }
        if has_ignores {
            self.ignores.pop();
        }
    }

    fn entry(&mut self, path: &Path, relative: &Path, below: &Path, name: &OsString, in_output: bool) {
        let bytes = name.as_encoded_bytes();
        if bytes.starts_with(b".") {
            self.out.left_out.hidden += 1;
            return;
        }
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => return self.out.skipped.push(skipped_path(id_path(relative), &error)),
        };
        let archive = Kind::of_name(&name.to_string_lossy()).filter(|_| metadata.is_file());
        let is_directory = metadata.is_dir();
        let matched =
            self.ignores.iter().rev().map(|ignores| ignores.matched(path, is_directory)).find(|m| !m.is_none());
        if matched.is_some_and(|matched| matched.is_ignore()) {
            self.out.left_out.ignored += 1;
            return;
        }
        if self.globs.as_ref().is_some_and(|globs| globs.matched(below, is_directory || archive.is_some()).is_ignore())
        {
            self.out.left_out.globbed += 1;
            return;
        }
        if is_directory {
            if bytes.ends_with(b".partial") || files::is_ours(path) {
                self.out.left_out.outputs.push(id_path(relative));
                return;
            }
            let canonical = match path.canonicalize() {
                Ok(canonical) => canonical,
                Err(error) => return self.out.skipped.push(skipped_path(id_path(relative), &error)),
            };
            if self.ancestors.contains(&canonical) {
                let reason = "the symbolic link leads back to a directory that it lies in";
                let hint = "remove the link, or name it in `.retoldignore`";
                return self.out.skipped.push(Skipped::whole(id_path(relative), reason, hint));
            }
            self.ancestors.push(canonical);
            self.directory(path, relative, below, false);
            self.ancestors.pop();
            return;
        }
        if let Some(kind) = archive {
            return self.archive(kind, path, relative, below, metadata.modified().ok());
        }
        let name = name.to_string_lossy();
        let (_, bare) = Compression::of_name(&name);
        let Some(container) = Container::of_name(&name) else {
            return self.out.left_out.count_suffix(&name);
        };
        if in_output && TABLES.contains(&bare.rsplit_once('.').map_or(bare, |(stem, _)| stem)) {
            self.out.left_out.outputs.push(id_path(relative));
            return;
        }
        if !metadata.is_file() {
            let reason = "expected a regular file, found a pipe, socket or device";
            return self.out.skipped.push(Skipped::whole(id_path(relative), reason, "name it in `.retoldignore`"));
        }
        if let Err(error) = File::open(path) {
            return self.out.skipped.push(skipped_path(id_path(relative), &error));
        }
        self.out.files.push(Found {
            source: id_path(relative),
            path: path.to_owned(),
            part: None,
            relative: relative.to_owned(),
            directory: self.directory_of(below),
            container: Some(container),
            bytes: metadata.len(),
            modified: metadata.modified().ok(),
        });
    }

    /// Returns the first directory on a path below the input, or the input's own name.
    fn directory_of(&self, below: &Path) -> String {
        match below.iter().next().filter(|first| *first != below.as_os_str()) {
            Some(first) => id_path(Path::new(first)),
            None => self.root_name.clone(),
        }
    }

    /// Walks the members of an archive as if it were a directory.
    fn archive(&mut self, kind: Kind, path: &Path, relative: &Path, below: &Path, modified: Option<SystemTime>) {
        let source = id_path(relative);
        let mut left_out = std::mem::take(&mut self.out.left_out);
        let mut choose = |name: &Path| choose(name, below, self.globs.as_ref(), &mut left_out);
        let listed = archive::list(path, &source, kind, self.settings, &mut choose);
        self.out.left_out = left_out;
        let listing = match listed {
            Ok(listing) => listing,
            Err(skipped) => return self.out.skipped.push(skipped),
        };
        self.out.skipped.extend(listing.skipped);
        let home = listing.scratch.as_ref().map_or(path, |scratch| &scratch.path).to_owned();
        for member in listing.members {
            let (path, part) = match member.place {
                Place::Part(part) => (home.clone(), Some(part)),
                Place::Copy(copy) => {
                    let path = copy.path.clone();
                    self.out.scratch.push(copy);
                    (path, None)
                }
            };
            self.out.files.push(Found {
                source: format!("{source}!{}", id_path(&member.name)),
                path,
                part,
                relative: relative.join(&member.name),
                directory: self.directory_of(&below.join(&member.name)),
                container: Some(member.container),
                bytes: member.bytes,
                modified,
            });
        }
        self.out.scratch.extend(listing.scratch);
    }
}

/// Says how a member of an archive is read, as of a file that lies below a directory.
fn choose(name: &Path, below: &Path, globs: Option<&Override>, left_out: &mut LeftOut) -> Option<Container> {
    let is_hidden = |part: &std::ffi::OsStr| part.as_encoded_bytes().starts_with(b".") || part == "__MACOSX";
    if name.iter().any(is_hidden) {
        left_out.hidden += 1;
        return None;
    }
    let path = below.join(name);
    let above = path.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty());
    let is_ignored = |globs: &Override| {
        globs.matched(&path, false).is_ignore() || above.clone().any(|above| globs.matched(above, true).is_ignore())
    };
    if globs.is_some_and(is_ignored) {
        left_out.globbed += 1;
        return None;
    }
    let name = name.file_name().unwrap_or_default().to_string_lossy();
    let container = Container::of_name(&name);
    if container.is_none() {
        left_out.count_suffix(&name);
    }
    container
}

fn last_name(path: &Path) -> String {
    id_path(Path::new(path.file_name().unwrap_or_default()))
}

fn glob_set(root: &Path, globs: &[String]) -> Result<Option<Override>, ReadError> {
    if globs.is_empty() {
        return Ok(None);
    }
    let mut builder = OverrideBuilder::new(root);
    for pattern in globs {
        builder.add(pattern).map_err(|source| ReadError::Glob { pattern: pattern.clone(), source })?;
    }
    let globs = builder.build().map_err(|source| ReadError::Glob { pattern: globs.join(", "), source })?;
    Ok(Some(globs))
}

/// Returns the paths that a pattern such as `crawl/*.jsonl.gz` matches, as a shell would; none if it is no pattern or
/// matches nothing.
fn expand(pattern: &Path) -> Option<Vec<PathBuf>> {
    let is_pattern = |part: &Component<'_>| part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{']);
    let base: PathBuf = pattern.components().take_while(|part| !is_pattern(part)).collect();
    let rest: PathBuf = pattern.components().skip_while(|part| !is_pattern(part)).collect();
    if rest.as_os_str().is_empty() {
        return None;
    }
    let from = if base.as_os_str().is_empty() { Path::new(".") } else { &base };
    let globs = OverrideBuilder::new(from).add(&format!("/{}", rest.to_string_lossy())).ok()?.build().ok()?;
    let deep = rest.components().any(|part| part.as_os_str() == "**");
    let depth = if deep { usize::MAX } else { rest.components().count() };
    let mut found = Vec::new();
    let mut open = vec![(base.clone(), PathBuf::new(), 0)];
    while let Some((path, below, level)) = open.pop() {
        let path = if path.as_os_str().is_empty() { PathBuf::from(".") } else { path };
        for entry in fs::read_dir(&path).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let below = below.join(&name);
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if globs.matched(&below, false).is_whitelist() {
                found.push(base.join(&below));
            } else if is_directory && level + 1 < depth {
                open.push((base.join(&below), below, level + 1));
            }
        }
    }
    found.sort();
    if found.is_empty() { None } else { Some(found) }
}

/// Returns a name for every path: its last component, or as many of the last as tell it from the others.
fn distinct_names(paths: &[&Path]) -> Vec<PathBuf> {
    let tail = |path: &Path, parts: usize| -> PathBuf {
        let parts_all: Vec<_> = path.components().filter(|part| matches!(part, Component::Normal(_))).collect();
        let tail: PathBuf = parts_all[parts_all.len().saturating_sub(parts)..].iter().collect();
        // The root directory has no name of its own.
        if tail.as_os_str().is_empty() { PathBuf::from("root") } else { tail }
    };
    let deepest = paths.iter().map(|path| path.components().count()).max().unwrap_or_default();
    let mut parts = vec![1; paths.len()];
    for _ in 0..deepest {
        let mut counts: BTreeMap<PathBuf, usize> = BTreeMap::new();
        for (path, parts) in paths.iter().zip(&parts) {
            *counts.entry(tail(path, *parts)).or_default() += 1;
        }
        for (path, parts) in paths.iter().zip(&mut parts) {
            *parts += usize::from(counts[&tail(path, *parts)] > 1);
        }
    }
    paths.iter().zip(&parts).map(|(path, parts)| tail(path, *parts)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(paths: &[PathBuf], globs: &[String], several: bool) -> Result<Walked, ReadError> {
        super::walk(paths, &SourceSettings { globs: globs.to_vec(), ..SourceSettings::default() }, several)
    }

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "text").unwrap();
        }
        root
    }

    fn ids(walked: &Walked) -> Vec<String> {
        walked.files.iter().map(|file| id_path(&file.relative)).collect()
    }

    #[test]
    fn files_come_by_the_bytes_of_their_id_paths() {
        let root =
            tree(&["b.txt", "a/z.md", "a.txt", "a-b.jsonl.gz", "é.txt", "Z.ndjson.zst", "picture.jpg", "README"]);
        let walked = walk(&[root.path().to_owned()], &[], false).unwrap();
        assert_eq!(ids(&walked), ["Z.ndjson.zst", "a-b.jsonl.gz", "a.txt", "a/z.md", "b.txt", "é.txt"]);
        assert_eq!(walked.left_out.told(), ["left out 2 files of other kinds: 1 without a suffix, 1 `.jpg`"]);
    }

    #[test]
    fn several_inputs_lead_with_their_names_whatever_their_order() {
        let root = tree(&["x/news/1.txt", "y/news/1.txt", "y/2.txt"]);
        let mut paths = ["x/news", "y/news", "y/2.txt"].map(|path| root.path().join(path));
        let expected = ["2.txt", "x/news/1.txt", "y/news/1.txt"];
        assert_eq!(ids(&walk(&paths, &[], true).unwrap()), expected);
        paths.reverse();
        assert_eq!(ids(&walk(&paths, &[], true).unwrap()), expected);
    }

    #[test]
    fn a_file_given_twice_is_read_once() {
        let root = tree(&["crawl/a.txt", "crawl/sub/b.txt"]);
        let paths = ["crawl", "crawl/sub", "crawl/a.txt", "crawl/a.txt"].map(|path| root.path().join(path));
        let walked = walk(&paths, &[], true).unwrap();
        assert_eq!(walked.files.len(), 2);
        assert_eq!(walked.left_out.told(), ["left out 3 files given twice"]);
    }

    #[test]
    fn hidden_files_ignore_files_and_globs_leave_out_and_git_does_not() {
        let root = tree(&["a.txt", ".b.txt", "drafts/c.txt", "keep/d.txt", "keep/e.md", ".gitignore", "keep/old.txt"]);
        fs::write(root.path().join(".gitignore"), "*").unwrap();
        fs::write(root.path().join(".retoldignore"), "drafts/\nold.*\n").unwrap();
        let walked = walk(&[root.path().to_owned()], &["*.txt".to_owned()], false).unwrap();
        assert_eq!(ids(&walked), ["a.txt", "keep/d.txt"]);
        assert_eq!(walked.left_out, LeftOut { hidden: 2, ignored: 2, globbed: 1, ..LeftOut::default() },);
        assert_eq!(walked.left_out.told().len(), 3);
        assert!(matches!(walk(&[root.path().to_owned()], &["a{".to_owned()], false), Err(ReadError::Glob { .. })));
    }

    #[test]
    fn our_own_outputs_are_left_out_and_read_when_they_are_named() {
        let root = tree(&["a.txt", "out/a.txt", "out/removed.jsonl", "out.partial/a.txt", "out/sub/removed.jsonl"]);
        fs::write(root.path().join("out/summary.json"), "{\"retold\": \"0.1.0\"}").unwrap();
        let walked = walk(&[root.path().to_owned()], &[], false).unwrap();
        assert_eq!(ids(&walked), ["a.txt"]);
        assert_eq!(walked.left_out.outputs, ["out", "out.partial"]);
        let walked = walk(&[root.path().join("out")], &[], false).unwrap();
        assert_eq!(ids(&walked), ["a.txt", "sub/removed.jsonl"]);
        assert_eq!(walked.left_out.outputs, ["removed.jsonl", "summary.json"]);
    }

    #[cfg(unix)]
    #[test]
    fn loops_and_dangling_links_are_skipped() {
        let root = tree(&["a/b/c.txt"]);
        std::os::unix::fs::symlink(root.path().join("a"), root.path().join("a/b/loop")).unwrap();
        std::os::unix::fs::symlink("nowhere", root.path().join("a/gone.txt")).unwrap();
        let walked = walk(&[root.path().to_owned()], &[], false).unwrap();
        assert_eq!(ids(&walked), ["a/b/c.txt"]);
        assert_eq!(
            walked.skipped.iter().map(|skipped| skipped.source.as_str()).collect::<Vec<_>>(),
            ["a/b/loop", "a/gone.txt"]
        );
    }

    #[test]
    fn patterns_are_expanded_as_a_shell_would() {
        let root = tree(&["x/1.txt", "x/2.txt", "x/3.md", "y/1.txt"]);
        let walked = walk(&[root.path().join("*/[12].txt")], &[], false).unwrap();
        assert_eq!(ids(&walked), ["2.txt", "x/1.txt", "y/1.txt"]);
        let walked = walk(&[root.path().join("*/7.txt")], &[], false).unwrap();
        assert_eq!(walked.skipped[0].reason, "no such file or directory");
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_no_text_stay_apart() {
        use std::os::unix::ffi::OsStrExt;
        let name = |byte: u8| PathBuf::from(std::ffi::OsStr::from_bytes(&[b'a', byte]));
        assert_eq!(id_path(&name(0xff)), "a\\xff");
        assert_ne!(id_path(&name(0xff)), id_path(&name(0xfe)));
    }
}
