import { defineConfig } from "@playwright/test";
import { ARGS, PROGRAM, SANDBOX } from "./e2e/chromium";

export default defineConfig({
  testDir: "e2e",
  testMatch: process.env.PICTURES ? "pictures.ts" : "*.spec.ts",
  // A machine that is busy with other tests is slow, and not wrong.
  timeout: 90_000,
  expect: { timeout: 20_000 },
  fullyParallel: true,
  workers: 2,
  retries: 0,
  reporter: [["list"], ["./e2e/failures.ts"]],
  use: {
    locale: "en-GB",
    timezoneId: "UTC",
    viewport: { width: 1100, height: 720 },
    launchOptions: {
      chromiumSandbox: SANDBOX,
      args: ARGS,
      ...(PROGRAM ? { executablePath: PROGRAM } : {}),
    },
  },
});
