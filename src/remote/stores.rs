//! All stores of a source: what addresses lead to, and whether it is still there as it was.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock};

use bytes::Bytes;
use futures_util::StreamExt;
use object_store::path::Path;
use object_store::{Error, GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt};
use tokio::sync::Semaphore;

use crate::remote::cache::Cache;
use crate::remote::client::{changed, connect, runtime, told};
use crate::remote::object::{Fetch, Version};
use crate::remote::{Address, Found, Object, RemoteError, RemoteSettings, Scheme};

/// Requests about objects that are under way at once, for what they are and not for their bytes.
const QUESTIONS: usize = 16;

/// Objects that are fetched at once before they are opened.
const BEGINNINGS: usize = 16;

/// All stores of a source.
#[derive(Clone, Debug)]
pub struct Remote {
    shared: Arc<Shared>,
}

/// What the objects of a source share.
#[derive(Debug)]
pub(super) struct Shared {
    variables: Vec<(String, String)>,
    stores: Mutex<HashMap<Address, Arc<dyn ObjectStore>>>,
    pub(super) cache: Option<Arc<Cache>>,
    /// Why objects can no longer be read: what was met first.
    pub(super) failure: OnceLock<RemoteError>,
    /// The first blocks of the objects that were opened last, by their numbers: a header is often read by itself.
    pub(super) heads: Mutex<VecDeque<(u64, Bytes)>>,
    /// First blocks that are fetched before their objects are opened, by the numbers of these.
    pub(super) begun: Mutex<HashMap<u64, Fetch>>,
    next: AtomicU64,
    questions: Semaphore,
    pub(super) beginnings: Semaphore,
}

impl Remote {
    /// Makes ready to reach stores; nothing is asked yet.
    ///
    /// # Errors
    /// If the directory for copies cannot be used.
    pub fn open(settings: &RemoteSettings) -> Result<Remote, RemoteError> {
        let cache = settings.cache.as_ref().map(|cache| {
            Cache::open(cache).map_err(|error| RemoteError {
                address: cache.directory.display().to_string(),
                what: format!("copies of objects cannot be kept there: {error}"),
                hint: "name a directory that can be written with `--cache-dir`, or leave it out".to_owned(),
                kind: error.kind(),
            })
        });
        Ok(Remote {
            shared: Arc::new(Shared {
                variables: settings.variables.clone(),
                stores: Mutex::default(),
                cache: cache.transpose()?.map(Arc::new),
                failure: OnceLock::new(),
                heads: Mutex::default(),
                next: AtomicU64::new(0),
                begun: Mutex::default(),
                questions: Semaphore::new(QUESTIONS),
                beginnings: Semaphore::new(BEGINNINGS),
            }),
        })
    }

    /// Finds what addresses lead to, some at a time: an object, or else all objects below it. Of a pattern, all objects
    /// below the part before it.
    ///
    /// # Errors
    /// As items: if there is nothing of that name, or the store cannot be asked.
    pub fn find(&self, addresses: &[Address]) -> Vec<Result<Found, RemoteError>> {
        let find = |address: Address| {
            let shared = self.shared.clone();
            async move { shared.find(&address).await }
        };
        side_by_side(addresses.iter().cloned().map(find))
    }

    /// Begins a pass: every object is asked for anew, and these, of which the pass may ask for nothing, are checked to
    /// be what they were, some at a time. One that is not is the [failure](Remote::failure).
    pub fn begin_pass(&self, objects: &[Arc<Object>]) {
        self.shared.heads.lock().expect("no holder panics").clear();
        let check = |object: Arc<Object>| {
            let shared = self.shared.clone();
            async move { shared.check(&object).await }
        };
        for error in side_by_side(objects.iter().cloned().map(check)).into_iter().filter_map(Result::err) {
            let _ = self.shared.failure.set(error);
        }
    }

    /// Returns why objects can no longer be read, if so: of several reasons the one that was met first.
    pub fn failure(&self) -> Option<RemoteError> {
        self.shared.failure.get().cloned()
    }
}

/// Waits for all of them; what comes out is in their order.
fn side_by_side<T: Send + 'static>(tasks: impl Iterator<Item = impl Future<Output = T> + Send + 'static>) -> Vec<T> {
    let tasks: Vec<_> = tasks.map(|task| runtime().spawn(task)).collect();
    if tasks.is_empty() {
        // A run that reads files alone starts no thread for the network.
        return Vec::new();
    }
    runtime().block_on(async {
        let mut done = Vec::with_capacity(tasks.len());
        for task in tasks {
            done.push(task.await.expect("what asks a store does not panic"));
        }
        done
    })
}

