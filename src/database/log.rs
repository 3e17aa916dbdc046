use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
use uuid::Uuid;

use super::append::NewMessage;
use super::appended::{Appended, NewEvent};
use super::fragments::unread;
use super::group_members::group_members;
use super::position::{Position, PositionChange};
use super::row::{PairRow, row};
use super::{UNREAD_SCAN, WriteError, append, append_any, from_bigint, to_bigint};
use crate::domain::{ConversationId, UserId, Visibility};
use crate::protocol::UNREAD_MAX;

/// A connection that appends to the log. It belongs to one writer; after a connection
/// error it must be dropped and opened again.
pub struct Log {
    connection: PgConnection,
    plans: Plans,
    /// When the generic plans were made.
    planned: Instant,
    /// Until this time, batches are not assumed to be all new.
    careful_until: Option<Instant>,
}

/// How statements are planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plans {
    /// For each execution: the plan fits the size of the batch.
    Custom,
    /// Once, for a statement that has only one good plan.
    Generic,
}

impl Plans {
    fn statement(self) -> &'static str {
        match self {
            Self::Custom => "SET plan_cache_mode = force_custom_plan",
            Self::Generic => "SET plan_cache_mode = force_generic_plan",
        }
    }
}

/// How long after a batch that was not all new the next one is not assumed to be:
/// when many clients resend, or one does so on purpose, only one batch in this time
/// is tried twice.
const CAREFUL_FOR: Duration = Duration::from_secs(1);

/// How long plans are kept: one for small tables does not suit large ones.
const PLANS_LAST: Duration = Duration::from_secs(10);

/// A hung statement ends, and a commit of seconds does not count as hung. The
/// wait for another writer's row lock ends first, so that it is told apart.
const STATEMENT_TIMEOUT: &str = "30s";
const LOCK_TIMEOUT: &str = "10s";

/// Stricter settings than `on` are left as they are.
const PROMISE_DURABILITY: &str = "
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

// Positions only grow, end at the end of the log, and what is read is also
// delivered (the caller sees to that of the input). With the first that grows
// while the user is invisible, what others see stays as it was. The join with
// `members` is `domain::may(role, MarkPosition)`.
const ADVANCE: &str = concat!(
    "
WITH input AS MATERIALIZED (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[])
    WITH ORDINALITY AS t (conversation_id, user_id, delivered, read, place)
), clamped AS MATERIALIZED (
    SELECT i.place, c.direct_low, c.direct_high, m.conversation_id, m.user_id, m.read_seq AS read_before, u.visibility,
        CASE WHEN u.visibility % 2 = 1 THEN u.visibility ELSE 0 END AS frozen_at,
        least(i.delivered, c.last_seq) AS delivered, least(i.read, c.last_seq) AS read
    FROM input i JOIN members m USING (conversation_id, user_id) JOIN conversations c ON c.id = i.conversation_id
    JOIN users u ON u.id = i.user_id
), grown AS (
    UPDATE members m SET delivered_seq = greatest(m.delivered_seq, p.delivered),
        read_seq = greatest(m.read_seq, p.read),
        frozen_at = greatest(m.frozen_at, p.frozen_at),
        shown_delivered_seq = CASE WHEN m.frozen_at < p.frozen_at THEN m.delivered_seq ELSE m.shown_delivered_seq END,
        shown_read_seq = CASE WHEN m.frozen_at < p.frozen_at THEN m.read_seq ELSE m.shown_read_seq END
    FROM clamped p WHERE m.conversation_id = p.conversation_id AND m.user_id = p.user_id
        AND (m.delivered_seq < p.delivered OR m.read_seq < p.read)
    RETURNING p.place, m.delivered_seq, m.read_seq
)
SELECT i.conversation_id, i.user_id, g.delivered_seq, g.read_seq, p.visibility,
    CASE WHEN g.read_seq > p.read_before THEN ",
    unread!("i.conversation_id", "i.user_id", "g.read_seq", "$5"),
    " END AS unread, p.direct_low, p.direct_high
FROM input i LEFT JOIN clamped p USING (place) LEFT JOIN grown g USING (place)
WHERE g.place IS NOT NULL OR p.place IS NULL
ORDER BY i.place"
);

row! {
    struct PositionRow {
        conversation_id: Uuid,
        user_id: Uuid,
        delivered_seq: Option<i64>,
        read_seq: Option<i64>,
        visibility: Option<i64>,
        unread: Option<i64>,
        ..pair: PairRow,
    }
}

