//! Words that people type or that processes choose: which known one was meant, which could name a host, how to
//! show one on a terminal.
//!
//! Refuses to know what a word means.

use std::ops::RangeInclusive;

/// Characters that act on a terminal or on the order of the text around them, and invisible ones: control
/// characters (C0, DEL, C1), line and paragraph separators, bidirectional controls and invisible format characters,
/// tags included.
const ACTIVE: [RangeInclusive<char>; 11] = [
    '\u{0}'..='\u{1f}',
    '\u{7f}'..='\u{9f}',
    '\u{ad}'..='\u{ad}',
    '\u{61c}'..='\u{61c}',
    '\u{180e}'..='\u{180e}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{feff}'..='\u{feff}',
    '\u{fff9}'..='\u{fffb}',
    '\u{e0000}'..='\u{e007f}',
];

/// Whether a character does something else than to be seen.
pub(crate) fn is_active(letter: char) -> bool {
    ACTIVE.iter().any(|range| range.contains(&letter))
}

/// A text that only shows on a terminal: U+FFFD in place of each active character.
#[must_use]
pub fn inert(text: &str) -> String {
    text.chars().map(|letter| if is_active(letter) { char::REPLACEMENT_CHARACTER } else { letter }).collect()
}

/// The same for lines: line feeds and tabs stay.
#[must_use]
pub fn inert_lines(text: &str) -> String {
    let stays = |letter: &char| matches!(letter, '\n' | '\t') || !is_active(*letter);
    text.chars().map(|letter| if stays(&letter) { letter } else { char::REPLACEMENT_CHARACTER }).collect()
}

/// A text in JSON that says the same, with each active character as an escape; what a text in JSON has outside of its
/// strings stays.
#[must_use]
pub fn inert_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter.is_ascii() && letter != '\u{7f}' || !is_active(letter) {
            out.push(letter);
        } else {
            let escape = |unit: &mut u16| format!("\\u{unit:04x}");
            out.extend(letter.encode_utf16(&mut [0; 2]).iter_mut().map(escape));
        }
    }
    out
}

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

    /// One of each kind: C0, DEL, C1, soft hyphen, bidirectional marks, embeddings, overrides and isolates, separators,
    /// invisible ones, tags.
    const ACTING: &str = "\0\u{7}\u{8}\r\u{1b}\u{7f}\u{80}\u{9b}\u{9d}\u{9f}\u{ad}\u{61c}\u{200b}\u{200e}\u{200f}\u{2028}\u{2029}\
                          \u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2060}\u{2066}\u{2067}\u{2068}\u{2069}\u{feff}\u{e0001}\u{e0041}\u{e007f}";

    #[test]
    fn no_character_of_a_shown_text_acts_on_a_terminal() {
        for letter in ACTING.chars() {
            let text = format!("a{letter}b");
            assert_eq!(inert(&text), "a\u{fffd}b", "{letter:?}");
            assert_eq!(inert_lines(&text), "a\u{fffd}b", "{letter:?}");
        }
        let harmless = "nginx: worker (k\u{fc}che) \u{e01}\u{e34} \u{1f600} \u{5d0}\u{5d1} \u{a0}~";
        assert_eq!(inert(harmless), harmless);
        assert_eq!(inert("a\tb\nc"), "a\u{fffd}b\u{fffd}c");
        assert_eq!(inert_lines("a\tb\nc"), "a\tb\nc");
    }

    #[test]
    fn no_character_of_a_json_text_acts_on_a_terminal_and_none_is_lost() {
        let value = serde_json::json!({ "a": [ACTING, "\u{fc}\u{1f600}"] });
        for json in [value.to_string(), format!("{value:#}")] {
            let inert = inert_json(&json);
            assert!(inert.chars().all(|letter| letter == '\n' || !is_active(letter)), "{inert}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&inert).expect("JSON"), value);
        }
    }

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
