//! Queries of every kind against a real database: what the server reads of
//! them, PostgreSQL can be asked.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use reqwest::Method;

use crate::support::{Person, TestServer};

/// How many queries, and how many of them at a time.
const QUERIES: usize = 600;
const AT_ONCE: usize = 8;

fn number() -> impl Strategy<Value = String> {
    let edges = [0, 1, -1, 100, 101, (1 << 53) - 1, 1 << 53, i64::MAX, i64::MIN, 253_402_300_799_999_999];
    prop_oneof![
        any::<i64>(),
        prop::sample::select(edges.to_vec()),
        -300_000_000_000_000_000..300_000_000_000_000_000_i64
    ]
    .prop_map(|number| number.to_string())
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        number(),
        (number(), any::<u128>()).prop_map(|(at, id)| format!("{at}.{}", uuid::Uuid::from_u128(id))),
        any::<String>(),
        "[adAD%_']{0,4}",
        "\\PC{0,300}",
        prop::sample::select(vec![
            "",
            "true",
            "false",
            "\0",
            "a\0b",
            "\u{10ffff}",
            "\u{fdfa}",
            "' OR 1=1 --"
        ])
        .prop_map(str::to_owned),
    ]
}

fn query() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["q", "after", "before", "limit", "online", "more"]);
    prop::collection::vec((name, value()), 0..4).prop_map(|pairs| {
        pairs
            .iter()
            .fold(form_urlencoded::Serializer::new(String::new()), |mut query, (name, value)| {
                query.append_pair(name, value);
                query
            })
            .finish()
    })
}

#[tokio::test]
async fn b16_b20_no_query_makes_the_server_fail() {
    let server = TestServer::start(&[]).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let conversation = ada.conversation_with(&bob).await;
    let mut socket = ada.connect(&[]).await;
    for body in ["one", "two"] {
        let client_id = socket.send(conversation, body).await;
        socket.stored(client_id).await;
    }
    let addresses =
        ["/api/users", "/api/conversations", &format!("/api/conversations/{conversation}/messages")]
            .map(str::to_owned);
    let asked = (prop::sample::select(addresses.to_vec()), query())
        .prop_map(|(address, query)| format!("{address}?{query}"));
    let mut runner = TestRunner::default();
    let mut asked: Vec<String> =
        (0..QUERIES).map(|_| asked.new_tree(&mut runner).unwrap().current()).collect();
    // A moment before PostgreSQL's first.
    asked.push(format!("/api/conversations?before=-253402300800000000.{conversation}"));
    let mut statuses = std::collections::BTreeMap::new();
    for some in asked.chunks(AT_ONCE) {
        let answers = futures::future::join_all(some.iter().map(|path| status(&ada, path))).await;
        for (path, status) in some.iter().zip(answers) {
            assert!([200, 400].contains(&status), "{status}: {path}");
            *statuses.entry(status).or_insert(0) += 1;
        }
    }
    assert!(statuses.values().all(|count| *count > QUERIES / 20) && statuses.len() == 2, "{statuses:?}");
}

async fn status(person: &Person, path: &str) -> u16 {
    person.request(Method::GET, path).send().await.expect("an answer").status().as_u16()
}
