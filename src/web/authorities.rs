//! The certificates of `client_ca_file`, and whether a client's certificate follows from them, as in Go's crypto/x509.
//!
//! A certificate that is itself in the list needs no signature, so that a self-signed one is admitted; webpki refuses it.
//! For authorities, webpki checks neither the time of validity nor the right to sign: both are checked here.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{CertificateError, DistinguishedName, Error, RootCertStore};

use super::certificate::Certificate;
use super::files::{Care, Files};

/// Where Go looks for the authorities of the system, in its order.
pub(super) const OF_SYSTEM: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Certificates that are trusted.
#[derive(Debug, Default)]
pub(super) struct Authorities {
    listed: Vec<CertificateDer<'static>>,
    signers: Vec<Signer>,
    hints: Vec<DistinguishedName>,
}

/// A listed certificate that may sign those of clients.
#[derive(Debug)]
struct Signer {
    anchor: TrustAnchor<'static>,
    /// The first and the last second at which it is valid, since 1970.
    validity: (i64, i64),
}

impl Authorities {
    /// Those of a configuration, whose names clients are shown.
    pub(super) fn of(listed: Vec<CertificateDer<'static>>) -> Result<Self, Error> {
        let mut authorities = Self::default();
        for certificate in listed {
            authorities.add(certificate)?;
        }
        Ok(authorities)
    }

    /// Those of the system, as far as they can be read; clients are shown no names.
    pub(super) fn of_system(files: &Files) -> Self {
        let bundle = OF_SYSTEM.iter().find_map(|path| files.read(path.as_ref(), Care::Public).ok());
        let mut authorities = Self::default();
        for certificate in CertificateDer::pem_slice_iter(&bundle.unwrap_or_default()).flatten() {
            _ = authorities.add(certificate);
        }
        authorities.hints.clear();
        authorities
    }

    fn add(&mut self, certificate: CertificateDer<'static>) -> Result<(), Error> {
        let mut store = RootCertStore::empty();
        store.add(certificate.clone())?;
        self.hints.extend(store.subjects());
        let read = Certificate::read(&certificate);
        let may_sign = read.is_authority() && read.is_for_clients();
        if let Some((anchor, validity)) = store.roots.pop().zip(read.validity()).filter(|_| may_sign) {
            self.signers.push(Signer { anchor, validity });
        }
        self.listed.push(certificate);
        Ok(())
    }

    /// The names of the authorities, by which a client chooses its certificate.
    pub(super) fn hints(&self) -> &[DistinguishedName] {
        &self.hints
    }

    /// Whether the certificate is in the list or follows from it.
    pub(super) fn verify(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
        provider: &Arc<CryptoProvider>,
    ) -> Result<(), Error> {
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        if self.listed.iter().any(|listed| listed == end_entity) {
            return listed(Certificate::read(end_entity), seconds);
        }
        let by = |is_valid: &dyn Fn(&Signer) -> bool| {
            let anchors =
                self.signers.iter().filter(|signer| is_valid(signer)).map(|signer| signer.anchor.clone());
            let roots = RootCertStore { roots: anchors.collect() };
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
            // There is none without roots.
            let verifier = verifier.map_err(|_| CertificateError::UnknownIssuer)?;
            verifier.verify_client_cert(end_entity, intermediates, now).map(drop)
        };
        let unknown = Err(CertificateError::UnknownIssuer.into());
        let verified = by(&|signer| time(signer.validity, seconds).is_ok());
        if verified == unknown && by(&|_| true).is_ok() {
            return Err(CertificateError::Expired.into());
        }
        verified
    }
}

/// Whether a certificate of the list may be shown by a client now.
fn listed(certificate: Certificate<'_>, now: i64) -> Result<(), Error> {
    time(certificate.validity().ok_or(CertificateError::BadEncoding)?, now)?;
    if certificate.is_for_clients() { Ok(()) } else { Err(CertificateError::InvalidPurpose.into()) }
}

