/**
 * `npm run check`: everything about the code that needs no database, one line each. Exit code 1
 * when anything is wrong, with what the tool said below its line.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { EXCEPTIONS, judge, readSources, sentence } from "./architecture.ts";

const root = join(import.meta.dirname, "../..");

interface Verdict {
  readonly fine: boolean;
  /** Shown after the result: a count or a reason. */
  readonly note: string;
  /** Shown below when something is wrong. */
  readonly details: string;
}

interface Step {
  readonly name: string;
  readonly run: () => Promise<Verdict>;
}

const STEPS: readonly Step[] = [
  tool("format", "oxfmt/bin/oxfmt", ["--config", ".oxfmtrc.json", "--check", "."]),
  tool("lint", "oxlint/bin/oxlint", ["--config", ".oxlintrc.json", "--type-aware", "."]),
  tool("types", "typescript/bin/tsc", ["-p", "."]),
  { name: "architecture", run: architecture },
  { name: "generated", run: () => node([join(root, "test/support/generate.ts"), "--check"]) },
];

const width = Math.max(...STEPS.map(({ name }) => name.length));
let failed = 0;
for (const { name, run } of STEPS) {
  const since = performance.now();
  const { fine, note, details } = await run();
  const seconds = ((performance.now() - since) / 1000).toFixed(1).padStart(6);
  console.log(`${name.padEnd(width)} ${seconds} s  ${fine ? "fine" : "WRONG"}${note}`);
  if (fine) continue;
  failed += 1;
  console.log(details.trimEnd().replaceAll(/^/gm, "    "));
}
console.log(`${STEPS.length - failed} of ${STEPS.length} checks fine`);
process.exitCode = failed === 0 ? 0 : 1;

function tool(name: string, bin: string, args: readonly string[]): Step {
  return { name, run: () => node([join(root, "node_modules", bin), ...args]) };
}

function architecture(): Promise<Verdict> {
  const findings = judge(readSources(root), EXCEPTIONS).map(sentence);
  return Promise.resolve({
    fine: findings.length === 0,
    note: findings.length === 0 ? "" : `, ${findings.length} findings`,
    details: findings.join("\n"),
  });
}

/** Runs a script under this Node, without a shell, from the repository's root. */
async function node(args: readonly string[]): Promise<Verdict> {
  const [script = ""] = args;
  if (!existsSync(script))
    return { fine: false, note: "", details: `${script} is not there. Run \`npm ci\`.` };
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  const output: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { fine: code === 0, note: "", details: Buffer.concat(output).toString("utf8") };
}
