//! Random lives of processes and sockets, and a model that remembers who held what, and when.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use proptest::prelude::*;

use super::*;

/// A label may name a process that held the socket so many seconds ago.
const LATE: u64 = 60;
/// The same on a kernel that reports the number of descriptors, of a process that has another one in its place.
const LATE_IF_COUNTED: u64 = 300;

/// What may happen; numbers choose among what there is.
#[derive(Clone, Copy, Debug)]
enum Step {
    Start,
    Open(usize),
    Close(usize, usize),
    Replace(usize, usize),
    Duplicate(usize, usize),
    Scan(usize, usize, usize),
    Fork(usize),
    Thread(usize),
    OpenInThread(usize, usize),
    Rename(usize),
    Exit(usize),
    Reuse(usize),
    Wait(u64),
    Collect { seconds: u64, begin: bool, resolve: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let any = 0..64_usize;
    prop_oneof![
        1 => Just(Step::Start),
        4 => any.clone().prop_map(Step::Open),
        2 => (any.clone(), any.clone()).prop_map(|(process, fd)| Step::Close(process, fd)),
        2 => (any.clone(), any.clone()).prop_map(|(process, fd)| Step::Replace(process, fd)),
        1 => (any.clone(), any.clone()).prop_map(|(process, fd)| Step::Duplicate(process, fd)),
        2 => (any.clone(), any.clone(), any.clone()).prop_map(|(from, to, fd)| Step::Scan(from, to, fd)),
        1 => any.clone().prop_map(Step::Fork),
        1 => any.clone().prop_map(Step::Thread),
        2 => (any.clone(), any.clone()).prop_map(|(process, thread)| Step::OpenInThread(process, thread)),
        1 => any.clone().prop_map(Step::Rename),
        1 => any.clone().prop_map(Step::Exit),
        1 => any.prop_map(Step::Reuse),
        2 => (0..70_u64).prop_map(Step::Wait),
        6 => (0..20_u64, prop::bool::weighted(0.8), prop::bool::weighted(0.8))
            .prop_map(|(seconds, begin, resolve)| Step::Collect { seconds, begin, resolve }),
    ]
}

#[derive(Clone, Default)]
struct Life {
    start: u64,
    comm: String,
    fds: BTreeMap<u32, u32>,
    /// The descriptors of threads that have some of their own.
    threads: BTreeMap<u32, BTreeMap<u32, u32>>,
}

impl Life {
    fn inodes(&self) -> impl Iterator<Item = u32> {
        std::iter::once(&self.fds).chain(self.threads.values()).flat_map(|fds| fds.values().copied())
    }
}

/// The truth.
struct Truth {
    bench: Bench,
    /// How many seconds ago a process may have held a socket.
    late: u64,
    clock: u64,
    /// Counts pids, starts, inodes and names: none comes twice, but pids do where a test says so.
    count: u32,
    lives: BTreeMap<u32, Life>,
    /// When a process of that pid and start last held that socket.
    held: HashMap<(u32, u64, u32), u64>,
    /// Which start a name belongs to, and when it was last the name.
    named: HashMap<String, (u64, u64)>,
}

impl Truth {
    fn new(bench: Bench, late: u64) -> Self {
        // The process that reads the table is always there.
        bench.fake.start(1, "reader", 1);
        let (lives, held, named) = (BTreeMap::new(), HashMap::new(), HashMap::new());
        Self { bench, late, clock: 0, count: 0, lives, held, named }
    }

    fn next(&mut self) -> u32 {
        self.count += 1;
        self.count
    }

    fn start(&mut self, pid: u32, fds: BTreeMap<u32, u32>) {
        let start = self.next().into();
        let comm = format!("c{}", self.next());
        self.bench.fake.start(pid, &comm, start);
        for (number, inode) in &fds {
            self.bench.fake.hold(pid, *number, *inode);
        }
        self.lives.insert(pid, Life { start, comm, fds, threads: BTreeMap::new() });
    }

    fn exit(&mut self, pid: u32) {
        self.lives.remove(&pid);
        self.bench.fake.exit(pid);
    }

    /// One of the processes.
    fn one(&self, which: usize) -> Option<u32> {
        self.lives.keys().copied().nth(which.checked_rem(self.lives.len())?)
    }

    /// One of a process's descriptors: its number and inode.
    fn fd(&self, pid: u32, which: usize) -> Option<(u32, u32)> {
        let fds = &self.lives[&pid].fds;
        fds.iter().nth(which.checked_rem(fds.len())?).map(|(number, inode)| (*number, *inode))
    }

    fn open(&mut self, pid: u32, inode: u32) {
        let fds = &mut self.lives.get_mut(&pid).expect("a process").fds;
        let number = (0..=u32::MAX).find(|number| !fds.contains_key(number)).expect("a free number");
        fds.insert(number, inode);
        self.bench.fake.hold(pid, number, inode);
    }

    fn close(&mut self, pid: u32, number: u32) {
        self.lives.get_mut(&pid).expect("a process").fds.remove(&number);
        self.bench.fake.close(pid, number);
    }

    /// Remembers what is so now.
    fn remember(&mut self) {
        for (pid, life) in &self.lives {
            self.named.insert(life.comm.clone(), (life.start, self.clock));
            for inode in life.inodes() {
                self.held.insert((*pid, life.start, inode), self.clock);
            }
        }
    }

    fn wait(&mut self, seconds: u64) {
        self.clock += seconds;
        self.bench.now += Duration::from_secs(seconds);
    }

