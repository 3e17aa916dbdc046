use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::{Said, Timer};
use crate::websocket::{CLOSE, Frame, PING, PONG, TEXT, put_masked};

/// One read; more than a window of frames.
const READ_BYTES: usize = 256 * 1024;
/// Events of one turn.
const EVENTS: usize = 1024;
/// Sockets from one address of this machine; after that the next, 127.0.0.x. A server lets one
/// address have half of its descriptors.
const SOCKETS_PER_ADDRESS: usize = 5_000;
/// The token of the timer; sockets have their index.
const TIMER: Token = Token(usize::MAX);

/// What a socket needs to get in.
#[derive(Clone)]
pub struct Seat {
    /// The request to upgrade.
    pub request: Vec<u8>,
    /// The first frame, as it goes over the wire.
    pub hello: Vec<u8>,
}

/// Who uses the sockets.
pub trait Handler {
    /// The server has said `synced` for the first time on this socket. What is
    /// appended to `out` is sent.
    fn on_in(&mut self, _index: usize, _out: &mut Vec<u8>) {}

    fn on_said(&mut self, index: usize, said: Said, out: &mut Vec<u8>);
}

/// Sockets on one thread.
pub struct Fleet {
    address: SocketAddr,
    poll: Poll,
    events: Events,
    timer: Timer,
    buffer: Box<[u8]>,
    lines: Vec<Line>,
    waiting: VecDeque<usize>,
    /// Under way to `synced`, and at most how many may be at once.
    entering: usize,
    entering_max: usize,
    in_count: usize,
    /// Frames that have come, of any kind.
    pub frames: u64,
}

struct Line {
    seat: Seat,
    stream: Option<TcpStream>,
    stage: Stage,
    partial: Vec<u8>,
    out: Vec<u8>,
    sent: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Out,
    Connecting,
    Upgrading,
    Greeting,
    In,
}

impl Fleet {
    pub fn new(address: SocketAddr, entering_max: usize) -> io::Result<Self> {
        let poll = Poll::new()?;
        let timer = Timer::new(poll.registry(), TIMER)?;
        Ok(Self {
            address,
            poll,
            events: Events::with_capacity(EVENTS),
            timer,
            buffer: vec![0; READ_BYTES].into_boxed_slice(),
            lines: Vec::new(),
            waiting: VecDeque::new(),
            entering: 0,
            entering_max,
            in_count: 0,
            frames: 0,
        })
    }

    /// Adds a socket, which stays outside until `enter`.
    pub fn add(&mut self, seat: Seat) -> usize {
        let line =
            Line { seat, stream: None, stage: Stage::Out, partial: Vec::new(), out: Vec::new(), sent: 0 };
        self.lines.push(line);
        self.lines.len() - 1
    }

    /// Puts it in the queue of those that connect.
    pub fn enter(&mut self, index: usize) {
        self.waiting.push_back(index);
    }

    /// Enters with another first frame from now on.
    pub fn set_hello(&mut self, index: usize, hello: Vec<u8>) {
        self.lines[index].seat.hello = hello;
    }

    /// How many there are, in or out.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// How many are in.
    pub fn in_count(&self) -> usize {
        self.in_count
    }

    /// Cuts it: a reset, no farewell.
    pub fn cut(&mut self, index: usize) -> io::Result<()> {
        self.waiting.retain(|one| *one != index);
        let line = &mut self.lines[index];
        if let Some(stream) = line.stream.take() {
            socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
        }
        self.in_count -= usize::from(line.stage == Stage::In);
        self.entering -= usize::from(!matches!(line.stage, Stage::In | Stage::Out));
        line.stage = Stage::Out;
        line.partial.clear();
        line.out.clear();
        line.sent = 0;
        Ok(())
    }

    /// Sends on one that is in.
    pub fn send(&mut self, index: usize, put: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let line = &mut self.lines[index];
        put(&mut line.out);
        line.flush()
    }

    /// Waits until something happens, at most until this moment, and deals with it.
    pub fn turn(&mut self, until: Instant, handler: &mut impl Handler) -> io::Result<()> {
        while self.entering < self.entering_max
            && let Some(index) = self.waiting.pop_front()
        {
            self.connect(index)?;
        }
        self.timer.set(until)?;
        match self.poll.poll(&mut self.events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            if event.token() != TIMER {
                let ready = (event.is_readable(), event.is_writable());
                self.on_ready(event.token().0, ready, handler).map_err(|error| {
                    io::Error::other(format!("socket {} of the generator: {error}", event.token().0))
                })?;
            }
        }
        self.events = events;
        Ok(())
    }

    /// Turns until it holds; an error when it does not in this time.
    pub fn turn_until<H: Handler>(
        &mut self,
        what: &str,
        patience: Duration,
        handler: &mut H,
        mut holds: impl FnMut(&Self, &H) -> bool,
    ) -> io::Result<()> {
        let until = Instant::now() + patience;
        while !holds(self, handler) {
            if Instant::now() >= until {
                return Err(io::Error::new(ErrorKind::TimedOut, format!("{what}: not within {patience:?}")));
            }
            self.turn(until, handler)?;
        }
        Ok(())
    }

