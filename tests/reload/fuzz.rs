//! Reloads between any events, against the sums of what happened.

use std::collections::HashSet;

use super::exporter::{Answer, Exporter};
use super::random::Random;
use super::truth::{Happened, OWNED, SELECTED, Sums, Truth};
use testkit::host::FakeHost;

use super::sockets::{Changes as _, Sock, listener};

const SEEDS: u64 = 60;
const STEPS: usize = 120;
const METRICS: &str = "metrics: [sockets, received_bytes_total, opened_total, closed_total, rtt_seconds]";

/// What a view asks for, and whether this is the selected port only.
type Definition = (&'static str, bool);

/// Of the view that stays through all reloads.
const STAYS: Definition = ("by: [remote_address]", false);
const COME_AND_GO: [Definition; 6] = [
    ("by: [local_port]", false),
    ("by: [direction]", false),
    ("select: 'sport = 80'", true),
    ("by: [remote_port], limit: 1", false),
    ("by: [process, direction], limit: 2", false),
    ("by: [unit]", false),
];
/// It needs the listeners, which only the own namespace has.
const INBOUND: Definition = ("by: [local_port, direction], select: 'direction inbound'", true);
const BY_STATE: Definition = ("by: [local_port, state], select: 'sport = 80'", true);

/// What of a namespace does not count in a view.
#[derive(Clone)]
struct Before {
    /// What had happened before, and what older sockets received until a dump showed them.
    happened: Happened,
    /// Sockets that are older, or may be, and that no dump has shown in the view.
    unshown: HashSet<u32>,
    /// Whether no socket of the namespace that is opened now may be taken for an older one.
    certain: bool,
    /// What counts, as of the last dump or event.
    counted: Sums,
}

impl Before {
    fn new(truth: &Truth, certain: bool) -> Self {
        let unshown = truth.alive.iter().map(|sock| sock.cookie).collect();
        Self { happened: truth.happened, unshown, certain, counted: Sums::default() }
    }

    fn opens(&mut self, opened: &Sock) {
        if !self.certain {
            self.happened.count(0, opened.bytes, opened.local);
            self.happened.count(1, 1, opened.local);
            self.unshown.insert(opened.cookie);
        }
    }

    fn receives(&mut self, receiver: &Sock, more: u64) {
        if self.unshown.contains(&receiver.cookie) {
            self.happened.count(0, more, receiver.local);
        }
    }

    fn shown(&mut self, now: &Happened, selects: bool) {
        self.unshown.clear();
        let of = |happened: &Happened| if selects { happened.selected } else { happened.all };
        self.counted = of(now);
        self.counted.iter_mut().zip(of(&self.happened)).for_each(|(now, before)| *now -= before);
    }
}

/// A view that is shown.
#[derive(Clone)]
struct Shown {
    definition: Definition,
    name: String,
    own: Before,
    other: Option<Before>,
}

fn config(shown: &[Shown], netns: &str) -> String {
    let views = shown
        .iter()
        .map(|Shown { name, definition, .. }| format!("  {name}: {{{}, {METRICS}}}\n", definition.0));
    format!("collect: {{netns: {netns}}}\nviews:\n{}", views.collect::<String>())
}

/// An exporter, what really happens around it, and what it shows.
struct Run {
    seed: u64,
    random: Random,
    exporter: Exporter,
    own: Truth,
    /// Of another namespace, if there is one; how many dumps have shown it since the last reload.
    other: Option<Truth>,
    dumps: usize,
    shut: bool,
    /// Whether a dump has shown all views.
    complete: bool,
    shown: Vec<Shown>,
    named: usize,
    log: Vec<String>,
}

impl Run {
    fn new(seed: u64, namespaces: bool) -> Self {
        let host = FakeHost::new(if namespaces { &["own", "x"] } else { &["own"] });
        host.give_to_nginx(OWNED);
        host.listen(&[listener(999, SELECTED)]);
        let (own, other) = (Truth::new(1), namespaces.then(|| Truth::new(501)));
        let mut random = Random::new(seed);
        let inventory = random.one_in(2);
        let before = |truth| Before::new(truth, inventory);
        let (name, of_other) = ("k".to_owned(), other.as_ref().map(before));
        let shown = vec![Shown { definition: STAYS, name, own: before(&own), other: of_other }];
        let netns = if namespaces { "all" } else { "own" };
        let exporter = Exporter::new(host, &config(&shown, netns));
        let (dumps, shut, complete, named, log) = (0, false, false, 0, Vec::new());
        let mut run = Self { seed, random, exporter, own, other, dumps, shut, complete, shown, named, log };
        run.set();
        if inventory {
            run.exporter.take_inventory();
        }
        run
    }

    /// The host is now as it is in truth.
    fn set(&self) {
        self.exporter.host.set("own", &self.own.alive);
        if let Some(other) = &self.other {
            self.exporter.host.set("x", &other.alive);
        }
    }

    fn step(&mut self) {
        let done = match (self.random.below(16), self.other.is_some()) {
            (0..=3, _) => self.scrape(),
            (4..=6, _) => self.receive(true),
            (7..=8, _) => self.open(true),
            (9..=10, _) => self.end(),
            (11, _) => self.reload(),
            (12, true) => self.shut_or_open(),
            (13, true) => self.open(false),
            (14.., true) => self.receive(false),
            (_, false) => String::new(),
        };
        self.log.push(done);
    }

    fn befores(&mut self, own: bool) -> impl Iterator<Item = &mut Before> {
        self.shown
            .iter_mut()
            .filter_map(move |shown| if own { Some(&mut shown.own) } else { shown.other.as_mut() })
    }

    fn open(&mut self, own: bool) -> String {
        let truth = if own { &mut self.own } else { self.other.as_mut().expect("another namespace") };
        let opened = truth.open(&mut self.random);
        self.befores(own).for_each(|before| before.opens(&opened));
        format!("{} opens", opened.cookie)
    }

    fn receive(&mut self, own: bool) -> String {
        let truth = if own { &mut self.own } else { self.other.as_mut().expect("another namespace") };
        let Some((receiver, more)) = truth.receive(&mut self.random) else { return String::new() };
        self.befores(own).for_each(|before| before.receives(&receiver, more));
        format!("{} receives {more}", receiver.cookie)
    }

    fn end(&mut self) -> String {
        let Some(ended) = self.own.end(&mut self.random) else { return String::new() };
        self.exporter.close(&ended);
        format!("{} ends", ended.cookie)
    }

    fn shut_or_open(&mut self) -> String {
        self.shut = !self.shut;
        self.exporter.host.set_closed("x", self.shut);
        format!("x is shut: {}", self.shut)
    }

    fn reload(&mut self) -> String {
        let last = if self.other.is_some() { BY_STATE } else { INBOUND };
        let mut shown = vec![self.shown.iter().find(|shown| shown.name == "k").expect("it stays").clone()];
        let mut joins_inbound = false;
        for definition in COME_AND_GO.into_iter().chain([last]) {
            if self.random.one_in(2) {
                continue;
            }
            let known = self.shown.iter().find(|shown| shown.definition == definition);
            let view = known.filter(|_| !self.random.one_in(4)).cloned().unwrap_or_else(|| {
                self.named += 1;
                self.complete = false;
                joins_inbound |= definition == INBOUND;
                let other = self.other.as_ref().map(|truth| Before::new(truth, false));
                Shown {
                    definition,
                    name: format!("v{}", self.named),
                    own: Before::new(&self.own, true),
                    other,
                }
            });
            shown.insert(self.random.place(shown.len() + 1), view);
        }
        self.shown = shown;
        self.dumps = 0;
        // What can be entered is listed.
        self.befores(true).for_each(|before| before.certain = true);
        if !self.shut {
            self.befores(false).for_each(|before| before.certain = true);
        }
        self.set();
        let config = config(&self.shown, if self.other.is_some() { "all" } else { "own" });
        self.exporter.reload(&config);
        // Only a dump shows which end listens.
        let scraped = if joins_inbound { self.scrape() } else { String::new() };
        format!("a reload:\n{config}{scraped}")
    }

    fn scrape(&mut self) -> String {
        self.set();
        let answer = self.exporter.scrape();
        // The first dump of a view is two walks, and two make a baseline.
        let walks = if self.complete { 1 } else { 2 };
        self.complete = true;
        let (own, other) = (self.own.happened, self.other.as_ref().map(|other| other.happened));
        for shown in &mut self.shown {
            let selects = shown.definition.1;
            shown.own.certain = true;
            shown.own.shown(&own, selects);
            if let Some((before, now)) = shown.other.as_mut().zip(other).filter(|_| !self.shut) {
                before.certain |= self.dumps + walks >= 2;
                before.shown(&now, selects);
            }
        }
        self.dumps += if self.shut { 0 } else { walks };
        self.shown.iter().for_each(|shown| self.compare(shown, &answer));
        "a dump".to_owned()
    }

    fn compare(&self, shown: &Shown, answer: &Answer) {
        let (own, other) = (shown.own.counted, shown.other.as_ref().map_or([0; 3], |other| other.counted));
        let alive = self
            .own
            .alive
            .iter()
            .chain(self.other.iter().filter(|_| !self.shut).flat_map(|other| &other.alive));
        let alive = alive.filter(|sock| !shown.definition.1 || sock.local == SELECTED).count() as u64;
        let expected = [own[0] + other[0], own[1] + other[1], own[2] + other[2], alive];
        let families = ["received_bytes_total", "opened_total", "closed_total", "sockets"];
        let counted = families.map(|family| answer.total(&format!("ss_{}_{family}", shown.name)));
        assert!(
            counted == expected,
            "seed {}: {families:?} of {} ({}) are {counted:?}, not {expected:?}, after\n{}",
            self.seed,
            shown.name,
            shown.definition.0,
            self.log.join("\n")
        );
    }
}

fn counts_what_happened(namespaces: bool) {
    for seed in 1..=SEEDS {
        let mut run = Run::new(seed, namespaces);
        (0..STEPS).for_each(|_| run.step());
    }
}

#[test]
fn every_view_counts_what_happened_since_it_is_there_whatever_reloads_come_between() {
    counts_what_happened(false);
}

#[test]
fn every_view_counts_what_happened_in_all_namespaces_whatever_reloads_come_between() {
    counts_what_happened(true);
}
