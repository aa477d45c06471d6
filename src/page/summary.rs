//! A listing in a few figures: states, round-trip times, the busiest connections, listeners.

use crate::listing::{Listing, Number, Rate, Row};
use sockdiag::State;

/// The upper bounds of the distribution, in seconds; what is above is in one more.
pub(super) const BOUNDS: [f64; 10] = [0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0];

/// What there is to see at a glance.
pub(super) struct Summary {
    /// The number of sockets in each state.
    pub(super) states: Vec<(&'static str, u64)>,
    /// Of each bucket of round-trip times, how many connections are in it.
    pub(super) rtt: [usize; BOUNDS.len() + 1],
    /// The median and the 95th percentile, in seconds.
    pub(super) quantiles: Option<(f64, f64)>,
    /// The busiest connections first.
    pub(super) connections: Vec<(Row, Option<Rate>)>,
    /// How many connections there are.
    pub(super) all_connections: usize,
    /// The fullest queues first.
    pub(super) listeners: Vec<Row>,
}

impl Summary {
    /// Of a listing, with at most that many connections and listeners.
    pub(super) fn of(listing: &Listing, most: usize) -> Self {
        let sockets = &listing.sockets;
        let column = |name| {
            let column = sockets.column(name);
            move |index: usize| column(index).map(Number::real)
        };
        let [sent, rtt, waiting] =
            ["sent_bytes_total", "rtt_seconds", "accept_queue_connections"].map(column);
        let listens = |index: &usize| sockets.state(*index) == State::Listen.name();
        let rate = |index: usize| listing.rates.get(index).copied().flatten();

        let mut times: Vec<f64> = (0..sockets.len()).filter_map(rtt).collect();
        times.sort_by(f64::total_cmp);
        let within = |bound: f64| times.partition_point(|time| *time <= bound);
        let mut buckets = [0; BOUNDS.len() + 1];
        let mut before = 0;
        for (bucket, bound) in buckets.iter_mut().zip(BOUNDS.into_iter().chain([f64::INFINITY])) {
            *bucket = within(bound) - before;
            before += *bucket;
        }
        let quantile = |share: usize| times.get(times.len().saturating_sub(1) * share / 100).copied();

        let busy = |index: usize| (rate(index).map_or(-1.0, Rate::sum), sent(index).unwrap_or_default());
        let connections = (0..sockets.len()).filter(|index| sent(*index).is_some() && !listens(index));
        let mut connections: Vec<_> = connections.map(|index| (busy(index), index)).collect();
        let all_connections = connections.len();
        connections.sort_by(|(one, _), (other, _)| other.0.total_cmp(&one.0).then(other.1.total_cmp(&one.1)));
        let connections =
            connections.iter().take(most).filter_map(|(_, index)| Some((sockets.row(*index)?, rate(*index))));

        let listeners = (0..sockets.len()).filter(listens);
        let mut listeners: Vec<_> =
            listeners.map(|index| (waiting(index).unwrap_or_default(), index)).collect();
        listeners.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        let listeners = listeners.iter().take(most).filter_map(|(_, index)| sockets.row(*index));
        Self {
            states: State::ALL
                .into_iter()
                .map(|state| (state.name(), sockets.in_state(state.name())))
                .collect(),
            rtt: buckets,
            quantiles: quantile(50).zip(quantile(95)),
            connections: connections.collect(),
            all_connections,
            listeners: listeners.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::listing::SocketList;
    use crate::properties::Property;

    #[test]
    fn the_busiest_and_the_fullest_come_first_and_each_time_is_in_one_bucket() {
        let (flow, listener) = ([(Property::State, "established")], [(Property::State, "listen")]);
        let port = |texts: [(Property, &'static str); 1], port| [texts[0], (Property::LocalPort, port)];
        let (one, two, three) = (port(flow, "1"), port(flow, "2"), port(flow, "3"));
        let (empty, full) = (port(listener, "4"), port(listener, "5"));
        let sockets = SocketList::made(&[
            (&one, &[("sent_bytes_total", 9), ("rtt_seconds", 100)]),
            (&empty, &[("accept_queue_connections", 0)]),
            (&two, &[("sent_bytes_total", 5), ("rtt_seconds", 200)]),
            (&full, &[("accept_queue_connections", 3)]),
            (&three, &[("sent_bytes_total", 7), ("rtt_seconds", 9_000_000)]),
        ]);
        let fast = Some(Rate { sent: 1.0, received: 1.0, ..Rate::default() });
        let rates = vec![Some(Rate::default()), None, fast, None, Some(Rate::default())];
        let summary = Summary::of(&Listing { sockets, rates, at: SystemTime::now() }, 2);
        let ports = |rows: &mut dyn Iterator<Item = &Row>| {
            rows.map(|row| row.label(Property::LocalPort).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(ports(&mut summary.connections.iter().map(|(row, _)| row)), ["2", "1"]);
        assert_eq!(
            (summary.all_connections, ports(&mut summary.listeners.iter())),
            (3, vec!["5".into(), "4".into()])
        );
        assert_eq!(summary.rtt, [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(summary.quantiles, Some((0.000_2, 0.000_2)));
        let of = |name| summary.states.iter().find(|(state, _)| *state == name).map(|(_, count)| *count);
        assert_eq!((of("established"), of("listen"), of("time_wait")), (Some(3), Some(2), Some(0)));
    }
}
