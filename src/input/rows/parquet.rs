//! Rows of Parquet files.
//!
//! Columns are read without a detour over another table format. A few rows are decoded at a time, so that what is held does
//! not depend on how long row groups are.

use std::io::Read;

use parquet::basic::{ConvertedType, LogicalType, TimeUnit};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{AsBytes, DataType};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, FileReader, Length, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use crate::document::Skipped;
use crate::files::Ranges;
use crate::input::fields::Fields;
use crate::input::limits::Limits;
use crate::input::rows::{Column, PIECE_BYTES, PIECE_ROWS, Piece, Position, Row, Rows, choose};
use crate::input::{Cell, InputFile, walk};

/// Rows that are decoded at a time.
const STEP_ROWS: usize = 32;

/// A Parquet file being read.
pub(crate) struct Groups<'a> {
    file: &'a InputFile,
    reader: SerializedFileReader<Bytes>,
    columns: Vec<Column>,
    limits: Limits,
    group: usize,
    in_group: u64,
    row: u64,
    packed_bytes: u64,
    is_begun: bool,
    /// The columns of the row group that is being read.
    open: Option<Vec<ColumnReader>>,
}

/// The bytes of a file, as the decoder asks for them.
#[derive(Clone)]
pub(crate) struct Bytes(pub Ranges);

impl Length for Bytes {
    fn len(&self) -> u64 {
        self.0.bytes()
    }
}

impl ChunkReader for Bytes {
    type T = Box<dyn Read + Send>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(self.0.read_from(start)?)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<bytes::Bytes> {
        let bytes = self.0.read_at(start, length)?;
        if bytes.len() != length {
            return Err(ParquetError::EOF(format!("expected {length} bytes, found {}", bytes.len())));
        }
        Ok(bytes.into())
    }
}

/// Opens a Parquet file, or says why it is none.
fn open(file: &InputFile) -> std::result::Result<SerializedFileReader<Bytes>, Skipped> {
    let opened = file.place.ranges().map_err(|error| walk::skipped_path(file.source.to_string(), &error))?;
    guarded(|| SerializedFileReader::new(Bytes(opened))).map_err(|error| {
        let hint = Some("fetch the file again; its last bytes say where everything is".to_owned());
        file.skipped(None, None, format!("expected a Parquet file, found another or a damaged one: {error}"), hint)
    })
}

impl<'a> Groups<'a> {
    /// Opens a file.
    ///
    /// # Errors
    /// If it is no Parquet file, or has no column that holds a text.
    pub fn open(file: &'a InputFile, fields: &Fields, limits: &Limits) -> std::result::Result<Groups<'a>, Skipped> {
        let reader = open(file)?;
        let schema = reader.metadata().file_metadata().schema_descr_ptr();
        let names: Vec<(String, bool)> =
            schema.columns().iter().map(|column| (column.path().string(), column.max_rep_level() == 0)).collect();
        let columns = choose(file, names.iter().map(|(name, is_single)| (name.as_str(), *is_single)), fields)?;
        Ok(Groups {
            file,
            reader,
            columns,
            limits: *limits,
            group: 0,
            in_group: 0,
            row: 0,
            packed_bytes: 0,
            is_begun: false,
            open: None,
        })
    }

    fn rows_of(&self, group: usize) -> u64 {
        let group = self.reader.metadata().row_groups().get(group);
        group.and_then(|group| u64::try_from(group.num_rows()).ok()).unwrap_or(0)
    }

    /// Returns the share of the file that stands before the next row, in bytes.
    fn packed_until(&self) -> u64 {
        let metadata = self.reader.metadata();
        let total = u64::try_from(metadata.file_metadata().num_rows()).unwrap_or(0);
        if self.group >= metadata.num_row_groups() || total == 0 {
            return self.file.bytes;
        }
        (u128::from(self.file.bytes) * u128::from(self.row.min(total)) / u128::from(total)) as u64
    }

    fn readers(&self) -> Result<Vec<ColumnReader>> {
        let group = self.reader.get_row_group(self.group)?;
        self.columns.iter().map(|column| guarded(|| group.get_column_reader(column.number))).collect()
    }

    fn next_group(&mut self) {
        self.group += 1;
        self.in_group = 0;
        self.open = None;
    }

    /// Reads a few rows; returns how many, and how many bytes their values take.
    fn step(&mut self, rows: &mut Vec<Row>) -> Result<(u64, usize)> {
        let want = STEP_ROWS.min((self.rows_of(self.group) - self.in_group) as usize);
        let mut readers = match self.open.take() {
            Some(readers) => readers,
            None => self.readers()?,
        };
        let first = rows.len();
        let mut bytes = 0;
        let schema = self.reader.metadata().file_metadata().schema_descr_ptr();
        let mut read: Vec<Row> = (0..want).map(|_| Row::default()).collect();
        for (column, reader) in self.columns.iter().zip(&mut readers) {
            let descriptor = schema.column(column.number);
            let values = guarded(|| each_reader(reader, Take { rows: want, descriptor: &descriptor }))?;
            if values.len() != want {
                return Err(ParquetError::General(format!(
                    "column `{}` ends after {} rows more, where its row group has {}",
                    descriptor.path().string(),
                    values.len(),
                    self.rows_of(self.group) - self.in_group
                )));
            }
            for (row, cell) in read.iter_mut().zip(values) {
                bytes += column.offer(cell, &self.limits, row);
            }
        }
        rows.append(&mut read);
        self.open = Some(readers);
        Ok(((rows.len() - first) as u64, bytes))
    }
}

impl Rows for Groups<'_> {
    fn position(&self) -> Position {
        Position { group: self.group, in_group: self.in_group, row: self.row, is_begun: self.is_begun }
    }

