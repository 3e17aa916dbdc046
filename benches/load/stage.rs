//! What runs stand on: one PostgreSQL with a database for each run, and what is
//! measured, freshly started.

use std::cell::Cell;
use std::fmt::Display;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use hyper::Uri;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tidings::postgres::{Options, PrivatePostgres, SearchPaths};
use tokio::runtime::Runtime;

use crate::accounting;
use crate::baseline::Baseline;
use crate::checker::Verdict;
use crate::cores::Cores;
use crate::directory::Directory;
use crate::program::Program;

/// Enough for the server's pool and writers, a baseline, and a look inside.
const CONNECTIONS: usize = 50;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Server,
    /// Baseline (i).
    Relay,
    /// Baseline (ii).
    Commit,
    /// A server that runs already, elsewhere.
    Given,
    /// A relay that makes mistakes, to try the checker.
    Faulty,
}

/// The ground for all runs of an invocation.
pub struct Stage {
    pub cores: Cores,
    pub runtime: Runtime,
    given: Option<SocketAddr>,
    cluster: Option<Cluster>,
    databases: Cell<u32>,
}

struct Cluster {
    // In this order: it stops before its directory goes.
    postgres: PrivatePostgres,
    postmaster: i32,
    _directory: Directory,
}

/// One of them, running.
pub struct Target {
    pub kind: Kind,
    pub address: SocketAddr,
    pub program: Option<Program>,
    pub database: Option<String>,
    postmaster: Option<i32>,
    cores: Cores,
}

/// Processor times at a moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    pub server: Duration,
    pub postgres: Duration,
    pub generator: Duration,
    /// What the server's cores have done, and the generator's; nothing where
    /// nothing is pinned.
    pub servers_cores: Duration,
    pub generators_cores: Duration,
}

impl Stage {
    /// With a PostgreSQL of its own.
    pub fn build(cores: Cores) -> io::Result<Self> {
        let directory = Directory::new();
        let options = Options {
            data_dir: directory.path().to_owned(),
            search_paths: SearchPaths::new(None),
            connections: CONNECTIONS,
        };
        let started = cores.on_servers(|| PrivatePostgres::start_with(&options, |_| {}));
        let postgres = started.map_err(io::Error::other)?;
        let pid_file = std::fs::read_to_string(directory.path().join("postgres/data/postmaster.pid"))?;
        let postmaster = pid_file.lines().next().and_then(|line| line.trim().parse().ok());
        let postmaster = postmaster.ok_or_else(|| io::Error::other("no process in postmaster.pid"))?;
        let cluster = Cluster { postgres, postmaster, _directory: directory };
        Ok(Self { cores, runtime: runtime()?, given: None, cluster: Some(cluster), databases: Cell::new(0) })
    }

    /// With a server that runs already.
    pub fn given(cores: Cores, url: &str) -> io::Result<Self> {
        let wrong = |why: &dyn Display| io::Error::other(format!("--url {url}: {why}"));
        let uri: Uri = url.parse().map_err(|error| wrong(&error))?;
        let (Some("http"), Some(host), "/", None) = (uri.scheme_str(), uri.host(), uri.path(), uri.query())
        else {
            return Err(wrong(&"http://HOST:PORT is expected"));
        };
        let host = host.trim_matches(['[', ']']);
        let mut found =
            (host, uri.port_u16().unwrap_or(80)).to_socket_addrs().map_err(|error| wrong(&error))?;
        let given = found.next().ok_or_else(|| wrong(&"no address"))?;
        Ok(Self { cores, runtime: runtime()?, given: Some(given), cluster: None, databases: Cell::new(0) })
    }

