//! Members who write all at once, and the checks of the log afterwards.

use std::collections::BTreeMap;

use tidings::domain::{ClientId, ConversationId, Operation, Seq};
use tidings::registry::SendRequest;
use tokio::task::JoinSet;

use super::rig::{Member, Rig, stored};
use crate::support::TestDatabase;

/// Sends of one member without an answer.
const WINDOW: usize = 16;

/// What a member wrote, in order, and where it was told it stands.
pub struct History {
    written: Vec<SendRequest>,
    places: BTreeMap<ClientId, Seq>,
}

/// Messages of the member, to one of the conversations after the other, and every fourth
/// time a pin of the first one there, or its end.
pub fn script(member: &Member, talks: &[ConversationId], count: usize) -> Vec<SendRequest> {
    let request = |number: usize| {
        let said = member.writes(talks[number % talks.len()], &number.to_string());
        match number % 4 {
            3 => SendRequest { operation: Operation::Pin { target: 1, on: number % 8 == 3 }, ..said },
            _ => said,
        }
    };
    (0..count).map(request).collect()
}

/// What an operation says, as [`Rig::log`] has it.
pub fn what(operation: &Operation) -> String {
    match operation {
        Operation::Message(text) => text.as_str().to_owned(),
        Operation::Pin { target, on } => format!("pin {target} {on}"),
    }
}

/// Sends all of it, in order, and waits for all answers.
pub async fn perform(mut member: Member, written: Vec<SendRequest>) -> History {
    let mut places = BTreeMap::new();
    let mut rest = written.iter();
    loop {
        while member.unanswered() < WINDOW {
            let Some(next) = rest.next() else { break };
            member.submit_somehow(next.clone());
        }
        if member.unanswered() == 0 {
            return History { written, places };
        }
        let answer = member.answer().await;
        let client_id = answer.client_id;
        let (message, _) = stored(answer);
        let before = places.insert(client_id, message.seq);
        assert!(before.is_none_or(|seq| seq == message.seq), "a resend moved");
    }
}

/// Six members who write in three conversations, all at once.
pub async fn crowd(rig: &Rig, each: usize) -> (Vec<ConversationId>, JoinSet<History>) {
    let mut members = Vec::new();
    for _ in 0..6 {
        members.push(rig.member().await);
    }
    let everyone: Vec<&Member> = members.iter().collect();
    let mut talks = Vec::new();
    for _ in 0..3 {
        talks.push(rig.conversation(&everyone).await);
    }
    let mut tasks = JoinSet::new();
    for member in members {
        let script = script(&member, &talks, each);
        tasks.spawn(perform(member, script));
    }
    (talks, tasks)
}

/// Checks the log of a run in which nothing was refused.
pub async fn assert_law(rig: &Rig, talks: &[ConversationId], histories: &[History]) {
    let mut stored = BTreeMap::new();
    for talk in talks {
        rig.assert_dense(*talk).await;
        let mut pinned = false;
        for (seq, _, client_id, said) in rig.log(*talk).await {
            if let Some(on) = said.strip_prefix("pin 1 ") {
                pinned = on == "true";
            }
            let twice = stored.insert(client_id, (*talk, seq as Seq, said));
            assert_eq!(twice, None);
        }
        assert_eq!(rig.pins(*talk).await, if pinned { vec![1] } else { vec![] }, "as the last of them says");
    }
    let sent: usize = histories.iter().map(|history| history.places.len()).sum();
    assert_eq!(stored.len(), sent, "nothing lost, nothing that nobody sent");
    for History { written, places } in histories {
        let mut last: BTreeMap<ConversationId, Seq> = BTreeMap::new();
        for request in written {
            let (talk, seq, said) = &stored[&request.client_id];
            assert_eq!((*talk, said), (request.conversation, &what(&request.operation)));
            assert_eq!(Some(seq), places.get(&request.client_id));
            let before = last.insert(*talk, *seq);
            assert!(before < Some(*seq), "{before:?} was written before {seq}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_store_the_same_messages_agree_on_one_dense_order() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let rigs = [Rig::start(url).await, Rig::start(url).await, Rig::start(url).await, Rig::start(url).await];
    let mut members = Vec::new();
    for _ in 0..4 {
        members.push(rigs[0].member().await);
    }
    let everyone: Vec<&Member> = members.iter().collect();
    let talks = [
        rigs[0].conversation(&everyone).await,
        rigs[0].conversation(&everyone).await,
        rigs[0].conversation(&everyone).await,
    ];
    // Every member sends everything through every server, all at once.
    let mut tasks = JoinSet::new();
    for member in members {
        let script = script(&member, &talks, 150);
        for rig in &rigs[1..] {
            tasks.spawn(perform(rig.same_member(&member).await, script.clone()));
        }
        tasks.spawn(perform(member, script));
    }
    let mut histories = tasks.join_all().await;
    histories.sort_by_key(|history| history.written[0].client_id);
    for one_member in histories.chunks(rigs.len()) {
        assert!(one_member.iter().all(|history| history.places == one_member[0].places));
    }
    let once: Vec<History> = histories.into_iter().step_by(rigs.len()).collect();
    assert_law(&rigs[0], &talks, &once).await;
}
