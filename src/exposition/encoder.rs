//! The encoder of both text formats: families, samples, label values and numbers as bytes.
//!
//! It appends to one buffer, which its user takes away in chunks.

use super::{Format, LabelSet};

/// What a family's values mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricType {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts observations by upper bound.
    Histogram,
}

/// A metric family: what all its samples have in common.
#[derive(Clone, Copy, Debug)]
pub struct MetricFamily<'a> {
    /// The name that samples carry. A counter's ends with `_total`, unless it is one of the predecessor's.
    pub name: &'a str,
    /// One sentence.
    pub help: &'a str,
    /// What the values mean.
    pub kind: MetricType,
    /// The names of the labels, in the order of a [`LabelSet`]'s values.
    pub labels: &'a [&'a str],
    /// The upper bounds of a histogram, ascending, without infinity.
    pub bounds: &'a [f64],
}

/// What one sample says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sample<'a> {
    /// Written without a point.
    Integer(u64),
    /// Written with as many digits as read back to the same number.
    Float(f64),
    /// A histogram.
    Histogram {
        /// Observations per bucket, not accumulated; the last bucket has no upper bound.
        counts: &'a [u64],
        /// The sum of all observations.
        sum: f64,
    },
}

impl Sample<'_> {
    /// The integer, if it is one.
    #[cfg(test)]
    pub(crate) const fn integer(self) -> Option<u64> {
        if let Self::Integer(integer) = self { Some(integer) } else { None }
    }
}

/// Writes one exposition in one format: families one after another, each with all its samples.
#[derive(Debug)]
pub struct Encoder {
    format: Format,
    out: Vec<u8>,
    line: Line,
}

/// The parts of a line that are the same for all samples of a family.
#[derive(Debug, Default)]
struct Line {
    name: Vec<u8>,
    /// What precedes each label value. The first begins the line: `NAME{LABEL="`.
    leads: Vec<Vec<u8>>,
    /// What stands between the last label value and the number, or the bound.
    close: Vec<u8>,
    /// Of a histogram: each bound, infinity included, with what precedes the number.
    bounds: Vec<Vec<u8>>,
}

impl Encoder {
    /// An encoder that has written nothing.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self { format, out: Vec::new(), line: Line::default() }
    }

    /// The number of bytes that are written and not taken yet.
    #[must_use]
    #[inline]
    pub const fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether nothing is written that is not taken yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Makes room for that many bytes.
    pub fn reserve(&mut self, bytes: usize) {
        self.out.reserve_exact(bytes);
    }

    /// Takes what is written.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Begins a family. All samples until `end_family` are its own.
    pub fn begin_family(&mut self, family: &MetricFamily<'_>) {
        let open = self.format == Format::OpenMetrics;
        let (name, kind) = match family.kind {
            MetricType::Gauge => (family.name, "gauge"),
            MetricType::Histogram => (family.name, "histogram"),
            MetricType::Counter if !open => (family.name, "counter"),
            // OpenMetrics names a counter's family without the suffix, and knows no counter without it.
            MetricType::Counter => {
                family.name.strip_suffix("_total").map_or((family.name, "unknown"), |name| (name, "counter"))
            }
        };
        let type_line = ["# TYPE ", name, " ", kind, "\n"].concat();
        // OpenMetrics wants the type first; the text format's users are used to the help.
        if open {
            self.put(&type_line);
        }
        self.put("# HELP ");
        self.put(name);
        self.put(" ");
        escape(&mut self.out, family.help.as_bytes(), open);
        self.put("\n");
        if !open {
            self.put(&type_line);
        }
        self.line = Line::of(family);
    }

    /// Writes one sample of the family; a histogram only if the family is one.
    #[inline]
    pub fn sample(&mut self, labels: LabelSet<'_>, sample: Sample<'_>) {
        match sample {
            Sample::Integer(value) => {
                self.lead(labels);
                integer(&mut self.out, value);
                self.out.push(b'\n');
            }
            Sample::Float(value) => {
                self.lead(labels);
                float(&mut self.out, value);
                self.out.push(b'\n');
            }
            Sample::Histogram { counts, sum } => self.histogram(labels, counts, sum),
        }
    }

    /// Ends the family. The text formats write nothing there.
    pub(crate) fn end_family(&mut self) {
        self.line = Line::default();
    }

    /// Ends the exposition.
    pub(crate) fn end(&mut self) {
        if self.format == Format::OpenMetrics {
            self.put("# EOF\n");
        }
    }

    /// Writes a line up to the number, or to the bound of a histogram.
    #[inline]
    fn lead(&mut self, mut labels: LabelSet<'_>) {
        for lead in &self.line.leads {
            self.out.extend_from_slice(lead);
            let value = labels.next().unwrap_or_default();
            if value.special {
                escape(&mut self.out, value.bytes, true);
            } else {
                self.out.extend_from_slice(value.bytes);
            }
        }
        self.out.extend_from_slice(&self.line.close);
    }

    fn histogram(&mut self, labels: LabelSet<'_>, counts: &[u64], sum: f64) {
        if self.line.bounds.is_empty() {
            // It is no histogram.
            return;
        }
        let start = self.out.len();
        self.lead(labels);
        // Every further bucket begins like the first.
        let first = start..self.out.len();
        let mut counts = counts.iter();
        let mut total: u64 = 0;
        for (number, bound) in self.line.bounds.iter().enumerate() {
            if number > 0 {
                self.out.extend_from_within(first.clone());
            }
            total = total.saturating_add(counts.next().copied().unwrap_or_default());
            self.out.extend_from_slice(bound);
            integer(&mut self.out, total);
            self.out.push(b'\n');
        }
        // The labels with the brace before them, without `,le="`.
        let labels = start + self.line.name.len() + BUCKET.len()..first.end - LE.len();
        let labels = Some(labels).filter(|_| !self.line.leads.is_empty());
        self.series(b"_sum", labels.clone());
        float(&mut self.out, sum);
        self.out.push(b'\n');
        self.series(b"_count", labels);
        integer(&mut self.out, total);
        self.out.push(b'\n');
    }

    /// Writes a line of a histogram that is no bucket up to its number, with labels that are written already.
    fn series(&mut self, suffix: &[u8], labels: Option<std::ops::Range<usize>>) {
        self.out.extend_from_slice(&self.line.name);
        self.out.extend_from_slice(suffix);
        if let Some(labels) = labels {
            self.out.extend_from_within(labels);
            self.out.push(b'}');
        }
        self.out.push(b' ');
    }

    fn put(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }
}

