//! The pages of the reference that are written from the code's tables: metrics, the exporter's own metrics, the command
//! line, and the table of predicates. `UPDATE=1 cargo test --test docs` writes them, and the table of instructions from
//! the budget.
//! The table of capabilities, which people wrote, against that of the code. The address of the
//! project in every file.

use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use sockdiag::{PROTOCOLS, TCP};
use ss_exporter::bottleneck::Bottleneck;
use ss_exporter::cli::Cli;
use ss_exporter::exposition::MetricType;
use ss_exporter::metrics::{Kind, METRICS, Metric, OMITTED, Shown, Unit};
use ss_exporter::privileges::REQUIREMENTS;
use ss_exporter::properties::{Predicate, Property, Stability};
use ss_exporter::self_metrics::SELF_METRICS;

const INTRODUCTION: &str = "\
# Metrics

<!-- Written by `UPDATE=1 cargo test --test docs` from src/metrics/table.rs and src/properties/table.rs. -->

This page lists every metric that a view can expose. The exposed name is `ss_VIEW_METRIC`: in a view `tcp`, the metric
`rtt_seconds` is `ss_tcp_rtt_seconds`. Values are in base units. A value that the kernel does not report is absent, never 0.

List metrics under `metrics:` of a view, by name or with `*`. Without `metrics:`, a view exposes its default metrics: those marked
*connections* for a view of connections, those marked *listeners* for a view of listeners. An aggregated view with a total of
bytes, segments or time also has `closed_without_tcp_info_total`, which is the number of connections that the total [lacks the
end of](../concepts/exactness.md#known-gaps).

The kind of a metric decides how a view exposes it. A **per-connection view** has the address and port of both ends as labels:
each row is one connection. An **aggregated view** has fewer labels: a row combines many connections.

| kind | value | in a per-connection view | in an aggregated view |
|---|---|---|---|
| counter | a total since the connection opened | counter with the kernel's value | counter of the increase over all sockets of the row, closed ones included; it never falls |
| gauge | a current value | gauge | gauge: the sum over the open sockets of the row |
| distribution | a measurement of each connection | gauge | histogram of observations |

A histogram observes a socket at most once per `collect.observe`, and only if it has received data since. It observes a socket
without an observation when the socket closes.

To change the aggregate of a metric, use `aggregate:`. To change the buckets of a histogram, use `histograms:`.

*Kernel field* is a field of one of these: `struct tcp_info` (`tcpi_`, in `linux/tcp.h`), the header of a reply (`idiag_`, in
`linux/inet_diag.h`), socket memory (`SK_MEMINFO_`, in `linux/sock_diag.h`), a congestion control algorithm
(`linux/inet_diag.h`). *Since* is the first Linux version that reports the field.
";

const LEGACY: &str = "
## Legacy metrics

The predecessor's metrics, such as `tcp_rtt`, keep their names, because existing dashboards and alerts use them.
[Migrate](../guides/migrate.md#metrics) has the table. `promtool check metrics` complains about four of them:

| metric | complaint of promtool | why it stays |
|---|---|---|
| `tcp_data_segs_in`, `tcp_data_segs_out` | a counter without `_total` | the predecessor's name |
| `tcp_rtt_hist_ms` | an abbreviated unit | the predecessor's name; its buckets are milliseconds |
| `tcp_flows_total` | a gauge with `_total` | the name of the 3.x; only with its configuration |

To leave out all of them, set `legacy: false`, or start the exporter without a file and with `--no-legacy`.
";

/// What stands in the table of a kind.
struct Section {
    kind: Kind,
    title: &'static str,
    about: &'static str,
}

const SECTIONS: [Section; 3] = [
    Section {
        kind: Kind::Counter,
        title: "Counters",
        about: "In an aggregated view, a socket that was open before the exporter started adds only its increase since then. \
            *Complete until* close means that the kernel reports the last value when a socket closes. Any other counter misses \
            the increase between the last collection and the close.",
    },
    Section {
        kind: Kind::Gauge,
        title: "Gauges",
        about: "A metric named `_sockets` is the number of sockets in that condition: 0 or 1 in a per-connection view.",
    },
    Section {
        kind: Kind::Distribution,
        title: "Distributions",
        about: "Listeners have no distributions. *Bounds* are the default buckets of the histogram.",
    },
];

/// The page of metrics.
fn metrics() -> String {
    let sections = SECTIONS.iter().map(section).collect::<String>();
    format!("{INTRODUCTION}{sections}{}{}{LEGACY}", labels(), omitted())
}

fn section(Section { kind, title, about }: &Section) -> String {
    let mut head = vec!["metric", "unit", "kernel field", "since", "shown by default", "meaning"];
    head.extend(match kind {
        Kind::Counter => Some("complete until"),
        Kind::Gauge => None,
        Kind::Distribution => Some("bounds"),
    });
    let rows = METRICS.iter().filter(|metric| metric.kind == *kind).map(|metric| {
        let mut cells = row(metric);
        match kind {
            Kind::Counter if metric.source.is_exact(&TCP) => cells.push("close".to_owned()),
            Kind::Counter => cells.push("last collection".to_owned()),
            Kind::Gauge => {}
            Kind::Distribution => cells.push(list(metric.bounds.iter())),
        }
        cells
    });
    format!("\n## {title}\n\n{about}\n\n{}", table(&head, rows))
}

/// The cells that every kind has.
fn row(metric: &Metric) -> Vec<String> {
    let unit = match metric.unit {
        Unit::None => "",
        Unit::Seconds => "seconds",
        Unit::Bytes => "bytes",
        Unit::BytesPerSecond => "bytes per second",
    };
    let shown = match metric.shown {
        Shown::OfConnections => "connections",
        Shown::OfListeners => "listeners",
        Shown::Always => "connections, listeners",
        Shown::IfNamed => "",
    };
    // The help ends with the kernel's fields in parentheses, as a test of the table demands.
    let (says, fields) = match metric.help.strip_suffix(").").and_then(|help| help.rsplit_once(" (")) {
        Some((says, fields)) => {
            (format!("{says}."), list(fields.split(", ").map(|field| format!("`{field}`"))))
        }
        None => (metric.help.to_owned(), String::new()),
    };
    let since = metric.since().unwrap_or_default().to_owned();
    vec![format!("`{}`", metric.name), unit.to_owned(), fields, since, shown.to_owned(), says]
}

fn labels() -> String {
    let rows = Property::all().map(Property::line).map(|line| {
        let stays = match line.stability {
            Stability::Fixed => "yes",
            Stability::WithOwner => "with the owner",
            Stability::Changing => "no",
        };
        vec![format!("`{}`", line.name), stays.to_owned(), line.help.to_owned()]
    });
    format!(
        "\n## Labels\n\nList labels under `by:` of a view. If a label is not stable, its value can change while a socket \
         is open. The socket then moves to another row.\n\n{}",
        table(&["label", "stable", "meaning"], rows)
    )
}

fn omitted() -> String {
    let rows = OMITTED.iter().map(|(field, reason)| {
        vec![format!("`{}`", field.name), field.since.to_owned(), (*reason).to_owned()]
    });
    format!(
        "\n## Fields without a metric\n\nNo metric exposes these fields of `struct tcp_info`.\n\n{}",
        table(&["kernel field", "since", "reason"], rows)
    )
}

fn self_metrics() -> String {
    let own = SELF_METRICS.iter().filter(|metric| metric.name.starts_with("ss_exporter_"));
    let rows = own.map(|metric| {
        let kind = if metric.kind == MetricType::Counter { "counter" } else { "gauge" };
        let labels = list(metric.labels.iter().map(|label| format!("`{label}`")));
        vec![format!("`{}`", metric.name), kind.to_owned(), labels, metric.help.to_owned()]
    });
    format!("{SELF_INTRODUCTION}{}", table(&["metric", "type", "labels", "meaning"], rows))
}

const SELF_INTRODUCTION: &str = "\
# Exporter metrics

<!-- Written by `UPDATE=1 cargo test --test docs` from src/self_metrics/table.rs. -->

These metrics describe the exporter itself: collections, tracking, configuration. Every configuration exposes them. A metric
that does not apply is absent. The standard `process_*` metrics of client libraries are exposed too, unless you set
`--web.disable-exporter-metrics`.

Alerts on these metrics are in [deploy/alerts.yml](../../deploy/alerts.yml), with [runbooks](../operations/runbooks.md).

";

/// The page of the command line: the long help of the program and of each subcommand.
fn command_line() -> String {
    let mut command = Cli::command().term_width(110);
    command.build();
    let name = command.get_name().to_owned();
    let help = |title: &str, mut command: clap::Command| {
        let text = command.render_long_help().to_string();
        let text: Vec<_> = text.trim_end().lines().map(str::trim_end).collect();
        format!("\n## `{title}`\n\n```text\n{}\n```\n", text.join("\n"))
    };
    let tasks: Vec<_> = command.get_subcommands().filter(|task| !task.is_hide_set()).cloned().collect();
    let tasks = tasks.into_iter().map(|task| help(&format!("{name} {}", task.get_name()), task));
    let sections = std::iter::once(help(&name, command)).chain(tasks).collect::<String>();
    format!("{CLI_INTRODUCTION}{sections}")
}

const CLI_INTRODUCTION: &str = "\
# Command line

<!-- Written by `UPDATE=1 cargo test --test docs` from src/cli.rs. -->

A flag overrides its environment variable. An empty variable counts as absent. The exit code is 0 for success, 1 for a failure
at run time, 2 for a wrong flag or configuration, and 3 for more series than `estimate --max-series`. [HTTP API](api.md#flags) explains the flags `--web.*`.
";

fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: Vec<String>| {
        assert!(cells.iter().all(|cell| !cell.contains('|')), "a cell would be two: {cells:?}");
        format!("| {} |\n", cells.join(" | "))
    };
    let head_line = line(head.iter().map(|&cell| cell.to_owned()).collect());
    format!("{head_line}|{}\n{}", "---|".repeat(head.len()), rows.map(line).collect::<String>())
}

fn list(items: impl Iterator<Item = impl ToString>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_written_pages_are_what_the_tables_say() {
    let pages = [
        ("docs/reference/metrics.md", metrics()),
        ("docs/reference/exporter-metrics.md", self_metrics()),
        ("docs/reference/cli.md", command_line()),
    ];
    for (file, text) in pages {
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(file, &text).expect("a folder docs that can be written to");
        }
        let there = std::fs::read_to_string(file).unwrap_or_default();
        assert!(there == text, "{file} is not current; run UPDATE=1 cargo test --test docs");
    }
}

/// The table of predicates on the page of the selection language.
fn predicates() -> String {
    let predicates = Property::all().flat_map(|property| property.line().predicates).flatten();
    let rows = predicates.map(|Predicate { words, examples, selects, .. }| {
        let code = |texts: &mut dyn Iterator<Item = &str>| list(texts.map(|text| format!("`{text}`")));
        vec![code(&mut words.iter().copied()), code(&mut examples.split("  ")), selects.to_owned()]
    });
    table(&["predicate", "example", "selects"], rows)
}

/// Compares the table on a page that begins with `head` with what is made of it, or writes that.
fn keep_current(page: &str, head: &str, make: impl Fn(&str) -> String) {
    let text = std::fs::read_to_string(page).expect("the page");
    let start = text.find(head).expect("the table");
    let end = start + text[start..].find("\n\n").expect("a text behind the table") + 1;
    let table = make(&text[start..end]);
    if std::env::var_os("UPDATE").is_some() {
        let text = [&text[..start], &table, &text[end..]].concat();
        return std::fs::write(page, text).expect("a folder docs that can be written to");
    }
    assert!(
        text[start..end] == table,
        "{page}: `UPDATE=1 cargo test --test docs` writes the table:\n{table}"
    );
}

#[test]
fn the_predicates_of_the_language_are_those_of_the_table() {
    keep_current("docs/reference/selection.md", "| predicate |", |_| predicates());
}

#[test]
fn the_bottlenecks_of_the_page_are_those_of_the_rules() {
    let page = "docs/concepts/bottlenecks.md";
    let row = |one: &Bottleneck| vec![format!("`{}`", one.name()), one.meaning().into(), one.advice().into()];
    let head = ["bottleneck", "means", "do"];
    keep_current(page, "| bottleneck | means |", |_| table(&head, Bottleneck::ALL.iter().map(row)));
    let text = std::fs::read_to_string(page).expect("the page");
    let rules = text.split("\n## ").find(|section| section.starts_with("The rules")).expect("the rules");
    let named = rules.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    assert!(named.eq(Bottleneck::ALL.iter().map(|one| one.name())), "{rules}");
}

#[test]
fn the_page_of_costs_has_the_instructions_of_the_budget() {
    let budget = std::fs::read_to_string("benches/instructions/budget.txt").expect("the budget");
    keep_current("docs/dev/cost.md", "| workload | instructions |", |written| {
        let rows = budget.lines().map(|line| {
            let (workload, count) = line.split_once(' ').expect("a workload and a count");
            let name = format!("`{workload}`");
            // The page has the unit of each count, written by hand.
            let mut rows = written.lines().map(|line| line.split('|').map(str::trim));
            let row = rows.find(|cells| cells.clone().any(|cell| cell == name));
            let of = row.and_then(|mut cells| cells.nth(3)).expect("a row for each workload");
            vec![name.clone(), count.to_owned(), of.to_owned()]
        });
        table(&["workload", "instructions", "for each"], rows)
    });
}

#[test]
fn the_page_has_a_line_for_every_metric_label_and_omitted_field() {
    let document = metrics();
    let metrics = METRICS.iter().map(|metric| metric.name);
    let labels = Property::all().map(Property::name);
    let omitted = OMITTED.iter().map(|(field, _)| field.name);
    for name in metrics.chain(labels).chain(omitted) {
        let lines = document.lines().filter(|line| line.starts_with(&format!("| `{name}` |"))).count();
        let of_protocols = METRICS.iter().filter(|metric| metric.name == name).count();
        assert_eq!(lines, of_protocols.max(1), "{name}");
    }
}

#[test]
fn every_capability_that_something_needs_is_in_the_table_for_people() {
    const PAGE: &str = "docs/reference/capabilities.md";
    let text = std::fs::read_to_string(PAGE).expect("the page");
    for requirement in REQUIREMENTS {
        let cell = |line: &str| line.starts_with('|') && line.contains(requirement.name);
        assert!(text.lines().any(cell), "{} in {PAGE}", requirement.name);
    }
}

/// The addresses of this project in a text, as `https://HOST/OWNER/NAME`.
fn addresses(text: &str) -> Vec<&str> {
    let starts = text.match_indices("https://").map(|(start, _)| &text[start..]);
    let found = starts.filter_map(|url| {
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        let mut ends = url.match_indices(|letter| !is_part(letter)).map(|(at, _)| at).chain([url.len()]);
        // Behind `https`, two slashes, the host and the owner.
        let address = &url[..ends.nth(5)?];
        address.ends_with("/prometheus_ss_exporter").then_some(address)
    });
    found.collect()
}

/// Every text file of the repository.
fn texts(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        let is_ours = !["target", ".git", "node_modules"].iter().any(|name| entry.file_name() == *name);
        if is_ours && path.is_dir() {
            texts(&path, found);
        } else if let (true, Ok(text)) = (is_ours, std::fs::read_to_string(&path)) {
            found.push((path, text));
        }
    }
}

#[test]
fn the_address_of_the_project_is_everywhere_that_of_cargo_toml() {
    let address = env!("CARGO_PKG_REPOSITORY");
    let mut all = Vec::new();
    texts(Path::new("."), &mut all);
    let mut count = 0;
    for (path, text) in all {
        let found = addresses(&text);
        count += found.len();
        let Some(other) = found.into_iter().find(|found| *found != address) else { continue };
        assert!(
            std::env::var_os("UPDATE").is_some(),
            "{} has {other}, Cargo.toml has {address}; `UPDATE=1 cargo test --test docs` writes it",
            path.display()
        );
        std::fs::write(path, text.replace(other, address)).expect("a file that can be written to");
    }
    assert!(count > 30, "{count} addresses were found: the alerts alone have more");
}

/// Whether the tables have what a page calls a label, a metric or a predicate; a name with `*` stands for several metrics.
fn exists(kind: &str, name: &str) -> bool {
    match kind {
        "label" | "labels" => Property::all().any(|property| property.name() == name),
        "metric" | "metrics" => METRICS.iter().any(|metric| match name.strip_suffix('*') {
            Some(start) => metric.name.starts_with(start),
            None => metric.name == name,
        }),
        "predicate" | "predicates" => {
            let predicates = Property::all().flat_map(|property| property.line().predicates).flatten();
            predicates.into_iter().any(|predicate| predicate.words.contains(&name))
        }
        _ => name
            .strip_prefix("protocol: ")
            .is_none_or(|protocol| PROTOCOLS.iter().any(|known| known.name == protocol)),
    }
}

#[test]
fn each_row_of_the_page_about_ss_names_what_exists_or_says_why_there_is_nothing() {
    const KINDS: [&str; 6] = ["label", "labels", "metric", "metrics", "predicate", "predicates"];
    let text = std::fs::read_to_string("docs/reference/ss.md").expect("the page");
    let mut names = 0;
    for row in text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| `ss` |")) {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [_, here, note] = cells[..] else { panic!("not three cells: {row}") };
        assert!(!here.is_empty() && (here != "-" || !note.is_empty()), "no reason: {row}");
        let mut kind = "";
        for (index, part) in here.split('`').enumerate() {
            if index % 2 == 1 {
                assert!(exists(kind, part), "{kind} {part}: {row}");
                names += 1;
            } else if let Some(word) = part.split([' ', ',']).rev().find(|word| KINDS.contains(word)) {
                kind = word;
            }
        }
    }
    assert!(names > 100, "{names} names were found");
}
