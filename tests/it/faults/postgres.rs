//! PostgreSQL ends, is away, is slow, or refuses.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use futures::future::join_all;
use nix::sys::signal::Signal;
use reqwest::Method;
use tidings::protocol::{ClientFrame, ServerFrame, Typing};

use crate::browser::{self, Browser, code};
use crate::support::{
    Crowd, Dice, Nemesis, OwnCluster, Pace, Plan, ServerProcess, TestServer, data_of, eventually,
};

/// What the server may need more while it waits: its queue has a bound.
const WAITING_MAX_BYTES: usize = 4 << 20;

/// Connections of the pool in the test that takes them all.
const POOL: i64 = 4;

#[tokio::test]
async fn f07_postgres_is_killed_and_the_sockets_stay() {
    let mut dice = Dice::new("f07");
    let mut server = ServerProcess::start(&[]).await;
    let crowd = Crowd::start(&server.url, &Plan::default(), &mut dice).await;
    for _ in 0..3 {
        crowd.until_more(200 + dice.below(400) as u64).await;
        server.kill_postgres().await;
        let took = crowd.until_caught_up().await;
        assert!(took < Duration::from_secs(5), "drained after {took:?}");
    }
    assert!(crowd.kept_its_sockets());
    crowd.finish(&server.database_url()).await;
    assert!(server.end(Signal::SIGTERM).await.success(), "{}", server.log());
}

/// How long it is away; a command may ask for minutes (docs/reliability.md).
fn outage() -> Duration {
    let seconds = std::env::var("TIDINGS_TEST_OUTAGE_SECONDS");
    Duration::from_secs(seconds.map_or(10, |seconds| seconds.parse().expect("a number of seconds")))
}

#[tokio::test]
async fn f08_while_postgres_is_away_everything_waits_within_bounds() {
    let mut cluster = OwnCluster::start().await;
    let server =
        ServerProcess::start(&[("DATABASE_URL", cluster.url()), ("TIDINGS_PERSISTENCE_QUEUE", "200")]).await;
    let pace = Pace { window: 32, every: Duration::from_millis(1), ..Pace::default() };
    let plan = Plan { pace, ..Plan::default() };
    let crowd = Crowd::start(&server.url, &plan, &mut Dice::new("f08")).await;
    crowd.until_answered(5_000).await;
    let before = server.resident_bytes();
    cluster.down();
    let begun = Instant::now();
    let busy = r#"tidings_refusals_total{code="busy"}"#;
    eventually("it is busy", async || server.metric(busy).await > 0.0).await;
    let (health, _) = server.get("/healthz").await;
    let (ready, body) = server.get_as_operator("/readyz").await;
    assert_eq!((health, ready), (200, 503), "{body}");
    let mut most = 0;
    while begun.elapsed() < outage() {
        tokio::time::sleep(Duration::from_millis(500)).await;
        most = most.max(server.resident_bytes());
        assert!(server.metric("tidings_persistence_queue").await <= 200.0);
    }
    let grown = most.saturating_sub(before);
    assert!(grown < WAITING_MAX_BYTES, "{grown} bytes");
    cluster.up();
    let took = crowd.until_caught_up().await;
    assert!(took < Duration::from_secs(5), "drained after {took:?}");
    assert!(crowd.kept_its_sockets());
    crowd.finish(cluster.url()).await;
}

#[tokio::test]
async fn f10_while_commits_take_two_seconds_typing_flows_and_all_is_stored() {
    let server = TestServer::start(&[]).await;
    let crowd = Crowd::start(&server.url, &Plan::default(), &mut Dice::new("f10")).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let (mut hers, mut his) = (ada.connect(&[]).await, bob.connect(&[]).await);
    crowd.until_answered(200).await;
    let mut nemesis = Nemesis::on(server.database.url()).await;
    nemesis.slow_commits(Duration::from_secs(2)).await;
    let client_id = hers.send(conversation, "slow").await;
    hers.say(&ClientFrame::Typing(Typing { conversation })).await;
    let begun = Instant::now();
    his.expect("typing", |frame| matches!(frame, ServerFrame::Typing(_))).await;
    assert!(begun.elapsed() < Duration::from_secs(1), "typing after {:?}", begun.elapsed());
    let is_message = |frame: &ServerFrame| matches!(frame, ServerFrame::Event(_));
    assert!(!his.heard.iter().any(is_message), "it waited for the commit");
    hers.stored(client_id).await;
    // One batch of each writer, and then another; a commit a message takes two
    // writers 160 s.
    let begun = Instant::now();
    crowd.until_more(2 * 10 * 8).await;
    assert!(begun.elapsed() < Duration::from_secs(12), "two windows of all after {:?}", begun.elapsed());
    nemesis.slow_commits(Duration::ZERO).await;
    crowd.until_caught_up().await;
    assert!(crowd.kept_its_sockets());
    crowd.finish(server.database.url()).await;
}

