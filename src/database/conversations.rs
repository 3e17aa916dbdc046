use std::collections::HashMap;

use time::OffsetDateTime;
use uuid::Uuid;

use super::error::is_missing_reference;
use super::fragments::{may_read, stored_at, unread};
use super::history::{MessageRow, fitting};
use super::row::{PairRow, row};
use super::{Context, Database, DatabaseError, UNREAD_SCAN, from_bigint};
use crate::domain::{ConversationId, DirectPair, Members, Role, UserId, rfc3339};
use crate::protocol::{Conversation, Member, UNREAD_MAX, User};

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
    ON CONFLICT DO NOTHING RETURNING id
), joined AS (
    INSERT INTO members (conversation_id, user_id)
    SELECT DISTINCT made.id, member FROM made, unnest(ARRAY[$2, $3]) AS member
)
SELECT id FROM made";

/// Conversations as one member sees them: the join with `members` is
/// [`may`]`(role, Read)`. The page is cut first, so that the
/// log is looked at for no other. The last messages of a page have up to `$3` bytes:
/// it ends with the one that reaches that.
macro_rules! seen_by_member {
    ($page:literal) => {
        concat!(
            "
WITH page AS (
    SELECT c.id, c.last_seq, c.last_message_seq, c.last_at, me.user_id, me.read_seq
    FROM members me JOIN conversations c ON c.id = me.conversation_id
    WHERE me.user_id = $1 AND ",
            $page,
            "
), measured AS (
    SELECT p.*, e.seq, e.sender_id, e.client_id, e.created_at, e.body, count(*) OVER () AS found,
        coalesce(sum(octet_length(e.body)) OVER (ORDER BY p.last_at DESC, p.id DESC) - octet_length(e.body), 0) AS bytes_before
    FROM page p LEFT JOIN messages e ON e.conversation_id = p.id AND e.seq = p.last_message_seq
)
SELECT p.id, p.last_seq, p.last_at, p.seq, p.sender_id, p.client_id, p.created_at, p.body, p.found,
    ARRAY(SELECT message_seq FROM pins WHERE conversation_id = p.id ORDER BY change_seq) AS pins,
    ",
            stored_at!("p.id", "p.last_seq"),
            " AS last_event_at,
    ",
            unread!("p.id", "p.user_id", "p.read_seq", "$2"),
            " AS unread
FROM measured p WHERE p.bytes_before < $3
ORDER BY p.last_at DESC, p.id DESC"
        )
    };
}

const ONE: &str = seen_by_member!("c.id = $4");

const FIRST_PAGE: &str =
    seen_by_member!("c.last_message_seq > 0 ORDER BY c.last_at DESC, c.id DESC LIMIT $4");

const NEXT_PAGE: &str = seen_by_member!(
    "c.last_message_seq > 0 AND (c.last_at, c.id) < ($5, $6) ORDER BY c.last_at DESC, c.id DESC LIMIT $4"
);

/// As `$2` sees them: of others who are invisible, as they were when they became so.
const MEMBERS: &str = "
SELECT m.conversation_id, u.id, u.name, u.last_seen_at,
    CASE WHEN hidden THEN m.shown_delivered_seq ELSE m.delivered_seq END AS delivered_seq,
    CASE WHEN hidden THEN m.shown_read_seq ELSE m.read_seq END AS read_seq
FROM members m JOIN users u ON u.id = m.user_id
CROSS JOIN LATERAL (SELECT u.id <> $2 AND u.visibility % 2 = 1 AND u.visibility = m.frozen_at AS hidden) AS seen
WHERE m.conversation_id = ANY($1) ORDER BY m.conversation_id, u.id";

/// Whose conversation it is, for `$2`, who is in it.
const KIND: &str = concat!(
    "SELECT direct_low, direct_high FROM conversations c WHERE c.id = $1 AND ",
    may_read!("c.id", "$2"),
);

row! {
    struct ConversationRow {
        id: Uuid,
        last_seq: i64,
        /// When the last message was stored, by which the list is sorted.
        last_at: Option<OffsetDateTime>,
        last_event_at: Option<OffsetDateTime>,
        /// Conversations of the page before it was cut by bytes.
        found: i64,
        unread: i64,
        pins: Vec<i64>,
        ..last: MessageRow,
    }
}

row! {
    struct MemberRow {
        conversation_id: Uuid,
        id: Uuid,
        name: String,
        last_seen_at: Option<OffsetDateTime>,
        delivered_seq: i64,
        read_seq: i64,
    }
}

