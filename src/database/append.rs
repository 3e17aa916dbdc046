//! Appends messages that are all new, as nearly all batches are, in one statement.
//! `append_any` takes every batch. What they cost is in docs/performance.md.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::appended::{AppendOutcome, Appended, NewEvent};
use super::row::{PairRow, row};
use super::{WriteError, from_bigint, to_bigint};
use crate::domain::{ConversationId, IdMap, Operation, Seq};

// The rows of the conversations are locked in the order of their ids, so that two
// writers never wait for each other: `t` comes in that order, and no way to join it
// by an index leaves it. Numbers are given out under these locks, in the transaction
// that stores the messages: there are no holes.
//
// It checks `domain::may(role, Write)`: a message whose sender is not a member gets no
// number, and one that is stored already violates `messages_client_key`: then nothing is
// stored. Nor is it when one of the client ids names a change already, which is looked up
// where there are changes. Messages of a conversation that there is not join with nothing. A
// direct conversation says itself who is in it; in a group, the sender is looked up by key.
const APPEND_NEW: &str = "
WITH grown AS MATERIALIZED (
    UPDATE conversations c SET last_seq = c.last_seq + t.total, last_message_seq = c.last_seq + t.total,
        last_at = greatest(c.last_at, date_trunc('milliseconds', now()))
    FROM unnest($6::uuid[], $7::bigint[]) AS t (id, total) WHERE c.id = t.id
    RETURNING c.id, c.last_seq - t.total AS before, c.last_change_seq, c.direct_low, c.direct_high
), appended AS (
    INSERT INTO messages (conversation_id, seq, sender_id, client_id, created_at, body)
    SELECT e.conversation_id, CASE
            WHEN g.last_change_seq > 0 AND (
                SELECT true FROM changes h
                WHERE (h.client_id, h.sender_id, h.conversation_id) = (e.client_id, e.sender_id, e.conversation_id)
            ) THEN NULL
            WHEN e.sender_id IN (g.direct_low, g.direct_high) OR g.direct_low IS NULL AND
                (SELECT true FROM members m WHERE m.conversation_id = g.id AND m.user_id = e.sender_id)
            THEN g.before + e.nth END,
        e.sender_id, e.client_id, date_trunc('milliseconds', now()), e.body
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[])
        AS e (sender_id, client_id, conversation_id, body, nth)
    JOIN grown g ON g.id = e.conversation_id
)
SELECT id, before, direct_low, direct_high, date_trunc('milliseconds', now()) AS created_at FROM grown";

row! {
    /// A conversation that has grown.
    struct GrownRow {
        id: Uuid,
        /// The last number of its log before.
        before: i64,
        created_at: OffsetDateTime,
        ..pair: PairRow,
    }
}

/// A new event that is a message, with its text.
pub(super) type NewMessage<'a> = (&'a NewEvent<'a>, &'a str);

/// The texts of events that are all messages; `None` if one is not.
pub(super) fn messages<'a>(events: &'a [NewEvent<'_>]) -> Option<Vec<NewMessage<'a>>> {
    let message = |event: &'a NewEvent<'_>| match event.operation {
        Operation::Message(text) => Some((event, text.as_str())),
        Operation::Pin { .. } => None,
    };
    events.iter().map(message).collect()
}

/// Appends messages that are all new and all by members, or nothing.
pub(super) async fn all_new(
    connection: &mut PgConnection,
    messages: &[NewMessage<'_>],
) -> Result<Appended, WriteError> {
    let columns = Columns::of(messages);
    let (nths, totals) = count(messages);
    let rows: Vec<GrownRow> = sqlx::query_as(APPEND_NEW)
        .bind(columns.senders)
        .bind(columns.client_ids)
        .bind(columns.conversations)
        .bind(columns.bodies)
        .bind(nths.iter().map(|nth| to_bigint(*nth)).collect::<Vec<_>>())
        .bind(totals.keys().copied().collect::<Vec<_>>())
        .bind(totals.values().map(|total| to_bigint(*total)).collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
    let grown: IdMap<Uuid, &GrownRow> = rows.iter().map(|row| (row.id, row)).collect();
    let outcome = |((event, _), nth): (&NewMessage<'_>, Seq)| match grown.get(&event.conversation.0) {
        None => AppendOutcome::NoSuchConversation,
        Some(row) => {
            let seq = from_bigint(row.before) + nth;
            AppendOutcome::Stored { seq, at: row.created_at, duplicate: false }
        }
    };
    Ok(Appended {
        outcomes: messages.iter().zip(nths).map(outcome).collect(),
        members: rows.iter().map(|row| (ConversationId(row.id), row.pair.members())).collect(),
    })
}

/// Numbers each message within its conversation, from 1, and counts how many
/// each conversation gets.
fn count(messages: &[NewMessage<'_>]) -> (Vec<Seq>, BTreeMap<Uuid, Seq>) {
    let mut totals = BTreeMap::new();
    let mut nth = |(event, _): &NewMessage<'_>| {
        let total = totals.entry(event.conversation.0).or_insert(0);
        *total += 1;
        *total
    };
    let nths = messages.iter().map(&mut nth).collect();
    (nths, totals)
}

/// Messages as PostgreSQL takes them: one array for each column.
struct Columns<'a> {
    senders: Vec<Uuid>,
    client_ids: Vec<Uuid>,
    conversations: Vec<Uuid>,
    bodies: Vec<&'a str>,
}

impl<'a> Columns<'a> {
    fn of(messages: &[NewMessage<'a>]) -> Self {
        Self {
            senders: messages.iter().map(|(event, _)| event.sender.0).collect(),
            client_ids: messages.iter().map(|(event, _)| event.client_id.0).collect(),
            conversations: messages.iter().map(|(event, _)| event.conversation.0).collect(),
            bodies: messages.iter().map(|(_, body)| *body).collect(),
        }
    }
}
