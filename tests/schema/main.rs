//! `docs/config.schema.json` against the parser, the tables and every example there is;
//! `UPDATE=1 cargo test --test schema` writes the parts of it that come from tables.

mod snippets;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::{Value, json};
use sockdiag::{PROTOCOLS, TYPED_PROTOCOLS};
use ss_exporter::config::{Config, DEFAULT_FILE};
use ss_exporter::metrics::{Kind, METRICS, Metric};
use ss_exporter::properties::Property;
use ss_exporter::select::state_names;
use ss_exporter::view::worst_cases;

use snippets::{BAD, BEYOND_THE_SCHEMA, GOOD, NOT_SUGGESTED};

const FILE: &str = "docs/config.schema.json";
const PAGE: &str = "docs/reference/configuration.md";

fn schema() -> Value {
    let text = std::fs::read_to_string(FILE).expect("the schema");
    serde_json::from_str(&text).expect("JSON")
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).expect("a schema of draft 2020-12")
}

fn parser_says(text: &str) -> Result<(), String> {
    Config::parse("a.yml", text).map(drop).map_err(|error| error.to_string())
}

fn schema_says(validator: &Validator, text: &str) -> Result<(), String> {
    let value: Value = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    let errors: Vec<_> =
        validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors.join("\n")) }
}

/// The files of a folder with that ending.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == ending)).collect()
}

/// How blocks of YAML begin that are no configuration of the exporter: those of other programs, and its web configuration.
const OF_OTHERS: [&str; 6] =
    ["scrape_configs:", "services:", "apiVersion:", "spec:", "patches:", "tls_server_config:"];

/// The configurations in a page. A block that begins with a blank is a part of `views:`.
fn examples(page: &str) -> Vec<String> {
    let text = std::fs::read_to_string(page).expect("a page");
    let fences = text.split("```yaml\n").zip(text.split("```yaml\n").skip(1));
    let blocks = fences.filter_map(|(before, rest)| {
        // In a list, the block has the margin of its fence.
        let margin = before.rsplit('\n').next().expect("a line");
        let (block, _) = rest.split_once("```")?;
        Some(
            block
                .lines()
                .map(|line| line.strip_prefix(margin).unwrap_or(line).to_owned() + "\n")
                .collect::<String>(),
        )
    });
    blocks
        .filter(|block| !OF_OTHERS.iter().any(|key| block.starts_with(key)))
        .map(|block| if block.starts_with(' ') { format!("views:\n{block}") } else { block })
        .collect()
}

/// Every document for users.
fn documents(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path());
    let paths = entries.flat_map(|path| match path.extension() {
        Some(ending) if ending == "md" => vec![path.display().to_string()],
        None if path.is_dir() => documents(&path.display().to_string()),
        _ => Vec::new(),
    });
    paths.collect()
}

/// The keys of an object of the schema.
fn keys(schema: &Value, pointer: &str) -> BTreeSet<String> {
    let object = schema.pointer(pointer).and_then(Value::as_object);
    object.unwrap_or_else(|| panic!("no object at {pointer}")).keys().cloned().collect()
}

/// The keys that the parser says are allowed where it meets an unknown one.
fn known_to_the_parser(text: &str) -> BTreeSet<String> {
    let told = match Config::parse("a.yml", text) {
        Ok(config) => config.warnings.join("\n"),
        Err(error) => error.to_string(),
    };
    let (_, list) = told.split_once("found an unknown key; expected: ").unwrap_or_else(|| panic!("{told}"));
    let list = list.lines().next().unwrap_or_default().split(';').next().unwrap_or_default();
    list.split(", ").map(str::to_owned).collect()
}

/// A choice of names, each with what it is.
fn choice(title: &str, names: impl Iterator<Item = (&'static str, &'static str)>) -> Value {
    let names = names.map(|(name, help)| json!({ "const": name, "description": help }));
    json!({ "title": title, "oneOf": names.collect::<Vec<_>>() })
}

