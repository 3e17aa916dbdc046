use super::Record;
use crate::settings::Sizes;
use crate::stage::Kind;

/// One line of the table of goals.
#[derive(Clone)]
struct Goal {
    what: String,
    goal: String,
    measured: String,
    reached: Option<bool>,
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
        let reached = match goal.reached {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "void",
        };
        table += &format!("| {} | {} | {} | {reached} |\n", goal.what, goal.goal, goal.measured);
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

    fn get(&self, kind: Kind, figure: &str) -> Option<f64> {
        self.0.iter().find(|record| record.target == kind)?.get(figure)
    }

    /// The server's figure by a yardstick's.
    fn ratio(&self, to: Kind, figure: &str) -> Option<f64> {
        Some(self.get(Kind::Server, figure)? / self.get(to, figure)?)
    }
}

fn at_least(what: &str, goal: f64, measured: Option<f64>, show: impl Fn(f64) -> String) -> Goal {
    let reached = measured.map(|measured| measured >= goal);
    Goal {
        what: what.to_owned(),
        goal: format!("≥ {}", show(goal)),
        measured: shown(measured, &show),
        reached,
    }
}

fn at_most(what: &str, goal: f64, measured: Option<f64>, show: impl Fn(f64) -> String) -> Goal {
    let reached = measured.map(|measured| measured <= goal);
    Goal {
        what: what.to_owned(),
        goal: format!("≤ {}", show(goal)),
        measured: shown(measured, &show),
        reached,
    }
}

fn shown(measured: Option<f64>, show: impl Fn(f64) -> String) -> String {
    measured.map_or_else(|| "–".to_owned(), show)
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
    vec![
        at_least(
            "`pairs`, 200 users: throughput to yardstick (ii)",
            0.4,
            runs.ratio(Kind::Commit, "delivered_per_s"),
            percent,
        ),
        at_most(
            "`pairs`, 200 users: server CPU per message to the relay's",
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
    let goal = |what: &str, goal, figure| at_most(what, goal, runs.ratio(Kind::Commit, figure), times);
    vec![
        goal("`rate` 5,000/s: delivery p50 to yardstick (ii)'s", 2.0, "delivery_p50_us"),
        goal("`rate` 5,000/s: delivery p99 to yardstick (ii)'s", 1.5, "delivery_p99_us"),
    ]
}

fn idle(records: &[Record]) -> Vec<Goal> {
    let runs = Runs::of(records, "idle");
    if !runs.has_server() {
        return Vec::new();
    }
    let upgrades = runs.get(Kind::Relay, "sockets_per_s");
    let share = |figure| Some(runs.get(Kind::Server, figure)? / upgrades?);
    vec![
        at_most(
            "`idle` 10,000: server memory per connection",
            10.0,
            runs.get(Kind::Server, "memory_kib"),
            |kib| format!("{kib:.1} KiB"),
        ),
        at_least("log-ins to the yardstick's bare upgrades", 0.2, share("log_ins_per_s"), percent),
        at_least("sockets opened to the yardstick's bare upgrades", 0.2, share("sockets_per_s"), percent),
    ]
}

fn storm(records: &[Record]) -> Vec<Goal> {
    let runs = Runs::of(records, "storm");
    if !runs.has_server() {
        return Vec::new();
    }
    let ratio = runs.ratio(Kind::Commit, "all_delivered_s");
    vec![at_most("`storm` 5,000: all back and told, to yardstick (ii)'s time", 10.0, ratio, times)]
}

fn others(records: &[Record]) -> Vec<Goal> {
    let mut goals = Vec::new();
    let presence = Runs::of(records, "presence");
    if presence.has_server() {
        let share = presence.get(Kind::Server, "server_share");
        goals.push(at_most(
            "presence at 10,000 online, 100 changes/s: share of a core",
            0.05,
            share,
            percent,
        ));
    }
    let history = Runs::of(records, "history");
    if history.has_server() {
        let get = |figure| history.get(Kind::Server, figure);
        let ratio = get("page_p99_us").zip(get("query_p99_us")).map(|(page, query)| page / query);
        goals.push(at_most("history page of 50 of 1,000,000: p99 to the bare query's", 2.0, ratio, times));
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
