//! The connections of a listing with their figures. The two ends of one within this host are one flow.

use std::hash::BuildHasher as _;
use std::net::{IpAddr, SocketAddr};

use hashbrown::{DefaultHashBuilder, HashMap};

use crate::attribute::Direction;
use crate::listing::{ListedSocket, Listing, Number, Rate, SocketList};
use crate::metrics::{Metric, named};
use sockdiag::State;

/// What the figures are made of.
const FIGURES: [&Metric; 5] = [
    named("sent_bytes_total"),
    named("rtt_seconds"),
    named("min_rtt_seconds"),
    named("receive_queue_bytes"),
    named("send_queue_bytes"),
];

/// The figures of one socket, or of several together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct FlowFigures {
    /// How many sockets they are of.
    pub(super) sockets: usize,
    /// Bytes per second; `None` until there are two listings.
    pub(super) rate: Option<Rate>,
    /// Seconds: of several sockets the median.
    pub(super) rtt: Option<f64>,
    /// Seconds: the minimum of each socket, of several sockets the least.
    pub(super) min_rtt: Option<f64>,
    /// Seconds: of several sockets the maximum.
    pub(super) max_rtt: Option<f64>,
    /// Bytes that the process has not read.
    pub(super) receive_queue: Option<f64>,
    /// Bytes that the peer has not acknowledged.
    pub(super) send_queue: Option<f64>,
}

impl FlowFigures {
    /// Those of the connections of a listing, by their places.
    pub(super) fn of_all(listing: &Listing) -> Vec<(usize, Self)> {
        let sockets = &listing.sockets;
        let [sent, rtt, min_rtt, receive_queue, send_queue] = FIGURES.map(|metric| {
            let column = sockets.column(metric);
            move |socket: &ListedSocket<'_>| column(socket).map(Number::real)
        });
        let figures = |socket: &ListedSocket<'_>, rate| {
            sent(socket).filter(|_| socket.state() != State::Listen)?;
            let rtt = rtt(socket);
            let (receive_queue, send_queue) = (receive_queue(socket), send_queue(socket));
            Some(Self {
                sockets: 1,
                rate,
                rtt,
                min_rtt: min_rtt(socket),
                max_rtt: rtt,
                receive_queue,
                send_queue,
            })
        };
        let mut all = Vec::with_capacity(sockets.len());
        let sockets = sockets.iter().zip(&listing.rates).enumerate();
        all.extend(sockets.filter_map(|(place, (socket, rate))| Some((place, figures(&socket, *rate)?))));
        all
    }

    /// Bytes per second in both directions, and what waits, for an order with the busiest first.
    pub(super) fn traffic(&self) -> (f64, f64) {
        let waiting = self.receive_queue.unwrap_or_default() + self.send_queue.unwrap_or_default();
        (self.rate.map_or(-1.0, Rate::sum), waiting)
    }

    /// The share of retransmissions in what is sent.
    pub(super) fn retransmission_ratio(&self) -> Option<f64> {
        self.rate.and_then(Rate::retransmission_ratio)
    }

    /// Adds the other end of the same connection: what it waits for, and what it sends again.
    fn join(&mut self, peer: &Self) {
        self.sockets += peer.sockets;
        let greater = |one: Option<f64>, other: Option<f64>| one.into_iter().chain(other).reduce(f64::max);
        self.receive_queue = greater(self.receive_queue, peer.receive_queue);
        self.send_queue = greater(self.send_queue, peer.send_queue);
        // Each end sends what the other receives. What one sends again counts for the connection.
        if let (Some(rate), Some(of_peer)) = (&mut self.rate, peer.rate) {
            rate.retransmitted += of_peer.retransmitted;
        }
    }
}

/// A connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Flow {
    /// Its socket in the listing; of two ends on this host, the one that opened it.
    pub(super) end: usize,
    /// The socket of the other end, if it is of this host too.
    pub(super) peer: Option<usize>,
    /// Its figures, as its socket has them.
    pub(super) figures: FlowFigures,
}

/// The connections among the sockets with these figures, by their places.
pub(super) fn flows(sockets: &SocketList, figures: &[(usize, FlowFigures)]) -> Vec<Flow> {
    let hasher = DefaultHashBuilder::default();
    let mut ends = Vec::with_capacity(figures.len());
    ends.extend(figures.iter().filter_map(|(place, _)| Ends::of(&sockets.get(*place)?, &hasher)));
    let places: HashMap<[u64; 2], usize> =
        ends.iter().enumerate().map(|(place, ends)| (ends.here, place)).collect();
    let flow = |(place, (index, of_end)): (usize, &(usize, FlowFigures))| {
        let (mut flow, here) = (Flow { end: *index, peer: None, figures: *of_end }, ends.get(place)?);
        let peer = places.get(&here.there).filter(|peer| **peer != place);
        let Some((peer, there)) = peer.and_then(|peer| Some((*peer, ends.get(*peer)?))) else {
            return Some(flow);
        };
        // If neither end is known to have opened it, any choice will do that both agree on.
        if (there.opened, here.here) > (here.opened, there.here) {
            return None;
        }
        let (index, of_peer) = figures.get(peer)?;
        flow.peer = Some(*index);
        flow.figures.join(of_peer);
        Some(flow)
    };
    figures.iter().enumerate().filter_map(flow).collect()
}

