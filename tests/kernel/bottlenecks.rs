//! What limits connections over the loopback, whose processes are the limit; tests/bottlenecks has links that are the limit.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, ipproto, socket_with};
use socket2::SockRef;

use super::{Pair, enter, samples};
use ss_exporter::{
    bottleneck::Bottleneck, collection, config::Config, exposition::Format, plan::Plan,
    privileges::Privileges,
};
use testkit::host::{ThisNetns, exposition};

const CONFIG: &str = "views: {t: {by: [local_port, bottleneck], state: all, metrics: [sockets]}}\n";

/// What limits each end of connections, by its port, in a time in which `act` runs.
fn bottlenecks(mut act: impl FnMut()) -> Box<dyn Fn(&TcpStream) -> String> {
    let plan = Plan::new(Config::parse("test.yml", CONFIG).expect("a valid configuration"));
    let mut state = collection::CollectorState::new(&plan, Privileges::default());
    let first = collection::collect(&plan, &ThisNetns, &mut state);
    assert!(first.report.success(), "{:?}", first.report);
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(1200) {
        act();
        std::thread::sleep(Duration::from_millis(20));
    }
    let text = exposition(&collection::collect(&plan, &ThisNetns, &mut state), Format::Text);
    Box::new(move |end| {
        let port = format!("local_port=\"{}\"", end.local_addr().expect("bound").port());
        let rows = samples(&text, "ss_t_sockets").into_iter().filter(|(labels, _)| labels.contains(&port));
        // The listener has the port of the server's end.
        let names: Vec<_> = rows
            .filter_map(|(labels, _)| labels.split("bottleneck=\"").nth(1)?.split('"').next())
            .filter(|name| *name != "unknown")
            .collect();
        names.join(" ")
    })
}

fn nothing() {
    std::thread::sleep(Duration::from_millis(1));
}

#[test]
fn a_connection_at_rest_is_idle_and_a_process_that_writes_now_and_then_is_the_limit() {
    if enter() {
        return;
    }
    let (quiet, mut busy) = (Pair::at(Ipv4Addr::LOCALHOST), Pair::at(Ipv4Addr::LOCALHOST));
    let of = bottlenecks(|| busy.send(1000));
    assert_eq!([of(&quiet.client), of(&quiet.server)], ["idle"; 2]);
    assert_eq!([of(&busy.client), of(&busy.server)], ["application", "receiving"]);
}

#[test]
fn a_process_that_does_not_read_is_seen_at_both_ends() {
    if enter() {
        return;
    }
    let mut pair = Pair::at(Ipv4Addr::LOCALHOST);
    pair.client.set_nonblocking(true).expect("a socket");
    while pair.client.write(&[0; 1 << 13]).is_ok() {
        nothing();
    }
    // The peer acknowledges the last of what it has room for.
    std::thread::sleep(Duration::from_millis(500));
    let of = bottlenecks(nothing);
    assert_eq!([of(&pair.client), of(&pair.server)], ["peer_not_reading", "not_reading"]);
}

