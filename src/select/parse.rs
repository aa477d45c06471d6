//! The language of selections: the filters of `ss`, and what else a dump can tell.
//!
//! As in `ss`, `and` and `or` bind equally and from left to right, what stands side by side is joined by
//! `and`, `not` takes the next predicate alone, and filters of states before everything else hold for all
//! of it. Different from `ss`:
//!
//! - A mapped address such as `::ffff:192.0.2.1` is the IPv4 address, and IPv6 networks do not hold the mapped
//!   ones; to `ss` a mapped address also is an IPv6 address, and a network written as mapped holds no IPv4.
//! - `inet:` and `inet6:` narrow the address behind them; in `ss` they narrow the whole list.
//! - `port`, `host` and `net` compare either end, and `in` compares with several values.
//! - `src` and `dst` may be compared by `!=`; signs need no blanks around them; filters of states may stand
//!   anywhere.
//!
//! Refuses to read files and to resolve names: a name stays a name in the tree.

use super::error::{SelectionError, Value};
use super::lex::{Comparison, Token, TokenKind, Tokens};
use super::{Expression, Test, states};
use crate::attribute::ConfiguredNames;
use crate::properties::{Operand, Property};
use crate::terminal::shown;
use sockdiag::StateSet;

mod list;
mod predicate;
mod tcpdump;

/// The longest text in bytes: about 3,000 networks, as many as the kernel takes.
const LONGEST: usize = 65_536;
/// The highest tree: reading, testing and compiling one recurse.
const HIGHEST: usize = 64;
/// How many parentheses and `not` may be open at once: a level can have both.
const DEEPEST: usize = 2 * HIGHEST;

const STATE: &str = "state";
const A_STATE: &str = "the name of a state";
const EXCLUDE: [&str; 2] = ["exclude", "excl"];
/// The words that compare either end.
const EITHER_END: [(&str, [Property; 2], Operand); 3] = [
    ("port", [Property::LocalPort, Property::RemotePort], Operand::Port),
    ("host", [Property::LocalAddress, Property::RemoteAddress], Operand::Address),
    ("net", [Property::LocalAddress, Property::RemoteAddress], Operand::Address),
];
/// Known to `ss` alone.
const NOT_IN_A_DUMP: &str = "autobound";

/// Reads a selection; an empty text selects every socket.
///
/// # Errors
/// The first [`SelectionError`] in the text.
pub fn parse(text: &str, names: &ConfiguredNames) -> Result<Expression, SelectionError> {
    let mut tokens = Tokens::of(text);
    if text.len() > LONGEST {
        let found = format!("{} bytes", text.len());
        return Err(SelectionError { at: 0, found, expected: format!("at most {LONGEST}") });
    }
    let token = tokens.next()?;
    Parser { text, tokens, token, names, open: 0 }.whole().map(|tree| tree.expression)
}

struct Parser<'a> {
    text: &'a str,
    tokens: Tokens<'a>,
    /// The next one.
    token: Token,
    names: &'a ConfiguredNames,
    open: usize,
}

/// An expression and how many levels it has above its tests.
struct Tree {
    expression: Expression,
    height: usize,
}