/// The parts that come from tables, by their names under `$defs`.
fn from_tables() -> [(&'static str, Value); 6] {
    let of_kind = |title, kind| {
        // Sockets of several protocols may have metrics of one name.
        let is_first = |(at, metric): &(usize, &Metric)| {
            METRICS.iter().position(|other| other.name == metric.name) == Some(*at)
        };
        let metrics = METRICS.iter().enumerate().filter(is_first).map(|(_, metric)| metric);
        let metrics = metrics.filter(move |metric| metric.kind == kind);
        choice(title, metrics.map(|metric| (metric.name, metric.help)))
    };
    let typed = TYPED_PROTOCOLS.iter().map(|(word, ..)| *word);
    let protocols = PROTOCOLS.iter().map(|protocol| protocol.name).chain(typed);
    [
        ("label", choice("Label", Property::all().map(|property| (property.name(), property.line().help)))),
        ("protocol", json!({ "title": "Protocol", "enum": protocols.collect::<Vec<_>>() })),
        ("state", json!({ "title": "State", "enum": state_names().collect::<Vec<_>>() })),
        ("counter", of_kind("Counter", Kind::Counter)),
        ("gauge", of_kind("Gauge", Kind::Gauge)),
        ("distribution", of_kind("Distribution", Kind::Distribution)),
    ]
}

#[test]
fn labels_states_and_metrics_are_those_of_the_tables() {
    let mut schema = schema();
    for (name, part) in from_tables() {
        let place = schema.pointer_mut(&format!("/$defs/{name}")).unwrap_or_else(|| panic!("no {name}"));
        *place = part;
    }
    let expected = serde_json::to_string_pretty(&schema).expect("text") + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(FILE, &expected).expect("a folder docs that can be written to");
    }
    let file = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        file == expected,
        "{FILE} is not what the tables say; `UPDATE=1 cargo test --test schema` writes it anew"
    );
}

#[test]
fn the_schema_and_the_parser_know_the_same_keys() {
    let schema = schema();
    for (pointer, text) in [
        ("/properties", "no_key_at_all: 1"),
        ("/$defs/view/properties", "views: {v: {no_key_at_all: 1}}"),
        ("/$defs/view/properties/limit/anyOf/1/properties", "views: {v: {limit: {no_key_at_all: 1}}}"),
        ("/properties/collect/properties", "{views: {v: }, collect: {no_key_at_all: 1}}"),
        ("/properties/network_prefix/properties", "{views: {v: }, network_prefix: {no_key_at_all: 1}}"),
        ("/$defs/logic/properties", "logic: {no_key_at_all: 1}"),
        ("/properties/cnfg/properties", "cnfg: {logic: , no_key_at_all: 1}"),
    ] {
        assert_eq!(keys(&schema, pointer), known_to_the_parser(text), "{pointer}");
    }
    // Under networks stand names of the file's own choice.
    assert_eq!(schema.pointer("/properties/networks/properties"), None);
}

#[test]
fn every_key_has_a_title_and_a_description() {
    fn check(schema: &Value, node: &Value, keys: &mut usize) {
        let Some(object) = node.as_object() else {
            return node.as_array().into_iter().flatten().for_each(|item| check(schema, item, keys));
        };
        // Conditions repeat keys that are described elsewhere.
        for (name, inner) in object.iter().filter(|(name, _)| !["if", "then", "anyOf"].contains(&&***name)) {
            if name == "properties" && object.contains_key("type") {
                for (key, described) in inner.as_object().into_iter().flatten() {
                    let target = described.get("$ref").and_then(Value::as_str).unwrap_or("#");
                    let target = schema.pointer(&target[1..]).expect("what is referred to");
                    let described = if described.get("$ref").is_some() { target } else { described };
                    for what in ["title", "description"] {
                        assert!(described.get(what).is_some_and(Value::is_string), "{key} has no {what}");
                    }
                    *keys += 1;
                }
            }
            check(schema, inner, keys);
        }
    }
    let (schema, mut keys) = (schema(), 0);
    check(&schema, &schema, &mut keys);
    assert!(keys > 30, "only {keys} keys were found");
}

