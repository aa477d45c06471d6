//! The sockets of this host, printed once, as a table or as JSON.

use std::io::{self, IsTerminal as _};

use sockdiag::{State, StateSet};
use ss_exporter::bottleneck::MIN_INTERVAL;
use ss_exporter::collection::{CollectorState, collect};
use ss_exporter::config::Config;
use ss_exporter::listing::{self, Detail, ListingColumn, Row, SocketList};
use ss_exporter::select::{SelectionError, parse};
use ss_exporter::terminal::inert_json;

use crate::failure::Failure;
use crate::output::print as printed;
use crate::report::prepared;

/// The states that the flags ask for; `None` for those of the filter, or of connections.
pub fn states(all: bool, listening: bool) -> Option<StateSet> {
    if listening {
        return Some(StateSet::of(&[State::Listen]));
    }
    all.then(|| StateSet::NONE.complement())
}

/// Prints the sockets that pass a filter.
pub fn print(
    filter: &str,
    states: Option<StateSet>,
    columns: &[String],
    json: bool,
    config: Config,
) -> Result<(), Failure> {
    let wrong = |error: SelectionError| {
        Failure::of_usage(format!("the filter is not valid: {}", error.in_context(filter)))
    };
    let selection = if filter.trim().is_empty() {
        ss_exporter::select::Expression::Always
    } else {
        parse(filter, &config.networks).map_err(wrong)?
    };
    let columns = if columns.is_empty() {
        ListingColumn::usual()
    } else {
        let named = columns.iter().map(|name| ListingColumn::named(name));
        named.collect::<Result<_, _>>().map_err(|error| Failure::of_usage(error.to_string()))?
    };
    let plan = listing::plan(selection, states, Detail::Everything, config.networks, config.collect);
    let (host, privileges) = prepared(&plan, false)?;
    let mut state = CollectorState::of_one(&plan, privileges);
    if states != Some(StateSet::of(&[State::Listen])) {
        // What limits a connection is known after two samples.
        drop(collect(&plan, &host, &mut state));
        std::thread::sleep(MIN_INTERVAL);
    }
    let snapshot = collect(&plan, &host, &mut state);
    if !snapshot.report.success() && snapshot.tables.iter().all(Option::is_none) {
        return Err(Failure::at_run_time("the sockets could not be listed"));
    }
    let list = SocketList::of(snapshot);
    if json {
        return print_json(list.rows());
    }
    let rows: Vec<_> = list.rows().collect();
    let in_colour =
        io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
    printed(listing::table(&rows, &columns, in_colour).as_bytes())
}

/// One object with a list, a socket a line.
fn print_json(rows: impl Iterator<Item = Row>) -> Result<(), Failure> {
    let mut out = String::from("{\"sockets\": [");
    for (number, row) in rows.enumerate() {
        out.push_str(if number == 0 { "\n" } else { ",\n" });
        out.push_str(&inert_json(&row.to_json().to_string()));
        // A host may have a hundred thousand.
        if out.len() > 1 << 16 {
            printed(out.as_bytes())?;
            out.clear();
        }
    }
    out.push_str("\n]}\n");
    printed(out.as_bytes())
}
