//! The first start, cut short: whatever is left of it, the next one serves.

use std::path::Path;

use nix::sys::signal::Signal;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;
use tokio::time::timeout;

use crate::support::{Directory, PATIENCE, data_of, eventually, program, send};

fn begin(data_dir: &Path) -> Child {
    program(data_dir, &[]).env("TIDINGS_LISTEN", "127.0.0.1:0").spawn().unwrap()
}

async fn end(server: &mut Child, signal: Signal) -> bool {
    send(server.id().expect("it runs").cast_signed(), signal);
    timeout(PATIENCE, server.wait()).await.unwrap().unwrap().success()
}

/// Until a file of the cluster is there, finished or not.
async fn has_made(data_dir: &Path, file: &str) {
    let home = data_dir.join("postgres");
    eventually(file, async || {
        home.read_dir().is_ok_and(|mut made| made.any(|entry| entry.unwrap().path().join(file).exists()))
    })
    .await;
}

async fn serves(mut server: Child) {
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let Ok(Ok(Some(_))) = timeout(PATIENCE, lines.next_line()).await else {
        server.start_kill().unwrap();
        let output = server.wait_with_output().await.unwrap();
        panic!("it did not start: {}", String::from_utf8_lossy(&output.stderr));
    };
    assert!(end(&mut server, Signal::SIGTERM).await);
}

fn unfinished(data_dir: &Path) -> Vec<String> {
    let names = data_dir.join("postgres").read_dir().unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("new")).collect()
}

/// Processes that were told this directory.
fn processes_on(data_dir: &Path) -> Vec<String> {
    let told = data_dir.to_str().unwrap();
    let processes = Path::new("/proc").read_dir().unwrap().map(|entry| entry.unwrap().path());
    let commands = processes.filter_map(|process| std::fs::read_to_string(process.join("cmdline")).ok());
    commands.filter(|command| command.contains(told)).collect()
}

#[tokio::test]
async fn a_first_start_that_is_killed_does_not_disturb_the_next() {
    for file in ["", "base/1", "global/pg_control", "postmaster.pid"] {
        let directory = Directory::new();
        let data_dir = directory.path();
        let mut first = begin(data_dir);
        has_made(data_dir, file).await;
        end(&mut first, Signal::SIGKILL).await;
        serves(begin(data_dir)).await;
        eventually("its initdb ends", async || processes_on(data_dir).is_empty()).await;
        serves(begin(data_dir)).await;
        assert_eq!(unfinished(data_dir), [""; 0], "after {file:?}");
    }
}

#[tokio::test]
async fn a_signal_during_the_first_start_ends_it_in_order() {
    for (file, signal) in [
        ("postgresql.conf", Signal::SIGINT),
        ("base/1", Signal::SIGTERM),
        ("global/pg_control", Signal::SIGINT),
        ("postmaster.pid", Signal::SIGTERM),
    ] {
        let directory = Directory::new();
        let data_dir = directory.path();
        let mut server = begin(data_dir);
        has_made(data_dir, file).await;
        assert!(end(&mut server, signal).await, "{signal} at {file}");
        assert_eq!(processes_on(data_dir), [""; 0], "{signal} at {file}");
        assert_eq!(unfinished(data_dir), [""; 0], "{signal} at {file}");
        assert!(!data_of(data_dir).join("postmaster.pid").exists(), "{signal} at {file}");
        serves(begin(data_dir)).await;
    }
}
