use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::time::Instant;

use crate::domain::UserId;
use crate::protocol::User;

/// Who counts as online: a pure table of users with a connection, and of those
/// in the grace after their last one. Sorted by the names' normal forms.
#[derive(Debug, Default)]
pub struct Roster {
    by_key: BTreeMap<Box<str>, UserId>,
    users: HashMap<UserId, Entry>,
    version: u64,
    /// Since the last difference; what came and went again is in neither.
    changed: HashMap<UserId, Change>,
}

#[derive(Debug)]
struct Entry {
    user: User,
    key: Box<str>,
    /// When an absent user stops counting; none while connected.
    until: Option<Instant>,
}

/// How a user differs from the version before.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Joined(User),
    Left,
}

impl Roster {
    /// The user has a connection. `key` is the normal form of the name.
    pub fn arrive(&mut self, user: User, key: &str) {
        match self.users.get_mut(&user.id) {
            Some(entry) => entry.until = None,
            None => {
                let id = user.id;
                // Left and back within one difference is no change.
                if self.changed.remove(&id).is_none() {
                    self.changed.insert(id, Change::Joined(user.clone()));
                }
                self.by_key.insert(key.into(), id);
                self.users.insert(id, Entry { user, key: key.into(), until: None });
            }
        }
    }

    /// The user's last connection has gone; counts as online until `until`.
    pub fn depart(&mut self, user: UserId, until: Instant) {
        if let Some(entry) = self.users.get_mut(&user)
            && entry.until.is_none()
        {
            entry.until = Some(until);
        }
    }

    /// Keeps as connected only those in `connected`; the others depart.
    pub fn reconcile(&mut self, connected: impl Fn(UserId) -> bool, until: Instant) {
        for (id, entry) in &mut self.users {
            if entry.until.is_none() && !connected(*id) {
                entry.until = Some(until);
            }
        }
    }

    /// Ends what is due and says what changed since the last call: the new
    /// version with its changes, or none when everything is as it was.
    pub fn difference(&mut self, now: Instant) -> Option<(u64, HashMap<UserId, Change>)> {
        let due: Vec<UserId> = self
            .users
            .iter()
            .filter(|(_, entry)| entry.until.is_some_and(|until| until <= now))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            if let Some(entry) = self.users.remove(&id) {
                self.by_key.remove(&entry.key);
                // Came and left within one difference is no change.
                if self.changed.remove(&id).is_none() {
                    self.changed.insert(id, Change::Left);
                }
            }
        }
        if self.changed.is_empty() {
            return None;
        }
        self.version += 1;
        Some((self.version, std::mem::take(&mut self.changed)))
    }

    pub fn version(&self) -> u64 {
        self.version
    }

    pub fn len(&self) -> usize {
        self.users.len()
    }

    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    pub fn get(&self, user: UserId) -> Option<&User> {
        self.users.get(&user).map(|entry| &entry.user)
    }

    pub fn contains(&self, user: UserId) -> bool {
        self.users.contains_key(&user)
    }

    pub fn iter(&self) -> impl Iterator<Item = &User> {
        self.by_key.values().filter_map(|id| self.get(*id))
    }

    /// Up to `limit` users whose key begins with `prefix`, after the key
    /// `after`, sorted by key, each with its key: the cursor of the next page.
    pub fn page(&self, prefix: &str, after: Option<&str>, limit: usize) -> Vec<(&str, &User)> {
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        self.by_key
            .range::<str, _>((start, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .filter_map(|(key, id)| Some((&**key, self.get(*id)?)))
            .take(limit)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn user(name: &str) -> User {
        User { id: UserId::fresh(), name: name.into() }
    }

    #[test]
    fn a_reload_within_the_grace_is_no_change() {
        let (mut roster, ada, now) = (Roster::default(), user("ada"), Instant::now());
        roster.arrive(ada.clone(), "ada");
        assert_eq!(roster.difference(now).map(|(version, _)| version), Some(1));
        roster.depart(ada.id, now + Duration::from_secs(10));
        assert_eq!(roster.difference(now + Duration::from_secs(9)), None);
        roster.arrive(ada.clone(), "ada");
        assert_eq!(roster.difference(now + Duration::from_secs(60)), None);
        assert!(roster.contains(ada.id));
    }

    #[test]
    fn who_stays_away_leaves_once() {
        let (mut roster, ada, now) = (Roster::default(), user("ada"), Instant::now());
        roster.arrive(ada.clone(), "ada");
        roster.difference(now);
        roster.depart(ada.id, now);
        let (_, changes) = roster.difference(now).unwrap();
        assert_eq!(changes.get(&ada.id), Some(&Change::Left));
        assert_eq!(roster.difference(now), None);
        assert!(roster.is_empty() && roster.by_key.is_empty());
    }

    #[test]
    fn coming_and_going_between_two_differences_is_silent() {
        let (mut roster, ada, now) = (Roster::default(), user("ada"), Instant::now());
        roster.arrive(ada.clone(), "ada");
        roster.depart(ada.id, now);
        assert_eq!(roster.difference(now), None);
    }

    #[test]
    fn after_a_restart_those_without_a_connection_depart() {
        let (mut roster, ada, bob, now) = (Roster::default(), user("ada"), user("bob"), Instant::now());
        roster.arrive(ada.clone(), "ada");
        roster.arrive(bob.clone(), "bob");
        roster.difference(now);
        roster.reconcile(|id| id == ada.id, now);
        let (_, changes) = roster.difference(now).unwrap();
        assert_eq!(changes.into_iter().collect::<Vec<_>>(), [(bob.id, Change::Left)]);
    }

    #[test]
    fn pages_are_sorted_prefixed_and_continued() {
        let mut roster = Roster::default();
        for name in ["bo", "ada", "adele", "adam", "zoe"] {
            roster.arrive(user(name), name);
        }
        let keys =
            |page: Vec<(&str, &User)>| page.iter().map(|(key, _)| (*key).to_owned()).collect::<Vec<_>>();
        assert_eq!(keys(roster.page("ad", None, 2)), ["ada", "adam"]);
        assert_eq!(keys(roster.page("ad", Some("adam"), 2)), ["adele"]);
        assert_eq!(roster.page("", None, 10).len(), 5);
        assert!(roster.page("%", None, 10).is_empty());
    }
}
