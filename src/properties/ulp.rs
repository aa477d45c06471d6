//! The lines of the upper layer protocol: MPTCP and kernel TLS.

use super::operand::Operand;
use super::read::{integer, never, put};
use super::{Line, Listed, Needs, Read, UNKNOWN};
use crate::facts::Facts;
use sockdiag::ulp::{Path, TlsMode};

/// The line `ulp`.
pub(super) const NAME: Line = Line::changing(
    "ulp",
    Read::Text(|facts| std::str::from_utf8(facts.ulp()?.name()).ok()),
    "The upper layer protocol, such as `tls` or `mptcp`, empty without one (`INET_DIAG_ULP_INFO`); `unknown` for a connection that only its close event shows, in TIME_WAIT, and before Linux 6.15 without CAP_NET_ADMIN.",
)
.needs(Needs::ULP)
.listed(Listed::InDetail)
.selected(
    &["ulp"],
    Operand::Text(|_| true, "the name of an upper layer protocol, such as tls or mptcp"),
    "ulp = tls  not ulp = mptcp",
    "by upper layer protocol: `mptcp` is of the subflows of MPTCP connections",
);

/// The line `mptcp_path`.
pub(super) const MPTCP_PATH: Line = Line::changing(
    "mptcp_path",
    Read::Text(|facts| Some(facts.ulp()?.mptcp_path().map_or("", path))),
    "Which path of its MPTCP connection a subflow is: `first`, `joined`, or `backup` if an end uses it only without another; empty for other sockets, `unknown` as for `ulp`.",
)
.needs(Needs::ULP)
.listed(Listed::InDetail)
.selected(
    &["mptcp_path"],
    Operand::Text(|word| ["first", "joined", "backup"].contains(&word), "first, joined or backup"),
    "mptcp_path = backup",
    "by the path of an MPTCP connection that a subflow is",
);

/// The line `tls_version`.
pub(super) const TLS_VERSION: Line = Line::changing(
    "tls_version",
    Read::Own(tls_version, never),
    "The version of kernel TLS, such as `1.3`; empty without kernel TLS or its keys, `unknown` as for `ulp`.",
)
.needs(Needs::ULP)
.listed(Listed::InDetail);

/// The line `tls_cipher`.
pub(super) const TLS_CIPHER: Line = Line::changing(
    "tls_cipher",
    Read::Text(|facts| Some(facts.ulp()?.tls_cipher().unwrap_or_default())),
    "The cipher of kernel TLS, such as `aes-gcm-256`; empty without kernel TLS or its keys, `unknown` as for `ulp`.",
)
.needs(Needs::ULP)
.listed(Listed::InDetail);

/// The line `tls_offload`.
pub(super) const TLS_OFFLOAD: Line = Line::changing(
    "tls_offload",
    Read::Own(tls_offload, never),
    "Who decrypts and encrypts with kernel TLS, such as `rx=sw,tx=hw`: `none`, `sw` (kernel), `hw` or `hw-record` (network device); empty without kernel TLS, `unknown` as for `ulp`.",
)
.needs(Needs::ULP)
.listed(Listed::InDetail);

const fn path(path: Path) -> &'static str {
    match path {
        Path::First => "first",
        Path::Joined => "joined",
        Path::Backup => "backup",
    }
}

fn tls_version(facts: &Facts<'_>, text: &mut Vec<u8>) {
    match facts.ulp().map(|ulp| ulp.tls_version()) {
        // A version is that of SSL 3.1 and so on.
        Some(Some(version @ 0x0301..=0x03ff)) => {
            put(text, "1.");
            integer(text, (version & 0xff) - 1);
        }
        Some(_) => {}
        None => put(text, UNKNOWN),
    }
}

fn tls_offload(facts: &Facts<'_>, text: &mut Vec<u8>) {
    let mode = |mode| match mode {
        TlsMode::None => "none",
        TlsMode::Software => "sw",
        TlsMode::Device => "hw",
        TlsMode::DeviceRecord => "hw-record",
    };
    match facts.ulp().map(|ulp| ulp.tls_modes()) {
        Some(Some((received, sent))) => {
            for part in ["rx=", mode(received), ",tx=", mode(sent)] {
                put(text, part);
            }
        }
        Some(None) => {}
        None => put(text, UNKNOWN),
    }
}
