//! A query for the addresses of one family, and the reply to it (RFC 1035, section 4).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The length of a message's header.
const HEADER: usize = 12;
/// The length of a name on the wire (section 3.1), and of a label.
const MAX_NAME: usize = 255;
const MAX_LABEL: usize = 63;
/// The flags of the header's third byte: a reply; cut off; ask others for what you do not know.
const REPLY: u8 = 0x80;
const TRUNCATED: u8 = 0x02;
const RECURSE: u8 = 0x01;
/// The error codes: none; no such name.
const NO_ERROR: u8 = 0;
const NO_SUCH_NAME: u8 = 3;
/// The class of the Internet.
const INTERNET: u16 = 1;

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::resolver) enum Family {
    V4,
    V6,
}

impl Family {
    pub(in crate::resolver) const BOTH: [Self; 2] = [Self::V4, Self::V6];

    pub(in crate::resolver) const fn has(self, address: &IpAddr) -> bool {
        matches!((self, address), (Self::V4, IpAddr::V4(_)) | (Self::V6, IpAddr::V6(_)))
    }

    /// The type of its records: A (section 3.4.1), AAAA (RFC 3596).
    const fn record(self) -> u16 {
        match self {
            Self::V4 => 1,
            Self::V6 => 28,
        }
    }

    fn address(self, data: &[u8]) -> Option<IpAddr> {
        match self {
            Self::V4 => <[u8; 4]>::try_from(data).ok().map(|bytes| Ipv4Addr::from(bytes).into()),
            Self::V6 => <[u8; 16]>::try_from(data).ok().map(|bytes| Ipv6Addr::from(bytes).into()),
        }
    }
}

/// What a server replies.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DnsReply {
    /// The addresses of the name; none if there is no such name, or it has none of the family.
    Addresses(Vec<IpAddr>),
    /// It has more to say than fits.
    Truncated,
    /// It does not say, by this error code.
    Refused(u8),
}

/// The query; `None` if the name cannot be asked for.
pub(super) fn query(id: [u8; 2], name: &str, family: Family) -> Option<Vec<u8>> {
    let mut query = [id[0], id[1], RECURSE, 0, 0, 1, 0, 0, 0, 0, 0, 0].to_vec();
    for label in name.strip_suffix('.').unwrap_or(name).split('.') {
        let length = u8::try_from(label.len()).ok().filter(|_| (1..=MAX_LABEL).contains(&label.len()))?;
        query.push(length);
        query.extend(label.as_bytes());
    }
    query.push(0);
    if query.len() - HEADER > MAX_NAME {
        return None;
    }
    query.extend(family.record().to_be_bytes());
    query.extend(INTERNET.to_be_bytes());
    Some(query)
}

/// The reply to the query; `None` for whatever else it is.
///
/// The addresses of all names in it count: the server has followed the aliases.
pub(super) fn read(reply: &[u8], query: &[u8], family: Family) -> Option<DnsReply> {
    let (header, rest) = reply.split_at_checked(HEADER)?;
    let (asked_header, asked) = query.split_at_checked(HEADER)?;
    let (question, answers) = rest.split_at_checked(asked.len())?;
    let is_reply = header[2] & REPLY != 0 && header[..2] == asked_header[..2] && header[4..6] == [0, 1];
    // The lengths of labels are no letters.
    if !is_reply || !question.eq_ignore_ascii_case(asked) {
        return None;
    }
    if header[2] & TRUNCATED != 0 {
        return Some(DnsReply::Truncated);
    }
    match header[3] & 0x0f {
        NO_ERROR => {}
        NO_SUCH_NAME => return Some(DnsReply::Addresses(Vec::new())),
        code => return Some(DnsReply::Refused(code)),
    }
    let mut bytes = Bytes(answers);
    let mut addresses = Vec::new();
    for _ in 0..u16::from_be_bytes([header[6], header[7]]) {
        let (kind, data) = bytes.record()?;
        if kind == family.record() {
            addresses.push(family.address(data)?);
        }
    }
    Some(DnsReply::Addresses(addresses))
}

