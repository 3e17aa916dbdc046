//! Everything that a run of the tests leaves on the disk is in one directory,
//! which goes with the run, however that ends.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Waits for the end of the tests (of its standard input), kills the servers
/// they left, waits for PostgreSQL to stop, and removes the directory.
const JANITOR: &str = r#"
cat >/dev/null
for server in "$0"/*/server.pid; do [ -e "$server" ] && kill -9 "$(cat "$server")"; done
patience=200
while [ $patience -gt 0 ] && ls "$0"/*/postgres/data/postmaster.pid; do patience=$((patience - 1)); sleep 0.1; done
rm -rf "$0"
"#;

static RUN: LazyLock<Run> = LazyLock::new(Run::start);

struct Run {
    root: PathBuf,
    /// Its standard input is closed when this process ends, killed or not.
    _janitor: Child,
}

impl Run {
    fn start() -> Self {
        allow_descriptors();
        let root = tempfile::Builder::new().prefix("tidings-it-").tempdir().expect("a directory").keep();
        enterable(&root);
        let janitor = Command::new("sh")
            .args(["-c", JANITOR])
            .arg(&root)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C is for the tests alone.
            .process_group(0)
            .spawn()
            .expect("a shell");
        Self { root, _janitor: janitor }
    }
}

/// Where programs that run tests of their own make a directory for each server,
/// with its process id in `server.pid`.
pub fn data_root() -> &'static Path {
    &RUN.root
}

/// A directory of one test, removed with it.
pub struct Directory(tempfile::TempDir);

impl Directory {
    pub fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("t").tempdir_in(&RUN.root).expect("a directory");
        enterable(directory.path());
        Self(directory)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Thousands of sockets here and in the servers, which inherit it; what a
/// session may open by default is often no more than 1,024 files.
fn allow_descriptors() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("Linux has it");
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).expect("up to the hard limit anybody may");
}

/// As root, PostgreSQL runs as another user.
fn enterable(directory: &Path) {
    std::fs::set_permissions(directory, PermissionsExt::from_mode(0o711)).expect("it is ours");
}
