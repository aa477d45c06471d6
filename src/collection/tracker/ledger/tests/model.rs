//! A deterministic model: a kernel whose dumps are late, repeat and miss, and whose events get lost.
//!
//! Every step is drawn from a seed. After each, no sum may have gone back; at rest, each byte counts once. Sockets open
//! and close before the baseline, too: of those that are older, no byte from before counts.

use std::collections::{HashMap, VecDeque};

use hashbrown::HashSet;

use super::*;

/// A generator of pseudo-random numbers, as good as needed and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }
}

#[derive(Clone, Copy)]
struct Socket {
    key: u8,
    /// What it has counted; the second counter is the first in 32 bits.
    bytes: u64,
    /// What it had counted when the ledger last learned of it; `None` of a socket that may be older than the ledger and
    /// has not been shown.
    told: Option<u64>,
    /// In how many complete dumps in a row it was missing.
    missed: usize,
}

/// The kernel, and what it has told whom.
struct World {
    random: Random,
    ledger: Ledger,
    live: HashMap<u64, Socket>,
    /// Ended without an event: a part of a dump may still tell of them.
    lost: HashMap<u64, Socket>,
    /// Ended, and the event waits to be heard; whether the kernel has wiped what the socket had counted.
    ends: VecDeque<(u64, Socket, bool)>,
    /// Reset, and in no dump: the kernel tells of their end when their process lets go of them.
    held: Vec<(u64, Socket)>,
    /// Parts of the dump under way: sockets as they were when the kernel wrote them down.
    parts: Vec<(u64, Socket)>,
    dumping: bool,
    shown: HashMap<u64, bool>,
    next: u64,
    now: u32,
    /// Bytes that the ledger must know by now.
    truth: u64,
    /// Sums of rows that have expired.
    expired: u64,
    /// Whether the sockets were listed before the first event.
    inventory: bool,
    /// Closes of sockets that may be older and were never shown.
    before_baseline: u64,
    before: BTreeMap<String, u64>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut world = Self {
            random: Random(seed),
            ledger: ledger(4, 50, 1000),
            live: HashMap::new(),
            lost: HashMap::new(),
            ends: VecDeque::new(),
            held: Vec::new(),
            parts: Vec::new(),
            dumping: false,
            shown: HashMap::new(),
            next: 1,
            now: 0,
            truth: 0,
            expired: 0,
            inventory: false,
            before_baseline: 0,
            before: BTreeMap::new(),
        };
        for _ in 0..world.random.below(20) {
            world.connect(None);
        }
        world.inventory = !world.random.one_in(3);
        if world.inventory {
            world.list();
        }
        world
    }

    /// Two walks list the sockets, each misses some, and those that close meanwhile send no event.
    fn list(&mut self) {
        let mut sockets = HashSet::new();
        for walk in 0..2 {
            for _ in 0..self.random.below(5) {
                if let Some(closed) = self.any() {
                    self.live.remove(&closed);
                }
                self.connect(Some(0));
            }
            let mut cookies: Vec<u64> = self.live.keys().copied().collect();
            cookies.sort_unstable();
            for cookie in cookies {
                let socket = self.live.get_mut(&cookie).expect("alive");
                let missed = self.random.one_in(5) && (walk == 0 || socket.told.is_some());
                if !missed {
                    socket.told = None;
                    sockets.insert(cookie);
                }
            }
        }
        self.ledger.baseline.take(vec![(0, sockets)]);
    }

    fn has_baseline(&self) -> bool {
        self.ledger.baseline.missing(0) == 0
    }

    /// Opens a socket. Without an inventory it may be old until the baseline is complete.
    fn open(&mut self) {
        let certain = self.inventory || self.ledger.baseline.is_certain();
        self.connect(certain.then_some(0));
    }

    fn connect(&mut self, told: Option<u64>) {
        let key = u8::try_from(self.random.below(8)).expect("small");
        // Some begin just below the point at which 32 bits overflow.
        let bytes = if self.random.one_in(3) { u64::from(u32::MAX) - self.random.below(5000) } else { 0 };
        // The kernel's counter begins with the socket, so what it begins with counts, too.
        self.live.insert(self.next, Socket { key, bytes, told, missed: 0 });
        self.next += 1;
    }

    fn any(&mut self) -> Option<u64> {
        let mut cookies: Vec<u64> = self.live.keys().copied().collect();
        cookies.sort_unstable();
        let count = u64::try_from(cookies.len()).ok().filter(|count| *count > 0)?;
        cookies.get(usize::try_from(self.random.below(count)).ok()?).copied()
    }

    fn send(&mut self) {
        let more = self.random.below(100_000);
        if let Some(cookie) = self.any() {
            self.live.get_mut(&cookie).expect("alive").bytes += more;
        }
    }

    /// The kernel begins a dump: it writes down some sockets twice and forgets others.
    fn begin(&mut self) {
        self.ledger.begin();
        self.dumping = true;
        self.shown.clear();
        let mut cookies: Vec<u64> = self.live.keys().copied().collect();
        cookies.sort_unstable();
        for cookie in cookies {
            // A socket that three dumps in a row miss is given up, as promised; the model does not go there. Nor to one
            // that all dumps of the baseline miss.
            let most = match (self.has_baseline(), self.inventory) {
                (true, _) => MISSES,
                (false, true) => usize::from(DUMPS),
                (false, false) => 0,
            };
            let forgotten = self.random.one_in(10);
            if forgotten && self.live[&cookie].missed + 1 < most {
                continue;
            }
            let copies = if self.random.one_in(10) { 2 } else { 1 };
            (0..copies).for_each(|_| self.parts.push((cookie, self.live[&cookie])));
        }
        // In no order: the hash table is walked, not the age.
        for at in (1..self.parts.len()).rev() {
            let other = usize::try_from(self.random.below(u64::try_from(at).expect("few") + 1)).expect("few");
            self.parts.swap(at, other);
        }
    }

    /// The ledger reads a part of the dump, or the rest of it.
    fn read(&mut self, all: bool) {
        while let Some((cookie, socket)) = self.parts.pop() {
            // The value is as old as the part; live sockets were locked and asked at that moment.
            show(&mut self.ledger, cookie, &[b'a' + socket.key], &[socket.bytes, socket.bytes & 0xffff_ffff]);
            self.shown.insert(cookie, true);
            let ending =
                self.ends.iter_mut().find(|(other, ..)| *other == cookie).map(|(_, socket, _)| socket);
            let held = self.held.iter_mut().find(|(other, _)| *other == cookie).map(|(_, socket)| socket);
            let ended = self.lost.get_mut(&cookie).or(ending).or(held);
            if let Some(live) = self.live.get_mut(&cookie).or(ended) {
                let told = live.told.unwrap_or(socket.bytes);
                self.truth += socket.bytes - told.min(socket.bytes);
                live.told = Some(told.max(socket.bytes));
            }
            if !all {
                return;
            }
        }
        if self.dumping {
            self.dumping = false;
            let complete = !self.random.one_in(20);
            if complete {
                for (cookie, socket) in &mut self.live {
                    socket.missed = if self.shown.contains_key(cookie) { 0 } else { socket.missed + 1 };
                }
            }
            let sum_before = sum(&self.ledger, 0);
            let heard = self.ends.is_empty();
            if complete {
                self.ledger.dumped(&[0], heard);
            }
            self.ledger.end(complete, heard, &[], self.now);
            if !self.inventory && self.ledger.baseline.is_certain() {
                // Those that no dump has shown were opened after the last one.
                let unseen = self.live.values_mut().chain(self.lost.values_mut());
                unseen.for_each(|socket| _ = socket.told.get_or_insert(0));
            }
            self.expired += sum_before - sum(&self.ledger, 0);
            // Rows that expired begin again at 0.
            let now = column(&self.ledger, 0);
            self.before.retain(|key, _| now.contains_key(key));
        }
    }

    fn close(&mut self) {
        let Some(cookie) = self.any() else { return };
        let socket = self.live.remove(&cookie).expect("alive");
        match self.random.below(20) {
            // Nobody ever learns of the last bytes.
            0 => drop(self.lost.insert(cookie, socket)),
            // It is reset, and its process closes it some day.
            2 | 3 if socket.told.is_some() => self.held.push((cookie, socket)),
            wiped => self.ends.push_back((cookie, socket, wiped == 1)),
        }
    }

    /// A process lets go of a connection that was reset, however long ago.
    fn let_go(&mut self) {
        if let Some((cookie, socket)) = self.held.pop() {
            self.ends.push_back((cookie, socket, false));
        }
    }

    /// The ledger hears of an end, however long ago that was.
    fn hear(&mut self) {
        let Some((cookie, socket, wiped)) = self.ends.pop_front() else { return };
        let key = [b'a' + socket.key];
        if wiped {
            end(&mut self.ledger, cookie, &key, None);
        } else {
            end(&mut self.ledger, cookie, &key, Some(&[socket.bytes, socket.bytes & 0xffff_ffff]));
            self.truth += socket.told.map_or(0, |told| socket.bytes - told);
            self.before_baseline += u64::from(socket.told.is_none());
        }
    }

    fn check(&mut self, seed: u64, step: usize) {
        let now = column(&self.ledger, 0);
        for (key, before) in &self.before {
            assert!(now.get(key).is_some_and(|now| now >= before), "seed {seed} step {step}: {key} fell");
        }
        let known: u64 = now.values().sum();
        assert_eq!(known + self.expired, self.truth, "seed {seed} step {step}: each byte counts once");
        let in_32_bits = sum(&self.ledger, 1);
        assert!(in_32_bits <= known, "seed {seed} step {step}");
        assert_eq!(self.ledger.stats.before_baseline, self.before_baseline, "seed {seed} step {step}");
        self.before = now;
    }
}

#[test]
fn no_interleaving_loses_a_byte_counts_one_twice_or_goes_back() {
    // CI takes 2,000 steps per seed; `MODEL_STEPS=20000 cargo test --lib model` takes more.
    let steps = std::env::var("MODEL_STEPS").ok().and_then(|steps| steps.parse().ok()).unwrap_or(2_000);
    for seed in 0..500 {
        let mut world = World::new(seed);
        for step in 0..steps {
            match world.random.below(13) {
                0 => world.open(),
                1..=3 => world.send(),
                4 => world.close(),
                5 if !world.dumping => world.begin(),
                5..=7 => world.read(false),
                8 => world.read(true),
                9 | 10 => world.hear(),
                11 => world.let_go(),
                _ => world.now += 1,
            }
            if step % 16 == 0 {
                world.check(seed, step);
            }
        }
        // At rest: all ends are heard, and two dumps show whatever one of them missed.
        while !(world.ends.is_empty() && world.held.is_empty()) {
            world.let_go();
            world.hear();
        }
        for _ in 0..MISSES {
            world.read(true);
            world.begin();
            world.read(true);
        }
        world.check(seed, steps);
    }
}
