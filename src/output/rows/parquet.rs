//! Parquet files again: the rows that are kept, their texts without what was cut out of them.
//!
//! The schema, the order and types of columns, the key-value metadata and each column's compression stay. A column of which
//! nothing changes is copied as it is stored; another one is decoded and encoded value by value in the type that it has.

use std::ops::Range;
use std::sync::Arc;

use parquet::basic::Encoding;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::{ByteArrayType, DataType};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::ColumnDescriptor;

use crate::files::OutputFile;
use crate::input::InputFile;
use crate::input::ranges::without;
use crate::input::rows::parquet::{Bytes, OnColumn, Stored, each_reader, guarded};
use crate::output::rows::{Copy, Edit};

/// Rows that are copied at a time.
const STEP_ROWS: usize = 256;

/// A copy of a Parquet file, written row group by row group.
pub(super) struct Groups {
    reader: SerializedFileReader<Bytes>,
    /// The file itself, for columns that are copied as they are stored.
    stored: Bytes,
    writer: SerializedFileWriter<OutputFile>,
    group: usize,
    edits: Vec<Edit>,
}

/// Begins the copy of a file.
pub(super) fn copy(file: &InputFile, out: OutputFile) -> Result<Groups> {
    let stored = Bytes(file.place.ranges()?);
    let reader = guarded(|| SerializedFileReader::new(stored.clone()))?;
    let metadata = reader.metadata();
    let schema = metadata.file_metadata().schema_descr().root_schema_ptr();
    let writer = SerializedFileWriter::new(out, schema, Arc::new(properties(metadata)))?;
    Ok(Groups { reader, stored, writer, group: 0, edits: Vec::new() })
}

impl Copy for Groups {
    fn put(&mut self, group: usize, edits: Vec<Edit>) -> std::result::Result<(), String> {
        self.advance(group).map_err(|error| error.to_string())?;
        self.edits.extend(edits);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> std::result::Result<OutputFile, String> {
        let groups = self.reader.metadata().num_row_groups();
        self.advance(groups).and_then(|()| self.writer.into_inner()).map_err(|error| error.to_string())
    }
}

impl Groups {
    /// Writes all row groups before one. Rows of which nothing was said could not be read, and are left out.
    fn advance(&mut self, group: usize) -> Result<()> {
        while self.group < group {
            let edits = std::mem::take(&mut self.edits);
            if edits.iter().any(|edit| !edit.drops) {
                self.write_group(&edits)?;
            }
            self.group += 1;
        }
        Ok(())
    }

    fn write_group(&mut self, edits: &[Edit]) -> Result<()> {
        let metadata = self.reader.metadata().row_group(self.group);
        let is_whole = edits.len() as i64 == metadata.num_rows() && edits.iter().all(|edit| !edit.drops);
        let reader = self.reader.get_row_group(self.group)?;
        let mut group = self.writer.next_row_group()?;
        for (number, column) in metadata.columns().iter().enumerate() {
            let is_cut = |edit: &Edit| edit.cuts.as_ref().is_some_and(|(of, _)| *of == number);
            if is_whole && !edits.iter().any(is_cut) {
                group.append_column(&self.stored, as_stored(column, metadata.num_rows() as u64))?;
                continue;
            }
            let mut values = reader.get_column_reader(number)?;
            let mut out = group.next_column()?.ok_or_else(|| ParquetError::General("a column is missing".into()))?;
            let work = CopyColumn { number, descriptor: column.column_descr(), edits, out: &mut out };
            guarded(|| match &mut values {
                ColumnReader::ByteArrayColumnReader(reader) => work.copy::<ByteArrayType>(reader, |value, cuts| {
                    *value = without(value.data(), cuts).into();
                }),
                other => each_reader(other, work),
            })?;
            out.close()?;
        }
        group.close()?;
        Ok(())
    }
}

/// Returns how a copy is written: as the original is, as far as its metadata says.
fn properties(metadata: &ParquetMetaData) -> WriterProperties {
    let file = metadata.file_metadata();
    let mut builder = WriterProperties::builder()
        // Pages that every reader reads: the encodings of the second version are not known to all.
        .set_writer_version(WriterVersion::PARQUET_1_0)
        // A column that is copied as it is stored brings no index of its pages, and one column alone cannot have one.
        .set_offset_index_disabled(true)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_key_value_metadata(file.key_value_metadata().cloned());
    for column in metadata.row_groups().iter().take(1).flat_map(|group| group.columns()) {
        let path = column.column_path().clone();
        let is_dictionary = |encoding| matches!(encoding, Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY);
        builder = builder
            .set_column_compression(path.clone(), column.compression())
            .set_column_dictionary_enabled(path, column.encodings().any(is_dictionary));
    }
    builder.build()
}

fn as_stored(column: &ColumnChunkMetaData, rows: u64) -> ColumnCloseResult {
    ColumnCloseResult {
        bytes_written: u64::try_from(column.compressed_size()).unwrap_or(0),
        rows_written: rows,
        metadata: column.clone(),
        bloom_filter: None,
        column_index: None,
        offset_index: None,
    }
}

/// Copies the rows of a column that are kept.
struct CopyColumn<'a, 'w> {
    number: usize,
    descriptor: &'a ColumnDescriptor,
    edits: &'a [Edit],
    out: &'a mut SerializedColumnWriter<'w>,
}

impl OnColumn for CopyColumn<'_, '_> {
    type Output = ();
    fn on<T: DataType>(self, reader: &mut ColumnReaderImpl<T>) -> Result<()>
    where
        T::T: Stored,
    {
        self.copy(reader, |_, _| ())
    }
}

impl CopyColumn<'_, '_> {
    fn copy<T: DataType>(
        self,
        reader: &mut ColumnReaderImpl<T>,
        cut: impl Fn(&mut T::T, &[Range<usize>]),
    ) -> Result<()> {
        let (most, repeats) = (self.descriptor.max_def_level(), self.descriptor.max_rep_level() > 0);
        let mut row = 0;
        while row < self.edits.len() {
            let want = STEP_ROWS.min(self.edits.len() - row);
            let (mut levels, mut repetitions, mut values) = (Vec::new(), Vec::new(), Vec::new());
            let (records, read, of_levels) =
                reader.read_records(want, Some(&mut levels), Some(&mut repetitions), &mut values)?;
            if records != want {
                return Err(ParquetError::General("a column has fewer rows than its row group".to_owned()));
            }
            let count = if most > 0 { of_levels } else { read };
            let mut kept = (Vec::new(), Vec::new(), Vec::new());
            let mut values = values.into_iter();
            let mut at = row;
            for position in 0..count {
                if position > 0 && (!repeats || repetitions[position] == 0) {
                    at += 1;
                }
                let edit = &self.edits[at];
                let value = if most == 0 || levels[position] == most { values.next() } else { None };
                if edit.drops {
                    continue;
                }
                if let Some(mut value) = value {
                    if let Some((_, cuts)) = edit.cuts.as_ref().filter(|(column, _)| *column == self.number) {
                        cut(&mut value, cuts);
                    }
                    kept.0.push(value);
                }
                kept.1.extend(levels.get(position).filter(|_| most > 0));
                kept.2.extend(repetitions.get(position).filter(|_| repeats));
            }
            let (values, levels, repetitions) = kept;
            let (levels, repetitions) = (Some(&levels[..]), Some(&repetitions[..]));
            self.out.typed::<T>().write_batch(&values, levels.filter(|_| most > 0), repetitions.filter(|_| repeats))?;
            row += want;
        }
        Ok(())
    }
}
