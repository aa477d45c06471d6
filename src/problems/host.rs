//! What the kernel counts for the whole network namespace, and what of it is a problem.

use std::path::Path;
use std::time::{Duration, Instant};

use super::Problem;
use super::ends::counted;
use super::rules::{CONNECTS_FAIL, HANDSHAKES_REFUSED, Rule, UDP_DROPS};
use super::sockets::Suspect;
use crate::bottleneck::MIN_INTERVAL;

/// The default of `net.ipv4.ip_local_port_range`.
pub(super) const DEFAULT_PORTS: (u16, u16) = (32_768, 60_999);

/// Totals of a network namespace since it exists, from `/proc/net/snmp`, `snmp6` and `netstat`. What a kernel lacks is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostTotals {
    /// Connections that processes of the host tried to open (`Tcp: ActiveOpens`).
    pub active_opens: u64,
    /// Attempts of either end that failed (`Tcp: AttemptFails`).
    pub attempt_fails: u64,
    /// SYNs and handshakes that full accept queues refused (`TcpExt: ListenOverflows`).
    pub listen_overflows: u64,
    /// Packets of UDP that full receive buffers dropped, of both versions (`Udp: RcvbufErrors`, `Udp6RcvbufErrors`).
    pub udp_buffer_errors: u64,
}

impl HostTotals {
    /// Reads them from files below `proc/thread-self/net`.
    #[must_use]
    pub fn read(proc: &Path) -> Self {
        let file =
            |name: &str| std::fs::read_to_string(proc.join("thread-self/net").join(name)).unwrap_or_default();
        Self::parse(&file("snmp"), &file("snmp6"), &file("netstat"))
    }

    fn parse(snmp: &str, snmp6: &str, netstat: &str) -> Self {
        Self {
            active_opens: named(snmp, "Tcp:", "ActiveOpens"),
            attempt_fails: named(snmp, "Tcp:", "AttemptFails"),
            listen_overflows: named(netstat, "TcpExt:", "ListenOverflows"),
            udp_buffer_errors: named(snmp, "Udp:", "RcvbufErrors") + alone(snmp6, "Udp6RcvbufErrors"),
        }
    }
}

/// The number below the name: a line of names is followed by one of numbers.
fn named(text: &str, group: &str, name: &str) -> u64 {
    let mut lines = text.lines().filter(|line| line.starts_with(group)).map(str::split_ascii_whitespace);
    let (names, numbers) = (lines.next(), lines.next());
    let mut both = names.into_iter().flatten().zip(numbers.into_iter().flatten());
    both.find(|(word, _)| *word == name).and_then(|(_, number)| number.parse().ok()).unwrap_or_default()
}

/// The number behind the name, on a line of its own.
fn alone(text: &str, name: &str) -> u64 {
    let number = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    number.unwrap_or_default()
}

/// Totals per second, and the ports for clients.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HostRates {
    /// Attempts to connect.
    pub active_opens: f64,
    /// Attempts that failed.
    pub attempt_fails: f64,
    /// SYNs and handshakes that full accept queues refused.
    pub listen_overflows: f64,
    /// Packets of UDP that full receive buffers dropped.
    pub udp_buffer_errors: f64,
    /// The first and the last port that the kernel gives to clients (`net.ipv4.ip_local_port_range`).
    pub client_ports: (u16, u16),
}

impl HostRates {
    fn between(before: &HostTotals, now: &HostTotals, time: Duration, client_ports: (u16, u16)) -> Self {
        let rate = |field: fn(&HostTotals) -> u64| {
            float(field(now).saturating_sub(field(before))) / time.as_secs_f64()
        };
        Self {
            active_opens: rate(|totals| totals.active_opens),
            attempt_fails: rate(|totals| totals.attempt_fails),
            listen_overflows: rate(|totals| totals.listen_overflows),
            udp_buffer_errors: rate(|totals| totals.udp_buffer_errors),
            client_ports,
        }
    }

    /// The problems of the host, with the listener that has refused most, and the UDP socket with the fullest buffer.
    pub(super) fn problems(&self, refusing: Option<&Suspect>, fullest: Option<&Suspect>) -> Vec<Problem> {
        let problem = |rule: &'static Rule, title: String, detail: &str, filter: (&'static str, &str)| {
            Problem { rule, title, detail: detail.to_owned(), filter: Some((filter.0, filter.1.to_owned())) }
        };
        let mut found = Vec::new();
        if HANDSHAKES_REFUSED.is_met([self.listen_overflows]) {
            let title = format!(
                "Accept queues refuse {} per second",
                counted(self.listen_overflows.ceil(), "handshake")
            );
            let (refusing, filter) = match refusing {
                Some((name, filter)) => (format!("Most so far were for {name}."), filter.as_str()),
                None => ("Look for a listener whose queue is full at times.".to_owned(), "state listening"),
            };
            let detail = format!("Clients try again after a second or more. {refusing}");
            found.push(problem(&HANDSHAKES_REFUSED, title, &detail, ("tcp", filter)));
        }
        let share = self.attempt_fails / self.active_opens.max(self.attempt_fails);
        if CONNECTS_FAIL.is_met([self.attempt_fails, share]) {
            let attempts = counted(self.attempt_fails.round(), "failed attempt");
            let title = format!("{attempts} to connect per second");
            let detail = format!(
                "Of {:.0} attempts per second, {:.0} % fail: the peer refuses them or does not answer.",
                self.active_opens,
                share * 100.0
            );
            found.push(problem(&CONNECTS_FAIL, title, &detail, ("tcp", "state syn-sent")));
        }
        if UDP_DROPS.is_met([self.udp_buffer_errors]) {
            let title = format!("UDP drops {} per second", counted(self.udp_buffer_errors.round(), "packet"));
            let detail =
                "A receive buffer is full: its process reads too slowly, or the buffer is too small.";
            let (fullest, filter) = match fullest {
                Some((name, filter)) => (format!(" The fullest is that of {name}."), filter.as_str()),
                None => (String::new(), ""),
            };
            found.push(problem(&UDP_DROPS, title, &(detail.to_owned() + &fullest), ("udp", filter)));
        }
        found
    }
}

