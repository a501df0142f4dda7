//! Rows of Arrow IPC: files (Feather of the second version) and streams.
//!
//! A record batch is held at a time, whole, for its values refer to each other; of its columns those that mean something
//! are decoded.

use std::io::BufReader;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Fields as Children, Schema, TimeUnit};

use crate::document::Skipped;
use crate::files::Seeker;
use crate::input::fields::Fields;
use crate::input::limits::Limits;
use crate::input::rows::messages::{Fault, Messages};
use crate::input::rows::{Column, PIECE_BYTES, PIECE_ROWS, Piece, Position, Row, Rows, choose};
use crate::input::{Cell, InputFile, walk};

/// Bytes read at once.
pub(crate) const READ_BYTES: usize = 256 << 10;

/// A single value of a row: a column, or a field of one that is a struct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    /// Its name, with those of the structs around it before it: `meta.url`.
    pub name: String,
    /// The number of the column, and of the field in each struct on the way.
    pub path: Vec<usize>,
    is_single: bool,
}

/// Returns the single values of a row, in order.
pub(crate) fn leaves(schema: &Schema) -> Vec<Leaf> {
    fn walk(fields: &Children, name: &str, path: &[usize], out: &mut Vec<Leaf>) {
        for (number, field) in fields.iter().enumerate() {
            let name = if name.is_empty() { field.name().clone() } else { format!("{name}.{}", field.name()) };
            let path = [path, &[number]].concat();
            match field.data_type() {
                DataType::Struct(fields) => walk(fields, &name, &path, out),
                other => out.push(Leaf { name, path, is_single: !other.is_nested() }),
            }
        }
    }

    let mut out = Vec::new();
    walk(schema.fields(), "", &[], &mut out);
    out
}

/// Opens a file of record batches, or says why it is none.
pub(crate) fn open(file: &InputFile, limits: &Limits) -> Result<Messages<BufReader<Seeker>>, Skipped> {
    let trouble = |reason: String, hint: &str| {
        let reason = format!("expected Arrow IPC, found something else or a damaged file: {reason}");
        file.skipped(None, None, reason, Some(hint.to_owned()))
    };
    let opened = file.place.ranges().map_err(|error| walk::skipped_path(file.source.to_string(), &error))?;
    // A batch is held as it is stored and as it is decoded, beside all else that a run holds.
    Messages::open(BufReader::with_capacity(READ_BYTES, opened.seeker()), limits.memory_bytes / 4).map_err(|reason| {
        let hint = if reason.starts_with("Feather") {
            "write it again with a newer program: `pandas.DataFrame.to_feather` does"
        } else {
            "fetch the file again, or write it again"
        };
        trouble(reason, hint)
    })
}

/// A file of record batches, being read.
pub(crate) struct Batches<'a> {
    file: &'a InputFile,
    messages: Messages<BufReader<Seeker>>,
    columns: Vec<Column>,
    /// Where the values of each of those columns stand in a decoded batch: the column in it, and the fields in that.
    paths: Vec<Vec<usize>>,
    /// The columns that are decoded.
    decoded: Vec<usize>,
    limits: Limits,
    position: Position,
    packed_bytes: u64,
    /// The batch that is being read.
    open: Option<RecordBatch>,
}

