//! Patterns of names: `*` is any run of bytes, `?` is one.

/// Whether the text is a pattern and no name.
pub(crate) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Whether the pattern fits the whole name.
pub(crate) fn fits(mut pattern: &[u8], mut name: &[u8]) -> bool {
    // Where to go on if the last star is to swallow one byte more.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern, name, retry) {
            ([b'*', rest @ ..], ..) => {
                retry = Some((rest, name));
                pattern = rest;
            }
            ([letter, rest @ ..], [first, others @ ..], _) if letter == first || *letter == b'?' => {
                (pattern, name) = (rest, others);
            }
            ([], [], _) => return true,
            (_, _, Some((rest, [_, others @ ..]))) => {
                retry = Some((rest, others));
                (pattern, name) = (rest, others);
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_star_is_any_run_and_a_question_mark_one_letter() {
        for (pattern, name, fit) in [
            ("sockets", "sockets", true),
            ("sockets", "socket", false),
            ("socket", "sockets", false),
            ("*", "", true),
            ("*", "rtt_seconds", true),
            ("retransmitted_*", "retransmitted_bytes_total", true),
            ("retransmitted_*", "sent_bytes_total", false),
            ("*_bytes_total", "sent_bytes_total", true),
            ("*_bytes_*l", "sent_bytes_bytes_total", true),
            ("*a*b", "aabab", true),
            ("*a*b", "aaba", false),
            ("???_seconds", "rtt_seconds", true),
            ("??_seconds", "rtt_seconds", false),
            ("?", "", false),
            ("**?", "x", true),
            ("", "", true),
        ] {
            assert_eq!(fits(pattern.as_bytes(), name.as_bytes()), fit, "{pattern} {name}");
        }
    }

    /// The definition, letter by letter.
    fn defined(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern, name) {
            ([b'*', rest @ ..], _) => {
                defined(rest, name) || matches!(name, [_, others @ ..] if defined(pattern, others))
            }
            ([letter, rest @ ..], [first, others @ ..]) => {
                (*letter == b'?' || letter == first) && defined(rest, others)
            }
            ([], []) => true,
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn the_matcher_agrees_with_the_definition(pattern in "[ab*?]{0,8}", name in "[ab]{0,8}") {
            prop_assert_eq!(fits(pattern.as_bytes(), name.as_bytes()), defined(pattern.as_bytes(), name.as_bytes()));
        }
    }
}
