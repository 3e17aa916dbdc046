//! The private PostgreSQL: a cluster of our own below the data directory, for
//! when `DATABASE_URL` is not set.
//!
//! It is reached through a unix socket in a directory that nobody else may
//! enter, keeps its promises to the disk, and lives as long as this process:
//! a thread keeps it running, and the kernel stops it when that thread ends,
//! however it ends. A lock in the data directory keeps a second server out.

mod binaries;
mod cluster;
mod control;
mod error;
mod initdb;
mod log;
mod os_user;
mod package;
mod postmaster;
mod process_supervisor;
mod processes;
mod shutdown;
mod spawn;

use std::fs::{DirBuilder, File, Permissions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use binaries::Search;
pub use binaries::SearchPaths;
use cluster::Cluster;
pub use error::StartError;
use error::at;
use nix::fcntl::OFlag;
use os_user::OsUser;
use process_supervisor::ProcessSupervisor;

use crate::config::Config;

/// Connections beside those of the settings: migrations, a person looking in.
const SPARE_CONNECTIONS: usize = 20;

/// The options of a private PostgreSQL.
#[derive(Clone, Debug)]
pub struct Options {
    /// Everything is kept below it; made when missing.
    pub data_dir: PathBuf,
    /// Where the programs may be.
    pub search_paths: SearchPaths,
    /// How many clients may be connected.
    pub connections: usize,
}

/// A running PostgreSQL. Dropping it stops it and waits for that.
pub struct PrivatePostgres {
    url: String,
    programs: PathBuf,
    supervisor: ProcessSupervisor,
    _lock: File,
}

impl PrivatePostgres {
    /// Starts the cluster, made when missing; blocks until it accepts
    /// connections, or until `stopped`. `progress` is told what takes more than
    /// a second.
    pub fn start(
        config: &Config,
        progress: impl Fn(&str),
        stopped: impl Fn() -> bool,
    ) -> Result<Self, StartError> {
        let options = Options {
            data_dir: config.data_dir.clone(),
            search_paths: SearchPaths::new(config.postgres_bin.clone()),
            connections: config.pool_size as usize + config.writers + SPARE_CONNECTIONS,
        };
        Self::start_unless(&options, progress, stopped)
    }

    /// The same with these options, to the end.
    pub fn start_with(options: &Options, progress: impl Fn(&str)) -> Result<Self, StartError> {
        Self::start_unless(options, progress, || false)
    }

    fn start_unless(
        options: &Options,
        progress: impl Fn(&str),
        stopped: impl Fn() -> bool,
    ) -> Result<Self, StartError> {
        let os_user = OsUser::choose()?;
        let data_dir = &options.data_dir;
        DirBuilder::new()
            .recursive(true)
            .mode(os_user.traversal_mode())
            .create(data_dir)
            .map_err(at(data_dir))?;
        let data_dir = data_dir.canonicalize().map_err(at(data_dir))?;
        warn_of_open(&data_dir)?;
        let lock = lock(&data_dir)?;
        let cluster = Cluster::new(&data_dir, os_user, options.connections)?;
        postmaster::stop_leftovers(&cluster.data, cluster.sockets(), &progress, &stopped)?;
        let search = Search {
            search_paths: &options.search_paths,
            os_user: cluster.os_user(),
            home: &cluster.home,
            data: &cluster.data,
        };
        let binaries = search.find(&progress)?;
        cluster.create(&binaries, &progress, &stopped)?;
        let (url, programs) = (cluster.url(), binaries.directory.clone());
        let supervisor = ProcessSupervisor::start(cluster, binaries, progress, stopped)?;
        Ok(Self { url, programs, supervisor, _lock: lock })
    }

    /// Where clients connect.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where its programs are.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// Stops it: what is committed is on the disk, what is running is cut.
    /// Takes milliseconds, and 25 s at the most.
    pub fn stop(self) {
        drop(self.supervisor);
    }
}

/// Whoever may write there can put other data in the place of ours.
fn warn_of_open(data_dir: &Path) -> Result<(), StartError> {
    let mode = data_dir.metadata().map_err(at(data_dir))?.mode();
    if mode & 0o022 != 0 && mode & 0o1000 == 0 {
        tracing::warn!(path = %data_dir.display(), mode = format!("{:o}", mode & 0o7777),
            "others may write to the data directory: close it to them (chmod go-w)");
    }
    Ok(())
}

/// How long a lock may outlive its holder: one that is killed while it starts a
/// program leaves it to that for the moment before it is the program.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);

/// Held as long as the file is open, by this process or by nobody. Whoever can
/// open it, if only to read, can lock it: earlier versions let everybody.
fn lock(data_dir: &Path) -> Result<File, StartError> {
    let path = data_dir.join("lock");
    let options = OFlag::O_NOFOLLOW.bits();
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .custom_flags(options)
        .open(&path)
        .and_then(|file| file.set_permissions(Permissions::from_mode(0o600)).map(|()| file))
        .map_err(at(&path))?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if begun.elapsed() < LOCK_PATIENCE => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(TryLockError::WouldBlock) => return Err(StartError::InUse(data_dir.to_owned())),
            Err(TryLockError::Error(error)) => return Err(at(&path)(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f27_a_second_lock_is_refused_in_one_sentence() {
        let directory = tempfile::tempdir().unwrap();
        let first = lock(directory.path()).unwrap();
        let error = lock(directory.path()).unwrap_err().to_string();
        assert!(error.starts_with("Another Tidings server is using ") && error.lines().count() == 1);
        drop(first);
        lock(directory.path()).unwrap();
    }

    #[test]
    fn a_lock_that_others_could_take_is_closed_to_them() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        drop(lock(directory.path()).unwrap());
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/null", &path).unwrap();
        assert!(lock(directory.path()).is_err(), "it has followed a link");
    }
}
