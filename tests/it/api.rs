//! People, conversations and history over HTTP.

use serde_json::{Value, json};
use tidings::database::{Log, NewEvent};
use tidings::domain::ClientId;
use uuid::Uuid;

use crate::browser::{Browser, code};
use crate::support::{TestServer, eventually, says};

/// Writes into a conversation as if `sender` had sent it.
async fn write(server: &TestServer, sender: &str, conversation: &str, bodies: &[&str]) {
    let database = server.database.open().await;
    let mut log = Log::open(database.options()).await.unwrap();
    for body in bodies {
        let said = says(body);
        let event = NewEvent {
            sender: sender.parse().unwrap(),
            client_id: ClientId(Uuid::now_v7()),
            conversation: conversation.parse().unwrap(),
            operation: &said,
        };
        log.append(&[event]).await.unwrap();
    }
}

/// Two people and their conversation.
async fn pair(server: &TestServer) -> (Browser, Browser, String) {
    let ada = Browser::named(&server.url, "Ada").await;
    let bob = Browser::named(&server.url, "Bob").await;
    let (status, conversation) = ada.post("/api/conversations", json!({ "user": bob.id().await })).await;
    assert_eq!(status, 200, "{conversation}");
    let id = conversation["id"].as_str().unwrap().to_owned();
    (ada, bob, id)
}

