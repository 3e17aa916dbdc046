use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::time::Instant;

use crate::domain::{UserId, Visibility};
use crate::protocol::User;

#[cfg(test)]
mod tests;

/// Who is shown as online, and who of them as away: a pure table of users with
/// a connection, and of those in the grace after their last one.
///
/// Who is invisible is in the table and in nothing that it tells: whether a user
/// has a connection is a question to [`Directory::is_connected`](super::Directory::is_connected).
#[derive(Debug, Default)]
pub struct Roster {
    users: HashMap<UserId, Entry>,
    /// Those who are shown, by the names' normal forms.
    shown: BTreeMap<Box<str>, UserId>,
    version: u64,
    /// Those who changed since the last difference.
    changed: HashMap<UserId, Changed>,
    /// Those shown who left, and when, since that was last asked.
    left: HashMap<UserId, Instant>,
}

#[derive(Debug)]
struct Entry {
    user: User,
    key: Box<str>,
    /// None while connected.
    absence: Option<Absence>,
    visibility: Visibility,
    away: bool,
}

#[derive(Clone, Copy, Debug)]
struct Absence {
    since: Instant,
    /// When it counts.
    until: Instant,
}

/// What others are shown of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Offline,
    Active,
    Away,
}

#[derive(Clone, Copy, Debug)]
struct Changed {
    /// How the user was shown in the last difference.
    before: Shown,
    /// Whether in between otherwise than then and now.
    passed: bool,
}

/// How a user differs from the version before.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Joined { user: User, away: bool },
    Left,
    Away,
    Back,
}

impl Roster {
    /// The user has a connection. `key` is the normal form of the name.
    pub fn arrive(&mut self, user: User, key: &str, visibility: Visibility) {
        let id = user.id;
        self.change(id, |users| {
            let entry = users.entry(id).or_insert_with(|| Entry {
                user,
                key: key.into(),
                absence: None,
                visibility,
                away: false,
            });
            entry.absence = None;
            entry.visibility = entry.visibility.max(visibility);
        });
    }

    /// The user's last connection has gone, now; it counts as there until `until`.
    pub fn depart(&mut self, user: UserId, now: Instant, until: Instant) {
        if let Some(entry) = self.users.get_mut(&user) {
            entry.absence.get_or_insert(Absence { since: now, until });
        }
    }

    /// Keeps as connected only those in `connected`; the others depart.
    pub fn reconcile(&mut self, connected: impl Fn(UserId) -> bool, now: Instant, until: Instant) {
        for (id, entry) in &mut self.users {
            if !connected(*id) {
                entry.absence.get_or_insert(Absence { since: now, until });
            }
        }
    }

    /// Whether the user, who is in the table, has left every device alone.
    pub fn set_away(&mut self, user: UserId, away: bool) {
        self.change(user, |users| {
            if let Some(entry) = users.get_mut(&user) {
                entry.away = away;
            }
        });
    }

    /// What the user has chosen; an older choice changes nothing.
    pub fn learn(&mut self, user: UserId, visibility: Visibility) {
        self.change(user, |users| {
            if let Some(entry) = users.get_mut(&user) {
                entry.visibility = entry.visibility.max(visibility);
            }
        });
    }

    /// Ends what is due and says what changed since the last call: the new
    /// version with its changes, or none when everything is as it was.
    ///
    /// `looked`: somebody was shown the roster since then, and may know of a state
    /// that passed. So of those who had one it is said how they are now.
    pub fn difference(&mut self, now: Instant, looked: bool) -> Option<(u64, HashMap<UserId, Change>)> {
        self.end_absences(now);
        let changed = std::mem::take(&mut self.changed);
        let change = |user, changed: Changed| match changed {
            Changed { passed: true, .. } if looked => self.state_of(user),
            Changed { before, .. } => self.change_from(user, before),
        };
        let changes: HashMap<_, _> =
            changed.into_iter().filter_map(|(user, changed)| Some((user, change(user, changed)?))).collect();
        if changes.is_empty() {
            return None;
        }
        self.version += 1;
        Some((self.version, changes))
    }

    fn end_absences(&mut self, now: Instant) {
        let is_due = |entry: &Entry| entry.absence.filter(|absence| absence.until <= now);
        let due: Vec<(UserId, Absence)> =
            self.users.iter().filter_map(|(id, entry)| Some((*id, is_due(entry)?))).collect();
        for (id, absence) in due {
            if self.contains(id) {
                self.left.insert(id, absence.since);
            }
            self.change(id, |users| drop(users.remove(&id)));
        }
    }

