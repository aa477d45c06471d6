//! Figures as texts of few cells.

/// A number with a decimal prefix: at most five cells up to 10^18.
pub(super) fn amount(value: f64) -> String {
    let prefixes = [("E", 1e18), ("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)];
    match prefixes.into_iter().find(|(_, size)| value >= *size * 0.9995) {
        Some((prefix, size)) if value / size < 9.95 => format!("{:.1}{prefix}", value / size),
        Some((prefix, size)) => format!("{:.0}{prefix}", value / size),
        None => format!("{value:.0}"),
    }
}

/// A time, in seconds.
pub(super) fn time(seconds: f64) -> String {
    match seconds {
        ..0.000_999_5 => format!("{:.0}\u{b5}s", seconds * 1e6),
        ..0.009_95 => format!("{:.1}ms", seconds * 1e3),
        ..0.999_5 => format!("{:.0}ms", seconds * 1e3),
        ..99.95 => format!("{seconds:.1}s"),
        _ => format!("{seconds:.0}s"),
    }
}

/// A share from 0 to 1.
pub(super) fn percent(share: f64) -> String {
    match share {
        ..=0.0 => "0%".to_owned(),
        ..0.001 => "<0.1%".to_owned(),
        ..0.0995 => format!("{:.1}%", share * 100.0),
        _ => format!("{:.0}%", share * 100.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_take_few_cells() {
        let amounts =
            [0.0, 7.0, 999.0, 999.6, 1_000.0, 1_549.0, 12_345.0, 999_999.0, 3.25e9, 1.8e19].map(amount);
        assert_eq!(amounts, ["0", "7", "999", "1.0k", "1.0k", "1.5k", "12k", "1.0M", "3.2G", "18E"]);
        let times = [0.0, 0.000_35, 0.001_23, 0.0123, 0.35, 1.25, 150.0].map(time);
        assert_eq!(times, ["0\u{b5}s", "350\u{b5}s", "1.2ms", "12ms", "350ms", "1.2s", "150s"]);
        assert_eq!([0.0, 0.000_2, 0.012, 0.5, 1.0].map(percent), ["0%", "<0.1%", "1.2%", "50%", "100%"]);
    }
}
