//! Files, as a source of documents.

use std::collections::{HashSet, VecDeque};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::document::{Skipped, SourceError};
use crate::files::Place;
use crate::input::buffers::Buffers;
use crate::input::fields::Fields;
use crate::input::limits::Limits;
use crate::input::metadata::Metadata;
use crate::input::pass::{Cuts, Mark, Open, add_digest, zeros};
use crate::input::stream::{STANDARD_INPUT, ScratchFile, is_stream, stream_name};
use crate::input::text::{self, TextFile};
use crate::input::{Container, Fetch, HeldTable, InputFile, ReadError, Sample, SourceSettings};
use crate::input::{chunk, chunks, container, held, rows, site, walk};
use crate::remote::{Begun, Object, Remote, RemoteSettings};

/// What batches need of their source, which they may outlive.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(super) files: Vec<InputFile>,
    pub(super) fields: Fields,
    limits: Limits,
    pub(super) sample: Option<Sample>,
    pub(super) limit: Option<u64>,
    remote: Remote,
    pub(super) buffers: Buffers,
}

impl Shared {
    fn new(files: Vec<InputFile>, settings: &SourceSettings, remote: Remote) -> Shared {
        let names = [
            &settings.text_field,
            &settings.id_field,
            &settings.url_field,
            &settings.site_field,
            &settings.title_field,
            &settings.date_field,
        ];
        Shared {
            files,
            fields: Fields::new(names.map(Option::as_deref)).with_within(settings.within_field.as_deref()),
            limits: Limits::new(settings),
            sample: settings.sample,
            limit: settings.limit,
            remote,
            buffers: Buffers::default(),
        }
    }

    /// Begins to cut the file of this number, if there is one.
    pub(super) fn open(&self, file: usize) -> Option<Result<Open<'_>, Skipped>> {
        let file = self.files.get(file)?;
        if let Some(table) = &file.held {
            let rows = held::Rows::open(file, table, &self.fields, &self.limits);
            return Some(rows.map(|rows| Open::Held(Box::new(rows))));
        }
        Some(match file.container {
            container if container.has_columns() => rows::open(file, &self.fields, &self.limits).map(Open::Rows),
            _ => chunks::Chunks::open(file, &self.fields, &self.limits, &self.buffers)
                .map(|chunks| Open::Chunks(Box::new(chunks))),
        })
    }

    pub(super) fn failure(&self) -> Option<SourceError> {
        self.remote.failure().map(|error| {
            let message = error.to_string();
            SourceError { message, hint: Some(error.hint), cause: None }
        })
    }

    /// Reads the text files of these numbers, in order, noting their digests; objects among them come side by side.
    pub(super) fn read_texts<'a>(
        &'a self,
        numbers: Range<usize>,
        digests: &'a [AtomicU64],
    ) -> impl Iterator<Item = (usize, Result<TextFile, Skipped>)> + 'a {
        let files = &self.files[numbers.clone()];
        let objects = files.iter().filter_map(|file| match (&file.place, &file.part) {
            (Place::Object(object), None) => Some(object),
            _ => None,
        });
        let begun: Vec<Begun> = objects.map(Object::begin).collect();
        numbers.zip(text::read_all(files, &self.limits)).map(move |(number, read)| {
            let _held = &begun;
            let read = read.map(|mut read| {
                read.digest = add_digest(&digests[number], &read.bytes, 0);
                read
            });
            (number, read)
        })
    }
}

/// Files as a source of documents, in the order of the bytes of their id paths, whatever the order of arguments.
///
/// Every pass reads the files again. Standard input is copied to a scratch file first, which goes with the source.
#[derive(Debug)]
pub struct Source {
    pub(super) shared: Arc<Shared>,
    skipped: Vec<Skipped>,
    told: Vec<String>,
    /// A digest of every file, as the last pass that was begun has read it so far.
    digests: Mutex<Arc<[AtomicU64]>>,
    _scratch: Vec<ScratchFile>,
}

impl Source {
    /// Finds the files of `paths`: files, directories, patterns such as `crawl/*.jsonl.gz`, addresses of objects, and `-`
    /// for standard input.
    ///
    /// Reads directories, `.retoldignore` files, the metadata table and standard input, but no file's documents.
    ///
    /// # Errors
    /// If there is nothing to read at all, or if a setting cannot be used. One bad path among others is no error
    /// ([`Source::skipped`]).
    pub fn open(paths: &[PathBuf], settings: &SourceSettings) -> Result<Source, ReadError> {
        Source::open_telling(paths, settings, &mut |_| {})
    }

