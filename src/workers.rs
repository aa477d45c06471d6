//! Threads for work that may wait, made at the start.
//!
//! Async code must not wait, and a host at its limit of threads gives no new one when a request comes.

use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};

use tokio::sync::oneshot;

/// What a thread does once.
type Job = Box<dyn FnOnce() + Send>;

/// A handle to a thread that does one thing after another. The thread ends with the last handle.
#[derive(Clone, Debug)]
pub struct Worker(SyncSender<Job>);

/// Too many wait for the thread already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many wait already; expected fewer at once")]
pub struct Full;

impl Worker {
    /// Makes the thread, for which at most `waiting` may wait.
    ///
    /// # Errors
    /// If the host gives no thread.
    pub fn start(name: &str, waiting: usize) -> io::Result<Self> {
        let (jobs, to_do) = sync_channel::<Job>(waiting);
        std::thread::Builder::new()
            .name(name.into())
            .spawn(move || to_do.into_iter().for_each(|job| job()))?;
        Ok(Self(jobs))
    }

    /// Has the thread do something, and waits for the result as a future does.
    ///
    /// The work is done even if the future is dropped.
    ///
    /// # Errors
    /// [`Full`] if too many wait already. The work is then not done.
    pub async fn ask<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Full> {
        let (done, result) = oneshot::channel();
        self.run(move || {
            // A client that left needs no result.
            let _ = done.send(work());
        })?;
        result.await.map_err(|_| Full)
    }

    /// Has the thread do something, and does not wait for it.
    ///
    /// # Errors
    /// [`Full`] if too many wait already. The work is then not done.
    pub(crate) fn run(&self, work: impl FnOnce() + Send + 'static) -> Result<(), Full> {
        self.0.try_send(Box::new(work)).map_err(|_| Full)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[tokio::test]
    async fn one_thread_does_everything_that_is_asked_of_it() {
        let worker = Worker::start("worker", 1).expect("a thread");
        let first = worker.ask(|| std::thread::current().id()).await;
        assert!(first.is_ok());
        for _ in 0..10 {
            assert_eq!(worker.ask(|| std::thread::current().id()).await, first);
        }
    }

    #[tokio::test]
    async fn no_more_wait_than_there_is_room_for() {
        let worker = Worker::start("worker", 1).expect("a thread");
        let (say, said) = channel();
        let (release, held) = channel::<()>();
        let work = move || {
            say.send(()).expect("the test waits");
            let _ = held.recv();
        };
        worker.run(work).expect("room");
        said.recv().expect("the work has begun");
        worker.run(|| {}).expect("room for one that waits");
        assert_eq!(worker.ask(|| ()).await, Err(Full));
        drop(release);
    }
}
