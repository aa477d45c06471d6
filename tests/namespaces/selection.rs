//! Selections by namespace and by interface, and a list of names in which one is wrong.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};

use super::enter;
use super::exposed::{said, sum};
use testkit::exporter::Exporter;
use testkit::inner::{Inner, run};
use testkit::scrape::Scrapes;

/// A listener of this namespace that is bound to an interface.
fn bound(interface: &str, port: u16) -> TcpListener {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind_device(Some(interface.as_bytes())).expect("the interface");
    socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into()).expect("a free port");
    socket.listen(1).expect("a listener");
    socket.into()
}

#[test]
fn a_selection_by_namespace_or_interface_means_the_one_of_that_name_in_each_namespace() {
    if enter() {
        return;
    }
    let (blue, red) = (Inner::connected("blue"), Inner::apart("red"));
    // What has the index of blue's interface in red has another name.
    run("ip -n red link add other type veth peer name another");
    red.connect();
    let _own = TcpListener::bind((Ipv4Addr::LOCALHOST, 7_000)).expect("a free port");
    let _blue = blue.within(|| [bound("lo", 7_001), bound("there", 7_002)]);
    let _red = red.within(|| ["lo", "there", "other", "another"].map(|name| bound(name, 7_003)));
    let config = "
collect: {netns: [blue, red]}
views:
  blue: {by: [netns], metrics: [sockets], state: listen, select: netns = blue}
  rest: {by: [netns], metrics: [sockets], state: listen, select: netns != blue and sport >= :7000 and sport < :8000}
  lo: {by: [netns], metrics: [sockets], state: listen, select: dev = lo}
  there: {by: [netns, local_port], metrics: [sockets], state: listen, select: dev = there}
";
    let exporter = Exporter::configured(config);
    let mut scrapes = Scrapes::default();
    let scrape = scrapes.scrape(&exporter);
    let own = std::fs::read_link("/proc/self/ns/net").expect("our own").display().to_string();
    let own = own.trim_start_matches("net:[").trim_end_matches(']').to_owned();
    let rows = |view: &str| {
        let rows = scrape.rows(&format!("ss_{view}_sockets")).iter();
        rows.map(|(labels, value)| (labels.replace("netns=", "").replace('"', ""), value.as_str()))
            .collect::<Vec<_>>()
    };
    let expected = |rows: &[(&str, &'static str)]| {
        rows.iter().map(|(labels, value)| ((*labels).to_owned(), *value)).collect::<Vec<_>>()
    };
    assert_eq!(rows("blue"), expected(&[("blue", "2")]));
    assert_eq!(rows("rest"), expected(&[(&own, "1"), ("red", "4")]));
    assert_eq!(rows("lo"), expected(&[("blue", "1"), ("red", "1")]));
    assert_eq!(rows("there"), expected(&[("blue,local_port=7002", "1"), ("red,local_port=7003", "1")]));
}

#[test]
fn what_is_seen_at_its_end_alone_is_of_the_interfaces_of_its_own_namespace() {
    if enter() {
        return;
    }
    let (blue, _last) = (Inner::connected("blue"), Inner::connected("red"));
    run("ip -n blue link set lo down");
    run("ip -n blue link set lo name loop");
    run("ip -n blue link set loop up");
    let exporter = Exporter::configured(
        "
collect: {netns: all}
views:
  all: {by: [netns, interface], metrics: [opened_total], select: sport = :7000 or dport = :7000}
  loop: {by: [netns], metrics: [opened_total], select: dev = loop}
",
    );
    let mut scrapes = Scrapes::default();
    let listener = blue.within(|| bound("loop", 7_000));
    scrapes.scrape(&exporter);
    scrapes.scrape(&exporter);
    blue.within(|| {
        let client = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        client.bind_device(Some(b"loop")).expect("the interface");
        client.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, 7_000)).into()).expect("the listener");
        let (mut server, _) = listener.accept().expect("the other end");
        drop(client);
        assert_eq!(std::io::Read::read(&mut server, &mut [0]).expect("its end"), 0);
    });
    let scrape = scrapes.until(&exporter, |scrape| sum(scrape, "ss_all_opened_total", "") == 2);
    assert_eq!(sum(scrape, "ss_all_opened_total", ""), 2);
    assert_eq!(sum(scrape, "ss_all_opened_total", "netns=\"blue\",interface=\"loop\""), 2);
    assert_eq!(sum(scrape, "ss_loop_opened_total", "netns=\"blue\""), 2);
}

#[test]
fn a_name_that_no_namespace_has_is_said_once_until_there_is_one() {
    if enter() {
        return;
    }
    let _blue = Inner::apart("blue");
    let config = "{collect: {netns: [blue, nowhere]}, views: {t: {by: [netns], metrics: [sockets]}}}";
    let exporter = Exporter::configured(config);
    let mut scrapes = Scrapes::default();
    for _ in 0..3 {
        let scrape = scrapes.scrape(&exporter);
        assert_eq!(scrape.sum("ss_exporter_namespaces"), 2);
        assert_eq!(scrape.sum("ss_exporter_namespaces_failed"), 1);
    }
    let _nowhere = Inner::apart("nowhere");
    let scrape = scrapes.scrape(&exporter);
    assert_eq!(scrape.sum("ss_exporter_namespaces"), 3);
    assert_eq!(scrape.sum("ss_exporter_namespaces_failed"), 0);
    assert_eq!(said(exporter, "no network namespace is called nowhere"), 1);
}
