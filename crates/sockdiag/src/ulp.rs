//! `INET_DIAG_ULP_INFO`: the protocol between a TCP socket and its process, such as kTLS or MPTCP (`net/ipv4/tcp_diag.c`).

use super::attribute::Attribute;
use super::field::Field;
use super::field::NoneValue::Never;
use super::field::Width::U8;
use super::frame::NetlinkAttributes;
use super::protocol::Socket;

/// The name, of any length, behind the header of the first nested attribute.
pub const NAME: Field = Field {
    attribute: Attribute::Ulp,
    name: "INET_ULP_INFO_NAME",
    offset: 4,
    width: U8,
    since: "5.4",
    none: Never,
};
/// The name of the ULP of a subflow of MPTCP.
pub const OF_SUBFLOWS: &str = "mptcp";
/// The name of the ULP of a socket with kTLS.
pub const TLS: &str = "tls";

/// `INET_ULP_INFO_NAME`
const INFO_NAME: u16 = 1;
/// `INET_ULP_INFO_TLS`
const INFO_TLS: u16 = 2;
/// `INET_ULP_INFO_MPTCP`
const INFO_MPTCP: u16 = 3;

/// The first length of `struct tcp_info` by which a kernel shows that it is later than 6.14: that of 6.18.
const WITHOUT_CAPABILITY: usize = 280;

/// The upper layer protocol of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ulp<'a> {
    name: &'a [u8],
    /// The nested attributes of the protocol itself.
    own: &'a [u8],
}

/// Which of its connection's paths a subflow of MPTCP is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// The one that opened the connection.
    First,
    /// One that joined it later.
    Joined,
    /// One that either end wants to use only if no other works.
    Backup,
}

/// Who encrypts or decrypts the records of kTLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// The process: kTLS does nothing in this direction.
    None,
    /// The kernel.
    Software,
    /// The network device.
    Device,
    /// The network device, which also makes the records.
    DeviceRecord,
}

impl<'a> Socket<'a> {
    /// The upper layer protocol, whose name is empty if there is none; `None` if unknown.
    ///
    /// Before Linux 6.15 the kernel reports it only to those with `CAP_NET_ADMIN`, which a mark shows. It never does of what has
    /// no `tcp_info`, such as a remnant, or in a close event.
    #[must_use]
    pub fn ulp(&self) -> Option<Ulp<'a>> {
        let Some(nested) = self.attributes.get(Attribute::Ulp) else {
            let info = self.attributes.get(Attribute::Info)?;
            let shows = info.len() >= WITHOUT_CAPABILITY || self.attributes.get(Attribute::Mark).is_some();
            return shows.then_some(Ulp { name: &[], own: &[] });
        };
        let find = |wanted: u16| NetlinkAttributes(nested).find(|(kind, _)| *kind == wanted);
        let name = find(INFO_NAME).and_then(|(_, name)| name.split(|byte| *byte == 0).next())?;
        let own = find(INFO_TLS).or_else(|| find(INFO_MPTCP)).map_or(&[][..], |(_, own)| own);
        Some(Ulp { name, own })
    }

    /// Whether the kernel reports that it is a subflow of MPTCP: one attribute that most sockets do not have.
    #[must_use]
    #[inline]
    pub fn is_subflow(&self) -> bool {
        self.attributes.get(Attribute::Ulp).is_some() && self.ulp().is_some_and(|ulp| ulp.is(OF_SUBFLOWS))
    }
}

