//! What breaks, and what its users see of it: nothing. Ids are those of
//! docs/reliability.md. Where a crowd writes, the checker runs on its histories.

mod actors;
mod checker_self_test;
mod network;
mod order;
mod overload;
mod postgres;
mod server;

use tidings::protocol::{People, ServerFrame, Watch};

use crate::support::{Person, Socket};

/// Frames that break things are understood.
const FAULTS: (&str, &str) = ("TIDINGS_FAULTS", "on");

/// Looks at the list of people.
async fn watcher(person: &Person) -> Socket {
    let mut socket = person.upgrade().await.expect("an upgrade");
    socket.hello(&[], Watch { list: true, users: Vec::new() }).await;
    socket.expect("presence", |frame| matches!(frame, ServerFrame::Presence(_))).await;
    socket
}

/// Whether the frame shows that they are here.
fn is_here(frame: &ServerFrame, person: &Person) -> bool {
    match frame {
        ServerFrame::Presence(presence) => presence.online.contains(&person.user),
        ServerFrame::PresenceDiff(diff) => diff.joins.contains(&person.user),
        _ => false,
    }
}

/// Whether the frame shows that they are not.
fn leaves(frame: &ServerFrame, person: &Person) -> bool {
    match frame {
        ServerFrame::Presence(presence) => !presence.online.contains(&person.user),
        ServerFrame::PresenceDiff(diff) => diff.leaves.contains(&person.user.id),
        _ => false,
    }
}

/// How many with such a name are online.
async fn online(asker: &Person, prefix: &str) -> usize {
    let people: People = asker.get(&format!("/api/users?online=true&q={prefix}")).await.expect("a list");
    people.users.len()
}

/// How often the socket was told who is here.
fn presence_frames(socket: &Socket) -> usize {
    let told =
        |frame: &&ServerFrame| matches!(frame, ServerFrame::Presence(_) | ServerFrame::PresenceDiff(_));
    socket.heard.iter().filter(told).count()
}
