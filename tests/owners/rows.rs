//! The rows of a scrape by their labels.

use std::collections::{BTreeMap, BTreeSet};

use testkit::scrape::Scrape;

/// The labels of a row.
pub type Labels = BTreeMap<String, String>;

/// The rows of a family: labels and value.
pub fn rows(scrape: &Scrape, family: &str) -> Vec<(Labels, u64)> {
    let rows = scrape.rows(family).iter();
    rows.map(|(labels, value)| (parse(labels), value.parse().expect("a whole number"))).collect()
}

/// The sum of a family over the rows with these labels.
pub fn sum(scrape: &Scrape, family: &str, with: &[(&str, &str)]) -> u64 {
    let wanted = |labels: &Labels| with.iter().all(|(name, value)| labels[*name] == *value);
    rows(scrape, family).into_iter().filter(|(labels, _)| wanted(labels)).map(|(_, value)| value).sum()
}

/// The different values of one label in the rows of a family that are not zero.
pub fn values(scrape: &Scrape, family: &str, label: &str) -> BTreeSet<String> {
    let rows = rows(scrape, family).into_iter().filter(|(_, value)| *value > 0);
    rows.map(|(mut labels, _)| labels.remove(label).expect("the label")).collect()
}

/// Reads `name="value",...`; no value of these tests holds a quotation mark.
pub fn parse(labels: &str) -> Labels {
    let mut parts = labels.split('"');
    let mut read = Labels::new();
    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
        read.insert(name.trim_matches([',', '=']).to_owned(), value.to_owned());
    }
    read
}

#[test]
fn labels_are_read_with_commas_in_them() {
    let read = parse("pid=\"1,2\",process=\"a\",unit=\"\"");
    let expected = [("pid", "1,2"), ("process", "a"), ("unit", "")];
    assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
}
