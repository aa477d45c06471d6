//! Host names of the selection and the addresses they have now, resolved forwards in the background.
//!
//! A thread asks again every minute; whoever looks a name up gets the last answer at once. Refuses to
//! know what the names are for, and never looks up the name of an address.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;

/// Names are resolved again after this time.
const PERIOD: Duration = Duration::from_mins(1);

/// The addresses of host names.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    known: Arc<Mutex<HashMap<String, Vec<IpAddr>>>>,
    /// Whether every name has been asked for once.
    asked: Arc<AtomicBool>,
    /// How often the names have been others: a thread ends when its names are no longer asked for.
    generation: Arc<AtomicU64>,
}

impl Hosts {
    /// Starts resolving the names; without a name nothing is started.
    ///
    /// # Errors
    /// If the thread or its runtime cannot be made.
    pub fn watch(names: Vec<String>) -> io::Result<Self> {
        let hosts = Self::default();
        hosts.follow(names)?;
        Ok(hosts)
    }

    /// Resolves these names from now on, in place of those before; what is known of them stays.
    ///
    /// # Errors
    /// If the thread or its runtime cannot be made; the names are then those before.
    pub fn follow(&self, names: Vec<String>) -> io::Result<()> {
        let hosts = self.clone();
        let generation = self.generation.load(Ordering::Acquire) + 1;
        if names.is_empty() {
            self.generation.store(generation, Ordering::Release);
            return Ok(());
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let before = self.generation.swap(generation, Ordering::AcqRel);
        let thread = std::thread::Builder::new().name("hosts".into());
        let started = thread.spawn(move || {
            runtime.block_on(async {
                while hosts.generation.load(Ordering::Acquire) == generation {
                    hosts.refresh(&names).await;
                    hosts.asked.store(true, Ordering::Release);
                    tokio::time::sleep(PERIOD).await;
                }
            });
        });
        if started.is_err() {
            self.generation.store(before, Ordering::Release);
        }
        started.map(drop)
    }

    /// The addresses that the name had when it was last resolved; empty if it has none.
    #[must_use]
    pub fn addresses(&self, name: &str) -> Vec<IpAddr> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned().unwrap_or_default()
    }

    /// Whether every name has been asked for at least once, with whatever result.
    #[must_use]
    pub fn asked(&self) -> bool {
        self.asked.load(Ordering::Acquire)
    }

    async fn refresh(&self, names: &[String]) {
        // Made anew each time, because resolv.conf and the hosts file may have changed.
        let resolver = match resolver() {
            Ok(resolver) => resolver,
            Err(error) => {
                tracing::warn!(%error, "cannot make a resolver; the addresses of hosts stay as they are");
                return;
            }
        };
        for name in names {
            match resolver.lookup_ip(name.as_str()).await {
                Ok(found) => self.set(name, found.iter().map(|address| address.to_canonical()).collect()),
                Err(error) if error.is_no_records_found() => self.set(name, Vec::new()),
                // Nobody answered: the name may well have its old addresses still.
                Err(error) => tracing::warn!(host = name, %error, "cannot resolve a host of the selection"),
            }
        }
    }

    fn set(&self, name: &str, mut addresses: Vec<IpAddr>) {
        addresses.sort_unstable();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.get(name) == Some(&addresses) {
            return;
        }
        if addresses.is_empty() {
            tracing::warn!(host = name, "a host of the selection has no address; it matches nothing");
        } else {
            tracing::info!(host = name, ?addresses, "resolved a host of the selection");
        }
        known.insert(name.to_owned(), addresses);
    }
}

fn resolver() -> Result<TokioResolver, NetError> {
    // Without a resolv.conf there is still the hosts file.
    let mut builder = TokioResolver::builder_tokio().unwrap_or_else(|_| {
        TokioResolver::builder_with_config(ResolverConfig::default(), TokioRuntimeProvider::default())
    });
    builder.options_mut().ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    builder.build()
}
