//! What a reply about a socket consists of: its fixed part and its attributes, by what they are.
//!
//! Each family has its own numbers for them, and its own bits to ask for them: a line each in the table of the family.

use super::frame::NetlinkAttributes;

/// The parts of a reply, a line each.
macro_rules! attributes {
    ($($(#[$about:meta])* $name:ident,)*) => {
        /// A part of a reply.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Attribute {
            $($(#[$about])* $name,)*
        }

        impl Attribute {
            /// How many there are.
            const COUNT: usize = [$(Self::$name),*].len();
        }
    };
}

attributes! {
    /// The fixed part of the reply.
    Header,
    /// `struct tcp_info`.
    Info,
    /// The socket's memory, `SK_MEMINFO_`.
    Memory,
    /// The name of the congestion control algorithm.
    Congestion,
    /// `struct tcpvegas_info`.
    Vegas,
    /// `struct tcp_dctcp_info`.
    Dctcp,
    /// `struct tcp_bbr_info`.
    Bbr,
    /// The type of service of IPv4 packets, one byte.
    Tos,
    /// The traffic class of IPv6 packets, one byte.
    TrafficClass,
    /// The mark, four bytes. The kernel reports it only to those with `CAP_NET_ADMIN`.
    Mark,
    /// The id of the cgroup in which the socket was made, eight bytes (Linux 5.8).
    Cgroup,
    /// The class of `net_cls`, or else the priority, four bytes.
    ClassId,
    /// The upper layer protocol, nested attributes (Linux 5.4).
    Ulp,
    /// The socket's options, a bit each (Linux 5.10).
    Options,
    /// The queues, two words.
    Queues,
    /// The type, `SOCK_*`, in the first byte.
    Type,
    /// `struct sctp_info`.
    SctpInfo,
    /// `struct mptcp_info`.
    MptcpInfo,
    /// `struct netlink_diag_msg`.
    Netlink,
    /// `struct packet_diag_msg`.
    Packet,
    /// `struct vsock_diag_msg`.
    Vsock,
    /// `struct xdp_diag_info`.
    XdpInfo,
    /// `struct xdp_diag_stats` (Linux 5.9).
    XdpStats,
    /// The queues of a TIPC socket, nested attributes.
    TipcStats,
    /// The name of a unix socket, of any bytes.
    Name,
    /// The inode of the peer of a unix socket, four bytes.
    Peer,
    /// The directions of a unix socket that are shut down, a bit each.
    Shutdown,
    /// Messages dropped since birth, four bytes.
    DroppedMessages,
}

/// A line of a family's table: an attribute's number in replies and the bit of a request that asks for it.
#[derive(Clone, Copy, Debug)]
pub struct Numbered {
    /// The attribute.
    pub attribute: Attribute,
    /// Its number in a reply.
    pub number: u8,
    /// The bits that ask for it; 0 if the kernel sends it unasked.
    pub asked_by: u8,
}

/// A set of attributes: of those that a protocol has, or of those that a request asks for. The kernel sends others unasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extensions(u32);

impl Extensions {
    /// Only what every reply carries.
    pub const NONE: Self = Self(0);
    /// `struct tcp_info`.
    pub const INFO: Self = Self::of(Attribute::Info);
    /// What the congestion control algorithm reports of itself.
    pub const ALGORITHM: Self = Self::of(Attribute::Vegas).with(Attribute::Dctcp).with(Attribute::Bbr);
    /// The name of the congestion control algorithm.
    pub const CONG: Self = Self::of(Attribute::Congestion);
    /// The socket's memory.
    pub const MEMORY: Self = Self::of(Attribute::Memory);
    /// The type of service or traffic class.
    pub const TOS: Self = Self::of(Attribute::Tos).with(Attribute::TrafficClass);
    /// The class of `net_cls`, or else the priority.
    pub const CLASS_ID: Self = Self::of(Attribute::ClassId);
    /// The upper layer protocol.
    pub const ULP: Self = Self::of(Attribute::Ulp);

    /// Those of a family's table.
    pub(super) const fn of_table(table: &[Numbered]) -> Self {
        let (mut all, mut rest) = (Self::NONE, table);
        while let [line, tail @ ..] = rest {
            all = all.with(line.attribute);
            rest = tail;
        }
        all
    }

    /// What asks for one attribute.
    #[must_use]
    pub const fn of(attribute: Attribute) -> Self {
        Self::NONE.with(attribute)
    }

    pub(super) const fn with(self, attribute: Attribute) -> Self {
        match attribute {
            Attribute::Header => self,
            _ => Self(self.0 | 1 << attribute as u32),
        }
    }

    /// The extensions in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the other set holds all of this one.
    #[must_use]
    pub const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether the set holds the attribute. The header is in every set.
    #[must_use]
    pub const fn contains(self, attribute: Attribute) -> bool {
        self.with(attribute).0 == self.0
    }
}

/// Numbers that have an attribute; a higher one has none.
const NUMBERS: usize = 32;

/// Attributes by their number in a family's replies.
#[derive(Debug)]
pub(super) struct Numbers([Option<Attribute>; NUMBERS]);

impl Numbers {
    /// Of a family whose attributes all stay unread.
    pub(super) const NONE: Self = Self([None; NUMBERS]);

    /// Of a family's table.
    #[expect(clippy::indexing_slicing, reason = "evaluated when the program is compiled")]
    pub(super) const fn of(table: &[Numbered]) -> Self {
        let mut numbers = [None; NUMBERS];
        let mut rest = table;
        while let [line, tail @ ..] = rest {
            numbers[line.number as usize] = Some(line.attribute);
            rest = tail;
        }
        Self(numbers)
    }
}

/// The attributes of one reply, found in one walk.
///
/// A place is an offset and a length, which together are a quarter of a slice: every place is emptied for every socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attributes<'a> {
    reply: &'a [u8],
    places: [Place; Attribute::COUNT],
}

/// Where an attribute begins in the reply, and how long it is. Only the reply as a whole begins at 0.
type Place = [u16; 2];

const NOWHERE: Place = [0, 0];

impl<'a> Attributes<'a> {
    /// A reply, and the attributes behind its fixed part.
    ///
    /// A malformed attribute hides itself and those behind it.
    #[inline]
    pub(super) fn walk(reply: &'a [u8], attributes: &'a [u8], numbers: &Numbers) -> Self {
        let mut found = Self { reply, places: [NOWHERE; Attribute::COUNT] };
        found.set(Attribute::Header, reply);
        for (number, payload) in NetlinkAttributes(attributes) {
            if let Some(Some(attribute)) = numbers.0.get(usize::from(number)) {
                found.set(*attribute, payload);
            }
        }
        found
    }

    /// Sets an attribute to a part of the reply. What lies beyond 64 KiB, where the kernel writes nothing, stays unknown.
    #[inline]
    pub(super) fn set(&mut self, attribute: Attribute, payload: &'a [u8]) {
        let offset = payload.as_ptr().addr().wrapping_sub(self.reply.as_ptr().addr());
        if let (Ok(offset), Ok(length)) = (u16::try_from(offset), u16::try_from(payload.len())) {
            self.put(attribute, [offset, length]);
        }
    }

    /// Makes an attribute another, if the kernel sent it.
    pub(super) fn rename(&mut self, from: Attribute, to: Attribute) {
        self.put(to, self.place(from));
        self.remove(from);
    }

    /// Removes an attribute.
    pub(super) fn remove(&mut self, attribute: Attribute) {
        self.put(attribute, NOWHERE);
    }

    /// The payload of an attribute, of whatever length the kernel sent.
    #[inline]
    pub(super) fn get(&self, attribute: Attribute) -> Option<&'a [u8]> {
        match self.place(attribute) {
            NOWHERE => None,
            [offset, length] => self.reply.get(usize::from(offset)..)?.get(..usize::from(length)),
        }
    }

    #[inline]
    fn place(&self, attribute: Attribute) -> Place {
        self.places.get(attribute as usize).copied().unwrap_or(NOWHERE)
    }

    #[inline]
    fn put(&mut self, attribute: Attribute, at: Place) {
        if let Some(place) = self.places.get_mut(attribute as usize) {
            *place = at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_is_found_until_it_is_removed_and_the_last_of_two_counts() {
        let reply = b"a reply with first and last";
        let [first, last] = [13..18, 23..27].map(|part: std::ops::Range<usize>| &reply[part]);
        let mut attributes = Attributes::walk(reply, &[], &Numbers::NONE);
        assert_eq!(attributes.get(Attribute::Header), Some(&reply[..]));
        for attribute in [Attribute::Info, Attribute::Name, Attribute::DroppedMessages] {
            assert_eq!(attributes.get(attribute), None);
            attributes.set(attribute, first);
            attributes.set(attribute, last);
            assert_eq!(attributes.get(attribute), Some(&b"last"[..]));
            attributes.remove(attribute);
            assert_eq!(attributes.get(attribute), None);
        }
        attributes.set(Attribute::Info, first);
        attributes.rename(Attribute::Info, Attribute::SctpInfo);
        assert_eq!(attributes.get(Attribute::SctpInfo), Some(first));
        assert_eq!(attributes.get(Attribute::Info), None);
    }

    #[test]
    fn what_is_no_part_of_the_reply_is_not_read() {
        let bytes = vec![7; 1 << 17];
        let mut attributes = Attributes::walk(&bytes[..1 << 10], &[], &Numbers::NONE);
        attributes.set(Attribute::Info, &bytes[1 << 11..1 << 12]);
        attributes.set(Attribute::Memory, &bytes[1 << 16..]);
        assert_eq!((attributes.get(Attribute::Info), attributes.get(Attribute::Memory)), (None, None));
    }

    #[test]
    fn an_attribute_without_a_payload_is_there() {
        let mut attributes = Attributes::walk(b"reply", &[], &Numbers::NONE);
        let reply = attributes.reply;
        attributes.set(Attribute::Name, &reply[4..4]);
        assert_eq!(attributes.get(Attribute::Name), Some(&[][..]));
    }
}
