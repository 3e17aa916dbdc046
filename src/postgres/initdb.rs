use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::error::{StartError, at};
use super::postmaster::POLL;

/// Runs initdb to its end, or until `stopped`; then neither it nor a process
/// that it has started is left.
pub fn run(command: &mut Command, stopped: impl Fn() -> bool) -> Result<(), StartError> {
    let program = Path::new(command.get_program()).to_owned();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().map_err(at(&program))?;
    let mut errors = child.stderr.take().expect("it is piped");
    let mut was_stopped = false;
    let said = thread::scope(|scope| {
        // It ends when all of them have: they share the pipe.
        let said = scope.spawn(move || {
            let mut said = Vec::new();
            errors.read_to_end(&mut said).map(|_| said)
        });
        while !said.is_finished() {
            if !was_stopped && stopped() {
                was_stopped = true;
                end_group(child.id());
            }
            thread::sleep(POLL);
        }
        said.join().expect("reading does not panic")
    });
    let status = child.wait().map_err(at(&program))?;
    match said {
        _ if was_stopped => Err(StartError::Stopped),
        _ if status.success() => Ok(()),
        Ok(said) => Err(failed(last_line(&said))),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// By force: what they have made is thrown away.
fn end_group(leader: u32) {
    if let Err(error) = killpg(Pid::from_raw(leader.cast_signed()), Signal::SIGKILL) {
        // It may have ended just now, which is what was asked for.
        tracing::debug!(leader, %error, "initdb was not killed");
    }
}

fn failed(reason: String) -> StartError {
    StartError::Failed { program: "initdb", reason }
}

fn last_line(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let said = text.lines().rfind(|line| line.contains("error") || line.contains("FATAL"));
    said.or(text.lines().last()).unwrap_or("it did not say why").trim().to_owned()
}
