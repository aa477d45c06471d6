//! The columns of connections, and those of groups.

use super::flows::FlowFigures;
use super::format::{bytes, count, milliseconds, per_second, percent};
use super::group::{PageGroup, bracketed, service};
use super::table::{Link, PageColumn, PageLine, Part};
use crate::bottleneck::Bottleneck;
use crate::listing::{ListingColumn, Rate, Row};
use crate::properties::Property;

/// A connection as it is shown.
#[derive(Clone, Debug)]
pub(super) struct ShownFlow {
    /// Its socket.
    pub(super) end: Row,
    /// The socket of the other end, if it is of this host too.
    pub(super) peer: Option<Row>,
    /// Its figures.
    pub(super) figures: FlowFigures,
}

const BOTTLENECK_HELP: &str = "What limits the connection now, by two samples of it.";

// The columns that connections and groups share.

const fn sent<L>() -> PageColumn<L> {
    PageColumn::figure(
        "sent_bytes_per_second",
        "Sent/s",
        "Payload bytes sent per second, retransmissions excluded. Of a connection within this host: by the end that opened it.",
        |figures| figures.rate.map(|rate| rate.sent),
        per_second,
    )
}

const fn received<L>() -> PageColumn<L> {
    PageColumn::figure(
        "received_bytes_per_second",
        "Received/s",
        "Payload bytes received per second.",
        |figures| figures.rate.map(|rate| rate.received),
        per_second,
    )
}

const fn retransmitted<L>() -> PageColumn<L> {
    PageColumn::figure(
        "retransmission_ratio",
        "Retrans.",
        "Share of retransmissions in the payload bytes sent since the previous refresh.",
        FlowFigures::retransmission_ratio,
        percent,
    )
}

const fn receive_queue<L>() -> PageColumn<L> {
    PageColumn::figure(
        "receive_queue_bytes",
        "Recv-Q",
        "Recv-Q: bytes received that the process has not read.",
        |figures| figures.receive_queue,
        bytes,
    )
}

const fn send_queue<L>() -> PageColumn<L> {
    PageColumn::figure(
        "send_queue_bytes",
        "Send-Q",
        "Send-Q: bytes written that the peer has not acknowledged.",
        |figures| figures.send_queue,
        bytes,
    )
}

impl PageLine for ShownFlow {
    const COLUMNS: &'static [PageColumn<Self>] = &[
        PageColumn::text(
            "process",
            "Process",
            "The process that holds the socket, and its id. Of a connection within this host: the process that opened it, and the one that accepted it.",
            |flow| {
                let mut parts = vec![process(&flow.end)];
                if let Some(peer) = flow
                    .peer
                    .as_ref()
                    .map(process)
                    .filter(|peer| parts.iter().all(|one| one.text != peer.text))
                {
                    parts.extend([Part::text(" \u{2192} "), peer]);
                }
                parts
            },
        ),
        PageColumn::text(
            "service",
            "Service",
            "Which end opened the connection, and the port of the service: out, to a service elsewhere; in, to a service of this host; local, within this host.",
            |flow| {
                let (direction, end) = (flow.end.label(Property::Direction), &flow.end);
                let property =
                    if direction == "outbound" { Property::RemotePort } else { Property::LocalPort };
                let port = end.label(property);
                let (word, condition) = match (direction, &flow.peer) {
                    ("outbound", Some(_)) => ("local", format!("( dport = {port} or sport = {port} )")),
                    ("outbound", None) => ("outbound", format!("direction = outbound and dport = {port}")),
                    (_, _) => (direction, format!("direction = inbound and sport = {port}")),
                };
                let text = if word == "local" {
                    format!("local {}", service("", port))
                } else {
                    service(word, port)
                };
                let link = if direction == "unknown" { Link::None } else { Link::Filter(condition) };
                vec![Part { link, ..Part::text(text) }]
            },
        ),
        PageColumn::text("local", "Local", "Local address and port.", |flow| {
            vec![Part::text(ListingColumn::Local.text(&flow.end))]
        }),
        PageColumn::text("remote", "Remote", "Remote address and port.", |flow| {
            let address = flow.end.label(Property::RemoteAddress);
            vec![Part::of(ListingColumn::Remote.text(&flow.end), Property::RemoteAddress, address)]
        }),
        PageColumn::text("unit", "Unit", "The systemd unit of the process.", |flow| {
            let unit = flow.end.label(Property::Unit);
            vec![Part { title: unit.to_owned(), ..Part::of(unit, Property::Unit, unit) }]
        }),
        PageColumn::text("state", "State", "The TCP state.", |flow| {
            let state = flow.end.label(Property::State);
            vec![Part::of(state, Property::State, state)]
        }),
        PageColumn::text("bottleneck", "Bottleneck", BOTTLENECK_HELP, |flow| {
            let name = flow.bottleneck();
            let title = Bottleneck::named(name).map(|one| format!("{} {}", one.meaning(), one.advice()));
            vec![Part { title: title.unwrap_or_default(), ..Part::of(name, Property::Bottleneck, name) }]
        }),
        sent(),
        received(),
        PageColumn::figure(
            "rtt_seconds",
            "RTT",
            "Smoothed round-trip time.",
            |figures| figures.rtt,
            milliseconds,
        ),
        PageColumn::figure(
            "min_rtt_seconds",
            "Min RTT",
            "Minimum round-trip time over the kernel's window.",
            |figures| figures.min_rtt,
            milliseconds,
        ),
        retransmitted(),
        receive_queue(),
        send_queue(),
        PageColumn::text("", "All", "All fields of the connection, and what its bottleneck means.", |flow| {
            let title = "All fields of this connection".to_owned();
            vec![Part { link: Link::Details(flow.condition()), title, text: "details".to_owned() }]
        }),
    ];

    fn figures(&self) -> &FlowFigures {
        &self.figures
    }
}