impl<'a> Batches<'a> {
    /// Opens a file.
    ///
    /// # Errors
    /// If it is no Arrow IPC, or has no column that holds a text.
    pub fn open(file: &'a InputFile, fields: &Fields, limits: &Limits) -> Result<Batches<'a>, Skipped> {
        let messages = open(file, limits)?;
        let leaves = leaves(messages.schema());
        let columns = choose(file, leaves.iter().map(|leaf| (leaf.name.as_str(), leaf.is_single)), fields)?;
        let mut decoded: Vec<usize> = columns.iter().map(|column| leaves[column.number].path[0]).collect();
        decoded.sort_unstable();
        decoded.dedup();
        let in_batch = |column: &Column| {
            let mut path = leaves[column.number].path.clone();
            path[0] = decoded.binary_search(&path[0]).expect("it is decoded");
            path
        };
        let paths = columns.iter().map(in_batch).collect();
        let (limits, position) = (*limits, Position::default());
        Ok(Batches { file, messages, columns, paths, decoded, limits, position, packed_bytes: 0, open: None })
    }

    /// Goes to the next batch that has rows left; none at the end. What is wrong with it is told.
    fn advance(&mut self) -> Option<Result<(), Skipped>> {
        while self.open.as_ref().is_none_or(|batch| self.position.in_group >= batch.num_rows() as u64) {
            self.position.group += usize::from(self.open.take().is_some());
            self.position.in_group = 0;
            let packed = self.messages.next(false)?;
            let rows = packed.as_ref().map_or(0, |packed| packed.rows());
            match packed.and_then(|packed| self.messages.decode(&packed, Some(&self.decoded))) {
                Ok(batch) => self.open = Some(batch),
                Err(fault) => {
                    let trouble = self.told(fault, rows);
                    self.position.group += 1;
                    self.position.row = self.position.row.saturating_add(rows);
                    return Some(Err(trouble));
                }
            }
        }
        Some(Ok(()))
    }

    fn told(&self, fault: Fault, rows: u64) -> Skipped {
        let batch = self.position.group + 1;
        let (reason, hint) = match fault {
            Fault::Torn(what) => (
                format!("the file is torn or damaged in record batch {batch}: {what}"),
                "fetch the file again; the rows before are read".to_owned(),
            ),
            Fault::Damaged(what) => (
                format!("record batch {batch} is damaged, with {rows} rows: {what}"),
                "fetch the file again; the other record batches are read".to_owned(),
            ),
            Fault::TooLarge(bytes) => (
                format!(
                    "record batch {batch} takes {} MiB, more than a quarter of the memory given ({} MiB)",
                    bytes >> 20,
                    self.limits.memory_bytes >> 20
                ),
                "raise `--memory`, or write the file again in smaller record batches".to_owned(),
            ),
        };
        self.file.skipped(Some(self.position.row), None, reason, Some(hint))
    }
}

impl Rows for Batches<'_> {
    fn position(&self) -> Position {
        self.position
    }

    fn go_to(&mut self, position: Position) -> Result<(), String> {
        while self.position.group < position.group {
            match self.messages.next(true) {
                None => return Err("it is shorter than it was".to_owned()),
                Some(Err(Fault::Torn(what))) => return Err(what),
                // One that is damaged was told of before.
                _ => self.position.group += 1,
            }
        }
        self.packed_bytes = self.messages.bytes_read();
        if position.in_group > 0 {
            let packed = self.messages.next(false).ok_or("it is shorter than it was")?;
            let batch = packed.and_then(|packed| self.messages.decode(&packed, Some(&self.decoded)));
            self.open = Some(batch.map_err(|fault| fault.to_string())?);
        }
        self.position = position;
        Ok(())
    }

    fn next_piece(&mut self) -> Option<Piece> {
        let advanced = self.advance();
        if advanced.is_none() && self.position.is_begun {
            return None;
        }
        self.position.is_begun = true;
        let trouble = advanced.and_then(Result::err);
        let group = self.position.group - usize::from(trouble.is_some());
        let mut piece = Piece { group, first_row: self.position.row, rows: Vec::new(), packed_bytes: 0, trouble };
        if let Some(batch) = &self.open {
            let values: Vec<Values> = self.paths.iter().map(|path| Values::of(batch, path)).collect();
            let mut bytes = 0;
            let mut at = self.position.in_group as usize;
            while at < batch.num_rows() && bytes < PIECE_BYTES && piece.rows.len() < PIECE_ROWS {
                let mut row = Row::default();
                for (column, values) in self.columns.iter().zip(&values) {
                    bytes += column.offer(values.cell(at), &self.limits, &mut row);
                }
                piece.rows.push(row);
                at += 1;
            }
            self.position.in_group = at as u64;
            self.position.row += piece.rows.len() as u64;
        }
        piece.packed_bytes = self.messages.bytes_read() - self.packed_bytes;
        self.packed_bytes = self.messages.bytes_read();
        Some(piece)
    }
}

/// The values of a column in a batch, and the structs around it, any of which may be missing in a row.
struct Values<'b> {
    around: Vec<&'b ArrayRef>,
    values: &'b ArrayRef,
}

impl<'b> Values<'b> {
    fn of(batch: &'b RecordBatch, path: &[usize]) -> Values<'b> {
        let mut around = Vec::new();
        let mut values = batch.column(path[0]);
        for field in &path[1..] {
            around.push(values);
            values = values.as_struct().column(*field);
        }
        Values { around, values }
    }

    fn cell(&self, row: usize) -> Cell<'b> {
        if self.around.iter().any(|array| array.is_null(row)) { Cell::Null } else { cell(self.values, row) }
    }
}

