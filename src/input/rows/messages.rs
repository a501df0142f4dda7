//! The messages of an Arrow IPC file or stream, one after the other.
//!
//! A file says at its end where its record batches stand; one that was torn is read as the stream that it begins as.
//! Everything a message says of its own size is checked before anything is decoded, so that a damaged file, or one made to
//! mislead, costs itself alone.
//!
//! Source: "Serialization and Interprocess Communication", <https://arrow.apache.org/docs/format/Columnar.html>.

use std::collections::HashMap;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::vec::IntoIter;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::convert::fb_to_schema;
use arrow_ipc::reader::{read_dictionary, read_record_batch};
use arrow_ipc::{Block, CompressionType, MessageHeader, root_as_footer, root_as_message};
use arrow_schema::{ArrowError, Schema, SchemaRef};

use crate::input::rows;

/// How a file begins, and ends.
const MAGIC: &[u8] = b"ARROW1";
/// What stands before the length of a message.
const CONTINUES: [u8; 4] = [0xff; 4];
/// Zeros that stand behind the mark of a file at most.
const MOST_PADDING: usize = 256;
/// Bytes of the length of a file's end and the mark behind it.
const FOOTER_END: i64 = 10;
/// Bytes that the head of a message has at most.
const HEAD_BYTES: u64 = 64 << 20;

/// Why a message gives nothing.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Nothing after it can be read either.
    Torn(String),
    /// It alone is damaged.
    Damaged(String),
    /// It alone takes more than may be held, in bytes.
    TooLarge(u64),
}

impl From<ArrowError> for Fault {
    fn from(error: ArrowError) -> Fault {
        Fault::Damaged(error.to_string())
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Fault::Torn("it ends before it should".to_owned()),
            _ => Fault::Torn(error.to_string()),
        }
    }
}

/// A record batch, not yet decoded.
pub(crate) struct Packed {
    head: Vec<u8>,
    body: Buffer,
}

/// An Arrow IPC file or stream, being read.
pub(crate) struct Messages<R> {
    reader: R,
    schema: SchemaRef,
    dictionaries: HashMap<i64, ArrayRef>,
    /// Where the record batches of a file stand that are still to be read; none: one after the other, as in a stream.
    batches: Option<IntoIter<Block>>,
    /// What the end of a file says of it beside the schema.
    metadata: Vec<(String, String)>,
    /// Where reading stands, and how many bytes were read.
    at: u64,
    read: u64,
    /// Bytes that the head of the next message has at most.
    head_most: u64,
    /// Bytes that a batch takes at most, as it is stored and as it is decoded.
    most: u64,
    is_file: bool,
    is_ended: bool,
}

impl<R: Read + Seek> Messages<R> {
    /// Reads up to the schema.
    ///
    /// # Errors
    /// If there is none, in words.
    pub fn open(mut reader: R, most: u64) -> Result<Messages<R>, String> {
        let mut first = [0; 8];
        reader.read_exact(&mut first).map_err(|_| "it is too short".to_owned())?;
        if first.starts_with(b"FEA1") {
            return Err("Feather of the first version is not read".to_owned());
        }
        let is_file = first.starts_with(MAGIC);
        let mut messages = Messages {
            reader,
            schema: Arc::new(Schema::empty()),
            dictionaries: HashMap::new(),
            batches: None,
            head_most: HEAD_BYTES,
            metadata: Vec::new(),
            at: first.len() as u64,
            read: first.len() as u64,
            most,
            is_file,
            is_ended: false,
        };
        if is_file && let Some(footer) = messages.footer() {
            messages.open_file(&footer)?;
            return Ok(messages);
        }
        // A stream, or a file that was torn: what stands before the tear is read.
        let head = messages.first_head(first).map_err(|fault| fault.to_string())?;
        let head = head.ok_or_else(|| "it has no schema".to_owned())?;
        let message = root_as_message(&head).map_err(|_| "its first message is damaged".to_owned())?;
        let schema = message.header_as_schema().ok_or_else(|| "its first message is no schema".to_owned())?;
        messages.schema = schema_of(schema)?;
        Ok(messages)
    }

    /// Reads the end of a file, none if it has not that of one; reading goes on where it stood.
    fn footer(&mut self) -> Option<Vec<u8>> {
        let back = self.at;
        let read = (|| {
            let end = self.reader.seek(SeekFrom::End(-FOOTER_END)).ok()?;
            let mark = self.exactly(FOOTER_END as u64).ok()?;
            let (length, magic) = mark.split_first_chunk::<4>()?;
            let length = u64::from(u32::from_le_bytes(*length));
            let begin = end.checked_sub(length).filter(|_| magic == MAGIC && length <= HEAD_BYTES)?;
            self.reader.seek(SeekFrom::Start(begin)).ok()?;
            self.exactly(length).ok()
        })();
        self.reader.seek(SeekFrom::Start(back)).ok()?;
        self.at = back;
        read
    }

