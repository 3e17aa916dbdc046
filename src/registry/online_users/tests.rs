use std::collections::BTreeMap as Map;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

const VISIBLE: Visibility = Visibility::from_version(0);
const INVISIBLE: Visibility = Visibility::from_version(1);
const VISIBLE_AGAIN: Visibility = Visibility::from_version(2);

fn user(name: &str) -> User {
    User { id: UserId::fresh(), name: name.into() }
}

/// Somebody who is shown, since the last difference.
fn with_ada(now: Instant) -> (OnlineUsers, User) {
    let (mut online, ada) = (OnlineUsers::default(), user("ada"));
    online.arrive(ada.clone(), "ada", VISIBLE);
    assert_eq!(online.difference(now, false).map(|(version, _)| version), Some(1));
    (online, ada)
}

fn changes(online: &mut OnlineUsers, now: Instant) -> Vec<(UserId, Change)> {
    online.difference(now, false).map(|(_, changes)| changes.into_iter().collect()).unwrap_or_default()
}

#[test]
fn a_reload_within_the_grace_is_no_change() {
    let now = Instant::now();
    let (mut online, ada) = with_ada(now);
    online.depart(ada.id, None, now, now + Duration::from_secs(10));
    assert_eq!(online.difference(now + Duration::from_secs(9), false), None);
    online.arrive(ada.clone(), "ada", VISIBLE);
    assert_eq!(online.difference(now + Duration::from_secs(60), false), None);
    assert!(online.contains(ada.id));
    assert!(online.take_left().is_empty());
}

#[test]
fn who_stays_away_leaves_once() {
    let now = Instant::now();
    let (mut online, ada) = with_ada(now);
    let later = now + Duration::from_secs(10);
    online.depart(ada.id, None, now, later);
    assert_eq!(changes(&mut online, later), [(ada.id, Change::Left)]);
    assert_eq!(online.difference(later, false), None);
    assert!(online.is_empty() && online.users.is_empty());
    assert_eq!(online.take_left(), HashMap::from([(ada.id, now)]), "seen until then, not until now");
}

#[test]
fn a_log_out_ends_the_grace_of_its_own_session_only() {
    let (now, session, other) = (Instant::now(), SessionId([1; 32]), SessionId([2; 32]));
    let ended = [SessionFilter::Only(session), SessionFilter::AllBut(other), SessionFilter::All];
    for sessions in ended.into_iter().chain([SessionFilter::Only(other), SessionFilter::AllBut(session)]) {
        let (mut online, ada) = with_ada(now);
        online.end_grace(ada.id, sessions);
        assert!(online.contains(ada.id), "there is a connection");
        online.depart(ada.id, Some(session), now, now + Duration::from_secs(10));
        online.end_grace(ada.id, sessions);
        assert_eq!(online.contains(ada.id), !ended.contains(&sessions), "{sessions:?}");
    }
}

#[test]
fn who_departs_without_a_grace_is_gone_before_any_difference() {
    let now = Instant::now();
    let (mut online, ada) = with_ada(now);
    online.depart(ada.id, None, now, now);
    assert!(!online.contains(ada.id) && online.is_empty());
    assert_eq!(changes(&mut online, now), [(ada.id, Change::Left)]);
    assert_eq!(online.take_left(), HashMap::from([(ada.id, now)]));
}

#[test]
fn coming_and_going_between_two_differences_is_silent() {
    let (mut online, ada, now) = (OnlineUsers::default(), user("ada"), Instant::now());
    online.arrive(ada.clone(), "ada", VISIBLE);
    online.depart(ada.id, None, now, now);
    assert_eq!(online.difference(now, false), None);
    assert!(online.take_left().contains_key(&ada.id), "and yet was here");
}

#[test]
fn after_a_restart_those_without_a_connection_depart() {
    let now = Instant::now();
    let (mut online, ada) = with_ada(now);
    let bob = user("bob");
    online.arrive(bob.clone(), "bob", VISIBLE);
    online.difference(now, false);
    online.reconcile(|id| id == ada.id, now, now);
    assert_eq!(changes(&mut online, now), [(bob.id, Change::Left)]);
}

#[test]
fn pages_are_sorted_prefixed_and_continued() {
    let mut online = OnlineUsers::default();
    for name in ["bo", "ada", "adele", "adam", "zoe"] {
        online.arrive(user(name), name, VISIBLE);
    }
    online.arrive(user("adda"), "adda", INVISIBLE);
    let keys = |page: Vec<(&str, &User)>| page.iter().map(|(key, _)| (*key).to_owned()).collect::<Vec<_>>();
    assert_eq!(keys(online.page("ad", None, 2)), ["ada", "adam"]);
    assert_eq!(keys(online.page("ad", Some("adam"), 2)), ["adele"]);
    assert_eq!(online.page("", None, 10).len(), 5);
    assert!(online.page("%", None, 10).is_empty());
}

