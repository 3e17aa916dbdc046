use std::sync::OnceLock;

use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};

/// What the process needs besides connections: the runtime, the listeners and
/// operators, the log, PostgreSQL's output, files that are read, pushes.
const BASE: usize = 64;

/// macOS refuses more than this, whatever it calls the hard limit (`OPEN_MAX`).
const MACOS_MAX: rlim_t = 10_240;

/// The soft limit of most sessions.
const USUAL: rlim_t = 1024;

/// The soft limit with which the process was started.
static INHERITED: OnceLock<rlim_t> = OnceLock::new();

/// Raises the soft limit of open files to the hard one. Sessions begin with no
/// more than 1,024, for the sake of programs that use `select`.
pub fn raise_descriptors() -> Result<(), String> {
    let failed = |error| format!("the limit of open files is not raised: {error}");
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(failed)?;
    INHERITED.get_or_init(|| soft);
    let wanted = if cfg!(target_os = "macos") { hard.min(MACOS_MAX) } else { hard };
    if soft < wanted {
        setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).map_err(failed)?;
    }
    Ok(())
}

/// How many files this process may have open.
pub fn allowed_descriptors() -> usize {
    // Where it cannot be told, nothing is held back.
    getrlimit(Resource::RLIMIT_NOFILE)
        .map_or(usize::MAX, |(soft, _)| usize::try_from(soft).unwrap_or(usize::MAX))
}

/// The soft and the hard limit for programs that this one starts: as it found
/// them, or what is usual; none where it has not raised its own.
pub fn inherited_descriptors() -> Option<(rlim_t, rlim_t)> {
    let soft = *INHERITED.get()?;
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    Some((soft.max(USUAL).min(hard), hard))
}

/// How many connections there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// In all.
    pub all: usize,
    /// From one address.
    pub per_address: usize,
}

/// What `wanted` comes to with so many descriptors, `kept` of which are for
/// connections to PostgreSQL. Where they do not suffice, one address gets half
/// at the most: it does not shut out all others.
pub fn share(wanted: Share, allowed: usize, kept: usize) -> Share {
    let room = allowed.saturating_sub(BASE + kept).max(1);
    if room >= wanted.all {
        return wanted;
    }
    Share { all: room, per_address: wanted.per_address.min((room / 2).max(1)) }
}

impl Share {
    /// The descriptors that are enough for it.
    pub fn descriptors(self, kept: usize) -> usize {
        self.all + BASE + kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c12_what_is_kept_is_nobodys_to_take() {
        let wanted = Share { all: 20_000, per_address: 1_000 };
        assert_eq!(share(wanted, usize::MAX, 10), wanted);
        assert_eq!(share(wanted, wanted.descriptors(10), 10), wanted);
        assert_eq!(share(wanted, 1_024, 10), Share { all: 950, per_address: 475 });
        assert_eq!(share(wanted, 20_000, 10), Share { all: 19_926, per_address: 1_000 });
        assert_eq!(share(wanted, 0, 10), Share { all: 1, per_address: 1 });
        let few = Share { all: 3, per_address: 1_000 };
        assert_eq!(share(few, 1_024, 10), few, "as it was set");
    }
}
