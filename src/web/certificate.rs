//! The fields of a certificate (RFC 5280): its names, its validity, its usages, and whether it may sign.
//!
//! Reads as much DER as that takes. Signatures are checked elsewhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Subject alternative names, 2.5.29.17.
const SUBJECT_ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
/// Key usage, 2.5.29.15.
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
/// Basic constraints, 2.5.29.19.
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
/// Extended key usage, 2.5.29.37.
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
/// `clientAuth`, 1.3.6.1.5.5.7.3.2.
const CLIENT_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];
/// `anyExtendedKeyUsage`, 2.5.29.37.0.
const ANY_USAGE: &[u8] = &[0x55, 0x1d, 0x25, 0x00];
/// The bit `keyCertSign` in the first octet of a key usage.
const MAY_SIGN_CERTIFICATES: u8 = 0x04;

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const OCTETS: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
/// `[0] EXPLICIT`: the version.
const VERSION: u8 = 0xa0;
/// `[3] EXPLICIT`: the extensions of a certificate.
const EXTENSIONS: u8 = 0xa3;
const EMAIL: u8 = 0x81;
const DNS: u8 = 0x82;
const URI: u8 = 0x86;
const IP: u8 = 0x87;

/// The part of a certificate that is signed.
#[derive(Clone, Copy)]
pub(super) struct Certificate<'a> {
    signed: &'a [u8],
}

impl<'a> Certificate<'a> {
    /// Bytes that are no certificate have no names, no validity and no usages.
    pub(super) fn read(der: &'a [u8]) -> Self {
        let certificate = Elements(der).find(SEQUENCE).unwrap_or_default();
        Self { signed: Elements(certificate).find(SEQUENCE).unwrap_or_default() }
    }

    /// The DNS names, addresses, e-mail addresses and URIs that it gives its owner, as text.
    pub(super) fn names(self) -> Vec<String> {
        let names =
            self.extension(SUBJECT_ALTERNATIVE_NAMES).and_then(|value| Elements(value).find(SEQUENCE));
        names.map(|names| Elements(names).filter_map(name).collect()).unwrap_or_default()
    }

    /// The first and the last second at which it is valid, since 1970.
    pub(super) fn validity(self) -> Option<(i64, i64)> {
        let mut fields = Elements(self.signed).skip_while(|(tag, _)| *tag == VERSION);
        // Serial number, signature algorithm, issuer.
        let (_, validity) = fields.by_ref().nth(3).filter(|(tag, _)| *tag == SEQUENCE)?;
        let mut times = Elements(validity);
        Some((seconds(times.next()?)?, seconds(times.next()?)?))
    }

    /// Whether it may be shown by a client: if it names what it is for, clients are among that.
    pub(super) fn is_for_clients(self) -> bool {
        let Some(value) = self.extension(EXTENDED_KEY_USAGE) else { return true };
        let usages = Elements(value).find(SEQUENCE).unwrap_or_default();
        Elements(usages)
            .any(|usage| [CLIENT_AUTH, ANY_USAGE].map(|id| (OBJECT_IDENTIFIER, id)).contains(&usage))
    }

    /// Whether it may sign others. A certificate of version 1 has no way to say so.
    pub(super) fn is_authority(self) -> bool {
        let signs = |value| matches!(Elements(value).find(BITS), Some([_, bits, ..]) if bits & MAY_SIGN_CERTIFICATES != 0);
        let is_first_version = Elements(self.signed).next().is_some_and(|(tag, _)| tag == INTEGER);
        let constraints = self.extension(BASIC_CONSTRAINTS).and_then(|value| Elements(value).find(SEQUENCE));
        let is_ca =
            constraints.and_then(|constraints| Elements(constraints).next()) == Some((BOOLEAN, &[0xff][..]));
        is_first_version || is_ca && self.extension(KEY_USAGE).is_none_or(signs)
    }

    /// The value of an extension.
    fn extension(self, id: &[u8]) -> Option<&'a [u8]> {
        let extensions = Elements(self.signed).find(EXTENSIONS)?;
        let extensions = Elements(extensions).find(SEQUENCE)?;
        Elements(extensions).find_map(|(_, content)| {
            let mut parts = Elements(content);
            // Between the two there may be a flag that says how important it is.
            (parts.next() == Some((OBJECT_IDENTIFIER, id))).then(|| parts.find(OCTETS)).flatten()
        })
    }
}

fn name((tag, content): (u8, &[u8])) -> Option<String> {
    match tag {
        EMAIL | DNS | URI => std::str::from_utf8(content).ok().map(str::to_owned),
        IP => address(content).map(|address| address.to_canonical().to_string()),
        _ => None,
    }
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let four = || <[u8; 4]>::try_from(octets).ok().map(|octets| Ipv4Addr::from(octets).into());
    let sixteen = || <[u8; 16]>::try_from(octets).ok().map(|octets| Ipv6Addr::from(octets).into());
    four().or_else(sixteen)
}

