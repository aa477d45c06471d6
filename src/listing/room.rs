//! How much memory a listing may take: what the memory cgroup leaves, up to a limit.

use std::fs::read_to_string;
use std::path::Path;

use crate::attribute::Sockstat;
use crate::collection::CollectorState;
use sockdiag::{Protocol, sys};

/// The most, without a cgroup that allows less: some 100,000 sockets. The others are counted.
pub(super) const MAX_BYTES: usize = 56 << 20;
/// With less, a listing would show too little.
const MIN_BYTES: usize = 1 << 20;
/// What is left for everything else meanwhile: replies of the kernel, a scrape, the text of the answer.
const SPARE: usize = 8 << 20;
/// What a listing takes for each socket, whether it is shown or not: its identity and its owner.
const SEEN: usize = 20;
const OWNED: usize = 75;
/// Where cgroups are.
const CGROUPS: &str = "/sys/fs/cgroup";

/// The bytes for the rows of the next listing; `None` if there is no memory for one.
pub(super) fn room(proc: &Path, protocols: &[&Protocol], state: &CollectorState) -> Option<usize> {
    let text = read_to_string(proc.join("self/cgroup")).unwrap_or_default();
    let Some(limit) = limit(&text, Path::new(CGROUPS)) else {
        return Some(MAX_BYTES);
    };
    let sockets = sockets(proc, protocols).max(state.listed_sockets());
    let each = if state.knows_listed_owners() { SEEN } else { SEEN + OWNED };
    let room = || {
        let status = read_to_string(proc.join("self/status")).unwrap_or_default();
        within(limit, anonymous(&status), sockets.saturating_mul(each))
    };
    room().filter(|bytes| *bytes == MAX_BYTES).or_else(|| {
        // What was freed counts as taken until the kernel has it back.
        sys::release_freed_memory();
        room()
    })
}

/// The bytes for rows below a limit, where that much is taken and that much more is needed.
fn within(limit: usize, taken: usize, needed: usize) -> Option<usize> {
    let room = limit.saturating_sub(taken).saturating_sub(needed).saturating_sub(SPARE);
    (room >= MIN_BYTES).then(|| room.min(MAX_BYTES))
}

/// The memory of a process that only it has, by the text of its `status`.
fn anonymous(status: &str) -> usize {
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kibibytes = line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<usize>().ok());
    kibibytes.unwrap_or_default().saturating_mul(1024)
}

/// How many sockets of the protocols there are in the exporter's own namespace, before any listing, as far as the kernel
/// counts them.
fn sockets(proc: &Path, protocols: &[&Protocol]) -> usize {
    let read = |name: &str| read_to_string(proc.join("thread-self/net").join(name));
    let text6 = read("sockstat6").unwrap_or_default();
    let text = read("sockstat").unwrap_or_default();
    let numbers = protocols.iter().filter_map(|protocol| Sockstat::read(protocol.sockstat, &text, &text6));
    let sockets = numbers.map(|numbers| numbers.sockets.saturating_add(numbers.time_wait));
    usize::try_from(sockets.fold(0, u64::saturating_add)).unwrap_or(usize::MAX)
}

/// The lowest limit of a memory cgroup and of those above it, by the text of `/proc/self/cgroup` (`cgroups(7)`).
fn limit(text: &str, cgroups: &Path) -> Option<usize> {
    let of_line = |line: &str| {
        let mut parts = line.splitn(3, ':');
        let (number, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let (root, file) = if number == "0" && controllers.is_empty() {
            (cgroups.to_owned(), "memory.max")
        } else {
            controllers.split(',').find(|controller| *controller == "memory")?;
            (cgroups.join("memory"), "memory.limit_in_bytes")
        };
        // A container sees its own cgroup as the root, and may see another path.
        let above = Path::new(path.trim_start_matches('/')).ancestors();
        above.filter_map(|path| read_to_string(root.join(path).join(file)).ok()?.trim().parse().ok()).min()
    };
    text.lines().filter_map(of_line).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_limit_above_counts_in_both_versions_of_cgroups() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("room");
            std::fs::write(path, text).expect("room");
        };
        write("a.slice/memory.max", "5000\n");
        write("a.slice/b.service/memory.max", "max\n");
        write("memory/memory.limit_in_bytes", "9223372036854771712\n");
        write("memory/docker/memory.limit_in_bytes", "7000\n");
        let limit = |text| limit(text, folder.path());
        assert_eq!(limit("0::/a.slice/b.service\n"), Some(5000));
        assert_eq!(limit("4:cpu,memory:/docker/0a1b\n0::/\n"), Some(7000));
        assert_eq!(limit("4:memory:/\n0::/a.slice\n"), Some(5000));
        assert_eq!(limit("4:memory:/elsewhere\n"), Some(9_223_372_036_854_771_712));
        for without in ["", "0::/c.slice\n", "3:cpu:/docker\n", "memory\n"] {
            assert_eq!(limit(without), None, "{without}");
        }
    }

    #[test]
    fn a_listing_takes_what_is_left_up_to_a_limit_and_is_refused_where_nothing_is() {
        let mebi = |number: usize| number << 20;
        assert_eq!(within(usize::MAX, mebi(30), mebi(20)), Some(MAX_BYTES));
        assert_eq!(within(mebi(64), mebi(30), mebi(20)), Some(mebi(6)));
        assert_eq!(within(mebi(64), mebi(40), mebi(20)), None);
        assert_eq!(within(mebi(64), mebi(70), 0), None);
        assert_eq!(anonymous("VmRSS:\t    9 kB\nRssAnon:\t    2 kB\n"), 2048);
    }
}