impl PageLine for PageGroup {
    const COLUMNS: &'static [PageColumn<Self>] = &[
        PageColumn::text("name", "Name", "What the connections have in common. It leads to them.", |group| {
            let name = if group.name.is_empty() { "none" } else { &group.name };
            vec![Part { link: group.filter.clone().map_or(Link::None, Link::Filter), ..Part::text(name) }]
        }),
        PageColumn::text(
            "bottleneck",
            "Bottleneck",
            "What limits most of the connections that do not idle, and how many.",
            |group| {
                let Some((bottleneck, number)) = group.bottleneck else { return vec![Part::text("-")] };
                let title = format!("{} {}", bottleneck.meaning(), bottleneck.advice());
                vec![Part { title, ..Part::text(format!("{} ({number})", bottleneck.name())) }]
            },
        ),
        PageColumn::figure(
            "sockets",
            "Connections",
            "Number of connections. One within this host counts at both ends.",
            |figures| Some(to_float(figures.sockets)),
            whole,
        ),
        sent(),
        received(),
        PageColumn::figure(
            "rtt_seconds",
            "RTT p50",
            "Smoothed round-trip time: the median of the connections.",
            |figures| figures.rtt,
            milliseconds,
        ),
        PageColumn::figure(
            "max_rtt_seconds",
            "RTT max",
            "Smoothed round-trip time: the maximum of the connections.",
            |figures| figures.max_rtt,
            milliseconds,
        ),
        retransmitted(),
        receive_queue(),
        send_queue(),
    ];

    fn figures(&self) -> &FlowFigures {
        &self.figures
    }
}

impl ShownFlow {
    /// The name of what limits it. Of a connection within this host the end that sends more knows it better.
    fn bottleneck(&self) -> &str {
        let of = |row: &'_ Row| Bottleneck::named(row.label(Property::Bottleneck));
        let tells = |row| of(row).is_some_and(|one| !matches!(one, Bottleneck::Idle | Bottleneck::Receiving));
        let receives_more = |rate: Rate| rate.received > rate.sent;
        match &self.peer {
            Some(peer)
                if tells(peer) && (!tells(&self.end) || self.figures.rate.is_some_and(receives_more)) =>
            {
                peer.label(Property::Bottleneck)
            }
            _ => self.end.label(Property::Bottleneck),
        }
    }

    /// The filter that its sockets pass.
    fn condition(&self) -> String {
        let of = |row: &Row, address, port, word| {
            format!("{word} {}:{}", bracketed(row.label(address)), row.label(port))
        };
        let ends = |row: &Row| {
            let local = of(row, Property::LocalAddress, Property::LocalPort, "src");
            format!("{local} and {}", of(row, Property::RemoteAddress, Property::RemotePort, "dst"))
        };
        match &self.peer {
            Some(peer) => format!("( {} ) or ( {} )", ends(&self.end), ends(peer)),
            None => ends(&self.end),
        }
    }
}

fn process(row: &Row) -> Part {
    Part::of(ListingColumn::Process.text(row), Property::Process, row.label(Property::Process))
}

#[expect(clippy::cast_precision_loss, reason = "a table has fewer than 2^52 sockets")]
const fn to_float(number: usize) -> f64 {
    number as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was a number of sockets")]
fn whole(value: f64) -> String {
    count(value as u64)
}
