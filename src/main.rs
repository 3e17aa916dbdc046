//! The program: settings, logs, a database, a server, and an orderly end.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::panic::PanicHookInfo;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use tidings::config::{self, Config, MetricsListen};
use tidings::metrics;
use tidings::postgres::{PrivatePostgres, StartError};
use tidings::process::{self, LogSink};
use tidings::server::Server;
use tidings::web::Listeners;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

/// In `pairs` the server takes a fifth less time than with the allocator of glibc.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Exit codes besides 0 and 1: a setting or an argument is wrong.
const EXIT_SETTING: u8 = 2;

/// Connections that wait to be accepted, at the most. When all come back at once,
/// each beyond it is dropped and tries again after a second, then two, then four.
const BACKLOG: u32 = 4096;

/// How long a port may outlive whoever held it, and how often it is tried.
const PORT_PATIENCE: Duration = Duration::from_secs(1);
const PORT_POLL: Duration = Duration::from_millis(20);

/// Signals this soon after the first one are the same one.
const ECHO: Duration = Duration::from_secs(1);

/// What `--help` prints.
const HELP: &str = "\
Tidings: real-time messages between people, in one program.

    tidings              serves until Ctrl-C, on http://127.0.0.1:8080 if nothing else is set
    tidings --help       prints this
    tidings --version    prints the version

Settings are environment variables, or lines of a file .env in the working directory; .env.example
lists all of them with their defaults. Needed first: TIDINGS_LISTEN, TIDINGS_DATA_DIR, TIDINGS_ORIGINS
(for a domain name or a proxy), DATABASE_URL (else a private PostgreSQL is started), TIDINGS_PUSH_CONTACT, RUST_LOG.";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    if !arguments.is_empty() {
        return answer(&arguments);
    }
    let read = config::read_dotenv().and_then(|()| {
        let forgotten = process::forget_postgres_variables();
        Config::from_env().map(|(config, warnings)| (config, warnings, forgotten))
    });
    let (config, mut warnings, forgotten) = match read {
        Ok(read) => read,
        Err(error) => return fail(EXIT_SETTING, &error),
    };
    if config.database_url.is_some() && !forgotten.is_empty() {
        warnings.push(format!("not read: {}; what they say belongs in DATABASE_URL", forgotten.join(", ")));
    }
    let log = match LogSink::standard_error() {
        Ok(log) => log,
        Err(error) => return fail(1, &format!("the log does not start: {error}")),
    };
    start_logging(&config, log.clone());
    std::panic::set_hook(Box::new(log_panic));
    for warning in warnings.into_iter().chain(process::raise_descriptors().err()) {
        tracing::warn!("{warning}");
    }
    metrics::install();
    let outcome = run(config);
    if let Err(error) = &outcome {
        log.say(&format!("tidings: {error}"));
    }
    log.flush();
    if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// There are no arguments but these two; settings are not given like this.
fn answer(arguments: &[OsString]) -> ExitCode {
    let said = match arguments {
        [one] if one == "--help" => say(HELP),
        [one] if one == "--version" => say(concat!("tidings ", env!("CARGO_PKG_VERSION"))),
        other => {
            let error =
                format!("{other:?} is not understood: settings are environment variables (see --help)");
            return fail(EXIT_SETTING, &error);
        }
    };
    if said.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// From the start to the end of everything, whatever ends it.
fn run(config: Config) -> Result<(), String> {
    let runtime =
        tokio::runtime::Runtime::new().map_err(|error| format!("the runtime does not start: {error}"))?;
    // From here on Ctrl-C does not kill the process: it ends what has been started.
    let signals = runtime
        .block_on(async { Signals::catch() })
        .map_err(|error| format!("signals cannot be caught: {error}"))?;
    // First of all, as it is quickly refused. Whoever comes from now on waits for the start.
    let address = config.listen;
    let listener = runtime
        .block_on(listen_soon(address))
        .map_err(|error| format!("cannot listen on TIDINGS_LISTEN={address}: {error}"))?;
    let operators = runtime.block_on(listen_for_operators(config.metrics_listen))?;
    let listeners = Listeners { public: listener, operators };
    // Started from this thread, which lives as long as the process.
    let postgres = match &config.database_url {
        Some(_) => None,
        None => {
            let progress = |progress: &str| tracing::info!("{progress}");
            match PrivatePostgres::start(&config, progress, || signals.came()) {
                Ok(postgres) => Some(postgres),
                Err(StartError::Stopped) => return stopped_early(),
                Err(error) => return Err(error.to_string()),
            }
        }
    };
    let url = match (&config.database_url, &postgres) {
        (Some(url), _) => url.clone(),
        (None, Some(postgres)) => postgres.url().to_owned(),
        (None, None) => unreachable!("without DATABASE_URL a private PostgreSQL was started"),
    };
    let outcome = runtime.block_on(serve(config, &url, listeners, signals));
    // After the last flush.
    if let Some(postgres) = postgres {
        postgres.stop();
    }
    outcome
}

/// One that was killed a moment ago may still hold the port.
async fn listen_soon(address: SocketAddr) -> io::Result<TcpListener> {
    let begun = Instant::now();
    loop {
        match listen(address) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && begun.elapsed() < PORT_PATIENCE => {
                tokio::time::sleep(PORT_POLL).await;
            }
            outcome => return outcome,
        }
    }
}