    /// Takes from the end of a file what it holds, and where.
    fn open_file(&mut self, footer: &[u8]) -> Result<(), String> {
        let footer = root_as_footer(footer).map_err(|_| "its end is damaged".to_owned())?;
        self.schema = schema_of(footer.schema().ok_or_else(|| "it has no schema".to_owned())?)?;
        let pairs = footer.custom_metadata().into_iter().flatten();
        self.metadata = pairs.filter_map(|pair| Some((pair.key()?.to_owned(), pair.value()?.to_owned()))).collect();
        let dictionaries = footer.dictionaries().into_iter().flatten();
        let batches = footer.recordBatches().into_iter().flatten();
        let mut places: Vec<Block> = dictionaries.clone().chain(batches.clone()).copied().collect();
        places.sort_unstable_by_key(Block::offset);
        // So that reading all of them is not more than reading the file.
        if !places
            .iter()
            .map(end_of)
            .zip(places.iter().skip(1))
            .all(|(end, next)| end.is_some_and(|end| end <= next.offset()))
        {
            return Err("its end says that record batches stand in each other's places".to_owned());
        }
        for block in dictionaries {
            self.go(block).map_err(|fault| fault.to_string())?;
            self.message(false).map_err(|fault| format!("a dictionary cannot be read: {fault}"))?;
        }
        self.batches = Some(batches.copied().collect::<Vec<_>>().into_iter());
        Ok(())
    }

    fn go(&mut self, block: &Block) -> Result<(), Fault> {
        let outside = || Fault::Damaged("it is not where the end of the file says".to_owned());
        let to = u64::try_from(block.offset()).map_err(|_| outside())?;
        self.head_most = u64::try_from(block.metaDataLength()).map_err(|_| outside())?.min(HEAD_BYTES);
        if self.at != to {
            self.reader.seek(SeekFrom::Start(to))?;
            self.at = to;
        }
        Ok(())
    }

    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Returns whether it is a file, else a stream.
    pub fn is_file(&self) -> bool {
        self.is_file
    }

    /// Returns what the end of a file says of it beside the schema.
    pub fn metadata(&self) -> &[(String, String)] {
        &self.metadata
    }

    /// Returns how many bytes were read so far.
    pub fn bytes_read(&self) -> u64 {
        self.read
    }

    fn count(&mut self, bytes: u64) {
        self.at += bytes;
        self.read += bytes;
    }

