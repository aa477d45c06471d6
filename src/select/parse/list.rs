//! Several values behind `in`: `(80, 443)`, or one word with commas.

use super::super::error::{SelectionError, Value};
use super::super::lex::TokenKind;
use super::Parser;

impl Parser<'_> {
    /// Whether `in` stands next; it is taken.
    pub(super) fn takes_in(&mut self) -> Result<bool, SelectionError> {
        let stands = matches!(&self.token.kind, TokenKind::Word(word) if word == "in");
        if stands {
            self.take()?;
        }
        Ok(stands)
    }

    /// The values behind `in`, at least one.
    pub(super) fn values(&mut self, expected: &str) -> Result<Vec<Value>, SelectionError> {
        let is_list = self.token.kind == TokenKind::Open;
        if is_list {
            self.take()?;
        }
        let mut all = Vec::new();
        loop {
            all.extend(parts(self.value(expected)?));
            if !is_list || self.token.kind == TokenKind::Close {
                break;
            }
        }
        if all.is_empty() {
            return Err(self.error(expected));
        }
        if is_list {
            self.take()?;
        }
        Ok(all)
    }
}

/// What stands between the commas of a word. Between quotation marks, a comma is a part of the name.
fn parts(value: Value) -> Vec<Value> {
    if value.quoted {
        return vec![value];
    }
    let mut at = value.at;
    let mut all = Vec::new();
    for part in value.text.split(',') {
        if !part.is_empty() {
            all.push(Value { at, text: part.to_owned(), quoted: false });
        }
        at += part.len() + 1;
    }
    all
}
