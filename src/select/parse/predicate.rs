//! The predicates that are one test of one value.
//!
//! Refuses to know how predicates are joined.

use super::super::Test;
use super::super::mistake::{Mistake, Value, number};
use super::Parser;

const MARK: &str = "a mark such as 0x1, or 0x1/0x3 for the bits that count";

fn mark(value: &Value) -> Result<Test, Mistake> {
    let (bits, mask) = value.text.split_once('/').unwrap_or((&value.text, "0xffffffff"));
    match (number(bits), number(mask)) {
        (Some(value), Some(mask)) => Ok(Test::Mark { value, mask }),
        _ => Err(value.mistake(MARK)),
    }
}

/// The path without the folder where cgroup v2 is mounted, which `ss` wants to see.
fn below_the_root(path: &str) -> &str {
    let inside = path.strip_prefix("/sys/fs/cgroup").filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let inside = inside.map(|rest| rest.strip_prefix("/unified").unwrap_or(rest));
    inside.map_or(path, |rest| if rest.is_empty() { "/" } else { rest })
}

fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

impl Parser<'_> {
    /// The predicates that are one test of one value.
    pub(super) fn test(&mut self, name: &str) -> Result<Test, Mistake> {
        const PID: &str = "a process id from 1 to 4294967295";
        const UID: &str = "a user id from 0 to 4294967295";
        Ok(match name {
            "dev" => {
                let value = self.value("the name or the index of an interface")?;
                let index = number(&value.text).filter(|_| !value.quoted);
                index.map_or(Test::Interface(value.text), Test::InterfaceIndex)
            }
            "fwmark" => mark(&self.value(MARK)?)?,
            "cgroup" => {
                let value = self.value("a path below the root of cgroup v2")?;
                let id = value.text.parse().ok().filter(|_| !value.quoted);
                id.map_or_else(|| Test::Cgroup(below_the_root(&value.text).to_owned()), Test::CgroupId)
            }
            "congestion" => Test::Congestion(self.value("the name of a congestion control algorithm")?.text),
            "cgroup_tree" => {
                let value = self.value("a path below the root of the cgroups")?;
                Test::CgroupTree(below_the_root(&value.text).to_owned())
            }
            "unit" => {
                Test::Unit(self.named(&[".service", ".scope"], "a service or scope such as nginx.service")?)
            }
            "slice" => Test::Slice(self.named(&[".slice"], "a slice such as system.slice")?),
            "container" | "container_id" => Test::Container(self.container()?),
            "pod" | "pod_uid" => Test::Pod(self.pod()?),
            "netns" => Test::Netns(self.value("the name or the inode of a network namespace")?.text),
            "user" => Test::User(self.value("the name of a user")?.text),
            "process" => Test::Command(self.program()?),
            "executable" => Test::Executable(self.program()?),
            "pid" => {
                let value = self.value(PID)?;
                Test::Pid(Some(value.number(PID)?).filter(|pid| *pid > 0).ok_or_else(|| value.mistake(PID))?)
            }
            _ => Test::Uid(self.value(UID)?.number(UID)?),
        })
    }

    /// The name of a process or of its executable.
    fn program(&mut self) -> Result<String, Mistake> {
        let value = self.value("the name of a process")?;
        if value.text.starts_with('/') && !value.quoted {
            return Err(value.mistake("the name of a process without its path"));
        }
        Ok(value.text)
    }

    /// A name that ends as it should.
    fn named(&mut self, endings: &[&str], allowed: &str) -> Result<String, Mistake> {
        let value = self.value(allowed)?;
        let fits = endings.iter().any(|ending| value.text.ends_with(ending));
        if fits { Ok(value.text) } else { Err(value.mistake(allowed)) }
    }

    /// The uid of a pod as Kubernetes writes it, or the hash that a static pod has for one.
    fn pod(&mut self) -> Result<String, Mistake> {
        const ALLOWED: &str = "the uid of a pod, 32 hexadecimal digits with or without dashes between them";
        let value = self.value(ALLOWED)?;
        let has = |groups: &[usize]| value.text.split('-').map(str::len).eq(groups.iter().copied());
        let digits = value.text.bytes().all(|byte| byte == b'-' || is_digit(byte));
        let fits = digits && (has(&[8, 4, 4, 4, 12]) || has(&[32]));
        if fits { Ok(value.text) } else { Err(value.mistake(ALLOWED)) }
    }

    /// The beginning of a container's id, as long as the engines print it at least.
    fn container(&mut self) -> Result<String, Mistake> {
        const ALLOWED: &str = "the first 12 to 64 hexadecimal digits of a container's id";
        let value = self.value(ALLOWED)?;
        let fits = (12..=64).contains(&value.text.len()) && value.text.bytes().all(is_digit);
        if fits { Ok(value.text) } else { Err(value.mistake(ALLOWED)) }
    }
}
