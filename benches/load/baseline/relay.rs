use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use time::OffsetDateTime;
use uuid::Uuid;

use super::Baseline;
use super::commit::{Commits, Delivery};
use super::faults::Faults;
use super::peer::{Peer, State};
use crate::message::{UUID_LEN, UuidText, read_hex};
use crate::websocket::{TEXT, put_plain_head};

const READ_BYTES: usize = 256 * 1024;
const EVENTS: usize = 1024;
const BACKLOG: i32 = 1024;

/// Commits under way at once, as many as the server's `TIDINGS_WRITERS`.
const WRITERS: usize = 2;

const LISTENER: Token = Token(usize::MAX);
const COMMITTED: Token = Token(usize::MAX - 1);

const SYNCED: &[u8] = br#"{"type":"synced","truncated":[],"reset":[]}"#;
const HELLO: &[u8] = br#""type":"hello""#;
const SEND: &[u8] = br#"{"type":"send","client_id":""#;
const BETWEEN: &[u8] = br#"","conversation":""#;
const BODY: &[u8] = br#"","kind":"message","body":""#;

/// A message in the only shape that is sent here.
struct Sent<'a> {
    client_id: &'a UuidText,
    conversation: &'a UuidText,
    body: &'a str,
}

#[derive(Default)]
struct User {
    peers: Vec<usize>,
    /// What came while nobody was there, as it goes over the wire.
    missed: Vec<u8>,
}

pub struct Relay {
    poll: Poll,
    listener: TcpListener,
    peers: Vec<Option<Peer>>,
    free: Vec<usize>,
    hub: Hub,
}

/// Whatever is not a socket.
struct Hub {
    users: Vec<User>,
    seqs: HashMap<(u32, u32), u64>,
    /// A conversation always has the same: order is kept.
    commits: Vec<Commits>,
    /// Of this turn.
    at: String,
    /// Peers with something to send.
    dirty: Vec<usize>,
    /// Told to make mistakes, for the checker to find.
    faults: Option<Faults>,
    /// Frames for others than who is read at the moment.
    relayed: Vec<Delivery>,
}

impl Relay {
    pub fn bind(baseline: &Baseline) -> io::Result<Self> {
        let poll = Poll::new()?;
        let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
        listener.set_nonblocking(true)?;
        listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
        listener.listen(BACKLOG)?;
        let mut listener = TcpListener::from_std(listener.into());
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let waker = Arc::new(Waker::new(poll.registry(), COMMITTED)?);
        let commits = match baseline {
            Baseline::Commit(database) => (0..WRITERS).map(|_| Commits::start(database, &waker)).collect(),
            Baseline::Relay | Baseline::Faulty => Ok(Vec::new()),
        };
        let hub = Hub {
            users: Vec::new(),
            seqs: HashMap::new(),
            commits: commits?,
            at: String::new(),
            dirty: Vec::new(),
            faults: matches!(baseline, Baseline::Faulty).then(Faults::default),
            relayed: Vec::new(),
        };
        Ok(Self { poll, listener, peers: Vec::new(), free: Vec::new(), hub })
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().expect("it is bound")
    }

    pub fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS);
        let mut buffer = vec![0; READ_BYTES];
        loop {
            self.poll.poll(&mut events, None)?;
            self.hub.at = tidings::domain::rfc3339(OffsetDateTime::now_utc());
            for event in &events {
                match event.token() {
                    LISTENER => self.accept()?,
                    COMMITTED => {}
                    Token(index) => self.on_ready(index, event.is_readable(), &mut buffer),
                }
            }
            self.commit()?;
            self.flush();
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => self.admit(stream)?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn admit(&mut self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let index = self.free.pop().unwrap_or(self.peers.len());
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, Token(index), interest)?;
        if index == self.peers.len() {
            self.peers.push(None);
        }
        self.peers[index] = Some(Peer::new(stream));
        Ok(())
    }

    fn on_ready(&mut self, index: usize, readable: bool, buffer: &mut [u8]) {
        let Some(peer) = &mut self.peers[index] else { return };
        self.hub.dirty.push(index);
        if readable {
            let hub = &mut self.hub;
            let state = peer.read(buffer, |peer, text| hub.on_text(index, peer, text));
            if state == State::Gone {
                self.part(index);
            }
            self.deliver();
        }
    }

    fn part(&mut self, index: usize) {
        let Some(mut peer) = self.peers[index].take() else { return };
        // It is closed either way.
        drop(self.poll.registry().deregister(peer.stream_mut()));
        if let Some(user) = peer.user.and_then(|user| self.hub.users.get_mut(user as usize)) {
            user.peers.retain(|one| *one != index);
        }
        self.free.push(index);
    }

    fn commit(&mut self) -> io::Result<()> {
        for commits in &mut self.hub.commits {
            if let Some(batch) = commits.go_on()? {
                self.hub.relayed.extend(batch.deliveries);
            }
        }
        self.deliver();
        Ok(())
    }

    fn deliver(&mut self) {
        let mut relayed = std::mem::take(&mut self.hub.relayed);
        for delivery in relayed.drain(..) {
            if let Some(Some(peer)) = self.peers.get_mut(delivery.origin)
                && peer.user == Some(delivery.sender)
            {
                put(&mut peer.out, &delivery.stored);
                self.hub.dirty.push(delivery.origin);
            }
            let others = self.hub.users[delivery.sender as usize].peers.iter();
            let others = others.filter(|index| **index != delivery.origin);
            let user = &self.hub.users[delivery.recipient as usize];
            for index in user.peers.iter().chain(others) {
                let peer = self.peers[*index].as_mut().expect("it is in the list of its user");
                put(&mut peer.out, &delivery.message);
                self.hub.dirty.push(*index);
            }
            if user.peers.is_empty() {
                put(&mut self.hub.users[delivery.recipient as usize].missed, &delivery.message);
            }
        }
        self.hub.relayed = relayed;
    }

    /// One write for all that a turn has brought.
    fn flush(&mut self) {
        let mut dirty = std::mem::take(&mut self.hub.dirty);
        for index in dirty.drain(..) {
            if let Some(peer) = &mut self.peers[index]
                && peer.flush().is_err()
            {
                self.part(index);
            }
        }
        self.hub.dirty = dirty;
    }
}

