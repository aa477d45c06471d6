//! Selections by owner select exactly the sockets of whom they name.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::cast::{CONTAINER, Cast};
use super::enter;
use super::ports::{self, FIRST};
use super::rows::rows;
use testkit::exporter::Exporter;
use testkit::scrape::Scrapes;

/// Selections and whom they select, by number.
fn selections(cast: &Cast) -> Vec<(String, &'static [usize])> {
    let (web, folder) = (&cast.web, &cast.folder.path);
    let [alpha, beta] = [0, 1].map(|number: usize| cast.actors[number].pid());
    vec![
        ("process = beta".into(), &[1]),
        ("process = alpha or process = epsilon".into(), &[0, 4]),
        ("not process = alpha".into(), &[1, 2, 3, 4]),
        ("process = nobody_is_called_so".into(), &[]),
        (format!("pid = {alpha}"), &[0]),
        (format!("pid = {} or pid = {beta}", cast.sleeper.pid()), &[1, 4]),
        ("executable = epsilon".into(), &[4]),
        ("executable = alpha".into(), &[]),
        ("user = root".into(), &[0, 1, 2, 4]),
        ("uid = 65534".into(), &[3]),
        (format!("cgroup = {web}"), &[0]),
        (format!("cgroup = {folder}"), &[]),
        (format!("cgroup_tree = {web}"), &[0, 1]),
        (format!("cgroup_tree = {folder}"), &[0, 1, 2]),
        ("unit = web.service".into(), &[0, 1]),
        (format!("container = {CONTAINER}"), &[2]),
        (format!("container = {}", &CONTAINER[..12]), &[2]),
        ("unit = web.service and not process = beta".into(), &[0]),
    ]
}

#[test]
fn a_selection_by_owner_selects_the_sockets_that_its_processes_made_and_no_other() {
    if enter() {
        return;
    }
    let _listeners = ports::open(1);
    let cast = Cast::new();
    let mut config = "views:\n".to_owned();
    for (number, (selection, _)) in selections(&cast).iter().enumerate() {
        let by = "local_address, local_port, remote_address, remote_port";
        for (kind, by, metric) in [("flow", by, "sent_bytes_total"), ("fold", "local_port", "sockets")] {
            let select = format!("dport = {FIRST} and ( {selection} )");
            let view = format!("{{by: [{by}], metrics: [{metric}], select: '{select}'}}");
            writeln!(config, "  {kind}{}: {view}", letters(number)).expect("room");
        }
    }
    let exporter = Exporter::configured(&config);
    let mut scrapes = Scrapes::default();
    for _ in 0..2 {
        let scrape = scrapes.scrape(&exporter);
        for (number, (selection, of)) in selections(&cast).iter().enumerate() {
            for (kind, metric) in [("flow", "sent_bytes_total"), ("fold", "sockets")] {
                let rows = rows(scrape, &format!("ss_{kind}{}_{metric}", letters(number)));
                let shown: BTreeSet<u16> =
                    rows.iter().map(|(labels, _)| labels["local_port"].parse().expect("a port")).collect();
                assert_eq!(shown, cast.ports(of), "{kind} by {selection}");
            }
        }
    }
}

/// A name without digits, which two views could otherwise share.
fn letters(number: usize) -> char {
    (b'a'..=b'z').nth(number).map(char::from).expect("few selections")
}

#[test]
fn the_seeds_selection_by_pids_and_cmds_selects_the_sockets_of_either() {
    if enter() {
        return;
    }
    let _listeners = ports::open(1);
    let cast = Cast::new();
    let pid = cast.actors[2].pid();
    let cases: [(String, &[usize]); 4] = [
        (format!("pids: [{pid}]"), &[2]),
        ("cmds: [beta, epsilon]".into(), &[1, 4]),
        (format!("pids: [{pid}], cmds: [alpha]"), &[0, 2]),
        ("cmds: [nobody_is_called_so]".into(), &[]),
    ];
    for (selection, of) in cases {
        let exporter = Exporter::configured(&format!("logic: {{selection: {{process: {{{selection}}}}}}}\n"));
        let mut scrapes = Scrapes::default();
        let rows = scrapes.scrape(&exporter).rows("tcp_rtt");
        let port = |labels: &String| {
            let (_, rest) = labels.split_once("(SRC#127.0.0.1|").expect("a local end");
            rest.split(')').next().and_then(|port| port.parse().ok()).expect("a port")
        };
        assert_eq!(rows.keys().map(port).collect::<BTreeSet<u16>>(), cast.ports(of), "{selection}");
    }
}

#[test]
fn for_a_per_connection_view_of_one_cgroup_the_kernel_dumps_only_its_sockets() {
    if enter() {
        return;
    }
    let _listeners = ports::open(1);
    let cast = Cast::new();
    let by = "by: [local_address, local_port, remote_address, remote_port], metrics: [sent_bytes_total]";
    let exporter = Exporter::configured(&format!("views: {{v: {{{by}, select: 'cgroup = {}'}}}}", cast.web));
    let mut scrapes = Scrapes::default();
    let scrape = scrapes.scrape(&exporter);
    assert_eq!(scrape.rows("ss_v_sent_bytes_total").len(), 4);
    assert_eq!(scrape.sum("ss_exporter_sockets_seen"), 4, "of 17 and their other ends");
}
