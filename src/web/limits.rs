use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};

use super::address::AddressKey;
use super::refusal::Refusal;
use crate::config::Config;

/// Passwords tried for one name in a minute, by whomever.
const PASSWORDS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(10).expect("ten is not zero");

/// Keys beyond which those that are at rest are forgotten.
const KEYS_MAX: usize = 10_000;

/// How often somebody may try to get in.
pub struct Limits {
    logins: Limiter<AddressKey>,
    passwords: Limiter<String>,
}

impl Limits {
    pub fn new(config: &Config) -> Self {
        Self {
            // The setting's range begins at one.
            logins: Limiter::per_minute(NonZeroU32::new(config.logins_per_minute).unwrap_or(NonZeroU32::MIN)),
            passwords: Limiter::per_minute(PASSWORDS_PER_MINUTE),
        }
    }

    /// Counts an attempt to log in from an address.
    pub fn log_in(&self, address: IpAddr) -> Result<(), Refusal> {
        self.logins.count(&address.into())
    }

    /// Counts a password tried for the name with this key.
    pub fn password(&self, name_key: &str) -> Result<(), Refusal> {
        self.passwords.count(&name_key.to_owned())
    }
}

struct Limiter<K: Hash + Eq + Clone>(DefaultKeyedRateLimiter<K>);

impl<K: Hash + Eq + Clone> Limiter<K> {
    fn per_minute(times: NonZeroU32) -> Self {
        Self(DefaultKeyedRateLimiter::keyed(Quota::per_minute(times)))
    }

    fn count(&self, key: &K) -> Result<(), Refusal> {
        if self.0.len() > KEYS_MAX {
            self.0.retain_recent();
        }
        self.0.check_key(key).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            Refusal::rate_limited(wait.max(Duration::from_millis(1)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_does_not_use_up_the_attempts_of_another() {
        let limiter = Limiter::per_minute(NonZeroU32::new(3).unwrap());
        for _ in 0..3 {
            assert!(limiter.count(&"ada").is_ok());
        }
        assert!(limiter.count(&"ada").is_err());
        assert!(limiter.count(&"bob").is_ok());
    }
}
