//! `tls_server_config`: certificate, key, clients' certificates, versions, suites and curves.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::{ProtocolVersion, ServerConfig, SupportedCipherSuite, SupportedProtocolVersion};

use super::authorities::Authorities;
use super::client::Verifier;
use super::files::{Care, Files};
use super::names;
use crate::strict_yaml::{Entry, Name, Section, YamlValue};

const CERT: Name = &["cert"];
const CERT_FILE: Name = &["cert_file"];
const KEY: Name = &["key"];
const KEY_FILE: Name = &["key_file"];
const CLIENT_CA: Name = &["client_ca"];
const CLIENT_CA_FILE: Name = &["client_ca_file"];
const CLIENT_AUTH_TYPE: Name = &["client_auth_type"];
const CLIENT_ALLOWED_SANS: Name = &["client_allowed_sans"];
const MIN_VERSION: Name = &["min_version"];
const MAX_VERSION: Name = &["max_version"];
const CIPHER_SUITES: Name = &["cipher_suites"];
const PREFER_SERVER_CIPHER_SUITES: Name = &["prefer_server_cipher_suites"];
const CURVE_PREFERENCES: Name = &["curve_preferences"];

const KEYS: [Name; 13] = [
    CERT,
    CERT_FILE,
    KEY,
    KEY_FILE,
    CLIENT_CA,
    CLIENT_CA_FILE,
    CLIENT_AUTH_TYPE,
    CLIENT_ALLOWED_SANS,
    MIN_VERSION,
    MAX_VERSION,
    CIPHER_SUITES,
    PREFER_SERVER_CIPHER_SUITES,
    CURVE_PREFERENCES,
];

/// What a client has to show; the words are Go's, the last one its older spelling.
const CLIENT_AUTH: [(&str, Auth); 6] = [
    ("NoClientCert", Auth::None),
    ("RequestClientCert", Auth::Any { mandatory: false }),
    ("RequireAnyClientCert", Auth::Any { mandatory: true }),
    ("VerifyClientCertIfGiven", Auth::Verified { mandatory: false }),
    ("RequireAndVerifyClientCert", Auth::Verified { mandatory: true }),
    ("RequireClientCert", Auth::Any { mandatory: true }),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Auth {
    None,
    /// A certificate, signed by any authority.
    Any {
        mandatory: bool,
    },
    /// A certificate that an authority of the configuration signed.
    Verified {
        mandatory: bool,
    },
}

/// The server of a section that says something; `None` if it does not, or says something wrong.
pub(super) fn read(entry: &Entry<'_>, files: &Files, own_file: &Path) -> Option<Arc<ServerConfig>> {
    let section = entry.section(&KEYS);
    let provider = Arc::new(provider(&section));
    let versions = versions(&section);
    check_suites(&section, &provider, &versions);
    let verifier = verifier(&section, files, &provider);
    let prefer = section.filled(PREFER_SERVER_CIPHER_SUITES).and_then(Entry::flag);
    if KEYS.iter().all(|name| section.filled(name).is_none()) {
        return None;
    }
    let chain = either(&section, CERT_FILE, CERT);
    let key = either(&section, KEY_FILE, KEY);
    for (found, names) in [(&chain, "cert_file or cert"), (&key, "key_file or key")] {
        if found.is_none() {
            entry.error(&format!(
                "found TLS without {names}; expected: a certificate and its key, or neither"
            ));
        }
    }
    let chain = chain.and_then(|source| certificates(&source, files));
    let key = key.and_then(|source| private_key(&source, files, own_file));
    if !entry.has_no_error() {
        return None;
    }
    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(&versions);
    let made = builder.and_then(|builder| {
        let builder = match verifier {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        builder.with_single_cert(chain.unwrap_or_default(), key.ok_or(rustls::Error::HandshakeNotComplete)?)
    });
    match made {
        Ok(mut server) => {
            server.ignore_client_order = prefer.unwrap_or(true);
            server.alpn_protocols = vec![b"http/1.1".to_vec()];
            Some(Arc::new(server))
        }
        Err(rustls::Error::InconsistentKeys(_)) => {
            entry.error("found a certificate and a key that do not belong together; expected: a pair");
            None
        }
        Err(error) => {
            entry.error(&format!("found what makes no server: {error}; expected: a certificate and its key"));
            None
        }
    }
}

fn provider(section: &Section<'_>) -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    if let Some(suites) = section.filled(CIPHER_SUITES) {
        let chosen = list(suites, "a list of cipher suites", names::suite);
        // As in Go, the list is about TLS 1.2: the suites of 1.3 cannot be switched off.
        provider.cipher_suites.retain(|suite| suite.tls13().is_some());
        let with_1_2 = chosen.into_iter().filter(|suite| suite.tls13().is_none());
        provider.cipher_suites.extend(with_1_2);
    }
    if let Some(curves) = section.filled(CURVE_PREFERENCES) {
        let chosen = list(curves, "a list of curves", names::curve);
        if chosen.is_empty() && curves.has_no_error() && !curves.items().is_empty() {
            names::refuse_curves(curves);
        }
        if !chosen.is_empty() {
            provider.kx_groups = chosen;
        }
    }
    provider
}

fn list<T>(entry: &Entry<'_>, expected: &str, read: fn(&Entry<'_>) -> Option<T>) -> Vec<T> {
    let items = entry.list(expected).unwrap_or_default();
    items.iter().filter_map(read).collect()
}

