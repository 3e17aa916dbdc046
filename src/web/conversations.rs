use std::sync::Arc;

use time::OffsetDateTime;
use warp::http::StatusCode;
use warp::reply::Response;

use super::Context;
use super::body::{self, Body};
use super::caller::Caller;
use super::query::Query;
use super::refusal::{Refusal, json};
use crate::database::{DirectPair, ListCursor, Page};
use crate::domain::ConversationId;
use crate::protocol::{Conversations, OpenConversation};

/// `POST /api/conversations`: the one with this user.
pub async fn open(context: Arc<Context>, caller: Caller, body: Body) -> Result<Response, Refusal> {
    context.check_origin(&caller)?;
    let me = context.member(&caller).await?.held.user.id;
    let OpenConversation { user } = body::json(&caller.headers, body)?;
    let pair =
        DirectPair::new(me, user).ok_or_else(|| Refusal::invalid_field("user", "must be somebody else"))?;
    let id = context.database().open_direct(pair).await?.ok_or_else(Refusal::not_found)?;
    let conversation = context.database().conversation(me, id).await?.ok_or_else(Refusal::not_found)?;
    Ok(json(StatusCode::OK, &conversation))
}

/// `GET /api/conversations`: the caller's, most recent first.
pub async fn list(context: Arc<Context>, caller: Caller, query: String) -> Result<Response, Refusal> {
    let me = context.member(&caller).await?.held.user.id;
    let query = Query::parse(&query);
    let limit = query.limit(context.config())?;
    let before = query.text("before")?.map(parse_cursor).transpose()?;
    let (conversations, next) = context.database().conversations(me, before, limit).await?;
    Ok(json(StatusCode::OK, &Conversations { conversations, next: next.map(print_cursor) }))
}

/// `GET /api/conversations/{id}`.
pub async fn read(context: Arc<Context>, caller: Caller, id: String) -> Result<Response, Refusal> {
    let me = context.member(&caller).await?.held.user.id;
    let id = parse_id(&id)?;
    let conversation = context.database().conversation(me, id).await?.ok_or_else(Refusal::not_found)?;
    Ok(json(StatusCode::OK, &conversation))
}

/// `GET /api/conversations/{id}/messages`: a page of the log.
pub async fn history(
    context: Arc<Context>,
    caller: Caller,
    id: String,
    query: String,
) -> Result<Response, Refusal> {
    let me = context.member(&caller).await?.held.user.id;
    let id = parse_id(&id)?;
    let query = Query::parse(&query);
    let limit = query.limit(context.config())?;
    let page = match (query.seq("before")?, query.seq("after")?) {
        (None, None) => Page::Last,
        (Some(before), None) => Page::Before(before),
        (None, Some(after)) => Page::After(after),
        (Some(_), Some(_)) => return Err(Refusal::invalid_field("after", "cannot go with `before`")),
    };
    let history = context.database().history(me, id, page, limit).await?.ok_or_else(Refusal::not_found)?;
    Ok(json(StatusCode::OK, &history))
}

/// What is no id is no conversation.
fn parse_id(text: &str) -> Result<ConversationId, Refusal> {
    text.parse().map_err(|_| Refusal::not_found())
}

/// Microseconds since 1970, which is what PostgreSQL keeps, and the id.
fn print_cursor(cursor: ListCursor) -> String {
    format!("{}.{}", cursor.last_at.unix_timestamp_nanos() / 1_000, cursor.conversation)
}

fn parse_cursor(text: &str) -> Result<ListCursor, Refusal> {
    let parse = || {
        let (microseconds, conversation) = text.split_once('.')?;
        // No conversation is older than 1970, and PostgreSQL has no time before 4713 BC.
        let nanoseconds = microseconds.parse::<u64>().ok().map(|micros| i128::from(micros) * 1_000)?;
        let last_at = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()?;
        Some(ListCursor { last_at, conversation: conversation.parse().ok()? })
    };
    parse().ok_or_else(|| Refusal::invalid_field("before", "must be the `next` of an earlier answer"))
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
