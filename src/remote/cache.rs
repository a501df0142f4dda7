//! Packed copies of blocks in a directory of stated size, for later passes and later runs.
//!
//! A block is a file of its own, named by a hash of address, version and length of its object, and its number: another
//! version is another name. It is a Zstandard frame with a checksum, so that one that was damaged is fetched anew.
//! Files are written, removed and counted under the lock of the directory, which goes with the process that holds it:
//! what a killed run left half written is removed by the next that locks, and several runs keep to one size together.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use crate::remote::CacheSettings;

/// The file that is locked; it says how many bytes all others take.
const LOCK: &str = "lock";

/// What marks a directory as one that backups may leave out.
const TAG: (&str, &str) = ("CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n# Made by retold.\n");

/// The suffix of a block, and of one that is being written.
const BLOCK: &str = ".block.zst";
const PARTIAL: &str = ".block.partial";

/// How hard blocks are packed: at this level packing keeps ahead of a fast network.
const LEVEL: i32 = 1;

/// Blocks in a directory.
#[derive(Debug)]
pub(super) struct Cache {
    directory: PathBuf,
    most_bytes: u64,
    /// When this run began: what was used since is not removed to make room.
    began: SystemTime,
    /// Blocks that were there, or came since.
    known: Mutex<HashSet<String>>,
    /// Whether a block found no room although all that may be removed was.
    full: AtomicBool,
}

/// A locked directory: what is in it changes through this alone.
struct Locked<'a> {
    cache: &'a Cache,
    lock: File,
    bytes: u64,
}

impl Cache {
    /// Opens a directory, made where it is missing, and removes what is too much in it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn open(settings: &CacheSettings) -> io::Result<Cache> {
        fs::create_dir_all(&settings.directory)?;
        let cache = Cache {
            directory: settings.directory.clone(),
            most_bytes: settings.most_bytes,
            began: SystemTime::now(),
            known: Mutex::default(),
            full: AtomicBool::new(false),
        };
        let mut locked = cache.lock()?;
        for (name, _, _) in cache.files()?.iter().filter(|(name, _, _)| name.ends_with(PARTIAL)) {
            fs::remove_file(cache.directory.join(name))?;
        }
        let tag = cache.directory.join(TAG.0);
        if !tag.exists() {
            fs::write(tag, TAG.1)?;
        }
        // The count has its length from here on.
        locked.note()?;
        locked.bytes = cache.files()?.iter().map(|(_, bytes, _)| bytes).sum();
        locked.make_room(0)?;
        locked.note()?;
        let names = cache.files()?.into_iter().filter_map(|(name, _, _)| name.ends_with(BLOCK).then_some(name));
        *cache.known.lock().expect("no holder panics") = names.collect();
        drop(locked);
        Ok(cache)
    }

    /// Returns whether a block is kept, as far as this run knows.
    pub fn has(&self, object: &str, block: u64) -> bool {
        self.known.lock().expect("no holder panics").contains(&name_of(object, block))
    }

    /// Returns a block of this length, if it is kept and sound.
    pub fn get(&self, object: &str, block: u64, length: usize) -> Option<Vec<u8>> {
        let name = name_of(object, block);
        let path = self.directory.join(&name);
        let file = File::open(&path).ok()?;
        let sound = unpack(&file, length);
        if sound.is_none() {
            // Fetched anew, it is kept again. Where it cannot be removed it stays known as damaged.
            let _ = self.lock().and_then(|mut locked| locked.remove(&name).and_then(|()| locked.note()));
            self.known.lock().expect("no holder panics").remove(&name);
            return None;
        }
        // When it was used last decides what goes first. Who may only read it leaves it as it is.
        if file.metadata().and_then(|metadata| metadata.modified()).is_ok_and(|used| used < self.began) {
            let _ = File::options().append(true).open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        }
        sound
    }

    /// Keeps a block, if there is room or room can be made.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn put(&self, object: &str, block: u64, bytes: &[u8]) -> io::Result<()> {
        if self.full.load(Ordering::Relaxed) {
            return Ok(());
        }
        let name = name_of(object, block);
        let packed = pack(bytes)?;
        let mut locked = self.lock()?;
        let path = self.directory.join(&name);
        if !path.exists() {
            if !locked.make_room(packed.len() as u64)? {
                self.full.store(true, Ordering::Relaxed);
                return locked.note();
            }
            // Counted before it is there: a run that is killed in between leaves the count too high, never too low.
            locked.bytes += packed.len() as u64;
            locked.note()?;
            let partial = self.directory.join(format!("{}{PARTIAL}", name.trim_end_matches(BLOCK)));
            fs::write(&partial, &packed).and_then(|()| fs::rename(&partial, &path))?;
        }
        drop(locked);
        self.known.lock().expect("no holder panics").insert(name);
        Ok(())
    }

    /// Waits for the directory to be free, and takes it.
    fn lock(&self) -> io::Result<Locked<'_>> {
        let path = self.directory.join(LOCK);
        let mut lock = File::options().create(true).truncate(false).read(true).write(true).open(path)?;
        lock.lock()?;
        let mut text = String::new();
        lock.read_to_string(&mut text)?;
        // What is no number was cut off by a crash: counted anew.
        let counted = || self.files().map(|files| files.iter().map(|(_, bytes, _)| bytes).sum());
        let bytes = text.trim_end().parse().or_else(|_| counted())?;
        Ok(Locked { cache: self, lock, bytes })
    }

    /// Returns the files that count, each with its length and when it was used last.
    fn files(&self) -> io::Result<Vec<(String, u64, SystemTime)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name == LOCK || name == TAG.0 || name.ends_with(BLOCK) || name.ends_with(PARTIAL) {
                let metadata = entry.metadata()?;
                files.push((name, metadata.len(), metadata.modified()?));
            }
        }
        Ok(files)
    }
}

