//! The web front: connections, HTTP, the upgrade to WebSocket, the client's
//! files. The one place that knows `warp`.
//!
//! ```text
//! accept (caps, time-outs) → front (peer, headers, counts) → routes ─→ api …      → database
//!                                                             │     └→ client     (embedded files)
//!                                                             └→ upgrade          → connection
//! ```

mod accept;
mod address;
mod admission;
mod body;
mod caller;
mod client;
mod conversations;
mod cookies;
mod encoding;
mod front;
mod handshake;
mod limits;
mod origin;
mod password;
mod people;
mod push;
mod query;
mod refusal;
mod routes;
mod session;
mod status;
mod target;
mod upgrade;

use std::sync::Arc;

pub use accept::serve;

use crate::config::Config;
use crate::database::Database;
use crate::user::Services;

/// What every request is answered with.
struct Context {
    services: Arc<Services>,
    limits: limits::Limits,
    passwords: password::Passwords,
}

impl Context {
    fn new(services: Arc<Services>) -> Self {
        let limits = limits::Limits::new(&services.config);
        Self { services, limits, passwords: password::Passwords::default() }
    }

    fn config(&self) -> &Config {
        &self.services.config
    }

    fn database(&self) -> &Database {
        &self.services.database
    }
}
