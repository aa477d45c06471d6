//! Decoding and encoding without the kernel, by criterion.

use std::io;
use std::time::Instant;

use criterion::{Criterion, Throughput};
use ss_exporter::exposition::{Encoder, Format, Value};
use ss_exporter::sockdiag::tcp_info::Field;
use ss_exporter::sockdiag::{Datagram, Extensions, Kernel, Request, State, StateSet, dump};

const SOCKETS: u32 = 10_000;

/// A kernel that says the same every time.
struct Recording<'a> {
    datagrams: &'a [Vec<u8>],
    next: usize,
}

impl Kernel for Recording<'_> {
    fn send(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], _: Instant) -> io::Result<Datagram> {
        let datagram = self.datagrams.get(self.next).ok_or(io::ErrorKind::TimedOut)?;
        self.next += 1;
        buffer[..datagram.len()].copy_from_slice(datagram);
        Ok(Datagram { length: datagram.len(), sender: 0 })
    }
}

/// Replies as Linux 6.18 sends them: the header, four small attributes and `tcp_info`.
fn recording() -> Vec<Vec<u8>> {
    let message = |kind: u16, body: &[u8]| {
        let length = u32::try_from(16 + body.len()).expect("short");
        [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), &[2, 0], &1_u32.to_ne_bytes(), &[0; 4], body]
            .concat()
    };
    let mut datagrams = vec![Vec::new()];
    for cookie in 1..=SOCKETS {
        let mut body = vec![0; 72];
        body[..2].copy_from_slice(&[2, 1]);
        body[44..48].copy_from_slice(&cookie.to_ne_bytes());
        for (kind, length) in [(8_u16, 1_usize), (15, 4), (21, 8), (22, 2), (2, 280)] {
            body.extend(u16::try_from(4 + length).expect("short").to_ne_bytes());
            body.extend(kind.to_ne_bytes());
            body.extend(vec![3; length.next_multiple_of(4)]);
        }
        let message = message(18, &body);
        if datagrams.last().is_some_and(|last| last.len() + message.len() > 32_000) {
            datagrams.push(Vec::new());
        }
        datagrams.last_mut().expect("one at least").extend(message);
    }
    datagrams.push(message(3, &[0; 4]));
    datagrams
}

pub fn run() {
    let mut criterion = Criterion::default().sample_size(20).without_plots();
    let mut group = criterion.benchmark_group("codec");
    group.throughput(Throughput::Elements(u64::from(SOCKETS)));

    let datagrams = recording();
    let request =
        Request { states: StateSet::of(&[State::Established]), extensions: Extensions::INFO, filter: None };
    group.bench_function("decode, per socket", |bencher| {
        bencher.iter(|| {
            let mut kernel = Recording { datagrams: &datagrams, next: 0 };
            let mut sum = 0;
            let stats = dump(&mut kernel, &request, Instant::now(), |socket| {
                sum += socket.tcp_info().and_then(|info| info.get(Field::Rtt)).unwrap_or(0);
                sum += u64::from(socket.remote().port());
            });
            assert_eq!(stats.expect("complete").sockets, u64::from(SOCKETS));
            sum
        });
    });

    let label = br#"flow="(SRC#127.0.0.1|39366)(DST#127.0.0.1|443)""#;
    group.bench_function("encode, per sample", |bencher| {
        bencher.iter(|| {
            let mut encoder = Encoder::new(Format::Text, 1 << 20);
            for number in 0..SOCKETS {
                encoder.sample("tcp_rtt", label, Value::Float(f64::from(number) / 1000.0));
            }
            encoder.out.len()
        });
    });
    group.finish();
}
