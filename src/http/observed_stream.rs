//! The TCP connection below TLS: reports what the client reads, peeks the first bytes, resets an unfinished answer.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustix::net::sockopt;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::activity::Activity;

/// The send buffer of a connection, in bytes. By default it grows to megabytes, and the kernel reports progress only
/// when a third of it is free again, so that a slow client would seem to have stopped reading.
const SEND_BUFFER: usize = 256 * 1024;

pub(super) struct ObservedStream {
    stream: TcpStream,
    activity: Arc<Activity>,
    /// First bytes that were peeked at and are still to be read.
    ahead: Vec<u8>,
}

impl ObservedStream {
    pub(super) fn new(stream: TcpStream, activity: Arc<Activity>) -> Self {
        // The last piece of an answer should not wait for the acknowledgement of the one before.
        let nodelay = stream.set_nodelay(true);
        let buffer = sockopt::set_socket_send_buffer_size(&stream, SEND_BUFFER);
        // Without these options the answer is slower or costs the kernel more, but is right.
        if let Err(error) = nodelay.and(buffer.map_err(Into::into)) {
            tracing::debug!(%error, "a socket option was refused");
        }
        Self { stream, activity, ahead: Vec::new() }
    }

    /// The first bytes, which will be read again; to be called once, before anything is read.
    pub(super) async fn peek(&mut self, length: usize) -> io::Result<&[u8]> {
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes).await?;
        self.ahead = bytes;
        Ok(&self.ahead)
    }

    fn note(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Ready(Ok(bytes)) => self.activity.wrote(*bytes),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.activity.stalled(),
        }
        written
    }
}

impl AsyncRead for ObservedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, into);
        }
        let length = self.ahead.len().min(into.remaining());
        into.put_slice(&self.ahead.drain(..length).collect::<Vec<_>>());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ObservedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Drop for ObservedStream {
    /// Inside an answer the connection is reset instead of closed. An answer without a length (HTTP/1.0) would look
    /// complete, and unsent bytes for a client that reads nothing would stay in the kernel.
    fn drop(&mut self) {
        if self.activity.waiting_since().is_none() {
            // A client that is gone already needs no reset.
            let _ = self.stream.set_zero_linger();
        }
    }
}
