//! The arguments of the command `top`.

use std::path::PathBuf;

use clap::Args;

use super::sockets::ProtocolFlags;

/// The arguments of the command `top`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct TopArguments {
    /// Filter in the language of ss, such as dst 10.0.0.0/8 and process = nginx; quote it if it has parentheses
    #[arg(value_name = "FILTER")]
    pub filter: Vec<String>,

    /// Which protocols.
    #[command(flatten)]
    pub protocols: ProtocolFlags,

    /// Seconds between two samples
    #[arg(long, default_value_t = 2, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub interval: u64,

    /// Show the sockets of a running exporter, such as `http://web1:8020`, in place of those of this host; the URL or
    /// ~/.netrc may have a user and a password
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,

    /// File with the authorities to trust for an https URL, in place of those of the system
    #[arg(long, value_name = "FILE", requires = "url")]
    pub ca_file: Option<PathBuf>,

    /// Trust any certificate for an https URL
    #[arg(long, requires = "url", conflicts_with = "ca_file")]
    pub insecure: bool,
}
