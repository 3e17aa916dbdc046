use std::fmt::Write;
use std::time::Duration;

use super::ConfigError;
use super::push::DEFAULT_PUSH_HOSTS;

/// A setting as its documentation shows it.
pub struct Documented {
    /// Without the prefix.
    pub name: &'static str,
    /// The default; empty for none.
    pub default: String,
    /// What is allowed.
    pub range: String,
    pub doc: &'static str,
}

/// What is logged when `RUST_LOG` does not say.
pub const DEFAULT_LOG: &str = "info,sqlx=warn,ractor=warn";

/// Where metrics are served if nothing is set.
pub const DEFAULT_METRICS_LISTEN: &str = "127.0.0.1:9464";

/// Settings that are not numbers; `read.rs` checks them.
pub const TEXTS: [(&str, &str, &str, &str); 12] = [
    ("LISTEN", "127.0.0.1:8080", "address:port", "Where to listen."),
    (
        "METRICS_LISTEN",
        DEFAULT_METRICS_LISTEN,
        "address:port; empty or off for none",
        "Where /metrics and the detailed /readyz are served, without a log-in. If the default port is taken, the server starts without them.",
    ),
    (
        "DATA_DIR",
        "",
        "a directory; default /var/lib/tidings as root, else $XDG_DATA_HOME/tidings or ~/.local/share/tidings",
        "The private PostgreSQL and anything else kept.",
    ),
    (
        "POSTGRES_BIN",
        "",
        "a directory; default: PATH, then /usr/lib/postgresql, then the npm package",
        "Where postgres and initdb are, for the private PostgreSQL.",
    ),
    (
        "ORIGINS",
        "",
        "addresses like https://chat.example.org, separated by commas; default: the address asked",
        "Addresses at which people open the server. Needed for any host name but localhost and the machine's own, and behind a proxy that changes the Host header.",
    ),
    (
        "TRUSTED_PROXIES",
        "",
        "addresses and networks like 127.0.0.1 or 10.0.0.0/8, separated by commas; default: none",
        "Proxies whose headers X-Forwarded-For, X-Forwarded-Proto and Forwarded are trusted.",
    ),
    ("PUSH", "on", "on or off", "Web push for people who have no socket."),
    (
        "PUSH_CONTACT",
        "",
        "mailto:… or https:…; default: the first https one of TIDINGS_ORIGINS",
        "How a push service reaches whoever runs this server. Some, as Apple's, take no pushes without.",
    ),
    (
        "PUSH_HOSTS",
        DEFAULT_PUSH_HOSTS,
        "hosts separated by commas, *. for all below; for tests also http://127.0.0.1:port",
        "Push services that the server may send to.",
    ),
    (
        "VAPID_PRIVATE_KEY",
        "",
        "32 bytes in base64url; default: one that the database keeps",
        "What signs pushes. Another key makes every browser subscribe anew.",
    ),
    ("FAULTS", "off", "on or off", "Fault injection for tests: every user can make the server fail."),
    ("LOG_JSON", "off", "on or off", "Logs as JSON lines instead of text."),
];

/// How a number becomes a field, and what its variable is called.
macro_rules! kind {
    (type count) => {
        usize
    };
    (type rate) => {
        u32
    };
    (type millis) => {
        Duration
    };
    (type days) => {
        Duration
    };
    (name count $name:literal) => {
        $name
    };
    (name rate $name:literal) => {
        $name
    };
    (name millis $name:literal) => {
        concat!($name, "_MS")
    };
    (name days $name:literal) => {
        concat!($name, "_DAYS")
    };
    // Ranges keep every value within what its type holds.
    (make count $value:expr) => {
        usize::try_from($value).unwrap_or(usize::MAX)
    };
    (make rate $value:expr) => {
        u32::try_from($value).unwrap_or(u32::MAX)
    };
    (make millis $value:expr) => {
        Duration::from_millis($value)
    };
    (make days $value:expr) => {
        Duration::from_secs($value * 24 * 60 * 60)
    };
}