    /// As [`Source::open`]; `tell` hears what will be fetched from object stores, if anything will, before that begins.
    ///
    /// # Errors
    /// As [`Source::open`].
    pub fn open_telling(
        paths: &[PathBuf],
        settings: &SourceSettings,
        tell: &mut dyn FnMut(&Fetch),
    ) -> Result<Source, ReadError> {
        if paths.is_empty() {
            return Err(ReadError::NoInput);
        }
        let metadata = settings.metadata.as_deref().map(|path| {
            let names = [&settings.url_field, &settings.site_field, &settings.title_field, &settings.date_field];
            Metadata::read(path, names.map(Option::as_deref))
        });
        let metadata = metadata.transpose()?;
        let (streams, named): (Vec<&PathBuf>, Vec<&PathBuf>) = paths.iter().partition(|path| is_stream(path));
        let named: Vec<PathBuf> = named.into_iter().cloned().collect();
        let remote = Remote::open(&settings.remote)?;
        let mut walked = walk::walk(&named, settings, paths.len() > 1, &remote, tell)?;
        let mut scratch = std::mem::take(&mut walked.scratch);
        let mut copied = HashSet::new();
        for (number, path) in streams.into_iter().enumerate() {
            let copy =
                ScratchFile::copy_of(path, &settings.temp_dir).map_err(|source| ReadError::StandardInput { source })?;
            let name = if number == 0 { STANDARD_INPUT.to_owned() } else { format!("{STANDARD_INPUT}{}", number + 1) };
            copied.insert(copy.path.clone());
            walked.files.push(walk::Found {
                source: name.clone(),
                place: Place::File(copy.path.clone()),
                part: None,
                relative: PathBuf::from(name),
                directory: String::new(),
                container: None,
                bytes: copy.bytes,
                modified: None,
            });
            scratch.push(copy);
        }
        if let Some(table) = settings.metadata.as_deref().and_then(|path| path.canonicalize().ok()) {
            // The table about the files may lie among them, and is no table of texts.
            walked.files.retain(|file| file.place.canonical().is_none_or(|path| path != table));
        }
        walked.files.sort_by(|a, b| a.source.cmp(&b.source));
        let mut files = Vec::with_capacity(walked.files.len());
        for found in std::mem::take(&mut walked.files) {
            let source = found.source;
            let open = || match &found.part {
                Some(part) => found.place.open_part(part, settings.memory_bytes),
                None => found.place.open(settings.memory_bytes),
            };
            let container = match found.container {
                // Lines of JSON are often called `.json`.
                Some(container) if !matches!(container, Container::Json | Container::Xml) => container,
                known => match container::guess_container(open(), known) {
                    Ok(Some(container)) => container,
                    Ok(None) => {
                        walked.left_out.count_suffix(&found.relative.to_string_lossy());
                        continue;
                    }
                    Err(error) => {
                        walked.skipped.push(walk::skipped_path(source, &error));
                        continue;
                    }
                },
            };
            let is_copied = matches!(&found.place, Place::File(path) if copied.contains(path));
            let site = settings.site_from.as_ref().and_then(|pattern| site::of_path(&source, pattern));
            let site = site.or_else(|| Some(found.directory).filter(|name| settings.site_from_dir && !name.is_empty()));
            files.push(InputFile {
                metadata: metadata.as_ref().and_then(|table| table.of(&source)).cloned().unwrap_or_default(),
                place: found.place,
                part: found.part,
                relative: if is_copied { stream_name(&source, container) } else { found.relative },
                source: source.into(),
                container,
                bytes: found.bytes,
                modified: found.modified,
                site,
                held: None,
            });
        }
        if files.is_empty() {
            return Err(nothing(paths, walked));
        }
        let mut told = walked.left_out.told();
        if let Some(unused) = metadata.as_ref().map(Metadata::unused).filter(|unused| *unused > 0) {
            told.push(format!("`--metadata`: {unused} of its rows name no file that is read"));
        }
        Ok(Source {
            digests: Mutex::new(zeros(files.len())),
            shared: Arc::new(Shared::new(files, settings, remote)),
            skipped: walked.skipped,
            told,
            _scratch: scratch,
        })
    }

