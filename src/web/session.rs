use std::sync::Arc;

use warp::http::StatusCode;
use warp::http::header::SET_COOKIE;
use warp::reply::{Reply, Response};

use super::body::{self, Body};
use super::caller::{Caller, Member};
use super::password::Password;
use super::refusal::{Refusal, json};
use super::{Context, cookies};
use crate::database::{Account, Claim};
use crate::directory::Close;
use crate::domain::{Name, SessionSecret, UserId};
use crate::protocol::{Code, LogIn, Session, SetPassword, SetVisibility};

/// `POST /api/session`: a new name becomes the caller's; one that is in use
/// opens with its password.
pub async fn log_in(context: Arc<Context>, caller: Caller, body: Body) -> Result<Response, Refusal> {
    context.check_origin(&caller)?;
    context.limits.log_in(caller.address)?;
    let LogIn { name, password, bearer } = body::json(&caller.headers, body)?;
    let name = Name::parse(&name)
        .map_err(|error| Refusal::new(Code::InvalidName, error.to_string()).field("name"))?;
    let password = password.filter(|password| !password.is_empty());
    let secret = SessionSecret::generate();
    let mut session = context.begin(&caller, &name, password.as_deref(), &secret).await?;
    tracing::info!(user = %session.user.id, peer = %caller.address, "logged in");
    if bearer == Some(true) {
        session.token = Some(secret.text());
        return Ok(json(StatusCode::OK, &session));
    }
    context.end_previous(&caller, session.user.id).await?;
    Ok(context.with_cookie(json(StatusCode::OK, &session), &secret))
}

/// `GET /api/session`: who the caller is.
pub async fn who_am_i(context: Arc<Context>, caller: Caller) -> Result<Response, Refusal> {
    let Member { held, .. } = context.member(&caller).await?;
    let session = Session {
        user: held.user,
        has_password: held.has_password,
        invisible: held.visibility.is_invisible(),
        token: None,
    };
    let response = json(StatusCode::OK, &session);
    // A cookie lasts as long as the session, which was just put off.
    Ok(match caller.secret() {
        Some(secret) if caller.has_cookie() => context.with_cookie(response, &secret),
        _ => response,
    })
}

/// `DELETE /api/session`: ends the caller's session and closes its sockets.
pub async fn log_out(context: Arc<Context>, caller: Caller) -> Result<Response, Refusal> {
    context.check_origin(&caller)?;
    let member = context.member(&caller).await?;
    context.end(&member, Close::LoggedOut).await?;
    tracing::info!(user = %member.held.user.id, peer = %caller.address, "logged out");
    let mut response = StatusCode::NO_CONTENT.into_response();
    if caller.has_cookie() {
        response.headers_mut().insert(SET_COOKIE, cookies::take_back(context.has_secure_cookies()));
    }
    Ok(response)
}

