//! Replays: the events that a client missed are read from the log and sent, page by
//! page, while new ones already arrive live.

use std::sync::Arc;
use std::time::Duration;

use super::Services;
use crate::config;
use crate::database::DatabaseError;
use crate::domain::{UserId, Visibility};
use crate::protocol::{Cursor, Limits, ServerFrame, Synced, User, Welcome, wire_count};
use crate::registry::ConnectionHandle;

/// How long a replay waits before it asks an unreachable database again. The client
/// shows what it has meanwhile.
const RETRY: Duration = Duration::from_secs(1);

pub fn welcome(user: &User, visibility: Visibility, services: &Services) -> ServerFrame {
    ServerFrame::Welcome(Welcome {
        user: user.clone(),
        epoch: services.epoch.clone(),
        limits: limits(&services.config.limits),
        invisible: visibility.is_invisible(),
    })
}

/// What clients keep to.
pub fn limits(config: &config::Limits) -> Limits {
    let millis = |value: Duration| u32::try_from(value.as_millis()).unwrap_or(u32::MAX);
    Limits {
        text_max_chars: wire_count(config.text_max_chars),
        unacknowledged_sends: wire_count(config.unacknowledged_sends),
        sends_per_second: config.sends_per_second,
        sends_burst: config.sends_burst,
        typing_interval_ms: millis(config.typing_interval),
        typing_expiry_ms: millis(config.typing_expiry),
        receipt_interval_ms: millis(config.receipt_interval),
        reconnect_min_ms: millis(config.reconnect_min),
        reconnect_max_ms: millis(config.reconnect_max),
        history_page_max: wire_count(config.history_page_max),
    }
}

/// Sends everything after the cursors, then `synced`. It may be dropped when a newer
/// replay of the connection replaces it, or the connection ends: only frames that are
/// already queued remain.
pub async fn replay(
    services: Arc<Services>,
    user: UserId,
    connection: ConnectionHandle,
    cursors: Vec<Cursor>,
) {
    let mut synced = Synced { truncated: Vec::new(), reset: Vec::new() };
    if !cursors.is_empty() {
        tokio::select! {
            () = connection.closed() => return,
            caught_up = catch_up(&services, user, &connection, cursors.into()) => synced = caught_up,
        }
    }
    connection.send_replayed(ServerFrame::Synced(synced).encode()).await;
}

/// Sends what is missing. One page at a time is in memory: the next one is read when
/// the last has been written.
async fn catch_up(
    services: &Services,
    user: UserId,
    connection: &ConnectionHandle,
    cursors: Arc<[Cursor]>,
) -> Synced {
    services.replays.admit(user).await;
    let (database, max) = (&services.database, wire_count(services.config.replay_max));
    let missing = loop {
        match database.missing(user, cursors.clone(), max).await {
            Ok(missing) => break missing,
            Err(error) => wait_to_retry(user, &error).await,
        }
    };
    drop(cursors);
    let mut ranges = missing.ranges;
    while !ranges.is_empty() {
        let _permit = services.replays.acquire_page().await;
        let page = loop {
            match database.replay_page(user, &mut ranges).await {
                Ok(page) => break page,
                Err(error) => wait_to_retry(user, &error).await,
            }
        };
        for event in page {
            let frame = event.frame.encode();
            services.replays.while_read(connection, connection.send_replayed(frame)).await;
        }
        services.replays.while_read(connection, connection.replay_written()).await;
    }
    Synced { truncated: missing.truncated, reset: missing.reset }
}

async fn wait_to_retry(user: UserId, error: &DatabaseError) {
    tracing::warn!(%user, %error, "replay not read");
    tokio::time::sleep(RETRY).await;
}
