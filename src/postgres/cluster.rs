//! A cluster on the disk: where things are, how it is made, how it is set.

use std::fs::{DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::binaries::Binaries;
use super::error::{StartError, at};
use super::os_user::OsUser;
use super::{initdb, spawn};

/// The role that owns everything; only who may enter the socket's directory can
/// be it.
const ROLE: &str = "tidings";
/// The first line of files that are compared with what they should be.
const WRITTEN_HERE: &str = "# Written by Tidings at each start: what is changed here is lost.\n";
/// Beside the data: clusters that are being made, or were when a start ended.
const UNFINISHED_PREFIX: &str = "new-";
/// The part of a socket's name that PostgreSQL adds to its directory.
const SOCKET_NAME: &str = "/.s.PGSQL.5432";
/// What the address of a unix socket holds (`sun_path` with its final zero on
/// Linux; macOS has four bytes less).
const SOCKET_PATH_MAX: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// Everything of the private PostgreSQL, below one directory.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub home: PathBuf,
    pub data: PathBuf,
    pub log: PathBuf,
    socket: PathBuf,
    os_user: OsUser,
    connections: usize,
}

impl Cluster {
    /// Makes the directories. `connections`: how many clients there may be.
    pub fn new(data_dir: &Path, os_user: OsUser, connections: usize) -> Result<Self, StartError> {
        let home = data_dir.join("postgres");
        let mode = os_user.traversal_mode();
        DirBuilder::new().recursive(true).mode(mode).create(&home).map_err(at(&home))?;
        std::fs::set_permissions(&home, Permissions::from_mode(mode)).map_err(at(&home))?;
        os_user.check_may_enter(&home)?;
        let socket = socket_directory(&home, &std::env::temp_dir());
        os_user.own_directory(&socket)?;
        Ok(Self {
            data: home.join("data"),
            log: home.join("postgres.log"),
            home,
            socket,
            os_user,
            connections,
        })
    }

    pub fn os_user(&self) -> &OsUser {
        &self.os_user
    }

    /// Makes the cluster when there is none. It gets its name when it is whole:
    /// what an interrupted start left is removed and made again.
    pub fn create(
        &self,
        binaries: &Binaries,
        progress: impl Fn(&str),
        stopped: impl Fn() -> bool,
    ) -> Result<(), StartError> {
        self.remove_unfinished();
        if self.data.exists() {
            return self.restrict(&self.data);
        }
        progress("Setting up a private PostgreSQL …");
        // A name of its own: the initdb of a server that was killed a moment ago
        // may still write to the one before.
        let fresh = self.home.join(format!("{UNFINISHED_PREFIX}{}", Uuid::now_v7().simple()));
        self.os_user.own_directory(&fresh)?;
        let made = initdb::run(&mut self.initdb(binaries, &fresh), stopped)
            .and_then(|()| self.restrict(&fresh))
            .and_then(|()| std::fs::rename(&fresh, &self.data).map_err(at(&self.data)));
        if made.is_err() {
            self.remove_unfinished();
        }
        made
    }

    fn initdb(&self, binaries: &Binaries, fresh: &Path) -> Command {
        let mut command = self.os_user.command(&binaries.initdb(), &self.home);
        command
            .args([
                "--auth-local=peer",
                "--auth-host=reject",
                "--encoding=UTF8",
                "--no-locale",
                "--no-instructions",
            ])
            .arg(format!("--username={ROLE}"))
            .arg("-D")
            .arg(fresh);
        spawn::prepare(&mut command);
        command
    }

    /// Lets in who runs the server, and nobody else who might get to the socket.
    /// Clusters of earlier versions trusted everybody there.
    fn restrict(&self, data: &Path) -> Result<(), StartError> {
        let users: String =
            self.os_user.users().iter().map(|user| format!("{ROLE} \"{user}\" {ROLE}\n")).collect();
        let rules = format!("local all {ROLE} peer map={ROLE}\nlocal replication {ROLE} peer map={ROLE}\n");
        self.os_user.write_file(&data.join("pg_ident.conf"), &format!("{WRITTEN_HERE}{users}"))?;
        self.os_user.write_file(&data.join("pg_hba.conf"), &format!("{WRITTEN_HERE}{rules}"))
    }

