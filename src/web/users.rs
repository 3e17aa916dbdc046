use std::sync::Arc;

use warp::http::StatusCode;
use warp::reply::Response;

use super::Context;
use super::answers::Paged;
use super::api_error::{ApiError, json};
use super::caller::Caller;
use super::query::Query;
use crate::database::UserMatch;
use crate::protocol::{People, Person};

/// `GET /api/users`: all users or those online, found by the beginning of any word of
/// their name.
#[utoipa::path(get, path = "/api/users", operation_id = "find_people",
    params(
        ("q" = Option<String>, Query, description = "The beginning of any word of the name."),
        ("online" = Option<bool>, Query, description = "Only those online."),
        ("after" = Option<String>, Query, description = "The `next` of the page before."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100),
    ),
    responses((status = 200, body = People), Paged))]
pub async fn list(context: Arc<Context>, caller: Caller, query: String) -> Result<Response, ApiError> {
    context.authenticate(&caller).await?;
    let query = Query::parse(&query);
    let limit = query.limit(context.config())?;
    let prefix = query.text("q")?.unwrap_or_default();
    let after = query.cursor("after")?;
    // One more than the limit shows whether there is another page.
    let found = if query.flag("online")? {
        context.online(prefix, after, limit + 1)
    } else {
        context.database().search_users(prefix, after, limit + 1).await?
    };
    Ok(json(StatusCode::OK, &context.people(found, limit as usize)))
}

impl Context {
    fn online(&self, prefix: &str, after: Option<&str>, limit: u32) -> Vec<UserMatch> {
        let users = self.services.registry.online_users();
        let page = users.page(prefix, after, limit as usize);
        page.into_iter()
            .map(|(key, user)| UserMatch { key: key.to_owned(), user: user.clone(), last_seen: None })
            .collect()
    }

    fn people(&self, mut found: Vec<UserMatch>, limit: usize) -> People {
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|found| found.key.clone());
        let users = self.services.registry.online_users();
        let person = |UserMatch { user, last_seen, .. }| {
            let online = users.contains(user.id);
            Person { user, online, last_seen: last_seen.filter(|_| !online) }
        };
        People {
            users: found.into_iter().map(person).collect(),
            next,
            online: u32::try_from(users.len()).unwrap_or(u32::MAX),
        }
    }
}
