use std::collections::HashMap;

use sqlx::FromRow;
use time::OffsetDateTime;
use uuid::Uuid;

use super::error::is_missing_reference;
use super::history::EventRow;
use super::{Database, DatabaseError, Doing, UNREAD_SCAN, from_bigint};
use crate::domain::{ConversationId, UserId, rfc3339};
use crate::protocol::{Conversation, Member, UNREAD_MAX, User};

/// Two different users, in the order in which a direct conversation keeps them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectPair {
    low: UserId,
    high: UserId,
}

impl DirectPair {
    /// None for somebody and themselves.
    pub fn new(one: UserId, other: UserId) -> Option<Self> {
        (one != other).then(|| Self { low: one.min(other), high: one.max(other) })
    }
}

/// Where a page of the list of conversations ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListCursor {
    pub last_at: OffsetDateTime,
    pub conversation: ConversationId,
}

const FIND_DIRECT: &str = "SELECT id FROM conversations WHERE direct_low = $1 AND direct_high = $2";

const OPEN_DIRECT: &str = "
WITH made AS (
    INSERT INTO conversations (id, direct_low, direct_high) VALUES ($1, $2, $3)
    ON CONFLICT ON CONSTRAINT conversations_direct_key DO NOTHING RETURNING id
), joined AS (
    INSERT INTO members (conversation_id, user_id)
    SELECT made.id, member FROM made, unnest(ARRAY[$2, $3]) AS member
)
SELECT id FROM made";

/// Conversations as one member sees them. The page is cut first, so that the
/// log is looked at for no other. Unread are the messages of others after the
/// own read position, counted among the newest `$2`: what is read here is
/// bounded, however long somebody was away.
macro_rules! seen_by_member {
    ($page:literal) => {
        concat!(
            "
WITH page AS (
    SELECT c.id, c.last_seq, c.last_at, me.user_id, me.read_seq
    FROM members me JOIN conversations c ON c.id = me.conversation_id
    WHERE me.user_id = $1 AND ",
            $page,
            "
)
SELECT p.id, p.last_seq, p.last_at, e.seq, e.sender_id, e.client_id, e.created_at, e.body,
    (SELECT count(*) FROM (
        SELECT sender_id FROM events
        WHERE conversation_id = p.id AND seq > p.read_seq ORDER BY seq DESC LIMIT $2
    ) newest WHERE sender_id <> p.user_id) AS unread
FROM page p LEFT JOIN events e ON e.conversation_id = p.id AND e.seq = p.last_seq
ORDER BY p.last_at DESC, p.id DESC"
        )
    };
}

const ONE: &str = seen_by_member!("c.id = $3");

const FIRST_PAGE: &str = seen_by_member!("c.last_seq > 0 ORDER BY c.last_at DESC, c.id DESC LIMIT $3");

const NEXT_PAGE: &str = seen_by_member!(
    "c.last_seq > 0 AND (c.last_at, c.id) < ($4, $5) ORDER BY c.last_at DESC, c.id DESC LIMIT $3"
);

/// As `$2` sees them: of others who are invisible, as they were when they became so.
const MEMBERS: &str = "
SELECT m.conversation_id, u.id, u.name, u.last_seen_at,
    CASE WHEN hidden THEN m.shown_delivered_seq ELSE m.delivered_seq END AS delivered_seq,
    CASE WHEN hidden THEN m.shown_read_seq ELSE m.read_seq END AS read_seq
FROM members m JOIN users u ON u.id = m.user_id
CROSS JOIN LATERAL (SELECT u.id <> $2 AND u.visibility % 2 = 1 AND u.visibility = m.frozen_at AS hidden) AS seen
WHERE m.conversation_id = ANY($1) ORDER BY m.conversation_id, u.id";

const MEMBER_IDS: &str = "
SELECT m.user_id FROM members m
WHERE m.conversation_id = $2 AND EXISTS (SELECT FROM members WHERE conversation_id = $2 AND user_id = $1)
ORDER BY m.user_id";

#[derive(FromRow)]
struct ConversationRow {
    id: Uuid,
    last_seq: i64,
    last_at: Option<OffsetDateTime>,
    unread: i64,
    #[sqlx(flatten)]
    last: EventRow,
}

#[derive(FromRow)]
struct MemberRow {
    conversation_id: Uuid,
    id: Uuid,
    name: String,
    last_seen_at: Option<OffsetDateTime>,
    delivered_seq: i64,
    read_seq: i64,
}

