//! What is read of `/proc/PID/stat` (`proc_pid_stat(5)`).

use super::super::dir::label_text;

/// The name of a process, the time of its start, and what it runs as.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Stat {
    /// The name that it gave itself.
    pub(super) comm: String,
    /// When it started, in clock ticks since boot: it distinguishes processes of one id.
    pub(super) start: u64,
    /// How many threads it has, the main one included until all have ended.
    pub(super) threads: u32,
    /// Whether the main thread has ended.
    has_ended: bool,
}

impl Stat {
    /// Whether the main thread has ended and others go on, which hold what it no longer shows.
    pub(super) const fn is_leaderless(&self) -> bool {
        self.has_ended && self.threads > 1
    }

    /// Field 2, without its parentheses, and fields 3, 20 and 22; `None` for what the kernel would not write.
    ///
    /// The kernel escapes a name in `/proc/PID/status` alone: here it is byte for byte the process's own.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        // A process may put parentheses and spaces into its name, but what follows has no parenthesis.
        let open = text.iter().position(|byte| *byte == b'(')?;
        let close = text.iter().rposition(|byte| *byte == b')')?;
        let comm = text.get(open + 1..close)?;
        let rest = std::str::from_utf8(text.get(close + 1..)?).ok()?;
        let mut fields = rest.split_ascii_whitespace();
        let has_ended = matches!(fields.next()?, "Z" | "X");
        let threads = fields.nth(16)?.parse().ok()?;
        let start = fields.nth(1)?.parse().ok()?;
        Some(Self { comm: label_text(comm), start, threads, has_ended })
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::CWD;

    use super::super::handle::Handle;
    use super::*;

    fn line(comm: &str) -> String {
        format!("7 ({comm}) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 1234 56")
    }

    #[test]
    fn a_comm_with_anything_in_it_moves_no_field() {
        for (written, expected) in [
            ("sshd", "sshd"),
            ("", ""),
            (") S 1 (", ") S 1 ("),
            ("a\\b\nc", "a\\b\nc"),
            ("kworker/u8:2-ev", "kworker/u8:2-ev"),
        ] {
            let stat = Stat::parse(line(written).as_bytes());
            let expected = Stat { comm: expected.to_owned(), start: 98_765, threads: 1, has_ended: false };
            assert_eq!(stat, Some(expected), "{written}");
        }
    }

    #[test]
    fn a_name_is_shown_as_the_process_gave_it_whichever_bytes_it_has() {
        let named = |name: &[u8]| {
            rustix::thread::set_name(&std::ffi::CString::new(name).expect("no zero")).expect("a name");
            let folder = super::super::super::dir::open(CWD, "/proc/thread-self").expect("this thread");
            Handle::of(folder).stat().expect("a name").comm
        };
        for byte in 1..=u8::MAX {
            for name in
                [vec![byte], vec![b'a', byte, b'b'], vec![byte; 15], vec![b'\\', byte], vec![byte, b')']]
            {
                assert_eq!(named(&name), String::from_utf8_lossy(&name), "{name:?}");
            }
        }
        assert_eq!(named(b""), "");
    }

    #[test]
    fn a_process_is_leaderless_if_its_main_thread_has_ended_and_others_have_not() {
        for (state, threads, is_leaderless) in
            [("S", 9, false), ("Z", 1, false), ("Z", 2, true), ("X", 3, true)]
        {
            let text = line("x")
                .replace(" S ", &format!(" {state} "))
                .replace(" 20 0 1 ", &format!(" 20 0 {threads} "));
            let stat = Stat::parse(text.as_bytes()).expect("a line of the kernel");
            assert_eq!((stat.threads, stat.is_leaderless()), (threads, is_leaderless), "{text}");
        }
    }

    #[test]
    fn what_is_cut_short_is_nothing() {
        let whole = line("sshd");
        let start = whole.find("98765").unwrap();
        for length in 0..start {
            assert_eq!(Stat::parse(&whole.as_bytes()[..length]), None, "{length}");
        }
    }
}
