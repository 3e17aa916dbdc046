use serde::{Deserialize, Serialize};

use super::UserId;

/// Two users in the order in which a direct conversation keeps them, or one user
/// twice: a conversation with oneself, for notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectPair {
    low: UserId,
    high: UserId,
}

/// Who is in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Members {
    /// These two, for as long as the conversation exists.
    Direct(DirectPair),
    /// Any number, who come and go.
    Group,
}

impl DirectPair {
    pub fn new(one: UserId, other: UserId) -> Self {
        Self { low: one.min(other), high: one.max(other) }
    }

    pub fn low(self) -> UserId {
        self.low
    }

    pub fn high(self) -> UserId {
        self.high
    }

    /// The one who is not `user`, if `user` is one of the two and not both.
    pub fn other(self, user: UserId) -> Option<UserId> {
        match user {
            _ if self.low == self.high => None,
            user if user == self.low => Some(self.high),
            user if user == self.high => Some(self.low),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_of_a_pair_is_found_from_either_side() {
        let [ada, bob, eve] = [(); 3].map(|()| UserId::fresh());
        let pair = DirectPair::new(ada, bob);
        assert_eq!(pair, DirectPair::new(bob, ada));
        assert_eq!((pair.other(ada), pair.other(bob), pair.other(eve)), (Some(bob), Some(ada), None));
        assert_eq!(DirectPair::new(ada, ada).other(ada), None);
    }
}
