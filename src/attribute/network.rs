//! Which network a remote address belongs to: a named one, a prefix, or a class.

use std::io::Write as _;
use std::net::IpAddr;

use ipnet::IpNet;

/// The networks that a configuration names, and the prefix for all others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks {
    /// The longest prefix first, so that the first that contains an address is the nearest.
    named: Vec<(IpNet, String)>,
    prefix_v4: Option<u8>,
    prefix_v6: Option<u8>,
}

impl Networks {
    /// No network has a name.
    pub const NONE: Self = Self { named: Vec::new(), prefix_v4: None, prefix_v6: None };

    /// Networks with their names, and prefix lengths for addresses in none of them.
    pub(crate) fn new(mut named: Vec<(IpNet, String)>, prefix_v4: Option<u8>, prefix_v6: Option<u8>) -> Self {
        named.sort_by_key(|(network, _)| (std::cmp::Reverse(network.prefix_len()), *network));
        Self { named, prefix_v4, prefix_v6 }
    }

    /// The networks of that name; `None` if no network has it.
    pub(crate) fn named(&self, name: &str) -> Option<Vec<IpNet>> {
        let same = self.named.iter().filter(|(_, known)| known == name);
        Some(same.map(|(network, _)| *network).collect::<Vec<_>>()).filter(|found| !found.is_empty())
    }

    /// The names, each once, in order.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.named.iter().map(|(_, name)| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The lengths of the prefixes, IPv4 and IPv6, by which all other addresses are distinguished.
    pub(crate) const fn prefixes(&self) -> (Option<u8>, Option<u8>) {
        (self.prefix_v4, self.prefix_v6)
    }

    /// Appends the text of the label `remote_network` for an address.
    pub(crate) fn write(&self, text: &mut Vec<u8>, address: IpAddr) {
        if let Some((_, name)) = self.named.iter().find(|(network, _)| network.contains(&address)) {
            text.extend_from_slice(name.as_bytes());
            return;
        }
        // A listener has no other end.
        let prefix = if address.is_unspecified() {
            None
        } else if address.is_ipv4() {
            self.prefix_v4
        } else {
            self.prefix_v6
        };
        if let Some(network) = prefix.and_then(|prefix| IpNet::new(address, prefix).ok()) {
            // Writing to a Vec cannot fail.
            let _ = write!(text, "{}", network.trunc());
        } else {
            text.extend_from_slice(class(address).as_bytes());
        }
    }
}

/// `unknown` where there is no other end, `loopback`, `private` (RFC 1918, RFC 4193, RFC 6598 and link-local addresses) or `public`.
fn class(address: IpAddr) -> &'static str {
    let private = match address {
        IpAddr::V4(v4) => {
            let shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64;
            v4.is_private() || v4.is_link_local() || shared
        }
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    };
    match (address.is_unspecified(), address.is_loopback(), private) {
        (true, ..) => "unknown",
        (_, true, _) => "loopback",
        (_, _, true) => "private",
        _ => "public",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(networks: &Networks, address: &str) -> String {
        let mut text = Vec::new();
        networks.write(&mut text, address.parse().expect("an address"));
        String::from_utf8(text).expect("UTF-8")
    }

    #[test]
    fn the_nearest_named_network_comes_before_the_prefix_and_the_prefix_before_the_class() {
        let net = |text: &str, name: &str| (text.parse().expect("a network"), name.to_owned());
        let named = vec![net("10.0.0.0/8", "site"), net("10.1.0.0/16", "lab"), net("2001:db8::/32", "site")];
        let networks = Networks::new(named, Some(24), None);
        for (address, expected) in [
            ("10.1.2.3", "lab"),
            ("10.2.2.3", "site"),
            ("2001:db8::1", "site"),
            ("192.0.2.77", "192.0.2.0/24"),
            ("2001:db9::1", "public"),
            ("fd00::1", "private"),
        ] {
            assert_eq!(text(&networks, address), expected, "{address}");
        }
        assert_eq!(networks.names(), ["lab", "site"]);
        assert_eq!(networks.named("site").map(|found| found.len()), Some(2));
        assert_eq!(networks.named("attic"), None);
    }

    #[test]
    fn every_address_has_a_class() {
        let none = Networks::default();
        for (address, expected) in [
            ("127.9.9.9", "loopback"),
            ("::1", "loopback"),
            ("0.0.0.0", "unknown"),
            ("::", "unknown"),
            ("10.0.0.1", "private"),
            ("172.31.0.1", "private"),
            ("172.32.0.1", "public"),
            ("192.168.9.9", "private"),
            ("169.254.1.1", "private"),
            ("100.64.0.1", "private"),
            ("100.128.0.1", "public"),
            ("fe80::1", "private"),
            ("8.8.8.8", "public"),
            ("2606:4700::1", "public"),
        ] {
            assert_eq!(text(&none, address), expected, "{address}");
        }
    }
}
