//! The writers on a real PostgreSQL, which is slow, full, cut or killed.

mod cut;
mod faults;
mod large_group;
mod load;
pub mod rig;
mod store;
