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
    [good_pairs(fixtures), good_clients(), good_words(), good_rest(), super::refusals::refusals()]
        .into_iter()
        .flatten()
        .collect()
}

const fn warned(says: &'static [&'static str]) -> Outcome {
    Outcome::Warned(says)
}

fn good_pairs(fixtures: &Fixtures) -> Vec<Case> {
    use Outcome::{Plain, Tls};
    use Toolkit::{Older, Same};
    let (certificate, key) = Pair::of_server().quoted();
    let inline = format!("tls_server_config:\n  cert: {certificate}\n  key: {key}\n");
    let absolute = fixtures.path("server.pem").display().to_string();
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
    ]
}

fn good_clients() -> Vec<Case> {
    use Outcome::Tls;
    use Toolkit::{Older, Same};
    vec![
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
        tls(
            "a verified certificate, if any, by the authorities of the system",
            "client_auth_type: VerifyClientCertIfGiven",
            warned(&["client_auth_type: ", "authority of the system"]),
            Same,
        ),
        tls(
            "authorities of no file",
            "client_auth_type: VerifyClientCertIfGiven, client_ca_file: '', client_ca: ''",
            warned(&["authority of the system"]),
            Older,
        ),
        tls("a type without letters", "client_auth_type: ''", Tls, Same),
    ]
}

fn good_words() -> Vec<Case> {
    use Outcome::Tls;
    use Toolkit::{Older, Same};
    vec![
        tls("a least version", "min_version: TLS13", Tls, Same),
        tls("TLS 1.0", "min_version: TLS10", warned(&["min_version: found \"TLS10\"", "TLS12"]), Same),
        tls("TLS 1.1", "min_version: TLS11, max_version: TLS12", warned(&["\"TLS11\""]), Same),
        tls("a last version", "max_version: TLS12", Tls, Same),
        tls("one version", "min_version: TLS12, max_version: TLS12", Tls, Same),
        tls(
            "suites",
            "cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]",
            Tls,
            Same,
        ),
        tls("suites of TLS 1.3", "cipher_suites: [TLS_AES_128_GCM_SHA256]", Tls, Same),
        tls(
            "suites that there are not here",
            "cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, TLS_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]",
            warned(&[
                "cipher_suites[0]: found \"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA\"",
                "cipher_suites[1]",
                "left out",
            ]),
            Same,
        ),
        tls(
            "no suite but those of TLS 1.3",
            "cipher_suites: [TLS_RSA_WITH_AES_256_CBC_SHA]",
            warned(&["left out"]),
            Same,
        ),
        tls("no suites", "cipher_suites: []", Tls, Same),
        tls("the client's order", "prefer_server_cipher_suites: false", Tls, Same),
        tls("curves", "curve_preferences: [X25519, CurveP256, CurveP384]", Tls, Same),
        tls(
            "a curve that there is not here",
            "curve_preferences: [CurveP521, CurveP256]",
            warned(&["curve_preferences[0]: found \"CurveP521\"", "left out"]),
            Same,
        ),
        tls("no curves", "curve_preferences: []", Tls, Same),
        tls("a curve after quantum computers", "curve_preferences: [X25519MLKEM768, X25519]", Tls, Older),
    ]
}

fn good_rest() -> Vec<Case> {
    use Outcome::Plain;
    use Toolkit::{Older, Same};
    let digest = &HASH[3..];
    vec![
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
        case(
            "a costly hash",
            format!("basic_auth_users: {{a: {HASH}, b: {}}}", HASH.replace("$04$", "$18$")),
            warned(&["basic_auth_users.b: found a bcrypt hash of cost 18"]),
            Same,
        ),
        case(
            "a burst of none",
            "rate_limit: {interval: 1s, burst: 0}",
            warned(&["no request is answered"]),
            Older,
        ),
        case(
            "an interval without a burst",
            "rate_limit: {interval: 1s}",
            warned(&["no request is answered"]),
            Older,
        ),
    ]
}
