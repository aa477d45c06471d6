//! Asking the door of another process whether it is open, for containers without a shell.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{AlertDescription, ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};

/// What a door that speaks TLS answers to somebody who does not.
const SPEAKS_TLS: &[u8] = b"HTTP/1.0 400";

/// Whether the exporter at `address` answers `/health`; neither connecting nor any step after it may
/// take longer than `patience`.
///
/// One that speaks TLS says so, and is then asked again over TLS: whoever asks need not know. Its certificate is not
/// looked at, since it is this host that is asked.
///
/// # Errors
///
/// When there is no answer, or another than 200, 401 or 429: a door that asks for a password is a healthy one, and so
/// is one that asks for a certificate, and one at which too many others knock.
pub fn healthcheck(address: SocketAddr, patience: Duration) -> io::Result<()> {
    let status = ask(connect(address, patience)?, address, patience)?;
    judge(if status == SPEAKS_TLS { over_tls(address, patience)? } else { status })
}

fn judge(status: Status) -> io::Result<()> {
    if matches!(&status, b"HTTP/1.1 200" | b"HTTP/1.1 401" | b"HTTP/1.1 429") {
        return Ok(());
    }
    Err(io::Error::other(format!("it answers {:?}", String::from_utf8_lossy(&status))))
}

/// How an answer begins.
type Status = [u8; "HTTP/1.1 200".len()];

fn connect(address: SocketAddr, patience: Duration) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    Ok(stream)
}

fn over_tls(address: SocketAddr, patience: Duration) -> io::Result<Status> {
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyServer))
        .with_no_client_auth();
    let server = ServerName::from(address.ip());
    let mut tls = ClientConnection::new(Arc::new(config), server).map_err(io::Error::other)?;
    let mut stream = connect(address, patience)?;
    let asked = ask(rustls::Stream::new(&mut tls, &mut stream), address, patience);
    // As much a sign of health as being asked for a password.
    asked.or_else(|error| if asks_for_certificate(&error) { Ok(*b"HTTP/1.1 401") } else { Err(error) })
}

fn asks_for_certificate(error: &io::Error) -> bool {
    let tls = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
    matches!(tls, Some(rustls::Error::AlertReceived(AlertDescription::CertificateRequired)))
}

fn ask(mut stream: impl Read + Write, address: SocketAddr, patience: Duration) -> io::Result<Status> {
    // In one piece, which is one record of TLS.
    // The interface of a link-local address means nothing to others.
    let host = SocketAddr::new(address.ip(), address.port());
    let request = format!("GET /health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    stream.flush()?;
    let mut status = Status::default();
    stream.read_exact(&mut status).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => io::Error::other(format!("no answer within {} s", patience.as_secs())),
        _ => error,
    })?;
    Ok(status)
}

/// Takes whoever answers for the exporter.
#[derive(Debug)]
struct AnyServer;

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn asked(answer: &'static str) -> io::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept()?;
            // What is left unread would reset the connection, perhaps before the answer is read.
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte)?;
                request.extend(byte);
            }
            stream.write_all(answer.as_bytes())
        });
        let asked = healthcheck(address, Duration::from_secs(5));
        _ = server.join();
        asked
    }

    #[test]
    fn only_an_answer_of_200_401_or_429_is_healthy() {
        assert!(asked("HTTP/1.1 200 OK\r\n\r\n").is_ok());
        assert!(asked("HTTP/1.1 401 Unauthorized\r\n\r\n").is_ok());
        assert!(asked("HTTP/1.1 429 Too Many Requests\r\n\r\n").is_ok());
        assert!(asked("HTTP/1.1 503 Service Unavailable\r\n\r\n").is_err());
        assert!(asked("SSH-2.0-OpenSSH_9.2\r\n").is_err());
        assert!(asked("").is_err());
    }
}
