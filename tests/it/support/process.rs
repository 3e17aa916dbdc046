//! The real program, in a process of its own.

#[path = "../../../benches/load/accounting.rs"]
#[allow(dead_code, reason = "the benchmark needs more of it")]
mod accounting;

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::{Connection, PgConnection};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::client::Person;
use super::run::Directory;
use super::server::settings;
use super::{PATIENCE, cluster, eventually, eventually_some};

/// What it logs when it serves metrics.
const METRICS: &str = "metrics on ";

/// What it prints, once, when it serves.
const ANNOUNCEMENT: &str = "tidings listening on ";

/// A server with a data directory of its own, that can be killed and started
/// again on the same port.
pub struct ServerProcess {
    pub url: String,
    directory: Directory,
    settings: Vec<(String, String)>,
    child: Child,
    log: Arc<Mutex<String>>,
}

impl ServerProcess {
    pub async fn start(given: &[(&str, &str)]) -> Self {
        Self::with(settings(given).into_iter().collect::<Vec<_>>().as_slice()).await
    }

    /// With these settings only: what is not set is as everybody has it.
    pub async fn with(given: &[(&str, &str)]) -> Self {
        let directory = Directory::new();
        let settings: Vec<_> =
            given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let log = Arc::default();
        let mut child = spawn(directory.path(), &settings, "127.0.0.1:0", &log);
        let url = announced(&mut child, &log).await;
        let server = Self { url, directory, settings, child, log };
        server.register();
        server
    }

    /// Starts the program again, on the same port and data.
    pub async fn start_again(&mut self) {
        self.begin_again();
        self.serving().await;
    }

    pub fn begin_again(&mut self) {
        let address = self.url.trim_start_matches("http://").to_owned();
        self.child = spawn(self.directory.path(), &self.settings, &address, &self.log);
        self.register();
    }

    pub async fn serving(&mut self) {
        assert_eq!(announced(&mut self.child, &self.log).await, self.url);
    }

    /// For the janitor of the run, should this process be killed.
    fn register(&self) {
        let file = self.directory.path().join("server.pid");
        std::fs::write(file, self.process().to_string()).expect("it is ours");
    }

    /// Where it listens, without the scheme.
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    pub async fn person(&self, name: &str) -> Person {
        Person::log_in(&self.url, name).await
    }

    fn process(&self) -> i32 {
        self.child.id().expect("it runs").cast_signed()
    }

    /// Sends a signal and waits for the end.
    pub async fn end(&mut self, signal: Signal) -> ExitStatus {
        send(self.process(), signal);
        timeout(PATIENCE, self.child.wait()).await.expect("it ends").expect("it is a child")
    }

    /// Its PostgreSQL's first process.
    pub async fn postgres(&self) -> i32 {
        let file = data_of(self.directory.path()).join("postmaster.pid");
        let read = async || std::fs::read_to_string(&file).ok()?.lines().next()?.parse().ok();
        eventually_some("a running PostgreSQL", read).await
    }

    /// Stops its PostgreSQL for this long, and lets it go on.
    pub async fn freeze_postgres(&self, time: Duration) {
        let all: Vec<Pid> = self.postgres_processes().await.into_iter().map(Pid::from_raw).collect();
        // A session may end by itself before it is stopped.
        let tell_all = |signal| all.iter().for_each(|process| kill(*process, signal).unwrap_or(()));
        tell_all(Signal::SIGSTOP);
        sleep(time).await;
        tell_all(Signal::SIGCONT);
    }

    /// All processes of its PostgreSQL. Each is a group of its own, so none stands for all.
    async fn postgres_processes(&self) -> Vec<i32> {
        let first = self.postgres().await;
        let mut all = vec![first];
        all.extend(accounting::children(first).expect("Linux has /proc"));
        all
    }

    /// Kills its PostgreSQL without a warning, and waits until another accepts.
    pub async fn kill_postgres(&self) {
        let killed = self.postgres().await;
        send(killed, Signal::SIGKILL);
        eventually("PostgreSQL is started again", async || self.postgres().await != killed).await;
        eventually("it accepts", async || PgConnection::connect(&self.database_url()).await.is_ok()).await;
    }

