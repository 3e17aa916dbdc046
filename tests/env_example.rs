//! Prints the settings: `cargo run --example env_example > .env.example`.

#[allow(clippy::print_stdout, reason = "its purpose")]
fn main() {
    print!("{}", tidings::config::env_example());
}