    /// What is still written to may not go now, and goes with a later start.
    fn remove_unfinished(&self) {
        let entries = self.home.read_dir().into_iter().flatten().flatten();
        for entry in
            entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(UNFINISHED_PREFIX))
        {
            if let Err(error) = std::fs::remove_dir_all(entry.path()) {
                tracing::debug!(path = %entry.path().display(), %error, "an unfinished cluster is left");
            }
        }
    }

    /// Where its socket is.
    pub fn sockets(&self) -> &Path {
        &self.socket
    }

    /// The server's command line; it stops with the thread that spawns it.
    pub fn postgres(&self, binaries: &Binaries) -> Command {
        let mut command = self.os_user.command(&binaries.postgres(), &self.home);
        command.arg("-D").arg(&self.data);
        for (name, value) in self.settings() {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        spawn::prepare(&mut command);
        command
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        let fixed = [
            // Reached through the socket's directory only, which nobody else may enter.
            ("listen_addresses", ""),
            ("port", "5432"),
            ("unix_socket_permissions", "0700"),
            // Nobody is let in before a recovery is over: ready means that it can be written to.
            ("hot_standby", "off"),
            // Acknowledged means on the disk.
            ("fsync", "on"),
            ("synchronous_commit", "on"),
            ("full_page_writes", "on"),
            ("shared_buffers", "64MB"),
            ("log_timezone", "UTC"),
            ("timezone", "UTC"),
            // Neither statements, nor their parameters, nor rows (in DETAIL) are
            // logged: they hold what people have written.
            ("log_statement", "none"),
            ("log_min_error_statement", "panic"),
            ("log_min_duration_statement", "-1"),
            ("log_parameter_max_length", "0"),
            ("log_parameter_max_length_on_error", "0"),
            ("log_error_verbosity", "terse"),
            ("log_checkpoints", "off"),
            ("logging_collector", "off"),
            ("log_destination", "stderr"),
        ];
        let quoted = self.socket.to_string_lossy().replace('"', "\"\"");
        fixed
            .into_iter()
            .map(|(name, value)| (name, value.to_owned()))
            .chain([
                ("unix_socket_directories", format!("\"{quoted}\"")),
                ("max_connections", self.connections.to_string()),
            ])
            .collect()
    }

    /// When PostgreSQL has stopped: nothing is left in the temporary directory.
    pub fn remove_socket_directory(&self) {
        if let Err(error) = std::fs::remove_dir(&self.socket) {
            // The next start uses it again.
            tracing::debug!(%error, "the socket's directory is left");
        }
    }

    /// Where clients connect.
    pub fn url(&self) -> String {
        format!("postgres://{ROLE}@{}/postgres", percent_encoded(&self.socket.to_string_lossy()))
    }
}

/// In the home, when a socket's address holds that; else in the temporary
/// directory, by a name that is the same each time.
fn socket_directory(home: &Path, temporary: &Path) -> PathBuf {
    let near = home.join("run");
    let fits = near.to_str().is_some_and(|path| path.len() + SOCKET_NAME.len() <= SOCKET_PATH_MAX);
    if fits {
        return near;
    }
    let digest = Sha256::digest(home.as_os_str().as_encoded_bytes());
    let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    temporary.join(format!("tidings-{name}"))
}

/// For the host of a URL (RFC 3986, section 3.2.2).
fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_in_the_home_while_its_address_holds_that() {
        let (short, temporary) = (Path::new("/var/lib/tidings/postgres"), Path::new("/tmp"));
        assert_eq!(socket_directory(short, temporary), Path::new("/var/lib/tidings/postgres/run"));
        let room = SOCKET_PATH_MAX - SOCKET_NAME.len() - "/run".len();
        let long = |length| PathBuf::from(format!("/{}", "x".repeat(length - 1)));
        assert!(socket_directory(&long(room), temporary).ends_with("run"));
        let beside = socket_directory(&long(room + 1), temporary);
        assert!(beside.starts_with("/tmp") && beside.as_os_str().len() < 40, "{}", beside.display());
        assert_eq!(beside, socket_directory(&long(room + 1), temporary));
        assert_ne!(beside, socket_directory(&long(room + 2), temporary));
    }

    #[test]
    fn a_path_is_a_host() {
        assert_eq!(percent_encoded("/tmp/my data/ö"), "%2Ftmp%2Fmy%20data%2F%C3%B6");
    }
}
