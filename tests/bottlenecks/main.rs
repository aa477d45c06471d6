//! What limits connections over links that have a delay, a rate, a queue and loss: the label against the cause.
//!
//! All scenarios run at the same time, each between two network namespaces of its own, and one exporter sees them all. On a
//! slow machine `AT_ONCE=1` runs one after the other. What is named right in fewer than eight of ten intervals runs once more, alone.
//! `UPDATE=1 cargo test --features root-tests --test bottlenecks` writes what came out into the page of bottlenecks.

mod ends;
mod matrix;
mod scenarios;

use std::time::{Duration, Instant};

use ss_exporter::bottleneck::Bottleneck;
use testkit::exporter::Exporter;
use testkit::inner::Inner;
use testkit::link::RunningLink;
use testkit::netns::enter_with_processes;
use testkit::scrape::Scrape;

use matrix::Verdicts;
use scenarios::{Cut, SCENARIOS, Scenario, Seen};

const CONFIG: &str = "
collect: {netns: all}
views:
  v: {by: [netns, bottleneck], state: all, metrics: [sockets]}
  b: {by: [netns], state: all, metrics: [sent_bytes_total, received_bytes_total]}
";
/// From the first packet on: slow start, autotuned buffers and filled queues are behind then.
const SETTLES: Duration = Duration::from_secs(4);
/// After a cut, until the sender has missed its acknowledgments.
const NOTICES: Duration = Duration::from_secs(2);
/// Between two samples: more round trips than a rule needs.
const INTERVAL: Duration = Duration::from_millis(1250);
const INTERVALS: usize = 10;

/// A scenario that runs.
struct Running {
    scenario: &'static Scenario,
    near: Inner,
    far: Inner,
    link: RunningLink,
    verdicts: Verdicts,
}

impl Running {
    fn start((number, scenario): (usize, &'static Scenario)) -> Self {
        let [near, far] = ["near", "far"].map(|end| Inner::apart(&format!("{end}-{number}")));
        let mut link = scenario.link.connect(&near, &far);
        if scenario.cut == Cut::Before {
            link.cut();
        }
        ends::connect(scenario.sender, &near, scenario.reader, &far);
        Self { scenario, near, far, link, verdicts: Verdicts::new() }
    }

    /// What a family has at the sampled end, by the rest of the labels.
    fn rows<'s>(&self, scrape: &'s Scrape, family: &str) -> impl Iterator<Item = (&'s str, u64)> + use<'s> {
        let end = if self.scenario.seen == Seen::Near { &self.near } else { &self.far };
        let netns = format!("netns=\"{}\"", end.0);
        let rows = scrape.rows(family).iter();
        rows.filter_map(move |(labels, value)| Some((labels.strip_prefix(&netns)?, value.parse().ok()?)))
    }

    /// Bytes that the sampled end has sent and received.
    fn carried(&self, scrape: &Scrape) -> u64 {
        let families = ["ss_b_sent_bytes_total", "ss_b_received_bytes_total"];
        families.iter().flat_map(|family| self.rows(scrape, family)).map(|(_, bytes)| bytes).sum()
    }

    /// Counts an interval in which the connection did what the scenario says.
    fn look(&mut self, before: &Scrape, now: &Scrape, time: Duration) {
        let carried = self.carried(now).saturating_sub(self.carried(before));
        if carried < u64::from(self.scenario.carries) * time.as_secs() {
            return;
        }
        let rows = self.rows(now, "ss_v_sockets").filter(|(_, sockets)| *sockets > 0);
        // A listener has none.
        let names = rows.filter_map(|(labels, _)| labels.split('"').nth(1).and_then(Bottleneck::named));
        self.verdicts.extend(names);
    }
}

#[test]
#[cfg_attr(not(feature = "root-tests"), ignore = "needs root")]
fn each_cause_is_named_in_most_intervals_and_95_percent_of_all_are_right() {
    if enter_with_processes() {
        return;
    }
    let at_once =
        std::env::var("AT_ONCE").map_or(SCENARIOS.len(), |number| number.parse().expect("a number"));
    let numbered: Vec<_> = SCENARIOS.iter().enumerate().collect();
    let together = numbered.chunks(at_once).flat_map(run);
    // A machine that has no time for all of them may have it for one.
    let found: Vec<_> = numbered
        .iter()
        .zip(together.collect::<Vec<_>>())
        .flat_map(|(one, (scenario, verdicts))| {
            let right = matrix::count(&verdicts, scenario.expected);
            if 5 * right >= 4 * INTERVALS { vec![(scenario, verdicts)] } else { run(&[*one]) }
        })
        .collect();
    let found: Vec<_> = found.iter().map(|(scenario, verdicts)| (*scenario, verdicts)).collect();
    matrix::judge(&found);
}

/// Runs some scenarios at the same time. What came out of each.
fn run(scenarios: &[(usize, &'static Scenario)]) -> Vec<(&'static Scenario, Verdicts)> {
    let mut running: Vec<_> = scenarios.iter().copied().map(Running::start).collect();
    let exporter = Exporter::configured(CONFIG);
    std::thread::sleep(SETTLES);
    for one in running.iter_mut().filter(|one| one.scenario.cut == Cut::Later) {
        one.link.cut();
    }
    std::thread::sleep(NOTICES);
    let scrape = || (Scrape::read(&exporter.metrics()).expect("a scrape").0, Instant::now());
    let (mut before, mut then) = scrape();
    for _ in 0..INTERVALS {
        std::thread::sleep(INTERVAL);
        let (now, at) = scrape();
        for one in &mut running {
            one.look(&before, &now, at - then);
        }
        (before, then) = (now, at);
    }
    running.into_iter().map(|one| (one.scenario, one.verdicts)).collect()
}
