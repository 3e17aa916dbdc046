//! The members of groups, and who of them is connected here.
//!
//! A group's list is read from the database when something happens in the group. From
//! then on, a delivery costs as much as there are connected members: whoever connects is
//! noted once, in [`Arrivals`], and not in each of their groups.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::{ConversationId, UserId};

/// How many members are remembered of all groups together, at 16 bytes each. A group that
/// is in use stays; of the others those that were used last.
const MEMBERS_MAX: usize = 1_000_000;

/// What a group takes besides its members, counted as so many of them.
const GROUP_COST: usize = 16;

/// How many arrivals are remembered. A group that has missed more looks at all its members.
const ARRIVALS_MAX: usize = 4_096;

/// The groups in which something has happened lately.
///
/// It is the only cache of memberships. Whoever commits that somebody joins or leaves a
/// group calls [`forget`](Self::forget) before anything is delivered there.
pub struct Groups {
    table: Mutex<Table>,
    arrivals: Mutex<Arrivals>,
    members_max: usize,
}

#[derive(Default)]
struct Table {
    groups: HashMap<ConversationId, Used>,
    /// Of all `groups`.
    cost: usize,
    /// Counts uses.
    clock: u64,
    /// Counts changes of memberships.
    revision: u64,
}

struct Used {
    group: Arc<Group>,
    last: u64,
}

/// A group's members.
pub struct Group {
    /// In order.
    members: Box<[UserId]>,
    connected: Mutex<Connected>,
}

/// Who of a group's members is connected.
#[derive(Default)]
struct Connected {
    /// Whoever has left is noticed, and removed, by the next delivery.
    users: HashSet<UserId>,
    /// The number of arrivals that have been seen; none before the first delivery.
    seen: Option<u64>,
}

/// The users who have connected, in order.
#[derive(Default)]
struct Arrivals {
    users: VecDeque<UserId>,
    /// How many there have been, including those that are not remembered any more.
    count: u64,
}

impl Default for Groups {
    fn default() -> Self {
        Self { table: Mutex::default(), arrivals: Mutex::default(), members_max: MEMBERS_MAX }
    }
}

impl Groups {
    /// The group, if its members are remembered. They are for as long as it is held.
    pub fn get(&self, id: ConversationId) -> Option<Arc<Group>> {
        let mut table = lock(&self.table);
        table.clock += 1;
        let clock = table.clock;
        let used = table.groups.get_mut(&id)?;
        used.last = clock;
        Some(used.group.clone())
    }

    /// Changes whenever memberships do: what was read before may be wrong after that.
    pub fn revision(&self) -> u64 {
        lock(&self.table).revision
    }

    /// Remembers the members of a group as they were read. Returns `None` if memberships have
    /// changed since this was the [`revision`](Self::revision): they have to be read again.
    pub fn insert(&self, id: ConversationId, mut members: Vec<UserId>, revision: u64) -> Option<Arc<Group>> {
        members.sort_unstable();
        let group = Arc::new(Group { members: members.into(), connected: Mutex::default() });
        let mut table = lock(&self.table);
        if table.revision != revision {
            return None;
        }
        table.remove(id);
        table.clock += 1;
        table.cost += group.cost();
        let used = Used { group: group.clone(), last: table.clock };
        table.groups.insert(id, used);
        if table.cost > self.members_max {
            table.make_room(self.members_max);
        }
        Some(group)
    }

    /// The memberships of a group have changed: they are read again.
    pub fn forget(&self, id: ConversationId) {
        let mut table = lock(&self.table);
        table.revision += 1;
        table.remove(id);
    }

    /// Somebody connects. `register` makes [`connected`](Self::connected) find them; no
    /// delivery sees only one of the two.
    pub fn arrive(&self, user: UserId, register: impl FnOnce()) {
        let mut arrivals = lock(&self.arrivals);
        register();
        if arrivals.users.len() == ARRIVALS_MAX {
            arrivals.users.pop_front();
        }
        arrivals.users.push_back(user);
        arrivals.count += 1;
    }

    /// The members of a group for whom `is_connected`. Nobody is missing whose connection
    /// was registered before this is called.
    pub fn connected(&self, group: &Group, is_connected: impl Fn(UserId) -> bool) -> Vec<UserId> {
        let mut connected = lock(&group.connected);
        let arrivals = lock(&self.arrivals);
        let missed = connected.seen.map(|seen| arrivals.count - seen);
        connected.seen = Some(arrivals.count);
        match missed.and_then(|missed| usize::try_from(missed).ok()) {
            Some(missed) if missed <= arrivals.users.len() => {
                let known = arrivals.users.len() - missed;
                let newcomers = arrivals.users.range(known..).filter(|user| group.contains(**user));
                connected.users.extend(newcomers);
                drop(arrivals);
            }
            _ => {
                drop(arrivals);
                connected.users.extend(group.members.iter().filter(|user| is_connected(**user)));
            }
        }
        connected.users.retain(|user| is_connected(*user));
        connected.users.iter().copied().collect()
    }
}

