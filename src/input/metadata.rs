//! A table that says about files what their own text does not: url, site, date and title by file name.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use std::sync::Mutex;

use crate::files::{self, FileError};
use crate::input::ReadError;
use crate::input::archive::copy_of_member;
use crate::input::decode::decode;
use crate::input::fields::Field;

/// Names of the column that names the file, the first that the table has wins.
const FILE_NAMES: [&str; 7] = ["file", "filename", "file_name", "path", "source", "name", "id"];

/// What the table says about one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    pub url: Option<String>,
    pub site: Option<String>,
    pub title: Option<String>,
    pub date: Option<String>,
}

/// The table, by file name.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    rows: HashMap<String, Row>,
    used: Mutex<std::collections::HashSet<String>>,
}

impl Metadata {
    /// Reads a CSV file: a line of column names, then a line per file. `given` are the user's names for url, site, title
    /// and date. A file ending in `.tsv` is separated by tabs, one whose first line holds more `;` than `,` by those.
    pub fn read(path: &Path, given: [Option<&str>; 4]) -> Result<Metadata, ReadError> {
        let mut bytes = Vec::new();
        files::open(path, u64::MAX)?.read_to_end(&mut bytes).map_err(FileError::read(path))?;
        let text = decode(bytes).map_err(|found| ReadError::MetadataText { path: path.to_owned(), found })?.text;
        let failed = |source| ReadError::Metadata { path: path.to_owned(), source };
        let first_line = text.lines().next().unwrap_or_default();
        let delimiter = if first_line.contains('\t') && !first_line.contains(',') {
            b'\t'
        } else if first_line.matches(';').count() > first_line.matches(',').count() {
            b';'
        } else {
            b','
        };
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
        let header: Vec<String> = reader.headers().map_err(failed)?.iter().map(|name| name.trim().to_owned()).collect();
        let missing = |expected: String| ReadError::MetadataColumn {
            path: path.to_owned(),
            expected,
            found: header.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
        };
        let column = |names: &[&str]| names.iter().find_map(|name| header.iter().position(|column| column == name));
        let file = column(&FILE_NAMES).ok_or_else(|| missing(listed(&FILE_NAMES)))?;
        let mut columns = [None; 4];
        for ((field, given), at) in
            [Field::Url, Field::Site, Field::Title, Field::Date].into_iter().zip(given).zip(&mut columns)
        {
            *at = match given {
                Some(name) => Some(column(&[name]).ok_or_else(|| missing(format!("`{name}`")))?),
                None => column(field.names()),
            };
        }
        if columns == [None; 4] {
            let names = [Field::Url, Field::Site, Field::Title, Field::Date].map(|field| field.names()[0]);
            return Err(missing(listed(&names)));
        }
        let mut rows = HashMap::new();
        for record in reader.records() {
            let record = record.map_err(failed)?;
            let cell = |at: Option<usize>| {
                at.and_then(|at| record.get(at)).map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned)
            };
            if let Some(name) = cell(Some(file)) {
                let [url, site, title, date] = columns.map(cell);
                rows.entry(name).or_insert(Row { url, site, title, date });
            }
        }
        Ok(Metadata { rows, used: Mutex::default() })
    }

    /// Returns what the table says about a file: by its id path, else by its name, else by its name without suffixes.
    pub fn of(&self, id_path: &str) -> Option<&Row> {
        // The name of a member of an archive is that of its copy.
        let copy = copy_of_member(id_path);
        let name = copy.as_deref().unwrap_or(id_path).rsplit('/').next().unwrap_or(id_path);
        let bare = files::Compression::of_name(name).1;
        let stem = bare.rsplit_once('.').map_or(bare, |(stem, _)| stem);
        let key = [id_path, name, bare, stem].into_iter().find(|key| self.rows.contains_key(*key))?;
        self.used.lock().expect("no reader panicked").insert(key.to_owned());
        self.rows.get(key)
    }

    /// Returns how many rows name no file that was asked for.
    pub fn unused(&self) -> usize {
        self.rows.len() - self.used.lock().expect("no reader panicked").len()
    }
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<Metadata, ReadError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("m.csv");
        std::fs::write(&path, text).unwrap();
        Metadata::read(&path, [None; 4])
    }

    #[test]
    fn rows_are_found_by_path_by_name_and_by_stem() {
        let table =
            table("\u{feff}filename,link,headline\nsub/a.txt,u1,\"A, quoted\"\nb.txt,u2,\nc,u3,C\nunread,u4,\n")
                .unwrap();
        let url = |path: &str| table.of(path).and_then(|row| row.url.as_deref());
        assert_eq!(url("sub/a.txt"), Some("u1"));
        assert_eq!(url("deep/b.txt"), Some("u2"));
        assert_eq!(url("c.txt.gz"), Some("u3"));
        assert_eq!(url("d.txt"), None);
        assert_eq!(table.of("sub/a.txt").unwrap().title.as_deref(), Some("A, quoted"));
        assert_eq!(table.of("b.txt").unwrap().title, None);
        assert_eq!(table.unused(), 1);
    }

    #[test]
    fn a_missing_column_is_named_with_those_that_are_there() {
        let error = table("key;site\na;b\n").unwrap_err().to_string();
        assert!(error.contains("expected a column `file` or"), "{error}");
        assert!(error.ends_with("found `key`, `site`"), "{error}");
        let error = table("file,words\na,b\n").unwrap_err().to_string();
        assert!(error.contains("expected a column `url` or `site` or `title` or `date`, found"), "{error}");
    }
}
