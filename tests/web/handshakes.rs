//! What the log says of clients that do not come in.

use std::io::{Read as _, Write as _};

use super::fixtures::Fixtures;
use super::service::{Service, enter, program};

const CLIENTS: &str = "tls_server_config: {cert_file: server.pem, key_file: server.key, client_ca_file: ca.pem, \
                       client_auth_type: RequireAndVerifyClientCert}\n";

#[test]
fn a_refused_handshake_is_logged_with_its_reason_and_not_each_time() {
    if enter() {
        return;
    }
    let fixtures = Fixtures::new();
    fixtures.write("web.yml", CLIENTS);
    let service = Service::start(&fixtures);
    for _ in 0..5 {
        assert!(service.get("/metrics", None).is_err());
        for words in [&b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"[..], b"SSH-2.0-OpenSSH_9.2\r\n"] {
            let mut stream = service.connect();
            stream.write_all(words).expect("room");
            _ = stream.read_to_end(&mut Vec::new());
        }
    }
    let health = program(&fixtures, &["--healthcheck"]).status().expect("the program");
    assert!(health.success());
    // A connection without a word, as a balancer of load makes them.
    drop(service.connect());
    let log = service.log();
    for reason in ["the client has no certificate", "speaks plain HTTP", "does not speak TLS"] {
        let lines: Vec<_> = log.lines().filter(|line| line.contains(reason)).collect();
        assert_eq!(lines.len(), 1, "{reason}: {log}");
        assert!(lines[0].contains("level=warn") && lines[0].contains("client=127.0.0.1 times=1"), "{log}");
    }
    assert_eq!(log.matches("reason=").count(), 3, "{log}");
}

#[test]
fn nothing_listens_before_the_web_configuration_is_found_valid() {
    if enter() {
        return;
    }
    let fixtures = Fixtures::new();
    fixtures.write("web.yml", "tls_server_config: {cert_file: none.pem, key_file: server.key}\n");
    let output = program(&fixtures, &[]).output().expect("the program");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("none.pem"), "{said}");
    assert!(!said.contains("listening"), "{said}");
    fixtures.write("web.yml", "tls_server_config: {cert_file: server.pem, key_file: server.key}\n");
    let service = Service::start(&fixtures);
    assert!(service.get("/health", None).is_ok_and(|answer| answer.status == 200));
    let log = service.log();
    assert_eq!(log.matches("listening").count(), 1, "{log}");
}
