//! The browser that the client is tested in: the one installed, else the one
//! Playwright brings, else, as root, Debian's.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Names under which systems install it.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Prints where Playwright keeps the one it has downloaded.
const PLAYWRIGHTS_OWN: &str = "process.stdout.write(require('playwright-core').chromium.executablePath())";

/// A Chromium that runs on this machine. The error says what to install.
pub fn find_or_install(client: &Path) -> Result<PathBuf, String> {
    installed()
        .or_else(|| playwrights(client))
        .or_else(|| {
            let mut install = Command::new("node");
            install.args(["node_modules/playwright/cli.js", "install", "chromium"]).current_dir(client);
            succeeds(&mut install).then(|| playwrights(client)).flatten()
        })
        .or_else(|| {
            let mut update = Command::new("apt-get");
            let mut install = Command::new("apt-get");
            install.args(["install", "-y", "--no-install-recommends", "chromium"]);
            install.env("DEBIAN_FRONTEND", "noninteractive");
            let root = nix::unistd::geteuid().is_root();
            (root && succeeds(update.arg("update")) && succeeds(&mut install)).then(installed).flatten()
        })
        .ok_or_else(|| {
            "Chromium is needed to test the client, and could not be fetched: install `chromium` \
             (Debian: `apt-get install chromium`) so that it is in PATH"
                .to_owned()
        })
}

fn installed() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let places = std::env::split_paths(&path);
    let candidates = places.flat_map(|place| NAMES.map(|name| place.join(name)));
    candidates.into_iter().find(|candidate| runs(candidate))
}

fn playwrights(client: &Path) -> Option<PathBuf> {
    let output = Command::new("node").args(["-e", PLAYWRIGHTS_OWN]).current_dir(client).output().ok()?;
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?);
    runs(&path).then_some(path)
}

/// Whether it is there, with all libraries it needs.
fn runs(program: &Path) -> bool {
    program.is_file() && succeeds(Command::new(program).arg("--version"))
}

/// What it has to say is for nobody: the next way is tried, or one sentence
/// says what to do.
fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}
