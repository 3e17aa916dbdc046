//! Writers on a real PostgreSQL, with members that do what a user's actor does.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tidings::bus::Bus;
use tidings::config::Config;
use tidings::domain::{ClientId, ConversationId, Seq, UserId};
use tidings::persistence::{Generation, Persistence, SubmitError, Writer};
use tidings::protocol::Event;
use tidings::push::Push;
use tidings::registry::{
    ConnectionId, ReceiptUpdate, Registry, SendRequest, SendResult, StoredEvent, UserDelivery, UserMessage,
};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::support::{config, says};

/// Nothing in these tests takes longer than this, on any machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Rig {
    pub persistence: Persistence,
    pub pool: PgPool,
    registry: Arc<Registry>,
    keeper: ActorRef<()>,
}

impl Rig {
    /// Two writers, and a supervisor that starts them again.
    pub async fn start(url: &str) -> Self {
        Self::with(url, |_| {}).await
    }

    pub async fn with(url: &str, configure: impl FnOnce(&mut Config)) -> Self {
        Self::through(url, url.parse().unwrap(), configure).await
    }

    /// The writers connect by `options`, the test itself by `url`.
    pub async fn through(url: &str, options: PgConnectOptions, configure: impl FnOnce(&mut Config)) -> Self {
        let mut config = config(&[]);
        configure(&mut config);
        let registry = Arc::new(Registry::default());
        let bus = Bus::new(registry.clone());
        let persistence = Persistence::new(&config, options, registry.clone(), bus, Push::default());
        let arguments = (persistence.clone(), registry.clone());
        let (keeper, _) = Actor::spawn(None, Keeper, arguments).await.unwrap();
        Self { persistence, pool: PgPool::connect_lazy(url).unwrap(), registry, keeper }
    }

    pub async fn member(&self) -> Member {
        let id = UserId::fresh();
        sqlx::query("INSERT INTO users (id, name, name_key, look_alike) VALUES ($1, $2, $2, $2)")
            .bind(id.0)
            .bind(id.to_string())
            .execute(&self.pool)
            .await
            .unwrap();
        self.connect(id).await
    }

    /// The same user, connected to this server too.
    pub async fn same_member(&self, member: &Member) -> Member {
        self.connect(member.id).await
    }

    async fn connect(&self, id: UserId) -> Member {
        Member {
            id,
            inbox: mailbox(&self.registry, id).await,
            generation: self.persistence.generation(),
            persistence: self.persistence.clone(),
            pending: Vec::new(),
            answers: VecDeque::new(),
            events: VecDeque::new(),
            others: VecDeque::new(),
        }
    }

    pub async fn conversation(&self, members: &[&Member]) -> ConversationId {
        let id = ConversationId::fresh();
        let members: Vec<Uuid> = members.iter().map(|member| member.id.0).collect();
        sqlx::query("INSERT INTO conversations (id) VALUES ($1)")
            .bind(id.0)
            .execute(&self.pool)
            .await
            .unwrap();
        sqlx::query("INSERT INTO members (conversation_id, user_id) SELECT $1, unnest($2::uuid[])")
            .bind(id.0)
            .bind(members)
            .execute(&self.pool)
            .await
            .unwrap();
        id
    }

    /// The log as it is stored: number, sender, client id, and what it says.
    pub async fn log(&self, conversation: ConversationId) -> Vec<(i64, UserId, ClientId, String)> {
        let rows: Vec<(i64, Uuid, Uuid, String)> = sqlx::query_as(
            "SELECT seq, sender_id, client_id, body FROM messages WHERE conversation_id = $1
            UNION ALL
            SELECT seq, sender_id, client_id, concat_ws(' ', content->>'kind', content->>'target', content->>'on')
            FROM changes WHERE conversation_id = $1 ORDER BY seq",
        )
        .bind(conversation.0)
        .fetch_all(&self.pool)
        .await
        .unwrap();
        rows.into_iter()
            .map(|(seq, sender, client_id, body)| (seq, UserId(sender), ClientId(client_id), body))
            .collect()
    }

    /// The numbers of the messages that are pinned.
    pub async fn pins(&self, conversation: ConversationId) -> Vec<i64> {
        sqlx::query_scalar("SELECT message_seq FROM pins WHERE conversation_id = $1")
            .bind(conversation.0)
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }

    /// The log's numbers run from 1 to what the conversation says, without holes.
    pub async fn assert_dense(&self, conversation: ConversationId) {
        let numbers: Vec<i64> = self.log(conversation).await.iter().map(|event| event.0).collect();
        let last: i64 = sqlx::query_scalar("SELECT last_seq FROM conversations WHERE id = $1")
            .bind(conversation.0)
            .fetch_one(&self.pool)
            .await
            .unwrap();
        assert_eq!(numbers, (1..=last).collect::<Vec<_>>());
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.keeper.stop(None);
    }
}

/// A member of conversations: keeps what has no answer, and submits it again
/// when it is told to.
pub struct Member {
    pub id: UserId,
    inbox: mpsc::UnboundedReceiver<UserMessage>,
    generation: Generation,
    persistence: Persistence,
    pending: Vec<SendRequest>,
    answers: VecDeque<SendResult>,
    events: VecDeque<StoredEvent>,
    others: VecDeque<UserDelivery>,
}

impl Member {
    pub fn writes(&self, conversation: ConversationId, body: &str) -> SendRequest {
        self.repeats(conversation, ClientId(Uuid::now_v7()), body)
    }

