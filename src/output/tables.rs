//! Tables as JSONL files in a directory.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::Serialize;

use crate::output::{BlockRow, WriteError};

/// Takes the one table that is written while documents are judged: the rest is read from a finished scan.
///
/// `encode` runs in many threads, `write` in document order, so that the work is shared and the file is not.
pub trait Sink: Sync {
    /// Appends the rows' bytes to `out`.
    fn encode(&self, rows: &[BlockRow<'_>], out: &mut Vec<u8>);

    /// Writes bytes made by `encode`, in document order.
    ///
    /// # Errors
    /// If they cannot be written.
    fn write(&self, bytes: &[u8]) -> Result<(), WriteError>;

    /// Makes what was written last, and returns how many bytes that is.
    ///
    /// # Errors
    /// If they cannot be written.
    fn seal(&self) -> Result<u64, WriteError>;

    /// Goes back to where [`Sink::seal`] has been, maybe in another process; 0: to the beginning.
    ///
    /// # Errors
    /// If less than that is there.
    fn rewind(&self, bytes: u64) -> Result<(), WriteError>;
}

/// Bytes gathered before a write: large enough that system calls do not count.
const BUFFER: usize = 1 << 20;

/// Writes tables as JSONL into one directory.
#[derive(Debug)]
pub struct Tables {
    directory: PathBuf,
    blocks: Mutex<BufWriter<File>>,
    blocks_path: PathBuf,
}

impl Tables {
    /// Begins the tables in `directory`, which exists, or opens those that an interrupted run began there.
    ///
    /// # Errors
    /// If a file cannot be created there.
    pub fn create(directory: &Path) -> Result<Tables, WriteError> {
        let blocks_path = directory.join("blocks.jsonl");
        // An interrupted run may have left rows: whoever writes goes back to where it stood, or to the beginning.
        let file = File::options().create(true).truncate(false).write(true).open(&blocks_path);
        let file = file.map_err(|source| WriteError::File { path: blocks_path.clone(), source })?;
        let blocks = BufWriter::with_capacity(BUFFER, file);
        Ok(Tables { directory: directory.to_owned(), blocks: Mutex::new(blocks), blocks_path })
    }

    /// Ends the table `blocks`.
    ///
    /// # Errors
    /// If its last bytes cannot be written.
    pub fn finish_blocks(&self) -> Result<(), WriteError> {
        let mut blocks = self.blocks.lock().expect("no writer panicked");
        blocks.flush().map_err(|source| WriteError::File { path: self.blocks_path.clone(), source })
    }

    /// Writes a table row by row.
    ///
    /// # Errors
    /// The rows' own, and if they cannot be written.
    pub fn write_table<T: Serialize, E: From<WriteError>>(
        &self,
        name: &str,
        rows: impl Iterator<Item = Result<T, E>>,
    ) -> Result<u64, E> {
        let path = self.directory.join(format!("{name}.jsonl"));
        let mut file = create(&path)?;
        let mut line = Vec::new();
        let mut count = 0;
        for row in rows {
            line.clear();
            append_row(&row?, &mut line);
            file.write_all(&line).map_err(|source| WriteError::File { path: path.clone(), source })?;
            count += 1;
        }
        file.flush().map_err(|source| WriteError::File { path: path.clone(), source })?;
        Ok(count)
    }
}

/// Appends a row as one line of JSON.
pub(super) fn append_row<T: Serialize>(row: &T, out: &mut Vec<u8>) {
    serde_json::to_writer(&mut *out, row).expect("rows have string keys, and a Vec takes any bytes");
    out.push(b'\n');
}

fn create(path: &Path) -> Result<BufWriter<File>, WriteError> {
    let file = File::create(path).map_err(|source| WriteError::File { path: path.to_owned(), source })?;
    Ok(BufWriter::with_capacity(BUFFER, file))
}

impl Sink for Tables {
    fn encode(&self, rows: &[BlockRow<'_>], out: &mut Vec<u8>) {
        for row in rows {
            row.append_to(out);
        }
    }

    fn write(&self, bytes: &[u8]) -> Result<(), WriteError> {
        let mut blocks = self.blocks.lock().expect("no writer panicked");
        blocks.write_all(bytes).map_err(|source| WriteError::File { path: self.blocks_path.clone(), source })
    }

    fn seal(&self) -> Result<u64, WriteError> {
        let mut blocks = self.blocks.lock().expect("no writer panicked");
        let mut seal = || {
            blocks.flush()?;
            blocks.get_ref().sync_data()?;
            blocks.stream_position()
        };
        seal().map_err(|source| WriteError::File { path: self.blocks_path.clone(), source })
    }

    fn rewind(&self, bytes: u64) -> Result<(), WriteError> {
        let mut blocks = self.blocks.lock().expect("no writer panicked");
        let mut rewind = || {
            if blocks.get_ref().metadata()?.len() < bytes {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            blocks.get_ref().set_len(bytes)?;
            blocks.seek(SeekFrom::Start(bytes)).map(drop)
        };
        rewind().map_err(|source| WriteError::File { path: self.blocks_path.clone(), source })
    }
}
