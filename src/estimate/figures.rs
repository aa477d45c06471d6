//! What was counted, and what follows from it by multiplication.

use std::time::Duration;

pub use super::keys::KeyCounts;
use super::size::ExpositionSize;

/// How often Prometheus is taken to scrape.
pub(super) const INTERVAL: Duration = Duration::from_secs(15);
const HOUR: u64 = 3600;

/// What a configuration produces on this host.
#[derive(Clone, Debug)]
pub struct Estimate {
    /// The time between the first collection and the last.
    pub elapsed: Duration,
    /// Sockets in the first collection, listeners included if a view shows them.
    pub sockets: u64,
    /// Connections: in the first collection, and opened since.
    pub connections: KeyCounts,
    /// Connections closed since.
    pub closed: u64,
    /// Those of them without `tcp_info`.
    pub without_information: u64,
    /// Whether close events were read.
    pub events: EventCoverage,
    /// One entry per view.
    pub views: Vec<ViewEstimate>,
    /// The exporter's families about itself.
    pub own: ExpositionSize,
    /// A whole scrape.
    pub total: ExpositionSize,
    /// Whether the collection that was measured was complete.
    pub complete: bool,
}

/// Which close events were read between the collections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventCoverage {
    /// All except those that the kernel dropped: at least this number.
    Read {
        /// Events dropped.
        dropped: u64,
    },
    /// None, and why.
    Unread(String),
}

/// What a view produces.
#[derive(Clone, Debug)]
pub struct ViewEstimate {
    /// Its name.
    pub name: String,
    /// The labels of its rows.
    pub by: Vec<&'static str>,
    /// The most rows it shows; `None` for no limit.
    pub limit: Option<usize>,
    /// Whether the rows of the greatest values are shown, so that the others are left out on purpose.
    pub ranked: bool,
    /// Whether sockets beyond the limit share the row `other`; else rows are left out.
    pub aggregates: bool,
    /// How long a row stays after its last socket; `None` if it goes with it.
    pub idle: Option<Duration>,
    /// The most series of a row.
    pub series_per_row: usize,
    /// Rows shown.
    pub shown: usize,
    /// The size of these rows in a scrape.
    pub size: ExpositionSize,
    /// Rows there would be without a limit.
    pub keys: KeyCounts,
}

impl Estimate {
    /// The number per hour, if there were this many between the collections.
    pub(crate) fn per_hour(&self, number: u64) -> u64 {
        self.per(HOUR, number)
    }

    /// Tenths of the number per second, if there were this many between the collections.
    pub(crate) fn tenths_per_second(&self, number: u64) -> u64 {
        self.per(10, number)
    }

    fn per(&self, factor: u64, number: u64) -> u64 {
        let elapsed = self.elapsed.as_micros().max(1);
        let product = u128::from(number) * u128::from(factor) * 1_000_000;
        u64::try_from((product + elapsed / 2) / elapsed).unwrap_or(u64::MAX)
    }

    /// New rows of a view per hour, without its limit.
    pub(crate) fn new_rows(&self, view: &ViewEstimate) -> u64 {
        self.per_hour(view.keys.new)
    }

    /// New rows of a view per hour that leave series, without its limit.
    ///
    /// A row that goes with its socket leaves some only if a scrape has met it.
    pub(crate) fn lasting_rows(&self, view: &ViewEstimate) -> u64 {
        self.per_hour(if view.idle.is_some() { view.keys.new } else { view.keys.met })
    }

    /// New series of a view per hour, without its limit and if scrapes met every row.
    pub(crate) fn new_series(&self, view: &ViewEstimate) -> u64 {
        self.new_rows(view).saturating_mul(view.series_per_row as u64)
    }

    /// Different series after this number of hours, with limits.
    pub(crate) fn series_after(&self, hours: u64) -> u64 {
        let of_view = |view: &ViewEstimate| {
            let new = self.lasting_rows(view).saturating_mul(hours).min(view.most_new_rows(hours));
            view.size.samples.saturating_add(new.saturating_mul(view.series_per_row as u64))
        };
        self.views.iter().map(of_view).fold(self.own.samples, u64::saturating_add)
    }

