//! docs/openapi.json describes every route. That the answers are as it says is held to
//! the server by client/e2e/openapi.spec.ts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use crate::protocol_page::path;

/// The methods of each path.
type Routes = BTreeMap<String, BTreeSet<String>>;

fn read(name: &str) -> String {
    fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).expect(name)
}

fn described() -> Routes {
    let description: Value = serde_json::from_str(&read("docs/openapi.json")).unwrap();
    let paths = description["paths"].as_object().unwrap().iter();
    let methods = |operations: &Value| {
        operations.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect()
    };
    let paths = paths.filter_map(|(path, operations)| Some((path.strip_prefix("/api")?, operations)));
    paths.map(|(path, operations)| (path.to_owned(), methods(operations))).collect()
}

/// Each path of the API is answered to the other methods with those that it has.
fn served() -> Routes {
    let routes = read("src/web/routes.rs");
    let mut served = Routes::new();
    for part in routes.split("path!(").skip(1) {
        let statement = part.split("path!(").next().unwrap();
        let allowed = statement.split("only(\"").nth(1).and_then(|rest| rest.split('"').next());
        if let Some(allowed) = allowed.filter(|_| statement.find(".map(|").is_some_and(|at| at < 40)) {
            served.entry(path(part)).or_default().extend(allowed.split(", ").map(str::to_owned));
        }
    }
    served
}

#[test]
fn every_route_is_described_with_its_methods() {
    let (described, served) = (described(), served());
    assert!(served.len() >= 11, "{served:?}");
    assert_eq!(described, served);
}
