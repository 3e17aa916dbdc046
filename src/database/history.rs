use std::io;

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::fragments::stored_at;
use super::row::row;
use super::{Context, Database, DatabaseError, from_bigint, to_bigint};
use crate::domain::{ClientId, ConversationId, MAX_SAFE_INTEGER, Seq, UserId, rfc3339};
use crate::protocol::{Content, Event, History};

/// Which part of a conversation's log to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryRange {
    /// The newest messages.
    Newest,
    /// The newest messages before this number.
    Before(Seq),
    /// The oldest messages after this number.
    After(Seq),
    /// The messages up to this number and after it: half of the page each.
    Around(Seq),
}

/// Which messages of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryFilter {
    All,
    Pinned,
}

/// A page of `messages`, from its edge on: one snapshot, so that `last_seq` never lies before
/// what is returned with it. It ends with the message that fills it: longer bodies behind
/// that are not read. The join with `members` is `domain::may(role, Read)`. `OFFSET 0` keeps
/// the time of the last event from being looked up for each message.
macro_rules! page {
    ($edge:literal, $order:literal, $filter:expr) => {
        concat!(
            "
SELECT c.last_seq, c.last_event_at, e.seq, e.sender_id, e.client_id, e.created_at, e.body
FROM members m CROSS JOIN LATERAL (
    SELECT c.id, c.last_seq, ",
            stored_at!("c.id", "c.last_seq"),
            " AS last_event_at
    FROM conversations c WHERE c.id = m.conversation_id OFFSET 0
) c LEFT JOIN LATERAL (
    SELECT *, sum(octet_length(body)) OVER (ORDER BY ",
            $order,
            ") - octet_length(body) AS bytes_before
    FROM (
        SELECT seq, sender_id, client_id, created_at, body FROM messages
        WHERE conversation_id = c.id AND ",
            $edge,
            $filter,
            " ORDER BY ",
            $order,
            " LIMIT $4
    ) page
) e ON e.bytes_before < $5
WHERE m.conversation_id = $2 AND m.user_id = $1 ORDER BY e.",
            $order
        )
    };
}

macro_rules! pinned {
    () => {
        " AND seq IN (SELECT message_seq FROM pins WHERE conversation_id = c.id)"
    };
}

/// The newest messages before a number.
const BACKWARDS: Statements =
    Statements { all: page!("seq < $3", "seq DESC", ""), pinned: page!("seq < $3", "seq DESC", pinned!()) };

/// The oldest messages after a number.
const FORWARDS: Statements =
    Statements { all: page!("seq > $3", "seq", ""), pinned: page!("seq > $3", "seq", pinned!()) };

/// The statements for pages in one direction.
struct Statements {
    all: &'static str,
    pinned: &'static str,
}

impl Statements {
    fn of(self, filter: HistoryFilter) -> &'static str {
        match filter {
            HistoryFilter::All => self.all,
            HistoryFilter::Pinned => self.pinned,
        }
    }
}

row! {
    /// One message; all columns are null if there is none.
    pub(super) struct MessageRow {
        seq: Option<i64>,
        sender_id: Option<Uuid>,
        client_id: Option<Uuid>,
        created_at: Option<OffsetDateTime>,
        body: Option<String>,
    }
}

row! {
    struct HistoryRow {
        last_seq: i64,
        last_event_at: Option<OffsetDateTime>,
        ..message: MessageRow,
    }
}

/// The messages on one side of a number.
struct Side {
    /// The oldest first.
    messages: Vec<Event>,
    /// The numbers that they cover: `from..=to`.
    from: Seq,
    to: Seq,
    last: LastEvent,
}

/// The last event of a log.
#[derive(Clone, Copy)]
struct LastEvent {
    seq: Seq,
    at: Option<OffsetDateTime>,
}

impl Database {
    /// Returns up to `limit` messages, oldest first, and fewer if they are long; `None`
    /// if the user has no such conversation.
    pub async fn history(
        &self,
        user: UserId,
        conversation: ConversationId,
        range: HistoryRange,
        filter: HistoryFilter,
        limit: u32,
    ) -> Result<Option<History>, DatabaseError> {
        let page = async |statements: Statements, edge, limit| {
            self.page(statements.of(filter), user, conversation, edge, limit).await
        };
        let before = async |seq, limit| Ok(page(BACKWARDS, seq, limit).await?.map(|page| page.before(seq)));
        let after = async |seq, limit| Ok(page(FORWARDS, seq, limit).await?.map(|page| page.after(seq)));
        let side = match range {
            HistoryRange::Newest => before(MAX_SAFE_INTEGER, limit).await?,
            HistoryRange::Before(seq) => before(seq, limit).await?,
            HistoryRange::After(seq) => after(seq, limit).await?,
            HistoryRange::Around(seq) => {
                let Some(older) = before(seq.saturating_add(1), limit.div_ceil(2)).await? else {
                    return Ok(None);
                };
                after(older.to, (limit / 2).max(1)).await?.map(|newer| older.joined_by(newer))
            }
        };
        Ok(side.map(|Side { messages, from, to, last }| History {
            messages,
            from,
            to,
            last_seq: last.seq,
            last_at: last.at.map(rfc3339),
        }))
    }

