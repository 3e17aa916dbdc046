//! Conversations, history and replay on a real database.

mod replays;

use std::time::Duration;

use futures::future::join_all;
use sqlx::ConnectOptions;
use tidings::database::{
    AppendOutcome, Database, HistoryFilter, HistoryRange, Log, LogRange, NewEvent, Position,
    REPLAY_PAGE_BYTES, ReplayedEvent,
};
use tidings::domain::{ClientId, ConversationId, DirectPair, Members, Operation, Role, Seq, UserId};
use tidings::protocol::{Cursor, Event, ServerFrame, UNREAD_MAX, User};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::support::{eventually, says};
use crate::users::{Fresh, claim};

/// Two people and a third, with a way to write.
struct Scene {
    database: Fresh,
    log: Log,
    ada: User,
    bob: User,
    eve: User,
}

impl Scene {
    async fn new() -> Self {
        let database = Fresh::create().await;
        let log = Log::open(database.options()).await.unwrap();
        let [ada, bob, eve] =
            [claim(&database, "Ada").await, claim(&database, "Bob").await, claim(&database, "Eve").await];
        Self { database, log, ada, bob, eve }
    }

    async fn open(&self, one: UserId, other: UserId) -> ConversationId {
        let pair = DirectPair::new(one, other);
        self.database.open_direct(pair).await.unwrap().unwrap()
    }

    async fn write(&mut self, sender: UserId, conversation: ConversationId, count: usize) {
        let said: Vec<Operation> = (1..=count).map(|n| says(&format!("message {n}"))).collect();
        let event =
            |operation| NewEvent { sender, client_id: ClientId(Uuid::now_v7()), conversation, operation };
        let events: Vec<NewEvent<'_>> = said.iter().map(event).collect();
        let outcomes = self.log.append(&events).await.unwrap().outcomes;
        assert!(
            outcomes.iter().all(|outcome| matches!(outcome, AppendOutcome::Stored { duplicate: false, .. }))
        );
    }

    async fn read_up_to(&mut self, user: UserId, conversation: ConversationId, seq: Seq) {
        let position = Position { conversation, user, delivered: seq, read: seq };
        self.log.advance(&[position]).await.unwrap();
    }
}

/// All that a client is sent after these cursors.
#[derive(Debug, Default, PartialEq)]
struct Replayed {
    events: Vec<Event>,
    truncated: Vec<ConversationId>,
    reset: Vec<ConversationId>,
}

async fn replay(database: &Database, user: UserId, cursors: &[Cursor], max: u32) -> Replayed {
    let mut missing = database.missing(user, cursors.into(), max).await.unwrap();
    let mut events = Vec::new();
    while !missing.ranges.is_empty() {
        let page = database.replay_page(user, &mut missing.ranges).await.unwrap();
        assert!(!page.is_empty(), "{:?}", missing.ranges);
        events.extend(page.into_iter().map(|event| match event.frame {
            ServerFrame::Event(event) => event,
            other => panic!("hidden: {other:?}"),
        }));
    }
    Replayed { events, truncated: missing.truncated, reset: missing.reset }
}

fn numbers(events: &[Event]) -> Vec<Seq> {
    events.iter().map(|event| event.seq).collect()
}

