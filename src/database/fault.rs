/// Why nothing was written, by what the writer is to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Another writer was first; run the batch again at once.
    #[error("another writer was first: {0}")]
    Conflict(#[source] sqlx::Error),
    /// A value in the batch cannot be stored; it will fail again.
    #[error("a value was refused: {0}")]
    Rejected(#[source] sqlx::Error),
    /// PostgreSQL answers and cannot store: disk full, read-only, no permission.
    #[error("PostgreSQL cannot store: {0}")]
    Refusing(#[source] sqlx::Error),
    /// PostgreSQL is not there, starts, or does not answer. Whether a commit
    /// under way has happened is not known.
    #[error("PostgreSQL is away: {0}")]
    Away(#[source] sqlx::Error),
}

impl Fault {
    /// A fault that lies in reaching PostgreSQL, whatever was said.
    pub fn away(error: sqlx::Error) -> Self {
        Self::Away(error)
    }

    /// PostgreSQL did not answer in time.
    pub fn timed_out() -> Self {
        Self::Away(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))
    }

    /// Whether the text of a message is at fault (SQLSTATE class 22: U+0000
    /// and the like).
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Rejected(sqlx::Error::Database(error))
            if error.code().is_some_and(|code| code.starts_with("22")))
    }
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        let sqlx::Error::Database(database) = &error else {
            return match error {
                sqlx::Error::Encode(_) | sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => {
                    Self::Rejected(error)
                }
                _ => Self::Away(error),
            };
        };
        match kind_of(database.code().as_deref().unwrap_or_default()) {
            Kind::Conflict => Self::Conflict(error),
            Kind::Rejected => Self::Rejected(error),
            Kind::Refusing => Self::Refusing(error),
            Kind::Away => Self::Away(error),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Conflict,
    Rejected,
    Refusing,
    Away,
}

/// By SQLSTATE (PostgreSQL manual, appendix A). What is not known counts as
/// `Refusing`: a message is kept rather than dropped for good.
fn kind_of(code: &str) -> Kind {
    match code {
        // Unique violation, serialisation failure, deadlock.
        "23505" | "40001" | "40P01" => Kind::Conflict,
        // Lock and statement time-outs; shutting down, crashed, starting.
        "55P03" | "57014" | "57P01" | "57P02" | "57P03" | "57P05" => Kind::Away,
        _ => match code.get(..2) {
            // Connection exceptions.
            Some("08") => Kind::Away,
            // Data, integrity, a limit of the program; PostgreSQL's own bugs.
            Some("22" | "23" | "54" | "XX") => Kind::Rejected,
            _ => Kind::Refusing,
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
            ("53100", Kind::Refusing),
            ("25006", Kind::Refusing),
            ("42501", Kind::Refusing),
            ("57P01", Kind::Away),
            ("08006", Kind::Away),
            ("", Kind::Refusing),
            ("ZZ999", Kind::Refusing),
        ] {
            assert_eq!(kind_of(code), kind, "{code}");
        }
        let reset = sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
        assert!(matches!(Fault::from(reset), Fault::Away(_)));
    }
}
