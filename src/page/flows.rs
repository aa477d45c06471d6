//! The connections of a listing with their figures. The two ends of one within this host are one flow.

use hashbrown::HashTable;

use crate::attribute::Direction;
use crate::listing::{AtHand, HashedEnds, ListedSocket, Listing, Rate, SocketList};
use sockdiag::State;

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
    /// Those of the socket at a place of a listing.
    pub(super) fn of(listing: &Listing, place: usize) -> Self {
        let Some(socket) = listing.sockets.get(place) else { return Self::default() };
        let rtt = socket.figure(AtHand::Rtt);
        Self {
            sockets: 1,
            rate: listing.rates.get(place).copied().flatten(),
            rtt,
            min_rtt: socket.figure(AtHand::MinRtt),
            max_rtt: rtt,
            receive_queue: socket.figure(AtHand::ReceiveQueue),
            send_queue: socket.figure(AtHand::SendQueue),
        }
    }

    /// Those of a connection.
    pub(super) fn of_flow(listing: &Listing, flow: &Flow) -> Self {
        let mut figures = Self::of(listing, flow.end);
        flow.peer.into_iter().for_each(|peer| figures.join(&Self::of(listing, peer)));
        figures
    }

    /// Bytes per second in both directions, and what waits, for an order with the busiest first.
    pub(super) fn traffic(&self) -> (f64, f64) {
        traffic(self.rate, [self.receive_queue, self.send_queue])
    }

    /// The share of retransmissions in what is sent.
    pub(super) fn retransmission_ratio(&self) -> Option<f64> {
        self.rate.and_then(Rate::retransmission_ratio)
    }

    /// Adds the other end of the same connection: what it waits for, and what it sends again.
    fn join(&mut self, peer: &Self) {
        self.sockets += peer.sockets;
        self.receive_queue = greater(self.receive_queue, peer.receive_queue);
        self.send_queue = greater(self.send_queue, peer.send_queue);
        // Each end sends what the other receives. What one sends again counts for the connection.
        if let (Some(rate), Some(of_peer)) = (&mut self.rate, peer.rate) {
            rate.retransmitted += of_peer.retransmitted;
        }
    }
}

/// A connection: the places of its sockets in the listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flow {
    /// Its socket; of two ends on this host, the one that opened it.
    pub(super) end: usize,
    /// The socket of the other end, if it is of this host too.
    pub(super) peer: Option<usize>,
}

impl Flow {
    /// [`FlowFigures::traffic`] of it, for an order of all connections without their other figures.
    pub(super) fn traffic(&self, listing: &Listing) -> (f64, f64) {
        let [here, there] = [Some(self.end), self.peer].map(|place| listing.sockets.get(place?));
        let figure = |socket: &Option<ListedSocket<'_>>, queue| socket.as_ref()?.figure(queue);
        let waiting = [AtHand::ReceiveQueue, AtHand::SendQueue]
            .map(|queue| greater(figure(&here, queue), figure(&there, queue)));
        traffic(listing.rates.get(self.end).copied().flatten(), waiting)
    }
}

/// Bytes per second in both directions, with those that are not known behind all others, and what waits in the queues.
fn traffic(rate: Option<Rate>, waiting: [Option<f64>; 2]) -> (f64, f64) {
    let [receive, send] = waiting.map(Option::unwrap_or_default);
    (rate.map_or(-1.0, Rate::sum), receive + send)
}

/// The greater of the figures that are known.
fn greater(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.max(other)),
        (one, other) => one.or(other),
    }
}

/// The connections of a listing, by their places.
pub(super) fn connections(sockets: &SocketList) -> Vec<usize> {
    let is_connection = |socket: &ListedSocket<'_>| {
        socket.state() != State::Listen && socket.count(AtHand::SentBytes).is_some()
    };
    let mut places = Vec::with_capacity(sockets.len());
    let all = sockets.iter().enumerate();
    places.extend(all.filter(|(_, socket)| is_connection(socket)).map(|(place, _)| place));
    places
}

/// The connections among the sockets at these places.
pub(super) fn flows(sockets: &SocketList, connections: &[usize]) -> Vec<Flow> {
    let mut places: HashTable<(HashedEnds, usize)> = HashTable::with_capacity(connections.len());
    for (place, socket) in connections.iter().filter_map(|place| Some((*place, sockets.get(*place)?))) {
        let ends = socket.ends();
        places.insert_unique(ends.hash(), (ends, place), |(ends, _)| ends.hash());
    }
    let opened = |socket: &ListedSocket<'_>| socket.direction() == Some(Direction::Outbound);
    let flow = |end: &usize| {
        let (end, here) = (*end, sockets.get(*end)?);
        let swapped = here.ends().swapped();
        let peer = places.find(swapped.hash(), |(ends, peer)| *ends == swapped && *peer != end);
        let Some((peer, there)) = peer.and_then(|(_, peer)| Some((*peer, sockets.get(*peer)?))) else {
            return Some(Flow { end, peer: None });
        };
        // If neither end is known to have opened it, any choice will do that both agree on.
        let stands_there = (opened(&there), end) > (opened(&here), peer);
        (!stands_there).then_some(Flow { end, peer: Some(peer) })
    };
    connections.iter().filter_map(flow).collect()
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

    fn of(listing: &Listing) -> Vec<(Flow, FlowFigures)> {
        let flows = flows(&listing.sockets, &connections(&listing.sockets));
        flows.into_iter().map(|flow| (flow, FlowFigures::of_flow(listing, &flow))).collect()
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
            flows.iter().map(|(flow, _)| (flow.end, flow.peer)).collect::<Vec<_>>(),
            [(1, Some(0)), (2, None)]
        );
        let pair = flows[0].1;
        assert_eq!((pair.sockets, pair.receive_queue, pair.send_queue), (2, Some(90.0), Some(70.0)));
        assert_eq!(pair.rate, Some(rate(1.0, 5.0)));
        assert_eq!(flows[1].1.rate, Some(rate(9.0, 1.0)));
        for (flow, figures) in flows {
            assert_eq!(flow.traffic(&listing), figures.traffic());
        }
    }

    #[test]
    fn a_pair_of_which_no_end_is_known_to_have_opened_it_and_a_connection_to_itself_stand_once() {
        let value = [("sent_bytes_total", 1)];
        let end = |local, remote| (("x", "unknown", local, remote), &value[..], Rate::default());
        assert_eq!(of(&listing(&[end("1", "2"), end("2", "1")])).len(), 1);
        assert_eq!(of(&listing(&[end("3", "3")])).len(), 1);
    }
}
