//! The private PostgreSQL: started, kept and stopped by the program itself.

use std::cell::RefCell;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, geteuid};
use sqlx::{Connection, Executor, PgConnection};
use tidings::postgres::{Options, PrivatePostgres, SearchPaths};
use tokio::time::timeout;

use crate::support::{
    Bystanders, Directory, PATIENCE, ServerProcess, data_of, eventually, eventually_some, program,
    program_at, send,
};

fn start(data_dir: &Path, search_paths: SearchPaths) -> (PrivatePostgres, Vec<String>) {
    let progress = RefCell::new(Vec::new());
    let options = Options { data_dir: data_dir.to_owned(), search_paths, connections: 20 };
    let postgres = PrivatePostgres::start_with(&options, |line| progress.borrow_mut().push(line.to_owned()));
    (postgres.unwrap_or_else(|error| panic!("{error}")), progress.into_inner())
}

fn postmaster(data_dir: &Path) -> Option<i32> {
    std::fs::read_to_string(data_of(data_dir).join("postmaster.pid")).ok()?.lines().next()?.parse().ok()
}

fn is_running(process: i32) -> bool {
    kill(Pid::from_raw(process), None).is_ok()
}

#[tokio::test]
async fn the_first_start_makes_a_cluster_and_the_next_is_fast() {
    let directory = Directory::new();
    let begun = Instant::now();
    let (postgres, progress) = start(directory.path(), SearchPaths::new(None));
    let first = begun.elapsed();
    assert_eq!(progress.first().map(String::as_str), Some("Setting up a private PostgreSQL …"));
    let mut connection = PgConnection::connect(postgres.url()).await.unwrap();
    connection.execute("CREATE TABLE kept AS SELECT 1").await.unwrap();
    let data = data_of(directory.path()).metadata().unwrap();
    assert_eq!(data.mode() & 0o777, 0o700);
    assert_ne!(data.uid(), 0, "PostgreSQL runs as root");
    postgres.stop();
    assert_eq!(postmaster(directory.path()), None, "it was not stopped in order");

    let begun = Instant::now();
    let (postgres, progress) = start(directory.path(), SearchPaths::new(None));
    let second = begun.elapsed();
    assert!(second < first, "{second:?} after {first:?}");
    assert!(!progress.iter().any(|line| line.starts_with("Setting up")), "{progress:?}");
    let mut connection = PgConnection::connect(postgres.url()).await.unwrap();
    assert_eq!(connection.execute("SELECT * FROM kept").await.unwrap().rows_affected(), 1);
}

#[tokio::test]
async fn f07_postgres_that_dies_is_started_again() {
    let directory = Directory::new();
    let (postgres, _) = start(directory.path(), SearchPaths::new(None));
    let mut connection = PgConnection::connect(postgres.url()).await.unwrap();
    connection.execute("CREATE TABLE kept AS SELECT 1").await.unwrap();
    for _ in 0..2 {
        let killed = postmaster(directory.path()).unwrap();
        send(killed, Signal::SIGKILL);
        eventually("PostgreSQL is back", async || {
            let Ok(mut connection) = PgConnection::connect(postgres.url()).await else { return false };
            connection.execute("SELECT * FROM kept").await.is_ok_and(|done| done.rows_affected() == 1)
        })
        .await;
        assert_ne!(postmaster(directory.path()), Some(killed));
    }
}

#[tokio::test]
async fn f26_a_copy_that_is_recovered_is_ready_once_it_can_be_written_to() {
    let directory = Directory::new();
    let (postgres, _) = start(directory.path(), SearchPaths::new(None));
    postgres.stop();
    let data = data_of(directory.path());
    let copied = Command::new("cp").arg("-a").arg(&data).arg(directory.path().join("copy")).status().unwrap();
    assert!(copied.success());
    std::fs::remove_dir_all(&data).unwrap();
    std::fs::rename(directory.path().join("copy"), &data).unwrap();
    let mut settings = OpenOptions::new().append(true).open(data.join("postgresql.auto.conf")).unwrap();
    writeln!(settings, "restore_command = 'false'").unwrap();
    std::fs::write(data.join("recovery.signal"), "").unwrap();

    let (postgres, _) = start(directory.path(), SearchPaths::new(None));
    let mut connection = PgConnection::connect(postgres.url()).await.unwrap();
    connection.execute("CREATE TABLE written AS SELECT 1").await.unwrap();
    let timeline = sqlx::query_scalar::<_, i32>("SELECT timeline_id FROM pg_control_checkpoint()");
    assert_eq!(timeline.fetch_one(&mut connection).await.unwrap(), 2);
}