/// What is left to read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    fn number(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// A resource record's type and data (section 4.1.3).
    fn record(&mut self) -> Option<(u16, &'a [u8])> {
        self.skip_name()?;
        let kind = self.number()?;
        let _class_and_time_to_live = self.take(6)?;
        let length = self.number()?;
        Some((kind, self.take(length.into())?))
    }

    /// Labels, up to the root or to a pointer at others (section 4.1.4).
    fn skip_name(&mut self) -> Option<()> {
        loop {
            match self.byte()? {
                0 => return Some(()),
                length if usize::from(length) <= MAX_LABEL => {
                    self.take(length.into())?;
                }
                0xc0.. => return self.byte().map(|_| ()),
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: [u8; 2] = [7, 9];

    fn asked(name: &str) -> Vec<u8> {
        query(ID, name, Family::V4).expect("a name")
    }

    /// The reply to a query, with these flags and this error code, and these records behind the question.
    fn reply(query: &[u8], flags: u8, code: u8, count: u8, records: &[u8]) -> Vec<u8> {
        let mut reply = query.to_vec();
        (reply[2], reply[3], reply[7]) = (REPLY | flags, code, count);
        reply.extend(records);
        reply
    }

    #[test]
    fn a_query_is_as_rfc_1035_lays_it_out() {
        let query = query(ID, "db.example.", Family::V6).expect("a name");
        assert_eq!(query, b"\x07\x09\x01\0\0\x01\0\0\0\0\0\0\x02db\x07example\0\0\x1c\0\x01");
    }

    #[test]
    fn a_name_that_does_not_fit_is_not_asked_for() {
        let long = [["a"; 63].concat(), ["b"; 63].concat(), ["c"; 63].concat(), ["d"; 61].concat()].join(".");
        assert!(query(ID, &long, Family::V4).is_some());
        for name in [&format!("{long}d"), "", "a..b", &["a"; 64].concat()] {
            assert_eq!(query(ID, name, Family::V4), None, "{name}");
        }
    }

    #[test]
    fn the_addresses_behind_an_alias_are_the_name_s() {
        let query = asked("db");
        // An alias, of the name by a pointer; then an address of the alias, of its name in full.
        let records =
            b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x03\x01b\0\x01b\0\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\0\0\x09";
        let found = read(&reply(&query, 0, NO_ERROR, 2, records), &query, Family::V4);
        assert_eq!(found, Some(DnsReply::Addresses(vec![Ipv4Addr::new(10, 0, 0, 9).into()])));
    }

    #[test]
    fn a_name_without_records_an_error_and_a_reply_that_is_cut_off_are_three_things() {
        let query = asked("db");
        let of = |flags, code| read(&reply(&query, flags, code, 0, &[]), &query, Family::V4);
        assert_eq!(of(0, NO_ERROR), Some(DnsReply::Addresses(Vec::new())));
        assert_eq!(of(0, NO_SUCH_NAME), Some(DnsReply::Addresses(Vec::new())));
        assert_eq!(of(0, 2), Some(DnsReply::Refused(2)));
        assert_eq!(of(TRUNCATED, NO_ERROR), Some(DnsReply::Truncated));
    }

    #[test]
    fn what_does_not_answer_the_query_is_no_reply() {
        let query = asked("db");
        let good = reply(&query, 0, NO_ERROR, 0, &[]);
        assert!(read(&good, &query, Family::V4).is_some());
        assert!(read(&reply(&asked("DB"), 0, NO_ERROR, 0, &[]), &query, Family::V4).is_some());
        assert_eq!(read(&query, &query, Family::V4), None);
        assert_eq!(read(&reply(&asked("dc"), 0, NO_ERROR, 0, &[]), &query, Family::V4), None);
        for changed in [0, 1, 5] {
            let mut other = good.clone();
            other[changed] ^= 1;
            assert_eq!(read(&other, &query, Family::V4), None, "byte {changed}");
        }
    }

    proptest! {
        #[test]
        fn no_reply_harms(records in proptest::collection::vec(any::<u8>(), 0..64), count: u8, cut in 0_usize..90) {
            let query = asked("db");
            let mut reply = reply(&query, 0, NO_ERROR, count, &records);
            reply.truncate(cut);
            let _ = read(&reply, &query, Family::V6);
        }
    }
}
