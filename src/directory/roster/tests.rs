use std::collections::BTreeMap as Map;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

const VISIBLE: Visibility = Visibility(0);
const INVISIBLE: Visibility = Visibility(1);
const VISIBLE_AGAIN: Visibility = Visibility(2);

fn user(name: &str) -> User {
    User { id: UserId::fresh(), name: name.into() }
}

/// Somebody who is shown, since the last difference.
fn with_ada(now: Instant) -> (Roster, User) {
    let (mut roster, ada) = (Roster::default(), user("ada"));
    roster.arrive(ada.clone(), "ada", VISIBLE);
    assert_eq!(roster.difference(now, false).map(|(version, _)| version), Some(1));
    (roster, ada)
}

fn changes(roster: &mut Roster, now: Instant) -> Vec<(UserId, Change)> {
    roster.difference(now, false).map(|(_, changes)| changes.into_iter().collect()).unwrap_or_default()
}

#[test]
fn a_reload_within_the_grace_is_no_change() {
    let now = Instant::now();
    let (mut roster, ada) = with_ada(now);
    roster.depart(ada.id, now, now + Duration::from_secs(10));
    assert_eq!(roster.difference(now + Duration::from_secs(9), false), None);
    roster.arrive(ada.clone(), "ada", VISIBLE);
    assert_eq!(roster.difference(now + Duration::from_secs(60), false), None);
    assert!(roster.contains(ada.id));
    assert!(roster.take_left().is_empty());
}

#[test]
fn who_stays_away_leaves_once() {
    let now = Instant::now();
    let (mut roster, ada) = with_ada(now);
    let later = now + Duration::from_secs(10);
    roster.depart(ada.id, now, later);
    assert_eq!(changes(&mut roster, later), [(ada.id, Change::Left)]);
    assert_eq!(roster.difference(later, false), None);
    assert!(roster.is_empty() && roster.users.is_empty());
    assert_eq!(roster.take_left(), HashMap::from([(ada.id, now)]), "seen until then, not until now");
}

#[test]
fn coming_and_going_between_two_differences_is_silent() {
    let (mut roster, ada, now) = (Roster::default(), user("ada"), Instant::now());
    roster.arrive(ada.clone(), "ada", VISIBLE);
    roster.depart(ada.id, now, now);
    assert_eq!(roster.difference(now, false), None);
    assert!(roster.take_left().contains_key(&ada.id), "and yet was here");
}

#[test]
fn after_a_restart_those_without_a_connection_depart() {
    let now = Instant::now();
    let (mut roster, ada) = with_ada(now);
    let bob = user("bob");
    roster.arrive(bob.clone(), "bob", VISIBLE);
    roster.difference(now, false);
    roster.reconcile(|id| id == ada.id, now, now);
    assert_eq!(changes(&mut roster, now), [(bob.id, Change::Left)]);
}

#[test]
fn pages_are_sorted_prefixed_and_continued() {
    let mut roster = Roster::default();
    for name in ["bo", "ada", "adele", "adam", "zoe"] {
        roster.arrive(user(name), name, VISIBLE);
    }
    roster.arrive(user("adda"), "adda", INVISIBLE);
    let keys = |page: Vec<(&str, &User)>| page.iter().map(|(key, _)| (*key).to_owned()).collect::<Vec<_>>();
    assert_eq!(keys(roster.page("ad", None, 2)), ["ada", "adam"]);
    assert_eq!(keys(roster.page("ad", Some("adam"), 2)), ["adele"]);
    assert_eq!(roster.page("", None, 10).len(), 5);
    assert!(roster.page("%", None, 10).is_empty());
}

#[test]
fn away_and_back_within_one_difference_is_no_change() {
    let now = Instant::now();
    let (mut roster, ada) = with_ada(now);
    roster.set_away(ada.id, true);
    roster.set_away(ada.id, false);
    assert_eq!(roster.difference(now, false), None);
    roster.set_away(ada.id, true);
    assert_eq!(changes(&mut roster, now), [(ada.id, Change::Away)]);
    roster.depart(ada.id, now, now + Duration::from_secs(10));
    roster.arrive(ada.clone(), "ada", VISIBLE);
    assert_eq!(roster.difference(now, false), None, "a reload is no reason to come back");
    roster.set_away(ada.id, false);
    assert_eq!(changes(&mut roster, now), [(ada.id, Change::Back)]);
}

#[test]
fn who_becomes_invisible_leaves_without_a_grace_and_joins_when_visible() {
    let now = Instant::now();
    let (mut roster, ada) = with_ada(now);
    roster.learn(ada.id, INVISIBLE);
    assert_eq!((roster.len(), roster.contains(ada.id)), (0, false), "at once, before any difference");
    assert_eq!(changes(&mut roster, now), [(ada.id, Change::Left)]);
    assert!(roster.take_left().is_empty(), "the time is stored with the choice");
    roster.set_away(ada.id, true);
    assert_eq!(roster.difference(now, false), None);
    roster.learn(ada.id, VISIBLE_AGAIN);
    roster.learn(ada.id, INVISIBLE);
    assert_eq!(changes(&mut roster, now), [(ada.id, Change::Joined { user: ada, away: true })]);
}

