//! Dates as records give them → days, so that they can be ordered and compared.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::{rfc2822, strtime};
use jiff::tz::TimeZone;

/// Forms that are tried after ISO 8601 and RFC 2822, the first that fits wins. Day before month where both would do is
/// left out on purpose: `03/04/2025` means two days, and a wrong order is worse than none.
const FORMS: [&str; 8] =
    ["%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d.%m.%Y", "%B %d, %Y", "%b %d, %Y", "%d %B %Y", "%d %b %Y"];

/// Returns the day that a date field names, counted from 1970-01-01; none when it cannot be read.
///
/// Reads ISO 8601 (`2025-03-04`, with or without a time), RFC 2822 (`Tue, 4 Mar 2025 10:00:00 +0100`), `2025/03/04`,
/// `20250304`, `04.03.2025`, `March 4, 2025` and `4 Mar 2025`. The day is the one that the text says: time zones move
/// nothing.
///
/// ```
/// use retold::date::day;
/// assert_eq!(day("1970-01-02T23:00:00+05:00"), Some(1));
/// assert_eq!(day("January 2, 1970"), day("2 Jan 1970"));
/// assert_eq!(day("yesterday"), None);
/// ```
pub fn day(text: &str) -> Option<i32> {
    let text = text.trim();
    let head =
        text.get(..10).filter(|_| text.len() == 10 || text.as_bytes()[10] == b'T' || text.as_bytes()[10] == b' ');
    let date = head
        .and_then(|head| head.parse::<Date>().ok())
        .or_else(|| rfc2822::DateTimeParser::new().parse_zoned_datetime(text).ok().map(|zoned| zoned.date()))
        .or_else(|| FORMS.iter().find_map(|form| strtime::parse(form, text).ok()?.to_date().ok()))?;
    Some(date.duration_since(Date::constant(1970, 1, 1)).as_hours() as i32 / 24)
}

/// Returns the second that a date field names, counted from 1970-01-01, as far as it says one: a day without a time is its
/// beginning, a time without a zone is of UTC. None when no date can be read.
///
/// ```
/// use retold::date::moment;
/// assert_eq!(moment("1970-01-02"), Some(86_400));
/// assert_eq!(moment("1970-01-02T01:00:30+01:00"), Some(86_430));
/// assert!(moment("2025-03-04 09:00") < moment("2025-03-04 17:30"));
/// ```
pub fn moment(text: &str) -> Option<i64> {
    let text = text.trim();
    let beginning = i64::from(day(text)?) * 86_400;
    // Most dates are no more than a day.
    if !text.contains(':') {
        return Some(beginning);
    }
    let zoned = text.parse::<Timestamp>().ok();
    let zoned = zoned.or_else(|| rfc2822::DateTimeParser::new().parse_timestamp(text).ok());
    let civil = || TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok();
    Some(zoned.or_else(civil).map_or(beginning, Timestamp::as_second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_day_in_many_forms() {
        for text in [
            "2025-03-04",
            "2025-03-04 22:10:00",
            "2025-03-04T00:30:00Z",
            "Tue, 4 Mar 2025 10:00:00 +0100",
            "2025/03/04",
            "20250304",
            "04.03.2025",
            "March 4, 2025",
            "4 Mar 2025",
        ] {
            assert_eq!(day(text), Some(20_151), "{text}");
        }
    }

    #[test]
    fn moments_of_a_day_follow_each_other() {
        let forms = [
            "2025-03-04",
            "Tue, 4 Mar 2025 10:00:00 +0100",
            "2025-03-04T09:30:00Z",
            "2025-03-04 09:30:01",
            "2025-03-04T09:31",
            "2025-03-04T23:00:00-05:00",
        ];
        let moments = forms.map(|text| moment(text).unwrap_or_else(|| panic!("{text}")));
        assert!(moments.is_sorted_by(|a, b| a < b), "{moments:?}");
        assert_eq!(moment("2025-03-04 at about 9:30"), moment("2025-03-04"));
        assert_eq!(moment("9:30"), None);
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in ["", "soon", "03/04/2025", "2025-13-01", "2025-03-0é"] {
            assert_eq!(day(text), None, "{text}");
        }
    }
}