/// The suffix of a histogram's buckets.
const BUCKET: &str = "_bucket";
/// What precedes the bound behind other labels.
const LE: &str = ",le=\"";

impl Line {
    fn of(family: &MetricFamily<'_>) -> Self {
        let histogram = family.kind == MetricType::Histogram;
        let suffix = if histogram { BUCKET } else { "" };
        let lead = |(number, label): (usize, &&str)| match number {
            0 => [family.name, suffix, "{", label, "=\""].concat().into_bytes(),
            _ => ["\",", label, "=\""].concat().into_bytes(),
        };
        let close = match (histogram, family.labels.is_empty()) {
            (false, false) => "\"} ".to_owned(),
            (false, true) => [family.name, " "].concat(),
            (true, false) => ["\"", LE].concat(),
            (true, true) => [family.name, BUCKET, "{le=\""].concat(),
        };
        let bounds = family.bounds.iter().copied().chain(histogram.then_some(f64::INFINITY));
        let bound = |bound| {
            let mut text = Vec::new();
            canonical(&mut text, bound);
            text.extend_from_slice(b"\"} ");
            text
        };
        Self {
            name: family.name.as_bytes().to_vec(),
            leads: family.labels.iter().enumerate().map(lead).collect(),
            close: close.into_bytes(),
            bounds: bounds.map(bound).collect(),
        }
    }
}

fn integer(out: &mut Vec<u8>, value: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Escapes backslash and line feed, and the quote where the text is in quotes or OpenMetrics asks for it.
fn escape(out: &mut Vec<u8>, text: &[u8], quote: bool) {
    let special = |byte: &u8| matches!(*byte, b'\\' | b'\n') || (quote && *byte == b'"');
    let mut rest = text;
    while let Some(at) = rest.iter().position(special) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((byte, tail)) = tail.split_first() else { break };
        out.extend_from_slice(&[b'\\', if *byte == b'\n' { b'n' } else { *byte }]);
        rest = tail;
    }
    out.extend_from_slice(rest);
}

/// Appends a bound as OpenMetrics 1.0 ("Canonical Numbers") and both generations of the predecessor print it: with a
/// point or an exponent, so that `1` is `1.0`.
fn canonical(out: &mut Vec<u8>, bound: f64) {
    const FIRST_WITH_EXPONENT: f64 = 1e21;
    if bound.fract() == 0.0 && bound.abs() < FIRST_WITH_EXPONENT {
        use std::io::Write as _;
        // Writing to a Vec cannot fail.
        let _ = write!(out, "{bound:.1}");
    } else {
        float(out, bound);
    }
}

/// Appends a number: integers without a point, infinities as Prometheus spells them.
fn float(out: &mut Vec<u8>, value: f64) {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"+Inf" } else { b"-Inf" });
    } else if value.fract() == 0.0 && value.abs() < EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "an integer below 2^53")]
        integer(out, value as i64);
    } else {
        out.extend_from_slice(zmij::Buffer::new().format(value).as_bytes());
    }
}

#[cfg(test)]
mod tests;
