//! What lies between clients and a server: a TCP proxy on loopback that delays,
//! cuts, swallows, throttles, doubles and reorders.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::seed::Dice;

/// The end of the head of a request or an answer (RFC 9112 §2.1).
const HEAD_END: &[u8] = b"\r\n\r\n";

/// Bytes read and not passed on, at the most: beyond it the sender waits.
const HELD_MAX_BYTES: usize = 64 * 1024;

/// How much later a frame comes that is to be overtaken by the next ones.
const LATE: Duration = Duration::from_millis(20);

/// How finely a throttled line is dosed.
const DOSE: Duration = Duration::from_millis(100);

/// What happens to the bytes of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Line {
    /// Everything is this much later.
    pub delay: Duration,
    /// Bytes a second; none for no limit.
    pub rate: Option<u32>,
    /// Nothing gets through, and neither end is told.
    pub dead: bool,
    /// The probability that a WebSocket frame comes twice.
    pub doubled: f64,
    /// The probability that the frames behind it overtake a frame.
    pub late: f64,
    /// The probability that a frame ends in its middle, with a reset.
    pub torn: f64,
}

/// Both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Weather {
    /// From the clients to the server.
    pub up: Line,
    /// From the server to the clients.
    pub down: Line,
}

impl Weather {
    pub fn both(line: Line) -> Self {
        Self { up: line, down: line }
    }
}

/// It ends with the last of its clients after it was dropped.
pub struct Proxy {
    /// Where clients connect.
    pub address: String,
    weather: watch::Sender<Weather>,
    /// A new number resets every connection there is.
    cuts: watch::Sender<u64>,
}

impl Proxy {
    /// Before the server at `target`.
    pub async fn start(target: &str, dice: &mut Dice) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let (weather, weathers) = watch::channel(Weather::default());
        let (cuts, cut) = watch::channel(0);
        let (target, mut dice) = (target.to_owned(), dice.fork());
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                if cut.has_changed().is_err() {
                    return;
                }
                tokio::spawn(join(near, target.clone(), weathers.clone(), cut.clone(), dice.fork()));
            }
        });
        Self { address, weather, cuts }
    }

    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// Resets every connection, on both sides.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

/// Until both ends have closed, or it is cut.
async fn join(
    near: TcpStream,
    target: String,
    weather: watch::Receiver<Weather>,
    mut cut: watch::Receiver<u64>,
    mut dice: Dice,
) {
    cut.borrow_and_update();
    // The server is away: so is the connection.
    let Ok(far) = TcpStream::connect(target).await else { return };
    for end in [&near, &far] {
        // An end that has gone already is seen when it is read.
        drop(end.set_nodelay(true));
    }
    let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
    let mut up = Pipe::new(near_read, far_write, weather.clone(), |weather| weather.up, dice.fork());
    let mut down = Pipe::new(far_read, near_write, weather, |weather| weather.down, dice.fork());
    let reset = tokio::select! {
        outcome = async { tokio::try_join!(up.run(), down.run()) } => outcome.is_err(),
        cut = cut.changed() => cut.is_ok(),
    };
    if reset {
        // Closing then sends RST. An end that has gone needs none.
        drop(up.from.as_ref().set_zero_linger());
        drop(down.from.as_ref().set_zero_linger());
    }
}

/// A frame was torn: the connection is to be reset.
struct Torn;

/// One direction.
struct Pipe {
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    weather: watch::Receiver<Weather>,
    line: fn(&Weather) -> Line,
    dice: Dice,
    /// Read and not yet a whole frame.
    partial: Vec<u8>,
    /// The head has passed: what follows are frames.
    upgraded: bool,
    /// What is to be passed on, by its time and number.
    held: BTreeMap<(Instant, u64), Vec<u8>>,
    held_bytes: usize,
    number: u64,
    /// When the last frame that is not late is to be passed on.
    due: Instant,
}