    /// Takes the rows of a table in memory as documents, in order; `name` is what they name as their source.
    ///
    /// Settings that say how files are found have no effect. Such a source has no copies: [`crate::output::rewrite`] refuses
    /// it, and its owner applies decisions to the table.
    ///
    /// # Errors
    /// If no column holds a text.
    pub fn held(name: &str, table: Arc<dyn HeldTable>, settings: &SourceSettings) -> Result<Source, ReadError> {
        let site = settings.site_from.as_ref().and_then(|pattern| site::of_path(name, pattern));
        let shared =
            Shared::new(vec![InputFile::held(name, table, site)], settings, Remote::open(&RemoteSettings::default())?);
        if let Some(Err(skipped)) = shared.open(0) {
            return Err(ReadError::NothingReadable { first: Box::new(skipped) });
        }
        Ok(Source {
            digests: Mutex::new(zeros(1)),
            shared: Arc::new(shared),
            skipped: Vec::new(),
            told: Vec::new(),
            _scratch: Vec::new(),
        })
    }

    /// Returns the names of the columns or fields that may hold the text: of those with something in them the first wins.
    pub fn text_names(&self) -> &[String] {
        self.shared.fields.text_names()
    }

    /// Returns the files that are read, in order.
    pub fn files(&self) -> &[InputFile] {
        &self.shared.files
    }

    /// Returns about how many bytes the files hold once unpacked: what is packed is taken for four times its size, as news
    /// text packed by gzip or Zstandard mostly is.
    pub fn unpacked_bytes(&self) -> u64 {
        self.shared.files.iter().map(InputFile::unpacked_bytes).sum()
    }

    /// Returns what could not even be opened, in order. A pass does not report it again.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Returns what was left out by rule, a line for people each.
    pub fn told(&self) -> &[String] {
        &self.told
    }

    /// Returns a digest of every file's unpacked bytes, in the order of [`Source::files`], as the pass begun last has read
    /// them: whole once all its batches are parsed. Equal bytes, equal digest, at any number of threads.
    pub fn digests(&self) -> Vec<u64> {
        let digests = self.digests.lock().expect("no reader panicked").clone();
        digests.iter().map(|digest| digest.load(Ordering::Relaxed)).collect()
    }

    /// Returns the field names that records are read by.
    pub(crate) fn fields(&self) -> &Fields {
        &self.shared.fields
    }

    /// Returns the first file that lies in a directory.
    pub(crate) fn file_in(&self, directory: &Path) -> Option<String> {
        let directory = directory.canonicalize().ok()?;
        let lies_in = |file: &&InputFile| file.place.canonical().is_some_and(|path| path.starts_with(&directory));
        self.shared.files.iter().find(lies_in).map(|file| file.source.to_string())
    }

    /// Reads the text files of these numbers, in order, noting their digests.
    pub(crate) fn read_texts<'a>(
        &'a self,
        numbers: Range<usize>,
        digests: &'a [AtomicU64],
    ) -> impl Iterator<Item = (usize, Result<TextFile, Skipped>)> + 'a {
        self.shared.read_texts(numbers, digests)
    }

    /// Notes the digest of some rows of the file number `file`.
    pub(crate) fn note_rows(&self, file: usize, piece: &rows::Piece, digests: &[AtomicU64]) {
        digests[file].fetch_add(piece.digest(), Ordering::Relaxed);
    }

    /// Notes the digest of some records of the file number `file`.
    pub(crate) fn note_records(&self, file: usize, chunk: &chunk::Chunk, digests: &[AtomicU64]) {
        add_digest(&digests[file], &chunk.bytes, chunk.offset);
    }

    /// Begins a pass at a mark of an earlier one.
    pub(super) fn cuts_from(&self, mark: Mark) -> Option<Cuts<'_>> {
        let mut cuts = self.cuts();
        for (file, digest) in mark.digests {
            cuts.digests.get(file)?.store(digest, Ordering::Relaxed);
        }
        cuts.next_file = mark.next_file;
        if let Some((file, position)) = mark.open {
            let shared = &self.shared;
            cuts.open = Some((file, shared.open(file)?.ok()?.at(position)?));
        }
        Some(cuts)
    }

    /// Returns why objects can no longer be read as they were found: no result counts from then on.
    pub(crate) fn failure(&self) -> Option<SourceError> {
        self.shared.failure()
    }

    /// Has every object asked for anew, and those checked of which a pass may ask for nothing: what was copied or is kept.
    fn begin_objects(&self) {
        let mut objects: Vec<Arc<Object>> = Vec::new();
        for file in &self.shared.files {
            let object = match &file.place {
                Place::Copy { of, .. } => of,
                Place::Object(object) if object.needs_check() => object,
                _ => continue,
            };
            // The members of an archive stand together.
            if !objects.last().is_some_and(|last| Arc::ptr_eq(last, object)) {
                objects.push(object.clone());
            }
        }
        self.shared.remote.begin_pass(&objects);
    }

    /// Begins a pass over the undecoded input: what [`DocumentSource::pass`] parses.
    pub(crate) fn cuts(&self) -> Cuts<'_> {
        self.begin_objects();
        let digests = zeros(self.shared.files.len());
        *self.digests.lock().expect("no reader panicked") = digests.clone();
        Cuts { shared: &self.shared, digests, next_file: 0, open: None, ahead: VecDeque::new() }
    }
}

