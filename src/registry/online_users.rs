use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::time::Instant;

use crate::domain::{
    SessionFilter, SessionId, UserId, Visibility, search_continued, search_cursor, search_key, search_terms,
};
use crate::protocol::User;

#[cfg(test)]
mod tests;

/// Who is shown as online, and who of them as away: a pure table of users with
/// a connection, and of those in the grace after their last connection.
///
/// Invisible users are in the table, but no method reveals them. To learn whether
/// a user has a connection, ask [`Registry::is_connected`](super::Registry::is_connected).
#[derive(Debug, Default)]
pub struct OnlineUsers {
    users: HashMap<UserId, Entry>,
    /// Those who are shown, by the normal form of their names.
    shown: BTreeMap<Box<str>, UserId>,
    /// The same users, by their search terms.
    terms: BTreeMap<Box<str>, UserId>,
    version: u64,
    /// Those who changed since the last difference.
    changed: HashMap<UserId, Changed>,
    /// Those shown who left since the last [`take_left`](Self::take_left), and when.
    left: HashMap<UserId, Instant>,
}

#[derive(Debug)]
struct Entry {
    user: User,
    key: Box<str>,
    /// `None` while connected.
    absence: Option<Absence>,
    visibility: Visibility,
    away: bool,
}

#[derive(Clone, Copy, Debug)]
struct Absence {
    since: Instant,
    /// When the grace ends.
    until: Instant,
    /// That of the last connection, if known.
    session: Option<SessionId>,
}

/// How a user is shown to others.
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
    /// Whether the user was shown otherwise in between.
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

impl OnlineUsers {
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

    /// The user's last connection, of this session, has closed. The user is shown as
    /// online until `until`; if that is `now`, the user goes offline at once, without
    /// waiting for the next difference.
    pub fn depart(&mut self, user: UserId, session: Option<SessionId>, now: Instant, until: Instant) {
        let Some(entry) = self.users.get_mut(&user) else { return };
        let absence = *entry.absence.get_or_insert(Absence { since: now, until, session });
        if until <= now {
            self.end_absence(user, absence);
        }
    }

    /// Ends the grace after a last connection of one of these sessions.
    pub fn end_grace(&mut self, user: UserId, sessions: SessionFilter) {
        let absence = self.users.get(&user).and_then(|entry| entry.absence);
        if let Some(absence) = absence
            && absence.session.is_none_or(|session| sessions.matches(session))
        {
            self.end_absence(user, absence);
        }
    }

    /// Keeps as connected only those in `connected`; the others depart.
    pub fn reconcile(&mut self, connected: impl Fn(UserId) -> bool, now: Instant, until: Instant) {
        for (id, entry) in &mut self.users {
            if !connected(*id) {
                entry.absence.get_or_insert(Absence { since: now, until, session: None });
            }
        }
    }

    /// Sets whether the user is away, if the user is in the table.
    pub fn set_away(&mut self, user: UserId, away: bool) {
        self.change(user, |users| {
            if let Some(entry) = users.get_mut(&user) {
                entry.away = away;
            }
        });
    }

    /// Applies the user's choice, unless a newer one is known.
    pub fn apply_visibility(&mut self, user: UserId, visibility: Visibility) {
        self.change(user, |users| {
            if let Some(entry) = users.get_mut(&user) {
                entry.visibility = entry.visibility.max(visibility);
            }
        });
    }

    /// Ends the absences that are due and returns what changed since the last call:
    /// the new version with its changes, or `None` if nothing changed.
    ///
    /// `snapshot_sent`: somebody got a snapshot since then, which may hold a state
    /// that has passed. So users who had one are listed with their present state.
    pub fn difference(
        &mut self,
        now: Instant,
        snapshot_sent: bool,
    ) -> Option<(u64, HashMap<UserId, Change>)> {
        self.end_absences(now);
        let changed = std::mem::take(&mut self.changed);
        let change = |user, changed: Changed| match changed {
            Changed { passed: true, .. } if snapshot_sent => self.state_of(user),
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
            self.end_absence(id, absence);
        }
    }

    fn end_absence(&mut self, user: UserId, absence: Absence) {
        if self.contains(user) {
            self.left.insert(user, absence.since);
        }
        self.change(user, |users| drop(users.remove(&user)));
    }

    /// Returns `None` if the user is shown as before: left and returned, or the
    /// reverse.
    fn change_from(&self, user: UserId, before: Shown) -> Option<Change> {
        match (before, self.shown_as(user)) {
            (Shown::Offline, Shown::Offline) => None,
            (Shown::Offline, _) | (_, Shown::Offline) => self.state_of(user),
            (Shown::Active, Shown::Away) => Some(Change::Away),
            (Shown::Away, Shown::Active) => Some(Change::Back),
            (Shown::Active, Shown::Active) | (Shown::Away, Shown::Away) => None,
        }
    }

    /// The change that is correct whatever was shown before.
    fn state_of(&self, user: UserId) -> Option<Change> {
        match self.shown_as(user) {
            Shown::Offline => Some(Change::Left),
            now => Some(Change::Joined { user: self.get(user)?.clone(), away: now == Shown::Away }),
        }
    }

    /// Everything that may change how a user is shown goes through here.
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
            Some(entry) if now != Shown::Offline => {
                let key = entry.key.clone();
                self.show(key, user);
            }
            _ => {
                if let Some(key) = key {
                    self.hide(&key);
                }
            }
        }
    }

    fn show(&mut self, key: Box<str>, user: UserId) {
        self.terms.extend(search_terms(&key).into_iter().map(|term| (term.into(), user)));
        self.shown.insert(key, user);
    }

    fn hide(&mut self, key: &str) {
        self.shown.remove(key);
        for term in search_terms(key) {
            self.terms.remove(&*term);
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

    /// How many users are shown.
    pub fn len(&self) -> usize {
        self.shown.len()
    }

    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// Returns the user, if shown.
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

    /// The newest known choice of a user in the table.
    pub fn visibility(&self, user: UserId) -> Option<Visibility> {
        self.users.get(&user).map(|entry| entry.visibility)
    }

    pub fn iter(&self) -> impl Iterator<Item = &User> {
        self.shown.values().filter_map(|id| self.get(*id))
    }

    /// Returns up to `limit` users with a word in their name that begins with
    /// `prefix`, after the key `after`, sorted by key, each with its key: the cursor
    /// of the next page.
    pub fn page(&self, prefix: &str, after: Option<&str>, limit: usize) -> Vec<(&str, &User)> {
        let prefix = &*search_key(prefix);
        let (table, after) = match prefix {
            "" => (&self.shown, after.map(str::to_owned)),
            _ => (&self.terms, after.map(search_continued)),
        };
        let start = match after.as_deref() {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        table
            .range::<str, _>((start, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .filter(|(key, id)| prefix.is_empty() || self.is_first_match(key, **id, prefix))
            .filter_map(|(key, id)| Some((search_cursor(key), self.get(*id)?)))
            .take(limit)
            .collect()
    }

    /// Whether no earlier search term of the user matches: somebody with two words
    /// that match is found once.
    fn is_first_match(&self, term: &str, user: UserId, prefix: &str) -> bool {
        let terms = self.users.get(&user).map(|entry| search_terms(&entry.key)).unwrap_or_default();
        !terms.iter().any(|earlier| earlier.starts_with(prefix) && &**earlier < term)
    }

    /// Takes the users who have left since the last call, each with the time.
    pub fn take_left(&mut self) -> HashMap<UserId, Instant> {
        std::mem::take(&mut self.left)
    }

    /// Returns users whose time could not be stored, for the next call.
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