#[tokio::test]
async fn f11_a_read_only_database_is_said_and_nothing_is_acknowledged() {
    let server = ServerProcess::start(&[]).await;
    let crowd = Crowd::start(&server.url, &Plan::default(), &mut Dice::new("f11")).await;
    crowd.until_answered(200).await;
    Nemesis::on(&server.database_url()).await.read_only(true).await;
    until_refused(&server).await;
    let (refused, stored) = (crowd.answered(), server.metric("tidings_messages_total").await);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(crowd.answered(), refused, "something was acknowledged");
    assert_eq!(server.metric("tidings_messages_total").await.to_bits(), stored.to_bits());
    Nemesis::on(&server.database_url()).await.read_only(false).await;
    crowd.until_caught_up().await;
    assert!(crowd.kept_its_sockets());
    crowd.finish(&server.database_url()).await;
}

async fn until_refused(server: &ServerProcess) {
    let refusals = r#"tidings_refusals_total{code="storage_unavailable"}"#;
    eventually("it is said", async || server.metric(refusals).await > 0.0).await;
}

#[tokio::test]
async fn f12_with_an_exhausted_pool_messages_flow_and_requests_are_refused_in_time() {
    let server = TestServer::start(&[("TIDINGS_POOL_SIZE", &POOL.to_string())]).await;
    let crowd = Crowd::start(&server.url, &Plan::default(), &mut Dice::new("f12")).await;
    crowd.until_answered(100).await;
    let person = &crowd.people()[0];
    let locked = Nemesis::on(server.database.url()).await.lock_subscriptions().await;
    let unsubscribe = || person.request(Method::DELETE, "/api/push/subscription").send();
    let held_up: Vec<_> = (0..POOL).map(|_| tokio::spawn(unsubscribe())).collect();
    let mut looking = server.database.connection().await;
    let waiting = "SELECT count(*) FROM pg_stat_activity \
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("no connection is free", async || {
        sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut looking).await.unwrap() == POOL
    })
    .await;
    let ask = async |path: &str| {
        let begun = Instant::now();
        let answer = match path {
            "log in" => Browser::on(&server.url).log_in("Newcomer").await,
            path => browser::answer(person.request(Method::GET, path)).await,
        };
        assert_eq!(code(&answer), (503, "storage_unavailable"), "{path}: {answer:?}");
        let took = begun.elapsed();
        assert!((Duration::from_secs(4)..Duration::from_secs(6)).contains(&took), "{path}: {took:?}");
    };
    let more = crowd.until_more(500);
    futures::join!(ask("log in"), ask("/api/session"), ask("/api/conversations"), more);
    drop(locked);
    for answer in join_all(held_up).await {
        assert_eq!(answer.unwrap().unwrap().status(), 204);
    }
    assert!(crowd.kept_its_sockets());
    crowd.finish(server.database.url()).await;
}

/// A real file system, which is full. Only root may mount one; anybody else has
/// the read-only database above.
#[tokio::test]
async fn f11_a_full_disk_is_said_and_recovers_without_a_restart() {
    if !nix::unistd::geteuid().is_root() {
        // Past the harness, which would keep it to itself.
        writeln!(std::io::stderr(), "f11: a full disk needs root to mount one; not tried").unwrap();
        return;
    }
    let server = ServerProcess::start(&[]).await;
    let crowd = Crowd::start(&server.url, &Plan::default(), &mut Dice::new("f11")).await;
    crowd.until_answered(200).await;
    let disk = SmallDisk::mount(server.data_dir());
    Nemesis::on(&server.database_url()).await.move_log_to(disk.path()).await;
    crowd.until_more(200).await;
    disk.fill();
    until_refused(&server).await;
    assert!(server.get_as_operator("/readyz").await.1.contains(r#""missing":["storage"]"#));
    eventually("why is logged", async || server.log().contains("No space left on device")).await;
    let refused = crowd.answered();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(crowd.answered(), refused, "something was acknowledged");
    disk.empty();
    crowd.until_caught_up().await;
    eventually("it is ready", async || server.get("/readyz").await.0 == 200).await;
    assert!(crowd.kept_its_sockets());
    crowd.finish(&server.database_url()).await;
}

/// A file system in memory, of PostgreSQL's user.
struct SmallDisk {
    mount: PathBuf,
    log: PathBuf,
}

impl SmallDisk {
    fn mount(data_dir: &Path) -> Self {
        use std::os::unix::fs::{MetadataExt, chown};
        let (mount, log) = (data_dir.join("disk"), data_dir.join("disk/log"));
        std::fs::create_dir(&mount).unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=16m", "tmpfs"]).arg(&mount).status();
        assert!(mounted.unwrap().success(), "it is mounted");
        std::fs::create_dir(&log).unwrap();
        let owner = std::fs::metadata(data_of(data_dir)).unwrap();
        chown(&log, Some(owner.uid()), Some(owner.gid())).unwrap();
        Self { mount, log }
    }

    fn path(&self) -> &str {
        self.log.to_str().unwrap()
    }

    /// To the last byte.
    fn fill(&self) {
        let mut filler = std::fs::File::create(self.mount.join("filler")).unwrap();
        let full = loop {
            if let Err(error) = filler.write_all(&[0; 4096]) {
                break error;
            }
        };
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    }

    fn empty(&self) {
        std::fs::remove_file(self.mount.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: PostgreSQL still holds its files.
        let unmounted = Command::new("umount").arg("-l").arg(&self.mount).status();
        assert!(unmounted.unwrap().success(), "it is unmounted");
    }
}
