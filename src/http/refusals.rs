//! Handshakes that failed, in the log: a warning for each reason, and at most one per minute.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::{CertificateError, Error};

/// The shortest time between two warnings of one reason.
const BETWEEN_WARNINGS: Duration = Duration::from_mins(1);

/// Why a handshake failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum HandshakeRefusal {
    /// The client speaks HTTP where TLS is spoken.
    #[error("plain HTTP where TLS is spoken")]
    NotTls,
    /// The same, as `--healthcheck` does it.
    #[error("a health check in plain HTTP where TLS is spoken")]
    HealthCheck,
    /// The client did not accept this server, or this server did not accept the client.
    #[error(transparent)]
    Tls(Error),
}

impl HandshakeRefusal {
    /// What an error of a handshake refuses; nothing if the connection was only lost.
    pub(super) fn of_tls(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref::<Error>().cloned().map(Self::Tls)
    }

    /// The reason in one of a few sentences; `None` if it is not worth a warning.
    fn reason(&self) -> Option<&'static str> {
        match self {
            Self::NotTls => Some("the client speaks plain HTTP, and this server TLS"),
            Self::HealthCheck => None,
            Self::Tls(error) => Some(reason(error)),
        }
    }
}

fn reason(error: &Error) -> &'static str {
    match error {
        Error::NoCertificatesPresented => "the client has no certificate",
        Error::InvalidCertificate(wrong) => of_certificate(wrong),
        Error::PeerIncompatible(_) => {
            "the client has no TLS version, cipher suite or curve in common with this server"
        }
        Error::AlertReceived(_) => "the client refused this server",
        Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => "the client does not speak TLS",
        _ => "the TLS handshake failed",
    }
}

fn of_certificate(wrong: &CertificateError) -> &'static str {
    match wrong {
        CertificateError::UnknownIssuer => {
            "no authority of client_ca_file has signed the certificate of the client"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the certificate of the client or its authority has expired"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the certificate of the client or its authority is not valid yet"
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the certificate of the client is not for clients (extendedKeyUsage)"
        }
        CertificateError::ApplicationVerificationFailure => {
            "the certificate of the client has no name of client_allowed_sans"
        }
        CertificateError::BadSignature => "the signature of the client or of its certificate is wrong",
        // An error of webpki, which rustls passes on without a variant of its own.
        CertificateError::Other(other) => match other.to_string().as_str() {
            text if text.contains("CaUsedAsEndEntity") => {
                "the certificate of the client is an authority (CA:TRUE) and does not stand in client_ca_file"
            }
            text if text.contains("UnsupportedCertVersion") => {
                "the certificate of the client is of X.509 version 1"
            }
            _ => "the certificate of the client cannot be verified",
        },
        _ => "the certificate of the client cannot be verified",
    }
}

/// What was logged, by reason.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<BTreeMap<&'static str, Logged>>);

#[derive(Debug, Default)]
struct Logged {
    at: Option<Instant>,
    /// Refusals since then.
    since: u64,
}

impl Refusals {
    /// Logs a refusal, or counts it for the next warning of its reason.
    pub(super) fn log(&self, refusal: &HandshakeRefusal, client: Option<IpAddr>) {
        let due = refusal.reason().and_then(|reason| Some((reason, self.due(reason, Instant::now())?)));
        let Some((reason, times)) = due else {
            return tracing::debug!(error = %refusal, "a handshake was refused");
        };
        let client = client.map(|client| client.to_canonical().to_string()).unwrap_or_default();
        tracing::warn!(reason, error = %refusal, client, times, "a handshake was refused");
    }

    /// How many refusals a warning stands for, if it is time for one.
    fn due(&self, reason: &'static str, now: Instant) -> Option<u64> {
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let logged = logged.entry(reason).or_default();
        logged.since += 1;
        let due = logged.at.is_none_or(|at| now.saturating_duration_since(at) >= BETWEEN_WARNINGS);
        due.then(|| {
            logged.at = Some(now);
            std::mem::take(&mut logged.since)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_logged_once_a_minute_with_a_count() {
        let (refusals, start) = (Refusals::default(), Instant::now());
        let due = |reason, seconds| refusals.due(reason, start + Duration::from_secs(seconds));
        assert_eq!([due("a", 0), due("b", 0), due("a", 1), due("a", 59)], [Some(1), Some(1), None, None]);
        assert_eq!([due("a", 60), due("a", 61), due("b", 61)], [Some(3), None, Some(1)]);
    }

    #[test]
    fn a_lost_connection_and_a_health_check_are_no_refusals() {
        assert!(HandshakeRefusal::of_tls(&io::ErrorKind::UnexpectedEof.into()).is_none());
        assert_eq!(HandshakeRefusal::HealthCheck.reason(), None);
        let refused = HandshakeRefusal::of_tls(&io::Error::other(Error::NoCertificatesPresented));
        assert_eq!(refused.and_then(|refusal| refusal.reason()), Some("the client has no certificate"));
    }
}
