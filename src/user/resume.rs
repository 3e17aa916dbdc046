//! Coming back: what a client missed is read from the log and sent, while new
//! messages already arrive live.

use std::sync::Arc;
use std::time::Duration;

use super::Services;
use crate::config::Config;
use crate::directory::Link;
use crate::domain::{UserId, Visibility};
use crate::protocol::{Cursor, Limits, ServerFrame, Synced, User, Welcome, wire_count};

/// A replay that finds no database tries again after this, as long as the
/// connection is there: the client shows what it has and waits.
const RETRY: Duration = Duration::from_secs(1);

pub fn welcome(user: &User, visibility: Visibility, services: &Services) -> ServerFrame {
    ServerFrame::Welcome(Welcome {
        user: user.clone(),
        epoch: services.epoch.clone(),
        limits: limits(&services.config),
        invisible: visibility.is_invisible(),
    })
}

fn limits(config: &Config) -> Limits {
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

/// Sends everything after the cursors, then `synced`.
pub async fn replay(services: Arc<Services>, user: UserId, link: Link, cursors: Vec<Cursor>) {
    let mut synced = Synced { truncated: Vec::new(), reset: Vec::new() };
    if !cursors.is_empty() {
        tokio::select! {
            () = link.closed() => return,
            replay = read(&services, user, &cursors) => {
                for message in replay.messages {
                    link.send_replayed(ServerFrame::Message(message).encode()).await;
                }
                synced = Synced { truncated: replay.truncated, reset: replay.reset };
            }
        }
    }
    link.send_replayed(ServerFrame::Synced(synced).encode()).await;
}

async fn read(services: &Services, user: UserId, cursors: &[Cursor]) -> crate::database::Replay {
    loop {
        match services.database.replay(user, cursors, wire_count(services.config.replay_max)).await {
            Ok(replay) => return replay,
            Err(error) => tracing::warn!(%user, %error, "replay not read"),
        }
        tokio::time::sleep(RETRY).await;
    }
}
