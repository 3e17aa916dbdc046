//! A WebSocket by hand: what no library would send, and what it would hide.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::PATIENCE;
use super::client::Person;

/// The bit of a final fragment (RFC 6455 §5.2).
pub const FINAL: u8 = 0x80;
/// Opcodes with that bit.
pub const CONTINUATION: u8 = FINAL;
pub const TEXT: u8 = FINAL | 0x1;
pub const BINARY: u8 = FINAL | 0x2;
pub const CLOSE: u8 = FINAL | 0x8;
pub const PING: u8 = FINAL | 0x9;
pub const PONG: u8 = FINAL | 0xa;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// The head of a client's frame up to the mask, whatever follows.
pub fn head(first: u8, length: u64) -> Vec<u8> {
    let mut bytes = vec![first];
    match length {
        0..126 => bytes.push(0x80 | u8::try_from(length).expect("small")),
        126..=0xffff => {
            bytes.push(0x80 | 126);
            bytes.extend(u16::try_from(length).expect("16 bits").to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes
}

/// A whole frame as a client sends it: masked, its length in as few bytes as it takes.
pub fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = head(first, u64::try_from(payload.len()).expect("a length"));
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// A message in fragments.
pub fn fragments<'a>(opcode: u8, parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let parts: Vec<_> = parts.into_iter().collect();
    let frame = |(place, part): (usize, &&[u8])| {
        let opcode = if place == 0 { opcode & !FINAL } else { 0 };
        masked(if place + 1 == parts.len() { FINAL | opcode } else { opcode }, part)
    };
    parts.iter().enumerate().flat_map(frame).collect()
}

/// What became of a flood.
#[derive(Clone, Copy, Debug)]
pub struct Flooded {
    /// So much was taken from it.
    pub bytes: usize,
    /// The code that it was closed with, if it was.
    pub closed: Option<u16>,
}

/// Bytes on an upgraded connection.
pub struct RawSocket<S = TcpStream>(S);

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

    /// With a send buffer as small as the kernel makes it: what is written is soon
    /// at the server, or waits for it.
    pub async fn open_unbuffered(person: &Person) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_send_buffer_size(1).expect("before it connects");
        let address = person.address().parse().expect("an address");
        Self::upgrade(socket.connect(address).await.expect("a connection"), person).await
    }

    async fn upgrade(mut stream: TcpStream, person: &Person) -> Self {
        let request = format!(
            "GET /api/socket HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nConnection: upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
             Sec-WebSocket-Protocol: tidings.v2\r\n\r\n",
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

    pub async fn say(&mut self, head: u8, payload: &[u8]) {
        self.write(&masked(head, payload)).await;
    }

    /// The first half of such a frame.
    pub async fn say_half(&mut self, head: u8, payload: &[u8]) {
        let frame = masked(head, payload);
        self.write(&frame[..frame.len() / 2]).await;
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

    /// Sends the same again and again until it is closed; gives the code.
    pub async fn flood(&mut self, bytes: &[u8]) -> u16 {
        let (reader, mut writer) = self.0.split();
        let mut reader = RawSocket(reader);
        let without_end = async {
            while writer.write_all(bytes).await.is_ok() {}
            // Cut: what it has been told is read yet.
            std::future::pending().await
        };
        tokio::select! {
            code = reader.close_code() => code,
            () = without_end => unreachable!("it has no end"),
        }
    }

    /// Sends block after block as fast as it is let, and reads what comes, until
    /// the time is over or it is closed.
    pub async fn flood_for(&mut self, time: Duration, mut next: impl FnMut() -> Vec<u8>) -> Flooded {
        let (reader, mut writer) = self.0.split();
        let (mut reader, mut bytes) = (RawSocket(reader), 0);
        let sending = async {
            let mut block = Vec::new();
            loop {
                if block.is_empty() {
                    block = next();
                }
                match writer.write(&block).await {
                    Ok(written @ 1..) => {
                        bytes += written;
                        block.drain(..written);
                    }
                    // Cut: what it has been told is read yet.
                    Ok(0) | Err(_) => return std::future::pending().await,
                }
            }
        };
        let closed = tokio::select! {
            code = reader.close_code() => Some(code),
            () = sending => unreachable!("it has no end"),
            () = tokio::time::sleep(time) => None,
        };
        Flooded { bytes, closed }
    }

    /// Whether the server ends the stream in order, after everything read.
    pub async fn ends_in_order(&mut self) -> bool {
        let ended = timeout(PATIENCE, self.0.read_to_end(&mut Vec::new())).await;
        ended.expect("it ends").is_ok()
    }

    /// Cuts it: a reset, no end (TCP's RST).
    pub fn reset(self) {
        self.0.set_zero_linger().expect("an open socket");
    }
}

impl<S: AsyncRead + Unpin> RawSocket<S> {
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

    /// The next frame that is no text.
    pub async fn control(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            match self.frame().await {
                Some((TEXT, _)) => {}
                other => return other,
            }
        }
    }

    /// Waits for a text frame with this in it.
    pub async fn hears(&mut self, text: &str) {
        loop {
            match self.frame().await {
                Some((TEXT, payload)) if String::from_utf8_lossy(&payload).contains(text) => return,
                Some((CLOSE, payload)) => panic!("closed with {payload:?} instead of {text}"),
                Some(_) => {}
                None => panic!("cut instead of {text}"),
            }
        }
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
