use serde::{Deserialize, Serialize};

/// Why the server closes a connection: clients reconnect after 4000–4499, and not
/// after 4500–4999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CloseReason {
    Restart,
    Unsupported,
    SlowReader,
    NoPong,
    NoHello,
    NoSession,
    FatalFrame,
    LoggedOut,
    /// The same browser has logged in to the same name again.
    LoggedInAgain,
    TooManySockets,
    ControlFlood,
    FrameFlood,
}

impl CloseReason {
    /// The close code (RFC 6455 §7.4) and its reason.
    pub fn code_and_reason(self) -> (u16, &'static str) {
        match self {
            Self::Restart => (1012, "the server is restarting"),
            Self::Unsupported => (1003, "binary frames are not supported"),
            Self::SlowReader => (4008, "not reading fast enough"),
            Self::NoPong => (4010, "no pong in time"),
            Self::NoHello => (4011, "no hello in time"),
            Self::NoSession => (4012, "the session could not be started"),
            Self::FatalFrame => (4500, "a frame of this connection keeps failing"),
            Self::LoggedOut => (4501, "logged out"),
            Self::LoggedInAgain => (4501, "logged in again"),
            Self::TooManySockets => (4502, "too many connections for this user"),
            Self::ControlFlood => (4503, "too many control frames"),
            Self::FrameFlood => (4504, "too many frames, or too large ones, for too long"),
        }
    }
}
