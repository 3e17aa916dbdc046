//! Prints the description of the HTTP part: `cargo run --example openapi > docs/openapi.json`.

#[allow(clippy::print_stdout, reason = "its purpose")]
fn main() {
    print!("{}", tidings::web::openapi());
}
