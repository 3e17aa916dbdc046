use sqlx::FromRow;
use uuid::Uuid;

use super::error::is_missing_reference;
use super::{Database, DatabaseError, Doing, UNREAD_SCAN, to_bigint};
use crate::domain::{ConversationId, Seq, SessionId, UserId};
use crate::protocol::UNREAD_MAX;

/// Where a browser takes pushes, and how they are encrypted for it. It does not
/// print: whoever knows the endpoint can send there.
#[derive(Clone, PartialEq, Eq)]
pub struct PushTarget {
    pub endpoint: String,
    /// An uncompressed point on P-256.
    pub p256dh: [u8; 65],
    pub auth: [u8; 16],
}

/// A message that a user was not there for.
#[derive(Clone, Copy, Debug)]
pub struct Missed {
    pub user: UserId,
    pub conversation: ConversationId,
    pub seq: Seq,
    pub sender: UserId,
}

/// One push to send.
#[derive(Clone)]
pub struct DuePush {
    /// Which of the messages asked about.
    pub index: usize,
    pub target: PushTarget,
    pub sender_name: String,
    /// Up to [`UNREAD_MAX`].
    pub unread: u32,
}

/// The bytes of a private key on P-256.
pub type Scalar = [u8; 32];

const OFFER_KEY: &str = "INSERT INTO push_key (scalar) VALUES ($1) ON CONFLICT DO NOTHING";

const KEY: &str = "SELECT scalar FROM push_key";

const DROP_OTHERS: &str = "DELETE FROM push_subscriptions WHERE session_hash = $1 AND endpoint <> $2";

const SUBSCRIBE: &str = "
INSERT INTO push_subscriptions (endpoint, session_hash, user_id, p256dh, auth) VALUES ($2, $1, $3, $4, $5)
ON CONFLICT (endpoint) DO UPDATE SET session_hash = excluded.session_hash, user_id = excluded.user_id,
    p256dh = excluded.p256dh, auth = excluded.auth, created_at = excluded.created_at";

const DROP_OLDEST: &str = "
DELETE FROM push_subscriptions WHERE endpoint IN (
    SELECT endpoint FROM push_subscriptions WHERE user_id = $1
    ORDER BY created_at DESC, endpoint = $2 DESC OFFSET $3
)";

const UNSUBSCRIBE: &str = "DELETE FROM push_subscriptions WHERE session_hash = $1";

const FORGET: &str = "DELETE FROM push_subscriptions WHERE endpoint = $1";

// Most people who are away have no subscription: those cost one probe of an
// index. Who has read the message elsewhere, or whose session is over, gets none.
const DUE: &str = "
SELECT a.place, p.endpoint, p.p256dh, p.auth, u.name AS sender_name, (SELECT count(*) FROM (
    SELECT sender_id FROM events
    WHERE conversation_id = a.conversation_id AND seq > m.read_seq ORDER BY seq DESC LIMIT $5
) newest WHERE sender_id <> a.user_id) AS unread
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[])
    WITH ORDINALITY AS a (user_id, conversation_id, seq, sender_id, place)
JOIN push_subscriptions p ON p.user_id = a.user_id
JOIN sessions s ON s.token_hash = p.session_hash AND s.expires_at > now()
JOIN members m ON m.conversation_id = a.conversation_id AND m.user_id = a.user_id AND m.read_seq < a.seq
JOIN users u ON u.id = a.sender_id";

#[derive(FromRow)]
struct DueRow {
    place: i64,
    endpoint: String,
    p256dh: [u8; 65],
    auth: [u8; 16],
    sender_name: String,
    unread: i64,
}

impl Database {
    /// The key that this database keeps; `fresh` if there was none. All servers
    /// on one database get the same.
    pub async fn push_key(&self, fresh: Scalar) -> Result<Scalar, DatabaseError> {
        let doing = "keep the key of pushes";
        sqlx::query(OFFER_KEY).bind(fresh).execute(&self.pool).await.doing(doing)?;
        sqlx::query_scalar(KEY).fetch_one(&self.pool).await.doing(doing)
    }

    /// From now on pushes of this session go to `target`, and to no other; of
    /// more than `limit` of the user the oldest makes room. False when the
    /// session has ended meanwhile.
    pub async fn subscribe(
        &self,
        session: SessionId,
        user: UserId,
        target: &PushTarget,
        limit: usize,
    ) -> Result<bool, DatabaseError> {
        let doing = "subscribe to pushes";
        let session = &session.0[..];
        let mut transaction = self.pool.begin().await.doing(doing)?;
        let endpoint = &target.endpoint;
        sqlx::query(DROP_OTHERS)
            .bind(session)
            .bind(endpoint)
            .execute(&mut *transaction)
            .await
            .doing(doing)?;
        let subscribed = sqlx::query(SUBSCRIBE)
            .bind(session)
            .bind(endpoint)
            .bind(user.0)
            .bind(target.p256dh)
            .bind(target.auth)
            .execute(&mut *transaction)
            .await;
        if subscribed.as_ref().is_err_and(is_missing_reference) {
            return Ok(false);
        }
        subscribed.doing(doing)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        sqlx::query(DROP_OLDEST)
            .bind(user.0)
            .bind(endpoint)
            .bind(limit)
            .execute(&mut *transaction)
            .await
            .doing(doing)?;
        transaction.commit().await.doing(doing)?;
        Ok(true)
    }

    /// No more pushes of this session; there may have been none.
    pub async fn unsubscribe(&self, session: SessionId) -> Result<(), DatabaseError> {
        let doing = "unsubscribe from pushes";
        sqlx::query(UNSUBSCRIBE).bind(&session.0[..]).execute(&self.pool).await.map(drop).doing(doing)
    }

    /// Its push service says that this one is gone.
    pub async fn forget_push_target(&self, endpoint: &str) -> Result<(), DatabaseError> {
        sqlx::query(FORGET).bind(endpoint).execute(&self.pool).await.map(drop).doing("forget a subscription")
    }

    /// Where to push what was missed: a row for each subscription of a user who
    /// has not read it.
    pub async fn due_pushes(&self, missed: &[Missed]) -> Result<Vec<DuePush>, DatabaseError> {
        let users: Vec<Uuid> = missed.iter().map(|missed| missed.user.0).collect();
        let conversations: Vec<Uuid> = missed.iter().map(|missed| missed.conversation.0).collect();
        let places: Vec<i64> = missed.iter().map(|missed| to_bigint(missed.seq)).collect();
        let senders: Vec<Uuid> = missed.iter().map(|missed| missed.sender.0).collect();
        let rows: Vec<DueRow> = sqlx::query_as(DUE)
            .bind(users)
            .bind(conversations)
            .bind(places)
            .bind(senders)
            .bind(UNREAD_SCAN)
            .fetch_all(&self.pool)
            .await
            .doing("look for subscriptions")?;
        Ok(rows.into_iter().map(DueRow::into_due).collect())
    }
}

impl DueRow {
    fn into_due(self) -> DuePush {
        DuePush {
            // `WITH ORDINALITY` counts from 1.
            index: usize::try_from(self.place - 1).unwrap_or(usize::MAX),
            target: PushTarget { endpoint: self.endpoint, p256dh: self.p256dh, auth: self.auth },
            sender_name: self.sender_name,
            unread: u32::try_from(self.unread).unwrap_or(UNREAD_MAX).min(UNREAD_MAX),
        }
    }
}
