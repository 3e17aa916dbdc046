//! Somebody who uses the server: HTTP with a bearer token, and a socket.

use std::time::{Duration, Instant};

use futures::{SinkExt, StreamExt};
use reqwest::{RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tidings::domain::{ClientId, ConversationId, Seq};
use tidings::protocol::{
    ClientFrame, Content, Conversation, Cursor, Event, Hello, History, Ping, Send, ServerFrame, Session,
    Stored, User, Watch, Welcome,
};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use uuid::Uuid;

use super::PATIENCE;

/// A user with a session.
#[derive(Clone, Debug)]
pub struct Person {
    pub user: User,
    pub token: String,
    url: String,
    http: reqwest::Client,
}

impl Person {
    pub async fn log_in(url: &str, name: &str) -> Self {
        let log_in = json!({ "name": name, "bearer": true });
        let asked = http().post(format!("{url}/api/session")).json(&log_in);
        Self::of(url, answer(asked).await.unwrap_or_else(|error| panic!("{name}: {error:?}")))
    }

    /// Who has been given this session, with its token.
    pub fn of(url: &str, session: Session) -> Self {
        let token = session.token.expect("asked for with `bearer`");
        Self { user: session.user, token, url: url.to_owned(), http: http() }
    }

    /// The same session with another server on the same database.
    pub fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    /// The server's address and port.
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// A request with the token.
    pub fn request(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token)
    }

    /// An answer with success, or the status and the problem.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, (StatusCode, Value)> {
        answer(self.request(reqwest::Method::GET, path)).await
    }

    /// The direct conversation with somebody.
    pub async fn conversation_with(&self, other: &Self) -> ConversationId {
        let asked = self.request(reqwest::Method::POST, "/api/conversations");
        let opened = answer::<Conversation>(asked.json(&json!({ "user": other.user.id }))).await;
        opened.expect("a conversation").id
    }

    /// All messages, page by page.
    pub async fn history(&self, conversation: ConversationId) -> Vec<Event> {
        let (mut messages, mut after) = (Vec::new(), 0);
        loop {
            let page = self.page_after(conversation, after).await.expect("a page");
            messages.extend(page.messages);
            if page.to >= page.last_seq {
                return messages;
            }
            after = page.to;
        }
    }

    /// The texts of all messages.
    pub async fn texts(&self, conversation: ConversationId) -> Vec<String> {
        let text = |message: Event| message.body().map(str::to_owned);
        self.history(conversation).await.into_iter().filter_map(text).collect()
    }

    /// The next page of the log behind this place; an error is a server that is away.
    pub async fn page_after(
        &self,
        conversation: ConversationId,
        after: Seq,
    ) -> Result<History, reqwest::Error> {
        let path = format!("/api/conversations/{conversation}/messages?after={after}&limit=100");
        let asked = self.request(reqwest::Method::GET, &path).timeout(PATIENCE);
        asked.send().await?.error_for_status()?.json().await
    }

    /// An upgraded socket on which nothing has been said.
    pub async fn upgrade(&self) -> Result<Socket, tungstenite::Error> {
        self.upgrade_at(self.address()).await
    }

    /// The same through whatever listens at this address.
    pub async fn upgrade_at(&self, address: &str) -> Result<Socket, tungstenite::Error> {
        let mut request = format!("ws://{address}/api/socket").into_client_request()?;
        let bearer = format!("Bearer {}", self.token).parse().expect("a token is visible ASCII");
        request.headers_mut().insert("authorization", bearer);
        request
            .headers_mut()
            .insert("sec-websocket-protocol", tungstenite::http::HeaderValue::from_static("tidings.v2"));
        let stream = TcpStream::connect(address).await?;
        let (stream, _response) = tokio_tungstenite::client_async(request, stream).await?;
        Ok(Socket { stream, heard: Vec::new() })
    }

    /// A socket that has said hello and is in step with these conversations.
    pub async fn connect(&self, cursors: &[(ConversationId, u64)]) -> Socket {
        let mut socket = self.upgrade().await.expect("an upgrade");
        socket.hello(cursors, Watch::default()).await;
        socket.expect("synced", |frame| matches!(frame, ServerFrame::Synced(_))).await;
        socket
    }
}

/// A connection that is kept may be closed by the server just as it is used again, and what is
/// sent on it is not repeated as a browser would.
fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().expect("a client")
}

/// Success, or the status and the problem.
pub async fn answer<T: DeserializeOwned>(asked: RequestBuilder) -> Result<T, (StatusCode, Value)> {
    let response = asked.send().await.expect("an answer");
    let status = response.status();
    if status.is_success() {
        return Ok(response.json().await.expect("the shape of the protocol"));
    }
    Err((status, response.json().await.unwrap_or(Value::Null)))
}

/// One WebSocket.
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    /// Everything received, in order.
    pub heard: Vec<ServerFrame>,
}

impl Socket {
    pub async fn say(&mut self, frame: &ClientFrame) {
        self.say_text(&serde_json::to_string(frame).expect("a frame is JSON")).await;
    }

    pub async fn say_text(&mut self, text: &str) {
        self.stream.send(tungstenite::Message::text(text)).await.expect("an open socket");
    }

