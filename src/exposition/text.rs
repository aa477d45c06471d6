//! The encoder: families, samples, labels and numbers as bytes.
//!
//! What it writes is appended to one buffer that the caller drains. Refuses to know where values
//! come from.

use super::Format;

/// What a family's values mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by upper bound.
    Histogram,
}

/// What precedes a family's samples.
#[derive(Clone, Copy, Debug)]
pub struct Family<'a> {
    /// The name as the samples carry it: a counter's ends with `_total`.
    pub name: &'a str,
    /// One sentence.
    pub help: &'a str,
    /// What the values mean.
    pub kind: Type,
}

/// A number as it is printed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// Printed without a point.
    Integer(u64),
    /// Printed with as many digits as read back to the same number.
    Float(f64),
}

/// Writes one exposition in one format.
#[derive(Debug)]
pub struct Encoder {
    format: Format,
    /// What is written and not yet drained.
    pub out: Vec<u8>,
}

impl Encoder {
    /// An encoder with an empty buffer of that capacity, in bytes.
    #[must_use]
    pub fn new(format: Format, capacity: usize) -> Self {
        Self { format, out: Vec::with_capacity(capacity) }
    }

    /// Begins a family; its samples must follow without any other between them.
    pub fn family(&mut self, family: &Family<'_>) {
        let open = self.format == Format::OpenMetrics;
        let (name, kind) = match family.kind {
            Type::Gauge => (family.name, "gauge"),
            Type::Histogram => (family.name, "histogram"),
            Type::Counter if !open => (family.name, "counter"),
            // OpenMetrics names a counter's family without the suffix, and knows none without it.
            Type::Counter => {
                family.name.strip_suffix("_total").map_or((family.name, "unknown"), |name| (name, "counter"))
            }
        };
        // OpenMetrics wants the type first; the text format's users are used to the help.
        if open {
            self.put(&["# TYPE ", name, " ", kind, "\n"]);
        }
        self.put(&["# HELP ", name, " "]);
        escape(&mut self.out, family.help.as_bytes(), open);
        self.put(&["\n"]);
        if !open {
            self.put(&["# TYPE ", name, " ", kind, "\n"]);
        }
    }

    /// Writes one sample; `labels` is a block made by [`label`], without braces.
    #[inline]
    pub fn sample(&mut self, name: &str, labels: &[u8], value: Value) {
        self.put(&[name]);
        if !labels.is_empty() {
            self.out.push(b'{');
            self.out.extend_from_slice(labels);
            self.out.push(b'}');
        }
        self.out.push(b' ');
        self.value(value);
        self.out.push(b'\n');
    }

    /// Writes a histogram from its bounds, the number of observations in each bucket (not
    /// accumulated, one more than there are bounds) and their sum.
    pub fn histogram(&mut self, name: &str, labels: &[u8], bounds: &[f64], counts: &[u64], sum: Value) {
        let infinity = std::iter::once(f64::INFINITY);
        let mut total: u64 = 0;
        for (bound, count) in bounds.iter().copied().chain(infinity).zip(counts) {
            total = total.saturating_add(*count);
            self.put(&[name, "_bucket{"]);
            if !labels.is_empty() {
                self.out.extend_from_slice(labels);
                self.out.push(b',');
            }
            self.put(&["le=\""]);
            canonical(&mut self.out, bound);
            self.put(&["\"} "]);
            self.value(Value::Integer(total));
            self.out.push(b'\n');
        }
        for (suffix, value) in [("_sum", sum), ("_count", Value::Integer(total))] {
            let start = self.out.len();
            self.sample(name, labels, value);
            self.out.splice(start + name.len()..start + name.len(), suffix.bytes());
        }
    }

    /// Ends the exposition.
    pub fn end(&mut self) {
        if self.format == Format::OpenMetrics {
            self.put(&["# EOF\n"]);
        }
    }

    fn value(&mut self, value: Value) {
        match value {
            Value::Integer(integer) => {
                self.out.extend_from_slice(itoa::Buffer::new().format(integer).as_bytes());
            }
            Value::Float(float) => number(&mut self.out, float),
        }
    }

    #[inline]
    fn put(&mut self, parts: &[&str]) {
        for part in parts {
            self.out.extend_from_slice(part.as_bytes());
        }
    }
}

/// Appends `name="value"` to a label block, the value escaped as both formats ask.
#[inline]
pub fn label(block: &mut Vec<u8>, name: &str, value: &[u8]) {
    if !block.is_empty() {
        block.push(b',');
    }
    block.extend_from_slice(name.as_bytes());
    block.extend_from_slice(b"=\"");
    escape(block, value, true);
    block.push(b'"');
}

/// The values of a label block, as [`label`] made it, in their order.
pub fn labels(block: &[u8]) -> impl Iterator<Item = String> {
    let mut rest = block;
    std::iter::from_fn(move || {
        let equals = rest.iter().position(|byte| *byte == b'=')?;
        // Behind the quote that follows the equals sign.
        let tail = rest.get(equals + 2..)?;
        let plain = tail.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        let mut value = tail.get(..plain)?.to_vec();
        let mut bytes = tail.get(plain..)?.iter();
        loop {
            match bytes.next()? {
                b'"' => break,
                b'\\' => value.push(match bytes.next()? {
                    b'n' => b'\n',
                    other => *other,
                }),
                other => value.push(*other),
            }
        }
        rest = bytes.as_slice();
        rest = rest.strip_prefix(b",").unwrap_or(rest);
        Some(
            String::from_utf8(value)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
        )
    })
}

/// Backslash and line feed, and the quote where the text stands in quotes or OpenMetrics asks.
#[inline]
fn escape(out: &mut Vec<u8>, text: &[u8], quote: bool) {
    let special = |byte: &u8| matches!(*byte, b'\\' | b'\n') || (quote && *byte == b'"');
    // Nearly every text is plain, and a look at all of it at once is faster than a search.
    if !text.iter().fold(false, |found, byte| found | special(byte)) {
        out.extend_from_slice(text);
        return;
    }
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

/// A bound as OpenMetrics 1.0 ("Canonical Numbers") and both generations of the predecessor print
/// it: with a point or an exponent, so that `1` is `1.0`.
fn canonical(out: &mut Vec<u8>, bound: f64) {
    const FIRST_WITH_EXPONENT: f64 = 1e21;
    if bound.fract() == 0.0 && bound.abs() < FIRST_WITH_EXPONENT {
        use std::io::Write as _;
        // Writing to a Vec cannot fail.
        let _ = write!(out, "{bound:.1}");
    } else {
        number(out, bound);
    }
}

/// Whole numbers without a point, infinities as Prometheus spells them.
fn number(out: &mut Vec<u8>, value: f64) {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"+Inf" } else { b"-Inf" });
    } else if value.fract() == 0.0 && value.abs() < EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
        out.extend_from_slice(itoa::Buffer::new().format(value as i64).as_bytes());
    } else {
        out.extend_from_slice(zmij::Buffer::new().format(value).as_bytes());
    }
}

#[cfg(test)]
mod tests;
