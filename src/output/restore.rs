//! The input again, out of cleaned copies and the table of what was cut out of them.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Deserialize;

use crate::files::{self, Compression, FileError, OutputDirectory, OutputFile};
use crate::input::{copy_of_member, id_path, is_written_anew, stream_of};
use crate::output::cleaned::TABLES;
use crate::output::schema::RemovedRow;
use crate::output::{WriteError, finished};

/// Bytes written at once, and packed as one member or frame.
const PIECE_BYTES: u64 = 1 << 20;

/// What was restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Files written.
    pub files: u64,
    /// Blocks put back.
    pub blocks: u64,
}

/// Writes to `target` what `clean` had read when it wrote `directory`, byte for byte (unpacked, if it was packed).
///
/// Files of which `clean` could not read anything have no copy and are not restored. Holds a piece of each file in
/// memory, as many files at once as there are threads, and a number for every file that something was cut out of.
///
/// # Errors
/// If `directory` is no output of `clean`, or one that dropped documents too; if its copies were changed since; if the
/// output cannot be written.
pub fn restore(directory: &Path, target: &OutputDirectory, threads: usize) -> Result<Restored, WriteError> {
    let other = |found: &str| WriteError::OtherRun {
        path: directory.to_owned(),
        expected: "an output of `clean`",
        found: found.to_owned(),
    };
    if !files::is_ours(directory) || !directory.join("removed.jsonl").is_file() {
        return Err(other("no table `removed` beside a `summary.json` of this program"));
    }
    if fs::metadata(directory.join("dropped.jsonl")).is_ok_and(|metadata| metadata.len() > 0) {
        return Err(other("one that dropped documents, which are kept nowhere"));
    }
    let inputs = inputs(directory)?;
    if let Some(input) = inputs.iter().find(|input| is_written_anew(input)).cloned() {
        let what = "its copy is a text or was written anew, not byte for byte: the input itself is the only original";
        return Err(WriteError::Restore { file: input, what: what.to_owned() });
    }
    let table = directory.join("removed.jsonl");
    let index = index(&table)?;
    let members: HashMap<String, String> =
        inputs.into_iter().filter_map(|input| Some((copy_of_member(&input)?, input))).collect();
    let mut copies = Vec::new();
    list(directory, Path::new(""), &mut copies)?;
    copies.sort();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| WriteError::Threads { source: std::io::Error::other(error) })?;
    let restored: Vec<(Option<String>, u64)> = pool.install(|| {
        copies
            .par_iter()
            .map(|relative| {
                let id = id_path(relative);
                let is_file = index.contains_key(&id);
                let source = match (stream_of(&id), members.get(&id)) {
                    (Some(stream), _) if !is_file => stream.to_owned(),
                    (_, Some(member)) if !is_file => member.clone(),
                    _ => id,
                };
                let rows = match index.get(&source) {
                    Some(offset) => Some(rows_of(&table, *offset, source.clone())?),
                    None => None,
                };
                let found = rows.is_some();
                let blocks = restore_file(directory, relative, rows.into_iter().flatten(), target)?;
                Ok((found.then_some(source), blocks))
            })
            .collect::<Result<_, WriteError>>()
    })?;
    let matched: std::collections::HashSet<&str> =
        restored.iter().filter_map(|(source, _)| source.as_deref()).collect();
    if let Some(missing) = index.keys().filter(|source| !matched.contains(source.as_str())).min() {
        return Err(WriteError::Restore { file: missing.clone(), what: "there is no copy of it".to_owned() });
    }
    Ok(Restored { files: restored.len() as u64, blocks: restored.iter().map(|(_, blocks)| blocks).sum() })
}

/// Returns the names of the files that a run has read.
fn inputs(directory: &Path) -> Result<Vec<String>, WriteError> {
    #[derive(Deserialize)]
    struct Summary {
        #[serde(default)]
        inputs: Vec<Input>,
    }
    #[derive(Deserialize)]
    struct Input {
        source: String,
    }
    let path = directory.join("summary.json");
    let bytes = fs::read(&path).map_err(FileError::read(&path))?;
    let summary: Summary = serde_json::from_slice(&bytes).map_err(|source| WriteError::Table {
        path,
        line: source.line() as u64,
        source,
    })?;
    Ok(summary.inputs.into_iter().map(|input| input.source).collect())
}

/// Returns where the rows of every file begin in the table: they stand together, in order.
fn index(table: &Path) -> Result<HashMap<String, u64>, WriteError> {
    #[derive(Deserialize)]
    struct Source {
        source: String,
    }
    let mut index = HashMap::new();
    let mut last = String::new();
    for next in finished::Rows::<Source>::open(table, 0)? {
        let (offset, row) = next?;
        if row.source != last || offset == 0 {
            last.clone_from(&row.source);
            index.entry(row.source).or_insert(offset);
        }
    }
    Ok(index)
}

