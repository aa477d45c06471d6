//! `--healthcheck`: asks another exporter process for `/health`, for containers without a shell.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::handshake::{HEALTH_CHECK, NOT_TLS};

/// Whether the exporter at `address` answers `/health`; neither connecting nor any step after it may
/// take longer than `timeout`.
///
/// An exporter with TLS answers plain HTTP with an error. That is an answer too, and needs no certificate.
///
/// # Errors
///
/// When there is no answer, or another than 200, 401, 429 or that it speaks TLS: a server that asks for a password
/// is healthy, and so is one with too many clients.
pub fn healthcheck(address: SocketAddr, timeout: Duration) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&address, timeout)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    // The interface of a link-local address means nothing to others.
    let host = SocketAddr::new(address.ip(), address.port());
    let request = format!("{HEALTH_CHECK} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut status = [0; "HTTP/1.1 200".len()];
    stream.read_exact(&mut status).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => io::Error::other(format!("no answer within {} s", timeout.as_secs())),
        _ => error,
    })?;
    let mut rest = Vec::new();
    if NOT_TLS.starts_with(&status) {
        stream.take(NOT_TLS.len() as u64).read_to_end(&mut rest)?;
    }
    match &status {
        b"HTTP/1.1 200" | b"HTTP/1.1 401" | b"HTTP/1.1 429" => Ok(()),
        _ if NOT_TLS == [&status[..], &rest].concat() => Ok(()),
        _ => Err(io::Error::other(format!("it answers {:?}", String::from_utf8_lossy(&status)))),
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
    fn only_an_answer_of_200_401_429_or_of_tls_is_healthy() {
        for (answer, is_healthy) in [
            ("HTTP/1.1 200 OK\r\n\r\n", true),
            ("HTTP/1.1 401 Unauthorized\r\n\r\n", true),
            ("HTTP/1.1 429 Too Many Requests\r\n\r\n", true),
            (std::str::from_utf8(NOT_TLS).expect("text"), true),
            ("HTTP/1.0 400 Bad Request\r\n\r\n", false),
            ("HTTP/1.1 503 Service Unavailable\r\n\r\n", false),
            ("SSH-2.0-OpenSSH_9.2\r\n", false),
            ("", false),
        ] {
            assert_eq!(asked(answer).is_ok(), is_healthy, "{answer}");
        }
    }
}
