//! What a client missed: first the missing ranges of each log (`missing`), then their
//! events, a page at a time. Both queries are batched for many users, and neither
//! reads more than a bounded number of bytes into memory.

use std::sync::Arc;

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::fragments::{may_read, stored_at};
use super::query_batcher::BatchQuery;
use super::row::row;
use super::{Database, DatabaseError, from_bigint, to_bigint};
use crate::domain::{ClientId, ConversationId, Seq, UserId, rfc3339};
use crate::protocol::{Content, Cursor, Event, Hidden, ServerFrame};

/// The size of what a page's events say, in bytes; the event that reaches it is the last.
pub const REPLAY_PAGE_BYTES: usize = 64 * 1024;

/// The maximum number of events in a page.
const PAGE_EVENTS: u64 = 128;

/// What is missing after some cursors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// The ranges to replay, by conversation.
    pub ranges: Vec<LogRange>,
    /// Conversations of which more is missing than the limit allows.
    pub truncated: Vec<ConversationId>,
    /// Conversations whose log ends before the cursor, or has another event there.
    pub reset: Vec<ConversationId>,
}

/// The events of a conversation after one number, up to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogRange {
    pub conversation: ConversationId,
    pub after: Seq,
    pub upto: Seq,
}

impl LogRange {
    fn len(&self) -> u64 {
        self.upto.saturating_sub(self.after)
    }
}

// Those that miss least come first, so that most conversations are complete.
// A conversation is replayed whole or, where the room ends, not at all. The
// inner limit cuts nothing; it keeps the planner from joining whole tables. The join
// with `members` is `domain::may(role, Read)`: other conversations look like none.
const MISSING: &str = concat!(
    "
WITH asked AS (
    SELECT DISTINCT ON (place, conversation_id) place, user_id, most, conversation_id, seq, at
    FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::uuid[], $5::bigint[], $6::timestamptz[])
        AS a (place, user_id, most, conversation_id, seq, at)
    ORDER BY place, conversation_id, seq
), compared AS MATERIALIZED (
    SELECT a.place, a.most, a.conversation_id AS id, a.seq AS cursor, coalesce(c.last_seq, 0) AS last_seq,
        a.at IS NOT NULL AND coalesce(",
    stored_at!("c.id", "a.seq"),
    " <> a.at, false) AS other
    FROM asked a LEFT JOIN LATERAL (
        SELECT c.id, c.last_seq FROM members m JOIN conversations c ON c.id = m.conversation_id
        WHERE m.conversation_id = a.conversation_id AND m.user_id = a.user_id LIMIT 1
    ) c ON true
), behind AS (
    SELECT place, most, id, cursor, last_seq, last_seq - cursor AS count, last_seq < cursor OR other AS reset
    FROM compared WHERE last_seq <> cursor OR other
)
SELECT place, id, cursor, last_seq, reset, sum(CASE WHEN reset THEN 0 ELSE count END)
    OVER (PARTITION BY place ORDER BY NOT reset, count, id) > most AS truncated
FROM behind ORDER BY place, id"
);

// Who may read is looked at again for each page. Both tables are read in the order of
// the numbers. What is beyond the bound is not read: what is summed is the length that
// the row has of each body.
const PAGES: &str = concat!(
    "
WITH asked AS (
    SELECT place, turn, conversation_id, after, upto
    FROM unnest($1::bigint[], $2::bigint[], $3::uuid[], $4::uuid[], $5::bigint[], $6::bigint[])
        AS a (place, turn, user_id, conversation_id, after, upto)
    WHERE ",
    may_read!("a.conversation_id", "a.user_id"),
    "
), measured AS (
    SELECT a.place, a.turn, a.conversation_id AS id, e.*,
        sum(size) OVER (PARTITION BY a.place ORDER BY a.turn, e.seq) - size AS bytes_before
    FROM asked a CROSS JOIN LATERAL (
        SELECT seq, sender_id, client_id, created_at, body, NULL::jsonb AS change, octet_length(body) AS size FROM messages
        WHERE conversation_id = a.conversation_id AND seq > a.after AND seq <= a.upto
        UNION ALL
        SELECT seq, sender_id, client_id, created_at, NULL, content, pg_column_size(content) FROM changes
        WHERE conversation_id = a.conversation_id AND seq > a.after AND seq <= a.upto
        ORDER BY seq LIMIT $8
    ) e
)
SELECT place, id, seq, sender_id, client_id, created_at, body, change::text
FROM measured WHERE bytes_before < $7 ORDER BY place, turn, seq"
);

row! {
    /// A row of `MISSING`.
    struct MissingRow {
        /// The index of the query in the batch.
        place: i64,
        id: Uuid,
        cursor: i64,
        last_seq: i64,
        reset: bool,
        truncated: bool,
    }
}

