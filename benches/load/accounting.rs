//! What processes have used, from their clocks and proc(5). What cannot be read
//! is an error: as a nothing it would pass for a figure.

use std::fs;
use std::io;
use std::time::Duration;

use nix::time::ClockId;
use nix::unistd::Pid;

/// `USER_HZ` of Linux, in which proc(5) counts.
const TICKS_PER_SECOND: u64 = 100;

/// Fields of `/proc/PID/stat` behind the name, which may hold spaces.
const PARENT: usize = 1;
const CHILDREN_USER_TIME: usize = 13;
const CHILDREN_SYSTEM_TIME: usize = 14;

/// Of a line of `/proc/stat`: `user`, `nice`, `system`, `irq`, `softirq`,
/// `steal`. The rest is idle, or counted in these. A process is charged for the
/// interrupts that are handled while it runs.
const BUSY: [usize; 6] = [0, 1, 2, 5, 6, 7];

/// The processor time of one process, all its threads together.
pub fn cpu(process: i32) -> io::Result<Duration> {
    Ok(ClockId::pid_cpu_clock_id(Pid::from_raw(process))?.now()?.into())
}

/// That of this process.
pub fn own_cpu() -> io::Result<Duration> {
    Ok(ClockId::CLOCK_PROCESS_CPUTIME_ID.now()?.into())
}

/// The processor time of PostgreSQL: its first process, its children, and those
/// of them that have ended, which only proc(5) tells, in hundredths of a second.
pub fn cpu_of_postgres(postmaster: i32) -> io::Result<Duration> {
    loop {
        let ended = ended_children(postmaster)?;
        // One that has ended meanwhile is among the ended, the next time round.
        let living: Duration = children(postmaster)?.into_iter().filter_map(|child| cpu(child).ok()).sum();
        if ended_children(postmaster)? == ended {
            return Ok(cpu(postmaster)? + living + ended);
        }
    }
}

fn ended_children(parent: i32) -> io::Result<Duration> {
    let stat = Stat::of(&parent.to_string())?;
    Ok(from_ticks(stat.field(CHILDREN_USER_TIME)? + stat.field(CHILDREN_SYSTEM_TIME)?))
}

/// The processes that this one has begun and that still are.
pub fn children(parent: i32) -> io::Result<Vec<i32>> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some((name, process)) = name.to_str().and_then(|name| Some((name, name.parse().ok()?))) else {
            continue;
        };
        // One that has ended meanwhile is none.
        let Ok(stat) = Stat::of(name) else { continue };
        if stat.field(PARENT)? == u64::from(parent.unsigned_abs()) {
            children.push(process);
        }
    }
    Ok(children)
}

/// How long these cores have worked for anybody, or were taken away by the
/// machine below.
pub fn busy(cores: &[usize]) -> io::Result<Duration> {
    let text = fs::read_to_string("/proc/stat")?;
    let mut ticks = 0;
    for core in cores {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("cpu{core} ")));
        let fields = Stat::from_line(line.ok_or_else(|| unreadable("/proc/stat"))?);
        for field in BUSY {
            ticks += fields.field(field)?;
        }
    }
    Ok(from_ticks(ticks))
}

/// Resident memory in bytes, now (`VmRSS`).
pub fn resident(process: i32) -> io::Result<u64> {
    bytes("VmRSS:", &format!("/proc/{process}/status"))
}

/// The most there has been (`VmHWM`).
pub fn peak_resident(process: i32) -> io::Result<u64> {
    bytes("VmHWM:", &format!("/proc/{process}/status"))
}

/// What the kernel holds for all its sockets and their files, in bytes: both
/// ends of every connection on this machine, and whatever else there is.
pub fn kernel() -> io::Result<u64> {
    bytes("Slab:", "/proc/meminfo")
}

/// The fields of a line.
struct Stat(Vec<String>);

impl Stat {
    fn of(process: &str) -> io::Result<Self> {
        let path = format!("/proc/{process}/stat");
        let text = fs::read_to_string(&path)?;
        let (_, fields) = text.rsplit_once(") ").ok_or_else(|| unreadable(&path))?;
        Ok(Self::from_line(fields))
    }

    fn from_line(line: &str) -> Self {
        Self(line.split_whitespace().map(str::to_owned).collect())
    }

    fn field(&self, place: usize) -> io::Result<u64> {
        self.0.get(place).and_then(|field| field.parse().ok()).ok_or_else(|| unreadable("a stat"))
    }
}

fn from_ticks(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}

fn bytes(name: &str, path: &str) -> io::Result<u64> {
    let text = fs::read_to_string(path)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib: Option<u64> = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse().ok());
    Ok(kib.ok_or_else(|| unreadable(path))? * 1024)
}

fn unreadable(path: &str) -> io::Error {
    io::Error::other(format!("{path} has another shape than proc(5) says"))
}
