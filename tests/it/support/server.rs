//! A server in this process.

use std::collections::BTreeMap;

use tidings::config::Config;
use tidings::server::Server;
use tidings::web::Listeners;
use tokio::net::TcpListener;

use super::client::Person;
use super::cluster::TestDatabase;

/// What tests would only wait for, unless it is what they test.
const DEFAULTS: [(&str, &str); 8] = [
    ("TIDINGS_METRICS_LISTEN", "127.0.0.1:0"),
    ("TIDINGS_SENDS_PER_SECOND", "0"),
    ("TIDINGS_FRAMES_PER_SECOND", "0"),
    ("TIDINGS_FRAME_BYTES_PER_SECOND", "0"),
    ("TIDINGS_STORED_BYTES_PER_DAY", "0"),
    ("TIDINGS_LOGINS_PER_MINUTE", "10000000"),
    ("TIDINGS_POOL_SIZE", "4"),
    ("TIDINGS_SHUTDOWN_SPREAD_MS", "0"),
];

/// The settings of a test: these, and what makes waiting short.
pub fn settings<'a>(given: &[(&'a str, &'a str)]) -> BTreeMap<&'a str, &'a str> {
    DEFAULTS.iter().chain(given).copied().collect()
}

pub fn config(given: &[(&str, &str)]) -> Config {
    let pairs = settings(given).into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let (config, warnings) = Config::from_pairs(pairs).expect("right settings");
    assert_eq!(warnings, [""; 0]);
    config
}

/// A server on a port and a database of its own. It ends with the test's runtime.
pub struct TestServer {
    pub url: String,
    pub database: TestDatabase,
    server: Server,
}

impl TestServer {
    pub async fn start(given: &[(&str, &str)]) -> Self {
        Self::on(TestDatabase::create().await, given).await
    }

    pub async fn on(database: TestDatabase, given: &[(&str, &str)]) -> Self {
        let port = async || TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let listeners = Listeners { public: port().await, operators: Some(port().await) };
        let server = Server::start(config(given), database.url(), listeners).await.expect("a server");
        Self { url: format!("http://{}", server.address()), database, server }
    }

    /// Where it listens, without the scheme.
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// What operators ask.
    pub fn operators_url(&self) -> String {
        format!("http://{}", self.server.metrics_address().expect("it serves metrics"))
    }

    /// Somebody with this name, logged in.
    pub async fn person(&self, name: &str) -> Person {
        Person::log_in(&self.url, name).await
    }

    /// Whether it stops within its time.
    pub async fn try_stop(self) -> bool {
        self.server.shutdown().await
    }

    /// Stops it in order; gives back the database.
    pub async fn stop(self) -> TestDatabase {
        assert!(self.server.shutdown().await, "the shutdown took too long");
        self.database
    }
}
