//! Members of archives: which of them are read, and where each stands.
//!
//! Members of `.zip` and `.tar` files are read where they stand. Those of a packed `.tar` stand nowhere by themselves:
//! they are copied to a scratch file first, packed. A member's name never names a place outside of its archive.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use zip::CompressionMethod;

use crate::document::Skipped;
use crate::files::{Compression, FileError, Packing, Part, Place, READ_BYTES};
use crate::input::container::{Container, suffix};
use crate::input::stream::ScratchFile;
use crate::input::{SourceSettings, walk};

/// Bytes that the name of a file or directory may have.
const NAME_BYTES: usize = 255;

/// How an archive keeps its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Zip,
    Tar,
}

impl Kind {
    /// Returns what a file's name says.
    pub fn of_name(name: &str) -> Option<Kind> {
        let (compression, bare) = Compression::of_name(name);
        match (suffix(bare)?.to_ascii_lowercase().as_str(), compression) {
            ("zip", Compression::Plain) => Some(Kind::Zip),
            ("tar", _) | ("tgz" | "tbz2" | "txz" | "tzst", Compression::Plain) => Some(Kind::Tar),
            _ => None,
        }
    }
}

/// Returns the id path of the copy of a member of this id path, `a.zip/b.txt` for `a.zip!b.txt`; none if it is no member.
pub(crate) fn copy_of_member(source: &str) -> Option<String> {
    let ends = source.match_indices('!').map(|(at, _)| at);
    let is_archive = |at: &usize| Kind::of_name(source[..*at].rsplit('/').next().unwrap_or_default()).is_some();
    let at = ends.into_iter().find(is_archive)?;
    Some(format!("{}/{}", &source[..at], &source[at + 1..]))
}

/// A member that is read.
pub(super) struct Member {
    /// Its name, which leads nowhere but down.
    pub name: PathBuf,
    pub container: Container,
    /// Its length as packed.
    pub bytes: u64,
    pub stand: Stand,
}

/// Where a member stands.
pub(super) enum Stand {
    /// In the archive, or in the scratch file that stands for it.
    Part(Part),
    /// In a scratch file of its own.
    Copy(ScratchFile),
}

/// The members of an archive that are read.
#[derive(Default)]
pub(super) struct Listing {
    pub members: Vec<Member>,
    pub skipped: Vec<Skipped>,
    /// Whether it holds a file at all.
    pub has_files: bool,
    /// Where parts stand, if not in the archive itself.
    pub scratch: Option<ScratchFile>,
}

/// Says of a member by its name how it is read; none: it is left out.
pub(super) type Choose<'a> = dyn FnMut(&Path) -> Option<Container> + 'a;

/// Finds the members of an archive that are read.
///
/// # Errors
/// If it is no such archive.
pub(super) fn list(
    place: &Place,
    source: &str,
    kind: Kind,
    settings: &SourceSettings,
    choose: &mut Choose<'_>,
) -> Result<Listing, Skipped> {
    let mut list = List { source, settings, names: Names::default(), choose, listing: Listing::default() };
    match kind {
        Kind::Zip => list.zip(place)?,
        Kind::Tar => list.tar(place)?,
    }
    Ok(list.listing)
}

/// An archive being listed.
struct List<'a, 'c> {
    source: &'a str,
    settings: &'a SourceSettings,
    names: Names,
    choose: &'a mut Choose<'c>,
    listing: Listing,
}

impl List<'_, '_> {
    fn damaged(&self, what: &str, error: &dyn std::fmt::Display) -> Skipped {
        let hint = "fetch the archive again; the members before this are read";
        Skipped::whole(
            self.source.to_owned(),
            format!("expected {what}, found another file or a damaged one: {error}"),
            hint,
        )
    }

    /// Lists a member that is not read.
    fn skip(&mut self, name: &str, reason: &str, hint: &str) {
        // Names that would lead elsewhere, or hold what ends a line, are shown and never used.
        let name: String =
            name.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect();
        self.listing.skipped.push(Skipped::whole(format!("{}!{name}", self.source), reason, hint));
    }

