//! The Autobahn test suite against the server's front, its upgrade and its
//! connections. The suite wants to hear back what it says, which no server of
//! ours does: so only the user's actor is another one here, an echo.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use serde::Deserialize;
use serde_json::json;
use tidings::bus::Bus;
use tidings::domain::{Quota, Rate};
use tidings::persistence::Persistence;
use tidings::push::Push;
use tidings::registry::{ActorSlot, Registry, UserMessage};
use tidings::user::{ReplayLimits, Services};
use tidings::web::Listeners;
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::support::{Person, TestDatabase, config};

const AGENT: &str = "tidings";

/// What Tidings closes, as it should, each with its code: binary messages, and
/// those beyond the largest that the setting allows (1 MiB).
const REFUSED: [(&str, u16); 12] = [
    ("1.2.", 1003),
    ("9.1.4", 1009),
    ("9.1.5", 1009),
    ("9.1.6", 1009),
    ("9.2.1", 1003),
    ("9.2.2", 1003),
    ("9.2.3", 1003),
    ("9.2.", 1009),
    ("9.3.", 1009),
    ("9.4.", 1009),
    ("9.6.", 1003),
    ("9.8.", 1003),
];

/// Compression is not offered.
const UNIMPLEMENTED: [&str; 2] = ["12.", "13."];

/// Says back what it is told.
struct Echo;

impl Actor for Echo {
    type Msg = UserMessage;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<UserMessage>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<UserMessage>,
        message: UserMessage,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        let UserMessage::Frames(envelopes) = message else { return Ok(()) };
        for envelope in envelopes {
            let opened = envelope.open();
            opened.connection.set_hello_received();
            opened.connection.send(opened.text.clone());
        }
        Ok(())
    }
}

/// Serves as the program does, but for the supervisor and its actors; gives
/// somebody whose actor is the echo.
async fn echo(database: &TestDatabase) -> Person {
    let settings = [("TIDINGS_FRAME_MAX_BYTES", "1048576"), ("TIDINGS_OUTBOUND_BYTES", "4194304")];
    let config = Arc::new(config(&settings));
    let registry = Arc::new(Registry::default());
    let opened = database.open().await;
    let services = Arc::new(Services {
        epoch: opened.epoch().await.unwrap().to_string(),
        persistence: Persistence::new(
            &config,
            opened.options().clone(),
            registry.clone(),
            Bus::new(registry.clone()),
            Push::default(),
        ),
        presence: ActorSlot::default(),
        push: Push::default(),
        replays: ReplayLimits::new(&config),
        bus: Bus::new(registry.clone()),
        late_stations: ArcSwap::default(),
        storage_quota: Quota::new(Rate::within(Duration::ZERO, 0)),
        config,
        database: opened,
        registry: registry.clone(),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let listeners = Listeners { public: listener, operators: None };
    tokio::spawn(async move { tidings::web::serve(listeners, services, std::future::pending()).await });
    let person = Person::log_in(&url, "Autobahn").await;
    let (actor, _task) = Actor::spawn(None, Echo, ()).await.unwrap();
    registry.put(person.user.id, actor);
    person
}

/// What the suite says of one case.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verdict {
    behavior: String,
    behavior_close: String,
    remote_close_code: Option<u16>,
}

impl Verdict {
    fn is_as_it_should(&self, case: &str) -> bool {
        let refused = REFUSED.iter().find(|(cases, _)| case.starts_with(cases));
        match refused {
            Some((_, code)) => self.remote_close_code == Some(*code),
            None if UNIMPLEMENTED.iter().any(|cases| case.starts_with(cases)) => {
                self.behavior == "UNIMPLEMENTED"
            }
            None => [&self.behavior, &self.behavior_close]
                .into_iter()
                .all(|behavior| ["OK", "NON-STRICT", "INFORMATIONAL"].contains(&behavior.as_str())),
        }
    }
}

/// Runs the suite's client and reads its report.
async fn run(wstest: &str, person: &Person, folder: &Path) -> BTreeMap<String, Verdict> {
    // The suite has no setting for further headers, but writes the origin as it is given.
    let headers = format!("http://{}\r\nAuthorization: Bearer {}", person.address(), person.token);
    let server = json!({
        "agent": AGENT, "url": format!("ws://{}/api/socket", person.address()),
        "origin": headers, "protocols": ["tidings.v2"],
    });
    let spec = json!({ "outdir": folder, "servers": [server], "cases": ["*"], "exclude-cases": [] });
    let path = folder.join("spec.json");
    std::fs::write(&path, spec.to_string()).unwrap();
    let status =
        Command::new(wstest).args(["--mode", "fuzzingclient", "--spec"]).arg(&path).status().await.unwrap();
    assert!(status.success(), "{wstest}: {status}");
    let index = std::fs::read(folder.join("index.json")).expect("a report");
    let mut agents: BTreeMap<String, BTreeMap<String, Verdict>> = serde_json::from_slice(&index).unwrap();
    agents.remove(AGENT).expect("our part of it")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Autobahn's suite: WSTEST=…/wstest cargo test --test it autobahn -- --ignored --nocapture"]
async fn b02_b07_autobahn_finds_no_fault() {
    let wstest =
        std::env::var("WSTEST").expect("WSTEST is the path of wstest (pip of Python 2.7: autobahntestsuite)");
    let database = TestDatabase::create().await;
    let person = echo(&database).await;
    let folder = tempfile::tempdir().unwrap();
    let verdicts = run(&wstest, &person, folder.path()).await;
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for verdict in verdicts.values() {
        *counts.entry((&verdict.behavior, &verdict.behavior_close)).or_default() += 1;
    }
    eprintln!("{} cases: {counts:?}", verdicts.len());
    let wrong: Vec<_> = verdicts.iter().filter(|(case, verdict)| !verdict.is_as_it_should(case)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
