use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::config::Config;
use crate::domain::{Bucket, Rate};
use crate::registry::CloseReason;

/// The minimum time for which the socket is not read, so that a flood does not
/// wake its task for each frame.
const PAUSE_MIN: Duration = Duration::from_millis(100);

/// Limits how many frames and bytes a client may send, at once and per second.
/// It covers text frames of every kind, refused ones included; pings and pongs
/// have a limit of their own.
///
/// Beyond the limit the socket is not read for a while, so that the client has to
/// wait; a client that goes on for [`patience`](FloodLimits::patience) is closed.
pub struct FloodControl {
    frames: Bucket,
    bytes: Bucket,
    paused_until: Option<Instant>,
    /// Since when the client has used up its budget.
    exceeded_since: Option<Instant>,
}

/// The settings of a [`FloodControl`].
#[derive(Clone, Copy, Debug)]
pub struct FloodLimits {
    pub frames: Rate,
    pub bytes: Rate,
    /// How long a client may exceed the limit before it is closed.
    pub patience: Duration,
}

impl FloodLimits {
    pub fn of(config: &Config) -> Self {
        Self {
            frames: Rate::per_second(config.frames_per_second.into(), config.frames_burst.into()),
            bytes: Rate::per_second(config.frame_bytes_per_second.into(), config.frame_bytes_burst.into()),
            patience: config.flood_patience,
        }
    }
}

impl FloodControl {
    pub fn new(now: Instant) -> Self {
        let full = Bucket::full(now.into_std());
        Self { frames: full, bytes: full, paused_until: None, exceeded_since: None }
    }

    /// Records a frame that has been read. Errors if the client has exceeded the
    /// limit for too long.
    pub fn record(&mut self, bytes: usize, limits: &FloodLimits, now: Instant) -> Result<(), CloseReason> {
        let at = now.into_std();
        // The frame has been read already, so the bucket may go into debt.
        let frames = self.frames.overdraw(1, limits.frames, at);
        let bytes = self.bytes.overdraw(bytes as u64, limits.bytes, at);
        if self.frames.has_half(limits.frames, at) && self.bytes.has_half(limits.bytes, at) {
            self.exceeded_since = None;
        }
        let wait = frames.max(bytes);
        if wait.is_zero() {
            return Ok(());
        }
        let since = *self.exceeded_since.get_or_insert(now);
        if now.duration_since(since) > limits.patience {
            return Err(CloseReason::FrameFlood);
        }
        self.paused_until = Some(now + wait.max(PAUSE_MIN));
        Ok(())
    }

    /// Whether the socket is not to be read now.
    pub fn is_paused(&self) -> bool {
        self.paused_until.is_some()
    }

    /// Resolves when the pause is over; never if there is none. Boxed, so that an
    /// idle connection keeps no room for a timer.
    pub async fn pause(&self) {
        match self.paused_until {
            Some(at) => Box::pin(sleep_until(at)).await,
            None => std::future::pending().await,
        }
    }

    /// The pause is over.
    pub fn resume(&mut self) {
        self.paused_until = None;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limits() -> FloodLimits {
        FloodLimits {
            frames: Rate::per_second(50, 300),
            bytes: Rate::per_second(1_000, 10_000),
            patience: Duration::from_secs(10),
        }
    }

    /// A client that always has something to say: what it gets through in a time,
    /// and whether it is closed then.
    fn flood(limits: &FloodLimits, bytes: usize, time: Duration) -> (u64, bool) {
        let begun = Instant::now();
        let (mut flood_control, mut now, mut recorded) = (FloodControl::new(begun), begun, 0);
        while now < begun + time {
            if flood_control.record(bytes, limits, now).is_err() {
                return (recorded, true);
            }
            recorded += 1;
            if let Some(at) = flood_control.paused_until {
                now = at;
                flood_control.resume();
            }
        }
        (recorded, false)
    }

    #[test]
    fn a_burst_passes_and_what_comes_behind_it_comes_at_the_rate() {
        let (recorded, closed) = flood(&limits(), 1, Duration::from_secs(8));
        assert!((695..=701).contains(&recorded) && !closed, "{recorded}");
        // Eight of 1,250 bytes are the burst, and one is paid for in advance.
        let (recorded, closed) = flood(&limits(), 1_250, Duration::from_secs(8));
        assert!((14..=16).contains(&recorded) && !closed, "{recorded}");
    }

    #[test]
    fn who_never_stops_is_closed() {
        let (recorded, closed) = flood(&limits(), 1, Duration::from_secs(60));
        assert!(closed && (800..=806).contains(&recorded), "{recorded}");
    }

    #[test]
    fn without_limits_nothing_is_held_back() {
        let none = Rate::per_second(0, 1);
        let limits = FloodLimits { frames: none, bytes: none, ..limits() };
        let mut flood_control = FloodControl::new(Instant::now());
        for _ in 0..10_000 {
            assert!(
                flood_control.record(1_000_000, &limits, Instant::now()).is_ok()
                    && !flood_control.is_paused()
            );
        }
    }

    #[test]
    fn who_rests_may_come_with_a_burst_again() {
        let (mut flood_control, mut now) = (FloodControl::new(Instant::now()), Instant::now());
        for _ in 0..20 {
            for _ in 0..300 {
                assert_eq!(flood_control.record(1, &limits(), now), Ok(()));
                assert!(!flood_control.is_paused());
            }
            now += Duration::from_secs(6);
        }
    }

    proptest! {
        /// Whatever the client does, no more is read than is allowed, but for the
        /// one frame that shows it.
        #[test]
        fn no_more_is_read_than_is_allowed(waits in prop::collection::vec(0u64..200, 1..500)) {
            let begun = Instant::now();
            let (mut flood_control, mut now, mut recorded) = (FloodControl::new(begun), begun, 0);
            for wait in waits {
                now += Duration::from_millis(wait);
                if let Some(at) = flood_control.paused_until {
                    now = now.max(at);
                    flood_control.resume();
                }
                prop_assert!(flood_control.record(1, &limits(), now).is_ok());
                recorded += 1;
                let allowed = 300.0 + now.duration_since(begun).as_secs_f64() * 50.0;
                prop_assert!(f64::from(recorded) <= allowed + 1.0, "{recorded} frames, {allowed} allowed");
            }
        }
    }
}
