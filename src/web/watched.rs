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

/// Files are looked at no more often.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// Called after each reading with whether it succeeded.
type Told = Box<dyn Fn(bool) + Send + Sync>;

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
    looked: Mutex<Instant>,
    last: Mutex<Last>,
    told: Told,
    /// The thread that reads.
    reader: Worker,
}

/// How the last reading went.
struct Last {
    stamps: Stamps,
    /// What was wrong with it; the same is said once.
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
    /// Reads a file for the first time; `told` hears how later readings go.
    ///
    /// # Errors
    /// Names every error in the file.
    pub fn open(path: &Path, told: impl Fn(bool) + Send + Sync + 'static) -> Result<Self, StartError> {
        let (config, stamps) = WebConfig::load_stamped(path);
        let config = config?;
        config.warn();
        told(true);
        let web = Self {
            file: Some(File {
                path: path.to_owned(),
                looked: Mutex::new(Instant::now()),
                last: Mutex::new(Last { stamps, wrong: None }),
                told: Box::new(told),
                reader: Worker::start("web-files", 1).map_err(StartError::Reader)?,
            }),
            current: Mutex::new(Arc::new(config)),
            ..Self::default()
        };
        web.guard().map_err(StartError::Guard)?;
        Ok(web)
    }

    /// What counts now.
    pub fn current(&self) -> Arc<WebConfig> {
        Arc::clone(&lock(&self.current))
    }

    /// The thread to call [`Web::look`] on, if it is time for that: for one caller, at most once per second.
    pub(crate) fn due(&self) -> Option<&Worker> {
        let file = self.file.as_ref()?;
        let mut looked = lock(&file.looked);
        if looked.elapsed() < BETWEEN_LOOKS {
            return None;
        }
        *looked = Instant::now();
        Some(&file.reader)
    }

    /// Reads the files again if one of them has changed. What is broken leaves everything as it was, and is said once.
    pub(crate) fn look(&self) {
        let Some(file) = &self.file else { return };
        // Somebody else is at it, perhaps held up by the file system.
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
                tracing::info!(file = %file.path.display(), "the web configuration was read again");
                last.wrong = None;
                (file.told)(true);
            }
            Err(wrong) => {
                if last.wrong.as_ref() != Some(&wrong) {
                    tracing::error!(error = wrong, "the web configuration is broken; the old one stays");
                }
                last.wrong = Some(wrong);
                (file.told)(false);
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
