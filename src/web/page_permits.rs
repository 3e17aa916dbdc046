use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dashmap::DashMap;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use warp::http::StatusCode;
use warp::reply::Response;

use super::api_error::{ApiError, json_response};
use crate::config::Config;
use crate::domain::UserId;

/// Limits how many pages of messages each user is sent at a time. No responses are
/// larger, and a client may be slow to read them.
pub struct PagePermits {
    by_user: Arc<DashMap<UserId, Arc<Semaphore>>>,
    per_user: usize,
    timeout: Duration,
}

/// Counts one page while it is made and sent.
pub struct PagePermit {
    permit: Option<OwnedSemaphorePermit>,
    by_user: Arc<DashMap<UserId, Arc<Semaphore>>>,
    user: UserId,
}

impl PagePermits {
    pub fn new(config: &Config) -> Self {
        Self { by_user: Arc::default(), per_user: config.pages_per_user, timeout: config.pool_timeout }
    }

    /// Waits until one of the user's earlier pages has been sent. Errors with `busy`
    /// when that takes too long.
    pub async fn acquire(&self, user: UserId) -> Result<PagePermit, ApiError> {
        let pages =
            self.by_user.entry(user).or_insert_with(|| Arc::new(Semaphore::new(self.per_user))).clone();
        let mut permit = PagePermit { permit: None, by_user: self.by_user.clone(), user };
        match tokio::time::timeout(self.timeout, pages.acquire_owned()).await {
            Ok(acquired) => permit.permit = Some(acquired.expect("nobody closes it")),
            Err(_) => return Err(ApiError::busy()),
        }
        Ok(permit)
    }
}

impl PagePermit {
    /// A response that holds the permit until it is sent.
    pub fn respond(self, body: &impl Serialize) -> Response {
        let json = serde_json::to_vec(body).expect("answers have string keys and finite numbers only");
        json_response(StatusCode::OK, Bytes::from_owner(Sending { json, _permit: self }))
    }
}

impl Drop for PagePermit {
    fn drop(&mut self) {
        drop(self.permit.take());
        // The table holds one reference; waiting requests and permits hold the others.
        self.by_user.remove_if(&self.user, |_, pages| Arc::strong_count(pages) == 1);
    }
}

struct Sending {
    json: Vec<u8>,
    _permit: PagePermit,
}

impl AsRef<[u8]> for Sending {
    fn as_ref(&self) -> &[u8] {
        &self.json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(per_user: usize) -> PagePermits {
        PagePermits { by_user: Arc::default(), per_user, timeout: Duration::from_millis(20) }
    }

    #[tokio::test]
    async fn c07_a_user_with_all_pages_under_way_waits_and_others_do_not() {
        let permits = permits(2);
        let (one, other) = (UserId::fresh(), UserId::fresh());
        let first = permits.acquire(one).await.unwrap();
        let _second = permits.acquire(one).await.unwrap();
        assert!(permits.acquire(one).await.is_err());
        assert!(permits.acquire(other).await.is_ok());
        let waiting = permits.acquire(one);
        drop(first);
        assert!(waiting.await.is_ok());
    }

    #[tokio::test]
    async fn a_page_is_under_way_until_its_bytes_are_gone_and_leaves_nothing() {
        let permits = permits(1);
        let user = UserId::fresh();
        let answer = permits.acquire(user).await.unwrap().respond(&"a page");
        assert!(permits.acquire(user).await.is_err());
        drop(answer);
        assert!(permits.acquire(user).await.is_ok());
        assert!(permits.by_user.is_empty());
    }
}
