//! An address to listen on as users write it: with a host name, or with the interface of a link-local address.

use std::net::{Ipv6Addr, SocketAddrV6};

use rustix::net::netdevice::{index_to_name, name_to_index};
use rustix::net::{AddressFamily, SocketType, socket};

use super::Listen;
use crate::suggest::nearest;
use crate::terminal::shown;

const EXPECTED: &str = "expected ADDRESS:PORT, [IPV6]:PORT, [IPV6%INTERFACE]:PORT or :PORT, e.g. 127.0.0.1:8020, [::1]:8020, \
                        [fe80::1%eth0]:8020 or :8020";
/// The interfaces of this network namespace, one a line after two of titles (`proc_pid_net(5)`).
const INTERFACES: &str = "/proc/self/net/dev";

/// Reads an address and a port.
pub(super) fn listen_address(text: &str) -> Result<Listen, String> {
    let any = text.strip_prefix(':').or_else(|| text.strip_prefix("*:"));
    if let Some(port) = any.and_then(|port| port.parse().ok()) {
        return Ok(Listen::Any(port));
    }
    if let Some((address, zone, port)) = zoned(text) {
        return Ok(Listen::At(SocketAddrV6::new(address, port, 0, index(zone)?).into()));
    }
    let address =
        text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    address.parse().map(Listen::At).map_err(|_| EXPECTED.to_owned())
}

/// The parts of `[IPV6%ZONE]:PORT` (RFC 4007, section 11).
fn zoned(text: &str) -> Option<(Ipv6Addr, &str, u16)> {
    let (inside, port) = text.strip_prefix('[')?.rsplit_once("]:")?;
    let (address, zone) = inside.split_once('%')?;
    Some((address.parse().ok()?, zone, port.parse().ok()?))
}

/// The number of an interface, by its name or by that number.
fn index(zone: &str) -> Result<u32, String> {
    let cannot = |error| format!("cannot ask the kernel for the interface \"{}\": {error}", shown(zone));
    let kernel = socket(AddressFamily::UNIX, SocketType::DGRAM, None).map_err(cannot)?;
    if let Ok(index) = name_to_index(&kernel, zone) {
        return Ok(index);
    }
    if let Some(index) = zone.parse().ok().filter(|index| index_to_name(&kernel, *index).is_ok()) {
        return Ok(index);
    }
    let table = std::fs::read_to_string(INTERFACES).unwrap_or_default();
    let names = table.lines().skip(2).filter_map(|line| line.rsplit_once(':')).map(|(name, _)| name.trim());
    let meant =
        nearest(zone, names.clone()).map(|name| format!("; did you mean \"{name}\"")).unwrap_or_default();
    let known = names.take(16).collect::<Vec<_>>().join(", ");
    Err(format!("unknown interface \"{}\"{meant}; expected one of {known}", shown(zone)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_local_address_takes_its_interface_by_name_and_by_number() {
        let lo = SocketAddrV6::new("fe80::5".parse().expect("an address"), 8020, 0, 1);
        for text in ["[fe80::5%lo]:8020", "[fe80::5%1]:8020", "[FE80::0:5%lo]:8020"] {
            assert_eq!(listen_address(text), Ok(Listen::At(lo.into())), "{text}");
        }
    }

    #[test]
    fn an_interface_that_there_is_not_is_named_with_those_that_there_are() {
        let said = listen_address("[fe80::5%loo]:8020").expect_err("no such interface");
        assert!(said.contains("\"loo\"; did you mean \"lo\"") && said.contains("expected one of"), "{said}");
        let said = listen_address("[fe80::5%\u{1b}[31m]:8020").expect_err("no such interface");
        assert!(said.contains("\\u{1b}") && !said.contains('\u{1b}'), "{said}");
        for unknown in ["4294967295", "0", "a-name-longer-than-any-interface-has", "a/b", ""] {
            let said = listen_address(&format!("[fe80::5%{unknown}]:8020")).expect_err("no such interface");
            assert!(said.contains("unknown interface"), "{unknown}: {said}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_forms_of_one() {
        for wrong in [
            "[127.0.0.1%lo]:8020",
            "127.0.0.1%lo:8020",
            "fe80::5%lo:8020",
            "[fe80::5%lo]",
            "[fe80::5%lo]:",
            "[fe80::5%lo]:99999",
            "[fe80::5%lo:8020",
            "[%lo]:8020",
            "eth0:8020",
            "",
        ] {
            assert_eq!(listen_address(wrong), Err(EXPECTED.to_owned()), "{wrong}");
        }
    }
}