    fn go_to(&mut self, position: Position) -> std::result::Result<(), String> {
        (self.group, self.in_group, self.row) = (position.group, position.in_group, position.row);
        self.packed_bytes = self.packed_until();
        self.is_begun = position.is_begun;
        if position.in_group > 0 {
            let skip = || {
                let mut readers = self.readers()?;
                for reader in &mut readers {
                    guarded(|| each_reader(reader, Skip(position.in_group as usize)))?;
                }
                Ok(readers)
            };
            self.open = Some(skip().map_err(|error: ParquetError| error.to_string())?);
        }
        Ok(())
    }

    fn next_piece(&mut self) -> Option<Piece> {
        while self.group < self.reader.metadata().num_row_groups() && self.in_group >= self.rows_of(self.group) {
            self.next_group();
        }
        if self.group >= self.reader.metadata().num_row_groups() && std::mem::replace(&mut self.is_begun, true) {
            return None;
        }
        self.is_begun = true;
        let mut piece =
            Piece { group: self.group, first_row: self.row, rows: Vec::new(), packed_bytes: 0, trouble: None };
        let mut bytes = 0;
        while bytes < PIECE_BYTES && piece.rows.len() < PIECE_ROWS && self.in_group < self.rows_of(self.group) {
            match self.step(&mut piece.rows) {
                Ok((rows, more)) => {
                    self.in_group += rows;
                    self.row += rows;
                    bytes += more;
                }
                Err(error) => {
                    let left = self.rows_of(self.group) - self.in_group;
                    let reason = format!(
                        "row group {} is damaged from here on, with {left} rows left of it: {error}",
                        self.group + 1
                    );
                    let hint = "fetch the file again; the rows before and the other row groups are read".to_owned();
                    piece.trouble = Some(self.file.skipped(Some(self.row), None, reason, Some(hint)));
                    self.row = self.row.saturating_add(left);
                    self.next_group();
                    break;
                }
            }
        }
        let until = self.packed_until();
        piece.packed_bytes = until.saturating_sub(self.packed_bytes);
        self.packed_bytes = until;
        Some(piece)
    }
}

/// Runs the decoder.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    crate::input::rows::guarded(work, ParquetError::General)
}

/// Something to do with a column of any type.
pub(crate) trait OnColumn {
    type Output;
    fn on<T: DataType>(self, reader: &mut ColumnReaderImpl<T>) -> Result<Self::Output>
    where
        T::T: Stored;
}

/// Does something with a column of any type.
pub(crate) fn each_reader<W: OnColumn>(reader: &mut ColumnReader, work: W) -> Result<W::Output> {
    match reader {
        ColumnReader::BoolColumnReader(reader) => work.on(reader),
        ColumnReader::Int32ColumnReader(reader) => work.on(reader),
        ColumnReader::Int64ColumnReader(reader) => work.on(reader),
        ColumnReader::Int96ColumnReader(reader) => work.on(reader),
        ColumnReader::FloatColumnReader(reader) => work.on(reader),
        ColumnReader::DoubleColumnReader(reader) => work.on(reader),
        ColumnReader::ByteArrayColumnReader(reader) => work.on(reader),
        ColumnReader::FixedLenByteArrayColumnReader(reader) => work.on(reader),
    }
}

struct Skip(usize);

impl OnColumn for Skip {
    type Output = ();
    fn on<T: DataType>(self, reader: &mut ColumnReaderImpl<T>) -> Result<()>
    where
        T::T: Stored,
    {
        reader.skip_records(self.0).map(drop)
    }
}

