use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Limits how many restarts or crashes are allowed within a sliding window.
#[derive(Debug)]
pub struct RestartIntensity {
    max: usize,
    window: Duration,
    recent: VecDeque<Instant>,
}

impl RestartIntensity {
    pub fn new(max: usize, window: Duration) -> Self {
        Self { max, window, recent: VecDeque::new() }
    }

    /// Records one. Returns `false` if it exceeds `max`.
    pub fn record(&mut self, now: Instant) -> bool {
        self.recent.retain(|at| now.duration_since(*at) < self.window);
        self.recent.push_back(now);
        self.recent.len() <= self.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_one_of_a_sliding_window() {
        let (mut intensity, start) = (RestartIntensity::new(2, Duration::from_secs(60)), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(intensity.record(at(0)) && intensity.record(at(30)));
        assert!(!intensity.record(at(59)));
        assert!(!intensity.record(at(60)), "two of the last minute are left");
        assert!(intensity.record(at(130)));
    }
}
