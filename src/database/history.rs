use sqlx::{FromRow, PgConnection};
use time::OffsetDateTime;
use uuid::Uuid;

use super::gather::Question;
use super::{Database, DatabaseError, Doing, from_bigint, to_bigint};
use crate::domain::{ClientId, ConversationId, Seq, UserId, rfc3339};
use crate::protocol::{Cursor, History, Message};

/// Which part of a conversation's log is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// The newest.
    Last,
    /// The newest of those before this number.
    Before(Seq),
    /// The oldest of those after this number.
    After(Seq),
}

/// What is missing after some cursors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replay {
    /// In the order of each log, without gaps after the cursor.
    pub messages: Vec<Message>,
    /// Conversations of which more is missing than there was room for.
    pub truncated: Vec<ConversationId>,
    /// Conversations whose log ends before the cursor, or has another message there.
    pub reset: Vec<ConversationId>,
}

// One snapshot: `last_seq` never lies before what is returned with it.
const BACKWARDS: &str = "
SELECT c.last_seq, e.seq, e.sender_id, e.client_id, e.created_at, e.body
FROM members m JOIN conversations c ON c.id = m.conversation_id
LEFT JOIN LATERAL (
    SELECT seq, sender_id, client_id, created_at, body FROM events
    WHERE conversation_id = c.id AND seq < $3 ORDER BY seq DESC LIMIT $4
) e ON true
WHERE m.conversation_id = $2 AND m.user_id = $1 ORDER BY e.seq";

const FORWARDS: &str = "
SELECT c.last_seq, e.seq, e.sender_id, e.client_id, e.created_at, e.body
FROM members m JOIN conversations c ON c.id = m.conversation_id
LEFT JOIN LATERAL (
    SELECT seq, sender_id, client_id, created_at, body FROM events
    WHERE conversation_id = c.id AND seq > $3 ORDER BY seq LIMIT $4
) e ON true
WHERE m.conversation_id = $2 AND m.user_id = $1 ORDER BY e.seq";

// Those that miss least come first, so that most conversations are complete.
// A conversation is replayed whole or, where the room ends, not at all. The
// inner limits cut nothing; they keep the planner from joining whole tables.
const REPLAY: &str = "
WITH asked AS (
    SELECT DISTINCT ON (place, conversation_id) place, user_id, most, conversation_id, seq, at
    FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::uuid[], $5::bigint[], $6::timestamptz[])
        AS a (place, user_id, most, conversation_id, seq, at)
    ORDER BY place, conversation_id, seq
), compared AS MATERIALIZED (
    SELECT a.place, a.most, a.conversation_id AS id, a.seq AS cursor, coalesce(c.last_seq, 0) - a.seq AS count, EXISTS (
        SELECT FROM events WHERE conversation_id = c.id AND seq = a.seq AND created_at <> a.at
    ) AS other
    FROM asked a LEFT JOIN LATERAL (
        SELECT c.id, c.last_seq FROM members m JOIN conversations c ON c.id = m.conversation_id
        WHERE m.conversation_id = a.conversation_id AND m.user_id = a.user_id LIMIT 1
    ) c ON true
), missing AS (
    SELECT place, most, id, cursor, count, count < 0 OR other AS reset FROM compared WHERE count <> 0 OR other
), fitted AS (
    SELECT *, sum(CASE WHEN reset THEN 0 ELSE count END)
        OVER (PARTITION BY place ORDER BY NOT reset, count, id) > most AS truncated
    FROM missing
)
SELECT f.place, f.id, f.reset, f.truncated, e.seq, e.sender_id, e.client_id, e.created_at, e.body
FROM fitted f LEFT JOIN LATERAL (
    SELECT seq, sender_id, client_id, created_at, body FROM events
    WHERE conversation_id = f.id AND seq > f.cursor AND NOT f.truncated AND NOT f.reset ORDER BY seq LIMIT $7
) e ON true
ORDER BY f.place, f.id, e.seq";

/// One row of the log, or none of it where a conversation has nothing to show.
#[derive(FromRow)]
pub(super) struct EventRow {
    seq: Option<i64>,
    sender_id: Option<Uuid>,
    client_id: Option<Uuid>,
    created_at: Option<OffsetDateTime>,
    body: Option<String>,
}

