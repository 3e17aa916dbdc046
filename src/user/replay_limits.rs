//! The limits of replays: how many each user may start per second, and how much memory
//! all of them take together.

use std::pin::pin;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{sleep, timeout};

use crate::config::Config;
use crate::database::REPLAY_PAGE_BYTES;
use crate::domain::{Quota, Rate, UserId};
use crate::registry::{CloseReason, ConnectionHandle, REPLAY_ROOM_BYTES};

/// How much memory a replay takes: a page as it was read, and the part of it that is
/// encoded in the connection's queue.
const PAGE_MEMORY_BYTES: usize = REPLAY_PAGE_BYTES + REPLAY_ROOM_BYTES;

/// A reader that takes nothing for this long is closed if others wait for memory.
const STALLED_AFTER: Duration = Duration::from_secs(2);

/// Limits the rate and the memory of replays.
pub struct ReplayLimits {
    rate: Quota<UserId>,
    pages: Semaphore,
}

impl ReplayLimits {
    pub fn new(config: &Config) -> Self {
        let rate = Rate::per_second(config.replays_per_second.into(), config.replays_burst.into());
        let pages = (config.replay_bytes / PAGE_MEMORY_BYTES).clamp(1, Semaphore::MAX_PERMITS);
        Self { rate: Quota::new(rate), pages: Semaphore::new(pages) }
    }

    /// Resolves when the user may start another replay.
    pub async fn admit(&self, user: UserId) {
        while let Err(wait) = self.rate.take(user, 1, Instant::now()) {
            sleep(wait).await;
        }
    }

    /// Resolves when there is memory for one page.
    pub async fn acquire_page(&self) -> SemaphorePermit<'_> {
        self.pages.acquire().await.expect("nobody closes it")
    }

    /// Waits for the reader. When no memory is left, a connection that takes nothing is
    /// closed as a slow reader.
    pub async fn while_read(&self, connection: &ConnectionHandle, progress: impl Future<Output = ()>) {
        let mut progress = pin!(progress);
        while timeout(STALLED_AFTER, progress.as_mut()).await.is_err() {
            if self.pages.available_permits() == 0 {
                connection.close(CloseReason::SlowReader);
            }
        }
    }
}