impl Locked<'_> {
    /// Removes blocks, those first that were used longest ago, until so many bytes more fit; false: they never will.
    ///
    /// What was used since this run began stays: of objects that do not fit, a run reads one part from here in every
    /// pass, and fetches the other.
    fn make_room(&mut self, bytes: u64) -> io::Result<bool> {
        let most = self.cache.most_bytes;
        if self.bytes.saturating_add(bytes) <= most {
            return Ok(true);
        }
        let mut files = self.cache.files()?;
        self.bytes = files.iter().map(|(_, bytes, _)| bytes).sum();
        files.retain(|(name, _, used)| name.ends_with(BLOCK) && *used < self.cache.began);
        let removable: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        if bytes > 0 && (self.bytes - removable).saturating_add(bytes) > most {
            return Ok(self.bytes.saturating_add(bytes) <= most);
        }
        files.sort_by(|a, b| (a.2, &a.0).cmp(&(b.2, &b.0)));
        for (name, _, _) in files {
            if self.bytes.saturating_add(bytes) <= most {
                break;
            }
            self.remove(&name)?;
            self.cache.known.lock().expect("no holder panics").remove(&name);
        }
        Ok(self.bytes.saturating_add(bytes) <= most)
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        let path = self.cache.directory.join(name);
        let bytes = fs::metadata(&path)?.len();
        fs::remove_file(&path)?;
        self.bytes = self.bytes.saturating_sub(bytes);
        Ok(())
    }

    /// Writes down how many bytes there are. The number has one length, so that writing it changes no count.
    fn note(&mut self) -> io::Result<()> {
        self.lock.seek(SeekFrom::Start(0))?;
        writeln!(self.lock, "{:020}", self.bytes)
    }
}

fn name_of(object: &str, block: u64) -> String {
    format!("{object}-{block:08}{BLOCK}")
}

fn pack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = zstd::Encoder::new(Vec::with_capacity(bytes.len() / 2), LEVEL)?;
    encoder.include_checksum(true)?;
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Unpacks a block; none if it is not of this length and whole.
fn unpack(file: &File, length: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(length + 1);
    let mut decoder = zstd::Decoder::new(file).ok()?;
    (&mut decoder).take(length as u64 + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() == length).then_some(bytes)
}

