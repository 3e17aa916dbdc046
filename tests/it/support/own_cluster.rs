//! A PostgreSQL that one test may kill.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tidings::postgres::{Options, PrivatePostgres, SearchPaths};

use super::{Directory, config, eventually};

const CONNECTIONS: usize = 50;

pub struct OwnCluster {
    // Stopped before its directory goes.
    postgres: Option<PrivatePostgres>,
    directory: Directory,
}

impl OwnCluster {
    /// With the schema in its only database.
    pub async fn start() -> Self {
        let mut cluster = Self { postgres: None, directory: Directory::new() };
        cluster.up();
        let database = tidings::database::Database::connect(cluster.url(), &config(&[])).await.unwrap();
        database.migrate().await.unwrap();
        database.close().await;
        cluster
    }

    pub fn url(&self) -> &str {
        self.postgres.as_ref().expect("it is up").url()
    }

    /// Kills it without a warning; returns when its keeper has started another.
    /// Until then the dead one's backends may still answer.
    pub async fn kill(&self) {
        let killed = self.process().expect("it runs");
        kill(Pid::from_raw(killed), Signal::SIGKILL).unwrap();
        eventually("PostgreSQL is started again", async || self.process().is_some_and(|pid| pid != killed))
            .await;
    }

    fn process(&self) -> Option<i32> {
        let file = self.directory.path().join("postgres/data/postmaster.pid");
        std::fs::read_to_string(file).ok()?.lines().next()?.parse().ok()
    }

    pub fn down(&mut self) {
        self.postgres = None;
    }

    pub fn up(&mut self) {
        let options = Options {
            data_dir: self.directory.path().to_owned(),
            search_paths: SearchPaths::new(None),
            connections: CONNECTIONS,
        };
        self.postgres = Some(PrivatePostgres::start_with(&options, |_| {}).expect("a private PostgreSQL"));
    }
}
