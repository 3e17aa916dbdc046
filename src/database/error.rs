use std::sync::Arc;

use sqlx::error::ErrorKind;

/// Why a statement failed, and in which context. Mistakes of users are not here: each
/// method returns those as values.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DatabaseError {
    /// There is no connection to `database`.
    #[error("cannot connect to {database}: {}", reason(.source))]
    Unreachable { database: &'static str, source: Arc<sqlx::Error> },
    /// `database` answers, but lacks something that the server needs.
    #[error("{database} {missing}")]
    Unfit { database: &'static str, missing: String },
    /// A temporary failure: the database is unreachable, starting, full,
    /// read-only, no connection free, a deadlock.
    #[error("the database is unavailable (to {context}): {source}")]
    Unavailable { context: &'static str, source: Arc<sqlx::Error> },
    /// A permanent failure: a bug in this program or a foreign schema.
    #[error("the database refused to {context}: {source}")]
    Broken { context: &'static str, source: Arc<sqlx::Error> },
}

impl DatabaseError {
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Unreachable { .. })
    }
}

/// The message of PostgreSQL or the system, without the library's prefix.
fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::Database(error) => error.message().to_owned(),
        other => other.to_string(),
    }
}

/// Adds what was being done when a statement failed, as the verb of a sentence.
pub trait Context<T> {
    fn context(self, context: &'static str) -> Result<T, DatabaseError>;
}

impl<T> Context<T> for Result<T, sqlx::Error> {
    fn context(self, context: &'static str) -> Result<T, DatabaseError> {
        self.map_err(|source| {
            let transient = is_transient(&source);
            let source = Arc::new(source);
            if transient {
                DatabaseError::Unavailable { context, source }
            } else {
                DatabaseError::Broken { context, source }
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
        // A connection that ended in the middle of an answer.
        sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(database) => database.code().is_some_and(|code| is_transient_state(&code)),
        _ => false,
    }
}

/// SQLSTATEs that are worth a retry (PostgreSQL manual, appendix A).
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

/// Whether a statement failed because a referenced row does not exist.
pub(super) fn is_missing_reference(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(database) if database.kind() == ErrorKind::ForeignKeyViolation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_told_from_what_will_not() {
        let gone = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert!(Err::<(), _>(sqlx::Error::Io(gone)).context("read").unwrap_err().is_unavailable());
        assert!(Err::<(), _>(sqlx::Error::PoolTimedOut).context("read").unwrap_err().is_unavailable());
        assert!(!Err::<(), _>(sqlx::Error::RowNotFound).context("read").unwrap_err().is_unavailable());
        for (code, transient) in
            [("57P01", true), ("53100", true), ("25006", true), ("42P01", false), ("23505", false)]
        {
            assert_eq!(is_transient_state(code), transient, "{code}");
        }
    }
}
