//! What the log says of clients that do not come in.

use std::io::{Read as _, Write as _};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};

use super::fixtures::{Fixtures, Pair};
use testkit::netns::enter;

use super::service::{Service, program};

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

/// A certificate that is signed by itself.
fn client(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Pair {
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
    change(&mut params);
    let key = KeyPair::generate().expect("a key");
    Pair { certificate: params.self_signed(&key).expect("a certificate").pem(), key: key.serialize_pem() }
}

#[test]
fn every_certificate_that_admits_no_client_has_its_reason_in_the_log() {
    if enter() {
        return;
    }
    let authority = |params: &mut CertificateParams| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let good = client("good.example", authority);
    let other = client("other.example", authority);
    let old = client("good.example", |params| params.not_after = date_time_ymd(2020, 1, 1));
    let early = client("good.example", |params| params.not_before = date_time_ymd(3000, 1, 1));
    let server = client("good.example", |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    let named =
        |params: &mut CertificateParams| params.distinguished_name.push(DnType::CommonName, "stranger");
    let fixtures = Fixtures::new();
    let listed = [&good, &other, &old, &early, &server].map(|pair| pair.certificate.as_str()).concat();
    fixtures.write("ca.pem", &listed);
    fixtures.write("web.yml", &CLIENTS.replace("}\n", ", client_allowed_sans: [good.example]}\n"));
    let mut service = Service::start(&fixtures);
    service.showing(&good);
    assert!(service.get("/metrics", None).is_ok_and(|answer| answer.status == 200));
    let refused = [
        (other, "no name of client_allowed_sans"),
        (old, "has expired"),
        (early, "is not valid yet"),
        (server, "is not for clients"),
        (client("good.example", named), "no authority of client_ca_file has signed"),
        (client("good.example", authority), "is an authority (CA:TRUE) and does not stand in client_ca_file"),
    ];
    for (pair, _) in &refused {
        service.showing(pair);
        assert!(service.get("/metrics", None).is_err());
    }
    // A client may know that it is refused before the log does.
    service.showing(&good);
    assert!(service.get("/metrics", None).is_ok_and(|answer| answer.status == 200));
    let log = service.log();
    for (_, reason) in &refused {
        let lines: Vec<_> = log.lines().filter(|line| line.contains(reason)).collect();
        assert!(lines.len() == 1 && lines[0].contains("level=warn"), "{reason}: {log}");
    }
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
