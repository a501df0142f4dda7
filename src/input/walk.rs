//! Directories and globs → files in a stable order.
//!
//! Every directory is read whole and the result is sorted by id path, so that neither the order of arguments nor that of
//! the file system shows.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use ignore::overrides::{Override, OverrideBuilder};

use crate::document::Skipped;
use crate::files::{self, Compression, Part, Place};
use crate::input::archive::Kind;
use crate::input::container::Container;
use crate::input::left_out::LeftOut;
use crate::input::members::Archive;
use crate::input::objects::{self, Fetch, Listing};
use crate::input::roots::{Content, Root, distinct_names, last_name, roots};
use crate::input::stream::ScratchFile;
use crate::input::{ReadError, SourceSettings};
use crate::remote::{Remote, RemoteError};

/// The file that says, as `.gitignore` files do, what below its directory is left out.
const IGNORE_FILE: &str = ".retoldignore";

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
    pub place: Place,
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
    /// Archives whose members are still to be found.
    archives: Vec<Archive>,
    /// Scratch files that stand for members of archives.
    pub scratch: Vec<ScratchFile>,
}

/// Finds the files of `paths`, which are files, directories, patterns that match some, and addresses of objects; `several`:
/// ids lead with the names of their inputs. `tell` hears what will be fetched before any object's bytes are.
pub(super) fn walk(
    paths: &[PathBuf],
    settings: &SourceSettings,
    several: bool,
    remote: &Remote,
    tell: &mut dyn FnMut(&Fetch),
) -> Result<Walked, ReadError> {
    let mut walked = Walked::default();
    let roots = roots(paths, remote, &mut walked);
    let names = if several || roots.len() > 1 {
        distinct_names(&roots.iter().map(|root| root.canonical.as_path()).collect::<Vec<_>>())
    } else {
        roots.iter().map(Root::name_alone).collect()
    };
    let overlap = roots.iter().any(|root| {
        roots.iter().any(|other| other.canonical != root.canonical && root.canonical.starts_with(&other.canonical))
    });
    for (root, name) in roots.iter().zip(names) {
        let mut walk = Walk {
            globs: if root.is_file() { None } else { glob_set(&root.path, &settings.globs)? },
            ignores: Vec::new(),
            ancestors: vec![root.canonical.clone()],
            root_name: last_name(&root.canonical),
            out: &mut walked,
        };
        let place = match &root.content {
            Content::Directory => {
                walk.directory(&root.path, &name, Path::new(""), true);
                continue;
            }
            Content::Listing(listing) => {
                walk.listing(listing, &root.canonical, &name, Path::new(""), true);
                continue;
            }
            Content::File => Place::File(root.path.clone()),
            Content::Object(object) => Place::Object(object.clone()),
        };
        if let Some(kind) = root.archive() {
            walk.archive(kind, place, &name, Path::new(""), root.modified);
            continue;
        }
        walked.files.push(Found {
            source: id_path(&name),
            place,
            part: None,
            container: name.file_name().and_then(|name| Container::of_name(&name.to_string_lossy())),
            relative: name,
            directory: root.canonical.parent().map(last_name).unwrap_or_default(),
            bytes: root.bytes,
            modified: root.modified,
        });
    }
    tell_fetch(&walked, tell);
    for archive in std::mem::take(&mut walked.archives) {
        archive.unpack(settings, &mut walked);
    }
    copy_whole(settings, &mut walked);
    walked.files.sort_by(|a, b| a.source.cmp(&b.source));
    if overlap {
        let mut seen = HashSet::new();
        let before = walked.files.len();
        let offset = |file: &Found| file.part.map(|part| part.offset);
        let identity = |file: &Found| match file.place.object() {
            Some(object) => Some(object.address().to_path()),
            None => file.place.canonical(),
        };
        walked.files.retain(|file| identity(file).is_none_or(|path| seen.insert((path, offset(file)))));
        walked.left_out.repeated += (before - walked.files.len()) as u64;
    }
    walked.skipped.sort_by(|a, b| a.source.cmp(&b.source));
    walked.left_out.outputs.sort();
    Ok(walked)
}

