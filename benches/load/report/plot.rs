//! A plain line chart as SVG.

use std::fmt::Write;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 110.0;
/// Told apart by whoever sees colours differently (Okabe and Ito).
const COLOURS: [&str; 4] = ["#e69f00", "#009e73", "#0072b2", "#cc79a7"];

pub struct Plot<'a> {
    pub title: &'a str,
    pub x: Axis<'a>,
    pub y: Axis<'a>,
    pub lines: Vec<Line>,
}

pub struct Axis<'a> {
    pub name: &'a str,
    pub logarithmic: bool,
}

pub struct Line {
    pub name: String,
    /// Lines of the same thing have the same.
    pub colour: usize,
    pub dashed: bool,
    pub points: Vec<(f64, f64)>,
}

/// An axis with its ends, in its own scale.
struct Scale {
    low: f64,
    high: f64,
    logarithmic: bool,
}

impl Scale {
    fn new(axis: &Axis<'_>, values: impl Iterator<Item = f64> + Clone) -> Self {
        let (least, most) = (values.clone().fold(f64::MAX, f64::min), values.fold(f64::MIN, f64::max));
        if axis.logarithmic {
            let low = least.max(f64::MIN_POSITIVE).log10().floor();
            return Self { low, high: most.log10().ceil().max(low + 1.0), logarithmic: true };
        }
        let step = step(most);
        Self { low: 0.0, high: (most / step).ceil().max(1.0) * step, logarithmic: false }
    }

    /// Between 0 and 1.
    fn place(&self, value: f64) -> f64 {
        let value = if self.logarithmic { value.log10() } else { value };
        (value - self.low) / (self.high - self.low)
    }

    fn ticks(&self) -> Vec<f64> {
        if self.logarithmic {
            let decades = self.low as i32..=self.high as i32;
            return decades.map(|power| 10f64.powi(power)).collect();
        }
        let step = step(self.high);
        (0..=(self.high / step).round() as u32).map(|count| f64::from(count) * step).collect()
    }
}

/// Of a linear axis: four to ten of them, round.
fn step(most: f64) -> f64 {
    let power = 10f64.powf(most.log10().floor());
    let share = most / power;
    power
        * if share <= 2.0 {
            0.25
        } else if share <= 5.0 {
            0.5
        } else {
            1.0
        }
}

impl Plot<'_> {
    pub fn svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let x = Scale::new(&self.x, points().map(|point| point.0));
        let y = Scale::new(&self.y, points().map(|point| point.1));
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n"
        );
        text(&mut svg, (LEFT, 22.0), "start\" font-size=\"15", self.title);
        for tick in x.ticks() {
            let at = across(x.place(tick));
            rule(&mut svg, (at, TOP), (at, HEIGHT - BOTTOM));
            text(&mut svg, (at, HEIGHT - BOTTOM + 16.0), "middle", &label(tick));
        }
        for tick in y.ticks() {
            let at = down(y.place(tick));
            rule(&mut svg, (LEFT, at), (WIDTH - RIGHT, at));
            text(&mut svg, (LEFT - 6.0, at + 4.0), "end", &label(tick));
        }
        text(&mut svg, (WIDTH - RIGHT, HEIGHT - BOTTOM + 34.0), "end", self.x.name);
        text(&mut svg, (LEFT - 6.0, TOP - 10.0), "end", self.y.name);
        for (place, line) in self.lines.iter().enumerate() {
            let at = |point: &(f64, f64)| (across(x.place(point.0)), down(y.place(point.1)));
            draw(&mut svg, line, &line.points.iter().map(at).collect::<Vec<_>>());
            let (column, row) = ((place % 2) as f64, (place / 2) as f64);
            let (left, top) = (LEFT + column * 320.0, HEIGHT - BOTTOM + 54.0 + row * 18.0);
            draw(&mut svg, line, &[(left, top - 4.0), (left + 20.0, top - 4.0)]);
            text(&mut svg, (left + 28.0, top), "start", &line.name);
        }
        svg + "</svg>\n"
    }
}

fn across(share: f64) -> f64 {
    LEFT + share * (WIDTH - LEFT - RIGHT)
}

fn down(share: f64) -> f64 {
    HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
}

fn draw(svg: &mut String, line: &Line, points: &[(f64, f64)]) {
    let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let (path, colour) = (path.join(" "), COLOURS[line.colour % COLOURS.len()]);
    let dashes = if line.dashed { " stroke-dasharray=\"5 3\"" } else { "" };
    put(
        svg,
        format_args!(
            "<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>"
        ),
    );
    for (x, y) in points {
        put(svg, format_args!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>"));
    }
}

fn rule(svg: &mut String, from: (f64, f64), to: (f64, f64)) {
    let ((x1, y1), (x2, y2)) = (from, to);
    put(
        svg,
        format_args!("<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#ddd\"/>"),
    );
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    put(svg, format_args!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"));
}

fn put(svg: &mut String, element: std::fmt::Arguments<'_>) {
    writeln!(svg, "{element}").expect("a string takes everything");
}

fn label(value: f64) -> String {
    match value {
        1e6.. => format!("{}M", value / 1e6),
        1e3.. => format!("{}k", value / 1e3),
        _ => format!("{}", (value * 1e3).round() / 1e3),
    }
}
