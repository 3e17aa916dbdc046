//! The requirements that a database must meet.

use sqlx::PgConnection;

use super::row::row;
use crate::config::OLDEST_POSTGRES;

const LOOK: &str = "
SELECT current_setting('server_version_num')::int / 10000 AS major, current_setting('server_encoding') AS encoding,
    pg_is_in_recovery() AS is_standby, current_setting('transaction_read_only') = 'on' AS is_read_only,
    current_schema() IS NOT NULL AS has_schema";

row! {
    /// What is looked at.
    pub(super) struct Requirements {
        major: i32,
        encoding: String,
        is_standby: bool,
        is_read_only: bool,
        has_schema: bool,
    }
}

impl Requirements {
    pub async fn check(connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        sqlx::query_as(LOOK).fetch_one(connection).await
    }

    /// Returns what is missing, as the end of a sentence that begins with the database.
    pub fn missing(&self) -> Option<String> {
        let Self { major, encoding, .. } = self;
        if *major < OLDEST_POSTGRES.cast_signed() {
            Some(format!("is of PostgreSQL {major}: {OLDEST_POSTGRES} or newer is needed"))
        } else if encoding != "UTF8" {
            Some(format!(
                "has the encoding {encoding}, in which not every text can be stored: \
                 make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
            ))
        } else if self.is_standby {
            Some("is a standby, which cannot be written to: name the primary".into())
        } else if self.is_read_only {
            Some("is read-only (default_transaction_read_only is on)".into())
        } else if !self.has_schema {
            Some("has no schema for the tables: the search_path leads to none".into())
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_missing_thing_is_said_and_nothing_else() {
        let fit = || Requirements {
            major: 15,
            encoding: "UTF8".into(),
            is_standby: false,
            is_read_only: false,
            has_schema: true,
        };
        assert_eq!(fit().missing(), None);
        for (unfit, said) in [
            (Requirements { major: 14, ..fit() }, "is of PostgreSQL 14: 15 or newer is needed"),
            (Requirements { encoding: "SQL_ASCII".into(), ..fit() }, "has the encoding SQL_ASCII"),
            (Requirements { is_standby: true, is_read_only: true, ..fit() }, "is a standby"),
            (Requirements { is_read_only: true, ..fit() }, "is read-only"),
            (Requirements { has_schema: false, ..fit() }, "has no schema"),
        ] {
            let missing = unfit.missing().unwrap();
            assert!(missing.starts_with(said), "{missing}");
        }
    }
}
