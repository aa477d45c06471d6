//! The figures of the first lines: sockets by state, rates, round-trip times.

use super::ObservedSockets;
use crate::listing::{Rate, percentile};
use sockdiag::State;

/// All sockets together.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Totals {
    /// The states that sockets are in, and how many are.
    pub(super) states: Vec<(&'static str, u64)>,
    /// The sums; `None` before there are rates.
    pub(super) rate: Option<Rate>,
    /// The median and the 95th percentile of round-trip times, in seconds.
    pub(super) rtt: Option<(f64, f64)>,
}

impl Totals {
    pub(super) fn of(sockets: &dyn ObservedSockets) -> Self {
        let states = State::ALL.into_iter().map(|state| (state.name(), sockets.in_state(state)));
        let rates = (0..sockets.count()).filter_map(|index| sockets.rate(index));
        let rate = rates.fold(None, |sum: Option<Rate>, rate| {
            let mut sum = sum.unwrap_or_default();
            sum += rate;
            Some(sum)
        });
        let mut times: Vec<f64> = (0..sockets.count()).filter_map(sockets.values("rtt_seconds")).collect();
        let rtt = percentile(&mut times, 50).zip(percentile(&mut times, 95));
        Self { states: states.filter(|(_, count)| *count > 0).collect(), rate, rtt }
    }
}
