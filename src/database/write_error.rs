/// Why a write failed, by what the writer has to do about it.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Another writer was first; retry the batch at once.
    #[error("another writer was first: {0}")]
    Conflict(#[source] sqlx::Error),
    /// A value in the batch cannot be stored; it will fail again.
    #[error("a value was refused: {0}")]
    Rejected(#[source] sqlx::Error),
    /// PostgreSQL answers and cannot store: disk full, read-only, no permission.
    #[error("PostgreSQL cannot store: {0}")]
    Unwritable(#[source] sqlx::Error),
    /// PostgreSQL is not running, is starting, or does not answer. It is unknown whether
    /// a commit in progress has happened.
    #[error("PostgreSQL is away: {0}")]
    Unreachable(#[source] sqlx::Error),
}

impl WriteError {
    /// PostgreSQL could not be reached, whatever the error says.
    pub fn unreachable(error: sqlx::Error) -> Self {
        Self::Unreachable(error)
    }

    /// PostgreSQL did not answer in time.
    pub fn timed_out() -> Self {
        Self::Unreachable(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))
    }

    /// Whether the text of a message is to blame (SQLSTATE class 22: U+0000
    /// and the like).
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Rejected(sqlx::Error::Database(error))
            if error.code().is_some_and(|code| code.starts_with("22")))
    }
}

impl From<sqlx::Error> for WriteError {
    fn from(error: sqlx::Error) -> Self {
        let sqlx::Error::Database(database) = &error else {
            return match error {
                sqlx::Error::Encode(_) | sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => {
                    Self::Rejected(error)
                }
                _ => Self::Unreachable(error),
            };
        };
        match kind_of(database.code().as_deref().unwrap_or_default()) {
            Kind::Conflict => Self::Conflict(error),
            Kind::Rejected => Self::Rejected(error),
            Kind::Unwritable => Self::Unwritable(error),
            Kind::Unreachable => Self::Unreachable(error),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Conflict,
    Rejected,
    Unwritable,
    Unreachable,
}

/// By SQLSTATE (PostgreSQL manual, appendix A). An unknown code counts as
/// `Unwritable`: a message is kept rather than dropped for good.
fn kind_of(code: &str) -> Kind {
    match code {
        // Unique violation, serialisation failure, deadlock.
        "23505" | "40001" | "40P01" => Kind::Conflict,
        // Lock and statement time-outs; shutting down, crashed, starting.
        "55P03" | "57014" | "57P01" | "57P02" | "57P03" | "57P05" => Kind::Unreachable,
        _ => match code.get(..2) {
            // Connection exceptions.
            Some("08") => Kind::Unreachable,
            // Data, integrity, a limit of the program; PostgreSQL's own bugs.
            Some("22" | "23" | "54" | "XX") => Kind::Rejected,
            _ => Kind::Unwritable,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_the_rows_fault_never_drops_a_row() {
        for (code, kind) in [
            ("23505", Kind::Conflict),
            ("40P01", Kind::Conflict),
            ("22021", Kind::Rejected),
            ("54000", Kind::Rejected),
            ("53100", Kind::Unwritable),
            ("25006", Kind::Unwritable),
            ("42501", Kind::Unwritable),
            ("57P01", Kind::Unreachable),
            ("08006", Kind::Unreachable),
            ("", Kind::Unwritable),
            ("ZZ999", Kind::Unwritable),
        ] {
            assert_eq!(kind_of(code), kind, "{code}");
        }
        let reset = sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
        assert!(matches!(WriteError::from(reset), WriteError::Unreachable(_)));
    }
}
