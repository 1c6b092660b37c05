import { defineConfig } from "vitest/config";

const databaseServer = new URL("support/database-server.ts", import.meta.url).pathname;

export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Two workers: test files have databases of their own on one server.
    maxWorkers: 2,
    // A worker keeps the modules that it has loaded: loading them anew took longer than most files.
    // Tests mock none, and leave the environment as they found it.
    isolate: false,
    reporters: ["default"],
    // Only what needs a database waits for one.
    projects: [
      { extends: true, test: { name: "unit", include: ["test/unit/**/*.test.ts"] } },
      {
        extends: true,
        test: {
          name: "database",
          include: ["test/{contract,integration}/**/*.test.ts"],
          globalSetup: [databaseServer],
        },
      },
    ],
  },
});
