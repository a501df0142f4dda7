//! Evidence that stays: what a corpus taught about its blocks, kept in a file and looked up later.
//!
//! With it a page is judged as the corpus was: its cleaned text depends on the page, this file and the version of the
//! program alone, and not on what else is read tonight. Knows fingerprints and counts, no texts: nothing of what the
//! corpus says can be read back.
//!
//! # Format
//!
//! | part | holds |
//! |---|---|
//! | head | `rtev`, version (`u16`) |
//! | chunks of sites | every site in order of name: length and bytes of the name, documents, near-duplicate clusters |
//! | chunks of blocks | every block and template that two documents or more hold, in order of the fingerprint: its distance to the one before, documents − 2, sites − 1, clusters − 1, and the sites that hold it in two documents or more: distance of their number, documents − 2, clusters − 1 |
//! | foot | what the file was made with and counts (JSON, its length first); of every chunk its first fingerprint, its place, its length, and a hash of it |
//! | tail | place and hash of the foot, `rtev` |
//!
//! Numbers in chunks are LEB128, all others little endian. A chunk is a Zstandard frame of up to 4,096 entries, so
//! that few are unpacked for few pages. A site that holds a block once is left out: its count is known. Measured on 1,637
//! pages of 973 sites: 10.5 bytes for each of 23,130 blocks and templates, sites and foot included; most of it is the
//! distance of the fingerprints, which shrinks by a bit when the blocks double.
//!
//! Writing holds one chunk and the foot (28 bytes for each of them); reading holds the foot, and a chunk a cursor.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::boilerplate::{Fingerprints, Repetition, data_versions};
use crate::hash::hash64;

const MAGIC: &[u8; 4] = b"rtev";
/// Version of the format, and of the fingerprints: of normal form, words and templates.
const VERSION: u16 = 2;
/// Entries of a chunk.
const CHUNK: usize = 4096;
/// Bytes of the tail: place and hash of the foot, magic.
const TAIL: usize = 8 + 8 + MAGIC.len();
/// The data that fingerprints depend on: names of months make templates.
const NEEDED: [&str; 2] = ["cues", "small_words"];

/// Saved evidence cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// Reading failed.
    #[error("`{}`: evidence could not be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Writing failed.
    #[error("evidence could not be written")]
    Write {
        /// Why.
        source: io::Error,
    },
    /// The file is something else.
    #[error("`{}`: expected saved evidence, found something else", path.display())]
    NotEvidence {
        /// The file.
        path: PathBuf,
    },
    /// Another version of the format.
    #[error("`{}`: expected evidence of version {VERSION}, found version {found}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// The version found.
        found: u16,
    },
    /// Fingerprints were made with other word lists.
    #[error("`{}`: expected evidence made with {name} {expected}, found {found}", path.display())]
    Data {
        /// The file.
        path: PathBuf,
        /// Which list.
        name: &'static str,
        /// Its version in this program.
        expected: String,
        /// Its version in the file.
        found: String,
    },
    /// Bytes are missing or are not what was written.
    #[error("`{}`: the evidence is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

impl EvidenceError {
    /// Returns what to do about it.
    pub fn hint(&self) -> String {
        match self {
            EvidenceError::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "check the spelling of the path".to_owned()
            }
            EvidenceError::Read { .. } => "check that the file can be read".to_owned(),
            EvidenceError::Write { .. } => "make room there, or choose another place".to_owned(),
            EvidenceError::NotEvidence { .. } => "name a file that `retold scan --save-evidence FILE` wrote".to_owned(),
            EvidenceError::Version { .. } | EvidenceError::Data { .. } | EvidenceError::Damaged { .. } => {
                "save it again: `retold scan --save-evidence FILE` on the pages that it is of".to_owned()
            }
        }
    }
}

/// What the foot says of the whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct About {
    program: String,
    data_versions: Vec<(String, String)>,
    documents: u64,
    sites: u64,
    blocks: u64,
}

/// Where a chunk lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Chunk {
    first: u64,
    at: u64,
    len: u32,
    hash: u64,
}

