//! The errors of selections.

use super::*;

#[test]
fn an_error_says_where_what_was_found_and_what_was_expected() {
    let words = predicates();
    let port = |found: &str, hint: &str| {
        format!(
            "column 9: found \"{found}\"; expected: a port from 0 to 65535, or the name of a service such as \
             https{hint}"
        )
    };
    let address = |at: u32, found: &str| {
        format!(
            "column {at}: found {found}; expected: ADDRESS, ADDRESS/PREFIX, [IPV6ADDRESS], * or nothing, with or \
             without :PORT"
        )
    };
    let predicate =
        |at: u32, found: &str, hint: &str| format!("column {at}: found {found}; expected: {words}{hint}");
    let ending = |at: u32, found: &str| {
        format!("column {at}: found {found}; expected: the end, and, or, or a predicate")
    };
    for (text, message) in [
        ("dporrt = 443", predicate(1, "\"dporrt\"", "; did you mean \"dport\"?")),
        ("uid 1 and", predicate(10, "the end", "")),
        ("uid 1 and and uid 2", predicate(11, "\"and\"", "")),
        ("or uid 1", predicate(1, "\"or\"", "")),
        ("= 1", predicate(1, "\"=\"", "")),
        ("not", predicate(4, "the end", "")),
        ("autobound", predicate(1, "\"autobound\", which a dump does not report", "")),
        ("uid 1 )", ending(7, "\")\"")),
        ("state listen )", ending(14, "\")\"")),
        ("( uid 1", "column 8: found the end; expected: ) for the ( in column 1".to_owned()),
        ("uid", "column 4: found the end; expected: a user id from 0 to 4294967295".to_owned()),
        ("uid = -1", "column 7: found \"-1\"; expected: a user id from 0 to 4294967295".to_owned()),
        ("uid > 1", "column 5: found \">\"; expected: =, !=, or the value at once".to_owned()),
        ("pid 0", "column 5: found \"0\"; expected: a process id from 1 to 4294967295".to_owned()),
        ("dport = htttps", port("htttps", "; did you mean \"https\"?")),
        ("dport = 70000", port("70000", "")),
        ("dport = 010", port("010", "")),
        ("sport > *", "column 7: found a comparison with any port; expected: =, !=".to_owned()),
        ("dst 10.0.0.300", address(5, "\"10.0.0.300\"")),
        ("dst 10.0.0.0/33", address(5, "\"10.0.0.0/33\"")),
        ("dst 10/8", address(5, "\"10/8\"")),
        (
            "dst ::1:443",
            "column 5: found \"::1:443\"; expected: [::1:443] for an address, [::1]:443 for an address and a \
             port"
                .to_owned(),
        ),
        (
            "src db.example.org",
            "column 5: found \"db.example.org\"; expected: an address or a network; the name of a host stands behind \
             dst alone"
                .to_owned(),
        ),
        ("dst [::1", "column 5: found \"[::1\"; expected: ] behind the address".to_owned()),
        (
            "dst [::1]443",
            "column 5: found \"[::1]443\"; expected: [ADDRESS] or [ADDRESS/PREFIX], with or without :PORT".to_owned(),
        ),
        (
            "dst inet:[::1]",
            "column 5: found \"inet:[::1]\"; expected: an address of the family that stands before it".to_owned(),
        ),
        ("dst \"10.0.0.1\"", "column 5: found \"10.0.0.1\"; expected: the name of a host".to_owned()),
        (
            "fwmark = x",
            "column 10: found \"x\"; expected: a mark such as 0x1, or 0x1/0x3 for the bits that count".to_owned(),
        ),
        (
            "network = ofice",
            "column 11: found \"ofice\"; expected: data centre, office; did you mean \"office\"?".to_owned(),
        ),
        (
            "direction = inbuond",
            "column 13: found \"inbuond\"; expected: inbound, outbound; did you mean \"inbound\"?".to_owned(),
        ),
        (
            "process = /usr/bin/x",
            "column 11: found \"/usr/bin/x\"; expected: the name of a process without its path".to_owned(),
        ),
        ("process = \"\"", "column 11: found \"\"; expected: the name of a process".to_owned()),
        (
            "process = \"x",
            "column 11: found a quotation mark without its partner; expected: \"...\", in which \\ stands before \" \
             and \\"
                .to_owned(),
        ),
        ("state != listen", "column 7: found \"!=\"; expected: =, or the value at once".to_owned()),
    ] {
        assert_eq!(refusal(text), message, "{text}");
    }
    let message = refusal("state establised");
    assert!(message.starts_with("column 7: found \"establised\"; expected: all, connected, "), "{message}");
    assert!(message.ends_with("; did you mean \"established\"?"), "{message}");
    let nameless = parse("network = office", &ConfiguredNames::default()).map_err(|error| error.to_string());
    let expected = "column 11: found \"office\"; expected: none, because no network has a name";
    assert_eq!(nameless, Err(expected.to_owned()));
}