    async fn page(
        &self,
        statement: &'static str,
        user: UserId,
        conversation: ConversationId,
        edge: Seq,
        limit: u32,
    ) -> Result<Option<Page>, DatabaseError> {
        let rows: Vec<HistoryRow> = sqlx::query_as(statement)
            .bind(user.0)
            .bind(conversation.0)
            .bind(to_bigint(edge))
            .bind(i64::from(limit))
            .bind(self.page_bytes as i64)
            .fetch_all(&self.pool)
            .await
            .context("read the history")?;
        let Some(first) = rows.first() else { return Ok(None) };
        let last = LastEvent { seq: from_bigint(first.last_seq), at: first.last_event_at };
        let bytes: usize = rows.iter().filter_map(|row| row.message.body.as_ref()).map(String::len).sum();
        let mut messages: Vec<Event> =
            rows.into_iter().filter_map(|row| row.message.into_event(conversation)).collect();
        let read = messages.len();
        if bytes * ESCAPE_MAX_BYTES + read * EVENT_MAX_BYTES > self.page_bytes {
            messages.truncate(fitting(&messages, self.page_bytes));
        }
        let is_cut = read >= limit as usize || bytes >= self.page_bytes || messages.len() < read;
        Ok(Some(Page { messages, last, is_cut }))
    }
}

/// Messages from an edge on.
struct Page {
    messages: Vec<Event>,
    last: LastEvent,
    /// Whether there may be more behind these.
    is_cut: bool,
}

impl Page {
    /// Read backwards from `edge`.
    fn before(self, edge: Seq) -> Side {
        let Self { mut messages, last, is_cut } = self;
        messages.reverse();
        let from = messages.first().filter(|_| is_cut).map_or(1, |first| first.seq);
        Side { messages, from, to: edge.saturating_sub(1).min(last.seq), last }
    }

    /// Read forwards from `edge`.
    fn after(self, edge: Seq) -> Side {
        let Self { messages, last, is_cut } = self;
        let to = messages.last().filter(|_| is_cut).map_or(last.seq, |newest| newest.seq);
        Side { messages, from: edge.min(last.seq) + 1, to, last }
    }
}

impl Side {
    /// These messages and those that follow, which were read later.
    fn joined_by(self, newer: Self) -> Self {
        let Self { mut messages, from, .. } = self;
        messages.extend(newer.messages);
        Self { messages, from, to: newer.to, last: newer.last }
    }
}

/// The most bytes that one byte of a body takes in JSON: `\u0001`.
const ESCAPE_MAX_BYTES: usize = 6;
/// The most bytes that an event takes in JSON without its body (tested).
const EVENT_MAX_BYTES: usize = 320;

/// Returns how many of these items, at least one, fit into so many bytes of JSON.
pub(super) fn fitting(items: &[impl Serialize], bytes: usize) -> usize {
    let mut counted = CountedBytes(0);
    let fits = |item: &&_| serde_json::to_writer(&mut counted, item).is_ok() && counted.0 <= bytes;
    items.iter().take_while(fits).count().max(1)
}

/// Counts the bytes that are written, without keeping them.
struct CountedBytes(usize);

impl io::Write for CountedBytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MessageRow {
    pub(super) fn into_event(self, conversation: ConversationId) -> Option<Event> {
        Some(Event {
            conversation,
            seq: from_bigint(self.seq?),
            sender: UserId(self.sender_id?),
            client_id: ClientId(self.client_id?),
            at: rfc3339(self.created_at?).into(),
            content: Content::Message { body: self.body?.into() },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_bodies_and_events_take_in_json_is_bounded() {
        let body = "\u{1}".repeat(9);
        let event = Event {
            conversation: ConversationId::fresh(),
            seq: MAX_SAFE_INTEGER,
            sender: UserId::fresh(),
            client_id: ClientId(Uuid::now_v7()),
            at: rfc3339(OffsetDateTime::now_utc()).into(),
            content: Content::message(&body),
        };
        let taken = serde_json::to_string(&event).unwrap().len();
        assert!(taken <= body.len() * ESCAPE_MAX_BYTES + EVENT_MAX_BYTES, "{taken}");
        assert!(taken > body.len() * ESCAPE_MAX_BYTES);
    }
}
