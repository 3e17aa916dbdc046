use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::AccountError;
use crate::config::Config;
use crate::domain::{AddressKey, Quota, Rate, UserId};

/// Wrong passwords for one name from one address in a minute.
const WRONG_PASSWORDS: u64 = 10;

/// Wrong passwords for one name in a minute, from all addresses together. Somebody
/// with enough addresses to use this up keeps the owner from logging in again, but
/// never from using a session that is open.
const WRONG_PASSWORDS_IN_ALL: u64 = 100;

/// Wrong old passwords in a minute from a user who changes the password.
const WRONG_CURRENT_PASSWORDS: u64 = 10;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Limits how often somebody may try to get in.
pub struct LoginThrottle {
    logins: Quota<AddressKey>,
    wrong: Quota<(String, AddressKey)>,
    wrong_in_all: Quota<String>,
    wrong_current: Quota<UserId>,
    entries: Quota<UserId>,
}

/// A password that is being verified. It counts as wrong until it is found to be
/// right, so that no number of guesses at once passes a limit.
#[must_use]
pub struct Attempt<'a> {
    throttle: &'a LoginThrottle,
    by: By,
}

/// Who tries a password.
enum By {
    /// Somebody who wants to log in: the key of the name, and the address.
    Stranger(String, AddressKey),
    /// Somebody who is logged in.
    User(UserId),
}

impl LoginThrottle {
    pub fn new(config: &Config) -> Self {
        Self {
            logins: Quota::new(Rate::within(MINUTE, config.logins_per_minute.into())),
            wrong: Quota::new(Rate::within(MINUTE, WRONG_PASSWORDS)),
            wrong_in_all: Quota::new(Rate::within(MINUTE, WRONG_PASSWORDS_IN_ALL)),
            wrong_current: Quota::new(Rate::within(MINUTE, WRONG_CURRENT_PASSWORDS)),
            entries: Quota::new(Rate::within(DAY, config.logins_per_day.into())),
        }
    }

    /// Counts an attempt to log in from an address.
    pub fn log_in(&self, address: IpAddr) -> Result<(), AccountError> {
        self.logins.take(address.into(), 1, Instant::now()).map_err(too_many_attempts)
    }

    /// Counts a password that is tried from an address for the name with this key.
    pub fn password(&self, name_key: String, address: IpAddr) -> Result<Attempt<'_>, AccountError> {
        let (address, now) = (AddressKey::from(address), Instant::now());
        self.wrong.take((name_key.clone(), address), 1, now).map_err(too_many_attempts)?;
        if let Err(retry_after) = self.wrong_in_all.take(name_key.clone(), 1, now) {
            // It is not tried, so it does not count for the address.
            self.wrong.give_back(&(name_key, address), 1);
            return Err(too_many_attempts(retry_after));
        }
        Ok(Attempt { throttle: self, by: By::Stranger(name_key, address) })
    }

    /// Counts the old password that a user gives to change it.
    pub fn current_password(&self, user: UserId) -> Result<Attempt<'_>, AccountError> {
        self.wrong_current.take(user, 1, Instant::now()).map_err(too_many_attempts)?;
        Ok(Attempt { throttle: self, by: By::User(user) })
    }

    /// Counts a session that is opened with the password of a name in use.
    pub fn entry(&self, user: UserId) -> Result<(), AccountError> {
        let taken = self.entries.take(user, 1, Instant::now());
        taken.map_err(|retry_after| AccountError::TooManyLogIns { retry_after })
    }
}

impl Attempt<'_> {
    /// Passes on whether the password was right. Only a wrong one stays counted:
    /// one that could not be verified does not.
    pub fn judge(self, verified: Result<bool, AccountError>) -> Result<bool, AccountError> {
        let Self { throttle, by } = self;
        match by {
            _ if matches!(verified, Ok(false)) => {}
            By::Stranger(name_key, address) => {
                throttle.wrong_in_all.give_back(&name_key, 1);
                throttle.wrong.give_back(&(name_key, address), 1);
            }
            By::User(user) => throttle.wrong_current.give_back(&user, 1),
        }
        verified
    }
}

fn too_many_attempts(retry_after: Duration) -> AccountError {
    AccountError::TooManyAttempts { retry_after }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttle() -> LoginThrottle {
        let (config, _) = Config::from_pairs([]).unwrap();
        LoginThrottle::new(&config)
    }

    fn address(n: u8) -> IpAddr {
        [127, 0, 0, n].into()
    }

    fn may_try(throttle: &LoginThrottle, name: &str, from: IpAddr) -> bool {
        throttle.password(name.to_owned(), from).is_ok()
    }

    #[test]
    fn c10_wrong_passwords_from_elsewhere_leave_the_owner_theirs() {
        let throttle = throttle();
        assert_eq!((0..20).filter(|_| may_try(&throttle, "ada", address(1))).count(), 10);
        assert!(may_try(&throttle, "ada", address(2)));
        assert!(may_try(&throttle, "bob", address(1)));
        assert!(throttle.current_password(UserId::fresh()).is_ok());
    }

    #[test]
    fn c10_all_addresses_together_have_a_bound_too() {
        let (throttle, begun) = (throttle(), Instant::now());
        let tried = (0..20).map(|n| (0..10).filter(|_| may_try(&throttle, "ada", address(n))).count());
        // One comes again every 600 ms.
        let (tried, again) = (tried.sum::<usize>() as u128, begun.elapsed().as_millis().div_ceil(600));
        assert!((100..=100 + again).contains(&tried), "{tried}");
        assert!(may_try(&throttle, "bob", address(1)));
    }

    #[test]
    fn c10_right_passwords_count_for_nothing() {
        let (throttle, me) = (throttle(), UserId::fresh());
        for _ in 0..500 {
            let attempts = [throttle.password("ada".to_owned(), address(1)), throttle.current_password(me)];
            for attempt in attempts {
                assert!(attempt.unwrap().judge(Ok(true)).unwrap());
            }
        }
    }
}
