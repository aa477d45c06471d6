//! The columns of the table: titles, widths, and what they show of a socket or of a group.

use super::ObservedSockets;
use super::cells::Cut;
use super::figures::{amount, percent, time};
use super::group::Group;
use crate::attribute::Direction;
use crate::listing::{ListingColumn, Rate, Row, state_word};
use crate::properties::{Property, UNKNOWN};

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TopColumn {
    Group,
    Count,
    Netid,
    State,
    ReceiveQueue,
    SendQueue,
    Direction,
    Local,
    Remote,
    Process,
    Unit,
    Container,
    Sent,
    Received,
    Rtt,
    Retransmitted,
    Bottleneck,
}

/// What the table says of a column.
pub(super) struct ColumnLine {
    pub(super) column: TopColumn,
    pub(super) title: &'static str,
    /// What it shows, for the help.
    pub(super) help: &'static str,
    /// The fewest and the most cells that it takes.
    pub(super) width: (u16, u16),
    /// Columns of a higher rank are left out first where there is no room.
    pub(super) rank: u8,
    /// Whether sockets have it, and whether groups have it.
    pub(super) of: (bool, bool),
    pub(super) cut: Cut,
}

const FLOWS: (bool, bool) = (true, false);
const GROUPS: (bool, bool) = (false, true);
const BOTH: (bool, bool) = (true, true);

macro_rules! columns {
    ($($column:ident, $title:literal, $width:expr, $rank:literal, $of:expr, $cut:expr, $help:literal;)*) => {
        /// Every column, from left to right.
        pub(super) const COLUMNS: &[ColumnLine] = &[$(ColumnLine {
            column: TopColumn::$column,
            title: $title,
            help: $help,
            width: $width,
            rank: $rank,
            of: $of,
            cut: $cut,
        }),*];
    };
}

columns! {
    Group, "Group", (12, 60), 0, GROUPS, Cut::End, "what the sockets of the group have in common";
    Count, "Sockets", (7, 7), 1, GROUPS, Cut::End, "how many sockets the group has";
    Netid, "Netid", (5, 7), 11, FLOWS, Cut::End, "the protocol, as ss names it";
    State, "State", (10, 10), 7, FLOWS, Cut::End, "the state, as ss spells it";
    ReceiveQueue, "Recv-Q", (6, 6), 9, BOTH, Cut::End, "bytes not read by the process; of a listener, connections in the accept queue; of UDP, memory";
    SendQueue, "Send-Q", (6, 6), 8, BOTH, Cut::End, "bytes not acknowledged by the peer; of a listener, the limit of the accept queue; of UDP, memory";
    Direction, "Dir", (3, 3), 12, FLOWS, Cut::End, "in: the peer has connected; out: this host has connected";
    Local, "Local", (8, 47), 3, FLOWS, Cut::Start, "the local address and port";
    Remote, "Remote", (14, 47), 2, FLOWS, Cut::Start, "the remote address and port";
    Process, "Process", (8, 28), 4, FLOWS, Cut::End, "the processes that hold the socket";
    Unit, "Unit", (12, 30), 13, FLOWS, Cut::End, "the systemd unit";
    Container, "Container", (12, 12), 14, FLOWS, Cut::End, "the id of the container";
    Sent, "Send/s", (6, 6), 1, BOTH, Cut::End, "bytes sent per second, each once";
    Received, "Recv/s", (6, 6), 1, BOTH, Cut::End, "bytes received per second";
    Rtt, "RTT", (6, 6), 5, BOTH, Cut::End, "the round-trip time; of a group, the maximum";
    Retransmitted, "Retr", (5, 5), 10, BOTH, Cut::End, "the share of retransmissions in the bytes sent since the last sample";
    Bottleneck, "Bottleneck", (11, 16), 6, FLOWS, Cut::End, "what limits the connection";
}

/// What has to be collected for the table, its groups and the first lines.
#[must_use]
pub fn columns_to_collect() -> Vec<ListingColumn> {
    let labels = [
        Property::State,
        Property::Direction,
        Property::RemoteNetwork,
        Property::Process,
        Property::Pid,
        Property::Unit,
        Property::ContainerId,
        Property::Bottleneck,
    ];
    let ends = [
        ListingColumn::Netid,
        ListingColumn::ReceiveQueue,
        ListingColumn::SendQueue,
        ListingColumn::Local,
        ListingColumn::Remote,
    ];
    let metrics = [
        "rtt_seconds",
        "sent_bytes_total",
        "received_bytes_total",
        "retransmitted_bytes_total",
        "last_ack_received_age_seconds",
    ];
    let metrics = metrics.into_iter().filter_map(|name| ListingColumn::named(name).ok());
    ends.into_iter().chain(labels.map(ListingColumn::Label)).chain(metrics).collect()
}

