use std::collections::BTreeSet;
use std::fs;

use super::Record;
use crate::program::SETTINGS;
use crate::stage::{Kind, Stage};

/// What stands before every report: the machine, and who runs where with what.
pub fn environment(stage: &Stage) -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model);
    let count = cpu.lines().filter(|line| line.starts_with("processor")).count();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let machine = format!("{model}, {count} cores, Linux {}.", kernel.trim());
    if stage.is_given() {
        return format!("{machine} The server was given, with whatever it is set to; nothing is pinned.");
    }
    let cores = &stage.cores;
    let pinned = match cores.server.is_empty() {
        true => "Nothing is pinned: there is one core.".to_owned(),
        false => {
            format!("Server and PostgreSQL on core {:?}, generator on {:?}.", cores.server, cores.generator)
        }
    };
    let settings: Vec<_> = SETTINGS.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{machine} {pinned} Settings that differ from the defaults: {}.", settings.join(", "))
}

/// A table of each scenario: a line for each run.
pub fn figures(records: &[Record]) -> String {
    let mut text = String::new();
    let mut scenarios: Vec<&str> = records.iter().map(|record| record.scenario).collect();
    scenarios.dedup();
    for scenario in scenarios {
        let runs: Vec<&Record> = records.iter().filter(|record| record.scenario == scenario).collect();
        text += &format!("\n`{scenario}`\n\n{}", of_scenario(&runs));
    }
    text
}

fn of_scenario(runs: &[&Record]) -> String {
    let sizes: BTreeSet<&str> = runs.iter().flat_map(|run| run.sizes.keys().copied()).collect();
    let figures: BTreeSet<&str> = runs.iter().flat_map(|run| run.figures.keys().copied()).collect();
    let columns: Vec<&str> = sizes.iter().chain(&figures).copied().collect();
    let mut text = format!("| | {} |\n|---|{}\n", columns.join(" | "), "---:|".repeat(columns.len()));
    for run in runs {
        let cells: Vec<String> = match run.is_sound() {
            true => columns.iter().map(|name| cell(run, name)).collect(),
            false => vec![void(run)],
        };
        text += &format!("| {} | {} |\n", name(run.target), cells.join(" | "));
    }
    let of_run = |run: &&Record| {
        let notes = run.doubts.iter().copied().chain(run.notes.iter().map(String::as_str));
        notes.map(|note| format!("{}: {note}", name(run.target))).collect::<Vec<_>>()
    };
    let notes: BTreeSet<String> = runs.iter().flat_map(of_run).collect();
    text + &notes.iter().map(|note| format!("\n{note}\n")).collect::<String>()
}

fn void(run: &Record) -> String {
    let verdict = run.verdict;
    let sizes: Vec<_> = run.sizes.iter().map(|(name, value)| format!("{name} {value}")).collect();
    format!(
        "VOID at {}: {} lost, {} doubled, {} reordered, refused: {:?}",
        sizes.join(", "),
        verdict.lost,
        verdict.doubled,
        verdict.reordered,
        run.refused
    )
}

fn cell(run: &Record, name: &str) -> String {
    match run.sizes.get(name).or_else(|| run.figures.get(name)) {
        Some(value) if *value >= 100.0 => thousands(value.round() as u64),
        Some(value) if value.fract() == 0.0 => format!("{value}"),
        Some(value) => format!("{value:.2}"),
        None => "–".to_owned(),
    }
}

pub fn thousands(value: u64) -> String {
    if value < 1_000 {
        value.to_string()
    } else {
        format!("{},{:03}", thousands(value / 1_000), value % 1_000)
    }
}

pub fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Server => "server",
        Kind::Relay => "baseline (i): relay",
        Kind::Commit => "baseline (ii): relay with commit",
        Kind::Given => "the given server",
        Kind::Faulty => "relay with mistakes",
    }
}