#[tokio::test]
async fn a_killed_server_takes_its_postgres_along_and_comes_back() {
    let mut server = ServerProcess::start(&[]).await;
    let ada = server.person("Ada").await;
    let first = server.postgres().await;
    server.end(Signal::SIGKILL).await;
    eventually("PostgreSQL stops by itself", async || !is_running(first)).await;
    server.start_again().await;
    assert_ne!(server.postgres().await, first);
    let session: tidings::protocol::Session = ada.get("/api/session").await.unwrap();
    assert_eq!(session.user, ada.user);
    let ended = server.end(Signal::SIGTERM).await;
    assert!(ended.success(), "{ended}: {}", server.log());
    assert_eq!(postmaster(server.data_dir()), None);
}

#[tokio::test]
async fn a_postgres_left_behind_is_stopped_before_the_next() {
    let directory = Directory::new();
    let (postgres, _) = start(directory.path(), SearchPaths::new(None));
    let programs = postgres.programs().to_owned();
    postgres.stop();
    // As where no kernel stops it with its server.
    let data = data_of(directory.path());
    let owner = data.metadata().unwrap();
    let mut orphan = tokio::process::Command::new(programs.join("postgres"))
        .arg("-D")
        .arg(&data)
        .args(["-c", "listen_addresses=", "-k"])
        .arg(&data)
        .uid(owner.uid())
        .gid(owner.gid())
        .current_dir(directory.path())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let ready =
        || std::fs::read_to_string(data.join("postmaster.pid")).is_ok_and(|file| file.contains("ready"));
    eventually("it runs", async || ready()).await;
    let reaped = tokio::spawn(async move { orphan.wait().await.unwrap() });
    let begin = move || drop(start(directory.path(), SearchPaths::new(None)));
    tokio::task::spawn_blocking(begin).await.unwrap();
    assert!(reaped.await.unwrap().success(), "it was not stopped in order");
}

#[tokio::test]
async fn f27_a_second_server_on_the_same_data_is_refused_in_one_sentence() {
    let server = ServerProcess::start(&[]).await;
    let bystanders = Bystanders::at(&server.url, &server.database_url()).await;
    let mut second = program(server.data_dir(), &[]);
    second.env("TIDINGS_LISTEN", "127.0.0.1:0").env("TIDINGS_METRICS_LISTEN", "");
    let output = timeout(PATIENCE, second.output()).await.unwrap().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.starts_with("tidings: Another Tidings server is using /"), "{said}");
    bystanders.unharmed().await;
}

/// Where this is root, the tests above have shown that it may be.
#[tokio::test]
async fn an_unprivileged_user_may_run_it() {
    let directory = Directory::new();
    let (binary, data_dir) = (directory.path().join("tidings"), directory.path().join("data"));
    // The target directory may be closed to others.
    std::fs::copy(env!("CARGO_BIN_EXE_tidings"), &binary).unwrap();
    std::fs::create_dir(&data_dir).unwrap();
    let nobody = User::from_name("nobody").unwrap().unwrap();
    let mut command = program_at(&binary, &data_dir, &[]);
    let user = if geteuid().is_root() {
        chown(&data_dir, Some(nobody.uid.as_raw()), Some(nobody.gid.as_raw())).unwrap();
        command.uid(nobody.uid.as_raw()).gid(nobody.gid.as_raw());
        nobody.uid
    } else {
        geteuid()
    };
    let mut server = command.env("TIDINGS_LISTEN", "127.0.0.1:0").stdout(Stdio::null()).spawn().unwrap();
    let process = eventually_some("it starts PostgreSQL", async || postmaster(&data_dir)).await;
    let owner = std::fs::metadata(format!("/proc/{process}")).unwrap().uid();
    assert_eq!(owner, user.as_raw());
    send(server.id().unwrap().cast_signed(), Signal::SIGTERM);
    timeout(PATIENCE, server.wait()).await.unwrap().unwrap();
}