#[test]
fn an_older_choice_that_arrives_with_a_connection_changes_nothing() {
    let now = Instant::now();
    let (mut roster, ada) = with_ada(now);
    roster.learn(ada.id, INVISIBLE);
    roster.depart(ada.id, now, now + Duration::from_secs(10));
    roster.arrive(ada.clone(), "ada", VISIBLE);
    assert!(!roster.contains(ada.id));
}

#[test]
fn who_is_invisible_comes_and_goes_unseen() {
    let (mut roster, ada, now) = (Roster::default(), user("ada"), Instant::now());
    roster.arrive(ada.clone(), "ada", INVISIBLE);
    assert_eq!(roster.difference(now, false), None);
    roster.depart(ada.id, now, now);
    assert_eq!(roster.difference(now, false), None);
    assert!(roster.users.is_empty() && roster.take_left().is_empty());
}

/// What may happen to one of a few users.
#[derive(Clone, Copy, Debug)]
enum Step {
    Arrive(u128, u64),
    Depart(u128),
    Away(u128, bool),
    Learn(u128, u64),
    /// Somebody else begins to look.
    Look,
    /// So many seconds later, a difference.
    Tick(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let (who, choice) = (0..4u128, 0..6u64);
    prop_oneof![
        (who.clone(), choice.clone()).prop_map(|(who, choice)| Step::Arrive(who, choice)),
        who.clone().prop_map(Step::Depart),
        (who.clone(), any::<bool>()).prop_map(|(who, away)| Step::Away(who, away)),
        (who, choice).prop_map(|(who, choice)| Step::Learn(who, choice)),
        Just(Step::Look),
        (0..8u64).prop_map(Step::Tick),
    ]
}

/// Who is online, and whether away.
type Client = Map<UserId, bool>;

/// What a client makes of the differences.
fn apply(client: &mut Client, changes: &HashMap<UserId, Change>, looked: bool) {
    for (user, change) in changes {
        let was_right = match change {
            Change::Joined { away, .. } => client.insert(*user, *away).is_none(),
            Change::Left => client.remove(user).is_some(),
            Change::Away => client.insert(*user, true) == Some(false),
            Change::Back => client.insert(*user, false) == Some(true),
        };
        assert!(was_right || looked, "{user} was not as the change has it");
    }
}

impl Roster {
    fn snapshot(&self) -> Client {
        self.iter().map(|user| (user.id, self.is_away(user.id))).collect()
    }

    fn check_invariants(&self) {
        let shown = self.users.iter().filter(|(_, entry)| !entry.visibility.is_invisible());
        let index: BTreeMap<_, _> = shown.map(|(id, entry)| (entry.key.clone(), *id)).collect();
        assert_eq!(index, self.shown);
    }
}

proptest! {
    /// A client that adds up the differences knows what a snapshot would say, whenever
    /// it began to look, and never of anybody who is invisible.
    #[test]
    fn differences_add_up_to_the_snapshot(steps in prop::collection::vec(step(), 0..80)) {
        let grace = Duration::from_secs(5);
        let (mut roster, mut clients, mut now) = (Roster::default(), vec![Client::new()], Instant::now());
        let mut looked = false;
        let id = |who| UserId(uuid::Uuid::from_u128(who));
        for step in steps {
            match step {
                Step::Arrive(who, choice) => {
                    let user = User { id: id(who), name: who.to_string() };
                    roster.arrive(user, &who.to_string(), Visibility(choice));
                }
                Step::Depart(who) => roster.depart(id(who), now, now + grace),
                Step::Away(who, away) => roster.set_away(id(who), away),
                Step::Learn(who, choice) => roster.learn(id(who), Visibility(choice)),
                Step::Look => {
                    clients.push(roster.snapshot());
                    looked = true;
                }
                Step::Tick(seconds) => {
                    now += Duration::from_secs(seconds);
                    if let Some((_, changes)) = roster.difference(now, looked) {
                        prop_assert!(!changes.is_empty());
                        clients.iter_mut().for_each(|client| apply(client, &changes, looked));
                    }
                    looked = false;
                    let snapshot = roster.snapshot();
                    prop_assert!(clients.iter().all(|client| *client == snapshot));
                    let is_visible = |id: &UserId| !roster.users[id].visibility.is_invisible();
                    prop_assert!(snapshot.keys().all(is_visible));
                    prop_assert_eq!(roster.seen(now).count(), snapshot.len());
                }
            }
            roster.check_invariants();
        }
    }
}
