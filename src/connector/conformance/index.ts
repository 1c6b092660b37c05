/**
 * The conformance suite: plain functions that look at any connector and return findings. Promises
 * that every check was seen to fail on a connector broken on purpose, and that without a rig
 * nothing outside is touched. Never throws for what a connector does.
 *
 *     const card = await checkConnector({ connector, file }, { rig });
 *     card.fine || process.stdout.write(cardText(card));
 */
import { ACCOUNTING_CHECKS } from "./accounting.ts";
import { parsedSettings, short, trial, type Bench } from "./bench.ts";
import { cardOf, type Card, type CheckResult } from "./card.ts";
import { isPassedOver, type Check, type Outcome } from "./check.ts";
import { CLOSING_CHECKS, LAST_CHECKS } from "./closing.ts";
import { DISTURBING_CHECKS } from "./disturbing.ts";
import { ORDERING_CHECKS } from "./ordering.ts";
import { READING_CHECKS } from "./reading.ts";
import { RESUMING_CHECKS } from "./resuming.ts";
import { RETURNING_CHECKS } from "./returning.ts";
import type { Rig, Subject } from "./rig.ts";
import { STATIC_CHECKS } from "./statics.ts";
import { createWatch } from "./world.ts";

export type { Card, CheckResult } from "./card.ts";
export type { FarSide, Rig, Subject } from "./rig.ts";

/** Every check, in the order they are run and shown. */
export const CHECKS: readonly Check[] = [
  ...STATIC_CHECKS,
  ...READING_CHECKS,
  ...RESUMING_CHECKS,
  ...DISTURBING_CHECKS,
  ...CLOSING_CHECKS,
  ...ORDERING_CHECKS,
  ...ACCOUNTING_CHECKS,
  ...RETURNING_CHECKS,
  ...LAST_CHECKS,
];

export interface CheckOptions {
  /** Absent: only the checks that need no far side are run. */
  readonly rig?: Rig | null;
  /** Settings of a connection that is set up, to judge streams by when there is no rig. */
  readonly settings?: unknown;
  /** Rows of the check that looks at memory; the default takes about a second, 0 leaves it out. */
  readonly manyRows?: number;
  /** Called before each check; checks take seconds, and a person waits. */
  readonly tell?: (id: string) => void;
}

/** Enough that keeping them all would show. */
const MANY_ROWS = 30_000;

export async function checkConnector(subject: Subject, options: CheckOptions = {}): Promise<Card> {
  const rig = options.rig ?? null;
  const bench: Bench = {
    ...subject,
    rig,
    watch: createWatch(),
    strays: new Map(),
    once: new Map(),
    manyRows: options.manyRows ?? MANY_ROWS,
    settings: options.settings ?? null,
  };
  const stuck = rig === null ? null : await cannotStart(bench);
  const results: CheckResult[] = [];
  for (const check of CHECKS) {
    if (check.needsRig && (rig === null || stuck !== null)) {
      const why = stuck ?? "there is no far side here to try it on";
      results.push(resultOf(check, { passedOver: "untried", why }, undefined));
      continue;
    }
    options.tell?.(check.id);
    const run = stuck === null ? bench : { ...bench, rig: null };
    results.push(resultOf(check, await outcomeOf(check, run), rig?.waivers?.[check.id]));
  }
  return cardOf(bench, [...results, ...strayWaivers(rig)], stuck === null);
}

/** Why no trial can be made at all; null: one can. */
async function cannotStart(bench: Bench): Promise<string | null> {
  try {
    await trial(bench, async ({ far }) => parsedSettings(bench.connector, far.settings));
    return null;
  } catch (error) {
    return `the rig does not start: ${short(error)}`;
  }
}

async function outcomeOf(check: Check, bench: Bench): Promise<Outcome> {
  try {
    return await check.run(bench);
  } catch (error) {
    return [`it could not be tried to the end: ${short(error)}`];
  }
}

function resultOf(check: Check, outcome: Outcome, waiver: string | undefined): CheckResult {
  const { id, holds } = check;
  const told = { id, holds };
  if (waiver !== undefined) return waived(told, outcome, waiver);
  if (isPassedOver(outcome))
    return { ...told, state: outcome.passedOver, findings: [], why: outcome.why };
  if (outcome.length === 0) return { ...told, state: "passed", findings: [], why: null };
  return { ...told, state: "failed", findings: outcome, why: null };
}

/** A waiver says why, and is needed. */
function waived(
  told: Pick<CheckResult, "id" | "holds">,
  outcome: Outcome,
  reason: string,
): CheckResult {
  const needless = isPassedOver(outcome)
    ? outcome.passedOver === "notHere" && `the check is not for it (${outcome.why})`
    : outcome.length === 0 && "the check passes";
  if (reason.trim() === "")
    return { ...told, state: "failed", findings: ["it is waived without a reason"], why: null };
  if (needless !== false)
    return {
      ...told,
      state: "failed",
      findings: [`it is waived (${reason}), and ${needless}: take the waiver away`],
      why: null,
    };
  const findings = isPassedOver(outcome) ? [] : outcome;
  return { ...told, state: "waived", findings, why: reason };
}

function strayWaivers(rig: Rig | null): readonly CheckResult[] {
  const known = new Set(CHECKS.map(({ id }) => id));
  return Object.keys(rig?.waivers ?? {})
    .filter((id) => !known.has(id))
    .map((id) => ({
      id,
      holds: "a waiver names a check",
      state: "failed",
      findings: [`there is no check "${id}"`],
      why: null,
    }));
}
