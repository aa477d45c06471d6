//! `networks:` and `network_prefix:`, the names of remote networks.

use ipnet::IpNet;

use crate::attribute::Networks;
use crate::select::canonical;
use crate::strict_yaml::{Entry, Name};
use crate::terminal::shown;

const IPV4: Name = &["ipv4"];
const IPV6: Name = &["ipv6"];

/// What the label says of addresses without a named network, and of rows over the limit.
const TAKEN: [&str; 5] = ["loopback", "other", "private", "public", "unknown"];

/// The networks that a file names, and the prefixes for all others.
pub(super) fn read(networks: Option<&Entry<'_>>, prefix: Option<&Entry<'_>>) -> Networks {
    let mut named: Vec<(IpNet, String)> = Vec::new();
    for (name, list) in networks.iter().flat_map(|entry| entry.named("a map of networks by their names")) {
        check_name(name, &list, &TAKEN);
        for item in list.list("a list of networks such as [192.0.2.0/24, \"2001:db8::/32\"]").iter().flatten()
        {
            let Some(network) = network(item) else { continue };
            match named.iter().find(|(known, _)| *known == network) {
                Some((_, first)) => {
                    item.error(&format!(
                        "found {network} under {first} already; expected: each network once"
                    ));
                }
                None => named.push((network, name.to_owned())),
            }
        }
    }
    let prefix = prefix.map(|entry| entry.section(&[IPV4, IPV6]));
    let length = |name, expected, most| {
        let entry = prefix.as_ref().and_then(|section| section.filled(name));
        entry
            .and_then(|entry| entry.within(&(1..=most), expected))
            .and_then(|length| u8::try_from(length).ok())
    };
    let prefix_v4 = length(IPV4, "a prefix length from 1 to 32", 32);
    Networks::new(named, prefix_v4, length(IPV6, "a prefix length from 1 to 128", 128))
}

/// Notes a name that could be read as something else, or that the label has for `taken` meanings.
pub(super) fn check_name(name: &str, entry: &Entry<'_>, taken: &[&str]) {
    let fits = name.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    if !fits || taken.contains(&name) {
        entry.error(&format!(
            "found the name \"{}\"; expected: a letter, then letters, digits, _, - and .; but not {}",
            shown(name),
            taken.join(", ")
        ));
    }
}

fn network(entry: &Entry<'_>) -> Option<IpNet> {
    let network = entry.network()?;
    if network != network.trunc() {
        let meant = network.trunc();
        entry.error(&format!("found {network}, an address inside a network; expected: the network, {meant}"));
        return None;
    }
    Some(canonical(network))
}
