//! Nodes and texts as YAML.

use std::fmt::{self, Display, Write as _};

use super::{Node, YamlValue};

/// Appends a map's entry: maps as blocks, indented by that many blanks, all else in one line.
pub(crate) fn write(out: &mut String, indent: usize, name: &str, node: &Node) -> fmt::Result {
    write!(out, "{:indent$}{}:", "", key(name))?;
    match &node.value {
        YamlValue::Null => writeln!(out),
        YamlValue::Map(pairs) if !pairs.is_empty() => {
            writeln!(out)?;
            pairs.iter().try_for_each(|(key, node)| write(out, indent + 2, &key.name, node))
        }
        value => writeln!(out, " {}", in_line(value)),
    }
}

fn in_line(value: &YamlValue) -> String {
    match value {
        YamlValue::Null => "null".to_owned(),
        YamlValue::Bool(flag) => flag.to_string(),
        YamlValue::Int(number) => number.to_string(),
        YamlValue::Float(number) if number.is_nan() => ".nan".to_owned(),
        YamlValue::Float(number) if number.is_infinite() => {
            if *number > 0.0 {
                ".inf".to_owned()
            } else {
                "-.inf".to_owned()
            }
        }
        YamlValue::Float(number) => number.to_string(),
        YamlValue::Str(text) => quoted(text),
        YamlValue::Seq(items) => format!("[{}]", list(items.iter().map(|item| in_line(&item.value)))),
        YamlValue::Map(pairs) => {
            let pair = |(name, node): &(super::MapKey, Node)| {
                format!("{}: {}", key(&name.name), in_line(&node.value))
            };
            format!("{{{}}}", list(pairs.iter().map(pair)))
        }
    }
}

/// Items with commas between them.
pub fn list(items: impl Iterator<Item = impl Display>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

/// A name as a key: in quotes if YAML would read something else.
pub(crate) fn key(name: &str) -> String {
    const NO_TEXT: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let plain = name.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if plain && !NO_TEXT.contains(&name.to_ascii_lowercase().as_str()) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// A text as YAML and JSON write it.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_reads_the_same() {
        let text = "logic: {metrics: {active: true, e: {}}, list: [1, 2.5, \"a: \\\"b\", {lower: 1}], none: , \"on\": off}";
        let file = Node::read(text).expect("YAML");
        let written = |file: &Node| {
            let YamlValue::Map(pairs) = &file.value else { panic!("no map") };
            let mut out = String::new();
            pairs.iter().try_for_each(|(key, node)| write(&mut out, 0, &key.name, node)).expect("room");
            out
        };
        let once = written(&file);
        let expected = "logic:\n  metrics:\n    active: true\n    e: {}\n  list: [1, 2.5, \"a: \\\"b\", {lower: 1}]\n  \
                        none:\n  \"on\": false\n";
        assert_eq!(once, expected);
        assert_eq!(written(&Node::read(&once).expect("YAML")), once);
    }
}
