//! Who runs where: the server and PostgreSQL on one core, the generator on another.

use std::io;

use nix::errno::Errno;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::Pid;

/// For everything that is no socket of somebody who takes part.
const OTHER_DESCRIPTORS: usize = 400;
/// The calling thread.
const THIS: Pid = Pid::from_raw(0);

/// The cores of a run. Empty lists pin nothing.
#[derive(Clone, Debug, Default)]
pub struct Cores {
    pub server: Vec<usize>,
    pub generator: Vec<usize>,
}

impl Cores {
    /// The first one allowed for the server and the last one for the generator;
    /// nothing is pinned where there is only one.
    pub fn choose() -> Self {
        let allowed = sched_getaffinity(THIS).unwrap_or_default();
        let mut cores = (0..CpuSet::count()).filter(|core| allowed.is_set(*core).unwrap_or(false));
        match (cores.next(), cores.next_back()) {
            (Some(first), Some(last)) => Self { server: vec![first], generator: vec![last] },
            _ => Self::default(),
        }
    }

    /// Runs this with the calling thread on the server's cores, which what it
    /// starts inherits, and comes back to the generator's.
    pub fn on_servers<T>(&self, start: impl FnOnce() -> T) -> T {
        self.pin(&self.server);
        let started = start();
        self.pin(&self.generator);
        started
    }

    fn pin(&self, cores: &[usize]) {
        if !cores.is_empty() {
            pin(cores).unwrap_or_else(|error| panic!("cores {cores:?}: {error}"));
        }
    }
}

fn pin(cores: &[usize]) -> Result<(), Errno> {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core)?;
    }
    sched_setaffinity(THIS, &set)
}

/// Raises the number of descriptors to what is allowed, for this process and
/// all that it starts.
pub fn raise_descriptors() -> Result<(), Errno> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)
}

/// An error when a process may not have that many sockets, on either side.
pub fn afford_sockets(count: usize) -> io::Result<()> {
    let (allowed, _) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let needed = (count + OTHER_DESCRIPTORS) as u64;
    if needed > allowed {
        let refusal = format!("{count} sockets take {needed} descriptors, and {allowed} are allowed here");
        return Err(io::Error::other(refusal));
    }
    Ok(())
}
