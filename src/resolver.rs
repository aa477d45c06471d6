//! Addresses of the selection's host names: those in the hosts file at once, those of DNS in the background.
//!
//! For each address family the hosts file counts before DNS, as in the C library. A lookup of a name never waits.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ResolveHosts, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use tokio::sync::watch::{Receiver, Sender, channel};

use crate::workers::Worker;
use file::{HOSTS_FILE, Stamp};
use known::{Family, KnownName};

mod file;
mod known;
#[cfg(test)]
mod tests;

/// DNS is asked again after this time.
const PERIOD: Duration = Duration::from_mins(1);

/// Names that may follow one another before the thread has begun with the first.
const WAITING: usize = 16;

/// The addresses of host names.
#[derive(Clone, Debug)]
pub struct Resolver {
    shared: Arc<Shared>,
    /// Says to the thread that the hosts file has changed. Without it the thread stops asking.
    changes: Arc<Mutex<Option<Sender<()>>>>,
    /// The thread that asks DNS. It is made at the start, because a host may give none at a reload.
    thread: Worker,
}

/// What the thread and its users share.
#[derive(Debug)]
struct Shared {
    file: PathBuf,
    /// The DNS servers; `None` for those of the system.
    servers: Option<ResolverConfig>,
    names: Mutex<Names>,
}

/// The names and what is known of them.
#[derive(Debug, Default)]
struct Names {
    known: HashMap<String, KnownName>,
    /// The hosts file as it was read; `None` if it must be read again.
    stamp: Option<Stamp>,
}

impl Default for Shared {
    fn default() -> Self {
        Self { file: HOSTS_FILE.into(), servers: None, names: Mutex::default() }
    }
}

impl Resolver {
    /// Starts the thread, and resolves the names.
    ///
    /// # Errors
    /// If the thread or its runtime cannot be made.
    pub fn start(names: &[String]) -> io::Result<Self> {
        let resolver = Self::with(Shared::default())?;
        resolver.follow(names)?;
        Ok(resolver)
    }

    fn with(shared: Shared) -> io::Result<Self> {
        let thread = Worker::start("resolver", WAITING)?;
        Ok(Self { shared: Arc::new(shared), changes: Arc::default(), thread })
    }

    /// Resolves these names from now on, in place of those before; known addresses of a name that stays are kept.
    ///
    /// The addresses in the hosts file count when it returns.
    ///
    /// # Errors
    /// If the runtime cannot be made, or the thread is too far behind; the names are then those before.
    pub fn follow(&self, names: &[String]) -> io::Result<()> {
        self.shared.add(names);
        let started = if names.is_empty() { None } else { Some(self.ask_dns(names.to_vec())?) };
        self.shared.lock().known.retain(|name, _| names.contains(name));
        *self.changes() = started;
        Ok(())
    }

    /// The addresses of the name; empty if none is known.
    ///
    /// Looks whether the hosts file has changed.
    #[must_use]
    pub fn addresses(&self, name: &str) -> Vec<IpAddr> {
        let changed = self.shared.read_file();
        if changed && let Some(changes) = self.changes().as_ref() {
            // A name that is no longer in the file may be in DNS.
            changes.send_replace(());
        }
        self.shared.lock().known.get(name).map(KnownName::addresses).unwrap_or_default()
    }

    /// Whether DNS has been asked for each name that is not in the hosts file, with whatever result.
    #[must_use]
    pub fn asked(&self) -> bool {
        self.shared.lock().known.values().all(KnownName::is_asked)
    }

    /// Whether each name has an address.
    #[must_use]
    pub fn resolved(&self) -> bool {
        self.shared.lock().known.values().all(|known| !known.addresses().is_empty())
    }

    /// Has the thread ask DNS for the names, until the sender is dropped.
    fn ask_dns(&self, names: Vec<String>) -> io::Result<Sender<()>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (sender, mut changes) = channel(());
        let shared = Arc::clone(&self.shared);
        let ask_all = async move {
            for (name, family) in names.iter().flat_map(|name| Family::BOTH.map(|family| (name, family))) {
                // Each in a task of its own: one that gets no answer delays no other.
                tokio::spawn(Arc::clone(&shared).ask(name.clone(), family, changes.clone()));
            }
            while changes.changed().await.is_ok() {}
        };
        self.thread.run(move || runtime.block_on(ask_all)).map_err(io::Error::other)?;
        Ok(sender)
    }

    fn changes(&self) -> MutexGuard<'_, Option<Sender<()>>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds names, with their addresses in the hosts file.
    fn add(&self, names: &[String]) {
        let mut all = self.lock();
        for name in names {
            all.known.entry(name.clone()).or_default();
        }
        all.stamp = None;
        drop(all);
        self.read_file();
    }

    /// Reads the hosts file if it has changed; whether it has.
    fn read_file(&self) -> bool {
        let mut names = self.lock();
        if names.known.is_empty() {
            return false;
        }
        let stamp = Stamp::of(&self.file);
        if stamp.is_some() && stamp == names.stamp {
            return false;
        }
        names.stamp = stamp;
        let wanted: Vec<_> = names.known.keys().map(String::as_str).collect();
        let mut found = file::read(&self.file, &wanted);
        let mut changed = false;
        for (name, known) in &mut names.known {
            let addresses = found.remove(name).unwrap_or_default();
            changed |= known.change(name, |known| known.file = addresses);
        }
        changed
    }

    /// Asks DNS for the addresses of one family, again and again, as long as the hosts file has none.
    async fn ask(self: Arc<Self>, name: String, family: Family, mut changes: Receiver<()>) {
        loop {
            if self.lock().known.get(&name).is_some_and(|known| !known.is_in_file(family)) {
                let answer = self.lookup(&name, family).await;
                if let Some(known) = self.lock().known.get_mut(&name) {
                    known.answered(&name, family, answer);
                }
            }
            tokio::select! {
                () = tokio::time::sleep(PERIOD) => {}
                event = changes.changed() => if event.is_err() { return },
            }
        }
    }

    /// The addresses of one family that DNS has for a name.
    async fn lookup(&self, name: &str, family: Family) -> Result<Vec<IpAddr>, NetError> {
        let resolver = self.client()?;
        let found = match family {
            Family::V4 => resolver.ipv4_lookup(name).await,
            Family::V6 => resolver.ipv6_lookup(name).await,
        };
        match found {
            Ok(found) => Ok(found.answers().iter().filter_map(|record| record.data.ip_addr()).collect()),
            Err(error) if error.is_no_records_found() => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Made for each lookup, because resolv.conf may have changed.
    fn client(&self) -> Result<TokioResolver, NetError> {
        let with = |servers| TokioResolver::builder_with_config(servers, TokioRuntimeProvider::default());
        let mut builder = match &self.servers {
            Some(servers) => with(servers.clone()),
            None => TokioResolver::builder_tokio().unwrap_or_else(|_| with(ResolverConfig::default())),
        };
        builder.options_mut().use_hosts_file = ResolveHosts::Never;
        builder.build()
    }
}
