//! How long a collection may take, as people write it: `500ms`, `5s`, `1m30s`.
//!
//! Refuses to know what happens at the deadline.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::entry::Entry;

/// The deadline of a file that sets none.
pub(super) const DEFAULT: Duration = Duration::from_secs(5);

const ALLOWED: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_mins(1);

/// The deadline that an entry sets.
pub(super) fn read(entry: &Entry<'_>) -> Option<Duration> {
    const HINT: &str = "a duration from 100ms to 60s, such as 500ms, 5s or 1m";
    let deadline = parse(&entry.text(HINT)?).filter(|deadline| ALLOWED.contains(deadline));
    if deadline.is_none() {
        entry.refuse(HINT);
    }
    deadline
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
        for text in ["5", "s", "5 s", "5h", "-5s", "1.5s", "99999999999s", "5sm"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
