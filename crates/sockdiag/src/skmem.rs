//! `INET_DIAG_SKMEMINFO`: a socket's memory, an array of 32-bit words (`include/uapi/linux/sock_diag.h`).

use super::attribute::Attribute;
use super::field::Field;
use super::field::NoneValue::{AtLeast, Never};
use super::field::Width::U32;
use super::field::fields;

/// A word that `/proc/net/raw` lacks; of the kernel's own, none is so large.
const UNKNOWN: u64 = 0xffff_ffff;

fields! {
    /// Every word of `INET_DIAG_SKMEMINFO`.
    ALL = Memory;
    RMEM_ALLOC "SK_MEMINFO_RMEM_ALLOC" @ 0 U32, "3.6", Never, "Bytes that received and unread packets take.";
    RCVBUF "SK_MEMINFO_RCVBUF" @ 4 U32, "3.6", AtLeast(UNKNOWN), "Limit of the receive buffer, bytes.";
    WMEM_ALLOC "SK_MEMINFO_WMEM_ALLOC" @ 8 U32, "3.6", Never, "Bytes that packets handed to the device take.";
    SNDBUF "SK_MEMINFO_SNDBUF" @ 12 U32, "3.6", AtLeast(UNKNOWN), "Limit of the send buffer, bytes.";
    FWD_ALLOC "SK_MEMINFO_FWD_ALLOC" @ 16 U32, "3.6", AtLeast(UNKNOWN), "Bytes set aside for the socket and not in use.";
    WMEM_QUEUED "SK_MEMINFO_WMEM_QUEUED" @ 20 U32, "3.6", AtLeast(UNKNOWN), "Bytes that written and unacknowledged data take.";
    OPTMEM "SK_MEMINFO_OPTMEM" @ 24 U32, "3.6", AtLeast(UNKNOWN), "Bytes that socket options take.";
    BACKLOG "SK_MEMINFO_BACKLOG" @ 28 U32, "3.6", AtLeast(UNKNOWN), "Bytes of packets that wait while a process uses the socket.";
    DROPS "SK_MEMINFO_DROPS" @ 32 U32, "4.7", Never, "Packets dropped since birth.";
}

/// The same of a family whose sockets receive messages, not packets.
pub const DROPPED_MESSAGES: Field = Field {
    attribute: Attribute::DroppedMessages,
    name: "SK_MEMINFO_DROPS",
    offset: 0,
    width: U32,
    since: "4.7",
    none: Never,
};

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
        let values: Vec<_> = ALL.iter().map(|field| field.read(&payload)).collect();
        assert_eq!(values, (1..=9).map(Some).collect::<Vec<_>>());
    }

    #[test]
    fn a_kernel_before_drops_has_the_other_eight() {
        let payload = words(8);
        assert_eq!(BACKLOG.read(&payload), Some(8));
        assert_eq!(DROPS.read(&payload), None);
    }
}