    /// Says how a member is read, if it is.
    fn choose(&mut self, name: &[u8]) -> Option<(PathBuf, Container)> {
        self.listing.has_files = true;
        let shown = String::from_utf8_lossy(name).into_owned();
        let Some(path) = safe_name(name) else {
            let reason = "its name does not stay inside the archive, or cannot be the name of a file";
            self.skip(&shown, reason, "pack it again under another name");
            return None;
        };
        let container = (self.choose)(&path)?;
        if !self.names.take(&path) {
            let reason = "a member before it has the same name, or one that contradicts it";
            self.skip(&shown, reason, "pack it again under another name");
            return None;
        }
        Some((path, container))
    }

    /// Opens the file that the archive is; an object was copied to one.
    fn file(&self, place: &Place) -> Result<File, Skipped> {
        let file = match place {
            Place::File(path) | Place::Copy { path, .. } => File::open(path),
            Place::Object(_) => Err(io::ErrorKind::Unsupported.into()),
        };
        file.map_err(|error| walk::skipped_path(self.source.to_owned(), &error))
    }

    fn zip(&mut self, place: &Place) -> Result<(), Skipped> {
        let file = self.file(place)?;
        let mut archive =
            zip::ZipArchive::new(BufReader::new(file)).map_err(|error| self.damaged("a zip archive", &error))?;
        let mut ends = Vec::with_capacity(archive.len());
        for index in 0..archive.len() {
            let member = match archive.by_index_raw(index) {
                Ok(member) => member,
                Err(error) => {
                    self.listing.has_files = true;
                    let name = format!("member {}", index + 1);
                    self.skip(&name, &format!("it cannot be found: {error}"), "fetch the archive again");
                    continue;
                }
            };
            if !member.is_file() {
                continue;
            }
            let name = match member.name() {
                Ok(name) => name.into_owned(),
                Err(_) => String::from_utf8_lossy(member.name_raw()).into_owned(),
            };
            let Some((path, container)) = self.choose(name.as_bytes()) else { continue };
            let packing = match member.compression() {
                _ if member.encrypted() => Err("it is encrypted".to_owned()),
                CompressionMethod::STORE => Ok(Packing::Stored),
                CompressionMethod::DEFLATE => Ok(Packing::Deflated),
                CompressionMethod::ZSTD => Ok(Packing::Zstd),
                other => Err(format!("it is packed by a method that is not read: {other}")),
            };
            let stand = packing.and_then(|packing| {
                let offset = member.data_start().ok_or("it is not where the archive says")?;
                Ok((packing, offset))
            });
            let (packing, offset) = match stand {
                Ok(stand) => stand,
                Err(reason) => {
                    self.skip(&name, &reason, "unpack it first, or fetch the archive again");
                    continue;
                }
            };
            let part = Part { offset, bytes: member.compressed_size(), packing, checksum: Some(member.crc32()) };
            ends.push((part.offset, part.offset.saturating_add(part.bytes), self.listing.members.len()));
            self.listing.members.push(Member { name: path, container, bytes: part.bytes, stand: Stand::Part(part) });
        }
        self.without_overlaps(ends);
        self.copy_columns(place)
    }

    /// Leaves out members that share their bytes with one before them: so a small archive is made to hold far more than it
    /// has.
    fn without_overlaps(&mut self, mut places: Vec<(u64, u64, usize)>) {
        places.sort_unstable();
        let mut overlapping = HashSet::new();
        let mut last = 0;
        for (start, end, at) in places {
            if start < last && start < end {
                overlapping.insert(at);
            }
            last = last.max(end);
        }
        let mut at = 0;
        let mut names = Vec::new();
        self.listing.members.retain(|member| {
            at += 1;
            let stays = !overlapping.contains(&(at - 1));
            if !stays {
                names.push(member.name.clone());
            }
            stays
        });
        for name in names {
            let reason = "it shares its bytes with another member, as no honest archive has it";
            self.skip(&walk::id_path(&name), reason, "pack it again, or leave it out");
        }
    }

