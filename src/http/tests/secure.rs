//! The server with a web configuration: TLS, clients' certificates, passwords, headers, rate.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;

use super::{Fake, Limits, Outcome, Reply, Server};
use crate::web::Web;

const SMALL: Outcome = Outcome::Pieces(1, Duration::ZERO);
const EVERY_PATH: [&str; 6] = ["/", "/metrics", "/health", "/-/healthy", "/-/ready", "/nothing"];

/// An authority, and what it has signed.
pub(super) struct Authority(Issuer<'static, KeyPair>, String);

pub(super) struct Pair {
    pub(super) certificate: String,
    pub(super) key: String,
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self(Issuer::new(params, key), pem)
    }

    fn sign(&self, name: &str) -> Pair {
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        Pair { certificate: params.signed_by(&key, &self.0).unwrap().pem(), key: key.serialize_pem() }
    }
}

/// A server with a certificate of the authority's, and what else its configuration says about TLS.
pub(super) fn server(authority: &Authority, more: &str, limits: Limits) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let Pair { certificate, key } = authority.sign("localhost");
    write(folder.path(), "ca.pem", &authority.1);
    write(folder.path(), "server.pem", &certificate);
    write(folder.path(), "server.key", &key);
    let text = format!("tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n{more}");
    write(folder.path(), "web.yml", &text);
    Server::behind(Web::open(&folder.path().join("web.yml"), |_| {}).unwrap(), Fake::new(SMALL), limits)
}

/// A server without TLS.
fn plain(text: &str) -> Server {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "web.yml", text);
    let web = Web::open(&folder.path().join("web.yml"), |_| {}).unwrap();
    Server::behind(web, Fake::new(SMALL), Limits::default())
}

fn write(folder: &Path, name: &str, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(folder.join(name), text).unwrap();
    std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Asks over TLS for `/health`; the version spoken and the answer.
pub(super) async fn ask(
    server: &Server,
    authority: &Authority,
    pair: Option<&Pair>,
    versions: &[&'static SupportedProtocolVersion],
) -> std::io::Result<(ProtocolVersion, Reply)> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.1.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
    let builder = builder.with_root_certificates(roots);
    let config = match pair {
        None => builder.with_no_client_auth(),
        Some(Pair { certificate, key }) => {
            let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            // Which do not have to belong together.
            let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).unwrap();
            let shown = rustls::sign::SingleCertAndKey::from(rustls::sign::CertifiedKey::new(chain, key));
            builder.with_client_cert_resolver(Arc::new(shown))
        }
    };
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, server.connect().await).await?;
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    Ok((stream.get_ref().1.protocol_version().unwrap(), Reply::read(&bytes)))
}

#[tokio::test]
async fn both_versions_are_spoken_unless_one_is_ruled_out() {
    let authority = Authority::new();
    let (old, new) = (&rustls::version::TLS12, &rustls::version::TLS13);
    let both = server(&authority, "", Limits::default());
    for version in [old, new] {
        let (spoken, reply) = ask(&both, &authority, None, &[version]).await.unwrap();
        assert_eq!((spoken, reply.status()), (version.version, 200));
    }
    let late = server(&authority, "  min_version: TLS13\n", Limits::default());
    assert!(ask(&late, &authority, None, &[old]).await.is_err());
    assert_eq!(ask(&late, &authority, None, &[old, new]).await.unwrap().0, new.version);
    let early = server(&authority, "  max_version: TLS12\n", Limits::default());
    assert!(ask(&early, &authority, None, &[new]).await.is_err());
    assert_eq!(ask(&early, &authority, None, &[old, new]).await.unwrap().0, old.version);
}

