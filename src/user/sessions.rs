//! Periodic checks: closes the connections of ended sessions, and frees names that
//! nobody uses.
//!
//! A connection lives no longer than its session. A session that is ended on this
//! server closes its connections at once; for sessions that expire, or that another
//! server ended, the database is asked periodically.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Services;
use crate::database::Lifetime;
use crate::domain::{SessionFilter, SessionId, UserId};
use crate::registry::CloseReason;

/// Sessions checked by one statement.
const BATCH: usize = 1_000;

/// Closes every connection whose session has ended. A session with a connection is in
/// use, which extends it.
pub(super) async fn close_ended(services: Arc<Services>) {
    let connected: HashMap<SessionId, UserId> = services
        .registry
        .connections()
        .all()
        .iter()
        .map(|connection| (connection.session(), connection.user().id))
        .collect();
    let sessions: Vec<SessionId> = connected.keys().copied().collect();
    let lifetime = Lifetime::configured(&services.config);
    for some in sessions.chunks(BATCH) {
        let live = match services.database.live_sessions(some).await {
            Ok(live) => live,
            Err(error) => {
                // The next check tries again.
                tracing::warn!(%error, "whether sessions have ended is not known");
                return;
            }
        };
        for session in some.iter().filter(|session| !live.contains_key(session)) {
            let connections = services.registry.connections();
            connections.close(connected[session], CloseReason::LoggedOut, SessionFilter::Only(*session));
        }
        if let Err(error) = services.database.use_sessions(some, lifetime).await {
            tracing::warn!(%error, "sessions in use are not extended");
        }
    }
}

/// Frees the unused names among a thousand users after `cursor`, and advances it.
pub(super) async fn free_names(services: Arc<Services>, cursor: Arc<Mutex<Option<UserId>>>) {
    let after = *cursor.lock().unwrap_or_else(PoisonError::into_inner);
    match services.database.free_unused_names(after, services.config.unused_names).await {
        Ok((freed, next)) => {
            if freed > 0 {
                tracing::info!(freed, "names that nobody has used are free again");
            }
            *cursor.lock().unwrap_or_else(PoisonError::into_inner) = next;
        }
        Err(error) => tracing::warn!(%error, "unused names are not freed now"),
    }
}
