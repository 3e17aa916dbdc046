//! What this process asks of the system for itself: where its log goes, how
//! many files it may have open, which variables of the environment reach it.

mod descriptors;
mod environment;
mod log;

pub use descriptors::{Share, allowed_descriptors, inherited_descriptors, raise_descriptors, share};
pub use environment::forget_postgres_variables;
pub use log::LogSink;
