//! Replies of kernels, hostile bytes, and the kernel itself.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::super::super::{Netlink, Replies, queues, skmem};
use super::*;

const EVERYTHING: Extensions = UNIX.attributes;

/// A reply of a kernel about a socket with inode 4711 and cookie 9.
fn reply(kind: u8, state: u8, attributes: &[(u16, &[u8])]) -> Vec<u8> {
    let mut payload = vec![AF_UNIX, kind, state, 0];
    payload.extend([4711_u32, 9, 0].map(u32::to_ne_bytes).concat());
    for (number, bytes) in attributes {
        let length = u16::try_from(4 + bytes.len()).expect("short");
        payload.extend([length, *number].map(u16::to_ne_bytes).concat());
        payload.extend_from_slice(bytes);
        payload.resize(payload.len().next_multiple_of(4), 0);
    }
    payload
}

fn words<const N: usize>(words: [u32; N]) -> Vec<u8> {
    words.map(u32::to_ne_bytes).concat()
}

#[test]
fn a_socket_has_its_type_user_queues_memory_and_peer() {
    let bytes = reply(
        1,
        1,
        &[
            (0, b"/run/a\0"),
            (2, &words([815])),
            (4, &words([100, 2304])),
            (5, &words([0, 212_992, 2304, 212_992, 0, 0, 0, 0, 0])),
            (6, &[0]),
            (7, &words([1000])),
        ],
    );
    let socket = UNIX.parse(&bytes).expect("a socket");
    assert_eq!((socket.socket_type(), socket.state()), (Some(SocketType::Stream), State::Established));
    assert_eq!((socket.inode(), socket.cookie(), socket.uid()), (Some(4711), 9, 1000));
    assert_eq!((socket.get(&queues::RQUEUE), socket.get(&queues::WQUEUE)), (Some(100), Some(2304)));
    assert_eq!(socket.get(&skmem::WMEM_ALLOC), Some(2304));
    assert_eq!(socket.unix_name(), Some(UnixName::Path(b"/run/a")));
    assert_eq!(socket.peering(), Some(Peering::Connected(815)));
    assert_eq!(socket.reply(), bytes);
}

#[test]
fn a_datagram_socket_has_no_queue_because_the_kernel_reports_only_its_next_message() {
    for (kind, shown) in [(1, Some(100)), (2, None), (5, Some(100))] {
        let bytes = reply(kind, 7, &[(4, &words([100, 0]))]);
        assert_eq!(UNIX.parse(&bytes).expect("a socket").get(&queues::RQUEUE), shown, "{kind}");
    }
}

#[test]
fn a_name_is_any_bytes_with_a_nul_before_an_abstract_one_and_perhaps_one_behind_a_path() {
    let long = [b'x'; 108];
    for (bytes, name) in [
        (&b"/run/a\0"[..], Some(UnixName::Path(b"/run/a"))),
        (b"/run/a", Some(UnixName::Path(b"/run/a"))),
        (b"relative\0", Some(UnixName::Path(b"relative"))),
        (&long, Some(UnixName::Path(&long))),
        (b"/a\n\"\xff\0", Some(UnixName::Path(b"/a\n\"\xff"))),
        (b"\0/tmp/dbus-1", Some(UnixName::Abstract(b"/tmp/dbus-1"))),
        (b"\0a\0b\0", Some(UnixName::Abstract(b"a\0b\0"))),
        (b"\0", Some(UnixName::Abstract(b""))),
        (b"\x0000abf", Some(UnixName::Autobound)),
        (b"\x0000abg", Some(UnixName::Abstract(b"00abg"))),
        (b"\x0000abf0", Some(UnixName::Abstract(b"00abf0"))),
        (b"", None),
    ] {
        let reply = reply(1, 10, &[(0, bytes)]);
        assert_eq!(UNIX.parse(&reply).expect("a socket").unix_name(), name, "{bytes:?}");
    }
    let longer = [b'x'; 300];
    let reply = reply(1, 10, &[(0, &longer)]);
    assert_eq!(UNIX.parse(&reply).expect("a socket").unix_name(), Some(UnixName::Path(&long)));
}

#[test]
fn a_peer_without_an_inode_has_not_accepted_yet_or_has_closed() {
    let peering = |state, peer: &[u8], shutdown: u8| {
        let reply = reply(1, state, &[(2, peer), (6, &[shutdown])]);
        UNIX.parse(&reply).expect("a socket").peering()
    };
    assert_eq!(peering(1, &words([7]), 0), Some(Peering::Connected(7)));
    assert_eq!(peering(1, &words([0]), 0), Some(Peering::Waiting));
    assert_eq!(peering(1, &words([0]), 3), Some(Peering::Orphaned));
    assert_eq!(peering(1, &words([0]), 1), None);
    assert_eq!(peering(7, &words([0]), 0), None);
    assert_eq!(peering(1, &[], 0), None);
    assert_eq!(UNIX.parse(&reply(1, 10, &[(6, &[0])])).expect("a socket").peering(), None);
}

