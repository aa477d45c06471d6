//! A column of a table of sockets: its title and its text.

use super::ends::{LOCAL, REMOTE};
use super::figures::Figures;
use super::{Number, Row, metrics};
use crate::metrics::{Metric, Unit, WORDS, meant};
use crate::properties::{Property, UNKNOWN};
use crate::suggest::nearest;
use crate::terminal::inert;
use sockdiag::{Protocol, SocketType};

/// A column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ListingColumn {
    /// The protocol and the type, as `ss` names them.
    Netid,
    /// The state, as `ss` names it.
    State,
    /// What waits to be read, or of a listener to be accepted, as `ss` has it.
    ReceiveQueue,
    /// What waits to be acknowledged, or of a listener how many may wait.
    SendQueue,
    /// What waits to be accepted or read, and how much may wait.
    Fill,
    /// The local end: address and port, or what stands for them.
    Local,
    /// The remote end.
    Remote,
    /// Processes with their ids.
    Process,
    /// Packets or messages that the socket dropped, or of a listener the handshakes that it refused.
    Drops,
    /// The text of a label.
    Label(Property),
    /// The value of a metric.
    Metric(&'static Metric),
}

/// There is no column of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no column {name:?}{}; expected: {}, or a label or metric of docs/reference/metrics.md",
    .nearest.map(|word| format!(", did you mean {word}?")).unwrap_or_default(),
    short_names().collect::<Vec<_>>().join(", ")
)]
pub struct UnknownColumn {
    name: String,
    nearest: Option<&'static str>,
}

/// A column that is more than a label or a metric.
struct Composed {
    name: &'static str,
    column: ListingColumn,
    labels: &'static [Property],
    metrics: &'static [&'static str],
}

const RECEIVED: &[&str] = &["receive_queue_bytes", "accept_queue_connections", "receive_memory_bytes"];
const SENT: &[&str] = &["send_queue_bytes", "accept_queue_limit", "send_memory_bytes"];
const DROPPED: &[&str] = &["dropped_packets_total", "dropped_messages_total", "refused_handshakes_total"];
/// The words of `ss` for states that are not those of `node_exporter` in capitals.
const STATES: [(&str, &str); 10] = [
    ("established", "ESTAB"),
    ("close", "UNCONN"),
    ("fin_wait1", "FIN-WAIT-1"),
    ("fin_wait2", "FIN-WAIT-2"),
    ("cookie_wait", "COOKIE_WAIT"),
    ("cookie_echoed", "COOKIE_ECHOED"),
    ("shutdown_pending", "SHUTDOWN_PENDING"),
    ("shutdown_sent", "SHUTDOWN_SENT"),
    ("shutdown_received", "SHUTDOWN_RECEIVED"),
    ("shutdown_ack_sent", "ACK_SENT"),
];
/// Titles that are not the name of the column.
const TITLES: [(&str, &str); 1] = [("received", "RECV")];

/// Each with its limit.
const FILLED: [[&str; 2]; 2] =
    [["accept_queue_connections", "accept_queue_limit"], ["receive_memory_bytes", "receive_buffer_bytes"]];

const COMPOSED: [Composed; 9] = [
    composed("netid", ListingColumn::Netid, &[Property::Type], &[]),
    composed("state", ListingColumn::State, &[Property::State], &[]),
    composed("recv_q", ListingColumn::ReceiveQueue, &[], RECEIVED),
    composed("send_q", ListingColumn::SendQueue, &[], SENT),
    composed("fill", ListingColumn::Fill, &[], &[FILLED[0][0], FILLED[0][1], FILLED[1][0], FILLED[1][1]]),
    composed("local", ListingColumn::Local, LOCAL.labels, &[]),
    composed("remote", ListingColumn::Remote, REMOTE.labels, &[]),
    composed("process", ListingColumn::Process, &[Property::Process, Property::Pid], &[]),
    composed("drops", ListingColumn::Drops, &[], DROPPED),
];

const fn composed(
    name: &'static str,
    column: ListingColumn,
    labels: &'static [Property],
    metrics: &'static [&'static str],
) -> Composed {
    Composed { name, column, labels, metrics }
}

/// The label of that name, by which rows can be grouped.
///
/// # Errors
/// If there is none: names those that there are.
pub fn label(name: &str) -> Result<Property, UnknownColumn> {
    let names = || Property::listable().map(Property::name);
    let label = Property::listable().find(|label| label.name() == name);
    label.ok_or_else(|| UnknownColumn { name: name.to_owned(), nearest: nearest(name, names()) })
}

fn short_names() -> impl Iterator<Item = &'static str> {
    COMPOSED.iter().map(|composed| composed.name).chain(WORDS.iter().map(|(word, _)| *word))
}

