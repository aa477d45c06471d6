//! What is read of `/proc/PID/stat` (`proc_pid_stat(5)`).
//!
//! Refuses to know all fields but two.

use super::super::folder::label_text;

/// The name of a process and the time of its start.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Stat {
    /// The name that it gave itself.
    pub(super) comm: String,
    /// When it started, in clock ticks since boot: it tells apart processes of one id.
    pub(super) start: u64,
}

impl Stat {
    /// Field 2, without its parentheses, and field 22; `None` for what the kernel would not write.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        // A process may put parentheses and spaces into its name, but what follows has no parenthesis.
        let open = text.iter().position(|byte| *byte == b'(')?;
        let close = text.iter().rposition(|byte| *byte == b')')?;
        let comm = text.get(open + 1..close)?;
        let rest = std::str::from_utf8(text.get(close + 1..)?).ok()?;
        let start = rest.split_ascii_whitespace().nth(19)?.parse().ok()?;
        Some(Self { comm: label_text(&unescaped(comm)), start })
    }
}

/// A comm as it is: `proc_task_name` in `fs/proc/array.c` writes newlines and backslashes as `\n` and `\\`.
fn unescaped(comm: &[u8]) -> Vec<u8> {
    let mut bytes = comm.iter().copied();
    let mut text = Vec::with_capacity(comm.len());
    while let Some(byte) = bytes.next() {
        text.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'n') => b'\n',
                Some(escaped) => escaped,
                None => byte,
            },
            _ => byte,
        });
    }
    text
}

#[cfg(test)]
mod tests {
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
            (r"a\nb\\n", "a\nb\\n"),
            ("kworker/u8:2-ev", "kworker/u8:2-ev"),
        ] {
            let stat = Stat::parse(line(written).as_bytes());
            assert_eq!(stat, Some(Stat { comm: expected.to_owned(), start: 98_765 }), "{written}");
        }
    }

    #[test]
    fn a_comm_that_is_no_text_is_made_one() {
        let text = [b"7 (\xff\xfe) ".as_slice(), line("x").split_once(") ").unwrap().1.as_bytes()].concat();
        assert_eq!(Stat::parse(&text).unwrap().comm, "\u{fffd}\u{fffd}");
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
