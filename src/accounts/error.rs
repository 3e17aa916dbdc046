use std::time::Duration;

use super::PasswordError;
use crate::database::DatabaseError;
use crate::domain::NameError;

/// Why something about an account was not done.
#[derive(Debug)]
pub enum AccountError {
    InvalidName(NameError),
    /// Somebody else has the name, or one that looks the same.
    NameTaken,
    UnfitPassword(PasswordError),
    /// The name has a password, and none was given.
    PasswordRequired,
    WrongPassword,
    /// The old password, given to change it, is wrong.
    WrongCurrentPassword,
    /// Too many log-ins from an address, or too many wrong passwords.
    TooManyAttempts {
        retry_after: Duration,
    },
    /// The name has been logged in to as often as it may be within a day.
    TooManyLogIns {
        retry_after: Duration,
    },
    /// The session that asks has ended meanwhile.
    SessionEnded,
    /// The user has no session with this id.
    NoSuchSession,
    /// Too many passwords wait to be hashed.
    Busy,
    /// It failed for a reason that is in the log.
    Internal,
    Database(DatabaseError),
}

impl From<NameError> for AccountError {
    fn from(error: NameError) -> Self {
        Self::InvalidName(error)
    }
}

impl From<PasswordError> for AccountError {
    fn from(error: PasswordError) -> Self {
        Self::UnfitPassword(error)
    }
}

impl From<DatabaseError> for AccountError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}
