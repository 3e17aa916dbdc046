//! Prints the wire types as TypeScript:
//! `cargo run --example types > client/src/sdk/protocol/generated.ts`.

#[allow(clippy::print_stdout, reason = "its purpose")]
fn main() {
    print!("{}", tidings::typescript());
}
