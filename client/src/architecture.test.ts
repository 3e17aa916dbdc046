import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { expect, test } from "vitest";

/** What every feature may import. */
const FOR_FEATURES = ["notifications", "ui", "platform", "i18n", "sdk/*"];

/** Each folder, and the folders whose files it may import besides its own: a table of one direction. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  "sdk/protocol": [],
  "sdk/connection": ["sdk/protocol"],
  "sdk/outbox": ["sdk/protocol"],
  "sdk/timeline": ["sdk/outbox", "sdk/protocol"],
  "sdk/store": ["sdk/timeline", "sdk/outbox", "sdk/connection", "sdk/protocol"],
  "sdk/engine": ["sdk/store", "sdk/timeline", "sdk/outbox", "sdk/connection", "sdk/protocol"],
  /** What programs use: `index.ts`, `client.ts`, `feed.ts`. */
  sdk: ["sdk/*"],
  format: ["sdk/protocol"],
  platform: ["sdk/*"],
  i18n: ["platform", "sdk/*"],
  notifications: ["platform", "i18n", "format", "sdk/*"],
  ui: ["platform", "i18n", "sdk/*"],
  "features/people": FOR_FEATURES,
  "features/list": ["features/people", "format", ...FOR_FEATURES],
  "features/conversation": ["features/people", "format", ...FOR_FEATURES],
  "features/settings": FOR_FEATURES,
  "features/login": FOR_FEATURES,
  app: ["features/*", "notifications", "ui", "platform", "i18n", "sdk/*"],
  worker: ["notifications", "platform", "format", "sdk/*"],
};

const ROOT = import.meta.dirname;
/** A file with its imports, as paths from `src`, without endings. */
const FILES = new Map(sourcesIn(ROOT).map((path) => [nameOf(path), importsOf(path)]));

test("every file is in a folder of the table", () => {
  const elsewhere = [...FILES.keys()].filter((file) => ALLOWED[folderOf(file)] === undefined);
  expect(elsewhere).toEqual([]);
  expect(FILES.size, "files are found").toBeGreaterThan(150);
});

test("imports point one way", () => {
  const forbidden = [...FILES].flatMap(([file, imports]) =>
    imports.ours.filter((to) => !mayImport(folderOf(file), folderOf(to))).map((to) => [file, to]),
  );
  expect(forbidden).toEqual([]);
});

test("only the interface knows React", () => {
  const withReact = [...FILES]
    .filter(([file, imports]) => file.startsWith("sdk/") && imports.packages.some(isReact))
    .map(([file]) => file);
  expect(withReact).toEqual([]);
});

test("no file imports itself by way of others", () => {
  const circles = [...FILES.keys()].filter((file) => reachedFrom(file).has(file));
  expect(circles).toEqual([]);
});

function mayImport(from: string, to: string): boolean {
  const allowed = ALLOWED[from] ?? [];
  return from === to || allowed.includes(to) || allowed.includes(to.replace(/\/[^/]+$/, "/*"));
}

const isReact = (name: string) => /^(?:react|react-dom|react-virtuoso|sonner)(?:\/|$)/.test(name);

/** Everything that a file imports, and what that imports, and so on. */
function reachedFrom(file: string): ReadonlySet<string> {
  const reached = new Set<string>();
  const next = [...(FILES.get(file)?.ours ?? [])];
  for (let to = next.pop(); to !== undefined; to = next.pop()) {
    if (reached.has(to)) continue;
    reached.add(to);
    next.push(...(FILES.get(to)?.ours ?? []));
  }
  return reached;
}

/** The folder of the table that a file is in: of two levels within `sdk` and `features`. */
function folderOf(file: string): string {
  const [first = "", second = "", ...rest] = file.split("/");
  const nested = ["sdk", "features"].includes(first) && rest.length > 0;
  return nested ? `${first}/${second}` : second === "" ? "" : first;
}

/** All modules that are not tests, nor only used by tests. */
function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "testing" ? [] : sourcesIn(path);
    return /(?<!\.test|\.d)\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

function importsOf(path: string): { readonly ours: string[]; readonly packages: string[] } {
  const all = [...readFileSync(path, "utf8").matchAll(/(?:\bfrom|\bimport\(?) ?"([^"]+)"/g)].map(
    ([, specifier = ""]) => specifier,
  );
  const ours = all.filter((specifier) => specifier.startsWith(".") && !/\.css$/.test(specifier));
  return {
    ours: ours.map((specifier) => nameOf(normalize(join(dirname(path), specifier)))),
    packages: all.filter((specifier) => !specifier.startsWith(".")),
  };
}

function nameOf(path: string): string {
  return relative(ROOT, path)
    .replaceAll("\\", "/")
    .replace(/\.tsx?$/, "");
}
