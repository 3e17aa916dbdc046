//! What is run, and at which sizes.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;

use crate::scenarios::FEWEST_MESSAGES;

pub const HELP: &str = "\
cargo bench --bench load -- [SCENARIO …] [OPTION …]

Scenarios: start pairs rate idle storm presence fanout history; all of them when none is named. Without
options they run at the sizes of the goals.

  --users N       pairs: people; rate: people
  --window N      pairs, fanout: messages of each without an answer
  --rate N        rate: messages a second
  --sockets N     idle, storm: sockets
  --online N      presence: people online
  --changes N     presence: changes a second
  --tabs N        fanout: tabs of the one person
  --messages N    history: messages in the log
  --seconds N     how long each run is measured
  --entering N    sockets on their way in at once, at the most
  --curves        pairs, rate, idle at growing sizes as well, drawn as SVG
  --url URL       measure the server that runs there instead, without baselines
  --out DIR       for results.jsonl and the curves (target/load when left out)";

/// Sizes of the goals.
const SECONDS: u64 = 10;
const USERS_OF_PAIRS: usize = 200;
const WINDOW: usize = 8;
const USERS_OF_RATE: usize = 1_000;
const RATE: f64 = 5_000.0;
const IDLE: usize = 10_000;
const STORM: usize = 5_000;
const ONLINE: usize = 10_000;
const CHANGES: f64 = 100.0;
/// As many as the server allows.
const TABS: usize = 10;
const HISTORY: u64 = 1_000_000;
const STARTS: usize = 5;
const ENTERING: usize = 256;

/// What the server allows one connection (`TIDINGS_UNACKNOWLEDGED_SENDS`).
const WINDOW_MAX: usize = 32;

/// Sizes of the curves, besides those of the goals.
const PAIRS_CURVE: [usize; 5] = [2, 10, 50, 500, 1_000];
const RATE_CURVE: [f64; 5] = [500.0, 1_000.0, 2_000.0, 10_000.0, 20_000.0];
const IDLE_CURVE: [usize; 3] = [1_000, 2_500, 5_000];
/// Always beside that of the goal: the cost of a change must not grow with it.
const ONLINE_CURVE: [usize; 2] = [100, 1_000];

#[derive(Clone, Debug)]
pub struct Settings {
    /// None named means all.
    pub scenarios: Vec<String>,
    pub sizes: Sizes,
    pub url: Option<String>,
    pub out: Option<PathBuf>,
    pub help: bool,
}

#[derive(Clone, Debug)]
pub struct Sizes {
    pub time: Duration,
    pub users: usize,
    pub users_of_rate: usize,
    pub window: usize,
    pub rate: f64,
    pub idle: usize,
    pub storm: usize,
    pub online: usize,
    pub online_curve: &'static [usize],
    pub changes: f64,
    pub tabs: usize,
    pub history: u64,
    pub starts: usize,
    pub entering: usize,
    pub curves: bool,
}

impl Sizes {
    pub fn of_goals() -> Self {
        Self {
            time: Duration::from_secs(SECONDS),
            users: USERS_OF_PAIRS,
            users_of_rate: USERS_OF_RATE,
            window: WINDOW,
            rate: RATE,
            idle: IDLE,
            storm: STORM,
            online: ONLINE,
            online_curve: &ONLINE_CURVE,
            changes: CHANGES,
            tabs: TABS,
            history: HISTORY,
            starts: STARTS,
            entering: ENTERING,
            curves: false,
        }
    }

    /// For `cargo test`: a second each.
    pub fn of_smoke() -> Self {
        Self {
            time: Duration::from_millis(500),
            users: 20,
            users_of_rate: 20,
            rate: 200.0,
            idle: 100,
            storm: 100,
            online: 50,
            online_curve: &[],
            tabs: 4,
            history: 10_000,
            starts: 1,
            ..Self::of_goals()
        }
    }

