//! One PostgreSQL for all tests, a database for each.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::thread;

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};
use tidings::database::Database;
use tidings::postgres::{Options, PrivatePostgres, SearchPaths};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::run::Directory;
use super::server::config;

/// Enough for every test at once.
const CONNECTIONS: usize = 500;

/// A migrated database that the others are copies of.
const TEMPLATE: &str = "tidings_template";

static CLUSTER: LazyLock<Cluster> = LazyLock::new(Cluster::start);

struct Cluster {
    // Never dropped: the kernel stops it with this process, and the janitor of
    // the run removes the directory.
    postgres: PrivatePostgres,
    _directory: Directory,
    discarded: UnboundedSender<String>,
}

impl Cluster {
    fn start() -> Self {
        let directory = Directory::new();
        let options = Options {
            data_dir: directory.path().to_owned(),
            search_paths: SearchPaths::new(None),
            connections: CONNECTIONS,
        };
        let postgres = PrivatePostgres::start_with(&options, |_| {}).expect("a private PostgreSQL");
        let (discarded, to_drop) = unbounded_channel();
        let (ready, prepared) = std::sync::mpsc::channel();
        let url = postgres.url().to_owned();
        // A runtime of its own: those of the tests end with them.
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                prepare(&url).await;
                ready.send(()).expect("the first test waits");
                drop_discarded(&url, to_drop).await;
            });
        });
        prepared.recv().expect("the template is made");
        Self { postgres, _directory: directory, discarded }
    }
}

async fn prepare(url: &str) {
    let mut admin = PgConnection::connect(url).await.expect("PostgreSQL accepts");
    admin.execute(AssertSqlSafe(format!("CREATE DATABASE {TEMPLATE}"))).await.expect("created");
    let database = Database::connect(&url_of(url, TEMPLATE), &config(&[])).await.expect("connected");
    database.migrate().await.expect("migrated");
    database.close().await;
}

async fn drop_discarded(url: &str, mut names: UnboundedReceiver<String>) {
    let mut admin = PgConnection::connect(url).await.expect("PostgreSQL accepts");
    while let Some(name) = names.recv().await {
        let statement = format!("DROP DATABASE {name} WITH (FORCE)");
        if let Err(error) = admin.execute(AssertSqlSafe(statement)).await {
            // It goes with the cluster.
            eprintln!("{name} was not dropped: {error}");
        }
    }
}

fn url_of(url: &str, database: &str) -> String {
    let (server, _) = url.rsplit_once('/').expect("a URL names a database");
    format!("{server}/{database}")
}

/// Where PostgreSQL's programs are, for clusters that tests start themselves.
pub fn programs() -> PathBuf {
    CLUSTER.postgres.programs().to_owned()
}

/// A migrated database that one test has for itself.
pub struct TestDatabase {
    name: String,
    url: String,
}

impl TestDatabase {
    pub async fn create() -> Self {
        Self::copy_of(TEMPLATE).await
    }

    /// One in which there is nothing yet.
    pub async fn empty() -> Self {
        Self::copy_of("template0").await
    }

    async fn copy_of(template: &str) -> Self {
        let name = format!("t{}", uuid::Uuid::now_v7().simple());
        let mut admin = PgConnection::connect(CLUSTER.postgres.url()).await.expect("PostgreSQL accepts");
        let statement = format!("CREATE DATABASE {name} TEMPLATE {template}");
        admin.execute(AssertSqlSafe(statement)).await.expect("a copy of the template");
        Self { url: url_of(CLUSTER.postgres.url(), &name), name }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// As the server uses it.
    pub async fn open(&self) -> Database {
        Database::connect(&self.url, &config(&[])).await.expect("connected")
    }

    /// A connection to look in with.
    pub async fn connection(&self) -> PgConnection {
        let options: sqlx::postgres::PgConnectOptions = self.url.parse().expect("a URL");
        options.connect().await.expect("connected")
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // At the end of the run nobody drops it: it goes with the cluster.
        drop(CLUSTER.discarded.send(std::mem::take(&mut self.name)));
    }
}