#[test]
fn a_process_that_reads_slowly_closes_the_window_only_at_times() {
    if enter() {
        return;
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    SockRef::from(&listener).set_recv_buffer_size(16 << 10).expect("an option of every socket");
    let mut pair = Pair::through(&listener, listener.local_addr().expect("bound"));
    let mut writer = pair.client.try_clone().expect("a descriptor");
    writer.set_nonblocking(true).expect("a socket");
    let of = bottlenecks(|| {
        while writer.write(&[0; 1 << 13]).is_ok() {
            nothing();
        }
        // Much of what has come.
        let _ = pair.server.read(&mut [0; 1 << 14]);
    });
    assert_eq!(of(&pair.client), "peer_window");
}

#[test]
fn a_connection_that_no_process_accepts_waits_in_the_accept_queue() {
    if enter() {
        return;
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let address = listener.local_addr().expect("bound");
    let mut client = TcpStream::connect(address).expect("a connection");
    client.write_all(b"request").expect("room");
    let as_server = |of: &dyn Fn(&TcpStream) -> String| {
        let end = TcpStream::connect(address).expect("a connection");
        drop(listener.accept());
        let (server, _) = listener.accept().expect("the other end");
        drop(end);
        of(&server)
    };
    let of = bottlenecks(nothing);
    assert_eq!(of(&client), "idle");
    assert_eq!(as_server(&of), "accept_queue");
}

#[test]
fn a_handshake_without_an_answer_is_connecting() {
    if enter() {
        return;
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    rustix::net::listen(&listener, 0).expect("a shorter queue");
    let address = listener.local_addr().expect("bound");
    let _queued = TcpStream::connect(address).expect("room for one");
    let more = || {
        let client =
            socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::NONBLOCK, Some(ipproto::TCP));
        let client = client.expect("a socket");
        let _ = connect(&client, &address);
        TcpStream::from(client)
    };
    let waiting = more();
    let of = bottlenecks(nothing);
    assert_eq!(of(&waiting), "connecting");
}

#[test]
fn the_time_between_samples_is_counted_by_bottleneck_and_no_moment_twice() {
    if enter() {
        return;
    }
    let (quiet, mut busy) = (Pair::at(Ipv4Addr::LOCALHOST), Pair::at(Ipv4Addr::LOCALHOST));
    let config = "views: {t: {by: [local_port], metrics: ['bottleneck_*_seconds_total']}}\n";
    let plan = Plan::new(Config::parse("test.yml", config).expect("a valid configuration"));
    let mut state = collection::CollectorState::new(&plan, Privileges::default());
    let began = Instant::now();
    let _ = collection::collect(&plan, &ThisNetns, &mut state);
    let mut text = String::new();
    for _ in 0..2 {
        for _ in 0..30 {
            busy.send(1000);
            std::thread::sleep(Duration::from_millis(20));
        }
        text = exposition(&collection::collect(&plan, &ThisNetns, &mut state), Format::Text);
    }
    let all = began.elapsed().as_secs_f64();
    let seconds = |end: &TcpStream, class: &str| {
        let port = format!("local_port=\"{}\"", end.local_addr().expect("bound").port());
        let rows = samples(&text, &format!("ss_t_bottleneck_{class}_seconds_total"));
        rows.into_iter().filter(|(labels, _)| labels.contains(&port)).map(|(_, value)| value).sum::<f64>()
    };
    for (end, class) in [(&quiet.client, "idle"), (&busy.client, "application"), (&busy.server, "receiving")]
    {
        let of = Bottleneck::ALL.iter().map(|class| seconds(end, class.name()));
        let sum: f64 = of.sum();
        assert!((1.2..=all).contains(&sum), "{class}: {sum} of {all} s: {text}");
        assert!((seconds(end, class) - sum).abs() < 1e-9, "{class}: {text}");
    }
}

#[test]
fn a_first_collection_knows_no_bottleneck_and_a_view_by_it_has_no_counters() {
    if enter() {
        return;
    }
    let _pair = Pair::at(Ipv4Addr::LOCALHOST);
    let text = super::expose(CONFIG);
    let rows = samples(&text, "ss_t_sockets");
    assert!(rows.iter().any(|(labels, _)| labels.contains("bottleneck=\"unknown\"")), "{text}");
    for wrong in [
        "views: {t: {by: [bottleneck], metrics: [sent_bytes_total]}}",
        "views: {t: {select: bottleneck = loss, metrics: [closed_total]}}",
    ] {
        let error = Config::parse("test.yml", wrong).expect_err("a counter").to_string();
        assert!(error.contains("a counter in a view by bottleneck"), "{error}");
    }
    let fine = "views: {t: {by: [bottleneck]}, u: {select: bottleneck = loss}}";
    let views = Config::parse("test.yml", fine).expect("no counter is asked for").views;
    assert!(views.iter().all(|view| !view.columns.is_empty()));
    let error =
        Config::parse("test.yml", "views: {t: {select: bottleneck = los}}").expect_err("no such word");
    assert!(error.to_string().contains("the name of a bottleneck"), "{error}");
}