/// The kernel takes less when `net.core.somaxconn` is lower (listen(2)).
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // What is left of connections of the run before does not keep the port.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Binds the listener for metrics, unless that is switched off. If the default port
/// is taken, perhaps by another server on this machine, there is none.
async fn listen_for_operators(wanted: Option<MetricsListen>) -> Result<Option<TcpListener>, String> {
    let Some(MetricsListen { address, is_set }) = wanted else { return Ok(None) };
    let listening = if is_set { listen_soon(address).await } else { listen(address) };
    match listening {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if is_set => Err(format!("cannot listen on TIDINGS_METRICS_LISTEN={address}: {error}")),
        Err(error) => {
            tracing::warn!(%address, %error, "metrics are not served; set TIDINGS_METRICS_LISTEN to another address");
            Ok(None)
        }
    }
}

/// Serves until a signal comes or the server cannot go on.
async fn serve(config: Config, url: &str, listeners: Listeners, mut signals: Signals) -> Result<(), String> {
    let mut server = tokio::select! {
        started = Server::start(config, url, listeners) => started.map_err(|error| error.to_string())?,
        () = signals.first() => return stopped_early(),
    };
    if let Some(address) = server.metrics_address() {
        tracing::info!("metrics on http://{address}/metrics");
    }
    let address = server.address();
    if let Err(error) = say(&format!("tidings listening on http://{address}")) {
        tracing::warn!(%error, %address, "it cannot be printed where the server listens");
    }
    let failed = tokio::select! {
        () = signals.first() => false,
        () = server.failed() => true,
    };
    tracing::info!("stopping; a second signal ends at once");
    tokio::select! {
        in_time = server.shutdown() => match (failed, in_time) {
            (true, _) => Err("a station of the server died again and again".to_owned()),
            (false, true) => Ok(()),
            (false, false) => Err("the shutdown took longer than TIDINGS_SHUTDOWN_TIMEOUT_MS".to_owned()),
        },
        () = signals.second() => Err("ended by a second signal".to_owned()),
    }
}

/// A signal during the start: as good an end as any.
fn stopped_early() -> Result<(), String> {
    tracing::info!("stopped while starting");
    Ok(())
}

/// How many SIGINT and SIGTERM have come, those soon after the first one aside:
/// some tools send it to the process and to its group.
struct Signals(watch::Receiver<u32>);

impl Signals {
    /// Within a runtime.
    fn catch() -> std::io::Result<Self> {
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let (count, counted) = watch::channel(0);
        tokio::spawn(count_signals(interrupt, terminate, count));
        Ok(Self(counted))
    }

    fn came(&self) -> bool {
        *self.0.borrow() > 0
    }

    async fn first(&mut self) {
        self.reach(1).await;
    }

    async fn second(&mut self) {
        self.reach(2).await;
    }

    async fn reach(&mut self, count: u32) {
        if self.0.wait_for(|counted| *counted >= count).await.is_err() {
            // Nobody counts them any more: none will come.
            std::future::pending::<()>().await;
        }
    }
}

async fn count_signals(mut interrupt: Signal, mut terminate: Signal, count: watch::Sender<u32>) {
    let mut first: Option<Instant> = None;
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if first.is_none_or(|first| first.elapsed() >= ECHO) {
            first.get_or_insert_with(Instant::now);
            count.send_modify(|count| *count += 1);
        }
    }
}

fn start_logging(config: &Config, log: LogSink) {
    let filter = EnvFilter::new(&config.log);
    // Standard output has one line: where the server listens.
    // A subscriber that complained about its writer would do so to standard error.
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(log).log_internal_errors(false);
    if config.log_json {
        logs.json().init();
    } else {
        logs.with_ansi(std::io::stderr().is_terminal()).init();
    }
}

/// A panic of an actor is repaired; its log line is one line. Symbolising a
/// backtrace would hold up a worker thread for milliseconds.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("(no message)");
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(location, message, "panic");
}

/// The one line that scripts wait for, or what was asked for.
fn say(line: &str) -> io::Result<()> {
    let mut output = io::stdout();
    writeln!(output, "{line}")?;
    output.flush()
}

/// Before there is a log.
fn fail(code: u8, error: &(impl std::fmt::Display + ?Sized)) -> ExitCode {
    // Where nobody can be told, the exit code is what is left.
    let _ = writeln!(io::stderr(), "tidings: {error}");
    ExitCode::from(code)
}
