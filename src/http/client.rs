//! A client of another exporter.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame};
use hyper::client::conn::http1::handshake;
use hyper::header::{AUTHORIZATION, HOST};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsConnector;

use super::exporter_url::{ExporterUrl, netrc};
use crate::web::client_tls;

/// The largest answer, in bytes: more than any of the exporter.
const LARGEST: usize = 16 << 20;

/// A client of one exporter. It waits, so that it needs a thread of its own.
pub struct Client {
    url: ExporterUrl,
    tls: Arc<ClientConfig>,
    runtime: Runtime,
    timeout: Duration,
}

impl Client {
    /// The client of the exporter at a URL, which may name a user and a password. Over TLS it trusts the authorities of a
    /// file, or else of the system, or with `trusts_any` every server.
    ///
    /// # Errors
    /// If the URL or the file of authorities is wrong.
    pub fn new(
        url: &str,
        default_port: u16,
        authorities: Option<&Path>,
        trusts_any: bool,
        timeout: Duration,
    ) -> Result<Self, String> {
        let url = ExporterUrl::read(url, default_port, &netrc())?;
        // Without TLS nothing is to be trusted.
        let tls = client_tls(authorities, trusts_any || !url.is_tls)?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("cannot wait for answers: {error}"))?;
        Ok(Self { url, tls, runtime, timeout })
    }

    /// The host and the port.
    #[must_use]
    pub fn authority(&self) -> String {
        self.url.authority()
    }

    /// A path of the exporter as its server sees it.
    #[must_use]
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.url.prefix)
    }

    /// The status and the body of the answer to GET.
    ///
    /// # Errors
    /// If there is no answer, or none within the timeout.
    pub fn get(&self, path: &str) -> Result<(StatusCode, Vec<u8>), String> {
        let timeout = self.timeout;
        let answer = self.runtime.block_on(async { tokio::time::timeout(timeout, self.answer(path)).await });
        let answer = answer
            .unwrap_or_else(|_| Err(io::Error::other(format!("no answer within {} s", timeout.as_secs()))));
        answer.map_err(|error| format!("{} does not answer: {error}", self.authority()))
    }

    async fn answer(&self, path: &str) -> io::Result<(StatusCode, Vec<u8>)> {
        let stream = TcpStream::connect((self.url.host.as_str(), self.url.port)).await?;
        if !self.url.is_tls {
            return self.over(stream, path).await;
        }
        let name = ServerName::try_from(self.url.host.clone()).map_err(io::Error::other)?;
        let stream =
            TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream).await.map_err(without_tls)?;
        self.over(stream, path).await
    }

    async fn over(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        path: &str,
    ) -> io::Result<(StatusCode, Vec<u8>)> {
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        let mut request = Request::get(self.path(path)).header(HOST, self.authority());
        if let Some(authorization) = &self.url.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = request.body(Nothing).map_err(io::Error::other)?;
        let answer = async {
            let response: Response<_> = sender.send_request(request).await.map_err(io::Error::other)?;
            let status = response.status();
            Ok((status, whole(response.into_body()).await?))
        };
        tokio::select! {
            answer = answer => answer,
            // The connection ends with an error before the answer does, or else after it.
            Err(error) = connection => Err(io::Error::other(error)),
        }
    }
}

/// The error of a handshake. A server without TLS answers with something else.
fn without_tls(error: io::Error) -> io::Error {
    let of_tls = error.get_ref().and_then(|error| error.downcast_ref());
    if matches!(of_tls, Some(rustls::Error::InvalidMessage(_))) {
        return io::Error::other("found no TLS; expected: a server with TLS, or a URL with http://");
    }
    error
}

/// All bytes of a body.
async fn whole(body: hyper::body::Incoming) -> io::Result<Vec<u8>> {
    let mut body = pin!(body);
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
        let Ok(data) = frame.map_err(io::Error::other)?.into_data() else { continue };
        if bytes.len() + data.len() > LARGEST {
            return Err(io::Error::other("the answer is too long"));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// The body of a request without one.
struct Nothing;

impl Body for Nothing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        std::task::Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        true
    }
}
