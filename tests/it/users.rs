//! Users and sessions on a real database.

use std::ops::Deref;
use std::time::Duration;

use sqlx::PgConnection;
use tidings::database::{Claim, Database, Lifetime, LiveSession, NewSession, PasswordChange, Proof};
use tidings::domain::{Name, SessionId, SessionSecret, TokenHash, UserId};
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

fn token() -> TokenHash {
    SessionSecret::generate().hash()
}

fn session() -> NewSession {
    NewSession::new(token(), MONTH)
}

/// Another session of who is in `held`.
async fn another(database: &Database, held: &LiveSession, ttl: Duration) -> TokenHash {
    let new = NewSession::new(token(), ttl);
    assert!(database.open_session(&new, held.user.id, Proof::Session(held.session)).await.unwrap());
    new.token
}

/// Somebody new, in a session of a month.
async fn somebody(database: &Database, text: &str, password_hash: Option<&str>) -> LiveSession {
    let new = session();
    let claimed = database.claim(&name(text), password_hash, new.clone()).await.unwrap();
    assert!(matches!(claimed, Claim::New(_)), "{text} is taken");
    database.session(new.token).await.unwrap().unwrap()
}

pub async fn claim(database: &Database, text: &str) -> User {
    match database.claim(&name(text), None, session()).await.unwrap() {
        Claim::New(user) => user,
        Claim::Taken => panic!("{text} is taken"),
    }
}

