//! What a run has shown: JSON lines, tables, curves.

mod curves;
mod goals;
mod plot;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::checker::{Refused, Verdict};
use crate::settings::Sizes;
use crate::stage::{Kind, Usage};

pub use curves::draw as draw_curves;
pub use goals::table as goals;
pub use table::{environment, figures};

/// A share of its core from which on the generator is the limit.
const SATURATED: f64 = 0.95;
/// A share of a core that, taken by others, spoils a figure.
const DISTURBED: f64 = 0.05;

/// One measured run.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// When it was measured, in seconds since 1970.
    pub at: u64,
    pub version: &'static str,
    pub scenario: &'static str,
    pub target: Kind,
    /// The sizes it ran at.
    pub sizes: BTreeMap<&'static str, f64>,
    /// What was measured, the unit in the name; none when the run is void.
    pub figures: BTreeMap<&'static str, f64>,
    pub verdict: Verdict,
    /// Refusals by code.
    pub refused: Refused,
    /// Why the figures say less of what was measured than of the machine or of
    /// the generator. No goal is judged by them then.
    pub doubts: BTreeSet<&'static str>,
    pub notes: Vec<String>,
}

impl Record {
    pub fn new(scenario: &'static str, target: Kind, sizes: &Sizes) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            at: now.as_secs(),
            version: env!("CARGO_PKG_VERSION"),
            scenario,
            target,
            sizes: sizes.of(scenario),
            figures: BTreeMap::new(),
            verdict: Verdict::default(),
            refused: Refused::default(),
            doubts: BTreeSet::new(),
            notes: Vec::new(),
        }
    }

    pub fn figure(&mut self, name: &'static str, value: f64) {
        self.figures.insert(name, value);
    }

    /// How much of its core the generator used, and others of either; says when
    /// that spoils the figures.
    pub fn surroundings(&mut self, used: Usage, time: Duration) {
        let share = |used: Duration| used.as_secs_f64() / time.as_secs_f64();
        self.figure("generator_share", share(used.generator));
        if share(used.generator) >= SATURATED {
            self.doubts.insert("the generator was the limit: its core was full");
        }
        if used.servers_cores.is_zero() {
            // Nothing is pinned.
            return;
        }
        let others = share(used.servers_cores.saturating_sub(used.server + used.postgres));
        self.figure("others_share", others);
        if others >= DISTURBED {
            self.doubts.insert("others took more than 5 % of the server's core");
        }
        let others = share(used.generators_cores.saturating_sub(used.generator));
        self.figure("generator_others_share", others);
        if others >= DISTURBED {
            self.doubts.insert("others took more than 5 % of the generator's core");
        }
    }

    /// What each of `count` took of the processors, where that can be seen.
    pub fn cost(&mut self, used: Usage, count: u64) {
        self.cost_of(["server_cpu_us", "postgres_cpu_us"], used, count);
    }

    /// The same under other names.
    pub fn cost_of(&mut self, [server, postgres]: [&'static str; 2], used: Usage, count: u64) {
        if self.target == Kind::Given {
            return;
        }
        let each = |time: Duration| time.as_secs_f64() * 1e6 / count.max(1) as f64;
        self.figure(server, each(used.server));
        if self.target != Kind::Relay {
            self.figure(postgres, each(used.postgres));
        }
    }

    /// With the checker's word: no figures are kept that something is wrong with.
    pub fn checked(mut self, verdict: Verdict, refused: &Refused) -> Self {
        self.verdict = verdict;
        self.refused = refused.clone();
        if !self.is_sound() {
            self.figures.clear();
            self.doubts.clear();
        }
        self
    }

    pub fn is_sound(&self) -> bool {
        self.verdict.is_clean() && self.refused.is_empty()
    }

    pub fn get(&self, name: &str) -> Option<f64> {
        self.figures.get(name).copied()
    }

    fn size(&self, name: &str) -> Option<f64> {
        self.sizes.get(name).copied()
    }
}

/// The runs so far. Each is kept as soon as it is made: what comes after it may
/// fail.
pub struct Journal {
    records: Vec<Record>,
    file: Option<File>,
}

impl Journal {
    /// Appended to this file, a JSON object a line.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Self { records: Vec::new(), file: Some(file) })
    }

    pub fn in_memory() -> Self {
        Self { records: Vec::new(), file: None }
    }

    pub fn keep(&mut self, record: Record) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            writeln!(file, "{}", serde_json::to_string(&record)?)?;
        }
        self.records.push(record);
        Ok(())
    }

    pub fn records(&self) -> &[Record] {
        &self.records
    }
}