fn rows_of(
    table: &Path,
    offset: u64,
    source: String,
) -> Result<impl Iterator<Item = Result<RemovedRow, WriteError>>, WriteError> {
    let rows = finished::Rows::<RemovedRow>::open(table, offset)?;
    Ok(rows
        .map(|next| next.map(|(_, row)| row))
        .take_while(move |next| next.as_ref().map_or(true, |row| row.source == source)))
}

/// Lists the copies in a directory: every file but our tables.
fn list(root: &Path, below: &Path, copies: &mut Vec<PathBuf>) -> Result<(), WriteError> {
    let path = root.join(below);
    for entry in fs::read_dir(&path).map_err(FileError::read(&path))? {
        let entry = entry.map_err(FileError::read(&path))?;
        let relative = below.join(entry.file_name());
        let kind = entry.file_type().map_err(FileError::read(&path))?;
        if kind.is_dir() {
            list(root, &relative, copies)?;
        } else if !TABLES.iter().any(|table| relative == Path::new(table)) {
            copies.push(relative);
        }
    }
    Ok(())
}

fn restore_file(
    directory: &Path,
    relative: &Path,
    rows: impl Iterator<Item = Result<RemovedRow, WriteError>>,
    target: &OutputDirectory,
) -> Result<u64, WriteError> {
    let path = directory.join(relative);
    let failed = |what: String| WriteError::Restore { file: relative.display().to_string(), what };
    let mut copy = files::open(&path, u64::MAX)?;
    let mut out = Packer {
        file: target.create_file(relative)?,
        compression: copy.compression(),
        pending: Vec::new(),
        written: false,
        path: path.clone(),
    };
    let mut at = 0;
    let mut blocks = 0;
    for row in rows {
        let row = row?;
        let Some(byte) = row.byte else {
            return Err(failed("a row does not say where in the file it stood".to_owned()));
        };
        let kept = byte.checked_sub(at).ok_or_else(|| failed("its rows overlap".to_owned()))?;
        let taken = out.take(&mut copy, kept)?;
        if taken < kept {
            return Err(failed(format!("it ends {} bytes before a block is to be put back", kept - taken)));
        }
        let raw = match (row.raw, row.raw_hex) {
            (Some(raw), _) => raw.into_bytes(),
            (None, Some(hex)) => {
                bytes_of(&hex).ok_or_else(|| failed("a row holds no hexadecimal digits".to_owned()))?
            }
            (None, None) => row.text.into_bytes(),
        };
        out.pending.extend_from_slice(&raw);
        at = byte + raw.len() as u64;
        blocks += 1;
    }
    out.take(&mut copy, u64::MAX)?;
    out.finish()?;
    Ok(blocks)
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// Writes a file in pieces, packed as its copy is.
struct Packer {
    file: OutputFile,
    compression: Compression,
    pending: Vec<u8>,
    written: bool,
    path: PathBuf,
}

impl Packer {
    /// Takes up to `count` bytes over from the copy; returns how many there were.
    fn take(&mut self, copy: &mut impl Read, count: u64) -> Result<u64, WriteError> {
        let mut taken = 0;
        while taken < count {
            let want = (count - taken).min(PIECE_BYTES);
            let read = copy.by_ref().take(want).read_to_end(&mut self.pending).map_err(FileError::read(&self.path))?;
            taken += read as u64;
            if self.pending.len() as u64 >= PIECE_BYTES {
                self.flush()?;
            }
            if (read as u64) < want {
                break;
            }
        }
        Ok(taken)
    }

    fn flush(&mut self) -> Result<(), WriteError> {
        let packed = self.compression.pack(std::mem::take(&mut self.pending)).map_err(FileError::write(&self.path))?;
        self.written = true;
        Ok(self.file.put(&packed)?)
    }

    fn finish(mut self) -> Result<(), WriteError> {
        if !self.pending.is_empty() || !self.written {
            self.flush()?;
        }
        Ok(self.file.finish()?)
    }
}

/// Opens a table at an offset.
pub(super) fn open_at(path: &Path, offset: u64) -> Result<BufReader<File>, WriteError> {
    let mut file = File::open(path).map_err(FileError::read(path))?;
    file.seek(SeekFrom::Start(offset)).map_err(FileError::read(path))?;
    Ok(BufReader::with_capacity(256 << 10, file))
}

/// Reads a table's next line; none at the end.
pub(super) fn next_line(reader: &mut BufReader<File>, path: &Path, line: &mut Vec<u8>) -> Result<bool, WriteError> {
    line.clear();
    let read = reader.read_until(b'\n', line).map_err(FileError::read(path))?;
    Ok(read > 0)
}
