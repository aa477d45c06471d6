//! Text in a page: escaped, always.

use crate::terminal::is_active;

/// Appends text so that no character of it is markup (HTML Living Standard, 13.1.2).
pub(super) fn escape(out: &mut String, text: &str) {
    // Most texts are plain.
    let plain = text.bytes().take_while(|byte| is_plain(*byte)).count();
    let (plain, rest) = text.split_at(plain);
    out.push_str(plain);
    for letter in rest.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // They would change how the page around them reads.
            letter if is_active(letter) => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
}

/// Whether a byte is a letter that stands for itself, whatever surrounds it.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\'')
}

/// The text, escaped.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape(&mut out, text);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_of_a_text_is_markup() {
        assert_eq!(
            escaped("<img src=x onerror='a(\"b\")'>&\u{7}\u{202e}"),
            "&lt;img src=x onerror=&#39;a(&quot;b&quot;)&#39;&gt;&amp;\u{fffd}\u{fffd}"
        );
    }
}
