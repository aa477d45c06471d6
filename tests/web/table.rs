//! Web configurations, good and bad, with what becomes of each.

use ss_exporter::web::WebConfig;

use super::cases::cases;
use super::fixtures::Fixtures;

/// What the toolkit of Debian's promtool (0.8.2) makes of the same file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toolkit {
    /// The same.
    Same,
    /// It accepts what is refused here, because it fails later, or because it can do what rustls cannot.
    Laxer,
    /// It does not know the keys yet.
    Older,
}

/// What becomes of a configuration.
#[derive(Clone, Copy, Debug)]
pub enum Outcome {
    /// Accepted, with TLS or without.
    Tls,
    Plain,
    /// Accepted with warnings that say all this.
    Warned(&'static [&'static str]),
    /// Refused with a message that says all this.
    Refused(&'static [&'static str]),
}

/// A configuration: what it is called, its text, what becomes of it here and there.
pub struct Case {
    pub name: &'static str,
    pub text: String,
    pub mode: u32,
    pub outcome: Outcome,
    #[cfg_attr(
        not(feature = "promtool-tests"),
        expect(dead_code, reason = "what promtool is compared with")
    )]
    pub toolkit: Toolkit,
}

#[test]
fn every_configuration_of_the_table_has_its_outcome() {
    let fixtures = Fixtures::new();
    let cases = cases(&fixtures);
    assert!(cases.len() >= 95, "{}", cases.len());
    let mut wrong = Vec::new();
    for Case { name, text, mode, outcome, .. } in &cases {
        fixtures.write("web.yml", text);
        fixtures.allow("web.yml", *mode);
        let read = WebConfig::load(&fixtures.path("web.yml"));
        let as_expected = match (outcome, &read) {
            (Outcome::Tls, Ok(config)) => config.tls.is_some() && config.warnings.is_empty(),
            (Outcome::Plain, Ok(config)) => config.tls.is_none() && config.warnings.is_empty(),
            (Outcome::Warned(says), Ok(config)) => {
                let said = config.warnings.join("\n");
                config.tls.is_some() == text.starts_with("tls_server_config")
                    && says.iter().all(|part| said.contains(part))
            }
            (Outcome::Refused(says), Err(error)) => {
                let said = error.to_string();
                said.starts_with(&fixtures.path("web.yml").display().to_string())
                    && says.iter().all(|part| said.contains(part))
            }
            _ => false,
        };
        if !as_expected {
            wrong.push(format!("{name}: expected {outcome:?}, came to {read:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_errors_are_named_at_once_and_no_secret_is() {
    let fixtures = Fixtures::new();
    let text = "tls_server_config: {cert_file: none.pem, max_version: TLS10}\nbasic_auth_users: {alice: hunter2}\n\
                rate_limit: {burst: x}\nhttp_server_config: {headers: {X-Frame-Options: y}}\n";
    fixtures.write("web.yml", text);
    let error = WebConfig::load(&fixtures.path("web.yml")).expect_err("errors");
    assert_eq!(error.errors().len(), 6, "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
}
