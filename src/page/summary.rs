//! A listing in a few figures: states, round-trip times, the connections or groups of them, listeners.

use super::columns::ShownFlow;
use super::flows::{Flow, FlowFigures, connections, flows};
use super::group::{PageGroup, groups};
use super::request::{GroupBy, PageOrder, PageRequest, unknown};
use super::table::{Content, PageLine, sort_text};
use crate::listing::{AtHand, ListedSocket, Listing, Number, Rate, Refusal, Row, percentile};
use crate::metrics::{Metric, named};
use sockdiag::State;

const WAITING: &Metric = named("accept_queue_connections");

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
    /// The rates of all connections together, and how many sockets these are.
    pub(super) total: (Rate, usize),
    /// The first lines of the first table.
    pub(super) lines: Lines,
    /// How many there are.
    pub(super) all_lines: usize,
    /// The fullest queues first.
    pub(super) listeners: Vec<Row>,
}

/// What the first table is of.
pub(super) enum Lines {
    /// Connections.
    Flows(Vec<ShownFlow>),
    /// Groups of them.
    Groups(Vec<PageGroup>),
}

impl Summary {
    /// Of a listing, with at most that many lines and listeners.
    ///
    /// # Errors
    /// If there is no column to sort by of the name that is asked for.
    pub(super) fn of(listing: &Listing, request: &PageRequest, most: usize) -> Result<Self, Refusal> {
        let sockets = &listing.sockets;
        let connections = connections(sockets);
        let mut total = Rate::default();
        let mut times = Vec::with_capacity(connections.len());
        for place in &connections {
            total += listing.rates.get(*place).copied().flatten().unwrap_or_default();
            times.extend(sockets.get(*place).and_then(|socket| socket.figure(AtHand::Rtt)));
        }
        let quantiles = percentile(&mut times, 50).zip(percentile(&mut times, 95));

        let order = request.order.as_ref();
        let (lines, all_lines) = match request.group {
            GroupBy::Flow => {
                let flows = flows(sockets, &connections);
                let of = |flow: &Flow| FlowFigures::of_flow(listing, flow);
                let traffic = |flow: &Flow| flow.traffic(listing);
                let shown = |flow: &Flow| {
                    let peer = flow.peer.and_then(|peer| sockets.row(peer));
                    Some(ShownFlow { end: sockets.row(flow.end)?, peer, figures: of(flow) })
                };
                (Lines::Flows(first(&flows, order, most, (traffic, of), shown)?), flows.len())
            }
            by => {
                let groups = groups(listing, &connections, by);
                let shown = |group: &PageGroup| Some(group.clone());
                let figures = |group: &PageGroup| group.figures;
                let traffic = |group: &PageGroup| group.figures.traffic();
                (Lines::Groups(first(&groups, order, most, (traffic, figures), shown)?), groups.len())
            }
        };
        Ok(Self {
            states: State::ALL.into_iter().map(|state| (state.name(), sockets.in_state(state))).collect(),
            rtt: buckets(&times),
            quantiles,
            total: (total, connections.len()),
            lines,
            all_lines,
            listeners: listeners(listing, most),
        })
    }
}

/// The first lines in an order; without one the busiest come first.
fn first<T, L: PageLine>(
    all: &[T],
    order: Option<&PageOrder>,
    most: usize,
    (traffic, figures): (impl Fn(&T) -> (f64, f64), impl Fn(&T) -> FlowFigures),
    shown: impl Fn(&T) -> Option<L>,
) -> Result<Vec<L>, Refusal> {
    let mut all = busiest(all, if order.is_some() { all.len() } else { most }, traffic);
    if let Some(order) = order {
        let names = || L::COLUMNS.iter().map(|column| column.name).filter(|name| !name.is_empty());
        let column = L::COLUMNS.iter().find(|column| column.name == order.column);
        match column.ok_or_else(|| unknown("sort", &order.column, names()))?.content {
            Content::Figure(of, _) => {
                let mut ranked: Vec<_> = all.into_iter().map(|line| (of(&figures(line)), line)).collect();
                ranked.sort_by(|(one, _), (other, _)| match (one, other) {
                    (Some(one), Some(other)) if order.falling => other.total_cmp(one),
                    (Some(one), Some(other)) => one.total_cmp(other),
                    // Lines without a figure come last.
                    (one, other) => other.is_some().cmp(&one.is_some()),
                });
                all = ranked.into_iter().map(|(_, line)| line).collect();
            }
            Content::Text(of) => {
                all.sort_by_cached_key(|line| shown(line).map(|line| sort_text(of, &line)));
                if order.falling {
                    all.reverse();
                }
            }
        }
    }
    Ok(all.into_iter().take(most).filter_map(shown).collect())
}

/// The lines with the most traffic in order; of those with as much, the ones that come first.
fn busiest<T>(all: &[T], most: usize, traffic: impl Fn(&T) -> (f64, f64)) -> Vec<&T> {
    let mut ranks: Vec<_> = all.iter().zip(0..).map(|(line, place)| (traffic(line), place)).collect();
    let order = |((rate, waiting), place): &((f64, f64), usize), other: &((f64, f64), usize)| {
        let ((other_rate, other_waiting), other_place) = other;
        other_rate.total_cmp(rate).then(other_waiting.total_cmp(waiting)).then(place.cmp(other_place))
    };
    if most < ranks.len() {
        ranks.select_nth_unstable_by(most, order);
        ranks.truncate(most);
    }
    ranks.sort_unstable_by(order);
    ranks.into_iter().filter_map(|(_, place)| all.get(place)).collect()
}

