//! Another configuration while the exporter runs: by signal, by request, or not at all.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::managed::Manager;
use super::{enter, program};
use testkit::exporter::Exporter;

const ONE: &str = "views: {one: {by: [direction]}}\n";
const TWO: &str = "views: {two: {by: [direction]}}\n";
const SUCCESSFUL: &str = "ss_exporter_config_last_reload_successful";
const AT: &str = "ss_exporter_config_last_reload_success_timestamp_seconds";

/// A configuration in a file that may change.
struct Configuration {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Configuration {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config.yml");
        std::fs::write(&path, text).expect("room");
        Self { _folder: folder, path }
    }

    fn set(&self, text: &str) {
        std::fs::write(&self.path, text).expect("room");
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

fn value(metrics: &str, name: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name} in {metrics}")).parse().expect("a number")
}

/// Waits until the metrics say so.
fn until(exporter: &Exporter, says: impl Fn(&str) -> bool) -> String {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let metrics = exporter.metrics();
        if says(&metrics) {
            return metrics;
        }
        assert!(Instant::now() < deadline, "{metrics}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn post(exporter: &Exporter) -> (u16, String) {
    let answer = exporter.ask("POST /-/reload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    (answer.status, String::from_utf8(answer.body).expect("text"))
}

#[test]
fn a_hang_up_puts_the_file_in_force_as_it_is_now_and_a_broken_one_never() {
    if enter() {
        return;
    }
    let file = Configuration::new(ONE);
    let exporter = Exporter::reading(file.path(), &[]);
    let first = exporter.metrics();
    assert!(first.contains("ss_one_sockets") && (value(&first, SUCCESSFUL) - 1.0).abs() < 0.1);

    file.set("views: {two: {buy: [direction]}}\n");
    exporter.signal(Signal::HUP);
    let kept = until(&exporter, |metrics| value(metrics, SUCCESSFUL) < 0.5);
    assert!(kept.contains("ss_one_sockets") && !kept.contains("ss_two"), "{kept}");
    assert!((value(&kept, AT) - value(&first, AT)).abs() < 0.001, "the active one is as old as it was");

    file.set(TWO);
    exporter.signal(Signal::HUP);
    let changed = until(&exporter, |metrics| value(metrics, SUCCESSFUL) > 0.5);
    assert!(changed.contains("ss_two_sockets") && !changed.contains("ss_one"), "{changed}");
    assert!(value(&changed, AT) > value(&first, AT));
    assert!(exporter.get("/metrics?collect[]=one").status == 400);
    let log = exporter.log();
    let said = "config.yml:1:15: views.two.buy: found an unknown key";
    assert!(log.contains(said) && log.contains("the previous one stays active"), "{log}");
    assert!(log.contains("reloaded the configuration"), "{log}");
}

#[test]
fn the_status_of_the_service_says_what_is_active_and_what_a_reload_refused() {
    if enter() {
        return;
    }
    let (manager, socket) = Manager::new();
    let file = Configuration::new(ONE);
    let mut command = program();
    command.env("NOTIFY_SOCKET", socket).arg("--web.listen-address=127.0.0.1:8020");
    command.arg("--config").arg(file.path());
    let exporter = Exporter::spawn(&mut command);
    let status = || {
        let notifications = manager.notifications(Duration::from_secs(10), "READY=1");
        let line = notifications.last().and_then(|last| last.strip_prefix("READY=1\nSTATUS="));
        line.unwrap_or_else(|| panic!("{notifications:?}")).to_owned()
    };
    let place = file.path().display();
    let active = |view: &str| format!("configuration {place}, view {view}, listening on 127.0.0.1:8020");
    assert_eq!(status(), active("one"));

    file.set("views:\n  two: {buy: [direction]}\n  three: {buy: [direction]}\n");
    exporter.signal(Signal::HUP);
    let refused = status();
    let reason =
        format!("Reload refused: the configuration is not valid: {place}:2:9: views.two.buy: found an");
    assert!(refused.starts_with(&reason), "{refused}");
    assert!(refused.ends_with(&format!("; still active: {}", active("one"))), "{refused}");

    file.set(&format!("{TWO}collect: {{netns: all}}\n"));
    exporter.signal(Signal::HUP);
    let refused = status();
    assert!(refused.starts_with("Reload refused: collect.netns"), "{refused}");

    file.set(TWO);
    exporter.signal(Signal::HUP);
    assert_eq!(status(), active("two"));
}

#[test]
fn a_request_reloads_only_where_the_life_cycle_is_offered() {
    if enter() {
        return;
    }
    let file = Configuration::new(ONE);
    let exporter = Exporter::reading(file.path(), &[]);
    let (status, said) = post(&exporter);
    assert!(status == 403 && said.contains("--web.enable-lifecycle"), "{status} {said}");
    drop(exporter);
    let exporter = Exporter::reading(file.path(), &["--web.enable-lifecycle"]);
    file.set(TWO);
    assert_eq!(post(&exporter).0, 200);
    assert!(exporter.metrics().contains("ss_two_sockets"));
    std::fs::remove_file(file.path()).expect("the file");
    let (status, said) = post(&exporter);
    assert!(status == 500 && said.contains("cannot find the configuration file"), "{status} {said}");
    assert!(exporter.metrics().contains("ss_two_sockets"));
}

#[test]
fn what_is_decided_at_the_start_is_refused_by_its_key() {
    if enter() {
        return;
    }
    let file = Configuration::new(ONE);
    let exporter = Exporter::reading(file.path(), &["--web.enable-lifecycle"]);
    for (collect, key) in [
        ("netns: all", "collect.netns"),
        ("events: false", "collect.events"),
        ("event_buffer: 1MiB", "collect.event_buffer"),
    ] {
        file.set(&format!("{TWO}collect: {{{collect}}}\n"));
        let (status, said) = post(&exporter);
        assert!(status == 500 && said.contains(key) && said.contains("restart it"), "{status} {said}");
        assert!(exporter.metrics().contains("ss_one_sockets"), "{key}");
    }
    file.set(&format!("{TWO}collect: {{deadline: 1s, observe: 1s, tracked_sockets: 7, owners: 20ms}}\n"));
    assert_eq!(post(&exporter).0, 200);
    assert!(exporter.metrics().contains("ss_two_sockets"));
    assert!((value(&exporter.metrics(), "ss_exporter_sockets_tracked_limit") - 7.0).abs() < 0.1);
}

#[test]
fn an_exporter_without_close_events_has_them_after_a_reload() {
    if enter() {
        return;
    }
    let file = Configuration::new(
        "logic: {metrics: {gauges: {active: true, rtt: {active: true}}}}\ncollect: {event_buffer: 64KiB}\n",
    );
    let exporter = Exporter::reading(file.path(), &["--web.enable-lifecycle"]);
    assert!(!exporter.metrics().contains("ss_exporter_destroy_events"));
    file.set(&format!("{ONE}collect: {{event_buffer: 64KiB}}\n"));
    assert_eq!(post(&exporter).0, 200);
    let before = value(&exporter.metrics(), "ss_exporter_destroy_events_total");
    until(&exporter, |metrics| value(metrics, "ss_exporter_destroy_events_total") > before);
}

#[cfg(feature = "root-tests")]
#[test]
fn a_reload_that_needs_a_dropped_capability_is_refused_by_its_name() {
    if enter() {
        return;
    }
    let file = Configuration::new(ONE);
    let exporter = Exporter::reading(file.path(), &["--web.enable-lifecycle"]);
    for (view, name) in [
        ("{by: [process]}", "owners by process need CAP_DAC_READ_SEARCH"),
        ("{by: [mark]}", "marks need CAP_NET_ADMIN"),
    ] {
        file.set(&format!("views: {{v: {view}}}\n"));
        let (status, said) = post(&exporter);
        assert!(status == 500 && said.contains(name) && said.contains("restart the exporter"), "{said}");
    }
    assert!(exporter.metrics().contains("ss_one_sockets"));
    let log = exporter.log();
    let refusals: Vec<_> =
        log.lines().filter(|line| line.contains("cannot reload the configuration")).collect();
    assert_eq!(refusals.len(), 2, "{log}");
    assert!(refusals.iter().all(|line| line.contains("hint=\"restart the exporter\"")), "{log}");
}

#[test]
fn a_storm_of_hang_ups_ends_nothing() {
    if enter() {
        return;
    }
    let file = Configuration::new(ONE);
    let exporter = Exporter::reading(file.path(), &[]);
    for number in 0..200 {
        file.set(if number % 2 == 0 { TWO } else { ONE });
        exporter.signal(Signal::HUP);
        std::thread::sleep(Duration::from_millis(5));
    }
    file.set(TWO);
    exporter.signal(Signal::HUP);
    until(&exporter, |metrics| metrics.contains("ss_two_sockets") && !metrics.contains("ss_one"));
    exporter.signal(Signal::TERM);
    assert_eq!(exporter.end().0, Some(0));
}

#[test]
fn the_configuration_in_force_is_shown_and_means_the_same() {
    if enter() {
        return;
    }
    let file = Configuration::new(ONE);
    let exporter = Exporter::reading(file.path(), &["--web.enable-lifecycle"]);
    let shown = exporter.get("/config");
    assert!(shown.head.contains("content-type: text/plain"), "{}", shown.head);
    let shown = String::from_utf8(shown.body).expect("text");
    for line in ["collect:", "  deadline: 5s", "  one:", "    by: [direction]", "    limit: 1000"] {
        assert!(shown.lines().any(|one| one == line), "{line} in {shown}");
    }
    // It is a file that can be loaded, and then shows itself.
    file.set(&shown);
    assert_eq!(post(&exporter), (200, "The configuration was read again and is active.\n".to_owned()));
    assert_eq!(String::from_utf8(exporter.get("/config").body).expect("text"), shown);
}

#[test]
fn the_unit_fails_to_reload_a_broken_file_and_is_not_started_again_with_one() {
    let unit = include_str!("../../deploy/systemd/prometheus-ss-exporter.service");
    let values = |key: &str| {
        let lines = unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let reload = values("ExecReload");
    assert_eq!(
        reload[0], "/bin/kill -HUP $MAINPID",
        "the exporter itself says in log and metric what it refuses"
    );
    let check: Vec<_> = reload[1].split(' ').skip(1).filter(|word| *word != "$ARGS").collect();
    let code = |text: &str| {
        let file = Configuration::new(text);
        // As /etc/default/prometheus-ss-exporter names the file.
        let checked = program().env("CONFIG_FILE", file.path()).args(&check).output();
        checked.expect("the program").status.code()
    };
    assert_eq!(code(ONE), Some(0));
    let broken = code("views: {one: {buy: [direction]}}\n").expect("an exit code");
    assert_eq!(values("RestartPreventExitStatus"), [broken.to_string()]);
    assert_eq!(values("Restart"), ["on-failure"], "all other ends are crashes");
}
