//! What the exporter exposed and logged.

use testkit::exporter::Exporter;
use testkit::scrape::Scrape;

/// The sum of a family over the rows whose labels begin so.
pub fn sum(scrape: &Scrape, family: &str, labels: &str) -> u64 {
    let rows = scrape.rows(family).iter().filter(|(block, _)| block.starts_with(labels));
    rows.map(|(_, value)| value.parse::<u64>().expect("a whole number")).sum()
}

/// How many lines of what the exporter logged say this.
pub fn said(exporter: Exporter, what: &str) -> usize {
    exporter.log().lines().filter(|line| line.contains(what)).count()
}