/// How many times are in each bucket.
fn buckets(times: &[f64]) -> [usize; BOUNDS.len() + 1] {
    let mut buckets = [0; BOUNDS.len() + 1];
    for time in times {
        let bucket = BOUNDS.partition_point(|bound| bound < time);
        buckets.get_mut(bucket).into_iter().for_each(|count| *count += 1);
    }
    buckets
}

/// The listeners with the fullest queues.
fn listeners(listing: &Listing, most: usize) -> Vec<Row> {
    let sockets = &listing.sockets;
    let waiting = sockets.column(WAITING);
    let waiting = |socket: &ListedSocket<'_>| waiting(socket).map_or(0.0, Number::real);
    let listeners = sockets.iter().filter(|socket| socket.state() == State::Listen);
    let mut listeners: Vec<_> = listeners.map(|socket| (waiting(&socket), socket)).collect();
    listeners.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    listeners.iter().take(most).filter_map(|(_, socket)| socket.row()).collect()
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::listing::SocketList;
    use crate::properties::Property;

    fn listing() -> Listing {
        let (flow, listener) = ([(Property::State, "established")], [(Property::State, "listen")]);
        let port = |texts: [(Property, &'static str); 1], port| [texts[0], (Property::LocalPort, port)];
        let (one, two, three) = (port(flow, "1"), port(flow, "2"), port(flow, "3"));
        let (empty, full) = (port(listener, "4"), port(listener, "5"));
        let sockets = SocketList::made(&[
            (&one, &[("sent_bytes_total", 9), ("rtt_seconds", 100)]),
            (&empty, &[("accept_queue_connections", 0)]),
            (&two, &[("sent_bytes_total", 5), ("rtt_seconds", 200)]),
            (&full, &[("accept_queue_connections", 3)]),
            (&three, &[("sent_bytes_total", 7), ("rtt_seconds", 9_000_000), ("send_queue_bytes", 1)]),
        ]);
        let fast = Some(Rate { sent: 1.0, received: 1.0, retransmitted: 0.0 });
        let rates = vec![Some(Rate::default()), None, fast, None, Some(Rate::default())];
        Listing { sockets, rates, at: SystemTime::now() }
    }

    fn ports<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<&'a str> {
        rows.map(|row| row.label(Property::LocalPort)).collect()
    }

    #[test]
    fn the_busiest_and_the_fullest_come_first_and_each_time_is_in_one_bucket() {
        let (listing, request) = (listing(), PageRequest::default());
        let summary = Summary::of(&listing, &request, 2).expect("no order");
        let Lines::Flows(flows) = &summary.lines else { panic!("connections were asked for") };
        // Of those that move nothing, the one with data in its queue.
        assert_eq!(ports(flows.iter().map(|flow| &flow.end)), ["2", "3"]);
        assert_eq!((summary.all_lines, ports(summary.listeners.iter())), (3, vec!["5", "4"]));
        assert_eq!(summary.rtt, [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(summary.quantiles, Some((0.000_2, 9.0)));
        assert_eq!(summary.total, (Rate { sent: 1.0, received: 1.0, retransmitted: 0.0 }, 3));
        let of = |name| summary.states.iter().find(|(state, _)| *state == name).map(|(_, count)| *count);
        assert_eq!((of("established"), of("listen"), of("time_wait")), (Some(3), Some(2), Some(0)));
    }

    #[test]
    fn lines_are_chosen_by_any_column_and_those_without_a_figure_come_last() {
        let listing = listing();
        let sorted = |column, falling| {
            let request = PageRequest::default().sorted(column, falling);
            let summary = Summary::of(&listing, &request, 2).unwrap_or_else(|error| panic!("{error}"));
            let Lines::Flows(flows) = summary.lines else { panic!("connections were asked for") };
            ports(flows.iter().map(|flow| &flow.end)).join(" ")
        };
        assert_eq!((sorted("rtt_seconds", true), sorted("rtt_seconds", false)), ("3 2".into(), "1 2".into()));
        assert_eq!((sorted("local", true), sorted("local", false)), ("3 2".into(), "1 2".into()));
        let with_ratio = [true, false].map(|falling| sorted("retransmission_ratio", falling));
        assert!(with_ratio.iter().all(|ports| ports.starts_with("2 ")), "{with_ratio:?}");
        for column in ShownFlow::COLUMNS.iter().filter(|column| !column.name.is_empty()) {
            assert!(!sorted(column.name, true).is_empty());
        }
        let request = PageRequest::default().sorted("rtt_second", true);
        let refusal = Summary::of(&listing, &request, 2).err().expect("no such column").to_string();
        assert!(
            refusal.starts_with(
                "sort: found \"rtt_second\", did you mean rtt_seconds?; expected: process, service"
            ),
            "{refusal}"
        );
    }
}