    /// None when the user is shown as before: came and went, or went and came.
    fn change_from(&self, user: UserId, before: Shown) -> Option<Change> {
        match (before, self.shown_as(user)) {
            (Shown::Offline, Shown::Offline) => None,
            (Shown::Offline, _) | (_, Shown::Offline) => self.state_of(user),
            (Shown::Active, Shown::Away) => Some(Change::Away),
            (Shown::Away, Shown::Active) => Some(Change::Back),
            (Shown::Active, Shown::Active) | (Shown::Away, Shown::Away) => None,
        }
    }

    /// The change that is right whatever was shown before.
    fn state_of(&self, user: UserId) -> Option<Change> {
        match self.shown_as(user) {
            Shown::Offline => Some(Change::Left),
            now => Some(Change::Joined { user: self.get(user)?.clone(), away: now == Shown::Away }),
        }
    }

    /// Everything that may change what is shown of a user goes through here.
    fn change(&mut self, user: UserId, change: impl FnOnce(&mut HashMap<UserId, Entry>)) {
        let before = self.shown_as(user);
        let key = self.users.get(&user).map(|entry| entry.key.clone());
        change(&mut self.users);
        let now = self.shown_as(user);
        if before == now {
            return;
        }
        let changed = self.changed.entry(user);
        changed.and_modify(|changed| changed.passed = true).or_insert(Changed { before, passed: false });
        match self.users.get(&user) {
            Some(entry) if now != Shown::Offline => drop(self.shown.insert(entry.key.clone(), user)),
            _ => drop(key.and_then(|key| self.shown.remove(&key))),
        }
    }

    fn shown_as(&self, user: UserId) -> Shown {
        match self.users.get(&user) {
            Some(entry) if !entry.visibility.is_invisible() && entry.away => Shown::Away,
            Some(entry) if !entry.visibility.is_invisible() => Shown::Active,
            _ => Shown::Offline,
        }
    }

    pub fn version(&self) -> u64 {
        self.version
    }

    /// How many are shown.
    pub fn len(&self) -> usize {
        self.shown.len()
    }

    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// The user, if shown.
    pub fn get(&self, user: UserId) -> Option<&User> {
        let entry = self.users.get(&user)?;
        (!entry.visibility.is_invisible()).then_some(&entry.user)
    }

    pub fn contains(&self, user: UserId) -> bool {
        self.get(user).is_some()
    }

    /// Whether the user is shown as away.
    pub fn is_away(&self, user: UserId) -> bool {
        self.shown_as(user) == Shown::Away
    }

    /// What a user in the table has chosen, as far as is known here.
    pub fn visibility(&self, user: UserId) -> Option<Visibility> {
        self.users.get(&user).map(|entry| entry.visibility)
    }

    pub fn iter(&self) -> impl Iterator<Item = &User> {
        self.shown.values().filter_map(|id| self.get(*id))
    }

    /// Up to `limit` users whose key begins with `prefix`, after the key
    /// `after`, sorted by key, each with its key: the cursor of the next page.
    pub fn page(&self, prefix: &str, after: Option<&str>, limit: usize) -> Vec<(&str, &User)> {
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        self.shown
            .range::<str, _>((start, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .filter_map(|(key, id)| Some((&**key, self.get(*id)?)))
            .take(limit)
            .collect()
    }

    /// Takes those who have left since the last call, each with the time.
    pub fn take_left(&mut self) -> HashMap<UserId, Instant> {
        std::mem::take(&mut self.left)
    }

    /// Gives back what could not be stored, for the next call.
    pub fn give_back_left(&mut self, left: HashMap<UserId, Instant>) {
        for (user, at) in left {
            let known = self.left.entry(user).or_insert(at);
            *known = (*known).max(at);
        }
    }

    /// Everyone shown, each with when they last had a connection.
    pub fn seen(&self, now: Instant) -> impl Iterator<Item = (UserId, Instant)> {
        self.shown.values().filter_map(move |id| {
            let absence = self.users.get(id)?.absence;
            Some((*id, absence.map_or(now, |absence| absence.since)))
        })
    }
}