/// `PUT /api/session/password`: sets it and ends the user's other sessions.
pub async fn set_password(context: Arc<Context>, caller: Caller, body: Body) -> Result<Response, Refusal> {
    context.check_origin(&caller)?;
    let Member { held, session } = context.member(&caller).await?;
    let SetPassword { password, current } = body::json(&caller.headers, body)?;
    let password = Password::parse(&password, "password")?;
    let account = context.database().account(held.user.id).await?.ok_or_else(Refusal::unauthorized)?;
    if let Some(hash) = account.password_hash {
        context.limits.password(&held.name_key)?;
        if !context.passwords.verify(current.as_deref().unwrap_or_default(), hash).await? {
            return Err(wrong_password("current"));
        }
    }
    let hash = context.passwords.hash(password).await?;
    context.database().set_password(held.user.id, &hash, session).await?;
    context.services.users.close(held.user.id, Close::LoggedOut, |other| other != session);
    tracing::info!(user = %held.user.id, "set a password");
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `PUT /api/session/visibility`: whether others see that the user is here.
pub async fn set_visibility(context: Arc<Context>, caller: Caller, body: Body) -> Result<Response, Refusal> {
    context.check_origin(&caller)?;
    let user = context.member(&caller).await?.held.user.id;
    let SetVisibility { invisible } = body::json(&caller.headers, body)?;
    let services = context.services.clone();
    // In a task: should the caller go away in the middle, what is stored is in force.
    let setting = tokio::spawn(async move { services.set_visibility(user, invisible).await });
    setting.await.map_err(|error| {
        tracing::error!(%error, "setting the visibility did not end well");
        Refusal::internal()
    })??;
    Ok(StatusCode::NO_CONTENT.into_response())
}

impl Context {
    /// A session of that name, new or not.
    async fn begin(
        &self,
        caller: &Caller,
        name: &Name,
        password: Option<&str>,
        secret: &SessionSecret,
    ) -> Result<Session, Refusal> {
        // Who gives no password mostly comes with a new name: that is not looked for first.
        if password.is_none()
            && let Some(session) = self.claim(name, None, secret).await?
        {
            return Ok(session);
        }
        match self.database().account_named(name).await? {
            None => self.claim(name, password, secret).await?.ok_or_else(name_taken),
            Some(account) => self.enter(caller, name, account, password, secret).await,
        }
    }

    /// Makes a new name the caller's; none when it is taken.
    async fn claim(
        &self,
        name: &Name,
        password: Option<&str>,
        secret: &SessionSecret,
    ) -> Result<Option<Session>, Refusal> {
        let hash = match password {
            Some(password) => Some(self.passwords.hash(Password::parse(password, "password")?).await?),
            None => None,
        };
        let ttl = self.config().session_ttl;
        Ok(match self.database().claim(name, hash.as_deref(), secret.id(), ttl).await? {
            Claim::New(user) => {
                Some(Session { user, has_password: hash.is_some(), invisible: false, token: None })
            }
            Claim::Taken => None,
        })
    }

    /// Opens another session of a name in use: for who has its password, or is
    /// in it already.
    async fn enter(
        &self,
        caller: &Caller,
        name: &Name,
        account: Account,
        password: Option<&str>,
        secret: &SessionSecret,
    ) -> Result<Session, Refusal> {
        let is_in =
            self.find_member(caller).await?.is_some_and(|member| member.held.user.id == account.user.id);
        let has_password = account.password_hash.is_some();
        match (account.password_hash, password) {
            _ if is_in => {}
            (None, _) => return Err(name_taken()),
            (Some(_), None) => {
                let message = "This name is in use; its password opens it.";
                return Err(Refusal::new(Code::PasswordRequired, message).field("password"));
            }
            (Some(hash), Some(password)) => {
                self.limits.password(&name.key())?;
                if !self.passwords.verify(password, hash).await? {
                    return Err(wrong_password("password"));
                }
            }
        }
        self.database().open_session(secret.id(), account.user.id, self.config().session_ttl).await?;
        let invisible = account.visibility.is_invisible();
        Ok(Session { user: account.user, has_password, invisible, token: None })
    }

    /// A new cookie takes the place of an old one: nobody would ever end that.
    async fn end_previous(&self, caller: &Caller, new: UserId) -> Result<(), Refusal> {
        if caller.has_cookie()
            && let Some(previous) = self.find_member(caller).await?
        {
            let same = previous.held.user.id == new;
            self.end(&previous, if same { Close::LoggedInAgain } else { Close::LoggedOut }).await?;
        }
        Ok(())
    }

    /// Presence gives a log-out no grace.
    async fn end(&self, member: &Member, why: Close) -> Result<(), Refusal> {
        self.database().end_session(member.session).await?;
        self.services.users.close(member.held.user.id, why, |other| other == member.session);
        Ok(())
    }

    fn with_cookie(&self, mut response: Response, secret: &SessionSecret) -> Response {
        let cookie = cookies::give(secret, self.config().session_ttl, self.has_secure_cookies());
        response.headers_mut().insert(SET_COOKIE, cookie);
        response
    }

    /// Whether every page of this server comes over TLS.
    fn has_secure_cookies(&self) -> bool {
        let origins = &self.config().origins;
        !origins.is_empty() && origins.iter().all(|origin| origin.starts_with("https://"))
    }
}

fn name_taken() -> Refusal {
    Refusal::new(Code::NameTaken, "Somebody has this name, or one that looks the same.").field("name")
}

fn wrong_password(field: &str) -> Refusal {
    Refusal::new(Code::WrongPassword, "This is not the password.").field(field)
}
