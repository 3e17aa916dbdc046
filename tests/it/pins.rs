//! Pins: changes in the log of a conversation, which share its numbers with the messages.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tidings::database::{HistoryFilter, HistoryRange, Log, NewEvent};
use tidings::domain::{ClientId, ConversationId, DirectPair, Operation, Seq, UserId};
use tidings::protocol::{
    ClientFrame, Content, Conversation, Cursor, Event, Hidden, PINS_MAX, Position, Problem, Send,
    ServerFrame, Stored,
};
use uuid::Uuid;

use crate::support::{Bystanders, Dice, Person, Socket, TestServer, says};
use crate::users::{Fresh, claim};

/// Pins a message, or takes its pin off; returns the answer.
async fn pin(socket: &mut Socket, conversation: ConversationId, target: Seq, on: bool) -> Stored {
    let client_id = ask(socket, ClientId(Uuid::now_v7()), conversation, target, on).await;
    socket.stored(client_id).await
}

async fn ask(
    socket: &mut Socket,
    client_id: ClientId,
    conversation: ConversationId,
    target: Seq,
    on: bool,
) -> ClientId {
    let send = Send { client_id, conversation, content: Content::Pin { target, on } };
    socket.say(&ClientFrame::Send(send)).await;
    client_id
}

/// Why a pin is refused.
async fn refused(socket: &mut Socket, conversation: ConversationId, target: Seq) -> Problem {
    let client_id = ask(socket, ClientId(Uuid::now_v7()), conversation, target, true).await;
    let answered = |frame: &ServerFrame| matches!(frame, ServerFrame::Error(error) if error.client_id == Some(client_id));
    match socket.expect("a refusal", answered).await {
        ServerFrame::Error(error) => error.error,
        other => unreachable!("{other:?}"),
    }
}

/// The next event that pins or unpins.
async fn next_pin(socket: &mut Socket) -> Event {
    let is_pin =
        |frame: &ServerFrame| matches!(frame, ServerFrame::Event(Event { content: Content::Pin { .. }, .. }));
    match socket.expect("a pin", is_pin).await {
        ServerFrame::Event(event) => event,
        other => unreachable!("{other:?}"),
    }
}

async fn describe(person: &Person, conversation: ConversationId) -> Conversation {
    person.get(&format!("/api/conversations/{conversation}")).await.expect("a conversation")
}

#[tokio::test]
async fn a_pin_is_an_event_for_everybody_and_counts_as_no_message() {
    let server = TestServer::start(&[]).await;
    let bystanders = Bystanders::of(&server).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let (mut hers, mut other_device, mut his) =
        (ada.connect(&[]).await, ada.connect(&[]).await, bob.connect(&[]).await);
    for body in ["one", "two"] {
        let sent = hers.send(conversation, body).await;
        hers.stored(sent).await;
    }
    let before = describe(&bob, conversation).await;
    let stored = pin(&mut hers, conversation, 1, true).await;
    assert_eq!((stored.seq, stored.duplicate), (3, false));
    for socket in [&mut other_device, &mut his] {
        let event = next_pin(socket).await;
        assert_eq!((event.seq, event.sender, event.client_id), (3, ada.user.id, stored.client_id));
        assert_eq!((event.at, event.content), (stored.at.clone(), Content::Pin { target: 1, on: true }));
    }
    let pinned = describe(&bob, conversation).await;
    assert_eq!((pinned.pins, pinned.last_seq), (vec![1], 3));
    assert_eq!((pinned.last, pinned.unread), (before.last, 2), "what is last and unread are messages");
    // By somebody else, twice: the second changes nothing, and is an event all the same.
    for seq in [4, 5] {
        assert_eq!(pin(&mut his, conversation, 1, false).await.seq, seq);
        assert_eq!(next_pin(&mut hers).await.content, Content::Pin { target: 1, on: false });
    }
    let unpinned = describe(&ada, conversation).await;
    assert_eq!((unpinned.pins, unpinned.last_seq), (vec![], 5));
    // The next message goes on behind them.
    let sent = his.send(conversation, "three").await;
    assert_eq!(his.stored(sent).await.seq, 6);
    let read = ClientFrame::Read(Position { conversation, seq: 5 });
    his.say(&read).await;
    let own = |frame: &ServerFrame| matches!(frame, ServerFrame::Receipt(receipt) if receipt.read == 5);
    let ServerFrame::Receipt(receipt) = his.expect("a receipt", own).await else { unreachable!() };
    assert_eq!((receipt.delivered, receipt.unread), (5, Some(0)), "his own does not count");
    bystanders.unharmed().await;
}

