//! The HTTP server: what a scraper may ask for, and how long a client may take.
//!
//! Refuses to know sockets, metrics and configuration: it sends what the [`Backend`] renders.

mod acceptor;
mod activity;
mod admission;
mod app_state;
mod backend;
mod body;
mod client;
mod connection;
mod connections;
mod exporter_url;
mod handshake;
mod healthcheck;
mod hostname;
mod landing;
mod limits;
mod listen;
mod maybe_tls;
mod negotiate;
mod observed_stream;
mod refusals;
mod reply;
mod routes;
mod scrape;
mod sockets;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::Instant;

pub use self::app_state::{Heartbeat, Options, Workers};
pub use self::backend::{Backend, ChunkStream, Page, Reply};
pub use self::client::Client;
pub use self::healthcheck::healthcheck;
pub use self::limits::Limits;
pub use self::listen::{BindError, bind, bind_default, listen};

use self::acceptor::Acceptor;
use self::app_state::AppState;
use self::connection::Connection;
use self::connections::Connections;
use crate::web::Web;

/// Limits, options and the periodic action of the server.
#[derive(Default)]
pub struct Settings {
    /// What a client may cost.
    pub limits: Limits,
    /// What the server offers.
    pub options: Options,
    /// A periodic action while connections are accepted.
    pub heartbeat: Option<Heartbeat>,
}

/// Answers on `listeners` until `shutdown` completes, then finishes the answers in progress.
///
/// `web` says which clients are admitted. Nothing that a client or the kernel does ends it earlier.
pub async fn serve(
    listeners: Vec<TcpListener>,
    backend: Arc<dyn Backend>,
    web: Arc<Web>,
    workers: Workers,
    settings: Settings,
    shutdown: impl Future<Output = ()>,
) {
    let Settings { limits, options, mut heartbeat } = settings;
    let app = AppState::new(backend, web, options, workers);
    let mut acceptor = Acceptor::new(listeners);
    let mut connections = Connections::new(limits.connections);
    let (closing, closed) = watch::channel(false);
    let mut shutdown = pin!(shutdown);
    let mut next_heartbeat = Instant::now();
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            () = tokio::time::sleep_until(next_heartbeat), if heartbeat.is_some() => {
                if let Some(heartbeat) = &mut heartbeat {
                    (heartbeat.act)();
                    next_heartbeat = Instant::now() + heartbeat.every;
                }
            }
            (stream, client) = acceptor.next() => {
                if connections.makes_room(client) {
                    let connection = Connection::new(app.clone(), limits.clone(), closed.clone());
                    connections.admit(client, connection.activity(), tokio::spawn(connection.run(stream)));
                } else {
                    tracing::debug!("connection refused: all {} others are being answered", limits.connections);
                }
            }
        }
        // A new connection is read before the next one may end it.
        tokio::task::yield_now().await;
    }
    drop(acceptor);
    closing.send_replace(true);
    connections.leave(limits.grace).await;
}
