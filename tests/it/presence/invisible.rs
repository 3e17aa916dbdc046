use reqwest::Method;
use serde_json::json;
use sqlx::Executor;
use tidings::domain::ConversationId;
use tidings::protocol::{ClientFrame, Conversation, People, Position, ServerFrame, Session, Typing};

use super::News::{Joins, Leaves};
use super::{SETTINGS, Watcher, connect, crash, fault, found};
use crate::support::{Person, Socket, TestServer, eventually};

async fn choose(person: &Person, invisible: bool) {
    let asked = person.request(Method::PUT, "/api/session/visibility");
    let answer = asked.json(&json!({ "invisible": invisible })).send().await.expect("an answer");
    assert_eq!(answer.status(), 204);
}

/// What the user's own connection was told last, now or before.
async fn is_told(socket: &mut Socket, invisible: bool) {
    let told = |frame: &ServerFrame| match frame {
        ServerFrame::Visibility(told) => Some(told.invisible),
        _ => None,
    };
    if socket.heard.iter().rev().find_map(told) != Some(invisible) {
        socket.expect("the choice", |frame| told(frame) == Some(invisible)).await;
    }
}

async fn online(asker: &Person) -> (Vec<String>, u32) {
    let people: People = asker.get("/api/users?online=true").await.expect("a list");
    (people.users.into_iter().map(|person| person.user.name).collect(), people.online)
}

/// How far `person` has got, as `asker` is told: delivered and read.
async fn position(asker: &Person, conversation: ConversationId, person: &Person) -> (u64, u64) {
    let path = format!("/api/conversations/{conversation}");
    let told: Conversation = asker.get(&path).await.expect("a conversation");
    let member = told.members.into_iter().find(|member| member.user == person.user).expect("a member");
    (member.delivered, member.read)
}

/// The receipts of somebody that came to a socket: delivered and read.
fn receipts(socket: &Socket, person: &Person) -> Vec<(u64, u64)> {
    let of = |frame: &ServerFrame| match frame {
        ServerFrame::Receipt(receipt) if receipt.user == person.user.id => {
            Some((receipt.delivered, receipt.read))
        }
        _ => None,
    };
    socket.heard.iter().filter_map(of).collect()
}

async fn has_got(socket: &mut Socket, person: &Person, position: (u64, u64)) {
    let is_there = |frame: &ServerFrame| {
        matches!(frame, ServerFrame::Receipt(receipt)
            if receipt.user == person.user.id && (receipt.delivered, receipt.read) == position)
    };
    socket.expect("a receipt", is_there).await;
}

async fn read(socket: &mut Socket, conversation: ConversationId, seq: u64) {
    socket.say(&ClientFrame::Read(Position { conversation, seq })).await;
}

async fn send(socket: &mut Socket, conversation: ConversationId, body: &str) {
    let client_id = socket.send(conversation, body).await;
    socket.stored(client_id).await;
}

#[tokio::test]
async fn becoming_invisible_is_leaving_at_once_and_coming_back_joining() {
    let server = TestServer::start(&SETTINGS).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let mut hers = Watcher::of(&ada).await;
    let (mut desk, mut phone) = (connect(&bob, false).await, connect(&bob, true).await);
    hers.sees(&bob, Some(false)).await;
    choose(&bob, true).await;
    // At the answer it is in force.
    assert_eq!(online(&ada).await, (vec!["Ada".to_owned()], 1));
    let shown = found(&ada, &bob).await;
    assert!(!shown.online && shown.last_seen.is_some(), "{shown:?}");
    hers.sees(&bob, None).await;
    assert_eq!(hers.count, 1);
    for socket in [&mut desk, &mut phone] {
        is_told(socket, true).await;
    }
    // Nobody comes, goes or is away who is not seen.
    let another = connect(&bob, true).await;
    drop((desk, phone));
    let session: Session = bob.get("/api/session").await.unwrap();
    assert!(session.invisible);
    let snapshot = Watcher::of(&server.person("Cid").await).await;
    assert!(!snapshot.known.contains_key(&bob.user.id));
    assert_eq!(hers.news_of(&server, &bob).await, [Joins, Leaves]);
    assert_eq!(found(&ada, &bob).await, shown, "as in that moment");
    choose(&bob, true).await;
    choose(&bob, false).await;
    hers.sees(&bob, Some(true)).await;
    assert_eq!(hers.news_of(&server, &bob).await, [Joins, Leaves, Joins, super::News::Away]);
    drop(another);
}

