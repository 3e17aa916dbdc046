//! Who may be whom, for how long, and how much of it.

mod names;
mod open_sessions;
mod quotas;
mod sessions;
