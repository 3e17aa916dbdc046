use std::sync::Arc;
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use warp::http::StatusCode;
use warp::reply::Response;

use super::Context;
use super::answers::{Authenticated, Changing, Missing, Paged, WithBody};
use super::api_error::{ApiError, json};
use super::body::{self, Body};
use super::caller::Caller;
use super::query::{Query, not_a_cursor};
use crate::config::Config;
use crate::database::{HistoryFilter, HistoryRange, ListCursor};
use crate::domain::{ConversationId, DirectPair, Quota, Rate, UserId};
use crate::protocol::{Conversation, Conversations, History, OpenConversation};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How many conversations each user may begin.
pub fn quota(config: &Config) -> Quota<UserId> {
    Quota::new(Rate::within(DAY, config.conversations_per_day.into()))
}

/// `POST /api/conversations`: the direct conversation with a user, new or not.
#[utoipa::path(post, path = "/api/conversations", operation_id = "open_conversation", request_body = OpenConversation,
    responses((status = 200, body = Conversation), Missing, Changing, WithBody))]
pub async fn open(context: Arc<Context>, caller: Caller, body: Body) -> Result<Response, ApiError> {
    context.check_origin(&caller)?;
    let me = context.authenticate(&caller).await?.user_id();
    let OpenConversation { user } = body::json(&caller.headers, body)?;
    let id = context.open(me, DirectPair::new(me, user)).await?;
    let conversation = context.database().conversation(me, id).await?.ok_or_else(ApiError::not_found)?;
    Ok(json(StatusCode::OK, &conversation))
}

/// `GET /api/conversations`: the caller's conversations, the most recent first.
#[utoipa::path(get, path = "/api/conversations", operation_id = "list_conversations",
    params(
        ("before" = Option<String>, Query, description = "The `next` of the page before."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100),
    ),
    responses((status = 200, body = Conversations), Paged))]
pub async fn list(context: Arc<Context>, caller: Caller, query: String) -> Result<Response, ApiError> {
    let me = context.authenticate(&caller).await?.user_id();
    let query = Query::parse(&query);
    let limit = query.limit(context.config())?;
    let before = query.cursor("before")?.map(parse_cursor).transpose()?;
    let permit = context.pages.acquire(me).await?;
    let (conversations, next) = context.database().conversations(me, before, limit).await?;
    Ok(permit.respond(&Conversations { conversations, next: next.map(print_cursor) }))
}

/// `GET /api/conversations/{id}`.
#[utoipa::path(get, path = "/api/conversations/{id}", operation_id = "read_conversation",
    params(("id" = ConversationId, Path)),
    responses((status = 200, body = Conversation), Missing, Authenticated))]
pub async fn read(context: Arc<Context>, caller: Caller, id: String) -> Result<Response, ApiError> {
    let me = context.authenticate(&caller).await?.user_id();
    let id = parse_id(&id)?;
    let conversation = context.database().conversation(me, id).await?.ok_or_else(ApiError::not_found)?;
    Ok(json(StatusCode::OK, &conversation))
}

/// `GET /api/conversations/{id}/messages`: a page of the log.
#[utoipa::path(get, path = "/api/conversations/{id}/messages", operation_id = "read_messages",
    params(
        ("id" = ConversationId, Path),
        ("before" = Option<u64>, Query, description = "Messages before this number."),
        ("after" = Option<u64>, Query, description = "Messages after this number."),
        ("around" = Option<u64>, Query, description = "Messages on both sides of this number."),
        ("pinned" = Option<bool>, Query, description = "Only pinned ones."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100),
    ),
    responses((status = 200, body = History), Missing, Paged))]
pub async fn history(
    context: Arc<Context>,
    caller: Caller,
    id: String,
    query: String,
) -> Result<Response, ApiError> {
    let me = context.authenticate(&caller).await?.user_id();
    let id = parse_id(&id)?;
    let query = Query::parse(&query);
    let limit = query.limit(context.config())?;
    let range = history_range(&query)?;
    let filter = if query.flag("pinned")? { HistoryFilter::Pinned } else { HistoryFilter::All };
    let permit = context.pages.acquire(me).await?;
    let history =
        context.database().history(me, id, range, filter, limit).await?.ok_or_else(ApiError::not_found)?;
    Ok(permit.respond(&history))
}

