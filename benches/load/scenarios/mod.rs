//! What is measured; each scenario in a file of its own.

mod fanout;
mod history;
mod idle;
mod mistakes;
mod pairs;
mod presence;
mod rate;
mod start;
mod storm;

use std::io;

pub use history::FEWEST as FEWEST_MESSAGES;

use crate::report::Journal;
use crate::settings::Sizes;
use crate::stage::Stage;

/// Runs it on everything there is to measure.
type Run = fn(&Stage, &Sizes, &mut Journal) -> io::Result<()>;

pub struct Scenario {
    pub name: &'static str,
    pub run: Run,
    /// Whether a server that runs already can be measured.
    pub takes_given: bool,
}

/// In the order in which they run.
pub const ALL: [Scenario; 8] = [
    Scenario { name: "start", run: start::run, takes_given: false },
    Scenario { name: "pairs", run: pairs::run, takes_given: true },
    Scenario { name: "rate", run: rate::run, takes_given: true },
    Scenario { name: "idle", run: idle::run, takes_given: true },
    Scenario { name: "storm", run: storm::run, takes_given: true },
    Scenario { name: "presence", run: presence::run, takes_given: true },
    Scenario { name: "fanout", run: fanout::run, takes_given: true },
    Scenario { name: "history", run: history::run, takes_given: false },
];

/// What comes before all of them when they are tried small.
pub const MISTAKES: Scenario = Scenario { name: "mistakes", run: mistakes::run, takes_given: false };