impl Shared {
    /// Returns the store of an address; connections are shared by all addresses of it.
    fn store(&self, address: &Address) -> Result<Arc<dyn ObjectStore>, RemoteError> {
        let of = address.with_key("");
        let mut stores = self.stores.lock().expect("no holder panics");
        if let Some(store) = stores.get(&of) {
            return Ok(store.clone());
        }
        let store = connect(&of, &self.variables).map_err(|error| told(&error, address))?;
        stores.insert(of, store.clone());
        Ok(store)
    }

    async fn find(self: &Arc<Shared>, address: &Address) -> Result<Found, RemoteError> {
        if address.bucket.is_empty() {
            return Err(nothing(address, "expected a bucket or a server after `://`, found none"));
        }
        let _turn = self.questions.acquire().await.expect("it is never closed");
        let store = self.store(address)?;
        if address.scheme.is_web() {
            return self.find_page(address, store).await;
        }
        let whole = address.key.is_empty() || address.key.ends_with('/') || address.is_pattern();
        if !whole {
            let path = key_path(address)?;
            match store.head(&path).await {
                Ok(meta) => return Ok(Found::Object(self.object(address.clone(), store, path, &meta, true))),
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(told(&error, address)),
            }
        }
        let base = if address.is_pattern() { address.split_pattern().0 } else { &address.key };
        let base = key_path(&address.with_key(base))?;
        let mut listing = store.list(Some(&base).filter(|base| !base.as_ref().is_empty()));
        let mut objects = Vec::new();
        while let Some(next) = listing.next().await {
            let meta = next.map_err(|error| told(&error, address))?;
            let (path, key) = (meta.location.clone(), meta.location.to_string());
            objects.push(self.object(address.with_key(&key), store.clone(), path, &meta, true));
        }
        if objects.is_empty() {
            return Err(match whole {
                true => nothing(address, "no object begins with that"),
                false => nothing(address, "no such object, and none below it"),
            });
        }
        objects.sort_by(|a, b| a.address().key.cmp(&b.address().key));
        Ok(Found::Below(objects))
    }

    /// Finds a page. One byte of it tells whether parts of it can be read, how long it is, and its version.
    async fn find_page(
        self: &Arc<Shared>,
        address: &Address,
        store: Arc<dyn ObjectStore>,
    ) -> Result<Found, RemoteError> {
        if address.key.is_empty() || address.key.ends_with('/') {
            let hint = "name every file, or list them in a file for `--files-from`".to_owned();
            let what = "expected the address of a file: web servers do not list what they have".to_owned();
            return Err(RemoteError { address: address.shown(), what, hint, kind: io::ErrorKind::InvalidInput });
        }
        let path = Path::from_url_path(&address.key).map_err(|error| told(&error.into(), address))?;
        let part = GetOptions { range: Some((0..1).into()), ..GetOptions::default() };
        match store.get_opts(&path, part).await {
            Ok(found) => Ok(Found::Object(self.object(address.clone(), store, path, &found.meta, true))),
            Err(error @ (Error::NotFound { .. } | Error::PermissionDenied { .. } | Error::Unauthenticated { .. })) => {
                Err(told(&error, address))
            }
            // It has no first byte, or does not give parts.
            Err(_) => {
                let meta = store.head(&path).await.map_err(|error| told(&error, address))?;
                Ok(Found::Object(self.object(address.clone(), store, path, &meta, false)))
            }
        }
    }

    fn object(
        self: &Arc<Shared>,
        address: Address,
        store: Arc<dyn ObjectStore>,
        path: Path,
        meta: &ObjectMeta,
        has_ranges: bool,
    ) -> Arc<Object> {
        let number = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Arc::new(Object::new(self.clone(), number, address, store, path, Version::of(meta), meta.size, has_ranges))
    }

    async fn check(&self, object: &Object) -> Result<(), RemoteError> {
        let _turn = self.questions.acquire().await.expect("it is never closed");
        let address = object.address();
        let found = match address.scheme.is_web() && object.has_ranges() && object.bytes() > 0 {
            true => {
                let part = GetOptions { range: Some((0..1).into()), ..GetOptions::default() };
                object.store.get_opts(&object.path, part).await.map(|found| found.meta)
            }
            false => object.store.head(&object.path).await,
        };
        match found {
            Ok(meta) if object.is(&meta) => Ok(()),
            Ok(_) => Err(changed(address)),
            Err(Error::NotFound { .. }) => Err(gone(address)),
            Err(error) => Err(told(&error, address)),
        }
    }
}

