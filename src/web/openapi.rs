//! The description of the HTTP part (OpenAPI 3.1), made from the handlers and the types
//! that they answer with. `docs/openapi.json` is printed by `cargo run --example openapi`.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{conversations, health, push, session, sessions, upgrade, users};
use crate::protocol::Problem;

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
