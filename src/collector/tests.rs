//! Sharing, deadlines and lending, with collections that the test releases one by one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;
use crate::exposition::{FamilyFilter, Format};
use crate::self_metrics::{DumpReport, ViewReport};

const PATIENCE: Duration = Duration::from_millis(200);
const TERMS: Terms = Terms { timeout: PATIENCE, waiting: 40 };

fn snapshot() -> Snapshot {
    Snapshot { views: Arc::new([]), tables: Vec::new(), report: SelfReport::default() }
}

/// A collector whose collections wait for the test, and the number of those begun.
fn held() -> (Collector, Sender<()>, Arc<AtomicUsize>) {
    let (release, released) = channel();
    let begun = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&begun);
    let collect = move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        let _ = released.recv();
        snapshot()
    };
    let (collector, _thread) = Collector::start(TERMS, snapshot, collect).expect("a thread");
    (collector, release, begun)
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

fn ask(collector: &Collector, until: Instant) -> Result<Receiver<Lease>, Busy> {
    let (reply, answer) = channel();
    collector.request(until, move |lease| drop(reply.send(lease)))?;
    Ok(answer)
}

fn text(lease: Lease) -> String {
    let chunks: Result<Vec<_>, _> = lease.chunks(Format::Text, FamilyFilter::default()).collect();
    String::from_utf8(chunks.expect("not taken back").concat()).expect("UTF-8")
}

