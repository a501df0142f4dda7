//! Lines of JSON → columns of Arrow, as the published schema says.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use retold::output::{Column, ColumnKind};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::arrow::ArrowTable;

/// Rows of a batch: few enough that the texts of one fit in 2 GiB.
const BATCH_ROWS: usize = 16 << 10;

/// Bytes of texts that a batch ends after.
const BATCH_BYTES: usize = 256 << 20;

/// Reads a table of lines of JSON.
pub fn read(path: &Path, columns: &[Column]) -> Result<ArrowTable> {
    let failed = || format!("`{}`: could not be read", path.display());
    let reader = BufReader::with_capacity(1 << 20, File::open(path).with_context(failed)?);
    of_lines(reader, columns).with_context(failed)
}

/// Returns lines of JSON as a table.
pub fn of_lines(mut reader: impl BufRead, columns: &[Column]) -> io::Result<ArrowTable> {
    let schema = schema(columns);
    let mut batches = Vec::new();
    let mut builders = builders(columns);
    let (mut line, mut rows, mut bytes) = (Vec::new(), 0, 0);
    while reader.read_until(b'\n', &mut line)? > 0 {
        let mut json = serde_json::Deserializer::from_slice(&line);
        Row { columns, builders: &mut builders }.deserialize(&mut json)?;
        rows += 1;
        bytes += line.len();
        for builder in builders.iter_mut().filter(|builder| builder.len() < rows) {
            builder.append_null();
        }
        if rows == BATCH_ROWS || bytes >= BATCH_BYTES {
            batches.push(batch(&schema, &mut builders)?);
            (rows, bytes) = (0, 0);
        }
        line.clear();
    }
    if rows > 0 {
        batches.push(batch(&schema, &mut builders)?);
    }
    Ok(ArrowTable { schema, batches })
}

fn batch(schema: &SchemaRef, builders: &mut [Builder]) -> io::Result<RecordBatch> {
    let columns = builders.iter_mut().map(Builder::finish).collect();
    RecordBatch::try_new(schema.clone(), columns).map_err(io::Error::other)
}

/// Returns the schema of a table: every cell may be empty, and a list is one of texts.
fn schema(columns: &[Column]) -> SchemaRef {
    let field = |column: &Column| {
        let kind = match column.kind {
            ColumnKind::Text => DataType::Utf8,
            ColumnKind::Integer => DataType::Int64,
            ColumnKind::Ratio => DataType::Float64,
            ColumnKind::Flag => DataType::Boolean,
            ColumnKind::List => DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))),
        };
        Field::new(column.name, kind, true)
    };
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

/// A column being built.
enum Builder {
    Text(StringBuilder),
    Integer(Int64Builder),
    Ratio(Float64Builder),
    Flag(BooleanBuilder),
    List(ListBuilder<StringBuilder>),
}

fn builders(columns: &[Column]) -> Vec<Builder> {
    let builder = |column: &Column| match column.kind {
        ColumnKind::Text => Builder::Text(StringBuilder::new()),
        ColumnKind::Integer => Builder::Integer(Int64Builder::new()),
        ColumnKind::Ratio => Builder::Ratio(Float64Builder::new()),
        ColumnKind::Flag => Builder::Flag(BooleanBuilder::new()),
        ColumnKind::List => Builder::List(ListBuilder::new(StringBuilder::new())),
    };
    columns.iter().map(builder).collect()
}

impl Builder {
    fn len(&self) -> usize {
        use arrow_array::builder::ArrayBuilder;
        match self {
            Builder::Text(builder) => builder.len(),
            Builder::Integer(builder) => builder.len(),
            Builder::Ratio(builder) => builder.len(),
            Builder::Flag(builder) => builder.len(),
            Builder::List(builder) => builder.len(),
        }
    }

    fn append_null(&mut self) {
        match self {
            Builder::Text(builder) => builder.append_null(),
            Builder::Integer(builder) => builder.append_null(),
            Builder::Ratio(builder) => builder.append_null(),
            Builder::Flag(builder) => builder.append_null(),
            Builder::List(builder) => builder.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Builder::Text(builder) => Arc::new(builder.finish()),
            Builder::Integer(builder) => Arc::new(builder.finish()),
            Builder::Ratio(builder) => Arc::new(builder.finish()),
            Builder::Flag(builder) => Arc::new(builder.finish()),
            Builder::List(builder) => Arc::new(builder.finish()),
        }
    }
}

/// Reads a row into the columns.
struct Row<'a> {
    columns: &'a [Column],
    builders: &'a mut [Builder],
}

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row of this table")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // Fields stand in the order of the columns, so that the next one is mostly the one that is looked for.
        let mut next = 0;
        while let Some(name) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            let at = match self.columns.get(next) {
                Some(column) if column.name == name => Some(next),
                _ => self.columns.iter().position(|column| column.name == name),
            };
            match at {
                Some(at) => {
                    map.next_value_seed(Value(&mut self.builders[at]))?;
                    next = at + 1;
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Reads a cell into its column.
struct Value<'a>(&'a mut Builder);

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of this column's type")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.append_null();
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        match self.0 {
            Builder::Text(builder) => builder.append_value(text),
            _ => return Err(E::invalid_type(serde::de::Unexpected::Str(text), &self)),
        }
        Ok(())
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<(), E> {
        match self.0 {
            Builder::Integer(builder) => builder.append_value(number as i64),
            Builder::Ratio(builder) => builder.append_value(number as f64),
            _ => return Err(E::invalid_type(serde::de::Unexpected::Unsigned(number), &self)),
        }
        Ok(())
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<(), E> {
        match self.0 {
            Builder::Integer(builder) => builder.append_value(number),
            Builder::Ratio(builder) => builder.append_value(number as f64),
            _ => return Err(E::invalid_type(serde::de::Unexpected::Signed(number), &self)),
        }
        Ok(())
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<(), E> {
        match self.0 {
            Builder::Ratio(builder) => builder.append_value(number),
            _ => return Err(E::invalid_type(serde::de::Unexpected::Float(number), &self)),
        }
        Ok(())
    }

    fn visit_bool<E: serde::de::Error>(self, flag: bool) -> Result<(), E> {
        match self.0 {
            Builder::Flag(builder) => builder.append_value(flag),
            _ => return Err(E::invalid_type(serde::de::Unexpected::Bool(flag), &self)),
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        match self.0 {
            Builder::List(builder) => {
                while let Some(text) = items.next_element::<std::borrow::Cow<'de, str>>()? {
                    builder.values().append_value(&text);
                }
                builder.append(true);
                Ok(())
            }
            _ => Err(serde::de::Error::invalid_type(serde::de::Unexpected::Seq, &self)),
        }
    }
}
