use std::fs;
use std::io;
use std::path::Path;

use super::Record;
use super::plot::{Axis, Line, Plot};
use super::table::name;
use crate::stage::Kind;

/// One picture: a figure by a size.
struct Curve {
    file: &'static str,
    title: &'static str,
    scenario: &'static str,
    size: (&'static str, &'static str, bool),
    /// Figures of one scale, with a suffix to their name in the key.
    figures: &'static [(&'static str, &'static str)],
    unit: (&'static str, bool),
}

const CURVES: [Curve; 4] = [
    Curve {
        file: "throughput-by-users.svg",
        title: "Durable messages delivered per second",
        scenario: "pairs",
        size: ("users", "people, in pairs", true),
        figures: &[("delivered_per_s", "")],
        unit: ("messages/s", true),
    },
    Curve {
        file: "cpu-by-users.svg",
        title: "Processor time of the server per message",
        scenario: "pairs",
        size: ("users", "people, in pairs", true),
        figures: &[("server_cpu_us", ""), ("postgres_cpu_us", ", its PostgreSQL")],
        unit: ("µs", false),
    },
    Curve {
        file: "latency-by-rate.svg",
        title: "From due to delivered",
        scenario: "rate",
        size: ("rate", "messages/s in all", true),
        figures: &[("delivery_p50_us", ", p50"), ("delivery_p99_us", ", p99")],
        unit: ("µs", true),
    },
    Curve {
        file: "memory-by-connections.svg",
        title: "Server memory per idle connection",
        scenario: "idle",
        size: ("sockets", "connections", true),
        figures: &[("memory_kib", "")],
        unit: ("KiB", false),
    },
];

/// Draws what there are at least two sizes of.
pub fn draw(records: &[Record], directory: &Path) -> io::Result<()> {
    for curve in &CURVES {
        let lines: Vec<Line> = curve.lines(records);
        if lines.iter().any(|line| line.points.len() > 1) {
            let plot = Plot {
                title: curve.title,
                x: Axis { name: curve.size.1, logarithmic: curve.size.2 },
                y: Axis { name: curve.unit.0, logarithmic: curve.unit.1 },
                lines,
            };
            fs::write(directory.join(curve.file), plot.svg())?;
        }
    }
    Ok(())
}

impl Curve {
    fn lines(&self, records: &[Record]) -> Vec<Line> {
        let mut lines = Vec::new();
        for (colour, kind) in [Kind::Relay, Kind::Commit, Kind::Server, Kind::Given].into_iter().enumerate() {
            for (place, (figure, suffix)) in self.figures.iter().enumerate() {
                let of_kind =
                    records.iter().filter(|one| one.scenario == self.scenario && one.target == kind);
                let points: Vec<_> =
                    of_kind.filter_map(|one| Some((one.size(self.size.0)?, one.get(figure)?))).collect();
                if !points.is_empty() {
                    let name = format!("{}{suffix}", name(kind));
                    lines.push(Line { name, colour, dashed: place > 0, points });
                }
            }
        }
        lines
    }
}
