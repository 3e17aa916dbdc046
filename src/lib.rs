//! Tidings: a real-time messaging server and its browser client.
//!
//! ```text
//! browser → web/upgrade → connection (task) → user (actor) → persistence (actor) → PostgreSQL
//! browser ← connection (task) ← user (actor) ← directory ← persistence, after the commit
//! ```
//!
//! A frame travels left to right along the first line: [`web`] upgrades the
//! socket, a [`connection`] owns it, the [`user`]'s actor decides, a writer of
//! [`persistence`] commits it in a batch. Only then it travels back along the
//! second: the [`directory`] knows who is where, each recipient's actor hands it
//! to all of that user's connections; who has none gets a [`push`]. [`presence`]
//! keeps the directory; [`supervisor`] starts all of them and starts them again.
//!
//! Imports point one way: `main → server → {web, supervisor} → connection →
//! user → {presence, persistence} → push → {directory, database} → protocol →
//! domain`; `config`, `metrics` may be used by all, `postgres` by `main` only.

pub mod config;
pub mod connection;
pub mod database;
pub mod directory;
pub mod domain;
#[cfg(test)]
mod fuzz;
pub mod metrics;
pub mod persistence;
pub mod postgres;
pub mod presence;
pub mod protocol;
pub mod push;
pub mod server;
pub mod supervisor;
pub mod user;
pub mod web;