#[tokio::test]
async fn a_pin_that_is_sent_again_is_stored_once() {
    let server = TestServer::start(&[]).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let mut hers = ada.connect(&[]).await;
    let sent = hers.send(conversation, "one").await;
    hers.stored(sent).await;
    let first = pin(&mut hers, conversation, 1, true).await;
    pin(&mut hers, conversation, 1, false).await;
    let mut again = ada.connect(&[]).await;
    ask(&mut again, first.client_id, conversation, 1, true).await;
    let stored = again.stored(first.client_id).await;
    assert_eq!((stored.seq, &stored.at, stored.duplicate), (first.seq, &first.at, true));
    assert_eq!(describe(&ada, conversation).await.pins, [0; 0], "an old one changes nothing");
    // The same name for something else.
    ask(&mut again, first.client_id, conversation, 1, false).await;
    let answered = |frame: &ServerFrame| matches!(frame, ServerFrame::Error(_));
    let ServerFrame::Error(error) = again.expect("a refusal", answered).await else { unreachable!() };
    assert_eq!(serde_json::to_value(error.error.code).unwrap(), "id_reused");
}

#[tokio::test]
async fn what_cannot_be_pinned_is_refused_by_name() {
    let server = TestServer::start(&[("TIDINGS_SENDS_BURST", "1000")]).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let (conversation, elsewhere) = (ada.conversation_with(&bob).await, ada.conversation_with(&ada).await);
    let mut hers = ada.connect(&[]).await;
    for number in 0..=PINS_MAX {
        let sent = hers.send(conversation, &number.to_string()).await;
        hers.stored(sent).await;
    }
    let first = pin(&mut hers, conversation, 1, true).await;
    for (conversation, target) in
        [(conversation, 0), (conversation, first.seq), (conversation, 999), (elsewhere, 1)]
    {
        let problem = refused(&mut hers, conversation, target).await;
        assert_eq!(
            (serde_json::to_value(problem.code).unwrap(), problem.field.as_deref()),
            (json!("not_found"), Some("target")),
            "{target}"
        );
    }
    for target in 2..=PINS_MAX as Seq {
        pin(&mut hers, conversation, target, true).await;
    }
    let problem = refused(&mut hers, conversation, PINS_MAX as Seq + 1).await;
    assert_eq!(serde_json::to_value(problem.code).unwrap(), "too_many_pins");
    // One that is pinned already, and one more when another is not any longer.
    pin(&mut hers, conversation, 1, true).await;
    pin(&mut hers, conversation, 7, false).await;
    pin(&mut hers, conversation, PINS_MAX as Seq + 1, true).await;
    let pins = describe(&bob, conversation).await.pins;
    let expected = (1..=PINS_MAX as Seq + 1).filter(|seq| *seq != 7);
    assert!(pins.iter().copied().eq(expected), "in the order in which they were pinned: {pins:?}");
}

#[tokio::test]
async fn pinned_messages_are_listed_and_changes_are_covered_by_pages() {
    let server = TestServer::start(&[("TIDINGS_SENDS_BURST", "1000")]).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let mut hers = ada.connect(&[]).await;
    // Messages 1, 3, 5, 7, 9; each pinned by the event that follows.
    for number in 0..5 {
        let sent = hers.send(conversation, "message").await;
        let seq = hers.stored(sent).await.seq;
        assert_eq!(seq, 2 * number + 1);
        pin(&mut hers, conversation, seq, true).await;
    }
    pin(&mut hers, conversation, 5, false).await;
    let page = async |query: &str| {
        let page: Value =
            bob.get(&format!("/api/conversations/{conversation}/messages?{query}")).await.expect("a page");
        let seqs =
            page["messages"].as_array().unwrap().iter().map(|message| message["seq"].as_u64().unwrap());
        assert_eq!(page["last_seq"], 11);
        (seqs.collect::<Vec<_>>(), page["from"].as_u64().unwrap(), page["to"].as_u64().unwrap())
    };
    assert_eq!(page("").await, (vec![1, 3, 5, 7, 9], 1, 11));
    assert_eq!(page("limit=2").await, (vec![7, 9], 7, 11));
    assert_eq!(page("limit=2&before=7").await, (vec![3, 5], 3, 6));
    assert_eq!(page("limit=2&before=3").await, (vec![1], 1, 2));
    assert_eq!(page("limit=2&after=3").await, (vec![5, 7], 4, 7));
    assert_eq!(page("limit=2&after=9").await, (vec![], 10, 11));
    assert_eq!(page("limit=2&around=6").await, (vec![5, 7], 5, 7));
    assert_eq!(page("pinned=true").await, (vec![1, 3, 7, 9], 1, 11));
    assert_eq!(page("pinned=true&limit=2").await, (vec![7, 9], 7, 11));
    assert_eq!(page("pinned=true&limit=2&before=7").await, (vec![1, 3], 1, 6));
    let refused =
        bob.get::<Value>(&format!("/api/conversations/{conversation}/messages?around=3&before=3")).await;
    assert_eq!(refused.unwrap_err().1["field"], "around");
}

