//! Messages at a fixed rate, whatever comes back: how long each takes from the
//! moment at which it was due.

use std::io;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::client::{Fleet, Handler, Said};
use crate::report::{Journal, Record};
use crate::settings::Sizes;
use crate::stage::{Kind, Stage};
use crate::talk::{self, Noted, Talk, Talks};

/// Of the run, before it is measured.
const WARM_UP_SHARE: f64 = 0.2;
/// A generator that sends later than this has been the limit.
const LATE_MAX: Duration = Duration::from_millis(1);
/// Latencies are kept with three digits, up to a minute, in microseconds.
const LONGEST_US: u64 = 60_000_000;
const DIGITS: u8 = 3;

pub fn run(stage: &Stage, sizes: &Sizes, journal: &mut Journal) -> io::Result<()> {
    for sizes in sizes.along_rate() {
        for kind in stage.kinds() {
            journal.keep(measure(stage, *kind, &sizes)?)?;
        }
    }
    Ok(())
}

/// When every message is due: one after the other, the senders in turn.
struct Schedule {
    begin: Instant,
    interval: Duration,
    users: u64,
    /// Messages before this one are not measured.
    measured_from: u64,
    next: u64,
}

impl Schedule {
    fn due(&self, message: u64) -> Instant {
        self.begin
            + Duration::from_nanos(u64::try_from(self.interval.as_nanos()).unwrap_or(u64::MAX) * message)
    }

    /// The `number`th of a sender is which of all; none when it is not measured.
    fn measured(&self, sender: u64, number: u64) -> Option<u64> {
        let message = (number - 1) * self.users + sender;
        (message >= self.measured_from).then_some(message)
    }
}

/// Messages under way at a fixed rate.
pub struct Rate {
    pub talk: Talk,
    schedule: Schedule,
    delivery: Histogram<u64>,
    answer: Histogram<u64>,
    /// How late the generator itself is.
    late: Histogram<u64>,
}

impl Handler for Rate {
    fn on_said(&mut self, index: usize, said: Said, _out: &mut Vec<u8>) {
        let noted = self.talk.note(index, &said);
        let (name, histogram) = match noted {
            Noted::Answered(name) => (name, &mut self.answer),
            Noted::Heard(name) => (name, &mut self.delivery),
            Noted::Other => return,
        };
        if let Some(message) = self.schedule.measured(name.sender.into(), name.number) {
            record(histogram, self.schedule.due(message).elapsed());
        }
    }
}

impl Talks for Rate {
    fn talk(&mut self) -> &mut Talk {
        &mut self.talk
    }
}

impl Rate {
    /// All in; the first message is due when this returns. `measured_from`: how
    /// many messages are not measured.
    pub fn begin(
        fleet: &mut Fleet,
        talk: Talk,
        users: usize,
        rate: f64,
        measured_from: u64,
    ) -> io::Result<Self> {
        let schedule = Schedule {
            begin: Instant::now(),
            interval: Duration::from_secs_f64(1.0 / rate),
            users: users as u64,
            measured_from,
            next: 0,
        };
        let [delivery, answer, late] = std::array::from_fn(|_| histogram());
        let mut run = Self { talk, schedule, delivery, answer, late };
        talk::enter_all(fleet, &mut run)?;
        run.schedule.begin = Instant::now();
        Ok(run)
    }

    /// Sends what is due, in all `total` messages, and hears what comes until
    /// the next one is.
    pub fn step(&mut self, fleet: &mut Fleet, total: u64) -> io::Result<()> {
        self.talk.tick();
        while self.schedule.next < total && self.schedule.due(self.schedule.next) <= Instant::now() {
            let message = self.schedule.next;
            record(&mut self.late, self.schedule.due(message).elapsed());
            let sender = usize::try_from(message % self.schedule.users).map_err(io::Error::other)?;
            fleet.send(sender, |out| self.talk.say(sender, out))?;
            self.schedule.next += 1;
        }
        fleet.turn(self.schedule.due(self.schedule.next), self)
    }
}

fn measure(stage: &Stage, kind: Kind, sizes: &Sizes) -> io::Result<Record> {
    let target = stage.start(kind, &[])?;
    let (users, rate) = (sizes.users_of_rate, sizes.rate);
    let (mut fleet, talk, _) = talk::pairs(&target, users, sizes.entering)?;
    let measured = (rate * sizes.time.as_secs_f64()) as u64;
    let warm = (rate * sizes.time.as_secs_f64() * WARM_UP_SHARE) as u64;
    let mut run = Rate::begin(&mut fleet, talk, users, rate, warm)?;
    while run.schedule.next < warm {
        run.step(&mut fleet, warm)?;
    }
    let (before, begun) = (target.usage()?, Instant::now());
    while run.schedule.next < warm + measured {
        run.step(&mut fleet, warm + measured)?;
    }
    let (used, time) = (target.usage()?.since(before), begun.elapsed());
    let verdict = talk::settle(stage, &target, &mut fleet, &mut run)?;

    let mut record = Record::new("rate", kind, sizes);
    let names = ["delivery_p50_us", "delivery_p99_us", "delivery_p999_us", "delivery_max_us"];
    quantiles(&mut record, names, &run.delivery);
    quantiles(
        &mut record,
        ["answer_p50_us", "answer_p99_us", "answer_p999_us", "answer_max_us"],
        &run.answer,
    );
    record.cost(used, measured);
    record.surroundings(used, time);
    let late = run.late.value_at_quantile(0.99);
    record.figure("generator_late_p99_us", late as f64);
    if u128::from(late) > LATE_MAX.as_micros() {
        record.doubts.insert("the generator was the limit: of 100 messages it sent one more than 1 ms late");
    }
    Ok(record.checked(verdict, &run.talk.refused))
}

pub fn record(histogram: &mut Histogram<u64>, time: Duration) {
    histogram.saturating_record(u64::try_from(time.as_micros()).unwrap_or(LONGEST_US));
}

pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_max(LONGEST_US, DIGITS).expect("the bounds are right")
}

/// Half, all but one in a hundred, all but one in a thousand, all.
pub fn quantiles(record: &mut Record, names: [&'static str; 4], histogram: &Histogram<u64>) {
    for (name, quantile) in names.into_iter().zip([0.5, 0.99, 0.999, 1.0]) {
        record.figure(name, histogram.value_at_quantile(quantile) as f64);
    }
}
