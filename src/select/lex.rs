//! The words and signs of a selection, each with its place.

use super::SelectionError;

/// A word or a sign and the bytes of the text that it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) end: usize,
    pub(super) kind: TokenKind,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Open,
    Close,
    Not,
    And,
    Or,
    Compare(Comparison),
    Word(String),
    /// A word between quotation marks, which may hold blanks and signs.
    Quoted(String),
    End,
}

/// How a property is compared with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Above,
    Below,
    AtLeast,
    AtMost,
}

/// The tokens of a text, one after the other.
pub(super) struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

/// The signs, longer ones before those that they begin with.
const SIGNS: [(&str, TokenKind); 14] = [
    ("(", TokenKind::Open),
    (")", TokenKind::Close),
    ("!=", TokenKind::Compare(Comparison::Unequal)),
    ("!", TokenKind::Not),
    ("&&", TokenKind::And),
    ("&", TokenKind::And),
    ("||", TokenKind::Or),
    ("|", TokenKind::Or),
    ("==", TokenKind::Compare(Comparison::Equal)),
    ("=", TokenKind::Compare(Comparison::Equal)),
    (">=", TokenKind::Compare(Comparison::AtLeast)),
    (">", TokenKind::Compare(Comparison::Above)),
    ("<=", TokenKind::Compare(Comparison::AtMost)),
    ("<", TokenKind::Compare(Comparison::Below)),
];

impl<'a> Tokens<'a> {
    /// Of a text, from its beginning.
    pub(super) const fn of(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The next token; behind the last it is the end, again and again.
    pub(super) fn next(&mut self) -> Result<Token, SelectionError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let rest = rest.trim_start();
        let at = self.text.len() - rest.len();
        let (kind, length) = if rest.is_empty() {
            (TokenKind::End, 0)
        } else if let Some((sign, kind)) = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign)) {
            (kind.clone(), sign.len())
        } else if let Some(inside) = rest.strip_prefix('"') {
            quoted(inside).ok_or_else(|| SelectionError {
                at,
                found: "a quotation mark without its partner".to_owned(),
                expected: "\"...\", in which \\ stands before \" and \\".to_owned(),
            })?
        } else {
            let word = rest.split(ends_a_word).next().unwrap_or_default();
            (keyword(word), word.len())
        };
        self.at = at + length;
        Ok(Token { at, end: self.at, kind })
    }
}

/// Whether the text would be read back as one and the same word.
pub(super) fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(ends_a_word) && matches!(keyword(text), TokenKind::Word(_))
}

fn ends_a_word(letter: char) -> bool {
    letter.is_whitespace() || "()!&|=<>\"".contains(letter)
}

/// The text before the closing mark, and the length with both marks.
fn quoted(inside: &str) -> Option<(TokenKind, usize)> {
    let mut name = String::new();
    let mut letters = inside.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((TokenKind::Quoted(name), at + 2)),
            '\\' => name.push(letters.next()?.1),
            other => name.push(other),
        }
    }
    None
}

/// The sign that a word stands for, or the word.
fn keyword(word: &str) -> TokenKind {
    match word {
        "not" => TokenKind::Not,
        "and" => TokenKind::And,
        "or" => TokenKind::Or,
        "eq" => TokenKind::Compare(Comparison::Equal),
        "ne" | "neq" => TokenKind::Compare(Comparison::Unequal),
        "gt" => TokenKind::Compare(Comparison::Above),
        "lt" => TokenKind::Compare(Comparison::Below),
        "ge" | "geq" => TokenKind::Compare(Comparison::AtLeast),
        "le" | "leq" => TokenKind::Compare(Comparison::AtMost),
        other => TokenKind::Word(other.to_owned()),
    }
}
