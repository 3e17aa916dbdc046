use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use hyper::{Request, Uri};
use web_push_native::p256::PublicKey;
use web_push_native::{Auth, encrypt};

use super::message::PushMessage;
use super::notification::{Notification, NotificationKey, topic};
use super::service::{PushResponse, Service};
use super::{Shared, endpoint};
use crate::database::{DuePush, PushCandidate};
use crate::metrics::{self, PushOutcome};

/// How often one push is tried.
const ATTEMPTS_MAX: u32 = 3;

/// How long to wait before the second try, and four times that before the third, if the
/// service does not say.
const RETRY_WAIT: Duration = Duration::from_secs(1);

/// A service that wants more time than this does not get that push.
const RETRY_WAIT_MAX: Duration = Duration::from_secs(30);

/// For how long a push service keeps a push for a browser that is away (RFC 8030 §5.2).
const TTL_SECONDS: u32 = 24 * 60 * 60;

/// A notification that was taken from the queue. Dropping it lets the next one with its
/// key go.
pub struct InFlightNotification {
    shared: Arc<Shared>,
    key: NotificationKey,
    notification: Notification,
    is_requeued: bool,
}

/// Reports the end of a look-up, however it ends.
struct LookUpGuard(Arc<Shared>);

/// Looks up the subscriptions, and starts a push to each.
pub async fn look_up(shared: Arc<Shared>, notifications: Vec<InFlightNotification>) {
    let _guard = LookUpGuard(shared.clone());
    if notifications.is_empty() {
        return;
    }
    let candidates: Vec<PushCandidate> = notifications
        .iter()
        .map(|notification| notification.notification.candidate(notification.key))
        .collect();
    match shared.database.due_pushes(&candidates).await {
        Ok(pushes) => {
            let notifications: Vec<Arc<InFlightNotification>> =
                notifications.into_iter().map(Arc::new).collect();
            for push in pushes {
                if let Some(notification) = notifications.get(push.index) {
                    begin(notification.clone(), push);
                }
            }
        }
        Err(error) if error.is_unavailable() => {
            tracing::warn!(%error, "pushes wait for the database");
            notifications.into_iter().for_each(InFlightNotification::requeue);
        }
        Err(error) => {
            tracing::error!(%error, "pushes are lost");
            notifications.iter().for_each(|_| metrics::pushed(PushOutcome::Failed));
        }
    }
}

/// Sends one push in its own task, if its service has room for it.
fn begin(notification: Arc<InFlightNotification>, push: DuePush) {
    let shared = &notification.shared;
    let Some((endpoint, service)) = endpoint::resolve(&shared.services, &push.subscription.endpoint) else {
        // The setting has changed since the browser subscribed.
        tracing::debug!("a subscription is of no service that may be sent to");
        return count(&push, PushOutcome::Refused);
    };
    match service.room.clone().try_acquire_owned() {
        Err(_full) => count(&push, PushOutcome::Dropped),
        Ok(room) => drop(tokio::spawn(async move {
            let outcome = notification.deliver(&push, &endpoint, &service).await;
            count(&push, outcome);
            drop(room);
        })),
    }
}

/// Counts the outcome of a push, unless its recipient is invisible: that a push was
/// due would reveal that the recipient is not connected.
fn count(push: &DuePush, outcome: PushOutcome) {
    if !push.is_invisible {
        metrics::pushed(outcome);
    }
}

impl InFlightNotification {
    pub fn new(shared: &Arc<Shared>, key: NotificationKey, notification: Notification) -> Self {
        Self { shared: shared.clone(), key, notification, is_requeued: false }
    }

    /// Whether the recipient has a connection. During the grace of presence there is none.
    pub fn is_recipient_connected(&self) -> bool {
        self.shared.bus.is_connected(self.key.user)
    }

    /// Whether others see the recipient online.
    pub fn is_recipient_online(&self) -> bool {
        self.shared.registry.online_users().contains(self.key.user)
    }

    fn requeue(mut self) {
        self.is_requeued = true;
        self.shared.queue().requeue(self.key, self.notification.clone(), Instant::now());
    }

    async fn deliver(&self, push: &DuePush, endpoint: &Uri, service: &Service) -> PushOutcome {
        let shared = &self.shared;
        let Some(request) = self.request(push, endpoint) else { return PushOutcome::Refused };
        let mut wait = RETRY_WAIT;
        for attempt in 1..=ATTEMPTS_MAX {
            let response = {
                let _turn = service.turns.acquire().await;
                if self.is_recipient_connected() {
                    return PushOutcome::Returned;
                }
                if attempt > 1 && shared.queue().has(self.key) {
                    return PushOutcome::Superseded;
                }
                shared.client.send(request.clone()).await
            };
            match response {
                PushResponse::Accepted => return PushOutcome::Sent,
                PushResponse::Gone => return self.forget(push).await,
                PushResponse::Rejected(status) => {
                    let has_contact = shared.vapid.has_contact();
                    tracing::warn!(service = %service.setting, %status, has_contact, "a push was refused");
                    return PushOutcome::Refused;
                }
                PushResponse::RetryLater(Some(longer)) if longer > RETRY_WAIT_MAX => break,
                PushResponse::RetryLater(asked) if attempt < ATTEMPTS_MAX => {
                    tokio::time::sleep(asked.unwrap_or(wait)).await;
                    wait *= 4;
                }
                PushResponse::RetryLater(_) => {}
            }
        }
        tracing::warn!(service = %service.setting, "a push was given up");
        PushOutcome::Failed
    }

    /// Builds the request, encrypted for the browser and signed for its service. Returns
    /// `None` if the keys are invalid.
    fn request(&self, push: &DuePush, endpoint: &Uri) -> Option<Request<Full<Bytes>>> {
        let subscription = &push.subscription;
        let key = PublicKey::from_sec1_bytes(&subscription.p256dh).ok()?;
        let body =
            encrypt(self.notification.payload(self.key, push), &key, &Auth::from(subscription.auth)).ok()?;
        Request::post(endpoint)
            .header(AUTHORIZATION, self.shared.vapid.authorization(endpoint, SystemTime::now()))
            .header(CONTENT_ENCODING, "aes128gcm")
            .header(CONTENT_TYPE, "application/octet-stream")
            .header("ttl", TTL_SECONDS)
            .header("urgency", "normal")
            .header("topic", topic(&subscription.auth, self.key.conversation))
            .body(Full::from(body))
            .ok()
    }

    async fn forget(&self, push: &DuePush) -> PushOutcome {
        if let Err(error) = self.shared.database.forget_subscription(&push.subscription.endpoint).await {
            // The next push gets the same answer.
            tracing::warn!(%error, "a subscription that is gone is not forgotten");
        }
        PushOutcome::Gone
    }
}

impl Drop for InFlightNotification {
    fn drop(&mut self) {
        if !self.is_requeued && self.shared.queue().release(self.key) {
            self.shared.wake();
        }
    }
}

impl Drop for LookUpGuard {
    fn drop(&mut self) {
        // If the dispatcher is being replaced, the new one looks by itself.
        drop(self.0.dispatcher.cast(PushMessage::LookUpDone));
    }
}
