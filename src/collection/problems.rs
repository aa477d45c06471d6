//! Why a collection is not complete.

/// Why a collection is not complete, in one line.
#[derive(Default)]
pub(super) struct Problems(pub(super) String);

impl Problems {
    pub(super) fn add(&mut self, problem: String) {
        if self.0.is_empty() {
            self.0 = problem;
        } else {
            self.0 = format!("{}; {problem}", self.0);
        }
    }
}
