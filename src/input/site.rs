//! Where a document is from: the registrable domain of its address, or what its path says.

use regex::Regex;
use url::{Host, Url};

/// Version of the public suffix list that sites are cut by. `Cargo.toml` pins it, since another list groups other sites.
pub const PUBLIC_SUFFIX_LIST: &str = "2.1.247";

/// Returns the site of an address: its registrable domain by the public suffix list (`example.co.uk` of
/// `https://www.example.co.uk/a`), a host without one (`localhost`, an IP address) as it is.
pub fn of_url(url: &str) -> Option<String> {
    if let Some(host) = plain_host(url) {
        return Some(psl::domain_str(host).unwrap_or(host).to_owned());
    }
    let parsed = match Url::parse(url) {
        Ok(parsed) if parsed.has_host() => parsed,
        // `www.example.com/a` and `//www.example.com/a`, as careless scrapers write them.
        _ if url.contains('.') && !url.contains("://") => {
            Url::parse(&format!("http://{}", url.trim_start_matches('/'))).ok()?
        }
        _ => return None,
    };
    match parsed.host()? {
        Host::Domain(domain) => {
            let domain = domain.trim_end_matches('.');
            Some(psl::domain_str(domain).unwrap_or(domain).to_owned()).filter(|site| !site.is_empty())
        }
        Host::Ipv4(address) => Some(address.to_string()),
        Host::Ipv6(address) => Some(format!("[{address}]")),
    }
}

/// Returns the host of an address that needs no parser: lower-case letters, digits, hyphens and dots, the last label no
/// number. Nearly all addresses are such, and the full parser takes ten times as long.
fn plain_host(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let host = &rest[..rest.bytes().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len())];
    let is_plain =
        host.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.'));
    let last = host.rsplit('.').next().unwrap_or_default();
    (is_plain && last.starts_with(|c: char| c.is_ascii_lowercase()) && !host.contains("xn--")).then_some(host)
}

/// Returns what `pattern` finds in an id path: its group `site`, else its first group, else all that it matches.
pub(super) fn of_path(path: &str, pattern: &Regex) -> Option<String> {
    let captures = pattern.captures(path)?;
    let found = captures.name("site").or_else(|| captures.get(1)).or_else(|| captures.get(0))?;
    Some(found.as_str().to_owned()).filter(|site| !site.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_suffix_list_is_the_one_that_is_named() {
        let lock = include_str!("../../Cargo.lock");
        let entry = format!("name = \"psl\"\nversion = \"{PUBLIC_SUFFIX_LIST}\"");
        assert!(lock.contains(&entry), "Cargo.toml pins another list than {PUBLIC_SUFFIX_LIST}");
    }

    #[test]
    fn the_site_is_the_registrable_domain() {
        for (url, site) in [
            ("https://www.example.co.uk/a?b#c", "example.co.uk"),
            ("http://news.example.com.au:8080/", "example.com.au"),
            ("https://someone.github.io/post", "someone.github.io"),
            ("HTTPS://User@WWW.Example.COM./", "example.com"),
            ("http://192.168.0.1/a", "192.168.0.1"),
            ("http://[::1]/a", "[::1]"),
            ("http://localhost:8000/a", "localhost"),
            ("https://b\u{fc}cher.example.de/", "example.de"),
            ("//cdn.example.org/x", "example.org"),
            ("www.example.org/x", "example.org"),
        ] {
            assert_eq!(of_url(url).as_deref(), Some(site), "{url}");
        }
        for url in ["", "not an address", "mailto:a@b", "/relative/path", "https://"] {
            assert_eq!(of_url(url), None, "{url}");
        }
    }

    #[test]
    fn a_pattern_reads_the_site_from_the_path() {
        let of = |pattern: &str| of_path("crawl/example.org/2024/a.txt", &Regex::new(pattern).unwrap());
        assert_eq!(of("crawl/([^/]+)/").as_deref(), Some("example.org"));
        assert_eq!(of("(crawl)/(?<site>[^/]+)/").as_deref(), Some("example.org"));
        assert_eq!(of("[a-z]+[.]org").as_deref(), Some("example.org"));
        assert_eq!(of("nothing"), None);
    }
}