#[tokio::test]
async fn what_an_invisible_user_does_is_not_told_but_for_messages() {
    let server = TestServer::start(&SETTINGS).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let (mut hers, mut his) = (ada.connect(&[]).await, bob.connect(&[]).await);
    let mut his_other = bob.connect(&[]).await;
    let types = ClientFrame::Typing(Typing { conversation });
    let is_typing = |frame: &ServerFrame| matches!(frame, ServerFrame::Typing(_));
    his.say(&types).await;
    hers.expect("typing", is_typing).await;
    for body in ["1", "2"] {
        send(&mut hers, conversation, body).await;
    }
    read(&mut his, conversation, 1).await;
    has_got(&mut hers, &bob, (1, 1)).await;
    choose(&bob, true).await;
    // Each message lets typing pass again: what follows is held back by the choice alone.
    send(&mut his, conversation, "3").await;
    his.say(&types).await;
    read(&mut his, conversation, 3).await;
    has_got(&mut his_other, &bob, (3, 3)).await;
    send(&mut his, conversation, "4").await;
    hers.message("4").await;
    assert_eq!(hers.heard.iter().filter(|frame| is_typing(frame)).count(), 1);
    assert_eq!(receipts(&hers, &bob), [(1, 1)]);
    assert_eq!(position(&ada, conversation, &bob).await, (1, 1));
    assert_eq!(position(&bob, conversation, &bob).await, (3, 3));
    // Visible again, everything is told that was not.
    choose(&bob, false).await;
    has_got(&mut hers, &bob, (3, 3)).await;
    assert_eq!(position(&ada, conversation, &bob).await, (3, 3));
    his.say(&types).await;
    hers.expect("typing", is_typing).await;
    read(&mut his, conversation, 4).await;
    has_got(&mut hers, &bob, (4, 4)).await;
    // The next time others see what was true when it began.
    choose(&bob, true).await;
    send(&mut hers, conversation, "5").await;
    read(&mut his, conversation, 5).await;
    has_got(&mut his_other, &bob, (5, 5)).await;
    assert_eq!(position(&ada, conversation, &bob).await, (4, 4));
}

/// Nobody has seen either of them, nor where they are, until they want it.
#[tokio::test]
async fn it_outlives_every_actor_and_the_server() {
    let server = TestServer::start(&SETTINGS).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    choose(&bob, true).await;
    let mut hers = Watcher::of(&ada).await;
    let mut his = connect(&bob, false).await;
    send(&mut hers.socket, conversation, "1").await;
    for station in ["user", "presence", "users", "persistence", "presence", "user"] {
        crash(&mut his, station).await;
    }
    is_told(&mut his, true).await;
    read(&mut his, conversation, 1).await;
    eventually("it is stored", async || position(&bob, conversation, &bob).await == (1, 1)).await;
    crash(&mut his, "presence").await;
    assert_eq!(hers.news_of(&server, &bob).await, []);
    assert_eq!(position(&ada, conversation, &bob).await, (0, 0));

    let server = TestServer::on(server.stop().await, &SETTINGS).await;
    let (ada, bob) = (ada.at(&server.url), bob.at(&server.url));
    let mut hers = Watcher::of(&ada).await;
    let mut his = bob.upgrade().await.unwrap();
    assert!(his.hello(&[], Default::default()).await.invisible);
    assert_eq!(hers.news_of(&server, &bob).await, []);
    assert_eq!(position(&ada, conversation, &bob).await, (0, 0));
    assert_eq!(found(&ada, &bob).await.last_seen, None, "never seen");
    choose(&bob, false).await;
    has_got(&mut hers.socket, &bob, (1, 1)).await;
    hers.sees(&bob, Some(false)).await;
}

#[tokio::test]
async fn a_choice_while_actors_die_is_kept() {
    let server = TestServer::start(&SETTINGS).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let mut hers = Watcher::of(&ada).await;
    let mut his = connect(&bob, false).await;
    hers.sees(&bob, Some(false)).await;
    for (number, station) in
        ["user", "presence", "users", "user", "presence", "users"].into_iter().enumerate()
    {
        let invisible = number % 2 == 0;
        let fatal = fault(station);
        tokio::join!(his.say_text(&fatal), choose(&bob, invisible));
        his.ping().await;
        is_told(&mut his, invisible).await;
        hers.sees(&bob, (!invisible).then_some(false)).await;
        assert_eq!(found(&ada, &bob).await.online, !invisible);
    }
}