#[derive(FromRow)]
struct HistoryRow {
    last_seq: i64,
    #[sqlx(flatten)]
    event: EventRow,
}

#[derive(FromRow)]
struct ReplayRow {
    /// Whose it is, by the place among those who ask.
    place: i64,
    id: Uuid,
    reset: bool,
    truncated: bool,
    #[sqlx(flatten)]
    event: EventRow,
}

/// What a user's conversations hold after `cursors`, up to `max` messages.
pub(super) struct Missing {
    user: UserId,
    cursors: Vec<Cursor>,
    max: u32,
}

impl Question for Missing {
    type Answer = Replay;
    const DOING: &'static str = "replay";
    /// Each may be answered by hundreds of messages.
    const MOST: usize = 16;

    async fn ask(connection: &mut PgConnection, users: &[Self]) -> Result<Vec<Replay>, sqlx::Error> {
        let (mut places, mut ids, mut most) = (Vec::new(), Vec::new(), Vec::new());
        let (mut conversations, mut seqs, mut times) = (Vec::new(), Vec::new(), Vec::new());
        for (place, missing) in (0i64..).zip(users) {
            for cursor in &missing.cursors {
                places.push(place);
                ids.push(missing.user.0);
                most.push(i64::from(missing.max));
                conversations.push(cursor.conversation.0);
                seqs.push(to_bigint(cursor.seq));
                times.push(cursor.at);
            }
        }
        let limit = most.iter().copied().max().unwrap_or_default();
        let rows: Vec<ReplayRow> = sqlx::query_as(REPLAY)
            .bind(places)
            .bind(ids)
            .bind(most)
            .bind(conversations)
            .bind(seqs)
            .bind(times)
            .bind(limit)
            .fetch_all(connection)
            .await?;
        let mut replays: Vec<Replay> = users.iter().map(|_| Replay::default()).collect();
        for row in rows {
            if let Some(replay) = usize::try_from(row.place).ok().and_then(|place| replays.get_mut(place)) {
                replay.take(row);
            }
        }
        Ok(replays)
    }
}

impl Replay {
    fn take(&mut self, row: ReplayRow) {
        let conversation = ConversationId(row.id);
        if row.reset {
            self.reset.push(conversation);
        } else if row.truncated {
            self.truncated.push(conversation);
        } else {
            self.messages.extend(row.event.into_message(conversation));
        }
    }
}

impl Database {
    /// Up to `limit` messages, oldest first; none when there is no such
    /// conversation for this user.
    pub async fn history(
        &self,
        user: UserId,
        conversation: ConversationId,
        page: Page,
        limit: u32,
    ) -> Result<Option<History>, DatabaseError> {
        let (statement, edge) = match page {
            Page::Last => (BACKWARDS, i64::MAX),
            Page::Before(seq) => (BACKWARDS, to_bigint(seq)),
            Page::After(seq) => (FORWARDS, to_bigint(seq)),
        };
        let rows: Vec<HistoryRow> = sqlx::query_as(statement)
            .bind(user.0)
            .bind(conversation.0)
            .bind(edge)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .doing("read the history")?;
        let Some(last_seq) = rows.first().map(|row| from_bigint(row.last_seq)) else { return Ok(None) };
        let messages = rows.into_iter().filter_map(|row| row.event.into_message(conversation)).collect();
        Ok(Some(History { messages, last_seq }))
    }

    /// What the user's conversations hold after `cursors`, up to `max` messages
    /// in all. Conversations that are not the user's have empty logs.
    pub async fn replay(&self, user: UserId, cursors: &[Cursor], max: u32) -> Result<Replay, DatabaseError> {
        self.replays.ask(Missing { user, cursors: cursors.to_vec(), max }).await
    }
}

impl EventRow {
    pub(super) fn into_message(self, conversation: ConversationId) -> Option<Message> {
        Some(Message {
            conversation,
            seq: from_bigint(self.seq?),
            sender: UserId(self.sender_id?),
            client_id: ClientId(self.client_id?),
            at: rfc3339(self.created_at?).into(),
            body: self.body?.into(),
        })
    }
}
