use super::password::Password;
use super::{AccountError, Accounts, Authenticated};
use crate::database::PasswordChange;
use crate::domain::{SessionFilter, SessionSecret};
use crate::registry::CloseReason;

impl Accounts {
    /// Sets the user's password, ends the user's other sessions, and returns a new
    /// secret for this one. `current` is the old password, if there is one.
    pub async fn set_password(
        &self,
        me: &Authenticated,
        password: &str,
        current: Option<&str>,
    ) -> Result<SessionSecret, AccountError> {
        let (user, session) = (me.user_id(), me.session_id());
        let password = Password::choose(password, &me.session.user.name)?;
        let account = self.database().account(user).await?.ok_or(AccountError::SessionEnded)?;
        let old = account.password_hash;
        if let Some(hash) = old.clone() {
            let attempt = self.throttle.current_password(user)?;
            if !attempt.judge(self.hasher.verify(current.unwrap_or_default(), hash).await)? {
                return Err(AccountError::WrongCurrentPassword);
            }
        }
        let hash = self.hasher.hash(password).await?;
        let secret = SessionSecret::generate();
        let change =
            self.database().set_password(user, (old.as_deref(), &hash), session, secret.hash()).await?;
        match change {
            PasswordChange::Done => {}
            PasswordChange::Outdated => return Err(AccountError::WrongCurrentPassword),
            PasswordChange::Ended => return Err(AccountError::SessionEnded),
        }
        self.close_connections(user, SessionFilter::AllBut(session), CloseReason::LoggedOut);
        Ok(secret)
    }
}