    pub fn repeats(&self, conversation: ConversationId, client_id: ClientId, body: &str) -> SendRequest {
        SendRequest {
            sender: self.id,
            origin: ConnectionId(1),
            client_id,
            conversation,
            operation: says(body),
        }
    }

    pub fn submit(&mut self, request: SendRequest) -> Result<(), SubmitError> {
        self.pending.push(request.clone());
        if self.persistence.generation() != self.generation {
            self.resubmit();
            return Ok(());
        }
        let result = self.persistence.submit(self.generation, request);
        if matches!(result, Err(SubmitError::Full(_))) {
            self.pending.pop();
        }
        result
    }

    /// Now, or again when the writer has been replaced.
    pub fn submit_somehow(&mut self, request: SendRequest) {
        let submitted = self.submit(request);
        assert!(matches!(submitted, Ok(()) | Err(SubmitError::Replaced)), "{submitted:?}");
    }

    /// Submits and waits for the answer to it.
    pub async fn send(&mut self, request: SendRequest) -> SendResult {
        let client_id = request.client_id;
        self.submit_somehow(request);
        let answer = self.answer().await;
        assert_eq!(answer.client_id, client_id);
        answer
    }

    pub fn reach(&self, conversation: ConversationId, delivered: Seq, read: Seq) {
        self.persistence.update_receipt(ReceiptUpdate { user: self.id, conversation, delivered, read });
    }

    /// Sends whose answer has not been taken yet.
    pub fn unanswered(&self) -> usize {
        self.pending.len() + self.answers.len()
    }

    pub async fn answer(&mut self) -> SendResult {
        while self.answers.is_empty() {
            self.receive().await;
        }
        self.answers.pop_front().unwrap()
    }

    pub async fn event(&mut self) -> StoredEvent {
        while self.events.is_empty() {
            self.receive().await;
        }
        self.events.pop_front().unwrap()
    }

    /// The next receipt, or the refusal of a position.
    pub async fn other(&mut self) -> UserDelivery {
        while self.others.is_empty() {
            self.receive().await;
        }
        self.others.pop_front().unwrap()
    }

    async fn receive(&mut self) {
        let message = tokio::time::timeout(PATIENCE, self.inbox.recv()).await.expect("nothing comes");
        match message.unwrap() {
            UserMessage::Deliver(deliveries) => deliveries.into_iter().for_each(|one| self.take(one)),
            UserMessage::ResubmitInFlight => self.resubmit(),
            other => panic!("unexpected: {other:?}"),
        }
    }

    fn take(&mut self, delivery: UserDelivery) {
        match delivery {
            UserDelivery::SendResult(answer) => {
                if let Some(index) = self.pending.iter().position(|one| one.client_id == answer.client_id) {
                    self.pending.remove(index);
                }
                self.answers.push_back(answer);
            }
            UserDelivery::Event(committed) => self.events.push_back(committed),
            other => self.others.push_back(other),
        }
    }

    fn resubmit(&mut self) {
        self.generation = self.persistence.generation();
        for request in self.pending.clone() {
            match self.persistence.submit(self.generation, request) {
                Ok(()) | Err(SubmitError::Replaced) => {}
                Err(SubmitError::Full(problem)) => panic!("{problem:?}"),
            }
        }
    }
}

/// The event of an answer that must have been stored.
pub fn stored(answer: SendResult) -> (Arc<Event>, bool) {
    let committed = answer.outcome.unwrap();
    (committed.event, committed.duplicate)
}

/// Connects a user; the messages for the user's actor come out of the other end.
pub async fn mailbox(registry: &Registry, user: UserId) -> mpsc::UnboundedReceiver<UserMessage> {
    let (mail, inbox) = mpsc::unbounded_channel();
    let (actor, _) = Actor::spawn(None, Mailbox, mail).await.unwrap();
    registry.put(user, actor);
    inbox
}

/// Passes a user's messages on to the test.
struct Mailbox;

impl Actor for Mailbox {
    type Msg = UserMessage;
    type State = mpsc::UnboundedSender<UserMessage>;
    type Arguments = mpsc::UnboundedSender<UserMessage>;

    async fn pre_start(
        &self,
        _: ActorRef<UserMessage>,
        mail: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(mail)
    }

    async fn handle(
        &self,
        _: ActorRef<UserMessage>,
        message: UserMessage,
        mail: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        // The test has ended.
        drop(mail.send(message));
        Ok(())
    }
}

/// Does for the writers what the supervisor of the server does.
struct Keeper;

impl Keeper {
    async fn keep(
        myself: &ActorRef<()>,
        persistence: &Persistence,
        index: usize,
    ) -> Result<ractor::ActorId, ActorProcessingErr> {
        let (actor, _) =
            Actor::spawn_linked(None, Writer, persistence.arguments(index), myself.get_cell()).await?;
        persistence.install(index, actor.clone());
        Ok(actor.get_id())
    }
}

impl Actor for Keeper {
    type Msg = ();
    type State = (Persistence, Arc<Registry>, Vec<ractor::ActorId>);
    type Arguments = (Persistence, Arc<Registry>);

    async fn pre_start(
        &self,
        myself: ActorRef<()>,
        (persistence, registry): Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        let mut writers = Vec::new();
        for index in 0..persistence.writers() {
            writers.push(Self::keep(&myself, &persistence, index).await?);
        }
        Ok((persistence, registry, writers))
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<()>,
        event: SupervisionEvent,
        (persistence, registry, writers): &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorFailed(cell, _) = event {
            let index = writers.iter().position(|id| *id == cell.get_id()).unwrap();
            writers[index] = Self::keep(&myself, persistence, index).await?;
            registry.resubmit_in_flight();
        }
        Ok(())
    }
}
