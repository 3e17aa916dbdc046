//! Everything that can break breaks, again and again, while people write; in the
//! end the checker finds nothing and nothing has grown.
//!
//! `TIDINGS_TEST_SOAK_SECONDS=1860 cargo test --release --test it soak -- --nocapture`

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tokio::time::sleep;

use crate::support::{Crowd, Dice, Line, Pace, Person, Plan, Proxy, ServerProcess, Weather, quantile};

/// Promised: everybody is in step and drained within this after the server, or
/// PostgreSQL, is up again.
const AFTER_SERVER: Duration = Duration::from_secs(10);
const AFTER_POSTGRES: Duration = Duration::from_secs(5);

/// What may be left of a fault when it is over.
const AFTER_NETWORK: Duration = Duration::from_secs(40);

/// The last part of the run has no new server, so that growth can be seen.
const CALM: f64 = 0.15;

/// How much memory may grow in that part.
const GROWTH_MAX_BYTES: usize = 8 << 20;

struct Size {
    time: Duration,
    people: usize,
    every: Duration,
}

/// A short one, unless the command asks for more.
fn size() -> Size {
    match std::env::var("TIDINGS_TEST_SOAK_SECONDS") {
        Err(_) => Size { time: Duration::from_secs(45), people: 40, every: Duration::from_millis(50) },
        Ok(seconds) => Size {
            time: Duration::from_secs(seconds.parse().expect("a number of seconds")),
            people: 200,
            every: Duration::from_millis(80),
        },
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    ServerKilled,
    ServerStopped,
    PostgresKilled,
    PostgresFrozen,
    UsersPanic,
    PresencePanics,
    PersistencePanics,
    ActorsPanic,
    Cut,
    BlackHole,
    HalfOpen,
    Slow,
    DoubledAndLate,
    Torn,
}

/// How often each, of all.
const SHARES: [(Fault, usize); 14] = [
    (Fault::ServerKilled, 12),
    (Fault::ServerStopped, 1),
    (Fault::PostgresKilled, 4),
    (Fault::PostgresFrozen, 1),
    (Fault::UsersPanic, 1),
    (Fault::PresencePanics, 1),
    (Fault::PersistencePanics, 1),
    (Fault::ActorsPanic, 2),
    (Fault::Cut, 1),
    (Fault::BlackHole, 1),
    (Fault::HalfOpen, 1),
    (Fault::Slow, 1),
    (Fault::DoubledAndLate, 1),
    (Fault::Torn, 1),
];

fn any(dice: &mut Dice) -> Fault {
    let mut place = dice.below(SHARES.iter().map(|(_, share)| share).sum());
    for (fault, share) in SHARES {
        if place < share {
            return fault;
        }
        place -= share;
    }
    unreachable!("the place is less than the sum of the shares")
}

/// Half of the people are behind a proxy.
struct Soak {
    server: ServerProcess,
    proxy: Proxy,
    direct: Crowd,
    behind: Crowd,
    breaker: Person,
    dice: Dice,
    /// How long each took until everybody had caught up.
    recoveries: BTreeMap<Fault, Vec<Duration>>,
    /// From a fatal frame to the reply to the next one on the same socket.
    replies: Vec<Duration>,
    panics: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn soak() {
    let size = size();
    let mut soak = Soak::start(&size).await;
    let begun = Instant::now();
    let calm = size.time.mul_f64(1.0 - CALM);
    while begun.elapsed() < calm {
        let fault = any(&mut soak.dice);
        soak.suffer(fault).await;
    }
    // The caches are warm before anything is measured.
    soak.suffer(Fault::ActorsPanic).await;
    let (mut memory, mut descriptors) = (Vec::new(), Vec::new());
    while begun.elapsed() < size.time || memory.len() < 8 {
        let fault = any(&mut soak.dice);
        if !matches!(fault, Fault::ServerKilled | Fault::ServerStopped) {
            soak.suffer(fault).await;
            memory.push(soak.server.resident_bytes());
            descriptors.push(soak.server.descriptors());
        }
    }
    eprintln!("memory in MiB: {:?}", memory.iter().map(|bytes| bytes >> 20).collect::<Vec<_>>());
    eprintln!("descriptors: {descriptors:?}");
    let quarter = memory.len() / 4;
    let most = |values: &[usize]| *values.iter().max().expect("some");
    let grown = most(&memory[memory.len() - quarter..]).saturating_sub(most(&memory[..quarter]));
    assert!(grown < GROWTH_MAX_BYTES, "{grown} bytes more in the calm part");
    soak.finish().await;
}

impl Soak {
    async fn start(size: &Size) -> Self {
        let mut dice = Dice::new("soak");
        let server = ServerProcess::start(&[
            ("TIDINGS_FAULTS", "on"),
            // Somebody has to be the one whose frames are fatal.
            ("TIDINGS_CRASHES", "100"),
            ("TIDINGS_CONNECTIONS_PER_ADDRESS", "10000"),
            // The server dies more often than the doubling of waits is made for.
            ("TIDINGS_RECONNECT_MAX_MS", "2000"),
        ])
        .await;
        let proxy = Proxy::start(server.address(), &mut dice).await;
        let pace = Pace { every: size.every, ..Pace::default() };
        let plan = Plan { name: "Direct", people: size.people / 2, pace, ..Plan::default() };
        let direct = Crowd::start(&server.url, &plan, &mut dice).await;
        let plan = Plan { name: "Behind", address: Some(&proxy.address), ..plan };
        let behind = Crowd::start(&server.url, &plan, &mut dice).await;
        let breaker = server.person("Breaker").await;
        let recoveries = BTreeMap::new();
        Self { server, proxy, direct, behind, breaker, dice, recoveries, replies: Vec::new(), panics: 0 }
    }

    /// One fault, in the middle of the traffic, until everybody has caught up.
    async fn suffer(&mut self, fault: Fault) {
        let more = self.dice.below(300) as u64;
        self.direct.until_more(more).await;
        match fault {
            Fault::ServerKilled => drop(self.restart(Signal::SIGKILL).await),
            Fault::ServerStopped => {
                let ended = self.restart(Signal::SIGTERM).await;
                assert!(ended.success(), "{}", self.server.log());
            }
            Fault::PostgresKilled => self.server.kill_postgres().await,
            Fault::PostgresFrozen => {
                let time = self.dice.within(Duration::from_millis(100), Duration::from_secs(2));
                self.server.freeze_postgres(time).await;
            }
            Fault::UsersPanic => self.say(r#"{"fault":"users"}"#).await,
            Fault::PresencePanics => self.say(r#"{"fault":"presence"}"#).await,
            Fault::PersistencePanics => self.say(r#"{"fault":"persistence"}"#).await,
            Fault::ActorsPanic => self.actors_panic().await,
            Fault::Cut => self.proxy.cut(),
            Fault::BlackHole => self.line(Line { dead: true, ..Line::default() }, true).await,
            Fault::HalfOpen => self.line(Line { dead: true, ..Line::default() }, false).await,
            Fault::Slow => {
                let delay = Duration::from_millis(200);
                self.line(Line { delay, rate: Some(20_000), ..Line::default() }, true).await;
            }
            Fault::DoubledAndLate => {
                self.line(Line { doubled: 0.2, late: 0.2, ..Line::default() }, false).await;
            }
            Fault::Torn => self.line(Line { torn: 0.02, ..Line::default() }, true).await,
        }
        let (direct, behind) = futures::join!(self.direct.until_caught_up(), self.behind.until_caught_up());
        let took = direct.max(behind);
        let allowed = match fault {
            Fault::ServerKilled | Fault::ServerStopped => AFTER_SERVER,
            Fault::PostgresKilled | Fault::PostgresFrozen => AFTER_POSTGRES,
            _ => AFTER_NETWORK,
        };
        assert!(took < allowed, "{fault:?}: everybody back and drained after {took:?}");
        self.recoveries.entry(fault).or_default().push(took);
    }

    async fn restart(&mut self, signal: Signal) -> std::process::ExitStatus {
        let ended = self.server.end(signal).await;
        self.server.start_again().await;
        ended
    }

    async fn say(&mut self, text: &str) {
        self.breaker.connect(&[]).await.say_text(text).await;
    }

    /// One after the other on one socket, and some of those who write.
    async fn actors_panic(&mut self) {
        /// Fewer than close the connections of a user whose actor keeps dying.
        const IN_A_ROW: usize = 15;
        const ELSEWHERE: usize = 35;
        let mut socket = self.breaker.connect(&[]).await;
        for _ in 0..IN_A_ROW {
            let begun = Instant::now();
            socket.say_text(r#"{"fault":"user"}"#).await;
            socket.ping().await;
            self.replies.push(begun.elapsed());
        }
        for _ in 0..ELSEWHERE {
            let crowd = if self.dice.below(2) == 0 { &self.direct } else { &self.behind };
            let who = self.dice.below(crowd.people().len());
            crowd.order(who, r#"{"fault":"user"}"#);
        }
        self.panics += IN_A_ROW + ELSEWHERE;
    }

    /// The line is bad for a while, in both directions or only towards clients.
    async fn line(&mut self, line: Line, both: bool) {
        let weather = Weather { up: if both { line } else { Line::default() }, down: line };
        self.proxy.set(weather);
        sleep(self.dice.within(Duration::from_millis(500), Duration::from_secs(3))).await;
        self.proxy.set(Weather::default());
    }

    async fn finish(mut self) {
        let database = self.server.database_url();
        let (direct, behind) = futures::join!(self.direct.finish(&database), self.behind.finish(&database));
        eprintln!("{} messages: lost 0, doubled 0, holes 0, reordered 0", direct.messages + behind.messages);
        for (fault, mut took) in self.recoveries {
            took.sort_unstable();
            let (median, most) = (quantile(&took, 0.5), quantile(&took, 1.0));
            eprintln!("{fault:?}: {} times, caught up after {median:?}, at most {most:?}", took.len());
        }
        self.replies.sort_unstable();
        let (median, p99) = (quantile(&self.replies, 0.5), quantile(&self.replies, 0.99));
        assert!(self.replies.is_empty() || median < Duration::from_millis(100), "a reply after {median:?}");
        eprintln!("{} actors panicked; {median:?} to the next reply, 99 % within {p99:?}", self.panics);
        assert!(self.server.end(Signal::SIGTERM).await.success(), "{}", self.server.log());
    }
}
