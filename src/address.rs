//! Addresses of pages → what they name: two addresses of one page are one.

/// Parameters of a query that say where a reader came from, not what the page is; those that begin with `utm_` too.
const TRACKING: [&str; 22] = [
    "_ga", "cmpid", "dclid", "fbclid", "ftag", "gaa_at", "gbraid", "gclid", "gclsrc", "icid", "igshid", "mc_cid",
    "mc_eid", "mkt_tok", "msclkid", "ncid", "ocid", "smid", "twclid", "vero_id", "wbraid", "yclid",
];

/// Returns the canonical form of an address: what names the page, and nothing else. None where there is no host.
///
/// | left out | example |
/// |---|---|
/// | scheme and default port | `https://`, `:443` |
/// | `www.` | `www.example.com` |
/// | fragment, unless it begins with `!` | `#comments` |
/// | tracking parameters | `?utm_source=x`, `?fbclid=x`, `?gclid=x` |
/// | slashes at the end | `/news/` |
/// | AMP: host, last part of the path, suffix, parameter | `amp.example.com`, `/amp`, `.amp.html`, `?amp=1` |
///
/// The host is in lower case, the other parameters are in order; the path stays, since `/A` and `/a` may be two pages.
///
/// ```
/// use retold::address::canonical;
/// let page = canonical("https://example.com/news/a?id=7");
/// assert_eq!(page, canonical("http://www.Example.com/news/a/amp/?utm_source=x&id=7#top"));
/// assert_eq!(page.as_deref(), Some("example.com/news/a?id=7"));
/// assert_ne!(page, canonical("https://example.com/news/a?id=8"));
/// ```
pub fn canonical(url: &str) -> Option<String> {
    let url = url.trim();
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest).trim_start_matches('/');
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, path) = place.split_once('/').unwrap_or((place, ""));
    let mut host = host.to_ascii_lowercase();
    for port in [":80", ":443"] {
        host.truncate(host.strip_suffix(port).map_or(host.len(), str::len));
    }
    for prefix in ["www.", "amp."] {
        // What is left must be a host by itself.
        if let Some(rest) = host.strip_prefix(prefix).filter(|rest| rest.contains('.')) {
            host = rest.to_owned();
        }
    }
    if host.is_empty() {
        return None;
    }
    let mut path = path.trim_end_matches('/').to_owned();
    if let Some(stem) = path.strip_suffix("/amp").or((path == "amp").then_some("")) {
        path = stem.trim_end_matches('/').to_owned();
    } else if let Some(stem) = path.strip_suffix(".amp") {
        path = stem.to_owned();
    } else if let Some(stem) = path.strip_suffix(".amp.html") {
        path = format!("{stem}.html");
    }
    let names_page = |parameter: &&str| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let name = name.to_ascii_lowercase();
        let amp = name == "amp" || name == "outputtype" && value.eq_ignore_ascii_case("amp");
        !name.is_empty() && !amp && !name.starts_with("utm_") && !TRACKING.contains(&name.as_str())
    };
    let mut parameters: Vec<&str> = query.split('&').filter(names_page).collect();
    parameters.sort_unstable();
    let mut canonical = host;
    if !path.is_empty() {
        canonical.push('/');
        canonical.push_str(&path);
    }
    if !parameters.is_empty() {
        canonical.push('?');
        canonical.push_str(&parameters.join("&"));
    }
    if fragment.starts_with('!') {
        canonical.push('#');
        canonical.push_str(fragment);
    }
    Some(canonical)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_of_one_page_are_one() {
        let page = "example.com/news/a.html";
        for url in [
            "example.com/news/a.html",
            "https://www.example.com/news/a.html#top",
            "http://example.com:80/news/a.html/",
            "https://example.com:443/news/a.amp.html",
            "https://amp.example.com/news/a.html?amp",
            "https://EXAMPLE.com/news/a.html/amp/?outputType=amp",
            "https://example.com/news/a.html?UTM_medium=mail&fbclid=2&&gclid=",
            "//example.com/news/a.html",
        ] {
            assert_eq!(canonical(url).as_deref(), Some(page), "{url}");
        }
        assert_eq!(canonical("https://example.com/?b=2&a=1"), canonical("https://example.com?a=1&b=2"));
    }

    #[test]
    fn addresses_of_two_pages_are_two() {
        let all = [
            "https://example.com/a",
            "https://example.com/A",
            "https://example.com/a?page=2",
            "https://example.com/a#!/b",
            "https://news.example.com/a",
            "https://example.com/example",
            "https://example.com/camp",
            "https://example.com",
            "https://amp.com/a",
        ];
        for (at, one) in all.iter().enumerate() {
            for other in &all[at + 1..] {
                assert_ne!(canonical(one), canonical(other));
            }
        }
    }

    #[test]
    fn nothing_names_no_page() {
        for url in ["", "https://", "#top", "?id=1", "/news"] {
            // A path alone reads as a host: there is nothing to tell them apart.
            assert_eq!(canonical(url).is_some(), url == "/news", "{url}");
        }
    }

    proptest! {
        #[test]
        fn what_is_canonical_stays(url in "[a-z:/.?&=#!A]{0,40}") {
            if let Some(once) = canonical(&url) {
                let _ = canonical(&once);
            }
        }
    }
}