impl Hub {
    fn on_text(&mut self, index: usize, peer: &mut Peer, text: &[u8]) {
        let sender = peer.user.expect("it is upgraded");
        match Sent::read(text) {
            Some(sent) => self.on_send(index, sender, &sent),
            None if text.windows(HELLO.len()).any(|window| window == HELLO) => {
                let user = self.user(sender);
                user.peers.push(index);
                peer.out.append(&mut user.missed);
                put(&mut peer.out, SYNCED);
            }
            None => {}
        }
    }

    fn user(&mut self, number: u32) -> &mut User {
        let number = number as usize;
        if self.users.len() <= number {
            self.users.resize_with(number + 1, User::default);
        }
        &mut self.users[number]
    }

    fn on_send(&mut self, origin: usize, sender: u32, sent: &Sent<'_>) {
        let [low, high] = [&sent.conversation[..8], &sent.conversation[28..]].map(read_hex);
        let pair = [low, high].map(|number| u32::try_from(number).expect("8 digits"));
        let recipient = if pair[0] == sender { pair[1] } else { pair[0] };
        self.user(recipient);
        let seq = self.seqs.entry(pair.into()).or_default();
        *seq += 1;
        let seq = *seq;
        let sender_id = Uuid::from_u128(sender.into());
        let (stored, message) = frames(sent, seq, &sender_id, &self.at);
        let delivery = Delivery { origin, sender, recipient, stored, message };
        // Pairs are an even number and the next.
        let writer = pair[0] as usize / 2 % self.commits.len().max(1);
        let Some(commits) = self.commits.get_mut(writer) else {
            match &mut self.faults {
                Some(faults) => faults.pass(delivery, seq, &mut self.relayed),
                None => self.relayed.push(delivery),
            }
            return;
        };
        let batch = commits.next_mut();
        batch.conversations.push(uuid(sent.conversation));
        batch.seqs.push(seq.cast_signed());
        batch.senders.push(sender_id);
        batch.client_ids.push(uuid(sent.client_id));
        batch.bodies.push(sent.body.to_owned());
        batch.deliveries.push(delivery);
    }
}

impl<'a> Sent<'a> {
    fn read(text: &'a [u8]) -> Option<Self> {
        let (client_id, rest) = text.strip_prefix(SEND)?.split_first_chunk::<UUID_LEN>()?;
        let (conversation, rest) = rest.strip_prefix(BETWEEN)?.split_first_chunk::<UUID_LEN>()?;
        let body = rest.strip_prefix(BODY)?.strip_suffix(br#""}"#)?;
        Some(Self { client_id, conversation, body: std::str::from_utf8(body).ok()? })
    }
}

fn uuid(text: &UuidText) -> Uuid {
    Uuid::try_parse_ascii(text).expect("the generator's")
}

/// The server's two frames.
fn frames(sent: &Sent<'_>, seq: u64, sender: &Uuid, at: &str) -> (Vec<u8>, Vec<u8>) {
    let mut digits = [0; 20];
    let seq = decimal(seq, &mut digits);
    let mut sender_text = Uuid::encode_buffer();
    let sender = sender.hyphenated().encode_lower(&mut sender_text);
    let stored = [
        br#"{"type":"stored","client_id":""#.as_slice(),
        sent.client_id,
        br#"","conversation":""#,
        sent.conversation,
        br#"","seq":"#,
        seq,
        br#","at":""#,
        at.as_bytes(),
        br#"","duplicate":false}"#,
    ];
    let message = [
        br#"{"type":"event","conversation":""#.as_slice(),
        sent.conversation,
        br#"","seq":"#,
        seq,
        br#","sender":""#,
        sender.as_bytes(),
        br#"","client_id":""#,
        sent.client_id,
        br#"","at":""#,
        at.as_bytes(),
        br#"","kind":"message","body":""#,
        sent.body.as_bytes(),
        br#""}"#,
    ];
    (stored.concat(), message.concat())
}

fn decimal(number: u64, digits: &mut [u8; 20]) -> &[u8] {
    let (mut rest, mut at) = (number, digits.len());
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            return &digits[at..];
        }
    }
}

/// Nothing where a fault has left nothing.
fn put(out: &mut Vec<u8>, text: &[u8]) {
    if text.is_empty() {
        return;
    }
    put_plain_head(out, TEXT, text.len());
    out.extend_from_slice(text);
}
