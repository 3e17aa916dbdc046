//! The nemesis of PostgreSQL: makes it slow, read-only, or lossy, by its own means.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

/// A connection of somebody with all rights.
pub struct Nemesis(PgConnection);

impl Nemesis {
    pub async fn on(database: &str) -> Self {
        Self(PgConnection::connect(database).await.expect("PostgreSQL accepts"))
    }

    async fn run(&mut self, statement: &str) {
        self.0.execute(AssertSqlSafe(statement.to_owned())).await.expect("done");
    }

    /// Every commit of messages takes this long, after the statement has ended;
    /// zero: as short as before.
    pub async fn slow_commits(&mut self, time: Duration) {
        let (drop, seconds) = ("DROP TRIGGER IF EXISTS slow ON conversations", time.as_secs_f64());
        self.run(drop).await;
        if time.is_zero() {
            return;
        }
        self.run(&format!(
            "CREATE OR REPLACE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN
                IF current_setting('test.slept', true) IS DISTINCT FROM 'yes' THEN
                    PERFORM pg_sleep({seconds}), set_config('test.slept', 'yes', true);
                END IF;
                RETURN NULL;
            END $$"
        ))
        .await;
        self.run(
            "CREATE CONSTRAINT TRIGGER slow AFTER UPDATE ON conversations DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION slow()",
        )
        .await;
    }

    /// For every connection that is made from now on, and nobody keeps an old one.
    pub async fn read_only(&mut self, on: bool) {
        let own: String = sqlx::query_scalar("SELECT quote_ident(current_database())")
            .fetch_one(&mut self.0)
            .await
            .expect("a name");
        self.run("SET default_transaction_read_only = off").await;
        self.run(&format!("ALTER DATABASE {own} SET default_transaction_read_only = {on}")).await;
        self.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;
    }

    /// Of so many messages in a conversation one is not stored, and nobody is told.
    pub async fn lose_one_in(&mut self, count: u32) {
        self.run(&format!(
            "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RETURN CASE WHEN NEW.seq % {count} = 0 THEN NULL ELSE NEW END; END $$"
        ))
        .await;
        self.run("CREATE TRIGGER lose BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION lose()").await;
    }

    /// Messages are reported as committed before they are on the disk, where they
    /// come when there are enough of them.
    pub async fn commit_later(&mut self) {
        self.run("ALTER SYSTEM SET wal_writer_delay = '10s'").await;
        self.run("ALTER SYSTEM SET wal_writer_flush_after = '1GB'").await;
        self.run("SELECT pg_reload_conf()").await;
        self.run(
            "CREATE FUNCTION later() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM set_config('synchronous_commit', 'off', true); RETURN NULL; END $$",
        )
        .await;
        self.run("CREATE TRIGGER later AFTER INSERT ON messages FOR EACH STATEMENT EXECUTE FUNCTION later()")
            .await;
    }

    /// The log is kept in this directory, which is PostgreSQL's.
    pub async fn move_log_to(&mut self, directory: &str) {
        self.run(&format!("CREATE TABLESPACE elsewhere LOCATION '{directory}'")).await;
        self.run("ALTER TABLE messages SET TABLESPACE elsewhere").await;
    }

    /// Nothing can be said of subscriptions to pushes, for as long as the guard lives.
    pub async fn lock_subscriptions(mut self) -> Self {
        self.run("BEGIN; LOCK TABLE push_subscriptions IN ACCESS EXCLUSIVE MODE").await;
        self
    }
}
