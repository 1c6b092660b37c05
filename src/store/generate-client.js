// Generates the Prisma client after an install; does nothing where Prisma's CLI is absent
// (production). Plain JavaScript on purpose: it runs before anything else is known to work.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);
let cli;
try {
  cli = join(dirname(require.resolve("prisma/package.json")), "build/index.js");
} catch {
  process.exit(0);
}
const config = join(import.meta.dirname, "prisma.config.ts");
const done = spawnSync(process.execPath, [cli, "generate", "--config", config], {
  encoding: "utf8",
  env: { ...process.env, PRISMA_HIDE_UPDATE_MESSAGE: "1" },
});
if (done.status !== 0) {
  console.error(`Generating the database client stopped:\n${done.stdout}\n${done.stderr}`);
  process.exit(1);
}
