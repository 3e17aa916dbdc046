//! Claims of new names: exactly one of the callers that claim a name gets it.

use sqlx::PgConnection;
use uuid::Uuid;

use super::query_batcher::BatchQuery;
use super::sessions::{NewSession, beginning, interval};
use super::{Database, DatabaseError};
use crate::domain::{Name, UserId, search_terms};
use crate::protocol::User;

/// The result of claiming a name.
#[derive(Debug, PartialEq, Eq)]
pub enum Claim {
    /// The name is the caller's, and the session is open.
    New(User),
    /// Somebody has this name, or one that looks the same.
    Taken,
}

// Nobody waits long here: of those who claim one name at once, one inserts and
// the others find the row when that one has committed, or is in the same
// statement. In the order of the names, so that two servers do not wait for each other.
const CLAIM: &str = beginning!(
    "cardinality($1::bytea[])",
    ", asked AS MATERIALIZED (
    SELECT * FROM unnest($1::bytea[], $2::uuid[], $3::interval[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::text[], $9::text[])
        AS a (token_hash, user_id, ttl, name, name_key, look_alike, password_hash, browser, system)
), claimed AS (
    INSERT INTO users (id, name, name_key, look_alike, password_hash)
    SELECT user_id, name, name_key, look_alike, password_hash FROM asked ORDER BY name_key
    ON CONFLICT DO NOTHING RETURNING id
), searchable AS (
    INSERT INTO search_terms (term, user_id)
    SELECT term, id FROM unnest($10::text[], $11::uuid[]) AS t (term, owner) JOIN claimed ON id = owner
)
INSERT INTO sessions (token_hash, user_id, expires_at, browser, system)
SELECT token_hash, user_id, now() + ttl, browser, system FROM asked JOIN claimed ON id = user_id
RETURNING user_id"
);

/// Creates a user and opens their first session.
pub(super) struct ClaimQuery {
    user: User,
    name_key: String,
    skeleton: String,
    password_hash: Option<String>,
    session: NewSession,
}

impl BatchQuery for ClaimQuery {
    /// Whether the claim succeeded.
    type Output = bool;
    const CONTEXT: &'static str = "claim a name";
    const MAX_BATCH: usize = 64;

    async fn run(connection: &mut PgConnection, claims: &[Self]) -> Result<Vec<bool>, sqlx::Error> {
        let column = |of: fn(&Self) -> &str| claims.iter().map(of).collect::<Vec<_>>();
        let terms_of = |claim: &Self| {
            let owner = claim.user.id.0;
            search_terms(&claim.name_key).into_iter().map(move |term| (term, owner))
        };
        let (terms, owners): (Vec<String>, Vec<Uuid>) = claims.iter().flat_map(terms_of).unzip();
        let new: Vec<Uuid> = sqlx::query_scalar(CLAIM)
            .bind(claims.iter().map(|claim| &claim.session.token.0[..]).collect::<Vec<_>>())
            .bind(claims.iter().map(|claim| claim.user.id.0).collect::<Vec<_>>())
            .bind(claims.iter().map(|claim| interval(claim.session.ttl)).collect::<Vec<_>>())
            .bind(column(|claim| &claim.user.name))
            .bind(column(|claim| &claim.name_key))
            .bind(column(|claim| &claim.skeleton))
            .bind(claims.iter().map(|claim| claim.password_hash.as_deref()).collect::<Vec<_>>())
            .bind(claims.iter().map(|claim| claim.session.agent.browser.as_deref()).collect::<Vec<_>>())
            .bind(claims.iter().map(|claim| claim.session.agent.system.as_deref()).collect::<Vec<_>>())
            .bind(terms)
            .bind(owners)
            .fetch_all(connection)
            .await?;
        Ok(claims.iter().map(|claim| new.contains(&claim.user.id.0)).collect())
    }
}

impl Database {
    /// Gives `name` to a new user and opens a session for them, both or neither.
    /// Exactly one of any number of callers gets the name.
    pub async fn claim(
        &self,
        name: &Name,
        password_hash: Option<&str>,
        session: NewSession,
    ) -> Result<Claim, DatabaseError> {
        let user = User { id: UserId::fresh(), name: name.as_str().to_owned() };
        let claim = ClaimQuery {
            user: user.clone(),
            name_key: name.key(),
            skeleton: name.skeleton(),
            password_hash: password_hash.map(str::to_owned),
            session,
        };
        Ok(if self.claims.run(claim).await? { Claim::New(user) } else { Claim::Taken })
    }
}
