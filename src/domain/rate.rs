use std::time::{Duration, Instant};

/// A rate limit: a burst, and as much again within a span of time (the generic cell rate
/// algorithm).
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    burst: u64,
    span: Duration,
}

/// The state of a [`Rate`] limit, kept as the time at which it is full again.
///
/// `governor` has such limiters, too. But some limiters here record what has already
/// happened, and some give back what turns out not to count: it does neither.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    full_at: Instant,
}

impl Rate {
    /// `burst` at once, and again within `span`; 0 for no limit.
    pub fn within(span: Duration, burst: u64) -> Self {
        Self { burst, span }
    }

    /// `burst` at once, and so much a second on average; a rate of 0 is no limit.
    pub fn per_second(rate: u64, burst: u64) -> Self {
        let burst = if rate == 0 { 0 } else { burst.max(1) };
        let nanos = u128::from(burst) * Duration::from_secs(1).as_nanos() / u128::from(rate.max(1));
        Self { burst, span: nanoseconds(nanos) }
    }

    /// The maximum at once; 0 means no limit.
    pub fn burst(self) -> u64 {
        self.burst
    }

    /// The time in which `amount` is refilled. Rounded down: a full burst takes no
    /// longer than the span.
    fn time_for(self, amount: u64) -> Duration {
        let (span, burst) = (self.span.as_nanos(), self.burst.max(1));
        // A division of 128 bits takes several times as long, and nearly all fit in 64.
        match u64::try_from(span).ok().and_then(|span| span.checked_mul(amount)) {
            Some(product) => Duration::from_nanos(product / burst),
            None => nanoseconds(span * u128::from(amount) / u128::from(burst)),
        }
    }
}

fn nanoseconds(count: u128) -> Duration {
    Duration::from_nanos(u64::try_from(count).unwrap_or(u64::MAX))
}

impl Bucket {
    /// A full bucket.
    pub fn full(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// Takes `amount`, or errors with the time to wait.
    pub fn take(&mut self, amount: u64, rate: Rate, now: Instant) -> Result<(), Duration> {
        let mut after = *self;
        let wait = after.overdraw(amount, rate, now);
        if !wait.is_zero() {
            return Err(wait);
        }
        *self = after;
        Ok(())
    }

    /// Takes `amount` even if it is not there. Returns how long to wait until
    /// nothing is owed.
    pub fn overdraw(&mut self, amount: u64, rate: Rate, now: Instant) -> Duration {
        if rate.burst == 0 {
            return Duration::ZERO;
        }
        self.full_at = self.full_at.max(now) + rate.time_for(amount);
        self.full_at.duration_since(now).saturating_sub(rate.span)
    }

    /// Gives back what was taken.
    pub fn give_back(&mut self, amount: u64, rate: Rate) {
        if let Some(before) = self.full_at.checked_sub(rate.time_for(amount)) {
            self.full_at = before;
        }
    }

    /// Whether the bucket is full.
    pub fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
    }

    /// Whether the bucket is at least half full.
    pub fn has_half(&self, rate: Rate, now: Instant) -> bool {
        self.full_at.duration_since(now) <= rate.span / 2
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_burst_is_taken_at_once_and_then_so_much_a_second() {
        let (rate, start) = (Rate::per_second(2, 4), Instant::now());
        let mut bucket = Bucket::full(start);
        assert_eq!(bucket.take(4, rate, start), Ok(()));
        assert_eq!(bucket.take(1, rate, start), Err(SECOND / 2));
        assert_eq!(bucket.take(1, rate, start + SECOND / 2), Ok(()));
        assert!(!bucket.is_full(start + 2 * SECOND));
        assert!(bucket.has_half(rate, start + 2 * SECOND));
        assert!(bucket.is_full(start + 3 * SECOND));
    }

    #[test]
    fn what_is_owed_is_waited_for() {
        let (rate, start) = (Rate::per_second(10, 10), Instant::now());
        let mut bucket = Bucket::full(start);
        assert_eq!(bucket.overdraw(15, rate, start), SECOND / 2);
        assert_eq!(bucket.overdraw(5, rate, start), SECOND);
        bucket.give_back(20, rate);
        assert!(bucket.is_full(start));
    }

    #[test]
    fn nothing_is_no_limit() {
        let start = Instant::now();
        for rate in [Rate::per_second(0, 5), Rate::within(SECOND, 0)] {
            let mut bucket = Bucket::full(start);
            assert_eq!(bucket.take(u64::MAX, rate, start), Ok(()));
            assert!(bucket.is_full(start) && bucket.has_half(rate, start));
        }
    }

    proptest! {
        /// In any time no more is taken than a burst and what comes again in it.
        #[test]
        fn no_more_is_taken_than_is_there(
            per_second in 1u64..50,
            burst in 1u64..50,
            asked in prop::collection::vec((0u64..400, 1u64..20), 1..200),
        ) {
            let (rate, start) = (Rate::per_second(per_second, burst), Instant::now());
            let (mut bucket, mut now, mut taken) = (Bucket::full(start), start, 0);
            for (wait, amount) in asked {
                now += Duration::from_millis(wait);
                match bucket.take(amount, rate, now) {
                    Ok(()) => taken += amount,
                    // After that wait it is there, unless it is more than ever is.
                    Err(wait) if amount <= burst => {
                        now += wait;
                        prop_assert_eq!(bucket.take(amount, rate, now), Ok(()));
                        taken += amount;
                    }
                    Err(_) => {}
                }
                let most = burst as f64 + now.duration_since(start).as_secs_f64() * per_second as f64;
                prop_assert!(taken as f64 <= most + 1e-3, "{} of {}", taken, most);
            }
        }
    }
}
