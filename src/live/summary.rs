//! A look at the host in a few figures: states, round-trip times, the busiest flows, listeners.
//!
//! Refuses to know how they are shown.

use std::cmp::Reverse;

use super::Look;
use super::rate::Rate;
use crate::labels::Label;
use crate::sockdiag::State;
use crate::sockets::Row;

/// The upper bounds of the distribution, in seconds; what is above is in one more.
pub(super) const BOUNDS: [f64; 10] = [0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0];

/// What there is to see at a glance.
pub(super) struct Summary<'a> {
    /// The number of sockets in each state.
    pub(super) states: Vec<(&'static str, usize)>,
    /// Of each bucket of round-trip times, how many connections are in it.
    pub(super) rtt: [usize; BOUNDS.len() + 1],
    /// The median and the 95th percentile, in seconds.
    pub(super) quantiles: Option<(f64, f64)>,
    /// The busiest flows first.
    pub(super) flows: Vec<(&'a Row, Option<Rate>)>,
    /// How many flows there are.
    pub(super) all_flows: usize,
    /// The fullest queues first.
    pub(super) listeners: Vec<&'a Row>,
}

impl<'a> Summary<'a> {
    /// Of a look, with at most so many flows and listeners.
    pub(super) fn of(look: &'a Look, most: usize) -> Self {
        let states = State::ALL.into_iter().map(|state| {
            let in_state = look.rows.iter().filter(|row| row.label(Label::State) == state.name());
            (state.name(), in_state.count())
        });
        let is_listener = |row: &Row| row.label(Label::State) == State::Listen.name();
        let is_flow = |row: &Row| row.value("sent_bytes_total").is_some() && !is_listener(row);
        let mut times: Vec<f64> =
            look.rows.iter().filter_map(|row| Some(row.value("rtt_seconds")?.real())).collect();
        times.sort_by(f64::total_cmp);
        let mut rtt = [0; BOUNDS.len() + 1];
        for time in &times {
            let bucket = BOUNDS.iter().position(|bound| time <= bound).unwrap_or(BOUNDS.len());
            if let Some(count) = rtt.get_mut(bucket) {
                *count += 1;
            }
        }
        let quantile =
            |share: usize| times.get((times.len() * share / 100).min(times.len().saturating_sub(1))).copied();
        let mut flows: Vec<_> = look
            .rows
            .iter()
            .enumerate()
            .filter(|(_, row)| is_flow(row))
            .map(|(number, row)| (row, look.rates.get(number).copied().flatten()))
            .collect();
        let all_flows = flows.len();
        let busy = |(row, rate): &(&Row, Option<Rate>)| {
            let total = row.value("sent_bytes_total").map_or(0.0, crate::sockets::Number::real);
            (rate.map_or(-1.0, Rate::sum), total)
        };
        flows.sort_by(|one, other| {
            let (one, other) = (busy(one), busy(other));
            other.0.total_cmp(&one.0).then(other.1.total_cmp(&one.1))
        });
        flows.truncate(most);
        let mut listeners: Vec<&Row> = look.rows.iter().filter(|row| is_listener(row)).collect();
        listeners.sort_by_key(|row| {
            Reverse(row.value("accept_queue_connections").map_or(0, |value| value.real().to_bits()))
        });
        listeners.truncate(most);
        Self {
            states: states.collect(),
            rtt,
            quantiles: quantile(50).zip(quantile(95)),
            flows,
            all_flows,
            listeners,
        }
    }
}
