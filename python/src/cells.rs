//! Cells of Arrow arrays as the words of documents: the same words as of a Parquet file that holds them.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, ArrowPrimitiveType, Date32Type, Date64Type, Float16Type, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, downcast_dictionary_array};
use arrow_schema::{DataType, TimeUnit};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use retold::input::Cell;

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// Returns what stands at a place of an array.
pub fn cell(array: &dyn Array, at: usize) -> Cell<'_> {
    if array.is_null(at) {
        return Cell::Null;
    }
    match array.data_type() {
        DataType::Null => Cell::Null,
        DataType::Utf8 => Cell::Text(array.as_string::<i32>().value(at)),
        DataType::LargeUtf8 => Cell::Text(array.as_string::<i64>().value(at)),
        DataType::Utf8View => Cell::Text(array.as_string_view().value(at)),
        DataType::Binary => bytes(array.as_binary::<i32>().value(at)),
        DataType::LargeBinary => bytes(array.as_binary::<i64>().value(at)),
        DataType::BinaryView => bytes(array.as_binary_view().value(at)),
        DataType::Int8 => number::<Int8Type>(array, at),
        DataType::Int16 => number::<Int16Type>(array, at),
        DataType::Int32 => number::<Int32Type>(array, at),
        DataType::Int64 => number::<Int64Type>(array, at),
        DataType::UInt8 => number::<UInt8Type>(array, at),
        DataType::UInt16 => number::<UInt16Type>(array, at),
        DataType::UInt32 => number::<UInt32Type>(array, at),
        DataType::UInt64 => number::<UInt64Type>(array, at),
        DataType::Float16 => real(array.as_primitive::<Float16Type>().value(at).to_f32()),
        DataType::Float32 => real(array.as_primitive::<Float32Type>().value(at)),
        DataType::Float64 => {
            let value = array.as_primitive::<Float64Type>().value(at);
            if value.is_nan() { Cell::Null } else { Cell::Word(value.to_string()) }
        }
        DataType::Date32 => day(i64::from(array.as_primitive::<Date32Type>().value(at))),
        DataType::Date64 => day(array.as_primitive::<Date64Type>().value(at).div_euclid(DAY)),
        DataType::Timestamp(unit, _) => time(array, at, *unit),
        DataType::Dictionary(..) => of_dictionary(array, at),
        DataType::Boolean => Cell::Other("a truth value"),
        DataType::Struct(_) | DataType::Map(..) => Cell::Other("an object"),
        DataType::List(_) | DataType::LargeList(_) | DataType::ListView(_) | DataType::FixedSizeList(..) => {
            Cell::Other("a list")
        }
        DataType::FixedSizeBinary(_) => Cell::Other("bytes"),
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            Cell::Other("a decimal")
        }
        _ => Cell::Other("a value of another type"),
    }
}

fn bytes(value: &[u8]) -> Cell<'_> {
    std::str::from_utf8(value).map_or(Cell::Other("bytes that are no UTF-8"), Cell::Text)
}

fn number<T: ArrowPrimitiveType<Native: ToString>>(array: &dyn Array, at: usize) -> Cell<'_> {
    Cell::Word(array.as_primitive::<T>().value(at).to_string())
}

/// What is no number is how data frames say that there is none.
fn real(value: f32) -> Cell<'static> {
    if value.is_nan() { Cell::Null } else { Cell::Word(value.to_string()) }
}

fn day(days: i64) -> Cell<'static> {
    let days = SignedDuration::try_from_hours(days.saturating_mul(24));
    let date = days.and_then(|days| Date::constant(1970, 1, 1).checked_add(days).ok());
    date.map_or(Cell::Other("a date out of range"), |date| Cell::Word(date.to_string()))
}

fn time(array: &dyn Array, at: usize, unit: TimeUnit) -> Cell<'_> {
    let time = match unit {
        TimeUnit::Second => Timestamp::from_second(array.as_primitive::<TimestampSecondType>().value(at)),
        TimeUnit::Millisecond => {
            Timestamp::from_millisecond(array.as_primitive::<TimestampMillisecondType>().value(at))
        }
        TimeUnit::Microsecond => {
            Timestamp::from_microsecond(array.as_primitive::<TimestampMicrosecondType>().value(at))
        }
        TimeUnit::Nanosecond => {
            Timestamp::from_nanosecond(i128::from(array.as_primitive::<TimestampNanosecondType>().value(at)))
        }
    };
    time.map_or(Cell::Other("a time out of range"), |time| Cell::Word(time.to_string()))
}

fn of_dictionary(array: &dyn Array, at: usize) -> Cell<'_> {
    fn value<K: ArrowDictionaryKeyType>(array: &arrow_array::DictionaryArray<K>, at: usize) -> Cell<'_> {
        array.key(at).map_or(Cell::Null, |key| cell(array.values(), key))
    }
    downcast_dictionary_array!(
        array => value(array, at),
        _ => Cell::Other("a value of another type")
    )
}
