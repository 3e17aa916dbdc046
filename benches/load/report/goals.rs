use std::collections::BTreeSet;

use super::Record;
use super::table::thousands;
use crate::settings::Sizes;
use crate::stage::Kind;

/// One line of the table of goals.
#[derive(Clone)]
struct Goal {
    what: String,
    goal: String,
    measured: String,
    /// Whether it is, or why that cannot be said.
    reached: String,
}

/// The goals that these records say something of, as a table.
pub fn table(records: &[Record]) -> String {
    let goals: Vec<Goal> =
        [pairs(records), rate(records), idle(records), storm(records), others(records)].concat();
    if goals.is_empty() {
        return String::new();
    }
    let mut table = "| what | goal | measured | reached |\n|---|---|---|---|\n".to_owned();
    for goal in goals {
        table += &format!("| {} | {} | {} | {} |\n", goal.what, goal.goal, goal.measured, goal.reached);
    }
    table
}

/// The records of a scenario at the sizes of its goals, by what was measured.
struct Runs<'a>(Vec<&'a Record>);

impl<'a> Runs<'a> {
    fn of(records: &'a [Record], scenario: &str) -> Self {
        let sizes = Sizes::of_goals().of(scenario);
        let fits = |record: &&Record| record.scenario == scenario && record.sizes == sizes;
        Self(records.iter().filter(fits).collect())
    }

    fn has_server(&self) -> bool {
        self.0.iter().any(|record| record.target == Kind::Server)
    }

    fn get(&self, kind: Kind, figure: &str) -> Found {
        let record = self.0.iter().find(|record| record.target == kind);
        let doubts = record.map(|record| record.doubts.clone()).unwrap_or_default();
        Found { value: record.and_then(|record| record.get(figure)), doubts }
    }

    /// The server's figure by a baseline's.
    fn ratio(&self, to: Kind, figure: &str) -> Found {
        self.get(Kind::Server, figure).by(self.get(to, figure))
    }
}

/// A figure, or a ratio of two.
struct Found {
    /// None when a run is void or was not made.
    value: Option<f64>,
    doubts: BTreeSet<&'static str>,
}

impl Found {
    fn by(mut self, other: Self) -> Self {
        self.doubts.extend(other.doubts);
        Self { value: self.value.zip(other.value).map(|(one, other)| one / other), doubts: self.doubts }
    }

    /// A size: the same on a busy machine.
    fn whatever_the_load(self) -> Self {
        Self { doubts: BTreeSet::new(), ..self }
    }

    fn reaches(&self, holds: impl Fn(f64) -> bool) -> String {
        match self.value {
            None => "void".to_owned(),
            Some(_) if !self.doubts.is_empty() => {
                format!("not to be judged: {}", self.doubts.iter().copied().collect::<Vec<_>>().join("; "))
            }
            Some(value) if holds(value) => "yes".to_owned(),
            Some(_) => "**no**".to_owned(),
        }
    }
}

fn at_least(what: &str, goal: f64, found: Found, show: impl Fn(f64) -> String) -> Goal {
    Goal {
        what: what.to_owned(),
        goal: format!("≥ {}", show(goal)),
        measured: shown(&found, &show),
        reached: found.reaches(|value| value >= goal),
    }
}

fn at_most(what: &str, goal: f64, found: Found, show: impl Fn(f64) -> String) -> Goal {
    Goal {
        what: what.to_owned(),
        goal: format!("≤ {}", show(goal)),
        measured: shown(&found, &show),
        reached: found.reaches(|value| value <= goal),
    }
}

fn shown(found: &Found, show: impl Fn(f64) -> String) -> String {
    found.value.map_or_else(|| "–".to_owned(), show)
}

fn percent(value: f64) -> String {
    format!("{:.1} %", value * 100.0)
}

fn times(value: f64) -> String {
    format!("{value:.2} ×")
}

