//! A scraper that keeps what it reads, and panics if a scrape is malformed or a counter falls.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::exporter::Exporter;

/// One scrape: the text of each value by family and label block.
#[derive(Debug)]
pub struct Scrape(BTreeMap<String, BTreeMap<String, String>>);

impl Scrape {
    /// The sum over a family of whole numbers; 0 without rows.
    pub fn sum(&self, family: &str) -> u64 {
        let whole = |text: &String| text.parse::<u64>().unwrap_or_else(|_| panic!("{family} is {text}"));
        self.rows(family).values().map(whole).sum()
    }

    /// The values of a family by label block, which is empty without labels.
    pub fn rows(&self, family: &str) -> &BTreeMap<String, String> {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        self.0.get(family).unwrap_or(&NONE)
    }

    /// Reads the text format 0.0.4. Returns also its series that are counters, with their values.
    ///
    /// # Errors
    /// What is malformed, and where.
    pub fn read(text: &str) -> Result<(Self, Vec<(String, f64)>), String> {
        let mut scrape = Self(BTreeMap::new());
        let mut types = HashMap::new();
        let mut counters = Vec::new();
        if !text.ends_with('\n') {
            return Err("the last line has no end".into());
        }
        for line in text.lines() {
            if let Some(comment) = line.strip_prefix("# ") {
                if let Some((name, kind)) =
                    comment.strip_prefix("TYPE ").and_then(|rest| rest.split_once(' '))
                    && types.insert(name.to_owned(), kind.to_owned()).is_some()
                {
                    return Err(format!("{name} has two types"));
                }
                continue;
            }
            let (name, labels, value) = sample(line).ok_or_else(|| format!("no sample: {line}"))?;
            let number = value.parse::<f64>().map_err(|_| format!("no number: {line}"))?;
            if number.is_nan() {
                return Err(format!("not a number: {line}"));
            }
            if is_counter(name, &types).ok_or_else(|| format!("without a type: {line}"))? {
                counters.push((format!("{name}{{{labels}}}"), number));
            }
            let rows = scrape.0.entry(name.to_owned()).or_default();
            if rows.insert(labels.to_owned(), value.to_owned()).is_some() {
                return Err(format!("twice: {line}"));
            }
        }
        Ok((scrape, counters))
    }
}

/// Name, labels and value of a sample's line.
fn sample(line: &str) -> Option<(&str, &str, &str)> {
    let end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at(end);
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    if name.is_empty() || !name.chars().all(plain) {
        return None;
    }
    let (labels, value) = match rest.strip_prefix('{') {
        Some(rest) => rest.rsplit_once("} ")?,
        None => ("", rest.strip_prefix(' ')?),
    };
    // Quotes that are not escaped come in pairs.
    let quotes = labels.replace("\\\\", "").replace("\\\"", "").matches('"').count();
    (quotes % 2 == 0 && !value.contains(' ')).then_some((name, labels, value))
}

/// Whether a sample only grows, by the type of its family; `None` without one.
fn is_counter(name: &str, types: &HashMap<String, String>) -> Option<bool> {
    if let Some(kind) = types.get(name) {
        return Some(kind == "counter");
    }
    let family = ["_bucket", "_count", "_sum"].iter().find_map(|suffix| name.strip_suffix(suffix))?;
    types.get(family).map(|kind| kind == "histogram")
}

/// All scrapes of one scraper.
#[derive(Default)]
pub struct Scrapes {
    kept: Vec<(Instant, Scrape)>,
    /// The latest value of each series that may not fall, also of those that a scrape did not show.
    latest: HashMap<String, f64>,
}

impl Scrapes {
    /// Keeps a scrape.
    pub fn add(&mut self, text: &str) -> &Scrape {
        let (scrape, counters) = Scrape::read(text).unwrap_or_else(|error| panic!("{error} in:\n{text}"));
        for (series, value) in counters {
            let before = self.latest.get(&series).copied().unwrap_or_default();
            assert!(value >= before, "scrape {}: {series} fell from {before} to {value}", self.kept.len());
            self.latest.insert(series, value);
        }
        self.kept.push((Instant::now(), scrape));
        &self.kept.last().expect("just kept").1
    }

    /// Scrapes once.
    pub fn scrape(&mut self, exporter: &Exporter) -> &Scrape {
        let text = exporter.metrics();
        self.add(&text)
    }

    /// Scrapes until the wish is fulfilled, for 10 s at most, and returns the last scrape.
    pub fn until(&mut self, exporter: &Exporter, wish: impl Fn(&Scrape) -> bool) -> &Scrape {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !wish(self.scrape(exporter)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(100));
        }
        self.last()
    }

    /// The latest scrape.
    pub fn last(&self) -> &Scrape {
        &self.kept.last().expect("a scrape").1
    }

    /// Every scrape and when it came.
    pub fn kept(&self) -> &[(Instant, Scrape)] {
        &self.kept
    }
}

/// A thread that scrapes at an interval.
pub struct Scraper {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Scrapes>,
}

impl Scraper {
    /// Returns after the first scrape: what happens before it may be older than the exporter.
    pub fn start(exporter: &Arc<Exporter>, interval: Duration) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (exporter, stopped) = (Arc::clone(exporter), Arc::clone(&stop));
        let mut scrapes = Scrapes::default();
        scrapes.scrape(&exporter);
        let thread = std::thread::spawn(move || {
            let mut due = Instant::now();
            while !stopped.load(Ordering::Relaxed) {
                due += interval;
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                scrapes.scrape(&exporter);
            }
            scrapes
        });
        Self { stop, thread }
    }

    /// What it has read.
    pub fn stop(self) -> Scrapes {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("every scrape parses and no counter falls")
    }
}