#[tokio::test]
async fn b18_of_fifty_who_claim_one_name_one_gets_it() {
    let database = Fresh::create().await;
    let claims = (0..50).map(|_| {
        let database = Database::clone(&database);
        tokio::spawn(async move { database.claim(&name("Ada"), None, session()).await.unwrap() })
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
        let outcome = database.claim(&name(same), None, session()).await.unwrap();
        assert_eq!(outcome, Claim::Taken, "{same}");
    }
    claim(&database, "cocoa").await;
}

#[tokio::test]
async fn a_claim_opens_its_session_and_an_account_is_found_by_name_and_id() {
    let database = Fresh::create().await;
    let held = session();
    let Claim::New(ada) = database.claim(&name("Ada"), Some("a hash"), held.clone()).await.unwrap() else {
        panic!("a fresh name is free");
    };
    let found = database.session(held.token).await.unwrap().unwrap();
    assert_eq!((found.user, found.has_password), (ada.clone(), true));
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
    let ada = somebody(&database, "Ada", None).await;
    let (me, kept) = (ada.user.id, ada.session);
    let other = another(&database, &ada, MONTH).await;
    let logged_out = another(&database, &ada, MONTH).await;
    let expired = another(&database, &ada, Duration::ZERO).await;
    let id = database.session(logged_out).await.unwrap().unwrap().session;
    assert!(database.end_session(me, id).await.unwrap());
    assert!(!database.end_session(me, id).await.unwrap());
    let renewed = token();
    let change = database.set_password(me, (None, "a hash"), kept, renewed).await.unwrap();
    assert_eq!(change, PasswordChange::Done);
    let found = database.session(renewed).await.unwrap().unwrap();
    assert_eq!((found.session, found.has_password), (kept, true), "it is the same session");
    for ended in [other, logged_out, expired, token()] {
        assert!(database.session(ended).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a05_a_session_begins_only_with_what_holds_then() {
    let database = Fresh::create().await;
    let ada = somebody(&database, "Ada", Some("old")).await;
    let (me, other) = (ada.user.id, another(&database, &ada, MONTH).await);
    let other = database.session(other).await.unwrap().unwrap().session;
    let begin = async |proof: Proof<'_>| database.open_session(&session(), me, proof).await.unwrap();
    assert!(begin(Proof::Password("old")).await);
    let outdated = database.set_password(me, (Some("older"), "new"), ada.session, token()).await.unwrap();
    assert_eq!(outdated, PasswordChange::Outdated);
    let done = database.set_password(me, (Some("old"), "new"), ada.session, token()).await.unwrap();
    assert_eq!(done, PasswordChange::Done);
    assert!(!begin(Proof::Password("old")).await, "verified against a password that is no more");
    assert!(!begin(Proof::Session(other)).await, "by a session that has ended");
    assert!(begin(Proof::Password("new")).await && begin(Proof::Session(ada.session)).await);
    database.end_sessions(me).await.unwrap();
    assert!(!begin(Proof::Session(ada.session)).await);
    let ended = database.set_password(me, (Some("new"), "newer"), ada.session, token()).await.unwrap();
    assert_eq!(ended, PasswordChange::Ended);
    assert_eq!(database.account(me).await.unwrap().unwrap().password_hash.as_deref(), Some("new"));
}

/// Both at once, however they meet: no session begins with the old password that
/// is there after the change.
#[tokio::test]
async fn a05_a_log_in_and_a_change_at_once() {
    let database = Fresh::create().await;
    let ada = somebody(&database, "Ada", Some("0")).await;
    let me = ada.user.id;
    for round in 0..40_u32 {
        let (old, new) = (round.to_string(), (round + 1).to_string());
        let begun: Vec<_> = (0..4).map(|_| session()).collect();
        let log_ins = begun
            .iter()
            .map(async |one| database.open_session(one, me, Proof::Password(&old)).await.unwrap());
        let change = database.set_password(me, (Some(&old), &new), ada.session, token());
        let (_opened, change) = futures::join!(futures::future::join_all(log_ins), change);
        assert_eq!(change.unwrap(), PasswordChange::Done);
        for one in begun {
            assert!(database.session(one.token).await.unwrap().is_none(), "round {round}");
        }
    }
}

#[tokio::test]
async fn the_end_of_a_session_is_put_off_but_not_for_ever() {
    let database = Fresh::create().await;
    let ada = somebody(&database, "Ada", None).await;
    let minute = Duration::from_secs(60);
    let held = another(&database, &ada, minute).await;
    let found = async || database.session(held).await.unwrap().unwrap();
    let id: SessionId = found().await.session;
    assert!(found().await.remains <= minute && found().await.used_today);
    database.extend_session(id, Lifetime { ttl: MONTH, max: 12 * MONTH }).await.unwrap();
    assert!(found().await.remains > MONTH - minute);
    let mut connection = database.kept.connection().await;
    let age =
        "UPDATE sessions SET created_at = now() - interval '11 days', used_at = now() - interval '2 days'";
    sqlx::query(age).execute(&mut connection).await.unwrap();
    assert!(!found().await.used_today && found().await.age > Duration::from_secs(10 * 24 * 60 * 60));
    let bounded = Lifetime { ttl: MONTH, max: Duration::from_secs(12 * 24 * 60 * 60) };
    database.use_sessions(&[id], bounded).await.unwrap();
    let found = found().await;
    assert!(found.used_today && found.remains <= Duration::from_secs(24 * 60 * 60), "{found:?}");
}

#[tokio::test]
async fn a_new_session_clears_expired_ones_away() {
    let database = Fresh::create().await;
    let held = somebody(&database, "Ada", None).await;
    let ada = &held.user;
    let mut connection = database.kept.connection().await;
    for _ in 0..4 {
        another(&database, &held, Duration::ZERO).await;
    }
    for _ in 0..3 {
        another(&database, &held, MONTH).await;
    }
    assert_eq!(expired(&mut connection).await, 0);
    // Many new ones in one statement, too.
    let expire =
        "INSERT INTO sessions SELECT sha256(n::text::bytea), $1, now(), now() FROM generate_series(1, 18) n";
    sqlx::query(expire).bind(ada.id.0).execute(&mut connection).await.unwrap();
    assert_eq!(expired(&mut connection).await, 18);
    let names: Vec<_> = (0..9).map(|n| name(&format!("Long {n}"))).collect();
    let claims = names.iter().map(|name| database.claim(name, None, session()));
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
    for text in ["Łucja Ångström", "Søren Łuczak-Łuk"] {
        claim(&database, text).await;
    }
    assert_eq!(names("ang", None, 10).await, ["Łucja Ångström"]);
    assert_eq!(names("soren l", None, 10).await, ["Søren Łuczak-Łuk"]);
    // Each is found once, also by two words and over several pages.
    let (mut found, mut after) = (Vec::new(), None);
    while let Some(one) = database.search_users("LU", after.as_deref(), 1).await.unwrap().pop() {
        found.push(one.user.name);
        after = Some(one.key);
    }
    assert_eq!(found, ["Łucja Ångström", "Søren Łuczak-Łuk"]);
    for nothing in ["%", "_", "'; DROP TABLE users; --", "\\"] {
        assert!(names(nothing, None, 10).await.is_empty(), "{nothing}");
    }
}