impl Database {
    /// Returns the one conversation of these two, created if there is none, or `None` if
    /// one of them does not exist. All callers get the same one.
    pub async fn open_direct(&self, pair: DirectPair) -> Result<Option<ConversationId>, DatabaseError> {
        if let Some(id) = self.find_direct(pair).await? {
            return Ok(Some(id));
        }
        // The same on every server, and no one else can tell it from the pair.
        let id = self.server_key().await?.direct_conversation(pair.low(), pair.high());
        let made: Result<Option<Uuid>, _> = sqlx::query_scalar(OPEN_DIRECT)
            .bind(id.0)
            .bind(pair.low().0)
            .bind(pair.high().0)
            .fetch_optional(&self.pool)
            .await;
        match made {
            Ok(Some(id)) => Ok(Some(ConversationId(id))),
            // Somebody else was first, and has committed.
            Ok(None) => self.find_direct(pair).await,
            Err(error) if is_missing_reference(&error) => Ok(None),
            Err(error) => Err(error).context("open a conversation"),
        }
    }

    /// Returns the conversation of these two, or `None` if there is none yet.
    pub async fn find_direct(&self, pair: DirectPair) -> Result<Option<ConversationId>, DatabaseError> {
        let id: Option<Uuid> = sqlx::query_scalar(FIND_DIRECT)
            .bind(pair.low().0)
            .bind(pair.high().0)
            .fetch_optional(&self.pool)
            .await
            .context("find a direct conversation")?;
        Ok(id.map(ConversationId))
    }

    /// Returns a conversation as `user` sees it, or `None` if the user has no
    /// such conversation.
    pub async fn conversation(
        &self,
        user: UserId,
        conversation: ConversationId,
    ) -> Result<Option<Conversation>, DatabaseError> {
        let bytes = self.page_bytes as i64;
        let rows: Vec<ConversationRow> = sqlx::query_as(ONE)
            .bind(user.0)
            .bind(UNREAD_SCAN)
            .bind(bytes)
            .bind(conversation.0)
            .fetch_all(&self.pool)
            .await
            .context("read a conversation")?;
        Ok(self.with_members(user, rows).await?.pop())
    }

    /// Returns up to `limit` conversations of the user that have messages, and
    /// fewer if their last messages are long; most recent first, and where to
    /// continue if there are more.
    pub async fn conversations(
        &self,
        user: UserId,
        before: Option<ListCursor>,
        limit: u32,
    ) -> Result<(Vec<Conversation>, Option<ListCursor>), DatabaseError> {
        let bytes = self.page_bytes as i64;
        // One more than asked for shows whether there is another page.
        let sought = i64::from(limit) + 1;
        let query = match before {
            None => sqlx::query_as(FIRST_PAGE).bind(user.0).bind(UNREAD_SCAN).bind(bytes).bind(sought),
            Some(cursor) => sqlx::query_as(NEXT_PAGE)
                .bind(user.0)
                .bind(UNREAD_SCAN)
                .bind(bytes)
                .bind(sought)
                .bind(cursor.last_at)
                .bind(cursor.conversation.0),
        };
        let mut rows: Vec<ConversationRow> =
            query.fetch_all(&self.pool).await.context("list conversations")?;
        let found = rows.first().map_or(0, |row| row.found);
        rows.truncate(limit as usize);
        let cursors: Vec<Option<ListCursor>> = rows.iter().map(ConversationRow::cursor).collect();
        let mut page = self.with_members(user, rows).await?;
        page.truncate(fitting(&page, self.page_bytes));
        let more = found > page.len() as i64;
        let next = cursors.get(page.len().saturating_sub(1)).copied().flatten().filter(|_| more);
        Ok((page, next))
    }

    /// What a user is in a conversation, and whose it is; `None` if the user has no role
    /// there.
    pub async fn membership(
        &self,
        user: UserId,
        conversation: ConversationId,
    ) -> Result<Option<(Role, Members)>, DatabaseError> {
        let row: Option<PairRow> = sqlx::query_as(KIND)
            .bind(conversation.0)
            .bind(user.0)
            .fetch_optional(&self.pool)
            .await
            .context("look for a member")?;
        Ok(row.map(|row| (Role::Member, row.members())))
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
            .context("read the members")?;
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
            last_at: self.last_event_at.map(rfc3339),
            last: self.last.into_event(id),
            unread: u32::try_from(self.unread).unwrap_or(UNREAD_MAX).min(UNREAD_MAX),
            pins: self.pins.into_iter().map(from_bigint).collect(),
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
