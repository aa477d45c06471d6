//! Arguments and environment in every form that people have them.

use super::*;

fn read(arguments: &[&str]) -> Cli {
    let all = std::iter::once("prometheus_ss_exporter").chain(arguments.iter().copied());
    Cli::read(all.map(Into::into), |_| None).expect("arguments")
}

#[test]
fn flags_override_the_environment_and_an_empty_variable_is_none() {
    let with = |arguments: &[&str], variables: &[(&str, &str)]| {
        let all = std::iter::once("prometheus_ss_exporter").chain(arguments.iter().copied());
        Cli::read(all.map(Into::into), |name| {
            variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| value.into())
        })
    };
    let cli = with(&[], &[("PORT", "1"), ("CONFIG_FILE", "e.yml"), ("LOG_LEVEL", "ERROR")]).expect("valid");
    assert_eq!((cli.port, cli.config, cli.log_level), (1, Some("e.yml".into()), LogLevel::Error));
    let cli = with(&["-p", "2"], &[("PORT", "1"), ("CONFIG_FILE", ""), ("LOG_LEVEL", "")]).expect("valid");
    assert_eq!((cli.port, cli.config, cli.log_level), (2, None, LogLevel::Info));
    let error = with(&[], &[("PORT", "eighty")]).expect_err("no number").to_string();
    assert!(error.contains("environment variable PORT") && error.contains("eighty"), "{error}");
}

#[test]
fn the_definition_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn each_flag_of_either_generation_is_understood_in_every_form() {
    let forms: &[&[&str]] = &[
        &["--port", "8090", "--config", "a.yml"],
        &["--port=8090", "--config=a.yml"],
        &["--port:8090", "--config:a.yml"],
        &["-p", "8090", "-c", "a.yml"],
        &["-p8090", "-ca.yml"],
        &["-p=8090", "-c=a.yml"],
        &["-p:8090", "-c:a.yml"],
        &["-p", "8090", "--cnfg", "a.yml"],
        &["./prometheus_ss_exporter", "--port=8090", "--cnfg=a.yml"],
    ];
    for form in forms {
        let cli = read(form);
        assert_eq!((cli.port, cli.config.as_deref()), (8090, Some(Path::new("a.yml"))), "{form:?}");
    }
    for level in ["--log-level:DEBUG", "--log-level=debug", "--log.level=Debug"] {
        assert_eq!(read(&[level]).log_level, LogLevel::Debug, "{level}");
    }
    assert_eq!(read(&["--create-config:x:y"]).create_config, Some(PathBuf::from("x:y")));
}

#[test]
fn an_estimate_takes_its_settings_from_flags_and_environment() {
    let cli = read(&["estimate"]);
    assert_eq!((cli.task, cli.config), (Some(Task::Estimate { seconds: 10, json: false }), None));
    let file = Some(Path::new("a.yml"));
    for flag in ["--config=a.yml", "--cnfg:a.yml", "-ca.yml"] {
        let cli = read(&["estimate", flag, "--seconds:3600", "--json", "--log-level=warn"]);
        assert_eq!(cli.task, Some(Task::Estimate { seconds: 3600, json: true }), "{flag}");
        assert_eq!((cli.config.as_deref(), cli.log_level), (file, LogLevel::Warn), "{flag}");
    }
    let all = ["./prometheus_ss_exporter", "estimate", "-c", "a.yml"].map(Into::into);
    let cli = Cli::read(all, |name| (name == "CONFIG_FILE").then(|| "e.yml".into())).expect("arguments");
    assert_eq!(cli.config.as_deref(), file, "a flag overrides the environment");
    let all = ["./prometheus_ss_exporter", "estimate"].map(Into::into);
    let cli = Cli::read(all, |name| (name == "CONFIG_FILE").then(|| "e.yml".into())).expect("arguments");
    assert_eq!(cli.config.as_deref(), Some(Path::new("e.yml")));
}

#[test]
fn a_filter_is_all_the_words_that_are_no_flags() {
    let cli = read(&["sockets", "dport", "=", ":443", "--columns=local,rtt_seconds", "-a"]);
    let Some(Task::Sockets { filter, all, listening, columns, json }) = cli.task else {
        panic!("{:?}", cli.task)
    };
    assert_eq!((filter.join(" ").as_str(), all, listening, json), ("dport = :443", true, false, false));
    assert_eq!(columns, ["local", "rtt_seconds"]);
}

#[test]
fn an_address_keeps_its_colons() {
    let cli = read(&[
        "--web.listen-address=[::1]:9",
        "--web.listen-address",
        ":10",
        "--web.listen-address:127.0.0.1:11",
    ]);
    let at = |text: &str| Listen::At(text.parse().expect("address"));
    assert_eq!(cli.listen(), [at("[::1]:9"), Listen::Any(10), at("127.0.0.1:11")]);
    assert_eq!(read(&[]).listen(), [Listen::Any(8020)]);
}

#[test]
fn a_telemetry_path_is_a_plain_path_of_its_own() {
    assert_eq!(read(&[]).telemetry_path, "/metrics");
    assert_eq!(read(&["--web.telemetry-path=/ss/v1.metrics"]).telemetry_path, "/ss/v1.metrics");
    for wrong in ["", "metrics", "/", "/config", "/-/ready", "/a?b", "/a b", "/<b>", "/\u{fc}"] {
        assert!(telemetry_path(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn an_address_that_another_one_covers_is_left_out() {
    let places = |list: &[&str]| {
        let flags: Vec<String> = list.iter().map(|one| format!("--web.listen-address={one}")).collect();
        read(&flags.iter().map(String::as_str).collect::<Vec<_>>()).listen().len()
    };
    assert_eq!(places(&["0.0.0.0:1", "[::]:1"]), 1);
    assert_eq!(places(&["[::]:1", "0.0.0.0:1", "127.0.0.1:1", ":1"]), 1);
    assert_eq!(places(&["127.0.0.1:1", "127.0.0.1:1"]), 1);
    assert_eq!(places(&["127.0.0.1:1", "[::1]:1", "0.0.0.0:2"]), 3);
    assert_eq!(places(&["0.0.0.0:1", "[::1]:1"]), 2);
}

#[test]
fn a_configuration_is_searched_where_the_container_mounts_it() {
    let candidates = |file| read(&["-c", file]).config_candidates();
    let paths = |list: &[&str]| list.iter().map(PathBuf::from).collect::<Vec<_>>();
    assert_eq!(candidates("a/b.yml"), paths(&["a/b.yml", "/exporter/a/b.yml", "/exporter/b.yml"]));
    assert_eq!(candidates("b.yml"), paths(&["b.yml", "/exporter/b.yml"]));
    assert_eq!(candidates("/etc/b.yml"), paths(&["/etc/b.yml", "/exporter/b.yml"]));
}
