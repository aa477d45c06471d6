//! Versions, cipher suites and curves by Go's names, and which of them this program has.

use rustls::crypto::SupportedKxGroup;
use rustls::crypto::aws_lc_rs::{ALL_CIPHER_SUITES, ALL_KX_GROUPS};
use rustls::{CipherSuite, NamedGroup, ProtocolVersion, SupportedCipherSuite};

use crate::strict_yaml::Entry;

/// The versions that there are, oldest first.
const VERSIONS: [(&str, ProtocolVersion); 2] =
    [("TLS12", ProtocolVersion::TLSv1_2), ("TLS13", ProtocolVersion::TLSv1_3)];

/// The suites that there are.
const SUITES: [(&str, CipherSuite); 9] = [
    ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
    (
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
    ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
    ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
    ("TLS_AES_128_GCM_SHA256", CipherSuite::TLS13_AES_128_GCM_SHA256),
    ("TLS_AES_256_GCM_SHA384", CipherSuite::TLS13_AES_256_GCM_SHA384),
    ("TLS_CHACHA20_POLY1305_SHA256", CipherSuite::TLS13_CHACHA20_POLY1305_SHA256),
];

/// Suites that Go has and this program has not: without forward secrecy, or with CBC.
const LACKING_SUITES: [&str; 8] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
];

/// The curves that there are.
const CURVES: [(&str, NamedGroup); 4] = [
    ("X25519", NamedGroup::X25519),
    ("CurveP256", NamedGroup::secp256r1),
    ("CurveP384", NamedGroup::secp384r1),
    ("X25519MLKEM768", NamedGroup::X25519MLKEM768),
];

/// The curves that Go has and this program has not.
const LACKING_CURVES: [&str; 1] = ["CurveP521"];

const ALLOWED_VERSIONS: &str = "TLS12, TLS13";
/// Versions that Go has and this program has not.
const LACKING_VERSIONS: [&str; 2] = ["TLS10", "TLS11"];

/// The oldest version: 1.2 or 1.3. An older one than that means 1.2.
pub(super) fn min_version(entry: &Entry<'_>) -> Option<ProtocolVersion> {
    let word = entry.text(ALLOWED_VERSIONS)?;
    if LACKING_VERSIONS.contains(&word.as_str()) {
        entry
            .warn(&format!("found \"{word}\", which is broken: TLS12 is the oldest version of this program"));
        return Some(ProtocolVersion::TLSv1_2);
    }
    entry.one_of(&word, &VERSIONS, ALLOWED_VERSIONS)
}

/// The newest version: 1.2 or 1.3.
pub(super) fn max_version(entry: &Entry<'_>) -> Option<ProtocolVersion> {
    let word = entry.text(ALLOWED_VERSIONS)?;
    if LACKING_VERSIONS.contains(&word.as_str()) {
        entry.error(&format!(
            "found \"{word}\", which is broken and which this program does not speak; expected: {ALLOWED_VERSIONS}"
        ));
        return None;
    }
    entry.one_of(&word, &VERSIONS, ALLOWED_VERSIONS)
}

/// A cipher suite; those of TLS 1.3 are names too, but nothing switches them off.
pub(super) fn suite(entry: &Entry<'_>) -> Option<SupportedCipherSuite> {
    let expected = listed(&SUITES);
    let word = entry.text(&expected)?;
    if LACKING_SUITES.contains(&word.as_str()) {
        entry.warn(&format!("found \"{word}\", which this program does not speak: it is left out"));
        return None;
    }
    if ["_CBC_", "_RC4_", "_3DES_"].iter().any(|part| word.contains(part)) {
        entry.error(&format!(
            "found \"{}\", which is weak and which this program does not speak; expected: {expected}",
            crate::terminal::shown(&word)
        ));
        return None;
    }
    let suite = entry.one_of(&word, &SUITES, &expected)?;
    ALL_CIPHER_SUITES.iter().find(|known| known.suite() == suite).copied()
}

/// A curve.
pub(super) fn curve(entry: &Entry<'_>) -> Option<&'static dyn SupportedKxGroup> {
    let expected = listed(&CURVES);
    let word = entry.text(&expected)?;
    if LACKING_CURVES.contains(&word.as_str()) {
        entry.warn(&format!("found \"{word}\", which this program does not have: it is left out"));
        return None;
    }
    let group = entry.one_of(&word, &CURVES, &expected)?;
    ALL_KX_GROUPS.iter().find(|known| known.name() == group).copied()
}

/// Notes that none of these suites is of a version that is spoken.
pub(super) fn refuse_suites(entry: &Entry<'_>) {
    let expected = listed(&SUITES);
    entry.error(&format!(
        "found no suite that this program has for max_version; expected: at least one of {expected}"
    ));
}

/// Notes that there are none of these curves.
pub(super) fn refuse_curves(entry: &Entry<'_>) {
    let expected = listed(&CURVES);
    entry.error(&format!("found no curve that this program has; expected: at least one of {expected}"));
}

fn listed<T>(known: &[(&str, T)]) -> String {
    known.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}