    /// One step; `None` if there is nothing that it could happen to.
    fn take(&mut self, step: Step) -> Option<()> {
        match step {
            Step::Start => {
                let pid = 1_000 + self.next();
                self.start(pid, BTreeMap::new());
            }
            Step::Open(process) => {
                let inode = self.next();
                self.open(self.one(process)?, inode);
            }
            Step::Close(process, fd) => {
                let pid = self.one(process)?;
                self.close(pid, self.fd(pid, fd)?.0);
            }
            Step::Replace(process, fd) => {
                let pid = self.one(process)?;
                let (number, _) = self.fd(pid, fd)?;
                self.close(pid, number);
                let inode = self.next();
                self.open(pid, inode);
            }
            Step::Duplicate(process, fd) => {
                let pid = self.one(process)?;
                self.open(pid, self.fd(pid, fd)?.1);
            }
            Step::Scan(from, to, fd) => {
                let (from, to) = (self.one(from)?, self.one(to)?);
                let (number, inode) = self.fd(from, fd)?;
                self.open(to, inode);
                self.close(from, number);
            }
            Step::Fork(process) => {
                let fds = self.lives[&self.one(process)?].fds.clone();
                let pid = 1_000 + self.next();
                self.start(pid, fds);
            }
            Step::Thread(process) => {
                let pid = self.one(process)?;
                let id = 1_000 + self.next();
                self.bench.fake.thread(pid, id);
                self.bench.fake.unshare(pid, id);
                let life = self.lives.get_mut(&pid)?;
                life.threads.insert(id, life.fds.clone());
            }
            Step::OpenInThread(process, thread) => {
                let pid = self.one(process)?;
                let inode = self.next();
                let threads = &mut self.lives.get_mut(&pid)?.threads;
                let which = thread.checked_rem(threads.len())?;
                let (id, fds) = threads.iter_mut().nth(which)?;
                let number = (0..=u32::MAX).find(|number| !fds.contains_key(number))?;
                fds.insert(number, inode);
                self.bench.fake.hold_in_thread(pid, *id, number, inode);
            }
            Step::Rename(process) => {
                let pid = self.one(process)?;
                let comm = format!("c{}", self.next());
                let life = self.lives.get_mut(&pid)?;
                life.comm.clone_from(&comm);
                self.bench.fake.rename(pid, &comm, life.start);
            }
            Step::Exit(process) => self.exit(self.one(process)?),
            Step::Reuse(process) => {
                let pid = self.one(process)?;
                self.exit(pid);
                let inode = self.next();
                self.start(pid, [(0, inode)].into());
            }
            Step::Wait(seconds) => self.wait(seconds),
            Step::Collect { seconds, begin, resolve } => {
                self.wait(seconds);
                self.remember();
                self.collect(begin, resolve);
            }
        }
        self.remember();
        Some(())
    }

    fn collect(&mut self, begin: bool, resolve: bool) {
        let until = |enough| if enough { soon() } else { Instant::now() };
        self.bench.table.begin(self.bench.now, until(begin)).expect("a process table");
        let inodes: Vec<u32> = self.lives.values().flat_map(Life::inodes).collect();
        let unknown: Vec<u32> = inodes.iter().copied().filter(|inode| !self.check(*inode)).collect();
        self.bench.table.resolve(self.bench.now, until(resolve));
        if resolve && unknown.into_iter().filter(|inode| !self.check(*inode)).count() > 0 {
            // What is not where sockets usually are found is searched for in the next collection.
            self.bench.table.begin(self.bench.now, soon()).expect("a process table");
            for inode in &inodes {
                self.check(*inode);
            }
            self.bench.table.resolve(self.bench.now, soon());
            for inode in &inodes {
                assert!(self.check(*inode), "{inode} is not known");
            }
            assert_eq!(self.bench.table.cost().unknown, 0);
        }
        self.check_index();
    }

    /// Every process that is named held the socket so few seconds ago, by the name that it has in the label.
    ///
    /// Says whether any is named.
    fn check(&mut self, inode: u32) -> bool {
        let owners = self.bench.holders(inode);
        for owner in owners {
            let (start, named) = self.named[owner.comm()];
            let held = self.held.get(&(owner.pid, start, inode));
            let held = held.unwrap_or_else(|| panic!("{owner:?} never held {inode}"));
            assert!(
                held + self.late >= self.clock,
                "{owner:?} held {inode} at {held}, and now it is {}",
                self.clock
            );
            assert!(
                named + LATE >= self.clock,
                "{owner:?} was called so at {named}, and now it is {}",
                self.clock
            );
            assert_eq!(owner.executable(), format!("{}.bin", owner.comm()));
        }
        !owners.is_empty()
    }

    /// The index by inode says what the descriptors say.
    fn check_index(&self) {
        let table = &self.bench.table;
        let mut holders: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (pid, running) in &table.running {
            running.fds.sockets().for_each(|inode| holders.entry(inode).or_default().push(*pid));
        }
        holders.values_mut().for_each(Vec::dedup);
        assert_eq!(table.sockets.len(), holders.len());
        for (inode, pids) in holders {
            assert_eq!(table.sockets.holders(inode), pids, "{inode}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_label_is_wrong_and_with_enough_time_every_owner_is_known(
        steps in prop::collection::vec(step(), 1..80),
    ) {
        for (bench, late) in [(Bench::over(Fake::new()), LATE), (Bench::over(Fake::new()).counting(), LATE_IF_COUNTED)] {
            let mut truth = Truth::new(bench, late);
            truth.take(Step::Start);
            for step in &steps {
                truth.take(*step);
            }
        }
    }
}
