//! Answers of HTTP that nobody reads.

use std::time::Duration;

use tidings::domain::ConversationId;
use tidings::protocol::History;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

use super::Attacked;
use super::filled::fill;
use crate::support::{Person, ServerProcess, eventually};

/// Between two requests of the attack.
const PAUSE: Duration = Duration::from_millis(10);

/// Asks for the largest page and takes nothing of it.
async fn ask_and_wait(person: &Person, conversation: ConversationId) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(1).expect("before it connects");
    let address = person.address().parse().expect("an address");
    let mut stream = socket.connect(address).await.expect("a connection");
    let request = format!(
        "GET /api/conversations/{conversation}/messages?limit=100 HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\r\n",
        person.address(),
        person.token
    );
    stream.write_all(request.as_bytes()).await.expect("written");
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c07_answers_that_nobody_reads_cost_a_page_each() {
    let mut attacked = Attacked::start().await;
    let mut abusers = Vec::new();
    for number in 0..4 {
        let abuser = attacked.person(&format!("Abuser {number}")).await;
        let conversation = fill(&attacked.server, abuser.user.id, 1, 100).await[0];
        abusers.push((abuser, conversation));
    }
    let attack = async {
        let mut stalled = Vec::new();
        for (abuser, conversation) in abusers.iter().cycle().take(300) {
            stalled.push(ask_and_wait(abuser, *conversation).await);
            // What is tried is what they hold, not how fast a debug build answers.
            tokio::time::sleep(PAUSE).await;
        }
        // All have been answered, or told to wait.
        tokio::time::sleep(Duration::from_secs(6)).await;
    };
    attacked.during("c07", attack).await;
}

#[tokio::test]
async fn c07_a_connection_ends_when_nothing_of_its_answer_is_taken_in_time() {
    let settings = [("TIDINGS_WRITE_TIMEOUT_MS", "2000"), ("TIDINGS_PAGE_BYTES", "16777216")];
    let server = ServerProcess::start(&settings).await;
    let ada = server.person("Ada").await;
    let conversation = fill(&server, ada.user.id, 1, 100).await[0];
    let mut stalled = Vec::new();
    for _ in 0..5 {
        stalled.push(ask_and_wait(&ada, conversation).await);
    }
    // Not only closed: the kernel would go on offering what it has.
    for stream in &stalled {
        let is_reset = async || stream.take_error().expect("an open socket").is_some();
        eventually("it is reset", is_reset).await;
    }
}

#[tokio::test]
async fn c07_who_takes_no_page_is_sent_no_other() {
    let settings = [
        ("TIDINGS_PAGES_PER_USER", "1"),
        ("TIDINGS_POOL_TIMEOUT_MS", "200"),
        ("TIDINGS_PAGE_BYTES", "16777216"),
    ];
    let server = ServerProcess::start(&settings).await;
    let ada = server.person("Ada").await;
    let conversation = fill(&server, ada.user.id, 1, 100).await[0];
    let stalled = ask_and_wait(&ada, conversation).await;
    let path = format!("/api/conversations/{conversation}/messages?limit=1");
    let status = async || match ada.get::<History>(&path).await {
        Ok(_) => 200,
        Err((status, _)) => status.as_u16(),
    };
    eventually("it is told to wait", async || status().await == 503).await;
    drop(stalled);
    eventually("it has a page again", async || status().await == 200).await;
}
