use std::process::ExitCode;

/// What the process ends with, for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is as it should be.
    Good,
    /// It is not, and does not become so by itself.
    Bad,
    /// It is not yet, or cannot be told.
    NotYet,
    /// The command was wrong, or the cluster could not be asked.
    Error,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Exit::Good => 0,
            Exit::Bad => 1,
            Exit::NotYet => 2,
            Exit::Error => 3,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}
