//! What to do about a view that is too large, one sentence each.

use super::figures::{Estimate, ViewEstimate};

impl Estimate {
    /// What to do about the views.
    pub(crate) fn advice(&self) -> Vec<String> {
        let of_view = |view| [over(view), churn(self, view)];
        self.views.iter().flat_map(of_view).flatten().collect()
    }
}

/// Fewer events than these may be all of a day.
const MIN_EVENTS: u64 = 10;

/// Labels that most tell connections apart, those with most values first.
const DISTINGUISHING: [&str; 5] = ["remote_port", "local_port", "pid", "remote_address", "local_address"];

fn over(view: &ViewEstimate) -> Option<String> {
    let (name, rows, over) = (&view.name, view.keys.first, view.over());
    let limit = view.limit.filter(|_| over > 0 && !view.ranked)?;
    let rest = if view.aggregates { "go to \"other\"" } else { "are left out" };
    let edit = edit(view).unwrap_or_else(|| format!("write \"limit: {}\"", rows.next_power_of_two()));
    Some(format!("{name}: {rows} rows exceed the limit of {limit}, and {over} {rest}; {edit}"))
}

fn churn(estimate: &Estimate, view: &ViewEstimate) -> Option<String> {
    let (name, rows) = (&view.name, view.keys.first);
    let (new, lasting) = (estimate.new_rows(view), estimate.lasting_rows(view));
    let met = match (view.idle, lasting) {
        (Some(_), _) => String::new(),
        (None, 0) => ", none of which lives long enough to be scraped".to_owned(),
        (None, lasting) => format!(", of which {lasting} live long enough to be scraped"),
    };
    let edit = edit(view).unwrap_or_else(|| "select fewer sockets by \"select:\"".to_owned());
    (new > rows && view.keys.new >= MIN_EVENTS)
        .then(|| format!("{name}: {new} new rows per hour beside {rows} now{met}; {edit}"))
}

/// The line of the file that leaves out the label with most values; `None` without such a label.
fn edit(view: &ViewEstimate) -> Option<String> {
    if view.by.contains(&"flow") {
        return Some("write \"legacy: false\" unless a dashboard needs the metrics tcp_*".to_owned());
    }
    let label = DISTINGUISHING.into_iter().find(|label| view.by.contains(label))?;
    let rest: Vec<_> = view.by.iter().copied().filter(|one| *one != label).collect();
    Some(format!("write \"by: [{}]\", without {label}", rest.join(", ")))
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
    fn more_new_rows_in_an_hour_than_there_are_is_said_if_there_were_ten() {
        let [churn] = &of(None, true, 10, 10).advice()[..] else { panic!("one sentence") };
        assert!(churn.starts_with("v: 18000 new rows per hour beside 10 now; select fewer"), "{churn}");
        assert_eq!(of(None, true, 18_000, 10).advice(), [""; 0]);
        assert_eq!(of(None, true, 10, 9).advice(), [""; 0]);
    }

    #[test]
    fn rows_that_go_with_their_sockets_are_met_by_scrapes_or_not() {
        for (met, said) in [(5, "of which 9000 live long enough"), (0, "none of which lives long enough")] {
            let mut estimate = of(None, false, 10, 20);
            estimate.views[0].keys.met = met;
            let [churn] = &estimate.advice()[..] else { panic!("one sentence") };
            assert!(
                churn.contains("36000 new rows per hour beside 10 now, ") && churn.contains(said),
                "{churn}"
            );
        }
    }

    #[test]
    fn an_advice_is_the_line_to_write() {
        let edit = |by: &[&'static str], limit, new| {
            let mut estimate = of(limit, true, 15, new);
            estimate.views[0].by = by.to_vec();
            estimate.advice().concat()
        };
        assert!(edit(&["process"], Some(10), 0).ends_with("; write \"limit: 16\""));
        let without = "; write \"by: [process]\", without remote_port";
        assert!(edit(&["process", "remote_port"], Some(10), 0).ends_with(without));
        assert!(edit(&["process", "remote_port"], None, 20).ends_with(without));
        assert!(edit(&["flow"], None, 20).contains("write \"legacy: false\""));
    }
}
