//! Archives among the inputs: their members, each as the file that it is.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ignore::overrides::Override;

use crate::files::Place;
use crate::input::SourceSettings;
use crate::input::archive::{self, Kind, Stand};
use crate::input::container::Container;
use crate::input::left_out::LeftOut;
use crate::input::objects;
use crate::input::stream::ScratchFile;
use crate::input::walk::{Found, Walked, directory_of, id_path};

/// An archive whose members are to be found.
#[derive(Debug)]
pub(super) struct Archive {
    pub kind: Kind,
    pub place: Place,
    pub relative: PathBuf,
    pub below: PathBuf,
    pub modified: Option<SystemTime>,
    pub globs: Option<Override>,
    pub root_name: String,
}

impl Archive {
    /// Walks its members as if it were a directory. An object is copied to a scratch file first.
    pub fn unpack(mut self, settings: &SourceSettings, out: &mut Walked) {
        if let Place::Object(object) = &self.place {
            match objects::copied(object, &settings.temp_dir) {
                Ok((place, scratch)) => {
                    out.scratch.push(scratch);
                    self.place = place;
                }
                Err(skipped) => return out.skipped.push(skipped),
            }
        }
        let source = id_path(&self.relative);
        let mut choose = |name: &Path| choose(name, &self.below, self.globs.as_ref(), &mut out.left_out);
        let listing = match archive::list(&self.place, &source, self.kind, settings, &mut choose) {
            Ok(listing) => listing,
            Err(skipped) => return out.skipped.push(skipped),
        };
        out.left_out.empty_archives += u64::from(!listing.has_files);
        out.skipped.extend(listing.skipped);
        let in_scratch = |scratch: &ScratchFile| match self.place.object() {
            // What is unpacked from an object is checked as that is.
            Some(object) => Place::Copy { path: scratch.path.clone(), of: object.clone() },
            None => Place::File(scratch.path.clone()),
        };
        let home = listing.scratch.as_ref().map_or_else(|| self.place.clone(), in_scratch);
        for member in listing.members {
            let (place, part) = match member.stand {
                Stand::Part(part) => (home.clone(), Some(part)),
                Stand::Copy(copy) => {
                    let place = in_scratch(&copy);
                    out.scratch.push(copy);
                    (place, None)
                }
            };
            out.files.push(Found {
                source: format!("{source}!{}", id_path(&member.name)),
                place,
                part,
                relative: self.relative.join(&member.name),
                directory: directory_of(&self.below.join(&member.name), &self.root_name),
                container: Some(member.container),
                bytes: member.bytes,
                modified: self.modified,
            });
        }
        out.scratch.extend(listing.scratch);
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
