use std::time::Duration;

use super::{AccountError, Accounts};
use crate::bus::Delivery;
use crate::database::{DatabaseError, Lifetime, ListedSession, LiveSession};
use crate::domain::{SessionFilter, SessionId, TokenHash, UserId, Visibility};
use crate::registry::CloseReason;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The most sessions that a list has. Nobody looks through more.
const LISTED_MAX: u32 = 200;

/// Somebody with a live session.
pub struct Authenticated {
    pub session: LiveSession,
    /// What the session was found by.
    pub token: TokenHash,
}

impl Authenticated {
    pub fn user_id(&self) -> UserId {
        self.session.user.id
    }

    pub fn session_id(&self) -> SessionId {
        self.session.session
    }
}

impl Accounts {
    /// The live session with this token, which is kept alive by being used.
    pub async fn authenticate(&self, token: TokenHash) -> Result<Option<Authenticated>, DatabaseError> {
        let Some(session) = self.database().session(token).await? else { return Ok(None) };
        if needs_extension(&session, self.lifetime())
            && let Err(error) = self.database().extend_session(session.session, self.lifetime()).await
        {
            // It lasts until its present end; the next request tries again.
            tracing::warn!(%error, "a session is not extended");
        }
        Ok(Some(Authenticated { session, token }))
    }

    /// How long a session lasts without being used.
    pub fn session_ttl(&self) -> Duration {
        self.lifetime().ttl
    }

    /// The user's live sessions, the most recently used first.
    pub async fn sessions(&self, me: &Authenticated) -> Result<Vec<ListedSession>, DatabaseError> {
        self.database().sessions_of(me.user_id(), LISTED_MAX).await
    }

    /// Ends the session and closes its sockets. A log-out gets no grace from presence.
    pub async fn log_out(&self, me: &Authenticated) -> Result<(), DatabaseError> {
        self.end_own(me, CloseReason::LoggedOut).await
    }

    /// Ends the session that a new one of `user` replaces in the same browser, which
    /// forgets its secret. Returns whether there was one.
    pub async fn end_replaced_session(&self, old: TokenHash, user: UserId) -> Result<bool, DatabaseError> {
        let Some(session) = self.database().session(old).await? else { return Ok(false) };
        let old = Authenticated { session, token: old };
        let why = if old.user_id() == user { CloseReason::LoggedInAgain } else { CloseReason::LoggedOut };
        self.end_own(&old, why).await?;
        Ok(true)
    }

    /// Ends one of the user's sessions, which may be this one, and closes its sockets.
    pub async fn end_session(&self, me: &Authenticated, session: SessionId) -> Result<(), AccountError> {
        if !self.database().end_session(me.user_id(), session).await? {
            return Err(AccountError::NoSuchSession);
        }
        self.close_connections(me.user_id(), SessionFilter::Only(session), CloseReason::LoggedOut);
        Ok(())
    }

    /// Ends all of the user's sessions, this one included, and closes their sockets.
    pub async fn end_all_sessions(&self, me: &Authenticated) -> Result<(), DatabaseError> {
        self.database().end_sessions(me.user_id()).await?;
        self.close_connections(me.user_id(), SessionFilter::All, CloseReason::LoggedOut);
        Ok(())
    }

    /// Checks a session again once its connection is in the table: until then, a log-out
    /// or a change of visibility could not reach the connection. `visibility` and
    /// `revision` are what was read before. Does nothing while the revision is unchanged.
    pub async fn recheck(&self, user: UserId, session: SessionId, visibility: Visibility, revision: u64) {
        if self.services.registry.connections().revision() == revision {
            return;
        }
        let why = match self.database().live_sessions(&[session]).await {
            Ok(live) => match live.get(&session) {
                Some(newer) if *newer > visibility => {
                    return self.services.apply_visibility(user, *newer);
                }
                Some(_) => return,
                None => CloseReason::LoggedOut,
            },
            Err(error) => {
                tracing::warn!(%error, "a session cannot be confirmed");
                CloseReason::NoSession
            }
        };
        self.services.registry.connections().close(user, why, SessionFilter::Only(session));
    }

    async fn end_own(&self, me: &Authenticated, why: CloseReason) -> Result<(), DatabaseError> {
        let session = me.session_id();
        self.database().end_session(me.user_id(), session).await?;
        self.close_connections(me.user_id(), SessionFilter::Only(session), why);
        Ok(())
    }

    /// Closes the connections of sessions that have just ended, wherever they are.
    pub(super) fn close_connections(&self, user: UserId, sessions: SessionFilter, why: CloseReason) {
        self.services.bus.publish(Delivery::SessionsEnded { user, sessions, why });
    }

    pub(super) fn lifetime(&self) -> Lifetime {
        Lifetime::configured(&self.services.config)
    }
}

/// Whether to store that a session is used: once a day, and when its end can be
/// put off by at least a day, or by half of its time to live.
fn needs_extension(session: &LiveSession, Lifetime { ttl, max }: Lifetime) -> bool {
    let possible = ttl.min(max.saturating_sub(session.age));
    !session.used_today || session.remains + DAY.min(ttl / 2) < possible
}
