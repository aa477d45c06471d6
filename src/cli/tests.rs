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
    assert_eq!(
        (cli.task, cli.config),
        (Some(Task::Estimate { seconds: 10, json: false, max_series: None, protocol: Vec::new() }), None)
    );
    let file = Some(Path::new("a.yml"));
    for flag in ["--config=a.yml", "--cnfg:a.yml", "-ca.yml"] {
        let cli = read(&["estimate", flag, "--seconds:3600", "--json", "--log-level=warn"]);
        let task = Task::Estimate { seconds: 3600, json: true, max_series: None, protocol: Vec::new() };
        assert_eq!(cli.task, Some(task), "{flag}");
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
    let Some(Task::Sockets(arguments)) = cli.task else { panic!("{:?}", cli.task) };
    let SocketsArguments { filter, which, table, json, .. } = arguments;
    assert_eq!((filter.join(" ").as_str(), json), ("dport = :443", false));
    assert_eq!((which.all, which.listening), (true, false));
    assert_eq!(table.columns, ["local", "rtt_seconds"]);
}

#[test]
fn the_flags_of_ss_are_taken_together_and_in_both_forms() {
    let arguments = |all: &[&str]| {
        let cli = read(&[&["sockets"], all].concat());
        let Some(Task::Sockets(arguments)) = cli.task else { panic!("{:?}", cli.task) };
        arguments
    };
    let names = |all: &[&str]| arguments(all).protocols.names().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(names(&["-tulpn"]), ["tcp", "udp"]);
    assert!(arguments(&["-tulpn"]).which.listening);
    assert_eq!(names(&["-xw0MS", "--vsock", "--xdp", "--tipc"]).len(), 8);
    assert_eq!(names(&["--tcp", "--packet", "-A", "netlink,smc"]), ["tcp", "packet", "netlink", "smc"]);
    assert_eq!(names(&["-tinpO"]), ["tcp"]);
    let shown = arguments(&["-uaeomH"]);
    assert!(shown.extended && shown.memory && shown.options && shown.table.no_header && shown.which.all);
    assert_eq!(
        (arguments(&["-4"]).which.family(), arguments(&["-6"]).which.family()),
        (Some(IpFamily::V4), Some(IpFamily::V6))
    );
    assert!(names(&[]).is_empty());
    let table = arguments(&["--sort", "-sent", "--limit=3", "--group-by=process", "--human"]).table;
    assert_eq!((table.sort.as_deref(), table.limit, table.human), (Some("-sent"), Some(3), true));
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

#[test]
fn the_path_of_a_file_among_the_arguments_gets_an_error_that_names_the_flag() {
    let refused = |arguments: &[&str]| {
        let all = std::iter::once("prometheus_ss_exporter").chain(arguments.iter().copied());
        Cli::read(all.map(Into::into), |_| None).expect_err("refused").to_string()
    };
    for arguments in
        [&["config.yml"][..], &["/etc/ss/config"], &["estimate", "config.yml"], &["--once", "a.yml"]]
    {
        let error = refused(arguments);
        let file = arguments[arguments.len() - 1];
        assert!(error.contains(&format!("--config {file}")), "{error}");
    }
    assert!(!refused(&["estimat"]).contains("--config estimat"));
    assert!(!refused(&["--a.b"]).contains("--config --a.b"));
}

#[test]
fn a_command_and_a_flag_that_also_replaces_the_exporter_exclude_each_other() {
    let refused = |arguments: &[&str]| {
        let all = std::iter::once("prometheus_ss_exporter").chain(arguments.iter().copied());
        Cli::read(all.map(Into::into), |_| None).expect_err("refused").to_string()
    };
    for (flag, task) in [("--once", "estimate"), ("--config.check", "sockets"), ("--healthcheck", "estimate")]
    {
        let error = refused(&[flag, task]);
        assert!(error.contains(&format!("'{flag}' cannot be used with the command '{task}'")), "{error}");
    }
    assert!(refused(&["--once", "--config.check"]).contains("cannot be used with"));
    assert!(read(&["--once", "--once"]).once, "a flag may be repeated");
}

#[test]
fn the_format_of_the_log_is_known_even_if_another_argument_is_wrong() {
    let named =
        |arguments: &[&str]| LogFormat::named_by(&arguments.iter().map(Into::into).collect::<Vec<_>>());
    for form in
        [&["--log.format", "json"][..], &["--nope", "--log.format=json"], &["--log.format:json", "x.yml"]]
    {
        assert_eq!(named(form), LogFormat::Json, "{form:?}");
    }
    assert_eq!(named(&["--log.format=logfmt", "json"]), LogFormat::Logfmt);
}
