//! The line that `systemctl status` shows: what is active, and what the last reload refused.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most names that are listed, and the most characters of a reason: a status is one line.
const MOST_NAMES: usize = 8;
const MOST_LETTERS: usize = 300;

/// What is active, and what the last reload refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Where the active configuration came from.
    pub source: String,
    /// The names of its views.
    pub views: Vec<String>,
    /// The addresses that are listened on.
    pub addresses: Vec<SocketAddr>,
    /// Counters have their baseline, so that readiness was reported.
    pub ready: bool,
    /// Why the last reload was refused, until one succeeds.
    pub refused: Option<String>,
}

/// The status, which the first collection and reloads change.
#[derive(Clone, Debug)]
pub struct SharedStatus(Arc<Mutex<Status>>);

impl SharedStatus {
    pub fn new(status: Status) -> Self {
        Self(Arc::new(Mutex::new(status)))
    }

    pub fn lock(&self) -> MutexGuard<'_, Status> {
        // A panic ends the program.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(reason) = &self.refused {
            write!(out, "Reload refused: {}; still active: ", first_line(reason))?;
        } else if !self.ready {
            out.write_str("Collecting the baseline of counters; ")?;
        }
        let addresses: Vec<_> = self.addresses.iter().map(SocketAddr::to_string).collect();
        write!(
            out,
            "configuration {}, {}, listening on {}",
            one_line(&self.source),
            views(&self.views),
            listed(&addresses)
        )
    }
}

fn views(names: &[String]) -> String {
    match names {
        [] => "no views".to_owned(),
        [name] => format!("view {name}"),
        names => format!("views {}", listed(names)),
    }
}

fn listed(names: &[String]) -> String {
    let shown = names.iter().take(MOST_NAMES).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MOST_NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The first line of a reason that is a whole sentence: one that ends with a colon introduces the next.
fn first_line(reason: &str) -> String {
    let mut lines = reason.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    match first.strip_suffix(':').and_then(|_| lines.next()) {
        Some(next) => one_line(&format!("{first} {next}")),
        None => one_line(first),
    }
}

/// The text without control characters, cut to this length.
fn one_line(text: &str) -> String {
    let plain = text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter });
    plain.take(MOST_LETTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn active() -> Status {
        Status {
            source: "/etc/x.yml".into(),
            views: ["tcp", "tcp_listener"].map(str::to_owned).into(),
            addresses: vec!["[::]:8020".parse().expect("an address")],
            ready: true,
            refused: None,
        }
    }

    #[test]
    fn a_status_says_what_is_active_and_what_was_refused_in_one_line() {
        let rest = "configuration /etc/x.yml, views tcp, tcp_listener, listening on [::]:8020";
        assert_eq!(active().to_string(), rest);
        let before = Status { ready: false, ..active() };
        assert_eq!(before.to_string(), format!("Collecting the baseline of counters; {rest}"));
        let reason = "the configuration is not valid:\nx.yml:1:2: views: found \"a\u{1b}\"\nx.yml:2:1: more";
        let refused = Status { refused: Some(reason.into()), ..active() };
        let said = "Reload refused: the configuration is not valid: x.yml:1:2: views: found \"a\u{fffd}\"";
        assert_eq!(refused.to_string(), format!("{said}; still active: {rest}"));
    }

    #[test]
    fn a_status_stays_short_whatever_it_is_about() {
        let views = (0..1_000).map(|number| format!("view_{number}")).collect();
        let long = Status { views, refused: Some("x".repeat(100_000)), ..active() };
        let text = long.to_string();
        assert!(text.contains("view_7 and 992 more") && text.len() < 1_000, "{text}");
        assert!(Status { views: Vec::new(), ..active() }.to_string().contains("no views"));
    }
}