/// The value of a column for each socket; sockets without one come last.
pub(super) enum SortKey<'s> {
    Number(Box<dyn Fn(usize) -> Option<f64> + 's>),
    Text(Box<dyn Fn(usize) -> String + 's>),
}

impl TopColumn {
    pub(super) fn line(self) -> Option<&'static ColumnLine> {
        COLUMNS.iter().find(|line| line.column == self)
    }

    /// Whether it is of numbers, which stand to the right and of which the greatest come first.
    pub(super) const fn is_of_numbers(self) -> bool {
        matches!(
            self,
            Self::Count
                | Self::ReceiveQueue
                | Self::SendQueue
                | Self::Sent
                | Self::Received
                | Self::Rtt
                | Self::Retransmitted
        )
    }

    /// The metric or rate of the API that it shows; empty if the API cannot sort by it.
    pub(super) const fn metric(self) -> &'static str {
        match self {
            Self::ReceiveQueue => "receive_queue_bytes",
            Self::SendQueue => "send_queue_bytes",
            Self::Sent => "sent_bytes_per_second",
            Self::Received => "received_bytes_per_second",
            Self::Rtt => "rtt_seconds",
            Self::Retransmitted => "retransmitted_segments_total",
            _ => "",
        }
    }

    /// Its text for a socket.
    pub(super) fn text(self, row: &Row, rate: Option<Rate>) -> String {
        let label = |label| known(row.label(label)).to_owned();
        let queue = |names: [&str; 3]| {
            let value = names.into_iter().find_map(|name| row.value(name));
            value.map_or_else(nothing, |value| amount(value.real()))
        };
        match self {
            Self::Group | Self::Count => nothing(),
            Self::Netid => ListingColumn::Netid.text(row),
            Self::State => state_word(row.label(Property::State)),
            Self::ReceiveQueue => queue(RECEIVE_QUEUES),
            Self::SendQueue => queue(SEND_QUEUES),
            Self::Direction => direction(row.label(Property::Direction)).to_owned(),
            Self::Local => ListingColumn::Local.text(row),
            Self::Remote => ListingColumn::Remote.text(row),
            Self::Process => ListingColumn::Process.text(row),
            Self::Unit => label(Property::Unit),
            Self::Container => label(Property::ContainerId),
            Self::Sent => rate.map_or_else(nothing, |rate| amount(rate.sent)),
            Self::Received => rate.map_or_else(nothing, |rate| amount(rate.received)),
            Self::Rtt => row.value("rtt_seconds").map_or_else(nothing, |value| time(value.real())),
            Self::Retransmitted => rate.and_then(Rate::retransmission_ratio).map_or_else(nothing, percent),
            Self::Bottleneck => label(Property::Bottleneck),
        }
    }

    /// What sockets are sorted by.
    pub(super) fn key(self, sockets: &dyn ObservedSockets) -> SortKey<'_> {
        let rate = |of: fn(Rate) -> Option<f64>| {
            SortKey::Number(Box::new(move |index| sockets.rate(index).and_then(of)))
        };
        let any = |names: [&'static str; 3]| {
            let values = names.map(|name| sockets.values(name));
            SortKey::Number(Box::new(move |index| values.iter().find_map(|value| value(index))))
        };
        let text = |labels: &'static [Property]| {
            SortKey::Text(Box::new(move |index| {
                let texts: Vec<_> =
                    labels.iter().map(|label| format!("{:>5}", sockets.text(index, *label))).collect();
                texts.concat()
            }))
        };
        match self {
            Self::ReceiveQueue => any(RECEIVE_QUEUES),
            Self::SendQueue => any(SEND_QUEUES),
            Self::Sent => rate(|rate| Some(rate.sent)),
            Self::Received => rate(|rate| Some(rate.received)),
            Self::Rtt => SortKey::Number(sockets.values("rtt_seconds")),
            Self::Retransmitted => rate(Rate::retransmission_ratio),
            Self::Group | Self::Count | Self::State => text(&[Property::State]),
            Self::Netid => text(&[Property::Protocol]),
            Self::Direction => text(&[Property::Direction]),
            Self::Local => text(&[Property::LocalAddress, Property::LocalPort]),
            Self::Remote => text(&[Property::RemoteAddress, Property::RemotePort]),
            Self::Process => text(&[Property::Process, Property::Pid]),
            Self::Unit => text(&[Property::Unit]),
            Self::Container => text(&[Property::ContainerId]),
            Self::Bottleneck => text(&[Property::Bottleneck]),
        }
    }

    /// Its value for a group, if it is of numbers.
    pub(super) fn of_group(self, group: &Group) -> Option<f64> {
        match self {
            Self::Count => Some(group.count),
            Self::ReceiveQueue => Some(group.receive_queue),
            Self::SendQueue => Some(group.send_queue),
            Self::Sent => Some(group.rate.sent),
            Self::Received => Some(group.rate.received),
            Self::Rtt => group.rtt,
            Self::Retransmitted => group.rate.retransmission_ratio(),
            _ => None,
        }
    }

    /// Its text for a group.
    pub(super) fn group_text(self, group: &Group) -> String {
        let figure = match self {
            Self::Group => return group.name.clone(),
            Self::Rtt => time,
            Self::Retransmitted => percent,
            _ => amount,
        };
        self.of_group(group).map_or_else(nothing, figure)
    }
}

/// The queue of connections, of listeners, and of sockets whose kernel reports memory alone.
const RECEIVE_QUEUES: [&str; 3] = ["receive_queue_bytes", "accept_queue_connections", "receive_memory_bytes"];
const SEND_QUEUES: [&str; 3] = ["send_queue_bytes", "accept_queue_limit", "send_memory_bytes"];

fn nothing() -> String {
    "-".to_owned()
}

fn known(text: &str) -> &str {
    if text.is_empty() || text == UNKNOWN { "-" } else { text }
}

fn direction(name: &str) -> &'static str {
    [(Direction::Inbound, "in"), (Direction::Outbound, "out")]
        .into_iter()
        .find(|(direction, _)| direction.name() == name)
        .map_or("-", |(_, short)| short)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sockdiag::State;

    #[test]
    fn every_column_has_a_line_and_states_are_spelled_as_ss_spells_them() {
        for line in COLUMNS {
            assert_eq!(line.column.line().map(|line| line.title), Some(line.title));
            assert!(line.title.len() <= usize::from(line.width.0), "{}", line.title);
        }
        let states = State::ALL.map(|one| state_word(one.name()));
        assert!(
            ["ESTAB", "SYN-SENT", "FIN-WAIT-1", "CLOSE-WAIT", "LISTEN"]
                .iter()
                .all(|one| states.contains(&(*one).to_owned())),
            "{states:?}"
        );
    }
}
