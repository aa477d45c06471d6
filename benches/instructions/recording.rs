//! A captured dump made larger: its sockets again and again, each with its own cookie, inode and client port.

use sockdiag::{Field, State, TCP, tcp_info};
use testkit::recording::captured;
use testkit::reply::Reply;

/// The ports of the capture's listeners.
const SERVICES: [u16; 2] = [33_153, 34_705];
/// The first port of a client.
const CLIENTS: u32 = 36_000;
/// The counters that grow.
const COUNTERS: [&Field; 5] = [
    &tcp_info::BYTES_ACKED,
    &tcp_info::BYTES_RECEIVED,
    &tcp_info::BYTES_SENT,
    &tcp_info::SEGS_IN,
    &tcp_info::DATA_SEGS_IN,
];

/// The replies of a dump with `sockets` sockets. The counters of each have grown by `gained` since the capture.
pub fn replies(sockets: u32, gained: u32) -> Vec<Reply> {
    let captured = captured();
    (1..=sockets)
        .zip(captured.iter().cycle())
        .map(|(number, reply)| numbered(reply, number, gained))
        .collect()
}

fn numbered(captured: &Reply, number: u32, gained: u32) -> Reply {
    let own = u16::try_from(CLIENTS + number).expect("fewer sockets than ports");
    let mut reply = captured.clone().cookie(number).inode(number).gain(&COUNTERS, gained.into());
    let [local, remote] = ports(captured);
    if !SERVICES.contains(&local) {
        reply = reply.local_port(own);
    }
    if !SERVICES.contains(&remote) {
        reply = reply.remote_port(own);
    }
    // The peer has just sent something: a socket that closes is not older than the exporter.
    reply.info(&[(&tcp_info::LAST_DATA_RECV, 0)])
}

/// The replies of a dump of the listeners that accepted what was captured.
pub fn listeners() -> Vec<Reply> {
    let replies = replies(u32::try_from(captured().len()).expect("few"), 0).into_iter();
    let servers = replies.filter(|reply| SERVICES.contains(&ports(reply)[0]));
    servers.map(|reply| reply.state(State::Listen).remote_port(0)).collect()
}

/// The local and the remote port.
fn ports(reply: &Reply) -> [u16; 2] {
    let socket = TCP.parse(reply.bytes()).expect("a socket");
    [socket.local().port(), socket.remote().port()]
}
