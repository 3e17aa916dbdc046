use serde::{Deserialize, Serialize};

macro_rules! close_reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $reason:literal;)*) => {
        /// Why the server closes a connection: clients reconnect after 4000–4499, and not
        /// after 4500–4999.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum CloseReason {
            $($(#[$doc])* $name,)*
        }

        impl CloseReason {
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The close code (RFC 6455 §7.4) and its reason.
            pub fn code_and_reason(self) -> (u16, &'static str) {
                match self {
                    $(Self::$name => ($code, $reason),)*
                }
            }
        }
    };
}

close_reasons! {
    Restart = 1012, "the server is restarting";
    Unsupported = 1003, "binary frames are not supported";
    SlowReader = 4008, "not reading fast enough";
    NoPong = 4010, "no pong in time";
    NoHello = 4011, "no hello in time";
    NoSession = 4012, "the session could not be started";
    FatalFrame = 4500, "a frame of this connection keeps failing";
    LoggedOut = 4501, "logged out";
    /// The same browser has logged in to the same name again.
    LoggedInAgain = 4501, "logged in again";
    TooManySockets = 4502, "too many connections for this user";
    ControlFlood = 4503, "too many control frames";
    FrameFlood = 4504, "too many frames, or too large ones, for too long";
}
