use std::sync::Arc;

use warp::http::StatusCode;
use warp::reply::Response;

use super::Context;
use super::caller::Caller;
use super::query::Query;
use super::refusal::{Refusal, json};
use crate::database::Found;
use crate::domain::name_key;
use crate::protocol::{People, Person};

/// `GET /api/users`: people by the beginning of their name, all or those online.
pub async fn list(context: Arc<Context>, caller: Caller, query: String) -> Result<Response, Refusal> {
    context.member(&caller).await?;
    let query = Query::parse(&query);
    let limit = query.limit(context.config())?;
    let prefix = query.text("q")?.unwrap_or_default();
    let after = query.text("after")?;
    // One more than asked for shows whether there is another page.
    let found = if query.flag("online")? {
        context.online(prefix, after, limit + 1)
    } else {
        context.database().search_users(prefix, after, limit + 1).await?
    };
    Ok(json(StatusCode::OK, &context.people(found, limit as usize)))
}

impl Context {
    fn online(&self, prefix: &str, after: Option<&str>, limit: u32) -> Vec<Found> {
        let roster = self.services.directory.roster();
        let page = roster.page(&name_key(prefix), after, limit as usize);
        page.into_iter()
            .map(|(key, user)| Found { key: key.to_owned(), user: user.clone(), last_seen: None })
            .collect()
    }

    fn people(&self, mut found: Vec<Found>, limit: usize) -> People {
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|found| found.key.clone());
        let roster = self.services.directory.roster();
        let person = |Found { user, last_seen, .. }| {
            let online = roster.contains(user.id);
            Person { user, online, last_seen: last_seen.filter(|_| !online) }
        };
        People {
            users: found.into_iter().map(person).collect(),
            next,
            online: u32::try_from(roster.len()).unwrap_or(u32::MAX),
        }
    }
}
