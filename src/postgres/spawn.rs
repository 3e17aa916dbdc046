//! The one unsafe line of the crate: code that runs between fork and exec.

use std::process::Command;

/// The child is told to stop (SIGINT, a fast shutdown) when the *thread* that
/// spawns it ends, and so also when this process is killed. Linux only; where
/// this is missing, the next start stops what was left.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "prctl(PR_SET_PDEATHSIG) can only be called in the child, before exec")]
pub fn stop_with_this_thread(command: &mut Command) {
    use std::os::unix::process::CommandExt;

    use nix::errno::Errno;
    use nix::sys::{prctl, signal::Signal};
    use nix::unistd::getppid;

    let parent = nix::unistd::getpid();
    let before_exec = move || {
        prctl::set_pdeathsig(Signal::SIGINT)?;
        // The parent may have died before it was asked for.
        if getppid() == parent { Ok(()) } else { Err(Errno::ESRCH.into()) }
    };
    // SAFETY: between fork and exec only async-signal-safe calls are allowed:
    // these are two system calls, and nothing is allocated or locked.
    unsafe { command.pre_exec(before_exec) };
}

#[cfg(not(target_os = "linux"))]
pub fn stop_with_this_thread(_command: &mut Command) {}
