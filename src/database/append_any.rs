//! Appends any events to the log: messages and changes, new ones and some that have been
//! stored before. What is there is read under the locks of the conversations, what follows
//! is decided here ([`decide`]), and written at once: five round trips to the database,
//! and one commit.

use std::collections::{BTreeMap, HashMap, HashSet};

use sqlx::{Connection, PgConnection};
use time::OffsetDateTime;
use uuid::Uuid;

use super::appended::{AppendOutcome, Appended, NewEvent};
use super::row::{PairRow, row};
use super::{WriteError, from_bigint, to_bigint};
use crate::domain::{ConversationId, Operation, Seq};
use crate::protocol::{Content, PINS_MAX};

#[cfg(test)]
mod tests;

// In the order of the ids, so that two writers never wait for each other.
const LOCK: &str = "
SELECT id, last_message_seq, last_change_seq, date_trunc('milliseconds', now()) AS at,
    direct_low, direct_high
FROM conversations c WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE";

// Only now: what another writer has committed before it gave the locks away is seen.
// `is_member` is `domain::may(role, Write)` and `domain::may(role, Pin)`. A client id names
// one event, whatever its kind. Where an older server stored it for a message and for a
// change, it names the one that is asked about: of the other kind, nothing is the same.
const FIND: &str = "
SELECT EXISTS (SELECT FROM members m WHERE m.conversation_id = i.conversation_id AND m.user_id = i.sender_id) AS is_member,
    CASE WHEN i.change IS NULL THEN coalesce(m.seq, c.seq) ELSE coalesce(c.seq, m.seq) END AS seq,
    CASE WHEN i.change IS NULL THEN coalesce(m.created_at, c.created_at) ELSE coalesce(c.created_at, m.created_at) END AS at,
    coalesce(m.body = i.body, c.content = i.change::jsonb, false) AS is_same,
    EXISTS (SELECT FROM messages t WHERE t.conversation_id = i.conversation_id AND t.seq = i.target) AS target_is_message,
    CASE WHEN i.target IS NULL THEN '{}' ELSE
        ARRAY(SELECT message_seq FROM pins p WHERE p.conversation_id = i.conversation_id) END AS pins
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bigint[])
    WITH ORDINALITY AS i (sender_id, client_id, conversation_id, body, change, target, place)
LEFT JOIN messages m
    ON (m.client_id, m.sender_id, m.conversation_id) = (i.client_id, i.sender_id, i.conversation_id)
LEFT JOIN changes c
    ON (c.client_id, c.sender_id, c.conversation_id) = (i.client_id, i.sender_id, i.conversation_id)
ORDER BY i.place";

const WRITE: &str = "
WITH said AS (
    INSERT INTO messages (conversation_id, seq, sender_id, client_id, body, created_at)
    SELECT t.*, date_trunc('milliseconds', now())
    FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[], $5::text[]) AS t
), changed AS (
    INSERT INTO changes (conversation_id, seq, sender_id, client_id, content, created_at)
    SELECT conversation_id, seq, sender_id, client_id, content::jsonb, date_trunc('milliseconds', now())
    FROM unnest($6::uuid[], $7::bigint[], $8::uuid[], $9::uuid[], $10::text[])
        AS t (conversation_id, seq, sender_id, client_id, content)
), pinned AS (
    INSERT INTO pins (conversation_id, message_seq, change_seq)
    SELECT * FROM unnest($11::uuid[], $12::bigint[], $13::bigint[])
    -- Unpinned and pinned again, in one batch.
    ON CONFLICT (conversation_id, message_seq) DO UPDATE SET change_seq = excluded.change_seq
), unpinned AS (
    DELETE FROM pins p USING unnest($14::uuid[], $15::bigint[]) AS t (conversation_id, message_seq)
    WHERE p.conversation_id = t.conversation_id AND p.message_seq = t.message_seq
)
UPDATE conversations c SET last_seq = greatest(t.last_message_seq, t.last_change_seq),
    last_message_seq = t.last_message_seq, last_change_seq = t.last_change_seq,
    last_at = CASE WHEN t.last_message_seq > c.last_message_seq
        THEN greatest(c.last_at, date_trunc('milliseconds', now())) ELSE c.last_at END
FROM unnest($16::uuid[], $17::bigint[], $18::bigint[]) AS t (id, last_message_seq, last_change_seq) WHERE c.id = t.id";

row! {
    struct ConversationRow {
        id: Uuid,
        last_message_seq: i64,
        last_change_seq: i64,
        at: OffsetDateTime,
        ..pair: PairRow,
    }
}