/// A machine without PostgreSQL.
fn only_npm(npm: PathBuf) -> SearchPaths {
    SearchPaths { setting: None, path: None, system: npm.join("nowhere"), npm }
}

#[tokio::test]
async fn without_postgres_on_the_machine_npms_is_used() {
    let npm = SearchPaths::new(None).npm;
    assert!(npm.exists(), "{} is missing: run npm ci in client/", npm.display());
    let directory = Directory::new();
    let (postgres, _) = start(directory.path(), only_npm(npm.clone()));
    assert!(postgres.programs().starts_with(&npm));
    PgConnection::connect(postgres.url()).await.unwrap();
    postgres.stop();
    // Where PostgreSQL's user may not go, root makes a copy, which is enough later.
    if geteuid().is_root() {
        let (directory, closed) = (Directory::new(), Directory::new());
        std::fs::set_permissions(closed.path(), PermissionsExt::from_mode(0o700)).unwrap();
        let platform = npm.read_dir().unwrap().next().unwrap().unwrap();
        symlink(platform.path(), closed.path().join(platform.file_name())).unwrap();
        let (postgres, progress) = start(directory.path(), only_npm(closed.path().to_owned()));
        assert!(progress.iter().any(|line| line.starts_with("Copying")), "{progress:?}");
        postgres.stop();
        drop(closed);
        let (postgres, _) = start(directory.path(), only_npm("/nowhere".into()));
        let home = directory.path().canonicalize().unwrap();
        assert!(postgres.programs().starts_with(home), "{}", postgres.programs().display());
    }
}

#[test]
fn without_any_postgres_one_sentence_says_what_to_install() {
    let directory = Directory::new();
    let options = Options {
        data_dir: directory.path().to_owned(),
        search_paths: only_npm("/nowhere".into()),
        connections: 20,
    };
    let error = PrivatePostgres::start_with(&options, |_| {}).err().unwrap().to_string();
    assert!(error.contains("apt install postgresql") && error.contains("TIDINGS_POSTGRES_BIN"), "{error}");
    assert_eq!(error.lines().count(), 1);
}

#[tokio::test]
async fn where_paths_are_long_the_socket_is_in_the_temporary_directory() {
    let directory = Directory::new();
    let (postgres, _) = start(&directory.path().join("x".repeat(110)), SearchPaths::new(None));
    PgConnection::connect(postgres.url()).await.unwrap();
    let host = postgres.url().rsplit_once("%2F").unwrap().1;
    let socket = std::env::temp_dir().join(host.trim_end_matches("/postgres"));
    assert_eq!(socket.metadata().unwrap().mode() & 0o777, 0o700);
    postgres.stop();
    assert!(!socket.exists());
}

/// Only root has another user run PostgreSQL.
#[test]
fn a_directory_closed_to_postgres_is_named_in_one_sentence() {
    if geteuid().is_root() {
        let closed = Directory::new();
        std::fs::set_permissions(closed.path(), PermissionsExt::from_mode(0o700)).unwrap();
        let data_dir = closed.path().join("data");
        let options = Options { data_dir, search_paths: SearchPaths::new(None), connections: 20 };
        let error = PrivatePostgres::start_with(&options, |_| {}).err().unwrap().to_string();
        let named = closed.path().canonicalize().unwrap();
        assert!(error.contains(&format!("may not enter {}:", named.display())), "{error}");
    }
}

#[tokio::test]
async fn a_killed_run_of_these_tests_leaves_nothing_behind() {
    let temporary = Directory::new();
    let mut run = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "chat::a_message_is_stored_and_arrives"])
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let entries = |directory: &Path| -> Vec<PathBuf> {
        directory.read_dir().into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect()
    };
    let process = eventually_some("its PostgreSQL runs", async || {
        entries(temporary.path()).iter().flat_map(|run| entries(run)).find_map(|cluster| postmaster(&cluster))
    })
    .await;
    run.kill().await.unwrap();
    eventually("PostgreSQL stops", async || !is_running(process)).await;
    eventually("its directory is removed", async || entries(temporary.path()).is_empty()).await;
}
