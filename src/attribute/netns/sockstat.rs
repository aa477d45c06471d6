//! How many TCP sockets a network namespace has, as the kernel counts them (`/proc/net/sockstat`).
//!
//! Read inside of the namespace, by `/proc/thread-self`.

/// Numbers of sockets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sockstat {
    /// Whole TCP sockets over IPv4 and IPv6, listeners included.
    pub sockets: u64,
    /// Those in `TIME_WAIT`, what is left of `FIN_WAIT2` included.
    pub time_wait: u64,
}

impl Sockstat {
    /// Reads the texts of `sockstat` and `sockstat6`, the latter empty where there is no IPv6; `None` if the
    /// former does not say how many there are.
    #[must_use]
    pub fn read(text: &str, text6: &str) -> Option<Self> {
        // TCP: inuse 5 orphan 0 tw 2 alloc 9 mem 1
        // TCP6: inuse 3
        let v4 = value(text, "TCP: ", "inuse")?;
        let v6 = value(text6, "TCP6: ", "inuse").unwrap_or_default();
        Some(Self { sockets: v4.saturating_add(v6), time_wait: value(text, "TCP: ", "tw")? })
    }
}

/// The number behind a word in the line of a protocol.
fn value(text: &str, protocol: &str, word: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(protocol))?;
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
        assert_eq!(Sockstat::read(TEXT, text6), Some(Sockstat { sockets: 8, time_wait: 20_817 }));
        assert_eq!(Sockstat::read(TEXT, ""), Some(Sockstat { sockets: 5, time_wait: 20_817 }));
    }

    #[test]
    fn a_namespace_whose_numbers_cannot_be_read_is_not_an_empty_one() {
        for text in ["", "sockets: used 9\n", "TCP: inuse 5 tw\n", "TCP: inuse\n", "TCP: inuse -1 tw 2\n"] {
            assert_eq!(Sockstat::read(text, "TCP6: inuse 3\n"), None, "{text}");
        }
    }
}
