//! What `cargo test` runs: every scenario at a size of seconds. Names, filters
//! and options are those of libtest.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;
use std::time::Instant;

use lexopt::prelude::*;

use crate::cores;
use crate::cores::Cores;
use crate::report::{self, Journal, Record};
use crate::say;
use crate::scenarios::{self, Scenario};
use crate::settings::Sizes;
use crate::stage::Stage;

pub fn run(arguments: &[OsString]) -> io::Result<ExitCode> {
    let choice = Choice::read(arguments).map_err(io::Error::other)?;
    let all = std::iter::once(&scenarios::MISTAKES).chain(&scenarios::ALL);
    let chosen: Vec<&Scenario> = all.filter(|one| choice.has(&test_name(one))).collect();
    if choice.list {
        chosen.iter().for_each(|one| say(&format!("{}: test", test_name(one))));
        return Ok(ExitCode::SUCCESS);
    }
    if chosen.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let sizes = Sizes::of_smoke();
    cores::raise_descriptors()?;
    // Nothing is pinned: nothing is measured.
    let stage = Stage::build(Cores::default())?;
    let mut failed = 0;
    for scenario in chosen {
        failed += usize::from(!passes(&stage, scenario, &sizes));
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What libtest would take from these arguments; of its options only those that
/// say what is run.
#[derive(Default)]
struct Choice {
    filters: Vec<String>,
    skipped: Vec<String>,
    exact: bool,
    list: bool,
    /// Only what is ignored otherwise, and nothing is.
    ignored: bool,
}

impl Choice {
    fn read(arguments: &[OsString]) -> Result<Self, lexopt::Error> {
        let mut choice = Self::default();
        let mut parser = lexopt::Parser::from_args(arguments);
        while let Some(argument) = parser.next()? {
            match argument {
                Value(filter) => choice.filters.push(filter.string()?),
                Long("skip") => choice.skipped.push(parser.value()?.string()?),
                Long("exact") => choice.exact = true,
                Long("list") => choice.list = true,
                Long("ignored") => choice.ignored = true,
                Long("test-threads" | "logfile" | "color" | "format" | "shuffle-seed") | Short('Z') => {
                    parser.value()?;
                }
                // How it is run and shown.
                _ => drop(parser.optional_value()),
            }
        }
        Ok(choice)
    }

    fn has(&self, name: &str) -> bool {
        let fits = |filter: &String| if self.exact { name == filter } else { name.contains(filter.as_str()) };
        !self.ignored
            && (self.filters.is_empty() || self.filters.iter().any(fits))
            && !self.skipped.iter().any(fits)
    }
}

fn test_name(scenario: &Scenario) -> String {
    format!("load::{}", scenario.name)
}

fn passes(stage: &Stage, scenario: &Scenario, sizes: &Sizes) -> bool {
    let begun = Instant::now();
    let mut journal = Journal::in_memory();
    let outcome = (scenario.run)(stage, sizes, &mut journal);
    let passed = outcome.is_ok() && journal.records().iter().all(Record::is_sound);
    let word = if passed { "ok" } else { "FAILED" };
    say(&format!("test {} ... {word} ({:.1} s)", test_name(scenario), begun.elapsed().as_secs_f64()));
    if !passed {
        say(&report::figures(journal.records()));
    }
    if let Err(error) = outcome {
        say(&error.to_string());
    }
    passed
}