macro_rules! limits {
    ($($field:ident $kind:ident $name:literal = $default:literal, $min:literal to $max:literal: $doc:literal)*) => {
        /// The settings that are numbers, each within its range.
        #[derive(Clone, Debug)]
        pub struct Limits {
            $(#[doc = $doc] pub $field: kind!(type $kind),)*
        }

        impl Limits {
            /// `read` gives a variable's number within its range, or its default.
            pub(super) fn read(
                read: impl Fn(&'static str, u64, u64, u64) -> Result<u64, ConfigError>,
            ) -> Result<Self, ConfigError> {
                Ok(Self { $($field: {
                    let value = read(kind!(name $kind $name), $default, $min, $max)?;
                    kind!(make $kind value)
                },)* })
            }
        }

        /// The defaults.
        impl Default for Limits {
            fn default() -> Self {
                Self { $($field: kind!(make $kind $default),)* }
            }
        }

        /// Every setting, as documented.
        pub fn documented() -> Vec<Documented> {
            let texts = TEXTS.iter().map(|&(name, default, range, doc)| Documented {
                name, default: default.to_owned(), range: range.to_owned(), doc,
            });
            let numbers = [$(Documented {
                name: kind!(name $kind $name),
                default: stringify!($default).to_owned(),
                range: concat!(stringify!($min), " to ", stringify!($max)).to_owned(),
                doc: $doc,
            },)*];
            texts.chain(numbers).collect()
        }
    };
}

limits! {
    frame_max_bytes count "FRAME_MAX_BYTES" = 65536, 1024 to 1048576: "Bytes of a frame or message from a client; beyond it the socket is closed (1009)."
    text_max_chars count "TEXT_MAX_CHARS" = 4000, 1 to 10000: "Characters of a message; six times as many must be less than TIDINGS_FRAME_MAX_BYTES."
    inbound_window count "INBOUND_WINDOW" = 32, 1 to 1024: "Frames of one connection that its user's actor has not handled; beyond it the socket is not read."
    unacknowledged_sends count "UNACKNOWLEDGED_SENDS" = 32, 1 to 1024: "Sends of one connection without an answer; more are answered `busy`."
    outbound_frames count "OUTBOUND_FRAMES" = 256, 16 to 65536: "Frames queued for one connection; beyond it the connection is closed (4008)."
    outbound_bytes count "OUTBOUND_BYTES" = 1048576, 131072 to 67108864: "Bytes queued for one connection; beyond it the connection is closed (4008)."
    sends_per_second rate "SENDS_PER_SECOND" = 5, 0 to 100000: "Messages and changes a second of one user, on average; 0 for no limit."
    sends_burst rate "SENDS_BURST" = 20, 1 to 100000: "Messages that a user may send at once."
    logins_per_minute rate "LOGINS_PER_MINUTE" = 60, 1 to 10000000: "Log-ins a minute from one address (of IPv6: from one /64)."
    sockets_per_user count "SOCKETS_PER_USER" = 10, 1 to 1000: "Sockets of one user at a time; more are closed (4502)."
    connections_per_address count "CONNECTIONS_PER_ADDRESS" = 1000, 1 to 1000000: "Connections from one address (of IPv6: from one /64) at a time, HTTP and sockets together."
    connections count "CONNECTIONS" = 20000, 1 to 1000000: "Connections at a time, HTTP and sockets together."
    frames_per_second rate "FRAMES_PER_SECOND" = 50, 0 to 1000000: "Frames of every kind a second of one connection, on average; beyond it the socket is not read for a while. 0 for no limit; else not below TIDINGS_SENDS_PER_SECOND."
    frames_burst rate "FRAMES_BURST" = 300, 1 to 1000000: "Frames that a connection may send at once."
    frame_bytes_per_second rate "FRAME_BYTES_PER_SECOND" = 131072, 0 to 1073741824: "Bytes of frames a second of one connection, likewise; 0 for no limit."
    frame_bytes_burst rate "FRAME_BYTES_BURST" = 524288, 65536 to 1073741824: "Bytes of frames that a connection may send at once; not below TIDINGS_FRAME_MAX_BYTES."
    flood_patience millis "FLOOD_PATIENCE" = 10000, 0 to 600000: "How long a connection may use up all of that before it is closed (4504)."
    control_frames_per_minute rate "CONTROL_FRAMES_PER_MINUTE" = 120, 10 to 100000: "Pings and pongs a minute on one connection; more close it (4503)."
    header_timeout millis "HEADER_TIMEOUT" = 5000, 100 to 60000: "For the headers of a request."
    write_timeout millis "WRITE_TIMEOUT" = 20000, 100 to 600000: "For a peer to take anything of an HTTP answer; then the connection is reset. An answer that goes on takes as long as it takes."
    hello_timeout millis "HELLO_TIMEOUT" = 10000, 100 to 60000: "For a connection's first frame; then it is closed (4011)."
    ping_interval millis "PING_INTERVAL" = 25000, 100 to 600000: "Between pings on a connection."
    pong_timeout millis "PONG_TIMEOUT" = 10000, 100 to 60000: "For the answer to a ping; then the connection is closed (4010)."
    presence_grace millis "PRESENCE_GRACE" = 10000, 0 to 600000: "How long a user without a connection still counts as online."
    presence_interval millis "PRESENCE_INTERVAL" = 1000, 10 to 60000: "At most one presence frame in this time."
    presence_complete count "PRESENCE_COMPLETE" = 300, 0 to 10000: "Online users up to which everyone is told of everyone; beyond it, of those watched."
    presence_count_interval millis "PRESENCE_COUNT_INTERVAL" = 10000, 100 to 600000: "How often the count goes out beyond that."
    presence_seen_interval millis "PRESENCE_SEEN_INTERVAL" = 60000, 100 to 3600000: "How often it is stored that those online are still here; a killed server forgets no more of when they were last seen."
    typing_interval millis "TYPING_INTERVAL" = 3000, 100 to 60000: "Typing in one conversation is passed on once in this time."
    typing_expiry millis "TYPING_EXPIRY" = 6000, 100 to 60000: "After which clients forget that somebody is typing."
    receipt_interval millis "RECEIPT_INTERVAL" = 250, 10 to 60000: "Receipts of one conversation are sent and stored once in this time."
    reconnect_min millis "RECONNECT_MIN" = 500, 10 to 60000: "The shortest span in which clients come back, at random; not above TIDINGS_RECONNECT_MAX_MS."
    reconnect_max millis "RECONNECT_MAX" = 20000, 10 to 600000: "The longest one, after repeated failures."
    replay_max count "REPLAY_MAX" = 300, 1 to 10000: "Missed messages that one `hello` or `sync` replays; of conversations that do not fit, clients page."
    replays_per_second rate "REPLAYS_PER_SECOND" = 2, 0 to 100000: "Replays (`hello` and `sync` with cursors) a second of one user, on average; more wait. 0 for no limit."
    replays_burst rate "REPLAYS_BURST" = 20, 1 to 100000: "Replays that a user may ask for at once."
    replay_bytes count "REPLAY_BYTES" = 33554432, 1048576 to 68719476736: "Bytes of all replays together that are in memory; more wait, and readers who take nothing are closed (4008)."
    history_page count "HISTORY_PAGE" = 50, 1 to 1000: "Items of a page when the request does not say; not above TIDINGS_HISTORY_PAGE_MAX."
    history_page_max count "HISTORY_PAGE_MAX" = 100, 1 to 1000: "Items of a page at the most."
    page_bytes count "PAGE_BYTES" = 131072, 4096 to 67108864: "Bytes of a page's messages; it then has fewer items than were asked for, but at least one."
    pages_per_user count "PAGES_PER_USER" = 8, 1 to 1000: "Pages with messages that one user is sent at a time; more wait, then they are answered 503."
    crashes count "CRASHES" = 3, 1 to 100: "Deaths of a user's actor by frames of one connection within the window below that close it (4500)."
    crash_window millis "CRASH_WINDOW" = 60000, 1000 to 3600000: "That window."
    writers count "WRITERS" = 2, 1 to 64: "Persistence actors, each with a connection to PostgreSQL of its own."
    batch_max count "BATCH_MAX" = 1000, 1 to 10000: "Messages committed at once by one writer."
    persistence_queue count "PERSISTENCE_QUEUE" = 10000, 1 to 1000000: "Messages that wait to be stored; more are answered `busy`."
    pool_size rate "POOL_SIZE" = 8, 1 to 1000: "Connections to PostgreSQL for everything but storing."
    pool_timeout millis "POOL_TIMEOUT" = 5000, 100 to 60000: "For such a connection, or a turn to use it; then the request is answered 503."
    session_ttl days "SESSION_TTL" = 90, 1 to 3650: "How long a session lasts without being used, or up to a day less."
    session_max days "SESSION_MAX" = 365, 1 to 3650: "How long a session lasts at the most, however much it is used."
    unused_names days "UNUSED_NAMES" = 30, 1 to 3650: "After which a name is free again that has no password, no session, and in whose conversations nothing was written."
    logins_per_day rate "LOGINS_PER_DAY" = 500, 0 to 1000000: "Log-ins to one name in a day; 0 for no limit."
    conversations_per_day rate "CONVERSATIONS_PER_DAY" = 500, 0 to 1000000: "New conversations that a user may begin in a day; 0 for no limit."
    stored_bytes_per_day count "STORED_BYTES_PER_DAY" = 104857600, 0 to 68719476736: "Bytes that a user may store in a day, 128 for each message besides its text; 0 for no limit."
    session_check millis "SESSION_CHECK" = 20000, 100 to 60000: "How often sockets are checked for sessions that have ended or expired."
    push_interval millis "PUSH_INTERVAL" = 3000, 10 to 600000: "A push waits this long for newer messages of its conversation, and for its reader."
    push_queue count "PUSH_QUEUE" = 10000, 1 to 1000000: "Pushes that wait or are being sent, one for each conversation and reader; those beyond are dropped."
    push_timeout millis "PUSH_TIMEOUT" = 10000, 100 to 60000: "For a push service to take a push."
    push_subscriptions count "PUSH_SUBSCRIPTIONS" = 10, 1 to 1000: "Browsers of one user that get pushes; the oldest makes room."
    shutdown_spread millis "SHUTDOWN_SPREAD" = 2000, 0 to 30000: "Over which sockets are closed when the server stops; not above TIDINGS_SHUTDOWN_TIMEOUT_MS."
    shutdown_timeout millis "SHUTDOWN_TIMEOUT" = 30000, 100 to 600000: "For the whole shutdown."
}

/// The contents of `.env.example`.
pub fn env_example() -> String {
    let mut text = format!(
        "# Every setting of Tidings with its default and its range. Copy to .env, or set in the environment.\n\
         # Printed by `cargo run --example env_example`.\n\n\
         # PostgreSQL to use; unset: a private one is started. (postgres://user:password@host/database, or any other form\n\
         # that PostgreSQL's programs take, with one host. Variables PG… are not read; a password that is not given is\n\
         # looked for in ~/.pgpass.)\n\
         # DATABASE_URL=\n\n\
         # What is logged (the syntax of tracing-subscriber's EnvFilter).\n\
         # RUST_LOG={DEFAULT_LOG}\n",
    );
    for setting in documented() {
        let Documented { name, default, range, doc } = setting;
        writeln!(text, "\n# {doc} ({range})\n# TIDINGS_{name}={default}").expect("a string takes everything");
    }
    text
}
