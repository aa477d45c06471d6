//! A column of a table of sockets: its title and its text.

use super::{Number, Row, metrics};
use crate::metrics::{Metric, Unit};
use crate::properties::Property;
use crate::suggest::nearest;
use crate::terminal::inert;

/// A column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ListingColumn {
    /// What waits to be read, or of a listener to be accepted, as `ss` has it.
    ReceiveQueue,
    /// What waits to be acknowledged, or of a listener how many may wait.
    SendQueue,
    /// Local address and port.
    Local,
    /// Remote address and port.
    Remote,
    /// Processes with their ids.
    Process,
    /// The text of a label.
    Label(Property),
    /// The value of a metric.
    Metric(&'static Metric),
}

/// There is no column of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no column {name:?}{}; expected: {}", .nearest.map(|word| format!(", did you mean {word}?")).unwrap_or_default(), names().collect::<Vec<_>>().join(", "))]
pub struct UnknownColumn {
    name: String,
    nearest: Option<&'static str>,
}

const COMPOSED: [(&str, ListingColumn); 5] = [
    ("recv_q", ListingColumn::ReceiveQueue),
    ("send_q", ListingColumn::SendQueue),
    ("local", ListingColumn::Local),
    ("remote", ListingColumn::Remote),
    ("process", ListingColumn::Process),
];

/// What is shown unless columns are chosen.
const USUAL: [&str; 12] = [
    "state",
    "recv_q",
    "send_q",
    "local",
    "remote",
    "process",
    "rtt",
    "cwnd",
    "sent",
    "received",
    "retrans",
    "bottleneck",
];

/// Short names of metrics, which are also the titles of their columns: the words of `ss`, except `sent` and `received`.
/// `bytes_sent` of `ss` includes retransmissions. `retrans` is the second number of `ss`.
const WORDS: [(&str, &str); 18] = [
    ("rtt", "rtt_seconds"),
    ("rttvar", "rtt_variation_seconds"),
    ("minrtt", "min_rtt_seconds"),
    ("rto", "retransmission_timeout_seconds"),
    ("mss", "send_mss_bytes"),
    ("pmtu", "path_mtu_bytes"),
    ("cwnd", "congestion_window"),
    ("ssthresh", "slow_start_threshold"),
    ("sent", "sent_bytes_total"),
    ("received", "received_bytes_total"),
    ("bytes_acked", "acked_bytes_total"),
    ("bytes_retrans", "retransmitted_bytes_total"),
    ("retrans", "retransmitted_segments_total"),
    ("unacked", "unacknowledged_segments"),
    ("lost", "lost_segments"),
    ("notsent", "not_sent_bytes"),
    ("pacing_rate", "pacing_rate_bytes_per_second"),
    ("delivery_rate", "delivery_rate_bytes_per_second"),
];

fn names() -> impl Iterator<Item = &'static str> {
    let composed = COMPOSED.iter().map(|(name, _)| *name);
    let labels = Property::listed(true).map(Property::name).filter(|name| *name != "process");
    let words = WORDS.iter().map(|(word, _)| *word);
    composed.chain(words).chain(labels).chain(metrics().map(|metric| metric.name))
}

impl ListingColumn {
    /// The columns that are shown unless others are chosen.
    #[must_use]
    pub fn usual() -> Vec<Self> {
        USUAL.iter().filter_map(|name| Self::named(name).ok()).collect()
    }

    /// The column of that name.
    ///
    /// # Errors
    /// If there is none: names those that there are.
    pub fn named(name: &str) -> Result<Self, UnknownColumn> {
        let composed = COMPOSED.iter().find(|(known, _)| *known == name).map(|(_, column)| *column);
        let label = || Property::listed(true).find(|label| label.name() == name).map(Self::Label);
        let meant = WORDS.iter().find(|(word, _)| *word == name).map_or(name, |(_, metric)| metric);
        let metric = || metrics().find(|metric| metric.name == meant).map(Self::Metric);
        composed
            .or_else(label)
            .or_else(metric)
            .ok_or_else(|| UnknownColumn { name: name.to_owned(), nearest: nearest(name, names()) })
    }

