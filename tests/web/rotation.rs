//! Files that change while the program runs.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::fixtures::{Fixtures, Pair};
use testkit::netns::enter;

use super::service::{Service, program};

const TLS: &str = "tls_server_config: {cert_file: server.pem, key_file: server.key}\n";
const SUCCESS: &str = "ss_exporter_web_config_last_reload_successful";

/// What a certificate is on the wire.
fn der(pair: &Pair) -> Vec<u8> {
    use rustls::pki_types::pem::PemObject as _;
    rustls::pki_types::CertificateDer::from_pem_slice(pair.certificate.as_bytes()).expect("PEM").to_vec()
}

#[test]
fn a_broken_file_at_start_is_refused_and_named_by_a_check() {
    let fixtures = Fixtures::new();
    fixtures.write(
        "web.yml",
        "tls_server_config: {cert_file: none.pem, key_file: server.key, max_version: TLS11}\n",
    );
    for arguments in [&["--config.check"][..], &[]] {
        if arguments.is_empty() && enter() {
            return;
        }
        let output = program(&fixtures, arguments).output().expect("the program");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("none.pem") && said.contains("max_version: found \"TLS11\""), "{said}");
    }
}

#[test]
fn certificates_rotate_under_load_without_a_failed_scrape() {
    if enter() {
        return;
    }
    let fixtures = Fixtures::new();
    fixtures.write("web.yml", TLS);
    let service = Service::start(&fixtures);
    let (stop, scrapes) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let answer = service.get("/metrics", None);
                    assert!(answer.as_ref().is_ok_and(|answer| answer.status == 200), "a scrape failed");
                    scrapes.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for round in 0..20 {
            let pair = Pair::of_server();
            // One after the other, as certbot writes them: for a moment they do not belong together.
            fixtures.write("server.pem", &pair.certificate);
            std::thread::sleep(Duration::from_millis(round * 50));
            fixtures.write("server.key", &pair.key);
            let seen = service.soon(|service| {
                service.get("/health", None).is_ok_and(|answer| answer.certificate == der(&pair))
            });
            assert!(seen, "the certificate of round {round} is not shown");
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(scrapes.into_inner() > 100);
}

#[test]
fn half_a_certificate_leaves_the_old_pair_and_is_said_once() {
    if enter() {
        return;
    }
    let fixtures = Fixtures::new();
    fixtures.write("web.yml", TLS);
    let service = Service::start(&fixtures);
    let shown = || service.get("/metrics", None).expect("an answer");
    let old = shown();
    assert!(old.text.contains(&format!("\n{SUCCESS} 1\n")));
    let pair = Pair::of_server();
    fixtures.write("server.pem", &pair.certificate[..pair.certificate.len() / 2]);
    assert!(service.soon(|_| shown().text.contains(&format!("\n{SUCCESS} 0\n"))), "the gauge stays 1");
    for _ in 0..4 {
        std::thread::sleep(Duration::from_millis(600));
        assert_eq!(shown().certificate, old.certificate);
    }
    fixtures.write("server.pem", &pair.certificate);
    fixtures.write("server.key", &pair.key);
    assert!(service.soon(|_| shown().certificate == der(&pair)), "the new pair is not shown");
    assert!(service.soon(|_| shown().text.contains(&format!("\n{SUCCESS} 1\n"))), "the gauge stays 0");
    fixtures.write("web.yml", "# no TLS any more\n");
    assert!(service.soon(|_| shown().text.contains(&format!("\n{SUCCESS} 0\n"))), "TLS was switched off");
    let log = service.log();
    assert_eq!(log.matches("no PEM").count(), 1, "{log}");
    assert!(log.contains("TLS is enabled") && log.contains("start again"), "{log}");
}

#[test]
fn a_password_changes_without_a_restart() {
    if enter() {
        return;
    }
    let fixtures = Fixtures::new();
    let with = |password: &str| {
        let hash = bcrypt::hash(password, 4).expect("a hash");
        fixtures.write("web.yml", &format!("{TLS}basic_auth_users: {{alice: {hash}}}\n"));
    };
    with("old");
    let service = Service::start(&fixtures);
    let status = |password| service.get("/metrics", Some(("alice", password))).expect("an answer").status;
    assert_eq!((status("old"), status("new")), (200, 401));
    with("new");
    assert!(service.soon(|_| status("new") == 200), "the new password is not taken");
    assert_eq!(status("old"), 401);
    let healthy = program(&fixtures, &["--healthcheck"]).output().expect("the program");
    assert!(healthy.status.success(), "{}", String::from_utf8_lossy(&healthy.stderr));
}
