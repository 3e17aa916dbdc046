//! The supervisor of the PostgreSQL process: a thread that spawns it, waits for it,
//! restarts it when it dies, and stops it. PostgreSQL stops when this thread ends.

use std::io;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::binaries::Binaries;
use super::cluster::Cluster;
use super::control::ClusterState;
use super::error::{StartError, at};
use super::log::BoundedLog;
use super::postmaster::{self, POLL, PidFile, SILENCE, signal};
use super::shutdown::Shutdown;

/// How often the first start is tried: processes of a PostgreSQL that was
/// killed may need a moment to notice it.
const FIRST_ATTEMPTS: u32 = 3;
/// The pause before PostgreSQL is started again; it doubles with each death.
const BACK_OFF_MIN: Duration = Duration::from_millis(100);
const BACK_OFF_MAX: Duration = Duration::from_secs(10);
/// After running this long, the pause is reset.
const STEADY: Duration = Duration::from_secs(30);

enum Event {
    /// The owner wants it stopped.
    Stop,
    /// Every process of PostgreSQL has exited: none holds its log any more.
    /// With the reason, if it gave one.
    Exited(Option<String>),
}

/// Holds the thread. Dropping it stops PostgreSQL and waits for that.
pub struct ProcessSupervisor {
    events: Sender<Event>,
    thread: Option<JoinHandle<()>>,
}

impl ProcessSupervisor {
    /// Returns when PostgreSQL accepts connections, or when `stopped`.
    pub fn start(
        cluster: Cluster,
        binaries: Binaries,
        progress: impl Fn(&str),
        stopped: impl Fn() -> bool,
    ) -> Result<Self, StartError> {
        let (events, received) = channel();
        let (report, started) = channel();
        let task =
            Task { cluster, binaries, reports: events.clone(), events: received, back_off: BACK_OFF_MIN };
        let thread = thread::Builder::new()
            .name("postgres".into())
            .spawn(move || task.run(&report))
            .map_err(|error| not_started(format!("no thread: {error}")))?;
        let supervisor = Self { events, thread: Some(thread) };
        let mut silent_since = Instant::now();
        loop {
            match started.recv_timeout(POLL) {
                Ok(outcome) => return outcome.map(|()| supervisor),
                // PostgreSQL stops when its supervisor is dropped.
                Err(RecvTimeoutError::Timeout) if stopped() => return Err(StartError::Stopped),
                Err(RecvTimeoutError::Timeout) if silent_since.elapsed() < SILENCE => {}
                Err(RecvTimeoutError::Timeout) => {
                    progress("Waiting for PostgreSQL to be ready …");
                    silent_since = Instant::now();
                }
                Err(RecvTimeoutError::Disconnected) => return Err(not_started("its thread died".into())),
            }
        }
    }
}

impl Drop for ProcessSupervisor {
    fn drop(&mut self) {
        // If the thread has ended already, so has PostgreSQL.
        drop(self.events.send(Event::Stop));
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that keeps PostgreSQL panicked");
        }
    }
}

struct Task {
    cluster: Cluster,
    binaries: Binaries,
    reports: Sender<Event>,
    events: Receiver<Event>,
    back_off: Duration,
}

impl Task {
    fn run(mut self, report: &Sender<Result<(), StartError>>) {
        let mut running = match self.first_start() {
            Ok(running) => Some(running),
            // If nobody receives it, there is nothing to do either.
            Err(error) => return drop(report.send(Err(error))),
        };
        if report.send(Ok(())).is_err() {
            tracing::error!("nobody waits for PostgreSQL");
        }
        while let Some(current) = running.take() {
            running = self.supervise(current);
        }
        self.cluster.remove_socket_directory();
    }

    fn first_start(&mut self) -> Result<Running, StartError> {
        for _ in 1..FIRST_ATTEMPTS {
            match self.launch().and_then(|running| self.until_ready(running)) {
                Err(StartError::Failed { reason, .. }) => tracing::warn!(reason, "PostgreSQL did not start"),
                outcome => return outcome,
            }
            thread::sleep(BACK_OFF_MIN);
        }
        let running = self.launch()?;
        self.until_ready(running)
    }

