//! The words of docs/dev/style.md: those that no text for users may have.

use std::path::{Path, PathBuf};

const STYLE: &str = "docs/dev/style.md";

/// Comments that may have such a word: the file, the word, the reason.
const LEGITIMATE: &[(&str, &str, &str)] =
    &[("crates/testkit/src/public.rs", "nobody", "the name of a user in /etc/passwd")];

fn is_legitimate(path: &str, word: &str) -> bool {
    LEGITIMATE.iter().any(|(file, legitimate, _)| *file == path && *legitimate == word)
}

/// The words that are never said: the left column of the first table.
fn never() -> Vec<String> {
    let text = std::fs::read_to_string(STYLE).expect("the page of style");
    let rows = text.lines().skip_while(|line| !line.starts_with("| never ")).skip(2);
    let cells = rows.take_while(|line| line.starts_with('|')).filter_map(|line| line.split('|').nth(1));
    cells.flat_map(|cell| cell.split(',').map(|word| word.trim().to_owned()).collect::<Vec<_>>()).collect()
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == ending) {
                found.push(path);
            }
        }
    }
    found.retain(|path| {
        !path.components().any(|part| part.as_os_str().to_string_lossy().starts_with("tests"))
    });
    found
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The string literals of a piece of Rust.
fn literals(code: &str) -> String {
    let mut out = String::new();
    let (mut inside, mut escaped) = (false, false);
    for letter in code.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if inside => escaped = true,
            '"' => {
                inside = !inside;
                out.push(' ');
            }
            _ if inside => out.push(letter),
            _ => {}
        }
    }
    out
}

/// The messages of the log and of errors in a source file: the strings of `tracing` macros and of `#[error(...)]`.
fn messages(code: &str) -> Vec<String> {
    let starts = ["tracing::error!(", "tracing::warn!(", "tracing::info!(", "tracing::debug!(", "#[error("];
    let ends = |rest: &str| rest.find(");").into_iter().chain(rest.find(")]")).min().unwrap_or(rest.len());
    starts
        .iter()
        .flat_map(|start| {
            code.match_indices(start).map(|(at, _)| literals(&code[at..at + ends(&code[at..])]))
        })
        .collect()
}

/// The comments of a source file without their marks. A space follows a mark, so that a URL has none.
fn comments(code: &str) -> String {
    let comment = |line| str::split_once(line, "//! ").or_else(|| str::split_once(line, "// "));
    code.lines().filter_map(comment).map(|(_, text)| text).collect::<Vec<_>>().join(" ")
}

/// Every text for users, with the place where it stands.
fn texts() -> Vec<(String, String)> {
    let mut texts = Vec::new();
    for path in files("src", "rs").into_iter().chain(files("crates/sockdiag/src", "rs")) {
        texts.extend(messages(&read(&path)).into_iter().map(|text| (path.display().to_string(), text)));
    }
    // Their comments, descriptions and messages. Their code has none of the words.
    for ending in ["yml", "json", "service", "socket", "conf", "py", "sh"] {
        let found = files("deploy", ending);
        assert!(!found.is_empty(), "deploy has no {ending}");
        texts.extend(found.into_iter().map(|path| (path.display().to_string(), read(&path))));
    }
    // The manual pages are the texts of --help, the page of metrics those of HELP; tests compare both with the tables.
    for path in files("deploy/manual", "1").into_iter().chain(["docs/reference/metrics.md".into()]) {
        texts.push((path.display().to_string(), read(&path)));
    }
    let pages = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].map(PathBuf::from);
    for path in files("docs", "md").into_iter().chain(pages).filter(|path| path != Path::new(STYLE)) {
        texts.extend(prose(&read(&path)).into_iter().map(|text| (path.display().to_string(), text)));
    }
    texts
}

/// The paragraphs of a page, without blocks of code and code spans.
fn prose(page: &str) -> Vec<String> {
    let outside = page.split("```").step_by(2).collect::<Vec<_>>().join("\n\n");
    let paragraphs = outside.split("\n\n").filter(|text| !text.trim().is_empty());
    paragraphs.map(|text| text.split('`').step_by(2).collect::<Vec<_>>().join("x")).collect()
}

/// Whether a text has the words, whole and in any case.
fn says(text: &str, words: &str) -> bool {
    let plain = |text: &str| -> String {
        let letters =
            text.chars().map(|letter| if letter.is_alphanumeric() || letter == '_' { letter } else { ' ' });
        letters.collect::<String>().to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    format!(" {} ", plain(text)).contains(&format!(" {} ", plain(words)))
}

#[test]
fn no_text_for_users_has_a_word_that_is_never_said() {
    let (never, texts) = (never(), texts());
    assert!(never.len() > 15 && texts.len() > 200, "{} words, {} texts", never.len(), texts.len());
    let found = texts.iter().flat_map(|(place, text)| {
        never
            .iter()
            .filter(|word| says(text, word))
            .map(move |word| format!("{place}: {word:?} in {}", text.chars().take(160).collect::<String>()))
    });
    let found: Vec<_> = found.collect();
    assert!(found.is_empty(), "{STYLE} has other words for these:\n{}", found.join("\n"));
}

#[test]
fn no_comment_has_a_word_that_is_never_said() {
    let never = never();
    let mut sources = files("src", "rs");
    sources.extend(files("crates", "rs"));
    assert!(sources.len() > 200, "{} files", sources.len());
    let found = sources.iter().flat_map(|path| {
        let text = comments(&read(path));
        let found: Vec<_> = never.iter().filter(|word| says(&text, word)).cloned().collect();
        found.into_iter().map(move |word| (path.display().to_string(), word))
    });
    let found: Vec<_> = found.filter(|(path, word)| !is_legitimate(path, word)).collect();
    assert!(found.is_empty(), "{STYLE} has other words for these in comments:\n{found:#?}");
    for (file, word, reason) in LEGITIMATE {
        assert!(says(&comments(&read(Path::new(file))), word), "{word} has left {file}: {reason}");
    }
}

#[test]
fn comments_are_read_without_code() {
    let code = "//! a head\nlet x = \"http://told\"; // a reason\n    /// a doc\n    //";
    assert_eq!(comments(code), "a head a reason a doc");
}

#[test]
fn a_word_is_found_whole_and_in_any_case() {
    assert!(says("Nobody asked.", "nobody") && says("it comes\nto 5", "comes to"));
    assert!(!says("a folder", "fold") && !says("retold", "told"));
    assert_eq!(
        prose("a `told` b\n\n```\ntold\n```\n\nc"),
        ["a x b", "\n\nc"].map(|text| text.trim_start_matches('\n'))
    );
    let code = "tracing::warn!(%error, \"nobody heard\"); let x = \"told\";\n#[error(\"a mistake: {0}\")]";
    assert_eq!(messages(code).join("|"), " nobody heard | a mistake: {0} ");
}
