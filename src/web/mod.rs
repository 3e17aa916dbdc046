//! The web server: connections, HTTP, the upgrade to WebSocket, the client's
//! files. No other station uses `warp`.
//!
//! ```text
//! accept (limits, time-outs) → middleware (gate, headers, metrics) → routes ─→ api …        → accounts, database
//!                                                                    │     └→ static_files (the embedded client)
//!                                                                    └→ upgrade            → connection
//! ```

mod accept;
mod answers;
mod api_error;
mod body;
mod caller;
mod connection_limits;
mod conversations;
mod cookies;
mod encoding;
mod error_page;
mod forwarded;
mod gate;
mod handshake;
mod headers;
mod health;
mod host;
mod middleware;
mod openapi;
mod origin;
mod page_permits;
mod peer;
mod push;
mod query;
mod request_target;
mod routes;
mod session;
mod sessions;
mod static_files;
mod upgrade;
mod users;
mod write_timeout;

use std::sync::Arc;

pub use accept::{Listeners, serve};
pub use openapi::openapi;

use crate::accounts::Accounts;
use crate::config::Config;
use crate::database::Database;
use crate::domain::{Quota, UserId};
use crate::user::Services;

/// What the handlers of all requests share.
struct Context {
    services: Arc<Services>,
    accounts: Accounts,
    new_conversations: Quota<UserId>,
    pages: page_permits::PagePermits,
    database_health: health::DatabaseHealth,
}

impl Context {
    fn new(services: Arc<Services>) -> Self {
        Self {
            accounts: Accounts::new(services.clone()),
            new_conversations: conversations::quota(&services.config),
            pages: page_permits::PagePermits::new(&services.config),
            database_health: health::DatabaseHealth::default(),
            services,
        }
    }

    fn config(&self) -> &Config {
        &self.services.config
    }

    fn database(&self) -> &Database {
        &self.services.database
    }
}
