use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::control::ClusterState;

/// How long a fast shutdown may take: one checkpoint.
pub const FAST_STOP: Duration = Duration::from_secs(20);
/// How long it may take until that checkpoint begins: sessions have to end.
const FAST_STOP_BEGINS: Duration = Duration::from_secs(3);
/// How long an immediate one may take; the next start recovers.
pub const IMMEDIATE_STOP: Duration = Duration::from_secs(5);

/// The escalation of a shutdown: fast if that is possible, else immediate.
/// The next start then recovers, as it would have had to anyway.
pub struct Shutdown {
    begun: Instant,
    /// The last signal, and when it was sent.
    sent: Option<(Signal, Instant)>,
}

impl Shutdown {
    pub fn begin() -> Self {
        Self { begun: Instant::now(), sent: None }
    }

    pub fn waited(&self) -> Duration {
        self.begun.elapsed()
    }

    /// The signal to send now, if any: a fast shutdown, an immediate one, or
    /// SIGKILL. `state` is the state of the cluster; `None` if there is no cluster.
    pub fn next(&mut self, state: Option<ClusterState>) -> Option<Signal> {
        let now = Instant::now();
        let since = |at: Instant| now.saturating_duration_since(at);
        let wanted = match self.sent {
            None if state == Some(ClusterState::Recovering) => Signal::SIGQUIT,
            None => Signal::SIGINT,
            Some((Signal::SIGINT, _)) if must_not_wait(state, since(self.begun)) => Signal::SIGQUIT,
            Some((Signal::SIGQUIT, at)) if since(at) > IMMEDIATE_STOP => Signal::SIGKILL,
            Some(_) => return None,
        };
        self.sent = Some((wanted, now));
        Some(wanted)
    }
}

/// A postmaster that recovers from a crash may never finish a fast shutdown: it
/// waits for its checkpointer, which was not signalled.
fn must_not_wait(state: Option<ClusterState>, waited: Duration) -> bool {
    match state {
        Some(ClusterState::Recovering) => true,
        Some(ClusterState::Running) | None => waited > FAST_STOP_BEGINS,
        Some(ClusterState::ShuttingDown) => waited > FAST_STOP,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNNING: Option<ClusterState> = Some(ClusterState::Running);
    const RECOVERING: Option<ClusterState> = Some(ClusterState::Recovering);
    const SHUTTING_DOWN: Option<ClusterState> = Some(ClusterState::ShuttingDown);

    /// One that began so long ago.
    fn begun(ago: Duration) -> Shutdown {
        Shutdown { begun: Instant::now().checked_sub(ago).unwrap(), sent: None }
    }

    #[test]
    fn a_recovery_is_cut_short_at_once() {
        assert_eq!(Shutdown::begin().next(RECOVERING), Some(Signal::SIGQUIT));
        let mut stop = Shutdown::begin();
        assert_eq!(stop.next(RUNNING), Some(Signal::SIGINT));
        assert_eq!(stop.next(RUNNING), None);
        assert_eq!(stop.next(RECOVERING), Some(Signal::SIGQUIT));
        assert_eq!(stop.next(RECOVERING), None);
    }

    #[test]
    fn a_checkpoint_gets_its_time_and_what_hangs_does_not() {
        let second = Duration::from_secs(1);
        for (ago, state, then) in [
            (FAST_STOP_BEGINS - second, RUNNING, None),
            (FAST_STOP_BEGINS + second, RUNNING, Some(Signal::SIGQUIT)),
            (FAST_STOP - second, SHUTTING_DOWN, None),
            (FAST_STOP + second, SHUTTING_DOWN, Some(Signal::SIGQUIT)),
        ] {
            let mut stop = begun(ago);
            assert_eq!(stop.next(state), Some(Signal::SIGINT));
            assert_eq!(stop.next(state), then, "{state:?} after {ago:?}");
        }
        let mut stop = Shutdown::begin();
        stop.sent = Some((Signal::SIGQUIT, Instant::now().checked_sub(IMMEDIATE_STOP + second).unwrap()));
        assert_eq!(stop.next(RECOVERING), Some(Signal::SIGKILL));
        assert_eq!(stop.next(RECOVERING), None);
    }
}
