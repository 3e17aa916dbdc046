//! Variables for PostgreSQL's own programs are of no concern to the server.

use nix::sys::signal::Signal;

use crate::support::{ServerProcess, TestDatabase, eventually};

/// Each of them broke the private PostgreSQL, or would change it.
const FOREIGN: [(&str, &str); 17] = [
    ("PGHOST", "db.invalid"),
    ("PGHOSTADDR", "192.0.2.1"),
    ("PGPORT", "5433"),
    ("PGUSER", "x"),
    ("PGPASSWORD", "y"),
    ("PGDATABASE", "z"),
    ("PGPASSFILE", "/nowhere/pgpass"),
    ("PGSERVICE", "nowhere"),
    ("PGSSLMODE", "verify-full"),
    ("PGSSLROOTCERT", "/nowhere/root.crt"),
    ("PGSSLCERT", "/nowhere/client.crt"),
    ("PGSSLKEY", "/nowhere/client.key"),
    ("PGAPPNAME", "somebody else"),
    ("PGOPTIONS", "-c default_transaction_read_only=on -c search_path=elsewhere"),
    ("PGDATA", "/nowhere/data"),
    ("TZ", "Asia/Kathmandu"),
    ("LC_ALL", "tr_TR.UTF-8"),
];

#[tokio::test]
async fn variables_for_postgresqls_programs_do_not_reach_the_private_one() {
    let mut server = ServerProcess::start(&FOREIGN).await;
    let ada = server.person("Ada").await;
    let _: tidings::protocol::Session = ada.get("/api/session").await.unwrap();
    let environment = std::fs::read(format!("/proc/{}/environ", server.postgres().await)).unwrap();
    let environment = String::from_utf8_lossy(&environment);
    let reached: Vec<_> = environment
        .split('\0')
        .filter(|pair| FOREIGN.iter().any(|(name, value)| *pair == format!("{name}={value}")))
        .collect();
    assert_eq!(reached, [""; 0]);
    assert!(!server.log().contains("not read"), "{}", server.log());
    assert!(server.end(Signal::SIGTERM).await.success(), "{}", server.log());
}

#[tokio::test]
async fn what_database_url_says_is_not_changed_by_variables_and_that_is_said() {
    let database = TestDatabase::create().await;
    let mut settings = FOREIGN.to_vec();
    settings.push(("DATABASE_URL", database.url()));
    let server = ServerProcess::start(&settings).await;
    server.person("Ada").await;
    eventually("it is said", async || {
        let log = server.log();
        log.lines().any(|line| {
            line.contains("not read: ") && line.contains("PGOPTIONS") && line.contains("DATABASE_URL")
        })
    })
    .await;
}
