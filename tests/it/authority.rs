//! What the statements allow is what `may` says: for each role, each action.

use tidings::database::{
    AppendOutcome, HistoryFilter, HistoryRange, Log, NewEvent, Position, PositionChange,
};
use tidings::domain::{Action, ClientId, ConversationId, DirectPair, Operation, Role, UserId, may};
use tidings::protocol::Cursor;
use uuid::Uuid;

use crate::support::says;
use crate::users::{Fresh, claim};

async fn is_stored(
    log: &mut Log,
    sender: UserId,
    conversation: ConversationId,
    operation: &Operation,
) -> bool {
    let event = NewEvent { sender, client_id: ClientId(Uuid::now_v7()), conversation, operation };
    let outcomes = log.append(&[event]).await.unwrap().outcomes;
    match outcomes[..] {
        [AppendOutcome::Stored { .. }] => true,
        [AppendOutcome::NoSuchConversation] => false,
        ref other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_statements_allow_what_a_role_may() {
    let database = Fresh::create().await;
    let mut log = Log::open(database.options()).await.unwrap();
    let [ada, bob, eve] = [
        claim(&database, "Ada").await.id,
        claim(&database, "Bob").await.id,
        claim(&database, "Eve").await.id,
    ];
    let conversation = database.open_direct(DirectPair::new(ada, bob)).await.unwrap().unwrap();
    assert!(is_stored(&mut log, ada, conversation, &says("one")).await);
    for (user, role) in [(bob, Some(Role::Member)), (eve, None)] {
        let read = may(role, Action::Read);
        let page = database.history(user, conversation, HistoryRange::Newest, HistoryFilter::All, 10).await;
        assert_eq!(page.unwrap().is_some(), read, "a page, {role:?}");
        assert_eq!(database.conversation(user, conversation).await.unwrap().is_some(), read, "{role:?}");
        let (listed, _) = database.conversations(user, None, 10).await.unwrap();
        assert_eq!(listed.iter().any(|one| one.id == conversation), read, "the list, {role:?}");
        let missing = database.missing(user, [Cursor::new(conversation, 0)].into(), 10).await.unwrap();
        assert_eq!(!missing.ranges.is_empty(), read, "what is missing, {role:?}");
        let mut range =
            database.missing(bob, [Cursor::new(conversation, 0)].into(), 10).await.unwrap().ranges;
        let replayed = database.replay_page(user, &mut range).await.unwrap();
        assert_eq!(!replayed.is_empty(), read, "a replay, {role:?}");
        let typing = may(role, Action::ShowTyping);
        assert_eq!(database.membership(user, conversation).await.unwrap().is_some(), typing, "{role:?}");
        let position = Position { conversation, user, delivered: 1, read: 1 };
        let moved = match log.advance(&[position]).await.unwrap()[..] {
            [PositionChange::Advanced { .. }] => true,
            [PositionChange::NoSuchConversation { .. }] => false,
            ref other => panic!("{other:?}"),
        };
        assert_eq!(moved, may(role, Action::MarkPosition), "a position, {role:?}");
        // By the statement for new messages, then by the one for everything.
        for _ in 0..2 {
            let written = is_stored(&mut log, user, conversation, &says("two")).await;
            assert_eq!(written, may(role, Action::Write), "a message, {role:?}");
        }
        let pin = Operation::Pin { target: 1, on: true };
        let pinned = is_stored(&mut log, user, conversation, &pin).await;
        assert_eq!(pinned, may(role, Action::Pin), "a pin, {role:?}");
    }
}