struct Take<'d> {
    rows: usize,
    descriptor: &'d ColumnDescriptor,
}

impl OnColumn for Take<'_> {
    type Output = Vec<Cell<'static>>;
    fn on<T: DataType>(self, reader: &mut ColumnReaderImpl<T>) -> Result<Vec<Cell<'static>>>
    where
        T::T: Stored,
    {
        let (mut levels, mut values) = (Vec::new(), Vec::new());
        let most = self.descriptor.max_def_level();
        let (records, _, _) = reader.read_records(self.rows, Some(&mut levels), None, &mut values)?;
        let mut values = values.into_iter();
        let mut cell = || values.next().map_or(Cell::Null, |value: T::T| value.cell(self.descriptor));
        if most == 0 {
            return Ok((0..records).map(|_| cell()).collect());
        }
        Ok(levels.into_iter().map(|level| if level == most { cell() } else { Cell::Null }).collect())
    }
}

/// A value as it is stored.
pub(crate) trait Stored {
    fn cell(self, column: &ColumnDescriptor) -> Cell<'static>;
}

impl Stored for bool {
    fn cell(self, _: &ColumnDescriptor) -> Cell<'static> {
        Cell::Other("a truth value")
    }
}

impl Stored for i32 {
    fn cell(self, column: &ColumnDescriptor) -> Cell<'static> {
        i64::from(self).cell(column)
    }
}

impl Stored for i64 {
    fn cell(self, column: &ColumnDescriptor) -> Cell<'static> {
        let in_units = |unit: &TimeUnit| match unit {
            TimeUnit::MILLIS => Cell::moment(self, 1_000),
            TimeUnit::MICROS => Cell::moment(self, 1_000_000),
            TimeUnit::NANOS => Cell::moment(self, 1_000_000_000),
        };
        match (column.logical_type_ref(), column.converted_type()) {
            (Some(LogicalType::Date), _) | (None, ConvertedType::DATE) => Cell::day(self),
            (Some(LogicalType::Timestamp(kind)), _) => in_units(&kind.unit),
            (None, ConvertedType::TIMESTAMP_MILLIS) => in_units(&TimeUnit::MILLIS),
            (None, ConvertedType::TIMESTAMP_MICROS) => in_units(&TimeUnit::MICROS),
            (Some(LogicalType::Decimal(_)), _) | (None, ConvertedType::DECIMAL) => Cell::Other("a decimal"),
            (Some(LogicalType::Integer(kind)), _) if !kind.is_signed && kind.bit_width == 64 => {
                Cell::Word((self as u64).to_string())
            }
            (Some(LogicalType::Integer(kind)), _) if !kind.is_signed && kind.bit_width == 32 => {
                Cell::Word((self as u32).to_string())
            }
            _ => Cell::Word(self.to_string()),
        }
    }
}

impl Stored for parquet::data_type::Int96 {
    fn cell(self, _: &ColumnDescriptor) -> Cell<'static> {
        // Days since the beginning of 4713 BC and nanoseconds of the day, as older writers stored times.
        let data = self.data();
        let (days, nanoseconds) = (i64::from(data[2]) - 2_440_588, u64::from(data[1]) << 32 | u64::from(data[0]));
        let micros = days.checked_mul(86_400_000_000).and_then(|day| day.checked_add((nanoseconds / 1000) as i64));
        micros.map_or(Cell::Other("a time out of range"), |micros| Cell::moment(micros, 1_000_000))
    }
}

impl Stored for f32 {
    fn cell(self, _: &ColumnDescriptor) -> Cell<'static> {
        Cell::real(self.into(), self.to_string())
    }
}

impl Stored for f64 {
    fn cell(self, _: &ColumnDescriptor) -> Cell<'static> {
        Cell::real(self, self.to_string())
    }
}

impl Stored for parquet::data_type::ByteArray {
    fn cell(self, column: &ColumnDescriptor) -> Cell<'static> {
        if matches!(column.logical_type_ref(), Some(LogicalType::Decimal(_) | LogicalType::Bson)) {
            return Cell::Other("bytes");
        }
        Cell::bytes(self.data()).into_owned()
    }
}

impl Stored for parquet::data_type::FixedLenByteArray {
    fn cell(self, column: &ColumnDescriptor) -> Cell<'static> {
        match (column.logical_type_ref(), self.as_bytes()) {
            (Some(LogicalType::Uuid), bytes) if bytes.len() == 16 => {
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
                Cell::Word(parts.join("-"))
            }
            _ => Cell::Other("bytes"),
        }
    }
}
