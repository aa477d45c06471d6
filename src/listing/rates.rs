//! How fast sockets send and receive, from their counters in two listings.

use std::hash::{BuildHasher as _, Hash as _, Hasher as _, RandomState};
use std::sync::OnceLock;
use std::time::Duration;

use hashbrown::HashMap;

use super::{Number, SocketList};

/// Bytes per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rate {
    /// Sent, each byte once.
    pub sent: f64,
    /// Received.
    pub received: f64,
}

impl Rate {
    /// Both ways together.
    pub(crate) fn sum(self) -> f64 {
        self.sent + self.received
    }
}

/// What sockets had sent and received, in the order of their rows, each with the hash of what names
/// it while it lives: two in 2^64 that meet would have each other's rate.
#[derive(Debug)]
pub(super) struct Counters(Vec<(u64, Option<(u64, u64)>)>);

impl Counters {
    pub(super) fn of(sockets: &SocketList) -> Self {
        static SEED: OnceLock<RandomState> = OnceLock::new();
        let seed = SEED.get_or_init(RandomState::new);
        let [sent, received] = ["sent_bytes_total", "received_bytes_total"].map(|name| sockets.column(name));
        let whole = |value| if let Some(Number::Whole(value)) = value { Some(value) } else { None };
        let counters = |index: usize| whole(sent(index)).zip(whole(received(index)));
        let name = |index: usize| {
            let mut hasher = seed.build_hasher();
            sockets.fixed(index).for_each(|value| value.bytes.hash(&mut hasher));
            hasher.finish()
        };
        Self((0..sockets.len()).map(|index| (name(index), counters(index))).collect())
    }

    /// The rate of each row; `None` for one that is new or counts nothing.
    pub(super) fn since(&self, before: &Self, time: Duration) -> Vec<Option<Rate>> {
        let known: HashMap<u64, Option<(u64, u64)>> = before.0.iter().copied().collect();
        let seconds = time.as_secs_f64();
        let rate = |(ends, now): &(u64, Option<(u64, u64)>)| {
            let ((sent, received), (sent_now, received_now)) =
                known.get(ends).copied().flatten().zip(*now)?;
            // Less than before is another connection between the same ends.
            let (sent, received) = (sent_now.checked_sub(sent)?, received_now.checked_sub(received)?);
            (seconds > 0.0).then(|| Rate { sent: float(sent) / seconds, received: float(received) / seconds })
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

    fn counters(sockets: &[(&str, u64, u64)]) -> Counters {
        let texts: Vec<_> = sockets.iter().map(|(port, ..)| [(Property::LocalPort, *port)]).collect();
        let values: Vec<_> = sockets
            .iter()
            .map(|(_, sent, received)| [("sent_bytes_total", *sent), ("received_bytes_total", *received)])
            .collect();
        let made: Vec<_> =
            texts.iter().zip(&values).map(|(texts, values)| (&texts[..], &values[..])).collect();
        Counters::of(&SocketList::made(&made))
    }

    #[test]
    fn a_rate_is_what_was_gained_per_second_and_a_new_connection_has_none() {
        let before = counters(&[("1", 100, 7), ("2", 500, 500)]);
        let now = counters(&[("2", 400, 500), ("3", 9, 9), ("1", 1_100, 7)]);
        let rates = now.since(&before, Duration::from_millis(500));
        assert_eq!(rates, [None, None, Some(Rate { sent: 2_000.0, received: 0.0 })]);
        assert_eq!(now.since(&before, Duration::ZERO), [None; 3]);
    }
}
