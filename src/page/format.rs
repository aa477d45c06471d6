//! Figures as short texts.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::listing::Number;
use crate::metrics::Unit;

/// The time of day of a moment, in UTC.
pub(super) fn time_of_day(at: SystemTime) -> String {
    let seconds = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let part = |unit: u64, of: u64| seconds / unit % of;
    format!("{:02}:{:02}:{:02} UTC", part(3600, 24), part(60, 60), part(1, 60))
}

/// A time of a network: always in one unit, so that a column can be compared at a glance.
pub(super) fn milliseconds(seconds: f64) -> String {
    match seconds * 1000.0 {
        0.0 => "0 ms".to_owned(),
        value @ ..10.0 => format!("{value:.2} ms"),
        value @ ..100.0 => format!("{value:.1} ms"),
        value => format!("{value:.0} ms"),
    }
}

/// Bytes in the greatest unit that leaves a whole part.
pub(super) fn bytes(value: f64) -> String {
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let size = |power: i32| 2_f64.powi(power);
    match units.into_iter().find(|(_, power)| value >= size(*power)) {
        Some((unit, power)) => format!("{:.1} {unit}", value / size(power)),
        None => format!("{value:.0} B"),
    }
}

/// Bytes per second.
pub(super) fn per_second(value: f64) -> String {
    format!("{}/s", bytes(value))
}

/// A share in percent; a small one is not 0.
pub(super) fn percent(share: f64) -> String {
    match share * 100.0 {
        0.0 => "0 %".to_owned(),
        value @ ..0.01 => format!("{value:.0e} %"),
        value @ ..10.0 => format!("{value:.2} %"),
        value => format!("{value:.0} %"),
    }
}

/// A count, its digits in groups of three.
pub(super) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of objects: `1 socket`, `2 sockets`.
pub(super) fn counted(number: usize, one: &str) -> String {
    let many = if number == 1 { "" } else { "s" };
    format!("{} {one}{many}", count(number as u64))
}

/// A value in a metric's unit.
pub(super) fn quantity(value: Number, unit: Unit) -> String {
    let real = value.real();
    match (unit, value) {
        (Unit::Bytes, _) => bytes(real),
        (Unit::BytesPerSecond, _) => per_second(real),
        (Unit::Seconds, _) if real < 10.0 => milliseconds(real),
        (Unit::Seconds, _) => format!("{real:.1} s"),
        (Unit::None, Number::Whole(whole)) => count(whole),
        (Unit::None, Number::Real(real)) => format!("{real:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_in_one_unit_where_they_are_compared() {
        let times = [0.0, 0.000_036, 0.003, 0.012, 3.0].map(milliseconds);
        assert_eq!(times, ["0 ms", "0.04 ms", "3.00 ms", "12.0 ms", "3000 ms"]);
        assert_eq!(time_of_day(UNIX_EPOCH + std::time::Duration::from_secs(86_400 + 3_723)), "01:02:03 UTC");
        assert_eq!(
            [0.0, 1023.0, 1536.0, 2_097_152.0, 3_489_660_928.0].map(bytes),
            ["0 B", "1023 B", "1.5 KiB", "2.0 MiB", "3.2 GiB"]
        );
        assert_eq!(
            [0.0, 0.000_02, 0.009, 0.25, 1.0].map(percent),
            ["0 %", "2e-3 %", "0.90 %", "25 %", "100 %"]
        );
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([1, 2_000].map(|number| counted(number, "socket")), ["1 socket", "2,000 sockets"]);
    }

    #[test]
    fn a_value_has_the_unit_of_its_metric() {
        let (whole, real) = (Number::Whole(2_048), Number::Real(0.02));
        assert_eq!(
            [(whole, Unit::Bytes), (whole, Unit::BytesPerSecond), (whole, Unit::None), (real, Unit::None)]
                .map(|(value, unit)| quantity(value, unit)),
            ["2.0 KiB", "2.0 KiB/s", "2,048", "0.020"]
        );
        assert_eq!(
            [real, Number::Real(61.0)].map(|value| quantity(value, Unit::Seconds)),
            ["20.0 ms", "61.0 s"]
        );
    }
}
