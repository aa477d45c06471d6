//! Comparing passwords: one at a time on a thread of its own, what was right remembered, the same work for every
//! name.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use aws_lc_rs::rand;

use super::secret::Secret;
use super::users::{Hash, WebUsers};

/// Comparisons that may wait for the one in progress.
const MOST_WAITING: usize = 8;
/// Right passwords that are remembered.
const MOST_KNOWN: usize = 100;

/// Too many comparisons wait already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crowded;

/// Called with whether the password is right; on the thread that compares, or at once.
pub type Verdict = Box<dyn FnOnce(bool) + Send>;

/// What compares passwords.
pub struct Guard {
    known: Arc<Known>,
    jobs: SyncSender<Job>,
}

struct Job {
    keyed_hash: KeyedHash,
    hash: Hash,
    password: Secret<Vec<u8>>,
    is_user: bool,
    verdict: Verdict,
}

/// The verified passwords as keyed hashes. They are of no use elsewhere, not even for the same name and password.
struct Known {
    key: Key,
    verified: Mutex<VecDeque<KeyedHash>>,
    comparisons: AtomicU64,
}

type KeyedHash = Vec<u8>;

impl Guard {
    /// Starts the thread.
    ///
    /// # Errors
    /// If there can be no thread, or the kernel has no random numbers.
    pub(crate) fn start() -> io::Result<Self> {
        let mut key = [0; 32];
        rand::fill(&mut key).map_err(|_| io::Error::other("the kernel gives no random numbers"))?;
        let key = Key::new(HMAC_SHA256, &key);
        let known = Arc::new(Known { key, verified: Mutex::default(), comparisons: AtomicU64::new(0) });
        let (jobs, waiting) = sync_channel(MOST_WAITING);
        let keeper = Arc::clone(&known);
        std::thread::Builder::new().name("passwords".into()).spawn(move || keeper.compare(&waiting))?;
        Ok(Self { known, jobs })
    }

    /// Asks whether this user has that password.
    ///
    /// # Errors
    /// [`Crowded`] if too many comparisons wait already; then there will be no verdict.
    pub(crate) fn ask(
        &self,
        users: &WebUsers,
        user: &[u8],
        password: Vec<u8>,
        verdict: Verdict,
    ) -> Result<(), Crowded> {
        let found = users.hash(user).cloned();
        let is_user = found.is_some();
        let hash = found.unwrap_or_else(|| users.decoy(self.known.place(user)));
        let keyed_hash = self.known.keyed_hash([user, hash.text.reveal().as_bytes(), &password]);
        // For a name that is no user, no password is ever cached.
        if self.known.has(&keyed_hash) && is_user {
            verdict(true);
            return Ok(());
        }
        let job = Job { keyed_hash, hash, password: Secret::new(password), is_user, verdict };
        self.jobs.try_send(job).map_err(|_| Crowded)
    }
}

impl Known {
    /// Compares until no handle is left.
    fn compare(&self, waiting: &Receiver<Job>) {
        while let Ok(Job { keyed_hash, hash, password, is_user, verdict }) = waiting.recv() {
            // Somebody with the same password may have come first.
            let right = self.has(&keyed_hash) || {
                self.comparisons.fetch_add(1, Ordering::Relaxed);
                bcrypt::verify(password.reveal(), hash.text.reveal()).unwrap_or(false)
            };
            let right = right && is_user;
            if right {
                self.remember(keyed_hash);
            }
            verdict(right);
        }
    }

