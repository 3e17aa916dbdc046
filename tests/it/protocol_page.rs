//! docs/protocol.md names everything that is on the wire, so that a client can be
//! written from it alone, and its examples are what the server reads and writes.

use std::collections::BTreeSet;
use std::fs;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tidings::protocol::{
    ClientFrame, Conversation, Conversations, History, LogIn, NoSession, OpenConversation, People, Problem,
    PushKey, PushNotice, ServerFrame, Session, Sessions, SetPassword, SetVisibility, Subscription,
};
use tidings::registry::CloseReason;

/// A file of the project.
fn read(path: &str) -> String {
    fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).expect(path)
}

/// The words of a text: names, as code spells them.
fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect()
}

/// Words of TypeScript itself.
const LANGUAGE: [&str; 11] =
    ["export", "type", "const", "string", "number", "boolean", "null", "Array", "Record", "symbol", "never"];

#[test]
fn the_page_names_every_type_field_code_frame_and_kind() {
    let page = read("docs/protocol.md");
    let types = tidings::typescript();
    // Without comments: those are sentences.
    let lines = types.lines().map(str::trim_start);
    let code: Vec<&str> = lines.filter(|line| !line.starts_with(['/', '*'])).collect();
    // Only the types' own names of what is sent: unions by frame have none on the wire.
    let named = code.join("\n").replace("ClientFrame", "").replace("ServerFrame", "");
    let inner = ["Hello", "Sync", "Send", "GiveUp", "Position", "Typing", "TypingBy", "Activity", "Ping"];
    let outer = ["Welcome", "Synced", "Resync", "Stored", "Receipt", "Presence", "PresenceDiff", "Pong"];
    let of_frames: BTreeSet<&str> = inner.into_iter().chain(outer).chain(["Visibility", "Hidden"]).collect();
    // Of constants the page has the values.
    let constants: BTreeSet<&str> =
        types.split("export const ").skip(1).filter_map(|rest| rest.split([' ', ':']).next()).collect();
    let on_page = words(&page);
    let missing: Vec<&str> = words(&named)
        .into_iter()
        .filter(|word| !word.is_empty() && !LANGUAGE.contains(word) && !of_frames.contains(word))
        .filter(|word| !constants.contains(word) && !on_page.contains(word))
        .collect();
    assert!(missing.is_empty(), "docs/protocol.md does not name {missing:?}");
    // Frames and kinds have rows of their own, and codes stand as they are.
    let frames: Vec<&str> = values(&types, "type").collect();
    assert!(frames.len() > 20, "{frames:?}");
    let kinds: Vec<&str> = values(&types, "kind").collect();
    assert!(kinds.len() > 1, "{kinds:?}");
    for name in frames.into_iter().chain(kinds) {
        assert!(page.contains(&format!("| `{name}` |")), "docs/protocol.md has no row for {name}");
    }
    let codes = types.split("export type Code = ").nth(1).and_then(|rest| rest.split(';').next());
    for code in codes.expect("the codes").split('"').skip(1).step_by(2) {
        assert!(page.contains(&format!("`{code}`")), "docs/protocol.md does not explain {code}");
    }
}

#[test]
fn the_page_has_every_close_code_and_every_route() {
    let page = read("docs/protocol.md");
    for (code, _) in CloseReason::ALL.iter().map(|reason| reason.code_and_reason()) {
        assert!(page.contains(&format!("| {code} |")), "docs/protocol.md does not have {code}");
    }
    let routes = read("src/web/routes.rs");
    let paths: Vec<String> = routes.split("path!(").skip(1).map(path).collect();
    assert!(paths.iter().any(|path| path == "/conversations/{id}/messages"), "{paths:?}");
    for path in paths {
        assert!(page.contains(&path), "docs/protocol.md does not have {path}");
    }
}

/// `| `sends_per_second`, `sends_burst` | 5, 20 |` names two settings by their fields.
#[test]
fn the_limits_that_the_page_tells_are_the_defaults() {
    let page = read("docs/protocol.md");
    let settings = tidings::config::env_example();
    let table = page.split("## 9. Limits").nth(1).and_then(|rest| rest.split("What it does not tell").next());
    let mut told = 0;
    for row in table.expect("the limits").lines().filter(|line| line.starts_with("| `")) {
        let mut cells = row.split(" | ").map(|cell| cell.trim_matches(['|', ' ']));
        let (names, defaults) = (cells.next().expect("names"), cells.next().expect("defaults"));
        for (name, default) in names.split(", ").zip(defaults.split(", ")) {
            let setting = format!("# TIDINGS_{}={default}\n", name.trim_matches('`').to_uppercase());
            assert!(settings.contains(&setting), "{setting}");
            told += 1;
        }
    }
    assert_eq!(told, 10);
}

/// `SOCKETS_PER_USER=10` names a setting without its prefix.
#[test]
fn the_settings_that_the_page_names_have_these_defaults() {
    let page = read("docs/protocol.md");
    let settings = tidings::config::env_example();
    let table = page.split("What it does not tell").nth(1).and_then(|rest| rest.split("\n## ").next());
    let named = table.expect("the other limits").split('`').filter(|word| word.contains('='));
    let mut told = 0;
    for setting in named {
        assert!(settings.contains(&format!("# TIDINGS_{setting}\n")), "{setting}");
        told += 1;
    }
    assert!(told > 30, "{told}");
}