    /// Asks whether it is heard, and waits for the answer: what came before is done.
    pub async fn ping(&mut self) {
        self.say(&ClientFrame::Ping(Ping {})).await;
        self.expect("pong", |frame| matches!(frame, ServerFrame::Pong(_))).await;
    }

    /// All at once: in one write.
    pub async fn say_together(&mut self, texts: impl IntoIterator<Item = String>) {
        for text in texts {
            self.stream.feed(tungstenite::Message::text(text)).await.expect("an open socket");
        }
        self.stream.flush().await.expect("an open socket");
    }

    /// Anything, a socket that has been closed included.
    pub async fn try_say(&mut self, message: tungstenite::Message) -> Result<(), tungstenite::Error> {
        self.stream.send(message).await
    }

    pub async fn hello(&mut self, cursors: &[(ConversationId, u64)], watch: Watch) -> Welcome {
        let cursors = cursors.iter().map(|(conversation, seq)| Cursor::new(*conversation, *seq));
        self.say(&ClientFrame::Hello(Hello { cursors: cursors.collect(), watch, idle: false })).await;
        match self.expect("welcome", |frame| matches!(frame, ServerFrame::Welcome(_))).await {
            ServerFrame::Welcome(welcome) => welcome,
            other => unreachable!("{other:?}"),
        }
    }

    /// Sends a message by a fresh name, which is given back.
    pub async fn send(&mut self, conversation: ConversationId, body: &str) -> ClientId {
        let client_id = ClientId(Uuid::now_v7());
        let content = Content::message(body);
        self.say(&ClientFrame::Send(Send { client_id, conversation, content })).await;
        client_id
    }

    /// Its answer, which must be that it is stored.
    pub async fn stored(&mut self, client_id: ClientId) -> Stored {
        let answered = |frame: &ServerFrame| match frame {
            ServerFrame::Stored(stored) => stored.client_id == client_id,
            ServerFrame::Error(error) => error.client_id == Some(client_id),
            _ => false,
        };
        match self.expect("an answer to a send", answered).await {
            ServerFrame::Stored(stored) => stored,
            refused => panic!("not stored: {refused:?}"),
        }
    }

    /// The message with this body.
    pub async fn message(&mut self, body: &str) -> Event {
        let wanted =
            |frame: &ServerFrame| matches!(frame, ServerFrame::Event(event) if event.body() == Some(body));
        match self.expect(body, wanted).await {
            ServerFrame::Event(event) => event,
            other => unreachable!("{other:?}"),
        }
    }

    /// The next frame that fits; those before it are kept in `heard`.
    pub async fn expect(&mut self, what: &str, fits: impl Fn(&ServerFrame) -> bool) -> ServerFrame {
        let (started, known) = (Instant::now(), self.heard.len());
        while let Some(left) = PATIENCE.checked_sub(started.elapsed()) {
            match timeout(left, self.next()).await {
                Ok(Ok(frame)) if fits(&frame) => return frame,
                Ok(Ok(_)) => {}
                Ok(Err(end)) => panic!("{what}: closed with {end:?} after {:?}", &self.heard[known..]),
                Err(_) => break,
            }
        }
        panic!("{what}: not within {PATIENCE:?}, but {:?}", &self.heard[known..]);
    }

    /// The next frame, or how the socket ended.
    pub async fn next(&mut self) -> Result<ServerFrame, End> {
        loop {
            let text = match self.stream.next().await {
                Some(Ok(tungstenite::Message::Text(text))) => text,
                Some(Ok(tungstenite::Message::Close(Some(frame)))) => {
                    return Err(End { code: frame.code.into(), reason: frame.reason.to_string() });
                }
                Some(Ok(tungstenite::Message::Close(None)) | Err(_)) | None => return Err(End::cut()),
                Some(Ok(_)) => continue,
            };
            let frame: ServerFrame = serde_json::from_str(&text).expect("a frame of the protocol");
            self.heard.push(frame.clone());
            return Ok(frame);
        }
    }

    /// Whether nothing that fits comes within a time; everything is kept in `heard`.
    pub async fn expect_none_within(&mut self, time: Duration, fits: impl Fn(&ServerFrame) -> bool) -> bool {
        let came = async {
            loop {
                let frame = self.next().await.unwrap_or_else(|end| panic!("closed with {end:?}"));
                if fits(&frame) {
                    return;
                }
            }
        };
        timeout(time, came).await.is_err()
    }

    /// What comes within a time; for showing that something does not.
    pub async fn next_within(&mut self, time: Duration) -> Option<Result<ServerFrame, End>> {
        timeout(time, self.next()).await.ok()
    }

    /// How the server closes it.
    pub async fn end(&mut self) -> End {
        let ended = async {
            loop {
                if let Err(end) = self.next().await {
                    return end;
                }
            }
        };
        timeout(PATIENCE, ended).await.expect("the server closes it")
    }
}

/// How a socket ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// 1006 when it was cut without a word (RFC 6455 §7.1.5).
    pub code: u16,
    pub reason: String,
}

impl End {
    fn cut() -> Self {
        Self { code: 1006, reason: String::new() }
    }
}
