//! Words that people type: which known one was meant, which could name a host, how to show one.
//!
//! Refuses to know what a word means.

/// The known name that a word was probably meant to be.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let letters = word.chars().count();
    known
        .map(|name| (distance(word, name), name))
        .filter(|(distance, name)| distance * 3 <= letters.max(name.len()))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// How many letters must be added, removed or replaced; upper case counts as lower case.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.to_lowercase().chars().enumerate() {
        let (mut left, mut next) = (index + 1, vec![index + 1]);
        for (target, above) in other.iter().zip(row.windows(2)) {
            if let &[diagonal, above] = above {
                left = (diagonal + usize::from(*target != letter)).min(above + 1).min(left + 1);
                next.push(left);
            }
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// The beginning of a text, fit for one line of a message.
pub(crate) fn shown(text: &str) -> String {
    const MOST: usize = 60;
    let mut shown: String = text.chars().take(MOST).flat_map(char::escape_debug).collect();
    if text.chars().count() > MOST {
        shown.push_str("...");
    }
    shown
}

/// Whether a resolver could know the text: letters, digits, `-` and `_` between dots (RFC 1123,
/// section 2.1), and no number at the end, which would be a broken IPv4 address.
pub(crate) fn is_host_name(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= 253 && name.split('.').all(is_label) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_is_the_number_of_edits() {
        for (one, other, edits) in [
            ("", "", 0),
            ("", "rtt", 3),
            ("rtt", "", 3),
            ("rtt", "RTT", 0),
            ("gagues", "gauges", 2),
            ("cwnds", "cwnd", 1),
        ] {
            assert_eq!(distance(one, other), edits, "{one} {other}");
        }
    }

    #[test]
    fn the_nearest_name_is_none_if_every_name_is_far() {
        let known = || ["gauges", "histograms", "counters"].into_iter();
        assert_eq!(nearest("gagues", known()), Some("gauges"));
        assert_eq!(nearest("Counter", known()), Some("counters"));
        assert_eq!(nearest("x", known()), None);
        assert_eq!(nearest("selection", known()), None);
        assert_eq!(nearest("", known()), None);
    }
}
