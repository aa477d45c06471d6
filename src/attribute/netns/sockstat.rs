//! How many sockets of a protocol a network namespace has, as the kernel counts them (`/proc/net/sockstat`).
//!
//! Read inside of the namespace, by `/proc/thread-self`.

/// Numbers of sockets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sockstat {
    /// Whole sockets over IPv4 and IPv6, listeners included.
    pub sockets: u64,
    /// Those in `TIME_WAIT`, what is left of `FIN_WAIT2` included.
    pub time_wait: u64,
}

impl Sockstat {
    /// Reads a protocol's line of the texts of `sockstat` and `sockstat6`, the latter empty where there is no IPv6; `None` if
    /// the former does not say how many there are.
    #[must_use]
    pub fn read(protocol: &str, text: &str, text6: &str) -> Option<Self> {
        // TCP: inuse 5 orphan 0 tw 2 alloc 9 mem 1
        // TCP6: inuse 3
        // UDP: inuse 3 mem 2
        let v4 = line(text, protocol, ": ")?;
        let v6 = line(text6, protocol, "6: ").and_then(|v6| value(v6, "inuse")).unwrap_or_default();
        let sockets = value(v4, "inuse")?.saturating_add(v6);
        // Only TCP has the word.
        let time_wait = if v4.contains("tw") { value(v4, "tw")? } else { 0 };
        Some(Self { sockets, time_wait })
    }
}

/// The line of a protocol, without its name.
fn line<'a>(text: &'a str, protocol: &str, end: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(protocol)?.strip_prefix(end))
}

/// The number behind a word in a line.
fn value(line: &str, word: &str) -> Option<u64> {
    let mut words = line.split_ascii_whitespace();
    words.find(|other| *other == word)?;
    words.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "sockets: used 9\nTCP: inuse 5 orphan 0 tw 20817 alloc 9 mem 1\nUDP: inuse 3 mem 2\n";

    #[test]
    fn each_number_stands_behind_its_word_and_both_families_are_counted() {
        let text6 = "TCP6: inuse 3\nUDP6: inuse 1\n";
        assert_eq!(Sockstat::read("TCP", TEXT, text6), Some(Sockstat { sockets: 8, time_wait: 20_817 }));
        assert_eq!(Sockstat::read("TCP", TEXT, ""), Some(Sockstat { sockets: 5, time_wait: 20_817 }));
        assert_eq!(Sockstat::read("UDP", TEXT, text6), Some(Sockstat { sockets: 4, time_wait: 0 }));
    }

    #[test]
    fn a_namespace_whose_numbers_cannot_be_read_is_not_an_empty_one() {
        for text in ["", "sockets: used 9\n", "TCP: inuse 5 tw\n", "TCP: inuse\n", "TCP: inuse -1 tw 2\n"] {
            assert_eq!(Sockstat::read("TCP", text, "TCP6: inuse 3\n"), None, "{text}");
        }
    }
}
