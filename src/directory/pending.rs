use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Submission;
use crate::domain::ClientId;

/// How long a refused send holds up those behind it, beyond the wait it was
/// told: a client that gives the message up goes on after this.
const HOLD_SLACK: Duration = Duration::from_secs(5);

/// The sends of one connection that have no answer yet, in the order they came,
/// and the one that was refused for now. It outlives the user's actor: the next
/// one submits again what has no answer before anything that comes behind.
///
/// Order is kept through refusals: once a send is refused with "try again", the
/// later ones are refused too until that one is back.
#[derive(Debug, Default)]
pub struct Pending {
    next: u64,
    waiting: BTreeMap<u64, Submission>,
    hold: Option<Hold>,
}

#[derive(Debug)]
struct Hold {
    client_id: ClientId,
    /// When the send came: with two writers, the oldest may be the last to be
    /// refused.
    order: u64,
    until: Instant,
}

impl Pending {
    /// Keeps a submission until its answer. False when it is kept already: its
    /// answer is on the way.
    pub fn add(&mut self, submission: &Submission) -> bool {
        let same = |waiting: &Submission| {
            waiting.client_id == submission.client_id
                && waiting.conversation == submission.conversation
                && waiting.body == submission.body
        };
        if self.waiting.values().any(same) {
            return false;
        }
        self.waiting.insert(self.next, submission.clone());
        self.next += 1;
        true
    }

    /// The answer is there.
    pub fn settle(&mut self, client_id: ClientId) {
        let order = self.order_of(client_id);
        order.and_then(|order| self.waiting.remove(&order));
    }

    fn order_of(&self, client_id: ClientId) -> Option<u64> {
        self.waiting.iter().find(|(_, waiting)| waiting.client_id == client_id).map(|(order, _)| *order)
    }

    /// How many sends have no answer.
    pub fn count(&self) -> usize {
        self.waiting.len()
    }

    /// Whether this one is among them.
    pub fn contains(&self, client_id: ClientId) -> bool {
        self.order_of(client_id).is_some()
    }

    /// Everything without an answer, in order.
    pub fn all(&self) -> Vec<Submission> {
        self.waiting.values().cloned().collect()
    }

    /// The send was refused for now: what comes behind it has to wait for it. Of
    /// several that were refused, the oldest counts: it is the first to come again.
    pub fn hold(&mut self, client_id: ClientId, now: Instant, wait: Duration) {
        // One that was not taken at all is the newest.
        let order = self.order_of(client_id).unwrap_or(self.next);
        self.next += 1;
        if self.hold.as_ref().is_none_or(|other| other.order > order) {
            self.hold = Some(Hold { client_id, order, until: now + wait + HOLD_SLACK });
        }
        self.settle(client_id);
    }

    /// Whether this send may pass, or has to wait behind another one.
    pub fn may_pass(&mut self, client_id: ClientId, now: Instant) -> bool {
        self.hold.take_if(|hold| hold.until <= now || hold.client_id == client_id);
        self.hold.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::ConnectionId;
    use crate::domain::{ConversationId, Text, UserId};

    fn id() -> ClientId {
        ClientId(uuid::Uuid::now_v7())
    }

    fn submission(client_id: ClientId) -> Submission {
        Submission {
            sender: UserId::fresh(),
            origin: ConnectionId(1),
            client_id,
            conversation: ConversationId(uuid::Uuid::nil()),
            body: Text::parse("x", 1).unwrap(),
        }
    }

    #[test]
    fn what_has_no_answer_is_kept_once_and_in_order() {
        let (mut pending, ids) = (Pending::default(), [id(), id(), id()]);
        assert!(ids.iter().all(|id| pending.add(&submission(*id))));
        assert!(!pending.add(&submission(ids[2])), "it is kept already");
        pending.settle(ids[1]);
        assert!(pending.all().iter().map(|waiting| waiting.client_id).eq([ids[0], ids[2]]));
    }

    #[test]
    fn a_refused_send_goes_before_those_behind_it() {
        let (mut pending, first, second, now) = (Pending::default(), id(), id(), Instant::now());
        pending.hold(first, now, Duration::from_secs(1));
        pending.hold(second, now, Duration::from_secs(1));
        assert!(!pending.may_pass(second, now));
        assert!(pending.may_pass(first, now));
        assert!(pending.may_pass(second, now));
    }

    #[test]
    fn of_two_refused_sends_the_older_is_waited_for_whichever_was_refused_first() {
        let (mut pending, [first, second, third], now) =
            (Pending::default(), [id(), id(), id()], Instant::now());
        assert!([first, second].iter().all(|id| pending.add(&submission(*id))));
        for refused in [second, first, third] {
            pending.hold(refused, now, Duration::from_secs(1));
        }
        assert_eq!(pending.count(), 0);
        assert!(!pending.may_pass(second, now));
        assert!(pending.may_pass(first, now));
        assert!(pending.may_pass(second, now));
    }

    #[test]
    fn a_send_that_is_given_up_does_not_hold_for_ever() {
        let (mut pending, now) = (Pending::default(), Instant::now());
        pending.hold(id(), now, Duration::from_secs(1));
        assert!(pending.may_pass(id(), now + Duration::from_secs(6)));
    }
}
