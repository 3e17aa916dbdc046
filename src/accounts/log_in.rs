use std::net::IpAddr;

use super::password::Password;
use super::{AccountError, Accounts};
use crate::database::{Account, Claim, NewSession, Proof};
use crate::domain::{Agent, Name, NameError, SessionSecret, TokenHash};
use crate::protocol::User;

/// A request to log in, which [`Accounts::count_log_in`] has let pass.
pub struct LogInRequest<'a> {
    pub name: &'a Name,
    pub password: Option<&'a str>,
    /// Whether a program asks that keeps the secret itself. A session of the same
    /// user does not spare it the password.
    pub is_bearer: bool,
    /// The session that the caller already has, if it is live.
    pub current: Option<TokenHash>,
    pub agent: Agent,
    pub address: IpAddr,
}

/// The user of a new session.
pub struct LoggedIn {
    pub user: User,
    pub has_password: bool,
    pub is_invisible: bool,
}

impl Accounts {
    /// Gives a new name to the caller; opens another session of one that is in use.
    /// Returns the secret of the session as well.
    pub async fn log_in(
        &self,
        request: &LogInRequest<'_>,
    ) -> Result<(LoggedIn, SessionSecret), AccountError> {
        let secret = SessionSecret::generate();
        let new = NewSession {
            agent: request.agent.clone(),
            ..NewSession::new(secret.hash(), self.lifetime().ttl)
        };
        Ok((self.open(request, &new).await?, secret))
    }

    async fn open(&self, request: &LogInRequest<'_>, new: &NewSession) -> Result<LoggedIn, AccountError> {
        let name = request.name;
        // Without a password the name is usually new, so it is not looked up first.
        if request.password.is_none()
            && !name.is_reserved()
            && let Some(opened) = self.claim(name, None, new).await?
        {
            return Ok(opened);
        }
        match self.database().account_named(name).await? {
            // Users who already have such a name keep it.
            None if name.is_reserved() => Err(NameError::Reserved.into()),
            None => self.claim(name, request.password, new).await?.ok_or(AccountError::NameTaken),
            Some(account) => self.enter(request, account, new).await,
        }
    }

    /// Gives a new name to the caller; `None` if it is taken.
    async fn claim(
        &self,
        name: &Name,
        password: Option<&str>,
        new: &NewSession,
    ) -> Result<Option<LoggedIn>, AccountError> {
        let hash = match password {
            Some(password) => Some(self.hasher.hash(Password::choose(password, name.as_str())?).await?),
            None => None,
        };
        Ok(match self.database().claim(name, hash.as_deref(), new.clone()).await? {
            Claim::New(user) => Some(LoggedIn { user, has_password: hash.is_some(), is_invisible: false }),
            Claim::Taken => None,
        })
    }

    /// Opens another session of a name in use, for a caller who knows its password
    /// or has a session of it. A bearer token for a name with a password always
    /// needs the password.
    async fn enter(
        &self,
        request: &LogInRequest<'_>,
        account: Account,
        new: &NewSession,
    ) -> Result<LoggedIn, AccountError> {
        let user = account.user.id;
        let has_password = account.password_hash.is_some();
        let needs_password = request.is_bearer && has_password;
        let current = match request.current {
            Some(token) => self.authenticate(token).await?,
            None => None,
        };
        let own = current.filter(|current| current.user_id() == user && !needs_password);
        let opened = match (own, &account.password_hash, request.password) {
            (Some(own), ..) => {
                self.database().open_session(new, user, Proof::Session(own.session_id())).await?
            }
            (None, None, _) => return Err(AccountError::NameTaken),
            (None, Some(_), None) => return Err(AccountError::PasswordRequired),
            (None, Some(hash), Some(password)) => {
                self.verify(request, password, hash).await?;
                self.throttle.entry(user)?;
                self.database().open_session(new, user, Proof::Password(hash)).await?
            }
        };
        if !opened {
            // What was verified has changed meanwhile: the answer is as if it had been wrong.
            return Err(if has_password { AccountError::WrongPassword } else { AccountError::NameTaken });
        }
        let is_invisible = account.visibility.is_invisible();
        Ok(LoggedIn { user: account.user, has_password, is_invisible })
    }

    /// Errors unless this is the password. A wrong one is counted and logged.
    async fn verify(
        &self,
        request: &LogInRequest<'_>,
        password: &str,
        hash: &str,
    ) -> Result<(), AccountError> {
        let attempt = match self.throttle.password(request.name.key(), request.address) {
            Ok(attempt) => attempt,
            Err(error) => {
                self.log_failure(request, "too many wrong passwords").await;
                return Err(error);
            }
        };
        if attempt.judge(self.hasher.verify(password, hash.to_owned()).await)? {
            return Ok(());
        }
        self.log_failure(request, "wrong password").await;
        Err(AccountError::WrongPassword)
    }

    /// For tools that watch for break-ins. The line has nothing that was typed: even
    /// the name may be a password in the wrong field.
    async fn log_failure(&self, request: &LogInRequest<'_>, why: &str) {
        match self.database().server_key().await {
            Ok(key) => {
                let name = key.name_tag(&request.name.key());
                tracing::warn!(peer = %request.address, name, why, "a log-in failed");
            }
            Err(error) => tracing::warn!(peer = %request.address, why, %error, "a log-in failed"),
        }
    }
}
