//! The generator: thousands of sockets on one thread, frames encoded
//! beforehand, and of what comes back only what is judged is read.

mod fleet;
mod http;
mod said;
mod timer;

pub use fleet::{Fleet, Handler, Seat};
pub use http::{Http, Visitor};
pub use said::Said;
pub use timer::Timer;
