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
        let places = || before.0.iter().zip(0..).map(|((identity, _), place)| (*identity, place));
        let places = LazyCell::new(|| places().collect::<HashMap<u64, usize>>());
        // Mostly in the same order as before.
        let mut next = 0;
        let seconds = time.as_secs_f64();
        let rate = |(identity, now): &(u64, Option<[u64; 3]>)| {
            let is_next = before.0.get(next).is_some_and(|(expected, _)| expected == identity);
            let place = if is_next { next } else { *places.get(identity)? };
            next = place + 1;
            let (before, now) = before.0.get(place)?.1.zip(*now)?;
            // Less than before: the kernel has wiped the counters.
            let per_second = |(before, now): (u64, u64)| Some(float(now.checked_sub(before)?) / seconds);
            let [sent, received, retransmitted] =
                [0, 1, 2].map(|counter| per_second((*before.get(counter)?, *now.get(counter)?)));
            let rate = Rate { sent: sent?, received: received?, retransmitted: retransmitted? };
            (seconds > 0.0).then_some(rate)
        };
        self.0.iter().map(rate).collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate is not exact")]
fn float(integer: u64) -> f64 {
    integer as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::properties::Property;

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