/// The endpoints of a connection, as hashes: as its socket has them, and as that of the other end would.
struct Ends {
    here: [u64; 2],
    there: [u64; 2],
    /// Whether this end opened it.
    opened: bool,
}

impl Ends {
    fn of(socket: &ListedSocket<'_>, hasher: &DefaultHashBuilder) -> Option<Self> {
        let reply = socket.socket()?;
        // In two namespaces the same addresses are those of others.
        let hash = |end: SocketAddr| {
            let address = match end.ip() {
                IpAddr::V4(v4) => u128::from(v4.to_bits()),
                IpAddr::V6(v6) => v6.to_bits(),
            };
            hasher.hash_one((address, u64::from(socket.netns()) << 16 | u64::from(end.port())))
        };
        let [local, remote] = [reply.local(), reply.remote()].map(hash);
        let opened = socket.direction() == Some(Direction::Outbound);
        Some(Self { here: [local, remote], there: [remote, local], opened })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::properties::Property;

    /// A connection from a port to another, which that process opened or accepted.
    pub(in crate::page) type End = (&'static str, &'static str, &'static str, &'static str);

    /// The labels of an end.
    pub(in crate::page) fn labels((process, direction, local, remote): End) -> [(Property, &'static str); 7] {
        [
            (Property::State, "established"),
            (Property::LocalAddress, "10.0.0.1"),
            (Property::LocalPort, local),
            (Property::RemoteAddress, "10.0.0.1"),
            (Property::RemotePort, remote),
            (Property::Process, process),
            (Property::Direction, direction),
        ]
    }

    /// An end, the values of its metrics, and its rate.
    pub(in crate::page) type Made<'a> = (End, &'a [(&'static str, u64)], Rate);

    /// A listing of these ends.
    pub(in crate::page) fn listing(ends: &[Made<'_>]) -> Listing {
        let labels: Vec<_> = ends.iter().map(|(end, ..)| labels(*end)).collect();
        let made: Vec<_> =
            labels.iter().zip(ends).map(|(labels, (_, values, _))| (&labels[..], *values)).collect();
        let rates = ends.iter().map(|(.., rate)| Some(*rate)).collect();
        Listing { sockets: SocketList::made(&made), rates, at: SystemTime::now() }
    }

    fn of(listing: &Listing) -> Vec<Flow> {
        flows(&listing.sockets, &FlowFigures::of_all(listing))
    }

    #[test]
    fn both_ends_of_a_connection_within_the_host_are_one_flow_of_the_end_that_opened_it() {
        let rate = |sent, retransmitted| Rate { sent, received: 1.0, retransmitted };
        let queues = |receive, send| {
            [("sent_bytes_total", 1), ("receive_queue_bytes", receive), ("send_queue_bytes", send)]
        };
        let (server, client, other) = (queues(90, 0), queues(0, 70), queues(1, 2));
        let listing = listing(&[
            (("server", "inbound", "80", "4000"), &server, rate(1.0, 3.0)),
            (("client", "outbound", "4000", "80"), &client, rate(1.0, 2.0)),
            (("alone", "outbound", "4001", "80"), &other, rate(9.0, 1.0)),
        ]);
        let flows = of(&listing);
        assert_eq!(
            flows.iter().map(|flow| (flow.end, flow.peer)).collect::<Vec<_>>(),
            [(1, Some(0)), (2, None)]
        );
        let pair = flows[0].figures;
        assert_eq!((pair.sockets, pair.receive_queue, pair.send_queue), (2, Some(90.0), Some(70.0)));
        assert_eq!(pair.rate, Some(rate(1.0, 5.0)));
        assert_eq!(flows[1].figures.rate, Some(rate(9.0, 1.0)));
    }

    #[test]
    fn a_pair_of_which_no_end_is_known_to_have_opened_it_and_a_connection_to_itself_stand_once() {
        let value = [("sent_bytes_total", 1)];
        let end = |local, remote| (("x", "unknown", local, remote), &value[..], Rate::default());
        assert_eq!(of(&listing(&[end("1", "2"), end("2", "1")])).len(), 1);
        assert_eq!(of(&listing(&[end("3", "3")])).len(), 1);
    }
}
