//! Pages out of the middle of a long log while others write: the whole request
//! beside the bare query, in turn.

use std::io;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use sqlx::{Connection, PgConnection};
use tidings::protocol::History;
use uuid::Uuid;

use super::rate::{self, Rate};
use crate::checker::Verdict;
use crate::client::{Fleet, Visitor};
use crate::people;
use crate::report::{Journal, Record};
use crate::settings::Sizes;
use crate::stage::{Kind, Stage, Target};
use crate::talk;

/// Of a page.
const ITEMS: u64 = 50;
/// The log is spread over this many conversations.
const CONVERSATIONS: u64 = 10;
/// A log with a whole page in each of them, before which another message is.
pub const FEWEST: u64 = CONVERSATIONS * (ITEMS + 1);
/// Of the run, before it is measured.
const WARM_UP_SHARE: f64 = 0.2;
/// Those who write meanwhile, and how much in all.
const WRITERS: usize = 100;
const WRITES_PER_SECOND: f64 = 500.0;

/// What `GET /api/conversations/{id}/messages?before=` has to ask at the least.
const BARE: &str = "
SELECT seq, sender_id, client_id, created_at, body FROM messages
WHERE conversation_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3";

type Row = (i64, Uuid, Uuid, time::OffsetDateTime, String);

pub fn run(stage: &Stage, sizes: &Sizes, journal: &mut Journal) -> io::Result<()> {
    let target = stage.start(Kind::Server, &[])?;
    let accounts = people::log_in(&target, 1 + CONVERSATIONS as usize)?;
    let pairs: Vec<(u32, u32)> = (1..).take(CONVERSATIONS as usize).map(|other| (0, other)).collect();
    let conversations = people::converse(&target, &accounts, &pairs)?;
    fill(stage, &target, sizes.history / CONVERSATIONS)?;
    let (mut fleet, talk, _) = talk::pairs(&target, WRITERS, sizes.entering)?;
    let mut rate = Rate::begin(&mut fleet, talk, WRITERS, WRITES_PER_SECOND, 0)?;
    rate.talk.stored_before = sizes.history / CONVERSATIONS * CONVERSATIONS;
    // On the generator's core, as this thread is.
    std::thread::scope(|scope| {
        // It goes with this function, however that ends: a panic, too, stops the writers.
        let (stop, stopped) = channel();
        let writers = scope.spawn(move || write(fleet, rate, &stopped));
        let measured = measure(stage, &target, &accounts[0], &conversations, sizes);
        drop(stop);
        let (mut fleet, mut rate) = writers.join().expect("no panic")?;
        let (record, mut verdict) = measured?;
        verdict += talk::settle(stage, &target, &mut fleet, &mut rate)?;
        journal.keep(record.checked(verdict, &rate.talk.refused))
    })
}

/// Others write all the time, at a rate that leaves room, until the other end of
/// `stopped` is gone.
fn write(mut fleet: Fleet, mut rate: Rate, stopped: &Receiver<()>) -> io::Result<(Fleet, Rate)> {
    while stopped.try_recv() == Err(TryRecvError::Empty) {
        rate.step(&mut fleet, u64::MAX)?;
    }
    Ok((fleet, rate))
}

/// Straight into the database: as the server would have left it.
fn fill(stage: &Stage, target: &Target, each: u64) -> io::Result<()> {
    let url = target.database.as_deref().expect("it is ours");
    let events = format!(
        "INSERT INTO messages (conversation_id, seq, sender_id, client_id, created_at, body)
         SELECT c.id, n, c.direct_low,
             (lpad(to_hex(n), 8, '0') || '-0000-7000-8000-' || left(md5(c.id::text || n), 12))::uuid, now() - interval '1 second' * ({each} - n),
             'message ' || n || repeat(' and so on', 9)
         FROM conversations c, generate_series(1, {each}) n ORDER BY n"
    );
    let ends =
        format!("UPDATE conversations SET last_seq = {each}, last_message_seq = {each}, last_at = now()");
    stage.execute(url, &[events, ends, "VACUUM ANALYZE".to_owned(), "CHECKPOINT".to_owned()])
}

