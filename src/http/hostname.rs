//! The names by which a request may address this host: a defence against DNS rebinding.
//!
//! An attacker can let names of an own domain resolve to this host, so that a page of that domain reads its answers.
//! Addresses and the names in this host's own files cannot be taken that way.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::header::{HOST, HeaderMap, HeaderValue, ORIGIN};
use hyper::http::request::Parts;

/// The minimum time between two readings of the files that give this host a domain.
const BETWEEN_READS: Duration = Duration::from_secs(10);
/// The header in which a browser says from which site a request comes (Fetch Metadata Request Headers, W3C).
const FETCH_SITE: &str = "sec-fetch-site";

/// The names of this host.
#[derive(Debug, Default)]
pub(super) struct HostNames(Mutex<Option<(Instant, Vec<String>)>>);

impl HostNames {
    /// Whether every name that the request gives its server is one of this host's.
    pub(super) fn are_asked(&self, head: &Parts) -> bool {
        // HTTP/1.0 may leave it out, and no browser speaks that.
        let header = head.headers.get_all(HOST).iter().map(HeaderValue::to_str);
        let target = head.uri.authority().map(|authority| Ok(authority.as_str()));
        header.chain(target).all(|named| named.is_ok_and(|named| self.include(named)))
    }

    fn include(&self, named: &str) -> bool {
        let Some(host) = host(named) else { return false };
        is_address(host) || {
            let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
            host == "localhost" || self.current().contains(&host)
        }
    }

    fn current(&self) -> Vec<String> {
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*read {
            Some((at, names)) if at.elapsed() < BETWEEN_READS => names.clone(),
            _ => {
                let names = read_names();
                *read = Some((Instant::now(), names.clone()));
                names
            }
        }
    }
}

/// Whether the request may come from a page of another site, which a browser sends without asking this host.
pub(super) fn is_of_another_site(headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all(FETCH_SITE).iter();
    let mut origins = headers.get_all(ORIGIN).iter();
    let is_same = |origin: &HeaderValue| {
        let authority =
            origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, rest)| rest);
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        authority.zip(host).is_some_and(|(authority, host)| authority.eq_ignore_ascii_case(host))
    };
    sites.any(|site| site != "none" && site != "same-origin") || !origins.all(is_same)
}

/// The host of `HOST`, `HOST:PORT` or `[IPV6]:PORT`; `None` for any other form.
pub(super) fn host(named: &str) -> Option<&str> {
    let end =
        if named.starts_with('[') { named.find(']')? + 1 } else { named.find(':').unwrap_or(named.len()) };
    let (host, port) = named.split_at_checked(end)?;
    let is_port = |port: &str| port.is_empty() || port.parse::<u16>().is_ok() && !port.starts_with('+');
    (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)).then_some(host)
}

/// Whether a host is an address, in the one form of IPv4 that names cannot have, or in brackets.
pub(super) fn is_address(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inside) => inside.split('%').next().is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        None => host.strip_suffix('.').unwrap_or(host).parse::<Ipv4Addr>().is_ok(),
    }
}

fn read_names() -> Vec<String> {
    let own = rustix::system::uname();
    let file = |path| std::fs::read_to_string(path).unwrap_or_default();
    names(
        &own.nodename().to_string_lossy(),
        &own.domainname().to_string_lossy(),
        &file("/etc/hosts"),
        &file("/etc/resolv.conf"),
    )
}

/// The names of a host, in lower case: its node name with and without its domain, and all names on the lines of the
/// hosts file that have the node name. A domain comes from the kernel (`domainname(1)`) or the search list of the resolver.
fn names(node: &str, domain: &str, hosts: &str, resolver: &str) -> Vec<String> {
    let node = node.to_ascii_lowercase();
    if node.is_empty() {
        return Vec::new();
    }
    let mut names = vec![node.clone()];
    for line in hosts.lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_ascii_whitespace();
        let is_line = words.next().is_some_and(|address| address.parse::<IpAddr>().is_ok());
        let on_line: Vec<_> = words.map(str::to_ascii_lowercase).collect();
        if is_line && on_line.contains(&node) {
            names.extend(on_line);
        }
    }
    match node.split_once('.') {
        Some((short, _)) => names.push(short.to_owned()),
        None => names.extend(domains(domain, resolver).map(|domain| format!("{node}.{domain}"))),
    }
    names
}

