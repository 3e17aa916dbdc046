//! A server that is short of file descriptors, or has none left.

use std::net::IpAddr;
use std::path::Path;
use std::process::Stdio;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::support::{
    Bystanders, Directory, PATIENCE, TestDatabase, data_of, eventually, eventually_some, programs,
};

const DESCRIPTORS: usize = 64;

/// The program under a limit that `ulimit` takes.
fn under(limit: &str, directory: &Path, settings: &[(&str, &str)]) -> Child {
    Command::new("sh")
        .args(["-c", &format!("ulimit {limit}; exec \"$0\""), env!("CARGO_BIN_EXE_tidings")])
        .env_clear()
        .current_dir(directory)
        .envs(settings.iter().copied())
        .env("TIDINGS_LISTEN", "127.0.0.1:0")
        .env("TIDINGS_METRICS_LISTEN", "")
        // Idle connections stay for the whole test.
        .env("TIDINGS_HEADER_TIMEOUT_MS", "60000")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Where it listens, once it says so.
async fn address(server: &mut Child) -> String {
    let mut announced = BufReader::new(server.stdout.take().unwrap()).lines();
    let line = timeout(PATIENCE, announced.next_line()).await.unwrap().unwrap().unwrap();
    line.rsplit_once('/').unwrap().1.to_owned()
}

/// The soft and the hard limit of open files.
fn limits(process: impl std::fmt::Display) -> (u64, u64) {
    let limits = std::fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let mut numbers = line.split_whitespace().map_while(|number| number.parse().ok());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

/// Asks on a connection whether the server lives.
async fn is_healthy(stream: &mut TcpStream) -> bool {
    let asked = async {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"ok\n") && stream.read_buf(&mut answer).await? > 0 {}
        Ok::<_, std::io::Error>(answer.starts_with(b"HTTP/1.1 200"))
    };
    matches!(timeout(PATIENCE, asked).await, Ok(Ok(true)))
}

#[tokio::test]
async fn f28_out_of_descriptors_accepting_pauses_and_open_connections_live() {
    let (database, directory) = (TestDatabase::create().await, Directory::new());
    let mut server = under("-S -n 1024", directory.path(), &[("DATABASE_URL", database.url())]);
    let address = address(&mut server).await;
    // Fewer than it was sure to have when it started.
    let process = server.id().unwrap().to_string();
    let limit = format!("--nofile={DESCRIPTORS}:{DESCRIPTORS}");
    assert!(Command::new("prlimit").args(["--pid", &process, &limit]).status().await.unwrap().success());

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
        let line = timeout(PATIENCE, log.next_line()).await.expect("it says so").unwrap().unwrap();
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

#[tokio::test]
async fn c12_the_soft_limit_is_raised_for_the_server_alone() {
    let directory = Directory::new();
    std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    let (data_dir, programs) = (directory.path().to_str().unwrap(), programs());
    let settings = [("TIDINGS_DATA_DIR", data_dir), ("TIDINGS_POSTGRES_BIN", programs.to_str().unwrap())];
    let mut server = under("-S -n 256", directory.path(), &settings);
    address(&mut server).await;
    let (soft, hard) = limits(server.id().unwrap());
    assert!(soft == hard && hard > 256, "{soft} of {hard}");
    let file = data_of(directory.path()).join("postmaster.pid");
    let postgres = std::fs::read_to_string(file).unwrap().lines().next().unwrap().to_owned();
    assert_eq!(limits(postgres), (1024.min(hard), hard));
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(server.id().unwrap().cast_signed()),
        nix::sys::signal::Signal::SIGTERM,
    )
    .unwrap();
    assert!(timeout(PATIENCE, server.wait()).await.unwrap().unwrap().success());
}

/// One address sends half a request on as many connections as it gets.
#[tokio::test]
async fn c12_half_sent_requests_take_neither_postgres_nor_the_places_of_others() {
    let (database, directory) = (TestDatabase::create().await, Directory::new());
    let mut server = under("-n 128", directory.path(), &[("DATABASE_URL", database.url())]);
    let address = address(&mut server).await;
    let mut log = BufReader::new(server.stderr.take().unwrap()).lines();
    eventually_some("it says that they are few", async || {
        let line = timeout(PATIENCE, log.next_line()).await.unwrap().unwrap().unwrap();
        line.contains("file descriptors are not enough for TIDINGS_CONNECTIONS=20000").then_some(())
    })
    .await;
    let url = format!("http://{address}");
    let bystanders = Bystanders::at(&url, database.url()).await;
    let mut half_sent = Vec::new();
    for _ in 0..300 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.9:0".parse().unwrap()).unwrap();
        let mut stream = socket.connect(address.parse().unwrap()).await.unwrap();
        // Those beyond the bound are turned away, and may have been already.
        drop(stream.write_all(b"GET / HTTP/1.1\r\nHost:").await);
        half_sent.push(stream);
    }
    for (nth, elsewhere) in (2..).zip(["127.0.0.2", "127.0.0.3", "127.0.0.4"]) {
        let elsewhere: IpAddr = elsewhere.parse().unwrap();
        let http = reqwest::Client::builder().no_proxy().local_address(elsewhere).build().unwrap();
        let asked = http
            .post(format!("{url}/api/session"))
            .json(&json!({ "name": format!("Person {nth}"), "bearer": true }));
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{elsewhere}: {}", answer.text().await.unwrap());
    }
    bystanders.unharmed().await;
    drop(half_sent);
    server.kill().await.unwrap();
    while let Some(line) = log.next_line().await.unwrap() {
        assert!(
            !line.contains("cannot accept connections") && !line.contains("Too many open files"),
            "{line}"
        );
    }
}
