use std::io::{self, ErrorKind, Read, Write};

use mio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::websocket::{CLOSE, Frame, PING, PONG, TEXT, put_plain_head};

/// A socket of the relay.
pub struct Peer {
    stream: TcpStream,
    /// Once it is upgraded.
    pub user: Option<u32>,
    partial: Vec<u8>,
    pub out: Vec<u8>,
    sent: usize,
}

/// Whether it is still there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum State {
    Open,
    Gone,
}

impl Peer {
    pub fn new(stream: TcpStream) -> Self {
        Self { stream, user: None, partial: Vec::new(), out: Vec::new(), sent: 0 }
    }

    pub fn stream_mut(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Reads what is there; `on_text` gets each whole text. A cut is the peer's end.
    pub fn read(&mut self, buffer: &mut [u8], mut on_text: impl FnMut(&mut Self, &[u8])) -> State {
        loop {
            let count = match self.stream.read(buffer) {
                Ok(0) => return State::Gone,
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return State::Open,
                Err(_) => return State::Gone,
            };
            let state = if self.partial.is_empty() {
                let (used, state) = self.take(&mut buffer[..count], &mut on_text);
                self.partial.extend_from_slice(&buffer[used..count]);
                state
            } else {
                let mut whole = std::mem::take(&mut self.partial);
                whole.extend_from_slice(&buffer[..count]);
                let (used, state) = self.take(&mut whole, &mut on_text);
                whole.drain(..used);
                self.partial = whole;
                state
            };
            if state == State::Gone || count < buffer.len() {
                return state;
            }
        }
    }

    fn take(&mut self, bytes: &mut [u8], on_text: &mut impl FnMut(&mut Self, &[u8])) -> (usize, State) {
        let mut used = 0;
        if self.user.is_none() {
            let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
                return (0, State::Open);
            };
            if self.upgrade(&bytes[..end]).is_none() {
                return (0, State::Gone);
            }
            used = end + 4;
        }
        while let Some(frame) = Frame::first(&bytes[used..]) {
            frame.unmask(&mut bytes[used..]);
            let payload = &bytes[used + frame.start..used + frame.end];
            used += frame.end;
            match frame.opcode {
                TEXT => on_text(self, payload),
                PING => {
                    put_plain_head(&mut self.out, PONG, payload.len());
                    self.out.extend_from_slice(payload);
                }
                CLOSE => return (used, State::Gone),
                _ => {}
            }
        }
        (used, State::Open)
    }

    /// A bare upgrade: the key is answered, and the token is the user's number.
    fn upgrade(&mut self, head: &[u8]) -> Option<()> {
        let head = std::str::from_utf8(head).ok()?;
        let value = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let accept = derive_accept_key(value("Sec-WebSocket-Key:")?.as_bytes());
        self.user = Some(value("Authorization: Bearer")?.parse().ok()?);
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Protocol: tidings.v2\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        self.out.extend_from_slice(answer.as_bytes());
        Some(())
    }

    pub fn flush(&mut self) -> io::Result<()> {
        while self.sent < self.out.len() {
            match self.stream.write(&self.out[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.out.clear();
        self.sent = 0;
        Ok(())
    }
}