fn names() -> impl Iterator<Item = &'static str> {
    let labels = Property::listable().map(Property::name).filter(|name| !["process", "state"].contains(name));
    short_names().chain(labels).chain(metrics().map(|metric| metric.name))
}

impl ListingColumn {
    /// The column of that name.
    ///
    /// # Errors
    /// If there is none: names those that there are.
    pub fn named(name: &str) -> Result<Self, UnknownColumn> {
        let composed = COMPOSED.iter().find(|composed| composed.name == name).map(|composed| composed.column);
        let label = || Property::listable().find(|label| label.name() == name).map(Self::Label);
        let full = WORDS.iter().find(|(word, _)| *word == name).map_or(name, |(_, metric)| metric);
        let metric = || metrics().find(|metric| metric.name == full).map(Self::Metric);
        composed.or_else(label).or_else(metric).ok_or_else(|| {
            let near =
                meant(name).map(|metric| Self::Metric(metric).name()).or_else(|| nearest(name, names()));
            UnknownColumn { name: name.to_owned(), nearest: near }
        })
    }

    fn composed(self) -> Option<&'static Composed> {
        COMPOSED.iter().find(|composed| composed.column == self)
    }

    /// The labels that it shows.
    pub(crate) fn labels(&self) -> &[Property] {
        match self {
            Self::Label(label) => std::slice::from_ref(label),
            _ => self.composed().map_or(&[], |composed| composed.labels),
        }
    }

    /// The metrics that it shows, by name.
    pub(crate) fn metrics(&self) -> &[&'static str] {
        match self {
            Self::Metric(metric) => std::slice::from_ref(&metric.name),
            _ => self.composed().map_or(&[], |composed| composed.metrics),
        }
    }

    /// Whether sockets of the protocol have it.
    pub(crate) fn is_of(self, protocol: &Protocol) -> bool {
        match self {
            Self::Label(label) => label.is_of(protocol),
            Self::Metric(metric) => metric.source.is_of(protocol),
            Self::Netid => true,
            _ => {
                let has = |name: &&str| {
                    metrics().any(|metric| metric.name == *name && metric.source.is_of(protocol))
                };
                self.labels().iter().any(|label| label.is_of(protocol)) || self.metrics().iter().any(has)
            }
        }
    }

    /// What stands above it, in capitals.
    pub(crate) fn title(self) -> String {
        let name = self.name();
        let title = TITLES.iter().find(|(of, _)| *of == name).map(|(_, title)| (*title).to_owned());
        title.unwrap_or_else(|| name.to_uppercase().replace('_', "-"))
    }

    /// Its shortest name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Label(label) => label.name(),
            Self::Metric(metric) => WORDS.iter().find(|(_, name)| *name == metric.name).map_or_else(
                || metric.name.trim_end_matches("_total").trim_end_matches("_seconds"),
                |(word, _)| word,
            ),
            _ => self.composed().map_or("", |composed| composed.name),
        }
    }

    /// Whether it is of numbers, which stand to the right.
    pub(crate) const fn is_of_numbers(self) -> bool {
        matches!(self, Self::ReceiveQueue | Self::SendQueue | Self::Fill | Self::Drops | Self::Metric(_))
    }

    /// The value that it shows of a socket, if it is one.
    pub(crate) fn value(self, row: &Row) -> Option<Number> {
        self.is_of_numbers().then(|| self.metrics().iter().find_map(|name| row.value(name)))?
    }

    /// Its text; `-` for what the kernel does not report.
    pub(crate) fn text(self, row: &Row) -> String {
        self.text_in(row, Figures::Exact)
    }

    /// The same with values in that form.
    pub(crate) fn text_in(self, row: &Row, figures: Figures) -> String {
        let number = |value, unit| figures.text(value, unit);
        match self {
            Self::Netid => netid(row).to_owned(),
            Self::State => state_word(row.label(Property::State)),
            Self::ReceiveQueue | Self::SendQueue | Self::Drops => {
                self.value(row).map_or_else(nothing, |value| number(value, Unit::None))
            }
            Self::Fill => fill(row, figures),
            Self::Local => LOCAL.text(row),
            Self::Remote => REMOTE.text(row),
            Self::Process => match (row.label(Property::Process), row.label(Property::Pid)) {
                ("" | UNKNOWN, _) => nothing(),
                (process, pid) => inert(&format!("{process}({pid})")),
            },
            Self::Label(label) => {
                let text = row.label(label);
                if matches!(text, "" | UNKNOWN) { nothing() } else { inert(text) }
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

/// The word of `ss` for the protocol and the type.
fn netid(row: &Row) -> &'static str {
    let type_ = row.label(Property::Type);
    let of_type = |(of, _): &&(SocketType, &str)| of.name() == type_;
    row.protocol.netids.iter().find(of_type).map_or(row.protocol.name, |(_, word)| word)
}

/// The word of `ss` for a state.
pub(crate) fn state_word(name: &str) -> String {
    let word = STATES.iter().find(|(of, _)| *of == name).map(|(_, word)| (*word).to_owned());
    word.unwrap_or_else(|| name.to_uppercase().replace('_', "-"))
}

fn fill(row: &Row, figures: Figures) -> String {
    let values = FILLED.into_iter().find_map(|names| {
        let [waiting, limit] = names.map(|name| row.value(name));
        waiting.zip(limit)
    });
    values.map_or_else(nothing, |(waiting, limit)| {
        format!("{}/{}", figures.text(waiting, Unit::None), figures.text(limit, Unit::None))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listing::usual::usual;
    use crate::metrics::named;
    use sockdiag::{NETLINK, PACKET, TCP, UDP, UNIX};

    #[test]
    fn every_column_can_be_named_and_has_a_title() {
        for name in names() {
            let column = ListingColumn::named(name).unwrap_or_else(|error| panic!("{error}"));
            assert!(!column.title().is_empty(), "{name}");
        }
        for (word, metric) in WORDS {
            assert_eq!(ListingColumn::named(word), ListingColumn::named(metric), "{word}");
        }
        let error = ListingColumn::named("rtt_second").expect_err("there is none").to_string();
        assert!(error.contains("did you mean rtt_seconds?") && error.contains("metrics.md"), "{error}");
        assert!(short_names().all(|name| error.contains(name)), "{error}");
        let error = ListingColumn::named("bytes_sent").expect_err("a field of the kernel").to_string();
        assert!(error.contains("did you mean sent?"), "{error}");
    }

    /// A row of a protocol with these texts and values.
    fn row_of(protocol: &'static Protocol, texts: &[(Property, &str)], values: &[(&str, u64)]) -> Row {
        let labels = texts.iter().map(|(label, text)| (*label, (*text).to_owned())).collect();
        let metric = |name: &str| metrics().find(|metric| metric.name == name).expect("a metric");
        let values = values.iter().map(|(name, value)| (metric(name), Number::Whole(*value))).collect();
        Row { protocol, labels, values }
    }

    #[test]
    fn the_ends_and_the_netid_are_those_of_the_protocol() {
        let texts = |row: &Row| {
            [ListingColumn::Netid, ListingColumn::Local, ListingColumn::Remote].map(|column| column.text(row))
        };
        let unix = row_of(
            &UNIX,
            &[
                (Property::Type, "seqpacket"),
                (Property::Path, "@a b"),
                (Property::Inode, "7"),
                (Property::PeerInode, "8"),
            ],
            &[],
        );
        assert_eq!(texts(&unix), ["u_seq", "@a b 7", "* 8"]);
        let packet = [(Property::Type, "raw"), (Property::Ethertype, "0x3"), (Property::Interface, "eth0")];
        assert_eq!(texts(&row_of(&PACKET, &packet, &[])), ["p_raw", "*:eth0", "*"]);
        let netlink = [(Property::NetlinkProtocol, "route"), (Property::Portid, "kernel")];
        assert_eq!(texts(&row_of(&NETLINK, &netlink, &[])), ["netlink", "route:kernel", "*"]);
        let udp = [
            (Property::LocalAddress, "::"),
            (Property::LocalPort, "53"),
            (Property::RemoteAddress, "::"),
            (Property::RemotePort, "0"),
        ];
        assert_eq!(texts(&row_of(&UDP, &udp, &[])), ["udp", "[::]:53", "[::]:*"]);
    }

    #[test]
    fn what_waits_is_shown_with_its_limit() {
        let fill = |values: &[(&str, u64)]| ListingColumn::Fill.text(&row_of(&UDP, &[], values));
        assert_eq!(fill(&[("accept_queue_connections", 3), ("accept_queue_limit", 128)]), "3/128");
        assert_eq!(fill(&[("receive_memory_bytes", 0), ("receive_buffer_bytes", 212_992)]), "0/212992");
        assert_eq!(fill(&[("receive_memory_bytes", 0)]), "-");
    }

    #[test]
    fn a_listeners_queues_are_counted_in_connections_and_names_move_no_cursor() {
        let labels = [
            (Property::State, "listen"),
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
        let texts: Vec<_> = usual(&[&TCP], false).into_iter().map(|column| column.text(&row)).collect();
        assert_eq!(
            texts,
            [
                "LISTEN",
                "3",
                "128",
                "[::1]:80",
                "0.0.0.0:*",
                "a\u{fffd}[2J(7)",
                "0.035ms",
                "-",
                "-",
                "-",
                "-",
                "-"
            ]
        );
    }
}