    /// Its resident memory.
    pub fn resident_bytes(&self) -> usize {
        let bytes = accounting::resident(self.process()).expect("it runs");
        usize::try_from(bytes).expect("it fits in memory")
    }

    /// The share of a core that it uses over a time.
    pub async fn load_over(&self, time: Duration) -> f64 {
        let used = || accounting::cpu(self.process()).expect("it runs");
        let (before, begun) = (used(), Instant::now());
        sleep(time).await;
        (used() - before).as_secs_f64() / begun.elapsed().as_secs_f64()
    }

    /// Status and text of what anybody may ask for.
    pub async fn get(&self, path: &str) -> (u16, String) {
        get(&format!("{}{path}", self.url)).await
    }

    /// Status and text of what operators may ask for.
    pub async fn get_as_operator(&self, path: &str) -> (u16, String) {
        // After a restart it is another port.
        let address = async || {
            let log = self.log();
            let (_, address) = log.rsplit_once(METRICS)?;
            address.split_once("/metrics").map(|(address, _)| address.to_owned())
        };
        get(&format!("{}{path}", eventually_some("an address for metrics", address).await)).await
    }

    /// A value of /metrics; zero while there is none.
    pub async fn metric(&self, name: &str) -> f64 {
        let (_, text) = self.get_as_operator("/metrics").await;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().expect("a number"))
    }

    /// Open descriptors.
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.process())).expect("it runs").count()
    }

    /// Its private PostgreSQL, to look in.
    pub fn database_url(&self) -> String {
        let socket = self.directory.path().join("postgres/run");
        let host = socket.to_str().expect("a plain path").replace('/', "%2F");
        format!("postgres://tidings@{host}/postgres")
    }

    pub fn data_dir(&self) -> &Path {
        self.directory.path()
    }

    /// Everything it has logged.
    pub fn log(&self) -> String {
        self.log.lock().expect("no writer panics").clone()
    }
}

async fn get(url: &str) -> (u16, String) {
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let answer = http.get(url).send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("text"))
}

pub fn send(process: i32, signal: Signal) {
    kill(Pid::from_raw(process), signal).expect("it runs");
}

/// Where the cluster is, below a data directory.
pub fn data_of(data_dir: &Path) -> PathBuf {
    data_dir.join("postgres/data")
}

/// The program with these settings and no others, on this data directory.
pub fn program(data_dir: &Path, settings: &[(String, String)]) -> Command {
    program_at(Path::new(env!("CARGO_BIN_EXE_tidings")), data_dir, settings)
}

pub fn program_at(binary: &Path, data_dir: &Path, settings: &[(String, String)]) -> Command {
    let mut command = Command::new(binary);
    // Nothing from the outside, a `.env` included.
    command.env_clear().current_dir(data_dir);
    command.env("TIDINGS_DATA_DIR", data_dir).env("TIDINGS_POSTGRES_BIN", cluster::programs());
    command.envs(settings.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

fn spawn(data_dir: &Path, settings: &[(String, String)], listen: &str, log: &Arc<Mutex<String>>) -> Child {
    let mut command = program(data_dir, settings);
    let mut child = command.env("TIDINGS_LISTEN", listen).spawn().expect("the program starts");
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let log = log.clone();
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            let mut log = log.lock().expect("no reader panics");
            log.push_str(&line);
            log.push('\n');
        }
    });
    child
}

/// Waits for the one line on standard output, which says where it listens.
async fn announced(child: &mut Child, log: &Arc<Mutex<String>>) -> String {
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let line =
        timeout(PATIENCE, lines.next_line()).await.expect("it starts in time").expect("it can be read");
    let url = line.as_deref().and_then(|line| line.strip_prefix(ANNOUNCEMENT));
    url.unwrap_or_else(|| panic!("it did not start: {}", log.lock().expect("no writer panics"))).to_owned()
}
