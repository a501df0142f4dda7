//! Objects in stores as inputs: what addresses lead to as files and directories, and copies of what must be whole.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use ignore::overrides::OverrideBuilder;

use crate::document::Skipped;
use crate::files::{self, Place};
use crate::input::stream::ScratchFile;
use crate::remote::{Address, Found, Object, RemoteError};

/// What an object store takes for a directory: what keys have before their slashes.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub directories: BTreeMap<String, Listing>,
    pub objects: BTreeMap<String, Arc<Object>>,
}

impl Listing {
    /// Sorts objects into directories, by what their keys have after `base`.
    fn of(objects: &[Arc<Object>], base: &str) -> Listing {
        let mut listing = Listing::default();
        for object in objects {
            let below = object.address().key.strip_prefix(base).unwrap_or(&object.address().key);
            let mut parts = below.split('/').filter(|part| !part.is_empty());
            let Some(name) = parts.next_back() else { continue };
            let home = parts.fold(&mut listing, |home, part| home.directories.entry(part.to_owned()).or_default());
            home.objects.insert(name.to_owned(), object.clone());
        }
        listing.without_markers();
        listing
    }

    /// Leaves out the empty objects by which some programs mark a directory.
    fn without_markers(&mut self) {
        let directories = &self.directories;
        self.objects.retain(|name, object| object.bytes() > 0 || !directories.contains_key(name));
        self.directories.values_mut().for_each(Listing::without_markers);
    }

    /// Returns whether it is an output of this program, as [`files::is_ours`] does of a directory.
    pub fn is_ours(&self) -> bool {
        let summary = self.objects.get("summary.json");
        summary.is_some_and(|object| files::is_summary(std::io::BufReader::new(object.read(0..u64::MAX))))
    }
}

/// What an address leads to.
#[derive(Debug)]
pub(super) enum Input {
    Object(Arc<Object>),
    Directory(Address, Listing),
}

/// Returns what the objects that were found are: one, a directory, or the several of both that a pattern matches.
pub(super) fn expanded(address: &Address, found: Found) -> Result<Vec<Input>, RemoteError> {
    let objects = match found {
        Found::Object(object) => return Ok(vec![Input::Object(object)]),
        Found::Below(objects) => objects,
    };
    if !address.is_pattern() {
        let base = directory(&address.key);
        let listing = Listing::of(&objects, &base);
        return Ok(vec![Input::Directory(address.clone(), listing)]);
    }
    // A key may be what looks like a pattern.
    if let Some(object) = objects.iter().find(|object| object.address().key == address.key) {
        return Ok(vec![Input::Object(object.clone())]);
    }
    let (base, pattern) = address.split_pattern();
    let nothing = |what: String| RemoteError {
        address: address.shown(),
        what,
        hint: "check the pattern: `*` and `?` match no `/`, and `**` matches any".to_owned(),
        kind: std::io::ErrorKind::NotFound,
    };
    let pattern = pattern.trim_end_matches('/');
    let mut globs = OverrideBuilder::new("/");
    let globs = globs.add(&format!("/{pattern}")).and_then(|globs| globs.build());
    let globs = globs.map_err(|error| nothing(format!("expected a pattern: {error}")))?;
    let depth = if pattern.split('/').any(|part| part == "**") { usize::MAX } else { pattern.split('/').count() };
    let mut matched: BTreeMap<String, Vec<Arc<Object>>> = BTreeMap::new();
    for object in &objects {
        let key = &object.address().key;
        let below = key.strip_prefix(base).unwrap_or(key);
        let is_hidden = |path: &str| path.split('/').any(|part| part.starts_with('.'));
        let ends = below.match_indices('/').map(|(at, _)| at).chain([below.len()]).take(depth);
        let mut paths = ends.map(|end| &below[..end]).filter(|path| !path.is_empty() && !is_hidden(path));
        if let Some(path) = paths.find(|path| globs.matched(Path::new(path), false).is_whitelist()) {
            matched.entry(format!("{base}{path}")).or_default().push(object.clone());
        }
    }
    if matched.is_empty() {
        return Err(nothing("no object matches".to_owned()));
    }
    let place = |(key, objects): (String, Vec<Arc<Object>>)| match objects.as_slice() {
        [object] if object.address().key == key => Input::Object(object.clone()),
        _ => {
            let listing = Listing::of(&objects, &directory(&key));
            Input::Directory(Address { key, ..address.clone() }, listing)
        }
    };
    Ok(matched.into_iter().map(place).collect())
}

fn directory(key: &str) -> String {
    let key = key.trim_end_matches('/');
    if key.is_empty() { String::new() } else { format!("{key}/") }
}

/// Makes the row of `skipped` for an address that could not be used.
pub(super) fn skipped(error: RemoteError) -> Skipped {
    Skipped::whole(error.address, error.what, &error.hint)
}

/// Copies an object to a scratch file, for formats that are read whole or back and forth, and servers that give no
/// parts.
pub(super) fn copied(object: &Arc<Object>, directory: &Path) -> Result<(Place, ScratchFile), Skipped> {
    let copy = ScratchFile::create(directory).and_then(|(mut scratch, mut file)| {
        scratch.bytes = object.copy_to(&mut file)?;
        Ok(scratch)
    });
    match copy {
        Ok(scratch) => Ok((Place::Copy { path: scratch.path.clone(), of: object.clone() }, scratch)),
        Err(error) => {
            let address = object.address().shown();
            Err(match error.get_ref().and_then(|inner| inner.downcast_ref::<RemoteError>()) {
                Some(remote) => skipped(remote.clone()),
                None => Skipped::whole(
                    address,
                    format!("it could not be copied to a scratch file in `{}`: {error}", directory.display()),
                    "make room there, or name another place with `--temp-dir`",
                ),
            })
        }
    }
}

/// What will be fetched, as it is known when all objects are found and none of their bytes are here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fetch {
    /// Objects that are read.
    pub objects: u64,
    /// Bytes of those that every pass reads.
    pub pass_bytes: u64,
    /// Bytes of those that are copied to scratch files first, and read from there: archives, and what comes from
    /// servers that give no parts.
    pub copied_bytes: u64,
    /// Bytes of either that are kept from earlier runs, and are not fetched.
    pub kept_bytes: u64,
}

impl Fetch {
    /// Counts an object.
    pub(super) fn add(&mut self, object: &Object, is_copied: bool) {
        self.objects += 1;
        *(if is_copied { &mut self.copied_bytes } else { &mut self.pass_bytes }) += object.bytes();
        self.kept_bytes += object.kept_bytes();
    }
}
