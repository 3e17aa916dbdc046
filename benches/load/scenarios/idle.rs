//! Logged-in sockets on which nothing is said: what each costs, and how fast
//! they come.

use std::io;
use std::time::Instant;

use crate::accounting;
use crate::checker::{Refused, Verdict};
use crate::client::{Fleet, Handler, Said};
use crate::cores;
use crate::people;
use crate::report::{Journal, Record};
use crate::settings::Sizes;
use crate::stage::{Kind, Stage, Target};
use crate::talk;

/// Sockets that come first, for what all share: pools, buffers, the allocator.
const WARM: usize = 100;

pub fn run(stage: &Stage, sizes: &Sizes, journal: &mut Journal) -> io::Result<()> {
    for sizes in sizes.along_idle() {
        for kind in stage.kinds().iter().filter(|kind| **kind != Kind::Commit) {
            journal.keep(measure(stage, *kind, &sizes)?)?;
        }
    }
    Ok(())
}

/// Nobody says anything: no message comes.
#[derive(Default)]
struct Idle {
    said: u64,
    refused: Refused,
}

impl Handler for Idle {
    fn on_said(&mut self, _: usize, said: Said, _: &mut Vec<u8>) {
        self.said += u64::from(matches!(said, Said::Stored { .. } | Said::Message { .. }));
        self.refused.note(&said);
    }
}

fn measure(stage: &Stage, kind: Kind, sizes: &Sizes) -> io::Result<Record> {
    let sockets = sizes.idle;
    cores::afford_sockets(WARM + sockets)?;
    let target = stage.start(kind, &[])?;
    let (mut fleet, mut idle) = (Fleet::new(target.address, sizes.entering)?, Idle::default());
    log_in(&target, WARM, &mut fleet)?;
    talk::enter_all(&mut fleet, &mut idle)?;

    let usage = target.usage()?;
    let log_in = log_in(&target, sockets, &mut fleet)?;
    let logged_in = target.usage()?;
    // From here on: a session's memory is no socket's.
    let before = memory(&target)?;
    let entry = talk::enter_all(&mut fleet, &mut idle)?;
    let (used, after) = (target.usage()?.since(logged_in), memory(&target)?);
    let count = sockets as f64;
    let mut record = Record::new("idle", kind, sizes);
    if !target.is_baseline() {
        record.figure("log_ins_per_s", count / log_in);
        record.cost_of(
            ["log_in_server_cpu_us", "log_in_postgres_cpu_us"],
            logged_in.since(usage),
            sockets as u64,
        );
    }
    record.figure("sockets_per_s", count / entry.as_secs_f64());
    record.cost(used, sockets as u64);
    if let Some((before, after)) = before.zip(after) {
        let grown = |[before, after]: [u64; 2]| after.saturating_sub(before) as f64 / count / 1024.0;
        record.figure("memory_kib", grown([before.server, after.server]));
        record.figure("kernel_kib", grown([before.kernel, after.kernel]));
    }
    record.surroundings(used, entry);
    let verdict = Verdict { doubled: idle.said, ..Verdict::default() };
    Ok(record.checked(verdict, &idle.refused))
}

/// In bytes, at a moment.
struct Memory {
    server: u64,
    kernel: u64,
}

/// None of a server elsewhere.
fn memory(target: &Target) -> io::Result<Option<Memory>> {
    let Some(process) = target.process() else { return Ok(None) };
    Ok(Some(Memory { server: accounting::resident(process)?, kernel: accounting::kernel()? }))
}

/// Adds people with a socket each that is not yet in; the seconds their log-ins took.
fn log_in(target: &Target, count: usize, fleet: &mut Fleet) -> io::Result<f64> {
    let begun = Instant::now();
    let accounts = people::log_in(target, count)?;
    let time = begun.elapsed().as_secs_f64();
    for account in &accounts {
        fleet.add(people::seat(target, account, &people::hello(None)));
    }
    Ok(time)
}