    /// Copies members that must be read back and forth.
    fn copy_columns(&mut self, archive: &Place) -> Result<(), Skipped> {
        for member in &mut self.listing.members {
            let Stand::Part(part) = &member.stand else { continue };
            if !member.container.has_columns() {
                continue;
            }
            let opened = archive.open_part(part, self.settings.memory_bytes).map_err(io_error);
            let copied = opened.and_then(|mut reader| ScratchFile::filled(&self.settings.temp_dir, &mut reader));
            let copied = copied.map_err(|error| unpacked_nowhere(self.source, &error))?;
            member.bytes = copied.bytes;
            member.stand = Stand::Copy(copied);
        }
        Ok(())
    }

    fn tar(&mut self, place: &Place) -> Result<(), Skipped> {
        let reader = place
            .open(self.settings.memory_bytes)
            .map_err(|error| walk::skipped_path(self.source.to_owned(), &io_error(error)))?;
        if reader.compression() == Compression::Plain {
            let file = self.file(place)?;
            // What lies between headers is read too: a seek would cost more than a short text.
            let file = BufReader::with_capacity(READ_BYTES, file);
            self.tar_members(tar::Archive::new(file), None)?;
            return self.copy_columns(place);
        }
        let (scratch, file) =
            ScratchFile::create(&self.settings.temp_dir).map_err(|error| unpacked_nowhere(self.source, &error))?;
        self.tar_members(tar::Archive::new(reader), Some(file))?;
        self.listing.scratch = Some(scratch);
        Ok(())
    }

    /// Takes the members of a `.tar` stream; into `scratch` if they stand nowhere by themselves.
    fn tar_members<R: Read>(&mut self, mut archive: tar::Archive<R>, mut scratch: Option<File>) -> Result<(), Skipped> {
        let mut written = 0;
        let entries = archive.entries().map_err(|error| self.damaged("a tar archive", &error))?;
        for entry in entries {
            let mut entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.listing.has_files = true;
                    let damaged = self.damaged("another member of a tar archive", &error);
                    self.listing.skipped.push(damaged);
                    break;
                }
            };
            // Links and devices hold nothing.
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let name = entry.path_bytes().into_owned();
            let Some((path, container)) = self.choose(&name) else { continue };
            let size = entry.size();
            let stand = match &mut scratch {
                None => Ok(Stand::Part(Part {
                    offset: entry.raw_file_position(),
                    bytes: size,
                    packing: Packing::Stored,
                    checksum: None,
                })),
                Some(_) if container.has_columns() => {
                    ScratchFile::filled(&self.settings.temp_dir, &mut entry).map(Stand::Copy)
                }
                Some(file) => pack(&mut entry, file, &mut written).map(|(part, torn)| {
                    if let Some(error) = torn {
                        let reason = format!("the archive is torn or damaged in it: {error}");
                        let hint = "fetch the archive again; what stands before the damage was read";
                        self.skip(&walk::id_path(&path), &reason, hint);
                    }
                    Stand::Part(part)
                }),
            };
            let stand = stand.map_err(|error| unpacked_nowhere(self.source, &error))?;
            let bytes = match &stand {
                Stand::Part(part) => part.bytes,
                Stand::Copy(copy) => copy.bytes,
            };
            self.listing.members.push(Member { name: path, container, bytes, stand });
        }
        Ok(())
    }
}

/// Adds a member to a scratch file, packed; of a torn one what comes, and what is wrong with the rest.
fn pack(member: &mut impl Read, file: &mut File, written: &mut u64) -> io::Result<(Part, Option<io::Error>)> {
    let mut counted = Counted { out: file, bytes: 0 };
    let mut encoder = zstd::Encoder::new(&mut counted, 1)?;
    let mut piece = vec![0; 64 << 10];
    let torn = loop {
        match member.read(&mut piece) {
            Ok(0) => break None,
            Ok(read) => encoder.write_all(&piece[..read])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Some(error),
        }
    };
    encoder.finish()?;
    let part = Part { offset: *written, bytes: counted.bytes, packing: Packing::Zstd, checksum: None };
    *written += counted.bytes;
    Ok((part, torn))
}

