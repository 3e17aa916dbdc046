//! The two statements that append to the log: one for batches that are all new,
//! as nearly all are, and one that takes every batch. What they cost is in
//! docs/performance.md.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use sqlx::{FromRow, PgConnection};
use time::OffsetDateTime;
use uuid::Uuid;

use super::log::{Appended, NewEvent, Place};
use super::{Fault, from_bigint, to_bigint};
use crate::domain::{ConversationId, Seq, UserId};

// Both: the rows of the conversations are locked in the order of their ids, so
// that two writers never wait for each other. Numbers are given out under these
// locks, in the transaction that stores the events: there are no holes.

// An event whose sender is not a member gets no number, and one that is stored
// already violates `events_client_key`: then nothing is stored. Those of a
// conversation that there is not join with nothing. A direct conversation says
// itself who is in it. `t` comes in the order of the ids, and no way to join it
// by an index leaves that order.
const FRESH: &str = "
WITH grown AS MATERIALIZED (
    UPDATE conversations c SET last_seq = c.last_seq + t.total,
        last_at = greatest(c.last_at, date_trunc('milliseconds', now()))
    FROM unnest($6::uuid[], $7::bigint[]) AS t (id, total) WHERE c.id = t.id
    RETURNING c.id, c.last_seq - t.total AS before, CASE WHEN c.direct_low IS NULL
        THEN ARRAY(SELECT user_id FROM members WHERE conversation_id = c.id)
        ELSE ARRAY[c.direct_low, c.direct_high] END AS members
), appended AS (
    INSERT INTO events (conversation_id, seq, sender_id, client_id, created_at, body)
    SELECT e.conversation_id, CASE WHEN e.sender_id = ANY (g.members) THEN g.before + e.nth END,
        e.sender_id, e.client_id, date_trunc('milliseconds', now()), e.body
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[])
        AS e (sender_id, client_id, conversation_id, body, nth)
    JOIN grown g ON g.id = e.conversation_id
)
SELECT id, before, members, date_trunc('milliseconds', now()) AS created_at FROM grown";

// A duplicate that another writer commits while this statement runs is not in
// its snapshot; it violates `events_client_key`, and the batch is run again.
const ANY: &str = "
WITH input AS MATERIALIZED (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[])
    WITH ORDINALITY AS t (sender_id, client_id, conversation_id, body, place)
), audience AS MATERIALIZED (
    SELECT conversation_id, array_agg(user_id) AS members FROM members
    WHERE conversation_id IN (SELECT conversation_id FROM input) GROUP BY conversation_id
), stored AS MATERIALIZED (
    SELECT i.place, e.seq, e.created_at, e.conversation_id = i.conversation_id AND e.body = i.body AS same
    FROM input i JOIN events e ON e.sender_id = i.sender_id AND e.client_id = i.client_id
), fresh AS MATERIALIZED (
    SELECT i.*, row_number() OVER (PARTITION BY conversation_id ORDER BY place) AS nth,
        count(*) OVER (PARTITION BY conversation_id) AS total
    FROM input i JOIN audience a USING (conversation_id)
    WHERE i.sender_id = ANY (a.members) AND NOT EXISTS (SELECT FROM stored s WHERE s.place = i.place)
), locked AS MATERIALIZED (
    SELECT id FROM conversations WHERE id IN (SELECT conversation_id FROM fresh)
    ORDER BY id FOR NO KEY UPDATE
), grown AS (
    UPDATE conversations c SET last_seq = c.last_seq + f.total,
        last_at = greatest(c.last_at, date_trunc('milliseconds', now()))
    FROM locked l JOIN fresh f ON f.conversation_id = l.id AND f.nth = 1
    WHERE c.id = l.id RETURNING c.id, c.last_seq
), numbered AS MATERIALIZED (
    SELECT f.*, g.last_seq - f.total + f.nth AS seq FROM fresh f JOIN grown g ON g.id = f.conversation_id
), appended AS (
    INSERT INTO events (conversation_id, seq, sender_id, client_id, created_at, body)
    SELECT conversation_id, seq, sender_id, client_id, date_trunc('milliseconds', now()), body FROM numbered
)
SELECT i.conversation_id, coalesce(s.seq, n.seq) AS seq, s.place IS NOT NULL AS duplicate,
    coalesce(s.same, true) AS same, coalesce(s.created_at, date_trunc('milliseconds', now())) AS created_at,
    CASE WHEN n.nth = 1 OR s.place IS NOT NULL THEN a.members END AS members
