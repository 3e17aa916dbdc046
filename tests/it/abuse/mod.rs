//! People who do their worst with all that is allowed, against the program as
//! everybody runs it: with its default settings. Ids are those of
//! docs/reliability.md.
//!
//! Memory stays within a bound all the while, and two others who talk are
//! answered in time.

mod answers;
mod attacked;
mod churn;
mod filled;
mod floods;
mod replays;

use std::time::Duration;

pub use attacked::Attacked;

use crate::support::{Flooded, Person, RawSocket, TEXT, masked};

/// A socket that says hello and floods the server with these blocks of frames,
/// one after the other, while the test does other things.
pub async fn flood(
    abuser: &Person,
    time: Duration,
    blocks: impl FnMut() -> Vec<u8> + Send + 'static,
) -> tokio::task::JoinHandle<Flooded> {
    let mut socket = RawSocket::open_unbuffered(abuser).await;
    socket.say(TEXT, br#"{"type":"hello","cursors":[]}"#).await;
    socket.hears(r#""type":"synced""#).await;
    tokio::spawn(async move { socket.flood_for(time, blocks).await })
}

/// Frames as they are written on the socket.
pub fn written(frames: impl IntoIterator<Item = impl ToString>) -> Vec<u8> {
    frames.into_iter().flat_map(|frame| masked(TEXT, frame.to_string().as_bytes())).collect()
}