/// The seconds since 1970 of `YYMMDDHHMMSSZ` (1950 to 2049) or `YYYYMMDDHHMMSSZ`.
fn seconds((tag, text): (u8, &[u8])) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let year_digits = match tag {
        UTC_TIME => 2,
        GENERALIZED_TIME => 4,
        _ => return None,
    };
    let (year, rest) = text.split_at_checked(year_digits)?;
    let all_digits = text.len() == year_digits + 10 && text.bytes().all(|byte| byte.is_ascii_digit());
    let year = match (all_digits.then(|| year.parse::<i64>().ok())??, tag) {
        (year @ 0..50, UTC_TIME) => 2000 + year,
        (year, UTC_TIME) => 1900 + year,
        (year, _) => year,
    };
    let two = |at: usize| rest.get(at..at + 2).and_then(|digits| digits.parse::<i64>().ok());
    let (month, day, hour, minute, second) = (two(0)?, two(2)?, two(4)?, two(6)?, two(8)?);
    let in_range =
        (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 60;
    in_range.then(|| days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// The days from 1970-01-01 to a day of the Gregorian calendar, for years from 0.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March end with the day that not every year has.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}

/// DER elements one after another: tag and content. What is cut off ends them.
#[derive(Clone)]
struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    /// The content of the next element that has the tag.
    fn find(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.find_map(|(found, content)| (found == tag).then_some(content))
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (tag, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(*first), rest),
            0x81..=0x84 => {
                let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)), rest)
            }
            // Indefinite lengths are no DER, and nothing is longer.
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, content))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, SanType};

    use super::*;

    const NAMES: [&str; 5] = [
        "scraper.example",
        "192.0.2.7",
        "2001:db8::7",
        "scraper@example.org",
        "spiffe://example.org/scraper",
    ];

    fn made(change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        change(&mut params);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    fn certificate() -> Vec<u8> {
        let [name, v4, v6, email, uri] = NAMES;
        made(|params| {
            params.subject_alt_names = vec![
                SanType::DnsName(name.try_into().unwrap()),
                SanType::IpAddress(v4.parse().unwrap()),
                SanType::IpAddress(v6.parse().unwrap()),
                SanType::Rfc822Name(email.try_into().unwrap()),
                SanType::URI(uri.try_into().unwrap()),
            ];
        })
    }

    #[test]
    fn names_of_every_kind_are_read() {
        assert_eq!(Certificate::read(&certificate()).names(), NAMES);
        assert_eq!(Certificate::read(&made(|_| {})).names(), [""; 0]);
    }

    #[test]
    fn a_time_is_read_in_both_forms() {
        for (tag, text, expected) in [
            (UTC_TIME, "700101000000Z", Some(0)),
            (UTC_TIME, "491231235959Z", Some(2_524_607_999)),
            (UTC_TIME, "500101000000Z", Some(-631_152_000)),
            (GENERALIZED_TIME, "20000229120000Z", Some(951_825_600)),
            (GENERALIZED_TIME, "21000301000000Z", Some(4_107_542_400)),
            (GENERALIZED_TIME, "99991231235959Z", Some(253_402_300_799)),
            (GENERALIZED_TIME, "20001301000000Z", None),
            (UTC_TIME, "000101000060Z", None),
            (UTC_TIME, "0001010000Z", None),
            (UTC_TIME, "00010100000+Z", None),
            (UTC_TIME, "000101000000", None),
            (OCTETS, "000101000000Z", None),
        ] {
            assert_eq!(seconds((tag, text.as_bytes())), expected, "{text}");
        }
    }

    #[test]
    fn the_time_in_which_a_certificate_is_valid_is_read() {
        let of = |first, last| {
            let certificate = made(|params| {
                params.not_before = rcgen::date_time_ymd(first, 1, 1);
                params.not_after = rcgen::date_time_ymd(last, 1, 1);
            });
            Certificate::read(&certificate).validity()
        };
        assert_eq!(of(1970, 2000), Some((0, 946_684_800)));
        assert_eq!(of(2049, 2050), Some((2_493_072_000, 2_524_608_000)));
    }

    #[test]
    fn an_authority_is_one_that_may_sign_certificates() {
        use rcgen::{BasicConstraints, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose};
        let is_authority = |is_ca: IsCa, usages: &[KeyUsagePurpose]| {
            let certificate = made(|params| {
                params.is_ca = is_ca;
                params.key_usages = usages.to_vec();
            });
            Certificate::read(&certificate).is_authority()
        };
        let ca = || IsCa::Ca(BasicConstraints::Unconstrained);
        assert!(is_authority(ca(), &[]) && is_authority(ca(), &[KeyUsagePurpose::KeyCertSign]));
        assert!(is_authority(IsCa::Ca(BasicConstraints::Constrained(0)), &[]));
        assert!(!is_authority(ca(), &[KeyUsagePurpose::DigitalSignature]));
        assert!(!is_authority(IsCa::NoCa, &[]) && !is_authority(IsCa::ExplicitNoCa, &[]));

        let is_for_clients = |usages: &[ExtendedKeyUsagePurpose]| {
            let certificate = made(|params| params.extended_key_usages = usages.to_vec());
            Certificate::read(&certificate).is_for_clients()
        };
        let [server, client, any] = [
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
            ExtendedKeyUsagePurpose::Any,
        ];
        assert!(is_for_clients(&[]) && is_for_clients(&[any]) && is_for_clients(&[server.clone(), client]));
        assert!(!is_for_clients(&[server]));
    }

    proptest! {
        #[test]
        fn no_prefix_and_no_mutation_of_a_certificate_stops_us(cut in 0_usize..600, at in 0_usize..600, byte: u8) {
            let mut bytes = certificate();
            bytes.truncate(cut.max(1));
            let at = at % bytes.len();
            bytes[at] = byte;
            read_all(&bytes);
        }

        #[test]
        fn no_bytes_at_all_stop_us(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            read_all(&bytes);
        }
    }

    fn read_all(bytes: &[u8]) {
        let certificate = Certificate::read(bytes);
        _ = (
            certificate.names(),
            certificate.validity(),
            certificate.is_for_clients(),
            certificate.is_authority(),
        );
    }
}
