import { defineConfig } from "@playwright/test";

/** What a browser on a test machine has no use for: a graphics card, and talk with the world. */
const ARGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Set by `cargo test`; unset, Playwright's own Chromium is used. */
const executablePath = process.env.TIDINGS_CHROMIUM;

export default defineConfig({
  testDir: "e2e",
  testMatch: process.env.PICTURES ? "pictures.ts" : "*.spec.ts",
  // A machine that is busy with other tests is slow, and not wrong.
  timeout: 90_000,
  expect: { timeout: 20_000 },
  fullyParallel: true,
  workers: 2,
  retries: 0,
  reporter: "list",
  use: {
    locale: "en-GB",
    timezoneId: "UTC",
    viewport: { width: 1100, height: 720 },
    launchOptions: {
      // Root's Chromium has no sandbox.
      chromiumSandbox: process.getuid?.() !== 0,
      args: ARGS,
      ...(executablePath ? { executablePath } : {}),
    },
  },
});
