use time::OffsetDateTime;
use uuid::Uuid;

use super::row::row;
use super::{Context, Database, DatabaseError, from_bigint};
use crate::domain::{
    Name, SessionId, TokenHash, UserId, Visibility, rfc3339, search_continued, search_cursor, search_key,
};
use crate::protocol::User;

/// A user with what a log-in needs.
#[derive(Clone, Debug)]
pub struct Account {
    pub user: User,
    /// A PHC string; `None` if no password is set.
    pub password_hash: Option<String>,
    pub visibility: Visibility,
}

/// A user whose name matches a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserMatch {
    /// The key of the match: the cursor of the next page.
    pub key: String,
    pub user: User,
    /// RFC 3339, UTC, milliseconds; `None` if the user never was online.
    pub last_seen: Option<String>,
}

/// The result of setting a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordChange {
    Done,
    /// The password is no longer the one that was verified.
    Outdated,
    /// The session of the request has ended.
    Ended,
}

/// Sorts after every character that a name can have.
const LAST_CHARACTER: char = '\u{10ffff}';

const ACCOUNT_BY_KEY: &str = "SELECT id, name, password_hash, visibility FROM users WHERE name_key = $1";

const ACCOUNT: &str = "SELECT id, name, password_hash, visibility FROM users WHERE id = $1";

const EVERYBODY: &str = "
SELECT id, name, name_key AS key, last_seen_at FROM users WHERE name_key > $1 ORDER BY name_key LIMIT $2";

// A range of the index: nothing in the prefix is a pattern, `%` and `_` are data.
// Somebody with two words that match is found by the first of the two terms.
const SEARCH: &str = "
SELECT u.id, u.name, t.term AS key, u.last_seen_at FROM search_terms t JOIN users u ON u.id = t.user_id
WHERE t.term >= $1 AND t.term < $2 AND t.term > $3 AND NOT EXISTS (
    SELECT FROM search_terms earlier
    WHERE earlier.user_id = t.user_id AND earlier.term >= $1 AND earlier.term < t.term
)
ORDER BY t.term LIMIT $4";

const SET_PASSWORD: &str =
    "UPDATE users SET password_hash = $2 WHERE id = $1 AND password_hash IS NOT DISTINCT FROM $3";

row! {
    struct AccountRow {
        id: Uuid,
        name: String,
        password_hash: Option<String>,
        visibility: i64,
    }
}

row! {
    struct UserMatchRow {
        id: Uuid,
        name: String,
        key: String,
        last_seen_at: Option<OffsetDateTime>,
    }
}

impl Database {
    /// Returns the user of this name, if there is one.
    pub async fn account_named(&self, name: &Name) -> Result<Option<Account>, DatabaseError> {
        let row: Option<AccountRow> = sqlx::query_as(ACCOUNT_BY_KEY)
            .bind(name.key())
            .fetch_optional(&self.pool)
            .await
            .context("find a name")?;
        Ok(row.map(AccountRow::into_account))
    }

    pub async fn account(&self, user: UserId) -> Result<Option<Account>, DatabaseError> {
        let row: Option<AccountRow> =
            sqlx::query_as(ACCOUNT).bind(user.0).fetch_optional(&self.pool).await.context("find a user")?;
        Ok(row.map(AccountRow::into_account))
    }

    /// Returns up to `limit` users with a word in their name that begins with `prefix`,
    /// sorted by what follows from there, after the key `after` of the page before.
    pub async fn search_users(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<UserMatch>, DatabaseError> {
        let prefix = search_key(prefix);
        let query = if prefix.is_empty() {
            sqlx::query_as(EVERYBODY).bind(after.unwrap_or_default().to_owned())
        } else {
            sqlx::query_as(SEARCH)
                .bind(prefix.clone())
                .bind(format!("{prefix}{LAST_CHARACTER}"))
                .bind(after.map(search_continued).unwrap_or_default())
        };
        let rows: Vec<UserMatchRow> =
            query.bind(i64::from(limit)).fetch_all(&self.pool).await.context("search for names")?;
        Ok(rows.into_iter().map(UserMatchRow::into_match).collect())
    }

    /// Sets the password where `old` is the hash of the one before, ends every
    /// other session of the user, and gives this one the secret of `token`: all
    /// of that or nothing.
    pub async fn set_password(
        &self,
        user: UserId,
        (old, new): (Option<&str>, &str),
        session: SessionId,
        token: TokenHash,
    ) -> Result<PasswordChange, DatabaseError> {
        let context = "set a password";
        let mut transaction = self.pool.begin().await.context(context)?;
        let set = sqlx::query(SET_PASSWORD)
            .bind(user.0)
            .bind(new)
            .bind(old)
            .execute(&mut *transaction)
            .await
            .context(context)?;
        if set.rows_affected() == 0 {
            return Ok(PasswordChange::Outdated);
        }
        let renewed = super::sessions::renew_and_end_others(&mut transaction, user, session, token);
        if !renewed.await.context(context)? {
            return Ok(PasswordChange::Ended);
        }
        transaction.commit().await.context(context)?;
        Ok(PasswordChange::Done)
    }
}

impl AccountRow {
    fn into_account(self) -> Account {
        Account {
            user: User { id: UserId(self.id), name: self.name },
            password_hash: self.password_hash,
            visibility: Visibility::from_version(from_bigint(self.visibility)),
        }
    }
}

impl UserMatchRow {
    fn into_match(self) -> UserMatch {
        UserMatch {
            key: search_cursor(&self.key).to_owned(),
            user: User { id: UserId(self.id), name: self.name },
            last_seen: self.last_seen_at.map(rfc3339),
        }
    }
}