/// Counts of a block or template on one site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnSite {
    /// Number of the site, by the order of names.
    pub site: u32,
    /// Documents of the site that hold it, two or more.
    pub documents: u32,
    /// Near-duplicate clusters among them.
    pub clusters: u32,
}

/// Writes evidence: first the sites, then the blocks, each in order.
#[derive(Debug)]
pub struct EvidenceWriter<W> {
    out: W,
    at: u64,
    about: About,
    site_chunks: Vec<Chunk>,
    chunks: Vec<Chunk>,
    buffer: Vec<u8>,
    entries: usize,
    /// The first and the last fingerprint of the chunk that is being filled.
    first: u64,
    last: u64,
}

impl<W: Write> EvidenceWriter<W> {
    /// Begins with the sites: name, documents and clusters of each, in order of name. Documents without a site are those of
    /// the site without a name.
    ///
    /// # Errors
    /// If `out` cannot be written to.
    pub fn new<'s>(
        mut out: W,
        documents: u64,
        sites: impl Iterator<Item = (&'s str, u32, u32)>,
    ) -> Result<EvidenceWriter<W>, EvidenceError> {
        out.write_all(MAGIC).and_then(|()| out.write_all(&VERSION.to_le_bytes())).map_err(failed)?;
        let about = About {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            data_versions: data_versions(),
            documents,
            sites: 0,
            blocks: 0,
        };
        let mut writer = EvidenceWriter {
            out,
            at: (MAGIC.len() + size_of::<u16>()) as u64,
            about,
            site_chunks: Vec::new(),
            chunks: Vec::new(),
            buffer: Vec::new(),
            entries: 0,
            first: 0,
            last: 0,
        };
        for (name, documents, clusters) in sites {
            put(&mut writer.buffer, name.len() as u64);
            writer.buffer.extend_from_slice(name.as_bytes());
            put(&mut writer.buffer, u64::from(documents));
            put(&mut writer.buffer, u64::from(clusters));
            writer.about.sites += 1;
            writer.entries += 1;
            if writer.entries == CHUNK {
                let chunk = writer.pack()?;
                writer.site_chunks.push(chunk);
            }
        }
        if writer.entries > 0 {
            let chunk = writer.pack()?;
            writer.site_chunks.push(chunk);
        }
        Ok(writer)
    }

    /// Adds a block or template that `documents` hold, two or more; blocks come in ascending order of `fingerprint`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn block(
        &mut self,
        fingerprint: u64,
        documents: u32,
        sites: u32,
        clusters: u32,
        on_sites: &[OnSite],
    ) -> Result<(), EvidenceError> {
        if self.entries == 0 {
            self.first = fingerprint;
            self.last = fingerprint;
        }
        let buffer = &mut self.buffer;
        put(buffer, fingerprint - self.last);
        self.last = fingerprint;
        put(buffer, u64::from(documents.saturating_sub(2)));
        put(buffer, u64::from(sites.saturating_sub(1)));
        put(buffer, u64::from(clusters.saturating_sub(1)));
        put(buffer, on_sites.len() as u64);
        let mut before = 0;
        for on in on_sites {
            put(buffer, u64::from(on.site - before));
            before = on.site;
            put(buffer, u64::from(on.documents.saturating_sub(2)));
            put(buffer, u64::from(on.clusters.saturating_sub(1)));
        }
        self.about.blocks += 1;
        self.entries += 1;
        if self.entries == CHUNK {
            let chunk = self.pack()?;
            self.chunks.push(chunk);
        }
        Ok(())
    }

    /// Ends the file and gives `out` back.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(mut self) -> Result<W, EvidenceError> {
        if self.entries > 0 {
            let chunk = self.pack()?;
            self.chunks.push(chunk);
        }
        let about = serde_json::to_vec(&self.about).expect("counts and names are JSON");
        let mut foot = (about.len() as u32).to_le_bytes().to_vec();
        foot.extend_from_slice(&about);
        for chunks in [&self.site_chunks, &self.chunks] {
            foot.extend_from_slice(&(chunks.len() as u32).to_le_bytes());
            for chunk in chunks {
                foot.extend_from_slice(&chunk.first.to_le_bytes());
                foot.extend_from_slice(&chunk.at.to_le_bytes());
                foot.extend_from_slice(&chunk.len.to_le_bytes());
                foot.extend_from_slice(&chunk.hash.to_le_bytes());
            }
        }
        let hash = hash64(&foot);
        foot.extend_from_slice(&self.at.to_le_bytes());
        foot.extend_from_slice(&hash.to_le_bytes());
        foot.extend_from_slice(MAGIC);
        self.out.write_all(&foot).map_err(failed)?;
        self.out.flush().map_err(failed)?;
        Ok(self.out)
    }

    fn pack(&mut self) -> Result<Chunk, EvidenceError> {
        let packed = zstd::bulk::compress(&self.buffer, zstd::DEFAULT_COMPRESSION_LEVEL).map_err(failed)?;
        self.out.write_all(&packed).map_err(failed)?;
        let len = u32::try_from(packed.len()).map_err(|_| failed(io::Error::other("a chunk of more than 4 GiB")))?;
        let chunk = Chunk { first: self.first, at: self.at, len, hash: hash64(&packed) };
        self.at += u64::from(len);
        self.buffer.clear();
        self.entries = 0;
        Ok(chunk)
    }
}

