//! What a crash leaves behind is told from what lives.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use sqlx::{Connection, Executor, PgConnection};

use super::{as_owner, bare_postgres, start};
use crate::support::{Directory, ServerProcess, data_of, eventually, eventually_some, send};

/// No start that has something to wait for is as slow as one that waits for nothing.
const QUICK: Duration = Duration::from_secs(10);

/// The lock files of a PostgreSQL that had this number.
fn leave_locks(data_dir: &Path, process: u32) {
    let (data, sockets) = (data_of(data_dir), data_dir.join("postgres/run"));
    let text = format!(
        "{process}\n{}\n1700000000\n5432\n{}\n\n  5432001     99999\nready   \n",
        data.display(),
        sockets.display()
    );
    for lock in [data.join("postmaster.pid"), sockets.join(".s.PGSQL.5432.lock")] {
        std::fs::create_dir_all(lock.parent().unwrap()).unwrap();
        std::fs::write(&lock, &text).unwrap();
        let owned = Command::new("chown")
            .arg(format!("--reference={}", data.display()))
            .arg(lock.parent().unwrap())
            .arg(&lock)
            .status();
        assert!(owned.unwrap().success());
    }
}

#[tokio::test]
async fn a_number_that_is_somebody_elses_now_keeps_nobody_from_starting() {
    let directory = Directory::new();
    start(directory.path()).stop();
    let mut stranger = as_owner(Path::new("/bin/sleep"), directory.path()).arg("600").spawn().unwrap();
    // Numbers of threads are taken from the same range.
    let (tell, told) = std::sync::mpsc::channel();
    let (release, held) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        tell.send(nix::unistd::gettid().as_raw().cast_unsigned()).unwrap();
        let _ = held.recv();
    });
    for process in [stranger.id(), told.recv().unwrap(), std::process::id()] {
        leave_locks(directory.path(), process);
        let postgres = start(directory.path());
        PgConnection::connect(postgres.url()).await.unwrap();
        postgres.stop();
    }
    assert_eq!(stranger.try_wait().unwrap(), None, "a stranger was ended");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    drop(release);
    thread.join().unwrap();
}

/// Its parent has not noticed yet that it has ended, and never may.
#[tokio::test]
async fn a_postgres_that_was_killed_and_not_reaped_keeps_nobody_from_starting() {
    let directory = Directory::new();
    let postgres = start(directory.path());
    let programs = postgres.programs().to_owned();
    postgres.stop();
    let sockets = directory.path().join("postgres/run");
    let settings = ["listen_addresses=", &format!("unix_socket_directories={}", sockets.display())];
    std::fs::create_dir_all(&sockets).unwrap();
    let owned = Command::new("chown")
        .arg(format!("--reference={}", data_of(directory.path()).display()))
        .arg(&sockets)
        .status();
    assert!(owned.unwrap().success());
    let mut killed = bare_postgres(&programs, directory.path(), &settings).spawn().unwrap();
    let file = data_of(directory.path()).join("postmaster.pid");
    eventually("it runs", async || std::fs::read_to_string(&file).is_ok_and(|file| file.contains("ready")))
        .await;
    send(killed.id().cast_signed(), Signal::SIGKILL);
    let begun = Instant::now();
    let postgres = start(directory.path());
    assert!(begun.elapsed() < QUICK, "{:?}", begun.elapsed());
    PgConnection::connect(postgres.url()).await.unwrap();
    killed.wait().unwrap();
}

#[tokio::test]
async fn a_server_killed_with_its_postgres_is_back_at_once() {
    let mut server = ServerProcess::start(&[]).await;
    let ada = server.person("Ada").await;
    for _ in 0..3 {
        send(server.postgres().await, Signal::SIGKILL);
        server.end(Signal::SIGKILL).await;
        let begun = Instant::now();
        server.start_again().await;
        assert!(begun.elapsed() < QUICK, "{:?}", begun.elapsed());
    }
    let _: tidings::protocol::Session = ada.get("/api/session").await.unwrap();
}

/// Kills one session of its PostgreSQL, which recovers from that.
async fn begin_recovery(server: &ServerProcess) {
    let victim = eventually_some("a session", async || {
        let mut connection = PgConnection::connect(&server.database_url()).await.ok()?;
        let sessions = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        sqlx::query_scalar::<_, i32>(sessions).fetch_optional(&mut connection).await.ok()?
    })
    .await;
    send(victim, Signal::SIGKILL);
}

/// It took 20 s: a PostgreSQL that recovers does not finish a fast shutdown.
#[tokio::test]
async fn a_server_killed_while_its_postgres_recovers_is_back_at_once() {
    let mut server = ServerProcess::start(&[]).await;
    let ada = server.person("Ada").await;
    for pause in [10, 50, 100, 200] {
        begin_recovery(&server).await;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        server.end(Signal::SIGKILL).await;
        let begun = Instant::now();
        server.start_again().await;
        assert!(begun.elapsed() < QUICK, "{pause} ms: {:?}", begun.elapsed());
    }
    let _: tidings::protocol::Session = ada.get("/api/session").await.unwrap();
    // And so is one that is stopped in order.
    begin_recovery(&server).await;
    let begun = Instant::now();
    assert!(server.end(Signal::SIGTERM).await.success(), "{}", server.log());
    assert!(begun.elapsed() < QUICK, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn what_earlier_versions_left_open_is_closed_at_the_start() {
    let directory = Directory::new();
    start(directory.path()).stop();
    let (rules, lock) = (data_of(directory.path()).join("pg_hba.conf"), directory.path().join("lock"));
    std::fs::write(&rules, "local all all trust\n").unwrap();
    for (path, mode) in [(&lock, 0o644), (&directory.path().join("postgres"), 0o777)] {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    let postgres = start(directory.path());
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&lock), 0o600);
    assert_eq!(mode(&directory.path().join("postgres")) & 0o066, 0, "others may look in or write");
    assert_eq!(mode(&data_of(directory.path())), 0o700);
    assert_eq!(mode(&directory.path().join("postgres/run")), 0o700);
    assert!(!std::fs::read_to_string(&rules).unwrap().contains("trust"));
    let mut ours = PgConnection::connect(postgres.url()).await.unwrap();
    ours.execute("CREATE ROLE somebody LOGIN").await.unwrap();
    let another = postgres.url().replace("tidings@", "somebody@");
    let refused = PgConnection::connect(&another).await.expect_err("nobody may be another role").to_string();
    assert!(refused.contains("pg_hba.conf"), "{refused}");
}

/// Ready means that a message could be stored: that is tried.
#[tokio::test]
async fn a_log_that_takes_nothing_more_is_not_ready() {
    let server = crate::support::TestServer::start(&[]).await;
    let ready = async || crate::browser::Browser::program(&server.operators_url()).get("/readyz").await;
    assert_eq!(ready().await.0, 200);
    // As a table that cannot grow: what is said is that of a full disk.
    let full = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = 'disk_full'; END $$;
        CREATE TRIGGER full_disk BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION full_disk()";
    let mut connection = server.database.connection().await;
    connection.execute(full).await.unwrap();
    eventually("it is said", async || ready().await.0 == 503).await;
    assert_eq!(ready().await.1["missing"], serde_json::json!(["storage"]));
    connection.execute("DROP TRIGGER full_disk ON messages").await.unwrap();
    eventually("it is ready again", async || ready().await.0 == 200).await;
    let left: i64 =
        sqlx::query_scalar("SELECT count(*) FROM messages").fetch_one(&mut connection).await.unwrap();
    assert_eq!(left, 0, "what was tried is still there");
}
