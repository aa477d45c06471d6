//! All unsafe code: the calls that safe crates do not make, a function each.
//!
//! | call | function |
//! |---|---|
//! | `recvmmsg(2)` with the control message of a network namespace | [`receive`], [`receive_batch`] |
//! | `setsockopt(2)` `NETLINK_LISTEN_ALL_NSID` | [`listen_to_all_namespaces`] |
//! | `getsockopt(2)` `SO_MEMINFO` | [`drops`] |
//! | `kcmp(2)` `KCMP_FILES` | [`share_files`] |
//! | `malloc_trim(3)` | [`release_freed_memory`] |
//! | `mmap(2)` and `munmap(2)` of nothing | [`can_map`] |
//!
//! Refuses to know what the calls are for.

#![expect(
    unsafe_code,
    reason = "no safe crate has these options, reads this control message, compares tasks, trims the allocator or \
              asks for memory beside it"
)]

use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsFd, AsRawFd as _};
use std::ptr::null_mut;

use libc::{c_int, iovec, mmsghdr, msghdr, sockaddr_nl, socklen_t};

/// Room for control messages, in words that are aligned as their headers must be.
const CONTROL: usize = 16;

/// The most messages that one call receives.
pub const BATCH: usize = 64;

/// The sender, the receivers and the length of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Bytes of the message in the buffer.
    pub length: usize,
    /// The netlink port of its sender; the kernel's is 0.
    pub sender: u32,
    /// The multicast groups that it was sent to, as a mask: group n is bit n - 1.
    pub groups: u32,
    /// The nsid, in the receiver's network namespace, of the one that the message is about (`NETLINK_LISTEN_ALL_NSID`); `None` for
    /// the receiver's own.
    pub namespace: Option<i32>,
}

/// Lets a netlink socket receive the multicasts of all network namespaces that have an nsid in its own
/// (`NETLINK_LISTEN_ALL_NSID`).
///
/// # Errors
/// What `setsockopt(2)` says: `EPERM` without `CAP_NET_BROADCAST`.
pub fn listen_to_all_namespaces(socket: impl AsFd) -> io::Result<()> {
    let (socket, on): (_, c_int) = (socket.as_fd(), 1);
    // SAFETY: the kernel only reads, during the call, a `c_int` where there is one.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_NETLINK,
            libc::NETLINK_LISTEN_ALL_NSID,
            (&raw const on).cast(),
            length_of::<c_int>(),
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Messages that the kernel dropped because the socket's buffer was full, modulo 2^32 (`SO_MEMINFO`).
///
/// # Errors
/// What `getsockopt(2)` says: `ENOPROTOOPT` before Linux 4.12.
pub fn drops(socket: impl AsFd) -> io::Result<u32> {
    /// `SO_MEMINFO` (`include/uapi/asm-generic/socket.h`).
    const MEMINFO: c_int = 55;
    /// `SK_MEMINFO_DROPS`, the last value (`include/uapi/linux/sock_diag.h`).
    const DROPS: usize = 8;
    let (socket, mut values) = (socket.as_fd(), [0_u32; DROPS + 1]);
    let whole = length_of::<[u32; DROPS + 1]>();
    let mut length = whole;
    // SAFETY: the kernel writes, during the call, no more than `length` bytes to the values, and the length.
    let result = unsafe {
        let (values, length) = ((&raw mut values).cast(), &raw mut length);
        libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, MEMINFO, values, length)
    };
    let [.., drops] = values;
    match result {
        0 if length >= whole => Ok(drops),
        0 => Err(io::ErrorKind::Unsupported.into()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Takes one message off a netlink socket without waiting. What the buffer has no room for is lost.
///
/// # Errors
/// As [`receive_batch`].
pub fn receive(socket: impl AsFd, buffer: &mut [u8]) -> io::Result<Received> {
    let mut received = Vec::with_capacity(1);
    receive_batch(socket, std::iter::once(buffer), &mut received)?;
    received.pop().ok_or_else(|| io::ErrorKind::WouldBlock.into())
}

/// Takes up to [`BATCH`] messages off a netlink socket without waiting, one into each buffer, and says of each what is known.
///
/// # Errors
/// What `recvmmsg(2)` says: `WouldBlock` if there is none. An error behind some messages comes with the next call.
pub fn receive_batch<'a>(
    socket: impl AsFd,
    buffers: impl Iterator<Item = &'a mut [u8]>,
    received: &mut Vec<Received>,
) -> io::Result<()> {
    let socket = socket.as_fd();
    // SAFETY: all are plain C structures of numbers and pointers, for which zero is a value.
    let (mut headers, mut addresses, mut parts): ([mmsghdr; BATCH], [sockaddr_nl; BATCH], [iovec; BATCH]) =
        unsafe { (zeroed(), zeroed(), zeroed()) };
    let mut controls = [[0_u64; CONTROL]; BATCH];
    let places = addresses.iter_mut().zip(&mut parts).zip(&mut controls);
    let mut number = 0;
    for ((buffer, header), ((address, part), control)) in buffers.zip(&mut headers).zip(places) {
        // A sender without an address is not the kernel.
        address.nl_pid = u32::MAX;
        (part.iov_base, part.iov_len) = (buffer.as_mut_ptr().cast(), buffer.len());
        let header = &mut header.msg_hdr;
        header.msg_name = (&raw mut *address).cast();
        header.msg_namelen = length_of::<sockaddr_nl>();
        header.msg_iov = part;
        header.msg_iovlen = 1;
        header.msg_controllen = size_of_val(control);
        header.msg_control = control.as_mut_ptr().cast();
        number += 1;
    }
    // SAFETY: so many headers are filled, each pointer in them is to something of the length beside it that outlives the call,
    // and to which nothing else refers meanwhile.
    let filled = unsafe {
        libc::recvmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), number, libc::MSG_DONTWAIT as _, null_mut())
    };
    let filled = usize::try_from(filled).map_err(|_| io::Error::last_os_error())?;
    received.extend(headers.iter().zip(&addresses).take(filled).map(|(header, address)| Received {
        length: header.msg_len as usize,
        sender: address.nl_pid,
        groups: address.nl_groups,
        // SAFETY: the kernel has filled this header.
        namespace: unsafe { namespace(&header.msg_hdr) },
    }));
    Ok(())
}

