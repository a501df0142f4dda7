//! What stands in a cell of a table of typed columns, in words.

use std::borrow::Cow;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Nothing.
    Null,
    /// A text.
    Text(Cow<'a, str>),
    /// A number or a time, in words.
    Word(String),
    /// Something that is neither text nor number: what it is, for messages.
    Other(&'static str),
}

#[cfg_attr(not(any(feature = "arrow", feature = "parquet")), allow(dead_code, reason = "no form is built in"))]
impl<'a> Cell<'a> {
    /// The day that lies so many days after the first of 1970.
    pub(super) fn day(days: i64) -> Cell<'a> {
        let days = SignedDuration::try_from_hours(days.saturating_mul(24));
        let date = days.and_then(|days| Date::constant(1970, 1, 1).checked_add(days).ok());
        date.map_or(Cell::Other("a date out of range"), |date| Cell::Word(date.to_string()))
    }

    /// A moment, in units of which a second has so many, since 1970.
    pub(super) fn moment(units: i64, in_second: i128) -> Cell<'a> {
        let nanoseconds = i128::from(units) * (1_000_000_000 / in_second);
        let time = Timestamp::from_nanosecond(nanoseconds);
        time.map_or(Cell::Other("a time out of range"), |time| Cell::Word(time.to_string()))
    }

    /// A number; what is none is how data frames say that nothing is there.
    pub(super) fn real(value: f64, word: String) -> Cell<'a> {
        if value.is_nan() { Cell::Null } else { Cell::Word(word) }
    }

    /// Bytes, which are text if they are UTF-8.
    pub(super) fn bytes(bytes: &'a [u8]) -> Cell<'a> {
        match simdutf8::basic::from_utf8(bytes) {
            Ok(text) => Cell::Text(text.into()),
            Err(_) => Cell::Other("bytes that are no UTF-8"),
        }
    }

    /// Returns it as a value of its own.
    #[cfg_attr(not(feature = "parquet"), allow(dead_code, reason = "other forms lend their texts"))]
    pub(super) fn into_owned(self) -> Cell<'static> {
        match self {
            Cell::Text(text) => Cell::Text(Cow::Owned(text.into_owned())),
            Cell::Word(word) => Cell::Word(word),
            Cell::Null => Cell::Null,
            Cell::Other(what) => Cell::Other(what),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_people_write_them() {
        let word = |text: &str| Cell::Word(text.to_owned());
        assert_eq!(Cell::day(19_844), word("2024-05-01"));
        assert_eq!(Cell::day(-1), word("1969-12-31"));
        assert_eq!(Cell::day(i64::MAX), Cell::Other("a date out of range"));
        assert_eq!(Cell::moment(1_714_521_600, 1), word("2024-05-01T00:00:00Z"));
        assert_eq!(Cell::moment(1_714_521_600_500, 1000), word("2024-05-01T00:00:00.5Z"));
        assert_eq!(Cell::moment(i64::MIN, 1), Cell::Other("a time out of range"));
    }
}
