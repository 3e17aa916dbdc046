//! PostgreSQL from npm: `@embedded-postgres/<platform>`, an optional dependency
//! of the client's package.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Beside the data: copies of the package's binaries.
const COPY_PREFIX: &str = "postgresql-";

/// A link that npm packages cannot hold; paths from the package's root.
#[derive(Deserialize)]
struct LinkWanted {
    source: PathBuf,
    target: PathBuf,
}

#[derive(Deserialize)]
struct Manifest {
    version: String,
}

/// The package's name for this machine, when there may be one.
pub fn platform() -> Option<String> {
    let system = match std::env::consts::OS {
        "linux" => "linux",
        "macos" => "darwin",
        _ => return None,
    };
    let machine = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        _ => return None,
    };
    Some(format!("{system}-{machine}"))
}

/// Sets the package's links where they are missing (install scripts may be
/// off); gives back where its binaries are.
pub fn complete(package: &Path) -> io::Result<PathBuf> {
    let wanted: Vec<LinkWanted> = read_json(&package.join("native/pg-symlinks.json"))?;
    for link in wanted {
        let target = package.join(&link.target);
        if target.exists() {
            continue;
        }
        match fs::remove_file(&target) {
            // It led nowhere.
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        match symlink(package.join(&link.source), &target) {
            // Another server was as quick.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            outcome => outcome?,
        }
    }
    Ok(package.join("native/bin"))
}

/// Copies the package to where everybody may read it, once a version; gives
/// back where it is.
pub fn copy(package: &Path, home: &Path, progress: impl Fn(&str)) -> io::Result<PathBuf> {
    let manifest: Manifest = read_json(&package.join("package.json"))?;
    let place = home.join(format!("{COPY_PREFIX}{}", manifest.version));
    if place.exists() {
        return Ok(place);
    }
    progress("Copying PostgreSQL's programs to the data directory …");
    let partial = home.join("copying");
    if partial.exists() {
        fs::remove_dir_all(&partial)?;
    }
    copy_tree(&package.join("native"), &partial.join("native"))?;
    fs::rename(&partial, &place)?;
    Ok(place)
}

/// Copies made earlier, of which the package may be gone; the newest first.
pub fn copies(home: &Path) -> Vec<PathBuf> {
    let Ok(entries) = home.read_dir() else { return Vec::new() };
    let mut copies: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(COPY_PREFIX)))
        .collect();
    copies.sort();
    copies.reverse();
    copies
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    fs::set_permissions(to, PermissionsExt::from_mode(0o755))?;
    for entry in from.read_dir()? {
        let (entry, kind) = entry.and_then(|entry| entry.file_type().map(|kind| (entry, kind)))?;
        let target = to.join(entry.file_name());
        if kind.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &target)?;
        }
        // Links are set anew.
    }
    Ok(())
}

fn read_json<T: for<'a> Deserialize<'a>>(path: &Path) -> io::Result<T> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(root: &Path) -> PathBuf {
        let package = root.join("linux-x64");
        for folder in ["native/bin", "native/lib"] {
            fs::create_dir_all(package.join(folder)).unwrap();
        }
        for (file, text) in [
            ("package.json", r#"{"version":"18.4.0"}"#),
            ("native/bin/postgres", "#!"),
            ("native/lib/libpq.so.5.18", "library"),
            (
                "native/pg-symlinks.json",
                r#"[{"source":"native/lib/libpq.so.5.18","target":"native/lib/libpq.so.5"}]"#,
            ),
        ] {
            fs::write(package.join(file), text).unwrap();
        }
        package
    }

    #[test]
    fn links_are_set_once_and_mended() {
        let root = tempfile::tempdir().unwrap();
        let package = package(root.path());
        let link = package.join("native/lib/libpq.so.5");
        symlink("/nowhere", &link).unwrap();
        for _ in 0..2 {
            assert_eq!(complete(&package).unwrap(), package.join("native/bin"));
            assert_eq!(fs::read_to_string(&link).unwrap(), "library");
        }
    }

    #[test]
    fn a_copy_stands_on_its_own() {
        let root = tempfile::tempdir().unwrap();
        let package = package(root.path());
        let home = root.path().join("home");
        fs::create_dir_all(home.join("copying/native")).unwrap();
        let copied = copy(&package, &home, |_| {}).unwrap();
        assert_eq!(copy(&package, &home, |_| panic!("copied again")).unwrap(), copied);
        fs::remove_dir_all(&package).unwrap();
        complete(&copied).unwrap();
        assert_eq!(fs::read_to_string(copied.join("native/lib/libpq.so.5")).unwrap(), "library");
        assert_eq!(copies(&home), [copied]);
    }
}