/// Tells what will be fetched, if anything will.
fn tell_fetch(walked: &Walked, tell: &mut dyn FnMut(&Fetch)) {
    let mut fetch = Fetch::default();
    for object in walked.files.iter().filter_map(|file| file.place.object()) {
        fetch.add(object, !object.has_ranges());
    }
    for object in walked.archives.iter().filter_map(|archive| archive.place.object()) {
        fetch.add(object, true);
    }
    if fetch.objects > 0 {
        tell(&fetch);
    }
}

/// Copies objects of which no parts can be read to scratch files.
fn copy_whole(settings: &SourceSettings, walked: &mut Walked) {
    for mut file in std::mem::take(&mut walked.files) {
        if let Place::Object(object) = &file.place
            && !object.has_ranges()
        {
            match objects::copied(object, &settings.temp_dir) {
                Ok((place, scratch)) => {
                    walked.scratch.push(scratch);
                    file.place = place;
                }
                Err(skipped) => {
                    walked.skipped.push(skipped);
                    continue;
                }
            }
        }
        walked.files.push(file);
    }
}

/// Returns a path as documents name it: `/`-separated, bytes that are no text written as `\x..`.
pub(crate) fn id_path(path: &Path) -> String {
    let mut out = String::with_capacity(path.as_os_str().len());
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
    if let Some(remote) = error.get_ref().and_then(|inner| inner.downcast_ref::<RemoteError>()) {
        return Skipped::whole(source, remote.what.clone(), &remote.hint);
    }
    let (reason, hint) = match error.kind() {
        std::io::ErrorKind::NotFound => ("no such file or directory".to_owned(), "check the spelling of the path"),
        std::io::ErrorKind::PermissionDenied => ("permission denied".to_owned(), "check the permissions"),
        _ => (format!("could not be read: {error}"), "check that it can be read"),
    };
    Skipped::whole(source, reason, hint)
}

