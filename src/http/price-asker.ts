/** Who asks for prices, and the problem when that is not known, for every way of asking. */
import { PricesNotReady } from "../pricing/index.ts";
import type { ExplainedLine, PriceLine, PriceProblem, PriceProblemCode } from "../pricing/index.ts";
import { Problem } from "./problem.ts";
import type { Fault, ProblemCode } from "./problem.ts";

export const NOT_FOUND = [
  "account-unknown",
  "site-unknown",
  "branch-unknown",
  "quotation-unknown",
] as const;

/** Who asks is wrong: then every line has the same problem, and the first says which. */
export function problemIn(lines: readonly (PriceLine | ExplainedLine)[]): AskerProblem | undefined {
  const [first] = lines;
  return first?.state === "problem" ? first : undefined;
}

type AskerField = "account" | "site" | "branch" | "quotation" | "asOf" | "currency";
type AskerProblem = Pick<PriceProblem, "code" | "detail">;

const ASKER: Readonly<
  Partial<Record<PriceProblemCode, { code: ProblemCode; field: AskerField; expected: string }>>
> = {
  "unknown-account": {
    code: "account-unknown",
    field: "account",
    expected: "an account of the ERP",
  },
  "unknown-site": { code: "site-unknown", field: "site", expected: "a site of the account" },
  "unknown-branch": {
    code: "branch-unknown",
    field: "branch",
    expected: "a branch of the merchant",
  },
  "unknown-quotation": {
    code: "quotation-unknown",
    field: "quotation",
    expected: "an open quotation",
  },
  "unknown-currency": {
    code: "request-invalid",
    field: "currency",
    expected: "a currency that there are prices in",
  },
  "bad-date": {
    code: "request-invalid",
    field: "asOf",
    expected: "a date or moment that prices can have",
  },
};

export function refuseAsker(
  problem: AskerProblem | undefined,
  asked: Readonly<Partial<Record<AskerField, string | null | undefined>>>,
  where: Fault["in"] = "body",
): void {
  const asker = problem === undefined ? undefined : ASKER[problem.code];
  if (problem === undefined || asker === undefined) return;
  const { code, field, expected } = asker;
  throw new Problem(code, `Pricing: ${problem.detail}.`, {
    faults: [{ in: where, pointer: `/${field}`, found: asked[field] ?? "nothing", expected }],
  });
}

/** Before the first book there is nothing to answer from; that passes by itself. */
export function ready<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw notReady(error);
  }
}

/** The same of what takes a while. */
export async function whenReady<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw notReady(error);
  }
}

function notReady(error: unknown): unknown {
  if (!(error instanceof PricesNotReady)) return error;
  return new Problem("prices-not-ready", error.message, {
    cause: error,
    headers: { "retry-after": "5" },
  });
}
