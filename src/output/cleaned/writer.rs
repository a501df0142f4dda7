//! Outputs of pieces, written in order.

use std::path::Path;

use crate::files::{OutputDirectory, OutputFile};
use crate::input::{Container, InputFile, Source};
use crate::output::WriteError;
use crate::output::cleaned::outcome::Output;
use crate::output::cleaned::{Mode, Rewritten, TABLES, Target};
use crate::output::rows::{self, Edit};

/// Writes outputs in order.
pub(super) struct Writer<'a> {
    source: &'a Source,
    target: Target<'a>,
    removed: Option<OutputFile>,
    dropped: Option<OutputFile>,
    /// The file of JSON lines that is being written.
    open: Option<(usize, OutputFile, bool)>,
    /// The file of typed columns that is being written.
    open_rows: Option<(usize, Box<dyn rows::Copy>)>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(source: &'a Source, mode: Mode, target: Target<'a>) -> Result<Writer<'a>, WriteError> {
        let has_lines = |file: &InputFile| file.container == Container::Jsonl;
        if let (Mode::Attributes, Some(file)) = (mode, source.files().iter().find(|file| !has_lines(file))) {
            return Err(WriteError::NoLines { input: file.source.to_string() });
        }
        let mut writer = Writer { source, target, removed: None, dropped: None, open: None, open_rows: None };
        if let Target::Directory(directory) = &writer.target {
            if let Some(input) = source.file_in(directory.target()) {
                return Err(WriteError::OverInput { path: directory.target().to_owned(), input });
            }
            for name in TABLES {
                if source.files().iter().any(|file| file.copy_path() == Path::new(name)) {
                    return Err(WriteError::Collision { name });
                }
            }
            let table = |wanted: bool, name: &str| wanted.then(|| directory.create_file(Path::new(name))).transpose();
            writer.removed = table(mode.removes(), "removed.jsonl")?;
            writer.dropped = table(mode.drops(), "dropped.jsonl")?;
        }
        Ok(writer)
    }

    pub(super) fn directory(&self) -> Option<&'a OutputDirectory> {
        if let Target::Directory(directory) = &self.target { Some(directory) } else { None }
    }

    pub(super) fn put(&mut self, output: Output, rewritten: &mut Rewritten) -> Result<(), WriteError> {
        rewritten.add(output.counts);
        for (table, bytes) in [(&mut self.removed, &output.removed), (&mut self.dropped, &output.dropped)] {
            if let Some(table) = table {
                table.put(bytes)?;
            }
        }
        let directory = match &mut self.target {
            Target::Stream(stream) => {
                return stream.write_all(&output.copy).map_err(|source| WriteError::Stream { source });
            }
            Target::Directory(directory) => *directory,
        };
        if let Some((number, group, edits)) = output.rows {
            return self.put_rows(number, group, edits, directory);
        }
        let Some(number) = output.file else { return Ok(()) };
        if self.open.as_ref().is_none_or(|(open, _, _)| *open != number) {
            self.close()?;
            let file = directory.create_file(&self.source.files()[number].copy_path())?;
            self.open = Some((number, file, false));
        }
        let (_, file, written) = self.open.as_mut().expect("it was opened above");
        *written |= !output.copy.is_empty();
        Ok(file.put(&output.copy)?)
    }

    /// Writes what becomes of rows of a file of typed columns.
    fn put_rows(
        &mut self,
        number: usize,
        group: usize,
        edits: Vec<Edit>,
        directory: &OutputDirectory,
    ) -> Result<(), WriteError> {
        let input = &self.source.files()[number];
        if self.open_rows.as_ref().is_none_or(|(open, _)| *open != number) {
            self.close()?;
            let file = directory.create_file(&input.relative)?;
            let copy = rows::copy(input, file).map_err(|what| not_copied(input, what))?;
            self.open_rows = Some((number, copy));
        }
        let (_, copy) = self.open_rows.as_mut().expect("it was opened above");
        copy.put(group, edits).map_err(|what| not_copied(input, what))
    }

    /// Ends the file that is being written.
    fn close(&mut self) -> Result<(), WriteError> {
        if let Some((number, copy)) = self.open_rows.take() {
            let file = copy.finish().map_err(|what| not_copied(&self.source.files()[number], what))?;
            file.finish()?;
        }
        let Some((number, mut file, written)) = self.open.take() else { return Ok(()) };
        if !written {
            let input = &self.source.files()[number];
            let empty = input.compression()?.pack(Vec::new());
            file.put(&empty.map_err(|source| WriteError::File { path: input.place.shown(), source })?)?;
        }
        Ok(file.finish()?)
    }

    pub(super) fn finish(mut self) -> Result<(), WriteError> {
        self.close()?;
        for table in [self.removed, self.dropped].into_iter().flatten() {
            table.finish()?;
        }
        if let Target::Stream(stream) = self.target {
            stream.flush().map_err(|source| WriteError::Stream { source })?;
        }
        Ok(())
    }
}

fn not_copied(input: &InputFile, what: String) -> WriteError {
    WriteError::Copy { input: input.source.to_string(), what }
}
