//! The configurations of the table, and the good ones themselves.

use super::fixtures::{Fixtures, Pair};
use super::table::{Case, Outcome, Toolkit};

const PAIR: &str = "cert_file: server.pem, key_file: server.key";
pub const HASH: &str = "$2y$04$C7KaQ2oahnhVD1nkGJC0aeHfSVYQ2AqjvD8z9leY8vRtFdB94Wpf2";

pub fn case(name: &'static str, text: impl Into<String>, outcome: Outcome, toolkit: Toolkit) -> Case {
    Case { name, text: text.into(), mode: 0o600, outcome, toolkit }
}

/// A configuration that says more than the pair about TLS.
pub fn tls(name: &'static str, more: &str, outcome: Outcome, toolkit: Toolkit) -> Case {
    case(name, format!("tls_server_config: {{{PAIR}, {more}}}\n"), outcome, toolkit)
}

/// All of them; the files that they name are those of the fixtures.
pub fn cases(fixtures: &Fixtures) -> Vec<Case> {
    let mut cases = good(fixtures);
    cases.extend(super::refusals::refusals());
    cases
}

fn good(fixtures: &Fixtures) -> Vec<Case> {
    use Outcome::{Plain, Tls};
    use Toolkit::{Older, Same};
    let (certificate, key) = Pair::of_server().quoted();
    let inline = format!("tls_server_config:\n  cert: {certificate}\n  key: {key}\n");
    let absolute = fixtures.path("server.pem").display().to_string();
    let digest = &HASH[3..];
    vec![
        case("an empty file", "", Plain, Same),
        case("a comment", "# nothing yet\n", Plain, Same),
        case("an empty section", "tls_server_config:\n", Plain, Same),
        case("an empty map", "tls_server_config: {}\n", Plain, Same),
        case("a pair of files", format!("tls_server_config: {{{PAIR}}}"), Tls, Same),
        case(
            "an absolute path",
            format!("tls_server_config: {{cert_file: {absolute}, key_file: server.key}}"),
            Tls,
            Same,
        ),
        case("a pair in the file", &*inline, Tls, Older),
        case(
            "a file before what stands here",
            format!("{inline}  cert_file: server.pem\n  key_file: server.key\n"),
            Tls,
            Older,
        ),
        tls("nobody's certificate", "client_auth_type: NoClientCert", Tls, Same),
        tls("anybody's certificate, if any", "client_auth_type: RequestClientCert", Tls, Same),
        tls("anybody's certificate", "client_auth_type: RequireAnyClientCert", Tls, Same),
        tls("the older word for it", "client_auth_type: RequireClientCert", Tls, Same),
        tls(
            "a verified certificate, if any",
            "client_auth_type: VerifyClientCertIfGiven, client_ca_file: ca.pem",
            Tls,
            Same,
        ),
        tls(
            "a verified certificate",
            "client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.pem",
            Tls,
            Same,
        ),
        tls(
            "certain clients",
            "client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.pem, client_allowed_sans: [scraper.example, 192.0.2.1]",
            Tls,
            Older,
        ),
        tls(
            "certain clients, unverified",
            "client_auth_type: RequireAnyClientCert, client_allowed_sans: [scraper.example]",
            Tls,
            Older,
        ),
        tls("a least version", "min_version: TLS13", Tls, Same),
        tls("a last version", "max_version: TLS12", Tls, Same),
        tls("one version", "min_version: TLS12, max_version: TLS12", Tls, Same),
        tls(
            "suites",
            "cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]",
            Tls,
            Same,
        ),
        tls("suites of TLS 1.3", "cipher_suites: [TLS_AES_128_GCM_SHA256]", Tls, Same),
        tls("the client's order", "prefer_server_cipher_suites: false", Tls, Same),
        tls("curves", "curve_preferences: [X25519, CurveP256, CurveP384]", Tls, Same),
        case("no HTTP/2", "http_server_config: {http2: false}", Plain, Same),
        case("HTTP/2, which is the default", "http_server_config: {http2: true}", Plain, Same),
        case(
            "all headers",
            "http_server_config:\n  headers:\n    Content-Security-Policy: default-src 'none'\n    X-Frame-Options: deny\n    \
             X-Content-Type-Options: nosniff\n    X-XSS-Protection: 1; mode=block\n    Strict-Transport-Security: max-age=1\n",
            Plain,
            Same,
        ),
        case("no headers", "http_server_config: {headers: {}}", Plain, Same),
        case(
            "users",
            format!("basic_auth_users: {{a: {HASH}, b: $2a{digest}, c: $2b{digest}}}"),
            Plain,
            Same,
        ),
        case("a rate", "rate_limit: {interval: 100ms, burst: 20}", Plain, Older),
        case("no rate", "rate_limit: {interval: 0, burst: 0}", Plain, Older),
    ]
}
