//! The tests of the browser client, run by its own tools: vitest for its
//! units, Playwright with people in a real Chromium for the whole.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::chromium;
use crate::support::{data_root, programs};

/// `build.rs` has installed its packages.
const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/client");

#[test]
fn the_units_of_the_client_pass() {
    let output = run(node("vitest/vitest.mjs").args(["run", "--reporter=default"]));
    show("vitest", output.lines().filter(|line| line.trim_start().starts_with("Test")));
}

#[test]
fn people_talk_in_real_browsers() {
    let chromium = chromium::find_or_install(Path::new(CLIENT)).unwrap_or_else(|missing| panic!("{missing}"));
    let mut playwright = node("@playwright/test/cli.js");
    playwright
        .arg("test")
        .env("TIDINGS_CHROMIUM", chromium)
        .env("TIDINGS_PROGRAM", env!("CARGO_BIN_EXE_tidings"))
        .env("TIDINGS_POSTGRES_BIN", programs())
        .env("TIDINGS_TEST_ROOT", data_root());
    let output = run(&mut playwright);
    show("playwright", output.lines().rev().take_while(|line| !line.is_empty()));
}

/// A program of the client's packages.
fn node(script: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(format!("node_modules/{script}")).current_dir(CLIENT).stdin(Stdio::null());
    // What they print is read here, and shown by whoever reads the tests.
    command.env("NO_COLOR", "1").env_remove("FORCE_COLOR").env_remove("PICTURES");
    command
}

/// What it printed; all of that is shown when it fails.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("node does not start: {error}"));
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{text}");
    text
}

/// Says how many tests there were, also when this one passes: past the capture
/// of the test harness.
fn show<'a>(tool: &str, counts: impl Iterator<Item = &'a str>) {
    let counts: Vec<&str> = counts.map(str::trim).collect();
    assert!(!counts.is_empty(), "{tool} counted nothing");
    writeln!(std::io::stderr(), "{tool}: {}", counts.join(", ")).expect("standard error is open");
}