fn pairs(records: &[Record]) -> Vec<Goal> {
    let runs = Runs::of(records, "pairs");
    if !runs.has_server() {
        return Vec::new();
    }
    let what = |what: &str| format!("`pairs`, {} users: {what}", thousands(Sizes::of_goals().users as u64));
    vec![
        at_least(
            &what("throughput to baseline (ii)"),
            0.4,
            runs.ratio(Kind::Commit, "delivered_per_s"),
            percent,
        ),
        at_most(
            &what("server CPU per message to the relay's"),
            5.0,
            runs.ratio(Kind::Relay, "server_cpu_us"),
            times,
        ),
    ]
}

fn rate(records: &[Record]) -> Vec<Goal> {
    let runs = Runs::of(records, "rate");
    if !runs.has_server() {
        return Vec::new();
    }
    let rate = thousands(Sizes::of_goals().rate as u64);
    let goal = |what: &str, goal, figure| {
        at_most(&format!("`rate` {rate}/s: {what}"), goal, runs.ratio(Kind::Commit, figure), times)
    };
    vec![
        goal("delivery p50 to baseline (ii)'s", 2.0, "delivery_p50_us"),
        goal("delivery p99 to baseline (ii)'s", 1.5, "delivery_p99_us"),
    ]
}

fn idle(records: &[Record]) -> Vec<Goal> {
    let runs = Runs::of(records, "idle");
    if !runs.has_server() {
        return Vec::new();
    }
    let share = |figure| runs.get(Kind::Server, figure).by(runs.get(Kind::Relay, "sockets_per_s"));
    vec![
        at_most(
            &format!("`idle` {}: server memory per connection", thousands(Sizes::of_goals().idle as u64)),
            10.0,
            runs.get(Kind::Server, "memory_kib").whatever_the_load(),
            |kib| format!("{kib:.1} KiB"),
        ),
        at_least("log-ins to the baseline's bare upgrades", 0.2, share("log_ins_per_s"), percent),
        at_least("sockets opened to the baseline's bare upgrades", 0.2, share("sockets_per_s"), percent),
    ]
}

fn storm(records: &[Record]) -> Vec<Goal> {
    let runs = Runs::of(records, "storm");
    if !runs.has_server() {
        return Vec::new();
    }
    let ratio = runs.ratio(Kind::Commit, "all_delivered_s");
    let sockets = thousands(Sizes::of_goals().storm as u64);
    let what = format!("`storm` {sockets}: all back and told, to baseline (ii)'s time");
    vec![at_most(&what, 10.0, ratio, times)]
}

fn others(records: &[Record]) -> Vec<Goal> {
    let (mut goals, sizes) = (Vec::new(), Sizes::of_goals());
    let presence = Runs::of(records, "presence");
    if presence.has_server() {
        let share = presence.get(Kind::Server, "server_share");
        let (online, changes) = (thousands(sizes.online as u64), thousands(sizes.changes as u64));
        goals.push(at_most(
            &format!("presence at {online} online, {changes} changes/s: share of a core"),
            0.05,
            share,
            percent,
        ));
    }
    let history = Runs::of(records, "history");
    if history.has_server() {
        let get = |figure| history.get(Kind::Server, figure);
        let ratio = get("page_p99_us").by(get("query_p99_us"));
        let what = format!("history page of 50 of {}: p99 to the bare query's", thousands(sizes.history));
        goals.push(at_most(&what, 2.0, ratio, times));
    }
    let start = Runs::of(records, "start");
    if start.has_server() {
        let get = |figure| start.get(Kind::Server, figure);
        let seconds = |value| format!("{value:.2} s");
        goals.push(at_most("start to serving, existing database", 0.3, get("start_p50_s"), seconds));
        goals.push(at_most("binary, with the client inside", 25.0, get("binary_mib"), |mib| {
            format!("{mib:.1} MiB")
        }));
    }
    goals
}