#[tokio::test]
async fn a_client_shows_what_the_configuration_asks_for() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let ours = authority.sign("scraper.example");
    let other = authority.sign("other.example");
    let foreign = stranger.sign("scraper.example");
    let sans = "  client_allowed_sans: [scraper.example]\n";
    let verify = "  client_ca_file: ca.pem\n  client_auth_type: RequireAndVerifyClientCert\n";
    let if_given = "  client_ca_file: ca.pem\n  client_auth_type: VerifyClientCertIfGiven\n";
    let any = "  client_auth_type: RequireAnyClientCert\n";
    // Whether a client without a certificate, with ours, with another name's, with a stranger's comes in.
    for (more, comes_in) in [
        ("  client_auth_type: NoClientCert\n".to_owned(), [true, true, true, true]),
        ("  client_auth_type: RequestClientCert\n".to_owned(), [true, true, true, true]),
        (any.to_owned(), [false, true, true, true]),
        (if_given.to_owned(), [true, true, true, false]),
        (verify.to_owned(), [false, true, true, false]),
        (format!("{verify}{sans}"), [false, true, false, false]),
        (format!("{any}{sans}"), [false, true, false, true]),
    ] {
        let server = server(&authority, &more, Limits::default());
        let clients = [None, Some(&ours), Some(&other), Some(&foreign)];
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            for (pair, comes_in) in clients.into_iter().zip(comes_in) {
                let reply = ask(&server, &authority, pair, &[version]).await;
                assert_eq!(
                    reply.is_ok_and(|(_, reply)| reply.status() == 200),
                    comes_in,
                    "{more} {version:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn plain_http_where_tls_is_spoken_is_answered_with_an_error() {
    let server = server(&Authority::new(), "", Limits::default());
    for method in ["GET", "HEAD", "POST", "PUT", "OPTIONS"] {
        let (bytes, _) = server.exchange(format!("{method} / HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await;
        let said = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
        assert_eq!(String::from_utf8(bytes).unwrap(), said, "{method}");
    }
    let (bytes, _) = server.exchange(b"SSH-2.0-OpenSSH_9.2\r\n").await;
    assert!(!bytes.starts_with(b"HTTP"), "{bytes:?}");
}

#[tokio::test]
async fn a_healthcheck_finds_out_whether_tls_is_spoken() {
    let authority = Authority::new();
    let any = "  client_auth_type: RequireAnyClientCert\n";
    let hash = bcrypt::hash("secret", 4).unwrap();
    for server in [
        plain(""),
        plain(&format!("basic_auth_users: {{alice: {hash}}}\n")),
        server(&authority, "", Limits::default()),
        server(&authority, "  max_version: TLS12\n", Limits::default()),
        server(&authority, any, Limits::default()),
        server(&authority, &format!("{any}  max_version: TLS12\n"), Limits::default()),
    ] {
        let address = server.address;
        let asked = tokio::task::spawn_blocking(move || crate::http::healthcheck(address, super::LONG));
        asked.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_slow_handshake_ends_with_the_time_for_a_header() {
    let limits = Limits { header: Duration::from_millis(400), ..Limits::default() };
    let server = server(&Authority::new(), "", limits);
    // Nothing; part of the head of a record; the head of one of 512 bytes, and some of them.
    for beginning in [&b""[..], b"\x16\x03", b"\x16\x03\x01\x02\x00\x01\x00"] {
        let mut stream = server.say(beginning).await;
        let begin = Instant::now();
        _ = super::rest(&mut stream).await;
        let taken = begin.elapsed();
        assert!(taken >= Duration::from_millis(350), "{beginning:?}: {taken:?}");
    }
}

#[tokio::test]
async fn a_password_is_asked_for_on_every_path() {
    let hash = bcrypt::hash("secret", 4).unwrap();
    let headers = "http_server_config: {headers: {X-Frame-Options: deny}}";
    let server = plain(&format!("{headers}\nbasic_auth_users: {{alice: {hash}}}\n"));
    for path in EVERY_PATH {
        for wrong in [
            "",
            "Authorization: Basic YWxpY2U6d3Jvbmc=\r\n",
            "Authorization: Basic Ym9iOnNlY3JldA==\r\n",
            "Authorization: Bearer secret\r\n",
        ] {
            for method in ["GET", "POST"] {
                let reply = server.ask(method, path, wrong).await;
                assert_eq!(
                    (reply.status(), &reply.body[..]),
                    (401, &b"Unauthorized\n"[..]),
                    "{path} {wrong}"
                );
                assert_eq!(reply.header("www-authenticate"), Some("Basic"));
                assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"));
                assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
                assert_eq!(reply.header("x-frame-options"), Some("deny"));
            }
        }
        let reply = server.ask("GET", path, "Authorization: Basic YWxpY2U6c2VjcmV0\r\n").await;
        assert_eq!(reply.status(), if path == "/nothing" { 404 } else { 200 }, "{path}");
        assert_eq!(reply.header("x-frame-options"), Some("deny"));
    }
    assert_eq!(server.fake.requests.load(std::sync::atomic::Ordering::Relaxed), 1, "a stranger collected");
}

#[tokio::test]
async fn more_requests_than_the_rate_are_turned_away_before_anything_else() {
    let hash = bcrypt::hash("secret", 4).unwrap();
    let server =
        plain(&format!("rate_limit: {{interval: 1h, burst: 2}}\nbasic_auth_users: {{alice: {hash}}}\n"));
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(server.ask("GET", "/health", "").await.status());
    }
    assert_eq!(statuses, [401, 401, 429, 429]);
}
