//! What hostile clients send, beyond what cannot be read at all. Ids are those
//! of docs/reliability.md.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tidings::domain::{ConversationId, MAX_SAFE_INTEGER};
use tidings::protocol::{Conversations, ErrorFrame, ServerFrame};
use uuid::Uuid;

use crate::support::{
    Bystanders, Crowd, Dice, Pace, Person, Plan, ServerProcess, Socket, TestServer, answer, quantile,
};

async fn refused(socket: &mut Socket, frame: &Value) -> Value {
    socket.say_text(&frame.to_string()).await;
    match socket.expect("an error", |frame| matches!(frame, ServerFrame::Error(_))).await {
        ServerFrame::Error(error) => json!(error),
        other => unreachable!("{other:?}"),
    }
}

async fn talking(server: &TestServer) -> (Person, Person, ConversationId) {
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    (ada, bob, conversation)
}

fn send(conversation: ConversationId, body: &str) -> Value {
    json!({ "type": "send", "client_id": Uuid::now_v7(), "conversation": conversation, "kind": "message", "body": body })
}

#[tokio::test]
async fn b01_a_nul_is_refused_before_the_batch_and_harms_no_other() {
    let server = TestServer::start(&[]).await;
    let bystanders = Bystanders::of(&server).await;
    let (ada, bob, conversation) = talking(&server).await;
    let (mut hers, mut his) = (ada.connect(&[]).await, bob.connect(&[]).await);
    for round in 0..20 {
        hers.say_text(&send(conversation, &format!("before {round}")).to_string()).await;
        let error = refused(&mut hers, &send(conversation, "a\u{0}b")).await;
        assert_eq!((&error["code"], &error["field"]), (&json!("invalid_text"), &json!("body")));
        assert!(error["client_id"].is_string(), "{error}");
        hers.send(conversation, &format!("after {round}")).await;
    }
    his.message("after 19").await;
    let texts = bob.texts(conversation).await;
    let expected: Vec<_> =
        (0..20).flat_map(|round| [format!("before {round}"), format!("after {round}")]).collect();
    assert_eq!(texts, expected);
    bystanders.unharmed().await;
}

#[tokio::test]
async fn b13_a_client_id_is_a_uuid_or_refused() {
    let server = TestServer::start(&[]).await;
    let bystanders = Bystanders::of(&server).await;
    let (ada, _, conversation) = talking(&server).await;
    let mut socket = ada.connect(&[]).await;
    let long = "0".repeat(10 * 1024);
    let of_version_4 = "0199a3b0-0000-4000-8000-000000000001";
    for client_id in
        ["", &long, "not one", "0199a3b0", "{0199a3b0-0000-7000-8000-000000000001}", of_version_4]
    {
        let mut frame = send(conversation, "?");
        frame["client_id"] = json!(client_id);
        let error = refused(&mut socket, &frame).await;
        assert_eq!(
            (&error["code"], &error["field"]),
            (&json!("invalid_field"), &json!("client_id")),
            "{client_id:.40}"
        );
    }
    assert_eq!(ada.history(conversation).await, []);
    bystanders.unharmed().await;
}

#[tokio::test]
async fn b14_positions_are_clamped_or_refused_and_unread_is_never_negative() {
    let server = TestServer::start(&[("TIDINGS_RECEIPT_INTERVAL_MS", "10")]).await;
    let bystanders = Bystanders::of(&server).await;
    let (ada, bob, conversation) = talking(&server).await;
    let (mut hers, mut his) = (ada.connect(&[]).await, bob.connect(&[]).await);
    for number in 0..5 {
        let client_id = hers.send(conversation, &number.to_string()).await;
        hers.stored(client_id).await;
    }
    let read = |seq: Value| json!({ "type": "read", "conversation": conversation, "seq": seq });
    for seq in [json!(-1), json!("5"), json!(1.5), json!(null), json!(MAX_SAFE_INTEGER + 1)] {
        let error = refused(&mut his, &read(seq.clone())).await;
        assert_eq!((&error["code"], &error["field"]), (&json!("invalid_field"), &json!("seq")), "{seq}");
    }
    // Beyond the end is the end; backwards is nothing.
    for (seq, unread) in [(3, 2), (1, 2), (MAX_SAFE_INTEGER, 0), (2, 0)] {
        his.say_text(&read(json!(seq)).to_string()).await;
        let listed = async || {
            let listed: Conversations = bob.get("/api/conversations").await.unwrap();
            listed.conversations[0].unread
        };
        crate::support::eventually("it counts", async || listed().await == unread).await;
    }
    // What follows is one unread, whatever was claimed.
    let client_id = hers.send(conversation, "one more").await;
    hers.stored(client_id).await;
    let listed: Conversations = bob.get("/api/conversations").await.unwrap();
    assert_eq!(listed.conversations[0].unread, 1);
    // His other devices are told too: the end of what he claimed, and nothing behind it.
    his.message("one more").await;
    let own = |frame: &ServerFrame| match frame {
        ServerFrame::Receipt(receipt) if receipt.user == bob.user.id => Some(receipt.read),
        _ => None,
    };
    let told: Vec<_> = his.heard.iter().filter_map(own).collect();
    assert_eq!(told, [3, 5], "{:?}", his.heard);
    bystanders.unharmed().await;
}

