//! Texts of others on a terminal, in a log or in JSON: no character acts on the reader's terminal.

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

/// Whether a character acts instead of being displayed.
pub(crate) fn is_active(letter: char) -> bool {
    ACTIVE.iter().any(|range| range.contains(&letter))
}

/// A text that only shows on a terminal: U+FFFD in place of each active character.
pub(crate) fn inert(text: &str) -> String {
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

/// The beginning of a text, escaped for one line of a message.
pub(crate) fn shown(text: &str) -> String {
    const MOST: usize = 60;
    let mut shown: String = text.chars().take(MOST).flat_map(char::escape_debug).collect();
    if text.chars().count() > MOST {
        shown.push_str("...");
    }
    shown
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
}