fn time((first, last): (i64, i64), now: i64) -> Result<(), CertificateError> {
    match now {
        _ if now < first => Err(CertificateError::NotValidYet),
        _ if now > last => Err(CertificateError::Expired),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
        KeyUsagePurpose, date_time_ymd,
    };
    use rustls::crypto::aws_lc_rs::default_provider;

    use super::*;

    /// A certificate that can sign others.
    struct Made {
        params: CertificateParams,
        key: KeyPair,
        certificate: CertificateDer<'static>,
    }

    fn params(name: &str, change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2040, 1, 1);
        change(&mut params);
        params
    }

    fn own(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Made {
        let (params, key) = (params(name, change), KeyPair::generate().unwrap());
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Made { params, key, certificate }
    }

    fn signed(by: &Made, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Made {
        let (params, key) = (params(name, change), KeyPair::generate().unwrap());
        let issuer = Issuer::from_params(&by.params, &by.key);
        let certificate = params.signed_by(&key, &issuer).unwrap().der().clone();
        Made { params, key, certificate }
    }

    fn authority(params: &mut CertificateParams) {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }

    fn expired(params: &mut CertificateParams) {
        params.not_after = date_time_ymd(2021, 1, 1);
    }

    fn for_servers(params: &mut CertificateParams) {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    }

    /// What becomes of a client in the year 2026.
    fn verdict(listed: &[&Made], shown: &[&Made]) -> Result<(), Error> {
        let certificates =
            |made: &[&Made]| made.iter().map(|made| made.certificate.clone()).collect::<Vec<_>>();
        let authorities = Authorities::of(certificates(listed)).unwrap();
        assert_eq!(authorities.hints().len(), listed.len());
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_780_000_000));
        let chain = certificates(shown);
        authorities.verify(&chain[0], &chain[1..], now, &Arc::new(default_provider()))
    }

    #[test]
    fn a_certificate_of_the_list_is_admitted_whatever_signed_it() {
        let (itself, leaf) = (own("a", authority), own("b", |_| {}));
        let by_other = signed(&own("unlisted", authority), "c", |_| {});
        for made in [&itself, &leaf, &by_other] {
            assert_eq!(verdict(&[&leaf, &by_other, &itself], &[made]), Ok(()));
        }
    }

    #[test]
    fn a_certificate_of_the_list_must_be_valid_and_for_clients() {
        let late = |params: &mut CertificateParams| params.not_before = date_time_ymd(2030, 1, 1);
        for (made, wrong) in [
            (own("a", expired), CertificateError::Expired),
            (own("a", late), CertificateError::NotValidYet),
            (own("a", for_servers), CertificateError::InvalidPurpose),
        ] {
            assert_eq!(verdict(&[&made], &[&made]), Err(wrong.into()));
        }
    }

    #[test]
    fn an_authority_of_the_list_lets_in_whom_it_signed() {
        let root = own("root", authority);
        let middle = signed(&root, "middle", authority);
        assert_eq!(verdict(&[&root], &[&signed(&root, "a", |_| {})]), Ok(()));
        assert_eq!(verdict(&[&root], &[&signed(&middle, "a", |_| {}), &middle]), Ok(()));
        assert!(verdict(&[&root], &[&signed(&middle, "a", |_| {})]).is_err());
        assert!(verdict(&[&root], &[&signed(&root, "a", expired)]).is_err());
        assert!(verdict(&[&root], &[&signed(&root, "a", for_servers)]).is_err());
        assert!(verdict(&[], &[&root]).is_err());
    }

    #[test]
    fn what_is_no_authority_or_expired_admits_no_other_client() {
        let no_signatures = |params: &mut CertificateParams| {
            authority(params);
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        };
        let for_servers = |params: &mut CertificateParams| {
            authority(params);
            for_servers(params);
        };
        for by in [own("a", |_| {}), own("a", no_signatures), own("a", for_servers)] {
            let client = signed(&by, "b", |_| {});
            assert_eq!(verdict(&[&by], &[&client]), Err(CertificateError::UnknownIssuer.into()));
        }
        let old = own("a", |params| {
            authority(params);
            expired(params);
        });
        assert_eq!(verdict(&[&old], &[&signed(&old, "b", |_| {})]), Err(CertificateError::Expired.into()));
    }

    #[test]
    fn a_certificate_that_only_resembles_one_of_the_list_is_refused() {
        let (listed, forged) = (own("a", authority), own("a", authority));
        assert!(verdict(&[&listed], &[&forged]).is_err());
        assert!(verdict(&[&listed], &[&signed(&forged, "b", |_| {})]).is_err());
        assert!(verdict(&[&listed], &[&own("a", |_| {})]).is_err());
    }
}