/// One walk below one directory.
struct Walk<'a> {
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
        let ignore_file = path.join(IGNORE_FILE);
        let has_ignores = entries.iter().any(|entry| entry.file_name() == IGNORE_FILE);
        if has_ignores {
            // A line that is no pattern ignores nothing; the rest of the file holds.
            let (ignores, _) = Gitignore::new(&ignore_file);
            self.ignores.push(ignores);
        }
        for entry in entries {
            let name = entry.file_name();
            if name != IGNORE_FILE {
                self.entry(&entry.path(), &relative.join(&name), &below.join(&name), &name, ours);
            }
        }
        if has_ignores {
            self.ignores.pop();
        }
    }

    fn entry(&mut self, path: &Path, relative: &Path, below: &Path, name: &OsString, in_output: bool) {
        if self.is_hidden(name) {
            return;
        }
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => return self.out.skipped.push(skipped_path(id_path(relative), &error)),
        };
        let archive = Kind::of_name(&name.to_string_lossy()).filter(|_| metadata.is_file());
        let is_directory = metadata.is_dir();
        if self.is_left_out(path, below, is_directory, archive.is_some()) {
            return;
        }
        if is_directory {
            if name.as_encoded_bytes().ends_with(b".partial") || files::is_ours(path) {
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
            return self.archive(kind, Place::from(path), relative, below, metadata.modified().ok());
        }
        let Some(container) = self.container(&name.to_string_lossy(), relative, in_output) else { return };
        if !metadata.is_file() {
            let reason = "expected a regular file, found a pipe, socket or device";
            return self.out.skipped.push(Skipped::whole(id_path(relative), reason, "name it in `.retoldignore`"));
        }
        if let Err(error) = File::open(path) {
            return self.out.skipped.push(skipped_path(id_path(relative), &error));
        }
        self.file(Place::from(path), container, relative, below, metadata.len(), metadata.modified().ok());
    }

    /// Walks what an object store takes for a directory, as [`Walk::directory`] does.
    fn listing(&mut self, listing: &Listing, path: &Path, relative: &Path, below: &Path, is_root: bool) {
        let ours = is_root && listing.is_ours();
        let ignore_file = listing.objects.get(IGNORE_FILE);
        if let Some(object) = ignore_file {
            let mut lines = GitignoreBuilder::new(path);
            let text = std::io::read_to_string(object.read(0..u64::MAX)).unwrap_or_default();
            for line in text.lines() {
                // A line that is no pattern ignores nothing; the rest of the file holds.
                let _ = lines.add_line(None, line);
            }
            self.ignores.push(lines.build().unwrap_or_else(|_| Gitignore::empty()));
        }
        for (name, object) in &listing.objects {
            let (path, relative, below) = (path.join(name), relative.join(name), below.join(name));
            let archive = Kind::of_name(name);
            if name == IGNORE_FILE || self.is_hidden(name) || self.is_left_out(&path, &below, false, archive.is_some())
            {
                continue;
            }
            let place = Place::Object(object.clone());
            if let Some(kind) = archive {
                self.archive(kind, place, &relative, &below, object.modified());
            } else if let Some(container) = self.container(name, &relative, ours) {
                self.file(place, container, &relative, &below, object.bytes(), object.modified());
            }
        }
        for (name, directory) in &listing.directories {
            let (path, relative, below) = (path.join(name), relative.join(name), below.join(name));
            if self.is_hidden(name) || self.is_left_out(&path, &below, true, false) {
                continue;
            }
            if name.ends_with(".partial") || directory.is_ours() {
                self.out.left_out.outputs.push(id_path(&relative));
                continue;
            }
            self.listing(directory, &path, &relative, &below, false);
        }
        if ignore_file.is_some() {
            self.ignores.pop();
        }
    }

    /// Counts what is hidden.
    fn is_hidden(&mut self, name: impl AsRef<OsStr>) -> bool {
        let is_hidden = name.as_ref().as_encoded_bytes().starts_with(b".");
        self.out.left_out.hidden += u64::from(is_hidden);
        is_hidden
    }

    /// Counts what ignore files and patterns leave out; an archive is asked for as a directory is.
    fn is_left_out(&mut self, path: &Path, below: &Path, is_directory: bool, is_archive: bool) -> bool {
        let matched =
            self.ignores.iter().rev().map(|ignores| ignores.matched(path, is_directory)).find(|m| !m.is_none());
        let is_ignored = matched.is_some_and(|matched| matched.is_ignore());
        let globs = self.globs.as_ref().filter(|_| !is_ignored);
        let is_globbed = globs.is_some_and(|globs| globs.matched(below, is_directory || is_archive).is_ignore());
        self.out.left_out.ignored += u64::from(is_ignored);
        self.out.left_out.globbed += u64::from(is_globbed);
        is_ignored || is_globbed
    }

    /// Returns what a file holds by its name; none: it is left out, and counted.
    fn container(&mut self, name: &str, relative: &Path, in_output: bool) -> Option<Container> {
        let (_, bare) = Compression::of_name(name);
        let Some(container) = Container::of_name(name) else {
            self.out.left_out.count_suffix(name);
            return None;
        };
        if in_output && TABLES.contains(&bare.rsplit_once('.').map_or(bare, |(stem, _)| stem)) {
            self.out.left_out.outputs.push(id_path(relative));
            return None;
        }
        Some(container)
    }

    fn file(
        &mut self,
        place: Place,
        container: Container,
        relative: &Path,
        below: &Path,
        bytes: u64,
        modified: Option<SystemTime>,
    ) {
        self.out.files.push(Found {
            source: id_path(relative),
            place,
            part: None,
            relative: relative.to_owned(),
            directory: directory_of(below, &self.root_name),
            container: Some(container),
            bytes,
            modified,
        });
    }

    /// Notes an archive, whose members are found when it is known what will be fetched.
    fn archive(&mut self, kind: Kind, place: Place, relative: &Path, below: &Path, modified: Option<SystemTime>) {
        self.out.archives.push(Archive {
            kind,
            place,
            relative: relative.to_owned(),
            below: below.to_owned(),
            modified,
            globs: self.globs.clone(),
            root_name: self.root_name.clone(),
        });
    }
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

/// Returns the first directory on a path below the input, or the input's own name.
pub(super) fn directory_of(below: &Path, root_name: &str) -> String {
    match below.iter().next().filter(|first| *first != below.as_os_str()) {
        Some(first) => id_path(Path::new(first)),
        None => root_name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(paths: &[PathBuf], globs: &[String], several: bool) -> Result<Walked, ReadError> {
        let settings = SourceSettings { globs: globs.to_vec(), ..SourceSettings::default() };
        let remote = Remote::open(&settings.remote).expect("nothing is kept");
        super::walk(paths, &settings, several, &remote, &mut |_| {})
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