fn failed(source: io::Error) -> EvidenceError {
    EvidenceError::Write { source }
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes a number off the front; none when the bytes end early.
fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// The same for a count, which is stored less `base`.
fn take_count(bytes: &mut &[u8], base: u32) -> Option<u32> {
    u32::try_from(take(bytes)?).ok()?.checked_add(base)
}

/// Saved evidence, opened: its foot in memory. Cloning is cheap; two are equal when their files say the same.
#[derive(Clone)]
pub struct SavedEvidence {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    about: About,
    site_chunks: Vec<Chunk>,
    chunks: Vec<Chunk>,
    digest: u64,
}

impl PartialEq for SavedEvidence {
    fn eq(&self, other: &SavedEvidence) -> bool {
        self.inner.digest == other.inner.digest
    }
}

impl fmt::Debug for SavedEvidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SavedEvidence({:016x})", self.inner.digest)
    }
}

impl SavedEvidence {
    /// Opens a file that [`EvidenceWriter`] wrote, and checks what it was made with.
    ///
    /// # Errors
    /// If it cannot be read, is something else, of another version, made with other word lists, or damaged.
    pub fn open(path: &Path) -> Result<SavedEvidence, EvidenceError> {
        let read = |source| EvidenceError::Read { path: path.to_owned(), source };
        let damaged = || EvidenceError::Damaged { path: path.to_owned() };
        let mut file = File::open(path).map_err(read)?;
        let len = file.metadata().map_err(read)?.len();
        let mut head = [0; MAGIC.len() + size_of::<u16>()];
        match file.read_exact(&mut head) {
            Ok(()) if head[..4] == *MAGIC => {}
            Ok(()) => return Err(EvidenceError::NotEvidence { path: path.to_owned() }),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(EvidenceError::NotEvidence { path: path.to_owned() });
            }
            Err(error) => return Err(read(error)),
        }
        let version = u16::from_le_bytes([head[4], head[5]]);
        if version != VERSION {
            return Err(EvidenceError::Version { path: path.to_owned(), found: version });
        }
        if len < (head.len() + TAIL) as u64 {
            return Err(damaged());
        }
        let mut tail = [0; TAIL];
        file.seek(SeekFrom::End(-(TAIL as i64))).and_then(|_| file.read_exact(&mut tail)).map_err(read)?;
        let word = |at: usize| u64::from_le_bytes(tail[at..at + 8].try_into().expect("eight bytes"));
        let (start, digest) = (word(0), word(8));
        let foot_len = (len - TAIL as u64).checked_sub(start).ok_or_else(damaged)?;
        if tail[16..] != *MAGIC {
            return Err(damaged());
        }
        let mut foot = vec![0; usize::try_from(foot_len).map_err(|_| damaged())?];
        file.seek(SeekFrom::Start(start)).and_then(|_| file.read_exact(&mut foot)).map_err(read)?;
        if hash64(&foot) != digest {
            return Err(damaged());
        }
        let (about, site_chunks, chunks) = parse_foot(&foot).ok_or_else(damaged)?;
        let ours = data_versions();
        for name in NEEDED {
            let of = |versions: &[(String, String)]| {
                versions.iter().find(|(other, _)| other == name).map(|(_, version)| version.clone()).unwrap_or_default()
            };
            let (expected, found) = (of(&ours), of(&about.data_versions));
            if expected != found {
                return Err(EvidenceError::Data { path: path.to_owned(), name, expected, found });
            }
        }
        let inner = Inner { path: path.to_owned(), about, site_chunks, chunks, digest };
        Ok(SavedEvidence { inner: Arc::new(inner) })
    }

    /// Returns a version of the evidence: 16 digits of a hash of all it says.
    pub fn version(&self) -> String {
        format!("{:016x}", self.inner.digest)
    }

    /// Returns the documents that it was counted over.
    pub fn documents(&self) -> u64 {
        self.inner.about.documents
    }

    /// Returns the sites that it was counted over.
    pub fn sites(&self) -> u64 {
        self.inner.about.sites
    }

    /// Returns how many blocks and templates it knows.
    pub fn blocks(&self) -> u64 {
        self.inner.about.blocks
    }

    /// Gives every site in order of name: number, name, documents, clusters.
    ///
    /// # Errors
    /// If the file cannot be read, or is not what it was.
    pub fn for_each_site(&self, mut visit: impl FnMut(u32, &str, u32, u32)) -> Result<(), EvidenceError> {
        let mut chunks = self.chunks_of(&self.inner.site_chunks)?;
        let mut number = 0;
        for at in 0..self.inner.site_chunks.len() {
            chunks.load(at)?;
            let mut rest = &chunks.bytes[..];
            while !rest.is_empty() {
                let mut next = || {
                    let len = usize::try_from(take(&mut rest)?).ok()?;
                    let (name, after) = rest.split_at_checked(len)?;
                    rest = after;
                    Some((std::str::from_utf8(name).ok()?, take_count(&mut rest, 0)?, take_count(&mut rest, 0)?))
                };
                let (name, documents, clusters) = next().ok_or_else(|| self.damaged())?;
                visit(number, name, documents, clusters);
                number += 1;
            }
        }
        Ok(())
    }

    /// Returns a reader of blocks, for fingerprints in ascending order: no chunk is unpacked twice. Several can read at once.
    ///
    /// # Errors
    /// If the file cannot be opened any more.
    pub fn cursor(&self) -> Result<Cursor<'_>, EvidenceError> {
        Ok(Cursor { chunks: self.chunks_of(&self.inner.chunks)?, entries: Vec::new(), on_sites: Vec::new() })
    }

    /// Returns what is known of one page: of each of its blocks the counts, and those of its site.
    ///
    /// # Errors
    /// If the file cannot be read, or is not what it was.
    pub fn of_page(&self, site: Option<&str>, blocks: &[Fingerprints]) -> Result<PageEvidence, EvidenceError> {
        let mut number = None;
        let mut page = PageEvidence { blocks: vec![Repetition::default(); blocks.len()], ..PageEvidence::default() };
        if site.is_some() {
            (page.site_documents, page.site_clusters) = (1, 1);
        }
        self.for_each_site(|found, name, documents, clusters| {
            if name == site.unwrap_or_default() {
                number = Some(found);
                if site.is_some() {
                    (page.site_documents, page.site_clusters) = (documents, clusters);
                }
            }
        })?;
        let mut prints: Vec<(u64, usize, bool)> = Vec::new();
        for (at, block) in blocks.iter().enumerate() {
            prints.push((block.exact, at, false));
            prints.extend(block.template.map(|template| (template, at, true)));
        }
        prints.sort_unstable();
        let mut cursor = self.cursor()?;
        for (print, at, near) in prints {
            if let Some(found) = cursor.find(print)? {
                let [documents, sites, clusters, site_documents, site_clusters] = found.counts(number);
                page.blocks[at].or_more(Repetition { documents, sites, clusters, site_documents, site_clusters, near });
            }
        }
        Ok(page)
    }

    fn chunks_of<'e>(&'e self, list: &'e [Chunk]) -> Result<Chunks<'e>, EvidenceError> {
        let path = &self.inner.path;
        let file = File::open(path).map_err(|source| EvidenceError::Read { path: path.clone(), source })?;
        Ok(Chunks { evidence: self, list, file, loaded: None, packed: Vec::new(), bytes: Vec::new() })
    }

    fn damaged(&self) -> EvidenceError {
        EvidenceError::Damaged { path: self.inner.path.clone() }
    }
}

