//! Versions, cipher suites and curves by the names that Go gives them, and which of them there are here.
//!
//! Refuses to know how a server uses them.

use rustls::crypto::SupportedKxGroup;
use rustls::crypto::aws_lc_rs::{ALL_CIPHER_SUITES, ALL_KX_GROUPS};
use rustls::{CipherSuite, NamedGroup, ProtocolVersion, SupportedCipherSuite};

use crate::config::entry::Entry;

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

/// The curves that the schema names.
const CURVES: [(&str, NamedGroup); 4] = [
    ("CurveP256", NamedGroup::secp256r1),
    ("CurveP384", NamedGroup::secp384r1),
    ("CurveP521", NamedGroup::secp521r1),
    ("X25519", NamedGroup::X25519),
];

/// A version of TLS: 1.2 or 1.3.
pub(super) fn version(entry: &Entry<'_>) -> Option<ProtocolVersion> {
    const ALLOWED: &str = "TLS12, TLS13";
    let word = entry.text(ALLOWED)?;
    if let "TLS10" | "TLS11" = word.as_str() {
        entry.mistake(&format!(
            "found \"{word}\", which is broken and which this program does not speak; allowed: {ALLOWED}"
        ));
        return None;
    }
    one_of(entry, &word, &VERSIONS, ALLOWED)
}

/// A cipher suite; those of TLS 1.3 are names too, but nothing switches them off.
pub(super) fn suite(entry: &Entry<'_>) -> Option<SupportedCipherSuite> {
    let allowed = listed(&SUITES);
    let word = entry.text(&allowed)?;
    let weak = ["_CBC_", "_RC4_", "_3DES_"].iter().any(|part| word.contains(part));
    if weak || word.starts_with("TLS_RSA_WITH_") {
        entry.mistake(&format!(
            "found \"{}\", which is weak and which this program does not speak; allowed: {allowed}",
            crate::words::shown(&word)
        ));
        return None;
    }
    let suite = one_of(entry, &word, &SUITES, &allowed)?;
    ALL_CIPHER_SUITES.iter().find(|known| known.suite() == suite).copied()
}

/// A curve.
pub(super) fn curve(entry: &Entry<'_>) -> Option<&'static dyn SupportedKxGroup> {
    let here = |group| ALL_KX_GROUPS.iter().find(|known| known.name() == group).copied();
    let known: Vec<_> = CURVES.iter().filter(|(_, group)| here(*group).is_some()).copied().collect();
    let allowed = listed(&known);
    let word = entry.text(&allowed)?;
    if let Some((name, _)) = CURVES.iter().find(|(name, group)| *name == word && here(*group).is_none()) {
        entry.mistake(&format!("found \"{name}\", which this program cannot do; allowed: {allowed}"));
        return None;
    }
    here(one_of(entry, &word, &known, &allowed)?)
}

fn one_of<T: Copy>(entry: &Entry<'_>, word: &str, known: &[(&str, T)], allowed: &str) -> Option<T> {
    let found = known.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
    if found.is_none() {
        entry.strange(word, allowed, known.iter().map(|(name, _)| *name));
    }
    found
}

fn listed<T>(known: &[(&str, T)]) -> String {
    known.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}
