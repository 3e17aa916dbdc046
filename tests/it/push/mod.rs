//! Web push against a push service that decrypts what it is sent.

mod delivery;
mod device;
mod failures;
mod service;
mod subscriptions;

use device::Device;
use reqwest::Method;
use serde_json::Value;
use service::{Answer, PushService};
use tidings::domain::ConversationId;

use crate::support::{Person, Socket, TestServer, answer};

/// Short enough to be waited for.
const INTERVAL: (&str, &str) = ("TIDINGS_PUSH_INTERVAL_MS", "200");

/// A server that may send to this service.
async fn server(service: &PushService, given: &[(&str, &str)]) -> TestServer {
    let settings = [&[("TIDINGS_PUSH_HOSTS", &*service.origin), INTERVAL], given].concat();
    TestServer::start(&settings).await
}

/// Status, and the field that is at fault.
async fn try_subscribe(person: &Person, subscription: &Value) -> (u16, String) {
    let asked = person.request(Method::PUT, "/api/push/subscription").json(subscription);
    let response = asked.send().await.unwrap();
    let status = response.status().as_u16();
    let problem: Value = response.json().await.unwrap_or_default();
    (status, problem["field"].as_str().unwrap_or_default().to_owned())
}

async fn subscribe(person: &Person, device: &Device) {
    assert_eq!(try_subscribe(person, &device.subscription()).await.0, 204);
}

async fn public_key(person: &Person) -> Option<String> {
    person.get::<tidings::protocol::PushKey>("/api/push").await.unwrap().public_key
}

/// The same user in another session.
async fn elsewhere(person: &Person) -> Person {
    let log_in = serde_json::json!({ "name": person.user.name, "bearer": true });
    let asked = person.request(Method::POST, "/api/session").json(&log_in);
    let session: tidings::protocol::Session = answer(asked).await.unwrap();
    let mut same = person.clone();
    same.token = session.token.unwrap();
    same
}

/// Ada, who writes, and Bob, who has no socket but a device called `bob`.
struct Pair {
    ada: Person,
    hers: Socket,
    bob: Person,
    device: Device,
    conversation: ConversationId,
}

impl Pair {
    async fn of(server: &TestServer, service: &PushService) -> Self {
        let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
        let conversation = ada.conversation_with(&bob).await;
        let device = service.device("bob");
        subscribe(&bob, &device).await;
        Self { hers: ada.connect(&[]).await, ada, bob, device, conversation }
    }

    /// Stored.
    async fn write(&mut self, body: &str) {
        let client_id = self.hers.send(self.conversation, body).await;
        self.hers.stored(client_id).await;
    }

    /// Writes to somebody else who is away, and waits for that push: what was due before it has begun.
    async fn marker(&mut self, server: &TestServer, service: &PushService, name: &str) {
        let eve = server.person(name).await;
        subscribe(&eve, &service.device(name)).await;
        let conversation = self.ada.conversation_with(&eve).await;
        let client_id = self.hers.send(conversation, "And you?").await;
        self.hers.stored(client_id).await;
        service.push(name, 0).await;
    }
}
