//! The description of the HTTP part (OpenAPI 3.1), made from the handlers and the types
//! that they answer with. `docs/openapi.json` is printed by `cargo run --example openapi`.

use std::collections::BTreeMap;

use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi, ToSchema};

use super::{conversations, health, push, session, sessions, upgrade, users};
use crate::protocol::{NoSession, Problem, Session};

#[derive(OpenApi)]
#[openapi(
    info(title = "Tidings", description = "Sessions, people, conversations and history; what happens comes by the WebSocket (docs/protocol.md)."),
    paths(
        session::log_in, session::who_am_i, session::log_out, session::set_password, session::set_visibility,
        sessions::list, sessions::end, sessions::end_all, users::list,
        conversations::open, conversations::list, conversations::read, conversations::history,
        push::key, push::subscribe, push::unsubscribe, upgrade::upgrade, health::health, health::ready,
    ),
    components(schemas(Problem)),
    security(("cookie" = []), ("token" = [])),
    modifiers(&Credentials),
)]
struct Description;

/// The description, as JSON.
pub fn openapi() -> String {
    let mut text = Description::openapi().to_pretty_json().expect("a description is JSON");
    text.push('\n');
    text
}

/// How a caller shows its session.
struct Credentials;

impl Modify for Credentials {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let components = description.components.get_or_insert_default();
        // Named by the port of the page.
        let cookie = ApiKey::Cookie(ApiKeyValue::new("tidings_session_8080"));
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
        components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
}

/// The answer to who asks for the own session.
#[derive(ToSchema)]
#[schema(as = SessionOrNone)]
#[expect(dead_code, reason = "for the description")]
#[serde(untagged)]
pub enum SessionOrNone {
    Session(Session),
    None(NoSession),
}

/// Statuses that come with a `Problem`, and what they say.
fn problems(statuses: &[(&str, &str)]) -> BTreeMap<String, RefOr<Response>> {
    let response = |(status, description): &(&str, &str)| {
        let content = Content::new(Some(Ref::from_schema_name("Problem")));
        let response = ResponseBuilder::new().description(*description).content("application/json", content);
        ((*status).to_owned(), RefOr::T(response.build()))
    };
    statuses.iter().map(response).collect()
}

/// Statuses that several requests share.
macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident $(: $base:ident)? = $statuses:expr;)*) => {
        $(
            $(#[$doc])*
            pub struct $name;

            impl IntoResponses for $name {
                fn responses() -> BTreeMap<String, RefOr<Response>> {
                    let mut responses = BTreeMap::new();
                    $(responses.extend($base::responses());)?
                    responses.extend(problems(&$statuses));
                    responses
                }
            }
        )*
    };
}

statuses! {
    /// Any request.
    AnyRequest = [
        ("400", "Not a request that HTTP allows."),
        ("421", "The server is not asked by a name of its own."),
        ("429", "Too many connections, or requests of this kind."),
        ("500", "A fault of the server."),
        ("503", "A bound is reached, or the database is away."),
    ];
    /// One that needs a session.
    Authenticated: AnyRequest = [("401", "No session, or one that has ended.")];
    /// One with parameters.
    Paged: Authenticated = [("400", "A parameter is out of range.")];
    /// One that changes something.
    Changing: Authenticated = [("403", "Another site's page asks.")];
    /// One with a body.
    WithBody = [
        ("400", "The body is not what it must be; `field` says where."),
        ("408", "The body did not come in time."),
        ("413", "The body is too large."),
        ("415", "The body is not `application/json`."),
    ];
    /// One about something that may not be there.
    Missing = [("404", "No such thing, or not yours.")];
    /// A log-in.
    Refused = [
        ("401", "The name has a password: none or a wrong one was given."),
        ("409", "Somebody has this name, or one that looks like it."),
    ];
    /// An upgrade.
    OldWebSocket = [("426", "Another version of WebSocket is asked for.")];
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_description_is_fresh() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == super::openapi(),
            "print it again: cargo run --example openapi > docs/openapi.json"
        );
    }
}
