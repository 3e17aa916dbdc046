use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use hyper::{Request, Uri};
use web_push_native::p256::PublicKey;
use web_push_native::{Auth, encrypt};

use super::notice::{Notice, topic};
use super::queue::Place;
use super::service::{Said, Service};
use super::station::PushMessage;
use super::{Shared, target};
use crate::database::{DuePush, Missed};
use crate::metrics::{self, PushOutcome};

/// Tries of one push.
const ATTEMPTS_MAX: u32 = 3;

/// Before the second try, and four times that before the third, where the
/// service does not say.
const RETRY_WAIT: Duration = Duration::from_secs(1);

/// A service that wants more time than this does not get that push.
const RETRY_WAIT_MAX: Duration = Duration::from_secs(30);

/// For how long a push service keeps a push for a browser that is away (RFC 8030 §5.2).
const TTL_SECONDS: u32 = 24 * 60 * 60;

/// A notice that was taken from the queue. Dropped, it makes room for the next
/// one of its place.
pub struct Sending {
    shared: Arc<Shared>,
    place: Place,
    notice: Notice,
    is_back: bool,
}

/// Ends a look-up, whatever ends it.
struct Looked(Arc<Shared>);

/// Finds where to push, and begins to.
pub async fn look_up(shared: Arc<Shared>, sendings: Vec<Sending>) {
    let _looked = Looked(shared.clone());
    if sendings.is_empty() {
        return;
    }
    let missed: Vec<Missed> = sendings.iter().map(|sending| sending.notice.missed(sending.place)).collect();
    match shared.database.due_pushes(&missed).await {
        Ok(pushes) => {
            let sendings: Vec<Arc<Sending>> = sendings.into_iter().map(Arc::new).collect();
            for push in pushes {
                if let Some(sending) = sendings.get(push.index) {
                    begin(sending.clone(), push);
                }
            }
        }
        Err(error) if error.is_unavailable() => {
            tracing::warn!(%error, "pushes wait for the database");
            sendings.into_iter().for_each(Sending::put_back);
        }
        Err(error) => {
            tracing::error!(%error, "pushes are lost");
            sendings.iter().for_each(|_| metrics::pushed(PushOutcome::Failed));
        }
    }
}

/// Sends one push in a task of its own, where its service has room for it.
fn begin(sending: Arc<Sending>, push: DuePush) {
    let shared = &sending.shared;
    let Some((endpoint, service)) = target::address(&shared.services, &push.target.endpoint) else {
        // It was one when the browser gave it.
        tracing::debug!("a subscription is of no service that may be sent to");
        return metrics::pushed(PushOutcome::Refused);
    };
    match service.room.clone().try_acquire_owned() {
        Err(_full) => metrics::pushed(PushOutcome::Dropped),
        Ok(room) => drop(tokio::spawn(async move {
            let outcome = sending.deliver(&push, &endpoint, &service).await;
            metrics::pushed(outcome);
            drop(room);
        })),
    }
}

impl Sending {
    pub fn new(shared: &Arc<Shared>, place: Place, notice: Notice) -> Self {
        Self { shared: shared.clone(), place, notice, is_back: false }
    }

    /// Whether its reader has a socket. Who is only in the grace of presence has none.
    pub fn is_here(&self) -> bool {
        self.shared.directory.is_connected(self.place.user)
    }

    fn put_back(mut self) {
        self.is_back = true;
        self.shared.queue().put_back(self.place, self.notice.clone(), Instant::now());
    }

    async fn deliver(&self, push: &DuePush, endpoint: &Uri, service: &Service) -> PushOutcome {
        let shared = &self.shared;
        let Some(request) = self.request(push, endpoint) else { return PushOutcome::Refused };
        let mut wait = RETRY_WAIT;
        for attempt in 1..=ATTEMPTS_MAX {
            let said = {
                let _turn = service.turns.acquire().await;
                if self.is_here() {
                    return PushOutcome::Returned;
                }
                if attempt > 1 && shared.queue().has(self.place) {
                    return PushOutcome::Superseded;
                }
                shared.sender.send(request.clone()).await
            };
            match said {
                Said::Taken => return PushOutcome::Sent,
                Said::Gone => return self.forget(push).await,
                Said::Refused(status) => {
                    let has_contact = shared.vapid.has_contact();
                    tracing::warn!(service = %service.setting, %status, has_contact, "a push was refused");
                    return PushOutcome::Refused;
                }
                Said::Later(Some(longer)) if longer > RETRY_WAIT_MAX => break,
                Said::Later(asked) if attempt < ATTEMPTS_MAX => {
                    tokio::time::sleep(asked.unwrap_or(wait)).await;
                    wait *= 4;
                }
                Said::Later(_) => {}
            }
        }
        tracing::warn!(service = %service.setting, "a push was given up");
        PushOutcome::Failed
    }

    /// Encrypted for the browser and signed for its service; none for keys that
    /// are none.
    fn request(&self, push: &DuePush, endpoint: &Uri) -> Option<Request<Full<Bytes>>> {
        let target = &push.target;
        let key = PublicKey::from_sec1_bytes(&target.p256dh).ok()?;
        let body = encrypt(self.notice.payload(self.place, push), &key, &Auth::from(target.auth)).ok()?;
        Request::post(endpoint)
            .header(AUTHORIZATION, self.shared.vapid.authorization(endpoint, SystemTime::now()))
            .header(CONTENT_ENCODING, "aes128gcm")
            .header(CONTENT_TYPE, "application/octet-stream")
            .header("ttl", TTL_SECONDS)
            .header("urgency", "normal")
            .header("topic", topic(&target.auth, self.place.conversation))
            .body(Full::from(body))
            .ok()
    }

    async fn forget(&self, push: &DuePush) -> PushOutcome {
        if let Err(error) = self.shared.database.forget_push_target(&push.target.endpoint).await {
            // The next push says it again.
            tracing::warn!(%error, "a subscription that is gone is not forgotten");
        }
        PushOutcome::Gone
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if !self.is_back && self.shared.queue().release(self.place) {
            self.shared.wake();
        }
    }
}

impl Drop for Looked {
    fn drop(&mut self) {
        // The station is being replaced: the new one looks by itself.
        drop(self.0.station.cast(PushMessage::Looked));
    }
}
