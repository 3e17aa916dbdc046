//! A client that was written from docs/protocol.md alone holds a server to the page.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::support::{Directory, ServerProcess};

/// Starts a server with the default settings, as the page gives them.
#[tokio::test]
async fn a_stranger_finds_everything_as_the_page_says() {
    let settings = [("TIDINGS_FAULTS", "on"), ("TIDINGS_LOGINS_PER_MINUTE", "10000000")];
    let server = ServerProcess::with(&settings).await;
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Directory::new();
    for file in project.join("tests/stranger").read_dir().unwrap().map(|file| file.unwrap()) {
        std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    symlink(project.join("client/node_modules"), folder.path().join("node_modules")).unwrap();
    let mut checks = Command::new("node");
    let checks = checks.arg(folder.path().join("conformance.mjs")).arg(&server.url).output().unwrap();
    eprintln!("{}{}", String::from_utf8_lossy(&checks.stdout), String::from_utf8_lossy(&checks.stderr));
    assert!(checks.status.success());
}
