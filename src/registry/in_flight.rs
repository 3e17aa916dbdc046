use std::collections::BTreeMap;

use super::SendRequest;
use crate::domain::ClientId;

#[cfg(test)]
mod tests;

/// The sends of one connection that are not finished, in the order in which they
/// first arrived: those without a result, and those that were refused for now.
/// They outlive the user's actor: its successor submits the unanswered ones again
/// before any later send.
///
/// Refusals do not change the order: a send passes only when every earlier refused
/// one has come again or was given up by its client. No time-out is involved, so
/// the order holds however long the line stalls.
#[derive(Debug, Default)]
pub struct InFlightSends {
    next: u64,
    /// By the number that a send got when it first arrived.
    unanswered: BTreeMap<u64, SendRequest>,
    /// Refused for now, and not sent again yet.
    refused: BTreeMap<u64, ClientId>,
}

impl InFlightSends {
    /// Keeps a request until its result. One that was refused before keeps its
    /// number.
    pub fn add(&mut self, request: &SendRequest) {
        let number = self.refused_number(request.client_id).unwrap_or_else(|| self.next_number());
        self.refused.remove(&number);
        self.unanswered.insert(number, request.clone());
    }

    /// The send has its final result.
    pub fn complete(&mut self, client_id: ClientId) {
        if let Some(number) = self.unanswered_number(client_id) {
            self.unanswered.remove(&number);
        }
        self.give_up(client_id);
    }

    /// The send was refused for now: later sends wait until it comes again. They
    /// wait for at most `max` refused sends: a client that keeps to the limits has
    /// no more in flight.
    pub fn refuse(&mut self, client_id: ClientId, max: usize) {
        let number = self.unanswered_number(client_id).unwrap_or_else(|| self.next_number());
        self.unanswered.remove(&number);
        self.remember_refused(number, client_id, max);
    }

    /// As [`refuse`](Self::refuse), for a send that has not been added. One with the
    /// same client id that has no result yet is another one, and stays.
    pub fn refuse_new(&mut self, client_id: ClientId, max: usize) {
        let number = self.next_number();
        self.remember_refused(number, client_id, max);
    }

    fn remember_refused(&mut self, number: u64, client_id: ClientId, max: usize) {
        if self.refused_number(client_id).is_none() && self.refused.len() < max {
            self.refused.insert(number, client_id);
        }
    }

    /// The client does not send a refused message again: nothing waits for it.
    pub fn give_up(&mut self, client_id: ClientId) {
        if let Some(number) = self.refused_number(client_id) {
            self.refused.remove(&number);
        }
    }

    /// Returns the oldest refused send if it has to come again before this one.
    pub fn ahead_of(&self, client_id: ClientId) -> Option<ClientId> {
        let (first, id) = self.refused.first_key_value()?;
        let passes =
            *id == client_id || self.unanswered_number(client_id).is_some_and(|number| number < *first);
        (!passes).then_some(*id)
    }

    /// Whether this very operation is in flight without a result.
    pub fn contains(&self, request: &SendRequest) -> bool {
        self.unanswered.values().any(|unanswered| {
            unanswered.client_id == request.client_id
                && unanswered.conversation == request.conversation
                && unanswered.operation == request.operation
        })
    }

    /// How many sends have no result.
    pub fn count(&self) -> usize {
        self.unanswered.len()
    }

    /// The sends without a result, in order.
    pub fn unanswered(&self) -> Vec<SendRequest> {
        self.unanswered.values().cloned().collect()
    }

    fn next_number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn unanswered_number(&self, client_id: ClientId) -> Option<u64> {
        self.unanswered.iter().find(|(_, request)| request.client_id == client_id).map(|(number, _)| *number)
    }

    fn refused_number(&self, client_id: ClientId) -> Option<u64> {
        self.refused.iter().find(|(_, refused)| **refused == client_id).map(|(number, _)| *number)
    }
}