fn until(condition: impl Fn() -> bool) {
    let deadline = soon();
    while !condition() {
        assert!(Instant::now() < deadline, "it never came");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn those_who_ask_meanwhile_share_one_collection() {
    let (collector, release, begun) = held();
    let first = ask(&collector, soon()).expect("room");
    until(|| begun.load(Ordering::SeqCst) == 1);
    let others: Vec<_> = (0..10).map(|_| ask(&collector, soon()).expect("room")).collect();
    release.send(()).expect("the thread");
    for answer in others.into_iter().chain([first]) {
        text(answer.recv().expect("an answer"));
    }
    assert_eq!(begun.load(Ordering::SeqCst), 1);
}

#[test]
fn at_most_forty_wait_and_those_who_gave_up_hold_no_place() {
    let (collector, _release, begun) = held();
    let hasty = Instant::now() + Duration::from_secs(3);
    let waiting: Vec<_> = (0..40).map(|_| ask(&collector, hasty).expect("room")).collect();
    until(|| begun.load(Ordering::SeqCst) == 1);
    assert_eq!(ask(&collector, soon()).err(), Some(Busy(TERMS.waiting)));
    assert!(text(collector.without_dump()).contains("ss_exporter_scrapes_refused_total 1\n"));
    until(|| Instant::now() > hasty);
    assert!(ask(&collector, soon()).is_ok());
    assert_eq!(begun.load(Ordering::SeqCst), 1, "never a second dump behind a stuck one");
    drop(waiting);
}

#[test]
fn an_answer_never_comes_after_the_asker_gave_up() {
    let (collector, release, begun) = held();
    let hasty = ask(&collector, Instant::now() + Duration::from_millis(10)).expect("room");
    let patient = ask(&collector, soon()).expect("room");
    until(|| begun.load(Ordering::SeqCst) == 1);
    std::thread::sleep(Duration::from_millis(30));
    release.send(()).expect("the thread");
    text(patient.recv().expect("an answer"));
    assert!(hasty.recv().is_err());
}

#[test]
fn a_collection_that_does_not_end_is_said_and_marked_as_failed() {
    let (collector, _release, begun) = held();
    assert_eq!(collector.ready(), Ok(()));
    let _waiting = ask(&collector, soon()).expect("room");
    until(|| begun.load(Ordering::SeqCst) == 1);
    std::thread::sleep(PATIENCE + Duration::from_millis(20));
    let why = collector.ready().expect_err("it takes too long");
    assert!(why.starts_with("a collection has been under way for "), "{why}");
    let text = text(collector.without_dump());
    assert!(text.contains("ss_exporter_collection_success{stage=\"collection\"} 0\n"), "{text}");
    assert!(
        !text.contains("ss_exporter_dump_stuck_seconds"),
        "nothing says that the kernel is the reason: {text}"
    );
}

#[test]
fn what_is_shown_without_a_dump_has_counted_no_less_than_the_scrape_before() {
    let (collector, release, begun) = held();
    let shows = |lease: Lease, collections: u32| {
        assert!(
            text(lease).contains(&format!("ss_exporter_collections_total {collections}\n")),
            "{collections}"
        );
    };
    for collection in 1..=3 {
        let answer = ask(&collector, soon()).expect("room");
        until(|| begun.load(Ordering::SeqCst) == collection as usize);
        shows(collector.without_dump(), collection);
        release.send(()).expect("the thread");
        shows(answer.recv().expect("an answer"), collection);
    }
}

#[test]
fn a_dump_that_was_left_behind_is_held_and_only_one_without_which_rows_are_withheld_takes_readiness() {
    let (next, collections) = channel();
    let collect = move |_| collections.recv().unwrap_or_else(|_| snapshot());
    let (collector, _thread) = Collector::start(TERMS, snapshot, collect).expect("a thread");
    let collection = |held: bool, success| {
        let stages = vec![Stage { name: "dump".into(), duration: Duration::ZERO, success }];
        let held = held.then_some(Duration::from_millis(1));
        let report = SelfReport {
            stages,
            dump: DumpReport { stuck: held, ..DumpReport::default() },
            ..SelfReport::default()
        };
        next.send(Snapshot { report, ..snapshot() }).expect("the thread");
        ask(&collector, soon()).expect("room").recv().expect("an answer");
    };
    collection(true, true);
    assert!(collector.stuck_for().is_some());
    assert_eq!(collector.ready(), Ok(()), "another namespace's");
    collection(false, false);
    assert_eq!((collector.stuck_for(), collector.ready()), (None, Ok(())), "it failed for another reason");
    collection(true, false);
    let why = collector.ready().expect_err("rows are withheld");
    assert!(why.contains("holding a dump"), "{why}");
    // Nobody scrapes any more.
    drop(next);
    until(|| collector.ready().is_ok());
    assert_eq!(collector.stuck_for(), None);
}

#[test]
fn four_snapshots_are_alive_and_the_slowest_reader_loses_its_own() {
    let collect = |_| {
        let view = ViewReport {
            name: "v".into(),
            selected: 0,
            rows: 0,
            left_out: None,
            in_other: None,
            over_limit: None,
            limit: None,
        };
        Snapshot { report: SelfReport { views: vec![view], ..SelfReport::default() }, ..snapshot() }
    };
    let (collector, _thread) = Collector::start(TERMS, snapshot, collect).expect("a thread");
    let next = || ask(&collector, soon()).expect("room").recv().expect("an answer");
    let made = || collector.0.lock().collections;
    let mut slow: Vec<Chunks> =
        (0..MOST_ALIVE).map(|_| next().chunks(Format::Text, FamilyFilter::default())).collect();
    // Readers have time before another collection takes the oldest from them.
    let fifth = next().chunks(Format::Text, FamilyFilter::default());
    assert_eq!(made(), MOST_ALIVE as u64);
    until(|| {
        drop(next());
        made() > MOST_ALIVE as u64
    });
    assert_eq!(slow.remove(0).next(), Some(Err(Revoked)));
    for chunks in slow.into_iter().chain([fifth]) {
        assert!(chunks.collect::<Result<Vec<_>, _>>().is_ok());
    }
    assert!(collector.0.lock().alive.is_empty(), "what nobody reads is forgotten");
}

#[test]
fn stopping_ends_the_thread() {
    let (collector, thread) = Collector::start(TERMS, snapshot, |_| snapshot()).expect("a thread");
    collector.stop();
    thread.join().expect("no panic");
}