    fn exactly(&mut self, bytes: u64) -> Result<Vec<u8>, Fault> {
        let mut read = Vec::new();
        // Grows with what comes: a length may lie.
        self.reader.by_ref().take(bytes).read_to_end(&mut read)?;
        self.count(read.len() as u64);
        if (read.len() as u64) < bytes {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Ok(read)
    }

    /// Reads the head of the first message, of which eight bytes were read, in a file the mark and zeros behind it.
    fn first_head(&mut self, first: [u8; 8]) -> Result<Option<Vec<u8>>, Fault> {
        if !self.is_file {
            return self.head(first.to_vec());
        }
        for _ in 0..MOST_PADDING / 4 {
            let four = self.exactly(4)?;
            if four != [0; 4] {
                return self.head(four);
            }
        }
        Ok(None)
    }

    /// Reads the head of the next message, of which the first bytes may have been read; none at the end.
    fn head(&mut self, mut begun: Vec<u8>) -> Result<Option<Vec<u8>>, Fault> {
        if begun.is_empty() {
            let mut four = Vec::new();
            self.reader.by_ref().take(4).read_to_end(&mut four)?;
            self.count(four.len() as u64);
            // A stream may end without saying so.
            if four.is_empty() && !self.is_file {
                return Ok(None);
            }
            if four.len() < 4 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            begun = four;
        }
        let mut begun = &begun[..];
        let mut number = |of: &mut Messages<R>| -> Result<[u8; 4], Fault> {
            if let Some((four, rest)) = begun.split_first_chunk::<4>() {
                begun = rest;
                return Ok(*four);
            }
            Ok(of.exactly(4)?.try_into().expect("four bytes were read"))
        };
        let mut length = number(self)?;
        // Before version 0.15 the length stood first.
        if length == CONTINUES {
            length = number(self)?;
        }
        let length = u64::from(u32::from_le_bytes(length));
        if length == 0 {
            return Ok(None);
        }
        if length > self.head_most {
            return Err(Fault::Torn(format!("a message of {length} bytes has no end")));
        }
        let mut head = begun.to_vec();
        head.extend(self.exactly(length.saturating_sub(head.len() as u64))?);
        Ok(Some(head))
    }

    /// Reads the next record batch; none at the end. With `is_passed` its bytes are passed over.
    pub fn next(&mut self, is_passed: bool) -> Option<Result<Packed, Fault>> {
        loop {
            if self.is_ended {
                return None;
            }
            if let Some(batches) = &mut self.batches {
                let place = batches.next()?;
                if let Err(fault) = self.go(&place) {
                    return Some(Err(fault));
                }
            }
            match self.message(is_passed) {
                Ok(Some(Some(packed))) => return Some(Ok(packed)),
                // What should be a batch is something else.
                Ok(_) if self.batches.is_some() => {
                    return Some(Err(Fault::Damaged("it is not where the end of the file says".to_owned())));
                }
                Ok(Some(None)) => {}
                Ok(None) => self.is_ended = true,
                Err(Fault::Torn(what)) if self.batches.is_some() => return Some(Err(Fault::Damaged(what))),
                Err(fault) => {
                    self.is_ended = matches!(fault, Fault::Torn(_));
                    return Some(Err(fault));
                }
            }
        }
    }

    /// Reads a message: a batch, or a dictionary, which is kept; none at the end.
    fn message(&mut self, is_passed: bool) -> Result<Option<Option<Packed>>, Fault> {
        let Some(head) = self.head(Vec::new())? else { return Ok(None) };
        let message = root_as_message(&head).map_err(|error| Fault::Torn(format!("a message is damaged: {error}")))?;
        let length = u64::try_from(message.bodyLength());
        let length = length.map_err(|_| Fault::Torn("a message is shorter than nothing".to_owned()))?;
        let is_batch = message.header_type() == MessageHeader::RecordBatch;
        if length > self.most || (is_batch && is_passed) {
            let passed = io::copy(&mut self.reader.by_ref().take(length), &mut io::sink())?;
            self.count(passed);
            if passed < length {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            return if is_passed {
                Ok(Some(Some(Packed { head, body: Buffer::default() })))
            } else {
                Err(Fault::TooLarge(length))
            };
        }
        let body = Buffer::from_vec(self.exactly(length)?);
        if is_batch {
            return Ok(Some(Some(Packed { head, body })));
        }
        if let Some(dictionary) = message.header_as_dictionary_batch() {
            let batch = dictionary.data().ok_or_else(|| Fault::Damaged("a dictionary has no values".to_owned()))?;
            check(batch, &body, self.most)?;
            let (schema, dictionaries) = (&self.schema, &mut self.dictionaries);
            rows::guarded(
                || read_dictionary(&body, dictionary, schema, dictionaries, &message.version()),
                ArrowError::ParseError,
            )?;
        }
        Ok(Some(None))
    }

    /// Decodes some columns of a batch, or all.
    pub fn decode(&self, packed: &Packed, columns: Option<&[usize]>) -> Result<RecordBatch, Fault> {
        let message = root_as_message(&packed.head).expect("it was read before");
        let batch = message.header_as_record_batch().ok_or_else(|| Fault::Damaged("it has no rows".to_owned()))?;
        check(batch, &packed.body, self.most)?;
        let version = message.version();
        Ok(rows::guarded(
            || read_record_batch(&packed.body, batch, self.schema.clone(), &self.dictionaries, columns, &version),
            ArrowError::ParseError,
        )?)
    }
}

impl Packed {
    /// Returns how many rows it says that it has.
    pub fn rows(&self) -> u64 {
        let message = root_as_message(&self.head).expect("it was read before");
        message.header_as_record_batch().and_then(|batch| u64::try_from(batch.length()).ok()).unwrap_or(0)
    }

    /// Returns how its values are packed.
    pub fn compression(&self) -> Option<CompressionType> {
        let message = root_as_message(&self.head).expect("it was read before");
        Some(message.header_as_record_batch()?.compression()?.codec())
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fault::Torn(what) | Fault::Damaged(what) => f.write_str(what),
            Fault::TooLarge(bytes) => write!(f, "it takes {} MiB", bytes >> 20),
        }
    }
}

/// Returns where a block ends.
fn end_of(block: &Block) -> Option<i64> {
    block
        .offset()
        .checked_add(block.metaDataLength().into())?
        .checked_add(block.bodyLength())
        .filter(|end| *end > block.offset())
}

fn schema_of(schema: arrow_ipc::Schema<'_>) -> Result<SchemaRef, String> {
    if schema.endianness() != arrow_ipc::Endianness::Little {
        return Err("its numbers are stored with the highest byte first".to_owned());
    }
    let read = rows::guarded(|| Ok(fb_to_schema(schema)), ArrowError::ParseError);
    Ok(Arc::new(read.map_err(|error| error.to_string())?))
}

/// Checks that the values of a batch stand inside its body, and take no more than may be held.
fn check(batch: arrow_ipc::RecordBatch<'_>, body: &Buffer, most: u64) -> Result<(), Fault> {
    let outside = || Fault::Damaged("its values stand outside of it".to_owned());
    let mut bytes = 0_u64;
    for buffer in batch.buffers().into_iter().flatten() {
        let start = usize::try_from(buffer.offset()).map_err(|_| outside())?;
        let length = usize::try_from(buffer.length()).map_err(|_| outside())?;
        let end = start.checked_add(length).ok_or_else(outside)?;
        let values = body.get(start..end).ok_or_else(outside)?;
        bytes = bytes.saturating_add(match values.first_chunk::<8>().map(|length| i64::from_le_bytes(*length)) {
            Some(unpacked) if batch.compression().is_some() && unpacked != -1 => {
                u64::try_from(unpacked).map_err(|_| Fault::Damaged("its values have no length".to_owned()))?
            }
            _ => length as u64,
        });
    }
    if bytes > most { Err(Fault::TooLarge(bytes)) } else { Ok(()) }
}
