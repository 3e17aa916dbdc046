//! What others are shown of somebody: online, away, last seen; and what they
//! are not.

mod away;
mod invisible;
mod last_seen;
mod registry;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use tidings::domain::UserId;
use tidings::protocol::{ClientFrame, Hello, Person as Shown, ServerFrame, Watch};

use crate::support::{Person, Socket, TestServer};

/// Whoever goes without a log-out stays for longer than any test waits.
const SETTINGS: [(&str, &str); 3] = [
    ("TIDINGS_PRESENCE_GRACE_MS", "600000"),
    ("TIDINGS_PRESENCE_INTERVAL_MS", "10"),
    ("TIDINGS_FAULTS", "on"),
];

/// Somebody who looks at the list of people, and keeps it as the protocol says.
struct Watcher {
    socket: Socket,
    read: usize,
    /// Who is here, and whether away.
    known: BTreeMap<UserId, bool>,
    count: u32,
    /// What has been told, in order; a snapshot is no news.
    news: Vec<(UserId, News)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    Joins,
    Leaves,
    Away,
    Back,
}

impl Watcher {
    async fn of(person: &Person) -> Self {
        let mut socket = person.upgrade().await.expect("an upgrade");
        socket.hello(&[], Watch { list: true, users: Vec::new() }).await;
        let mut watcher = Self { socket, read: 0, known: BTreeMap::new(), count: 0, news: Vec::new() };
        watcher.until("a snapshot", |watcher| watcher.count > 0 || !watcher.known.is_empty()).await;
        watcher
    }

    /// Reads on until it holds.
    async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        self.take_in();
        while !holds(self) {
            let is_presence = |frame: &ServerFrame| {
                matches!(frame, ServerFrame::Presence(_) | ServerFrame::PresenceDiff(_))
            };
            self.socket.expect(what, is_presence).await;
            self.take_in();
        }
    }

    /// Reads on until that person is shown so: away or not; none: not at all.
    async fn sees(&mut self, person: &Person, shown: Option<bool>) {
        let what = format!("{} as {shown:?}", person.user.name);
        self.until(&what, |watcher| watcher.known.get(&person.user.id).copied() == shown).await;
    }

    /// Everything that was told of that person, when all that came before is known.
    async fn news_of(&mut self, server: &TestServer, person: &Person) -> Vec<News> {
        // Who comes now is told of after all that.
        static MARKERS: AtomicU32 = AtomicU32::new(0);
        let number = MARKERS.fetch_add(1, Ordering::Relaxed);
        let marker = server.person(&format!("Marker {number}")).await;
        let _here = marker.connect(&[]).await;
        self.sees(&marker, Some(false)).await;
        self.news.iter().filter(|(user, _)| *user == person.user.id).map(|(_, news)| *news).collect()
    }

    fn take_in(&mut self) {
        for frame in &self.socket.heard[self.read..] {
            match frame {
                ServerFrame::Presence(all) => {
                    self.known =
                        all.online.iter().map(|user| (user.id, all.away.contains(&user.id))).collect();
                    self.count = all.count;
                }
                ServerFrame::PresenceDiff(diff) => {
                    self.count = diff.count;
                    let ids = diff.joins.iter().map(|user| user.id);
                    let news = (ids.map(|id| (id, News::Joins)))
                        .chain(diff.leaves.iter().map(|id| (*id, News::Leaves)))
                        .chain(diff.away.iter().map(|id| (*id, News::Away)))
                        .chain(diff.back.iter().map(|id| (*id, News::Back)));
                    for (id, news) in news {
                        match news {
                            News::Leaves => drop(self.known.remove(&id)),
                            News::Joins | News::Back => drop(self.known.insert(id, false)),
                            News::Away => drop(self.known.insert(id, true)),
                        }
                        self.news.push((id, news));
                    }
                }
                _ => {}
            }
        }
        self.read = self.socket.heard.len();
    }
}

/// A connection of somebody who may have left that device alone.
async fn connect(person: &Person, idle: bool) -> Socket {
    let mut socket = person.upgrade().await.expect("an upgrade");
    socket.say(&ClientFrame::Hello(Hello { idle, ..Hello::default() })).await;
    socket.expect("synced", |frame| matches!(frame, ServerFrame::Synced(_))).await;
    socket
}

/// Somebody in the list of all people, as another one finds them.
async fn found(asker: &Person, person: &Person) -> Shown {
    try_to_find(asker, person).await.expect("a list")
}

/// The same while the database may be away: then it is said, and may be asked again.
async fn try_to_find(asker: &Person, person: &Person) -> Option<Shown> {
    let path = format!("/api/users?q={}", person.user.name);
    let people: tidings::protocol::People = match asker.get(&path).await {
        Err((_, problem)) if problem["code"] == "storage_unavailable" => return None,
        answer => answer.expect("a list"),
    };
    Some(people.users.into_iter().find(|shown| shown.user == person.user).expect("everybody is found"))
}

fn fault(station: &str) -> String {
    format!(r#"{{"fault":"{station}"}}"#)
}

/// Breaks a station and waits until the connection's own actor answers again.
async fn crash(socket: &mut Socket, station: &str) {
    socket.say_text(&fault(station)).await;
    socket.ping().await;
}
