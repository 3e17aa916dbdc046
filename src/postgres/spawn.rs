//! One of the two unsafe lines of the crate: code that runs between fork and exec.

use std::process::Command;

use nix::sys::resource::{Resource, setrlimit};

use crate::process::inherited_descriptors;

/// The child is told to stop (SIGINT, a fast shutdown) when the *thread* that
/// spawns it ends, and so also when this process is killed. Linux only; where
/// this is missing, the next start stops what was left. It may have as many files
/// open as this process might at its start.
#[allow(unsafe_code, reason = "what is of the child alone can only be set in it, before exec")]
pub fn prepare(command: &mut Command) {
    use std::os::unix::process::CommandExt;

    let limits = inherited_descriptors();
    let stop_with_parent = stop_with_parent();
    let before_exec = move || {
        if let Some((soft, hard)) = limits {
            setrlimit(Resource::RLIMIT_NOFILE, soft, hard)?;
        }
        stop_with_parent()
    };
    // SAFETY: between fork and exec only async-signal-safe calls are allowed:
    // these are system calls, and nothing is allocated or locked.
    unsafe { command.pre_exec(before_exec) };
}

#[cfg(target_os = "linux")]
fn stop_with_parent() -> impl Fn() -> std::io::Result<()> + Send + Sync + 'static {
    use nix::errno::Errno;
    use nix::sys::{prctl, signal::Signal};
    use nix::unistd::{getpid, getppid};

    let parent = getpid();
    move || {
        prctl::set_pdeathsig(Signal::SIGINT)?;
        // The parent may have died before it was asked for.
        if getppid() == parent { Ok(()) } else { Err(Errno::ESRCH.into()) }
    }
}

#[cfg(not(target_os = "linux"))]
fn stop_with_parent() -> impl Fn() -> std::io::Result<()> + Send + Sync + 'static {
    || Ok(())
}
