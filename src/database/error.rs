use std::sync::Arc;

use sqlx::error::ErrorKind;

/// Why a statement failed, and during what. What people do wrong is not here:
/// each method answers that in its value.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DatabaseError {
    /// There is no connection to `database`.
    #[error("cannot connect to {database}: {}", reason(.source))]
    Unreachable { database: &'static str, source: Arc<sqlx::Error> },
    /// The database cannot do it now and may in a moment: away, starting, full,
    /// read-only, no connection free, a deadlock.
    #[error("the database is unavailable (to {doing}): {source}")]
    Unavailable { doing: &'static str, source: Arc<sqlx::Error> },
    /// It will fail again: a mistake in this program or a foreign schema.
    #[error("the database refused to {doing}: {source}")]
    Broken { doing: &'static str, source: Arc<sqlx::Error> },
}

impl DatabaseError {
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Unreachable { .. })
    }
}

/// What PostgreSQL or the system said, without the library's words for it.
fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::Database(error) => error.message().to_owned(),
        other => other.to_string(),
    }
}

/// Says what was being done when a statement failed: the verb of a sentence.
pub trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, DatabaseError>;
}

impl<T> Doing<T> for Result<T, sqlx::Error> {
    fn doing(self, doing: &'static str) -> Result<T, DatabaseError> {
        self.map_err(|source| {
            let transient = is_transient(&source);
            let source = Arc::new(source);
            if transient {
                DatabaseError::Unavailable { doing, source }
            } else {
                DatabaseError::Broken { doing, source }
            }
        })
    }
}

fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        // A connection that ends in mid-answer.
        sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(database) => database.code().is_some_and(|code| is_transient_state(&code)),
        _ => false,
    }
}

/// SQLSTATEs worth another try (PostgreSQL manual, appendix A).
fn is_transient_state(code: &str) -> bool {
    match code {
        // Read-only: a standby, or a disk that was full.
        "25006" => true,
        // Serialisation failure, deadlock; lock and statement time-outs.
        "40001" | "40P01" | "55P03" | "57014" => true,
        // Shutting down, crashed, starting.
        "57P01" | "57P02" | "57P03" => true,
        // Connection exceptions, insufficient resources, errors of the system.
        _ => code.starts_with("08") || code.starts_with("53") || code.starts_with("58"),
    }
}

/// Whether a statement failed because what it refers to is not there.
pub(super) fn is_missing_reference(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(database) if database.kind() == ErrorKind::ForeignKeyViolation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_told_from_what_will_not() {
        let gone = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert!(Err::<(), _>(sqlx::Error::Io(gone)).doing("read").unwrap_err().is_unavailable());
        assert!(Err::<(), _>(sqlx::Error::PoolTimedOut).doing("read").unwrap_err().is_unavailable());
        assert!(!Err::<(), _>(sqlx::Error::RowNotFound).doing("read").unwrap_err().is_unavailable());
        for (code, transient) in
            [("57P01", true), ("53100", true), ("25006", true), ("42P01", false), ("23505", false)]
        {
            assert_eq!(is_transient_state(code), transient, "{code}");
        }
    }
}