#[test]
fn a_default_of_the_schema_is_what_counts_without_the_key() {
    let schema = schema();
    let defaults = |pointer: &str| {
        let properties = schema.pointer(pointer).and_then(Value::as_object).expect("properties");
        let defaults =
            properties.iter().filter_map(|(key, value)| Some((key.clone(), value.get("default")?.clone())));
        Value::Object(defaults.collect())
    };
    let (view, collect) = (defaults("/$defs/view/properties"), defaults("/properties/collect/properties"));
    let said = json!({ "views": { "v": view }, "collect": collect }).to_string();
    assert_eq!(said.matches(':').count(), 3 + 4 + 7, "{said}");
    assert_eq!(Config::parse("a.yml", &said), Config::parse("a.yml", "views: {v: }"));
}

#[test]
fn every_configuration_of_the_repository_is_accepted_by_both() {
    let validator = validator();
    let mut texts = vec![("built-in".to_owned(), DEFAULT_FILE.to_owned())];
    for folder in ["tests/configs", "tests/e2e/configs"] {
        let files = files(folder, "yml");
        assert!(!files.is_empty(), "{folder} has no configuration");
        let read = |path: &Path| std::fs::read_to_string(path).expect("a configuration");
        texts.extend(files.iter().map(|path| (path.display().to_string(), read(path))));
    }
    let documents: Vec<_> = documents("docs").into_iter().chain(["README.md".to_owned()]).collect();
    let examples =
        documents.iter().flat_map(|page| examples(page).into_iter().map(move |text| (page.clone(), text)));
    texts.extend(examples);
    assert!(texts.len() > 50, "{} configurations", texts.len());
    for (name, text) in &texts {
        assert_eq!(parser_says(text), Ok(()), "{name}:\n{text}");
        assert_eq!(schema_says(&validator, text), Ok(()), "{name}:\n{text}");
    }
}

#[test]
fn the_schema_and_the_parser_agree() {
    let validator = validator();
    for text in GOOD {
        assert_eq!(parser_says(text), Ok(()), "{text}");
        assert_eq!(schema_says(&validator, text), Ok(()), "{text}");
    }
    for text in BAD {
        assert!(parser_says(text).is_err(), "the parser accepts {text}");
        assert!(schema_says(&validator, text).is_err(), "the schema accepts {text}");
    }
}

#[test]
fn what_a_schema_cannot_say_is_known() {
    let validator = validator();
    for (what, text) in BEYOND_THE_SCHEMA {
        assert!(parser_says(text).is_err(), "the parser accepts {what}: {text}");
        assert_eq!(schema_says(&validator, text), Ok(()), "{what}: {text}");
    }
    for (what, text) in NOT_SUGGESTED {
        assert_eq!(parser_says(text), Ok(()), "{what}: {text}");
        assert!(schema_says(&validator, text).is_err(), "the schema accepts {what}: {text}");
    }
}

#[test]
fn the_page_explains_every_key() {
    let (schema, page) = (schema(), std::fs::read_to_string(PAGE).expect("the page"));
    for (pointer, above) in [
        ("/properties", ""),
        ("/$defs/view/properties", ""),
        ("/properties/collect/properties", "collect."),
        ("/properties/network_prefix/properties", "network_prefix."),
    ] {
        for key in keys(&schema, pointer) {
            let name = format!("`{above}{key}`");
            assert!(page.contains(&name), "{PAGE} does not explain {name}");
        }
    }
}

#[test]
fn the_page_shows_what_a_check_prints() {
    let page = std::fs::read_to_string(PAGE).expect("the page");
    let examples = examples(PAGE);
    let first = Config::parse("ss.yml", examples.first().expect("an example")).expect("a valid example");
    let valid = format!("ss.yml: the configuration is valid\n\n{}", worst_cases(&first.views));
    let (_, bad) = page.split_once("```yaml mistaken\n").expect("a mistaken example");
    let (bad, _) = bad.split_once("```").expect("its end");
    let errors = Config::parse("ss.yml", bad).expect_err("errors").to_string();
    for printed in [valid, errors + "\n"] {
        assert!(page.contains(&format!("```text\n{printed}```")), "{PAGE} does not show:\n{printed}");
    }
}
