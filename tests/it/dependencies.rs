//! What is built from is what was chosen, bit by bit, on every platform.

use std::path::Path;

use serde_json::Value;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn every_package_of_the_client_is_locked_with_its_hash() {
    let lock: Value = serde_json::from_str(&read("client/package-lock.json")).unwrap();
    let packages = lock["packages"].as_object().unwrap();
    // The first is the client itself; what is bundled is in the archive of another.
    let fetched = packages.iter().filter(|(path, package)| !path.is_empty() && package["inBundle"] != true);
    let unlocked: Vec<&str> = fetched
        .filter(|(_, package)| !package["integrity"].as_str().is_some_and(|hash| hash.starts_with("sha512-")))
        .map(|(path, _)| path.as_str())
        .collect();
    assert_eq!(unlocked, [""; 0], "npm update --package-lock-only completes it");
}

#[test]
fn the_readme_names_the_oldest_rust() {
    let promised = format!("With Rust ({} or newer)", env!("CARGO_PKG_RUST_VERSION"));
    assert!(read("README.md").contains(&promised), "{promised}");
}