/// Whoever connects while becoming invisible is in the end not shown, and of
/// several choices at once the last one to be stored counts everywhere.
#[tokio::test]
async fn choices_race_with_connections_and_with_each_other() {
    let server = TestServer::start(&SETTINGS).await;
    let ada = server.person("Ada").await;
    let mut hers = Watcher::of(&ada).await;
    for number in 0..20 {
        let bob = server.person(&format!("Bob {number}")).await;
        let (mut his, ()) = tokio::join!(connect(&bob, false), choose(&bob, true));
        eventually("not shown", async || !found(&ada, &bob).await.online).await;
        tokio::join!(choose(&bob, false), choose(&bob, true), choose(&bob, false), choose(&bob, true));
        let session: Session = bob.get("/api/session").await.unwrap();
        assert_eq!(found(&ada, &bob).await.online, !session.invisible);
        choose(&bob, true).await;
        crash(&mut his, "user").await;
        choose(&bob, false).await;
        hers.sees(&bob, Some(false)).await;
    }
}

/// Every change of a position commits only when this says so.
const GATE: &str = "
CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER wait AFTER UPDATE ON members DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION wait();
SELECT pg_advisory_lock(1)";

const WAITING: &str = "SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// Neither the choice, which cannot see it yet, nor its writer, whose statement
/// began before the choice, may leave it to the other.
#[tokio::test]
async fn a_position_that_commits_after_its_user_is_visible_is_told() {
    let server = TestServer::start(&SETTINGS).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let (mut hers, mut his) = (ada.connect(&[]).await, bob.connect(&[]).await);
    send(&mut hers, conversation, "?").await;
    choose(&bob, true).await;
    let mut gate = server.database.connection().await;
    gate.execute(GATE).await.unwrap();
    read(&mut his, conversation, 1).await;
    eventually("it is about to commit", async || {
        sqlx::query_scalar::<_, i64>(WAITING).fetch_one(&mut gate).await.unwrap() == 1
    })
    .await;
    choose(&bob, false).await;
    gate.execute("SELECT pg_advisory_unlock(1)").await.unwrap();
    has_got(&mut hers, &bob, (1, 1)).await;
    assert_eq!(position(&ada, conversation, &bob).await, (1, 1));
}

/// However a position and a choice meet, others know it when all is visible.
#[tokio::test]
async fn no_position_is_lost_on_the_way_back() {
    let server = TestServer::start(&[SETTINGS[1], ("TIDINGS_RECEIPT_INTERVAL_MS", "10")]).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let (mut hers, mut his) = (ada.connect(&[]).await, bob.connect(&[]).await);
    for seq in 1..=60 {
        send(&mut hers, conversation, "?").await;
        choose(&bob, true).await;
        tokio::join!(read(&mut his, conversation, seq), async {
            // At another moment each time.
            for _ in 0..seq * 20 {
                tokio::task::yield_now().await;
            }
            choose(&bob, false).await;
        });
        // The own device, which also answers the server's pings by this.
        has_got(&mut his, &bob, (seq, seq)).await;
        has_got(&mut hers, &bob, (seq, seq)).await;
        let told = receipts(&hers, &bob);
        assert!(told.is_sorted(), "{told:?}");
    }
}

#[tokio::test]
async fn a_choice_is_one_of_two() {
    let server = TestServer::start(&[]).await;
    let ada = server.person("Ada").await;
    for body in [json!({}), json!({ "invisible": "yes" }), json!({ "invisible": null })] {
        let asked = ada.request(Method::PUT, "/api/session/visibility").json(&body);
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status(), 400, "{body}");
        let problem: serde_json::Value = answer.json().await.unwrap();
        assert_eq!((&problem["code"], &problem["field"]), (&json!("invalid_field"), &json!("invisible")));
    }
    let answer = ada.request(Method::GET, "/api/session/visibility").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["allow"].to_str().unwrap()), (405, "PUT"));
}

/// Between two differences somebody comes, another begins to look and is shown
/// them, and they go: by the second difference nothing has changed.
#[tokio::test]
async fn who_was_shown_a_state_that_passes_is_told_of_its_end() {
    let settings = SETTINGS.map(|(name, value)| match name {
        "TIDINGS_PRESENCE_INTERVAL_MS" => (name, "1000"),
        _ => (name, value),
    });
    let server = TestServer::start(&settings).await;
    let [ada, bob, cleo] =
        [server.person("Ada").await, server.person("Bob").await, server.person("Cleo").await];
    let mut bob = Watcher::of(&bob).await;
    let _first = cleo.connect(&[]).await;
    // From here on there is a second to the next difference.
    bob.sees(&cleo, Some(false)).await;
    let _here = ada.connect(&[]).await;
    let mut cleo = Watcher::of(&cleo).await;
    cleo.sees(&ada, Some(false)).await;
    choose(&ada, true).await;
    cleo.sees(&ada, None).await;
    bob.sees(&ada, None).await;
}
