//! Values of flags: sizes, shares, limits and names, with messages that say what was expected.

use std::fmt;

use retold::Config;
use retold::boilerplate::BoilerplateKind;
use retold::config::{Keep, Shingle, Verify};

/// A memory budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// At most this many bytes.
    Bytes(u64),
    /// No bound.
    Unlimited,
}

/// The smallest budget: below it the fixed buffers of the stages alone would not fit.
const LEAST_MEMORY: u64 = 64 << 20;

/// The longest record that can be judged.
const MOST_RECORD: u64 = 1 << 30;

/// Parses a memory budget: a number with K, M, G or T (powers of 1024), or `unlimited`.
pub fn memory(text: &str) -> Result<Memory, String> {
    if text == "unlimited" {
        return Ok(Memory::Unlimited);
    }
    let bytes =
        size(text).ok_or_else(|| format!("expected a size such as 512M or 4G, or `unlimited`, found `{text}`"))?;
    if bytes < LEAST_MEMORY {
        return Err(format!("expected at least 64M, found `{text}`"));
    }
    Ok(Memory::Bytes(bytes))
}

/// Parses the length that a record may have.
pub fn record_size(text: &str) -> Result<u64, String> {
    let bytes = size(text).filter(|bytes| (1..=MOST_RECORD).contains(bytes));
    bytes.ok_or_else(|| format!("expected a size up to 1G, such as 64M, found `{text}`"))
}

/// The smallest cache: less would hold no block of an object at all.
const LEAST_CACHE: u64 = 1 << 20;

/// Parses the size that a cache may have.
pub fn cache_size(text: &str) -> Result<u64, String> {
    let bytes = size(text).filter(|bytes| *bytes >= LEAST_CACHE);
    bytes.ok_or_else(|| format!("expected a size from 1M, such as 500M or 20G, found `{text}`"))
}

/// Parses a size: a number with K, M, G or T (powers of 1024).
fn size(text: &str) -> Option<u64> {
    let upper = text.to_ascii_uppercase();
    let number = upper.trim_end_matches("IB").trim_end_matches('B');
    let (digits, shift) = match number.as_bytes().last() {
        Some(b'K') => (&number[..number.len() - 1], 10),
        Some(b'M') => (&number[..number.len() - 1], 20),
        Some(b'G') => (&number[..number.len() - 1], 30),
        Some(b'T') => (&number[..number.len() - 1], 40),
        _ => (number, 0),
    };
    let amount: f64 = digits.trim().parse().ok().filter(|n: &f64| n.is_finite() && *n >= 0.0)?;
    Some((amount * (1u64 << shift) as f64) as u64)
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Memory::Bytes(bytes) if bytes.is_multiple_of(1 << 30) => write!(f, "{}G", bytes >> 30),
            Memory::Bytes(bytes) if bytes.is_multiple_of(1 << 20) => write!(f, "{}M", bytes >> 20),
            Memory::Bytes(bytes) => write!(f, "{bytes}"),
            Memory::Unlimited => f.write_str("unlimited"),
        }
    }
}

/// How much may be skipped without a status of 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SkipLimit {
    /// This many inputs and records.
    Count(u64),
    /// This share of all records.
    Share(f64),
}

impl SkipLimit {
    /// Returns whether `skipped` beside `documents` that were read is within the limit.
    pub fn allows(self, skipped: u64, documents: u64) -> bool {
        match self {
            SkipLimit::Count(most) => skipped <= most,
            SkipLimit::Share(share) => skipped as f64 <= share * (skipped + documents) as f64,
        }
    }
}

/// Parses a limit: a whole number is a count; a number with a point or a percent sign is a share.
pub fn skip_limit(text: &str) -> Result<SkipLimit, String> {
    if text.contains(['.', '%']) {
        return share(text).map(SkipLimit::Share);
    }
    text.parse()
        .map(SkipLimit::Count)
        .map_err(|_| format!("expected a number of records such as 10, or a share such as 0.01 or 1%, found `{text}`"))
}

/// Parses a share: 0 to 1, or 0% to 100%.
pub fn share(text: &str) -> Result<f64, String> {
    let (digits, scale) = text.strip_suffix('%').map_or((text, 1.0), |digits| (digits, 100.0));
    let value = digits.trim().parse::<f64>().ok().map(|value| value / scale);
    value
        .filter(|value| (0.0..=1.0).contains(value))
        .ok_or_else(|| format!("expected a share from 0 to 1, or a percentage, found `{text}`"))
}

/// Parses what is compared.
pub fn shingle(text: &str) -> Result<Shingle, String> {
    text.parse().map_err(|_| format!("expected words:1 to words:64, or chars:1 to chars:64, found `{text}`"))
}

