//! What to do about a view that is too large, one sentence each.

use super::figures::{Estimate, INTERVAL, ViewEstimate};

impl Estimate {
    /// What to do about the views.
    pub(crate) fn advice(&self) -> Vec<String> {
        let of_view = |view| [over(view), churn(self, view)];
        self.views.iter().flat_map(of_view).flatten().collect()
    }
}

fn over(view: &ViewEstimate) -> Option<String> {
    let (name, rows, over) = (&view.name, view.keys.first, view.over());
    let limit = view.limit.filter(|_| over > 0)?;
    Some(if view.aggregates {
        format!(
            "{name}: {rows} rows exceed the limit of {limit}, and {over} go to \"other\"; select fewer sockets, key \
             by less, or raise the limit"
        )
    } else {
        format!(
            "{name}: {rows} rows exceed the limit of {limit}, and {over} are left out; select fewer sockets, use a view \
             with fewer labels, or raise the limit"
        )
    })
}

fn churn(estimate: &Estimate, view: &ViewEstimate) -> Option<String> {
    let (name, rows) = (&view.name, view.keys.first);
    let (new, lasting) = (estimate.new_rows(view), estimate.lasting_rows(view));
    let met = if view.idle.is_some() {
        String::new()
    } else {
        format!(", of which scrapes every {} s meet {lasting}", INTERVAL.as_secs())
    };
    (new > rows).then(|| {
        format!(
            "{name}: {new} new rows per hour beside {rows} now{met}; select fewer sockets, use labels that change less, or \
             lower the limit"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::of;

    #[test]
    fn a_view_over_its_limit_says_what_becomes_of_the_rest() {
        let [aggregated] = &of(Some(10), true, 15, 0).advice()[..] else { panic!("one sentence") };
        assert!(
            aggregated.starts_with("v: 15 rows exceed the limit of 10, and 5 go to \"other\""),
            "{aggregated}"
        );
        let [flows] = &of(Some(10), false, 15, 0).advice()[..] else { panic!("one sentence") };
        assert!(flows.starts_with("v: 15 rows exceed the limit of 10, and 5 are left out"), "{flows}");
        assert_eq!(of(Some(10), true, 10, 0).advice(), [""; 0]);
        assert_eq!(of(None, true, 15, 0).advice(), [""; 0]);
    }

    #[test]
    fn more_new_rows_in_an_hour_than_there_are_is_said() {
        let [churn] = &of(None, true, 10, 1).advice()[..] else { panic!("one sentence") };
        assert!(churn.starts_with("v: 1800 new rows per hour beside 10 now"), "{churn}");
        assert_eq!(of(None, true, 1800, 1).advice(), [""; 0]);
    }

    #[test]
    fn rows_that_go_with_their_sockets_are_met_by_scrapes_or_not() {
        let mut estimate = of(None, false, 10, 4);
        estimate.views[0].keys.met = 1;
        let [churn] = &estimate.advice()[..] else { panic!("one sentence") };
        assert!(
            churn.contains("7200 new rows per hour beside 10 now, of which scrapes every 15 s meet 1800;"),
            "{churn}"
        );
    }
}
