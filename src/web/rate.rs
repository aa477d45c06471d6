//! How many requests are answered: a bucket of tokens that fills with time.

use std::time::{Duration, Instant};

use crate::strict_yaml::{Entry, Name, YamlValue};

const INTERVAL: Name = &["interval"];
const BURST: Name = &["burst"];

/// One request per interval, and this many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestRate {
    /// The time in which one token comes.
    pub interval: Duration,
    /// The most tokens that there are; with 0 no request is answered.
    pub burst: u32,
}

pub(super) fn read(entry: &Entry<'_>) -> Option<RequestRate> {
    let section = entry.section(&[INTERVAL, BURST]);
    let interval = section.filled(INTERVAL).and_then(interval).filter(|interval| !interval.is_zero());
    let burst = section.filled(BURST).map_or(Some(0), |burst| burst.integer("an integer from 0"));
    let rate = RequestRate { interval: interval?, burst: burst? };
    if rate.burst == 0 {
        entry.warn("found an interval with no burst or a burst of 0: no request is answered, as in Go; burst: 20 is usual");
    }
    Some(rate)
}

fn interval(entry: &Entry<'_>) -> Option<Duration> {
    const ALLOWED: &str = "a duration such as 500ms, 1.5s or 1m30s, or 0 for no limit";
    let found = match &entry.node().value {
        YamlValue::Int(0) => Some(Duration::ZERO),
        YamlValue::Str(text) => parse(text.trim()),
        _ => None,
    };
    entry.or_refuse(found, ALLOWED)
}

/// A duration as Go writes it, without a sign.
fn parse(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let (number, behind) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?);
        let (unit, behind) =
            behind.split_at(behind.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(behind.len()));
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "\u{b5}s" | "\u{3bc}s" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        let number: f64 = number.parse().ok()?;
        sum = sum.checked_add(Duration::try_from_secs_f64(number * seconds).ok()?)?;
        rest = behind;
    }
    (!text.is_empty()).then_some(sum)
}

/// The tokens that are left.
#[derive(Debug, Default)]
pub(super) struct Bucket(Option<Level>);

#[derive(Debug)]
struct Level {
    rate: RequestRate,
    tokens: f64,
    at: Instant,
}

impl Bucket {
    /// Takes a token if there is one; another rate begins with a full bucket.
    pub(super) fn take(&mut self, rate: RequestRate, now: Instant) -> bool {
        let most = f64::from(rate.burst);
        let full = Level { rate, tokens: most, at: now };
        let level = match &mut self.0 {
            Some(level) if level.rate == rate => level,
            other => other.insert(full),
        };
        let came = now.saturating_duration_since(level.at).as_secs_f64() / rate.interval.as_secs_f64();
        level.tokens = (level.tokens + came).min(most);
        level.at = now;
        let taken = level.tokens >= 1.0;
        if taken {
            level.tokens -= 1.0;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        for (text, millis) in [
            ("0", 0),
            ("0s", 0),
            ("1s", 1000),
            ("1.5s", 1500),
            ("1m30s", 90_000),
            ("2h", 7_200_000),
            ("500ms", 500),
            ("1000us", 1),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "1", "s", "-1s", "1 s", "1d", "1.2.3s", "1e3s", "."] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_burst_is_answered_and_then_one_an_interval() {
        let rate = RequestRate { interval: Duration::from_millis(100), burst: 3 };
        let (mut bucket, start) = (Bucket::default(), Instant::now());
        let mut taken = |millis| bucket.take(rate, start + Duration::from_millis(millis));
        assert_eq!([0, 0, 0, 0].map(&mut taken), [true, true, true, false]);
        assert_eq!([99, 101, 102, 202].map(&mut taken), [false, true, false, true]);
        assert_eq!([9000; 4].map(&mut taken), [true, true, true, false]);
    }
}
