//! How often incomplete collections are logged.

use std::time::Duration;

use super::*;

#[test]
fn collections_that_fail_for_ever_new_reasons_are_logged_once_a_minute_with_their_number() {
    let mut incomplete = Incomplete::default();
    let start = Instant::now();
    let mut lines = Vec::new();
    // Five minutes of a collection a second: three of four are incomplete, each because of another namespace.
    for second in 0..300 {
        let reason = if second % 4 == 3 { String::new() } else { format!("network namespace x{second}") };
        let line = incomplete.note(&reason, start + Duration::from_secs(second));
        lines.extend(line.map(|line| (second, line)));
    }
    let (again, warned): (Vec<_>, Vec<_>) =
        lines.into_iter().partition(|(_, line)| *line == Completeness::CompleteAgain);
    let warned: Vec<_> = warned
        .into_iter()
        .map(|(second, line)| match line {
            Completeness::Incomplete(collections) => (second, collections),
            Completeness::CompleteAgain => (second, 0),
        })
        .collect();
    assert_eq!(warned, [(0, 1), (60, 45), (120, 45), (180, 45), (240, 45)]);
    assert_eq!(again.len(), warned.len(), "only what was said to have begun is said to have ended");
}

#[test]
fn what_stays_as_it_was_said_is_not_said_again() {
    let mut incomplete = Incomplete::default();
    let start = Instant::now();
    let mut note = |reason, seconds| incomplete.note(reason, start + Duration::from_secs(seconds));
    assert_eq!(note("", 0), None);
    assert_eq!(note("a", 1), Some(Completeness::Incomplete(1)));
    assert_eq!(note("a", 100), None);
    assert_eq!(note("", 101), Some(Completeness::CompleteAgain));
    assert_eq!(note("", 300), None);
    assert_eq!(note("a", 301), Some(Completeness::Incomplete(2)));
    assert_eq!(note("b", 302), None, "within a minute");
    assert_eq!(note("b", 361), Some(Completeness::Incomplete(2)));
}
