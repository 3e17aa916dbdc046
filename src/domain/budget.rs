use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How often something bad may happen within a sliding window.
#[derive(Debug)]
pub struct Budget {
    max: usize,
    window: Duration,
    spent: VecDeque<Instant>,
}

impl Budget {
    pub fn new(max: usize, window: Duration) -> Self {
        Self { max, window, spent: VecDeque::new() }
    }

    /// Books one; false when that is one more than `max`.
    pub fn spend(&mut self, now: Instant) -> bool {
        self.spent.retain(|at| now.duration_since(*at) < self.window);
        self.spent.push_back(now);
        self.spent.len() <= self.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_one_of_a_sliding_window() {
        let (mut budget, start) = (Budget::new(2, Duration::from_secs(60)), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(budget.spend(at(0)) && budget.spend(at(30)));
        assert!(!budget.spend(at(59)));
        assert!(!budget.spend(at(60)), "two of the last minute are left");
        assert!(budget.spend(at(130)));
    }
}