/// In the middle one of three batches are one that is stored already and one by
/// somebody who is no member, which the statement for new ones does not take.
#[tokio::test]
async fn batches_of_all_kinds_are_appended_densely() {
    let mut scene = Scene::new().await;
    let (ada, bob, eve) = (scene.ada.id, scene.bob.id, scene.eve.id);
    let (pair, other) = (scene.open(ada, bob).await, scene.open(ada, eve).await);
    let nowhere = ConversationId(Uuid::now_v7());
    let [first, second] = [ClientId(Uuid::now_v7()), ClientId(Uuid::now_v7())];
    let new = || ClientId(Uuid::now_v7());
    let said = says("x");
    let event =
        |sender, client_id, conversation| NewEvent { sender, client_id, conversation, operation: &said };
    let batches = [
        (
            vec![event(ada, first, pair), event(bob, new(), nowhere), event(bob, second, pair)],
            vec![Some((1, false)), None, Some((2, false))],
        ),
        (
            vec![
                event(eve, new(), other),
                event(bob, second, pair),
                event(eve, new(), pair),
                event(ada, new(), pair),
            ],
            vec![Some((1, false)), Some((2, true)), None, Some((3, false))],
        ),
        (vec![event(bob, new(), pair)], vec![Some((4, false))]),
    ];
    for (events, expected) in batches {
        let appended = scene.log.append(&events).await.unwrap();
        let place = |outcome: &AppendOutcome| match outcome {
            AppendOutcome::Stored { seq, duplicate, .. } => Some((*seq, *duplicate)),
            AppendOutcome::NoSuchConversation => None,
            other => panic!("no id is used for another message: {other:?}"),
        };
        assert_eq!(appended.outcomes.iter().map(place).collect::<Vec<_>>(), expected);
        assert_eq!(appended.members[&pair], Members::Direct(DirectPair::new(ada, bob)));
    }
    let history = scene
        .database
        .history(ada, pair, HistoryRange::Newest, HistoryFilter::All, 50)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(numbers(&history.messages), [1, 2, 3, 4]);
}

/// Each is given its events in an order of its own.
#[tokio::test]
async fn batches_of_two_writers_in_the_same_conversations_never_wait_for_each_other() {
    let scene = Scene::new().await;
    let (ada, bob, eve) = (scene.ada.id, scene.bob.id, scene.eve.id);
    let talks = [
        (ada, scene.open(ada, bob).await),
        (bob, scene.open(bob, eve).await),
        (eve, scene.open(eve, ada).await),
    ];
    let said = says("x");
    let write = async |backwards: bool| {
        let mut log = Log::open(scene.database.options()).await.unwrap();
        for _ in 0..200 {
            let mut events = talks.map(|(sender, conversation)| NewEvent {
                sender,
                client_id: ClientId(Uuid::now_v7()),
                conversation,
                operation: &said,
            });
            if backwards {
                events.reverse();
            }
            log.append(&events).await.unwrap();
        }
    };
    tokio::join!(write(false), write(true));
    // Each reports its own as it ends; the scene has a third.
    let mut connection = scene.database.options().connect().await.unwrap();
    let mut look = async |statement| sqlx::query_scalar::<_, i64>(statement).fetch_one(&mut connection).await;
    let writers = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'tidings writer'";
    eventually("both have ended", async || look(writers).await.unwrap() == 1).await;
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(look(deadlocks).await.unwrap(), 0);
    for (member, conversation) in talks {
        let history = scene
            .database
            .history(member, conversation, HistoryRange::Newest, HistoryFilter::All, 1)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(numbers(&history.messages), [400]);
    }
}

/// As in a group, which is to come: whoever is a member, and nobody else.
#[tokio::test]
async fn a_conversation_of_more_than_two_is_written_in_by_its_members() {
    let mut scene = Scene::new().await;
    let (ada, bob, eve) = (scene.ada.id, scene.bob.id, scene.eve.id);
    let conversation = ConversationId(Uuid::now_v7());
    let mut connection = scene.database.options().connect().await.unwrap();
    let create = "WITH c AS (INSERT INTO conversations (id) VALUES ($1))
        INSERT INTO members (conversation_id, user_id) SELECT $1, unnest($2::uuid[])";
    let members = [ada.0, bob.0];
    sqlx::query(create).bind(conversation.0).bind(members).execute(&mut connection).await.unwrap();
    scene.write(ada, conversation, 2).await;
    let said = says("x");
    let event =
        |sender| NewEvent { sender, client_id: ClientId(Uuid::now_v7()), conversation, operation: &said };
    let appended = scene.log.append(&[event(bob), event(eve)]).await.unwrap();
    assert!(matches!(
        appended.outcomes[..],
        [AppendOutcome::Stored { seq: 3, .. }, AppendOutcome::NoSuchConversation]
    ));
}

