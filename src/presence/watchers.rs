use std::collections::{HashMap, HashSet};

use crate::domain::UserId;
use crate::protocol::Watch;

/// Who looks at whom, indexed both ways: the cost of a change is the number of
/// those who look at it.
#[derive(Debug, Default)]
pub struct Watchers {
    watches: HashMap<UserId, Watch>,
    of_list: HashSet<UserId>,
    of_user: HashMap<UserId, HashSet<UserId>>,
}

impl Watchers {
    /// Replaces what the user looks at.
    pub fn set(&mut self, watcher: UserId, watch: Watch) {
        self.remove(watcher);
        if watch.list {
            self.of_list.insert(watcher);
        }
        for user in &watch.users {
            self.of_user.entry(*user).or_default().insert(watcher);
        }
        self.watches.insert(watcher, watch);
    }

    pub fn remove(&mut self, watcher: UserId) {
        let Some(watch) = self.watches.remove(&watcher) else { return };
        self.of_list.remove(&watcher);
        for user in watch.users {
            if let Some(watchers) = self.of_user.get_mut(&user) {
                watchers.remove(&watcher);
                if watchers.is_empty() {
                    self.of_user.remove(&user);
                }
            }
        }
    }

    pub fn get(&self, watcher: UserId) -> Option<&Watch> {
        self.watches.get(&watcher)
    }

    pub fn looks_at_list(&self, watcher: UserId) -> bool {
        self.of_list.contains(&watcher)
    }

    pub fn everyone(&self) -> impl Iterator<Item = UserId> {
        self.watches.keys().copied()
    }

    pub fn of_list(&self) -> impl Iterator<Item = UserId> {
        self.of_list.iter().copied()
    }

    pub fn of_user(&self, user: UserId) -> impl Iterator<Item = UserId> {
        self.of_user.get(&user).into_iter().flatten().copied()
    }

    #[cfg(test)]
    fn check_invariants(&self) {
        for (user, watchers) in &self.of_user {
            assert!(!watchers.is_empty());
            assert!(watchers.iter().all(|watcher| self.watches[watcher].users.contains(user)));
        }
        for (watcher, watch) in &self.watches {
            assert_eq!(watch.list, self.of_list.contains(watcher));
            assert!(watch.users.iter().all(|user| self.of_user[user].contains(watcher)));
        }
        assert!(self.of_list.iter().all(|watcher| self.watches.contains_key(watcher)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn both_directions_agree(steps in prop::collection::vec(
            (0u128..5, prop::option::of((any::<bool>(), prop::collection::vec(0u128..5, 0..4)))), 0..40,
        )) {
            let id = |n| UserId(uuid::Uuid::from_u128(n));
            let mut watchers = Watchers::default();
            for (watcher, watch) in steps {
                match watch {
                    None => watchers.remove(id(watcher)),
                    Some((list, users)) => {
                        let users = users.into_iter().map(id).collect();
                        watchers.set(id(watcher), Watch { list, users });
                    }
                }
                watchers.check_invariants();
            }
        }
    }
}