impl Log {
    /// Connects, and makes sure that a commit is on disk before it is reported.
    pub async fn open(options: &PgConnectOptions) -> Result<Self, WriteError> {
        let mut connection = options
            .clone()
            .application_name("tidings writer")
            .options([
                ("plan_cache_mode", "force_custom_plan"),
                // Whatever a small table looks like now: all rows are found by keys.
                ("enable_seqscan", "off"),
                // And are in memory: to look for a few is cheaper than to walk
                // along an index, even if it is short.
                ("random_page_cost", "0.1"),
                ("seq_page_cost", "0.1"),
                // Compiling a plan takes longer than any of these runs.
                ("jit", "off"),
                ("statement_timeout", STATEMENT_TIMEOUT),
                ("lock_timeout", LOCK_TIMEOUT),
            ])
            .connect()
            .await
            // Whatever it says: nothing has been tried on a row yet.
            .map_err(WriteError::unreachable)?;
        sqlx::query(PROMISE_DURABILITY).execute(&mut connection).await?;
        Ok(Self { connection, plans: Plans::Custom, planned: Instant::now(), careful_until: None })
    }

    /// The connection, set as a writer's.
    pub(super) fn into_connection(self) -> PgConnection {
        self.connection
    }

    /// Appends the events, in order, in one transaction: all that can be
    /// stored, or none. Each `(conversation, sender, client_id)` may be given once.
    pub async fn append(&mut self, events: &[NewEvent<'_>]) -> Result<Appended, WriteError> {
        let is_careful = self.careful_until.is_some_and(|until| Instant::now() < until);
        if let (false, Some(messages)) = (is_careful, append::messages(events)) {
            match self.append_new(&messages).await {
                // One is a duplicate, or its sender is no member: which, is found out below.
                Err(WriteError::Conflict(_) | WriteError::Rejected(_)) => {
                    self.careful_until = Some(Instant::now() + CAREFUL_FOR);
                }
                outcome => return outcome,
            }
        }
        self.plan(Plans::Custom).await?;
        append_any::append(&mut self.connection, events).await
    }

    async fn append_new(&mut self, messages: &[NewMessage<'_>]) -> Result<Appended, WriteError> {
        self.plan(Plans::Generic).await?;
        if self.planned.elapsed() >= PLANS_LAST {
            sqlx::query("DISCARD PLANS").execute(&mut self.connection).await?;
            self.planned = Instant::now();
        }
        append::all_new(&mut self.connection, messages).await
    }

    /// Sets how the next statement is planned.
    async fn plan(&mut self, plans: Plans) -> Result<(), WriteError> {
        if self.plans != plans {
            sqlx::query(plans.statement()).execute(&mut self.connection).await?;
            self.plans = plans;
        }
        Ok(())
    }

    /// Advances the positions of members and returns those that grew.
    /// Each `(conversation, user)` may be given once, with `read <= delivered`.
    pub async fn advance(&mut self, positions: &[Position]) -> Result<Vec<PositionChange>, WriteError> {
        self.plan(Plans::Custom).await?;
        let conversations: Vec<Uuid> = positions.iter().map(|position| position.conversation.0).collect();
        let users: Vec<Uuid> = positions.iter().map(|position| position.user.0).collect();
        let delivered: Vec<i64> = positions.iter().map(|position| to_bigint(position.delivered)).collect();
        let read: Vec<i64> = positions.iter().map(|position| to_bigint(position.read)).collect();
        let rows: Vec<PositionRow> = sqlx::query_as(ADVANCE)
            .bind(conversations)
            .bind(users)
            .bind(delivered)
            .bind(read)
            .bind(UNREAD_SCAN)
            .fetch_all(&mut self.connection)
            .await?;
        Ok(rows.into_iter().map(PositionRow::into_change).collect())
    }

    /// Everyone in each of these groups.
    pub async fn group_members(
        &mut self,
        groups: &[ConversationId],
    ) -> Result<Vec<(ConversationId, Vec<UserId>)>, WriteError> {
        self.plan(Plans::Custom).await?;
        Ok(group_members(&mut self.connection, groups).await?)
    }
}

impl PositionRow {
    fn into_change(self) -> PositionChange {
        let (conversation, user) = (ConversationId(self.conversation_id), UserId(self.user_id));
        let (Some(delivered), Some(read)) = (self.delivered_seq, self.read_seq) else {
            return PositionChange::NoSuchConversation { user, conversation };
        };
        PositionChange::Advanced {
            position: Position {
                conversation,
                user,
                delivered: from_bigint(delivered),
                read: from_bigint(read),
            },
            unread: self.unread.map(|count| u32::try_from(count).unwrap_or(UNREAD_MAX).min(UNREAD_MAX)),
            visibility: Visibility::from_version(self.visibility.map_or(0, from_bigint)),
            members: self.pair.members(),
        }
    }
}
