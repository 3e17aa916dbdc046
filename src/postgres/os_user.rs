use std::fs::{DirBuilder, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown, fchown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{User, geteuid};

use super::error::{StartError, at};

/// The user of the system that PostgreSQL runs as: it refuses root.
#[derive(Clone, Debug)]
pub enum OsUser {
    /// The user of this process.
    Own,
    /// This process is root; PostgreSQL is not.
    Other { name: String, user: u32, group: u32 },
}

impl OsUser {
    /// `postgres`, else `nobody`, when this process is root.
    pub fn choose() -> Result<Self, StartError> {
        if !geteuid().is_root() {
            return Ok(Self::Own);
        }
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .map(|user| Self::Other { name: user.name, user: user.uid.as_raw(), group: user.gid.as_raw() })
            .ok_or(StartError::NoUser)
    }

    /// The mode of directories that the user has to traverse.
    pub fn traversal_mode(&self) -> u32 {
        match self {
            Self::Own => 0o700,
            Self::Other { .. } => 0o711,
        }
    }

    /// Builds a command that runs as this user, with nothing of our environment
    /// that could change what PostgreSQL does, and out of reach of Ctrl-C.
    pub fn command(&self, program: &Path, directory: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("LC_ALL", "C").env("TZ", "UTC").current_dir(directory).stdin(Stdio::null());
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        if let Self::Other { user, group, .. } = self {
            command.uid(*user).gid(*group);
        }
        command.process_group(0);
        command
    }

    /// Creates a directory that only this user may enter; an existing one must
    /// be ours already.
    pub fn own_directory(&self, path: &Path) -> Result<(), StartError> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            outcome => return outcome.and_then(|()| self.give(path)).map_err(at(path)),
        }
        // Not following a link: somebody else may have put one there.
        let found = path.symlink_metadata().map_err(at(path))?;
        if !found.is_dir() || !self.owns(&found) {
            return Err(StartError::Foreign(path.to_owned()));
        }
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o700))
            .and_then(|()| self.give(path))
            .map_err(at(path))
    }

    /// The users of the system who may be the cluster's role: who runs this
    /// process, who PostgreSQL runs as, and root, who may become anybody.
    pub fn users(&self) -> Vec<String> {
        let own = match self {
            Self::Own => User::from_uid(geteuid()).ok().flatten().map(|user| user.name),
            Self::Other { name, .. } => Some(name.clone()),
        };
        let root = Some("root".to_owned()).filter(|root| own.as_ref() != Some(root));
        own.into_iter().chain(root).collect()
    }

    /// Atomically writes a file that only this user may read.
    pub fn write_file(&self, path: &Path, text: &str) -> Result<(), StartError> {
        if std::fs::read_to_string(path).is_ok_and(|found| found == text) {
            return Ok(());
        }
        let fresh = path.with_extension("new");
        self.write_fresh(&fresh, text).and_then(|()| std::fs::rename(&fresh, path)).map_err(at(path))
    }

    fn write_fresh(&self, path: &Path, text: &str) -> io::Result<()> {
        // Left by an interrupted start, or somebody's link: it is not followed.
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
        if let Self::Other { user, group, .. } = self {
            fchown(&file, Some(*user), Some(*group))?;
        }
        file.sync_all()
    }

    fn owns(&self, found: &Metadata) -> bool {
        match self {
            Self::Own => found.uid() == geteuid().as_raw(),
            Self::Other { user, .. } => found.uid() == *user || found.uid() == 0,
        }
    }

    fn give(&self, path: &Path) -> io::Result<()> {
        match self {
            Self::Own => Ok(()),
            Self::Other { user, group, .. } => chown(path, Some(*user), Some(*group)),
        }
    }

    /// Errors if the user may not traverse the directory.
    pub fn check_may_enter(&self, directory: &Path) -> Result<(), StartError> {
        let Self::Other { name, .. } = self else { return Ok(()) };
        for path in directory.ancestors() {
            if !self.may_enter(&path.metadata().map_err(at(path))?) {
                return Err(StartError::Unreachable { os_user: name.clone(), path: path.to_owned() });
            }
        }
        Ok(())
    }

    /// By the mode bits: the most specific ones decide, as in the kernel.
    fn may_enter(&self, directory: &Metadata) -> bool {
        let Self::Other { user, group, .. } = self else { return true };
        let bit = if directory.uid() == *user {
            0o100
        } else if directory.gid() == *group {
            0o010
        } else {
            0o001
        };
        directory.mode() & bit != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_that_fit_decide() {
        let directory = tempfile::tempdir().unwrap();
        let own = directory.path().metadata().unwrap();
        let os_user = |user, group| OsUser::Other { name: "other".into(), user, group };
        let stranger = os_user(own.uid() + 1, own.gid() + 1);
        for (mode, owner, group, other) in
            [(0o700, true, false, false), (0o710, true, true, false), (0o701, true, false, true)]
        {
            std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(mode)).unwrap();
            let found = directory.path().metadata().unwrap();
            assert_eq!(os_user(own.uid(), own.gid() + 1).may_enter(&found), owner);
            assert_eq!(os_user(own.uid() + 1, own.gid()).may_enter(&found), group);
            assert_eq!(stranger.may_enter(&found), other);
        }
    }

    #[test]
    fn a_link_in_place_of_the_directory_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(directory.path(), &link).unwrap();
        assert!(matches!(OsUser::Own.own_directory(&link), Err(StartError::Foreign(_))));
    }
}
