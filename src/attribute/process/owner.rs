//! The processes that hold one socket, and the texts that name them.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hashbrown::HashMap;

use super::Process;
use crate::attribute::Cgroup;

/// Names in a text; the rest is only counted.
const NAMED: usize = 4;
/// Collections for which an owner stays that no socket has.
const KEPT: u32 = 3;

/// Stands for one set of processes with their names: no table of processes ever uses it for another, and a rename
/// makes a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OwnerId(u32);

impl OwnerId {
    /// No process is known.
    pub const NO_PROCESS: Self = Self(0);

    /// The number that it is, for who keeps numbers.
    pub(crate) const fn number(self) -> u32 {
        self.0
    }

    /// The id with that number.
    pub(crate) const fn numbered(number: u32) -> Self {
        Self(number)
    }
}

/// The processes that hold one socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    processes: Vec<Process>,
    pids: String,
    names: String,
    executables: String,
}

impl Owner {
    /// The processes, pids ascending; empty if none is known.
    #[must_use]
    pub fn processes(&self) -> &[Process] {
        &self.processes
    }

    /// Their pids, ascending, with commas between them; `+` and a number for those after the fourth.
    #[must_use]
    pub fn pids(&self) -> &str {
        &self.pids
    }

    /// Their distinct comms, in order, as [`Owner::pids`] are written.
    #[must_use]
    pub fn names(&self) -> &str {
        &self.names
    }

    /// The distinct base names of their executables, in order, as [`Owner::pids`] are written; a name that could
    /// not be read is left out.
    #[must_use]
    pub fn executables(&self) -> &str {
        &self.executables
    }

    /// The owner that these processes are, pids ascending.
    pub(crate) fn of(processes: Vec<Process>) -> Self {
        let pids = joined(processes.iter().map(|process| process.pid.to_string()).collect());
        let names = joined(distinct(processes.iter().map(Process::comm)));
        let executables = joined(distinct(processes.iter().map(Process::executable)));
        Self { processes, pids, names, executables }
    }

    /// What two owners agree in, for a socket that belongs to one of them.
    ///
    /// A text is empty where they differ. For selections, a name that occurs in both is a process of that name, with
    /// the pid 0, which no process has.
    pub(crate) fn agreed(one: Arc<Self>, other: &Arc<Self>) -> Arc<Self> {
        if one == *other {
            return one;
        }
        let first = |owner: &Self| owner.processes.first()?.cgroup.clone();
        let cgroup = first(&one).zip(first(other)).map(|(one, other)| Cgroup::agreed(&one, &other));
        let (comms, executables) =
            (common(&one, other, Process::comm), common(&one, other, Process::executable));
        let process = |comm: &str, executable: &str| {
            let cgroup = cgroup.clone();
            Process { pid: 0, comm: comm.to_owned(), executable: executable.to_owned(), cgroup }
        };
        let by_comm = comms.names.iter().map(|name| process(name, ""));
        let by_executable = executables.names.iter().map(|name| process("", name));
        let both = one.processes.iter().filter(|process| other.processes.contains(process)).cloned();
        let same = |all: bool, text: fn(&Self) -> &str| {
            if all && text(&one) == text(other) { text(&one).to_owned() } else { String::new() }
        };
        Arc::new(Self {
            pids: String::new(),
            names: same(comms.all, Self::names),
            executables: same(executables.all, Self::executables),
            processes: by_comm.chain(by_executable).chain(both).collect(),
        })
    }
}

/// The names that occur in both of two owners.
struct Common<'a> {
    names: Vec<&'a str>,
    /// Whether neither has another.
    all: bool,
}

