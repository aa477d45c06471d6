//! An exporter that may not look into the processes of others.

use super::cast::Cast;
use super::enter;
use super::ports::{self, FIRST};
use super::rows::{rows, sum};
use testkit::public::{Public, unprivileged};
use testkit::scrape::Scrapes;

#[test]
fn without_a_capability_owners_of_others_are_unknown_and_counted_and_units_are_known() {
    if enter() {
        return;
    }
    let _listeners = ports::open(1);
    let mut cast = Cast::new();
    let config = "views: {v: {by: [process, pid, unit, user], state: [established]}}";
    let public = Public::new(config);
    let exporter = public.start(&unprivileged(&[]));
    let mut scrapes = Scrapes::default();
    let scrape = scrapes.scrape(&exporter);
    let with = |labels: &[(&str, &str)]| sum(scrape, "ss_v_sockets", labels);
    assert_eq!(with(&[("process", "unknown"), ("unit", "web.service"), ("user", "root")]), 8);
    assert_eq!(with(&[("unit", "web.service")]), 8);
    let named = rows(scrape, "ss_v_sockets").into_iter().filter(|(labels, _)| labels["process"] != "unknown");
    let own = exporter.child.id().to_string();
    for (labels, _) in named {
        assert_eq!(labels["pid"], own, "{labels:?}");
    }
    let unowned = scrape.sum("ss_exporter_sockets_without_owner");
    assert!((17..=18).contains(&unowned), "{unowned}: those of the cast, and perhaps that of the scrape");
    // What was not given away goes on.
    let ports = cast.actors[0].connects(FIRST, 2);
    let scrape = scrapes.scrape(&exporter);
    let labels = [("process", "unknown"), ("unit", "web.service")];
    assert_eq!(sum(scrape, "ss_v_sockets", &labels), 8 + ports.len() as u64);
    assert_eq!(sum(scrape, "ss_v_opened_total", &labels), ports.len() as u64);
}
