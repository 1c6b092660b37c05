/** What was recorded of lines, as the trace that explanations are worded from. */
import type { Enquiry } from "./enquiry.ts";
import * as plan from "./plan.ts";
import * as recording from "./recording.ts";
import type { Recording } from "./recording.ts";
import { BEHIND } from "./resolve.ts";
import { NOT_LOOKED_UP, absence, findBase, inShadow } from "./search.ts";
import type { Outcome, Trace, Traced } from "./trace.ts";

/** Ranks of one place, as the search has them. */
const GROUPS = 64;
const OUTCOMES: readonly Outcome[] = [
  "priced",
  "lower-break",
  "not-reached",
  "no-base",
  "base-replaced",
];

export function lineAt({ ofLines, answers }: Recording, place: number) {
  const at = place * recording.LINE;
  const answer = place * recording.ANSWER;
  return {
    start: ofLines[at]!,
    /** Below 0: a plan could not tell its candidates. */
    end: ofLines[at + 1]!,
    product: ofLines[at + 2]!,
    unit: ofLines[at + 3]!,
    quantity: answers[answer]!,
    pooled: answers[answer + 1]!,
  };
}

/** The enquiry has priced the line. */
export function traceAt(of: Recording, place: number): Trace {
  const { start, end } = lineAt(of, place);
  const candidates: Traced[] = [];
  for (let at = start; at < end; at += 1) candidates.push(candidateAt(of, at));
  return { candidates, best: new Map(), blocked: new Map() };
}

function candidateAt({ enquiry, numbers, prices }: Recording, at: number): Traced {
  const of = at * recording.CANDIDATE;
  const steps = enquiry.plan ?? new Int32Array();
  const shelf = numbers[of + recording.SHELF]!;
  const key = numbers[of + recording.KEY]!;
  const value = numbers[of + recording.VALUE]!;
  const word = numbers[of + recording.WORD]!;
  const told = numbers[of + recording.OUTCOME]!;
  const code = told & ((1 << recording.DEPTH) - 1);
  const outcome = code === recording.ABSENT ? absence(enquiry, word) : OUTCOMES[code]!;
  const entry = { key, value, word, outcome, price: prices[at]! };
  if (shelf < 0) {
    const step = steps[-1 - shelf + plan.AT]!;
    const { baseTable, baseSubject } = enquiry.found;
    const where =
      word === 0 ? { table: -1, subject: -1 } : { table: baseTable, subject: baseSubject };
    return { ...entry, ...where, step, rank: BEHIND, list: -1 };
  }
  return {
    ...entry,
    step: stepOf(steps, shelf),
    table: steps[shelf + plan.TABLE]!,
    subject: steps[shelf + plan.SUBJECT]!,
    rank: steps[shelf + plan.PLACE]! * GROUPS + (told >> recording.DEPTH),
    list: steps[shelf + plan.LIST]!,
  };
}

/** Position of the step that a shelf of the plan is of; -1: it is one of the base. */
function stepOf(steps: Int32Array, shelf: number): number {
  let step = -1;
  for (let at = steps[0]!; at < steps.length && at < shelf;) {
    step = steps[at + plan.AT]!;
    at += plan.STEP + steps[at + plan.SHELVES]! * plan.SHELF;
  }
  return step;
}

/** Words tell the base price even where the answer never asked for it. */
export function lookUpBase(enquiry: Enquiry): void {
  const { found } = enquiry;
  if (found.base !== NOT_LOOKED_UP) return;
  inShadow(enquiry, () => findBase(enquiry));
}
