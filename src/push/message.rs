use crate::registry::{Heartbeat, InjectedFault};

/// The messages that the dispatcher handles.
#[derive(Debug)]
pub enum PushMessage {
    /// A notification may be due, or the next due time has changed.
    Dispatch,
    /// The running look-up has ended.
    LookUpDone,
    /// Answer it: the supervisor asks whether messages are handled.
    Heartbeat(Heartbeat),
    /// Have this fault: for tests.
    Fault(InjectedFault),
}