/// One of the parameters that say where a page is, or none for the newest.
fn history_range(query: &Query) -> Result<HistoryRange, ApiError> {
    let ranges = [
        ("before", query.seq("before")?.map(HistoryRange::Before)),
        ("after", query.seq("after")?.map(HistoryRange::After)),
        ("around", query.seq("around")?.map(HistoryRange::Around)),
    ];
    let mut given = ranges.into_iter().filter_map(|(name, range)| Some((name, range?)));
    let Some((first, range)) = given.next() else { return Ok(HistoryRange::Newest) };
    match given.next() {
        None => Ok(range),
        Some((second, _)) => {
            Err(ApiError::invalid_field(second, &format!("can't be combined with `{first}`")))
        }
    }
}

impl Context {
    /// The direct conversation of two users. A new one counts for `me`, who begins it.
    async fn open(&self, me: UserId, pair: DirectPair) -> Result<ConversationId, ApiError> {
        if let Some(id) = self.database().find_direct(pair).await? {
            return Ok(id);
        }
        let message = "You've started as many new conversations as you can in one day.";
        let taken = self.new_conversations.take(me, 1, Instant::now());
        taken.map_err(|wait| ApiError::rate_limited(message, wait))?;
        let opened = self.database().open_direct(pair).await;
        if !matches!(opened, Ok(Some(_))) {
            self.new_conversations.give_back(&me, 1);
        }
        opened?.ok_or_else(ApiError::not_found)
    }
}

/// There is no conversation with an id that is not one.
fn parse_id(text: &str) -> Result<ConversationId, ApiError> {
    text.parse().map_err(|_| ApiError::not_found())
}

/// The id after the microseconds since 1970, which is PostgreSQL's precision.
fn print_cursor(cursor: ListCursor) -> String {
    format!("{}.{}", cursor.last_at.unix_timestamp_nanos() / 1_000, cursor.conversation)
}

fn parse_cursor(text: &str) -> Result<ListCursor, ApiError> {
    let parse = || {
        let (microseconds, conversation) = text.split_once('.')?;
        // No conversation is older than 1970, and PostgreSQL has no time before 4713 BC.
        let nanoseconds = microseconds.parse::<u64>().ok().map(|micros| i128::from(micros) * 1_000)?;
        let last_at = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()?;
        Some(ListCursor { last_at, conversation: conversation.parse().ok()? })
    };
    parse().ok_or_else(|| not_a_cursor("before"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Choices;

    #[test]
    fn a_cursor_reads_back_exactly() {
        let last_at = OffsetDateTime::from_unix_timestamp_nanos(1_795_000_000_123_456_000).unwrap();
        let cursor = ListCursor { last_at, conversation: ConversationId::fresh() };
        assert_eq!(parse_cursor(&print_cursor(cursor)).unwrap(), cursor);
    }

    /// The first and the last moment that PostgreSQL has (8.5 of its manual).
    const POSTGRES: std::ops::RangeInclusive<i64> = -210_866_803_200..=9_224_318_015_999;

    #[test]
    fn b16_a_cursor_is_refused_or_can_be_asked_for() {
        let seeds = [
            "1795000000123456.0199a3b0-0000-7000-8000-000000000001",
            "0.0199a3b0-0000-7000-8000-000000000001",
        ];
        let tokens = [
            ".",
            "-",
            "+",
            "0",
            "9",
            "99999",
            "-253402300800000000",
            "253402300800000000",
            "{",
            "urn:uuid:",
            " ",
        ];
        bolero::check!().for_each(|bytes: &[u8]| {
            let text = Choices::new(bytes).text(&seeds, &tokens);
            if let Ok(cursor) = parse_cursor(&text) {
                assert_eq!(parse_cursor(&print_cursor(cursor)).unwrap(), cursor, "{text}");
                assert!(POSTGRES.contains(&cursor.last_at.unix_timestamp()), "{text}");
            }
        });
    }

    #[test]
    fn b16_a_foreign_cursor_is_refused() {
        for text in ["", "1", "1.x", "x.0199a3b0-0000-7000-8000-000000000001", "' OR 1=1 --"] {
            assert!(parse_cursor(text).is_err(), "{text}");
        }
        let far = format!("{}.{}", i64::MAX, ConversationId::fresh());
        assert!(parse_cursor(&far).is_err());
    }
}
