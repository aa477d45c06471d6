//! From a TCP connection to one that HTTP can be spoken on. Refuses to know how long that may take (`connection`).

use std::io;
use std::sync::Arc;

use tokio::io::AsyncWriteExt as _;
use tokio_rustls::TlsAcceptor;

use super::line::Line;
use super::pulse::Pulse;
use super::wire::Wire;
use crate::web::WebConfig;

/// The head of a TLS record.
const RECORD_HEAD: usize = 5;
/// What plain HTTP begins with, where TLS would have the head of a record.
const METHODS: [&[u8; RECORD_HEAD]; 5] = [b"GET /", b"HEAD ", b"POST ", b"PUT /", b"OPTIO"];
/// As Go answers it, version and all.
const NOT_TLS: &[u8] = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/// The connection as a client sees it who did what the configuration asks for.
pub(super) async fn open(mut line: Line, config: &WebConfig, pulse: Arc<Pulse>) -> io::Result<Wire> {
    let Some(tls) = &config.tls else { return Ok(Wire::new(line, pulse)) };
    let head = line.look_ahead(RECORD_HEAD).await?;
    if METHODS.iter().any(|method| method[..] == *head) {
        line.write_all(NOT_TLS).await?;
        line.shutdown().await?;
        // What is left unread would reset the connection, perhaps before the answer is read.
        tokio::io::copy(&mut line, &mut tokio::io::sink()).await?;
        return Err(io::Error::other("plain HTTP where TLS is spoken"));
    }
    let tls = TlsAcceptor::from(Arc::clone(tls)).accept(line).await?;
    Ok(Wire::new(tls, pulse))
}
