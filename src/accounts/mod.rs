//! Accounts: logging in, passwords, sessions and how long they last, and how
//! often somebody may try. Nothing here knows HTTP: `web` reads the requests,
//! and turns results and [`AccountError`]s into answers.

mod error;
mod log_in;
mod password;
mod sessions;
mod set_password;
mod throttle;

use std::net::IpAddr;
use std::sync::Arc;

pub use error::AccountError;
pub use log_in::{LogInRequest, LoggedIn};
pub use password::PasswordError;
pub use sessions::Authenticated;

use crate::database::Database;
use crate::user::Services;
use password::PasswordHasher;
use throttle::LoginThrottle;

/// Lets users in, keeps them in, and ends their sessions together with their
/// connections.
pub struct Accounts {
    services: Arc<Services>,
    hasher: PasswordHasher,
    throttle: LoginThrottle,
}

impl Accounts {
    pub fn new(services: Arc<Services>) -> Self {
        let throttle = LoginThrottle::new(&services.config);
        Self { services, hasher: PasswordHasher::default(), throttle }
    }

    /// Counts an attempt to log in from an address, whatever becomes of it.
    pub fn count_log_in(&self, address: IpAddr) -> Result<(), AccountError> {
        self.throttle.log_in(address)
    }

    fn database(&self) -> &Database {
        &self.services.database
    }
}
