//! Which names and passwords may be chosen, and when a name is free again.

use serde_json::json;
use sqlx::PgConnection;
use tidings::domain::UserId;

use crate::browser::{Browser, code};
use crate::support::{Bystanders, TestServer, eventually};

#[tokio::test]
async fn a_password_that_is_guessed_at_once_is_refused() {
    let server = TestServer::start(&[]).await;
    let bystanders = Bystanders::of(&server).await;
    let browser = Browser::on(&server.url);
    for (password, rule) in [
        ("password", "common"),
        ("12345678", "repetitive"),
        ("        ", "repetitive"),
        ("Ada Lovelace", "like_name"),
        ("short", "too_short"),
    ] {
        let refused =
            browser.post("/api/session", json!({ "name": "Ada Lovelace", "password": password })).await;
        assert_eq!(code(&refused), (400, "invalid_password"), "{password}");
        assert_eq!(
            (&refused.1["field"], &refused.1["rule"]),
            (&json!("password"), &json!(rule)),
            "{password}"
        );
    }
    assert_eq!(browser.log_in("Ada Lovelace").await.0, 200);
    let refused = browser.put("/api/session/password", json!({ "password": "adalovelace1" })).await;
    assert_eq!((code(&refused), &refused.1["rule"]), ((400, "invalid_password"), &json!("like_name")));
    bystanders.unharmed().await;
}

#[tokio::test]
async fn b17_names_of_the_server_and_look_alikes_are_refused_whatever_is_between() {
    let server = TestServer::start(&[]).await;
    let bystanders = Bystanders::of(&server).await;
    for name in ["Tidings Support", "admín", "Support", "s-u-p-p-o-r-t"] {
        let refused = Browser::on(&server.url).log_in(name).await;
        assert_eq!(
            (code(&refused), &refused.1["rule"]),
            ((400, "invalid_name"), &json!("reserved")),
            "{name}"
        );
    }
    Browser::named(&server.url, "Paul-Miller").await;
    for name in ["PaulMiller", "Paul Miller", "paul.miller", "РaulMiller"] {
        let refused = Browser::on(&server.url).log_in(name).await;
        assert!(
            [(409, "name_taken"), (400, "invalid_name")].contains(&code(&refused)),
            "{name}: {refused:?}"
        );
    }
    bystanders.unharmed().await;
}

/// Somebody of an older server, with what that kept of a name.
async fn older(connection: &mut PgConnection, name: &str, key: &str, look_alike: &str, hash: &str) {
    let insert =
        "INSERT INTO users (id, name, name_key, look_alike, password_hash) VALUES ($1, $2, $3, $4, $5)";
    let query = sqlx::query(insert).bind(UserId::fresh().0).bind(name.to_owned()).bind(key.to_owned());
    query.bind(look_alike.to_owned()).bind(hash.to_owned()).execute(connection).await.unwrap();
}

#[tokio::test]
async fn names_of_an_older_server_are_kept_and_compared_by_the_newer_rules() {
    let server = TestServer::start(&[]).await;
    let with_password = json!({ "name": "Model", "password": "correct horse" });
    assert_eq!(Browser::on(&server.url).post("/api/session", with_password).await.0, 200);
    let mut connection = server.database.connection().await;
    let hash: String =
        sqlx::query_scalar("SELECT password_hash FROM users").fetch_one(&mut connection).await.unwrap();
    older(&mut connection, "Support", "support", "support", &hash).await;
    older(&mut connection, "Paul-Miller", "paul-miller", "paul-rniller", &hash).await;
    older(&mut connection, "Paul Miller", "paul miller", "paul rniller", &hash).await;
    sqlx::query("DELETE FROM upgrades").execute(&mut connection).await.unwrap();
    let server = TestServer::on(server.stop().await, &[]).await;
    assert_eq!(code(&Browser::on(&server.url).log_in("PaulMiller").await), (409, "name_taken"));
    for name in ["Support", "Paul-Miller", "Paul Miller"] {
        let log_in = json!({ "name": name, "password": "correct horse" });
        assert_eq!(Browser::on(&server.url).post("/api/session", log_in).await.0, 200, "{name}");
    }
}

#[tokio::test]
async fn c11_names_that_nobody_uses_are_free_again() {
    let settings = [("TIDINGS_SESSION_CHECK_MS", "100"), ("TIDINGS_UNUSED_NAMES_DAYS", "2")];
    let server = TestServer::start(&settings).await;
    let bystanders = Bystanders::of(&server).await;
    let [_first, unused, talks, listens, _is_in] = [
        server.person("First").await,
        server.person("Unused").await,
        server.person("Talks").await,
        server.person("Listens").await,
        server.person("In").await,
    ];
    let empty = unused.conversation_with(&talks).await;
    let conversation = talks.conversation_with(&listens).await;
    let mut socket = talks.connect(&[]).await;
    let sent = socket.send(conversation, "Hello").await;
    socket.stored(sent).await;
    let protected = json!({ "name": "Protected", "password": "correct horse" });
    assert_eq!(Browser::on(&server.url).post("/api/session", protected).await.0, 200);
    drop(socket);

    let mut connection = server.database.connection().await;
    let end = "DELETE FROM sessions WHERE user_id IN
        (SELECT id FROM users WHERE name IN ('First', 'Unused', 'Talks', 'Listens', 'Protected'))";
    sqlx::query(end).execute(&mut connection).await.unwrap();
    let count = async |connection: &mut PgConnection, name: &str| -> i64 {
        let count = "SELECT count(*) FROM users WHERE name = $1";
        sqlx::query_scalar(count).bind(name.to_owned()).fetch_one(connection).await.unwrap()
    };
    let age = "UPDATE users SET created_at = now() - interval '3 days', last_seen_at = NULL";
    let age_first = format!("{age} WHERE name = 'First'");
    sqlx::query(sqlx::AssertSqlSafe(age_first)).execute(&mut connection).await.unwrap();
    eventually("the first name is free", async || count(&mut connection, "First").await == 0).await;
    // The same look saw both.
    assert_eq!(count(&mut connection, "Unused").await, 1, "it is kept for two days");
    sqlx::query(age).execute(&mut connection).await.unwrap();
    eventually("the name is free", async || count(&mut connection, "Unused").await == 0).await;
    for kept in ["Talks", "Listens", "Protected", "In"] {
        assert_eq!(count(&mut connection, kept).await, 1, "{kept}");
    }
    let left = "SELECT count(*) FROM conversations WHERE id = $1";
    assert_eq!(sqlx::query_scalar::<_, i64>(left).bind(empty.0).fetch_one(&mut connection).await.unwrap(), 0);
    assert_eq!(Browser::on(&server.url).log_in("Unused").await.0, 200);
    bystanders.unharmed().await;
}
