//! Names that would act on the terminal on which they are shown.

use std::net::{TcpListener, TcpStream};
use std::process::Command;

use super::{enter, program, text};

/// Names of a process: operating system commands, colours, C1 controls, overrides and isolates of direction, marks, a
/// separator, DEL, bytes that are no UTF-8. A name has at most 15 bytes.
const NAMES: [&[u8]; 5] = [
    b"\x1b]0;pwn\x07\x1b[31m",
    b"\xc2\x9b31m\xc2\x9d0;x\xc2\x9c",
    b"a\xe2\x80\xaeb\xe2\x81\xa6c\xe2\x80\x8f",
    b"a\x7f\xe2\x80\xa8b\xe2\x81\xa9\xd8\x9c",
    b"a\xff\x9b31m\x08\r",
];

/// What a terminal gets that these words print.
fn shown(words: &[&str]) -> String {
    let quoted = |word: &&str| format!("'{word}'");
    let words: Vec<_> =
        [&[env!("CARGO_BIN_EXE_prometheus_ss_exporter")], words].concat().iter().map(quoted).collect();
    let mut script = Command::new("script");
    script.args(["-qec", &words.join(" "), "/dev/null"]).env("NO_COLOR", "1").env_remove("CONFIG_FILE");
    let output = script.output().expect("script, of the package bsdutils");
    assert!(output.stdout.len() > 20, "{words:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// Characters that a terminal acts on, but those of lines.
fn acting(text: &str) -> Vec<char> {
    let acts = |letter: &char| {
        let direction = matches!(letter, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
        letter.is_control() && !matches!(letter, '\r' | '\n') || direction
    };
    text.chars().filter(acts).collect()
}

#[test]
fn no_name_of_a_process_acts_on_a_terminal() {
    if enter() {
        return;
    }
    let file = tempfile::NamedTempFile::with_suffix(".yml").expect("a file");
    std::fs::write(file.path(), "views: {tcp: {by: [process]}}\n").expect("room");
    let config = file.path().to_str().expect("text");
    let listener = TcpListener::bind("127.0.0.1:7001").expect("a listener");
    let _held = TcpStream::connect("127.0.0.1:7001").expect("a connection");
    for name in NAMES {
        // The name of the thread that leads this process.
        std::fs::write("/proc/self/comm", name).expect("a new name");
        for words in [
            &["--once", "--config", config][..],
            &["sockets", "-a"],
            &["sockets", "-a", "--json"],
            &["sockets", "--columns", "process,local"],
        ] {
            let shown = shown(words);
            assert!(acting(&shown).is_empty(), "{words:?} of {name:?}: {:?} in {shown:?}", acting(&shown));
        }
        let json = program().args(["sockets", "--json"]).output().expect("the program").stdout;
        let sockets: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
        let known = String::from_utf8_lossy(name);
        // The other end is nobody's, because it was never accepted.
        let client =
            sockets["sockets"].as_array().and_then(|all| all.iter().find(|one| one["local_port"] != 7001));
        let process = client.and_then(|client| client["process"].as_str()).expect("a name");
        assert!(known.trim_end_matches('\r') == process.trim_end_matches('\r'), "{process:?} for {known:?}");
        // A program gets each name to the byte, as the format escapes it.
        let exposition = program().args(["--once", "--config", config]).output().expect("the program").stdout;
        assert!(text(&exposition).contains(&format!("process=\"{known}\"")), "{}", text(&exposition));
    }
    drop(listener);
}

#[test]
fn no_message_that_quotes_a_word_acts_on_a_terminal() {
    if enter() {
        return;
    }
    let hostile = "a\u{1b}[31m\u{9b}31m\u{202e}b\u{7}";
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(format!("{hostile}.yml"));
    std::fs::write(&file, format!("views: {{tcp: {{by: [\"{hostile}\"]}}}}\n")).expect("room");
    let broken = file.to_str().expect("text");
    let good = folder.path().join(format!("{hostile}.good.yml"));
    std::fs::write(&good, "views: {tcp: {by: [process]}}\n").expect("room");
    let good = good.to_str().expect("text");
    let web = format!("--web.config.file={broken}");
    let (flag, zone) = (format!("--{hostile}"), format!("[fe80::1%{hostile}]:1"));
    for words in [
        &["--config", broken, "--config.check"][..],
        &["--config", good, "--config.check"],
        &["--config", hostile],
        &["--config", good, &web, "--config.check"],
        &["--log.format=json", "--config", good, &web],
        &["sockets", hostile],
        &["sockets", "--columns", hostile],
        &["estimate", "--seconds", "1", "--config", good],
        &["estimate", "--seconds", "1", "--json", "--config", good],
        &[&flag],
        &["--port", hostile],
        &["--web.listen-address", hostile],
        &["--web.listen-address", &zone],
    ] {
        let shown = shown(words);
        assert!(acting(&shown).is_empty(), "{words:?}: {:?} in {shown:?}", acting(&shown));
    }
}