/// Of a kind that a newer server has stored: its number is taken, and nothing is told.
#[tokio::test]
async fn e03_an_event_of_an_unknown_kind_is_hidden() {
    let server = TestServer::start(&[]).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let mut hers = ada.connect(&[]).await;
    let sent = hers.send(conversation, "one").await;
    hers.stored(sent).await;
    let mut database = server.database.connection().await;
    for statement in [
        "INSERT INTO changes (conversation_id, seq, sender_id, client_id, content)
        SELECT id, 2, direct_low, gen_random_uuid(), '{\"kind\": \"dance\", \"steps\": 3}' FROM conversations WHERE last_seq = 1",
        "UPDATE conversations SET last_seq = 2, last_change_seq = 2 WHERE last_seq = 1",
    ] {
        sqlx::query(statement).execute(&mut database).await.unwrap();
    }
    let his = bob.connect(&[(conversation, 0)]).await;
    let hidden = ServerFrame::Hidden(Hidden { conversation, seq: 2 });
    assert_eq!(his.heard.iter().filter(|frame| **frame == hidden).count(), 1);
    let sent = hers.send(conversation, "three").await;
    assert_eq!(hers.stored(sent).await.seq, 3);
    assert_eq!(bob.history(conversation).await.len(), 2);
}

/// What a client knows of a conversation.
#[derive(Clone, Debug, Default, PartialEq)]
struct View {
    /// All numbers up to this are known.
    end: Seq,
    messages: BTreeMap<Seq, Event>,
    pins: Vec<Seq>,
}

impl View {
    /// As it is loaded by who holds nothing.
    async fn load(database: &Fresh, user: UserId, conversation: ConversationId) -> Self {
        let described = database.conversation(user, conversation).await.unwrap().unwrap();
        let mut view = Self { pins: described.pins, ..Self::default() };
        while view.end < described.last_seq {
            let range = HistoryRange::After(view.end);
            let page =
                database.history(user, conversation, range, HistoryFilter::All, 3).await.unwrap().unwrap();
            assert_eq!(page.from, view.end + 1);
            view.messages.extend(page.messages.into_iter().map(|message| (message.seq, message)));
            view.end = page.to;
        }
        view
    }

    /// Takes in what follows.
    fn fold(&mut self, event: Event) {
        assert_eq!(event.seq, self.end + 1, "no number is left out");
        self.end = event.seq;
        match event.content {
            Content::Message { .. } => drop(self.messages.insert(event.seq, event)),
            Content::Pin { target, on: true } if !self.pins.contains(&target) => self.pins.push(target),
            Content::Pin { on: true, .. } => {}
            Content::Pin { target, on: false } => self.pins.retain(|pinned| *pinned != target),
        }
    }
}

/// As one batch, by one of these people after the other.
async fn append(log: &mut Log, operations: &[Operation], by: &[UserId], conversation: ConversationId) {
    let event = |(operation, sender): (_, &UserId)| NewEvent {
        sender: *sender,
        client_id: ClientId(Uuid::now_v7()),
        conversation,
        operation,
    };
    let events: Vec<_> = operations.iter().zip(by.iter().cycle()).map(event).collect();
    log.append(&events).await.unwrap();
}

#[tokio::test]
async fn e06_what_is_replayed_from_anywhere_leads_to_what_is_loaded() {
    let mut dice = Dice::new("fold");
    let database = Fresh::create().await;
    let mut log = Log::open(database.options()).await.unwrap();
    let (ada, bob) = (claim(&database, "Ada").await, claim(&database, "Bob").await);
    let pair = DirectPair::new(ada.id, bob.id);
    let conversation = database.open_direct(pair).await.unwrap().unwrap();
    let mut views = vec![View::default()];
    // Unpinned and pinned again in one batch: it is the last one now.
    let pin = |target, on| Operation::Pin { target, on };
    for batch in
        [vec![says("one"), says("two"), pin(1, true), pin(2, true)], vec![pin(1, false), pin(1, true)]]
    {
        append(&mut log, &batch, &[ada.id], conversation).await;
        views.push(View::load(&database, ada.id, conversation).await);
    }
    assert_eq!(views[2].pins, [2, 1]);
    while views.last().unwrap().end < 60 {
        let end = views.last().unwrap().end;
        let operations: Vec<_> = (0..1 + dice.below(5))
            .map(|_| match dice.below(3) {
                0 => says(&format!("message {}", dice.below(1_000))),
                // Some of these numbers are not those of messages.
                on => Operation::Pin { target: dice.below(end as usize + 3) as Seq, on: on == 1 },
            })
            .collect();
        append(&mut log, &operations, &[ada.id, bob.id], conversation).await;
        views.push(View::load(&database, ada.id, conversation).await);
    }
    let last = views.last().unwrap().clone();
    assert!(!last.messages.is_empty());
    for view in views {
        let mut missing =
            database.missing(bob.id, [Cursor::new(conversation, view.end)].into(), 300).await.unwrap();
        assert_eq!((missing.truncated.len(), missing.reset.len()), (0, 0));
        let mut folded = view;
        while !missing.ranges.is_empty() {
            for event in database.replay_page(bob.id, &mut missing.ranges).await.unwrap() {
                match event.frame {
                    ServerFrame::Event(event) => folded.fold(event),
                    other => panic!("hidden: {other:?}"),
                }
            }
        }
        assert_eq!(folded, last);
    }
}
