//! Listings of one plan, one after the other, with rates from each to the next.

use std::time::{Instant, SystemTime};

use super::rates::Counters;
use super::{Listing, Refusal, SocketList};
use crate::plan::Plan;

/// A plan, and what its sockets had counted in the last listing.
#[derive(Debug)]
pub struct Successive {
    plan: Plan,
    before: Option<(Instant, Counters)>,
    made: u64,
}

impl Successive {
    /// Before the first listing of a plan of [`super::plan`].
    #[must_use]
    pub const fn new(plan: Plan) -> Self {
        Self { plan, before: None, made: 0 }
    }

    /// Whether the only listing so far has no rates, and the next will have.
    #[must_use]
    pub const fn is_new(&self) -> bool {
        self.made == 1
    }

    /// The next listing. `list` lists the sockets of the plan, and says when that began.
    ///
    /// # Errors
    /// What `list` says; the next rates are then over a longer time.
    pub fn next(
        &mut self,
        list: impl FnOnce(&Plan) -> Result<(Instant, SocketList), Refusal>,
    ) -> Result<Listing, Refusal> {
        let (began, sockets) = list(&self.plan)?;
        let counters = Counters::of(&sockets);
        let rates = match &self.before {
            Some((then, before)) => counters.since(before, began.duration_since(*then)),
            None => vec![None; sockets.len()],
        };
        self.before = Some((began, counters));
        self.made += 1;
        Ok(Listing { sockets, rates, at: SystemTime::now() })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::config::Collect;
    use crate::listing::{Detail, ListedSockets, Rate, States};
    use crate::properties::Property;
    use crate::select::Expression;
    use crate::view::PROTOCOL;

    #[test]
    fn rates_are_over_the_time_since_the_last_listing_that_was_made() {
        let all = ListedSockets::of(&[PROTOCOL], States::All, Expression::Always);
        let plan = crate::listing::plan(all, &Detail::Glance, Arc::default(), Collect::DEFAULT);
        let mut listings = Successive::new(plan);
        let start = Instant::now();
        let texts = [(Property::LocalPort, "1")];
        let mut next = |seconds: u64, sent: u64| {
            let counted = [("sent_bytes_total", sent), ("received_bytes_total", 0)];
            let list = SocketList::made(&[(&texts, &counted)]);
            listings.next(|_| Ok((start + Duration::from_secs(seconds), list))).map(|listing| listing.rates)
        };
        let sent = |sent: f64| Ok(vec![Some(Rate { sent, ..Rate::default() })]);
        assert_eq!(next(0, 100), Ok(vec![None]));
        assert_eq!(next(2, 500), sent(200.0));
        let refused = listings.next(|_| Err(Refusal("busy".to_owned())));
        assert!(refused.is_err() && !listings.is_new());
        let list = SocketList::made(&[(&texts, &[("sent_bytes_total", 900), ("received_bytes_total", 0)])]);
        let rates =
            listings.next(|_| Ok((start + Duration::from_secs(6), list))).map(|listing| listing.rates);
        assert_eq!(rates, sent(100.0));
    }
}
