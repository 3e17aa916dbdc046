//! The server and the baselines, each in a process of its own.

use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::baseline::{self, Baseline};
use crate::cores::Cores;
use crate::directory::Directory;

/// Settings of the server that differ from the defaults, as reports say them.
pub const SETTINGS: [(&str, &str); 6] = [
    ("TIDINGS_STORED_BYTES_PER_DAY", "0"),
    ("TIDINGS_SENDS_PER_SECOND", "0"),
    ("TIDINGS_FRAMES_PER_SECOND", "0"),
    ("TIDINGS_FRAME_BYTES_PER_SECOND", "0"),
    ("TIDINGS_LOGINS_PER_MINUTE", "10000000"),
    ("TIDINGS_CONNECTIONS_PER_ADDRESS", "1000000"),
];

/// A process that has said where it listens. It is killed when this is dropped.
pub struct Program {
    pub address: SocketAddr,
    pub process: i32,
    child: Child,
    _directory: Directory,
}

impl Program {
    /// The server on a database.
    pub fn server(cores: &Cores, database: &str, more: &[(&str, String)]) -> io::Result<Self> {
        let directory = Directory::new();
        let mut command = server_command(directory.path());
        command.env("DATABASE_URL", database);
        command.envs(more.iter().map(|(name, value)| (name, value)));
        Self::start(cores, command, directory)
    }

    /// The server with a private PostgreSQL in this directory.
    pub fn whole_server(cores: &Cores, data: &Path) -> io::Result<Self> {
        let mut command = server_command(data);
        command.env("TIDINGS_DATA_DIR", data);
        Self::start(cores, command, Directory::new())
    }

    /// This program again, as a baseline.
    pub fn baseline(cores: &Cores, baseline: &Baseline) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(baseline::ARGUMENT).args(baseline.argument());
        Self::start(cores, command, Directory::new())
    }

    fn start(cores: &Cores, mut command: Command, directory: Directory) -> io::Result<Self> {
        let log = std::fs::File::create(directory.path().join("log"))?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = cores.on_servers(|| command.spawn())?;
        let process = child.id().cast_signed();
        // For whoever tidies up, should this process be killed.
        std::fs::write(directory.path().join("server.pid"), process.to_string())?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line)?;
        let address = line.trim_end().rsplit_once("http://").and_then(|(_, address)| address.parse().ok());
        let Some(address) = address else {
            // Its log says why.
            let log = std::fs::read_to_string(directory.path().join("log"))?;
            drop(child.kill());
            return Err(io::Error::other(format!("it did not start: {log}")));
        };
        Ok(Self { address, process, child, _directory: directory })
    }

    /// Ends it in order; whether that was within this time.
    pub fn stop(mut self, patience: Duration) -> io::Result<bool> {
        kill(Pid::from_raw(self.process), Signal::SIGTERM)?;
        let until = Instant::now() + patience;
        while Instant::now() < until {
            if self.child.try_wait()?.is_some() {
                return Ok(true);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(false)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub fn server_binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_tidings"))
}

fn server_command(directory: &Path) -> Command {
    let mut command = Command::new(server_binary());
    // Nothing from the outside, a `.env` included.
    command.env_clear().current_dir(directory);
    command.env("TIDINGS_LISTEN", "127.0.0.1:0").env("PATH", std::env::var_os("PATH").unwrap_or_default());
    // Several at a time have no port to share for figures that nobody reads.
    command.env("TIDINGS_METRICS_LISTEN", "");
    command.env("TIDINGS_DATA_DIR", directory).envs(SETTINGS);
    command
}
