// Starts a TypeScript entry under the Node that the project pins, and says so plainly when that
// Node is missing. Plain JavaScript on purpose: it must run under whatever Node the machine has.
import { existsSync } from "node:fs";
import module from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const wanted = 26;
const found = Number(process.versions.node.split(".")[0]);
const entry = process.argv[2];

if (found < wanted) {
  console.error(
    [
      `Tradepost needs Node ${wanted}, and this is Node ${process.versions.node} (${process.execPath}).`,
      "The project brings its own Node as a development dependency, put in place by an install script.",
      existsSync("node_modules")
        ? "It is not there: the install ran without scripts. Run `npm ci` again (without --ignore-scripts) and start through `npm run`."
        : "Run `npm ci` first, then start through `npm run`.",
    ].join("\n"),
  );
  process.exit(1);
}
if (entry === undefined) {
  console.error("usage: node src/launch.js FILE [arguments]");
  process.exit(2);
}
// Types are stripped and code is compiled once, not at every start: that halves a command's time.
// In the checkout, since a folder that everybody may write to could be filled with foreign code.
const cache = resolve(import.meta.dirname, "..", "node_modules", ".cache", "node");
module.enableCompileCache(cache);
process.argv.splice(1, 2, resolve(entry));
await import(pathToFileURL(resolve(entry)).href);
