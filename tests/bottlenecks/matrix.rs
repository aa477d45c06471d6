//! Verdicts against causes, and the tables of them on the page of bottlenecks.

use std::fmt::Write as _;

use ss_exporter::bottleneck::Bottleneck;

use super::scenarios::{SCENARIOS, Scenario};

const PAGE: &str = "docs/concepts/bottlenecks.md";
/// What the part of the page that is written begins and ends with.
const MARKS: [&str; 2] = ["| scenario |", "\n\n## "];

/// What came out of a scenario, one for each interval.
pub type Verdicts = Vec<Bottleneck>;

/// How often it was that one.
pub fn count(verdicts: &[Bottleneck], verdict: Bottleneck) -> usize {
    verdicts.iter().filter(|one| **one == verdict).count()
}

/// Panics unless each scenario was named right in most of its intervals, and 95 % of all were. `UPDATE=1` writes the tables.
pub fn judge(found: &[(&Scenario, &Verdicts)]) {
    let tables = format!(
        "{}\nThe same by cause, a row for each, and the values in its intervals:\n\n{}",
        scenarios(found),
        matrix(found)
    );
    eprintln!("{tables}");
    let wrong = found.iter().filter(|(scenario, verdicts)| {
        let right = count(verdicts, scenario.expected);
        2 * right <= verdicts.len()
    });
    let wrong: Vec<_> = wrong.map(|(scenario, _)| scenario.name).collect();
    assert!(wrong.is_empty(), "not named right in most intervals, or in none at all: {wrong:?}");
    let all: usize = found.iter().map(|(_, verdicts)| verdicts.len()).sum();
    let right: usize = found.iter().map(|(scenario, verdicts)| count(verdicts, scenario.expected)).sum();
    assert!(100 * right >= 95 * all, "{right} of {all} intervals are named right");
    if std::env::var_os("UPDATE").is_some() {
        let (page, place) = written();
        let page = [&page[..place.start], tables.trim_end(), &page[place.end..]].concat();
        std::fs::write(PAGE, page).expect("a folder docs that can be written to");
    }
}

/// The page, and where the tables are.
fn written() -> (String, std::ops::Range<usize>) {
    let page = std::fs::read_to_string(PAGE).expect("the page");
    let start = page.find(MARKS[0]).expect("the tables");
    let end = start + page[start..].find(MARKS[1]).expect("a section behind them");
    (page, start..end)
}

/// Each scenario, what was expected and what came out.
fn scenarios(found: &[(&Scenario, &Verdicts)]) -> String {
    let mut text =
        String::from("| scenario | round trip | rate | expected | intervals |\n|---|---|---|---|---|\n");
    for (scenario, verdicts) in found {
        let counts = Bottleneck::ALL.iter().map(|verdict| (verdict, count(verdicts, *verdict)));
        let counts = counts.filter(|(_, count)| *count > 0);
        let counts: Vec<_> = counts.map(|(verdict, count)| format!("{count} `{}`", verdict.name())).collect();
        writeln!(text, "{} {} |", row(scenario), counts.join(", ")).expect("room");
    }
    text
}

/// The part of a scenario's row that does not depend on what came out.
fn row(Scenario { name, link, expected, .. }: &Scenario) -> String {
    let (time, rate) = (link.round_trip.as_millis(), link.rate / 1e6);
    format!("| {name} | {time} ms | {rate} Mb/s | `{}` |", expected.name())
}

/// How many intervals of each cause had which verdict.
fn matrix(found: &[(&Scenario, &Verdicts)]) -> String {
    let names: Vec<_> = Bottleneck::ALL.iter().map(|verdict| format!("`{}`", verdict.name())).collect();
    let mut text = format!("| cause | {} |\n|---{}|\n", names.join(" | "), "|---".repeat(names.len()));
    for (cause, name) in Bottleneck::ALL.iter().zip(&names) {
        let verdicts = found.iter().filter(|(scenario, _)| scenario.expected == *cause);
        let verdicts: Verdicts = verdicts.flat_map(|(_, verdicts)| verdicts.iter().copied()).collect();
        let cells = Bottleneck::ALL.iter().map(|verdict| match count(&verdicts, *verdict) {
            0 => String::new(),
            count => count.to_string(),
        });
        writeln!(text, "| {name} | {} |", cells.collect::<Vec<_>>().join(" | ")).expect("room");
    }
    text
}

#[test]
fn the_page_has_every_scenario_with_its_link_and_what_is_expected() {
    if std::env::var_os("UPDATE").is_some() {
        // The other test writes it now.
        return;
    }
    let (page, place) = written();
    let rows = page[place].lines().skip(2).take_while(|line| !line.is_empty());
    let expected = SCENARIOS.iter().map(row);
    let rows: Vec<_> = rows.map(|line| line.rsplitn(3, '|').nth(2).map(|row| format!("{row}|"))).collect();
    assert!(
        rows.iter().flatten().cloned().eq(expected) && rows.len() == SCENARIOS.len(),
        "{PAGE} is not current; run UPDATE=1 cargo test --features root-tests --test bottlenecks: {rows:#?}"
    );
}
