import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.{ts,tsx}"],
    environment: "node",
    // Against what never ends; property tests take long on a busy machine.
    testTimeout: 60_000,
  },
});
