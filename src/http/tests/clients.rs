//! Clients' certificates that are in the list of authorities themselves, in a real handshake.

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

use super::Limits;
use super::secure::{Authority, Pair, ask, server};

/// What `openssl req -x509` makes: a certificate that is its own authority.
fn self_signed() -> Pair {
    let mut params = CertificateParams::new(vec!["scraper.example".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    Pair { certificate: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
}

#[tokio::test]
async fn a_client_whose_certificate_is_its_own_authority_comes_in_if_it_is_listed() {
    let authority = Authority::new();
    let (listed, stranger) = (self_signed(), self_signed());
    let quoted = format!("  client_ca: {:?}\n", listed.certificate);
    for (more, comes_in) in [
        ("", true),
        ("  client_allowed_sans: [scraper.example]\n", true),
        ("  client_allowed_sans: [other.example]\n", false),
    ] {
        let more = format!("  client_auth_type: RequireAndVerifyClientCert\n{quoted}{more}");
        let server = server(&authority, &more, Limits::default());
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let reply = ask(&server, &authority, Some(&listed), &[version]).await;
            assert_eq!(reply.is_ok(), comes_in, "{more} {version:?}");
            assert!(ask(&server, &authority, Some(&stranger), &[version]).await.is_err());
            assert!(ask(&server, &authority, None, &[version]).await.is_err());
            // The certificate of another without its key.
            let stolen = Pair { certificate: listed.certificate.clone(), key: stranger.key.clone() };
            assert!(ask(&server, &authority, Some(&stolen), &[version]).await.is_err());
        }
    }
}

#[tokio::test]
async fn without_authorities_a_client_needs_no_certificate_and_none_of_a_stranger_comes_in() {
    let authority = Authority::new();
    let server = server(&authority, "  client_auth_type: VerifyClientCertIfGiven\n", Limits::default());
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        assert!(ask(&server, &authority, None, &[version]).await.is_ok());
        assert!(ask(&server, &authority, Some(&self_signed()), &[version]).await.is_err());
    }
}