    /// The given server, or the server and both baselines.
    pub fn kinds(&self) -> &'static [Kind] {
        if self.given.is_some() { &[Kind::Given] } else { &[Kind::Relay, Kind::Commit, Kind::Server] }
    }

    pub fn is_given(&self) -> bool {
        self.given.is_some()
    }

    pub fn start(&self, kind: Kind, settings: &[(&str, String)]) -> io::Result<Target> {
        if let Some(address) = self.given {
            let cores = Cores::default();
            return Ok(Target { kind, address, program: None, database: None, postmaster: None, cores });
        }
        let database = match kind {
            Kind::Server | Kind::Commit => Some(self.database()?),
            _ => None,
        };
        let program = match (kind, &database) {
            (Kind::Server, Some(url)) => Program::server(&self.cores, url, settings)?,
            (Kind::Commit, Some(url)) => Program::baseline(&self.cores, &Baseline::Commit(url.clone()))?,
            (Kind::Faulty, _) => Program::baseline(&self.cores, &Baseline::Faulty)?,
            _ => Program::baseline(&self.cores, &Baseline::Relay)?,
        };
        let postmaster = self.cluster.as_ref().map(|cluster| cluster.postmaster);
        let postmaster = postmaster.filter(|_| database.is_some());
        let cores = self.cores.clone();
        Ok(Target { kind, address: program.address, program: Some(program), database, postmaster, cores })
    }

    /// A fresh database; the one of the run before is done with.
    fn database(&self) -> io::Result<String> {
        let url = self.cluster.as_ref().expect("there is no given server").postgres.url();
        let number = self.databases.replace(self.databases.get() + 1);
        let statements = [
            format!("DROP DATABASE IF EXISTS load_{} WITH (FORCE)", number.wrapping_sub(1)),
            format!("CREATE DATABASE load_{number}"),
            // None of a run before falls into the next.
            "CHECKPOINT".to_owned(),
        ];
        self.execute(url, &statements)?;
        let (base, _) = url.rsplit_once('/').expect("a URL names a database");
        Ok(format!("{base}/load_{number}"))
    }

    pub fn execute(&self, url: &str, statements: &[String]) -> io::Result<()> {
        let run = async {
            let mut connection = PgConnection::connect(url).await?;
            for statement in statements {
                connection.execute(AssertSqlSafe(statement.clone())).await?;
            }
            connection.close().await
        };
        self.runtime.block_on(run).map_err(io::Error::other)
    }

    /// What the database holds of `sent` messages: their number and, in the
    /// server's, that the numbers are dense.
    pub fn stored(&self, target: &Target, sent: u64) -> io::Result<Verdict> {
        let Some(url) = &target.database else { return Ok(Verdict::default()) };
        let table = if target.kind == Kind::Server { "messages" } else { "baseline" };
        let count = format!("SELECT count(*) FROM {table}");
        let tops = format!(
            "SELECT coalesce(sum(top), 0)::bigint
             FROM (SELECT max(seq) AS top FROM {table} GROUP BY conversation_id) tops"
        );
        let read = async {
            let mut connection = PgConnection::connect(url).await?;
            let count: i64 = sqlx::query_scalar(AssertSqlSafe(count)).fetch_one(&mut connection).await?;
            let tops: i64 = sqlx::query_scalar(AssertSqlSafe(tops)).fetch_one(&mut connection).await?;
            Ok::<_, sqlx::Error>((count.unsigned_abs(), tops.unsigned_abs()))
        };
        let (count, tops) = self.runtime.block_on(read).map_err(io::Error::other)?;
        Ok(Verdict {
            // Holes in the numbers are messages that once were there.
            lost: sent.saturating_sub(count) + tops.saturating_sub(count),
            doubled: count.saturating_sub(sent),
            reordered: 0,
        })
    }
}

impl Target {
    pub fn usage(&self) -> io::Result<Usage> {
        Ok(Usage {
            server: self.process().map(accounting::cpu).transpose()?.unwrap_or_default(),
            postgres: self.postmaster.map(accounting::cpu_of_postgres).transpose()?.unwrap_or_default(),
            generator: accounting::own_cpu()?,
            servers_cores: accounting::busy(&self.cores.server)?,
            generators_cores: accounting::busy(&self.cores.generator)?,
        })
    }

    pub fn process(&self) -> Option<i32> {
        self.program.as_ref().map(|program| program.process)
    }

    pub fn is_baseline(&self) -> bool {
        matches!(self.kind, Kind::Relay | Kind::Commit | Kind::Faulty)
    }
}

impl Usage {
    pub fn since(self, before: Self) -> Self {
        Self {
            server: self.server.saturating_sub(before.server),
            postgres: self.postgres.saturating_sub(before.postgres),
            generator: self.generator.saturating_sub(before.generator),
            servers_cores: self.servers_cores.saturating_sub(before.servers_cores),
            generators_cores: self.generators_cores.saturating_sub(before.generators_cores),
        }
    }
}

fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
