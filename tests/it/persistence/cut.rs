//! A connection that is cut after the commit, before the answer.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use super::load::{assert_law, crowd};
use super::rig::Rig;
use crate::support::{Directory, TestDatabase};

/// How PostgreSQL names its socket, whatever the port is used for.
const SOCKET: &str = ".s.PGSQL.5432";

/// `ReadyForQuery`, idle: the end of every answer, after the commit.
const END: &[u8] = b"Z\0\0\0\x05I";

/// The same within a transaction.
const END_WITHIN: &[u8] = b"Z\0\0\0\x05T";

/// The answer to the question for TLS, which is no message.
const NO_TLS: &[u8] = b"N";

/// Every so many answers, one is swallowed and its connection cut.
const ANSWERS_TO_A_CUT: usize = 4;

/// Stands between a server and PostgreSQL.
struct Cutter {
    directory: Directory,
    cuts: Arc<AtomicUsize>,
}

impl Cutter {
    /// In front of the PostgreSQL whose socket is in `postgres`.
    fn start(postgres: &Path) -> Self {
        let (directory, postgres) = (Directory::new(), postgres.join(SOCKET));
        let listener = UnixListener::bind(directory.path().join(SOCKET)).unwrap();
        let cuts = Arc::new(AtomicUsize::new(0));
        let counter = cuts.clone();
        tokio::spawn(async move {
            let answers = Arc::new(AtomicUsize::new(0));
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&postgres).await.unwrap();
                let (answers, cuts) = (answers.clone(), counter.clone());
                tokio::spawn(async move {
                    // Either side has closed its end.
                    drop(pass(client, server, &answers, &cuts).await);
                });
            }
        });
        Self { directory, cuts }
    }
}

async fn pass(
    mut client: UnixStream,
    mut server: UnixStream,
    answers: &AtomicUsize,
    cuts: &AtomicUsize,
) -> std::io::Result<()> {
    let (mut question, mut answer) = (Vec::new(), Vec::new());
    loop {
        tokio::select! {
            read = client.read_buf(&mut question) => {
                if read? == 0 { return Ok(()) }
                server.write_all(&question).await?;
                question.clear();
            }
            read = server.read_buf(&mut answer) => {
                if read? == 0 { return Ok(()) }
                if ![END, END_WITHIN].iter().any(|end| answer.ends_with(end)) && answer != NO_TLS { continue }
                if is_of_commit(&answer) && answers.fetch_add(1, Ordering::Relaxed) % ANSWERS_TO_A_CUT == 1 {
                    cuts.fetch_add(1, Ordering::Relaxed);
                    return Ok(());
                }
                client.write_all(&answer).await?;
                answer.clear();
            }
        }
    }
}

/// Whether a batch has been committed: by a transaction's end, or by a statement of its own,
/// which returns something, as nothing does that opens a log.
fn is_of_commit(answer: &[u8]) -> bool {
    let contains = |tag: &[u8]| answer.windows(tag.len()).any(|window| window == tag);
    let returned = contains(b"SELECT ") && !contains(b"SELECT 0\0");
    contains(b"COMMIT\0") || (returned && answer.ends_with(END))
}

#[tokio::test(flavor = "multi_thread")]
async fn f09_the_connection_cut_during_commit_neither_loses_nor_doubles() {
    let database = TestDatabase::create().await;
    let options: PgConnectOptions = database.url().parse().unwrap();
    let socket = options.get_socket().map_or_else(|| options.get_host().into(), Clone::clone);
    let cutter = Cutter::start(&socket);
    let rig = Rig::through(database.url(), options.socket(cutter.directory.path()), |_| {}).await;
    let (talks, tasks) = crowd(&rig, 100).await;
    assert_law(&rig, &talks, &tasks.join_all().await).await;
    assert!(cutter.cuts.load(Ordering::Relaxed) > 3);
}