impl<'a> Ulp<'a> {
    /// The kernel's name for it, such as `tls` or `mptcp`.
    #[must_use]
    pub const fn name(&self) -> &'a [u8] {
        self.name
    }

    /// Whether it has that name.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name == name.as_bytes()
    }

    /// An attribute of the protocol with that name.
    fn find<const N: usize>(&self, name: &str, kind: u16) -> Option<[u8; N]> {
        let mut own = NetlinkAttributes(self.own).filter(|_| self.is(name));
        own.find(|(other, _)| *other == kind).and_then(|(_, bytes)| bytes.first_chunk().copied())
    }

    /// Which path a subflow of MPTCP is; `None` of a listener, and of a socket that is no subflow.
    #[must_use]
    pub fn mptcp_path(&self) -> Option<Path> {
        /// `MPTCP_SUBFLOW_ATTR_FLAGS`
        const FLAGS: u16 = 8;
        /// `MPTCP_SUBFLOW_FLAG_MCAP_REM` and `_LOC`
        const CAPABLE: u32 = 1 | 2;
        /// `MPTCP_SUBFLOW_FLAG_JOIN_REM` and `_LOC`
        const JOIN: u32 = 4 | 8;
        /// `MPTCP_SUBFLOW_FLAG_BKUP_REM` and `_LOC`
        const BACKUP: u32 = 16 | 32;
        let flags = u32::from_ne_bytes(self.find(OF_SUBFLOWS, FLAGS)?);
        match flags {
            flags if flags & BACKUP != 0 => Some(Path::Backup),
            flags if flags & JOIN != 0 => Some(Path::Joined),
            flags if flags & CAPABLE != 0 => Some(Path::First),
            _ => None,
        }
    }

    /// The token of the connection that a subflow of MPTCP belongs to, the same in all of them.
    #[must_use]
    pub fn mptcp_token(&self) -> Option<u32> {
        /// `MPTCP_SUBFLOW_ATTR_TOKEN_LOC`
        const TOKEN_LOCAL: u16 = 2;
        self.find(OF_SUBFLOWS, TOKEN_LOCAL).map(u32::from_ne_bytes)
    }

    /// The version of TLS as in its records, such as 0x0304 for 1.3; `None` without keys.
    #[must_use]
    pub fn tls_version(&self) -> Option<u16> {
        /// `TLS_INFO_VERSION`
        const VERSION: u16 = 1;
        self.find(TLS, VERSION).map(u16::from_ne_bytes)
    }

    /// The cipher of kTLS as `ss` spells it; `None` without keys or if the cipher has no name here.
    #[must_use]
    pub fn tls_cipher(&self) -> Option<&'static str> {
        /// `TLS_INFO_CIPHER`
        const CIPHER: u16 = 2;
        /// `TLS_CIPHER_*`
        const CIPHERS: [(u16, &str); 8] = [
            (51, "aes-gcm-128"),
            (52, "aes-gcm-256"),
            (53, "aes-ccm-128"),
            (54, "chacha20-poly1305"),
            (55, "sm4-gcm"),
            (56, "sm4-ccm"),
            (57, "aria-gcm-128"),
            (58, "aria-gcm-256"),
        ];
        let number = u16::from_ne_bytes(self.find(TLS, CIPHER)?);
        CIPHERS.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
    }

    /// Who handles the records of kTLS that are received, and those that are sent.
    #[must_use]
    pub fn tls_modes(&self) -> Option<(TlsMode, TlsMode)> {
        /// `TLS_INFO_TXCONF`
        const SENT: u16 = 3;
        /// `TLS_INFO_RXCONF`
        const RECEIVED: u16 = 4;
        let mode = |kind: u16| match u16::from_ne_bytes(self.find(TLS, kind)?) {
            1 => Some(TlsMode::None),
            2 => Some(TlsMode::Software),
            3 => Some(TlsMode::Device),
            4 => Some(TlsMode::DeviceRecord),
            _ => None,
        };
        Some((mode(RECEIVED)?, mode(SENT)?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::TCP;
    use super::*;

    /// An attribute with its padding.
    fn attribute(kind: u16, payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(4 + payload.len()).expect("short");
        let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
        bytes.extend_from_slice(payload);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    /// A reply about an IPv4 socket with these attributes.
    fn reply(attributes: &[Vec<u8>]) -> Vec<u8> {
        let mut payload = vec![2, 1];
        payload.resize(72, 0);
        payload.extend(attributes.concat());
        payload
    }

    /// `NLA_F_NESTED`
    const NESTED: u16 = 0x8000;

    fn with_ulp(name: &[u8], kind: u16, own: &[Vec<u8>]) -> Vec<u8> {
        let nested = [attribute(1, name), attribute(kind | NESTED, &own.concat())].concat();
        reply(&[attribute(2, &[0; 248]), attribute(0x13 | NESTED, &nested)])
    }

    #[test]
    fn a_subflow_has_its_path_and_the_token_of_its_connection() {
        let path = |flags: u32| {
            let own = [attribute(2, &7_u32.to_ne_bytes()), attribute(8, &flags.to_ne_bytes())];
            let payload = with_ulp(b"mptcp\0", INFO_MPTCP, &own);
            let socket = TCP.parse(&payload).expect("a socket");
            assert!(socket.is_subflow());
            let ulp = socket.ulp().expect("known");
            assert_eq!((ulp.name(), ulp.mptcp_token(), ulp.tls_version()), (&b"mptcp"[..], Some(7), None));
            ulp.mptcp_path()
        };
        assert_eq!(path(1 | 2 | 64 | 128), Some(Path::First));
        assert_eq!(path(4 | 8 | 64), Some(Path::Joined));
        assert_eq!(path(8 | 32), Some(Path::Backup));
        assert_eq!(path(0), None);
    }

    #[test]
    fn the_version_the_cipher_and_both_directions_of_ktls_are_shown_as_ss_shows_them() {
        let of = |own: &[(u16, u16)]| {
            let own: Vec<_> =
                own.iter().map(|(kind, value)| attribute(*kind, &value.to_ne_bytes())).collect();
            let payload = with_ulp(b"tls\0", INFO_TLS, &own);
            let socket = TCP.parse(&payload).expect("a socket");
            assert!(!socket.is_subflow());
            let ulp = socket.ulp().expect("known");
            (ulp.tls_version(), ulp.tls_cipher(), ulp.tls_modes())
        };
        let modes = Some((TlsMode::Software, TlsMode::Device));
        assert_eq!(of(&[(1, 0x0304), (2, 52), (3, 3), (4, 2)]), (Some(0x0304), Some("aes-gcm-256"), modes));
        assert_eq!(of(&[(3, 1), (4, 1)]), (None, None, Some((TlsMode::None, TlsMode::None))));
        assert_eq!(of(&[(2, 99), (3, 9), (4, 1)]), (None, None, None), "numbers of a later kernel");
    }

    #[test]
    fn a_socket_has_no_ulp_only_if_its_kernel_would_have_shown_one() {
        let name = |attributes: &[Vec<u8>]| {
            let payload = reply(attributes);
            TCP.parse(&payload).expect("a socket").ulp().map(|ulp| ulp.name().to_vec())
        };
        assert_eq!(name(&[attribute(2, &[0; 280])]), Some(Vec::new()));
        assert_eq!(name(&[attribute(2, &[0; 248])]), None, "before 6.15, without CAP_NET_ADMIN");
        assert_eq!(name(&[attribute(2, &[0; 232]), attribute(15, &[0; 4])]), Some(Vec::new()));
        assert_eq!(name(&[]), None, "a remnant");
        assert_eq!(name(&[attribute(2, &[0; 280]), attribute(19, &[])]), None, "an empty nest");
    }
}