/// Says that an object is there no more.
pub(super) fn gone(address: &Address) -> RemoteError {
    RemoteError { what: "is gone since this run began".to_owned(), ..changed(address) }
}

fn nothing(address: &Address, what: &str) -> RemoteError {
    let hint = match address.scheme {
        Scheme::S3 | Scheme::Gs | Scheme::Az => "check the spelling of bucket and key",
        Scheme::Http | Scheme::Https => "check the spelling of the address",
    };
    RemoteError {
        address: address.shown(),
        what: what.to_owned(),
        hint: hint.to_owned(),
        kind: io::ErrorKind::NotFound,
    }
}

/// Returns a key as stores take it.
fn key_path(address: &Address) -> Result<Path, RemoteError> {
    Path::parse(&address.key).map_err(|error| told(&error.into(), address))
}

#[cfg(test)]
impl Remote {
    /// Returns a source of objects in memory, in the bucket `b` of S3.
    pub(super) fn in_memory(settings: &RemoteSettings, store: Arc<dyn ObjectStore>) -> Remote {
        let remote = Remote::open(settings).unwrap();
        let address = Address::parse("s3://b").unwrap();
        remote.shared.stores.lock().unwrap().insert(address, store);
        remote
    }

    /// Finds the one object of this key.
    pub(super) fn only(&self, key: &str) -> Arc<Object> {
        match self.find(&[Address::parse(&format!("s3://b/{key}")).unwrap()]).remove(0) {
            Ok(Found::Object(object)) => object,
            other => panic!("{other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::memory::InMemory;

    fn store(keys: &[&str]) -> Arc<InMemory> {
        let store = Arc::new(InMemory::new());
        for key in keys {
            let path = Path::parse(key).unwrap();
            runtime().block_on(store.put(&path, key.as_bytes().to_vec().into())).unwrap();
        }
        store
    }

    fn find(remote: &Remote, address: &str) -> Result<Vec<String>, String> {
        match remote.find(&[Address::parse(address).unwrap()]).remove(0) {
            Ok(Found::Object(object)) => Ok(vec![object.address().shown()]),
            Ok(Found::Below(objects)) => Ok(objects.iter().map(|object| object.address().key.clone()).collect()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn an_address_leads_to_an_object_or_to_all_below_it() {
        let store = store(&["a/b.txt", "a/c/d.txt", "a-b.txt", "z.txt"]);
        let remote = Remote::in_memory(&RemoteSettings::default(), store);
        assert_eq!(find(&remote, "s3://b/a/b.txt").unwrap(), ["s3://b/a/b.txt"]);
        for address in ["s3://b/a", "s3://b/a/", "s3://b/a/*.txt"] {
            assert_eq!(find(&remote, address).unwrap(), ["a/b.txt", "a/c/d.txt"], "{address}");
        }
        for address in ["s3://b", "s3://b/", "s3://b/*"] {
            assert_eq!(find(&remote, address).unwrap(), ["a-b.txt", "a/b.txt", "a/c/d.txt", "z.txt"], "{address}");
        }
        assert_eq!(find(&remote, "s3://b/q").unwrap_err(), "`s3://b/q`: no such object, and none below it");
        assert_eq!(find(&remote, "s3://b/q/").unwrap_err(), "`s3://b/q/`: no object begins with that");
    }

    #[test]
    fn a_check_notices_another_version_and_none() {
        let store = store(&["a.txt", "b.txt", "c.txt"]);
        let remote = Remote::in_memory(&RemoteSettings::default(), store.clone());
        let objects = ["a.txt", "b.txt", "c.txt"].map(|key| remote.only(key));
        remote.begin_pass(&objects);
        assert_eq!(remote.failure(), None);
        runtime().block_on(store.delete(&Path::from("c.txt"))).unwrap();
        remote.begin_pass(&objects);
        assert_eq!(remote.failure().unwrap().to_string(), "`s3://b/c.txt`: is gone since this run began");

        let remote = Remote::in_memory(&RemoteSettings::default(), store.clone());
        let object = remote.only("b.txt");
        runtime().block_on(store.put(&Path::from("b.txt"), "new".into())).unwrap();
        remote.begin_pass(&[object]);
        assert_eq!(remote.failure().unwrap().to_string(), "`s3://b/b.txt`: has changed since this run began");
    }
}