impl Parser<'_> {
    fn whole(mut self) -> Result<Tree, SelectionError> {
        let tree = match &self.token.kind {
            TokenKind::End => Tree { expression: Expression::Always, height: 0 },
            TokenKind::Word(word) if is_state_filter(word) => {
                let first = self.states()?;
                match self.token.kind {
                    TokenKind::End | TokenKind::And | TokenKind::Or | TokenKind::Close => {
                        self.chain(first)?
                    }
                    _ => {
                        let (at, rest) = (self.token.at, self.expression()?);
                        self.joined(first, &TokenKind::And, rest, at)?
                    }
                }
            }
            _ => self.expression()?,
        };
        if self.token.kind == TokenKind::End {
            return Ok(tree);
        }
        Err(self.error("the end, and, or, or a predicate"))
    }

    fn expression(&mut self) -> Result<Tree, SelectionError> {
        let first = self.primary()?;
        self.chain(first)
    }

    /// What is joined to the first part, from left to right.
    fn chain(&mut self, first: Tree) -> Result<Tree, SelectionError> {
        let mut tree = first;
        loop {
            let at = self.token.at;
            let link = match self.token.kind {
                TokenKind::End | TokenKind::Close => return Ok(tree),
                TokenKind::And | TokenKind::Or => self.take()?.kind,
                _ => TokenKind::And,
            };
            let next = self.primary()?;
            tree = self.joined(tree, &link, next, at)?;
        }
    }

    fn joined(&self, left: Tree, link: &TokenKind, right: Tree, at: usize) -> Result<Tree, SelectionError> {
        let level = |tree: &Tree| match &tree.expression {
            Expression::All(_) => tree.height - usize::from(*link == TokenKind::And),
            Expression::Any(_) => tree.height - usize::from(*link == TokenKind::Or),
            _ => tree.height,
        };
        let height = 1 + level(&left).max(right.height);
        let expression = match link {
            TokenKind::Or => left.expression.or(right.expression),
            _ => left.expression.and(right.expression),
        };
        self.bounded(Tree { expression, height }, at)
    }

    fn bounded(&self, tree: Tree, at: usize) -> Result<Tree, SelectionError> {
        if tree.height <= HIGHEST {
            return Ok(tree);
        }
        let found = format!("more than {HIGHEST} levels");
        Err(SelectionError {
            at: at.min(self.text.len()),
            found,
            expected: "fewer changes between and, or, not".to_owned(),
        })
    }

    /// One predicate, or what stands in parentheses or behind `not`.
    fn primary(&mut self) -> Result<Tree, SelectionError> {
        let at = self.token.at;
        match &self.token.kind {
            TokenKind::Open => {
                self.enter()?;
                let inner = self.expression()?;
                if self.token.kind != TokenKind::Close {
                    return Err(self.error(&format!(") for the ( in column {}", at + 1)));
                }
                self.leave()?;
                Ok(inner)
            }
            TokenKind::Not => {
                self.enter()?;
                let Tree { expression, height } = self.primary()?;
                self.open -= 1;
                self.bounded(
                    Tree { expression: Expression::Not(Box::new(expression)), height: height + 1 },
                    at,
                )
            }
            TokenKind::Word(word) if is_state_filter(word) => self.states(),
            TokenKind::Word(word) => {
                let Some((properties, operand)) = compared(word) else {
                    return Err(self.no_predicate(word));
                };
                self.take()?;
                let expression = self.predicate(&properties, operand)?;
                // A condition of conditions, or the opposite of one; of either end, one of these.
                Ok(Tree { expression, height: 1 + properties.len() })
            }
            _ => Err(self.error(&predicates())),
        }
    }

    fn enter(&mut self) -> Result<(), SelectionError> {
        if self.open == DEEPEST {
            let found = format!("more than {DEEPEST} parentheses and not inside each other");
            return Err(SelectionError { at: self.token.at, found, expected: "fewer".to_owned() });
        }
        self.open += 1;
        self.take().map(drop)
    }

    fn leave(&mut self) -> Result<(), SelectionError> {
        self.open -= 1;
        self.take().map(drop)
    }

    fn no_predicate(&self, word: &str) -> SelectionError {
        let value = Value { at: self.token.at, text: word.to_owned(), quoted: false };
        if word == NOT_IN_A_DUMP {
            let mut error = value.error(predicates());
            error.found += ", which a dump does not report";
            return error;
        }
        if let Some(instead) = tcpdump::instead_of(word) {
            return value.error(instead);
        }
        value.unknown(&predicates(), words())
    }

    /// Filters of states side by side are one: each adds states or takes them away.
    fn states(&mut self) -> Result<Tree, SelectionError> {
        let mut found = None;
        while let TokenKind::Word(word) = &self.token.kind
            && is_state_filter(word)
        {
            let adds = word == STATE;
            self.take()?;
            let values = if self.takes_in()? {
                self.values(A_STATE)?
            } else {
                self.equals()?;
                vec![self.value(A_STATE)?]
            };
            let mut states = StateSet::NONE;
            for value in &values {
                states = states.union(named_states(value)?);
            }
            found = Some(match (adds, found) {
                (true, before) => states.union(before.unwrap_or(StateSet::NONE)),
                (false, before) => before.unwrap_or(StateSet::ALL).without(states),
            });
        }
        let states = found.unwrap_or(StateSet::ALL);
        Ok(Tree { expression: Expression::Is(Test::State(states)), height: 0 })
    }

    fn equals(&mut self) -> Result<(), SelectionError> {
        match self.token.kind {
            TokenKind::Compare(Comparison::Equal) => self.take().map(drop),
            TokenKind::Compare(_) => Err(self.error("=, or the value at once")),
            _ => Ok(()),
        }
    }

    fn equals_or_not(&mut self) -> Result<bool, SelectionError> {
        if self.token.kind == TokenKind::Compare(Comparison::Unequal) {
            return self.take().map(|_| false);
        }
        match self.token.kind {
            TokenKind::Compare(Comparison::Equal) => self.take().map(|_| true),
            TokenKind::Compare(_) => Err(self.error("=, !=, or the value at once")),
            _ => Ok(true),
        }
    }

    fn comparison(&mut self) -> Result<Comparison, SelectionError> {
        if let TokenKind::Compare(comparison) = self.token.kind {
            self.take()?;
            return Ok(comparison);
        }
        Ok(Comparison::Equal)
    }

    fn value(&mut self, expected: &str) -> Result<Value, SelectionError> {
        let (TokenKind::Word(text) | TokenKind::Quoted(text)) = &self.token.kind else {
            return Err(self.error(expected));
        };
        let quoted = matches!(self.token.kind, TokenKind::Quoted(_));
        let value = Value { at: self.token.at, text: text.clone(), quoted };
        self.take()?;
        if value.text.is_empty() { Err(value.error(expected)) } else { Ok(value) }
    }

    /// The token, with the next one in its place.
    fn take(&mut self) -> Result<Token, SelectionError> {
        let next = self.tokens.next()?;
        Ok(std::mem::replace(&mut self.token, next))
    }

    fn error(&self, expected: &str) -> SelectionError {
        let Token { at, end, kind } = &self.token;
        let found = match kind {
            TokenKind::End => "the end".to_owned(),
            _ => format!("\"{}\"", shown(self.text.get(*at..*end).unwrap_or_default())),
        };
        SelectionError { at: *at, found, expected: expected.to_owned() }
    }
}

fn is_state_filter(word: &str) -> bool {
    word == STATE || EXCLUDE.contains(&word)
}

fn named_states(value: &Value) -> Result<StateSet, SelectionError> {
    states::states_named(&value.text).ok_or_else(|| {
        let names = states::state_names().collect::<Vec<_>>().join(", ");
        value.unknown(&names, states::state_names())
    })
}

/// The properties that a word compares, and with what.
fn compared(word: &str) -> Option<(Vec<Property>, Operand)> {
    let of_one = Property::predicates().find(|(known, ..)| *known == word);
    let of_one = of_one.map(|(_, property, predicate)| (vec![property], predicate.operand));
    of_one.or_else(|| {
        let (_, properties, operand) = EITHER_END.iter().find(|(known, ..)| *known == word)?;
        Some((properties.to_vec(), *operand))
    })
}

/// The words that a predicate begins with.
fn words() -> impl Iterator<Item = &'static str> {
    Property::predicates().map(|(word, ..)| word).chain(EITHER_END.iter().map(|(word, ..)| *word))
}

fn predicates() -> String {
    format!("(, not, {}", words().collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests;