fn common<'a>(one: &'a Owner, other: &'a Owner, name: fn(&Process) -> &str) -> Common<'a> {
    let of = |owner: &'a Owner| distinct(owner.processes.iter().map(name));
    let (mut names, others) = (of(one), of(other));
    let all = names == others;
    names.retain(|name| others.binary_search(name).is_ok());
    Common { names, all }
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names: Vec<_> = names.filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn joined<T: AsRef<str>>(parts: Vec<T>) -> String {
    let rest = parts.len().saturating_sub(NAMED);
    let mut text = String::new();
    for part in parts.into_iter().take(NAMED) {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(part.as_ref());
    }
    if rest > 0 {
        // Writing to a String cannot fail.
        let _ = write!(text, ",+{rest}");
    }
    text
}

/// Every owner whose id a socket or a row may still have.
#[derive(Debug, Default)]
pub(super) struct Owners {
    by_id: HashMap<OwnerId, CachedOwner>,
    /// The owners of several processes, by the sole owners of each process.
    shared: HashMap<Box<[OwnerId]>, OwnerId>,
    collection: u32,
    no_process: Arc<Owner>,
}

#[derive(Debug)]
struct CachedOwner {
    owner: Arc<Owner>,
    collection: u32,
}

impl Owners {
    /// The owner of that id; the empty one if it is forgotten.
    pub(super) fn get(&self, id: OwnerId) -> &Arc<Owner> {
        self.by_id.get(&id).map_or(&self.no_process, |kept| &kept.owner)
    }

    /// Somebody still names it.
    pub(super) fn keep(&mut self, id: OwnerId) {
        if let Some(kept) = self.by_id.get_mut(&id) {
            kept.collection = self.collection;
        }
    }

    /// A collection begins: forgets what was not named for three of them.
    pub(super) fn begin(&mut self, collection: u32) {
        self.collection = collection;
        self.by_id.retain(|_, kept| kept.collection.saturating_add(KEPT) >= collection);
        self.shared.retain(|_, id| self.by_id.contains_key(id));
    }

    /// A new owner that is one process.
    pub(super) fn sole(&mut self, process: &Process) -> OwnerId {
        self.add(vec![process.clone()])
    }

    /// The owner of a socket that processes share, given their sole owners, pids ascending.
    pub(super) fn shared(&mut self, sole: &[OwnerId]) -> OwnerId {
        match (sole, self.shared.get(sole)) {
            ([], _) => return OwnerId::NO_PROCESS,
            ([one], _) => return *one,
            (_, Some(id)) => return *id,
            (_, None) => {}
        }
        let processes = sole.iter().flat_map(|id| self.get(*id).processes.clone()).collect();
        let id = self.add(processes);
        self.shared.insert(sole.into(), id);
        id
    }

    fn add(&mut self, processes: Vec<Process>) -> OwnerId {
        // No id comes again, so that code that keeps one need not know which table gave it. When they are used up,
        // further owners are unknown.
        static LAST: AtomicU32 = AtomicU32::new(0);
        let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| last.checked_add(1));
        let Ok(last) = last else { return OwnerId::NO_PROCESS };
        let id = OwnerId(last + 1);
        self.by_id
            .insert(id, CachedOwner { owner: Arc::new(Owner::of(processes)), collection: self.collection });
        id
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, comm: &str) -> Process {
        Process::new(pid, comm.to_owned(), format!("{comm}.bin"))
    }

    #[test]
    fn texts_name_four_and_count_the_rest() {
        let owner = |last: u32| Owner::of((1..=last).map(|pid| process(pid * 10, "nginx")).collect());
        assert_eq!(owner(1).pids(), "10");
        assert_eq!(owner(4).pids(), "10,20,30,40");
        assert_eq!(owner(6).pids(), "10,20,30,40,+2");
        assert_eq!(owner(6).names(), "nginx");
    }

    #[test]
    fn names_are_distinct_and_in_order_and_those_unread_are_left_out() {
        let unread = Process::new(9, "zsh".to_owned(), String::new());
        let owner = Owner::of(vec![process(1, "b"), process(2, "a"), process(3, "b"), unread]);
        assert_eq!((owner.names(), owner.executables()), ("a,b,zsh", "a.bin,b.bin"));
        assert_eq!(owner.processes().len(), 4);
    }

    #[test]
    fn two_owners_agree_in_each_text_for_itself() {
        let owner = |processes: &[(u32, &str, &str)]| {
            let processes = processes.iter();
            let of = processes.map(|(pid, comm, path)| Process::new(*pid, (*comm).into(), (*path).into()));
            Arc::new(Owner::of(of.collect()))
        };
        let worker = owner(&[(1, "worker", "app")]);
        for (other, names, executables) in [
            (owner(&[(2, "worker", "app")]), "worker", "app"),
            (owner(&[(2, "worker", "app2")]), "worker", ""),
            (owner(&[(2, "other", "app")]), "", "app"),
            (owner(&[(2, "worker", "")]), "worker", ""),
            (owner(&[(1, "worker", "app"), (2, "helper", "app")]), "", "app"),
            (owner(&[(2, "other", "app2")]), "", ""),
        ] {
            let both = Owner::agreed(Arc::clone(&worker), &other);
            assert_eq!(
                (both.pids(), both.names(), both.executables()),
                ("", names, executables),
                "{other:?}"
            );
            let again = Owner::agreed(Arc::clone(&both), &owner(&[(3, "third", "third")]));
            assert_eq!(*again, Owner::default(), "{other:?}");
        }
        assert_eq!(Owner::agreed(Arc::clone(&worker), &owner(&[(1, "worker", "app")])), worker);
    }

    #[test]
    fn a_selection_knows_the_names_and_processes_that_both_owners_have() {
        let owner = |pids: &[u32], name: &str| {
            let of = pids.iter().map(|pid| process(*pid, if *pid == 1 { "master" } else { name }));
            Arc::new(Owner::of(of.collect()))
        };
        let both = Owner::agreed(owner(&[1, 2], "worker"), &owner(&[1, 3], "helper"));
        let called = |name: &str| both.processes().iter().any(|process| process.is_called(name));
        assert!(called("master") && called("master.bin") && !called("worker") && !called("helper.bin"));
        let pids: Vec<_> =
            both.processes().iter().map(|process| process.pid).filter(|pid| *pid > 0).collect();
        assert_eq!(pids, [1]);
    }

    #[test]
    fn the_same_processes_are_the_same_owner_and_others_are_not() {
        let mut owners = Owners::default();
        let [a, b, c] = [1, 2, 3].map(|pid| owners.sole(&process(pid, "x")));
        let pair = owners.shared(&[a, b]);
        assert_eq!(owners.shared(&[a, b]), pair);
        assert_ne!(owners.shared(&[a, c]), pair);
        assert_eq!(owners.shared(&[a]), a);
        assert_eq!(owners.get(pair).pids(), "1,2");
    }

    #[test]
    fn an_owner_that_no_socket_has_is_forgotten_and_its_id_never_comes_again() {
        let mut owners = Owners::default();
        owners.begin(1);
        let [kept, left] = [1, 2].map(|pid| owners.sole(&process(pid, "x")));
        let pair = owners.shared(&[kept, left]);
        for collection in 2..=5 {
            owners.begin(collection);
            owners.keep(kept);
        }
        assert_eq!(owners.get(kept).pids(), "1");
        assert_eq!(owners.get(left).as_ref(), &Owner::default());
        assert_eq!(owners.get(pair).as_ref(), &Owner::default());
        assert_eq!(owners.get(OwnerId::NO_PROCESS).as_ref(), &Owner::default());
        let again = owners.sole(&process(2, "x"));
        assert!(again > pair);
        assert!(owners.shared(&[kept, again]) > again);
    }
}
