//! The users that are admitted, each with the hash of a password.

use std::collections::BTreeMap;

use super::secret::Secret;
use crate::strict_yaml::Entry;

/// With less a hash protects nothing; with more, one comparison takes minutes.
const COSTS: std::ops::RangeInclusive<u32> = 4..=18;
/// Beyond it, one comparison takes seconds, and all other comparisons wait for it.
const MAX_FAST_COST: u32 = 14;

/// The users and the hashes of their passwords; none means that every client is admitted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebUsers(BTreeMap<Vec<u8>, Hash>);

/// A bcrypt hash that has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hash {
    pub(super) text: Secret<String>,
    cost: u32,
}

impl WebUsers {
    /// Whether no password is asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The hash of a user's password.
    pub(super) fn hash(&self, user: &[u8]) -> Option<&Hash> {
        self.0.get(user)
    }

    /// A hash of no password, as costly as that of the user in this place of all.
    pub(super) fn decoy(&self, place: u64) -> Hash {
        let count = self.0.len().max(1) as u64;
        let place = usize::try_from(place % count).unwrap_or_default();
        let cost = self.0.values().nth(place).map_or(*COSTS.start(), |hash| hash.cost);
        // No password is known that has this hash.
        let text = format!("$2b${cost:02}$NobodyEverHasThisSaltugFqsCwLzIuYxkVRt1mOae7ZBhNdP0Ui");
        Hash { text: Secret::new(text), cost }
    }
}

pub(super) fn read(entry: &Entry<'_>) -> WebUsers {
    const ALLOWED: &str = "a map of user names to bcrypt hashes, such as htpasswd -nB makes them";
    let mut users = WebUsers::default();
    if entry.is_null() || entry.is_map() {
        let named = entry.named(ALLOWED);
        for (user, entry) in &named {
            users.0.extend(hash(entry).map(|hash| (user.as_bytes().to_vec(), hash)));
        }
        if named.is_empty() {
            entry.error(&format!(
                "found no users, and without one every client would be admitted; expected: {ALLOWED}, or no such key"
            ));
        }
    } else {
        // What was found may be a secret.
        entry.error(&format!("found no map; expected: {ALLOWED}"));
    }
    users
}

fn hash(entry: &Entry<'_>) -> Option<Hash> {
    let text = match &entry.node().value {
        crate::strict_yaml::YamlValue::Str(text) => text.trim(),
        _ => "",
    };
    match cost(text) {
        Some(cost) if COSTS.contains(&cost) => {
            if cost > MAX_FAST_COST {
                entry.warn(&format!(
                    "found a bcrypt hash of cost {cost}: each comparison takes seconds, and the others wait; \
                     {MAX_FAST_COST} is enough"
                ));
            }
            return Some(Hash { text: Secret::new(text.to_owned()), cost });
        }
        Some(cost) => entry.error(&format!(
            "found a bcrypt hash of cost {cost}; expected: {} to {}",
            COSTS.start(),
            COSTS.end()
        )),
        None => entry.error(
            "found what is no bcrypt hash; expected: 60 letters that begin with $2a$, $2b$ or $2y$, \
             as htpasswd -nB makes them",
        ),
    }
    None
}

/// The cost of what is a bcrypt hash.
fn cost(text: &str) -> Option<u32> {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/');
    let rest = ["$2a$", "$2b$", "$2y$"].iter().find_map(|prefix| text.strip_prefix(prefix))?;
    let (cost, digest) = rest.split_once('$')?;
    let whole = cost.len() == 2 && digest.len() == 53 && digest.bytes().all(is_letter);
    let cost = cost.parse().ok().filter(|_| whole)?;
    // What looks right may still have bits where there must be none.
    let cheap = format!("$2b$04${digest}");
    bcrypt::verify([], &cheap).ok()?;
    Some(cost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoy_is_a_hash_of_the_cost_of_a_user() {
        let mut users = WebUsers::default();
        for (name, cost) in [("a", 4), ("b", 6)] {
            let text = Secret::new(bcrypt::hash("x", cost).unwrap());
            users.0.insert(name.into(), Hash { text, cost });
        }
        let costs: Vec<_> = (0..4).map(|place| cost(users.decoy(place).text.reveal())).collect();
        assert_eq!(costs, [Some(4), Some(6), Some(4), Some(6)]);
    }

    #[test]
    fn a_hash_is_distinguished_from_what_only_looks_like_one() {
        let good = bcrypt::hash("x", 4).unwrap();
        assert_eq!(cost(&good), Some(4));
        assert_eq!(cost(&good.replacen("2b", "2y", 1)), Some(4));
        assert_eq!(cost(&good.replacen("$04$", "$31$", 1)), Some(31));
        for bad in [
            &good[..59],
            &good.replacen("2b", "2x", 1),
            &good.replacen("$04$", "$4$$", 1),
            "x",
            "",
            &good.replace('$', "!"),
        ] {
            assert_eq!(cost(bad), None, "{bad}");
        }
    }
}
