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
            "unit" => Test::Unit(self.value("the name of a unit such as nginx.service")?.text),
            "slice" => Test::Slice(self.value("the name of a slice such as system.slice")?.text),
            "container" => Test::Container(self.container()?),
            "pod" => Test::Pod(self.value("the uid of a pod")?.text),
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

    /// The beginning of a container's id, as long as the engines print it at least.
    fn container(&mut self) -> Result<String, Mistake> {
        const ALLOWED: &str = "the first 12 to 64 hexadecimal digits of a container's id";
        let value = self.value(ALLOWED)?;
        let digits = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let fits = (12..=64).contains(&value.text.len()) && value.text.bytes().all(digits);
        if fits { Ok(value.text) } else { Err(value.mistake(ALLOWED)) }
    }
}
