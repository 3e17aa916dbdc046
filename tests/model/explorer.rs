//! Every state that a scenario can reach, by running it again and again, each
//! time with another choice of who goes on.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use super::Scenario;
use super::execution::{Choice, Harness};

/// What was explored.
#[derive(Debug, Default)]
pub struct Explored {
    pub states: usize,
    pub steps: usize,
    pub runs: usize,
}

/// Runs by chance, after all has been explored: they must meet nothing new.
const WALKS: usize = 100;
/// Steps of each.
const WALK: usize = 400;

/// How a promise is broken: the steps that lead there, in order.
pub struct Violation {
    pub why: String,
    steps: Vec<String>,
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.why)?;
        self.steps.iter().try_for_each(|step| writeln!(f, "  {step}"))
    }
}

#[derive(Default)]
struct Graph {
    ids: HashMap<Vec<u8>, usize>,
    nodes: Vec<Node>,
    /// From, to.
    edges: Vec<(usize, usize)>,
}

struct Node {
    options: Vec<Choice>,
    good: bool,
    /// How it was reached first: none for the beginning.
    from: Option<(usize, Choice)>,
}

/// A state on the way to the one being looked at, and its choice under trial.
struct Turn {
    state: usize,
    tried: usize,
}

/// Runs the scenario through all its states. In each, whoever can go on is
/// tried; from each, a good end must be within reach.
pub fn explore(scenario: &Scenario) -> Result<Explored, Violation> {
    let (mut graph, mut explored, mut path) = (Graph::default(), Explored::default(), Vec::<Turn>::new());
    let harness = Harness::new(scenario);
    loop {
        explored.runs += 1;
        let execution = harness.begin();
        for turn in &path {
            execution.run(graph.nodes[turn.state].options[turn.tried]);
        }
        loop {
            let from = path.last().map(|turn| (turn.state, graph.nodes[turn.state].options[turn.tried]));
            if let Some(why) = execution.violation() {
                let choices: Vec<_> =
                    path.iter().map(|turn| graph.nodes[turn.state].options[turn.tried]).collect();
                harness.end(&execution);
                return Err(Violation { why, steps: harness.trace(&choices) });
            }
            let (state, is_new) =
                graph.enter(execution.key(), execution.options(), from, || execution.is_good());
            if !is_new || graph.nodes[state].options.is_empty() {
                break;
            }
            path.push(Turn { state, tried: 0 });
            execution.run(graph.nodes[state].options[0]);
        }
        harness.end(&execution);
        while let Some(turn) = path.last_mut() {
            turn.tried += 1;
            if turn.tried < graph.nodes[turn.state].options.len() {
                break;
            }
            path.pop();
        }
        if path.is_empty() {
            break;
        }
    }
    if let Some(lost) = graph.without_good_end() {
        let why = "from here no good end can be reached".to_owned();
        return Err(Violation { why, steps: harness.trace(&graph.way_to(lost)) });
    }
    graph.walk(&harness);
    explored.states = graph.nodes.len();
    explored.steps = graph.edges.len();
    Ok(explored)
}

impl Graph {
    /// The state's number, and whether it was not known.
    fn enter(
        &mut self,
        key: Vec<u8>,
        options: Vec<Choice>,
        from: Option<(usize, Choice)>,
        good: impl FnOnce() -> bool,
    ) -> (usize, bool) {
        let (state, is_new) = match self.ids.entry(key) {
            Entry::Occupied(known) => {
                // Else the key does not tell all that matters.
                assert_eq!(self.nodes[*known.get()].options, options, "two states with one key");
                (*known.get(), false)
            }
            Entry::Vacant(vacant) => {
                self.nodes.push(Node { options, good: good(), from });
                (*vacant.insert(self.nodes.len() - 1), true)
            }
        };
        self.edges.extend(from.map(|(from, _)| (from, state)));
        (state, is_new)
    }

    /// A state from which none of the good ones can be reached.
    fn without_good_end(&self) -> Option<usize> {
        let mut before = vec![Vec::new(); self.nodes.len()];
        for (from, to) in &self.edges {
            before[*to].push(*from);
        }
        let mut saved: Vec<bool> = self.nodes.iter().map(|node| node.good).collect();
        let mut open: Vec<usize> = (0..saved.len()).filter(|state| saved[*state]).collect();
        while let Some(state) = open.pop() {
            for from in &before[state] {
                if !std::mem::replace(&mut saved[*from], true) {
                    open.push(*from);
                }
            }
        }
        saved.iter().position(|saved| !saved)
    }

    /// Else two states were taken for one.
    fn walk(&self, harness: &Harness) {
        // Marsaglia's xorshift: the same every time.
        let mut chance: u64 = 0x9E37_79B9_7F4A_7C15;
        for _ in 0..WALKS {
            let execution = harness.begin();
            for _ in 0..WALK {
                assert!(self.ids.contains_key(&execution.key()), "a state was not explored");
                let options = execution.options();
                if options.is_empty() {
                    break;
                }
                chance ^= chance << 13;
                chance ^= chance >> 7;
                chance ^= chance << 17;
                execution.run(options[usize::try_from(chance >> 33).expect("31 bits") % options.len()]);
            }
            harness.end(&execution);
        }
    }

    fn way_to(&self, state: usize) -> Vec<Choice> {
        let mut way: Vec<Choice> = Vec::new();
        let mut at = state;
        while let Some((from, choice)) = self.nodes[at].from {
            way.push(choice);
            at = from;
        }
        way.reverse();
        way
    }
}