/// Returns how many bytes the files of such a directory take.
#[cfg(test)]
fn bytes_in(directory: &std::path::Path) -> u64 {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use std::time::Duration;

    fn open(directory: &Path, most_bytes: u64) -> Cache {
        Cache::open(&CacheSettings { directory: directory.to_owned(), most_bytes }).unwrap()
    }

    /// Bytes that hardly pack.
    fn noise(length: usize, seed: u64) -> Vec<u8> {
        (0..length as u64).map(|at| (crate::hash::mix64(at ^ seed << 32) & 0xff) as u8).collect()
    }

    #[test]
    fn a_block_is_given_back_as_it_was() {
        let root = tempfile::tempdir().unwrap();
        let cache = open(&root.path().join("deep/cache"), 1 << 20);
        cache.put("a", 3, b"what was said").unwrap();
        assert!(cache.has("a", 3) && !cache.has("a", 4) && !cache.has("b", 3));
        assert_eq!(cache.get("a", 3, 13).as_deref(), Some(&b"what was said"[..]));
        assert_eq!(cache.get("b", 3, 13), None);
        // Another run finds it.
        assert!(open(&root.path().join("deep/cache"), 1 << 20).has("a", 3));
    }

    #[test]
    fn a_damaged_block_is_removed_and_kept_anew() {
        let root = tempfile::tempdir().unwrap();
        let cache = open(root.path(), 1 << 20);
        for damage in [&b""[..], b"no frame at all"] {
            cache.put("a", 0, b"what was said").unwrap();
            fs::write(root.path().join(name_of("a", 0)), damage).unwrap();
            assert_eq!(cache.get("a", 0, 13), None);
            assert!(!cache.has("a", 0) && !root.path().join(name_of("a", 0)).exists());
        }
        let mut bytes = pack(b"what was said").unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(root.path().join(name_of("a", 0)), &bytes).unwrap();
        assert_eq!(cache.get("a", 0, 13), None, "the checksum is another");
    }

    #[test]
    fn the_size_is_never_passed_and_what_this_run_used_stays() {
        let root = tempfile::tempdir().unwrap();
        let most = 40_000;
        let before = open(root.path(), most);
        for block in 0..20 {
            before.put("old", block, &noise(5_000, block)).unwrap();
            assert!(bytes_in(root.path()) <= most);
        }
        let kept = (0..20).filter(|block| before.has("old", *block)).count();
        assert!((5..8).contains(&kept), "{kept}");
        std::thread::sleep(Duration::from_millis(20));

        let now = open(root.path(), most);
        assert!(now.get("old", 0, 5_000).is_some());
        for block in 0..20 {
            now.put("new", block, &noise(5_000, 100 + block)).unwrap();
            assert!(bytes_in(root.path()) <= most);
        }
        assert!(now.has("old", 0), "it was used by this run");
        assert!(!now.has("old", 1), "it made room");
        assert_eq!((0..20).filter(|block| now.has("new", *block)).count(), kept - 1);
        // A smaller size is obeyed at once.
        std::thread::sleep(Duration::from_millis(20));
        open(root.path(), 12_000);
        assert!(bytes_in(root.path()) <= 12_000);
    }

    #[test]
    fn what_a_killed_run_left_half_written_goes() {
        let root = tempfile::tempdir().unwrap();
        let cache = open(root.path(), 1 << 20);
        cache.put("a", 0, b"whole").unwrap();
        fs::write(root.path().join(format!("a-00000001{PARTIAL}")), noise(9_000, 1)).unwrap();
        fs::write(root.path().join(LOCK), "12 and so").unwrap();
        let again = open(root.path(), 1 << 20);
        assert_eq!(again.get("a", 0, 5).as_deref(), Some(&b"whole"[..]));
        assert!(bytes_in(root.path()) < 500);
    }

    #[test]
    fn two_runs_keep_to_one_size_together() {
        let root = tempfile::tempdir().unwrap();
        let most = 60_000;
        let (one, two) = (open(root.path(), most), open(root.path(), most));
        std::thread::scope(|scope| {
            for (cache, object) in [(&one, "one"), (&two, "two")] {
                scope.spawn(move || {
                    for block in 0..40 {
                        cache.put(object, block, &noise(3_000, block)).unwrap();
                        if let Some(bytes) = cache.get(object, block, 3_000) {
                            assert_eq!(bytes, noise(3_000, block));
                        }
                    }
                });
            }
        });
        let total = bytes_in(root.path());
        assert!(total <= most && total > most - 2 * 3_100, "{total}");
    }
}
