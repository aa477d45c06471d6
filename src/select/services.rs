//! Names of TCP services and their ports, as IANA registers them and Debian's `/etc/services` has them.
//!
//! Refuses to read a file: a selection means the same on every host.

/// Names and ports, by port.
const SERVICES: [(&str, u16); 123] = [
    ("echo", 7),
    ("discard", 9),
    ("daytime", 13),
    ("chargen", 19),
    ("ftp-data", 20),
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("mail", 25),
    ("time", 37),
    ("whois", 43),
    ("tacacs", 49),
    ("domain", 53),
    ("gopher", 70),
    ("finger", 79),
    ("http", 80),
    ("www", 80),
    ("kerberos", 88),
    ("iso-tsap", 102),
    ("acr-nema", 104),
    ("pop3", 110),
    ("pop-3", 110),
    ("sunrpc", 111),
    ("portmapper", 111),
    ("auth", 113),
    ("nntp", 119),
    ("epmap", 135),
    ("netbios-ssn", 139),
    ("imap2", 143),
    ("imap", 143),
    ("snmp", 161),
    ("snmp-trap", 162),
    ("bgp", 179),
    ("z3950", 210),
    ("ldap", 389),
    ("svrloc", 427),
    ("https", 443),
    ("microsoft-ds", 445),
    ("kpasswd", 464),
    ("submissions", 465),
    ("smtps", 465),
    ("exec", 512),
    ("login", 513),
    ("shell", 514),
    ("printer", 515),
    ("uucp", 540),
    ("klogin", 543),
    ("kshell", 544),
    ("afpovertcp", 548),
    ("rtsp", 554),
    ("nntps", 563),
    ("submission", 587),
    ("ipp", 631),
    ("ldaps", 636),
    ("ldp", 646),
    ("tinc", 655),
    ("kerberos-adm", 749),
    ("spamd", 783),
    ("domain-s", 853),
    ("rsync", 873),
    ("ftps-data", 989),
    ("ftps", 990),
    ("telnets", 992),
    ("imaps", 993),
    ("pop3s", 995),
    ("socks", 1080),
    ("rmiregistry", 1099),
    ("openvpn", 1194),
    ("lotusnote", 1352),
    ("ms-sql-s", 1433),
    ("radius", 1812),
    ("radius-acct", 1813),
    ("cisco-sccp", 2000),
    ("nfs", 2049),
    ("cvspserver", 2401),
    ("zebra", 2601),
    ("bgpd", 2605),
    ("dict", 2628),
    ("gsiftp", 2811),
    ("gpsd", 2947),
    ("gds-db", 3050),
    ("isns", 3205),
    ("iscsi-target", 3260),
    ("mysql", 3306),
    ("ms-wbt-server", 3389),
    ("nut", 3493),
    ("distcc", 3632),
    ("svn", 3690),
    ("sieve", 4190),
    ("epmd", 4369),
    ("ntske", 4460),
    ("munin", 4949),
    ("sip", 5060),
    ("sip-tls", 5061),
    ("xmpp-client", 5222),
    ("xmpp-server", 5269),
    ("cfengine", 5308),
    ("postgresql", 5432),
    ("postgres", 5432),
    ("nrpe", 5666),
    ("nsca", 5667),
    ("amqps", 5671),
    ("amqp", 5672),
    ("x11", 6000),
    ("redis", 6379),
    ("mysql-proxy", 6446),
    ("syslog-tls", 6514),
    ("ircd", 6667),
    ("ircs-u", 6697),
    ("http-alt", 8080),
    ("webcache", 8080),
    ("puppet", 8140),
    ("bacula-dir", 9101),
    ("bacula-fd", 9102),
    ("bacula-sd", 9103),
    ("git", 9418),
    ("webmin", 10_000),
    ("zabbix-agent", 10_050),
    ("zabbix-trapper", 10_051),
    ("amanda", 10_080),
    ("nbd", 10_809),
    ("hkp", 11_371),
];

/// The port of a service.
pub(super) fn port(name: &str) -> Option<u16> {
    SERVICES.iter().find(|(known, _)| *known == name).map(|(_, port)| *port)
}

/// The name of a service, the first one that it has.
pub(crate) fn name(port: u16) -> Option<&'static str> {
    SERVICES.iter().find(|(_, known)| *known == port).map(|(name, _)| *name)
}

/// The names of all services.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    SERVICES.iter().map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_has_one_name_in_the_order_of_ports() {
        assert!(SERVICES.is_sorted_by_key(|(_, port)| *port));
        let mut sorted: Vec<_> = names().collect();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), SERVICES.len());
        assert_eq!((port("https"), port("HTTPS"), port("nosuch")), (Some(443), None, None));
        assert_eq!((name(443), name(8080), name(1)), (Some("https"), Some("http-alt"), None));
    }
}
