//! Finds the processes of a PostgreSQL by their program and directory, never by an id
//! alone: ids are reused, for threads too.

use std::path::Path;

/// The processes of a PostgreSQL on these data, its children included. What has
/// ended and waits for its parent to notice is none.
#[cfg(target_os = "linux")]
pub fn on(data: &Path) -> Vec<i32> {
    // It works in the directory that its path leads to.
    let data = data.canonicalize().unwrap_or_else(|_| data.to_owned());
    let processes = Path::new("/proc").read_dir().into_iter().flatten().flatten();
    processes
        .filter(|process| {
            let leads = |link: &str| process.path().join(link).read_link();
            // Those of others cannot be looked at: they are not ours.
            leads("cwd").is_ok_and(|directory| directory == data)
                && leads("exe").is_ok_and(|program| is_postgres(&program))
        })
        .filter_map(|process| process.file_name().to_str()?.parse().ok())
        .collect()
}

/// Also a program that was replaced by a newer version while it runs, or wrapped.
#[cfg(target_os = "linux")]
fn is_postgres(program: &Path) -> bool {
    program.file_name().is_some_and(|name| name.to_string_lossy().contains("postgres"))
}

/// Where there is no `/proc`, the first process is asked for: it keeps its
/// command line, which names the data.
#[cfg(not(target_os = "linux"))]
pub fn on(data: &Path) -> Vec<i32> {
    let Some(process) = super::postmaster::PidFile::read(data).map(|file| file.process) else {
        return Vec::new();
    };
    let listed =
        std::process::Command::new("ps").args(["-o", "command=", "-p", &process.to_string()]).output();
    let is_postmaster = listed.is_ok_and(|listed| {
        let command = String::from_utf8_lossy(&listed.stdout).into_owned();
        command.contains("postgres") && command.contains(&*data.to_string_lossy())
    });
    if is_postmaster { vec![process] } else { Vec::new() }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    /// A shell in the data directory of a killed PostgreSQL is nobody to be stopped.
    #[test]
    fn who_merely_works_there_is_no_postgres() {
        let data = tempfile::tempdir().unwrap();
        let program = |name: &str| {
            let path = data.path().join(name);
            std::fs::copy("/bin/sleep", &path).unwrap();
            path
        };
        let spawn = |program: &Path, directory: &Path| {
            Command::new(program).arg("60").current_dir(directory).stdin(Stdio::null()).spawn().unwrap()
        };
        let elsewhere = tempfile::tempdir().unwrap();
        let mut all = [
            spawn(&program("postgres"), data.path()),
            spawn(&program("sleep"), data.path()),
            spawn(&program("other-postgres"), elsewhere.path()),
        ];
        let found = on(data.path());
        for process in &mut all {
            process.kill().unwrap();
        }
        assert_eq!(found, [all[0].id().cast_signed()]);
        // Killed, and waited for by nobody yet.
        let gone = std::time::Instant::now();
        while !on(data.path()).is_empty() {
            assert!(gone.elapsed().as_secs() < 60, "what has ended counts");
            std::thread::yield_now();
        }
        for process in &mut all {
            process.wait().unwrap();
        }
    }
}
