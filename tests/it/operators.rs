//! What whoever runs the server may know, and nobody else.

use std::process::Stdio;

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::browser::{Browser, answer, code};
use crate::support::{Directory, ServerProcess, TestDatabase, TestServer, eventually, in_time, program};

#[tokio::test]
async fn what_operators_ask_is_told_on_a_listener_of_its_own() {
    let server = TestServer::start(&[]).await;
    let (public, operators) = (Browser::program(&server.url), Browser::program(&server.operators_url()));
    for asked in [&public, &operators] {
        assert_eq!(
            asked.request(Method::GET, "/healthz").send().await.unwrap().text().await.unwrap(),
            "ok\n"
        );
    }
    assert_eq!(public.get("/readyz").await, (200, json!({ "ready": true })));
    let whole = json!({ "ready": true, "missing": [], "warnings": [] });
    assert_eq!(operators.get("/readyz").await, (200, whole));
    assert_eq!(code(&public.get("/metrics").await), (404, "not_found"));
    let metrics = operators.request(Method::GET, "/metrics").send().await.unwrap();
    assert!(metrics.headers()[CONTENT_TYPE].to_str().unwrap().starts_with("text/plain"));
    assert!(metrics.text().await.unwrap().contains("tidings_http_requests_total{status=\"200\"}"));
    for path in ["/", "/api/session", "/worker.js"] {
        assert_eq!(code(&operators.get(path).await), (404, "not_found"), "{path}");
    }
    assert_eq!(code(&answer(operators.request(Method::POST, "/metrics")).await), (404, "not_found"));
}

#[tokio::test]
async fn metrics_tell_nothing_of_who_is_invisible() {
    let database = TestDatabase::create().await;
    let server = ServerProcess::start(&[("DATABASE_URL", database.url())]).await;
    let (ada, bob) = (server.person("Ada").await, server.person("Bob").await);
    let hide = bob.request(Method::PUT, "/api/session/visibility").json(&json!({ "invisible": true }));
    assert_eq!(hide.send().await.unwrap().status(), 204);
    let _hers = ada.connect(&[]).await;
    let sockets = async || server.metric("tidings_sockets").await;
    eventually("hers is counted", async || sockets().await == 1.0).await;
    let mut his = bob.connect(&[]).await;
    his.ping().await;
    assert_eq!(sockets().await.to_bits(), 1.0_f64.to_bits(), "he is here, and nobody sees it");
    let (_, all) = server.get_as_operator("/metrics").await;
    let gauges: Vec<_> =
        all.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" gauge")).collect();
    let known = ["tidings_sockets", "tidings_users_online", "tidings_persistence_queue"];
    assert!(gauges.iter().all(|gauge| known.contains(gauge)), "{gauges:?}: may it tell of one person?");
    let show = bob.request(Method::PUT, "/api/session/visibility").json(&json!({ "invisible": false }));
    assert_eq!(show.send().await.unwrap().status(), 204);
    eventually("his is counted, too", async || sockets().await == 2.0).await;
}

#[tokio::test]
async fn a_port_for_metrics_that_is_taken_ends_the_start_only_where_it_was_set() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let directory = Directory::new();
    let run = |settings: &[(&str, &str)]| {
        let mut command = program(directory.path(), &[]);
        command.env("TIDINGS_LISTEN", "127.0.0.1:0").envs(settings.iter().copied());
        command
    };
    let output = in_time("it ends", run(&[("TIDINGS_METRICS_LISTEN", &address)]).output()).await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.contains(&format!("TIDINGS_METRICS_LISTEN={address}: Address already in use")), "{said}");
    assert_eq!(directory.path().read_dir().unwrap().count(), 0, "a cluster was made");

    // Whoever has the default port, this test or another program: it is taken.
    let _default = std::net::TcpListener::bind("127.0.0.1:9464");
    let database = TestDatabase::create().await;
    for (settings, warns) in [(&[][..], true), (&[("TIDINGS_METRICS_LISTEN", "")][..], false)] {
        let mut command = run(settings);
        let mut child = command.env("DATABASE_URL", database.url()).stderr(Stdio::piped()).spawn().unwrap();
        let mut announced = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = in_time("it starts", announced.next_line()).await.unwrap();
        assert!(line.is_some_and(|line| line.starts_with("tidings listening on ")));
        child.start_kill().unwrap();
        let output = child.wait_with_output().await.unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!(log.contains("metrics are not served"), warns, "{log}");
        assert!(!log.contains("metrics on http"), "{log}");
    }
}