fn parse_foot(foot: &[u8]) -> Option<(About, Vec<Chunk>, Vec<Chunk>)> {
    let (len, rest) = foot.split_first_chunk()?;
    let (about, mut rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
    let about = serde_json::from_slice(about).ok()?;
    let mut lists = [Vec::new(), Vec::new()];
    for list in &mut lists {
        let (count, after) = rest.split_first_chunk()?;
        rest = after;
        for _ in 0..u32::from_le_bytes(*count) {
            let (chunk, after) = rest.split_first_chunk::<28>()?;
            rest = after;
            let word = |at: usize| u64::from_le_bytes(chunk[at..at + 8].try_into().expect("eight bytes"));
            let len = u32::from_le_bytes(chunk[16..20].try_into().expect("four bytes"));
            list.push(Chunk { first: word(0), at: word(8), len, hash: word(20) });
        }
    }
    let [site_chunks, chunks] = lists;
    rest.is_empty().then_some((about, site_chunks, chunks))
}

/// What saved evidence knows of one page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageEvidence {
    /// Counts of every block.
    pub blocks: Vec<Repetition>,
    /// Documents of the page's site; 0 when it has none.
    pub site_documents: u32,
    /// Near-duplicate clusters among those.
    pub site_clusters: u32,
}

/// Unpacks chunks one at a time.
#[derive(Debug)]
struct Chunks<'e> {
    evidence: &'e SavedEvidence,
    list: &'e [Chunk],
    file: File,
    loaded: Option<usize>,
    packed: Vec<u8>,
    bytes: Vec<u8>,
}

