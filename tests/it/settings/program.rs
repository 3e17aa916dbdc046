//! The program and its environment.

use std::process::Output;

use tokio::time::timeout;

use crate::support::{Directory, PATIENCE, ServerProcess, TestDatabase, eventually, program};

async fn run(settings: &[(&str, &str)]) -> Output {
    run_in(&Directory::new(), settings).await
}

async fn run_in(directory: &Directory, settings: &[(&str, &str)]) -> Output {
    let settings: Vec<_> =
        settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    // Another test may have the port, which would be a second line.
    let mut command = program(directory.path(), &settings);
    timeout(PATIENCE, command.env("TIDINGS_METRICS_LISTEN", "").output()).await.unwrap().unwrap()
}

#[tokio::test]
async fn b33_a_wrong_setting_stops_the_start_with_one_line() {
    for (name, value, range) in [
        ("TIDINGS_WRITERS", "many", "1 to 64"),
        ("TIDINGS_POOL_SIZE", "-1", "1 to 1000"),
        ("TIDINGS_BATCH_MAX", "1000000000000", "1 to 10000"),
        ("TIDINGS_LISTEN", "8080", "127.0.0.1:8080"),
        ("TIDINGS_LOG_JSON", "perhaps", "on or off"),
        ("DATABASE_URL", "sqlite://tidings.db", "postgres://user:password@host/database"),
        ("RUST_LOG", "tidings=loud", "info,sqlx=warn"),
    ] {
        let output = run(&[(name, value)]).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{said}");
        assert!(said.contains(name) && said.contains(range), "{said}");
        assert!(output.stdout.is_empty());
    }
}

#[tokio::test]
async fn b33_a_broken_dotenv_stops_the_start_with_one_line_that_quotes_nothing() {
    let secret = "DATABASE_URL=postgres://ada:hunter2@db/t";
    for (file, said) in [
        (format!("{secret} x y\n").into_bytes(), ".env cannot be read: setting 1 in it is not NAME=value"),
        (format!("A=1\n{secret}\0\n").into_bytes(), ".env cannot be read: setting 2 in it contains U+0000"),
        ([secret.as_bytes(), b"\xff\n"].concat(), ".env cannot be read: stream did not contain valid UTF-8"),
        (
            b"\xef\xbb\xbfTIDINGS_WRITERS=many\n".to_vec(),
            "TIDINGS_WRITERS must be a whole number from 1 to 64",
        ),
    ] {
        let directory = Directory::new();
        std::fs::write(directory.path().join(".env"), file).unwrap();
        let output = run_in(&directory, &[]).await;
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), line.lines().count()), (Some(2), 1), "{line}");
        assert!(line.contains(said) && !line.contains("hunter2"), "{line}");
    }
}

#[tokio::test]
async fn arguments_are_help_and_version_and_nothing_else() {
    let directory = Directory::new();
    let with = async |arguments: &[&str]| {
        let output = program(directory.path(), &[]).args(arguments).output();
        let output = timeout(PATIENCE, output).await.unwrap().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, help, said) = with(&["--help"]).await;
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert!(help.starts_with("Tidings") && help.contains("environment variables"), "{help}");
    assert!(help.contains(".env.example") && help.contains("DATABASE_URL"), "{help}");
    let version = format!("tidings {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(with(&["--version"]).await, (Some(0), version, String::new()));
    for wrong in [&["--port=80"][..], &["--help", "me"], &["serve\nnow"], &[""]] {
        let (code, printed, said) = with(wrong).await;
        assert_eq!((code, printed.as_str(), said.lines().count()), (Some(2), "", 1), "{said}");
        assert!(said.contains("is not understood"), "{said}");
    }
    assert_eq!(directory.path().read_dir().unwrap().count(), 0, "it has started something");
}

#[tokio::test]
async fn b33_an_unknown_name_is_warned_about_and_logs_can_be_json() {
    let database = TestDatabase::create().await;
    let server = ServerProcess::start(&[
        ("DATABASE_URL", database.url()),
        ("TIDINGS_LOG_JSON", "on"),
        ("TIDINGS_PORT", "8080"),
        ("TIDINGS_FAULTS", "on"),
    ])
    .await;
    // What it has said is read by a task of its own.
    for text in ["TIDINGS_PORT is not a setting", "FAULT INJECTION IS ON"] {
        eventually(text, async || warnings(&server.log()).iter().any(|warning| warning.contains(text))).await;
    }
}

/// Every line is JSON; these are its warnings.
fn warnings(log: &str) -> Vec<String> {
    let lines = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect(line));
    lines.filter(|line| line["level"] == "WARN").map(|line| line["fields"]["message"].to_string()).collect()
}

#[tokio::test]
async fn a_database_that_is_not_there_is_one_sentence_without_the_password() {
    // Bound, so that nobody else gets the port, and not listened on.
    let silent = tokio::net::TcpSocket::new_v4().unwrap();
    silent.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let closed = silent.local_addr().unwrap();
    let output = run(&[("DATABASE_URL", &format!("postgres://ada:s3cret@{closed}/chat"))]).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.starts_with("tidings: cannot connect to the database of DATABASE_URL: "), "{said}");
    assert!(said.contains("Connection refused") && !said.contains("s3cret"), "{said}");
}

#[tokio::test]
async fn an_address_in_use_is_one_sentence_before_anything_is_made() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let directory = Directory::new();
    let mut second = program(directory.path(), &[]);
    let output = timeout(PATIENCE, second.env("TIDINGS_LISTEN", &address).output()).await.unwrap().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.contains(&format!("TIDINGS_LISTEN={address}: Address already in use")), "{said}");
    assert_eq!(directory.path().read_dir().unwrap().count(), 0, "a cluster was made");
}
