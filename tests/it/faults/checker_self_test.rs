//! The checker's self-test against real servers that lose messages: it must find them.

use nix::sys::signal::Signal;

use crate::support::{Crowd, Dice, Nemesis, Plan, ServerProcess, TestServer, Violation};

#[tokio::test]
async fn a_server_that_loses_one_message_in_a_thousand_is_found_out() {
    let server = TestServer::start(&[]).await;
    Nemesis::on(server.database.url()).await.lose_one_in(1_000).await;
    let plan = Plan { people: 2, ..Plan::default() };
    let crowd = Crowd::start(&server.url, &plan, &mut Dice::new("lossy")).await;
    crowd.until_answered(1_001).await;
    let found = crowd.verdict(server.database.url()).await;
    let lost = |seq| found.iter().any(|one| matches!(one, Violation::Lost(entry) if entry.seq == seq));
    assert!(lost(1_000) && !lost(999), "{found:?}");
    assert!(found.iter().any(|one| matches!(one, Violation::Hole(_, 1_000))), "{found:?}");
}

#[tokio::test]
async fn commits_that_are_not_on_the_disk_are_found_out_when_postgres_is_killed() {
    let server = ServerProcess::start(&[]).await;
    Nemesis::on(&server.database_url()).await.commit_later().await;
    let crowd = Crowd::start(&server.url, &Plan::default(), &mut Dice::new("later")).await;
    crowd.until_answered(2_000).await;
    server.kill_postgres().await;
    crowd.until_caught_up().await;
    let found = crowd.verdict(&server.database_url()).await;
    assert!(found.iter().any(|one| matches!(one, Violation::Lost(_))), "{found:?}");
}

/// The same without the lie: nothing is found.
#[tokio::test]
async fn commits_that_are_on_the_disk_survive_the_same() {
    let mut server = ServerProcess::start(&[]).await;
    let crowd = Crowd::start(&server.url, &Plan::default(), &mut Dice::new("later")).await;
    crowd.until_answered(2_000).await;
    server.kill_postgres().await;
    crowd.until_caught_up().await;
    crowd.finish(&server.database_url()).await;
    assert!(server.end(Signal::SIGTERM).await.success(), "{}", server.log());
}