/// Bytes that a chunk may unpack to: far more than 4,096 entries take, unless a damaged file asks for it.
const UNPACKED: u64 = 1 << 30;

impl Chunks<'_> {
    /// Makes `bytes` those of a chunk.
    fn load(&mut self, at: usize) -> Result<(), EvidenceError> {
        let chunk = self.list[at];
        let path = &self.evidence.inner.path;
        self.packed.resize(chunk.len as usize, 0);
        self.file
            .seek(SeekFrom::Start(chunk.at))
            .and_then(|_| self.file.read_exact(&mut self.packed))
            .map_err(|source| EvidenceError::Read { path: path.clone(), source })?;
        if hash64(&self.packed) != chunk.hash {
            return Err(self.evidence.damaged());
        }
        self.bytes.clear();
        let decoder = zstd::Decoder::with_buffer(&self.packed[..]);
        let unpacked = decoder.and_then(|decoder| decoder.take(UNPACKED).read_to_end(&mut self.bytes));
        unpacked.map_err(|_| self.evidence.damaged())?;
        self.loaded = Some(at);
        Ok(())
    }
}

/// Looks fingerprints up.
#[derive(Debug)]
pub struct Cursor<'e> {
    chunks: Chunks<'e>,
    entries: Vec<Entry>,
    on_sites: Vec<OnSite>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    fingerprint: u64,
    counts: [u32; 3],
    /// Where its sites begin in the list of all, and how many they are.
    sites: (u32, u32),
}

