//! Why the program ends with an error, and with which exit code.

/// An exit code and its message.
pub struct Failure {
    /// 1, 2 or 3.
    pub code: u8,
    /// One sentence for users.
    pub message: String,
}

impl Failure {
    /// What failed at run time: exit code 1.
    pub fn at_run_time(message: impl Into<String>) -> Self {
        Self { code: 1, message: message.into() }
    }

    /// A usage error: exit code 2.
    pub fn of_usage(message: impl Into<String>) -> Self {
        Self { code: 2, message: message.into() }
    }
}
