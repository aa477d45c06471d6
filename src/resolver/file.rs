//! The hosts file (`hosts(5)`).

use std::collections::HashMap;
use std::fs::metadata;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

/// Where it is.
pub(super) const HOSTS_FILE: &str = "/etc/hosts";

/// A file that changed more recently may change again within the same tick of the kernel's clock.
const SETTLED: Duration = Duration::from_secs(1);

/// Distinguishes a file from what it was before a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Stamp {
    /// Of the file as it is now; `None` if it is not there or was changed just now, so that it must be read again.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let found = metadata(path).ok()?;
        let changed = Duration::new(found.ctime().try_into().ok()?, found.ctime_nsec().try_into().ok()?);
        let age = UNIX_EPOCH.checked_add(changed)?.elapsed().ok()?;
        (age >= SETTLED).then(|| Self {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }
}

/// The addresses that the file gives these names; names without any are left out.
pub(super) fn read(path: &Path, names: &[&str]) -> HashMap<String, Vec<IpAddr>> {
    let text = std::fs::read(path).unwrap_or_default();
    let mut found: HashMap<String, Vec<IpAddr>> = HashMap::new();
    for line in String::from_utf8_lossy(&text).lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.trim_start_matches('\u{feff}').split_ascii_whitespace();
        // A link-local address may have an interface behind it.
        let address = words.next().and_then(|word| word.split('%').next()?.parse::<IpAddr>().ok());
        let Some(address) = address else { continue };
        for word in words {
            for name in names.iter().filter(|name| is_same(word, name)) {
                found.entry((*name).to_owned()).or_default().push(address.to_canonical());
            }
        }
    }
    found
}

/// Names are the same in capitals, and with the dot of the root behind them.
fn is_same(one: &str, other: &str) -> bool {
    let [one, other] = [one, other].map(|name| name.strip_suffix('.').unwrap_or(name));
    one.eq_ignore_ascii_case(other)
}
