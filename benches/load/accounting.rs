//! What processes have used, from proc(5).

use std::fs;
use std::time::Duration;

/// `USER_HZ` of Linux, in which `stat` counts.
const TICKS_PER_SECOND: u64 = 100;

/// Fields of `/proc/PID/stat` behind the name, which may hold spaces.
const PARENT: usize = 1;
const USER_TIME: usize = 11;
const SYSTEM_TIME: usize = 12;
const CHILDREN_USER_TIME: usize = 13;
const CHILDREN_SYSTEM_TIME: usize = 14;

struct Stat(Vec<u64>);

impl Stat {
    fn of(process: &str) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        let (_, fields) = text.rsplit_once(") ")?;
        // The state is a letter, some are negative: nobody asks for those.
        Some(Self(fields.split(' ').map(|field| field.trim().parse().unwrap_or(0)).collect()))
    }

    fn sum(&self, fields: &[usize]) -> Duration {
        let ticks: u64 = fields.iter().map(|field| self.0[*field]).sum();
        Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
    }
}

/// The processor time of one process, all its threads together.
pub fn cpu(process: i32) -> Duration {
    Stat::of(&process.to_string()).map_or(Duration::ZERO, |stat| stat.sum(&[USER_TIME, SYSTEM_TIME]))
}

/// That of this process.
pub fn own_cpu() -> Duration {
    cpu(std::process::id().cast_signed())
}

/// The processor time of PostgreSQL: its first process, its children, and those
/// of them that have ended.
pub fn cpu_of_postgres(postmaster: i32) -> Duration {
    let first = Stat::of(&postmaster.to_string());
    let all = [USER_TIME, SYSTEM_TIME, CHILDREN_USER_TIME, CHILDREN_SYSTEM_TIME];
    first.map_or(Duration::ZERO, |stat| stat.sum(&all))
        + children(postmaster).iter().map(|stat| stat.sum(&[USER_TIME, SYSTEM_TIME])).sum::<Duration>()
}

fn children(parent: i32) -> Vec<Stat> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let names = processes.filter_map(|entry| entry.file_name().into_string().ok());
    let numbers = names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    let stats = numbers.filter_map(|process| Stat::of(&process));
    stats.filter(|stat| stat.0[PARENT] == u64::from(parent.unsigned_abs())).collect()
}

/// How long these cores have worked for anybody (`user`, `nice`, `system` of
/// `/proc/stat`).
pub fn busy(cores: &[usize]) -> Duration {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let of_core = |core: &usize| {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("cpu{core} ")));
        line.map_or(0, |line| line.split(' ').take(3).filter_map(|ticks| ticks.parse::<u64>().ok()).sum())
    };
    Duration::from_millis(cores.iter().map(of_core).sum::<u64>() * 1000 / TICKS_PER_SECOND)
}

/// Resident memory in bytes, now (`VmRSS`).
pub fn resident(process: i32) -> u64 {
    kib("VmRSS:", &format!("/proc/{process}/status")) * 1024
}

/// The most there has been (`VmHWM`).
pub fn peak_resident(process: i32) -> u64 {
    kib("VmHWM:", &format!("/proc/{process}/status")) * 1024
}

/// What the kernel holds for all its sockets and their files, in bytes: both
/// ends of every connection on this machine, and whatever else there is.
pub fn kernel() -> u64 {
    kib("Slab:", "/proc/meminfo") * 1024
}

fn kib(name: &str, path: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
