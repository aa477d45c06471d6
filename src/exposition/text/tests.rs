//! The encoder byte by byte.

use proptest::prelude::*;

use super::*;

fn written(format: Format, write: impl FnOnce(&mut Encoder)) -> String {
    let mut encoder = Encoder::new(format, 0);
    write(&mut encoder);
    String::from_utf8(encoder.out).expect("UTF-8")
}

fn block(value: &str) -> Vec<u8> {
    let mut block = Vec::new();
    label(&mut block, "flow", value.as_bytes());
    block
}

#[test]
fn a_gauge_differs_between_the_formats_in_the_order_of_its_header() {
    let header = [
        (Format::Text, "# HELP tcp_rtt Time.\n# TYPE tcp_rtt gauge\n"),
        (Format::OpenMetrics, "# TYPE tcp_rtt gauge\n# HELP tcp_rtt Time.\n"),
    ];
    for (format, header) in header {
        let text = written(format, |encoder| {
            encoder.family(&Family { name: "tcp_rtt", help: "Time.", kind: Type::Gauge });
            encoder.sample("tcp_rtt", &block("a"), Value::Float(53.376));
            encoder.sample("tcp_rtt", b"", Value::Integer(3));
        });
        assert_eq!(text, format!("{header}tcp_rtt{{flow=\"a\"}} 53.376\ntcp_rtt 3\n"));
    }
}

#[test]
fn a_counters_family_has_no_suffix_in_openmetrics_and_a_legacy_one_is_unknown() {
    let family = |name| Family { name, help: "Segments.", kind: Type::Counter };
    let open = |name| written(Format::OpenMetrics, |encoder| encoder.family(&family(name)));
    let plain = |name| written(Format::Text, |encoder| encoder.family(&family(name)));
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
    let family = Family { name: "a", help: "a \"b\" \\ c\nd", kind: Type::Gauge };
    let text = written(Format::Text, |encoder| encoder.family(&family));
    assert!(text.starts_with("# HELP a a \"b\" \\\\ c\\nd\n"), "{text}");
    let open = written(Format::OpenMetrics, |encoder| encoder.family(&family));
    assert!(open.ends_with("# HELP a a \\\"b\\\" \\\\ c\\nd\n"), "{open}");
}

#[test]
fn a_histogram_accumulates_its_buckets_and_ends_in_infinity() {
    let text = written(Format::Text, |encoder| {
        encoder.histogram("h_ms", b"", &[0.1, 1.0, 1e6], &[2, 0, 3, 1], Value::Float(12.5));
    });
    let expected = "h_ms_bucket{le=\"0.1\"} 2\nh_ms_bucket{le=\"1.0\"} 2\nh_ms_bucket{le=\"1000000.0\"} 5\n\
                    h_ms_bucket{le=\"+Inf\"} 6\nh_ms_sum 12.5\nh_ms_count 6\n";
    assert_eq!(text, expected);
    let text = written(Format::Text, |encoder| {
        encoder.histogram("h", &block("x"), &[], &[4], Value::Integer(0));
    });
    assert_eq!(text, "h_bucket{flow=\"x\",le=\"+Inf\"} 4\nh_sum{flow=\"x\"} 0\nh_count{flow=\"x\"} 4\n");
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
        let text = written(Format::Text, |encoder| encoder.sample("n", b"", Value::Float(value)));
        let printed = text.trim_start_matches("n ").trim_end();
        let same =
            printed == expected || printed.parse::<f64>().is_ok_and(|read| read.to_bits() == value.to_bits());
        assert!(same, "{value} is printed as {printed}");
    }
    let text = written(Format::Text, |encoder| encoder.sample("n", b"", Value::Integer(u64::MAX)));
    assert_eq!(text, "n 18446744073709551615\n");
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
        let block = String::from_utf8(block(&value)).expect("UTF-8");
        let escaped = block.strip_prefix("flow=\"").and_then(|rest| rest.strip_suffix('"')).expect("a label");
        prop_assert_eq!(parsed(escaped), Some(value.clone()));
        let mut two = block.into_bytes();
        label(&mut two, "other", b"");
        let read: Vec<_> = labels(&two).collect();
        prop_assert_eq!(read, [value, String::new()]);
    }

    #[test]
    fn every_float_reads_back_the_same(value in prop::num::f64::NORMAL | prop::num::f64::ZERO) {
        let text = written(Format::Text, |encoder| encoder.sample("n", b"", Value::Float(value)));
        let read: f64 = text.trim_start_matches("n ").trim_end().parse().expect("a number");
        prop_assert_eq!(read.to_string(), value.to_string());
    }
}
