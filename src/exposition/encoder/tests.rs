//! The encoder byte by byte.

use proptest::prelude::*;

use super::*;
use crate::exposition::LabelBuffer;

fn written(format: Format, write: impl FnOnce(&mut Encoder)) -> String {
    let mut encoder = Encoder::new(format);
    write(&mut encoder);
    String::from_utf8(encoder.take()).expect("UTF-8")
}

const GAUGE: MetricFamily<'_> =
    MetricFamily { name: "n", help: "Time.", kind: MetricType::Gauge, labels: &[], bounds: &[] };

/// A family with these samples and without its header.
fn samples(family: &MetricFamily<'_>, samples: &[(&[&str], Sample<'_>)]) -> String {
    let text = written(Format::Text, |encoder| {
        encoder.begin_family(family);
        for (values, sample) in samples {
            encoder.sample(LabelSet::unpack(LabelBuffer::of(*values).packed()), *sample);
        }
        encoder.end_family();
    });
    text.split_inclusive('\n').filter(|line| !line.starts_with('#')).collect()
}

#[test]
fn a_gauge_differs_between_the_formats_in_the_order_of_its_header() {
    let header = [
        (Format::Text, "# HELP tcp_rtt Time.\n# TYPE tcp_rtt gauge\n"),
        (Format::OpenMetrics, "# TYPE tcp_rtt gauge\n# HELP tcp_rtt Time.\n"),
    ];
    for (format, header) in header {
        let text = written(format, |encoder| {
            encoder.begin_family(&MetricFamily { name: "tcp_rtt", labels: &["flow", "state"], ..GAUGE });
            let labels = LabelBuffer::of(["a", ""]);
            encoder.sample(LabelSet::unpack(labels.packed()), Sample::Float(53.376));
            encoder.end_family();
            encoder.begin_family(&GAUGE);
            encoder.sample(LabelSet::default(), Sample::Integer(3));
            encoder.end_family();
        });
        let (first, second) = (header, header.replace("tcp_rtt", "n"));
        assert_eq!(text, format!("{first}tcp_rtt{{flow=\"a\",state=\"\"}} 53.376\n{second}n 3\n"));
    }
}

#[test]
fn a_counters_family_has_no_suffix_in_openmetrics_and_a_legacy_one_is_unknown() {
    let family = |name| MetricFamily { name, help: "Segments.", kind: MetricType::Counter, ..GAUGE };
    let open = |name| written(Format::OpenMetrics, |encoder| encoder.begin_family(&family(name)));
    let plain = |name| written(Format::Text, |encoder| encoder.begin_family(&family(name)));
    assert_eq!(open("segs_total"), "# TYPE segs counter\n# HELP segs Segments.\n");
    assert_eq!(plain("segs_total"), "# HELP segs_total Segments.\n# TYPE segs_total counter\n");
    assert_eq!(
        open("tcp_data_segs_in"),
        "# TYPE tcp_data_segs_in unknown\n# HELP tcp_data_segs_in Segments.\n"
    );
    assert_eq!(
        plain("tcp_data_segs_in"),
        "# HELP tcp_data_segs_in Segments.\n# TYPE tcp_data_segs_in counter\n"
    );
}

#[test]
fn only_openmetrics_has_an_end() {
    assert_eq!(written(Format::Text, Encoder::end), "");
    assert_eq!(written(Format::OpenMetrics, Encoder::end), "# EOF\n");
}

#[test]
fn a_quote_in_a_help_is_escaped_only_in_openmetrics() {
    let family = MetricFamily { name: "a", help: "a \"b\" \\ c\nd", ..GAUGE };
    let text = written(Format::Text, |encoder| encoder.begin_family(&family));
    assert!(text.starts_with("# HELP a a \"b\" \\\\ c\\nd\n"), "{text}");
    let open = written(Format::OpenMetrics, |encoder| encoder.begin_family(&family));
    assert!(open.ends_with("# HELP a a \\\"b\\\" \\\\ c\\nd\n"), "{open}");
}

#[test]
fn a_histogram_accumulates_its_buckets_and_ends_in_infinity() {
    let family =
        MetricFamily { name: "h_ms", kind: MetricType::Histogram, bounds: &[0.1, 1.0, 1e6], ..GAUGE };
    let text = samples(&family, &[(&[], Sample::Histogram { counts: &[2, 0, 3, 1], sum: 12.5 })]);
    let expected = "h_ms_bucket{le=\"0.1\"} 2\nh_ms_bucket{le=\"1.0\"} 2\nh_ms_bucket{le=\"1000000.0\"} 5\n\
                    h_ms_bucket{le=\"+Inf\"} 6\nh_ms_sum 12.5\nh_ms_count 6\n";
    assert_eq!(text, expected);
    let family = MetricFamily { labels: &["flow", "b"], bounds: &[2.5], ..family };
    let text = samples(&family, &[(&["x\"", "y"], Sample::Histogram { counts: &[4, 1], sum: 0.0 })]);
    let expected = "h_ms_bucket{flow=\"x\\\"\",b=\"y\",le=\"2.5\"} 4\n\
                    h_ms_bucket{flow=\"x\\\"\",b=\"y\",le=\"+Inf\"} 5\n\
                    h_ms_sum{flow=\"x\\\"\",b=\"y\"} 0\nh_ms_count{flow=\"x\\\"\",b=\"y\"} 5\n";
    assert_eq!(text, expected);
}

#[test]
fn numbers_are_short_and_read_back_the_same() {
    let cases = [
        (0.0, "0"),
        (10.0, "10"),
        (-3.0, "-3"),
        (0.037, "0.037"),
        (1e-7, "1e-07"),
        (1.5e300, "1.5e+300"),
        (f64::INFINITY, "+Inf"),
        (f64::NEG_INFINITY, "-Inf"),
        (9_007_199_254_740_991.0, "9007199254740991"),
    ];
    for (value, expected) in cases {
        let text = samples(&GAUGE, &[(&[], Sample::Float(value))]);
        let printed = text.trim_start_matches("n ").trim_end();
        let same =
            printed == expected || printed.parse::<f64>().is_ok_and(|read| read.to_bits() == value.to_bits());
        assert!(same, "{value} is printed as {printed}");
    }
    assert_eq!(samples(&GAUGE, &[(&[], Sample::Integer(u64::MAX))]), "n 18446744073709551615\n");
}

/// What a parser makes of an escaped text.
fn parsed(escaped: &str) -> Option<String> {
    let mut text = String::new();
    let mut rest = escaped.chars();
    while let Some(c) = rest.next() {
        text.push(match c {
            '\\' => match rest.next()? {
                'n' => '\n',
                c @ ('\\' | '"') => c,
                _ => return None,
            },
            '"' | '\n' => return None,
            c => c,
        });
    }
    Some(text)
}

proptest! {
    #[test]
    fn parsing_what_was_escaped_is_the_identity(value in "\\PC*|[\\\\\"\n a]*") {
        let text = samples(&MetricFamily { labels: &["flow"], ..GAUGE }, &[(&[&value], Sample::Integer(1))]);
        let escaped = text.strip_prefix("n{flow=\"").and_then(|rest| rest.strip_suffix("\"} 1\n"));
        prop_assert_eq!(parsed(escaped.expect("a label")), Some(value));
    }

    #[test]
    fn every_float_reads_back_the_same(value in prop::num::f64::NORMAL | prop::num::f64::ZERO) {
        let text = samples(&GAUGE, &[(&[], Sample::Float(value))]);
        let read: f64 = text.trim_start_matches("n ").trim_end().parse().expect("a number");
        prop_assert_eq!(read.to_string(), value.to_string());
    }
}