/// The nsid in the control messages of a message.
///
/// # Safety
/// The kernel must have filled the header, and what it points to must still be there.
unsafe fn namespace(header: &msghdr) -> Option<i32> {
    let mut namespace = None;
    // SAFETY: the kernel has filled the control messages, aligned as they are, and has set their length in the header to what it
    // has filled; these functions stay within that.
    unsafe {
        let mut message = libc::CMSG_FIRSTHDR(header);
        while let Some(control) = message.as_ref() {
            if (control.cmsg_level, control.cmsg_type) == (libc::SOL_NETLINK, libc::NETLINK_LISTEN_ALL_NSID) {
                namespace = Some(libc::CMSG_DATA(message).cast::<c_int>().read_unaligned());
            }
            message = libc::CMSG_NXTHDR(header, message);
        }
    }
    namespace
}

/// Returns freed memory to the kernel, wherever it lies (`malloc_trim(3)`). By itself, glibc returns only the end of its heap, and
/// a small allocation behind a large one keeps both. Takes milliseconds: call it when much was freed that is not needed
/// again soon.
pub fn release_freed_memory() {
    // Other allocators return large allocations as they are freed.
    #[cfg(target_env = "gnu")]
    // SAFETY: the call has no precondition.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Whether the kernel would map that many bytes of memory now.
///
/// It does not ask the allocator: once a large block was freed, glibc keeps freed memory of up to twice that size
/// (`M_MMAP_THRESHOLD` in `mallopt(3)`). A compiler may also remove an allocation that nothing uses.
#[must_use]
pub fn can_map(bytes: usize) -> bool {
    let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: the mapping is new, at a place that the kernel chooses, and is removed before anything refers to it.
    unsafe {
        let place = libc::mmap(null_mut(), bytes, access, kind, -1, 0);
        place != libc::MAP_FAILED && libc::munmap(place, bytes) == 0
    }
}

/// The size of a type, as `socket(7)` takes it.
#[expect(clippy::cast_possible_truncation, reason = "types of a few bytes")]
const fn length_of<T>() -> socklen_t {
    size_of::<T>() as socklen_t
}

/// Whether two tasks share one table of open files (`kcmp(2)`, `KCMP_FILES`).
///
/// # Errors
/// `EPERM` without the right to trace both, `ESRCH` if one has ended, `ENOSYS` from a kernel without it.
pub fn share_files(one: u32, other: u32) -> io::Result<bool> {
    /// `include/uapi/linux/kcmp.h`
    const KCMP_FILES: c_int = 2;
    // SAFETY: the call takes five numbers and no pointer.
    let order = unsafe { libc::syscall(libc::SYS_kcmp, one, other, KCMP_FILES, 0, 0) };
    if order < 0 { Err(io::Error::last_os_error()) } else { Ok(order == 0) }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink, USERSOCK};
    use rustix::net::{
        AddressFamily, Protocol, SendFlags, SocketFlags, SocketType, bind, getsockname, sendto, socket_with,
    };

    use super::*;

    /// A netlink socket, and its port.
    fn netlink(protocol: Protocol) -> (OwnedFd, u32) {
        let family = AddressFamily::NETLINK;
        let socket =
            socket_with(family, SocketType::RAW, SocketFlags::CLOEXEC, Some(protocol)).expect("a socket");
        bind(&socket, &SocketAddrNetlink::new(0, 0)).expect("a port");
        let address = getsockname(&socket).expect("its address");
        let port = SocketAddrNetlink::try_from(address).expect("a netlink address").pid();
        (socket, port)
    }

    #[test]
    fn a_message_comes_with_its_length_and_sender_and_without_an_nsid_of_our_own_namespace() {
        let (socket, port) = netlink(USERSOCK);
        let mut buffer = [0; 64];
        assert_eq!(receive(&socket, &mut buffer).expect_err("nothing").kind(), io::ErrorKind::WouldBlock);
        let own = SocketAddrNetlink::new(port, 0);
        let send = |message: &[u8]| {
            sendto(&socket, message, SendFlags::empty(), &own).expect("a message to oneself");
        };
        let of = |length| Received { length, sender: port, groups: 0, namespace: None };
        send(&[7; 24]);
        assert_eq!(receive(&socket, &mut buffer).expect("the message"), of(24));
        assert_eq!(buffer[..24], [7; 24]);
        (1..=5_u8).for_each(|number| send(&vec![number; 10 * usize::from(number)]));
        let (mut buffers, mut received) = (vec![0; 4 * 32], Vec::new());
        receive_batch(&socket, buffers.chunks_mut(32), &mut received).expect("four messages");
        assert_eq!(received, [10, 20, 30, 32].map(of), "the last one is cut");
        assert_eq!((&buffers[..11], &buffers[96..]), (&[&[1; 10][..], &[0]].concat()[..], &[4; 32][..]));
        receive_batch(&socket, buffers.chunks_mut(32), &mut received).expect("the last one");
        assert_eq!(received.len(), 5);
    }

    #[test]
    fn a_reply_of_the_kernels_has_the_sender_0() {
        let (socket, _) = netlink(SOCK_DIAG);
        // A message that is too short for what it asks: the kernel says so.
        let mut message = [0; 16];
        (message[0], message[4], message[6]) = (16, 88, 1);
        sendto(&socket, &message, SendFlags::empty(), &SocketAddrNetlink::new(0, 0)).expect("a request");
        let mut buffer = [0; 256];
        assert_eq!(receive(&socket, &mut buffer).expect("the kernel's reply").sender, 0);
    }

    #[test]
    fn a_process_shares_its_files_with_itself_and_not_with_a_child() {
        let own = std::process::id();
        let mut child =
            std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().expect("cat");
        assert!(share_files(own, own).expect("itself"));
        assert!(!share_files(own, child.id()).expect("its child"));
        drop(child.stdin.take());
        child.wait().expect("its end");
        assert_eq!(share_files(own, child.id()).expect_err("gone").raw_os_error(), Some(libc::ESRCH));
    }

    #[test]
    fn a_socket_that_dropped_nothing_says_so_and_a_file_says_nothing() {
        let (socket, _) = netlink(SOCK_DIAG);
        assert_eq!(drops(&socket).expect("a count"), 0);
        assert!(drops(std::fs::File::open("/dev/null").expect("a file")).is_err());
    }

    #[test]
    fn a_little_memory_can_be_mapped_and_more_than_there_are_addresses_cannot() {
        assert!(can_map(1) && can_map(4 << 20));
        assert!(!can_map(0) && !can_map(usize::MAX / 2));
    }

    #[test]
    fn only_a_netlink_socket_receives_from_other_namespaces() {
        let (one, _other) = std::os::unix::net::UnixStream::pair().expect("sockets");
        assert!(listen_to_all_namespaces(&one).is_err());
    }
}