    fn connect(&mut self, index: usize) -> io::Result<()> {
        let socket = Socket::new(Domain::for_address(self.address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        if self.address.ip().is_loopback() && self.address.is_ipv4() {
            let last = u8::try_from(1 + index / SOCKETS_PER_ADDRESS).map_err(io::Error::other)?;
            let own = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)), 0);
            socket.bind(&SockAddr::from(own))?;
        }
        match socket.connect(&SockAddr::from(self.address)) {
            Err(error) if error.raw_os_error() != Some(nix::errno::Errno::EINPROGRESS as i32) => {
                return Err(error);
            }
            _ => {}
        }
        let mut stream = TcpStream::from_std(socket.into());
        self.poll.registry().register(&mut stream, Token(index), Interest::READABLE | Interest::WRITABLE)?;
        let line = &mut self.lines[index];
        line.stream = Some(stream);
        line.stage = Stage::Connecting;
        self.entering += 1;
        Ok(())
    }

    fn on_ready(
        &mut self,
        index: usize,
        (readable, writable): (bool, bool),
        handler: &mut impl Handler,
    ) -> io::Result<()> {
        let line = &mut self.lines[index];
        if line.stage == Stage::Connecting && writable {
            let stream = line.stream.as_ref().expect("it connects");
            if let Some(error) = stream.take_error()? {
                return Err(error);
            }
            line.out.extend_from_slice(&line.seat.request);
            line.stage = Stage::Upgrading;
        }
        if readable {
            self.read(index, handler)?;
        }
        // It may have been cut meanwhile.
        self.lines[index].flush()
    }

    fn read(&mut self, index: usize, handler: &mut impl Handler) -> io::Result<()> {
        loop {
            let line = &mut self.lines[index];
            let Some(stream) = &mut line.stream else { return Ok(()) };
            let count = match stream.read(&mut self.buffer) {
                Ok(0) => return Err(io::Error::new(ErrorKind::UnexpectedEof, "closed by the server")),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let before = line.stage;
            if line.partial.is_empty() {
                let used = line.take(index, &self.buffer[..count], &mut self.frames, handler)?;
                line.partial.extend_from_slice(&self.buffer[used..count]);
            } else {
                let mut whole = std::mem::take(&mut line.partial);
                whole.extend_from_slice(&self.buffer[..count]);
                let used = line.take(index, &whole, &mut self.frames, handler)?;
                whole.drain(..used);
                line.partial = whole;
            }
            if before != Stage::In && line.stage == Stage::In {
                self.entering -= 1;
                self.in_count += 1;
            }
            if count < self.buffer.len() {
                return Ok(());
            }
        }
    }
}

/// Ends with resets: sockets that say goodbye keep their ports for a minute, and
/// there are 28,000 of those.
impl Drop for Fleet {
    fn drop(&mut self) {
        for stream in self.lines.iter().filter_map(|line| line.stream.as_ref()) {
            // Then it only takes longer.
            drop(socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO)));
        }
    }
}

impl Line {
    /// Deals with what is whole; how many bytes that were.
    fn take(
        &mut self,
        index: usize,
        bytes: &[u8],
        frames: &mut u64,
        handler: &mut impl Handler,
    ) -> io::Result<usize> {
        let mut used = 0;
        if self.stage == Stage::Upgrading {
            let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(0) };
            if !bytes.starts_with(b"HTTP/1.1 101") {
                let answer = String::from_utf8_lossy(bytes).into_owned();
                return Err(io::Error::other(format!("not upgraded: {answer}")));
            }
            used = end + 4;
            self.out.extend_from_slice(&self.seat.hello);
            self.stage = Stage::Greeting;
        }
        while let Some(frame) = Frame::first(&bytes[used..]) {
            let payload = &bytes[used + frame.start..used + frame.end];
            used += frame.end;
            match frame.opcode {
                TEXT => {
                    *frames += 1;
                    self.hear(index, Said::read(payload), handler);
                }
                PING => put_masked(&mut self.out, PONG, payload),
                CLOSE => {
                    let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                    return Err(io::Error::other(format!("closed with {code:?}")));
                }
                other => return Err(io::Error::other(format!("a frame that starts with {other:#x}"))),
            }
        }
        Ok(used)
    }

    fn hear(&mut self, index: usize, said: Said, handler: &mut impl Handler) {
        if said == Said::Synced && self.stage == Stage::Greeting {
            self.stage = Stage::In;
            handler.on_in(index, &mut self.out);
        } else {
            handler.on_said(index, said, &mut self.out);
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let Some(stream) = &mut self.stream else { return Ok(()) };
        if self.stage == Stage::Connecting {
            return Ok(());
        }
        while self.sent < self.out.len() {
            match stream.write(&self.out[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.out.clear();
        self.sent = 0;
        Ok(())
    }
}
