//! How fast sockets send and receive, from their counters in two listings.

use std::cell::LazyCell;
use std::time::Duration;

use hashbrown::HashMap;

use super::{AtHand, ListedSocket, SocketList};

/// Bytes per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rate {
    /// Sent, each byte once.
    pub sent: f64,
    /// Received.
    pub received: f64,
    /// Retransmitted.
    pub retransmitted: f64,
}

impl Rate {
    /// Both ways together.
    pub(crate) fn sum(self) -> f64 {
        self.sent + self.received
    }

    /// The share of retransmissions in all that is sent; `None` if nothing is.
    pub(crate) fn retransmission_ratio(self) -> Option<f64> {
        let sent = self.sent + self.retransmitted;
        (sent > 0.0).then(|| self.retransmitted / sent)
    }
}

impl std::ops::AddAssign for Rate {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.received += other.received;
        self.retransmitted += other.retransmitted;
    }
}

/// The counters that rates are made of, in the order of [`Rate`].
const COUNTERS: [AtHand; 3] = [AtHand::SentBytes, AtHand::ReceivedBytes, AtHand::RetransmittedBytes];

/// Rows among which the next one is expected, so that some may have gone.
const AHEAD: usize = 4;
/// Rows that may stand elsewhere before a table of all is made.
const FEW: usize = 16;

/// What sockets had sent, received and retransmitted, in the order of the list, each with its identity.
#[derive(Debug)]
pub(super) struct Counters(Vec<(u64, Option<[u64; 3]>)>);

impl Counters {
    pub(super) fn of(sockets: &SocketList) -> Self {
        let counters = |socket: &ListedSocket<'_>| {
            let [sent, received, retransmitted] = COUNTERS.map(|counter| socket.count(counter));
            // Linux 4.18 and older count no bytes that are retransmitted.
            Some([sent?, received?, retransmitted.unwrap_or_default()])
        };
        let mut all = Vec::with_capacity(sockets.len());
        all.extend(sockets.iter().map(|socket| (socket.identity(), counters(&socket))));
        Self(all)
    }

    /// The rate of each row; `None` for one that is new or counts nothing.
    pub(super) fn since(&self, before: &Self, time: Duration) -> Vec<Option<Rate>> {
        let seconds = time.as_secs_f64();
        let rate = |now: &[u64; 3], before: &[u64; 3]| {
            // Less than before: the kernel has wiped the counters.
            let per_second =
                |place: usize| Some(float(now.get(place)?.checked_sub(*before.get(place)?)?) / seconds);
            let rate = Rate { sent: per_second(0)?, received: per_second(1)?, retransmitted: per_second(2)? };
            (seconds > 0.0).then_some(rate)
        };
        let places = self.places_in(before);
        let of = |((_, now), place): (&(u64, Option<[u64; 3]>), Option<usize>)| {
            rate(now.as_ref()?, before.0.get(place?)?.1.as_ref()?)
        };
        self.0.iter().zip(places).map(of).collect()
    }

    /// Where each row was before: mostly in the same order.
    fn places_in(&self, before: &Self) -> Vec<Option<usize>> {
        let places = || before.0.iter().zip(0..).map(|((identity, _), place)| (*identity, place));
        let places = LazyCell::new(|| places().collect::<HashMap<u64, usize>>());
        let (mut next, mut missed) = (0, Vec::new());
        let mut found = Vec::with_capacity(self.0.len());
        for (identity, _) in &self.0 {
            let mut ahead = before.0.iter().enumerate().skip(next).take(AHEAD);
            let mut place = ahead.find(|(_, (known, _))| known == identity).map(|(place, _)| place);
            if place.is_none() && missed.len() >= FEW {
                place = places.get(identity).copied();
            } else if place.is_none() {
                missed.push((found.len(), *identity));
            }
            next = place.map_or(next, |place| place + 1);
            found.push(place);
        }
        // Most of a few that were not found are new. To look for them all at once takes less than to make a table.
        missed.sort_unstable_by_key(|(_, identity)| *identity);
        let of = |identity: u64| missed.binary_search_by_key(&identity, |(_, missed)| *missed);
        if !missed.is_empty() {
            for ((identity, _), place) in before.0.iter().zip(0..) {
                let row = of(*identity).ok().and_then(|at| missed.get(at));
                if let Some(found) = row.and_then(|(row, _)| found.get_mut(*row)) {
                    *found = Some(place);
                }
            }
        }
        found
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate is not exact")]
fn float(integer: u64) -> f64 {
    integer as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::properties::Property;

    proptest! {
        #[test]
        fn a_row_is_found_wherever_it_was_before(
            (before, now) in {
                let some = || prop::sample::subsequence((0..60_u64).collect::<Vec<_>>(), 0..=60);
                (some().prop_shuffle(), prop_oneof![some().boxed(), some().prop_shuffle().boxed()])
            },
        ) {
            let [before, now] = [before, now].map(|rows| {
                Counters(rows.into_iter().map(|identity| (identity, None)).collect())
            });
            let place = |(identity, _): &(u64, _)| before.0.iter().position(|(known, _)| known == identity);
            prop_assert_eq!(now.places_in(&before), now.0.iter().map(place).collect::<Vec<_>>());
        }
    }

    fn counters(sockets: &[(&str, u64, u64, u64)]) -> Counters {
        let texts: Vec<_> = sockets.iter().map(|(cookie, ..)| [(Property::Cookie, *cookie)]).collect();
        let values: Vec<_> = sockets
            .iter()
            .map(|(_, sent, received, again)| {
                let names = ["sent_bytes_total", "received_bytes_total", "retransmitted_bytes_total"];
                let [first, second, third] = names;
                [(first, *sent), (second, *received), (third, *again)]
            })
            .collect();
        let made: Vec<_> =
            texts.iter().zip(&values).map(|(texts, values)| (&texts[..], &values[..])).collect();
        Counters::of(&SocketList::made(&made))
    }

    #[test]
    fn a_rate_is_what_was_gained_per_second_and_a_new_connection_has_none() {
        let before = counters(&[("1", 100, 7, 0), ("2", 500, 500, 0)]);
        let now = counters(&[("2", 400, 500, 0), ("3", 9, 9, 0), ("1", 1_100, 7, 250)]);
        let rates = now.since(&before, Duration::from_millis(500));
        let rate = Rate { sent: 2_000.0, received: 0.0, retransmitted: 500.0 };
        assert_eq!(rates, [None, None, Some(rate)]);
        assert_eq!((rate.retransmission_ratio(), Rate::default().retransmission_ratio()), (Some(0.2), None));
        assert_eq!(now.since(&before, Duration::ZERO), [None; 3]);
    }
}
