//! Names of processes with every byte that a name may have.

use std::time::{Duration, Instant};

use super::enter;
use super::ports::{self, FIRST};
use testkit::actor::Actor;
use testkit::exporter::Exporter;

/// Names of up to 15 bytes that together have every byte but 0, which ends a name.
fn names() -> Vec<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = (1..=u8::MAX).collect::<Vec<_>>().chunks(15).map(<[u8]>::to_vec).collect();
    names.extend([
        b"a\\b".to_vec(),
        br"\n\\\x41\".to_vec(),
        b") S 1 (".to_vec(),
        b"\"quoted\", x=\"y".to_vec(),
        "\u{65e5}\u{672c}\u{8a9e}\u{306e}\u{540d}".into(),
        b"fourteen bytes\xe2".to_vec(),
        b" ".to_vec(),
    ]);
    names
}

/// A label's value as it was before it was escaped.
fn unescaped(value: &str) -> String {
    let mut text = String::new();
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        text.push(match letter {
            '\\' => match letters.next().expect("an escaped letter") {
                'n' => '\n',
                escaped => escaped,
            },
            letter => letter,
        });
    }
    text
}

/// A text as it stands in HTML.
fn html(text: &str) -> String {
    let signs = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&#39;")];
    signs.iter().fold(text.to_owned(), |text, (sign, entity)| text.replace(*sign, entity))
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("UTF-8")
}

/// What is got as soon as it is right, or at last.
fn until<T>(get: impl Fn() -> T, is_right: impl Fn(&T) -> bool) -> T {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let got = get();
        if is_right(&got) || Instant::now() > deadline {
            return got;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The values of the label `process` in the only family of the view.
fn exposed(exporter: &Exporter) -> Vec<String> {
    let metrics = exporter.metrics();
    let rows = metrics.split("\nss_v_sockets{process=\"").skip(1);
    let open = rows.filter_map(|row| row.split_once("\"} ")).filter(|(_, rest)| !rest.starts_with("0\n"));
    open.map(|(value, _)| unescaped(value)).collect()
}

#[test]
fn a_name_with_any_bytes_is_the_same_in_metrics_json_page_and_selections() {
    if enter() {
        return;
    }
    let _listeners = ports::open(1);
    let mut actor = Actor::new("first");
    actor.connects(FIRST, 1);
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""));
    let views = names().iter().enumerate().fold(String::new(), |views, (number, name)| {
        let select = format!("dport = {FIRST} and process = {}", quoted(&String::from_utf8_lossy(name)));
        // JSON is YAML, except for this character.
        let select = serde_json::json!(select).to_string().replace('\u{7f}', "\\u007f");
        views + &format!("  n{number}: {{metrics: [sockets], select: {select}}}\n")
    });
    let exporter = Exporter::configured(&format!(
        "views:\n  v: {{by: [process], metrics: [sockets], select: \"dport = {FIRST}\"}}\n{views}"
    ));
    for name in names() {
        let hex = name.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        actor.does(&format!("raw_name {hex}"));
        let shown = String::from_utf8_lossy(&name).into_owned();
        // A busy host may leave a collection no time for the names.
        let found = until(|| exposed(&exporter), |found| *found == [shown.as_str()]);
        assert_eq!(found, [shown.as_str()], "{name:?}");
        let metrics = exporter.metrics();
        let selected =
            (0..names().len()).filter(|view| metrics.contains(&format!("\nss_n{view}_sockets 1\n")));
        let same = (0..names().len()).filter(|view| String::from_utf8_lossy(&names()[*view]) == shown);
        assert_eq!(selected.collect::<Vec<_>>(), same.collect::<Vec<_>>(), "{name:?}");
        // Clients that ask within a second get the same page.
        let json = until(
            || {
                let answer = exporter.get(&format!("/api/v1/sockets?filter=dport%20%3D%20{FIRST}"));
                let json: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
                json["sockets"][0]["process"].as_str().map(str::to_owned)
            },
            |process| process.as_ref() == Some(&shown),
        );
        assert_eq!(json, Some(shown.clone()), "{name:?}");
        // A page shows no control characters.
        let visible: String = shown.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        let cell = format!(">{}({})", html(&visible), actor.pid());
        let page = until(|| text(exporter.get("/").body), |page| page.contains(&cell));
        assert!(page.contains(&cell), "{cell} in {page}");
    }
}
