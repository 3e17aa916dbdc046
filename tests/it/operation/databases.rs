//! Databases of others: how they are named, and which of them will not do.

use std::io::Write;
use std::net::TcpListener;

use sqlx::{AssertSqlSafe, Executor};
use tokio::time::timeout;

use super::{bare_postgres, start};
use crate::support::{Directory, PATIENCE, ServerProcess, TestDatabase, eventually, program, send};

/// What the program says of a database that it refuses.
async fn refusal(url: &str) -> String {
    let directory = Directory::new();
    let mut command = program(directory.path(), &[("DATABASE_URL".to_owned(), url.to_owned())]);
    let started = command.env("TIDINGS_LISTEN", "127.0.0.1:0").env("TIDINGS_METRICS_LISTEN", "").output();
    let output = timeout(PATIENCE, started).await.expect("it does not start").unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    said
}

#[tokio::test]
async fn a_database_that_cannot_hold_every_text_is_refused_in_one_sentence() {
    let database = TestDatabase::create().await;
    let mut connection = database.connection().await;
    for encoding in ["LATIN1", "SQL_ASCII"] {
        let name = format!("t{}", uuid::Uuid::now_v7().simple());
        let made = format!(
            "CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
        );
        connection.execute(AssertSqlSafe(made)).await.unwrap();
        let (server, _) = database.url().rsplit_once('/').unwrap();
        let said = refusal(&format!("{server}/{name}")).await;
        connection.execute(AssertSqlSafe(format!("DROP DATABASE {name}"))).await.unwrap();
        let wanted = format!("tidings: the database of DATABASE_URL has the encoding {encoding}, in which");
        assert!(said.starts_with(&wanted), "{said}");
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_written_to_is_refused_in_one_sentence() {
    let database = TestDatabase::create().await;
    let set = "DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END$$";
    database.connection().await.execute(set).await.unwrap();
    let said = refusal(database.url()).await;
    assert!(said.starts_with("tidings: the database of DATABASE_URL is read-only"), "{said}");
}

#[tokio::test]
async fn a_database_is_found_by_its_ipv6_address_and_by_every_other_form() {
    if TcpListener::bind("[::1]:0").is_err() {
        // Past the harness, which would keep it to itself.
        writeln!(std::io::stderr(), "a database by IPv6: this machine has no ::1; not tried").unwrap();
        return;
    }
    let directory = Directory::new();
    let postgres = start(directory.path());
    let programs = postgres.programs().to_owned();
    postgres.stop();
    let trusting = directory.path().join("hba.conf");
    std::fs::write(&trusting, "host all all ::1/128 trust\nhost all all 127.0.0.1/32 trust\n").unwrap();
    // As PostgreSQL takes no port 0: one that was free a moment ago.
    let port = TcpListener::bind("[::1]:0").unwrap().local_addr().unwrap().port();
    let settings = [
        "listen_addresses=::1,127.0.0.1",
        &format!("port={port}"),
        &format!("hba_file={}", trusting.display()),
    ];
    let mut postgres = bare_postgres(&programs, directory.path(), &settings).spawn().unwrap();
    let plain = format!("postgres://tidings@127.0.0.1:{port}/postgres");
    eventually("it accepts", async || sqlx::PgPool::connect(&plain).await.is_ok()).await;
    for url in [
        format!("postgres://tidings@[::1]:{port}/postgres"),
        format!("postgresql:///postgres?host=::1&port={port}&user=tidings&connect_timeout=9"),
        format!("host=::1 port={port} user=tidings dbname='postgres' sslmode=prefer"),
        format!("postgres://tidings@localhost:{port}/postgres?hostaddr=::1"),
    ] {
        let server = ServerProcess::start(&[("DATABASE_URL", &url)]).await;
        assert_eq!(server.get("/readyz").await.0, 200, "{url}: {}", server.log());
    }
    send(postgres.id().cast_signed(), nix::sys::signal::Signal::SIGINT);
    assert!(tokio::task::spawn_blocking(move || postgres.wait().unwrap()).await.unwrap().success());
}