impl Cursor<'_> {
    /// Returns what is known of a block, if two documents of the corpus held it.
    ///
    /// # Errors
    /// If the file cannot be read, or is not what it was.
    pub fn find(&mut self, fingerprint: u64) -> Result<Option<Found<'_>>, EvidenceError> {
        let after = self.chunks.list.partition_point(|chunk| chunk.first <= fingerprint);
        let Some(at) = after.checked_sub(1) else { return Ok(None) };
        if self.chunks.loaded != Some(at) {
            self.chunks.load(at)?;
            self.parse(at).ok_or_else(|| self.chunks.evidence.damaged())?;
        }
        let Ok(found) = self.entries.binary_search_by_key(&fingerprint, |entry| entry.fingerprint) else {
            return Ok(None);
        };
        let entry = self.entries[found];
        let (start, len) = (entry.sites.0 as usize, entry.sites.1 as usize);
        Ok(Some(Found { counts: entry.counts, on_sites: &self.on_sites[start..start + len] }))
    }

    fn parse(&mut self, at: usize) -> Option<()> {
        self.entries.clear();
        self.on_sites.clear();
        let mut rest = &self.chunks.bytes[..];
        let mut fingerprint = self.chunks.list[at].first;
        while !rest.is_empty() {
            fingerprint = fingerprint.checked_add(take(&mut rest)?)?;
            let counts = [take_count(&mut rest, 2)?, take_count(&mut rest, 1)?, take_count(&mut rest, 1)?];
            let count = take_count(&mut rest, 0)?;
            let start = u32::try_from(self.on_sites.len()).ok()?;
            let mut site = 0;
            for _ in 0..count {
                site = take_count(&mut rest, site)?;
                let (documents, clusters) = (take_count(&mut rest, 2)?, take_count(&mut rest, 1)?);
                self.on_sites.push(OnSite { site, documents, clusters });
            }
            self.entries.push(Entry { fingerprint, counts, sites: (start, count) });
        }
        Some(())
    }
}

/// What is known of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'c> {
    counts: [u32; 3],
    on_sites: &'c [OnSite],
}

