//! Measures the server: `cargo bench --bench load`, explained in
//! docs/performance.md. `cargo test` runs every scenario small, and fails when
//! anything is lost, doubled or reordered, never because of a time.
//!
//! ```text
//! settings → scenario → stage (PostgreSQL, server, baselines: own processes)
//!                    ↘ talk → client (sockets of this thread) → checker
//!                    ↘ report (JSON lines, tables, curves)
//! ```

mod accounting;
mod baseline;
mod checker;
mod client;
mod cores;
#[path = "../../tests/it/support/run.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod directory;
mod message;
mod people;
mod program;
mod report;
mod scenarios;
mod settings;
mod smoke;
mod stage;
mod talk;
mod websocket;

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use baseline::Baseline;
use cores::Cores;
use report::{Journal, Record};
use scenarios::Scenario;
use settings::{HELP, Settings};
use stage::Stage;

/// Where results go when nothing else is said, below the target directory.
const OUT: &str = "load";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match arguments.first() {
        Some(first) if first == baseline::ARGUMENT => {
            let baseline = Baseline::read(arguments.get(1).map(OsString::as_os_str));
            baseline.serve().map(|()| ExitCode::SUCCESS)
        }
        // Cargo says so when it benches, and nothing when it tests.
        _ if arguments.iter().any(|argument| argument == "--bench") => measure(arguments),
        _ => smoke::run(&arguments),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("load: {error}");
        ExitCode::FAILURE
    })
}

fn measure(arguments: Vec<OsString>) -> io::Result<ExitCode> {
    let settings = Settings::read(arguments).map_err(io::Error::other)?;
    if settings.help {
        say(HELP);
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = choose(&settings)?;
    cores::raise_descriptors()?;
    let stage = match &settings.url {
        Some(url) => Stage::given(Cores::choose(), url)?,
        None => Stage::build(Cores::choose())?,
    };
    let out = settings.out.clone().unwrap_or_else(default_out);
    std::fs::create_dir_all(&out)?;
    say(&report::environment(&stage));
    let (mut journal, mut failed) = (Journal::open(&out.join("results.jsonl"))?, false);
    for scenario in chosen {
        eprintln!("{} …", scenario.name);
        let before = journal.records().len();
        let outcome = (scenario.run)(&stage, &settings.sizes, &mut journal);
        say(&report::figures(&journal.records()[before..]));
        // The others are measured all the same.
        if let Err(error) = outcome {
            say(&format!("\n`{}` was not measured to its end: {error}", scenario.name));
            failed = true;
        }
    }
    let records = journal.records();
    report::draw_curves(records, &out)?;
    say(&report::goals(records));
    let sound = !failed && records.iter().all(Record::is_sound);
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Those that are named; where none is, all that can be measured here.
fn choose(settings: &Settings) -> io::Result<Vec<&'static Scenario>> {
    let fits = |one: &&Scenario| settings.url.is_none() || one.takes_given;
    if settings.scenarios.is_empty() {
        return Ok(scenarios::ALL.iter().filter(fits).collect());
    }
    let find = |name: &String| {
        let found = scenarios::ALL.iter().find(|one| one.name == *name);
        let found =
            found.ok_or_else(|| io::Error::other(format!("there is no scenario {name}\n\n{HELP}")))?;
        let refusal = || io::Error::other(format!("--url: {name} needs a server of its own"));
        Some(found).filter(fits).ok_or_else(refusal)
    };
    settings.scenarios.iter().map(find).collect()
}

/// In the target directory that holds this program.
fn default_out() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let target = program.ancestors().nth(3).map(PathBuf::from).unwrap_or_default();
    target.join(OUT)
}

#[allow(clippy::print_stdout, reason = "the report is what this program is for")]
fn say(text: &str) {
    println!("{text}");
}
