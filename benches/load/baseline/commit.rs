use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use mio::Waker;
use sqlx::{Connection, Executor, PgConnection};
use uuid::Uuid;

/// The columns of the server's log, and its order as the only index: with less,
/// nobody could read it back.
const TABLE: &str = "
CREATE TABLE IF NOT EXISTS baseline (
    conversation_id uuid NOT NULL,
    seq bigint NOT NULL,
    sender_id uuid NOT NULL,
    client_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    body text NOT NULL,
    PRIMARY KEY (conversation_id, seq)
)";

const INSERT: &str = "
INSERT INTO baseline (conversation_id, seq, sender_id, client_id, body)
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[], $5::text[])";

/// What is stored together, and whom to tell then.
#[derive(Default)]
pub struct Batch {
    pub conversations: Vec<Uuid>,
    pub seqs: Vec<i64>,
    pub senders: Vec<Uuid>,
    pub client_ids: Vec<Uuid>,
    pub bodies: Vec<String>,
    pub deliveries: Vec<Delivery>,
}

/// The frames of one message, which wait for the commit. `origin` is the socket of the sender.
#[derive(Clone)]
pub struct Delivery {
    pub origin: usize,
    pub sender: u32,
    pub recipient: u32,
    pub stored: Vec<u8>,
    pub message: Vec<u8>,
}

/// A thread that stores one batch after the other.
pub struct Commits {
    work: Sender<Batch>,
    done: Receiver<Batch>,
    under_way: bool,
    next: Batch,
}

impl Commits {
    pub fn start(database: &str, waker: &Arc<Waker>) -> io::Result<Self> {
        let waker = waker.clone();
        let ((work, to_do), (ready, done)) = (channel(), channel());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut connection = runtime.block_on(async {
            let mut connection = PgConnection::connect(database).await.map_err(io::Error::other)?;
            connection.execute(TABLE).await.map_err(io::Error::other)?;
            Ok::<_, io::Error>(connection)
        })?;
        std::thread::spawn(move || {
            while let Ok(mut batch) = to_do.recv() {
                runtime.block_on(store(&mut connection, &mut batch)).expect("a batch is stored");
                if ready.send(batch).is_err() || waker.wake().is_err() {
                    return;
                }
            }
        });
        Ok(Self { work, done, under_way: false, next: Batch::default() })
    }

    /// What has arrived since the last commit began.
    pub fn next_mut(&mut self) -> &mut Batch {
        &mut self.next
    }

    /// Hands out the next batch when the last one is stored; gives that one back.
    pub fn go_on(&mut self) -> io::Result<Option<Batch>> {
        let stored = self.done.try_recv().ok();
        self.under_way &= stored.is_none();
        if !self.under_way && !self.next.seqs.is_empty() {
            self.work.send(std::mem::take(&mut self.next)).map_err(io::Error::other)?;
            self.under_way = true;
        }
        Ok(stored)
    }
}

async fn store(connection: &mut PgConnection, batch: &mut Batch) -> sqlx::Result<()> {
    sqlx::query(INSERT)
        .bind(std::mem::take(&mut batch.conversations))
        .bind(std::mem::take(&mut batch.seqs))
        .bind(std::mem::take(&mut batch.senders))
        .bind(std::mem::take(&mut batch.client_ids))
        .bind(std::mem::take(&mut batch.bodies))
        .execute(connection)
        .await?;
    Ok(())
}
