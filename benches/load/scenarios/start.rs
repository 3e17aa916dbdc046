//! From the start of the program to its first answer, and how large it is.

use std::io;
use std::time::{Duration, Instant};

use crate::directory::Directory;
use crate::program::{Program, server_binary};
use crate::report::{Journal, Record};
use crate::settings::Sizes;
use crate::stage::{Kind, Stage};

/// For an orderly end.
const PATIENCE: Duration = Duration::from_secs(30);
const MIB: f64 = 1024.0 * 1024.0;

pub fn run(stage: &Stage, sizes: &Sizes, journal: &mut Journal) -> io::Result<()> {
    let directory = Directory::new();
    // The first start makes the cluster, and is not measured.
    let mut times = Vec::new();
    for _ in 0..=sizes.starts {
        let begun = Instant::now();
        let server = Program::whole_server(&stage.cores, directory.path())?;
        times.push(begun.elapsed().as_secs_f64());
        if !server.stop(PATIENCE)? {
            return Err(io::Error::other("the server does not stop"));
        }
    }
    let first = times.remove(0);
    times.sort_by(f64::total_cmp);
    let mut record = Record::new("start", Kind::Server, sizes);
    record.figure("first_start_s", first);
    record.figure("start_p50_s", times[times.len() / 2]);
    record.figure("start_max_s", times[times.len() - 1]);
    record.figure("binary_mib", std::fs::metadata(server_binary())?.len() as f64 / MIB);
    journal.keep(record)
}