fn names(people: &Value) -> Vec<&str> {
    people["users"].as_array().unwrap().iter().map(|person| person["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn people_are_searched_sorted_and_paged() {
    let server = TestServer::start(&[]).await;
    let ada = Browser::named(&server.url, "Ada").await;
    for name in ["Zoe", "adam", "Adele"] {
        Browser::named(&server.url, name).await;
    }
    let (status, all) = ada.get("/api/users").await;
    assert_eq!((status, names(&all)), (200, vec!["Ada", "adam", "Adele", "Zoe"]));
    assert_eq!(
        (&all["next"], &all["online"], &all["users"][0]["online"]),
        (&json!(null), &json!(0), &json!(false))
    );
    let (_, page) = ada.get("/api/users?q=AD&limit=2").await;
    assert_eq!(names(&page), ["Ada", "adam"]);
    let next = page["next"].as_str().unwrap();
    let (_, page) = ada.get(&format!("/api/users?q=AD&limit=2&after={next}")).await;
    assert_eq!((names(&page), &page["next"]), (vec!["Adele"], &json!(null)));
    assert!(names(&ada.get("/api/users?online=true").await.1).is_empty());
    assert_eq!(code(&Browser::on(&server.url).get("/api/users").await), (401, "unauthorized"));
}

#[tokio::test]
async fn who_has_a_socket_is_online() {
    let server = TestServer::start(&[]).await;
    let ada = Browser::named(&server.url, "Ada").await;
    let people = [server.person("Bob").await, server.person("bert").await, server.person("Eve").await];
    let sockets = futures::future::join_all(people.iter().map(|person| person.connect(&[]))).await;
    eventually("all three are online", async || ada.get("/api/users").await.1["online"] == 3).await;
    let (_, page) = ada.get("/api/users?online=true&q=B&limit=1").await;
    assert_eq!((names(&page), &page["next"]), (vec!["bert"], &json!("bert")));
    let (_, page) = ada.get("/api/users?online=true&q=B&limit=1&after=bert").await;
    assert_eq!(
        (names(&page), &page["next"], &page["users"][0]["online"]),
        (vec!["Bob"], &json!(null), &json!(true))
    );
    let (_, all) = ada.get("/api/users").await;
    assert_eq!((names(&all), &all["users"][0]["online"]), (vec!["Ada", "bert", "Bob", "Eve"], &json!(false)));
    drop(sockets);
}

#[tokio::test]
async fn b20_what_is_sought_is_data() {
    let server = TestServer::start(&[]).await;
    let ada = Browser::named(&server.url, "Ada").await;
    for query in ["q=%25", "q=_", "q=%27%20OR%201=1--", "q=%5C", "after=%25%27", "q=A&after=zz"] {
        for online in ["", "&online=true"] {
            let (status, people) = ada.get(&format!("/api/users?{query}{online}")).await;
            assert_eq!(status, 200, "{query}");
            assert!(names(&people).iter().all(|name| *name == "Ada"), "{query}");
        }
    }
    assert!(names(&ada.get("/api/users?q=%25").await.1).is_empty());
    assert_eq!(code(&ada.get("/api/users?q=%00").await), (400, "invalid_field"));
}

#[tokio::test]
async fn a_conversation_is_the_same_from_both_sides() {
    let server = TestServer::start(&[]).await;
    let (ada, bob, id) = pair(&server).await;
    let (_, from_bob) = bob.post("/api/conversations", json!({ "user": ada.id().await })).await;
    assert_eq!(from_bob["id"], id.as_str());
    assert_eq!(
        (&from_bob["last_seq"], &from_bob["last"], &from_bob["unread"]),
        (&json!(0), &json!(null), &json!(0))
    );
    assert_eq!(ada.get("/api/conversations").await.1, json!({"conversations": [], "next": null}));
    write(&server, &ada.id().await, &id, &["one", "two"]).await;
    let (_, listed) = bob.get("/api/conversations").await;
    let listed = &listed["conversations"][0];
    assert_eq!(
        (&listed["id"], &listed["unread"], &listed["last"]["body"]),
        (&json!(id), &json!(2), &json!("two"))
    );
    assert_eq!(listed, &bob.get(&format!("/api/conversations/{id}")).await.1);
}

#[tokio::test]
async fn conversations_are_paged_by_activity() {
    let server = TestServer::start(&[]).await;
    let ada = Browser::named(&server.url, "Ada").await;
    let own = ada.id().await;
    let mut ids = Vec::new();
    for name in ["Bob", "Eve", "Zoe"] {
        let other = Browser::named(&server.url, name).await;
        let (_, made) = ada.post("/api/conversations", json!({ "user": other.id().await })).await;
        let id = made["id"].as_str().unwrap().to_owned();
        write(&server, &own, &id, &["hello"]).await;
        ids.insert(0, id);
    }
    let mut seen = Vec::new();
    let mut path = "/api/conversations?limit=2".to_owned();
    loop {
        let (status, page) = ada.get(&path).await;
        assert_eq!(status, 200, "{page}");
        let page_ids =
            page["conversations"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap().to_owned());
        seen.extend(page_ids);
        match page["next"].as_str() {
            Some(next) => path = format!("/api/conversations?limit=2&before={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ids);
}

#[tokio::test]
async fn whom_there_is_no_conversation_with() {
    let server = TestServer::start(&[]).await;
    let ada = Browser::named(&server.url, "Ada").await;
    let with = async |user: Value| ada.post("/api/conversations", json!({ "user": user })).await;
    assert_eq!(code(&with(json!(Uuid::now_v7())).await), (404, "not_found"));
    assert_eq!(with(json!(ada.id().await)).await.0, 200, "with oneself, for notes");
    for wrong in [json!("x"), json!(7), json!(null), json!(["a"])] {
        let refused = with(wrong).await;
        assert_eq!((code(&refused), &refused.1["field"]), ((400, "invalid_field"), &json!("user")));
    }
}

#[tokio::test]
async fn history_is_paged_both_ways() {
    let server = TestServer::start(&[]).await;
    let (ada, bob, id) = pair(&server).await;
    write(&server, &ada.id().await, &id, &["1", "2", "3", "4", "5"]).await;
    let seqs = async |query: &str| {
        let (status, history) = bob.get(&format!("/api/conversations/{id}/messages{query}")).await;
        assert_eq!((status, &history["last_seq"]), (200, &json!(5)), "{query}");
        let messages = history["messages"].as_array().unwrap();
        messages.iter().map(|message| message["seq"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(seqs("").await, [1, 2, 3, 4, 5]);
    assert_eq!(seqs("?limit=2").await, [4, 5]);
    assert_eq!(seqs("?limit=2&before=4").await, [2, 3]);
    assert_eq!(seqs("?limit=2&after=1").await, [2, 3]);
    assert_eq!(seqs("?after=9007199254740991").await, [0_u64; 0]);
}

/// Six of the twelve: a body counts as its JSON.
#[tokio::test]
async fn c07_a_page_of_long_messages_has_fewer_and_says_where_to_go_on() {
    let server = TestServer::start(&[("TIDINGS_PAGE_BYTES", "65536")]).await;
    let (ada, bob, id) = pair(&server).await;
    let long = "\u{1}".repeat(1_700);
    write(&server, &ada.id().await, &id, &[&*long; 12]).await;
    let page = async |query: &str| {
        let (status, history) = bob.get(&format!("/api/conversations/{id}/messages{query}")).await;
        assert_eq!((status, &history["last_seq"]), (200, &json!(12)), "{query}");
        let messages = history["messages"].as_array().unwrap();
        let seqs: Vec<_> = messages.iter().map(|message| message["seq"].as_u64().unwrap()).collect();
        (seqs, [&history["from"], &history["to"]].map(|edge| edge.as_u64().unwrap()))
    };
    assert_eq!(page("").await, (vec![7, 8, 9, 10, 11, 12], [7, 12]));
    assert_eq!(page("?before=7").await, (vec![1, 2, 3, 4, 5, 6], [1, 6]));
    assert_eq!(page("?after=0").await, (vec![1, 2, 3, 4, 5, 6], [1, 6]));
    assert_eq!(page("?after=6").await, (vec![7, 8, 9, 10, 11, 12], [7, 12]));
    assert_eq!(page("?limit=2&after=6").await, (vec![7, 8], [7, 8]));
    assert_eq!(page("?after=12").await, (vec![], [13, 12]));
    assert_eq!(page("?before=1").await, (vec![], [1, 0]));
}

#[tokio::test]
async fn c07_a_page_of_conversations_with_long_last_messages_has_fewer() {
    let server = TestServer::start(&[("TIDINGS_PAGE_BYTES", "30000")]).await;
    let ada = Browser::named(&server.url, "Ada").await;
    let mut begun = Vec::new();
    for name in ["Bob", "Eve", "Kim", "Zoe"] {
        let other = Browser::named(&server.url, name).await;
        let (_, opened) = ada.post("/api/conversations", json!({ "user": other.id().await })).await;
        let id = opened["id"].as_str().unwrap().to_owned();
        write(&server, &ada.id().await, &id, &[&*"漢".repeat(4_000)]).await;
        begun.insert(0, id);
    }
    let (mut seen, mut before) = (Vec::new(), String::new());
    loop {
        let (_, page) = ada.get(&format!("/api/conversations?limit=4{before}")).await;
        let ids = page["conversations"].as_array().unwrap().iter().map(|each| each["id"].as_str().unwrap());
        let ids: Vec<_> = ids.map(str::to_owned).collect();
        assert!((1..=4).contains(&ids.len()), "{ids:?}");
        seen.push(ids.len());
        assert_eq!(begun.drain(..ids.len()).collect::<Vec<_>>(), ids);
        match page["next"].as_str() {
            Some(next) => before = format!("&before={next}"),
            None => break,
        }
    }
    assert_eq!(seen, [2, 2]);
    assert!(begun.is_empty());
}

/// A single message is a page, whatever it takes.
#[tokio::test]
async fn c07_a_page_has_at_least_one_item() {
    let server = TestServer::start(&[("TIDINGS_PAGE_BYTES", "4096")]).await;
    let (ada, _bob, id) = pair(&server).await;
    write(&server, &ada.id().await, &id, &[&*"漢".repeat(4_000); 2]).await;
    let (_, history) = ada.get(&format!("/api/conversations/{id}/messages")).await;
    let seqs = history["messages"].as_array().unwrap().iter().map(|message| message["seq"].clone());
    assert_eq!((seqs.collect::<Vec<_>>(), &history["from"]), (vec![json!(2)], &json!(2)));
}

#[tokio::test]
async fn b16_odd_pages_are_refused_and_foreign_conversations_look_like_none() {
    let server = TestServer::start(&[]).await;
    let (ada, _bob, id) = pair(&server).await;
    let eve = Browser::named(&server.url, "Eve").await;
    for query in
        ["limit=0", "limit=-1", "limit=1000000000", "limit=101", "limit=x", "limit=1&limit=2", "limit=1.5"]
    {
        for path in
            [format!("/api/conversations/{id}/messages"), "/api/users".into(), "/api/conversations".into()]
        {
            let refused = ada.get(&format!("{path}?{query}")).await;
            assert_eq!(
                (code(&refused), &refused.1["field"]),
                ((400, "invalid_field"), &json!("limit")),
                "{query}"
            );
        }
    }
    for (query, field) in [
        ("before=-1", "before"),
        ("after=1%27;--", "after"),
        ("before=1e9", "before"),
        ("before=1&after=1", "after"),
    ] {
        let refused = ada.get(&format!("/api/conversations/{id}/messages?{query}")).await;
        assert_eq!((code(&refused), &refused.1["field"]), ((400, "invalid_field"), &json!(field)), "{query}");
    }
    assert_eq!(code(&ada.get("/api/conversations?before=foreign").await), (400, "invalid_field"));
    let nowhere = Uuid::now_v7().to_string();
    let mut answers = Vec::new();
    for id in [id.as_str(), &nowhere, "x", "%27%20OR%201=1"] {
        answers.push(eve.get(&format!("/api/conversations/{id}")).await);
        answers.push(eve.get(&format!("/api/conversations/{id}/messages")).await);
    }
    assert_eq!(code(&answers[0]), (404, "not_found"));
    answers.dedup();
    assert_eq!(answers.len(), 1, "all look the same");
}
