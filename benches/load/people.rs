//! Who takes part: users with a session each, and the conversations they have.

use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use tidings::protocol::{Conversation, Session};

use crate::baseline;
use crate::client::{Http, Seat};
use crate::stage::Target;
use crate::websocket::{TEXT, put_masked};

/// Connections for requests; a browser's page would have one of its own.
const HTTP_CONNECTIONS: usize = 64;

/// A user with a session.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: String,
    pub token: String,
}

/// Logs that many in, under names nobody has. A baseline knows people by
/// number and asks for nothing.
pub fn log_in(target: &Target, count: usize) -> io::Result<Vec<Account>> {
    if target.is_baseline() {
        return Ok((0..count)
            .map(|number| Account { id: String::new(), token: number.to_string() })
            .collect());
    }
    let run = SystemTime::now().duration_since(UNIX_EPOCH).map_err(io::Error::other)?.as_micros();
    let requests = (0..count).map(|number| {
        let body = json!({ "name": format!("load {run:x} {number}"), "bearer": true });
        request(target, "POST", "/api/session", None, &body.to_string())
    });
    let answers = Http::new(target.address, HTTP_CONNECTIONS).ask(requests.collect())?;
    let account = |answer: Vec<u8>| {
        let session: Session = serde_json::from_slice(&answer)?;
        let token = session.token.ok_or_else(|| io::Error::other("no token"))?;
        Ok(Account { id: session.user.id.to_string(), token })
    };
    answers.into_iter().map(account).collect()
}

/// The conversations of these pairs of accounts, by their places.
pub fn converse(target: &Target, accounts: &[Account], pairs: &[(u32, u32)]) -> io::Result<Vec<String>> {
    if target.is_baseline() {
        return Ok(pairs.iter().map(|(low, high)| baseline::conversation(*low, *high)).collect());
    }
    let requests = pairs.iter().map(|(one, other)| {
        let body = json!({ "user": accounts[*other as usize].id });
        request(target, "POST", "/api/conversations", Some(&accounts[*one as usize]), &body.to_string())
    });
    let answers = Http::new(target.address, HTTP_CONNECTIONS).ask(requests.collect())?;
    let id = |answer: Vec<u8>| Ok(serde_json::from_slice::<Conversation>(&answer)?.id.to_string());
    answers.into_iter().map(id).collect()
}

/// A request with a body, or none of either.
pub fn request(target: &Target, method: &str, path: &str, account: Option<&Account>, body: &str) -> Vec<u8> {
    let bearer =
        account.map_or_else(String::new, |account| format!("Authorization: Bearer {}\r\n", account.token));
    let content = match body.len() {
        0 => String::new(),
        length => format!("Content-Type: application/json\r\nContent-Length: {length}\r\n"),
    };
    format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n{bearer}{content}\r\n{body}", target.address)
        .into_bytes()
}

/// What a socket of this account says first. `hello`: the fields of the frame.
pub fn seat(target: &Target, account: &Account, hello: &serde_json::Value) -> Seat {
    let request = format!(
        "GET /api/socket HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
         Sec-WebSocket-Protocol: tidings.v2\r\n\r\n",
        target.address, account.token
    );
    Seat { request: request.into_bytes(), hello: frame(hello) }
}

/// A frame as it goes over the wire.
pub fn frame(value: &serde_json::Value) -> Vec<u8> {
    let mut frame = Vec::new();
    put_masked(&mut frame, TEXT, value.to_string().as_bytes());
    frame
}

/// A first frame with this cursor.
pub fn hello(conversation: Option<(&str, u64)>) -> serde_json::Value {
    let cursor = conversation.map(|(conversation, seq)| json!({ "conversation": conversation, "seq": seq }));
    json!({ "type": "hello", "cursors": Vec::from_iter(cursor) })
}
