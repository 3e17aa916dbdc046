//! Tidings: a real-time messaging server and its browser client.
//!
//! ```text
//! browser → web/upgrade → connection (task) → user (actor) → persistence (actor) → PostgreSQL
//! browser ← connection (task) ← user (actor) ← registry ← bus ← persistence, after the commit
//! ```
//!
//! A frame travels left to right along the first line: [`web`] upgrades the
//! socket, a [`connection`] owns it, the [`user`]'s actor handles the frame, and a
//! writer of [`persistence`] commits its message in a batch. Only then does the
//! message travel back along the second line: the [`bus`] hands it to the actor of each
//! recipient, found in the [`registry`], which sends it to all of that user's
//! connections. Users without a connection get a [`push`]. [`presence`] writes the
//! registry; [`supervisor`] starts all of these and restarts them.
//!
//! Before any of that, [`accounts`] lets people in: it knows passwords and sessions,
//! and [`web`] asks it who sends a request.
//!
//! Imports point one way: `main → server → {web, supervisor} → {accounts, connection} →
//! user → {presence, persistence} → push → {bus, database} → registry → protocol →
//! domain`; `config`, `metrics`, `process` may be used by all, `postgres` by `main` only.

pub mod accounts;
pub mod bus;
pub mod config;
pub mod connection;
pub mod database;
pub mod domain;
#[cfg(test)]
mod fuzz;
pub mod metrics;
pub mod persistence;
pub mod postgres;
pub mod presence;
pub mod process;
pub mod protocol;
pub mod push;
pub mod registry;
pub mod server;
pub mod supervisor;
mod typescript;
pub mod user;
pub mod web;

pub use typescript::typescript;
