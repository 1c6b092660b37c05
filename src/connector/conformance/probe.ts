/**
 * Imports one connector in a process without rights and says what that cost; silence is good. Run
 * by the check `import-is-free` under Node's permission model, which forbids writing, connecting
 * and starting processes; reading and timers are watched here.
 */
import fs from "node:fs";
import { createRequire, syncBuiltinESMExports } from "node:module";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { lendPackages } from "../outside.ts";

const [, , file = ""] = process.argv;
const costs: string[] = [];

/** What Node and packages read to load code. */
const MODULE_FILE = /node_modules|\.(?:[cm]?[jt]s|node|wasm)$|package\.json$/;

type Read = (...given: unknown[]) => unknown;

const watched = fs as unknown as Record<string, Read>;
const promised = fs.promises as unknown as Record<string, Read>;
for (const [holder, names] of [
  [watched, ["readFileSync", "readFile", "openSync", "open", "readdirSync", "readdir", "watch"]],
  [promised, ["readFile", "open", "readdir", "watch"]],
] as const)
  for (const name of names) {
    const real = holder[name];
    if (real === undefined) continue;
    holder[name] = (...given: unknown[]) => {
      const path = given[0] instanceof URL ? given[0].pathname : String(given[0]);
      if (!MODULE_FILE.test(path)) costs.push(`it reads ${path}`);
      return Reflect.apply(real, holder, given);
    };
  }
syncBuiltinESMExports();
// Packages in CommonJS see the same functions.
createRequire(import.meta.url)("node:fs");

lendPackages(dirname(dirname(file)));
try {
  await import(pathToFileURL(file).href);
} catch (error) {
  costs.push(`importing it fails: ${error instanceof Error ? error.message : String(error)}`);
}
const left = process.getActiveResourcesInfo().filter((kind) => !/^(?:Pipe|TTY|File)/.test(kind));
if (left.length > 0) costs.push(`importing it leaves running: ${[...new Set(left)].join(", ")}`);
for (const cost of costs) process.stdout.write(`${cost}\n`);
process.exit(costs.length === 0 ? 0 : 1);