impl Group {
    pub fn contains(&self, user: UserId) -> bool {
        self.members.binary_search(&user).is_ok()
    }

    fn cost(&self) -> usize {
        self.members.len() + GROUP_COST
    }
}

impl Table {
    fn remove(&mut self, id: ConversationId) {
        if let Some(used) = self.groups.remove(&id) {
            self.cost -= used.group.cost();
        }
    }

    /// Forgets groups until an eighth of the room is free, those used longest ago first:
    /// looking through all of them is then due rarely.
    fn make_room(&mut self, max: usize) {
        let unused = self.groups.iter().filter(|(_, used)| Arc::strong_count(&used.group) == 1);
        let mut unused: Vec<(u64, ConversationId)> = unused.map(|(id, used)| (used.last, *id)).collect();
        unused.sort_unstable();
        for (_, id) in unused {
            if self.cost <= max - max / 8 {
                return;
            }
            self.remove(id);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn user(number: u128) -> UserId {
        UserId(Uuid::from_u128(number))
    }

    #[derive(Clone, Debug)]
    enum Act {
        Arrive(u128),
        Leave(u128),
        Deliver(usize),
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            (0..20u128).prop_map(Act::Arrive),
            (0..20u128).prop_map(Act::Leave),
            (0..2usize).prop_map(Act::Deliver),
        ]
    }

    proptest! {
        #[test]
        fn those_connected_are_the_members_among_those_here(acts in prop::collection::vec(act(), 0..200)) {
            let groups = Groups::default();
            let members = [0..10u128, 5..15];
            let held = members.clone().map(|members| groups.insert(ConversationId::fresh(), members.map(user).collect(), 0).unwrap());
            let here = Mutex::new(HashSet::new());
            for act in acts {
                match act {
                    Act::Arrive(number) => groups.arrive(user(number), || {
                        lock(&here).insert(user(number));
                    }),
                    Act::Leave(number) => drop(lock(&here).remove(&user(number))),
                    Act::Deliver(at) => {
                        let mut found = groups.connected(&held[at], |user| lock(&here).contains(&user));
                        found.sort_unstable();
                        let mut expected: Vec<UserId> = members[at].clone().map(user).collect();
                        expected.retain(|user| lock(&here).contains(user));
                        prop_assert_eq!(found, expected);
                    }
                }
            }
        }
    }

    #[test]
    fn who_arrived_among_too_many_to_remember_is_found() {
        let groups = Groups::default();
        let group = groups.insert(ConversationId::fresh(), vec![user(1), user(2)], 0).unwrap();
        assert!(groups.connected(&group, |_| false).is_empty());
        groups.arrive(user(1), || {});
        for number in 0..ARRIVALS_MAX as u128 {
            groups.arrive(user(10 + number), || {});
        }
        assert_eq!(groups.connected(&group, |other| other == user(1)), [user(1)]);
    }

    #[test]
    fn the_groups_used_last_are_kept_and_those_in_use() {
        let groups = Groups { members_max: 50, ..Groups::default() };
        let [first, second, third] = [(); 3].map(|()| ConversationId::fresh());
        drop(groups.insert(first, vec![user(1), user(2)], 0));
        drop(groups.insert(second, vec![user(1), user(2)], 0));
        assert!(groups.get(first).is_some());
        drop(groups.insert(third, vec![user(1), user(2)], 0));
        assert!(groups.get(second).is_none(), "it was used longest ago");
        let held = groups.insert(second, (0..20).map(user).collect(), 0).unwrap();
        assert!(groups.get(first).is_none() && groups.get(third).is_none() && groups.get(second).is_some());
        drop(held);
        drop(groups.insert(first, vec![user(1)], 0));
        assert!(groups.get(second).is_none() && groups.get(first).is_some());
    }

    #[test]
    fn what_was_read_before_a_change_is_not_remembered() {
        let (groups, id) = (Groups::default(), ConversationId::fresh());
        let before = groups.revision();
        drop(groups.insert(id, vec![user(1)], before));
        groups.forget(id);
        assert!(groups.get(id).is_none());
        assert!(groups.insert(id, vec![user(1)], before).is_none());
        assert!(groups.get(id).is_none());
        drop(groups.insert(id, vec![user(2)], groups.revision()));
        assert!(groups.get(id).is_some_and(|group| group.contains(user(2))));
    }
}