/// Parses a way of measuring.
pub fn verify(text: &str) -> Result<Verify, String> {
    Verify::ALL.iter().find(|(_, name)| *name == text).map(|(verify, _)| *verify).ok_or_else(|| {
        let names: Vec<&str> = Verify::ALL.iter().map(|(_, name)| *name).collect();
        unknown("way of measuring", text, &names)
    })
}

/// Parses a policy of keeping.
pub fn keep(text: &str) -> Result<Keep, String> {
    Keep::ALL.iter().find(|(_, name)| *name == text).map(|(keep, _)| *keep).ok_or_else(|| {
        let names: Vec<&str> = Keep::ALL.iter().map(|(_, name)| *name).collect();
        unknown("policy", text, &names)
    })
}

/// Parses a kind of boilerplate; a hyphen may stand for the underscore.
pub fn kind(text: &str) -> Result<BoilerplateKind, String> {
    let name = text.trim().replace('-', "_");
    BoilerplateKind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
        let names: Vec<&str> = BoilerplateKind::ALL.iter().map(|kind| kind.name()).collect();
        unknown("kind", text, &names)
    })
}

/// Says that a name is none of those known, and which one is nearest.
fn unknown(what: &str, found: &str, known: &[&str]) -> String {
    match nearest(found, known) {
        Some(near) => format!("expected a {what}, found `{found}`; did you mean `{near}`?"),
        None => format!("expected a {what}, found `{found}`; there are {}", known.join(", ")),
    }
}

/// Returns the known name that is most like `name`, if any is like it at all.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    // 0.6 of the characters in common accepts a typing error or two and a missing suffix, not another word.
    similar::get_close_matches(name, known, 1, 0.6).first().copied()
}

/// Returns the names of the kinds that are taken out by default.
pub fn default_kinds() -> Vec<&'static str> {
    Config::default().remove.kinds().map(BoilerplateKind::name).collect()
}

/// Returns the long help of `--remove`, which prints the default set.
pub fn remove_help() -> String {
    let default = Config::default().remove;
    let told = BoilerplateKind::ALL.into_iter().filter(|kind| !default.has(*kind)).map(BoilerplateKind::name);
    format!(
        "Kinds of boilerplate to take out, and to leave out when texts are compared. By default: {}. Told, but taken \
         out only when named: {}",
        default_kinds().join(", "),
        told.collect::<Vec<_>>().join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_1024() {
        assert_eq!(memory("64M"), Ok(Memory::Bytes(64 << 20)));
        assert_eq!(memory("65536K"), Ok(Memory::Bytes(64 << 20)));
        assert_eq!(memory("1.5GiB"), Ok(Memory::Bytes(3 << 29)));
        assert_eq!(memory("2gb"), Ok(Memory::Bytes(2 << 30)));
        assert_eq!(memory("unlimited"), Ok(Memory::Unlimited));
    }

    #[test]
    fn a_size_that_is_too_small_or_no_size_is_refused() {
        assert!(memory("63M").unwrap_err().contains("at least 64M"));
        for text in ["", "M", "lots", "-5G", "infG", "NaN"] {
            assert!(memory(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_record_may_be_up_to_a_gibibyte_long() {
        assert_eq!(record_size("1G"), Ok(1 << 30));
        assert_eq!(record_size("64K"), Ok(64 << 10));
        for text in ["0", "2G", "x", ""] {
            assert!(record_size(text).unwrap_err().contains("up to 1G"), "{text}");
        }
    }

    #[test]
    fn a_limit_is_a_count_or_a_share() {
        assert_eq!(skip_limit("3"), Ok(SkipLimit::Count(3)));
        assert_eq!(skip_limit("0.5"), Ok(SkipLimit::Share(0.5)));
        assert_eq!(skip_limit("1%"), Ok(SkipLimit::Share(0.01)));
        assert!(skip_limit("1.5").is_err());
        assert!(skip_limit("some").is_err());
        assert!(SkipLimit::Count(1).allows(1, 0));
        assert!(!SkipLimit::Count(0).allows(1, 100));
        assert!(SkipLimit::Share(0.1).allows(1, 9));
        assert!(!SkipLimit::Share(0.1).allows(2, 9));
    }

    #[test]
    fn every_kind_and_policy_is_known_by_its_name_and_a_near_miss_is_named() {
        for kind in BoilerplateKind::ALL {
            assert_eq!(super::kind(kind.name()), Ok(kind));
        }
        for (keep, name) in Keep::ALL {
            assert_eq!(super::keep(name), Ok(keep));
        }
        assert_eq!(kind("reading-time"), Ok(BoilerplateKind::ReadingTime));
        assert!(kind("bylines").unwrap_err().contains("did you mean `byline`?"));
        assert!(keep("longst").unwrap_err().contains("did you mean `longest`?"));
    }
}