    /// Whether there may have been more than was counted.
    pub(crate) fn is_lower_bound(&self) -> bool {
        !matches!(self.events, EventCoverage::Read { dropped: 0 })
            || self.connections.more
            || self.views.iter().any(|view| view.keys.more)
    }
}

impl ViewEstimate {
    /// Rows over the limit.
    pub(crate) fn over(&self) -> u64 {
        self.limit.map_or(0, |limit| self.keys.first.saturating_sub(limit as u64))
    }

    /// The most rows that find room in this number of hours, those of now not counted.
    ///
    /// A limit has room for all its rows again each time they have gone: no sooner than a cumulative row is idle, or
    /// at the next scrape.
    fn most_new_rows(&self, hours: u64) -> u64 {
        let Some(limit) = self.limit else { return u64::MAX };
        let (limit, shown) = (limit as u64, self.shown as u64);
        let life = self.idle.unwrap_or(INTERVAL).as_secs().max(1);
        let turns = hours.saturating_mul(HOUR) / life;
        limit.saturating_sub(shown).saturating_add(limit.saturating_mul(turns))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An estimate of a view that shows 10 rows of 3 series, in 2 seconds.
    pub(in super::super) fn of(limit: Option<usize>, aggregates: bool, first: u64, new: u64) -> Estimate {
        let idle = aggregates.then_some(Duration::from_hours(1));
        let view = ViewEstimate {
            name: "v".into(),
            by: Vec::new(),
            limit,
            ranked: false,
            aggregates,
            idle,
            series_per_row: 3,
            shown: 10,
            size: ExpositionSize { samples: 30, bytes: 900, compressed: 90 },
            keys: KeyCounts { first, new, met: new, more: false },
        };
        Estimate {
            elapsed: Duration::from_secs(2),
            sockets: 20,
            connections: KeyCounts { first: 20, new, met: new, more: false },
            closed: new,
            without_information: 0,
            events: EventCoverage::Read { dropped: 0 },
            views: vec![view],
            own: ExpositionSize { samples: 7, bytes: 700, compressed: 70 },
            total: ExpositionSize { samples: 37, bytes: 1600, compressed: 150 },
            complete: true,
        }
    }

    #[test]
    fn an_hour_is_the_time_between_the_collections_often_enough() {
        let estimate = of(None, true, 10, 5);
        assert_eq!(estimate.new_rows(&estimate.views[0]), 9000);
        assert_eq!(estimate.new_series(&estimate.views[0]), 27_000);
        assert_eq!(estimate.tenths_per_second(5), 25);
    }

    #[test]
    fn series_grow_without_a_limit_and_not_beyond_one() {
        // 9000 new rows an hour, of 3 series.
        assert_eq!(of(None, true, 10, 5).series_after(2), 37 + 2 * 27_000);
        // 90 rows are free, and each hour 100 may go.
        assert_eq!(of(Some(100), true, 10, 5).series_after(2), 37 + (90 + 200) * 3);
        // Each of 240 scrapes an hour may meet 100 other flows.
        assert_eq!(of(Some(100), false, 10, 5).series_after(2), 37 + 2 * 27_000);
        assert_eq!(of(Some(10), false, 10, 5).series_after(1), 37 + 2400 * 3);
        assert_eq!(of(Some(100), true, 10, 0).series_after(24), 37);
    }

    #[test]
    fn a_row_that_no_scrape_meets_leaves_no_series_unless_it_stays() {
        for (stays, series) in [(false, 37 + 3600 * 3), (true, 37 + 9000 * 3)] {
            let mut estimate = of(None, stays, 10, 5);
            estimate.views[0].keys.met = 2;
            assert_eq!(estimate.series_after(1), series);
        }
    }

    #[test]
    fn what_is_dropped_unread_or_without_room_makes_a_lower_bound() {
        let mut estimate = of(None, true, 10, 5);
        assert!(!estimate.is_lower_bound());
        estimate.events = EventCoverage::Read { dropped: 1 };
        assert!(estimate.is_lower_bound());
        estimate.events = EventCoverage::Unread("no".into());
        assert!(estimate.is_lower_bound());
        estimate.events = EventCoverage::Read { dropped: 0 };
        estimate.views[0].keys.more = true;
        assert!(estimate.is_lower_bound());
    }
}