#[test]
fn a_request_never_asks_for_pending_inodes() {
    let request = |extensions| {
        let states = StateSet::of(&[State::Listen]);
        Request::new(&UNIX, states, extensions).message(7)
    };
    let bare = request(Extensions::NONE);
    assert_eq!((bare.len(), bare[4], &bare[16..20]), (16 + 24, 20, &[1, 0, 0, 0][..]));
    assert_eq!((&bare[20..24], bare[28]), (&0x400_u32.to_ne_bytes()[..], 0x40));
    assert_eq!(request(EVERYTHING.union(Extensions::INFO))[28], 0x75);
}

#[test]
fn another_family_and_a_state_without_a_name_are_no_sockets() {
    let mut other = reply(1, 1, &[]);
    other[0] = 2;
    assert!(UNIX.parse(&other).is_none());
    assert!(UNIX.parse(&reply(1, 0, &[])).is_none());
    assert!(UNIX.parse(&reply(1, 3, &[])).is_none());
    assert!(UNIX.parse(&reply(1, 1, &[])[..15]).is_none());
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..300), kind in 0..8_u8) {
        if let [family, of, state, ..] = &mut bytes[..] {
            (*family, *of, *state) = (AF_UNIX, kind, 1);
        }
        if let Some(socket) = UNIX.parse(&bytes) {
            let _ = (socket.unix_name(), socket.peering(), socket.socket_type(), socket.get(&queues::RQUEUE));
            prop_assert_eq!(socket.reply(), &bytes[..]);
        }
    }
}

/// What a dump of this network namespace shows of the socket with that inode.
fn shown<T>(inode: u32, read: impl Fn(&Socket<'_>) -> T) -> T {
    let request = Request::new(&UNIX, StateSet::ALL, EVERYTHING);
    let until = Instant::now() + Duration::from_mins(1);
    let (replies, dumped) = Replies::dump(Netlink::open().expect("sock_diag"), &request, until);
    dumped.expect("a dump");
    let found = replies.sockets().find(|socket| socket.inode() == Some(inode)).map(|socket| read(&socket));
    found.expect("the socket")
}

fn inode_of(socket: &impl std::os::fd::AsRawFd) -> u32 {
    let link = format!("/proc/self/fd/{}", socket.as_raw_fd());
    u32::try_from(std::fs::metadata(link).expect("a socket").ino()).expect("32 bits")
}

fn directory() -> PathBuf {
    let directory = std::env::temp_dir().join(format!("sockdiag-unix-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    directory
}

#[test]
fn the_kernel_reports_names_peers_and_the_accept_queue() {
    let path = directory().join("listener");
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).expect("a listener");
    let name = path.to_str().expect("text").as_bytes();
    let waiting = UnixStream::connect(&path).expect("a connection");
    let of_listener = |socket: &Socket<'_>| {
        assert_eq!(socket.unix_name(), Some(UnixName::Path(name)));
        (socket.state(), socket.get(&queues::RQUEUE))
    };
    assert_eq!(shown(inode_of(&listener), of_listener), (State::Listen, Some(1)));
    let peering = |socket: &Socket<'_>| socket.peering();
    assert_eq!(shown(inode_of(&waiting), peering), Some(Peering::Waiting));

    let (accepted, _) = listener.accept().expect("a connection");
    let end = Peering::Connected(inode_of(&accepted));
    assert_eq!(shown(inode_of(&waiting), peering), Some(end));
    let of_accepted = |socket: &Socket<'_>| socket.unix_name() == Some(UnixName::Path(name));
    assert!(shown(inode_of(&accepted), of_accepted), "the name of its listener");
    drop(accepted);
    assert_eq!(shown(inode_of(&waiting), peering), Some(Peering::Orphaned));
    std::fs::remove_file(path).expect("its file");
}

#[test]
fn the_kernel_reports_an_abstract_name_and_no_queue_of_a_datagram_socket() {
    let name = format!("sockdiag-{}\0\u{ff}", std::process::id());
    let address = SocketAddr::from_abstract_name(name.as_bytes()).expect("an address");
    let receiver = UnixDatagram::bind_addr(&address).expect("a socket");
    let sender = UnixDatagram::unbound().expect("a socket");
    sender.connect_addr(&address).expect("connected");
    for _ in 0..3 {
        sender.send(&[0; 100]).expect("sent");
    }
    let of_receiver = |socket: &Socket<'_>| {
        assert_eq!(socket.unix_name(), Some(UnixName::Abstract(name.as_bytes())));
        (socket.socket_type(), socket.get(&queues::RQUEUE))
    };
    assert_eq!(shown(inode_of(&receiver), of_receiver), (Some(SocketType::Datagram), None));
    let peer = Some(Peering::Connected(inode_of(&receiver)));
    assert_eq!(shown(inode_of(&sender), |socket: &Socket<'_>| socket.peering()), peer);
}
