//! A server that has run out of file descriptors.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;

use crate::support::{Bystanders, Directory, PATIENCE, TestDatabase, eventually};

const DESCRIPTORS: usize = 64;

/// Asks on a connection whether the server lives.
async fn is_healthy(stream: &mut TcpStream) -> bool {
    let asked = async {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"ok\n") && stream.read_buf(&mut answer).await? > 0 {}
        Ok::<_, std::io::Error>(answer.starts_with(b"HTTP/1.1 200"))
    };
    matches!(timeout(PATIENCE, asked).await, Ok(Ok(true)))
}

#[tokio::test]
async fn f28_out_of_descriptors_accepting_pauses_and_open_connections_live() {
    let (database, directory) = (TestDatabase::create().await, Directory::new());
    let mut server = Command::new("sh")
        .args(["-c", &format!("ulimit -n {DESCRIPTORS}; exec \"$0\""), env!("CARGO_BIN_EXE_tidings")])
        .env_clear()
        .current_dir(directory.path())
        .envs([("DATABASE_URL", database.url()), ("TIDINGS_LISTEN", "127.0.0.1:0")])
        // Idle connections stay for the whole test.
        .env("TIDINGS_HEADER_TIMEOUT_MS", "60000")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut announced = BufReader::new(server.stdout.take().unwrap()).lines();
    let line = timeout(PATIENCE, announced.next_line()).await.unwrap().unwrap().unwrap();
    let address = line.rsplit_once('/').unwrap().1.to_owned();

    let bystanders = Bystanders::at(&format!("http://{address}"), database.url()).await;
    let mut first = TcpStream::connect(&address).await.unwrap();
    assert!(is_healthy(&mut first).await);
    let mut idle = Vec::new();
    for _ in 0..2 * DESCRIPTORS {
        idle.push(TcpStream::connect(&address).await.unwrap());
    }
    let mut log = BufReader::new(server.stderr.take().unwrap()).lines();
    let mut starved = 0;
    while starved == 0 {
        let line = timeout(PATIENCE, log.next_line()).await.unwrap().unwrap().unwrap();
        starved += usize::from(line.contains("cannot accept connections"));
    }
    assert!(is_healthy(&mut first).await);

    drop(idle);
    eventually("new connections are accepted", async || {
        is_healthy(&mut TcpStream::connect(&address).await.unwrap()).await
    })
    .await;
    bystanders.unharmed().await;
    server.kill().await.unwrap();
    while let Some(line) = log.next_line().await.unwrap() {
        starved += usize::from(line.contains("cannot accept connections"));
    }
    assert_eq!(starved, 1, "one line a minute, however often");
}
