//! Rows of Parquet files.
//!
//! Columns are read by the types that they are stored in, without a detour over another table format: those that mean
//! something, and none of the others. A few rows are decoded at a time, so that what is held does not depend on how long row
//! groups are.

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use parquet::basic::{ConvertedType, LogicalType, TimeUnit};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{AsBytes, DataType};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, FileReader, Length, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;
use serde::{Deserialize, Serialize};

use crate::document::Skipped;
use crate::files::Ranges;
use crate::hash::{hash64, mix64};
use crate::input::InputFile;
use crate::input::fields::{self, Field, Fields, Meaning, Value};
use crate::input::limits::Limits;

/// Bytes of text that a piece ends after.
const PIECE_BYTES: usize = 1 << 20;
/// Rows that are decoded at a time.
const STEP_ROWS: usize = 32;
/// Rows that a piece has at most.
const PIECE_ROWS: usize = 4096;
/// Columns that a message names.
const NAMED: usize = 30;

/// Some rows of a row group.
pub(crate) struct Piece {
    /// The row group.
    pub group: usize,
    /// The number of the first row in the file.
    pub first_row: u64,
    /// What each row says, or why it cannot be taken.
    pub rows: Vec<Row>,
    /// Bytes of the file that were read for it, about.
    pub packed_bytes: u64,
    /// What is wrong after these rows.
    pub trouble: Option<Skipped>,
}

/// A row.
pub(crate) struct Row {
    /// What it says.
    pub record: fields::Record,
    /// The column that its text is in.
    pub text_column: Option<usize>,
}

impl Piece {
    /// Returns a digest of what the rows say.
    pub fn digest(&self) -> u64 {
        let seed = mix64(self.first_row ^ (self.group as u64) << 40);
        self.rows.iter().fold(seed, |digest, row| {
            row.record.values().fold(mix64(digest), |digest, value| match value {
                Value::Given(text) => mix64(digest ^ hash64(text.as_bytes())),
                _ => mix64(digest),
            })
        })
    }
}

/// Where the reading of a file stands.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Position {
    group: usize,
    in_group: u64,
    row: u64,
    is_begun: bool,
}

/// A Parquet file being read.
pub(crate) struct Rows<'a> {
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

/// A column that means something.
struct Column {
    number: usize,
    meanings: Vec<Meaning>,
}

/// Opens a Parquet file, or says why it is none.
fn open(file: &InputFile) -> std::result::Result<SerializedFileReader<Bytes>, Skipped> {
    let opened = file.place.ranges().map_err(|error| super::walk::skipped_path(file.source.to_string(), &error))?;
    guarded(|| SerializedFileReader::new(Bytes(opened))).map_err(|error| {
        let hint = Some("fetch the file again; its last bytes say where everything is".to_owned());
        file.skipped(None, None, format!("expected a Parquet file, found another or a damaged one: {error}"), hint)
    })
}