/// There is no blocking yet; whoever adds it adds the case that it looks the same.
#[tokio::test]
async fn b15_to_oneself_is_for_notes_and_an_unknown_user_looks_like_none() {
    let server = TestServer::start(&[]).await;
    let bystanders = Bystanders::of(&server).await;
    let (ada, ..) = talking(&server).await;
    let open = async |user: Value| {
        let asked = ada.request(reqwest::Method::POST, "/api/conversations");
        let (status, problem) = answer::<Value>(asked.json(&json!({ "user": user }))).await.unwrap_err();
        (status.as_u16(), problem["code"].as_str().unwrap().to_owned())
    };
    assert_eq!(open(json!(Uuid::now_v7())).await, (404, "not_found".to_owned()));
    assert_eq!(open(json!("Bob")).await, (400, "invalid_field".to_owned()));
    // Notes reach the other devices and nobody else, and nothing in them is unread.
    let notes = ada.conversation_with(&ada).await;
    assert_eq!(notes, ada.conversation_with(&ada).await);
    let (mut socket, mut other) = (ada.connect(&[]).await, ada.connect(&[]).await);
    let client_id = socket.send(notes, "buy milk").await;
    socket.stored(client_id).await;
    other.message("buy milk").await;
    let listed: Conversations = ada.get("/api/conversations").await.unwrap();
    let listed = listed.conversations.iter().find(|one| one.id == notes).unwrap();
    assert_eq!((listed.members.len(), listed.last_seq, listed.unread), (1, 1, 0));
    other.say_text(&json!({ "type": "read", "conversation": notes, "seq": 1 }).to_string()).await;
    let error = refused(&mut socket, &send(ConversationId::fresh(), "anybody?")).await;
    assert_eq!((&error["code"], &error["field"]), (&json!("not_found"), &json!("conversation")));
    bystanders.unharmed().await;
}

#[tokio::test]
async fn b21_marks_and_lines_are_limited_like_any_text() {
    let server = TestServer::start(&[]).await;
    let bystanders = Bystanders::of(&server).await;
    let (ada, bob, conversation) = talking(&server).await;
    let (mut hers, mut his) = (ada.connect(&[]).await, bob.connect(&[]).await);
    for text in [format!("a{}", "\u{301}".repeat(10_000)), "\n".repeat(30_000) + "x"] {
        let error = refused(&mut hers, &send(conversation, &text)).await;
        assert_eq!((&error["code"], &error["field"]), (&json!("text_too_long"), &json!("body")));
    }
    // What does not fit into a frame ends its connection, and that is all.
    let mut other = ada.connect(&[]).await;
    other.say_text(&send(conversation, &"\n".repeat(100_000)).to_string()).await;
    assert_eq!(other.end().await.code, 1009);
    // The most that is allowed arrives as it was sent.
    for text in [format!("a{}", "\u{301}".repeat(3_999)), format!("{}x", "\n".repeat(3_999))] {
        hers.send(conversation, &text).await;
        his.message(&text).await;
    }
    bystanders.unharmed().await;
}

/// Beside them the same others write at a second server, which is spared the
/// flood: whatever else the machine does slows both down.
#[tokio::test(flavor = "multi_thread")]
async fn b30_a_flood_is_limited_and_others_do_not_notice() {
    const TIME: Duration = Duration::from_secs(4);
    // More than others write, and less than the flood brings on the busiest machine.
    let settings = [("TIDINGS_SENDS_PER_SECOND", "30"), ("TIDINGS_SENDS_BURST", "30")];
    let (server, other) = (ServerProcess::start(&settings).await, ServerProcess::start(&settings).await);
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let (pace, mut dice) = (Pace { every: Duration::from_millis(50), ..Pace::default() }, Dice::new("b30"));
    let plan = Plan { pace, ..Plan::default() };
    let others = Crowd::start(&server.url, &plan, &mut dice).await;
    let spared = Crowd::start(&other.url, &plan, &mut dice).await;
    others.until_answered(500).await;
    spared.until_answered(500).await;
    let mut socket = ada.connect(&[]).await;
    let (mut sent, mut limited, begun) = (0, 0, Instant::now());
    let from = [others.elapsed(), spared.elapsed()];
    let mut next = tokio::time::interval(Duration::from_secs(1) * BURST / RATE);
    while begun.elapsed() < TIME {
        next.tick().await;
        limited += burst(&mut socket, conversation).await;
        sent += BURST as usize;
    }
    let to = [others.elapsed(), spared.elapsed()];
    eprintln!("b30: {sent} sends, {limited} of them refused");
    assert!(limited > sent / 2, "{sent} sends, {limited} refused");
    let stored = bob.history(conversation).await.len() as u64;
    // A burst, and what the rate lets through until the last is read back.
    let most = 30 * (begun.elapsed().as_secs() + 2);
    assert!(stored <= most, "{stored} got through");
    assert!(others.kept_its_sockets());
    let flooded = others.finish(&server.database_url()).await.answers_between(from[0], to[0]);
    let quiet = spared.finish(&other.database_url()).await.answers_between(from[1], to[1]);
    let (flooded, quiet) = (quantile(&flooded, 0.99), quantile(&quiet, 0.99));
    eprintln!("b30: 99 % of the answers within {flooded:?}, spared {quiet:?}");
    assert!(flooded < quiet * 3 + Duration::from_millis(20), "{flooded:?} instead of {quiet:?}");
}

/// Sends a second.
const RATE: u32 = 1_000;
const BURST: u32 = 20;

/// So many sends, and their answers; how many were refused.
async fn burst(socket: &mut Socket, conversation: ConversationId) -> usize {
    for _ in 0..BURST {
        socket.send(conversation, "buy").await;
    }
    let mut limited = 0;
    for _ in 0..BURST {
        let answered = |frame: &ServerFrame| matches!(frame, ServerFrame::Error(_) | ServerFrame::Stored(_));
        if let ServerFrame::Error(ErrorFrame { error, .. }) = socket.expect("an answer", answered).await {
            assert!(["rate_limited", "busy"].contains(&json!(error.code).as_str().unwrap()), "{error:?}");
            assert!(error.retry_after_ms.is_some());
            limited += 1;
        }
    }
    limited
}
