//! Raw sockets over IPv4 and IPv6 (`net/ipv4/raw_diag.c`). The number of the IP protocol stands in the place of the local port.
//!
//! A kernel without `raw_diag` lists them in `/proc/net/raw` and `raw6` all the same (`net/ipv4/raw.c: raw_sock_seq_show`).

use super::{ProcTables, Protocol, UDP, inet};

const IPPROTO_RAW: u8 = 255;

/// Raw sockets. The kernel ignores the states of a request for them, and refuses to walk both families at once.
pub const RAW: Protocol = Protocol {
    name: "raw",
    netids: &[],
    modules: "inet_diag and raw_diag",
    encode: |request, sequence| inet::in_two_walks(request, IPPROTO_RAW, sequence),
    close_events: None,
    tables: Some(ProcTables { files: ["raw", "raw6"], reply }),
    sockstat: "RAW",
    ..UDP
};

/// `INET_DIAG_SKMEMINFO`, its number and its words.
const MEMORY: u16 = 7;
const WORDS: usize = 9;
/// A word of it that the table does not have.
const UNKNOWN: u32 = u32::MAX;
/// Above the inode, so that no cookie of the kernel is the same: those count from 1.
const NO_COOKIE: u32 = u32::MAX;

/// The reply about the socket of a line: `sl local remote st tx:rx tr:when retrnsmt uid timeout inode ref pointer drops`.
fn reply(line: &str) -> Option<Vec<u8>> {
    let mut fields = line.split_whitespace();
    let local = end(fields.by_ref().nth(1)?)?;
    let remote = end(fields.next()?)?;
    let state = u8::from_str_radix(fields.next()?, 16).ok()?;
    let (sent, received) = fields.next()?.split_once(':')?;
    let [sent, received] = [hexadecimal(sent)?, hexadecimal(received)?];
    let uid = number(fields.by_ref().nth(2)?)?;
    let inode = number(fields.by_ref().nth(1)?)?;
    let drops = number(fields.by_ref().nth(2)?)?;
    let family = if local.is_ipv4 { 2 } else { 10 };
    let mut reply = vec![family, state, 0, 0];
    reply.extend([local.port.to_be_bytes(), remote.port.to_be_bytes()].concat());
    reply.extend([local.address, remote.address].concat());
    let mut words = |words: &[u32]| reply.extend(words.iter().flat_map(|word| word.to_ne_bytes()));
    // Interface, cookie, timer, queues, user and inode.
    words(&[0, inode, NO_COOKIE, 0, received, sent, uid, inode]);
    let length = u16::try_from(4 + 4 * WORDS).ok()?;
    words(&[u32::from_ne_bytes([length.to_ne_bytes(), MEMORY.to_ne_bytes()].concat().try_into().ok()?)]);
    words(&[received, UNKNOWN, sent, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, drops]);
    Some(reply)
}

/// One end of a socket, its address in network order and 16 bytes long.
struct End {
    is_ipv4: bool,
    address: [u8; 16],
    port: u16,
}

/// `ADDRESS:PORT` in hexadecimal, the address in words of this machine.
fn end(text: &str) -> Option<End> {
    let (digits, port) = text.split_once(':')?;
    let mut address = Vec::with_capacity(16);
    for at in (0..digits.len()).step_by(8) {
        address.extend(hexadecimal(digits.get(at..at + 8)?)?.to_ne_bytes());
    }
    let is_ipv4 = address.len() == 4;
    if is_ipv4 {
        address.resize(16, 0);
    }
    Some(End { is_ipv4, address: address.try_into().ok()?, port: u16::from_str_radix(port, 16).ok()? })
}

fn hexadecimal(text: &str) -> Option<u32> {
    u32::from_str_radix(text, 16).ok()
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::skmem;
    use super::super::super::state::State;
    use super::*;

    /// Lines as Linux 6.18 writes them.
    const HEAD: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops";
    const IPV4: &str = "   1: 0100007F:0001 0200007F:0000 01 00000300:00000D00 00:00000000 00000000  1000        0 4711 2 0000000000000000 196";
    const IPV6: &str = "  58: 00000000000000000000000001000000:003A 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4712 2 0000000000000000 0";

    #[test]
    fn a_line_of_the_table_is_read_as_a_reply_of_the_kernel() {
        let bytes = reply(IPV4).expect("a socket");
        let socket = RAW.parse(&bytes).expect("a socket");
        assert_eq!(
            (socket.local().to_string(), socket.remote().to_string()),
            ("127.0.0.1:1".into(), "127.0.0.2:0".into())
        );
        assert_eq!((socket.state(), socket.uid(), socket.inode()), (State::Established, 1000, Some(4711)));
        assert_eq!(
            (socket.get(&skmem::RMEM_ALLOC), socket.get(&skmem::WMEM_ALLOC)),
            (Some(0xd00), Some(0x300))
        );
        assert_eq!(
            (socket.get(&skmem::DROPS), socket.get(&skmem::RCVBUF), socket.get(&skmem::BACKLOG)),
            (Some(196), None, None)
        );
        let bytes = reply(IPV6).expect("a socket");
        let other = RAW.parse(&bytes).expect("a socket");
        assert_eq!((other.local().to_string(), other.state()), ("[::1]:58".into(), State::Close));
        assert_ne!(other.cookie(), socket.cookie());
    }

    proptest! {
        #[test]
        fn what_is_no_line_of_a_socket_is_none(cut in 0..IPV4.len() - 3, text in ".*") {
            prop_assert!(reply(HEAD).is_none());
            prop_assert!(reply(IPV4.get(..cut).unwrap_or_default()).is_none());
            let _ = reply(&text);
        }
    }
}
