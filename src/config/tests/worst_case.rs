//! The most rows and series that a configuration can produce.

use crate::config::{Config, DEFAULT_FILE};
use crate::view::{View, WorstCase, worst_cases};

fn views(text: &str) -> Vec<View> {
    Config::parse("a.yml", text).unwrap_or_else(|error| panic!("{error}")).views
}

#[test]
fn rows_are_the_limit_and_the_row_over_it_or_the_keys_there_are() {
    for (view, rows, series) in [
        ("{by: [local_port], metrics: [sockets]}", 1001, 1001),
        ("{by: [local_port], metrics: [sockets], limit: 5}", 6, 6),
        ("{by: [], metrics: [sockets, closed_total]}", 1, 2),
        ("{by: [state], metrics: [sockets], state: all}", 11, 11),
        ("{by: [state], metrics: [sockets], state: [listen, established]}", 2, 2),
        ("{by: [state], metrics: [sockets], limit: 1}", 2, 2),
        ("{by: [state, uid], metrics: [sockets], limit: 7}", 8, 8),
        ("{by: [process], metrics: [sockets, send_queue_bytes], limit: {top: 4, by: sockets}}", 4, 8),
        ("{metrics: [rtt_seconds], histograms: {rtt_seconds: [1, 2]}}", 1, 5),
        ("{metrics: [rtt_seconds], aggregate: {rtt_seconds: mean}}", 1, 1),
        (
            "{by: [local_address, local_port, remote_address, remote_port], metrics: [rtt_seconds], limit: 9}",
            9,
            9,
        ),
    ] {
        let cases: Vec<_> = views(&format!("views: {{a: {view}}}")).iter().map(View::worst_case).collect();
        assert_eq!(cases, [Some(WorstCase { rows, series })], "{view}");
    }
}

#[test]
fn a_table_says_what_has_no_limit() {
    let text = "logic: {max_flows: 0}\nviews: {tcp_by_port: {by: [local_port], metrics: [sockets]}}";
    assert_eq!(
        worst_cases(&views(text)),
        "view           limit  rows at most  series at most\n\
         tcp_by_port     1000          1001            1001\n\
         legacy          none      no limit        no limit\n\
         legacy_totals   none             1              12\n\
         total                     no limit        no limit\n"
    );
    let limited = worst_cases(&views("views: {a: {metrics: [sockets]}, b: {by: [uid], metrics: [sockets]}}"));
    assert!(limited.ends_with("total                 1002            1002\n"), "{limited}");
}

#[test]
fn the_page_on_scale_has_the_maximum_of_the_built_in_configuration() {
    let cases = views(DEFAULT_FILE);
    let total: usize = cases.iter().filter_map(View::worst_case).map(|case| case.series).sum();
    let text = format!(" {},{:03} ", total / 1000, total % 1000);
    for page in
        [include_str!("../../../docs/operations/scale.md"), include_str!("../../../deploy/scale-shard.yml")]
    {
        assert!(page.contains(&text), "{text}");
    }
}
