//! What single sockets show, added up by process and service.

use std::collections::BTreeMap;

use super::Problem;
use super::ends::{counted, endpoint, is_within};
use super::ports;
use super::rules::{
    ACCEPT_QUEUE_FULL, CLOSE_WAIT_LEAK, PEER_DOES_NOT_READ, PROCESS_DOES_NOT_READ, RETRANSMISSIONS, Rule,
    SEND_QUEUE_STUCK, UNIX_QUEUE_FULL,
};
use crate::bottleneck::Bottleneck;
use crate::listing::{AtHand, ListedSocket, Number, Rate, SocketList};
use crate::metrics::{Metric, named};
use crate::properties::{Property, UNKNOWN};
use crate::select::Quoted;
use crate::view::PROTOCOL;
use sockdiag::{State, UDP, UNIX};

/// What symptoms are seen by.
const OF_SYMPTOMS: [&Metric; 3] =
    [named("accept_queue_connections"), named("accept_queue_limit"), named("last_ack_received_age_seconds")];
const MEMORY: &Metric = named("receive_memory_bytes");
const BUFFER: &Metric = named("receive_buffer_bytes");
const REFUSED: &Metric = named("refused_handshakes_total");

/// Sockets with the same symptom, of the same process and service.
#[derive(Default)]
struct Group {
    sockets: u32,
    /// Bytes or connections that wait, of all of them.
    waiting: f64,
    /// Seconds, of the one that waits longest; of listeners their limit.
    greatest: f64,
}

/// What a socket has.
struct Symptom {
    rule: &'static Rule,
    waiting: f64,
    greatest: f64,
}

/// The sockets of a group: a process and the end that names the service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    protocol: &'static str,
    process: String,
    end: End,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    LocalPort(String),
    RemotePort(String),
    Listener(String, String),
    Path(String),
}