/// Says why there is nothing to read at all.
fn nothing(paths: &[PathBuf], walked: walk::Walked) -> ReadError {
    match walked.skipped.into_iter().next() {
        Some(first) => ReadError::NothingReadable { first: Box::new(first) },
        None => ReadError::NothingFound {
            inputs: paths.iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", "),
            left_out: walked.left_out.told(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{DocumentSource, Parsed};
    use crate::files::Compression;
    use regex::Regex;
    use std::fs;

    fn tree(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        root
    }

    fn read(source: &Source) -> Parsed {
        let mut all = Parsed::default();
        let mut pass = source.pass().unwrap();
        while let Some(batch) = pass.next_batch().unwrap() {
            let parsed = batch.parse();
            all.documents.extend(parsed.documents);
            all.skipped.extend(parsed.skipped);
            all.notes.extend(parsed.notes);
            all.bytes += parsed.bytes;
        }
        all
    }

    fn ids(parsed: &Parsed) -> Vec<&str> {
        parsed.documents.iter().map(|document| document.id.as_str()).collect()
    }

    fn open(paths: &[PathBuf]) -> Source {
        Source::open(paths, &SourceSettings::default()).unwrap()
    }

    #[test]
    fn every_pass_gives_the_same_documents_and_the_same_digests() {
        let packed =
            Compression::Gzip.pack(b"{\"text\": \"two\"}\n{\"id\": \"x\", \"text\": \"three\"}\n".to_vec()).unwrap();
        let root = tree(&[("a/one.txt", b"one"), ("b.jsonl.gz", &packed), ("empty.md", b""), ("blank.txt", b" \n")]);
        let source = open(&[root.path().to_owned()]);
        let first = read(&source);
        assert_eq!(ids(&first), ["a/one.txt", "b.jsonl.gz:0", "x", "blank.txt", "empty.md"]);
        assert_eq!(first.bytes, source.bytes().unwrap());
        let digests = source.digests();
        let second = read(&source);
        assert_eq!((second.documents, source.digests()), (first.documents, digests.clone()));
        fs::write(root.path().join("blank.txt"), "\n\n").unwrap();
        read(&source);
        let changed: Vec<bool> = source.digests().iter().zip(&digests).map(|(now, before)| now != before).collect();
        assert_eq!(changed, [false, false, true, false]);
    }

    #[test]
    fn a_source_without_anything_to_read_is_an_error_and_one_bad_path_among_others_is_not() {
        let root = tree(&[("a.txt", b"one"), ("pictures/b.jpg", b"")]);
        let error = |path: &str| Source::open(&[root.path().join(path)], &SourceSettings::default()).unwrap_err();
        let missing = error("missing.txt");
        assert!(missing.to_string().ends_with("missing.txt`: no such file or directory"), "{missing}");
        assert_eq!(missing.hint().as_deref(), Some("check the spelling of the path"));
        assert!(error("pictures").hint().unwrap().starts_with("left out 1 file of other kinds: 1 `.jpg`"));
        assert!(matches!(Source::open(&[], &SourceSettings::default()), Err(ReadError::NoInput)));
        let source = open(&["missing.txt", "a.txt"].map(|path| root.path().join(path)));
        assert_eq!(source.skipped().len(), 1);
        assert_eq!(ids(&read(&source)), ["a.txt"]);
    }

    #[test]
    fn files_that_are_no_text_or_not_packed_as_named_are_skipped() {
        let root = tree(&[("a.txt", b"\x7fELF\0"), ("b.txt.gz", b"plain"), ("c.jsonl.zst", b""), ("d.txt", b"fine")]);
        let parsed = read(&open(&[root.path().to_owned()]));
        assert_eq!(ids(&parsed), ["d.txt"]);
        let told: Vec<String> = parsed.skipped.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "`a.txt`: expected text, found a program",
                "`b.txt.gz`, byte 0: expected a gzip stream, found other bytes",
                "`c.jsonl.zst`, byte 0: expected a Zstandard stream, found an empty file",
            ]
        );
    }

    #[test]
    fn a_packed_file_is_known_by_its_bytes_and_a_nameless_one_by_its_first() {
        let packed = Compression::Zstd.pack(b"{\"text\": \"one\"}".to_vec()).unwrap();
        let root = tree(&[("a.jsonl", &packed), ("b", b"\xef\xbb\xbf\n {\"text\": \"two\"}"), ("c", b"three")]);
        let source = open(&["a.jsonl", "b", "c"].map(|path| root.path().join(path)));
        let parsed = read(&source);
        let texts: Vec<&str> = parsed.documents.iter().map(|document| document.text.as_str()).collect();
        assert_eq!(texts, ["one", "two", "three"]);
    }

    #[test]
    fn sites_come_from_the_field_the_address_the_table_and_the_path_in_that_order() {
        let root = tree(&[
            ("crawl/a.example/1.txt", b"one"),
            ("crawl/a.example/2.txt", b"two"),
            (
                "crawl/b.example/x/3.jsonl",
                b"{\"text\": \"a\", \"site\": \"f\", \"url\": \"https://u.example/\"}\n{\"text\": \"b\", \"url\": \"https://www.u.example/\"}\n{\"text\": \"c\"}\n",
            ),
            ("crawl/m.csv", b"file,url,date\n2.txt,https://www.m.example/2,2024-05-01\n"),
        ]);
        let settings = SourceSettings {
            site_from_dir: true,
            metadata: Some(root.path().join("crawl/m.csv")),
            ..SourceSettings::default()
        };
        let sites = |paths: &[PathBuf]| -> Vec<String> {
            let source = Source::open(paths, &settings).unwrap();
            read(&source).documents.into_iter().map(|document| document.site.unwrap()).collect()
        };
        let expected = ["a.example", "m.example", "f", "u.example", "b.example"];
        assert_eq!(sites(&[root.path().join("crawl")]), expected);
        let below = sites(&["a.example", "b.example"].map(|name| root.path().join("crawl").join(name)));
        assert_eq!(below, ["a.example", "m.example", "f", "u.example", "x"]);
        let settings = SourceSettings {
            site_from: Some(Regex::new("(?<site>[^/]+)/[^/]*$").unwrap()),
            ..SourceSettings::default()
        };
        let source = Source::open(&[root.path().join("crawl")], &settings).unwrap();
        assert_eq!(read(&source).documents[0].site.as_deref(), Some("a.example"));
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_copied_and_read_in_every_pass() {
        let root = tempfile::tempdir().unwrap();
        let pipe = root.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let (writer_pipe, scratch) = (pipe.clone(), root.path().join("scratch"));
        let writer = std::thread::spawn(move || fs::write(writer_pipe, "{\"text\": \"piped\"}\n"));
        let settings = SourceSettings { temp_dir: scratch.clone(), ..SourceSettings::default() };
        let source = Source::open(&[pipe], &settings).unwrap();
        writer.join().unwrap().unwrap();
        assert_eq!((ids(&read(&source)), ids(&read(&source))), (vec!["-:0"], vec!["-:0"]));
        drop(source);
        assert_eq!(fs::read_dir(scratch).unwrap().count(), 0);
    }

    #[test]
    fn many_small_files_come_in_few_batches() {
        let root = tempfile::tempdir().unwrap();
        for number in 0..600 {
            fs::write(root.path().join(format!("{number:03}.txt")), "a small text").unwrap();
        }
        let source = open(&[root.path().to_owned()]);
        assert_eq!(source.cuts().count(), 3);
        assert_eq!(read(&source).documents.len(), 600);
    }
}
