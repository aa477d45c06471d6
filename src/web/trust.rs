//! Which servers a client trusts over TLS.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::authorities::OF_SYSTEM;

/// The configuration of a client that trusts the authorities of a file, or of the system without one; or any server.
///
/// # Errors
/// If the file has no certificate of an authority.
pub fn client_tls(authorities: Option<&Path>, trusts_any: bool) -> Result<Arc<ClientConfig>, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| format!("cannot speak TLS: {error}"))?;
    let mut config = if trusts_any {
        let verifier = Arc::new(TrustsAny(provider));
        builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
    } else {
        builder.with_root_certificates(roots(authorities)?).with_no_client_auth()
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn roots(authorities: Option<&Path>) -> Result<RootCertStore, String> {
    let (name, bundle) = if let Some(path) = authorities {
        let name = path.display().to_string();
        let read = fs::read(path).map_err(|error| format!("cannot read {name}: {error}"))?;
        (name, read)
    } else {
        let bundle = OF_SYSTEM.iter().find_map(|path| fs::read(path).ok());
        (OF_SYSTEM.join(", "), bundle.unwrap_or_default())
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&bundle).flatten());
    if roots.is_empty() {
        return Err(format!(
            "found no certificate of an authority in {name}; expected: PEM, -----BEGIN CERTIFICATE-----"
        ));
    }
    Ok(roots)
}

/// Takes any certificate, as `curl --insecure` does; signatures must still be right.
#[derive(Debug)]
struct TrustsAny(Arc<CryptoProvider>);

impl ServerCertVerifier for TrustsAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
