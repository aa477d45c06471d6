//! The printed active configuration, read as a configuration.

use ss_exporter::config::Config;

#[track_caller]
fn reads_the_same(text: &str) {
    let read = |text: &str| {
        let read = Config::parse("effective.yml", text).unwrap_or_else(|error| panic!("{error} in\n{text}"));
        Config { warnings: Vec::new(), ..read }
    };
    let told = read(text).effective(text);
    assert!(read(text) == read(&told), "{text}\nis not the same as\n{told}");
}

#[test]
fn names_of_views_that_are_words_of_yaml_stay_names() {
    reads_the_same("views: {\"true\": {}}");
    reads_the_same("views: {\"null\": {}}");
    reads_the_same("views: {\"y\": {}, \"on\": {}, \"inf\": {}}");
}

#[test]
fn names_of_networks_that_are_words_of_yaml_stay_names() {
    for name in ["true", "null", "a-b.c"] {
        reads_the_same(&format!(
            "networks: {{\"{name}\": [192.0.2.0/24]}}\nviews: {{v: {{by: [remote_network]}}}}"
        ));
    }
}

#[test]
fn anchors_and_aliases_read_the_same() {
    reads_the_same("collect: {netns: [blue], deadline: &d 1s, owners: *d}\nviews: {v: {}}");
    reads_the_same("collect: {deadline: &d 1s}\nlogic: {}\nviews: {v: {}}");
    reads_the_same("views: {v: {by: [direction]}}\nlogic: &x\n  metrics:\n    gauges: {active: true}\n");
    reads_the_same(
        "networks: {n: &n [192.0.2.0/24]}\nselection: &s {}\nlogic:\n  metrics:\n    gauges: {active: true}\n",
    );
    reads_the_same(
        "views:\n  v: &v {by: [direction]}\nlogic:\n  metrics: &m\n    gauges: {active: true}\nselection: {}\n",
    );
}

#[test]
fn the_part_of_the_predecessor_reads_the_same() {
    for text in ["logic:\n", "logic : {}\n", "---\nlogic:\n  metrics:\n    gauges: {active: true}\n...\n"] {
        reads_the_same(text);
    }
}
