//! The door: what a scraper may ask for over HTTP, and how long anyone may take over it.
//!
//! The only async code. Refuses to know sockets, metrics and configuration: it hands out what the collector renders.

mod body;
mod connection;
mod crowd;
mod entrance;
mod healthcheck;
mod limits;
mod listen;
mod negotiate;
mod pulse;
mod routes;
mod scrape;
mod scrapes;
#[cfg(test)]
mod tests;
mod wire;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;

pub use self::body::compressor;
pub use self::healthcheck::healthcheck;
pub use self::limits::Limits;
pub use self::listen::{BindError, bind, bind_default};

use self::connection::Connection;
use self::crowd::Crowd;
use self::entrance::Entrance;
use self::scrapes::Scrapes;
use crate::collector::Collector;

/// Answers on `listeners` until `shutdown` completes, then finishes the answers in progress.
///
/// Nothing that a client or the kernel does ends it earlier.
pub async fn serve(
    listeners: Vec<TcpListener>,
    collector: Collector,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) {
    serve_from(listeners, Arc::new(collector), limits, shutdown).await;
}

async fn serve_from(
    listeners: Vec<TcpListener>,
    scrapes: Arc<dyn Scrapes>,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) {
    let mut entrance = Entrance::new(listeners);
    let mut crowd = Crowd::new(limits.connections);
    let (closing, closed) = watch::channel(false);
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            stream = entrance.next() => {
                if crowd.makes_room() {
                    let connection = Connection::new(Arc::clone(&scrapes), limits.clone(), closed.clone());
                    crowd.admit(connection.pulse(), tokio::spawn(connection.run(stream)));
                } else {
                    tracing::debug!("connection refused: all {} others are being answered", limits.connections);
                }
            }
        }
        // Whoever just came is heard before the next one may push it out.
        tokio::task::yield_now().await;
    }
    drop(entrance);
    closing.send_replace(true);
    crowd.leave(limits.grace).await;
}
