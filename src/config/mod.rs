//! Settings: every one an environment variable `TIDINGS_…` (besides
//! `DATABASE_URL` and `RUST_LOG`), with a default and a range. The table in
//! `settings.rs` is the one place that holds them; `.env.example` is printed
//! from it.

mod database_url;
mod error;
mod origin;
mod proxies;
mod push;
mod read;
mod settings;

use std::net::SocketAddr;
use std::path::PathBuf;

pub use error::ConfigError;
pub use origin::Origin;
pub use proxies::TrustedProxies;
pub use push::{PushService, PushSettings};
pub use read::read_dotenv;
pub use settings::{Limits, env_example};

/// The oldest PostgreSQL whose settings and SQL are used, and which gets fixes.
pub const OLDEST_POSTGRES: u32 = 15;

/// All settings, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where `/metrics` and the detailed `/readyz` are served; `None`: nowhere.
    pub metrics_listen: Option<MetricsListen>,
    /// The private PostgreSQL and anything else kept.
    pub data_dir: PathBuf,
    /// PostgreSQL to use, as sqlx reads it; unset: a private one is started.
    pub database_url: Option<String>,
    /// Where `postgres` and `initdb` are, for the private one.
    pub postgres_bin: Option<PathBuf>,
    /// Pages that may use the server (`https://chat.example.org`); empty: the address asked.
    pub origins: Vec<Origin>,
    /// Proxies whose forwarding headers are trusted.
    pub trusted_proxies: TrustedProxies,
    /// Notices to people who are not here.
    pub push: PushSettings,
    /// Fault injection; shouts at start.
    pub faults: bool,
    /// What is logged, for tracing-subscriber's `EnvFilter`.
    pub log: String,
    /// Logs as JSON lines instead of text.
    pub log_json: bool,
    /// Everything with a number.
    pub limits: Limits,
}

/// Where `/metrics` and the detailed `/readyz` are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricsListen {
    pub address: SocketAddr,
    /// Whether it was set. The server starts without the default if its port is taken.
    pub is_set: bool,
}

/// The numbers are read as if they were fields of the settings.
impl std::ops::Deref for Config {
    type Target = Limits;

    fn deref(&self) -> &Limits {
        &self.limits
    }
}

impl std::ops::DerefMut for Config {
    fn deref_mut(&mut self) -> &mut Limits {
        &mut self.limits
    }
}
