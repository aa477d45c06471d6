//! Prometheus's language: the text format 0.0.4 and OpenMetrics 1.0.
//!
//! The only place that escapes. Refuses to know sockets, views and HTTP.

mod text;

pub use text::{Encoder, Family, Type, Value, label};

/// A format of the exposition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text format 0.0.4.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

/// Which families a scraper wants, by the parameters `name[]` that the predecessor's 2.x knew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted(Vec<String>);

impl Wanted {
    /// The families with a sample of one of these names; all if there is no name.
    #[must_use]
    pub fn named(names: Vec<String>) -> Self {
        Self(names)
    }

    /// Whether the family is wanted.
    #[must_use]
    pub fn wants(&self, family: &str) -> bool {
        let of_family =
            |name: &String| matches!(name.strip_prefix(family), Some("" | "_bucket" | "_count" | "_sum"));
        self.0.is_empty() || self.0.iter().any(of_family)
    }
}

impl Format {
    /// The value of the header `Content-Type`.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_wanted_by_its_name_or_that_of_a_sample() {
        let wanted = Wanted::named(vec!["tcp_rtt".into(), "tcp_rtt_hist_ms_bucket".into()]);
        assert!(wanted.wants("tcp_rtt") && wanted.wants("tcp_rtt_hist_ms"));
        assert!(!wanted.wants("tcp_cwnd") && !wanted.wants("tcp"));
        assert!(Wanted::default().wants("tcp_cwnd"));
    }
}