/// Returns a value of an array of Arrow, as the words of documents.
///
/// # Panics
/// If the array has no such row.
pub fn cell(array: &dyn Array, row: usize) -> Cell<'_> {
    if array.is_null(row) {
        return Cell::Null;
    }
    match array.data_type() {
        DataType::Null => Cell::Null,
        DataType::Utf8 => Cell::Text(array.as_string::<i32>().value(row).into()),
        DataType::LargeUtf8 => Cell::Text(array.as_string::<i64>().value(row).into()),
        DataType::Utf8View => Cell::Text(array.as_string_view().value(row).into()),
        DataType::Binary => Cell::bytes(array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => Cell::bytes(array.as_binary::<i64>().value(row)),
        DataType::BinaryView => Cell::bytes(array.as_binary_view().value(row)),
        DataType::Dictionary(..) => of_dictionary(array, row),
        DataType::Int8 => word::<Int8Type>(array, row),
        DataType::Int16 => word::<Int16Type>(array, row),
        DataType::Int32 => word::<Int32Type>(array, row),
        DataType::Int64 => word::<Int64Type>(array, row),
        DataType::UInt8 => word::<UInt8Type>(array, row),
        DataType::UInt16 => word::<UInt16Type>(array, row),
        DataType::UInt32 => word::<UInt32Type>(array, row),
        DataType::UInt64 => word::<UInt64Type>(array, row),
        DataType::Float16 => real::<Float16Type>(array, row),
        DataType::Float32 => real::<Float32Type>(array, row),
        DataType::Float64 => real::<Float64Type>(array, row),
        DataType::Date32 => Cell::day(array.as_primitive::<Date32Type>().value(row).into()),
        DataType::Date64 => Cell::day(array.as_primitive::<Date64Type>().value(row).div_euclid(86_400_000)),
        DataType::Timestamp(TimeUnit::Second, _) => {
            Cell::moment(array.as_primitive::<TimestampSecondType>().value(row), 1)
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            Cell::moment(array.as_primitive::<TimestampMillisecondType>().value(row), 1_000)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Cell::moment(array.as_primitive::<TimestampMicrosecondType>().value(row), 1_000_000)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            Cell::moment(array.as_primitive::<TimestampNanosecondType>().value(row), 1_000_000_000)
        }
        DataType::Boolean => Cell::Other("a truth value"),
        DataType::Struct(_) | DataType::Map(..) => Cell::Other("an object"),
        DataType::List(_) | DataType::LargeList(_) | DataType::ListView(_) | DataType::FixedSizeList(..) => {
            Cell::Other("a list")
        }
        DataType::FixedSizeBinary(_) => Cell::Other("bytes"),
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            Cell::Other("a decimal")
        }
        _ => Cell::Other("a value of another kind"),
    }
}

fn word<T: ArrowPrimitiveType<Native: ToString>>(array: &dyn Array, row: usize) -> Cell<'_> {
    Cell::Word(array.as_primitive::<T>().value(row).to_string())
}

fn real<T: ArrowPrimitiveType<Native: ToString + Copy + Into<f64>>>(array: &dyn Array, row: usize) -> Cell<'_> {
    let value = array.as_primitive::<T>().value(row);
    Cell::real(value.into(), value.to_string())
}

fn of_dictionary(array: &dyn Array, row: usize) -> Cell<'_> {
    let dictionary = array.as_any_dictionary();
    match key(dictionary.keys(), row) {
        Some(key) if key < dictionary.values().len() => cell(dictionary.values(), key),
        _ => Cell::Other("a value that its dictionary has not"),
    }
}

/// Returns which value of its dictionary a row has.
fn key(keys: &dyn Array, row: usize) -> Option<usize> {
    macro_rules! key {
        ($kind:ty) => {
            usize::try_from(keys.as_primitive::<$kind>().value(row)).ok()
        };
    }
    match keys.data_type() {
        DataType::Int8 => key!(Int8Type),
        DataType::Int16 => key!(Int16Type),
        DataType::Int32 => key!(Int32Type),
        DataType::Int64 => key!(Int64Type),
        DataType::UInt8 => key!(UInt8Type),
        DataType::UInt16 => key!(UInt16Type),
        DataType::UInt32 => key!(UInt32Type),
        DataType::UInt64 => key!(UInt64Type),
        _ => None,
    }
}
