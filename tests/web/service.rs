//! The program behind a web configuration, and a client that takes whatever certificate it is shown.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};

use super::fixtures::{Fixtures, Pair};

/// A running exporter, ended with the test.
pub struct Service {
    child: Child,
    pub address: SocketAddr,
    client: Arc<ClientConfig>,
}

/// An answer, and the certificate that was shown before it.
pub struct Answer {
    pub status: u16,
    pub text: String,
    pub certificate: Vec<u8>,
}

pub fn program(fixtures: &Fixtures, arguments: &[&str]) -> Command {
    let mut command = testkit::exporter::program();
    command.arg("--web.listen-address=127.0.0.1:8020").args(arguments).current_dir(fixtures.folder());
    command.arg("--web.config.file=web.yml");
    command
}

impl Service {
    pub fn start(fixtures: &Fixtures) -> Self {
        Self::start_with(fixtures, &[])
    }

    pub fn start_with(fixtures: &Fixtures, arguments: &[&str]) -> Self {
        let child = program(fixtures, arguments).stderr(Stdio::piped()).spawn().expect("the program");
        let address = ([127, 0, 0, 1], 8020).into();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyServer))
            .with_no_client_auth();
        let service = Self { child, address, client: Arc::new(client) };
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < deadline, "the exporter does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        service
    }

    /// A connection without TLS.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
        stream
    }

    /// The same service for a client that shows this certificate.
    pub fn showing(&mut self, pair: &Pair) {
        let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).expect("PEM");
        let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).expect("PEM");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyServer))
            .with_client_auth_cert(vec![certificate], key);
        self.client = Arc::new(client.expect("a pair"));
    }

    /// Asks over a new connection, which is how long a handshake and an answer take together.
    pub fn get(&self, path: &str, user: Option<(&str, &str)>) -> std::io::Result<Answer> {
        let name = ServerName::from(self.address.ip());
        let mut tls = ClientConnection::new(Arc::clone(&self.client), name).map_err(std::io::Error::other)?;
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        let mut stream = rustls::Stream::new(&mut tls, &mut stream);
        let login = user.map_or_else(String::new, |(name, password)| {
            let both = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
            format!("Authorization: Basic {both}\r\n")
        });
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{login}\r\n");
        stream.write_all(request.as_bytes())?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let status = text.split(' ').nth(1).and_then(|code| code.parse().ok());
        let certificate = tls.peer_certificates().and_then(<[_]>::first).expect("shown").to_vec();
        Ok(Answer { status: status.ok_or(std::io::ErrorKind::UnexpectedEof)?, text, certificate })
    }

    /// Whether something becomes so within a time in which the files are looked at again.
    pub fn soon(&self, mut so: impl FnMut(&Self) -> bool) -> bool {
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline {
            if so(self) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        false
    }

    /// Ends it at once and returns what it logged.
    pub fn log(mut self) -> String {
        let _ = self.child.kill();
        let mut log = String::new();
        self.child.stderr.take().expect("a pipe").read_to_string(&mut log).expect("text");
        log
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Debug)]
struct AnyServer;

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
