//! Decoding and encoding without the kernel, by criterion.

use criterion::{Criterion, Throughput};
use sockdiag::{State, TCP, tcp_info};
use ss_exporter::exposition::{Encoder, Format, LabelBuffer, LabelSet, MetricFamily, MetricType, Sample};
use testkit::reply::Reply;

const SOCKETS: u32 = 10_000;

/// Replies as Linux 6.18 sends them: the header, four small attributes and `tcp_info`.
fn replies() -> Vec<Reply> {
    let end = ([0, 0, 0, 0], 0).into();
    let reply = Reply::new(State::Established, end, end);
    let attributes = [(8, 1), (15, 4), (21, 8), (22, 2), (2, 280)];
    let reply =
        attributes.into_iter().fold(reply, |reply, (kind, size)| reply.attribute(kind, &vec![3; size]));
    (1..=SOCKETS).map(|cookie| reply.clone().cookie(cookie)).collect()
}

pub fn run() {
    let mut criterion = Criterion::default().sample_size(20).without_plots();
    let mut group = criterion.benchmark_group("codec");
    group.throughput(Throughput::Elements(u64::from(SOCKETS)));

    let replies = replies();
    group.bench_function("decode, per socket", |bencher| {
        bencher.iter(|| {
            let values = replies.iter().filter_map(|reply| {
                let socket = TCP.parse(reply.bytes())?;
                Some(socket.get(&tcp_info::RTT)? + u64::from(socket.remote().port()))
            });
            values.sum::<u64>()
        });
    });

    let labels = LabelBuffer::of(["(SRC#127.0.0.1|39366)(DST#127.0.0.1|443)"]);
    let family = MetricFamily {
        name: "tcp_rtt",
        help: "Time.",
        kind: MetricType::Gauge,
        labels: &["flow"],
        bounds: &[],
    };
    group.bench_function("encode, per sample", |bencher| {
        bencher.iter(|| {
            let mut encoder = Encoder::new(Format::Text);
            encoder.reserve(1 << 20);
            encoder.begin_family(&family);
            for number in 0..SOCKETS {
                let labels = LabelSet::unpack(labels.packed());
                encoder.sample(labels, Sample::Float(f64::from(number) / 1000.0));
            }
            encoder.len()
        });
    });
    group.finish();
}
