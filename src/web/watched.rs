//! A web configuration that is read again when its files have changed.
//!
//! Reading takes as long as the files do, and has a thread of its own.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::files::Stamps;
use super::guard::{Crowded, Guard, Verdict};
use super::rate::Bucket;
use super::{Error, WebConfig};
use crate::workers::Worker;

/// Files are checked no more often.
const RELOAD_INTERVAL: Duration = Duration::from_secs(1);

/// Called after each reading with whether it succeeded.
type Report = Box<dyn Fn(bool) + Send + Sync>;

/// The configuration that counts now, and what enforces it.
#[derive(Default)]
pub struct Web {
    file: Option<File>,
    current: Mutex<Arc<WebConfig>>,
    bucket: Mutex<Bucket>,
    /// Made when the first password is to be compared: most have none.
    guard: OnceLock<Guard>,
}

struct File {
    path: PathBuf,
    read_at: Mutex<Instant>,
    last: Mutex<Last>,
    report: Report,
    /// The thread that reads.
    reader: Worker,
}

/// How the last reading went.
struct Last {
    stamps: Stamps,
    /// Its last error, so that the same one is logged once.
    wrong: Option<String>,
}

/// Why there is nothing to enforce.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The file, or one that it names.
    #[error(transparent)]
    File(#[from] Error),
    /// What compares passwords.
    #[error("cannot compare passwords: {0}")]
    Guard(#[source] io::Error),
    /// What reads the files again.
    #[error("cannot start the thread that reads the files again: {0}")]
    Reader(#[source] io::Error),
}

impl Web {
    /// Reads a file for the first time; `report` is called with the outcome of each reading.
    ///
    /// # Errors
    /// Names every error in the file.
    pub fn open(path: &Path, report: impl Fn(bool) + Send + Sync + 'static) -> Result<Self, StartError> {
        let (config, stamps) = WebConfig::load_stamped(path);
        let config = config?;
        config.warn();
        report(true);
        let web = Self {
            file: Some(File {
                path: path.to_owned(),
                read_at: Mutex::new(Instant::now()),
                last: Mutex::new(Last { stamps, wrong: None }),
                report: Box::new(report),
                reader: Worker::start("web-files", 1).map_err(StartError::Reader)?,
            }),
            current: Mutex::new(Arc::new(config)),
            ..Self::default()
        };
        web.guard().map_err(StartError::Guard)?;
        Ok(web)
    }

    /// The active configuration.
    pub fn current(&self) -> Arc<WebConfig> {
        Arc::clone(&lock(&self.current))
    }

    /// The thread to call [`Web::reload_if_changed`] on, if it is time for that: for one caller, at most once per second.
    pub(crate) fn due(&self) -> Option<&Worker> {
        let file = self.file.as_ref()?;
        let mut read_at = lock(&file.read_at);
        if read_at.elapsed() < RELOAD_INTERVAL {
            return None;
        }
        *read_at = Instant::now();
        Some(&file.reader)
    }

    /// Reads the files again if one of them has changed. A broken file changes nothing, and its error is logged once.
    pub(crate) fn reload_if_changed(&self) {
        let Some(file) = &self.file else { return };
        // Another thread reads already, and the file system may delay it.
        let Ok(mut last) = file.last.try_lock() else { return };
        if !last.stamps.stale() {
            return;
        }
        let (read, stamps) = WebConfig::load_stamped(&file.path);
        let same = stamps.same(&last.stamps);
        last.stamps = stamps;
        if same {
            return;
        }
        match read.map_err(|error| error.to_string()).and_then(|config| self.replace(config)) {
            Ok(()) => {
                self.current().warn();
                tracing::info!(file = %file.path.display(), "reloaded the web configuration");
                last.wrong = None;
                (file.report)(true);
            }
            Err(wrong) => {
                if last.wrong.as_ref() != Some(&wrong) {
                    tracing::error!(
                        error = wrong,
                        "cannot reload the web configuration; the previous one stays active"
                    );
                }
                last.wrong = Some(wrong);
                (file.report)(false);
            }
        }
    }

    fn replace(&self, config: WebConfig) -> Result<(), String> {
        let mut current = lock(&self.current);
        if config.tls.is_some() != current.tls.is_some() {
            return Err("TLS is switched on or off at the start only; start again for that".to_owned());
        }
        *current = Arc::new(config);
        Ok(())
    }

    /// Whether a request may be answered now.
    pub(crate) fn admits(&self, config: &WebConfig) -> bool {
        config.rate.is_none_or(|rate| lock(&self.bucket).take(rate, Instant::now()))
    }

    /// Asks whether this user of the configuration has that password.
    ///
    /// # Errors
    /// [`Crowded`] if too many comparisons wait already; then there will be no verdict.
    pub(crate) fn ask(
        &self,
        config: &WebConfig,
        user: &[u8],
        password: Vec<u8>,
        verdict: Verdict,
    ) -> Result<(), Crowded> {
        let guard = self.guard().map_err(|error| {
            tracing::error!(%error, "cannot compare passwords");
            Crowded
        })?;
        guard.ask(&config.users, user, password, verdict)
    }

    fn guard(&self) -> io::Result<&Guard> {
        if let Some(guard) = self.guard.get() {
            return Ok(guard);
        }
        let guard = Guard::start()?;
        Ok(self.guard.get_or_init(|| guard))
    }
}

impl fmt::Debug for Web {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Web")
            .field("file", &self.file.as_ref().map(|file| &file.path))
            .finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind these locks is whole between any two statements.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
