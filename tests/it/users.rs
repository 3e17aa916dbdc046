//! Users and sessions on a real database.

use std::ops::Deref;
use std::time::Duration;

use sqlx::PgConnection;
use tidings::database::{Claim, Database};
use tidings::domain::{Name, SessionId, SessionSecret, UserId};
use tidings::protocol::User;

use crate::support::TestDatabase;

const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A database that one test has for itself, open.
pub struct Fresh {
    open: Database,
    pub kept: TestDatabase,
}

impl Fresh {
    pub async fn create() -> Self {
        let kept = TestDatabase::create().await;
        Self { open: kept.open().await, kept }
    }
}

impl Deref for Fresh {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.open
    }
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn session() -> SessionId {
    SessionSecret::generate().id()
}

pub async fn claim(database: &Database, text: &str) -> User {
    match database.claim(&name(text), None, session(), MONTH).await.unwrap() {
        Claim::New(user) => user,
        Claim::Taken => panic!("{text} is taken"),
    }
}

#[tokio::test]
async fn b18_of_fifty_who_claim_one_name_one_gets_it() {
    let database = Fresh::create().await;
    let claims = (0..50).map(|_| {
        let database = Database::clone(&database);
        tokio::spawn(async move { database.claim(&name("Ada"), None, session(), MONTH).await.unwrap() })
    });
    let outcomes = futures::future::join_all(claims).await;
    let won = outcomes.into_iter().filter(|outcome| *outcome.as_ref().unwrap() != Claim::Taken).count();
    assert_eq!(won, 1);
}

#[tokio::test]
async fn b17_a_name_is_taken_in_every_spelling() {
    let database = Fresh::create().await;
    claim(&database, "coco").await;
    for same in ["COCO", "Coco", "ｃｏｃｏ", "сосо"] {
        let outcome = database.claim(&name(same), None, session(), MONTH).await.unwrap();
        assert_eq!(outcome, Claim::Taken, "{same}");
    }
    claim(&database, "cocoa").await;
}

#[tokio::test]
async fn a_claim_opens_its_session_and_an_account_is_found_by_name_and_id() {
    let database = Fresh::create().await;
    let held = session();
    let Claim::New(ada) = database.claim(&name("Ada"), Some("a hash"), held, MONTH).await.unwrap() else {
        panic!("a fresh name is free");
    };
    let found = database.session(held).await.unwrap().unwrap();
    assert_eq!((found.user, found.has_password), (ada.clone(), true));
    assert_eq!(found.name_key, "ada");
    assert!(found.remains <= MONTH && found.remains > MONTH - Duration::from_secs(60));
    let by_name = database.account_named(&name("ADA")).await.unwrap().unwrap();
    assert_eq!((by_name.user, by_name.password_hash.as_deref()), (ada.clone(), Some("a hash")));
    assert_eq!(database.account(ada.id).await.unwrap().unwrap().user, ada);
    assert!(database.account(UserId::fresh()).await.unwrap().is_none());
    assert!(database.account_named(&name("Bob")).await.unwrap().is_none());
}

#[tokio::test]
async fn b25_a_session_ends_by_log_out_by_time_and_by_a_new_password() {
    let database = Fresh::create().await;
    let ada = claim(&database, "Ada").await;
    let [kept, other, logged_out, expired] = [(); 4].map(|()| session());
    for held in [kept, other, logged_out] {
        database.open_session(held, ada.id, MONTH).await.unwrap();
    }
    database.open_session(expired, ada.id, Duration::ZERO).await.unwrap();
    database.end_session(logged_out).await.unwrap();
    database.set_password(ada.id, "a hash", kept).await.unwrap();
    assert!(database.session(kept).await.unwrap().unwrap().has_password);
    for ended in [other, logged_out, expired, session()] {
        assert!(database.session(ended).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn the_end_of_a_session_is_put_off() {
    let database = Fresh::create().await;
    let ada = claim(&database, "Ada").await;
    let held = session();
    let minute = Duration::from_secs(60);
    database.open_session(held, ada.id, minute).await.unwrap();
    assert!(database.session(held).await.unwrap().unwrap().remains <= minute);
    database.extend_session(held, MONTH).await.unwrap();
    assert!(database.session(held).await.unwrap().unwrap().remains > MONTH - minute);
}

#[tokio::test]
async fn a_new_session_clears_expired_ones_away() {
    let database = Fresh::create().await;
    let ada = claim(&database, "Ada").await;
    let mut connection = database.kept.connection().await;
    for _ in 0..4 {
        database.open_session(session(), ada.id, Duration::ZERO).await.unwrap();
    }
    for _ in 0..3 {
        database.open_session(session(), ada.id, MONTH).await.unwrap();
    }
    assert_eq!(expired(&mut connection).await, 0);
    // Many new ones in one statement, too.
    let expire =
        "INSERT INTO sessions SELECT sha256(n::text::bytea), $1, now(), now() FROM generate_series(1, 18) n";
    sqlx::query(expire).bind(ada.id.0).execute(&mut connection).await.unwrap();
    assert_eq!(expired(&mut connection).await, 18);
    let names: Vec<_> = (0..9).map(|n| name(&format!("Long {n}"))).collect();
    let claims = names.iter().map(|name| database.claim(name, None, session(), MONTH));
    for claimed in futures::future::join_all(claims).await {
        assert!(matches!(claimed.unwrap(), Claim::New(_)));
    }
    assert_eq!(expired(&mut connection).await, 0);
}

async fn expired(connection: &mut PgConnection) -> i64 {
    let count = "SELECT count(*) FROM sessions WHERE expires_at < now()";
    sqlx::query_scalar(count).fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn b20_a_search_takes_what_is_typed_for_what_it_is() {
    let database = Fresh::create().await;
    for text in ["Ada", "adam", "Adele", "a_b", "axb", "Zoë"] {
        claim(&database, text).await;
    }
    let names = async |prefix: &str, after: Option<&str>, limit| {
        let found = database.search_users(prefix, after, limit).await.unwrap();
        found.into_iter().map(|found| found.user.name).collect::<Vec<_>>()
    };
    assert_eq!(names("AD", None, 10).await, ["Ada", "adam", "Adele"]);
    assert_eq!(names("ad", None, 2).await, ["Ada", "adam"]);
    assert_eq!(names("ad", Some("adam"), 2).await, ["Adele"]);
    assert_eq!(names("a_", None, 10).await, ["a_b"]);
    assert_eq!(names("zoe\u{308}", None, 10).await, ["Zoë"]);
    assert_eq!(names("", None, 10).await.len(), 6);
    for nothing in ["%", "_", "'; DROP TABLE users; --", "\\"] {
        assert!(names(nothing, None, 10).await.is_empty(), "{nothing}");
    }
}
