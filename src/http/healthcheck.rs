//! Asking the door of another process whether it is open, for containers without a shell.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Whether the exporter at `address` answers `/health`; neither connecting nor any step after it may
/// take longer than `patience`.
///
/// # Errors
///
/// When there is no answer, or another than 200 or 401: a door that asks for a password is a healthy one.
pub fn healthcheck(address: SocketAddr, patience: Duration) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    write!(stream, "GET /health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut status = [0; "HTTP/1.1 200".len()];
    stream.read_exact(&mut status).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => io::Error::other(format!("no answer within {} s", patience.as_secs())),
        _ => error,
    })?;
    if matches!(&status, b"HTTP/1.1 200" | b"HTTP/1.1 401") {
        return Ok(());
    }
    Err(io::Error::other(format!("it answers {:?}", String::from_utf8_lossy(&status))))
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
    fn only_an_answer_of_200_or_401_is_healthy() {
        assert!(asked("HTTP/1.1 200 OK\r\n\r\n").is_ok());
        assert!(asked("HTTP/1.1 401 Unauthorized\r\n\r\n").is_ok());
        assert!(asked("HTTP/1.1 503 Service Unavailable\r\n\r\n").is_err());
        assert!(asked("SSH-2.0-OpenSSH_9.2\r\n").is_err());
        assert!(asked("").is_err());
    }
}