#[tokio::test]
async fn a_pair_has_one_conversation_whoever_opens_it_and_how_often() {
    let scene = Scene::new().await;
    let openings = (0..20).map(|n| {
        let (one, other) = if n % 2 == 0 { (&scene.ada, &scene.bob) } else { (&scene.bob, &scene.ada) };
        scene.open(one.id, other.id)
    });
    let mut ids = join_all(openings).await;
    ids.dedup();
    assert_eq!(ids.len(), 1);
    let nobody = DirectPair::new(scene.ada.id, UserId::fresh());
    assert_eq!(scene.database.open_direct(nobody).await.unwrap(), None);
}

#[tokio::test]
async fn conversations_are_listed_by_activity_and_paged() {
    let mut scene = Scene::new().await;
    let (ada, bob, eve) = (scene.ada.id, scene.bob.id, scene.eve.id);
    let with_bob = scene.open(ada, bob).await;
    let with_eve = scene.open(ada, eve).await;
    scene.open(bob, eve).await;
    assert_eq!(scene.database.conversations(ada, None, 10).await.unwrap(), (vec![], None), "nothing written");
    scene.write(bob, with_bob, 3).await;
    scene.write(ada, with_eve, 1).await;
    let (first, next) = scene.database.conversations(ada, None, 1).await.unwrap();
    assert_eq!(first[0].id, with_eve);
    assert_eq!(first[0].unread, 0, "one's own are not unread");
    let (second, end) = scene.database.conversations(ada, next, 1).await.unwrap();
    assert_eq!((second[0].id, second[0].last_seq, second[0].unread), (with_bob, 3, 3));
    assert_eq!(second[0].last.as_ref().unwrap().body(), Some("message 3"));
    let mut members: Vec<&str> = second[0].members.iter().map(|member| member.user.name.as_str()).collect();
    members.sort_unstable();
    assert_eq!(members, ["Ada", "Bob"]);
    assert_eq!(end, None);
    scene.write(bob, with_bob, 1).await;
    let (again, _) = scene.database.conversations(ada, None, 10).await.unwrap();
    assert_eq!(again[0].id, with_bob);
}

#[tokio::test]
async fn unread_counts_stop_at_the_bound_and_follow_the_read_position() {
    let mut scene = Scene::new().await;
    let (ada, bob) = (scene.ada.id, scene.bob.id);
    let id = scene.open(ada, bob).await;
    scene.write(bob, id, 150).await;
    let unread =
        async |scene: &Scene, user| scene.database.conversation(user, id).await.unwrap().unwrap().unread;
    assert_eq!(unread(&scene, ada).await, UNREAD_MAX);
    assert_eq!(unread(&scene, bob).await, 0);
    scene.read_up_to(ada, id, 147).await;
    assert_eq!(unread(&scene, ada).await, 3);
    let conversation = scene.database.conversation(ada, id).await.unwrap().unwrap();
    let me = conversation.members.iter().find(|member| member.user.id == ada).unwrap();
    assert_eq!((me.delivered, me.read), (147, 147));
}

#[tokio::test]
async fn b16_a_conversation_of_others_looks_like_none() {
    let mut scene = Scene::new().await;
    let (ada, bob, eve) = (scene.ada.id, scene.bob.id, scene.eve.id);
    let id = scene.open(ada, bob).await;
    scene.write(ada, id, 1).await;
    let nowhere = ConversationId::fresh();
    for id in [id, nowhere] {
        assert_eq!(scene.database.conversation(eve, id).await.unwrap(), None);
        assert_eq!(
            scene.database.history(eve, id, HistoryRange::Newest, HistoryFilter::All, 10).await.unwrap(),
            None
        );
        assert_eq!(scene.database.membership(eve, id).await.unwrap(), None);
    }
    let cursors = [id, nowhere].map(|conversation| Cursor::new(conversation, 0));
    assert_eq!(replay(&scene.database, eve, &cursors, 300).await, Default::default());
    let foreign = LogRange { conversation: id, after: 0, upto: 1 };
    assert_eq!(scene.database.replay_page(eve, &mut vec![foreign]).await.unwrap(), []);
    let pair = Members::Direct(DirectPair::new(ada, bob));
    assert_eq!(scene.database.membership(ada, id).await.unwrap(), Some((Role::Member, pair)));
}
