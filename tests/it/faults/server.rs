//! The whole server ends, at once or in order.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::{Crowd, Dice, Pace, Plan, ServerProcess};

/// Fifty people who never stop writing.
fn fifty() -> Plan<'static> {
    let pace = Pace { every: Duration::from_millis(20), ..Pace::default() };
    Plan { people: 50, pace, ..Plan::default() }
}

#[tokio::test]
async fn f05_the_server_is_killed_while_fifty_clients_send() {
    let mut dice = Dice::new("f05");
    let mut server = ServerProcess::start(&[]).await;
    let crowd = Crowd::start(&server.url, &fifty(), &mut dice).await;
    for _ in 0..3 {
        // Not always at the same point.
        crowd.until_more(200 + dice.below(400) as u64).await;
        server.end(Signal::SIGKILL).await;
        server.start_again().await;
        let took = crowd.until_caught_up().await;
        assert!(took < Duration::from_secs(10), "back and drained after {took:?}");
    }
    assert!(crowd.standings().iter().all(|standing| standing.sockets >= 4), "somebody was not cut");
    crowd.finish(&server.database_url()).await;
    assert!(server.end(Signal::SIGTERM).await.success(), "{}", server.log());
}

#[tokio::test]
async fn f06_sigterm_under_load_commits_says_farewell_and_exits_zero() {
    let mut dice = Dice::new("f06");
    let mut server = ServerProcess::start(&[]).await;
    let mut onlooker = server.person("Onlooker").await.connect(&[]).await;
    let crowd = Crowd::start(&server.url, &fifty(), &mut dice).await;
    crowd.until_answered(500).await;
    let stopping = Instant::now();
    let (ended, farewell) = futures::join!(server.end(Signal::SIGTERM), onlooker.end());
    assert!(ended.success(), "{}", server.log());
    // The default of TIDINGS_SHUTDOWN_TIMEOUT_MS.
    assert!(stopping.elapsed() < Duration::from_secs(30), "{:?}", stopping.elapsed());
    assert_eq!(farewell.code, 1012, "{}", farewell.reason);
    server.start_again().await;
    crowd.until_caught_up().await;
    crowd.finish(&server.database_url()).await;
}