/// Counts what is written through it.
struct Counted<W> {
    out: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn unpacked_nowhere(source: &str, error: &io::Error) -> Skipped {
    let reason = format!("it could not be unpacked to scratch files: {error}");
    Skipped::whole(source.to_owned(), reason, "check the archive, and that `--temp-dir` has room")
}

fn io_error(error: FileError) -> io::Error {
    match error {
        FileError::Read { source, .. } | FileError::Write { source, .. } => source,
        other => io::Error::other(other.to_string()),
    }
}

/// Names of members that are read, so that each has a place of its own.
#[derive(Default)]
struct Names {
    // As they are written: they were put together of parts, and their parts need not be found again to compare them.
    files: HashSet<OsString>,
    directories: HashSet<OsString>,
}

impl Names {
    /// Takes a name, unless a file or directory of that name would stand in its way.
    fn take(&mut self, name: &Path) -> bool {
        let above = || name.ancestors().skip(1).map(Path::as_os_str).filter(|above| !above.is_empty());
        if self.directories.contains(name.as_os_str()) || above().any(|above| self.files.contains(above)) {
            return false;
        }
        for above in above() {
            // Those above it came with it.
            if !self.directories.insert(above.to_owned()) {
                break;
            }
        }
        self.files.insert(name.into())
    }
}

/// Returns a member's name as a path that leads down alone; none if it would not.
fn safe_name(name: &[u8]) -> Option<PathBuf> {
    let is_root = matches!(name.first(), Some(b'/' | b'\\'));
    let is_drive = name.len() > 1 && name[1] == b':' && name[0].is_ascii_alphabetic();
    if is_root || is_drive || name.iter().any(|byte| byte.is_ascii_control()) {
        return None;
    }
    let mut path = PathBuf::new();
    for part in name.split(|byte| matches!(byte, b'/' | b'\\')) {
        match part {
            b"" | b"." => {}
            b".." => return None,
            _ if part.len() > NAME_BYTES => return None,
            _ => path.push(name_of(part)),
        }
    }
    (!path.as_os_str().is_empty()).then_some(path)
}

#[cfg(unix)]
fn name_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
fn name_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_down_or_nowhere() {
        let safe = |name: &str| safe_name(name.as_bytes()).map(|path| walk::id_path(&path));
        assert_eq!(safe("a/./b//c.txt").as_deref(), Some("a/b/c.txt"));
        assert_eq!(safe("a\\b.txt").as_deref(), Some("a/b.txt"));
        for name in
            ["../x.txt", "a/../../x.txt", "/etc/x.txt", "\\x.txt", "C:\\x.txt", "a\0.txt", "a\n.txt", "", "./", ".."]
        {
            assert_eq!(safe(name), None, "{name}");
        }
        assert_eq!(safe(&"x".repeat(256)), None);
    }

    #[test]
    fn no_member_stands_in_the_way_of_another() {
        let mut names = Names::default();
        let mut take = |name: &str| names.take(Path::new(name));
        assert!(take("a/b.txt") && take("a/c.txt"));
        assert!(!take("a/b.txt") && !take("a") && !take("a/b.txt/d.txt"));
    }

    #[test]
    fn archives_and_their_members_are_known_by_their_names() {
        let kinds = ["a.zip", "a.ZIP", "a.tar", "a.tar.gz", "a.tar.zst", "a.tgz", "a.zip.gz", "a.txt", "zip"];
        let (zip, tar) = (Some(Kind::Zip), Some(Kind::Tar));
        assert_eq!(kinds.map(Kind::of_name), [zip, zip, tar, tar, tar, tar, None, None, None]);
        assert_eq!(copy_of_member("x/a.tar.gz!b/c!.txt").as_deref(), Some("x/a.tar.gz/b/c!.txt"));
        assert_eq!(copy_of_member("wow!/a.zip!b.txt").as_deref(), Some("wow!/a.zip/b.txt"));
        assert_eq!(copy_of_member("wow!.txt"), None);
    }
}
