//! A WebSocket by hand: what no library would send, and what it would hide.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::PATIENCE;
use super::client::Person;

/// Opcodes with the bit of a final fragment (RFC 6455 §5.2).
pub const TEXT: u8 = 0x81;
pub const BINARY: u8 = 0x82;
pub const CLOSE: u8 = 0x88;
pub const PING: u8 = 0x89;

/// Bytes on an upgraded connection.
pub struct RawSocket(TcpStream);

impl RawSocket {
    pub async fn open(person: &Person) -> Self {
        let stream = TcpStream::connect(person.address()).await.expect("a connection");
        Self::upgrade(stream, person).await
    }

    /// With a receive buffer as small as the kernel makes it.
    pub async fn open_narrow(person: &Person) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(1).expect("before it connects");
        let address = person.address().parse().expect("an address");
        Self::upgrade(socket.connect(address).await.expect("a connection"), person).await
    }

    async fn upgrade(mut stream: TcpStream, person: &Person) -> Self {
        let request = format!(
            "GET /api/socket HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nConnection: upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
             Sec-WebSocket-Protocol: tidings.v1\r\n\r\n",
            person.address(),
            person.token
        );
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.expect("an answer"));
        }
        assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
        Self(stream)
    }

    /// A frame as a client sends it: masked, with zeroes.
    pub async fn say(&mut self, head: u8, payload: &[u8]) {
        self.write(&frame(head, payload)).await;
    }

    /// The first half of such a frame.
    pub async fn say_half(&mut self, head: u8, payload: &[u8]) {
        let frame = frame(head, payload);
        self.write(&frame[..frame.len() / 2]).await;
    }

    /// Ends the connection with RST.
    pub fn reset(self) {
        self.0.set_zero_linger().expect("an open socket");
    }

    /// Reads a byte, waits, and so on, to the end.
    pub async fn read_slowly(&mut self, wait: Duration) {
        while self.0.read_u8().await.is_ok() {
            tokio::time::sleep(wait).await;
        }
    }

    pub async fn write(&mut self, bytes: &[u8]) {
        if let Err(error) = self.0.write_all(bytes).await {
            // It was closed in the middle of too large a frame.
            eprintln!("not all was written: {error}");
        }
    }

    /// The next frame's head and payload; none at the end.
    pub async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        timeout(PATIENCE, self.read()).await.expect("a frame, or the end")
    }

    async fn read(&mut self) -> Option<(u8, Vec<u8>)> {
        let head = self.0.read_u8().await.ok()?;
        let length = match self.0.read_u8().await.ok()? {
            126 => self.0.read_u16().await.ok()?.into(),
            127 => self.0.read_u64().await.ok()?,
            length => length.into(),
        };
        let mut payload = vec![0; usize::try_from(length).ok()?];
        self.0.read_exact(&mut payload).await.ok()?;
        Some((head, payload))
    }

    /// The code that it is closed with; 1006 when it is cut.
    pub async fn close_code(&mut self) -> u16 {
        loop {
            match self.frame().await {
                Some((CLOSE, payload)) if payload.len() >= 2 => {
                    return u16::from_be_bytes([payload[0], payload[1]]);
                }
                Some(_) => {}
                None => return 1006,
            }
        }
    }
}

fn frame(head: u8, payload: &[u8]) -> Vec<u8> {
    let length = u64::try_from(payload.len()).expect("a length");
    let mut bytes = vec![head, 0xff];
    bytes.extend(length.to_be_bytes());
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}
