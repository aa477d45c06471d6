//! The names of a cgroup: its path, and the unit, slice, container and pod in the path.

mod container;
mod mount;
mod table;

pub use table::Cgroups;

use super::dir::{LONGEST, label_text};

/// The text of a part in which several cgroups differ.
const UNKNOWN: &str = "unknown";

/// A cgroup, by what people call it; or what several cgroups agree in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cgroup {
    path: Box<str>,
    /// Whether that is the whole path, and not just the part in which several agree.
    whole: bool,
    /// Where the part of the path begins that fits into a label.
    shown: usize,
    unit: Option<Box<str>>,
    slice: Option<Box<str>>,
    container_id: Option<Box<str>>,
    pod_uid: Option<Box<str>>,
}

impl Cgroup {
    /// The cgroup with that path below the root of its hierarchy.
    ///
    /// Steps out of a cgroup namespace, `/..` in front (`cgroup_namespaces(7)`), are left out.
    #[must_use]
    pub fn of_path(path: &str) -> Self {
        let mut inside = path.trim_matches('/');
        while let Some(rest) =
            inside.strip_prefix("..").filter(|rest| rest.is_empty() || rest.starts_with('/'))
        {
            inside = rest.trim_start_matches('/');
        }
        let path = format!("/{inside}");
        let innermost = |is: &dyn Fn(&str) -> bool| path.rsplit('/').map(unescaped).find(|name| is(name));
        let is_unit = |name: &str| is_called(name, ".service") || is_called(name, ".scope");
        let unit = innermost(&|name| is_unit(name) && !container::is_scope(name));
        let slice = innermost(&|name| is_called(name, ".slice"));
        let label = |name: &str| label_text(name.as_bytes()).into_boxed_str();
        Self {
            whole: true,
            shown: fitting(&path),
            unit: unit.map(label),
            slice: slice.map(label),
            container_id: path.rsplit('/').find_map(container::id).map(Box::from),
            pod_uid: container::pod_uid(&path).map(String::into_boxed_str),
            path: path.into_boxed_str(),
        }
    }

    /// A cgroup of that unit and container, where they are not empty.
    #[cfg(test)]
    pub(crate) fn named(unit: &str, container_id: &str) -> Self {
        let [unit, container_id] = [unit, container_id].map(|name| (!name.is_empty()).then(|| name.into()));
        Self { unit, container_id, ..Self::of_path("/") }
    }

    /// What two cgroups agree in, for a socket that is in one of them: the names from the root on, and parts that are
    /// the same in both.
    pub(crate) fn agreed(one: &Self, other: &Self) -> Self {
        if one == other {
            return one.clone();
        }
        let part = |of: fn(&Self) -> &Option<Box<str>>| {
            if of(one) == of(other) { of(one).clone() } else { Some(UNKNOWN.into()) }
        };
        let names = one.path.split('/').zip(other.path.split('/'));
        let common: Vec<_> = names.take_while(|(one, other)| one == other).map(|(name, _)| name).collect();
        Self {
            path: common.join("/").into_boxed_str(),
            whole: false,
            shown: 0,
            unit: part(|cgroup| &cgroup.unit),
            slice: part(|cgroup| &cgroup.slice),
            container_id: part(|cgroup| &cgroup.container_id),
            pod_uid: part(|cgroup| &cgroup.pod_uid),
        }
    }

    /// The cgroup of a process, by the text of `/proc/PID/cgroup` (`cgroups(7)`); `None` if it has no such line.
    ///
    /// A process is in one cgroup of each hierarchy. That of systemd names the unit, and container
    /// runtimes use those of all controllers, so the first of them that is not the root counts.
    pub(crate) fn of_process(text: &str) -> Option<Self> {
        let lines = || text.lines().filter_map(line);
        let of = |controller: &str| {
            lines().find(|(names, path)| *path != "/" && names.split(',').any(|name| name == controller))
        };
        // That of cgroup v2 has no controllers.
        let mut preferred = ["name=systemd", "", "memory", "pids", "cpu"].into_iter();
        let any = || lines().find(|(_, path)| *path != "/");
        let found = preferred.find_map(of).or_else(any).or_else(|| lines().next());
        found.map(|(_, path)| Self::of_path(path.strip_suffix(" (deleted)").unwrap_or(path)))
    }

    /// The path as a label shows it: at most 128 bytes.
    ///
    /// The end says most, so a longer one loses whole names at its front, and the slash with them: a
    /// text that does not begin with `/` was cut.
    #[must_use]
    pub fn path(&self) -> &str {
        if self.whole { self.path.get(self.shown..).unwrap_or_default() } else { UNKNOWN }
    }

    /// The innermost service or scope of systemd (`systemd.unit(5)`), at most 128 bytes. The scope of a container is
    /// none: each would be another one.
    #[must_use]
    pub fn unit(&self) -> Option<&str> {
        self.unit.as_deref()
    }

    /// The innermost slice of systemd (`systemd.slice(5)`), at most 128 bytes.
    pub(crate) fn slice(&self) -> Option<&str> {
        self.slice.as_deref()
    }

    /// The innermost container's id, 64 hexadecimal digits.
    pub(crate) fn container_id(&self) -> Option<&str> {
        self.container_id.as_deref()
    }

    /// The id of the Kubernetes pod as its `metadata.uid` has it; that of a static pod, which the kubelet
    /// reads from a file, as its annotation `kubernetes.io/config.hash` has it.
    pub(crate) fn pod_uid(&self) -> Option<&str> {
        self.pod_uid.as_deref()
    }

    /// Whether it is the cgroup with that path.
    pub(crate) fn is(&self, path: &str) -> bool {
        self.whole && self.path.trim_matches('/') == path.trim_matches('/')
    }

    /// Whether it is the root of its hierarchy.
    pub(crate) fn is_root(&self) -> bool {
        self.is("/")
    }

    /// Whether the text of `/proc/PID/cgroup` speaks of a hierarchy of cgroup v1 (`cgroups(7)`).
    pub(crate) fn has_v1(text: &str) -> bool {
        text.lines().filter_map(line).any(|(controllers, _)| !controllers.is_empty())
    }

    /// Whether it is the cgroup with that path or a descendant of it.
    pub(crate) fn is_below(&self, path: &str) -> bool {
        let (own, path) = (self.path.trim_start_matches('/'), path.trim_matches('/'));
        let rest = own.strip_prefix(path);
        path.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// The controllers and the path in a line of `/proc/PID/cgroup`; cgroup v2 has no controllers there.
fn line(line: &str) -> Option<(&str, &str)> {
    line.split_once(':')?.1.split_once(':')
}

/// The name without the `_` that systemd puts in front of one that the kernel could take for its own.
fn unescaped(name: &str) -> &str {
    name.strip_prefix('_').unwrap_or(name)
}

fn is_called(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix).is_some_and(|stem| !stem.is_empty())
}

/// Where in a path the part begins that fits into a label: at a name's start, if one of them does.
fn fitting(path: &str) -> usize {
    let Some(excess) = path.len().checked_sub(LONGEST).filter(|excess| *excess > 0) else { return 0 };
    let slash = path.char_indices().find(|(at, letter)| *letter == '/' && at + 1 >= excess);
    slash.map_or(path.ceil_char_boundary(excess), |(at, _)| at + 1)
}

#[cfg(test)]
mod tests;