    /// Waits until PostgreSQL exits. Returns the next process, or `None` after a stop.
    fn supervise(&mut self, mut running: Running) -> Option<Running> {
        match self.events.recv() {
            Ok(Event::Exited(reason)) => {
                let status = running.reap();
                tracing::error!(status, reason, "PostgreSQL has ended; starting it again");
                if running.since.elapsed() > STEADY {
                    self.back_off = BACK_OFF_MIN;
                }
                self.launch_again()
            }
            Ok(Event::Stop) | Err(_) => {
                self.stop(running);
                None
            }
        }
    }

    fn launch_again(&mut self) -> Option<Running> {
        loop {
            match self.events.recv_timeout(self.back_off) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(_) | Err(RecvTimeoutError::Disconnected) => return None,
            }
            self.back_off = (self.back_off * 2).min(BACK_OFF_MAX);
            match self.launch() {
                Ok(running) => return Some(running),
                Err(error) => tracing::error!(%error, "PostgreSQL was not started"),
            }
        }
    }

    fn launch(&self) -> Result<Running, StartError> {
        postmaster::stop_leftovers(&self.cluster.data, self.cluster.sockets(), |_| {}, || false)?;
        let mut child = self
            .cluster
            .postgres(&self.binaries)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(at(&self.binaries.postgres()))?;
        let log = BoundedLog::new(self.cluster.log.clone());
        let follow = match child.stderr.take() {
            Some(output) => {
                let reports = self.reports.clone();
                let follow = move || drop(reports.send(Event::Exited(log.follow(output))));
                thread::Builder::new().name("postgres log".into()).spawn(follow).map(drop)
            }
            None => Err(io::ErrorKind::BrokenPipe.into()),
        };
        let mut running = Running { child, since: Instant::now() };
        follow.map_err(|error| {
            running.end(Signal::SIGKILL);
            running.reap();
            StartError::File { path: self.cluster.log.clone(), source: error }
        })?;
        Ok(running)
    }

    /// Waits without a limit: PostgreSQL may have much to recover. Returns when
    /// PostgreSQL does.
    fn until_ready(&mut self, mut running: Running) -> Result<Running, StartError> {
        loop {
            let written = PidFile::read(&self.cluster.data);
            if written.is_some_and(|file| file.ready && file.process == running.process()) {
                return Ok(running);
            }
            match self.events.recv_timeout(POLL) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Event::Exited(reason)) => {
                    let status = running.reap();
                    return Err(not_started(reason.unwrap_or(status)));
                }
                Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => {
                    self.stop(running);
                    return Err(StartError::Stopped);
                }
            }
        }
    }

    /// Stops PostgreSQL: in order if possible, else immediately, else by force.
    fn stop(&self, mut running: Running) {
        let mut stop = Shutdown::begin();
        loop {
            let next = stop.next(ClusterState::read(&self.cluster.data));
            if let Some(kind) = next {
                if kind != Signal::SIGINT {
                    tracing::warn!(%kind, "PostgreSQL is stopped before it is done");
                }
                running.end(kind);
            }
            let ended = !matches!(self.events.recv_timeout(POLL), Err(RecvTimeoutError::Timeout));
            if ended || next == Some(Signal::SIGKILL) {
                running.reap();
                return;
            }
        }
    }
}

fn not_started(reason: String) -> StartError {
    StartError::Failed { program: "postgres", reason }
}

struct Running {
    child: Child,
    since: Instant,
}

impl Running {
    fn process(&self) -> i32 {
        // The kernel's numbers fit: pid_t is an i32.
        self.child.id().cast_signed()
    }

    fn end(&self, kind: Signal) {
        signal(self.process(), kind);
    }

    /// Call only when it has exited, or must exit at once.
    fn reap(&mut self) -> String {
        self.child.wait().map_or_else(|error| error.to_string(), |status| status.to_string())
    }
}