/// Examples of frames are lines that begin with the side that sends them: `C: ` or `S: `.
#[test]
fn every_frame_and_every_kind_has_an_example_and_every_example_is_a_frame() {
    let (page, types) = (read("docs/protocol.md"), tidings::typescript());
    let lines =
        |side: &'static str| page.lines().filter_map(|line| line.strip_prefix(side)).collect::<Vec<&str>>();
    let (client, server) = (lines("C: "), lines("S: "));
    client.iter().for_each(|example| is_exact::<ClientFrame>(example));
    server.iter().for_each(|example| is_exact::<ServerFrame>(example));
    for (side, examples, carrier) in [("ClientFrame", client, "send"), ("ServerFrame", server, "event")] {
        let examples: Vec<Value> = examples.into_iter().map(json).collect();
        let frames: Vec<&str> = values(declaration(&types, side), "type").collect();
        assert!(frames.len() >= 10, "{frames:?}");
        for frame in frames {
            let is_shown = examples.iter().any(|example| example["type"] == frame);
            assert!(is_shown, "docs/protocol.md has no example of {frame} ({side})");
        }
        for kind in values(declaration(&types, "Content"), "kind") {
            let is_shown =
                examples.iter().any(|example| example["type"] == carrier && example["kind"] == kind);
            assert!(is_shown, "docs/protocol.md has no example of {carrier} with {kind}");
        }
    }
}

/// Panics unless an example is what it is said to be.
type Check = fn(&str);

/// What is sent over HTTP or pushed, and how an example of it is checked.
const BODIES: [(&str, Check); 15] = [
    ("LogIn", is_read::<LogIn>),
    ("Session", is_exact::<Session>),
    ("NoSession", is_exact::<NoSession>),
    ("SetPassword", is_read::<SetPassword>),
    ("SetVisibility", is_read::<SetVisibility>),
    ("Sessions", is_exact::<Sessions>),
    ("People", is_exact::<People>),
    ("OpenConversation", is_read::<OpenConversation>),
    ("Conversation", is_exact::<Conversation>),
    ("Conversations", is_exact::<Conversations>),
    ("History", is_exact::<History>),
    ("Problem", is_exact::<Problem>),
    ("PushKey", is_exact::<PushKey>),
    ("Subscription", is_read::<Subscription>),
    ("PushNotice", is_exact::<PushNotice>),
];

/// Examples of bodies are blocks that name their type: "```json Session".
#[test]
fn every_body_has_an_example_and_every_example_is_a_body() {
    let page = read("docs/protocol.md");
    assert!(!page.contains("```json\n"), "an example does not say what it is of");
    let mut shown = BTreeSet::new();
    for block in page.split("```json ").skip(1) {
        let (name, rest) = block.split_once('\n').expect("a line");
        let body = BODIES.iter().find(|(body, _)| *body == name);
        let (_, check) = body.unwrap_or_else(|| panic!("{name} is no body"));
        check(rest.split("```").next().expect("a first part"));
        shown.insert(name);
    }
    for (body, _) in BODIES {
        assert!(shown.contains(body), "docs/protocol.md has no example of {body}");
    }
}

/// Panics unless the example is what the server writes, neither more nor less: who only
/// reads would ignore an optional field with a misspelled name.
fn is_exact<T: DeserializeOwned + Serialize>(example: &str) {
    let value: T = serde_json::from_str(example).unwrap_or_else(|error| panic!("{error}: {example}"));
    assert_eq!(serde_json::to_value(&value).expect("it is JSON"), json(example), "{example}");
}

/// Panics unless the server reads the example.
fn is_read<T: DeserializeOwned>(example: &str) {
    drop(serde_json::from_str::<T>(example).unwrap_or_else(|error| panic!("{error}: {example}")));
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The part of the TypeScript that declares a type.
fn declaration<'a>(types: &'a str, name: &str) -> &'a str {
    let marker = format!("export type {name} = ");
    let rest = types.split(marker.as_str()).nth(1);
    rest.and_then(|rest| rest.split(';').next()).expect("it is declared")
}

/// The values that a field has in some TypeScript: `"type": "hello"` is one of `type`.
fn values<'a>(types: &'a str, field: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let marker = format!("\"{field}\": \"");
    let rests: Vec<&str> = types.split(marker.as_str()).skip(1).collect();
    rests.into_iter().filter_map(|rest| rest.split('"').next())
}

/// As an address is written on the page: `"users" / String)` is `/users/{id}`.
pub fn path(arguments: &str) -> String {
    let end = arguments.find(')').expect("it is closed");
    let segment = |segment: &str| match segment.trim() {
        "String" => "/{id}".to_owned(),
        literal => format!("/{}", literal.trim_matches('"')),
    };
    arguments[..end].split(" / ").map(segment).collect()
}
