//! What the machine and its operator do to the program.

mod databases;
mod environment;
mod logging;
mod remains;

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};

use tidings::postgres::{Options, PrivatePostgres, SearchPaths};

use crate::support::data_of;

/// A private PostgreSQL in this process.
fn start(data_dir: &Path) -> PrivatePostgres {
    let options =
        Options { data_dir: data_dir.to_owned(), search_paths: SearchPaths::new(None), connections: 20 };
    PrivatePostgres::start_with(&options, |_| {}).unwrap_or_else(|error| panic!("{error}"))
}

/// A program, run as the owner of the cluster in this data directory.
fn as_owner(program: &Path, data_dir: &Path) -> Command {
    use std::os::unix::process::CommandExt;

    let owner = data_of(data_dir).metadata().unwrap();
    let mut command = Command::new(program);
    command.uid(owner.uid()).gid(owner.gid()).current_dir(data_dir);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// PostgreSQL itself on this data directory, as somebody would start it by hand.
fn bare_postgres(programs: &Path, data_dir: &Path, settings: &[&str]) -> Command {
    let data = data_of(data_dir);
    let mut command = as_owner(&programs.join("postgres"), data_dir);
    command.arg("-D").arg(&data).arg("-k").arg(&data);
    for setting in settings {
        command.args(["-c", setting]);
    }
    command
}