#[test]
fn the_words_of_tcpdump_get_the_form_that_says_the_same() {
    for (text, message) in [
        (
            "tcp and port 80",
            "column 1: found \"tcp\"; expected: protocol: tcp in the view or --protocol tcp on the command line, and a predicate such as port 443 here",
        ),
        ("portrange 21-23", "column 1: found \"portrange\"; expected: port in FIRST-LAST"),
        ("ip6", "column 1: found \"ip6\"; expected: net ::/0"),
        (
            "src host 10.0.0.1",
            "column 5: found \"host\"; expected: src with the address, such as src 10.0.0.0/8",
        ),
        (
            "dst net 10.0.0.0/8",
            "column 5: found \"net\"; expected: dst with the address, such as dst 10.0.0.0/8",
        ),
        ("dst port 80", "column 5: found \"port\"; expected: dport = PORT"),
        ("src portrange 21-23", "column 5: found \"portrange\"; expected: sport in FIRST-LAST"),
    ] {
        assert_eq!(refusal(text), message, "{text}");
    }
    assert_eq!(tree("dst host and uid 1"), all([is(Test::RemoteHost("host".into())), A]));
}

#[test]
fn a_list_or_a_range_that_is_none_is_an_error_in_its_place() {
    let port = "a port from 0 to 65535, or the name of a service such as https";
    for (text, message) in [
        ("dport in (80, x)", format!("column 15: found \"x\"; expected: {port}")),
        ("dport in (80,x)", format!("column 14: found \"x\"; expected: {port}")),
        ("dport in ()", format!("column 11: found \")\"; expected: {port}")),
        ("dport in (80", format!("column 13: found the end; expected: {port}")),
        ("dport in (80 and 81)", format!("column 14: found \"and\"; expected: {port}")),
        ("dport in ,", format!("column 11: found the end; expected: {port}")),
        ("dport = 90-80", "column 9: found \"90-80\"; expected: the lower port first".to_owned()),
        (
            "dport > 80-90",
            "column 9: found \"80-90\"; expected: one port, or =, != or in before the range".to_owned(),
        ),
        (
            "unit in (a.mount)",
            "column 10: found \"a.mount\"; expected: a service or scope such as nginx.service".to_owned(),
        ),
        ("user = www*", "column 8: found \"www*\"; expected: the name of a user without * and ?".to_owned()),
    ] {
        assert_eq!(refusal(text), message, "{text}");
    }
}

#[test]
fn an_end_without_an_internet_address_says_its_form() {
    for (text, message) in [
        (
            "dst unix:/run/x",
            "column 5: found \"unix:/run/x\"; expected: src with the name of a unix socket, or peer_process"
                .to_owned(),
        ),
        (
            "src netlink:rout",
            "column 5: found \"netlink:rout\"; expected: src netlink:PROTOCOL, with or without :*".to_owned(),
        ),
        // A port identifies one socket.
        (
            "src netlink:route:7",
            "column 5: found \"netlink:route:7\"; expected: src netlink:PROTOCOL, with or without :*"
                .to_owned(),
        ),
        (
            "dst netlink:route",
            "column 5: found \"netlink:route\"; expected: src netlink:PROTOCOL, with or without :*"
                .to_owned(),
        ),
        (
            "dst link:arp",
            "column 5: found \"link:arp\"; expected: src link:ETHERTYPE, with or without :INTERFACE"
                .to_owned(),
        ),
        (
            "dst vsock:host",
            "column 5: found \"vsock:host\"; expected: vsock:CID, with or without :PORT, both numbers"
                .to_owned(),
        ),
    ] {
        assert_eq!(refusal(text), message, "{text}");
    }
}