impl Database {
    /// The one conversation of these two, made if there is none; none when one
    /// of them does not exist. Any number of callers get the same one.
    pub async fn open_direct(&self, pair: DirectPair) -> Result<Option<ConversationId>, DatabaseError> {
        if let Some(id) = self.find_direct(pair).await? {
            return Ok(Some(id));
        }
        let made: Result<Option<Uuid>, _> = sqlx::query_scalar(OPEN_DIRECT)
            .bind(ConversationId::fresh().0)
            .bind(pair.low.0)
            .bind(pair.high.0)
            .fetch_optional(&self.pool)
            .await;
        match made {
            Ok(Some(id)) => Ok(Some(ConversationId(id))),
            // Somebody else was first, and has committed.
            Ok(None) => self.find_direct(pair).await,
            Err(error) if is_missing_reference(&error) => Ok(None),
            Err(error) => Err(error).doing("open a conversation"),
        }
    }

    async fn find_direct(&self, pair: DirectPair) -> Result<Option<ConversationId>, DatabaseError> {
        let id: Option<Uuid> = sqlx::query_scalar(FIND_DIRECT)
            .bind(pair.low.0)
            .bind(pair.high.0)
            .fetch_optional(&self.pool)
            .await
            .doing("find a direct conversation")?;
        Ok(id.map(ConversationId))
    }

    /// A conversation as `user` sees it; none when there is no such one for
    /// this user.
    pub async fn conversation(
        &self,
        user: UserId,
        conversation: ConversationId,
    ) -> Result<Option<Conversation>, DatabaseError> {
        let rows: Vec<ConversationRow> = sqlx::query_as(ONE)
            .bind(user.0)
            .bind(UNREAD_SCAN)
            .bind(conversation.0)
            .fetch_all(&self.pool)
            .await
            .doing("read a conversation")?;
        Ok(self.with_members(user, rows).await?.pop())
    }

    /// Up to `limit` conversations of the user in which something was written,
    /// most recent first, and where to continue when there are more.
    pub async fn conversations(
        &self,
        user: UserId,
        before: Option<ListCursor>,
        limit: u32,
    ) -> Result<(Vec<Conversation>, Option<ListCursor>), DatabaseError> {
        // One more than asked for shows whether there is another page.
        let sought = i64::from(limit) + 1;
        let query = match before {
            None => sqlx::query_as(FIRST_PAGE).bind(user.0).bind(UNREAD_SCAN).bind(sought),
            Some(cursor) => sqlx::query_as(NEXT_PAGE)
                .bind(user.0)
                .bind(UNREAD_SCAN)
                .bind(sought)
                .bind(cursor.last_at)
                .bind(cursor.conversation.0),
        };
        let mut rows: Vec<ConversationRow> = query.fetch_all(&self.pool).await.doing("list conversations")?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).and_then(ConversationRow::cursor);
        Ok((self.with_members(user, rows).await?, next))
    }

    /// Everyone in a conversation of this user; none when it is not one.
    pub async fn members(
        &self,
        user: UserId,
        conversation: ConversationId,
    ) -> Result<Option<Vec<UserId>>, DatabaseError> {
        let ids: Vec<Uuid> = sqlx::query_scalar(MEMBER_IDS)
            .bind(user.0)
            .bind(conversation.0)
            .fetch_all(&self.pool)
            .await
            .doing("read the members")?;
        Ok((!ids.is_empty()).then(|| ids.into_iter().map(UserId).collect()))
    }

    async fn with_members(
        &self,
        user: UserId,
        rows: Vec<ConversationRow>,
    ) -> Result<Vec<Conversation>, DatabaseError> {
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let members: Vec<MemberRow> = sqlx::query_as(MEMBERS)
            .bind(ids)
            .bind(user.0)
            .fetch_all(&self.pool)
            .await
            .doing("read the members")?;
        let mut by_conversation: HashMap<Uuid, Vec<Member>> = HashMap::new();
        for row in members {
            by_conversation.entry(row.conversation_id).or_default().push(row.into_member());
        }
        let with = |row: ConversationRow| {
            let members = by_conversation.remove(&row.id).unwrap_or_default();
            row.into_conversation(members)
        };
        Ok(rows.into_iter().map(with).collect())
    }
}

impl ConversationRow {
    fn cursor(&self) -> Option<ListCursor> {
        Some(ListCursor { last_at: self.last_at?, conversation: ConversationId(self.id) })
    }

    fn into_conversation(self, members: Vec<Member>) -> Conversation {
        let id = ConversationId(self.id);
        Conversation {
            id,
            members,
            last_seq: from_bigint(self.last_seq),
            last: self.last.into_message(id),
            unread: u32::try_from(self.unread).unwrap_or(UNREAD_MAX).min(UNREAD_MAX),
        }
    }
}

impl MemberRow {
    fn into_member(self) -> Member {
        Member {
            user: User { id: UserId(self.id), name: self.name },
            delivered: from_bigint(self.delivered_seq),
            read: from_bigint(self.read_seq),
            last_seen: self.last_seen_at.map(rfc3339),
        }
    }
}
