//! Inputs as they are given: paths, patterns and addresses → what each of them is, and what it is called.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use ignore::overrides::OverrideBuilder;

use crate::document::Skipped;
use crate::files::Compression;
use crate::input::archive::Kind;
use crate::input::container::suffix;
use crate::input::objects::{self, Listing};
use crate::input::walk::{Walked, id_path, skipped_path};
use crate::remote::{self, Address, Object, Remote, RemoteError, is_address};

/// Suffixes of containers that are known not to be text or JSONL: such a file is not guessed at when it is named.
const OTHER_CONTAINERS: [&str; 7] = ["7z", "rar", "pdf", "docx", "doc", "odt", "epub"];

/// Returns what the inputs are, each once; what cannot be used is noted in `walked`.
pub(super) fn roots(paths: &[PathBuf], remote: &Remote, walked: &mut Walked) -> Vec<Root> {
    let mut roots: Vec<Root> = Vec::new();
    let addresses: Vec<Address> = paths.iter().filter_map(|path| Address::parse(path.to_str()?)).collect();
    let mut found = addresses.iter().zip(remote.find(&addresses));
    for path in paths {
        let opened = if is_address(path) {
            let (address, found) = found.next().expect("every address was looked for");
            Root::of_address(address, found)
        } else {
            let expanded = if fs::symlink_metadata(path).is_err() { expand(path) } else { None };
            expanded.unwrap_or_else(|| vec![path.clone()]).iter().map(|path| Root::open(path)).collect()
        };
        for root in opened {
            match root {
                Ok(root) if roots.iter().any(|known| known.is(&root)) => {
                    if !root.is_directory() {
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
    roots
}

/// An input as given.
pub(super) struct Root {
    pub content: Content,
    pub path: PathBuf,
    pub canonical: PathBuf,
    /// What tells addresses of one path apart.
    query: Option<String>,
    pub bytes: u64,
    pub modified: Option<SystemTime>,
}

/// What an input is.
pub(super) enum Content {
    File,
    Directory,
    Object(Arc<Object>),
    Listing(Listing),
}

impl Root {
    fn open(path: &Path) -> Result<Root, Skipped> {
        let failed = |error: std::io::Error| skipped_path(path.to_string_lossy().into_owned(), &error);
        let metadata = fs::metadata(path).map_err(failed)?;
        let canonical = path.canonicalize().map_err(failed)?;
        if metadata.is_file() {
            File::open(path).map_err(failed)?;
            is_readable(path)?;
        } else if metadata.is_dir() {
            fs::read_dir(path).map_err(failed)?;
        }
        Ok(Root {
            content: if metadata.is_dir() { Content::Directory } else { Content::File },
            path: path.to_owned(),
            canonical,
            query: None,
            bytes: metadata.len(),
            modified: metadata.modified().ok(),
        })
    }

    /// Makes the inputs that an address leads to.
    fn of_address(address: &Address, found: Result<remote::Found, RemoteError>) -> Vec<Result<Root, Skipped>> {
        let root = |content: Content, address: &Address, bytes, modified| {
            let path = address.to_path();
            Root { content, canonical: path.clone(), path, query: address.query.clone(), bytes, modified }
        };
        let inputs = match found.and_then(|found| objects::expanded(address, found)) {
            Ok(inputs) => inputs,
            Err(error) => return vec![Err(objects::skipped(error))],
        };
        let roots = inputs.into_iter().map(|input| match input {
            objects::Input::Directory(address, listing) => Ok(root(Content::Listing(listing), &address, 0, None)),
            objects::Input::Object(object) => {
                is_readable(&object.address().to_path())?;
                let (bytes, modified) = (object.bytes(), object.modified());
                Ok(root(Content::Object(object.clone()), object.address(), bytes, modified))
            }
        });
        roots.collect()
    }

    fn is(&self, other: &Root) -> bool {
        self.canonical == other.canonical && self.query == other.query
    }

    pub fn is_directory(&self) -> bool {
        matches!(self.content, Content::Directory | Content::Listing(_))
    }

    /// Returns how it keeps its members, if it is an archive.
    pub fn archive(&self) -> Option<Kind> {
        let name = self.canonical.file_name().unwrap_or_default().to_string_lossy();
        Kind::of_name(&name).filter(|_| !self.is_directory())
    }

    /// Returns whether patterns have nothing to choose from in it.
    pub fn is_file(&self) -> bool {
        !self.is_directory() && self.archive().is_none()
    }

    /// Returns what the paths of its files begin with when it is the only input: nothing, or a file's own name.
    pub fn name_alone(&self) -> PathBuf {
        if self.is_directory() { PathBuf::new() } else { PathBuf::from(self.path.file_name().unwrap_or_default()) }
    }
}

/// Refuses a file that is known to be of another kind, and is not guessed at.
fn is_readable(path: &Path) -> Result<(), Skipped> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (_, bare) = Compression::of_name(&name);
    let other = suffix(bare).filter(|suffix| OTHER_CONTAINERS.contains(&suffix.to_ascii_lowercase().as_str()));
    let Some(other) = other else { return Ok(()) };
    let hint = "unpack it, or take its text out, first";
    let reason = format!("`.{other}` files are not read");
    Err(Skipped::whole(path.to_string_lossy().into_owned(), reason, hint))
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
pub(super) fn distinct_names(paths: &[&Path]) -> Vec<PathBuf> {
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

/// Returns the last component of a path as documents name it.
pub(super) fn last_name(path: &Path) -> String {
    id_path(Path::new(path.file_name().unwrap_or_default()))
}