impl Found<'_> {
    /// Returns the counts for a page of the site with this number: documents, sites, clusters, and its site's documents and
    /// clusters. The page itself is taken to be one of those counted, as it was when its corpus was judged.
    pub fn counts(&self, site: Option<u32>) -> [u32; 5] {
        let [documents, sites, clusters] = self.counts;
        let own = site.and_then(|site| self.on_sites.binary_search_by_key(&site, |on| on.site).ok());
        let (own_documents, own_clusters) = own.map_or((1, 1), |at| {
            let on = self.on_sites[at];
            (on.documents, on.clusters)
        });
        [documents, sites, clusters, own_documents, own_clusters]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Block = (u64, [u32; 3], Vec<OnSite>);

    fn written(sites: &[(&str, u32, u32)], blocks: &[Block]) -> Vec<u8> {
        let mut writer = EvidenceWriter::new(Vec::new(), 7, sites.iter().copied()).unwrap();
        for (fingerprint, [documents, sites, clusters], on_sites) in blocks {
            writer.block(*fingerprint, *documents, *sites, *clusters, on_sites).unwrap();
        }
        writer.finish().unwrap()
    }

    fn opened(bytes: &[u8]) -> (tempfile::TempDir, Result<SavedEvidence, EvidenceError>) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("evidence");
        std::fs::write(&path, bytes).unwrap();
        let opened = SavedEvidence::open(&path);
        (directory, opened)
    }

    #[test]
    fn what_was_counted_is_found_again() {
        let on = |site, documents, clusters| OnSite { site, documents, clusters };
        let sites = [("", 3, 3), ("a.example", 9, 8), ("b.example", 1, 1)];
        let blocks = [(5, [12, 3, 9], vec![on(0, 2, 2), on(1, 9, 6)]), (u64::MAX, [2, 2, 1], vec![])];
        let (_directory, evidence) = opened(&written(&sites, &blocks));
        let evidence = evidence.unwrap();
        assert_eq!((evidence.documents(), evidence.sites(), evidence.blocks()), (7, 3, 2));
        let mut seen = Vec::new();
        evidence
            .for_each_site(|number, name, documents, clusters| {
                seen.push((number, name.to_owned(), documents, clusters))
            })
            .unwrap();
        assert_eq!(seen[1], (1, "a.example".to_owned(), 9, 8));
        let mut cursor = evidence.cursor().unwrap();
        assert_eq!(cursor.find(4).unwrap(), None);
        assert_eq!(cursor.find(5).unwrap().unwrap().counts(Some(1)), [12, 3, 9, 9, 6]);
        assert_eq!(cursor.find(5).unwrap().unwrap().counts(Some(2)), [12, 3, 9, 1, 1]);
        assert_eq!(cursor.find(6).unwrap(), None);
        assert_eq!(cursor.find(u64::MAX).unwrap().unwrap().counts(None), [2, 2, 1, 1, 1]);
        let prints = [Fingerprints { exact: 1, template: Some(5) }, Fingerprints { exact: 1, template: None }];
        let page = evidence.of_page(Some("a.example"), &prints).unwrap();
        assert_eq!((page.site_documents, page.site_clusters), (9, 8));
        assert_eq!((page.blocks[0].site_clusters, page.blocks[0].near), (6, true));
        assert_eq!(page.blocks[1], Repetition::default());
    }

    #[test]
    fn a_file_that_is_torn_or_changed_is_refused() {
        let blocks: Vec<Block> = (0..9000).map(|at| (at * at * 1_000_003, [2, 1, 2], Vec::new())).collect();
        let bytes = written(&[("", 0, 0)], &blocks);
        assert!(matches!(opened(b"{}").1, Err(EvidenceError::NotEvidence { .. })));
        assert!(matches!(opened(b"{\"id\": 1}").1, Err(EvidenceError::NotEvidence { .. })));
        let mut newer = bytes.clone();
        newer[4] = 9;
        assert!(matches!(opened(&newer).1, Err(EvidenceError::Version { found: 9, .. })));
        for cut in (6..bytes.len()).step_by(997) {
            assert!(matches!(opened(&bytes[..cut]).1, Err(EvidenceError::Damaged { .. })), "{cut} bytes");
        }
        let mut changed = bytes;
        changed[200] ^= 1;
        let (_directory, evidence) = opened(&changed);
        let evidence = evidence.expect("the foot is whole");
        let mut cursor = evidence.cursor().unwrap();
        assert!(matches!(cursor.find(4_000_012), Err(EvidenceError::Damaged { .. })));
    }

    #[test]
    fn evidence_made_with_other_word_lists_is_refused() {
        let bytes = written(&[], &[]);
        let list = &data_versions()[1].1;
        let at = bytes.windows(list.len()).position(|part| part == list.as_bytes()).unwrap();
        let mut other = bytes.clone();
        other[at..at + list.len()].copy_from_slice(b"00000000");
        let foot = bytes.len() - TAIL;
        let start = u64::from_le_bytes(bytes[foot..foot + 8].try_into().unwrap()) as usize;
        let hash = hash64(&other[start..foot]);
        other[foot + 8..foot + 16].copy_from_slice(&hash.to_le_bytes());
        let error = opened(&other).1.unwrap_err();
        assert!(error.to_string().contains("made with cues"), "{error}");
        assert!(error.hint().contains("save it again"));
    }

    proptest! {
        #[test]
        fn numbers_come_back(values in proptest::collection::vec(any::<u64>(), 0..20)) {
            let mut bytes = Vec::new();
            values.iter().for_each(|value| put(&mut bytes, *value));
            let mut rest = &bytes[..];
            let read: Vec<u64> = values.iter().map(|_| take(&mut rest).unwrap()).collect();
            prop_assert_eq!(read, values);
            prop_assert!(rest.is_empty());
        }
    }
}