impl<'a> Rows<'a> {
    /// Opens a file.
    ///
    /// # Errors
    /// If it is no Parquet file, or has no column that holds a text.
    pub fn open(file: &'a InputFile, fields: &Fields, limits: &Limits) -> std::result::Result<Rows<'a>, Skipped> {
        let reader = open(file)?;
        let schema = reader.metadata().file_metadata().schema_descr();
        let mut columns = Vec::new();
        for (number, column) in schema.columns().iter().enumerate() {
            let meanings = fields.meanings(&column.path().string());
            if !meanings.is_empty() && column.max_rep_level() == 0 {
                columns.push(Column { number, meanings: meanings.to_vec() });
            }
        }
        let is_text = |column: &Column| column.meanings.iter().any(|meaning| meaning.field == Field::Text);
        if !columns.iter().any(is_text) {
            let names: Vec<String> =
                schema.columns().iter().take(NAMED).map(|column| format!("`{}`", column.path().string())).collect();
            let more = schema.num_columns().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let reason = format!("expected a column `{}`, found {}{more}", fields.text_names()[0], names.join(", "));
            let hint = "name the column of the text with `--text-field`".to_owned();
            return Err(file.skipped(None, None, reason, Some(hint)));
        }
        Ok(Rows {
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

    /// Returns where reading stands.
    pub fn position(&self) -> Position {
        Position { group: self.group, in_group: self.in_group, row: self.row, is_begun: self.is_begun }
    }

    /// Goes to where reading stood.
    pub fn at(mut self, position: Position) -> Result<Rows<'a>> {
        (self.group, self.in_group, self.row) = (position.group, position.in_group, position.row);
        self.packed_bytes = self.packed_until();
        self.is_begun = position.is_begun;
        if position.in_group > 0 {
            let mut readers = self.readers()?;
            for reader in &mut readers {
                guarded(|| each_reader(reader, Skip(position.in_group as usize)))?;
            }
            self.open = Some(readers);
        }
        Ok(self)
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

    /// Returns the next rows, none at the end.
    pub fn next_piece(&mut self) -> Option<Piece> {
        while self.group < self.reader.metadata().num_row_groups() && self.in_group >= self.rows_of(self.group) {
            self.next_group();
        }
        // A file without rows is one piece, so that it has a copy.
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
        let mut read: Vec<Row> =
            (0..want).map(|_| Row { record: fields::Record::default(), text_column: None }).collect();
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
            for (row, value) in read.iter_mut().zip(values) {
                for meaning in &column.meanings {
                    let is_text = meaning.field == Field::Text;
                    let value = match &value {
                        Cell::Text(text) if text.len() as u64 > self.limits.record_bytes => {
                            Value::Wrong(self.limits.too_long_value())
                        }
                        Cell::Text(text) if text.is_empty() => Value::Missing,
                        Cell::Text(text) => {
                            bytes += text.len();
                            Value::Given(text.clone())
                        }
                        Cell::Word(word) if !is_text => Value::Given(word.clone()),
                        Cell::Word(_) => Value::Wrong("a number"),
                        Cell::Null => Value::Missing,
                        Cell::Other(what) => Value::Wrong(what),
                    };
                    if row.record.offer(*meaning, value) && is_text {
                        row.text_column = Some(column.number);
                    }
                }
            }
        }
        rows.append(&mut read);
        self.open = Some(readers);
        Ok(((rows.len() - first) as u64, bytes))
    }
}

/// What stands in a cell.
enum Cell {
    Null,
    Text(String),
    /// A number or a time, in words.
    Word(String),
    Other(&'static str),
}

/// Runs what decodes bytes from outside: files made to mislead can bring the decoder down.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(ParquetError::General("the decoder cannot make sense of it".to_owned())))
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
    type Output = Vec<Cell>;
    fn on<T: DataType>(self, reader: &mut ColumnReaderImpl<T>) -> Result<Vec<Cell>>
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
    #[allow(private_interfaces, reason = "the trait is sealed by what it returns")]
    fn cell(self, column: &ColumnDescriptor) -> Cell;
}

impl Stored for bool {
    #[allow(private_interfaces)]
    fn cell(self, _: &ColumnDescriptor) -> Cell {
        Cell::Other("a truth value")
    }
}

impl Stored for i32 {
    #[allow(private_interfaces)]
    fn cell(self, column: &ColumnDescriptor) -> Cell {
        i64::from(self).cell(column)
    }
}

impl Stored for i64 {
    #[allow(private_interfaces)]
    fn cell(self, column: &ColumnDescriptor) -> Cell {
        let in_units = |unit: &TimeUnit| match unit {
            TimeUnit::MILLIS => Timestamp::from_millisecond(self),
            TimeUnit::MICROS => Timestamp::from_microsecond(self),
            TimeUnit::NANOS => Timestamp::from_nanosecond(i128::from(self)),
        };
        let time = match (column.logical_type_ref(), column.converted_type()) {
            (Some(LogicalType::Date), _) | (None, ConvertedType::DATE) => {
                let days = SignedDuration::try_from_hours(self.saturating_mul(24));
                let date = days.and_then(|days| Date::constant(1970, 1, 1).checked_add(days).ok());
                return date.map_or(Cell::Other("a date out of range"), |date| Cell::Word(date.to_string()));
            }
            (Some(LogicalType::Timestamp(kind)), _) => in_units(&kind.unit),
            (None, ConvertedType::TIMESTAMP_MILLIS) => in_units(&TimeUnit::MILLIS),
            (None, ConvertedType::TIMESTAMP_MICROS) => in_units(&TimeUnit::MICROS),
            (Some(LogicalType::Decimal(_)), _) | (None, ConvertedType::DECIMAL) => return Cell::Other("a decimal"),
            (Some(LogicalType::Integer(kind)), _) if !kind.is_signed && kind.bit_width == 64 => {
                return Cell::Word((self as u64).to_string());
            }
            (Some(LogicalType::Integer(kind)), _) if !kind.is_signed && kind.bit_width == 32 => {
                return Cell::Word((self as u32).to_string());
            }
            _ => return Cell::Word(self.to_string()),
        };
        time.map_or(Cell::Other("a time out of range"), |time| Cell::Word(time.to_string()))
    }
}

impl Stored for parquet::data_type::Int96 {
    #[allow(private_interfaces)]
    fn cell(self, _: &ColumnDescriptor) -> Cell {
        // Days since the beginning of 4713 BC and nanoseconds of the day, as older writers stored times.
        let data = self.data();
        let (days, nanoseconds) = (i64::from(data[2]) - 2_440_588, u64::from(data[1]) << 32 | u64::from(data[0]));
        let micros = days.checked_mul(86_400_000_000).and_then(|day| day.checked_add((nanoseconds / 1000) as i64));
        let time = micros.and_then(|micros| Timestamp::from_microsecond(micros).ok());
        time.map_or(Cell::Other("a time out of range"), |time| Cell::Word(time.to_string()))
    }
}

impl Stored for f32 {
    #[allow(private_interfaces)]
    fn cell(self, _: &ColumnDescriptor) -> Cell {
        if self.is_nan() { Cell::Null } else { Cell::Word(self.to_string()) }
    }
}

impl Stored for f64 {
    #[allow(private_interfaces)]
    fn cell(self, _: &ColumnDescriptor) -> Cell {
        if self.is_nan() { Cell::Null } else { Cell::Word(self.to_string()) }
    }
}

impl Stored for parquet::data_type::ByteArray {
    #[allow(private_interfaces)]
    fn cell(self, column: &ColumnDescriptor) -> Cell {
        if matches!(column.logical_type_ref(), Some(LogicalType::Decimal(_) | LogicalType::Bson)) {
            return Cell::Other("bytes");
        }
        match std::str::from_utf8(self.data()) {
            Ok(text) => Cell::Text(text.to_owned()),
            Err(_) => Cell::Other("bytes that are no UTF-8"),
        }
    }
}

impl Stored for parquet::data_type::FixedLenByteArray {
    #[allow(private_interfaces)]
    fn cell(self, column: &ColumnDescriptor) -> Cell {
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