/// The problems that sockets show, each group by itself. Ports within `client_ports` name no service.
pub(super) fn problems(
    sockets: &SocketList,
    rates: &[Option<Rate>],
    client_ports: (u16, u16),
) -> Vec<Problem> {
    let mut groups: Vec<(&'static Rule, BTreeMap<Place, Group>)> = Vec::new();
    let symptom = symptoms(sockets);
    for (socket, rate) in sockets.iter().zip(rates) {
        let Some(Symptom { rule, waiting, greatest }) = symptom(&socket, *rate) else { continue };
        let place = Place::of(&socket, client_ports);
        let at = groups.iter().position(|(known, _)| *known == rule).unwrap_or_else(|| {
            groups.push((rule, BTreeMap::new()));
            groups.len() - 1
        });
        if let Some((_, places)) = groups.get_mut(at) {
            let group = places.entry(place).or_default();
            group.sockets += 1;
            group.waiting += waiting;
            group.greatest = group.greatest.max(greatest);
        }
    }
    let mut found = Vec::new();
    for (rule, places) in groups {
        let mut places: Vec<_> = places.into_iter().filter(|(_, group)| group.is_problem(rule)).collect();
        places.sort_by(|(_, one), (_, other)| other.waiting.total_cmp(&one.waiting));
        found.extend(places.iter().map(|(place, group)| describe(rule, place, group)));
    }
    found.extend(ports::problems(sockets, client_ports));
    found
}

/// Sockets in words, and the filter that shows them.
pub(super) type Suspect = (String, String);

/// The listener that has refused most since it listens; `None` if none has.
pub(super) fn most_refusing(sockets: &SocketList) -> Option<Suspect> {
    let refused = sockets.column(REFUSED);
    let listeners = sockets.iter().filter(|socket| socket.state() == State::Listen);
    let refused = listeners.filter_map(|socket| Some((refused(&socket)?.real(), socket)));
    let (refused, socket) = refused.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    let row = socket.row().filter(|_| refused > 0.0)?;
    let (process, port) = (row.label(Property::Process), row.label(Property::LocalPort));
    Some((format!("{process} at port {port}"), format!("state listening and sport = :{port}")))
}

/// The UDP socket with the fullest receive buffer; `None` if all are empty.
pub(super) fn fullest_of_udp(sockets: &SocketList) -> Option<Suspect> {
    let [memory, buffer] = [MEMORY, BUFFER].map(|metric| sockets.column(metric));
    let fill = |socket: &ListedSocket<'_>| Some(memory(socket)?.real() / buffer(socket)?.real());
    let fills = sockets.of(&UDP).filter_map(|socket| Some((fill(&socket)?, socket)));
    let (fill, socket) = fills.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    let row = socket.row().filter(|_| fill > 0.0)?;
    let (process, port) = (row.label(Property::Process), row.label(Property::LocalPort));
    Some((format!("{process} at port {port}"), format!("sport = :{port}")))
}

/// What is wrong with a socket by itself, or with several of its kind.
fn symptoms(sockets: &SocketList) -> impl Fn(&ListedSocket<'_>, Option<Rate>) -> Option<Symptom> {
    let [waiting, limit, age] = OF_SYMPTOMS.map(|metric| {
        let column = sockets.column(metric);
        move |socket: &ListedSocket<'_>| column(socket).map(Number::real)
    });
    move |socket, rate| {
        let queue = |queue| socket.figure(queue).unwrap_or_default();
        let (rule, waiting, greatest) = match (socket.state(), socket.bottleneck()) {
            (State::Listen, _) => {
                let (waiting, limit) = waiting(socket).zip(limit(socket))?;
                let rule = if is_unix(socket) { &UNIX_QUEUE_FULL } else { &ACCEPT_QUEUE_FULL };
                rule.is_met([waiting / (limit + 1.0)]).then_some((rule, waiting, limit))?
            }
            (State::CloseWait, _) => (&CLOSE_WAIT_LEAK, 1.0, age(socket).unwrap_or_default()),
            _ if queue(AtHand::ReceiveQueue) + queue(AtHand::SendQueue) <= 0.0 => return None,
            (_, Some(Bottleneck::Stalled)) => (&SEND_QUEUE_STUCK, queue(AtHand::SendQueue), 0.0),
            (_, Some(Bottleneck::PeerNotReading)) => (&PEER_DOES_NOT_READ, queue(AtHand::SendQueue), 0.0),
            (_, Some(Bottleneck::NotReading)) => (&PROCESS_DOES_NOT_READ, queue(AtHand::ReceiveQueue), 0.0),
            (_, Some(Bottleneck::Loss)) => (&RETRANSMISSIONS, rate.map_or(0.0, |rate| rate.sent), 0.0),
            _ => return None,
        };
        Some(Symptom { rule, waiting, greatest })
    }
}

fn is_unix(socket: &ListedSocket<'_>) -> bool {
    *socket.protocol() == UNIX
}

impl Group {
    fn is_problem(&self, rule: &'static Rule) -> bool {
        match *rule {
            CLOSE_WAIT_LEAK => rule.is_met([f64::from(self.sockets), self.greatest]),
            // The class is what decides, with something that waits.
            PEER_DOES_NOT_READ => rule.is_met([f64::from(self.sockets)]) && self.waiting > 0.0,
            // Each was full by itself.
            ACCEPT_QUEUE_FULL | UNIX_QUEUE_FULL => true,
            // Bytes. That enough of them are retransmitted, the class says.
            _ => rule.is_met([self.waiting]),
        }
    }
}

impl Place {
    fn of(socket: &ListedSocket<'_>, client_ports: (u16, u16)) -> Self {
        let text = |label| socket.text(label);
        let port = text(Property::LocalPort);
        let end = if is_unix(socket) {
            End::Path(text(Property::Path))
        } else if socket.state() == State::Listen {
            End::Listener(text(Property::LocalAddress), port)
        } else if is_within(client_ports, &port) {
            End::RemotePort(text(Property::RemotePort))
        } else {
            End::LocalPort(port)
        };
        let protocol = if is_unix(socket) { UNIX.name } else { PROTOCOL.name };
        Self { protocol, process: text(Property::Process), end }
    }

    /// Who holds the sockets, as the subject of a sentence.
    fn holder(&self) -> &str {
        match &*self.process {
            "" | UNKNOWN => "An unknown process",
            process => process,
        }
    }

    /// The end, as a part of a sentence.
    fn end(&self) -> String {
        match &self.end {
            End::LocalPort(port) => format!("at port {port}"),
            End::RemotePort(port) => format!("to port {port}"),
            End::Listener(address, port) => endpoint(address, port),
            End::Path(path) if path.is_empty() => "a socket without a path".to_owned(),
            End::Path(path) => path.clone(),
        }
    }

    /// The filter that shows the sockets for which the condition holds.
    fn filter(&self, condition: &str) -> (&'static str, String) {
        let process = match &*self.process {
            "" | UNKNOWN => String::new(),
            process => format!(" and process = {}", Quoted(process)),
        };
        let end = match &self.end {
            End::LocalPort(port) => format!("sport = :{port}"),
            End::RemotePort(port) => format!("dport = :{port}"),
            End::Listener(..) => format!("src {}", self.end()),
            End::Path(path) => format!("path = {}", Quoted(path)),
        };
        (self.protocol, format!("{condition}{process} and {end}"))
    }
}

fn describe(rule: &'static Rule, place: &Place, group: &Group) -> Problem {
    let (holder, end, Group { sockets, waiting, greatest }) = (place.holder(), place.end(), group);
    let connections = counted(sockets, "connection");
    let s = if *sockets == 1 { "s" } else { "" };
    let amount = bytes(*waiting);
    let (title, detail, condition) = match *rule {
        ACCEPT_QUEUE_FULL | UNIX_QUEUE_FULL => (
            format!("The accept queue of {end} is full"),
            format!(
                "{holder} does not accept {}; the limit is {greatest}.",
                counted(waiting, "waiting connection")
            ),
            "state listening",
        ),
        CLOSE_WAIT_LEAK => (
            format!("{holder} leaks {connections} in CLOSE_WAIT {end}"),
            format!(
                "The peers have closed them, the first one {} ago. No timer closes this end.",
                age(*greatest)
            ),
            "state close-wait",
        ),
        SEND_QUEUE_STUCK => (
            format!("{connections} {end} stalled, and {amount} wait"),
            format!("The peers of {holder} have stopped acknowledging: a peer or the path is gone."),
            "bottleneck = stalled",
        ),
        PEER_DOES_NOT_READ => (
            format!("{connections} {end} wait{s} for a peer that does not read"),
            format!("{holder} has {amount} to send, and the windows of its peers are closed."),
            "bottleneck = peer_not_reading",
        ),
        PROCESS_DOES_NOT_READ => (
            format!("{holder} does not read {amount} of {connections} {end}"),
            "The process is stopped, waits for something else, or loops.".to_owned(),
            "bottleneck = not_reading",
        ),
        _ => (
            format!("{connections} {end} lose{s} segments"),
            format!(
                "{holder} sends {amount} per second, and at least 1 % of the segments are retransmitted."
            ),
            "bottleneck = loss",
        ),
    };
    Problem { rule, title, detail, filter: Some(place.filter(condition)) }
}

fn bytes(value: f64) -> String {
    let units = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    match units.into_iter().find(|(_, size)| value >= *size) {
        Some((unit, size)) => format!("{:.1} {unit}", value / size),
        None => format!("{value:.0} bytes"),
    }
}

fn age(seconds: f64) -> String {
    match seconds {
        ..120.0 => format!("{seconds:.0} s"),
        ..7200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.0} h", seconds / 3600.0),
    }
}
