//! Tables as databases read them: Parquet, packed by Zstandard, columns typed as the schema says.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::Result;
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};
use serde_json::{Map, Value};

use crate::output::export::{Column, ColumnKind, Exported, cell};

/// Rows of a row group: what is held at once.
const GROUP_ROWS: usize = 16 << 10;

/// Writes rows as Parquet.
pub(super) fn write<W: Write + Send>(
    mut rows: impl Iterator<Item = io::Result<Map<String, Value>>>,
    columns: &[Column],
    out: W,
) -> io::Result<Exported> {
    let properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .build();
    let schema = schema(columns).map_err(io::Error::other)?;
    let mut writer = SerializedFileWriter::new(out, schema, Arc::new(properties)).map_err(io::Error::other)?;
    let mut exported = Exported::default();
    loop {
        let group: Vec<Map<String, Value>> = rows.by_ref().take(GROUP_ROWS).collect::<io::Result<_>>()?;
        if group.is_empty() {
            break;
        }
        exported.rows += group.len() as u64;
        write_group(&group, columns, &mut writer).map_err(io::Error::other)?;
    }
    writer.close().map_err(io::Error::other)?;
    Ok(exported)
}

/// Returns the schema of a table: every column may be empty, and a list is one of texts.
fn schema(columns: &[Column]) -> Result<TypePtr> {
    let text = |name: &str, repetition| {
        Type::primitive_type_builder(name, Physical::BYTE_ARRAY)
            .with_logical_type(Some(LogicalType::String))
            .with_repetition(repetition)
            .build()
    };
    let number = |name: &str, physical| {
        Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL).build()
    };
    let mut fields = Vec::with_capacity(columns.len());
    for column in columns {
        let field = match column.kind {
            ColumnKind::Text => text(column.name, Repetition::OPTIONAL)?,
            ColumnKind::Integer => number(column.name, Physical::INT64)?,
            ColumnKind::Ratio => number(column.name, Physical::DOUBLE)?,
            ColumnKind::Flag => number(column.name, Physical::BOOLEAN)?,
            ColumnKind::List => {
                let repeated = Type::group_type_builder("list")
                    .with_repetition(Repetition::REPEATED)
                    .with_fields(vec![Arc::new(text("element", Repetition::REQUIRED)?)])
                    .build()?;
                Type::group_type_builder(column.name)
                    .with_repetition(Repetition::REQUIRED)
                    .with_logical_type(Some(LogicalType::List))
                    .with_fields(vec![Arc::new(repeated)])
                    .build()?
            }
        };
        fields.push(Arc::new(field));
    }
    Ok(Arc::new(Type::group_type_builder("table").with_fields(fields).build()?))
}

fn write_group<W: Write + Send>(
    rows: &[Map<String, Value>],
    columns: &[Column],
    writer: &mut SerializedFileWriter<W>,
) -> Result<()> {
    let mut group = writer.next_row_group()?;
    for column in columns {
        let mut out = group.next_column()?.expect("the schema has a column for each");
        let cells = rows.iter().map(|row| cell(row, column));
        match column.kind {
            ColumnKind::Text => values::<ByteArrayType>(&mut out, cells, |value| value.as_str().map(ByteArray::from))?,
            ColumnKind::Integer => values::<Int64Type>(&mut out, cells, Value::as_i64)?,
            ColumnKind::Ratio => values::<DoubleType>(&mut out, cells, Value::as_f64)?,
            ColumnKind::Flag => values::<BoolType>(&mut out, cells, Value::as_bool)?,
            ColumnKind::List => lists(&mut out, cells)?,
        }
        out.close()?;
    }
    group.close()?;
    Ok(())
}

/// Writes cells that hold one value or none.
fn values<'r, T: parquet::data_type::DataType>(
    out: &mut SerializedColumnWriter<'_>,
    cells: impl Iterator<Item = &'r Value>,
    value: impl Fn(&'r Value) -> Option<T::T>,
) -> Result<()> {
    let (mut found, mut levels) = (Vec::new(), Vec::new());
    for cell in cells {
        let one = value(cell);
        levels.push(i16::from(one.is_some()));
        found.extend(one);
    }
    out.typed::<T>().write_batch(&found, Some(&levels), None)?;
    Ok(())
}

/// Writes cells that hold several texts.
fn lists<'r>(out: &mut SerializedColumnWriter<'_>, cells: impl Iterator<Item = &'r Value>) -> Result<()> {
    let (mut found, mut levels, mut repetitions) = (Vec::new(), Vec::new(), Vec::new());
    for cell in cells {
        let texts: Vec<&str> = cell.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if texts.is_empty() {
            levels.push(0);
            repetitions.push(0);
        }
        for (at, text) in texts.into_iter().enumerate() {
            found.push(ByteArray::from(text));
            levels.push(1);
            repetitions.push(i16::from(at > 0));
        }
    }
    out.typed::<ByteArrayType>().write_batch(&found, Some(&levels), Some(&repetitions))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use serde_json::json;

    #[test]
    fn rows_are_read_back_as_they_were_written() {
        let columns = [
            Column { name: "id", kind: ColumnKind::Text },
            Column { name: "n", kind: ColumnKind::Integer },
            Column { name: "share", kind: ColumnKind::Ratio },
            Column { name: "keep", kind: ColumnKind::Flag },
            Column { name: "sites", kind: ColumnKind::List },
        ];
        let rows = [
            json!({"id": "=\u{e9}", "n": 7, "share": 0.5, "keep": true, "sites": ["a", "b"]}),
            json!({"id": null, "n": null, "share": null, "keep": null, "sites": []}),
            json!({"id": "", "n": -1, "share": 1, "keep": false, "sites": ["c"]}),
        ];
        let mut out = Vec::new();
        let exported = write(rows.iter().map(|row| Ok(row.as_object().unwrap().clone())), &columns, &mut out).unwrap();
        assert_eq!(exported.rows, 3);
        let reader = SerializedFileReader::new(bytes::Bytes::from(out)).unwrap();
        let read: Vec<String> = reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
        assert_eq!(
            read,
            [
                "{id: \"=\u{e9}\", n: 7, share: 0.5, keep: true, sites: [\"a\", \"b\"]}",
                "{id: null, n: null, share: null, keep: null, sites: []}",
                "{id: \"\", n: -1, share: 1.0, keep: false, sites: [\"c\"]}",
            ]
        );
    }
}
