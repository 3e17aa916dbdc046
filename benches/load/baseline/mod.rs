//! What the server is measured against, in a process of its own: a relay of the
//! same frames with one thread, no actors, no JSON beyond the recipient; with a
//! database's address also a group commit of a plain insert before delivery.

mod commit;
mod faults;
mod peer;
mod relay;

use std::ffi::OsStr;
use std::io::{self, Write};

use relay::Relay;

/// The first argument that makes this program a baseline.
pub const ARGUMENT: &str = "baseline";

/// What it then is.
#[derive(Clone, Debug)]
pub enum Baseline {
    /// (i)
    Relay,
    /// (ii), on this database.
    Commit(String),
    /// (i) with mistakes, to try the checker.
    Faulty,
}

const FAULTY: &str = "faulty";

impl Baseline {
    /// Behind the first argument.
    pub fn read(argument: Option<&OsStr>) -> Self {
        match argument.and_then(OsStr::to_str) {
            None => Self::Relay,
            Some(FAULTY) => Self::Faulty,
            Some(database) => Self::Commit(database.to_owned()),
        }
    }

    pub fn argument(&self) -> Option<&str> {
        match self {
            Self::Relay => None,
            Self::Commit(database) => Some(database),
            Self::Faulty => Some(FAULTY),
        }
    }

    /// Serves until it is killed.
    pub fn serve(&self) -> io::Result<()> {
        let mut relay = Relay::bind(self)?;
        // The same line as the server's.
        writeln!(io::stdout(), "baseline listening on http://{}", relay.address())?;
        relay.run()
    }
}

/// The conversation of two users of a baseline, which know each other by number.
pub fn conversation(low: u32, high: u32) -> String {
    format!("{low:08x}-0000-7000-8000-0000{high:08x}")
}