/// The domains that this host is in.
fn domains<'a>(domain: &'a str, resolver: &'a str) -> impl Iterator<Item = String> + 'a {
    let searched = resolver.lines().flat_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let is_list = matches!(words.next(), Some("search" | "domain"));
        words.filter(move |word| is_list && !word.starts_with(['#', ';']))
    });
    let domains =
        searched.chain(std::iter::once(domain)).map(|domain| domain.trim_matches('.').to_ascii_lowercase());
    domains.filter(|domain| !domain.is_empty() && domain != "(none)")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTS: &str = "127.0.0.1 localhost\n127.0.1.1\tWeb1.corp.example web1 scrape.example # web1.evil.test\n\
                         127.0.0.1 blocked.evil.test\nweb1 web1.evil.test\n192.0.2.1 web12.evil.test web12\n";
    const RESOLVER: &str =
        "nameserver 192.0.2.53\nsearch lan.example. Other.example\n# search evil.test\noptions ndots:1\n";

    fn of(node: &str) -> HostNames {
        HostNames(Mutex::new(Some((Instant::now(), names(node, "(none)", HOSTS, RESOLVER)))))
    }

    #[test]
    fn a_name_that_a_page_of_another_site_can_have_is_not_ours() {
        let web1 = of("web1");
        for own in [
            "localhost",
            "localhost:8020",
            "LOCALHOST.",
            "localhost.:8020",
            "127.0.0.1:8020",
            "127.0.0.1",
            "192.0.2.7.",
            "[::1]:8020",
            "[::1]",
            "[::ffff:192.0.2.7]:80",
            "[fe80::5%eth0]:8020",
            "[2001:DB8::1]:8020",
            "web1",
            "WEB1.:80",
            "web1.corp.example:8020",
            "scrape.example",
            "web1.lan.example",
            "Web1.Other.Example.:8020",
        ] {
            assert!(web1.include(own), "{own}");
        }
        for foreign in [
            "evil.test",
            "evil.test:8020",
            "localhost.evil.test",
            "web1.evil.test",
            "web1.evil.test.:8020",
            "web1.lan.example.evil.test",
            "web1..",
            "web12",
            "xweb1",
            "lan.example",
            "blocked.evil.test",
            "127.0.0.1.evil.test",
            "127.1",
            "127.0.0.01",
            "0x7f000001",
            "2130706433",
            "",
            ":8020",
            "[evil]:1",
            "[::1]evil.test",
            "[::1]evil.test:8020",
            "[::1].evil.test",
            "[::1",
            "[127.0.0.1]",
            "::1",
            "localhost:80:80",
            "localhost:evil",
            "localhost:+80",
            "localhost:99999",
            "localhost:80@evil.test",
            "user@localhost",
            "user:localhost@evil.test",
            "localhost@evil.test",
            " localhost",
            "localhost/",
        ] {
            assert!(!web1.include(foreign), "{foreign}");
        }
    }

    #[test]
    fn a_host_that_is_called_localhost_or_has_no_name_has_no_names_below_it() {
        for node in ["localhost", "", "(none)"] {
            let names = HostNames(Mutex::new(Some((Instant::now(), names(node, "", HOSTS, "")))));
            assert!(names.include("localhost") && names.include("127.0.0.1"), "{node}");
            for foreign in ["localhost.evil.test", "evil.test", ".evil.test", "web1.corp.example"] {
                assert!(!names.include(foreign), "{node} {foreign}");
            }
        }
    }

    #[test]
    fn a_node_name_with_a_domain_is_ours_with_and_without_it() {
        let names = names("web1.Corp.example", "other.example", "", RESOLVER);
        assert_eq!(names, ["web1.corp.example", "web1"]);
        assert_eq!(super::names("web2", "corp.example", "", ""), ["web2", "web2.corp.example"]);
    }

    #[test]
    fn only_a_page_of_this_host_and_programs_are_of_no_other_site() {
        let is_other = |lines: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in [&[("host", "localhost:8020")], lines].concat() {
                headers.append(name, HeaderValue::from_static(value));
            }
            is_of_another_site(&headers)
        };
        for own in [
            &[][..],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "same-origin"), ("origin", "http://localhost:8020")],
            &[("origin", "https://LOCALHOST:8020")],
        ] {
            assert!(!is_other(own), "{own:?}");
        }
        for foreign in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "")],
            &[("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-origin"), ("origin", "http://evil.test")],
            &[("origin", "http://evil.test")],
            &[("origin", "null")],
            &[("origin", "")],
            &[("origin", "http://localhost")],
            &[("origin", "http://localhost:3000")],
            &[("origin", "http://localhost:8020.evil.test")],
            &[("origin", "http://localhost:8020"), ("origin", "http://evil.test")],
        ] {
            assert!(is_other(foreign), "{foreign:?}");
        }
    }
}
