use sqlx::FromRow;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Database, DatabaseError, Doing, from_bigint};
use crate::domain::{Name, SessionId, UserId, Visibility, name_key, rfc3339};
use crate::protocol::User;

/// A user with what is needed to let somebody in.
#[derive(Clone, Debug)]
pub struct Account {
    pub user: User,
    /// A PHC string; none where no password was set.
    pub password_hash: Option<String>,
    pub visibility: Visibility,
}

/// A user whose name was searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The normal form of the name, by which the search goes on.
    pub key: String,
    pub user: User,
    /// RFC 3339, UTC, milliseconds; none of who never was online.
    pub last_seen: Option<String>,
}

/// Sorts after every character that a name can have.
const LAST_CHARACTER: char = '\u{10ffff}';

const ACCOUNT_BY_KEY: &str = "SELECT id, name, password_hash, visibility FROM users WHERE name_key = $1";

const ACCOUNT: &str = "SELECT id, name, password_hash, visibility FROM users WHERE id = $1";

// A range of the index: nothing in the prefix is a pattern, `%` and `_` are data.
const SEARCH: &str = "
SELECT id, name, name_key, last_seen_at FROM users
WHERE name_key >= $1 AND name_key < $2 AND name_key > $3 ORDER BY name_key LIMIT $4";

const SET_PASSWORD: &str = "UPDATE users SET password_hash = $2 WHERE id = $1";

#[derive(FromRow)]
struct AccountRow {
    id: Uuid,
    name: String,
    password_hash: Option<String>,
    visibility: i64,
}

#[derive(FromRow)]
struct FoundRow {
    id: Uuid,
    name: String,
    name_key: String,
    last_seen_at: Option<OffsetDateTime>,
}

impl Database {
    /// The user of this name, if there is one.
    pub async fn account_named(&self, name: &Name) -> Result<Option<Account>, DatabaseError> {
        let row: Option<AccountRow> = sqlx::query_as(ACCOUNT_BY_KEY)
            .bind(name.key())
            .fetch_optional(&self.pool)
            .await
            .doing("find a name")?;
        Ok(row.map(AccountRow::into_account))
    }

    pub async fn account(&self, user: UserId) -> Result<Option<Account>, DatabaseError> {
        let row: Option<AccountRow> =
            sqlx::query_as(ACCOUNT).bind(user.0).fetch_optional(&self.pool).await.doing("find a user")?;
        Ok(row.map(AccountRow::into_account))
    }

    /// Up to `limit` users whose name begins with `prefix`, sorted by key, after
    /// the key `after`.
    pub async fn search_users(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Found>, DatabaseError> {
        let prefix = name_key(prefix);
        let rows: Vec<FoundRow> = sqlx::query_as(SEARCH)
            .bind(&prefix)
            .bind(format!("{prefix}{LAST_CHARACTER}"))
            .bind(after.unwrap_or_default())
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .doing("search for names")?;
        Ok(rows.into_iter().map(FoundRow::into_found).collect())
    }

    /// Sets the password and ends every other session of the user, both or
    /// neither.
    pub async fn set_password(
        &self,
        user: UserId,
        password_hash: &str,
        keep: SessionId,
    ) -> Result<(), DatabaseError> {
        let doing = "set a password";
        let mut transaction = self.pool.begin().await.doing(doing)?;
        sqlx::query(SET_PASSWORD)
            .bind(user.0)
            .bind(password_hash)
            .execute(&mut *transaction)
            .await
            .doing(doing)?;
        super::sessions::delete_others(&mut transaction, user, keep).await.doing(doing)?;
        transaction.commit().await.doing(doing)
    }
}

impl AccountRow {
    fn into_account(self) -> Account {
        Account {
            user: User { id: UserId(self.id), name: self.name },
            password_hash: self.password_hash,
            visibility: Visibility(from_bigint(self.visibility)),
        }
    }
}

impl FoundRow {
    fn into_found(self) -> Found {
        Found {
            key: self.name_key,
            user: User { id: UserId(self.id), name: self.name },
            last_seen: self.last_seen_at.map(rfc3339),
        }
    }
}
