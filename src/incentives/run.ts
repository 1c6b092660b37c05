/**
 * A run: what a plan pays for some accounting periods, kept for good; the same again is not kept
 * twice.
 */
import type { Bridge, PayResult } from "./engine/index.ts";
import { attribute, pay } from "./engine/index.ts";
import { IncentivesError, checkPeriods, planOf } from "./context.ts";
import type { Opened, Periods } from "./context.ts";
import { digestOf } from "./digest.ts";
import { readFacts } from "./facts.ts";
import { poundsText } from "./money.ts";
import { notesOf } from "./notes.ts";
import type { Note } from "./notes.ts";
import { writeRows, writeRun } from "./write.ts";

export interface Run extends Periods {
  /** 1, 2, 3 … inside the company. */
  readonly run: number;
  readonly plan: string;
  readonly planTitle: string;
  /** 1, 2, 3 … inside the plan and its periods. */
  readonly version: number;
  /** Last batch of the sales ledger that it saw. */
  readonly watermark: number;
  readonly hash: string;
  readonly currency: string;
  /** How many shares of lines. */
  readonly lines: number;
  /** The commission base: Σ reps + house + unassigned. */
  readonly base: string;
  /** What the reps are paid together. */
  readonly pay: string;
  readonly calculatedAt: Temporal.Instant;
}

export interface RunDetails extends Run {
  readonly bridge: RunBridge;
  readonly notes: readonly Note[];
}

/** From everything in the ledger for the periods to the base; money as decimal text. */
export interface RunBridge {
  readonly lines: number;
  readonly net: string;
  readonly excluded: readonly {
    readonly reason: Bridge["excluded"][number]["reason"];
    readonly what: string;
    readonly lines: number;
    readonly net: string;
  }[];
  readonly baseLines: number;
  readonly base: string;
}

export interface NewRun extends RunDetails {
  /** False: the latest version already says exactly this, and nothing was written. */
  readonly isNew: boolean;
}

const RUN_COLUMNS = `run, plan, plan_title as "planTitle", from_period as "from", to_period as "to",
  version, watermark, hash, currency, lines, base, pay, calculated_at as "calculatedAt"`;

export async function calculate(
  context: Opened,
  { plan: code, from, to }: Periods & { readonly plan: string },
): Promise<NewRun> {
  const { store, company, now, log } = context;
  checkPeriods({ from, to });
  const plan = planOf(context, code);
  const { input, watermark } = await readFacts(context, { from, to });
  const result = pay(attribute(input), plan);
  checkBridge(result);
  const pence = result.components.map((component) => component.pence());
  const hash = digestOf(result, pence);
  return store.transaction(async (tx) => {
    // One after the other inside a company: both numbers are the highest so far and one.
    await tx.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [`pay-run ${company}`]);
    const [latest] = await tx.query<RunDetails>(
      `select ${RUN_COLUMNS}, bridge, notes from pay_run
        where company = $1 and plan = $2 and from_period = $3 and to_period = $4
        order by version desc limit 1`,
      [company, code, from, to],
    );
    if (latest?.hash === hash) return { ...latest, isNew: false };
    const [last] = await tx.query<{ run: number }>(
      "select coalesce(max(run), 0)::int as run from pay_run where company = $1",
      [company],
    );
    const run = (last?.run ?? 0) + 1;
    const version = (latest?.version ?? 0) + 1;
    const made = { ...figuresOf(result), notes: notesOf(result) };
    const at = now();
    await writeRun(
      tx,
      { company, run },
      {
        plan: code,
        plan_title: plan.title,
        plan_content: plan,
        from_period: from,
        to_period: to,
        version,
        watermark,
        hash,
        currency: plan.currency,
        rules: input.rules,
        bridge: made.bridge,
        notes: made.notes,
        lines: made.lines,
        base: made.base,
        pay: made.pay,
        calculated_at: at,
      },
    );
    await writeRows(tx, { company, run }, result, pence);
    log?.(
      `pay run ${run}: ${plan.title}, ${from} to ${to}, version ${version}, ${made.lines} lines`,
    );
    const { title: planTitle, currency } = plan;
    const numbers = { run, version, watermark, hash, calculatedAt: at };
    return { plan: code, planTitle, currency, from, to, ...numbers, ...made, isNew: true };
  });
}

function figuresOf({ attribution, components }: PayResult) {
  const cells = components.flatMap((component) => component.cells);
  return {
    bridge: bridgeFrom(attribution.bridge),
    lines: attribution.shares.line.length * components.length,
    base: poundsText(attribution.bridge.basePence),
    pay: poundsText(cells.reduce((sum, cell) => sum + cell.payPence, 0n)),
  };
}

export function bridgeFrom({ netPence, basePence, excluded, ...counts }: Bridge): RunBridge {
  return {
    ...counts,
    net: poundsText(netPence),
    base: poundsText(basePence),
    excluded: excluded.map(({ netPence: outside, ...row }) => ({
      ...row,
      net: poundsText(outside),
    })),
  };
}

/**
 * Σ reps + house + unassigned = Σ base, of every component: nothing is written that does not add
 * up.
 */
function checkBridge({ attribution, components, plan }: PayResult): void {
  const { basePence } = attribution.bridge;
  for (const { component, cells } of components) {
    const shared = cells.reduce((sum, cell) => sum + cell.basePence, 0n);
    if (shared === basePence) continue;
    throw new IncentivesError(
      "bridge-broken",
      `Paying ${component} of ${plan.plan}: found shares of ${poundsText(shared)}, expected the base ` +
        `of ${poundsText(basePence)}. Nothing was written; this is a defect of Tradepost.`,
    );
  }
}

/** Newest first. */
export async function listRuns(
  { store, company }: Opened,
  { plan, limit = 100 }: { readonly plan?: string; readonly limit?: number },
): Promise<Run[]> {
  return store.query<Run>(
    `select ${RUN_COLUMNS} from pay_run
      where company = $1 and ($2::text is null or plan = $2) order by run desc limit $3`,
    [company, plan ?? null, limit],
  );
}

/** Which run: by its number, or the latest version of a plan's periods. */
export type RunChoice = { readonly run: number } | (Periods & { readonly plan: string });

export async function findRun(context: Opened, choice: RunChoice): Promise<RunDetails> {
  const { store, company } = context;
  const columns = `${RUN_COLUMNS}, bridge, notes`;
  if ("run" in choice) {
    const [run] = await store.query<RunDetails>(
      `select ${columns} from pay_run where company = $1 and run = $2`,
      [company, choice.run],
    );
    if (run !== undefined) return run;
    throw new IncentivesError(
      "run-unknown",
      `Looking up pay run ${choice.run}: there is none. \`tradepost pay summary\` calculates a plan's ` +
        "periods and prints the number of the run.",
    );
  }
  const { plan, from, to } = choice;
  checkPeriods(choice);
  const [run] = await store.query<RunDetails>(
    `select ${columns} from pay_run
      where company = $1 and plan = $2 and from_period = $3 and to_period = $4
      order by version desc limit 1`,
    [company, planOf(context, plan).plan, from, to],
  );
  if (run !== undefined) return run;
  throw new IncentivesError(
    "run-unknown",
    `Looking up the pay of ${plan} for ${from} to ${to}: it was not calculated. ` +
      `Do so with \`tradepost pay summary --plan ${plan} --from ${from} --to ${to}\`.`,
  );
}
