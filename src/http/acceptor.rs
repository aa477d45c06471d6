//! Accepts connections of all listeners, and goes on after every error.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::io::Errno;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

/// Pause after an error such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);
/// Minimum time between two warnings.
const BETWEEN_WARNINGS: Duration = Duration::from_mins(1);
/// Connections in a row that are gone before `accept` returns, after which the error is logged.
const LOST_IN_A_ROW: u32 = 16;

/// All listeners as one source of connections.
pub(super) struct Acceptor {
    listeners: Vec<TcpListener>,
    next: usize,
    lost: u32,
    warned: Option<Instant>,
}

impl Acceptor {
    pub(super) fn new(listeners: Vec<TcpListener>) -> Self {
        Self { listeners, next: 0, lost: 0, warned: None }
    }

    /// The next connection and its client; never an error, and never a spinning wait.
    pub(super) async fn next(&mut self) -> (TcpStream, IpAddr) {
        loop {
            match poll_fn(|cx| self.poll_accept(cx)).await {
                Ok((stream, client)) => {
                    self.lost = 0;
                    return (stream, client.ip());
                }
                Err(error) if concerns_one_connection(&error) && self.lost < LOST_IN_A_ROW => {
                    self.lost += 1;
                    tracing::debug!(%error, "a connection was gone before it was accepted");
                }
                Err(error) => {
                    self.lost = 0;
                    self.warn(&error);
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Polls the listeners in rotation, so that a busy one cannot starve the others.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        self.next = self.next.wrapping_add(1);
        let count = self.listeners.len();
        for listener in self.listeners.iter().cycle().skip(self.next % count.max(1)).take(count) {
            if let Poll::Ready(accepted) = listener.poll_accept(cx) {
                return Poll::Ready(accepted);
            }
        }
        Poll::Pending
    }

    fn warn(&mut self, error: &io::Error) {
        if self.warned.is_none_or(|at| at.elapsed() >= BETWEEN_WARNINGS) {
            self.warned = Some(Instant::now());
            tracing::warn!(%error, "cannot accept connections; trying again");
        }
    }
}

/// Whether the error is about the connection that would have been accepted, so that the next one may do better.
fn concerns_one_connection(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::CONNABORTED | Errno::CONNRESET | Errno::PROTO | Errno::INTR)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_host_pauses_accepting_and_a_lost_connection_does_not() {
        for errno in [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::PERM, Errno::INVAL] {
            assert!(!concerns_one_connection(&errno.into()), "{errno}");
        }
        for errno in [Errno::CONNABORTED, Errno::CONNRESET, Errno::PROTO] {
            assert!(concerns_one_connection(&errno.into()), "{errno}");
        }
    }

    #[tokio::test]
    async fn every_listener_accepts() {
        let bind = || crate::http::bind(std::net::SocketAddr::from(([127, 0, 0, 1], 0))).expect("a listener");
        let listeners = [bind(), bind()];
        for listener in &listeners {
            crate::http::listen(listener).expect("a listener");
        }
        let addresses = listeners.each_ref().map(|listener| listener.local_addr().expect("its address"));
        let mut acceptor = Acceptor::new(listeners.into());
        for address in addresses {
            let _client = TcpStream::connect(address).await.expect("a connection");
            assert_eq!(acceptor.next().await.0.local_addr().ok(), Some(address));
        }
    }
}
