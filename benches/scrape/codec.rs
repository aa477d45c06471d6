//! Decoding and encoding without the kernel, by criterion.

use criterion::{Criterion, Throughput};
use ss_exporter::exposition::{Encoder, Format, Value};
use ss_exporter::sockdiag::{Field, Socket};

const SOCKETS: u32 = 10_000;

/// Replies as Linux 6.18 sends them: the header, four small attributes and `tcp_info`.
fn replies() -> Vec<Vec<u8>> {
    let reply = |cookie: u32| {
        let mut reply = vec![0; 72];
        reply[..2].copy_from_slice(&[2, 1]);
        reply[44..48].copy_from_slice(&cookie.to_ne_bytes());
        for (kind, length) in [(8_u16, 1_usize), (15, 4), (21, 8), (22, 2), (2, 280)] {
            reply.extend(u16::try_from(4 + length).expect("short").to_ne_bytes());
            reply.extend(kind.to_ne_bytes());
            reply.extend(vec![3; length.next_multiple_of(4)]);
        }
        reply
    };
    (1..=SOCKETS).map(reply).collect()
}

pub fn run() {
    let mut criterion = Criterion::default().sample_size(20).without_plots();
    let mut group = criterion.benchmark_group("codec");
    group.throughput(Throughput::Elements(u64::from(SOCKETS)));

    let replies = replies();
    group.bench_function("decode, per socket", |bencher| {
        bencher.iter(|| {
            let values = replies.iter().filter_map(|reply| {
                let socket = Socket::parse(reply)?;
                Some(socket.tcp_info()?.get(Field::Rtt)? + u64::from(socket.remote().port()))
            });
            values.sum::<u64>()
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