    /// What stands above it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Label(label) => label.name(),
            Self::Metric(metric) => WORDS.iter().find(|(_, name)| *name == metric.name).map_or_else(
                || metric.name.trim_end_matches("_total").trim_end_matches("_seconds"),
                |(word, _)| word,
            ),
            _ => COMPOSED.iter().find(|(_, column)| *column == self).map_or("", |(name, _)| *name),
        }
    }

    /// Whether it is of numbers, which stand to the right.
    pub(crate) const fn is_of_numbers(self) -> bool {
        matches!(self, Self::ReceiveQueue | Self::SendQueue | Self::Metric(_))
    }

    /// Its text; `-` for what the kernel does not report.
    pub(crate) fn text(self, row: &Row) -> String {
        let first = |names: [&str; 2]| {
            let value = names.into_iter().find_map(|name| row.value(name));
            value.map_or_else(nothing, |value| number(value, Unit::None))
        };
        match self {
            Self::ReceiveQueue => first(["receive_queue_bytes", "accept_queue_connections"]),
            Self::SendQueue => first(["send_queue_bytes", "accept_queue_limit"]),
            Self::Local => endpoint(row, Property::LocalAddress, Property::LocalPort),
            Self::Remote => endpoint(row, Property::RemoteAddress, Property::RemotePort),
            Self::Process => match (row.label(Property::Process), row.label(Property::Pid)) {
                ("" | "unknown", _) => nothing(),
                (process, pid) => inert(&format!("{process}({pid})")),
            },
            Self::Label(label) => {
                Some(row.label(label)).filter(|text| !text.is_empty()).map_or_else(nothing, inert)
            }
            Self::Metric(metric) => {
                row.value(metric.name).map_or_else(nothing, |value| number(value, metric.unit))
            }
        }
    }
}

fn nothing() -> String {
    "-".to_owned()
}

fn endpoint(row: &Row, address: Property, port: Property) -> String {
    let address = row.label(address);
    let port = match row.label(port) {
        "0" => "*",
        port => port,
    };
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

/// Times in milliseconds, as `ss` prints them.
fn number(value: Number, unit: Unit) -> String {
    match (value, unit) {
        (Number::Real(real), Unit::Seconds) => format!("{:.3}ms", real * 1000.0),
        (Number::Whole(whole), Unit::Seconds) => format!("{whole}s"),
        (Number::Whole(whole), _) => whole.to_string(),
        (Number::Real(real), _) => real.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::named;

    #[test]
    fn every_column_can_be_named_and_has_a_title() {
        for name in names() {
            let column = ListingColumn::named(name).unwrap_or_else(|error| panic!("{error}"));
            assert!(!column.title().is_empty(), "{name}");
        }
        assert_eq!(ListingColumn::usual().len(), USUAL.len());
        for (word, metric) in WORDS {
            assert_eq!(ListingColumn::named(word), ListingColumn::named(metric), "{word}");
        }
        let error = ListingColumn::named("rtt_second").expect_err("there is none").to_string();
        assert!(error.contains("did you mean rtt_seconds?") && error.contains("min_rtt_seconds"), "{error}");
    }

    #[test]
    fn a_listeners_queues_are_counted_in_connections_and_names_move_no_cursor() {
        let labels = [
            (Property::LocalAddress, "::1"),
            (Property::LocalPort, "80"),
            (Property::RemoteAddress, "0.0.0.0"),
            (Property::RemotePort, "0"),
            (Property::Process, "a\u{1b}[2J"),
            (Property::Pid, "7"),
        ];
        let values = vec![
            (named("accept_queue_connections"), Number::Whole(3)),
            (named("accept_queue_limit"), Number::Whole(128)),
            (named("rtt_seconds"), Number::Real(0.000_035)),
        ];
        let row = Row::of(&labels, values);
        let texts: Vec<_> = ListingColumn::usual().into_iter().map(|column| column.text(&row)).collect();
        assert_eq!(
            texts,
            ["-", "3", "128", "[::1]:80", "0.0.0.0:*", "a\u{fffd}[2J(7)", "0.035ms", "-", "-", "-", "-", "-"]
        );
    }
}
