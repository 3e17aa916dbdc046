//! What `cargo test` runs: every scenario at a size of seconds. The names and
//! filters are those of libtest, as far as cargo passes them on.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;
use std::time::Instant;

use crate::cores;
use crate::cores::Cores;
use crate::report::{self, Journal, Record};
use crate::say;
use crate::scenarios::{self, Scenario};
use crate::settings::Sizes;
use crate::stage::Stage;

pub fn run(arguments: &[OsString]) -> io::Result<ExitCode> {
    let is_chosen = |one: &Scenario| {
        let name = test_name(one);
        let mut filters = arguments.iter().filter_map(|one| one.to_str()).filter(|one| !one.starts_with('-'));
        filters.clone().next().is_none() || filters.any(|filter| name.contains(filter))
    };
    let chosen: Vec<&Scenario> =
        std::iter::once(&scenarios::MISTAKES).chain(&scenarios::ALL).filter(|one| is_chosen(one)).collect();
    if arguments.iter().any(|argument| argument == "--list") {
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
