use uuid::Uuid;

use super::error::is_missing_reference;
use super::fragments::unread;
use super::row::row;
use super::{Context, Database, DatabaseError, UNREAD_SCAN, to_bigint};
use crate::domain::{ConversationId, Seq, TokenHash, UserId};
use crate::protocol::UNREAD_MAX;

/// A browser's push subscription: the endpoint and the encryption keys. Not `Debug`:
/// whoever knows the endpoint can send there.
#[derive(Clone, PartialEq, Eq)]
pub struct PushSubscription {
    pub endpoint: String,
    /// An uncompressed point on P-256.
    pub p256dh: [u8; 65],
    pub auth: [u8; 16],
}

/// A message to a user without a connection, for whom a push may be due.
#[derive(Clone, Copy, Debug)]
pub struct PushCandidate {
    pub user: UserId,
    pub conversation: ConversationId,
    pub seq: Seq,
    pub sender: UserId,
}

/// One push to send.
#[derive(Clone)]
pub struct DuePush {
    /// The index of the candidate.
    pub index: usize,
    pub subscription: PushSubscription,
    pub sender_name: String,
    /// Up to [`UNREAD_MAX`].
    pub unread: u32,
    /// Whether the recipient is invisible.
    pub is_invisible: bool,
}

/// The server's key for VAPID (RFC 8292): the bytes of a private key on P-256.
pub type VapidKey = [u8; 32];

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

// Most users who are away have no subscription: those cost one probe of an index.
// Users who have read the message elsewhere, or whose session has ended, get none.
// The join with `members` is `domain::may(role, Read)`.
const DUE: &str = concat!(
    "
SELECT a.place, p.endpoint, p.p256dh, p.auth, u.name AS sender_name, r.visibility % 2 = 1 AS is_invisible, ",
    unread!("a.conversation_id", "a.user_id", "m.read_seq", "$5"),
    " AS unread
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[])
    WITH ORDINALITY AS a (user_id, conversation_id, seq, sender_id, place)
JOIN push_subscriptions p ON p.user_id = a.user_id
JOIN sessions s ON s.token_hash = p.session_hash AND s.expires_at > now()
JOIN members m ON m.conversation_id = a.conversation_id AND m.user_id = a.user_id AND m.read_seq < a.seq
JOIN users u ON u.id = a.sender_id
JOIN users r ON r.id = a.user_id"
);

row! {
    struct DueRow {
        place: i64,
        endpoint: String,
        p256dh: [u8; 65],
        auth: [u8; 16],
        sender_name: String,
        unread: i64,
        is_invisible: bool,
    }
}

impl Database {
    /// Returns the key that this database keeps; `fresh` if there was none. All servers
    /// on one database get the same.
    pub async fn push_key(&self, fresh: VapidKey) -> Result<VapidKey, DatabaseError> {
        let context = "keep the key of pushes";
        sqlx::query(OFFER_KEY).bind(fresh).execute(&self.pool).await.context(context)?;
        sqlx::query_scalar(KEY).fetch_one(&self.pool).await.context(context)
    }

    /// Stores the only subscription of this session. If the user has more than `limit`,
    /// the oldest is removed. Returns `false` if the
    /// session has ended meanwhile.
    pub async fn subscribe(
        &self,
        session: TokenHash,
        user: UserId,
        subscription: &PushSubscription,
        limit: usize,
    ) -> Result<bool, DatabaseError> {
        let context = "subscribe to pushes";
        let session = &session.0[..];
        let mut transaction = self.pool.begin().await.context(context)?;
        let endpoint = &subscription.endpoint;
        sqlx::query(DROP_OTHERS)
            .bind(session)
            .bind(endpoint)
            .execute(&mut *transaction)
            .await
            .context(context)?;
        let subscribed = sqlx::query(SUBSCRIBE)
            .bind(session)
            .bind(endpoint)
            .bind(user.0)
            .bind(subscription.p256dh)
            .bind(subscription.auth)
            .execute(&mut *transaction)
            .await;
        if subscribed.as_ref().is_err_and(is_missing_reference) {
            return Ok(false);
        }
        subscribed.context(context)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        sqlx::query(DROP_OLDEST)
            .bind(user.0)
            .bind(endpoint)
            .bind(limit)
            .execute(&mut *transaction)
            .await
            .context(context)?;
        transaction.commit().await.context(context)?;
        Ok(true)
    }

    /// Removes the subscription of this session, if there is one.
    pub async fn unsubscribe(&self, session: TokenHash) -> Result<(), DatabaseError> {
        let context = "unsubscribe from pushes";
        sqlx::query(UNSUBSCRIBE).bind(&session.0[..]).execute(&self.pool).await.map(drop).context(context)
    }

    /// Removes a subscription that its push service reports as gone.
    pub async fn forget_subscription(&self, endpoint: &str) -> Result<(), DatabaseError> {
        sqlx::query(FORGET)
            .bind(endpoint)
            .execute(&self.pool)
            .await
            .map(drop)
            .context("forget a subscription")
    }

    /// Returns the due pushes: one for each subscription of a user who
    /// has not read the message.
    pub async fn due_pushes(&self, missed: &[PushCandidate]) -> Result<Vec<DuePush>, DatabaseError> {
        let users: Vec<Uuid> = missed.iter().map(|missed| missed.user.0).collect();
        let conversations: Vec<Uuid> = missed.iter().map(|missed| missed.conversation.0).collect();
        let seqs: Vec<i64> = missed.iter().map(|missed| to_bigint(missed.seq)).collect();
        let senders: Vec<Uuid> = missed.iter().map(|missed| missed.sender.0).collect();
        let rows: Vec<DueRow> = sqlx::query_as(DUE)
            .bind(users)
            .bind(conversations)
            .bind(seqs)
            .bind(senders)
            .bind(UNREAD_SCAN)
            .fetch_all(&self.pool)
            .await
            .context("look for subscriptions")?;
        Ok(rows.into_iter().map(DueRow::into_due).collect())
    }
}

impl DueRow {
    fn into_due(self) -> DuePush {
        DuePush {
            // `WITH ORDINALITY` counts from 1.
            index: usize::try_from(self.place - 1).unwrap_or(usize::MAX),
            subscription: PushSubscription { endpoint: self.endpoint, p256dh: self.p256dh, auth: self.auth },
            sender_name: self.sender_name,
            unread: u32::try_from(self.unread).unwrap_or(UNREAD_MAX).min(UNREAD_MAX),
            is_invisible: self.is_invisible,
        }
    }
}
