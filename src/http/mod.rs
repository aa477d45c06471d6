//! The door: what a scraper may ask for over HTTP, and how long anyone may take over it.
//!
//! The only async code. Refuses to know sockets, metrics and configuration: it hands out what the collector renders.

mod admission;
mod body;
mod connection;
mod crowd;
mod entrance;
mod handshake;
mod healthcheck;
mod hostname;
mod limits;
mod line;
mod listen;
mod live;
mod negotiate;
mod operations;
mod pulse;
mod refusals;
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
use tokio::time::Instant;

pub use self::body::compressor;
pub use self::healthcheck::healthcheck;
pub use self::limits::Limits;
pub use self::listen::{BindError, bind, bind_default, listen};
pub use self::operations::{Beat, Offer, Operations, Page, Workers};

use self::connection::Connection;
use self::crowd::Crowd;
use self::entrance::Entrance;
use self::operations::Site;
use crate::collector::Collector;
use crate::web::Web;

/// Answers on `listeners` until `shutdown` completes, then finishes the answers in progress.
///
/// `web` says who may come in. Nothing that a client or the kernel does ends it earlier.
pub async fn serve(
    listeners: Vec<TcpListener>,
    collector: Collector,
    web: Arc<Web>,
    operations: Arc<dyn Operations>,
    workers: Workers,
    settings: Settings,
    shutdown: impl Future<Output = ()>,
) {
    let Settings { limits, offer, beat } = settings;
    let site = Site::new(Arc::new(collector), operations, web, offer, workers);
    serve_from(listeners, site, limits, beat, shutdown).await;
}

/// How the door is kept.
#[derive(Default)]
pub struct Settings {
    /// What a client may cost.
    pub limits: Limits,
    /// What is offered.
    pub offer: Offer,
    /// What is done again and again as long as connections are accepted.
    pub beat: Option<Beat>,
}

async fn serve_from(
    listeners: Vec<TcpListener>,
    site: Site,
    limits: Limits,
    mut beat: Option<Beat>,
    shutdown: impl Future<Output = ()>,
) {
    let mut entrance = Entrance::new(listeners);
    let mut crowd = Crowd::new(limits.connections);
    let (closing, closed) = watch::channel(false);
    let mut shutdown = pin!(shutdown);
    let mut next_beat = Instant::now();
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            () = tokio::time::sleep_until(next_beat), if beat.is_some() => {
                if let Some(beat) = &mut beat {
                    (beat.act)();
                    next_beat = Instant::now() + beat.every;
                }
            }
            (stream, client) = entrance.next() => {
                if crowd.makes_room(client) {
                    let connection = Connection::new(site.clone(), limits.clone(), closed.clone());
                    crowd.admit(client, connection.pulse(), tokio::spawn(connection.run(stream)));
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
