//! Rows that are there before anything happens, so that the first increase is seen.

use super::counted::view;
use super::enter;
use testkit::exporter::Exporter;
use testkit::scrape::Scrapes;
use testkit::traffic::Lanes;

#[test]
fn rows_appear_at_zero_before_their_first_connection() {
    if enter() {
        return;
    }
    let lanes = Lanes::open(1).expect("listeners");
    let listeners: Vec<_> = lanes.listeners().collect();
    let exporter = Exporter::configured(&view(&listeners));
    let mut scrapes = Scrapes::default();
    let scrape = scrapes.scrape(&exporter);
    for listener in listeners {
        let port = listener.local_addr().expect("bound").port();
        let labels = format!("direction=\"inbound\",service_port=\"{port}\"");
        for metric in ["opened", "closed", "sent_bytes", "received_bytes"] {
            let rows = scrape.rows(&format!("ss_t_{metric}_total"));
            assert_eq!(rows.get(&labels).map(String::as_str), Some("0"), "{metric} of {labels} in {rows:?}");
        }
    }
}
