//! The network's own thread, the stores that addresses lead to, and what their errors mean.

use std::error::Error as _;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::{BackoffConfig, ClientOptions, Error, ObjectStore, RetryConfig};
use tokio::runtime::{Builder, Runtime};

use crate::remote::address::Scheme;
use crate::remote::{Address, RemoteError};

/// Threads that unpack and pack what is kept, and look up names of servers: they wait more than they work.
const BLOCKING_THREADS: usize = 4;

/// Times that a request is tried again: with pauses that double from a tenth of a second, about six seconds.
const RETRIES: usize = 6;

/// A request may take so long: a block of 4 MiB at 14 KB/s.
const REQUEST_SECONDS: u64 = 300;

/// A server may fall silent for so long in the midst of an answer.
const SILENT_SECONDS: u64 = 30;

/// Characters of a server's own words that are shown.
const SHOWN: usize = 200;

/// Returns the runtime of all stores of this process: one thread, which waits for the network.
pub(super) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        // Another part of the process may have chosen already; either will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(BLOCKING_THREADS)
            .thread_name("retold-network")
            .enable_all()
            .build()
            .expect("the system gives threads")
    })
}

/// Makes the client of a store.
pub(super) fn connect(address: &Address, variables: &[(String, String)]) -> Result<Arc<dyn ObjectStore>, Error> {
    let of = |prefix: &'static str| {
        let named = variables.iter().filter(move |(name, _)| name.starts_with(prefix));
        named.map(|(name, value)| (name.to_ascii_lowercase(), value.as_str()))
    };
    // An own server that is named without TLS is meant so.
    let is_plain = |prefix| of(prefix).any(|(_, value)| value.starts_with("http://"));
    let retry = RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(5),
            base: 2.0,
        },
        max_retries: RETRIES,
        retry_timeout: Duration::from_secs(60),
    };
    let options = ClientOptions::new()
        .with_timeout(Duration::from_secs(REQUEST_SECONDS))
        .with_read_timeout(Duration::from_secs(SILENT_SECONDS))
        .with_connect_timeout(Duration::from_secs(10));
    Ok(match address.scheme {
        Scheme::S3 => {
            let options = options.with_allow_http(is_plain("AWS_ENDPOINT"));
            let mut builder = AmazonS3Builder::new().with_client_options(options).with_retry(retry);
            for (name, value) in of("AWS_") {
                if let Ok(key) = name.parse() {
                    builder = builder.with_config(key, value);
                }
            }
            Arc::new(builder.with_bucket_name(&address.bucket).build()?)
        }
        Scheme::Gs => {
            let options = options.with_allow_http(is_plain("GOOGLE_"));
            let mut builder = GoogleCloudStorageBuilder::new().with_client_options(options).with_retry(retry);
            for (name, value) in of("GOOGLE_") {
                if let Ok(key) = name.parse() {
                    builder = builder.with_config(key, value);
                }
            }
            Arc::new(builder.with_bucket_name(&address.bucket).build()?)
        }
        Scheme::Az => {
            let options = options.with_allow_http(is_plain("AZURE_"));
            let mut builder = MicrosoftAzureBuilder::new().with_client_options(options).with_retry(retry);
            for (name, value) in of("AZURE_") {
                if let Ok(key) = name.parse() {
                    builder = builder.with_config(key, value);
                }
            }
            Arc::new(builder.with_container_name(&address.bucket).build()?)
        }
        Scheme::Http | Scheme::Https => {
            let query = address.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
            let url = format!("{}://{}/{query}", address.scheme.name(), address.bucket);
            let options = options.with_allow_http(address.scheme == Scheme::Http);
            Arc::new(HttpBuilder::new().with_url(url).with_client_options(options).with_retry(retry).build()?)
        }
    })
}

/// Says what went wrong with an object, or with a place in a store.
pub(super) fn told(error: &Error, address: &Address) -> RemoteError {
    let (kind, what, hint) = match error {
        Error::NotFound { .. } if is_about_bucket(error) => {
            (io::ErrorKind::NotFound, format!("there is no `{}`", address.bucket), "check the name of the bucket")
        }
        Error::NotFound { .. } => {
            (io::ErrorKind::NotFound, "no such object".to_owned(), "check the spelling of the address")
        }
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            (io::ErrorKind::PermissionDenied, format!("permission denied: {}", cause(error)), credentials(address))
        }
        Error::Precondition { .. } => return changed(address),
        Error::InvalidPath { .. } => (
            io::ErrorKind::InvalidInput,
            format!("expected the key of an object: {error}"),
            "name a key whose parts are neither empty nor `.` or `..`",
        ),
        _ if is_about_bucket(error) => {
            (io::ErrorKind::NotFound, format!("there is no `{}`", address.bucket), "check the name of the bucket")
        }
        _ if lacks_credentials(error) => {
            (io::ErrorKind::PermissionDenied, "no credentials were found".to_owned(), credentials(address))
        }
        _ if is_unanswered(error) => (
            io::ErrorKind::NotConnected,
            format!("the server does not answer: {}", cause(error)),
            "check the network, and the address of the server where one is set; then run again",
        ),
        _ => (
            io::ErrorKind::Other,
            format!("could not be fetched: {}", cause(error)),
            "check what the server says, and run again",
        ),
    };
    RemoteError { address: address.shown(), what, hint: hint.to_owned(), kind }
}

/// Says that an object is another than the one that was found.
pub(super) fn changed(address: &Address) -> RemoteError {
    RemoteError {
        address: address.shown(),
        what: "has changed since this run began".to_owned(),
        hint: "run again when nothing writes to it any more".to_owned(),
        kind: io::ErrorKind::InvalidData,
    }
}

/// Says what gives access to a store.
fn credentials(address: &Address) -> &'static str {
    match address.scheme {
        Scheme::S3 => {
            "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` to those of somebody who may read it, or \
             `AWS_SKIP_SIGNATURE=true` if everybody may"
        }
        Scheme::Gs => {
            "set `GOOGLE_SERVICE_ACCOUNT` to the key file of an account that may read it, or \
             `GOOGLE_SKIP_SIGNATURE=true` if everybody may"
        }
        Scheme::Az => {
            "set `AZURE_STORAGE_ACCOUNT_NAME`, and `AZURE_STORAGE_ACCOUNT_KEY` or `AZURE_STORAGE_SAS_TOKEN`, to those \
             that may read it"
        }
        Scheme::Http | Scheme::Https => "check the address: the server asks for more than it says",
    }
}

/// Returns the text of an error with all that lies behind it.
fn all_of(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text.push_str(&format!(": {error}"));
        next = error.source();
    }
    text
}

fn is_about_bucket(error: &Error) -> bool {
    let text = all_of(error);
    ["NoSuchBucket", "The specified bucket does not exist", "ContainerNotFound"].iter().any(|name| text.contains(name))
}

/// Returns whether the last hope for credentials was asked in vain: the service that tells a machine in the cloud its
/// own, or the settings of the account.
fn lacks_credentials(error: &Error) -> bool {
    let text = all_of(error);
    let asked = ["latest/api/token", "latest/meta-data", "metadata.google", "metadata/identity", "computeMetadata"];
    asked.iter().any(|path| text.contains(path)) || text.contains("Account must be specified")
}

fn is_unanswered(error: &Error) -> bool {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<object_store::client::HttpError>() {
            return !matches!(error.kind(), object_store::client::HttpErrorKind::Decode);
        }
        next = error.source();
    }
    false
}

/// Returns the first cause of an error, in a line.
fn cause(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text = error.to_string();
        next = error.source();
    }
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_end_matches(':');
    match line.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}
