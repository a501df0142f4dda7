//! Tables as spreadsheets open them: CSV in UTF-8 with a byte order mark and line ends of two bytes.

use std::io::{self, Write};

use serde_json::{Map, Value};

use crate::output::export::{Column, ColumnKind, Exported, cell};

/// Characters that a cell of a spreadsheet holds, counted as UTF-16 does: the limit of Excel's specification.
const CELL_UNITS: usize = 32_767;

/// What stands between several texts of one cell.
const BETWEEN: &str = "; ";

/// Writes rows as CSV.
pub(super) fn write(
    rows: impl Iterator<Item = io::Result<Map<String, Value>>>,
    columns: &[Column],
    mut out: impl Write,
) -> io::Result<Exported> {
    out.write_all(b"\xef\xbb\xbf")?;
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    writer.write_record(columns.iter().map(|column| column.name))?;
    let mut exported = Exported::default();
    for row in rows {
        let row = row?;
        for column in columns {
            let (text, is_cut) = text_of(cell(&row, column), column.kind);
            writer.write_field(&text)?;
            exported.cut_cells += u64::from(is_cut);
        }
        writer.write_record(None::<&[u8]>)?;
        exported.rows += 1;
    }
    writer.flush()?;
    Ok(exported)
}

/// Returns a cell's text, and whether it was cut.
fn text_of(value: &Value, kind: ColumnKind) -> (String, bool) {
    let text = match value {
        Value::Null => return (String::new(), false),
        Value::String(text) => text.clone(),
        Value::Array(texts) => {
            let texts: Vec<&str> = texts.iter().filter_map(Value::as_str).collect();
            texts.join(BETWEEN)
        }
        other => other.to_string(),
    };
    if matches!(kind, ColumnKind::Text | ColumnKind::List) { fitting(harmless(text)) } else { (text, false) }
}

/// Returns a text that no spreadsheet takes for a formula: an apostrophe leads where one would begin.
///
/// # Source
/// OWASP, *CSV Injection*: `=`, `+`, `-`, `@`, tabs and carriage returns begin one.
fn harmless(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}

/// Returns as much of a text as a cell holds, and whether that is less than all.
fn fitting(mut text: String) -> (String, bool) {
    if text.len() <= CELL_UNITS {
        return (text, false);
    }
    let mut units = 0;
    let end = text.char_indices().find(|(_, c)| {
        units += c.len_utf16();
        units > CELL_UNITS
    });
    let Some((end, _)) = end else { return (text, false) };
    text.truncate(end);
    (text, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const COLUMNS: [Column; 3] = [
        Column { name: "id", kind: ColumnKind::Text },
        Column { name: "n", kind: ColumnKind::Ratio },
        Column { name: "sites", kind: ColumnKind::List },
    ];

    fn sheet(rows: &[Value]) -> (String, Exported) {
        let mut out = Vec::new();
        let rows = rows.iter().map(|row| Ok(row.as_object().unwrap().clone()));
        let exported = write(rows, &COLUMNS, &mut out).unwrap();
        (String::from_utf8(out).unwrap(), exported)
    }

    #[test]
    fn cells_are_quoted_and_formulas_are_none() {
        let rows = [
            json!({"id": "=1+1", "n": -0.5, "sites": ["a", "b"]}),
            json!({"id": "one\n\"two\"", "n": null, "sites": []}),
            json!({"id": "@x", "n": 1, "sites": ["-a"]}),
        ];
        let (text, exported) = sheet(&rows);
        assert_eq!(text, "\u{feff}id,n,sites\r\n'=1+1,-0.5,a; b\r\n\"one\n\"\"two\"\"\",,\r\n'@x,1,'-a\r\n");
        assert_eq!(exported, Exported { rows: 3, cut_cells: 0 });
    }

    #[test]
    fn a_text_longer_than_a_cell_is_cut_between_characters_and_counted() {
        let units = |text: &str| text.encode_utf16().count();
        for (text, expected) in [
            ("x".repeat(CELL_UNITS), CELL_UNITS),
            ("\u{e9}".repeat(CELL_UNITS), CELL_UNITS),
            ("x".repeat(CELL_UNITS + 1), CELL_UNITS),
            // Of a character that counts twice no half is left.
            ("\u{1f600}".repeat(CELL_UNITS), CELL_UNITS - 1),
        ] {
            let (cut, is_cut) = fitting(text.clone());
            assert_eq!((units(&cut), is_cut), (expected, cut != text));
        }
        assert_eq!(sheet(&[json!({"id": "y".repeat(40_000)})]).1, Exported { rows: 1, cut_cells: 1 });
    }
}