/// Keeps the last totals, so that a later reading has rates.
#[derive(Debug, Default)]
pub struct HostMonitor {
    before: Option<(HostTotals, Instant)>,
    rates: Option<HostRates>,
}

impl HostMonitor {
    /// Reads the totals; what they gained per second since the last reading. `None` at the first one. If the last reading is
    /// younger than half a second, its answer stays.
    pub fn sample(&mut self, proc: &Path) -> Option<HostRates> {
        let now = Instant::now();
        let time = self.before.map(|(_, at)| now.duration_since(at));
        if time.is_some_and(|time| time < MIN_INTERVAL) {
            return self.rates;
        }
        let totals = HostTotals::read(proc);
        let ports = client_ports(proc).unwrap_or(DEFAULT_PORTS);
        let since = self.before.replace((totals, now)).zip(time);
        self.rates = since.map(|((before, _), time)| HostRates::between(&before, &totals, time, ports));
        self.rates
    }
}

fn client_ports(proc: &Path) -> Option<(u16, u16)> {
    let text = std::fs::read_to_string(proc.join("sys/net/ipv4/ip_local_port_range")).ok()?;
    let mut numbers = text.split_ascii_whitespace().map(|word| word.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

#[expect(clippy::cast_precision_loss, reason = "a rate is not exact")]
fn float(integer: u64) -> f64 {
    integer as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SNMP: &str = "Tcp: RtoAlgorithm ActiveOpens PassiveOpens AttemptFails\nTcp: 1 100 7 20\n\
                        Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors\nUdp: 1 2 3 4 5\n";
    const NETSTAT: &str =
        "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 0 36 40\nIpExt: InNoRoutes\nIpExt: 1\n";

    #[test]
    fn totals_are_read_by_name_and_what_a_kernel_lacks_is_zero() {
        let totals = HostTotals::parse(SNMP, "Ip6InReceives  \t1\nUdp6RcvbufErrors \t 6\n", NETSTAT);
        let expected =
            HostTotals { active_opens: 100, attempt_fails: 20, listen_overflows: 36, udp_buffer_errors: 11 };
        assert_eq!(totals, expected);
        for text in ["", "Tcp:", "Tcp: ActiveOpens\n", "Tcp: ActiveOpens\nTcp: x\n"] {
            assert_eq!(HostTotals::parse(text, text, text), HostTotals::default(), "{text}");
        }
    }

    #[test]
    fn totals_that_grow_are_problems_from_their_thresholds_on() {
        let rates = |attempt_fails, listen_overflows, udp_buffer_errors| {
            let now = HostTotals { active_opens: 100, attempt_fails, listen_overflows, udp_buffer_errors };
            let (before, time) = (HostTotals::default(), Duration::from_secs(2));
            let found = HostRates::between(&before, &now, time, DEFAULT_PORTS).problems(None, None);
            found.into_iter().map(|problem| problem.title).collect::<Vec<_>>()
        };
        assert_eq!(rates(0, 0, 0), [""; 0]);
        assert_eq!(rates(10, 0, 2), [""; 0], "a tenth of the attempts, and a packet per second");
        assert_eq!(
            rates(50, 1, 8),
            [
                "Accept queues refuse 1 handshake per second",
                "25 failed attempts to connect per second",
                "UDP drops 4 packets per second",
            ]
        );
    }

    #[test]
    fn the_first_reading_has_no_rates_and_the_ports_are_those_of_the_host() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("room");
            std::fs::write(path, text).expect("room");
        };
        write("thread-self/net/snmp", SNMP);
        write("sys/net/ipv4/ip_local_port_range", "1024\t2048\n");
        let mut monitor = HostMonitor::default();
        assert_eq!(monitor.sample(folder.path()), None);
        assert_eq!(monitor.sample(folder.path()), None, "too early");
        std::thread::sleep(MIN_INTERVAL);
        write("thread-self/net/snmp", &SNMP.replace("100 7 20", "9100 7 20"));
        let rates = monitor.sample(folder.path()).expect("two readings");
        assert!(rates.active_opens > 0.0 && rates.client_ports == (1024, 2048), "{rates:?}");
    }
}
