//! Netlink framing (`include/uapi/linux/netlink.h`): messages in a datagram, attributes in a message.
//!
//! Both iterators stop at the first length that does not fit; neither reads past its slice.

use zerocopy::byteorder::native_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// `struct nlmsghdr`
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct MessageHeader {
    /// Length of the message with this header.
    pub(super) length: U32,
    pub(super) kind: U16,
    pub(super) flags: U16,
    pub(super) sequence: U32,
    pub(super) port: U32,
}

/// `struct nlattr`
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct AttributeHeader {
    /// Length of the attribute with this header, without padding.
    pub(super) length: U16,
    pub(super) kind: U16,
}

/// `NLA_TYPE_MASK`: the two upper bits of an attribute's type are flags.
const KIND_MASK: u16 = 0x3fff;

/// `NLM_F_REQUEST | NLM_F_DUMP`
const REQUEST_DUMP: u16 = 0x001 | 0x300;

/// The message that asks for a dump, with the request's own structure as its body.
pub(super) fn dump_request(kind: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = size_of::<MessageHeader>() + body.len();
    let header = MessageHeader {
        length: u32::try_from(length).unwrap_or(u32::MAX).into(),
        kind: kind.into(),
        flags: REQUEST_DUMP.into(),
        sequence: sequence.into(),
        port: 0.into(),
    };
    [header.as_bytes(), body].concat()
}

/// One message of a datagram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    pub(super) header: &'a MessageHeader,
    pub(super) payload: &'a [u8],
}

/// The messages of a datagram; `Err` once, at the end, if the last one is cut off.
pub(super) struct Messages<'a>(pub(super) &'a [u8]);

/// A length that contradicts the bytes at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let message = MessageHeader::ref_from_prefix(self.0).ok().and_then(|(header, _)| {
            let length = header.length.get() as usize;
            let payload = self.0.get(size_of::<MessageHeader>()..length)?;
            self.0 = self.0.get(aligned(length)..).unwrap_or_default();
            Some(Message { header, payload })
        });
        if message.is_none() {
            self.0 = &[];
        }
        Some(message.ok_or(Malformed))
    }
}

/// The attributes of a message, as type and payload.
pub(super) struct NetlinkAttributes<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for NetlinkAttributes<'a> {
    type Item = (u16, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (header, _) = AttributeHeader::ref_from_prefix(self.0).ok()?;
        let length = usize::from(header.length.get());
        let payload = self.0.get(size_of::<AttributeHeader>()..length)?;
        self.0 = self.0.get(aligned(length)..).unwrap_or_default();
        Some((header.kind.get() & KIND_MASK, payload))
    }
}

/// `NLMSG_ALIGN` and `NLA_ALIGN`: both round up to four.
pub(super) const fn aligned(length: usize) -> usize {
    length.saturating_add(3) & !3
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(payload: &[u8]) -> Vec<u8> {
        let header = MessageHeader {
            length: u32::try_from(16 + payload.len()).expect("short").into(),
            kind: 18.into(),
            flags: 2.into(),
            sequence: 7.into(),
            port: 0.into(),
        };
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend_from_slice(payload);
        bytes.resize(aligned(bytes.len()), 0);
        bytes
    }

    #[test]
    fn messages_follow_each_other_at_multiples_of_four() {
        let bytes = [message(b"abcde"), message(b""), message(b"xy")].concat();
        let payloads: Vec<_> = Messages(&bytes).map(|m| m.expect("whole").payload.to_vec()).collect();
        assert_eq!(payloads, [b"abcde".to_vec(), b"".to_vec(), b"xy".to_vec()]);
    }

    #[test]
    fn a_message_that_is_cut_off_is_malformed_and_ends_the_iteration() {
        let whole = message(b"abcdefgh");
        for end in 1..whole.len() {
            let mut messages = Messages(&whole[..end]);
            assert!(matches!(messages.next(), Some(Err(Malformed))), "{end}");
            assert!(messages.next().is_none());
        }
    }

    #[test]
    fn a_length_below_the_header_never_loops() {
        for length in 0_u32..16 {
            let mut bytes = message(b"abcd");
            bytes[..4].copy_from_slice(&length.to_ne_bytes());
            assert_eq!(Messages(&bytes).count(), 1, "{length}");
        }
        let attribute = [2, 0, 1, 0, 9, 9, 9, 9];
        assert_eq!(NetlinkAttributes(&attribute).count(), 0);
    }

    #[test]
    fn attributes_lose_their_flag_bits() {
        let bytes = [5, 0, 0x08, 0x80, 3, 0, 0, 0, 4, 0, 2, 0];
        let attributes: Vec<_> = NetlinkAttributes(&bytes).collect();
        assert_eq!(attributes, [(8, &[3][..]), (2, &[][..])]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_either_iterator_panic_or_run_for_ever(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(Messages(&bytes).count() <= bytes.len() / 16 + 1);
            prop_assert!(NetlinkAttributes(&bytes).count() <= bytes.len() / 4);
        }
    }
}
