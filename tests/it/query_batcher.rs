//! Questions that are asked together, on a real database.

use std::time::Duration;

use futures::future::join_all;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Executor, PgConnection};
use tidings::database::{BatchQuery, DatabaseError, QueryBatcher};

use crate::support::{TestDatabase, eventually};

/// A hundred divided by it, once nobody holds the lock 1; with how many were asked together.
struct Divide(i32);

impl BatchQuery for Divide {
    type Output = (i32, usize);
    const CONTEXT: &'static str = "divide";
    const MAX_BATCH: usize = 8;

    async fn run(
        connection: &mut PgConnection,
        questions: &[Self],
    ) -> Result<Vec<(i32, usize)>, sqlx::Error> {
        let numbers: Vec<i32> = questions.iter().map(|question| question.0).collect();
        assert!(!numbers.contains(&-1), "an accident");
        sqlx::query("SELECT pg_advisory_xact_lock_shared(1)").execute(&mut *connection).await?;
        let quotients: Vec<i32> = sqlx::query_scalar(
            "SELECT 100 / n FROM unnest($1) WITH ORDINALITY AS a (n, place) ORDER BY place",
        )
        .bind(numbers)
        .fetch_all(connection)
        .await?;
        Ok(quotients.into_iter().map(|quotient| (quotient, questions.len())).collect())
    }
}

/// Answers wait while it lives.
struct Hold(PgConnection);

impl Hold {
    async fn on(database: &TestDatabase) -> Self {
        let mut connection = database.connection().await;
        connection.execute("SELECT pg_advisory_lock(1)").await.unwrap();
        Self(connection)
    }

    async fn release(mut self) {
        self.0.execute("SELECT pg_advisory_unlock(1)").await.unwrap();
    }
}

async fn batcher(database: &TestDatabase, patience: Duration) -> QueryBatcher<Divide> {
    let pool = PgPoolOptions::new().connect(database.url()).await.unwrap();
    QueryBatcher::new(pool, patience)
}

/// Asks for 1, and comes back when its statement runs.
async fn occupy(database: &TestDatabase, batcher: &QueryBatcher<Divide>) -> tokio::task::JoinHandle<()> {
    let caller = batcher.clone();
    let first = tokio::spawn(async move { assert_eq!(caller.run(Divide(1)).await.unwrap(), (100, 1)) });
    let mut looking = database.connection().await;
    let waits = "SELECT count(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("the statement runs", async || {
        sqlx::query_scalar::<_, i64>(waits).fetch_one(&mut looking).await.unwrap() == 1
    })
    .await;
    first
}

#[tokio::test]
async fn what_is_asked_meanwhile_is_asked_together() {
    let database = TestDatabase::create().await;
    let batcher = batcher(&database, Duration::from_secs(60)).await;
    let hold = Hold::on(&database).await;
    let first = occupy(&database, &batcher).await;
    let others = join_all((1..=20).map(|number| batcher.run(Divide(number))));
    let (answers, ()) = futures::join!(others, hold.release());
    first.await.unwrap();
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    let expected: Vec<_> = (1..=20).map(|number| (100 / number, if number <= 16 { 8 } else { 4 })).collect();
    assert_eq!(answers, expected);
}

#[tokio::test]
async fn a_question_that_is_refused_spoils_no_other() {
    let database = TestDatabase::create().await;
    let batcher = batcher(&database, Duration::from_secs(60)).await;
    let answers = join_all([5, 0, 4].map(|number| batcher.run(Divide(number)))).await;
    assert_eq!(answers[0].as_ref().unwrap().0, 20);
    assert!(matches!(answers[1], Err(DatabaseError::Broken { context: "divide", .. })), "{:?}", answers[1]);
    assert_eq!(answers[2].as_ref().unwrap().0, 25);
}

#[tokio::test]
async fn an_accident_is_told_and_the_next_is_asked() {
    let database = TestDatabase::create().await;
    let batcher = batcher(&database, Duration::from_secs(60)).await;
    assert!(batcher.run(Divide(-1)).await.unwrap_err().is_unavailable());
    assert_eq!(batcher.run(Divide(2)).await.unwrap(), (50, 1));
}

#[tokio::test]
async fn f12_who_does_not_get_a_turn_in_time_is_told() {
    let database = TestDatabase::create().await;
    let batcher = batcher(&database, Duration::from_millis(100)).await;
    let hold = Hold::on(&database).await;
    let first = occupy(&database, &batcher).await;
    for outcome in join_all((1..=20).map(|number| batcher.run(Divide(number)))).await {
        assert!(outcome.unwrap_err().is_unavailable());
    }
    hold.release().await;
    first.await.unwrap();
    assert_eq!(batcher.run(Divide(2)).await.unwrap(), (50, 1));
}
