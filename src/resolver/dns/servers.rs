//! The DNS servers of this host and how to ask them: `resolv.conf(5)`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};
use std::time::Duration;

const FILE: &str = "/etc/resolv.conf";
/// The port of DNS.
const PORT: u16 = 53;
/// As many servers and tries as the C library allows, and seconds.
const MAX_SERVERS: usize = 3;
const MAX_ATTEMPTS: u32 = 5;
const MAX_SECONDS: u64 = 30;
const MAX_DOTS: usize = 15;

/// What the file says; what it does not say is as in the C library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::resolver) struct ResolvConf {
    pub(in crate::resolver) servers: Vec<SocketAddr>,
    /// The domains in which a short name is looked for.
    search: Vec<String>,
    /// From so many dots on a name is not short.
    dots: usize,
    /// For one question to one server.
    pub(super) timeout: Duration,
    /// How often all servers are asked.
    pub(super) attempts: u32,
}

impl Default for ResolvConf {
    fn default() -> Self {
        Self {
            servers: vec![(Ipv4Addr::LOCALHOST, PORT).into()],
            search: Vec::new(),
            dots: 1,
            timeout: Duration::from_secs(5),
            attempts: 2,
        }
    }
}

impl ResolvConf {
    /// As it is now.
    pub(in crate::resolver) fn of_system() -> Self {
        Self::read(&String::from_utf8_lossy(&std::fs::read(FILE).unwrap_or_default()))
    }

    fn read(text: &str) -> Self {
        let mut conf = Self::default();
        let mut servers = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with(['#', ';'])) {
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("nameserver") => servers.extend(words.next().and_then(server)),
                // The last one counts.
                Some("search" | "domain") => conf.search = words.map(str::to_owned).collect(),
                Some("options") => words.for_each(|option| conf.option(option)),
                _ => {}
            }
        }
        servers.truncate(MAX_SERVERS);
        if !servers.is_empty() {
            conf.servers = servers;
        }
        conf
    }

    fn option(&mut self, option: &str) {
        let Some((name, value)) = option.split_once(':') else { return };
        let Ok(value) = value.parse::<u32>() else { return };
        match name {
            "ndots" => self.dots = usize::try_from(value).unwrap_or(MAX_DOTS).min(MAX_DOTS),
            "timeout" => self.timeout = Duration::from_secs(u64::from(value).clamp(1, MAX_SECONDS)),
            "attempts" => self.attempts = value.clamp(1, MAX_ATTEMPTS),
            _ => {}
        }
    }

    /// The names to ask for, one after the other, in place of this one.
    pub(super) fn candidates(&self, name: &str) -> Vec<String> {
        if name.ends_with('.') {
            return vec![name.to_owned()];
        }
        let searched = self.search.iter().filter(|domain| *domain != ".");
        let mut names: Vec<_> = searched.map(|domain| format!("{name}.{domain}")).collect();
        let is_short = name.matches('.').count() < self.dots;
        names.insert(if is_short { names.len() } else { 0 }, name.to_owned());
        names
    }
}

/// A server's address, which may have an interface behind it.
fn server(text: &str) -> Option<SocketAddr> {
    let (address, zone) = text.split_once('%').unwrap_or((text, ""));
    match address.parse().ok()? {
        IpAddr::V4(address) => Some((address, PORT).into()),
        IpAddr::V6(address) => Some(SocketAddrV6::new(address, PORT, 0, scope(zone)).into()),
    }
}

/// The index of an interface, by its name or by itself.
fn scope(zone: &str) -> u32 {
    let named = || std::fs::read_to_string(format!("/sys/class/net/{zone}/ifindex")).ok();
    zone.parse().ok().or_else(|| named()?.trim().parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_resolv_conf_says_is_read_and_the_rest_is_as_in_the_c_library() {
        assert_eq!(ResolvConf::read("# nothing\nnameserver\nnameserver x\n"), ResolvConf::default());
        let text = "; nameserver 192.0.2.9\ndomain old.example\nnameserver 192.0.2.1\n nameserver\t2001:db8::1 # first\n\
                    nameserver fe80::1%7\nnameserver 192.0.2.4\nsearch a.example b.example\n\
                    options ndots:2 timeout:99 attempts:0 rotate edns0 ndots:x\n";
        let conf = ResolvConf::read(text);
        assert_eq!(
            conf.servers,
            ["192.0.2.1:53", "[2001:db8::1]:53", "[fe80::1%7]:53"].map(|text| text.parse().unwrap())
        );
        assert_eq!((conf.dots, conf.timeout, conf.attempts), (2, Duration::from_secs(30), 1));
        assert_eq!(conf.search, ["a.example", "b.example"]);
    }

    #[test]
    fn a_short_name_is_looked_for_in_the_search_domains_first() {
        let conf = ResolvConf::read("search a.example .\noptions ndots:2\n");
        assert_eq!(conf.candidates("db"), ["db.a.example", "db"]);
        assert_eq!(conf.candidates("db.b.c"), ["db.b.c", "db.b.c.a.example"]);
        assert_eq!(conf.candidates("db."), ["db."]);
    }
}