row! {
    struct FoundRow {
        is_member: bool,
        /// Of the event that is stored by this client id.
        seq: Option<i64>,
        at: Option<OffsetDateTime>,
        is_same: bool,
        target_is_message: bool,
        pins: Vec<i64>,
    }
}

/// What is known of a conversation while it is locked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct LogEnd {
    last_message_seq: Seq,
    last_change_seq: Seq,
}

impl LogEnd {
    fn next_seq(&self) -> Seq {
        self.last_message_seq.max(self.last_change_seq) + 1
    }
}

/// What the database knows about a new event.
#[derive(Clone, Debug, Default)]
struct Found {
    is_member: bool,
    /// What is stored by its client id.
    stored: Option<StoredBefore>,
    /// Whether the number it is about is that of a message.
    target_is_message: bool,
    /// The pinned messages of its conversation, if it is about pins.
    pins: HashSet<Seq>,
}

#[derive(Clone, Copy, Debug)]
struct StoredBefore {
    seq: Seq,
    at: OffsetDateTime,
    is_same: bool,
}

/// What is to be written, and answered.
#[derive(Debug, Default, PartialEq, Eq)]
struct Decision {
    /// One for each event.
    outcomes: Vec<AppendOutcome>,
    /// The new ends of the logs that have grown.
    grown: BTreeMap<ConversationId, LogEnd>,
    /// By conversation and message: the number of the change that pins it, or none for one
    /// that takes its pin off.
    pins: BTreeMap<(ConversationId, Seq), Option<Seq>>,
}

/// Appends the events that are new, and returns the outcome of each.
pub(super) async fn append(
    connection: &mut PgConnection,
    events: &[NewEvent<'_>],
) -> Result<Appended, WriteError> {
    let mut transaction = connection.begin().await?;
    let conversations: HashSet<Uuid> = events.iter().map(|event| event.conversation.0).collect();
    let locked: Vec<ConversationRow> = sqlx::query_as(LOCK)
        .bind(conversations.into_iter().collect::<Vec<_>>())
        .fetch_all(&mut *transaction)
        .await?;
    let changes: Vec<Option<String>> = events.iter().map(|event| change(event.operation)).collect();
    let found = find(&mut transaction, events, &changes).await?;
    let decision = decide(events, &found, &locked);
    if !decision.grown.is_empty() {
        write(&mut transaction, events, &changes, &decision).await?;
    }
    transaction.commit().await?;
    let members = locked.iter().map(|row| (ConversationId(row.id), row.pair.members())).collect();
    Ok(Appended { outcomes: decision.outcomes, members })
}

async fn find(
    connection: &mut PgConnection,
    events: &[NewEvent<'_>],
    changes: &[Option<String>],
) -> Result<Vec<Found>, WriteError> {
    let rows: Vec<FoundRow> = sqlx::query_as(FIND)
        .bind(events.iter().map(|event| event.sender.0).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.client_id.0).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.conversation.0).collect::<Vec<_>>())
        .bind(events.iter().map(|event| body(event.operation)).collect::<Vec<_>>())
        .bind(changes)
        .bind(events.iter().map(|event| target(event.operation).map(to_bigint)).collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().map(FoundRow::into_found).collect())
}

