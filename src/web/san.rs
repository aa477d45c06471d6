//! The names that a certificate gives its owner (subject alternative names, RFC 5280, section 4.2.1.6).
//!
//! Reads as much DER as that takes. Refuses to know whether the certificate is to be trusted.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The object identifier 2.5.29.17.
const SUBJECT_ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];

const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;
const OCTETS: u8 = 0x04;
/// `[3] EXPLICIT`: the extensions of a certificate.
const EXTENSIONS: u8 = 0xa3;
const EMAIL: u8 = 0x81;
const DNS: u8 = 0x82;
const URI: u8 = 0x86;
const IP: u8 = 0x87;

/// The DNS names, addresses, e-mail addresses and URIs of a certificate, as text; of what is no certificate, none.
pub(super) fn names(certificate: &[u8]) -> Vec<String> {
    extension(certificate).map(read).unwrap_or_default()
}

/// The list of names inside a certificate.
fn extension(certificate: &[u8]) -> Option<Elements<'_>> {
    let certificate = Elements(certificate).find(SEQUENCE)?;
    let signed = Elements(certificate).find(SEQUENCE)?;
    let extensions = Elements(signed).find(EXTENSIONS)?;
    let extensions = Elements(extensions).find(SEQUENCE)?;
    let one = |content| {
        let mut parts = Elements(content);
        // Between the two there may be a flag that says how important it is.
        let names = parts.next() == Some((OBJECT_IDENTIFIER, SUBJECT_ALTERNATIVE_NAMES));
        names.then(|| parts.find(OCTETS)).flatten()
    };
    let value = Elements(extensions).find_map(|(_, content)| one(content))?;
    Elements(value).find(SEQUENCE).map(Elements)
}

fn read(elements: Elements<'_>) -> Vec<String> {
    let text = |content: &[u8]| std::str::from_utf8(content).ok().map(str::to_owned);
    let name = |(tag, content): (u8, &[u8])| match tag {
        EMAIL | DNS | URI => text(content),
        IP => address(content).map(|address| address.to_canonical().to_string()),
        _ => None,
    };
    elements.filter_map(name).collect()
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let four = || <[u8; 4]>::try_from(octets).ok().map(|octets| Ipv4Addr::from(octets).into());
    let sixteen = || <[u8; 16]>::try_from(octets).ok().map(|octets| Ipv6Addr::from(octets).into());
    four().or_else(sixteen)
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

    fn certificate() -> Vec<u8> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = vec![
            SanType::DnsName("scraper.example".try_into().unwrap()),
            SanType::IpAddress("192.0.2.7".parse().unwrap()),
            SanType::IpAddress("2001:db8::7".parse().unwrap()),
            SanType::Rfc822Name("scraper@example.org".try_into().unwrap()),
            SanType::URI("spiffe://example.org/scraper".try_into().unwrap()),
        ];
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn names_of_every_kind_are_read() {
        let all = [
            "scraper.example",
            "192.0.2.7",
            "2001:db8::7",
            "scraper@example.org",
            "spiffe://example.org/scraper",
        ];
        assert_eq!(names(&certificate()), all);
    }

    #[test]
    fn a_certificate_without_names_has_none() {
        let params = CertificateParams::new(Vec::new()).unwrap();
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        assert_eq!(names(certificate.der()), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn no_prefix_and_no_mutation_of_a_certificate_stops_us(cut in 0_usize..600, at in 0_usize..600, byte: u8) {
            let mut bytes = certificate();
            bytes.truncate(cut.max(1));
            let at = at % bytes.len();
            bytes[at] = byte;
            _ = names(&bytes);
        }

        #[test]
        fn no_bytes_at_all_stop_us(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            _ = names(&bytes);
        }
    }
}
