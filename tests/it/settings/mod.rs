//! Every setting acts; a wrong one stops the start.

mod connections;
mod pace;
mod presence;
mod program;
mod storage;

use std::fs;
use std::path::Path;

/// What the tests and the code beside them say.
fn sources(folder: &Path) -> String {
    let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let texts = entries.filter(|path| !path.ends_with("src/config")).map(|path| {
        if path.is_dir() { sources(&path) } else { fs::read_to_string(path).unwrap_or_default() }
    });
    texts.collect()
}

#[test]
fn every_setting_is_set_by_some_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests = sources(&root.join("tests/it")) + &sources(&root.join("src"));
    let example = tidings::config::env_example();
    let names = example.lines().filter_map(|line| line.strip_prefix("# TIDINGS_")?.split('=').next());
    let (tested, untested): (Vec<_>, Vec<_>) =
        names.partition(|name| tests.contains(&format!("\"TIDINGS_{name}\"")));
    assert!(untested.is_empty(), "{untested:?}");
    assert!(tested.len() > 30, "the example has become unreadable: {tested:?}");
}