impl Pipe {
    fn new(
        from: OwnedReadHalf,
        to: OwnedWriteHalf,
        weather: watch::Receiver<Weather>,
        line: fn(&Weather) -> Line,
        dice: Dice,
    ) -> Self {
        let (partial, held) = (Vec::new(), BTreeMap::new());
        Self {
            from,
            to,
            weather,
            line,
            dice,
            partial,
            upgraded: false,
            held,
            held_bytes: 0,
            number: 0,
            due: Instant::now(),
        }
    }

    /// Passes everything on, until the end of either side.
    async fn run(&mut self) -> Result<(), Torn> {
        let mut open = true;
        while open || !self.held.is_empty() {
            self.alive().await;
            let due = self.held.keys().next().map(|(due, _)| *due);
            tokio::select! {
                biased;
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    if self.pass_on().await? {
                        break;
                    }
                }
                read = self.from.read_buf(&mut self.partial), if open && self.held_bytes < HELD_MAX_BYTES => {
                    open = read.is_ok_and(|length| length > 0);
                    self.hold();
                }
            }
        }
        // The other end may have gone before.
        drop(self.to.shutdown().await);
        Ok(())
    }

    /// Waits while the line is dead. A connection that dies meanwhile is not noticed.
    async fn alive(&mut self) {
        let line = self.line;
        // An error is a proxy that was dropped.
        drop(self.weather.wait_for(|weather| !line(weather).dead).await);
    }

    /// Takes what is whole of what was read.
    fn hold(&mut self) {
        let line = (self.line)(&self.weather.borrow());
        while let Some(length) = self.whole() {
            let frame: Vec<u8> = self.partial.drain(..length).collect();
            let late = self.upgraded && self.dice.share() < line.late;
            let copies = if self.upgraded && self.dice.share() < line.doubled { 2 } else { 1 };
            for _ in 0..copies {
                // What follows never overtakes by itself, also when the line gets faster.
                self.due = self.due.max(Instant::now() + line.delay);
                let due = self.due + if late { LATE } else { Duration::ZERO };
                self.held_bytes += frame.len();
                self.held.insert((due, self.number), frame.clone());
                self.number += 1;
            }
            self.upgraded |= frame.ends_with(HEAD_END);
        }
    }

    /// The length of the head, or of the next frame, when all of it is there.
    fn whole(&self) -> Option<usize> {
        if !self.upgraded {
            let end = self.partial.windows(HEAD_END.len()).position(|window| window == HEAD_END)?;
            return Some(end + HEAD_END.len());
        }
        let head = self.partial.get(1)?;
        let (length, from) = match head & 0x7f {
            126 => (u64::from(u16::from_be_bytes(self.partial.get(2..4)?.try_into().ok()?)), 4),
            127 => (u64::from_be_bytes(self.partial.get(2..10)?.try_into().ok()?), 10),
            length => (length.into(), 2),
        };
        let mask = if head & 0x80 == 0 { 0 } else { 4 };
        let whole = usize::try_from(length).ok()? + from + mask;
        (self.partial.len() >= whole).then_some(whole)
    }

    /// Passes the first frame on; true when there is nobody any more.
    async fn pass_on(&mut self) -> Result<bool, Torn> {
        let Some((_, frame)) = self.held.pop_first() else { return Ok(false) };
        self.held_bytes -= frame.len();
        let line = (self.line)(&self.weather.borrow());
        if self.upgraded && self.dice.share() < line.torn {
            // Whether it gets there makes no difference.
            drop(self.to.write_all(&frame[..frame.len() / 2]).await);
            return Err(Torn);
        }
        let Some(rate) = line.rate else { return Ok(self.to.write_all(&frame).await.is_err()) };
        // At least a byte in each dose.
        for dose in frame.chunks((rate as usize / 10).max(1)) {
            if self.to.write_all(dose).await.is_err() {
                return Ok(true);
            }
            sleep(DOSE.max(Duration::from_secs(1) / rate)).await;
        }
        Ok(false)
    }
}
