//! What must never be seen outside.

use super::fixtures::{Fixtures, Pair};
use testkit::netns::enter;

use super::service::Service;

#[test]
fn no_secret_is_in_the_log_or_in_an_answer() {
    if enter() {
        return;
    }
    let fixtures = Fixtures::new();
    let pair = Pair::of_server();
    let (certificate, key) = pair.quoted();
    let hash = bcrypt::hash("canary-right", 4).expect("a hash");
    let section = format!("tls_server_config:\n  cert: {certificate}\n  key: {key}\n");
    fixtures.write("web.yml", &format!("{section}basic_auth_users: {{alice: {hash}}}\n"));
    let service = Service::start_with(&fixtures, &["--log-level=debug"]);
    let get = |path, password| service.get(path, Some(("alice", password))).expect("an answer").text;
    let mut seen = String::new();
    for path in ["/", "/metrics", "/nothing"] {
        seen.push_str(&get(path, "canary-right"));
        seen.push_str(&get(path, "canary-wrong"));
    }
    // Broken in a way that has the hash and the key at hand.
    fixtures.write("web.yml", &format!("{section}basic_auth_users: {{alice: x{hash}, bob: {key}}}\n"));
    assert!(service.soon(|_| get("/metrics", "canary-right").contains("reload_successful 0\n")));
    seen.push_str(&service.log());
    assert!(seen.contains("no bcrypt hash"), "{seen}");
    let line_of_key = pair.key.lines().nth(1).expect("a line");
    for secret in ["canary", &hash, line_of_key] {
        assert!(!seen.contains(secret), "{secret} in {seen}");
    }
}
