//! Arrow IPC again: the schema with its metadata, the form (file or stream), the record batches and their compression stay.

use std::io::BufReader;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, BinaryArray, BinaryViewArray, BooleanArray, LargeBinaryArray, LargeStringArray, RecordBatch,
    StringArray, StringViewArray, StructArray,
};
use arrow_ipc::writer::{DictionaryHandling, FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::{ArrowError, DataType};
use arrow_select::filter::filter_record_batch;

use crate::files::{OutputFile, Seeker};
use crate::input::InputFile;
use crate::input::ranges::without;
use crate::input::rows::arrow::{Leaf, READ_BYTES, leaves};
use crate::input::rows::guarded;
use crate::input::rows::messages::{Fault, Messages, Packed};
use crate::output::rows::{Copy, Edit};

/// Writes record batches.
enum Writer {
    File(FileWriter<OutputFile>),
    Stream(StreamWriter<OutputFile>),
}

impl Writer {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        match self {
            Writer::File(writer) => writer.write(batch),
            Writer::Stream(writer) => writer.write(batch),
        }
    }

    fn finish(self) -> Result<OutputFile, ArrowError> {
        match self {
            Writer::File(writer) => writer.into_inner(),
            Writer::Stream(writer) => writer.into_inner(),
        }
    }
}

/// A copy of a file of record batches.
pub(super) struct Batches {
    messages: Messages<BufReader<Seeker>>,
    /// The first batch, which was looked at before the copy began.
    first: Option<Result<Packed, Fault>>,
    leaves: Vec<Leaf>,
    writer: Writer,
    group: usize,
    edits: Vec<Edit>,
}

/// Begins the copy of a file.
pub(super) fn copy(file: &InputFile, out: OutputFile) -> Result<Batches, String> {
    // It was read before, within the memory of the run: here as much may be held.
    let opened = file.place.ranges().map_err(|error| error.to_string())?;
    let mut messages = Messages::open(BufReader::with_capacity(READ_BYTES, opened.seeker()), u64::MAX)?;
    let first = messages.next(false);
    let compression = first.as_ref().and_then(|first| first.as_ref().ok()).and_then(Packed::compression);
    let options = IpcWriteOptions::default()
        .with_dictionary_handling(DictionaryHandling::Delta)
        .try_with_compression(compression);
    let schema = messages.schema();
    let begin = |options| match messages.is_file() {
        true => FileWriter::try_new_with_options(out, schema, options).map(Writer::File),
        false => StreamWriter::try_new_with_options(out, schema, options).map(Writer::Stream),
    };
    let writer = options.and_then(begin).map_err(|error| error.to_string())?;
    Ok(Batches { leaves: leaves(schema), messages, first, writer, group: 0, edits: Vec::new() })
}

impl Copy for Batches {
    fn put(&mut self, group: usize, edits: Vec<Edit>) -> Result<(), String> {
        while self.group < group {
            let edits = std::mem::take(&mut self.edits);
            self.write_batch(&edits)?;
            self.group += 1;
        }
        self.edits.extend(edits);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<OutputFile, String> {
        let edits = std::mem::take(&mut self.edits);
        self.write_batch(&edits)?;
        if let Writer::File(writer) = &mut self.writer {
            self.messages.metadata().iter().for_each(|(key, value)| writer.write_metadata(key, value));
        }
        self.writer.finish().map_err(|error| error.to_string())
    }
}

impl Batches {
    /// Writes what is kept of the next batch.
    fn write_batch(&mut self, edits: &[Edit]) -> Result<(), String> {
        let is_wanted = edits.iter().any(|edit| !edit.drops);
        let packed = match self.first.take().or_else(|| self.messages.next(!is_wanted)) {
            Some(Ok(packed)) if is_wanted => packed,
            Some(Err(fault)) if is_wanted => return Err(fault.to_string()),
            _ => return Ok(()),
        };
        let batch = self.messages.decode(&packed, None).map_err(|fault| fault.to_string())?;
        let written = guarded(|| self.writer.write(&edited(&batch, edits, &self.leaves)?), ArrowError::IpcError);
        written.map_err(|error| error.to_string())
    }
}

/// Returns the rows of a batch that are kept, their texts cut.
fn edited(batch: &RecordBatch, edits: &[Edit], leaves: &[Leaf]) -> Result<RecordBatch, ArrowError> {
    let mut columns = batch.columns().to_vec();
    let mut cut: Vec<usize> = edits.iter().filter_map(|edit| edit.cuts.as_ref()).map(|(column, _)| *column).collect();
    cut.sort_unstable();
    cut.dedup();
    for number in cut {
        let cuts_of = |row: usize| match edits.get(row).and_then(|edit| edit.cuts.as_ref()) {
            Some((column, cuts)) if *column == number => &cuts[..],
            _ => &[],
        };
        let path = &leaves[number].path;
        columns[path[0]] = without_cuts(&columns[path[0]], &path[1..], &cuts_of)?;
    }
    let batch = RecordBatch::try_new(batch.schema(), columns)?;
    let is_kept = |row: usize| edits.get(row).is_some_and(|edit| !edit.drops);
    if (0..batch.num_rows()).all(is_kept) {
        return Ok(batch);
    }
    filter_record_batch(&batch, &BooleanArray::from_iter((0..batch.num_rows()).map(|row| Some(is_kept(row)))))
}

/// Returns the texts of an array, or of a field in it, without what is cut out of each.
fn without_cuts<'e>(
    array: &ArrayRef,
    path: &[usize],
    cuts_of: &dyn Fn(usize) -> &'e [Range<usize>],
) -> Result<ArrayRef, ArrowError> {
    if let Some((field, rest)) = path.split_first() {
        let (fields, mut columns, nulls) = array.as_struct().clone().into_parts();
        columns[*field] = without_cuts(&columns[*field], rest, cuts_of)?;
        return Ok(Arc::new(StructArray::try_new(fields, columns, nulls)?));
    }
    let is_there = |row: usize| array.is_valid(row);
    macro_rules! cut {
        ($to:ty, $from:expr) => {{
            let from = $from;
            let bytes = |row: usize| is_there(row).then(|| without(from.value(row).as_ref(), cuts_of(row)));
            Arc::new((0..array.len()).map(bytes).collect::<$to>()) as ArrayRef
        }};
        (text $to:ty, $from:expr) => {{
            let from = $from;
            let text = |row: usize| {
                let bytes = is_there(row).then(|| without(from.value(row).as_bytes(), cuts_of(row)));
                bytes.map(|bytes| String::from_utf8(bytes).expect("spans end between characters"))
            };
            Arc::new((0..array.len()).map(text).collect::<$to>()) as ArrayRef
        }};
    }
    Ok(match array.data_type() {
        DataType::Utf8 => cut!(text StringArray, array.as_string::<i32>()),
        DataType::LargeUtf8 => cut!(text LargeStringArray, array.as_string::<i64>()),
        DataType::Utf8View => cut!(text StringViewArray, array.as_string_view()),
        DataType::Binary => cut!(BinaryArray, array.as_binary::<i32>()),
        DataType::LargeBinary => cut!(LargeBinaryArray, array.as_binary::<i64>()),
        DataType::BinaryView => cut!(BinaryViewArray, array.as_binary_view()),
        other => {
            let what = format!("its texts are stored as {other}; write the file again with a plain column of texts");
            return Err(ArrowError::NotYetImplemented(what));
        }
    })
}