#[test]
fn a_page_has_everybody_with_a_word_that_matches_once() {
    let mut online = OnlineUsers::default();
    for key in ["ada lund", "lova lund", "łucja", "zoe"] {
        online.arrive(user(key), key, VISIBLE);
    }
    let mut found = Vec::new();
    let mut after: Option<String> = None;
    while let [(key, user)] = online.page("L", after.as_deref(), 1)[..] {
        found.push(user.name.clone());
        after = Some(key.to_owned());
    }
    assert_eq!(found, ["lova lund", "łucja", "ada lund"]);
    let all: Vec<_> = online.shown.values().copied().collect();
    for user in all {
        online.apply_visibility(user, INVISIBLE);
    }
    assert!(online.terms.is_empty());
}

#[test]
fn away_and_back_within_one_difference_is_no_change() {
    let now = Instant::now();
    let (mut online, ada) = with_ada(now);
    online.set_away(ada.id, true);
    online.set_away(ada.id, false);
    assert_eq!(online.difference(now, false), None);
    online.set_away(ada.id, true);
    assert_eq!(changes(&mut online, now), [(ada.id, Change::Away)]);
    online.depart(ada.id, None, now, now + Duration::from_secs(10));
    online.arrive(ada.clone(), "ada", VISIBLE);
    assert_eq!(online.difference(now, false), None, "a reload is no reason to come back");
    online.set_away(ada.id, false);
    assert_eq!(changes(&mut online, now), [(ada.id, Change::Back)]);
}

#[test]
fn who_becomes_invisible_leaves_without_a_grace_and_joins_when_visible() {
    let now = Instant::now();
    let (mut online, ada) = with_ada(now);
    online.apply_visibility(ada.id, INVISIBLE);
    assert_eq!((online.len(), online.contains(ada.id)), (0, false), "at once, before any difference");
    assert_eq!(changes(&mut online, now), [(ada.id, Change::Left)]);
    assert!(online.take_left().is_empty(), "the time is stored with the choice");
    online.set_away(ada.id, true);
    assert_eq!(online.difference(now, false), None);
    online.apply_visibility(ada.id, VISIBLE_AGAIN);
    online.apply_visibility(ada.id, INVISIBLE);
    assert_eq!(changes(&mut online, now), [(ada.id, Change::Joined { user: ada, away: true })]);
}

#[test]
fn an_older_choice_that_arrives_with_a_connection_changes_nothing() {
    let now = Instant::now();
    let (mut online, ada) = with_ada(now);
    online.apply_visibility(ada.id, INVISIBLE);
    online.depart(ada.id, None, now, now + Duration::from_secs(10));
    online.arrive(ada.clone(), "ada", VISIBLE);
    assert!(!online.contains(ada.id));
}

#[test]
fn who_is_invisible_comes_and_goes_unseen() {
    let (mut online, ada, now) = (OnlineUsers::default(), user("ada"), Instant::now());
    online.arrive(ada.clone(), "ada", INVISIBLE);
    assert_eq!(online.difference(now, false), None);
    online.depart(ada.id, None, now, now);
    assert_eq!(online.difference(now, false), None);
    assert!(online.users.is_empty() && online.take_left().is_empty());
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
fn apply(client: &mut Client, changes: &HashMap<UserId, Change>, snapshot_sent: bool) {
    for (user, change) in changes {
        let was_right = match change {
            Change::Joined { away, .. } => client.insert(*user, *away).is_none(),
            Change::Left => client.remove(user).is_some(),
            Change::Away => client.insert(*user, true) == Some(false),
            Change::Back => client.insert(*user, false) == Some(true),
        };
        assert!(was_right || snapshot_sent, "{user} was not as the change has it");
    }
}

impl OnlineUsers {
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
        let (mut online, mut clients, mut now) = (OnlineUsers::default(), vec![Client::new()], Instant::now());
        let mut snapshot_sent = false;
        let id = |who| UserId(uuid::Uuid::from_u128(who));
        for step in steps {
            match step {
                Step::Arrive(who, choice) => {
                    let user = User { id: id(who), name: who.to_string() };
                    online.arrive(user, &who.to_string(), Visibility::from_version(choice));
                }
                Step::Depart(who) => online.depart(id(who), None, now, now + grace),
                Step::Away(who, away) => online.set_away(id(who), away),
                Step::Learn(who, choice) => online.apply_visibility(id(who), Visibility::from_version(choice)),
                Step::Look => {
                    clients.push(online.snapshot());
                    snapshot_sent = true;
                }
                Step::Tick(seconds) => {
                    now += Duration::from_secs(seconds);
                    if let Some((_, changes)) = online.difference(now, snapshot_sent) {
                        prop_assert!(!changes.is_empty());
                        clients.iter_mut().for_each(|client| apply(client, &changes, snapshot_sent));
                    }
                    snapshot_sent = false;
                    let snapshot = online.snapshot();
                    prop_assert!(clients.iter().all(|client| *client == snapshot));
                    let is_visible = |id: &UserId| !online.users[id].visibility.is_invisible();
                    prop_assert!(snapshot.keys().all(is_visible));
                    prop_assert_eq!(online.seen(now).count(), snapshot.len());
                }
            }
            online.check_invariants();
        }
    }
}
