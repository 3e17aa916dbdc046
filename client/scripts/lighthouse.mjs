// Judges the page of a running server by Lighthouse, as a desktop and as a phone: the median of
// some runs, since a busy machine is slow by the clock. Fails below 99 in any category.
// Usage: npm run lighthouse [-- http://127.0.0.1:8080/]
// It is fetched when it is run: with 200 packages and 185 MB it is no part of the build.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const LIGHTHOUSE = "lighthouse@12.8.2";
const ENOUGH = 99;
const RUNS = 3;
const REPORT_BYTES_MAX = 64 * 1024 * 1024;

const run = promisify(execFile);
const [url = "http://127.0.0.1:8080/"] = process.argv.slice(2);

async function judge(preset) {
  const chrome = ["--headless=new", "--disable-gpu"];
  if (process.getuid?.() === 0) chrome.push("--no-sandbox");
  const { stdout } = await run(
    "npx",
    [
      "--yes",
      LIGHTHOUSE,
      url,
      ...preset,
      "--quiet",
      "--output=json",
      `--chrome-flags=${chrome.join(" ")}`,
    ],
    {
      maxBuffer: REPORT_BYTES_MAX,
      env: { ...process.env, CHROME_PATH: process.env.TIDINGS_CHROMIUM ?? process.env.CHROME_PATH },
    },
  );
  const { categories } = JSON.parse(stdout);
  return Object.values(categories).map(({ id, score }) => [id, Math.round(score * 100)]);
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

const PRESETS = { desktop: ["--preset=desktop"], phone: [] };

for (const [name, preset] of Object.entries(PRESETS)) {
  const scores = new Map();
  for (let count = 0; count < RUNS; count += 1) {
    for (const [id, score] of await judge(preset))
      scores.set(id, [...(scores.get(id) ?? []), score]);
  }
  for (const [id, all] of scores) {
    process.stdout.write(`${name} ${id}: ${median(all)} (${all.join(", ")})\n`);
    if (median(all) < ENOUGH) process.exitCode = 1;
  }
}
