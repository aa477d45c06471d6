//! From a TCP connection to one that HTTP can be spoken on. Refuses to know how long that may take (`connection`).

use std::io;
use std::sync::Arc;

use tokio::io::AsyncWriteExt as _;
use tokio_rustls::TlsAcceptor;

use super::line::Line;
use super::pulse::Pulse;
use super::refusals::Refusal;
use super::wire::Wire;
use crate::web::WebConfig;

/// What plain HTTP begins with, where TLS would have the head of a record.
const METHODS: [&[u8]; 5] = [b"GET /", b"HEAD ", b"POST ", b"PUT /", b"OPTIO"];
/// How the request of `--healthcheck` begins. Every request and every TLS hello is longer.
pub(super) const HEALTH_CHECK: &str = "HEAD /health";
/// As Go answers it, version and all.
pub(super) const NOT_TLS: &[u8] =
    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/// The connection as a client sees it who did what the configuration asks for. A client who did not is logged.
pub(super) async fn open(
    mut line: Line,
    config: &WebConfig,
    pulse: Arc<Pulse>,
    log: impl Fn(Refusal),
) -> io::Result<Wire> {
    let Some(tls) = &config.tls else { return Ok(Wire::new(line, pulse)) };
    let head = line.look_ahead(HEALTH_CHECK.len()).await?;
    if METHODS.iter().any(|method| head.starts_with(method)) {
        log(if head == HEALTH_CHECK.as_bytes() { Refusal::HealthCheck } else { Refusal::NotTls });
        line.write_all(NOT_TLS).await?;
        line.shutdown().await?;
        // What is left unread would reset the connection, perhaps before the answer is read.
        tokio::io::copy(&mut line, &mut tokio::io::sink()).await?;
        return Err(io::Error::other("plain HTTP where TLS is spoken"));
    }
    let accepted = TlsAcceptor::from(Arc::clone(tls)).accept(line).await;
    let tls = accepted.inspect_err(|error| Refusal::of_tls(error).into_iter().for_each(log))?;
    Ok(Wire::new(tls, pulse))
}
