//! The database fails, or a writer does.

use std::time::{Duration, Instant};

use tidings::persistence::SubmitError;
use tidings::protocol::Code;
use tidings::registry::InjectedFault;

use super::load::{assert_law, crowd, script, what};
use super::rig::{Rig, stored};
use crate::support::{Nemesis, OwnCluster, TestDatabase, eventually};

/// Waits until this many messages are stored.
async fn stored_at_least(rig: &Rig, count: i64) {
    eventually("messages are stored", async || {
        let sum = "SELECT coalesce(sum(last_seq), 0)::bigint FROM conversations";
        // It may be away at this moment.
        let stored: Result<i64, _> = sqlx::query_scalar(sum).fetch_one(&rig.pool).await;
        stored.is_ok_and(|stored| stored >= count)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f04_writers_that_panic_in_mid_batch_lose_nothing() {
    let database = TestDatabase::create().await;
    let rig = Rig::start(database.url()).await;
    let (talks, tasks) = crowd(&rig, 300).await;
    for round in 1..=5 {
        stored_at_least(&rig, round * 250).await;
        rig.persistence.inject(InjectedFault::Panic);
    }
    assert_law(&rig, &talks, &tasks.join_all().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f07_postgres_killed_under_load_loses_nothing_and_keeps_the_order() {
    let cluster = OwnCluster::start().await;
    let rig = Rig::start(cluster.url()).await;
    let (talks, tasks) = crowd(&rig, 300).await;
    for round in 1..=3 {
        stored_at_least(&rig, round * 400).await;
        cluster.kill().await;
    }
    let histories = tasks.join_all().await;
    // The last kill may have come when all was done.
    stored_at_least(&rig, 1_800).await;
    assert_law(&rig, &talks, &histories).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f08_the_queue_is_bounded_while_postgres_is_away() {
    let mut cluster = OwnCluster::start().await;
    let rig = Rig::with(cluster.url(), |config| config.persistence_queue = 10).await;
    let (mut ada, bob) = (rig.member().await, rig.member().await);
    let talk = rig.conversation(&[&ada, &bob]).await;
    cluster.down();
    let script = script(&ada, &[talk], 11);
    for request in &script[..10] {
        ada.submit(request.clone()).unwrap();
    }
    let Err(SubmitError::Full(problem)) = ada.submit(script[10].clone()) else { panic!("it was taken") };
    assert_eq!(problem.code, Code::Busy);
    assert!(problem.retry_after_ms.is_some());
    assert_eq!(rig.persistence.depth(), 10);
    cluster.up();
    for seq in 1..=10 {
        assert_eq!(stored(ada.answer().await).0.seq, seq);
    }
    stored(ada.send(script[10].clone()).await);
    rig.persistence.flush().await;
    assert_eq!(rig.persistence.depth(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn f10_when_commits_take_two_seconds_batches_grow() {
    let database = TestDatabase::create().await;
    let rig = Rig::start(database.url()).await;
    let (mut ada, bob) = (rig.member().await, rig.member().await);
    let talk = rig.conversation(&[&ada, &bob]).await;
    Nemesis::on(database.url()).await.slow_commits(Duration::from_secs(2)).await;
    let begun = Instant::now();
    for request in script(&ada, &[talk], 100) {
        ada.submit(request).unwrap();
    }
    for seq in 1..=100 {
        assert_eq!(stored(ada.answer().await).0.seq, seq);
    }
    // The first alone or with those that came along, the others together.
    assert!(begun.elapsed() < Duration::from_secs(7), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn f11_a_read_only_database_is_said_and_recovers_without_a_restart() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let rig = Rig::start(url).await;
    let (mut ada, bob) = (rig.member().await, rig.member().await);
    let talk = rig.conversation(&[&ada, &bob]).await;
    let mut nemesis = Nemesis::on(url).await;
    nemesis.read_only(true).await;
    let message = ada.writes(talk, "kept");
    let problem = ada.send(message.clone()).await.outcome.unwrap_err();
    assert_eq!(problem.code, Code::StorageUnavailable);
    assert!(problem.retry_after_ms.is_some());
    assert_eq!(rig.log(talk).await, []);
    nemesis.read_only(false).await;
    assert_eq!(stored(ada.send(message).await).0.seq, 1);
}

#[tokio::test]
async fn a_message_that_cannot_be_stored_harms_no_other() {
    let database = TestDatabase::create().await;
    let rig = Rig::start(database.url()).await;
    let (mut ada, bob) = (rig.member().await, rig.member().await);
    let talk = rig.conversation(&[&ada, &bob]).await;
    sqlx::query("ALTER TABLE messages ADD CONSTRAINT no_six CHECK (body <> '6')")
        .execute(&rig.pool)
        .await
        .unwrap();
    let asked = script(&ada, &[talk], 20);
    for request in asked.clone() {
        ada.submit(request).unwrap();
    }
    let mut outcomes = Vec::new();
    for _ in 0..20 {
        outcomes.push(ada.answer().await.outcome);
    }
    let refused: Vec<Code> =
        outcomes.iter().filter_map(|one| one.as_ref().err()).map(|one| one.code).collect();
    assert_eq!(refused, [Code::Internal]);
    rig.assert_dense(talk).await;
    let said: Vec<String> = rig.log(talk).await.into_iter().map(|event| event.3).collect();
    let others: Vec<String> =
        asked.iter().map(|request| what(&request.operation)).filter(|said| said != "6").collect();
    assert_eq!(said, others);
}

#[tokio::test]
async fn a_flush_ends_when_everything_accepted_is_stored() {
    let database = TestDatabase::create().await;
    let rig = Rig::start(database.url()).await;
    let (mut ada, bob) = (rig.member().await, rig.member().await);
    let talk = rig.conversation(&[&ada, &bob]).await;
    for request in script(&ada, &[talk], 100) {
        ada.submit(request).unwrap();
    }
    rig.persistence.flush().await;
    assert_eq!(rig.log(talk).await.len(), 100);
    ada.reach(talk, 0, 100);
    rig.persistence.flush().await;
    let read: i64 = sqlx::query_scalar("SELECT read_seq FROM members WHERE user_id = $1")
        .bind(ada.id.0)
        .fetch_one(&rig.pool)
        .await
        .unwrap();
    assert_eq!(read, 100);
}
