//! How fast sockets send and receive, from two looks at their counters.
//!
//! Refuses to know what a socket is but its ends.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::OnceLock;
use std::time::Duration;

use hashbrown::HashMap;

use crate::labels::Label;
use crate::sockets::{Number, Row};

/// Bytes a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rate {
    /// Sent, each byte once.
    pub sent: f64,
    /// Received.
    pub received: f64,
}

impl Rate {
    /// Both ways together.
    #[must_use]
    pub fn sum(self) -> f64 {
        self.sent + self.received
    }
}

/// What sockets had sent and received, in the order of their rows, each with the hash of its ends.
#[derive(Debug)]
pub(super) struct Counters(Vec<(u64, Option<(u64, u64)>)>);

impl Counters {
    pub(super) fn of(rows: &[Row]) -> Self {
        let whole = |row: &Row, name| match row.value(name) {
            Some(Number::Whole(value)) => Some(value),
            _ => None,
        };
        let counters = |row: &Row| whole(row, "sent_bytes_total").zip(whole(row, "received_bytes_total"));
        Self(rows.iter().map(|row| (ends(row), counters(row))).collect())
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

/// What names a socket while it lives, as a hash: two in 2^64 that meet would have each other's rate.
fn ends(row: &Row) -> u64 {
    static SEED: OnceLock<RandomState> = OnceLock::new();
    let labels = [
        Label::Netns,
        Label::State,
        Label::LocalAddress,
        Label::LocalPort,
        Label::RemoteAddress,
        Label::RemotePort,
    ];
    SEED.get_or_init(RandomState::new).hash_one(labels.map(|label| row.label(label)))
}

#[expect(clippy::cast_precision_loss, reason = "a rate is not exact")]
fn float(integer: u64) -> f64 {
    integer as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::named;

    fn row(port: &str, sent: u64, received: u64) -> Row {
        let values = vec![
            (named("sent_bytes_total"), Number::Whole(sent)),
            (named("received_bytes_total"), Number::Whole(received)),
        ];
        Row::of(&[(Label::LocalPort, port)], values)
    }

    #[test]
    fn a_rate_is_what_was_gained_a_second_and_a_new_connection_has_none() {
        let before = Counters::of(&[row("1", 100, 7), row("2", 500, 500)]);
        let now = Counters::of(&[row("2", 400, 500), row("3", 9, 9), row("1", 1_100, 7)]);
        let rates = now.since(&before, Duration::from_millis(500));
        assert_eq!(rates, [None, None, Some(Rate { sent: 2_000.0, received: 0.0 })]);
        assert_eq!(now.since(&before, Duration::ZERO), [None; 3]);
    }
}
