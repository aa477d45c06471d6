//! The rules, with their thresholds and their alerts.

use std::fmt::{self, Display, Formatter};

/// How bad it is, as the label `severity` of alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Clients fail.
    Critical,
    /// It is slow, fails for some, or will fail.
    Warning,
    /// It is not as it could be.
    Info,
}

impl Severity {
    /// The value of the label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// When a value is a problem.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Threshold {
    /// The value is this or more.
    AtLeast(f64),
    /// The value is more.
    Above(f64),
    /// The value is exactly this.
    Equal(f64),
}

impl Threshold {
    /// Whether the value is a problem.
    #[must_use]
    #[expect(clippy::float_cmp, reason = "only whole numbers are compared for equality")]
    pub fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::Above(bound) => value > bound,
            Self::Equal(wanted) => value == wanted,
        }
    }
}

/// As in the expression of an alert.
impl Display for Threshold {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, ">= {least}"),
            Self::Above(bound) => write!(f, "> {bound}"),
            Self::Equal(wanted) => write!(f, "== {wanted}"),
        }
    }
}

/// What makes a problem.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// The alert of `deploy/alerts.yml`, which is also a heading of the runbooks; `None` if no metric of the exporter shows it.
    pub alert: Option<&'static str>,
    /// How bad it is.
    pub severity: Severity,
    /// When it is a problem; what each threshold is of is in the expression of the alert, in the same order.
    pub thresholds: &'static [Threshold],
}

impl Rule {
    /// Whether each value meets its threshold.
    #[must_use]
    pub(super) fn is_met<const COUNT: usize>(&self, values: [f64; COUNT]) -> bool {
        self.thresholds.iter().zip(values).all(|(threshold, value)| threshold.is_met(value))
    }
}

macro_rules! rules {
    ($($rule:ident: $alert:expr, $severity:ident, [$($threshold:ident($value:literal)),*];)*) => {
        $(pub(super) const $rule: Rule = Rule {
            alert: $alert,
            severity: Severity::$severity,
            thresholds: &[$(Threshold::$threshold($value)),*],
        };)*

        /// Every rule. Only one has no alert.
        pub(super) const RULES: &[&Rule] = &[$(&$rule),*];
    };
}

rules! {
    // Shares of the limit and one more, which the kernel admits.
    ACCEPT_QUEUE_FULL: Some("SsTcpAcceptQueueFull"), Critical, [AtLeast(1.0)];
    UNIX_QUEUE_FULL: Some("SsUnixAcceptQueueFull"), Critical, [AtLeast(1.0)];
    // Connections, and seconds since the peer's last acknowledgement.
    CLOSE_WAIT_LEAK: Some("SsTcpCloseWaitLeak"), Warning, [AtLeast(10.0), Above(60.0)];
    // Bytes per second, below which one segment is a large share, and the share that is retransmitted.
    RETRANSMISSIONS: Some("SsTcpRetransmissions"), Warning, [Above(10_000.0), Above(0.01)];
    // Connections.
    PEER_DOES_NOT_READ: Some("SsTcpPeerDoesNotRead"), Warning, [Above(0.0)];
    // Bytes that wait.
    SEND_QUEUE_STUCK: Some("SsTcpSendQueueStuck"), Warning, [Above(0.0)];
    PROCESS_DOES_NOT_READ: Some("SsTcpProcessDoesNotRead"), Warning, [Above(100_000.0)];
    // A share of the ports: above half of them, `connect` searches long.
    LOCAL_PORTS: Some("SsTcpLocalPortsRunOut"), Warning, [Above(0.4)];
    // Packets per second. A few are lost at every start of a program.
    UDP_DROPS: Some("SsUdpDrops"), Warning, [Above(1.0)];
    // Connections per second that no alert of this exporter shows: attempts that failed, and their share of all.
    CONNECTS_FAIL: None, Warning, [AtLeast(1.0), Above(0.1)];
    // SYNs and handshakes per second that listeners refused. Their clients try again later.
    HANDSHAKES_REFUSED: Some("SsTcpListenerDrops"), Warning, [Above(0.0)];
    COLLECTION_FAILING: Some("SsExporterCollectionFailing"), Warning, [Equal(0.0)];
    RELOAD_FAILED: Some("SsExporterConfigReloadFailed"), Warning, [Equal(0.0)];
    EVENTS_DROPPED: Some("SsExporterEventsDropped"), Warning, [Above(0.0)];
    IN_OTHER: Some("SsExporterSocketsInOther"), Info, [Above(0.0)];
    ROWS_DROPPED: Some("SsExporterRowsDropped"), Info, [Above(0.0)];
    UNTRACKED: Some("SsExporterSocketsUntracked"), Warning, [Above(0.0)];
    CAPABILITY_MISSING: Some("SsExporterCapabilityMissing"), Info, [Equal(0.0)];
    NAMESPACES_FAILED: Some("SsExporterNamespacesFailed"), Warning, [Above(0.0)];
    NAMESPACES_UNOBSERVED: Some("SsExporterNamespacesUnobserved"), Warning, [Above(0.0)];
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const ALERTS: &str = include_str!("../../deploy/alerts.yml");
    /// Alerts on what only Prometheus knows: the past, several hosts, or whether the exporter answers.
    const OF_PROMETHEUS: &[&str] = &[
        "SsTcpRttRise",
        "SsTcpBufferbloat",
        "SsTcpReceiveWindowLimited",
        "SsTcpSendBufferLimited",
        "SsNetlinkMessagesLost",
        "SsExporterDown",
    ];

    /// The severity and the expression of each alert.
    fn alerts() -> BTreeMap<&'static str, (&'static str, &'static str)> {
        let alert = |text: &'static str| {
            let (name, rest) = text.split_once('\n').expect("a rule");
            let expression = rest.split("expr:").nth(1).expect("an expression");
            let expression = expression.split("labels:").next().expect("a rule");
            let severity = rest.split("severity: ").nth(1).and_then(|rest| rest.split('}').next());
            (name.trim(), (severity.expect("a severity"), expression.split("for:").next().expect("a rule")))
        };
        ALERTS.split("- alert:").skip(1).map(alert).collect()
    }

    #[test]
    fn every_alert_has_the_severity_and_the_thresholds_of_its_rule() {
        let alerts = alerts();
        for rule in RULES {
            let Some(name) = rule.alert else { continue };
            let (severity, expression) = alerts.get(name).unwrap_or_else(|| panic!("no alert {name}"));
            assert_eq!(*severity, rule.severity.name(), "{name}");
            let mut rest = *expression;
            for threshold in rule.thresholds {
                let text = threshold.to_string();
                let at = rest.find(&text).unwrap_or_else(|| panic!("{name}: no {text} in {rest}"));
                rest = &rest[at + text.len()..];
                assert!(
                    !rest.starts_with(|next: char| next.is_ascii_digit() || next == '.'),
                    "{name}: {text}"
                );
            }
        }
        for name in alerts.keys() {
            let has_rule = RULES.iter().any(|rule| rule.alert == Some(name));
            assert_ne!(has_rule, OF_PROMETHEUS.contains(name), "{name}");
        }
    }
}
