//! What `postmaster.pid` says, and an end for who was left behind.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::error::StartError;

/// How often a state is looked at that nobody reports.
pub const POLL: Duration = Duration::from_millis(5);
/// How long a fast shutdown may take: one checkpoint.
pub const FAST_STOP: Duration = Duration::from_secs(20);
/// How long an immediate one may take; the next start recovers.
pub const IMMEDIATE_STOP: Duration = Duration::from_secs(5);
/// A step that takes longer is reported.
pub const SILENCE: Duration = Duration::from_secs(1);

/// The lock file of a data directory: the process in the first line, the state
/// in the eighth (PostgreSQL's `utils/pidfile.h`).
#[derive(Debug, PartialEq, Eq)]
pub struct PidFile {
    pub process: i32,
    pub ready: bool,
}

impl PidFile {
    pub fn read(data: &Path) -> Option<Self> {
        // It is not there, or half written: either way it says nothing yet.
        Self::parse(&std::fs::read_to_string(data.join("postmaster.pid")).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let process = text.lines().next()?.trim().parse().ok().filter(|process| *process > 1)?;
        Some(Self { process, ready: text.lines().nth(7).is_some_and(|state| state.trim() == "ready") })
    }
}

pub fn signal(process: i32, signal: Signal) {
    if let Err(error) = kill(Pid::from_raw(process), signal) {
        // It may have ended just now, which is what was asked for.
        tracing::debug!(process, %signal, %error, "no signal");
    }
}

/// Stops the PostgreSQL that an earlier, killed server left on these data. The
/// caller holds the lock: no living server uses it.
pub fn stop_orphan(
    data: &Path,
    progress: impl Fn(&str),
    stopped: impl Fn() -> bool,
) -> Result<(), StartError> {
    let Some(orphan) = PidFile::read(data).filter(|file| is_postmaster(file.process, data)) else {
        return Ok(());
    };
    let (process, started, mut told) = (orphan.process, Instant::now(), false);
    signal(process, Signal::SIGINT);
    while is_postmaster(process, data) {
        if stopped() {
            return Err(StartError::Stopped);
        }
        let waited = started.elapsed();
        if waited > SILENCE && !told {
            progress("Waiting for PostgreSQL of an earlier run to stop …");
            told = true;
        }
        if waited > FAST_STOP {
            signal(process, Signal::SIGQUIT);
        }
        if waited > FAST_STOP + IMMEDIATE_STOP {
            return Err(StartError::StillRunning { process, waited });
        }
        std::thread::sleep(POLL);
    }
    Ok(())
}

/// Numbers of processes are used again: a postmaster works in its data
/// directory.
#[cfg(target_os = "linux")]
fn is_postmaster(process: i32, data: &Path) -> bool {
    std::fs::read_link(format!("/proc/{process}/cwd")).is_ok_and(|directory| directory == data)
}

#[cfg(not(target_os = "linux"))]
fn is_postmaster(process: i32, _data: &Path) -> bool {
    kill(Pid::from_raw(process), None).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_read_when_it_is_there() {
        let written = "4711\n/data\n1764000000\n5432\n/run\n\n  5432001   3\nready   \n";
        assert_eq!(PidFile::parse(written), Some(PidFile { process: 4711, ready: true }));
        let starting = written.replace("ready ", "starting");
        assert_eq!(PidFile::parse(&starting), Some(PidFile { process: 4711, ready: false }));
        assert_eq!(PidFile::parse("4711\n"), Some(PidFile { process: 4711, ready: false }));
        for nothing in ["", "\n", "-1\n", "0\n", "1\n"] {
            assert_eq!(PidFile::parse(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn a_number_used_again_is_left_alone() {
        let data = tempfile::tempdir().unwrap();
        let own = i32::try_from(std::process::id()).unwrap();
        std::fs::write(data.path().join("postmaster.pid"), format!("{own}\n")).unwrap();
        stop_orphan(data.path(), |_| {}, || false).unwrap();
    }
}
