//! The program: settings, logs, a database, a server, and an orderly end.

use std::io::IsTerminal;
use std::panic::PanicHookInfo;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use tidings::config::{self, Config};
use tidings::metrics;
use tidings::postgres::PrivatePostgres;
use tidings::server::Server;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Exit codes besides 0 and 1: a setting is wrong.
const EXIT_SETTING: u8 = 2;

/// What is logged when `RUST_LOG` does not say.
const DEFAULT_LOG: &str = "info,sqlx=warn,ractor=warn";

/// Signals this soon after the first one are the same one.
const ECHO: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let read = config::read_dotenv().and_then(|()| Config::from_env());
    let (config, warnings) = match read {
        Ok(read) => read,
        Err(error) => return fail(EXIT_SETTING, &error),
    };
    start_logging(config.log_json);
    std::panic::set_hook(Box::new(log_panic));
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    metrics::install();
    // Started from this thread, which lives as long as the process.
    let postgres = match &config.database_url {
        Some(_) => None,
        None => match PrivatePostgres::start(&config, |progress| tracing::info!("{progress}")) {
            Ok(postgres) => Some(postgres),
            Err(error) => return fail(1, &error),
        },
    };
    let url = match (&config.database_url, &postgres) {
        (Some(url), _) => url.clone(),
        (None, Some(postgres)) => postgres.url().to_owned(),
        (None, None) => unreachable!("without DATABASE_URL a private PostgreSQL was started"),
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(1, &format!("the runtime does not start: {error}")),
    };
    let outcome = runtime.block_on(serve(config, &url));
    // After the last flush.
    if let Some(postgres) = postgres {
        postgres.stop();
    }
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(1, &error),
    }
}

/// Serves until a signal comes or the server cannot go on.
async fn serve(config: Config, url: &str) -> Result<(), String> {
    // Before the start: a Ctrl-C during it is not to kill the process.
    let mut signals = Signals::new().map_err(|error| format!("signals cannot be caught: {error}"))?;
    let address = config.listen;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("cannot listen on TIDINGS_LISTEN={address}: {error}"))?;
    let mut server = Server::start(config, url, listener).await.map_err(|error| error.to_string())?;
    say(&format!("tidings listening on http://{}", server.address()));
    let failed = tokio::select! {
        () = signals.next() => false,
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

/// SIGINT and SIGTERM.
struct Signals(Signal, Signal);

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self(signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?))
    }

    /// A signal that is not the first one's echo: some tools send it to the
    /// process and to its group.
    async fn second(&mut self) {
        let first = Instant::now();
        while first.elapsed() < ECHO {
            self.next().await;
        }
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
        }
    }
}

fn start_logging(json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_LOG));
    // Standard output has one line: where the server listens.
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if json {
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

#[allow(clippy::print_stdout, reason = "the one line that scripts wait for")]
fn say(line: &str) {
    println!("{line}");
}

fn fail(code: u8, error: &(impl std::fmt::Display + ?Sized)) -> ExitCode {
    eprintln!("tidings: {error}");
    ExitCode::from(code)
}
