//! The TLS handshake, if the web configuration asks for TLS.

use std::io;
use std::sync::Arc;

use tokio::io::AsyncWriteExt as _;
use tokio_rustls::TlsAcceptor;

use super::activity::Activity;
use super::maybe_tls::MaybeTls;
use super::observed_stream::ObservedStream;
use super::refusals::HandshakeRefusal;
use crate::web::WebConfig;

/// The first bytes of a request in plain HTTP, where TLS has the head of a record.
const METHODS: [&[u8]; 5] = [b"GET /", b"HEAD ", b"POST ", b"PUT /", b"OPTIO"];
/// How the request of `--healthcheck` begins. Every request and every TLS hello is longer.
pub(super) const HEALTH_CHECK: &str = "HEAD /health";
/// As Go answers it, version and all.
pub(super) const NOT_TLS: &[u8] =
    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/// The connection, ready for HTTP. A refused handshake is logged.
pub(super) async fn open(
    mut line: ObservedStream,
    config: &WebConfig,
    activity: Arc<Activity>,
    log: impl Fn(HandshakeRefusal),
) -> io::Result<MaybeTls> {
    let Some(tls) = &config.tls else { return Ok(MaybeTls::new(line, activity)) };
    let head = line.peek(HEALTH_CHECK.len()).await?;
    if METHODS.iter().any(|method| head.starts_with(method)) {
        log(if head == HEALTH_CHECK.as_bytes() {
            HandshakeRefusal::HealthCheck
        } else {
            HandshakeRefusal::NotTls
        });
        line.write_all(NOT_TLS).await?;
        line.shutdown().await?;
        // What is left unread would reset the connection, perhaps before the answer is read.
        tokio::io::copy(&mut line, &mut tokio::io::sink()).await?;
        return Err(io::Error::other("plain HTTP where TLS is spoken"));
    }
    let accepted = TlsAcceptor::from(Arc::clone(tls)).accept(line).await;
    let tls = accepted.inspect_err(|error| HandshakeRefusal::of_tls(error).into_iter().for_each(log))?;
    Ok(MaybeTls::new(tls, activity))
}