row! {
    /// A row of `PAGES`.
    struct PageRow {
        place: i64,
        id: Uuid,
        seq: i64,
        sender_id: Uuid,
        client_id: Uuid,
        created_at: OffsetDateTime,
        /// Of a message.
        body: Option<String>,
        /// Of a change.
        change: Option<String>,
    }
}

/// An event that is sent again.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayedEvent {
    pub conversation: ConversationId,
    pub seq: Seq,
    pub frame: ServerFrame,
}

/// Finds what is missing after `cursors`, up to `max` events.
pub(super) struct MissingQuery {
    user: UserId,
    cursors: Arc<[Cursor]>,
    max: u32,
}

impl BatchQuery for MissingQuery {
    type Output = Missing;
    const CONTEXT: &'static str = "compare cursors";
    /// In cursors: those of two clients that send the maximum.
    const MAX_BATCH: usize = 1_024;

    fn user(&self) -> Option<UserId> {
        Some(self.user)
    }

    fn weight(&self) -> usize {
        self.cursors.len()
    }

    async fn run(connection: &mut PgConnection, users: &[Self]) -> Result<Vec<Missing>, sqlx::Error> {
        let (mut places, mut ids, mut most) = (Vec::new(), Vec::new(), Vec::new());
        let (mut conversations, mut seqs, mut times) = (Vec::new(), Vec::new(), Vec::new());
        for (place, asked) in (0i64..).zip(users) {
            for cursor in &*asked.cursors {
                places.push(place);
                ids.push(asked.user.0);
                most.push(i64::from(asked.max));
                conversations.push(cursor.conversation.0);
                seqs.push(to_bigint(cursor.seq));
                times.push(cursor.at);
            }
        }
        let rows: Vec<MissingRow> = sqlx::query_as(MISSING)
            .bind(places)
            .bind(ids)
            .bind(most)
            .bind(conversations)
            .bind(seqs)
            .bind(times)
            .fetch_all(connection)
            .await?;
        let mut answers: Vec<Missing> = users.iter().map(|_| Missing::default()).collect();
        for row in rows {
            if let Some(missing) = at(&mut answers, row.place) {
                missing.take(&row);
            }
        }
        Ok(answers)
    }
}

impl Missing {
    fn take(&mut self, row: &MissingRow) {
        let conversation = ConversationId(row.id);
        if row.reset {
            self.reset.push(conversation);
        } else if row.truncated {
            self.truncated.push(conversation);
        } else {
            let (after, upto) = (from_bigint(row.cursor), from_bigint(row.last_seq));
            self.ranges.push(LogRange { conversation, after, upto });
        }
    }
}

/// Reads the first page of these ranges.
pub(super) struct ReplayPageQuery {
    user: UserId,
    ranges: Vec<LogRange>,
}

impl BatchQuery for ReplayPageQuery {
    type Output = Vec<ReplayedEvent>;
    const CONTEXT: &'static str = "read a page of a replay";
    /// In events. Each page counts as at least an eighth of a page, so that these
    /// are 32 pages at the most.
    const MAX_BATCH: usize = 4 * PAGE_EVENTS as usize;

    fn user(&self) -> Option<UserId> {
        Some(self.user)
    }

    fn weight(&self) -> usize {
        let events: u64 = self.ranges.iter().map(LogRange::len).sum();
        events.clamp(PAGE_EVENTS / 8, PAGE_EVENTS) as usize
    }

    async fn run(connection: &mut PgConnection, pages: &[Self]) -> Result<Vec<Self::Output>, sqlx::Error> {
        let (mut places, mut turns, mut users) = (Vec::new(), Vec::new(), Vec::new());
        let (mut conversations, mut afters, mut uptos) = (Vec::new(), Vec::new(), Vec::new());
        for (place, page) in (0i64..).zip(pages) {
            for (turn, range) in (0i64..).zip(&page.ranges) {
                places.push(place);
                turns.push(turn);
                users.push(page.user.0);
                conversations.push(range.conversation.0);
                afters.push(to_bigint(range.after));
                uptos.push(to_bigint(range.upto));
            }
        }
        let rows: Vec<PageRow> = sqlx::query_as(PAGES)
            .bind(places)
            .bind(turns)
            .bind(users)
            .bind(conversations)
            .bind(afters)
            .bind(uptos)
            .bind(REPLAY_PAGE_BYTES as i64)
            .bind(to_bigint(PAGE_EVENTS))
            .fetch_all(connection)
            .await?;
        let mut answers: Vec<Self::Output> = pages.iter().map(|_| Vec::new()).collect();
        for row in rows {
            if let Some(page) = at(&mut answers, row.place) {
                page.push(row.into_event());
            }
        }
        Ok(answers)
    }
}

