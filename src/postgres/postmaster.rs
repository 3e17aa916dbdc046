//! Reads `postmaster.pid`, and stops what an earlier server left behind.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::control::ClusterState;
use super::error::{StartError, at};
use super::processes;
use super::shutdown::{FAST_STOP, IMMEDIATE_STOP, Shutdown};

/// How often a state that nobody reports is polled.
pub const POLL: Duration = Duration::from_millis(5);
/// A step that takes longer is reported.
pub const SILENCE: Duration = Duration::from_secs(1);

/// PostgreSQL's lock files: of a data directory, and of a socket beside it.
const PID_FILE: &str = "postmaster.pid";
const SOCKET_LOCK: &str = ".s.PGSQL.5432.lock";

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
        Self::parse(&std::fs::read_to_string(data.join(PID_FILE)).ok()?)
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

/// Clears the data for a new PostgreSQL: stops processes that an earlier, killed server
/// left, and removes the lock files of dead ones. Their ids may belong to other
/// processes by now, which are left alone. The caller holds the lock: no
/// living server uses the data.
pub fn stop_leftovers(
    data: &Path,
    sockets: &Path,
    progress: impl Fn(&str),
    stopped: impl Fn() -> bool,
) -> Result<(), StartError> {
    let (mut stop, mut told) = (Shutdown::begin(), false);
    loop {
        let left = processes::on(data);
        let Some(any) = left.first() else { return remove_locks(data, sockets) };
        if stopped() {
            return Err(StartError::Stopped);
        }
        // It answers for the others. Without it they end by themselves, in a moment.
        let first = PidFile::read(data).map(|file| file.process).filter(|process| left.contains(process));
        let state = first.and_then(|_| ClusterState::read(data));
        if let Some(kind) = stop.next(state) {
            first.map_or(left.clone(), |first| vec![first]).iter().for_each(|process| signal(*process, kind));
        }
        if stop.waited() > SILENCE && !told {
            progress("Waiting for PostgreSQL of an earlier run to stop …");
            told = true;
        }
        if stop.waited() > FAST_STOP + 2 * IMMEDIATE_STOP {
            return Err(StartError::StillRunning { process: *any, waited: stop.waited() });
        }
        std::thread::sleep(POLL);
    }
}

/// PostgreSQL checks only whether a process with that id lives. It detects by itself
/// whether one still uses the shared memory.
fn remove_locks(data: &Path, sockets: &Path) -> Result<(), StartError> {
    for path in [data.join(PID_FILE), sockets.join(SOCKET_LOCK)] {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(at(&path)(error)),
            _ => {}
        }
    }
    Ok(())
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
    fn the_locks_of_who_is_gone_are_removed_and_a_number_used_again_is_left_alone() {
        let (data, sockets) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let locks = [data.path().join(PID_FILE), sockets.path().join(SOCKET_LOCK)];
        for process in [std::process::id(), u32::MAX / 2] {
            for lock in &locks {
                std::fs::write(lock, format!("{process}\n")).unwrap();
            }
            stop_leftovers(data.path(), sockets.path(), |_| {}, || false).unwrap();
            assert!(locks.iter().all(|lock| !lock.exists()), "{process}");
        }
    }
}
