//! Parts of files that stand near each other, read together: a call to the system for many of them.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use crate::files::{Packing, Part, Place};

/// Bytes between two parts up to which they are read together: headers of members, and no whole member.
const GAP_BYTES: u64 = 8 << 10;
/// Bytes of a part that is read by itself.
const MOST_BYTES: u64 = 1 << 20;

/// What was read of some parts that are stored as they are.
#[derive(Default)]
pub struct Nearby {
    runs: Vec<Vec<u8>>,
    /// Where every part stands: the run, and the bytes of it.
    parts: Vec<Option<(usize, Range<usize>)>>,
}

/// A part to be read, by its number.
struct Wanted<'a> {
    path: &'a Path,
    range: Range<u64>,
    number: usize,
}

impl Nearby {
    /// Reads what there is to read together, of parts in any order; what cannot be read is left to whoever reads it by
    /// itself, and says what is wrong.
    pub fn read<'a>(parts: impl Iterator<Item = Option<(&'a Place, &'a Part)>>) -> Nearby {
        let mut wanted: Vec<Wanted<'_>> = Vec::new();
        let mut count = 0;
        for (number, part) in parts.enumerate() {
            count += 1;
            let Some((Place::File(path) | Place::Copy { path, .. }, part)) = part else { continue };
            if part.packing == Packing::Stored && part.bytes <= MOST_BYTES {
                let range = part.offset..part.offset.saturating_add(part.bytes);
                wanted.push(Wanted { path, range, number });
            }
        }
        wanted.sort_unstable_by(|a, b| {
            (a.path.as_os_str(), a.range.start, a.number).cmp(&(b.path.as_os_str(), b.range.start, b.number))
        });
        let mut nearby = Nearby { runs: Vec::new(), parts: vec![None; count] };
        let mut open: Option<(&Path, File)> = None;
        let is_near = |a: &Wanted<'_>, b: &Wanted<'_>| {
            a.path.as_os_str() == b.path.as_os_str() && (a.range.end..=a.range.end + GAP_BYTES).contains(&b.range.start)
        };
        for run in wanted.chunk_by(is_near).filter(|run| run.len() > 1) {
            if open.as_ref().is_none_or(|(path, _)| *path != run[0].path) {
                open = File::open(run[0].path).ok().map(|file| (run[0].path, file));
            }
            let Some((_, file)) = &mut open else { continue };
            let range = run[0].range.start..run[run.len() - 1].range.end;
            let Ok(bytes) = read_range(file, &range) else { continue };
            for part in run {
                let within = (part.range.start - range.start) as usize..(part.range.end - range.start) as usize;
                nearby.parts[part.number] = Some((nearby.runs.len(), within));
            }
            nearby.runs.push(bytes);
        }
        nearby
    }

    /// Returns the bytes of the part of this number, if they were read.
    pub fn get(&self, number: usize) -> Option<&[u8]> {
        let (run, range) = self.parts.get(number)?.clone()?;
        self.runs[run].get(range)
    }
}

fn read_range(file: &mut File, range: &Range<u64>) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(range.start))?;
    let length = range.end - range.start;
    let mut bytes = Vec::with_capacity(usize::try_from(length).map_err(|_| io::ErrorKind::OutOfMemory)?);
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_are_what_stands_there(
            parts in proptest::collection::vec((0_u64..40_000, 0_u64..3_000, proptest::bool::ANY), 0..12)
        ) {
            let directory = tempfile::tempdir().unwrap();
            let whole: Vec<u8> = (0..30_000_u32).map(|at| (at.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect();
            let paths = ["a", "b"].map(|name| directory.path().join(name));
            paths.iter().for_each(|path| std::fs::write(path, &whole).unwrap());
            let part = |(offset, bytes, _)| Part { offset, bytes, packing: Packing::Stored, checksum: None };
            let wanted: Vec<(Place, Part)> =
                parts.iter().map(|of| (Place::File(paths[usize::from(of.2)].clone()), part(*of))).collect();
            let nearby = Nearby::read(wanted.iter().map(|(place, part)| Some((place, part))));
            for (number, (offset, bytes, _)) in parts.into_iter().enumerate() {
                let expected = whole.get(offset as usize..(offset + bytes) as usize);
                prop_assert!(nearby.get(number).is_none() || nearby.get(number) == expected);
            }
        }
    }

    #[test]
    fn neighbors_are_read_and_what_is_packed_or_far_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("archive");
        std::fs::write(&path, vec![b'x'; 50_000]).unwrap();
        let place = Place::File(path);
        let part = |offset, packing| Part { offset, bytes: 100, packing, checksum: None };
        let parts = [
            part(700, Packing::Stored),
            part(0, Packing::Stored),
            part(20_000, Packing::Stored),
            part(1500, Packing::Deflated),
            part(2000, Packing::Stored),
        ];
        let nearby = Nearby::read(parts.iter().map(|part| Some((&place, part))).chain([None]));
        let lengths: Vec<Option<usize>> = (0..7).map(|number| nearby.get(number).map(<[u8]>::len)).collect();
        assert_eq!(lengths, [Some(100), Some(100), None, None, Some(100), None, None]);
        assert_eq!(nearby.runs.len(), 1);
    }
}
