//! The imports of `src`, held to the one direction they may point.

use std::fs;
use std::path::{Path, PathBuf};

/// Each station and what it may import of ours, besides what those may.
const ALLOWED: [(&str, &[&str]); 20] = [
    ("domain", &[]),
    ("protocol", &["domain"]),
    ("config", &[]),
    ("metrics", &["protocol"]),
    ("process", &["metrics"]),
    ("postgres", &["config", "process"]),
    ("database", &["config", "protocol"]),
    ("registry", &["metrics", "protocol"]),
    ("bus", &["registry"]),
    ("presence", &["database", "registry"]),
    ("push", &["bus", "config", "database"]),
    ("persistence", &["push"]),
    ("user", &["presence", "persistence"]),
    ("connection", &["user"]),
    ("accounts", &["user"]),
    ("typescript", &["user"]),
    ("web", &["accounts", "connection", "process"]),
    ("supervisor", &["user"]),
    ("server", &["web", "supervisor"]),
    ("main", &["server", "postgres"]),
];

fn may_import(from: &str, to: &str) -> bool {
    let (_, direct) = ALLOWED.iter().find(|(station, _)| *station == from).expect(from);
    from == to || direct.iter().any(|station| may_import(station, to))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

#[test]
fn imports_point_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut imports = 0;
    for path in sources(&root) {
        let relative = path.strip_prefix(&root).unwrap();
        let station = relative.components().next().unwrap().as_os_str().to_str().unwrap();
        let station = station.trim_end_matches(".rs");
        if ["lib", "fuzz"].contains(&station) {
            continue;
        }
        assert!(ALLOWED.iter().any(|(listed, _)| *listed == station), "{station} is no station");
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            let place = format!("{}:{}: {line}", relative.display(), number + 1);
            assert!(!line.contains("crate::{"), "one station a line: {place}");
            for import in line.split("crate::").skip(1).chain(line.split("tidings::").skip(1)) {
                let to: String = import.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if ALLOWED.iter().any(|(station, _)| *station == to) {
                    assert!(may_import(station, &to), "{place}");
                    imports += 1;
                }
            }
            assert!(station == "web" || !line.contains("warp::"), "{place}");
            assert!(station == "database" || !line.contains("sqlx::query"), "{place}");
        }
    }
    assert!(imports > 100, "only {imports} were found");
}