impl PageRow {
    fn into_event(self) -> ReplayedEvent {
        let (conversation, seq) = (ConversationId(self.id), from_bigint(self.seq));
        let content = match (self.body, self.change) {
            (Some(body), _) => Some(Content::Message { body: body.into() }),
            // A newer server on the same database knows more kinds.
            (None, change) => change.and_then(|change| serde_json::from_str(&change).ok()),
        };
        let frame = match content {
            Some(content) => ServerFrame::Event(Event {
                conversation,
                seq,
                sender: UserId(self.sender_id),
                client_id: ClientId(self.client_id),
                at: rfc3339(self.created_at).into(),
                content,
            }),
            None => ServerFrame::Hidden(Hidden { conversation, seq }),
        };
        ReplayedEvent { conversation, seq, frame }
    }
}

fn at<T>(answers: &mut [T], place: i64) -> Option<&mut T> {
    usize::try_from(place).ok().and_then(|place| answers.get_mut(place))
}

impl Database {
    /// Returns what is missing of the user's conversations after `cursors`, with room for
    /// `max` events in all. Conversations that are not the user's have empty logs.
    pub async fn missing(
        &self,
        user: UserId,
        cursors: Arc<[Cursor]>,
        max: u32,
    ) -> Result<Missing, DatabaseError> {
        self.missing.run(MissingQuery { user, cursors, max }).await
    }

    /// Reads the first page of `ranges`, and removes it from them.
    pub async fn replay_page(
        &self,
        user: UserId,
        ranges: &mut Vec<LogRange>,
    ) -> Result<Vec<ReplayedEvent>, DatabaseError> {
        let asked = first_page(ranges);
        let count = asked.len();
        let events = self.pages.run(ReplayPageQuery { user, ranges: asked }).await?;
        advance(ranges, count, events.last());
        Ok(events)
    }
}

/// Returns the beginning of `ranges`, up to the maximum number of events of a page.
fn first_page(ranges: &[LogRange]) -> Vec<LogRange> {
    let mut room = PAGE_EVENTS;
    let mut page = Vec::new();
    for range in ranges {
        if room == 0 {
            break;
        }
        let upto = range.upto.min(range.after.saturating_add(room));
        page.push(LogRange { upto, ..*range });
        room -= upto - range.after;
    }
    page
}

/// Removes what has been read. A page without an event shows that the `asked`
/// ranges are empty: this user may no longer see what was there.
fn advance(ranges: &mut Vec<LogRange>, asked: usize, last: Option<&ReplayedEvent>) {
    let Some(last) = last else {
        ranges.drain(..asked);
        return;
    };
    let reached = ranges.iter().position(|range| range.conversation == last.conversation).unwrap_or(0);
    ranges.drain(..reached);
    if let Some(range) = ranges.first_mut() {
        range.after = last.seq;
        if range.len() == 0 {
            ranges.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(conversation: ConversationId, after: Seq, upto: Seq) -> LogRange {
        LogRange { conversation, after, upto }
    }

    fn event(conversation: ConversationId, seq: Seq) -> ReplayedEvent {
        ReplayedEvent { conversation, seq, frame: ServerFrame::Hidden(Hidden { conversation, seq }) }
    }

    #[test]
    fn a_page_is_cut_by_its_number_of_events() {
        let [one, other, third] = [(); 3].map(|()| ConversationId::fresh());
        let ranges = [range(one, 0, 100), range(other, 5, 300), range(third, 0, 1)];
        assert_eq!(first_page(&ranges), [range(one, 0, 100), range(other, 5, 33)]);
        assert_eq!(first_page(&[]), []);
    }

    #[test]
    fn what_was_read_is_not_asked_for_again() {
        let [one, other] = [(); 2].map(|()| ConversationId::fresh());
        let mut ranges = vec![range(one, 0, 10), range(other, 5, 30)];
        advance(&mut ranges, 2, Some(&event(one, 4)));
        assert_eq!(ranges, [range(one, 4, 10), range(other, 5, 30)]);
        advance(&mut ranges, 2, Some(&event(other, 20)));
        assert_eq!(ranges, [range(other, 20, 30)]);
        advance(&mut ranges, 1, Some(&event(other, 30)));
        assert_eq!(ranges, []);
    }

    #[test]
    fn ranges_that_turn_out_empty_end() {
        let [one, other, third] = [(); 3].map(|()| ConversationId::fresh());
        let mut ranges = vec![range(one, 0, 10), range(other, 5, 30), range(third, 0, 1)];
        advance(&mut ranges, 2, None);
        assert_eq!(ranges, [range(third, 0, 1)]);
    }
}
