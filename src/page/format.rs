//! Figures as short texts.

use std::time::{SystemTime, UNIX_EPOCH};

/// The time of day of a moment, in UTC.
pub(super) fn time_of_day(at: SystemTime) -> String {
    let seconds = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let part = |unit: u64, of: u64| seconds / unit % of;
    format!("{:02}:{:02}:{:02} UTC", part(3600, 24), part(60, 60), part(1, 60))
}

pub(super) fn milliseconds(seconds: f64) -> String {
    let value = seconds * 1000.0;
    match value {
        ..0.0995 => format!("{:.0} \u{b5}s", value * 1000.0),
        ..10.0 if value.fract() > 0.0 => format!("{value:.2} ms"),
        _ => format!("{value:.0} ms"),
    }
}

/// Bytes in the greatest unit that leaves a whole part.
pub(super) fn bytes(value: f64) -> String {
    let units = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    match units.into_iter().find(|(_, size)| value >= *size) {
        Some((unit, size)) => format!("{:.1} {unit}", value / size),
        None => format!("{value:.0} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        let times = [0.000_003, 0.000_1, 0.003, 0.012, 3.0].map(milliseconds);
        assert_eq!(times, ["3 \u{b5}s", "0.10 ms", "3 ms", "12 ms", "3000 ms"]);
        assert_eq!(time_of_day(UNIX_EPOCH + std::time::Duration::from_secs(86_400 + 3_723)), "01:02:03 UTC");
        assert_eq!(
            [0.0, 999.0, 1_500.0, 2e6, 3.25e9].map(bytes),
            ["0 B", "999 B", "1.5 kB", "2.0 MB", "3.2 GB"]
        );
    }
}
