//! An estimate for people: a table, and a few sentences.

use std::fmt;

use super::figures::{Estimate, EventCoverage, INTERVAL, ViewEstimate};
use super::size::ExpositionSize;

const HEAD: [&str; 9] =
    ["view", "limit", "rows now", "shown", "series", "bytes", "gzip", "new rows/h", "new series/h"];
const DAY: u64 = 24;
const SECONDS_OF_DAY: u64 = 86_400;

impl fmt::Display for Estimate {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.verdict(to)?;
        let lines = self.lines();
        lines.iter().try_for_each(|line| writeln!(to, "{}", aligned(line, &lines)))?;
        writeln!(to)?;
        self.traffic(to)?;
        self.storage(to)
    }
}

impl Estimate {
    /// What to decide by: the series, and what to change.
    fn verdict(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let advice = self.advice();
        let change = if advice.is_empty() { "no change is needed." } else { "change this:" };
        writeln!(
            to,
            "{} series in a scrape, {} different series after an hour, {} after a day: {change}",
            self.total.samples,
            self.series_after(1),
            self.series_after(DAY),
        )?;
        advice.iter().try_for_each(|sentence| writeln!(to, "- {sentence}."))?;
        writeln!(to)
    }

    fn lines(&self) -> Vec<[String; 9]> {
        let mut lines = vec![HEAD.map(str::to_owned)];
        lines.extend(self.views.iter().map(|view| self.line(view)));
        lines.push(without_rows("the exporter's own", self.own));
        lines.push(without_rows("total", self.total));
        lines
    }

    fn line(&self, view: &ViewEstimate) -> [String; 9] {
        let more = if view.keys.more { ">" } else { "" };
        let ExpositionSize { samples, bytes, compressed } = view.size;
        [
            view.name.clone(),
            view.limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string()),
            format!("{more}{}", view.keys.first),
            view.shown.to_string(),
            samples.to_string(),
            bytes.to_string(),
            compressed.to_string(),
            format!("{more}{}", self.new_rows(view)),
            format!("{more}{}", self.new_series(view)),
        ]
    }

    /// What was collected and read.
    fn traffic(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = |number| tenths(self.tenths_per_second(number));
        let (opened, closed) = (self.connections.new, self.closed);
        writeln!(
            to,
            "{} sockets, {} of them connections. In {} s, {opened} were opened ({}/s) and {closed} closed ({}/s), {} \
             without information.",
            self.sockets,
            self.connections.first,
            tenths(u64::try_from((self.elapsed.as_millis() + 50) / 100).unwrap_or(u64::MAX)),
            rate(opened),
            rate(closed),
            self.without_information,
        )?;
        match &self.events {
            EventCoverage::Read { dropped: 0 } => {}
            EventCoverage::Read { dropped } => {
                writeln!(to, "The kernel dropped {dropped} close events: its buffer was full.")?;
            }
            EventCoverage::Unread(reason) => writeln!(
                to,
                "Close events cannot be read ({reason}): only collections were compared. Connections that opened and \
                 closed between two of them are missing."
            )?,
        }
        if self.is_lower_bound() {
            writeln!(to, "Not everything could be counted: what is new is a lower bound.")?;
        }
        if !self.complete {
            writeln!(to, "The collection was not complete: a scrape may show more.")?;
        }
        Ok(())
    }

    /// What Prometheus makes of it.
    fn storage(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (samples, interval) = (self.total.samples, INTERVAL.as_secs());
        // A sample takes 1 to 2 bytes.
        let kilobytes = |bytes: u64| samples.saturating_mul(SECONDS_OF_DAY * bytes) / interval / 1000;
        writeln!(
            to,
            "Prometheus, scraping every {interval} s: {samples} samples per scrape, {} per second, {} to {} kB per day on disk.",
            tenths(samples.saturating_mul(10) / interval),
            kilobytes(1),
            kilobytes(2),
        )
    }
}

fn without_rows(name: &str, size: ExpositionSize) -> [String; 9] {
    let ExpositionSize { samples, bytes, compressed } = size;
    let [samples, bytes, compressed] = [samples, bytes, compressed].map(|number| number.to_string());
    let none = String::new;
    [name.to_owned(), none(), none(), none(), samples, bytes, compressed, none(), none()]
}

/// The name on the left, numbers on the right.
fn aligned(line: &[String; 9], lines: &[[String; 9]]) -> String {
    let width = |column: usize| {
        lines
            .iter()
            .filter_map(|line| line.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let cells = line.iter().enumerate().map(|(column, cell)| match column {
        0 => format!("{cell:<0$}", width(column)),
        _ => format!("{cell:>0$}", width(column)),
    });
    cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

fn tenths(number: u64) -> String {
    format!("{}.{}", number / 10, number % 10)
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::of;
    use super::*;

    #[test]
    fn a_table_has_a_line_per_view_and_says_what_follows() {
        assert_eq!(
            of(Some(100), true, 10, 50).to_string(),
            "37 series in a scrape, 607 different series after an hour, 7507 after a day: change this:\n\
             - v: 90000 new rows per hour beside 10 now; select fewer sockets by \"select:\".\n\
             \n\
             view                limit  rows now  shown  series  bytes  gzip  new rows/h  new series/h\n\
             v                     100        10     10      30    900    90       90000        270000\n\
             the exporter's own                               7    700    70\n\
             total                                           37   1600   150\n\
             \n\
             20 sockets, 20 of them connections. In 2.0 s, 50 were opened (25.0/s) and 50 closed (25.0/s), 0 without \
             information.\n\
             Prometheus, scraping every 15 s: 37 samples per scrape, 2.4 per second, 213 to 426 kB per day on disk.\n"
        );
    }

    #[test]
    fn what_could_not_be_counted_is_said() {
        let mut estimate = of(None, true, 10, 0);
        estimate.events = EventCoverage::Unread("not permitted".into());
        estimate.views[0].keys.more = true;
        estimate.complete = false;
        let text = estimate.to_string();
        for part in [">10", "none", "(not permitted)", "lower bound", "not complete"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
