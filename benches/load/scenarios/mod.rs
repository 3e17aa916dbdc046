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

use crate::report::Record;
use crate::settings::Sizes;
use crate::stage::Stage;

/// Runs it on everything there is to measure.
type Run = fn(&Stage, &Sizes) -> io::Result<Vec<Record>>;

pub struct Scenario {
    pub name: &'static str,
    pub run: Run,
}

/// In the order in which they run.
pub const ALL: [Scenario; 8] = [
    Scenario { name: "start", run: start::run },
    Scenario { name: "pairs", run: pairs::run },
    Scenario { name: "rate", run: rate::run },
    Scenario { name: "idle", run: idle::run },
    Scenario { name: "storm", run: storm::run },
    Scenario { name: "presence", run: presence::run },
    Scenario { name: "fanout", run: fanout::run },
    Scenario { name: "history", run: history::run },
];

/// What comes before all of them when they are tried small.
pub const MISTAKES: Scenario = Scenario { name: "mistakes", run: mistakes::run };
