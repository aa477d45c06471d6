//! One name for one type, and nothing too large to read.

use std::collections::BTreeMap;

use super::sources::shipped;

/// Types above so many fields are several things.
const FIELDS: usize = 15;
/// Functions above so many lines mix levels.
const LINES: usize = 60;

/// Types with more fields, and why.
const LARGE_TYPES: [(&str, &str); 1] = [("Cli", "a field is a flag, and clap derives both from one struct")];

/// The name after a keyword at the beginning of a line that is visible outside its file, or of any line.
fn declared<'t>(line: &'t str, keywords: &[&str], visible: bool) -> Option<&'t str> {
    let line = line.trim_start();
    let rest = match line.strip_prefix("pub") {
        Some(rest) => {
            rest.strip_prefix('(').and_then(|rest| Some(rest.split_once(')')?.1)).unwrap_or(rest).trim_start()
        }
        None if visible => return None,
        None => line,
    };
    let rest = ["const ", "async ", "unsafe "]
        .iter()
        .fold(rest, |rest, word| rest.strip_prefix(word).unwrap_or(rest));
    let rest = keywords.iter().find_map(|keyword| rest.strip_prefix(keyword)?.strip_prefix(' '))?;
    rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()
}

/// The lines of the block that a line opens, by the indentation of its end.
fn block<'t>(lines: &[&'t str], start: usize) -> Vec<&'t str> {
    let indentation = lines[start].len() - lines[start].trim_start().len();
    let is_end = |line: &str| {
        let text = line.trim_start();
        line.len() - text.len() == indentation && (text.starts_with('}') || text.ends_with(';'))
    };
    let length =
        lines[start..].iter().position(|line| is_end(line) || (line.ends_with('}') && line.contains('{')));
    lines[start..].iter().take(length.unwrap_or(0) + 1).copied().collect()
}

#[test]
fn no_two_visible_types_have_one_name() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in shipped() {
        for line in source.text.lines() {
            if let Some(name) = declared(line, &["struct", "enum", "trait", "type", "union"], true)
                && !line.starts_with("    ")
            {
                places.entry(name.to_owned()).or_default().push(source.name());
            }
        }
    }
    places.retain(|_, places| places.len() > 1);
    assert!(places.is_empty(), "one name, several types: {places:#?}");
}

#[test]
fn no_type_has_too_many_fields() {
    for source in shipped() {
        let lines: Vec<_> = source.text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let Some(name) = declared(line, &["struct"], false) else { continue };
            let is_field = |line: &&&str| {
                line.split_once(": ").is_some_and(|(name, _)| {
                    let name = name.trim_start();
                    let name = name.rsplit(' ').next().unwrap_or(name);
                    line.starts_with("    ")
                        && !line.trim_start().starts_with(['/', '#'])
                        && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
                })
            };
            let fields = block(&lines, number).iter().skip(1).filter(is_field).count();
            let is_known = LARGE_TYPES.iter().any(|(known, _)| *known == name);
            assert!(fields <= FIELDS || is_known, "{name} in {} has {fields} fields", source.name());
        }
    }
}

#[test]
fn no_function_is_too_long() {
    for source in shipped() {
        let lines: Vec<_> = source.text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let Some(name) = declared(line, &["fn"], false) else { continue };
            let length = block(&lines, number).len();
            assert!(length <= LINES, "{name} in {} has {length} lines", source.name());
        }
    }
}
