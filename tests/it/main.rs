//! The server as its users meet it: real sockets on real ports, a real
//! PostgreSQL.

mod api;
mod architecture;
mod autobahn;
mod browser;
mod chat;
mod chromium;
mod client_files;
mod client_tests;
mod descriptors;
mod faults;
mod frames;
mod front;
mod hostile;
mod idle;
mod law;
mod log;
mod persistence;
mod plans;
mod postgres;
mod session_api;
mod settings;
mod soak;
mod support;
mod users;
mod wire;
