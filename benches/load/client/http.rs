use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Requests by the thousand, over some connections that are kept.
pub struct Http {
    address: SocketAddr,
    connections: usize,
}

struct Lane {
    stream: TcpStream,
    /// What is asked on it now: the place of the request.
    asked: Option<usize>,
    unsent: Vec<u8>,
    answer: Vec<u8>,
}

impl Http {
    pub fn new(address: SocketAddr, connections: usize) -> Self {
        Self { address, connections }
    }

    /// Asks all of these; the bodies of the answers in the same order. Any
    /// answer that is no success is an error.
    pub fn ask(&self, requests: Vec<Vec<u8>>) -> io::Result<Vec<Vec<u8>>> {
        let mut poll = Poll::new()?;
        let mut lanes = Vec::new();
        for index in 0..self.connections.min(requests.len()) {
            let mut stream = TcpStream::connect(self.address)?;
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut stream, Token(index), interest)?;
            lanes.push(Lane { stream, asked: None, unsent: Vec::new(), answer: Vec::new() });
        }
        let mut answers = vec![Vec::new(); requests.len()];
        let mut open = requests.len();
        let mut waiting: VecDeque<_> = requests.into_iter().enumerate().collect();
        let mut events = Events::with_capacity(1024);
        while open > 0 {
            poll.poll(&mut events, Some(PATIENCE))?;
            if events.is_empty() {
                return Err(io::Error::new(ErrorKind::TimedOut, "no answer"));
            }
            for event in &events {
                let lane = &mut lanes[event.token().0];
                if event.is_readable()
                    && let Some((place, body)) = lane.read()?
                {
                    answers[place] = body;
                    open -= 1;
                }
                if lane.asked.is_none()
                    && let Some((place, request)) = waiting.pop_front()
                {
                    (lane.asked, lane.unsent) = (Some(place), request);
                }
                lane.write()?;
            }
        }
        Ok(answers)
    }
}

impl Lane {
    fn write(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => {
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The whole answer, once it is there.
    fn read(&mut self) -> io::Result<Option<(usize, Vec<u8>)>> {
        let mut buffer = [0; 16 * 1024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.answer.extend_from_slice(&buffer[..count]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => {
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        let Some(body) = body(&self.answer)? else { return Ok(None) };
        self.answer.clear();
        let place = self.asked.take().ok_or_else(|| io::Error::other("an answer that nobody asked for"))?;
        Ok(Some((place, body)))
    }
}

/// One who asks, waits for the answer, and asks again.
pub struct Visitor {
    stream: std::net::TcpStream,
    answer: Vec<u8>,
}

impl Visitor {
    pub fn new(address: SocketAddr) -> io::Result<Self> {
        let stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, answer: Vec::new() })
    }

    pub fn ask(&mut self, request: &[u8]) -> io::Result<Vec<u8>> {
        self.stream.write_all(request)?;
        let mut buffer = [0; 64 * 1024];
        loop {
            let count = self.stream.read(&mut buffer)?;
            if count == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.answer.extend_from_slice(&buffer[..count]);
            if let Some(body) = body(&self.answer)? {
                self.answer.clear();
                return Ok(body);
            }
        }
    }
}

/// The body of an answer that is there as a whole.
fn body(answer: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let (head, body) = (String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase(), &answer[end + 4..]);
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(Ok(0), |length| length.trim().parse()).map_err(io::Error::other)?;
    if body.len() < length {
        return Ok(None);
    }
    if !head.starts_with("http/1.1 2") {
        return Err(io::Error::other(format!("refused: {}", String::from_utf8_lossy(answer))));
    }
    Ok(Some(body.to_vec()))
}
