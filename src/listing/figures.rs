//! Values as text.

use super::Number;
use crate::metrics::Unit;

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figures {
    /// To the last digit.
    Exact,
    /// In thousands, millions or billions.
    Short,
}

impl Figures {
    /// A value; times in milliseconds, as `ss` prints them.
    pub(super) fn text(self, value: Number, unit: Unit) -> String {
        match (self, value, unit) {
            (_, Number::Real(real), Unit::Seconds) => format!("{:.3}ms", real * 1000.0),
            (_, Number::Whole(whole), Unit::Seconds) => format!("{whole}s"),
            (Self::Short, value, _) => short(value.real()),
            (Self::Exact, Number::Whole(whole), _) => whole.to_string(),
            (Self::Exact, Number::Real(real), _) => real.to_string(),
        }
    }
}

/// A value in the greatest unit that leaves a whole part.
fn short(value: f64) -> String {
    let units = [("G", 1e9), ("M", 1e6), ("k", 1e3)];
    match units.into_iter().find(|(_, size)| value >= *size) {
        Some((unit, size)) => format!("{:.1}{unit}", value / size),
        None => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_exact_or_short_and_a_time_in_milliseconds() {
        let whole = |figures: Figures, value| figures.text(Number::Whole(value), Unit::Bytes);
        assert_eq!(
            [0, 999, 131_072, 3_307_008].map(|value| whole(Figures::Exact, value)),
            ["0", "999", "131072", "3307008"]
        );
        assert_eq!(
            [0, 999, 131_072, 3_307_008].map(|value| whole(Figures::Short, value)),
            ["0", "999", "131.1k", "3.3M"]
        );
        assert_eq!(Figures::Short.text(Number::Real(0.014_622), Unit::Seconds), "14.622ms");
        assert_eq!(Figures::Short.text(Number::Whole(7_000_000_000), Unit::None), "7.0G");
    }
}
