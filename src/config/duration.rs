//! A span of time as people write it: `500ms`, `5s`, `1m30s`, `1h`, `30d`.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::strict_yaml::Entry;

/// The duration of an entry, if it lies in the range.
pub(super) fn read(entry: &Entry<'_>, range: &RangeInclusive<Duration>, expected: &str) -> Option<Duration> {
    entry.parsed(expected, |text| parse(text).filter(|duration| range.contains(duration)))
}

fn parse(mut text: &str) -> Option<Duration> {
    let mut sum = Duration::ZERO;
    while !text.is_empty() {
        let (number, rest) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
        let (unit, rest) = rest.split_at(rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len()));
        let number: u32 = number.parse().ok()?;
        let unit = match unit {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_mins(1),
            "h" => Duration::from_hours(1),
            "d" => Duration::from_hours(24),
            _ => return None,
        };
        sum = sum.checked_add(unit.checked_mul(number)?)?;
        text = rest;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_the_sum_of_its_parts() {
        assert_eq!(parse("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse("5s"), Some(Duration::from_secs(5)));
        assert_eq!(parse("1m30s"), Some(Duration::from_secs(90)));
        assert_eq!(parse("1h"), Some(Duration::from_hours(1)));
        assert_eq!(parse("1d12h"), Some(Duration::from_hours(36)));
        for text in ["5", "s", "5 s", "5w", "-5s", "1.5s", "99999999999s", "5sm", "4294967295d1"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
