//! What has no permit of its own: sockets that come and go, choices that change,
//! and questions of strangers. Each costs its sender a request.

use std::time::Duration;

use futures::future::join_all;
use reqwest::{Client, Method};
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use super::Attacked;
use crate::support::Person;

const TIME: Duration = Duration::from_secs(5);

/// One user's at a time: fewer than the sockets that a user may have.
const AT_ONCE: usize = 8;

/// Does the same again and again until the time is over; how often that was.
async fn repeat(mut once: impl AsyncFnMut()) -> usize {
    let end = Instant::now() + TIME;
    let mut count = 0;
    while timeout_at(end, once()).await.is_ok() {
        count += 1;
    }
    count
}

/// A socket that says hello, hears something, and is gone.
async fn come_and_go(abuser: &Person) {
    // One that is not let in has to ask again as well.
    let Ok(mut socket) = abuser.upgrade().await else { return };
    socket.say_text(r#"{"type":"hello","cursors":[],"watch":{"list":true}}"#).await;
    // Its end is as good as any frame.
    drop(socket.next().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c05_sockets_that_come_and_go_delay_nobody() {
    let mut attacked = Attacked::start().await;
    let mut abusers = Vec::new();
    for number in 0..4 {
        abusers.push(attacked.person(&format!("Abuser {number}")).await);
    }
    let sockets = abusers.iter().flat_map(|abuser| std::iter::repeat_n(abuser, AT_ONCE));
    let attack = join_all(sockets.map(|abuser| repeat(async || come_and_go(abuser).await)));
    let times: usize = attacked.during("c05, sockets", attack).await.iter().sum();
    eprintln!("c05: {times} sockets came and went");
    assert!(times > 100, "it was no attack: {times}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c05_choices_that_change_delay_nobody() {
    let mut attacked = Attacked::start().await;
    let abuser = attacked.person("Abuser").await;
    let _here = abuser.connect(&[]).await;
    let change = async |number: usize| {
        let mut invisible = number.is_multiple_of(2);
        repeat(async || {
            invisible = !invisible;
            let body = json!({ "invisible": invisible });
            drop(abuser.request(Method::PUT, "/api/session/visibility").json(&body).send().await);
        })
        .await
    };
    let times: usize = attacked.during("c05, choices", join_all((0..AT_ONCE).map(change))).await.iter().sum();
    eprintln!("c05: {times} changes of one choice");
    assert!(times > 100, "it was no attack: {times}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c05_strangers_who_ask_whether_the_server_is_ready_delay_nobody() {
    let mut attacked = Attacked::start().await;
    let (client, url) =
        (Client::builder().no_proxy().build().unwrap(), format!("{}/readyz", attacked.server.url));
    let ask = |_| repeat(async || drop(client.get(&url).send().await));
    let times: usize = attacked.during("c05, readyz", join_all((0..64).map(ask))).await.iter().sum();
    eprintln!("c05: {times} questions whether the server is ready");
    assert!(times > 100, "it was no attack: {times}");
}