fn versions(section: &Section<'_>) -> Vec<&'static SupportedProtocolVersion> {
    let least = section.filled(MIN_VERSION).map_or(Some(ProtocolVersion::TLSv1_2), names::min_version);
    let most = section.filled(MAX_VERSION).map_or(Some(ProtocolVersion::TLSv1_3), names::max_version);
    let (Some(least), Some(most)) = (least, most) else { return Vec::new() };
    let number = |version: ProtocolVersion| u16::from(version);
    let within = |version: &&&SupportedProtocolVersion| {
        (number(least)..=number(most)).contains(&number(version.version))
    };
    let versions: Vec<_> = rustls::ALL_VERSIONS.iter().filter(within).copied().collect();
    if let (true, Some(entry)) = (versions.is_empty(), section.filled(MAX_VERSION)) {
        entry.error("found a version below min_version; expected: min_version or a later one");
    }
    versions
}

/// Notes that the suites of the list leave none for any of the versions.
fn check_suites(section: &Section<'_>, provider: &CryptoProvider, versions: &[&SupportedProtocolVersion]) {
    let Some(entry) = section.filled(CIPHER_SUITES) else { return };
    let fits = |suite: &SupportedCipherSuite| versions.contains(&suite.version());
    if entry.has_no_error() && !provider.cipher_suites.iter().any(fits) {
        names::refuse_suites(entry);
    }
}

fn verifier(
    section: &Section<'_>,
    files: &Files,
    provider: &Arc<CryptoProvider>,
) -> Option<Arc<dyn ClientCertVerifier>> {
    let auth = given(section, CLIENT_AUTH_TYPE).map_or(Some(Auth::None), auth_type)?;
    let authorities = authorities(section, files, auth);
    let names = allowed_names(section, auth);
    let (mandatory, authorities) = match auth {
        Auth::None => return None,
        Auth::Any { mandatory } => (mandatory, None),
        Auth::Verified { mandatory } => (mandatory, Some(authorities?)),
    };
    Some(Arc::new(Verifier { mandatory, authorities, names, provider: Arc::clone(provider) }))
}

/// Who must have signed a client's certificate, if it is to be verified.
fn authorities(section: &Section<'_>, files: &Files, auth: Auth) -> Option<Authorities> {
    if let Some(source) = either(section, CLIENT_CA_FILE, CLIENT_CA) {
        if auth == Auth::None {
            source.entry.error(
                "found an authority for clients' certificates without a client_auth_type that asks for one; \
                 expected: with RequireAndVerifyClientCert or VerifyClientCertIfGiven",
            );
        }
        let authorities = Authorities::of(certificates(&source, files)?);
        let wrong = |error| format!("found what is no authority: {error}; expected: certificates");
        return authorities.map_err(|error| source.entry.error(&wrong(error))).ok();
    }
    let entry = section.filled(CLIENT_AUTH_TYPE)?;
    match auth {
        Auth::None | Auth::Any { .. } => None,
        Auth::Verified { mandatory: true } => {
            entry.error(
                "found clients' certificates to require without client_ca_file or client_ca, so that every public \
                 authority could let clients in; expected: with one",
            );
            None
        }
        // A client without a certificate comes in anyway.
        Auth::Verified { mandatory: false } => {
            entry.warn(
                "found no client_ca_file and no client_ca: clients without a certificate come in, and a certificate \
                 that is given must be signed by an authority of the system",
            );
            Some(Authorities::of_system(files))
        }
    }
}

/// The names of which a client's certificate must have one.
fn allowed_names(section: &Section<'_>, auth: Auth) -> Option<Vec<String>> {
    let entry = section.filled(CLIENT_ALLOWED_SANS)?;
    if !matches!(auth, Auth::Any { mandatory: true } | Auth::Verified { mandatory: true }) {
        entry.error(
            "found names of clients without a client_auth_type that requires a certificate; \
             expected: with RequireAnyClientCert or RequireAndVerifyClientCert",
        );
    }
    let items = entry.list("a list of names").unwrap_or_default();
    Some(items.iter().filter_map(|item| item.text("a name")).collect())
}

/// The entry of that name unless it is null or an empty text, which in Go is the same.
fn given<'s, 'a>(section: &'s Section<'a>, name: Name) -> Option<&'s Entry<'a>> {
    section.filled(name).filter(|entry| entry.node().value != YamlValue::Str(String::new()))
}

fn auth_type(entry: &Entry<'_>) -> Option<Auth> {
    let expected: Vec<_> = CLIENT_AUTH.iter().map(|(word, _)| *word).take(5).collect();
    let expected = expected.join(", ");
    entry.one_of(&entry.text(&expected)?, &CLIENT_AUTH, &expected)
}

/// Text in the file itself, or where it is.
struct Source<'s, 'a> {
    entry: &'s Entry<'a>,
    inline: bool,
}

/// Whichever of two keys says something; a file before what stands in the configuration, as the toolkit has it.
fn either<'s, 'a>(section: &'s Section<'a>, file: Name, inline: Name) -> Option<Source<'s, 'a>> {
    let of_file = given(section, file).map(|entry| Source { entry, inline: false });
    of_file.or_else(|| given(section, inline).map(|entry| Source { entry, inline: true }))
}

impl Source<'_, '_> {
    fn bytes(&self, files: &Files, care: Care) -> Option<Vec<u8>> {
        if self.inline {
            let text = self.entry.verbatim("text that begins with -----BEGIN");
            return text.map(String::into_bytes);
        }
        let path = self.entry.text("the path of a file, from the folder of this one")?;
        files.read(Path::new(&path), care).map_err(|error| self.entry.error(&error)).ok()
    }
}

fn certificates(source: &Source<'_, '_>, files: &Files) -> Option<Vec<CertificateDer<'static>>> {
    let bytes = source.bytes(files, Care::Public)?;
    match CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>() {
        Ok(certificates) if !certificates.is_empty() => return Some(certificates),
        Ok(_) => source.entry.error("found no certificate; expected: PEM, -----BEGIN CERTIFICATE-----"),
        Err(error) => {
            source.entry.error(&format!("found what is no PEM: {error}; expected: certificates in PEM"));
        }
    }
    None
}

fn private_key(source: &Source<'_, '_>, files: &Files, own_file: &Path) -> Option<PrivateKeyDer<'static>> {
    if source.inline
        && let Some(name) = own_file.file_name()
        && let Err(error) = files.guarded(Path::new(name), Care::Private)
    {
        source.entry.error(&error);
    }
    let bytes = source.bytes(files, Care::Private)?;
    let wrong = "found no private key; expected: PEM without a password, PKCS #8, PKCS #1 or SEC 1";
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|_| source.entry.error(wrong)).ok()
}
