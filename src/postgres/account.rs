use std::fs::{DirBuilder, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{User, geteuid};

use super::error::{StartError, at};

/// Who PostgreSQL runs as: it refuses root.
#[derive(Clone, Debug)]
pub enum Account {
    /// The user of this process.
    Own,
    /// This process is root; PostgreSQL is not.
    Other { name: String, user: u32, group: u32 },
}

impl Account {
    /// `postgres`, else `nobody`, when this process is root.
    pub fn choose() -> Result<Self, StartError> {
        if !geteuid().is_root() {
            return Ok(Self::Own);
        }
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .map(|user| Self::Other { name: user.name, user: user.uid.as_raw(), group: user.gid.as_raw() })
            .ok_or(StartError::NoAccount)
    }

    /// The mode of directories that the account has to pass through.
    pub fn passage_mode(&self) -> u32 {
        match self {
            Self::Own => 0o700,
            Self::Other { .. } => 0o711,
        }
    }

    /// A command that runs as this account, with nothing of our environment
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

    /// Makes a directory that only the account may enter; an existing one must
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

    /// Refuses a directory that the account may not pass through.
    pub fn check_may_enter(&self, directory: &Path) -> Result<(), StartError> {
        let Self::Other { name, .. } = self else { return Ok(()) };
        for path in directory.ancestors() {
            if !self.may_enter(&path.metadata().map_err(at(path))?) {
                return Err(StartError::Unreachable { account: name.clone(), path: path.to_owned() });
            }
        }
        Ok(())
    }

    /// By the mode bits: the nearest that fit decide, as in the kernel.
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
        let account = |user, group| Account::Other { name: "other".into(), user, group };
        let stranger = account(own.uid() + 1, own.gid() + 1);
        for (mode, owner, group, other) in
            [(0o700, true, false, false), (0o710, true, true, false), (0o701, true, false, true)]
        {
            std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(mode)).unwrap();
            let found = directory.path().metadata().unwrap();
            assert_eq!(account(own.uid(), own.gid() + 1).may_enter(&found), owner);
            assert_eq!(account(own.uid() + 1, own.gid()).may_enter(&found), group);
            assert_eq!(stranger.may_enter(&found), other);
        }
    }

    #[test]
    fn a_link_in_place_of_the_directory_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(directory.path(), &link).unwrap();
        assert!(matches!(Account::Own.own_directory(&link), Err(StartError::Foreign(_))));
    }
}