    fn has(&self, keyed_hash: &KeyedHash) -> bool {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner).contains(keyed_hash)
    }

    fn remember(&self, keyed_hash: KeyedHash) {
        let mut right = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if right.contains(&keyed_hash) {
            return;
        }
        if right.len() >= MOST_KNOWN {
            right.pop_front();
        }
        right.push_back(keyed_hash);
    }

    fn keyed_hash(&self, fields: [&[u8]; 3]) -> KeyedHash {
        sign(&self.key, &encoded(fields)).as_ref().to_vec()
    }

    /// A number that a name always has, and that no client can know.
    fn place(&self, user: &[u8]) -> u64 {
        let tag = sign(&self.key, user);
        tag.as_ref().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

/// The fields as one text from which they could be had back: each behind its length.
fn encoded(fields: [&[u8]; 3]) -> Vec<u8> {
    let with_length = |field: &&[u8]| [&(field.len() as u64).to_be_bytes()[..], field].concat();
    fields.iter().flat_map(with_length).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use proptest::prelude::*;

    use super::*;
    use crate::web::WebConfig;

    /// How often a hash was computed since the start.
    fn comparisons(guard: &Guard) -> u64 {
        guard.known.comparisons.load(Ordering::Relaxed)
    }

    fn users(cost: u32) -> WebUsers {
        let hash = bcrypt::hash("right", cost).unwrap();
        let text = format!("basic_auth_users: {{alice: {hash}, bob: {hash}}}");
        WebConfig::parse(std::path::Path::new("web.yml"), &text).unwrap().users
    }

    fn verdict(guard: &Guard, users: &WebUsers, user: &str, password: &str) -> bool {
        let (sender, verdict) = channel();
        let answer = Box::new(move |right| sender.send(right).unwrap());
        guard.ask(users, user.as_bytes(), password.as_bytes().to_vec(), answer).unwrap();
        verdict.recv().unwrap()
    }

    #[test]
    fn a_stranger_and_a_user_take_the_same_work() {
        let (guard, users) = (Guard::start().unwrap(), users(4));
        for user in ["alice", "mallory"] {
            let before = comparisons(&guard);
            assert!((0..3).all(|_| !verdict(&guard, &users, user, "wrong")));
            assert_eq!(comparisons(&guard) - before, 3, "{user}");
        }
    }

    #[test]
    fn a_right_password_is_compared_once() {
        let (guard, users) = (Guard::start().unwrap(), users(4));
        assert!((0..5).all(|_| verdict(&guard, &users, "alice", "right")));
        assert_eq!(comparisons(&guard), 1);
        assert!(verdict(&guard, &users, "bob", "right"));
        assert_eq!(comparisons(&guard), 2);
    }

    #[test]
    fn wrong_passwords_push_nothing_out_and_are_never_right() {
        let (guard, users) = (Guard::start().unwrap(), users(4));
        assert!(verdict(&guard, &users, "alice", "right"));
        for number in 0..2 * MOST_KNOWN {
            assert!(!verdict(&guard, &users, "alice", &number.to_string()));
            assert!(!verdict(&guard, &users, "mallory", "right"));
        }
        let before = comparisons(&guard);
        assert!(verdict(&guard, &users, "alice", "right"));
        assert_eq!(comparisons(&guard), before);
    }

    #[test]
    fn what_is_remembered_does_not_outlive_the_hash() {
        let (guard, old) = (Guard::start().unwrap(), users(4));
        assert!(verdict(&guard, &old, "alice", "right"));
        let hash = bcrypt::hash("other", 4).unwrap();
        let text = format!("basic_auth_users: {{alice: {hash}}}");
        let new = WebConfig::parse(std::path::Path::new("web.yml"), &text).unwrap().users;
        assert!(!verdict(&guard, &new, "alice", "right"));
        assert!(verdict(&guard, &new, "alice", "other"));
        assert!(!verdict(&guard, &new, "bob", "right"));
    }

    #[test]
    fn no_more_than_eight_wait() {
        let (guard, users) = (Guard::start().unwrap(), users(10));
        let refused = (0..40).filter(|number| {
            let password = number.to_string().into_bytes();
            guard.ask(&users, b"alice", password, Box::new(|right| assert!(!right))) == Err(Crowded)
        });
        let refused = refused.count();
        assert!((30..=31 + 1).contains(&refused), "{refused}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn no_two_logins_are_remembered_as_one(
            one in proptest::array::uniform3(proptest::collection::vec(0_u8..3, 0..4)),
            other in proptest::array::uniform3(proptest::collection::vec(0_u8..3, 0..4)),
        ) {
            let text = |fields: &[Vec<u8>; 3]| encoded(fields.each_ref().map(Vec::as_slice));
            prop_assert_eq!(text(&one) == text(&other), one == other);
        }
    }
}
