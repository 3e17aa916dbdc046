//! What cannot be logged is no reason to end, nor to wait.

use std::fs::OpenOptions;
use std::path::Path;
use std::process::Stdio;

use nix::sys::signal::Signal;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::support::{Directory, PATIENCE, Person, TestDatabase, eventually_some, program, send};

fn full_disk() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").unwrap().into()
}

fn serving(directory: &Path, database: &TestDatabase) -> Command {
    let mut command = program(directory, &[("DATABASE_URL".into(), database.url().into())]);
    command.env("TIDINGS_LISTEN", "127.0.0.1:0").env("TIDINGS_METRICS_LISTEN", "");
    command.env("TIDINGS_LOGINS_PER_MINUTE", "100000");
    command
}

async fn first_line(source: impl tokio::io::AsyncRead + Unpin, with: &str) -> String {
    let mut lines = BufReader::new(source).lines();
    eventually_some(with, async || {
        let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().expect("it goes on");
        line.split_once(with).map(|(_, rest)| rest.to_owned())
    })
    .await
}

/// It answers, and ends when it is told to.
async fn goes_on(mut server: Child, url: &str, people: &[String]) {
    for name in people {
        Person::log_in(url, name).await;
    }
    assert_eq!(server.try_wait().unwrap(), None, "it has ended");
    send(server.id().unwrap().cast_signed(), Signal::SIGTERM);
    let status = timeout(PATIENCE, server.wait()).await.unwrap().unwrap();
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn a_log_that_takes_nothing_neither_ends_nor_delays_the_server() {
    let (database, directory) = (TestDatabase::create().await, Directory::new());
    let (reader, gone) = std::io::pipe().unwrap();
    drop(reader);
    // Never read, and full soon.
    let (_unread, stalled) = std::io::pipe().unwrap();
    for (what, stderr, people) in
        [("Full", full_disk(), 2), ("Gone", Stdio::from(gone), 2), ("Stalled", Stdio::from(stalled), 30)]
    {
        let people: Vec<String> = (0..people).map(|nth| format!("{what} {nth}")).collect();
        let mut command = serving(directory.path(), &database);
        let mut server = command.env("RUST_LOG", "trace").stderr(stderr).spawn().unwrap();
        let url = format!("http{}", first_line(server.stdout.take().unwrap(), "listening on http").await);
        goes_on(server, &url, &people).await;
    }
}

#[tokio::test]
async fn where_nothing_can_be_printed_the_server_serves_all_the_same() {
    let (database, directory) = (TestDatabase::create().await, Directory::new());
    let mut server = serving(directory.path(), &database).stdout(full_disk()).spawn().unwrap();
    let address = first_line(server.stderr.take().unwrap(), "address=").await;
    goes_on(server, &format!("http://{}", address.trim()), &["Ada".to_owned()]).await;
    let mut help = program(directory.path(), &[]);
    let help = help.arg("--help").stdout(full_disk()).spawn().unwrap().wait_with_output().await.unwrap();
    assert_eq!((help.status.code(), help.stderr.len()), (Some(1), 0), "it has panicked");
    let mut wrong = program(directory.path(), &[]);
    let wrong = wrong.arg("--wrong").stderr(full_disk()).spawn().unwrap().wait().await.unwrap();
    assert_eq!(wrong.code(), Some(2));
}
