//! What requests are answered with besides their own answers, for their description.

use std::collections::BTreeMap;

use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use crate::protocol::{NoSession, Session};

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
