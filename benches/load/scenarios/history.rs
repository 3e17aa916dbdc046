//! Pages out of the middle of a long log while others write: the whole request
//! beside the bare query, in turn.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use hdrhistogram::Histogram;
use sqlx::{Connection, PgConnection};
use tidings::protocol::History;
use uuid::Uuid;

use super::rate::{self, Rate};
use crate::client::{Fleet, Visitor};
use crate::judge::Verdict;
use crate::people;
use crate::report::Record;
use crate::settings::Sizes;
use crate::stage::{Kind, Stage, Target};
use crate::talk;

/// Of a page.
const ITEMS: u64 = 50;
/// The log is spread over this many conversations.
const CONVERSATIONS: u64 = 10;
/// Those who write meanwhile, and how much in all.
const WRITERS: usize = 100;
const WRITES_PER_SECOND: f64 = 500.0;

/// What `GET /api/conversations/{id}/messages?before=` has to ask at the least.
const BARE: &str = "
SELECT seq, sender_id, client_id, created_at, body FROM events
WHERE conversation_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3";

type Row = (i64, Uuid, Uuid, time::OffsetDateTime, String);

pub fn run(stage: &Stage, sizes: &Sizes) -> io::Result<Vec<Record>> {
    if stage.is_given() {
        return Ok(Vec::new());
    }
    let target = stage.start(Kind::Server, &[])?;
    let accounts = people::log_in(&target, 1 + CONVERSATIONS as usize)?;
    let pairs: Vec<(u32, u32)> = (1..).take(CONVERSATIONS as usize).map(|other| (0, other)).collect();
    let conversations = people::converse(&target, &accounts, &pairs)?;
    fill(stage, &target, sizes.history / CONVERSATIONS)?;
    let stop = AtomicBool::new(false);
    // On the generator's core, as this thread is.
    std::thread::scope(|scope| {
        let writers = scope.spawn(|| write(&target, sizes, &stop));
        let measured = measure(stage, &target, &accounts[0], &conversations, sizes);
        stop.store(true, Ordering::Relaxed);
        let (mut fleet, mut rate) = writers.join().expect("no panic")?;
        rate.talk.stored_before = sizes.history / CONVERSATIONS * CONVERSATIONS;
        let (record, mut verdict) = measured?;
        verdict += talk::settle(stage, &target, &mut fleet, &mut rate)?;
        Ok(vec![record.judged(verdict, &rate.talk.refused)])
    })
}

/// Others write all the time, at a rate that leaves room.
fn write(target: &Target, sizes: &Sizes, stop: &AtomicBool) -> io::Result<(Fleet, Rate)> {
    let (mut fleet, talk, _) = talk::pairs(target, WRITERS, sizes.entering)?;
    let mut rate = Rate::begin(&mut fleet, talk, WRITERS, WRITES_PER_SECOND, 0)?;
    while !stop.load(Ordering::Relaxed) {
        rate.step(&mut fleet, u64::MAX)?;
    }
    Ok((fleet, rate))
}

/// Straight into the database: as the server would have left it.
fn fill(stage: &Stage, target: &Target, each: u64) -> io::Result<()> {
    let url = target.database.as_deref().expect("it is ours");
    let events = format!(
        "INSERT INTO events (conversation_id, seq, sender_id, client_id, created_at, body)
         SELECT c.id, n, c.direct_low,
             (lpad(to_hex(n), 8, '0') || '-0000-7000-8000-' || left(md5(c.id::text || n), 12))::uuid, now() - interval '1 second' * ({each} - n),
             'message ' || n || repeat(' and so on', 9)
         FROM conversations c, generate_series(1, {each}) n ORDER BY n"
    );
    let ends = format!("UPDATE conversations SET last_seq = {each}, last_at = now()");
    stage.execute(url, &[events, ends, "VACUUM ANALYZE".to_owned(), "CHECKPOINT".to_owned()])
}

fn measure(
    stage: &Stage,
    target: &Target,
    account: &people::Account,
    conversations: &[String],
    sizes: &Sizes,
) -> io::Result<(Record, Verdict)> {
    let each = sizes.history / CONVERSATIONS;
    let url = target.database.as_deref().expect("it is ours");
    let bare = stage.runtime.block_on(PgConnection::connect(url)).map_err(io::Error::other)?;
    let mut pages = Pages { bare, visitor: Visitor::new(target.address)?, target, account };
    let (mut whole, mut query) = (rate::histogram(), rate::histogram());
    let (usage, begun) = (target.usage(), Instant::now());
    let (mut verdict, mut asked) = (Verdict::default(), 0);
    let mut dice = fastrand::Rng::with_seed(1);
    while begun.elapsed() < sizes.time {
        let conversation = &conversations[dice.usize(..conversations.len())];
        let before = dice.u64(ITEMS + 1..=each);
        verdict += timed(&mut whole, || pages.ask(conversation, before))?;
        verdict += timed(&mut query, || stage.runtime.block_on(pages.query(conversation, before)))?;
        asked += 1;
    }
    let (used, time) = (target.usage().since(usage), begun.elapsed());
    let mut record = Record::new("history", Kind::Server, sizes);
    rate::quantiles(&mut record, ["page_p50_us", "page_p99_us", "page_p999_us", "page_max_us"], &whole);
    rate::quantiles(&mut record, ["query_p50_us", "query_p99_us", "query_p999_us", "query_max_us"], &query);
    record.figure("pages_per_s", asked as f64 / time.as_secs_f64());
    record.cost(used, asked);
    record.surroundings(used, time);
    Ok((record, verdict))
}

fn timed(histogram: &mut Histogram<u64>, ask: impl FnOnce() -> io::Result<Verdict>) -> io::Result<Verdict> {
    let begun = Instant::now();
    let verdict = ask()?;
    histogram.saturating_record(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX));
    Ok(verdict)
}

struct Pages<'a> {
    bare: PgConnection,
    visitor: Visitor,
    target: &'a Target,
    account: &'a people::Account,
}

impl Pages<'_> {
    fn ask(&mut self, conversation: &str, before: u64) -> io::Result<Verdict> {
        let path = format!("/api/conversations/{conversation}/messages?before={before}&limit={ITEMS}");
        let request = people::request(self.target, "GET", &path, Some(self.account), "");
        let history: History = serde_json::from_slice(&self.visitor.ask(&request)?)?;
        Ok(compare(before, history.messages.iter().map(|message| message.seq)))
    }

    async fn query(&mut self, conversation: &str, before: u64) -> io::Result<Verdict> {
        let conversation = Uuid::try_parse(conversation).map_err(io::Error::other)?;
        let rows: Vec<Row> = sqlx::query_as(BARE)
            .bind(conversation)
            .bind(before.cast_signed())
            .bind(ITEMS.cast_signed())
            .fetch_all(&mut self.bare)
            .await
            .map_err(io::Error::other)?;
        Ok(compare(before, rows.iter().rev().map(|row| row.0.unsigned_abs())))
    }
}

/// A page is the numbers before this one, without a gap.
fn compare(before: u64, seqs: impl Iterator<Item = u64>) -> Verdict {
    let mut stream = crate::judge::Stream::default();
    seqs.for_each(|seq| stream.see(seq.saturating_sub(before - ITEMS - 1)));
    stream.verdict(ITEMS)
}
