use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use dashmap::{DashMap, Entry};

use super::{Bucket, Rate};

/// The number of keys beyond which those with a full quota are removed,
/// before it has doubled.
const KEYS_MIN: usize = 1_000;

/// A [`Rate`] for each key. What turns out not to count can be given back. Keys that clients
/// cannot choose may have a quicker hash `S` ([`IdHasher`](super::IdHasher)).
pub struct Quota<K, S = RandomState> {
    rate: Rate,
    /// A missing bucket is full.
    buckets: DashMap<K, Bucket, S>,
    /// The number of keys at which full ones are removed.
    cleanup_at: AtomicUsize,
}

impl<K: Hash + Eq, S: BuildHasher + Clone + Default> Quota<K, S> {
    pub fn new(rate: Rate) -> Self {
        Self { rate, buckets: DashMap::default(), cleanup_at: AtomicUsize::new(KEYS_MIN) }
    }

    /// Takes `amount` from the quota of `key`, or errors with the time to wait. More
    /// than the whole quota counts as all of it.
    pub fn take(&self, key: K, amount: u64, now: Instant) -> Result<(), Duration> {
        if self.rate.burst() == 0 {
            return Ok(());
        }
        let amount = amount.min(self.rate.burst());
        let mut bucket = match self.buckets.entry(key) {
            Entry::Occupied(bucket) => return bucket.into_ref().take(amount, self.rate, now),
            Entry::Vacant(place) => place.insert(Bucket::full(now)),
        };
        let taken = bucket.take(amount, self.rate, now);
        drop(bucket);
        // Only for a new key: to count them takes a lock for each part of the table.
        self.forget_full(now);
        taken
    }

    /// Gives back what was taken.
    pub fn give_back(&self, key: &K, amount: u64) {
        if let Some(mut bucket) = self.buckets.get_mut(key) {
            bucket.give_back(amount.min(self.rate.burst()), self.rate);
        }
    }

    /// Removes keys with a full quota, which are like missing ones. The cost is
    /// spread over as many new keys as there are.
    fn forget_full(&self, now: Instant) {
        if self.buckets.len() < self.cleanup_at.load(Ordering::Relaxed) {
            return;
        }
        self.buckets.retain(|_, bucket| !bucket.is_full(now));
        self.cleanup_at.store(2 * self.buckets.len().max(KEYS_MIN / 2), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn a_minute<K: Hash + Eq>(burst: u64) -> Quota<K> {
        Quota::new(Rate::within(MINUTE, burst))
    }

    #[test]
    fn a_quota_is_whole_again_after_its_span() {
        let (quota, start) = (a_minute(3), Instant::now());
        for _ in 0..3 {
            assert_eq!(quota.take("ada", 1, start), Ok(()));
        }
        assert_eq!(quota.take("ada", 1, start), Err(MINUTE / 3));
        assert_eq!(quota.take("bob", 3, start), Ok(()), "another key has its own");
        assert_eq!(quota.take("ada", 1, start + MINUTE / 3), Ok(()));
        assert_eq!(quota.take("ada", 3, start + 2 * MINUTE), Ok(()));
    }

    #[test]
    fn what_is_given_back_was_never_taken() {
        let (quota, start) = (a_minute(2), Instant::now());
        for _ in 0..20 {
            assert_eq!(quota.take("ada", 1, start), Ok(()));
            quota.give_back(&"ada", 1);
        }
        assert_eq!(quota.take("ada", 2, start), Ok(()));
        assert!(quota.take("ada", 1, start).is_err());
        quota.give_back(&"nobody", 1);
    }

    #[test]
    fn more_than_all_is_all_and_none_is_no_limit() {
        let start = Instant::now();
        let quota = a_minute(100);
        assert_eq!(quota.take(1, 1_000, start), Ok(()));
        assert_eq!(quota.take(1, 1_000, start), Err(MINUTE));
        let none = a_minute(0);
        assert!((0..1_000).all(|_| none.take(1, u64::MAX, start).is_ok()));
    }

    #[test]
    fn keys_that_are_whole_again_are_forgotten() {
        let (quota, start) = (a_minute(1), Instant::now());
        for key in 0..20 * KEYS_MIN {
            let now = start + Duration::from_millis(key as u64 * 120);
            assert_eq!(quota.take(key, 1, now), Ok(()));
            assert!(quota.buckets.len() <= 2 * KEYS_MIN);
        }
    }
}
