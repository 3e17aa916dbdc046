//! What lies between a client and the server fails.

use std::time::{Duration, Instant};

use tidings::domain::ClientId;
use tidings::protocol::{ClientFrame, Content, Send, ServerFrame, Watch};
use uuid::Uuid;

use super::{is_here, leaves, online, watcher};
use crate::support::{
    Bystanders, Crowd, Dice, Line, Pace, Plan, Proxy, RawSocket, ServerProcess, Standing, TEXT, TestServer,
    Weather, eventually,
};

/// Two who talk through the proxy.
fn behind(proxy: &Proxy) -> Plan<'_> {
    Plan { people: 2, address: Some(&proxy.address), ..Plan::default() }
}

#[tokio::test]
async fn f14_a_reset_in_mid_frame_is_a_clean_end() {
    let server =
        TestServer::start(&[("TIDINGS_PRESENCE_GRACE_MS", "200"), ("TIDINGS_PRESENCE_INTERVAL_MS", "50")])
            .await;
    let bystanders = Bystanders::of(&server).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let mut his = watcher(&bob).await;
    let mut hers = RawSocket::open(&ada).await;
    hers.say(TEXT, br#"{"type":"hello","cursors":[]}"#).await;
    his.expect("she is here", |frame| is_here(frame, &ada)).await;
    // A whole frame, and another of which half comes.
    let send = |body: &str| {
        let send =
            Send { client_id: ClientId(Uuid::now_v7()), conversation, content: Content::message(body) };
        serde_json::to_vec(&ClientFrame::Send(send)).unwrap()
    };
    hers.say(TEXT, &send("whole")).await;
    his.message("whole").await;
    hers.say_half(TEXT, &send("half")).await;
    hers.reset();
    his.expect("she has left", |frame| leaves(frame, &ada)).await;
    let texts = bob.texts(conversation).await;
    assert_eq!(texts, ["whole"]);
    bystanders.unharmed().await;
}

#[tokio::test]
async fn f14_connections_that_are_torn_in_mid_frame_lose_nothing() {
    let server =
        TestServer::start(&[("TIDINGS_RECONNECT_MIN_MS", "10"), ("TIDINGS_RECONNECT_MAX_MS", "100")]).await;
    let mut dice = Dice::new("f14");
    let proxy = Proxy::start(server.address(), &mut dice).await;
    let plan = Plan { people: 10, ..behind(&proxy) };
    let crowd = Crowd::start(&server.url, &plan, &mut dice).await;
    proxy.set(Weather::both(Line { torn: 0.02, ..Line::default() }));
    crowd.until_more(1_000).await;
    proxy.set(Weather::default());
    crowd.until_caught_up().await;
    assert!(
        crowd.standings().iter().map(|standing| standing.sockets).sum::<u64>() > 20,
        "hardly any was torn"
    );
    crowd.finish(server.database.url()).await;
}

/// With the times that the promise is about.
#[tokio::test]
async fn f15_a_black_hole_is_seen_within_45_seconds_and_a_blip_of_5_never() {
    let server = TestServer::start(&[]).await;
    let mut dice = Dice::new("f15");
    let proxy = Proxy::start(server.address(), &mut dice).await;
    let crowd = Crowd::start(&server.url, &behind(&proxy), &mut dice).await;
    let mut watcher = watcher(&server.person("Watcher").await).await;
    let ada = crowd.people()[0].clone();
    if !watcher.heard.iter().any(|frame| is_here(frame, &ada)) {
        watcher.expect("she is here", |frame| is_here(frame, &ada)).await;
    }
    crowd.until_answered(100).await;
    let dead = Weather::both(Line { dead: true, ..Line::default() });
    proxy.set(dead);
    let blip = watcher.expect_none_within(Duration::from_secs(5), |frame| leaves(frame, &ada)).await;
    proxy.set(Weather::default());
    assert!(blip, "a blip was seen");
    crowd.until_caught_up().await;
    assert!(crowd.kept_its_sockets());
    proxy.set(dead);
    let begun = Instant::now();
    watcher.expect("she has left", |frame| leaves(frame, &ada)).await;
    // A second for the difference, which goes out once a second.
    assert!(begun.elapsed() < Duration::from_secs(46), "offline after {:?}", begun.elapsed());
    proxy.set(Weather::default());
    crowd.until_caught_up().await;
    crowd.finish(server.database.url()).await;
}

#[tokio::test]
async fn f16_who_sends_and_hears_nothing_is_closed_and_resumes_with_everything() {
    let settings = [
        ("TIDINGS_PING_INTERVAL_MS", "1000"),
        ("TIDINGS_PONG_TIMEOUT_MS", "500"),
        ("TIDINGS_PRESENCE_GRACE_MS", "100"),
        ("TIDINGS_PRESENCE_INTERVAL_MS", "50"),
    ];
    let server = TestServer::start(&settings).await;
    let mut dice = Dice::new("f16");
    let proxy = Proxy::start(server.address(), &mut dice).await;
    let crowd = Crowd::start(&server.url, &behind(&proxy), &mut dice).await;
    let watcher = server.person("Watcher").await;
    let bystanders = Bystanders::of(&server).await;
    crowd.until_answered(100).await;
    for round in 1..=2 {
        proxy.set(Weather { down: Line { dead: true, ..Line::default() }, ..Weather::default() });
        eventually("both have left", async || online(&watcher, "Person").await == 0).await;
        proxy.set(Weather::default());
        // What the closed socket still held comes first, and may be all that was waited for.
        eventually("both have opened another", async || {
            crowd.standings().iter().all(|standing| standing.sockets > round)
        })
        .await;
        crowd.until_caught_up().await;
    }
    assert!(crowd.standings().iter().all(|standing| standing.sockets >= 3));
    crowd.finish(server.database.url()).await;
    bystanders.unharmed().await;
}

#[tokio::test]
async fn f19_twenty_reloads_are_never_seen_and_leave_one_session() {
    let server = ServerProcess::start(&[]).await;
    let bystanders = Bystanders::at(&server.url, &server.database_url()).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let mut his = watcher(&bob).await;
    let mut hers = Some(ada.connect(&[]).await);
    his.expect("she is here", |frame| is_here(frame, &ada)).await;
    let begun = Instant::now();
    for reload in 1..=20 {
        // The old page is gone before the new one connects.
        drop(hers.take());
        let left = his.expect_none_within(
            (Duration::from_millis(500) * reload).saturating_sub(begun.elapsed()),
            |frame| leaves(frame, &ada),
        );
        assert!(left.await, "seen leaving at reload {reload}");
        hers = Some(ada.connect(&[]).await);
    }
    // Longer than the grace: she stays.
    assert!(his.expect_none_within(Duration::from_secs(12), |frame| leaves(frame, &ada)).await);
    // His, the bystanders', and one of hers.
    eventually("one socket is hers", async || server.metric("tidings_sockets").await == 4.0).await;
    bystanders.unharmed().await;
}

#[tokio::test]
async fn f23_an_acknowledgement_that_is_lost_comes_again_with_the_same_place() {
    let server = TestServer::start(&[]).await;
    let mut dice = Dice::new("f23");
    let proxy = Proxy::start(server.address(), &mut dice).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let mut his = bob.connect(&[]).await;
    let mut hers = ada.upgrade_at(&proxy.address).await.unwrap();
    hers.hello(&[], Watch::default()).await;
    proxy.set(Weather { down: Line { dead: true, ..Line::default() }, ..Weather::default() });
    let client_id = hers.send(conversation, "once").await;
    let seen = his.message("once").await;
    proxy.cut();
    assert_eq!(hers.end().await.code, 1006);
    assert!(!hers.heard.iter().any(|frame| matches!(frame, ServerFrame::Stored(_))), "it was answered");
    let mut again = ada.connect(&[]).await;
    let send = Send { client_id, conversation, content: Content::message("once") };
    again.say(&ClientFrame::Send(send)).await;
    let stored = again.stored(client_id).await;
    assert_eq!((stored.seq, stored.duplicate), (seen.seq, true));
    // Under load, and again and again.
    let plan = Plan { people: 6, ..behind(&proxy) };
    proxy.set(Weather::default());
    let crowd = Crowd::start(&server.url, &plan, &mut dice).await;
    let mut swallowed = 0;
    for _ in 0..5 {
        crowd.until_more(100).await;
        // Whoever was still on the way back would not get there.
        crowd.until_caught_up().await;
        proxy.set(Weather { down: Line { dead: true, ..Line::default() }, ..Weather::default() });
        // What is in flight is stored meanwhile; the answers are swallowed.
        eventually("all that may be written is, and is stored", async || {
            let standings = crowd.standings();
            let written: u64 = standings.iter().map(|standing| standing.written).sum();
            let is_full = |one: &Standing| one.written == one.answered + plan.pace.window as u64;
            standings.iter().all(is_full) && in_database(&server).await == written + 1
        })
        .await;
        let before = crowd.answered();
        proxy.cut();
        proxy.set(Weather::default());
        crowd.until_answered(before + 100).await;
        let again: u64 = crowd.standings().iter().map(|standing| standing.duplicates).sum();
        assert!(again > swallowed, "no answer came again");
        swallowed = again;
    }
    crowd.finish(server.database.url()).await;
}

/// Messages in the database.
async fn in_database(server: &TestServer) -> u64 {
    let mut database = server.database.connection().await;
    let count = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM messages").fetch_one(&mut database);
    count.await.expect("a count").cast_unsigned()
}

#[tokio::test]
async fn f24_frames_doubled_or_reordered_on_the_way_are_shown_once_in_order() {
    let server = TestServer::start(&[]).await;
    let mut dice = Dice::new("f24");
    let proxy = Proxy::start(server.address(), &mut dice).await;
    let plan = Plan { people: 10, ..behind(&proxy) };
    proxy.set(Weather {
        // What a client sends is never reordered by TCP, and its order is its own.
        up: Line { doubled: 0.2, ..Line::default() },
        down: Line { doubled: 0.2, late: 0.2, ..Line::default() },
    });
    let crowd = Crowd::start(&server.url, &plan, &mut dice).await;
    crowd.until_answered(2_000).await;
    crowd.until_caught_up().await;
    assert!(crowd.kept_its_sockets());
    crowd.finish(server.database.url()).await;
}

#[tokio::test]
async fn a_slow_and_narrow_line_brings_everything() {
    let server = TestServer::start(&[]).await;
    let mut dice = Dice::new("narrow");
    let proxy = Proxy::start(server.address(), &mut dice).await;
    let pace = Pace { window: 2, every: Duration::from_millis(50), ..Pace::default() };
    let crowd = Crowd::start(&server.url, &Plan { pace, ..behind(&proxy) }, &mut dice).await;
    proxy.set(Weather::both(Line {
        delay: Duration::from_millis(300),
        rate: Some(8_000),
        ..Line::default()
    }));
    crowd.until_more(30).await;
    assert!(crowd.kept_its_sockets());
    crowd.finish(server.database.url()).await;
}

/// The order is that of the numbers: neither a client's clock nor the server's
/// (which names the time only) has a say.
#[tokio::test]
async fn f22_clocks_an_hour_off_change_no_order() {
    let server = TestServer::start(&[]).await;
    let bystanders = Bystanders::of(&server).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let (mut hers, mut his) = (ada.connect(&[]).await, bob.connect(&[]).await);
    let hour = Duration::from_secs(3_600);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let mut sent = Vec::new();
    // Her clock is an hour ahead, then right, then an hour behind.
    for (number, clock) in [now + hour, now, now - hour].into_iter().enumerate() {
        let time = uuid::Timestamp::from_unix(uuid::NoContext, clock.as_secs(), clock.subsec_nanos());
        let client_id = ClientId(Uuid::new_v7(time));
        hers.say(&ClientFrame::Send(Send {
            client_id,
            conversation,
            content: Content::message(&number.to_string()),
        }))
        .await;
        hers.stored(client_id).await;
        his.message(&number.to_string()).await;
        sent.push(client_id);
        // After the first, the server's clock is set back by an hour, as far as they can tell.
        if number == 0 {
            let mut database = server.database.connection().await;
            for statement in [
                "UPDATE messages SET created_at = created_at + interval '1 hour' WHERE conversation_id = $1",
                "UPDATE conversations SET last_at = last_at + interval '1 hour' WHERE id = $1",
            ] {
                sqlx::query(statement).bind(conversation.0).execute(&mut database).await.unwrap();
            }
        }
    }
    let log = bob.history(conversation).await;
    assert!(log.iter().map(|message| message.client_id).eq(sent.iter().copied()), "{log:?}");
    let mut resumed = bob.connect(&[(conversation, 0)]).await;
    let replayed = resumed.heard.iter().filter_map(|frame| match frame {
        ServerFrame::Event(event) => Some(event.client_id),
        _ => None,
    });
    assert!(replayed.eq(sent), "{:?}", resumed.heard);
    // The list of conversations does not jump back.
    let next = hers.send(conversation, "3").await;
    assert_eq!(hers.stored(next).await.seq, 4);
    resumed.message("3").await;
    bystanders.unharmed().await;
}
