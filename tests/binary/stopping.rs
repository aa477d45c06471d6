//! The end: signals, answers in progress, exit codes.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use rustix::process::Signal;

use super::enter;
use testkit::exporter::Exporter;

#[test]
fn both_signals_end_it_with_success() {
    if enter() {
        return;
    }
    for signal in [Signal::TERM, Signal::INT] {
        let exporter = Exporter::start(&[]);
        let mut idle = TcpStream::connect(exporter.address).expect("a connection");
        idle.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").expect("room");
        idle.read_exact(&mut [0; 12]).expect("an answer");
        exporter.signal(signal);
        let (code, time) = exporter.end();
        assert_eq!(code, Some(0), "{signal:?}");
        assert!(time < Duration::from_secs(5), "{time:?}");
    }
}

#[test]
fn an_answer_in_progress_is_finished() {
    if enter() {
        return;
    }
    let exporter = Exporter::start(&[]);
    let mut stream = TcpStream::connect(exporter.address).expect("a connection");
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("room");
    let mut answer = vec![0; 16];
    stream.read_exact(&mut answer).expect("its beginning");
    exporter.signal(Signal::TERM);
    stream.read_to_end(&mut answer).expect("its end");
    assert!(answer.ends_with(b"0\r\n\r\n"), "the last chunk is missing");
    assert_eq!(exporter.end().0, Some(0));
}
