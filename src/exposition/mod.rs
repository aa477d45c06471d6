//! What a scraper reads: Prometheus's text format 0.0.4 and OpenMetrics 1.0.
//!
//! The only place that escapes. A format beside the text formats, such as protobuf, is a second encoder of the same
//! families, label sets and samples. Refuses to know sockets.

mod compression;
mod encoder;
mod label_set;

pub use compression::Compressor;
pub use encoder::{Encoder, MetricFamily, MetricType, Sample};
pub use label_set::{LabelBuffer, LabelSet, LabelValue};

/// A format of the exposition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text format 0.0.4.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

/// Which part of an exposition a scraper wants: families by the parameter `name[]` of the predecessor's 2.x, and groups
/// of families, which are views, by `collect[]` and `exclude[]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FamilyFilter {
    /// Only families with a sample of one of these names; all if there is no name.
    pub names: Vec<String>,
    /// Only these groups; `None` for all.
    pub collect: Option<Vec<String>>,
    /// All groups but these.
    pub exclude: Vec<String>,
    /// No family whose name begins like this.
    pub hidden: Option<&'static str>,
}

impl FamilyFilter {
    /// Whether the family is wanted.
    pub(crate) fn wants(&self, family: &str) -> bool {
        let of_family =
            |name: &String| matches!(name.strip_prefix(family), Some("" | "_bucket" | "_count" | "_sum"));
        let hidden = self.hidden.is_some_and(|prefix| family.starts_with(prefix));
        !hidden && (self.names.is_empty() || self.names.iter().any(of_family))
    }

    /// Whether the families of a group are wanted.
    pub(crate) fn wants_group(&self, group: &str) -> bool {
        let has = |groups: &[String]| groups.iter().any(|one| one == group);
        self.collect.as_deref().is_none_or(has) && !has(&self.exclude)
    }
}

impl Format {
    /// The value of the header `Content-Type`.
    pub(crate) const fn content_type(self) -> &'static str {
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
        let names = vec!["tcp_rtt".into(), "tcp_rtt_hist_ms_bucket".into()];
        let wanted = FamilyFilter { names, ..FamilyFilter::default() };
        assert!(wanted.wants("tcp_rtt") && wanted.wants("tcp_rtt_hist_ms"));
        assert!(!wanted.wants("tcp_cwnd") && !wanted.wants("tcp"));
        assert!(FamilyFilter::default().wants("tcp_cwnd"));
    }

    #[test]
    fn a_group_is_wanted_if_it_is_among_the_collected_and_not_among_the_excluded() {
        let groups = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let all = FamilyFilter::default();
        assert!(all.wants_group("tcp"));
        let collect = FamilyFilter { collect: Some(groups(&["tcp"])), ..FamilyFilter::default() };
        assert!(collect.wants_group("tcp") && !collect.wants_group("tcp_flow"));
        let exclude = FamilyFilter { exclude: groups(&["tcp"]), ..FamilyFilter::default() };
        assert!(!exclude.wants_group("tcp") && exclude.wants_group("tcp_flow"));
    }

    #[test]
    fn what_is_hidden_is_not_wanted_even_by_its_name() {
        let wanted = FamilyFilter { hidden: Some("process_"), ..FamilyFilter::default() };
        assert!(!wanted.wants("process_open_fds") && wanted.wants("tcp_process_x"));
        let named = FamilyFilter { names: vec!["process_open_fds".into()], ..wanted };
        assert!(!named.wants("process_open_fds"));
    }
}
