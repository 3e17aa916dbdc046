//! Too much at once, and somebody who does not keep up.

use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream;
use tidings::protocol::{ServerFrame, Watch};

use super::presence_frames;
use crate::support::{
    Bystanders, Crowd, Dice, Pace, Person, Plan, RawSocket, ServerProcess, Shape, Socket, TEXT, eventually,
    quantile,
};

/// What a slow reader may cost the server.
const SLOW_READER_MAX_BYTES: usize = 2 << 20;

/// Four people write to one, who has a second device that reads a byte a second.
/// Beside them the same happens at another server, without that device: whatever
/// else the machine does slows both down.
#[tokio::test]
async fn f17_a_slow_reader_is_closed_at_the_bound_and_nobody_else_notices() {
    let (server, other) = (ServerProcess::start(&[]).await, ServerProcess::start(&[]).await);
    let mut dice = Dice::new("f17");
    let pace = Pace { length: 1_000, every: Duration::from_millis(4), ..Pace::default() };
    let plan = Plan { people: 5, shape: Shape::Star, pace, ..Plan::default() };
    let crowd = Crowd::start(&server.url, &plan, &mut dice).await;
    let spared = Crowd::start(&other.url, &plan, &mut dice).await;
    // The allocator's arenas are warm then.
    crowd.until_answered(10_000).await;
    spared.until_answered(10_000).await;
    let before = server.resident_bytes();
    let begun = [crowd.elapsed(), spared.elapsed()];
    let mut slow = RawSocket::open_narrow(&crowd.people()[0]).await;
    slow.say(TEXT, br#"{"type":"hello","cursors":[]}"#).await;
    let reading = tokio::spawn(async move { slow.read_slowly(Duration::from_secs(1)).await });
    eventually("it is closed as too slow", async || {
        server.metric(r#"tidings_closes_total{code="4008"}"#).await >= 1.0
    })
    .await;
    let most = server.resident_bytes();
    let closed = [crowd.elapsed(), spared.elapsed()];
    crowd.until_more(10_000).await;
    let grown = most.max(server.resident_bytes()).saturating_sub(before);
    assert!(grown < SLOW_READER_MAX_BYTES, "{grown} bytes");
    reading.abort();
    assert!(crowd.kept_its_sockets());
    let outcome = crowd.finish(&server.database_url()).await;
    let spared = spared.finish(&other.database_url()).await;
    let with = quantile(&outcome.answers_between(begun[0], closed[0]), 0.5);
    let without = quantile(&spared.answers_between(begun[1], closed[1]), 0.5);
    eprintln!(
        "f17: closed after {:?}, {grown} bytes, {with:?} to an answer, spared {without:?}",
        closed[0] - begun[0]
    );
    assert!(with < without * 2, "{with:?} instead of {without:?}");
}

/// How many are cut; a command may ask for more (docs/reliability.md).
fn storm_size() -> usize {
    std::env::var("TIDINGS_TEST_STORM").map_or(500, |size| size.parse().expect("a number of people"))
}

/// Looks at the list of people, as a page does.
async fn look(person: &Person) -> Option<Socket> {
    let mut socket = person.upgrade().await.ok()?;
    socket.hello(&[], Watch { list: true, users: Vec::new() }).await;
    socket.expect("synced", |frame| matches!(frame, ServerFrame::Synced(_))).await;
    Some(socket)
}

#[tokio::test]
async fn f18_everybody_cut_at_once_is_back_within_ten_seconds() {
    const WATCHED: Duration = Duration::from_secs(5);
    let size = storm_size();
    let server = ServerProcess::start(&[
        ("TIDINGS_CONNECTIONS", "50000"),
        ("TIDINGS_CONNECTIONS_PER_ADDRESS", "50000"),
    ])
    .await;
    let mut dice = Dice::new("f18");
    let bystanders = Bystanders::calm_at(&server.url, &server.database_url()).await;
    let url = &server.url;
    let people: Vec<Person> = stream::iter(0..size)
        .map(async |number| Person::log_in(url, &format!("Storm {number}")).await)
        .buffer_unordered(16)
        .collect()
        .await;
    let sockets: Vec<Socket> = stream::iter(&people).filter_map(look).collect().await;
    assert_eq!(sockets.len(), size);
    let rest = server.load_over(Duration::from_secs(2)).await;
    drop(sockets);
    let begun = Instant::now();
    let back = people.iter().map(|person| {
        // The browser's first wait: between the shortest and twice that.
        let wait = dice.within(Duration::from_millis(500), Duration::from_secs(1));
        async move {
            tokio::time::sleep(wait).await;
            loop {
                if let Some(socket) = look(person).await {
                    return socket;
                }
            }
        }
    });
    let mut sockets = futures::future::join_all(back).await;
    let took = begun.elapsed();
    eprintln!("f18: {size} people back after {took:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    futures::future::join_all(
        sockets.iter_mut().map(async |socket| socket.expect_none_within(WATCHED, |_| false).await),
    )
    .await;
    // One a second from the first moment on, and the snapshot that was asked for. To look at
    // everybody's frames takes longer than it is waited for any.
    let watched = begun.elapsed();
    let allowed = 2 + watched.as_secs() as usize;
    let most = sockets.iter().map(presence_frames).max().unwrap();
    assert!(most <= allowed, "{most} frames of presence in {watched:?}");
    let after = server.load_over(Duration::from_secs(2)).await;
    eprintln!("f18: {most} frames of presence in {watched:?}, {after} of a core, {rest} before");
    assert!(after < rest + 0.1, "{after} of a core instead of {rest}");
    bystanders.unharmed().await;
}
