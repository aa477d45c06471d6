//! Reloads between any events, against the sums of what happened.

use super::exporter::{Answer, Exporter};
use super::random::Random;
use super::truth::{Happened, OWNED, SELECTED, Sums, Truth};
use super::world::{Fake, listener};

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

/// A view that is shown, and what had happened when each namespace was first shown in it.
#[derive(Clone)]
struct Shown {
    definition: Definition,
    name: String,
    own: Option<Happened>,
    other: Option<Happened>,
}

impl Shown {
    fn new(definition: Definition, name: String) -> Self {
        Self { definition, name, own: None, other: None }
    }

    fn of(&self, happened: &Happened) -> Sums {
        if self.definition.1 { happened.selected } else { happened.all }
    }

    fn since(&self, now: &Happened, baseline: Option<&Happened>) -> Sums {
        let before = self.of(baseline.unwrap_or(now));
        let mut since = self.of(now);
        since.iter_mut().zip(before).for_each(|(since, before)| *since -= before);
        since
    }
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
    /// Of another namespace, if there is one; and what had happened there when it was last dumped.
    other: Option<Truth>,
    dumped: Happened,
    shut: bool,
    shown: Vec<Shown>,
    named: usize,
    log: Vec<String>,
}

impl Run {
    fn new(seed: u64, namespaces: bool) -> Self {
        let world = Fake::new(if namespaces { &["own", "x"] } else { &["own"] });
        world.give_to_nginx(OWNED);
        world.listen(&[listener(999, SELECTED)]);
        let shown = vec![Shown::new(STAYS, "k".to_owned())];
        let netns = if namespaces { "all" } else { "own" };
        Self {
            seed,
            random: Random::new(seed),
            exporter: Exporter::new(world, &config(&shown, netns)),
            own: Truth::new(1),
            other: namespaces.then(|| Truth::new(501)),
            dumped: Happened::default(),
            shut: false,
            shown,
            named: 0,
            log: Vec::new(),
        }
    }

    fn step(&mut self) {
        let random = &mut self.random;
        let done = match (random.below(16), &mut self.other) {
            (0..=3, _) => self.scrape(),
            (4..=6, _) => self.own.receive(random),
            (7..=8, _) => self.own.open(random),
            (9..=10, _) => self.end(),
            (11, _) => self.reload(),
            (12, Some(_)) => self.shut_or_open(),
            (13, Some(other)) => other.open(random),
            (14.., Some(other)) => other.receive(random),
            (_, None) => String::new(),
        };
        self.log.push(done);
    }

    fn end(&mut self) -> String {
        let Some(ended) = self.own.end(&mut self.random) else { return String::new() };
        self.exporter.hear_end(&ended);
        format!("{} ends", ended.cookie)
    }

    fn shut_or_open(&mut self) -> String {
        self.shut = !self.shut;
        self.exporter.world.shut("x", self.shut);
        format!("x is shut: {}", self.shut)
    }

    fn reload(&mut self) -> String {
        let last = if self.other.is_some() { BY_STATE } else { INBOUND };
        let mut shown = vec![self.shown.iter().find(|shown| shown.name == "k").expect("it stays").clone()];
        for definition in COME_AND_GO.into_iter().chain([last]) {
            if self.random.one_in(2) {
                continue;
            }
            let known = self.shown.iter().find(|shown| shown.definition == definition);
            let view = known.filter(|_| !self.random.one_in(4)).cloned().unwrap_or_else(|| {
                self.named += 1;
                Shown::new(definition, format!("v{}", self.named))
            });
            shown.insert(self.random.place(shown.len() + 1), view);
        }
        self.shown = shown;
        let config = config(&self.shown, if self.other.is_some() { "all" } else { "own" });
        self.exporter.reload(&config);
        format!("a reload:\n{config}")
    }

    fn scrape(&mut self) -> String {
        self.exporter.world.set("own", &self.own.alive);
        if let Some(other) = &self.other {
            self.exporter.world.set("x", &other.alive);
        }
        let answer = self.exporter.scrape();
        let other = self.other.as_ref().filter(|_| !self.shut);
        if let Some(other) = other {
            self.dumped = other.happened;
        }
        for shown in &mut self.shown {
            shown.own.get_or_insert(self.own.happened);
            if other.is_some() {
                shown.other.get_or_insert(self.dumped);
            }
        }
        self.shown.iter().for_each(|shown| self.compare(shown, &answer));
        "a dump".to_owned()
    }

    fn compare(&self, shown: &Shown, answer: &Answer) {
        let own = shown.since(&self.own.happened, shown.own.as_ref());
        let other = shown.since(&self.dumped, shown.other.as_ref());
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
