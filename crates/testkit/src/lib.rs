//! What the tests and benchmarks of the exporter share: network namespaces of their own, a running exporter and what
//! it exposes, traffic of known size, and a host whose sockets a test decides.
//!
//! It depends on the exporter, which depends on it in tests. Integration tests and benchmarks can therefore pass its
//! types to the exporter. Unit tests inside `src` cannot: there, the exporter is compiled a second time. They use of it
//! only what is bytes, such as [`reply::Reply`].
//!
//! Everything here panics if a test cannot go on, because a test that cannot run fails.

#![forbid(unsafe_code)]
#![expect(clippy::missing_panics_doc, reason = "said once, above")]
#![expect(clippy::must_use_candidate, reason = "a test that drops a result tests nothing, and is seen to")]

pub mod actor;
pub mod exporter;
pub mod host;
pub mod inner;
pub mod link;
pub mod load;
pub mod netns;
pub mod process_table;
pub mod public;
pub mod recording;
pub mod reply;
pub mod scrape;
pub mod stuck;
pub mod traffic;
