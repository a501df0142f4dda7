//! Addresses of objects: `s3://bucket/key`, `gs://`, `az://`, `http://` and `https://`.

use std::path::{Path, PathBuf};

/// What a key may hold that makes a pattern of it.
const PATTERN: [char; 4] = ['*', '?', '[', '{'];

/// How objects are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Amazon S3, and what speaks as it does.
    S3,
    /// Google Cloud Storage.
    Gs,
    /// Azure Blob Storage.
    Az,
    /// A web server.
    Http,
    /// A web server, over TLS.
    Https,
}

impl Scheme {
    const ALL: [(Scheme, &'static str); 5] =
        [(Scheme::S3, "s3"), (Scheme::Gs, "gs"), (Scheme::Az, "az"), (Scheme::Http, "http"), (Scheme::Https, "https")];

    /// Returns how addresses begin.
    pub fn name(self) -> &'static str {
        Scheme::ALL.into_iter().find(|(scheme, _)| *scheme == self).expect("all are listed").1
    }

    /// Returns whether it is a web server, where each address is one object.
    pub fn is_web(self) -> bool {
        matches!(self, Scheme::Http | Scheme::Https)
    }
}

/// An address: of an object, of all below a prefix (which ends with `/`), or of those that a pattern matches.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// How it is reached.
    pub scheme: Scheme,
    /// The bucket or container; of a web server, its name and port.
    pub bucket: String,
    /// What follows; of a web server without the query.
    pub key: String,
    /// What follows the question mark of a web address.
    pub query: Option<String>,
}

impl Address {
    /// Reads an address; none: it is no address, but a path.
    ///
    /// Keys are taken as they are, byte for byte; those of web addresses are percent-encoded as in a browser.
    pub fn parse(text: &str) -> Option<Address> {
        let (scheme, rest) = text.split_once("://")?;
        let (scheme, _) = Scheme::ALL.into_iter().find(|(_, name)| scheme.eq_ignore_ascii_case(name))?;
        let (rest, query) = match scheme.is_web() {
            true => {
                let rest = rest.split('#').next().unwrap_or_default();
                rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query.to_owned())))
            }
            false => (rest, None),
        };
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        Some(Address { scheme, bucket: bucket.to_owned(), key: key.to_owned(), query })
    }

    /// Returns the address of another key of the same bucket.
    #[cfg(feature = "object-store")]
    pub(super) fn with_key(&self, key: &str) -> Address {
        Address { key: key.to_owned(), ..self.clone() }
    }

    /// Returns the address for people, without the query and without a name and password before the server: secrets
    /// may stand there.
    pub fn shown(&self) -> String {
        let bucket = self.bucket.rsplit('@').next().unwrap_or_default();
        format!("{}://{bucket}/{}", self.scheme.name(), self.key)
    }

    /// Returns whether it may mean several objects by a pattern.
    pub fn is_pattern(&self) -> bool {
        !self.scheme.is_web() && self.key.contains(PATTERN)
    }

    /// Returns the part of the key before the first component that is a pattern, and the rest.
    pub fn split_pattern(&self) -> (&str, &str) {
        let at = self.key.find(PATTERN).unwrap_or(self.key.len());
        let base = self.key[..at].rfind('/').map_or(0, |slash| slash + 1);
        self.key.split_at(base)
    }

    /// Returns the address as a path whose last component names it; a web address is known by its path alone.
    pub fn to_path(&self) -> PathBuf {
        PathBuf::from(self.shown())
    }
}

/// Returns whether a path is an address.
pub fn is_address(path: &Path) -> bool {
    path.to_str().is_some_and(|text| Address::parse(text).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Address {
        Address::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn addresses_are_told_from_paths() {
        for path in ["crawl/a.txt", "s3:/bucket", "ftp://host/a", "-", "C:\\crawl", "a s3://b"] {
            assert!(!is_address(Path::new(path)), "{path}");
        }
        for address in ["s3://b", "S3://b/k", "gs://b/k", "az://c/k", "http://h/k", "https://h"] {
            assert!(is_address(Path::new(address)), "{address}");
        }
    }

    #[test]
    fn keys_are_taken_as_they_are_and_queries_are_not_shown() {
        let address = parse("s3://bucket/dir/a b?#%20.jsonl");
        assert_eq!((address.bucket.as_str(), address.key.as_str()), ("bucket", "dir/a b?#%20.jsonl"));
        let address = parse("https://me:word@host:81/a.txt?token=x#top");
        assert_eq!(address.query.as_deref(), Some("token=x"));
        assert_eq!(address.shown(), "https://host:81/a.txt");
        assert_eq!(parse("s3://bucket").shown(), "s3://bucket/");
    }

    #[test]
    fn a_pattern_begins_with_the_component_that_holds_it() {
        assert_eq!(parse("s3://b/x/y/*.gz").split_pattern(), ("x/y/", "*.gz"));
        assert_eq!(parse("s3://b/x/y-{1,2}/z").split_pattern(), ("x/", "y-{1,2}/z"));
        assert_eq!(parse("s3://b/*").split_pattern(), ("", "*"));
        assert!(!parse("https://h/a?b=*").is_pattern());
        assert!(!parse("s3://b/x/").is_pattern());
    }
}
