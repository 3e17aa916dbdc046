//! Two who talk while others are attacked, fail or misbehave.

use std::time::Duration;

use super::crowd::{Crowd, Plan};
use super::seed::Dice;
use super::server::TestServer;
use super::standing::Pace;

/// They must notice nothing.
pub struct Bystanders {
    crowd: Crowd,
    database: String,
}

impl Bystanders {
    pub async fn of(server: &TestServer) -> Self {
        Self::at(&server.url, server.database.url()).await
    }

    /// Of the server at this address, with this database.
    pub async fn at(url: &str, database: &str) -> Self {
        Self::who_write(url, database, Pace::default()).await
    }

    /// The same where what the server uses is measured: they write as slowly as people do,
    /// and so as much on a busy machine as on one that is free.
    pub async fn calm_at(url: &str, database: &str) -> Self {
        let pace = Pace { every: Duration::from_millis(200), ..Pace::default() };
        Self::who_write(url, database, pace).await
    }

    async fn who_write(url: &str, database: &str, pace: Pace) -> Self {
        let plan = Plan { name: "Bystander", people: 2, pace, ..Plan::default() };
        let crowd = Crowd::start(url, &plan, &mut Dice::new("bystanders")).await;
        Self { crowd, database: database.to_owned() }
    }

    /// Their sockets are the same, everything they wrote is answered and shown,
    /// and the checker finds nothing.
    pub async fn unharmed(self) {
        self.crowd.until_more(20).await;
        self.crowd.until_caught_up().await;
        assert!(self.crowd.kept_its_sockets(), "a bystander's socket was closed");
        self.crowd.finish(&self.database).await;
    }
}
