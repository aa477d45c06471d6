//! The thread that collects, so that keys are answered meanwhile.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use sockdiag::Protocol;
use ss_exporter::top::{
    Chosen, Collected, Demand, NotCollected, ObservedId, ObservedSocket, ObservedSockets,
};

use super::Incoming;

/// Where sockets come from.
pub trait SocketSource: Send {
    /// The sockets that were chosen, the first of them in that order if not all can be sent.
    fn sockets(
        &mut self,
        chosen: &Chosen,
        sort: &str,
    ) -> Result<Box<dyn ObservedSockets + Send>, NotCollected>;

    /// All that is known of a socket.
    fn details(
        &mut self,
        protocols: &[&'static Protocol],
        id: &ObservedId,
    ) -> Result<Option<ObservedSocket>, NotCollected>;

    /// From the beginning of the last collection to that of the next, if `interval` was asked for.
    fn pause(&self, interval: Duration) -> Duration;

    /// Whether another order needs other sockets.
    fn sends_the_first(&self) -> bool;
}

/// Starts to collect, first what is wanted now. The channel takes what is wanted from then on.
pub fn start(
    source: Box<dyn SocketSource>,
    wanted: Demand,
    interval: Duration,
    answers: tokio::sync::mpsc::Sender<Incoming>,
) -> io::Result<Sender<Demand>> {
    let (sender, requests) = channel();
    let collector = move || collect(source, wanted, interval, &requests, &answers);
    thread::Builder::new().name("collector".into()).spawn(collector)?;
    Ok(sender)
}

fn collect(
    mut source: Box<dyn SocketSource>,
    mut wanted: Demand,
    interval: Duration,
    requests: &Receiver<Demand>,
    answers: &tokio::sync::mpsc::Sender<Incoming>,
) {
    let send = |answer| answers.blocking_send(Incoming::Collected(answer)).is_ok();
    let (mut due, mut due_details) = (true, true);
    loop {
        let began = Instant::now();
        if std::mem::take(&mut due) {
            let found = source.sockets(&wanted.chosen, &wanted.sort);
            if !send(Collected::Sockets { chosen: wanted.chosen.clone(), found }) {
                return;
            }
        }
        if let Some(id) = wanted.details.clone().filter(|_| std::mem::take(&mut due_details)) {
            let found = source.details(&wanted.chosen.protocols, &id);
            if !send(Collected::Details { id, found }) {
                return;
            }
        }
        let next = began + source.pause(interval);
        let received = if wanted.paused {
            requests.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            requests.recv_timeout(next.saturating_duration_since(Instant::now()))
        };
        match received {
            Ok(latest) => {
                let latest = requests.try_iter().last().unwrap_or(latest);
                let is_resumed = wanted.paused && !latest.paused;
                let is_sorted = wanted.sort != latest.sort && source.sends_the_first();
                due = latest.chosen != wanted.chosen || is_sorted || is_resumed || Instant::now() >= next;
                due_details = latest.details != wanted.details || is_resumed;
                wanted = latest;
            }
            Err(RecvTimeoutError::Timeout) => (due, due_details) = (true, true),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