/// Gives numbers to the events that are new, in order. Nothing else writes to these
/// conversations meanwhile.
fn decide(events: &[NewEvent<'_>], found: &[Found], locked: &[ConversationRow]) -> Decision {
    let at: HashMap<Uuid, OffsetDateTime> = locked.iter().map(|row| (row.id, row.at)).collect();
    let mut ends: HashMap<ConversationId, LogEnd> = locked.iter().map(ConversationRow::end).collect();
    let mut pins: HashMap<ConversationId, HashSet<Seq>> = HashMap::new();
    let mut messages: HashSet<(ConversationId, Seq)> = HashSet::new();
    let mut decision = Decision::default();
    for (event, found) in events.iter().zip(found) {
        let conversation = event.conversation;
        let (Some(end), Some(at), true) =
            (ends.get_mut(&conversation), at.get(&conversation.0), found.is_member)
        else {
            decision.outcomes.push(AppendOutcome::NoSuchConversation);
            continue;
        };
        if let Some(stored) = found.stored {
            decision.outcomes.push(stored.outcome());
            continue;
        }
        let seq = end.next_seq();
        match *event.operation {
            Operation::Message(_) => {
                end.last_message_seq = seq;
                messages.insert((conversation, seq));
            }
            Operation::Pin { target, on } => {
                if !found.target_is_message && !messages.contains(&(conversation, target)) {
                    decision.outcomes.push(AppendOutcome::NoSuchMessage);
                    continue;
                }
                let pinned = pins.entry(conversation).or_insert_with(|| found.pins.clone());
                if on && !pinned.contains(&target) && pinned.len() >= PINS_MAX {
                    decision.outcomes.push(AppendOutcome::TooManyPins);
                    continue;
                }
                if if on { pinned.insert(target) } else { pinned.remove(&target) } {
                    decision.pins.insert((conversation, target), on.then_some(seq));
                }
                end.last_change_seq = seq;
            }
        }
        decision.grown.insert(conversation, end.clone());
        decision.outcomes.push(AppendOutcome::Stored { seq, at: *at, duplicate: false });
    }
    decision
}

async fn write(
    connection: &mut PgConnection,
    events: &[NewEvent<'_>],
    changes: &[Option<String>],
    decision: &Decision,
) -> Result<(), WriteError> {
    let (mut messages, mut changed) = (NewRows::default(), NewRows::default());
    for ((event, change), outcome) in events.iter().zip(changes).zip(&decision.outcomes) {
        let AppendOutcome::Stored { seq, duplicate: false, .. } = outcome else { continue };
        match (body(event.operation), change) {
            (Some(body), _) => messages.push(event, *seq, body),
            (None, Some(change)) => changed.push(event, *seq, change),
            (None, None) => {}
        }
    }
    let mut query = sqlx::query(WRITE);
    for rows in [messages, changed] {
        query = query
            .bind(rows.conversations)
            .bind(rows.seqs)
            .bind(rows.senders)
            .bind(rows.client_ids)
            .bind(rows.contents);
    }
    let pins = |pinned: bool| decision.pins.iter().filter(move |(_, change)| change.is_some() == pinned);
    let conversations = |pinned| pins(pinned).map(|((id, _), _)| id.0).collect::<Vec<_>>();
    let targets = |pinned| pins(pinned).map(|((_, target), _)| to_bigint(*target)).collect::<Vec<_>>();
    query
        .bind(conversations(true))
        .bind(targets(true))
        .bind(pins(true).filter_map(|(_, change)| change.map(to_bigint)).collect::<Vec<_>>())
        .bind(conversations(false))
        .bind(targets(false))
        .bind(decision.grown.keys().map(|id| id.0).collect::<Vec<_>>())
        .bind(decision.grown.values().map(|end| to_bigint(end.last_message_seq)).collect::<Vec<_>>())
        .bind(decision.grown.values().map(|end| to_bigint(end.last_change_seq)).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

/// New rows of a table: one array for each column.
#[derive(Default)]
struct NewRows<'a> {
    conversations: Vec<Uuid>,
    seqs: Vec<i64>,
    senders: Vec<Uuid>,
    client_ids: Vec<Uuid>,
    contents: Vec<&'a str>,
}

impl<'a> NewRows<'a> {
    fn push(&mut self, event: &NewEvent<'_>, seq: Seq, content: &'a str) {
        self.conversations.push(event.conversation.0);
        self.seqs.push(to_bigint(seq));
        self.senders.push(event.sender.0);
        self.client_ids.push(event.client_id.0);
        self.contents.push(content);
    }
}

fn body(operation: &Operation) -> Option<&str> {
    match operation {
        Operation::Message(text) => Some(text.as_str()),
        Operation::Pin { .. } => None,
    }
}

/// What the table of changes keeps of an operation that is no message: its content as it
/// is on the wire.
fn change(operation: &Operation) -> Option<String> {
    let text = || {
        serde_json::to_string(&Content::from(operation))
            .expect("wire types have string keys and finite numbers only")
    };
    (!operation.kind().is_message()).then(text)
}

/// The number of the message that an operation is about.
fn target(operation: &Operation) -> Option<Seq> {
    match operation {
        Operation::Message(_) => None,
        Operation::Pin { target, .. } => Some(*target),
    }
}

impl ConversationRow {
    fn end(&self) -> (ConversationId, LogEnd) {
        let (last_message_seq, last_change_seq) =
            (from_bigint(self.last_message_seq), from_bigint(self.last_change_seq));
        (ConversationId(self.id), LogEnd { last_message_seq, last_change_seq })
    }
}

impl FoundRow {
    fn into_found(self) -> Found {
        let stored = |(seq, at)| StoredBefore { seq: from_bigint(seq), at, is_same: self.is_same };
        Found {
            is_member: self.is_member,
            stored: self.seq.zip(self.at).map(stored),
            target_is_message: self.target_is_message,
            pins: self.pins.into_iter().map(from_bigint).collect(),
        }
    }
}

impl StoredBefore {
    fn outcome(self) -> AppendOutcome {
        match self {
            Self { seq, at, is_same: true } => AppendOutcome::Stored { seq, at, duplicate: true },
            Self { is_same: false, .. } => AppendOutcome::IdReused,
        }
    }
}