FROM input i LEFT JOIN stored s USING (place) LEFT JOIN numbered n USING (place)
LEFT JOIN audience a ON a.conversation_id = i.conversation_id
ORDER BY i.place";

/// A conversation that has grown.
#[derive(FromRow)]
struct GrownRow {
    id: Uuid,
    /// Where its log ended before.
    before: i64,
    members: Vec<Uuid>,
    created_at: OffsetDateTime,
}

#[derive(FromRow)]
struct AnyRow {
    conversation_id: Uuid,
    seq: Option<i64>,
    duplicate: bool,
    same: bool,
    created_at: OffsetDateTime,
    /// With the first new event of each conversation, and with duplicates.
    members: Option<Vec<Uuid>>,
}

/// Appends events that are all new and all by members, or nothing.
pub(super) async fn fresh(connection: &mut PgConnection, events: &[NewEvent<'_>]) -> Result<Appended, Fault> {
    let columns = Columns::of(events);
    let (nths, totals) = count(events);
    let rows: Vec<GrownRow> = sqlx::query_as(FRESH)
        .bind(columns.senders)
        .bind(columns.client_ids)
        .bind(columns.conversations)
        .bind(columns.bodies)
        .bind(nths.iter().map(|nth| to_bigint(*nth)).collect::<Vec<_>>())
        .bind(totals.keys().copied().collect::<Vec<_>>())
        .bind(totals.values().map(|total| to_bigint(*total)).collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
    let grown: HashMap<Uuid, &GrownRow> = rows.iter().map(|row| (row.id, row)).collect();
    let place = |(event, nth): (&NewEvent<'_>, Seq)| match grown.get(&event.conversation.0) {
        None => Place::NoSuchConversation,
        Some(row) => {
            let seq = from_bigint(row.before) + nth;
            Place::Stored { seq, at: row.created_at, duplicate: false }
        }
    };
    Ok(Appended {
        places: events.iter().zip(nths).map(place).collect(),
        members: rows.iter().map(|row| (ConversationId(row.id), shared(&row.members))).collect(),
    })
}

/// The place of each event among those of its conversation, from 1, and how many
/// each conversation has.
fn count(events: &[NewEvent<'_>]) -> (Vec<Seq>, BTreeMap<Uuid, Seq>) {
    let mut totals = BTreeMap::new();
    let mut nth = |event: &NewEvent<'_>| {
        let total = totals.entry(event.conversation.0).or_insert(0);
        *total += 1;
        *total
    };
    let nths = events.iter().map(&mut nth).collect();
    (nths, totals)
}

/// Appends what is new of the events, and says what became of each.
pub(super) async fn any(connection: &mut PgConnection, events: &[NewEvent<'_>]) -> Result<Appended, Fault> {
    let columns = Columns::of(events);
    let rows: Vec<AnyRow> = sqlx::query_as(ANY)
        .bind(columns.senders)
        .bind(columns.client_ids)
        .bind(columns.conversations)
        .bind(columns.bodies)
        .fetch_all(connection)
        .await?;
    let mut appended = Appended::default();
    for row in rows {
        appended.places.push(row.place());
        if let Some(members) = &row.members {
            appended.members.insert(ConversationId(row.conversation_id), shared(members));
        }
    }
    Ok(appended)
}

/// Events as PostgreSQL takes them: an array a column.
struct Columns<'a> {
    senders: Vec<Uuid>,
    client_ids: Vec<Uuid>,
    conversations: Vec<Uuid>,
    bodies: Vec<&'a str>,
}

impl<'a> Columns<'a> {
    fn of(events: &[NewEvent<'a>]) -> Self {
        Self {
            senders: events.iter().map(|event| event.sender.0).collect(),
            client_ids: events.iter().map(|event| event.client_id.0).collect(),
            conversations: events.iter().map(|event| event.conversation.0).collect(),
            bodies: events.iter().map(|event| event.body).collect(),
        }
    }
}

fn shared(members: &[Uuid]) -> Arc<[UserId]> {
    members.iter().copied().map(UserId).collect()
}

impl AnyRow {
    fn place(&self) -> Place {
        match self.seq {
            None => Place::NoSuchConversation,
            Some(_) if !self.same => Place::IdReused,
            Some(seq) => {
                Place::Stored { seq: from_bigint(seq), at: self.created_at, duplicate: self.duplicate }
            }
        }
    }
}
