use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::directory::{ConnectionId, Submission};
use crate::domain::ClientId;

/// How long a refused send holds up those behind it, beyond the wait it was
/// told: a client that gives the message up goes on after this.
const HOLD_SLACK: Duration = Duration::from_secs(5);

/// The sends of one user that have no answer yet, in the order they came, and
/// those that were refused for now.
///
/// Order is kept through refusals: once a send is refused with "try again",
/// the connection's later sends are refused too until that one is back.
#[derive(Debug, Default)]
pub struct Pending {
    next: u64,
    waiting: BTreeMap<u64, Submission>,
    holds: Vec<Hold>,
}

#[derive(Debug)]
struct Hold {
    connection: ConnectionId,
    client_id: ClientId,
    /// When the send came, among all: with two writers, the oldest may be the
    /// last to be refused.
    order: u64,
    until: Instant,
}

impl Pending {
    /// Keeps a submission until its answer.
    pub fn add(&mut self, submission: Submission) {
        self.waiting.insert(self.next, submission);
        self.next += 1;
    }

    /// The answer is there.
    pub fn settle(&mut self, origin: ConnectionId, client_id: ClientId) {
        let order = self.order_of(origin, client_id);
        order.and_then(|order| self.waiting.remove(&order));
    }

    fn order_of(&self, origin: ConnectionId, client_id: ClientId) -> Option<u64> {
        let named = |waiting: &Submission| waiting.origin == origin && waiting.client_id == client_id;
        self.waiting.iter().find(|(_, waiting)| named(waiting)).map(|(order, _)| *order)
    }

    /// How many of this connection's sends have no answer.
    pub fn of(&self, origin: ConnectionId) -> usize {
        self.waiting.values().filter(|waiting| waiting.origin == origin).count()
    }

    /// Everything without an answer, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Submission> {
        self.waiting.values()
    }

    /// The send was refused for now: what this connection sends behind it has
    /// to wait for it. Of several that were refused, the oldest counts: it is
    /// the first to come again.
    pub fn hold(&mut self, connection: ConnectionId, client_id: ClientId, now: Instant, wait: Duration) {
        // One that was not taken at all is the newest.
        let order = self.order_of(connection, client_id).unwrap_or(self.next);
        self.next += 1;
        let hold = Hold { connection, client_id, order, until: now + wait + HOLD_SLACK };
        match self.holds.iter_mut().find(|other| other.connection == connection) {
            Some(other) if other.order > order => *other = hold,
            Some(_) => {}
            None => self.holds.push(hold),
        }
        self.settle(connection, client_id);
    }

    /// Whether this send may pass, or has to wait behind another one.
    pub fn may_pass(&mut self, connection: ConnectionId, client_id: ClientId, now: Instant) -> bool {
        self.holds.retain(|hold| {
            hold.until > now && !(hold.connection == connection && hold.client_id == client_id)
        });
        !self.holds.iter().any(|hold| hold.connection == connection)
    }

    /// The connection is gone. What it sent is still stored; a client that comes
    /// back sends it again, in order.
    pub fn forget(&mut self, connection: ConnectionId) {
        self.holds.retain(|hold| hold.connection != connection);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ConversationId, Text, UserId};

    const TAB: ConnectionId = ConnectionId(1);
    const OTHER: ConnectionId = ConnectionId(2);

    fn id() -> ClientId {
        ClientId(uuid::Uuid::now_v7())
    }

    fn submission(client_id: ClientId) -> Submission {
        Submission {
            sender: UserId::fresh(),
            origin: TAB,
            client_id,
            conversation: ConversationId::fresh(),
            body: Text::parse("x", 1).unwrap(),
        }
    }

    #[test]
    fn what_has_no_answer_is_kept_in_order() {
        let (mut pending, ids) = (Pending::default(), [id(), id(), id()]);
        ids.iter().for_each(|id| pending.add(submission(*id)));
        pending.settle(OTHER, ids[0]);
        pending.settle(TAB, ids[1]);
        assert_eq!(pending.iter().map(|waiting| waiting.client_id).collect::<Vec<_>>(), [ids[0], ids[2]]);
        assert_eq!((pending.of(TAB), pending.of(OTHER)), (2, 0));
    }

    #[test]
    fn a_refused_send_goes_before_those_behind_it() {
        let (mut pending, first, second, now) = (Pending::default(), id(), id(), Instant::now());
        pending.hold(TAB, first, now, Duration::from_secs(1));
        pending.hold(TAB, second, now, Duration::from_secs(1));
        assert!(!pending.may_pass(TAB, second, now));
        assert!(pending.may_pass(OTHER, second, now));
        assert!(pending.may_pass(TAB, first, now));
        assert!(pending.may_pass(TAB, second, now));
    }

    #[test]
    fn of_two_refused_sends_the_older_is_waited_for_whichever_was_refused_first() {
        let (mut pending, [first, second, third], now) =
            (Pending::default(), [id(), id(), id()], Instant::now());
        [first, second].into_iter().for_each(|id| pending.add(submission(id)));
        for refused in [second, first, third] {
            pending.hold(TAB, refused, now, Duration::from_secs(1));
        }
        assert_eq!(pending.of(TAB), 0);
        assert!(!pending.may_pass(TAB, second, now));
        assert!(pending.may_pass(TAB, first, now));
        assert!(pending.may_pass(TAB, second, now));
    }

    #[test]
    fn a_send_that_is_given_up_does_not_hold_for_ever() {
        let (mut pending, now) = (Pending::default(), Instant::now());
        pending.hold(TAB, id(), now, Duration::from_secs(1));
        assert!(pending.may_pass(TAB, id(), now + Duration::from_secs(6)));
    }
}