    /// What no run can be made at is an error that names the option.
    fn check(&self) -> Result<(), String> {
        let is_even = |count: usize| count > 0 && count.is_multiple_of(2);
        let is_positive = |value: f64| value.is_normal() && value > 0.0;
        let rules = [
            (
                is_even(self.users) && is_even(self.users_of_rate),
                "--users: an even number, people talk in pairs",
            ),
            (is_even(self.storm), "--sockets: an even number, people talk in pairs"),
            (is_positive(self.rate), "--rate: more than 0"),
            (is_positive(self.changes), "--changes: more than 0"),
            (!self.time.is_zero(), "--seconds: more than 0"),
            (self.entering > 0, "--entering: at least 1"),
            ((1..=WINDOW_MAX).contains(&self.window), "--window: 1 to 32, more are refused as busy"),
            ((1..=TABS).contains(&self.tabs), "--tabs: 1 to 10, more sockets of one user are closed"),
            (self.history >= FEWEST_MESSAGES, "--messages: at least 510, a page in each conversation"),
        ];
        rules.iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, rule)| Err((*rule).to_owned()))
    }

    /// For each run of `pairs`.
    pub fn along_users(&self) -> Vec<Self> {
        let curve = if self.curves { &PAIRS_CURVE[..] } else { &[] };
        along(self.users, curve, |users| Self { users, ..self.clone() })
    }

    /// For each run of `rate`.
    pub fn along_rate(&self) -> Vec<Self> {
        let curve = if self.curves { &RATE_CURVE[..] } else { &[] };
        along(self.rate, curve, |rate| Self { rate, ..self.clone() })
    }

    /// For each run of `idle`.
    pub fn along_idle(&self) -> Vec<Self> {
        let curve = if self.curves { &IDLE_CURVE[..] } else { &[] };
        along(self.idle, curve, |idle| Self { idle, ..self.clone() })
    }

    /// For each run of `presence`.
    pub fn along_online(&self) -> Vec<Self> {
        along(self.online, self.online_curve, |online| Self { online, ..self.clone() })
    }

    /// What a run of this scenario depends on, as records have it. A run counts
    /// for a goal when all of it is that of the goals.
    pub fn of(&self, scenario: &str) -> BTreeMap<&'static str, f64> {
        let seconds = ("seconds", self.time.as_secs_f64());
        let entering = ("entering", self.entering as f64);
        let window = ("window", self.window as f64);
        BTreeMap::from_iter(match scenario {
            "start" => vec![("starts", self.starts as f64)],
            "pairs" => vec![("users", self.users as f64), window, seconds],
            "rate" => vec![("users", self.users_of_rate as f64), ("rate", self.rate), seconds],
            "idle" => vec![("sockets", self.idle as f64), entering],
            "storm" => vec![("sockets", self.storm as f64), entering],
            "presence" => vec![("online", self.online as f64), ("changes_per_s", self.changes), seconds],
            "fanout" => vec![("tabs", self.tabs as f64), window, seconds],
            "history" => vec![("messages", self.history as f64), seconds],
            other => unreachable!("{other} has no sizes"),
        })
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "not a number")?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// A run at this size and at those of the curve, the smallest first.
fn along<T: Copy + PartialOrd>(size: T, curve: &[T], at: impl Fn(T) -> Sizes) -> Vec<Sizes> {
    let mut all = vec![size];
    all.extend(curve.iter().filter(|one| **one != size));
    all.sort_by(|one, other| one.partial_cmp(other).expect("sizes are numbers"));
    all.into_iter().map(at).collect()
}

impl Settings {
    pub fn read(arguments: Vec<OsString>) -> Result<Self, lexopt::Error> {
        let mut settings =
            Self { scenarios: Vec::new(), sizes: Sizes::of_goals(), url: None, out: None, help: false };
        let mut parser = lexopt::Parser::from_args(arguments);
        while let Some(argument) = parser.next()? {
            let sizes = &mut settings.sizes;
            match argument {
                Value(name) => settings.scenarios.push(name.string()?),
                Long("users") => {
                    sizes.users = parser.value()?.parse()?;
                    sizes.users_of_rate = sizes.users;
                }
                Long("window") => sizes.window = parser.value()?.parse()?,
                Long("rate") => sizes.rate = parser.value()?.parse()?,
                Long("sockets") => {
                    sizes.idle = parser.value()?.parse()?;
                    sizes.storm = sizes.idle;
                }
                Long("online") => {
                    sizes.online = parser.value()?.parse()?;
                    sizes.online_curve = &[];
                }
                Long("changes") => sizes.changes = parser.value()?.parse()?,
                Long("tabs") => sizes.tabs = parser.value()?.parse()?,
                Long("messages") => sizes.history = parser.value()?.parse()?,
                Long("seconds") => sizes.time = parser.value()?.parse_with(seconds)?,
                Long("entering") => sizes.entering = parser.value()?.parse()?,
                Long("curves") => sizes.curves = true,
                Long("url") => settings.url = Some(parser.value()?.string()?),
                Long("out") => settings.out = Some(parser.value()?.into()),
                // Cargo's own.
                Long("bench") => {}
                Long("help") => settings.help = true,
                other => return Err(other.unexpected()),
            }
        }
        settings.sizes.check()?;
        Ok(settings)
    }
}