fn measure(
    stage: &Stage,
    target: &Target,
    account: &people::Account,
    conversations: &[String],
    sizes: &Sizes,
) -> io::Result<(Record, Verdict)> {
    let url = target.database.as_deref().expect("it is ours");
    let bare = stage.runtime.block_on(PgConnection::connect(url)).map_err(io::Error::other)?;
    let visitor = Visitor::new(target.address)?;
    let places =
        Places { conversations, each: sizes.history / CONVERSATIONS, dice: fastrand::Rng::with_seed(1) };
    let mut pages = Pages { stage, bare, visitor, target, account, places };
    let warm = pages.look_for(sizes.time.mul_f64(WARM_UP_SHARE))?;
    let (usage, begun) = (target.usage()?, Instant::now());
    let Looks { whole, query, mut verdict } = pages.look_for(sizes.time)?;
    let (used, time) = (target.usage()?.since(usage), begun.elapsed());
    verdict += warm.verdict;
    let mut record = Record::new("history", Kind::Server, sizes);
    rate::quantiles(&mut record, ["page_p50_us", "page_p99_us", "page_p999_us", "page_max_us"], &whole);
    rate::quantiles(&mut record, ["query_p50_us", "query_p99_us", "query_p999_us", "query_max_us"], &query);
    record.surroundings(used, time);
    Ok((record, verdict))
}

struct Pages<'a> {
    stage: &'a Stage,
    bare: PgConnection,
    visitor: Visitor,
    target: &'a Target,
    account: &'a people::Account,
    places: Places<'a>,
}

/// Where pages begin, at random, the same in every run.
struct Places<'a> {
    conversations: &'a [String],
    /// How long each of them is.
    each: u64,
    dice: fastrand::Rng,
}

/// What was found: how long either took, and what was wrong with it.
struct Looks {
    whole: Histogram<u64>,
    query: Histogram<u64>,
    verdict: Verdict,
}

impl<'a> Places<'a> {
    fn next(&mut self) -> (&'a str, u64) {
        let conversation = &self.conversations[self.dice.usize(..self.conversations.len())];
        (conversation, self.dice.u64(ITEMS + 1..=self.each))
    }
}

impl Pages<'_> {
    /// Asks for pages for this long. Of each place both are asked for, and the one
    /// that comes first finds it cold: they take turns at that.
    fn look_for(&mut self, time: Duration) -> io::Result<Looks> {
        let begun = Instant::now();
        let mut looks =
            Looks { whole: rate::histogram(), query: rate::histogram(), verdict: Verdict::default() };
        for query_first in [false, true].into_iter().cycle().take_while(|_| begun.elapsed() < time) {
            let (conversation, before) = self.places.next();
            for query in [query_first, !query_first] {
                let begun = Instant::now();
                let (histogram, verdict) = match query {
                    true => (&mut looks.query, self.query(conversation, before)?),
                    false => (&mut looks.whole, self.ask(conversation, before)?),
                };
                rate::record(histogram, begun.elapsed());
                looks.verdict += verdict;
            }
        }
        Ok(looks)
    }

    fn ask(&mut self, conversation: &str, before: u64) -> io::Result<Verdict> {
        let path = format!("/api/conversations/{conversation}/messages?before={before}&limit={ITEMS}");
        let request = people::request(self.target, "GET", &path, Some(self.account), "");
        let history: History = serde_json::from_slice(&self.visitor.ask(&request)?)?;
        Ok(compare(before, history.messages.iter().map(|message| message.seq)))
    }

    fn query(&mut self, conversation: &str, before: u64) -> io::Result<Verdict> {
        let conversation = Uuid::try_parse(conversation).map_err(io::Error::other)?;
        let rows = sqlx::query_as(BARE)
            .bind(conversation)
            .bind(before.cast_signed())
            .bind(ITEMS.cast_signed())
            .fetch_all(&mut self.bare);
        let rows: Vec<Row> = self.stage.runtime.block_on(rows).map_err(io::Error::other)?;
        Ok(compare(before, rows.iter().rev().map(|row| row.0.unsigned_abs())))
    }
}

/// A page is the numbers before this one, without a gap.
fn compare(before: u64, seqs: impl Iterator<Item = u64>) -> Verdict {
    let mut stream = crate::checker::Stream::default();
    seqs.for_each(|seq| stream.see(seq.saturating_sub(before - ITEMS - 1)));
    stream.verdict(ITEMS)
}
