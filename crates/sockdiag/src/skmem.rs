//! `INET_DIAG_SKMEMINFO`: a socket's memory, an array of 32-bit words (`include/uapi/linux/sock_diag.h`).
//!
//! Refuses to know which of it is too much.

use super::layout::NoneValue::Never;
use super::layout::Width::U32;
use super::layout::fields;

fields! {
    /// A word of `INET_DIAG_SKMEMINFO`, named as in `enum` of `sock_diag.h`.
    MemoryField "SK_MEMINFO_";
    Received RMEM_ALLOC @ 0 U32, "3.6", Never, "Bytes that received and unread packets take.";
    ReceiveBuffer RCVBUF @ 4 U32, "3.6", Never, "The most that received packets may take, bytes.";
    Sent WMEM_ALLOC @ 8 U32, "3.6", Never, "Bytes that packets handed to the device take.";
    SendBuffer SNDBUF @ 12 U32, "3.6", Never, "The most that written data may take, bytes.";
    Forward FWD_ALLOC @ 16 U32, "3.6", Never, "Bytes set aside for the socket and not in use.";
    Queued WMEM_QUEUED @ 20 U32, "3.6", Never, "Bytes that written and unacknowledged data take.";
    Options OPTMEM @ 24 U32, "3.6", Never, "Bytes that socket options take.";
    Backlog BACKLOG @ 28 U32, "3.6", Never, "Bytes of packets that wait while a process uses the socket.";
    Drops DROPS @ 32 U32, "4.7", Never, "Packets dropped since birth.";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Linux 6.18 sends: the numbers from 1 on, a word each.
    fn words(count: u32) -> Vec<u8> {
        (1..=count).flat_map(u32::to_ne_bytes).collect()
    }

    #[test]
    fn the_words_follow_each_other() {
        let payload = words(9);
        let values: Vec<_> = MemoryField::ALL.iter().map(|field| field.layout().read(&payload)).collect();
        assert_eq!(values, (1..=9).map(Some).collect::<Vec<_>>());
    }

    #[test]
    fn a_kernel_before_drops_has_the_other_eight() {
        let payload = words(8);
        assert_eq!(MemoryField::Backlog.layout().read(&payload), Some(8));
        assert_eq!(MemoryField::Drops.layout().read(&payload), None);
    }
}
