//! How often and by how many an exporter is scraped changes nothing that it counts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::counted::{Counted, view};
use super::enter;
use super::open_connections::OpenConnections;
use testkit::exporter::Exporter;
use testkit::scrape::{Scrape, Scraper, Scrapes};
use testkit::traffic::Lanes;

#[test]
fn one_scraper_or_three_give_the_same_totals_and_observations() {
    if enter() {
        return;
    }
    let lanes = Lanes::open(1).expect("listeners");
    let listeners: Vec<_> = lanes.listeners().collect();
    let config = view(&listeners) + "collect: {observe: 1s}\n";
    let [calm, busy] = [8020, 8021].map(|port| Arc::new(Exporter::configured_at(port, &config)));
    let every = |exporter, millis| Scraper::start(exporter, Duration::from_millis(millis));
    let watches = [every(&calm, 500), every(&busy, 300), every(&busy, 700), every(&busy, 1_100)];
    let mut open_connections = OpenConnections::open(&listeners, 200);
    let end = Instant::now() + Duration::from_secs(30);
    while Instant::now() < end {
        open_connections.exchange(700, 1_300);
        std::thread::sleep(Duration::from_millis(100));
    }
    for watch in watches {
        watch.stop();
    }

    let truth = open_connections.truth;
    let [calm, busy] = [&calm, &busy].map(|exporter| {
        let mut scrapes = Scrapes::default();
        let scrape = scrapes.scrape(exporter);
        (Counted::of(scrape), observations(scrape))
    });
    let told = format!("{truth:?}, one scraper: {calm:?}, three: {busy:?}");
    assert_eq!(calm.0, busy.0, "{told}");
    assert_eq!((calm.0.sent, calm.0.received), (truth.sent, truth.received), "{told}");
    assert!(calm.1 >= 400 * 5, "{told}");
    // Each at its own times, and some of them late. To observe at each scrape would be more than twice as much.
    assert!(calm.1.abs_diff(busy.1) * 4 <= calm.1, "{told}");
}

fn observations(scrape: &Scrape) -> u64 {
    scrape.sum("ss_t_rtt_seconds_count")
}
