//! Unix sockets of other network namespaces: a connection is in the namespace of its client.

use std::os::unix::net::{UnixListener, UnixStream};

use super::enter;
use super::exposed::sum;
use testkit::exporter::Exporter;
use testkit::inner::Inner;
use testkit::scrape::Scrapes;

const CONFIG: &str = "collect: {netns: all, deadline: 30s, owners: 10s}
views:
  u: {protocol: unix, state: established, by: [netns, path, process, peer_process], metrics: [sockets, waiting_clients]}
  l: {protocol: unix, state: listen, by: [netns, path], metrics: [sockets, accept_queue_connections]}
";
const SOCKET: &str = "/run/service.sock";

#[test]
fn a_unix_connection_of_a_container_is_in_the_namespace_of_its_client_with_the_processes_of_both_ends() {
    if enter() {
        return;
    }
    let inner = Inner::apart("client");
    let listener = UnixListener::bind(SOCKET).expect("a free path");
    let connect = || inner.within(|| UnixStream::connect(SOCKET).expect("room in the accept queue"));
    let _accepted = (connect(), listener.accept().expect("a connection"));
    let _waiting = connect();
    let exporter = Exporter::configured(CONFIG);
    let comm = std::fs::read_to_string("/proc/self/comm").expect("comm");
    let comm = comm.trim_end();
    let both = format!("process=\"{comm}\",peer_process=\"{comm}\"");
    let mut scrapes = Scrapes::default();
    let ends = |path: &str| format!("netns=\"client\",path=\"{path}\",{both}");
    let scrape = scrapes.until(&exporter, |scrape| sum(scrape, "ss_u_sockets", &ends("")) == 1);
    assert_eq!(sum(scrape, "ss_u_sockets", &ends(SOCKET)), 1, "the end that was accepted");
    assert_eq!(sum(scrape, "ss_u_waiting_clients", "netns=\"client\""), 1, "the other client");
    let own: Vec<_> = scrape
        .rows("ss_l_sockets")
        .keys()
        .filter(|labels| labels.contains(SOCKET))
        .map(|labels| labels.split(',').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(own.len(), 1, "{own:?}");
    assert_ne!(own, ["netns=\"client\""], "the listener is in the namespace that it was made in");
    let listener = format!("{},path=\"{SOCKET}\"", own[0]);
    assert_eq!(sum(scrape, "ss_l_accept_queue_connections", &listener), 1);
    assert_eq!(sum(scrape, "ss_u_sockets", &listener), 0, "no end is there");
}
