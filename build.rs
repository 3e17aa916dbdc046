//! Builds the browser client into `OUT_DIR`, from where it is embedded.

use std::env;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// What the client is built from, below `client/`.
const SOURCES: [&str; 8] = [
    "src",
    "public",
    "scripts",
    "index.html",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "vite.config.ts",
];

/// How much of a failed command's output is shown.
const REASON_MAX_CHARS: usize = 2_000;

/// The oldest Node.js that the client's tools run on (`engines` in package.json).
const NODE_MIN: (u32, u32) = (20, 19);

fn main() -> ExitCode {
    // A migration that is added changes what `sqlx::migrate!` embeds.
    println!("cargo::rerun-if-changed=migrations");
    for source in SOURCES {
        println!("cargo::rerun-if-changed=client/{source}");
    }
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={}", error.replace('\n', " ⏎ "));
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let client = Path::new("client");
    let output = PathBuf::from(env::var("OUT_DIR").map_err(|_| "OUT_DIR is not set")?).join("client");
    check_node()?;
    install_packages(client)?;
    let output = output.to_str().ok_or("the target directory is not named in UTF-8")?;
    // From the packages that were just installed, never from the network.
    run(client, "node", &["node_modules/vite/bin/vite.js", "build", "--outDir", output, "--emptyOutDir"])?;
    run(client, "node", &["scripts/compress.mjs", output])
}

fn check_node() -> Result<(), String> {
    let (major, minor) = NODE_MIN;
    let wanted = format!(
        "Node.js {major}.{minor} or newer with npm is needed to build the client (https://nodejs.org)"
    );
    let output = Command::new("node")
        .arg("--version")
        .output()
        .map_err(|_| format!("{wanted}: `node` is not found"))?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let mut numbers = version.trim_start_matches('v').split('.').map_while(|part| part.parse().ok());
    if numbers.next().zip(numbers.next()) < Some(NODE_MIN) {
        return Err(format!("{wanted}: `node --version` says {version:?}"));
    }
    Ok(())
}

/// Runs `npm ci` when what is installed is not what the lock file says.
fn install_packages(client: &Path) -> Result<(), String> {
    let lock_path = client.join("package-lock.json");
    // Two builds with different target directories share the packages.
    let lock = File::open(&lock_path).map_err(|error| format!("{}: {error}", lock_path.display()))?;
    lock.lock().map_err(|error| format!("{} cannot be locked: {error}", lock_path.display()))?;
    let modified = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    // npm writes this file last.
    let installed = modified(&client.join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= modified(&lock_path) {
        return Ok(());
    }
    run(client, "npm", &["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
}

fn run(directory: &Path, program: &str, arguments: &[&str]) -> Result<(), String> {
    let what = format!("`{program} {}` in client/", arguments.join(" "));
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .output()
        .map_err(|error| format!("{what} does not start: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    let reason: String = String::from_utf8_lossy(&text).trim().chars().take(REASON_MAX_CHARS).collect();
    Err(format!("{what} failed: {reason}"))
}
