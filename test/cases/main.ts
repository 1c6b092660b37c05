/**
 * `npm run cases`: tries the product's engine on cases in the neutral format.
 *
 *     npm run -s cases -- pricing ../shared/cases/pricing.json
 *
 * Prints a line for each case that fails, and last how many passed and failed. Ends with 0 only
 * when none failed, with 2 when its words or the file are wrong.
 */
import { runPricing } from "./pricing.ts";
import { BadCaseFile } from "./read.ts";

const KINDS: Readonly<Record<string, (file: string) => Outcome>> = { pricing: runPricing };

interface Outcome {
  readonly passed: number;
  readonly failures: readonly string[];
}

const [kind = "", file, ...more] = process.argv.slice(2);
const run = KINDS[kind];
if (run === undefined || file === undefined || more.length > 0) {
  process.stderr.write(
    `usage: npm run -s cases -- ${Object.keys(KINDS).join("|")} FILE\n` +
      "found: " +
      (process.argv.slice(2).join(" ") || "nothing") +
      "\n",
  );
  process.exitCode = 2;
} else {
  try {
    const { passed, failures } = run(file);
    for (const failure of failures) process.stdout.write(`${failure}\n`);
    process.stdout.write(`${passed} passed, ${failures.length} failed\n`);
    process.exitCode = failures.length === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof BadCaseFile)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
}
