/**
 * Checks of what is made at the far side under a number of ours, such as accounts and returns:
 * found before made, once whatever happens, whole, and left as it was.
 */
import { setTimeout } from "node:timers/promises";
import type { OrderCall, Session } from "../contract.ts";
import { noteThrown, noting, short, trial, type Bench, type Trial } from "./bench.ts";
import { isPassedOver, notHere, untried, type Check, type Outcome } from "./check.ts";
import type { FarSide } from "./rig.ts";

/** What the connector answered when it was asked to make one, in words of this file. */
export interface Made {
  /** `made`: it is there, or was handed over. */
  readonly kind: "made" | "refused" | "later" | "inDoubt";
  /** As the connector worded it. */
  readonly word: string;
  /** Its number there; null: it was handed over and has none yet. */
  readonly number: string | null;
  /** Reason or evidence. */
  readonly said: string;
}

/** The capability of one session. */
export interface Hand<Wanted> {
  /** Numbers of what the far side shows under the number of ours; null: it has none yet. */
  find(wanted: Wanted): Promise<readonly (string | null)[]>;
  make(wanted: Wanted, call?: OrderCall): Promise<Made>;
}

/** What the rig knows of the far side. */
export interface HandingRig<Wanted> {
  wanted(key: string): Wanted;
  refusable: ((key: string) => Wanted) | undefined;
  held(key: string): Promise<number> | number;
  kept: ((key: string) => Promise<Partial<Wanted> | null> | Partial<Wanted> | null) | undefined;
  loseAnswer: (() => Promise<boolean> | boolean) | undefined;
}

export interface Handing<Wanted> {
  /** Before the names of its checks: `account`, `return`. */
  readonly id: string;
  /** In findings: "an account". */
  readonly a: string;
  /** Of a connector without the capability. */
  readonly without: string;
  /** Numbers of ours: one that is asked for, and another that never is. */
  readonly keys: readonly [asked: string, never: string];
  /** Null: the session cannot do it. */
  hand(session: Session): Hand<Wanted> | null;
  /** Null: the rig does not play it. */
  rig(far: FarSide): HandingRig<Wanted> | null;
  /** All that the far side must be able to keep of it. */
  readonly must: readonly (keyof Wanted & string)[];
  /** Each is asked for alone, and must arrive whole. */
  readonly variants: readonly ((wanted: Wanted) => Wanted)[];
  /** Other content under the same number. */
  changed(wanted: Wanted): Wanted;
}

export interface Desk<Wanted> {
  readonly of: Handing<Wanted>;
  readonly one: Trial;
  readonly rig: HandingRig<Wanted>;
  /** The number of ours. */
  readonly key: string;
  /** The capability of a session of its own. */
  readonly fresh: () => Promise<Hand<Wanted>>;
}

export function handingChecks<Wanted>(of: Handing<Wanted>): readonly Check[] {
  const { id, a } = of;
  const check = (
    name: string,
    holds: string,
    look: (desk: Desk<Wanted>) => Promise<Outcome>,
  ): Check => ({
    id: `${id}-${name}`,
    holds,
    needsRig: true,
    run: (bench) => withDesk(bench, of, look),
  });
  return [
    check(
      "found",
      `${a} is not found before it is made, and by its own number alone afterwards, in a new session too`,
      found,
    ),
    check("once", `making ${a} again after a kill makes no second one`, once),
    check("refused", `${a} that is refused is not made, and the reason is told`, refused),
    check(
      "in-doubt",
      `when the answer is lost ${a} is in doubt, and find() tells that it is there`,
      inDoubt,
    ),
    check(
      "given-up",
      `a call that the host has given up ends at once, and makes no more than one`,
      givenUp,
    ),
    {
      id: `${id}-whole`,
      holds: `the far side has of ${a} what was asked for`,
      needsRig: true,
      run: (bench) => eachVariant(bench, of),
    },
    check("frozen", `${a} that was made stays as it is, whatever comes under its number`, frozen),
  ];
}

export async function withDesk<Wanted>(
  bench: Bench,
  of: Handing<Wanted>,
  look: (desk: Desk<Wanted>) => Promise<Outcome>,
): Promise<Outcome> {
  return trial(bench, async (one) => {
    if (of.hand((await one.open()).session) === null) return notHere(of.without);
    const rig = of.rig(one.far);
    if (rig === null) return untried(`the rig has no \`${of.id}s\``);
    const fresh = async () => {
      const hand = of.hand((await one.open()).session);
      if (hand === null) throw new Error(`a second session: ${of.without}`);
      return hand;
    };
    try {
      return await look({ of, one, rig, key: of.keys[0], fresh });
    } catch (error) {
      noteThrown(bench, `making ${of.a}`, error);
      return [`it throws ${short(error)}`];
    }
  });
}

async function found<Wanted>({ of, rig, key, fresh }: Desk<Wanted>): Promise<Outcome> {
  const wanted = rig.wanted(key);
  const hand = await fresh();
  if ((await hand.find(wanted)).length > 0)
    return [`before it is made, find() shows ${of.a} of our number`];
  const answer = await hand.make(wanted);
  const wrong = answerFinding(of, answer);
  if (wrong !== null) return [wrong];
  if (answer.kind !== "made") return [`${of.a} that is good is answered "${answer.word}"`];
  for (const session of [hand, await fresh()]) {
    const shown = await session.find(wanted);
    if (shown.length !== 1 || (answer.number !== null && shown[0] !== answer.number))
      return [
        `${answer.word} as ${answer.number ?? "nothing yet"}, ` +
          `find() shows ${named(shown)} of our number`,
      ];
  }
  const others = await hand.find(rig.wanted(of.keys[1]));
  return others.length === 0 ? [] : [`find() shows ${named(others)} of another number of ours`];
}

const named = (shown: readonly (string | null)[]): string =>
  shown.length === 0 ? "none" : shown.map((number) => number ?? "one without number").join(", ");

/** An answer that says what it must. */
function answerFinding<Wanted>(of: Handing<Wanted>, answer: Made): string | null {
  if (answer.kind === "made" && answer.number?.trim() === "")
    return `${of.a} is "${answer.word}" and has no number`;
  return answer.said.trim() === "" ? `${of.a} is "${answer.word}", and nothing says why` : null;
}

async function once<Wanted>({ of, rig, key, fresh }: Desk<Wanted>): Promise<Outcome> {
  await (await fresh()).make(rig.wanted(key));
  const again = await (await fresh()).make(rig.wanted(key));
  const count = await rig.held(key);
  if (count !== 1) return [`made twice with one number, the far side holds ${count} of it`];
  return again.kind === "refused"
    ? [`made again, ${of.a} that is there is called "${again.word}"`]
    : [];
}

async function refused<Wanted>({ of, rig, key, fresh }: Desk<Wanted>): Promise<Outcome> {
  if (rig.refusable === undefined) return untried("the rig has nothing `refusable`");
  const answer = await (await fresh()).make(rig.refusable(key));
  const count = await rig.held(key);
  if (answer.kind !== "refused") return [`${of.a} to be refused is answered "${answer.word}"`];
  return [
    ...(count === 0 ? [] : [`it is refused, and there ${count} times`]),
    ...(answer.said.trim() === "" ? ["it is refused without a reason"] : []),
  ];
}

async function inDoubt<Wanted>(desk: Desk<Wanted>): Promise<Outcome> {
  const { of, one, rig, key, fresh } = desk;
  if ((await rig.loseAnswer?.()) !== true) return untried("the rig cannot `loseAnswer`");
  const hand = await fresh();
  const answer = await noting(one.bench, `making ${of.a} whose answer is lost`, () =>
    hand.make(rig.wanted(key)),
  );
  const count = await rig.held(key);
  const shown = await (await fresh()).find(rig.wanted(key));
  return [
    ...(answer.kind === "inDoubt" || answer.kind === "made"
      ? []
      : [`${of.a} whose answer is lost is called "${answer.word}"`]),
    ...(count === 1 ? [] : [`the far side holds ${count} of it`]),
    ...(shown.length === 1 ? [] : [`find() shows ${named(shown)} where one is there`]),
  ];
}

const PROMPTLY_MS = 1_000;

async function givenUp<Wanted>({ rig, key, fresh }: Desk<Wanted>): Promise<Outcome> {
  const hand = await fresh();
  const signal = AbortSignal.abort(new Error("given up by the host"));
  // However it ends: it may have done its work, or thrown, or say that it cannot tell.
  const making = hand.make(rig.wanted(key), { signal }).then(
    () => "ended",
    () => "ended",
  );
  const late = setTimeout(PROMPTLY_MS, "late", { ref: false });
  if ((await Promise.race([making, late])) === "late")
    return [`it still runs ${PROMPTLY_MS} ms after it was given up`];
  const count = await rig.held(key);
  return count <= 1 ? [] : [`given up, it made ${count}`];
}

/** Each in a trial of its own: two for one invoice may be refused. */
async function eachVariant<Wanted>(bench: Bench, of: Handing<Wanted>): Promise<Outcome> {
  for (const variant of of.variants) {
    const outcome = await withDesk(bench, of, (desk) => whole(desk, variant));
    if (isPassedOver(outcome) || outcome.length > 0) return outcome;
  }
  return [];
}

async function whole<Wanted>(
  { of, rig, key, fresh }: Desk<Wanted>,
  variant: (wanted: Wanted) => Wanted,
): Promise<Outcome> {
  if (rig.kept === undefined) return untried("the rig does not tell what is `kept`");
  const wanted = variant(rig.wanted(key));
  await (await fresh()).make(wanted);
  return differences(of, wanted, await rig.kept(key));
}

function differences<Wanted>(
  { must, a }: Handing<Wanted>,
  wanted: Wanted,
  kept: Partial<Wanted> | null,
): string[] {
  if (kept === null) return [`${a} was made, and the far side has none of it`];
  const told = Object.keys(kept) as (keyof Wanted & string)[];
  const lacking = must.filter((field) => !told.includes(field));
  return [
    ...lacking.map((field) => `the far side has nothing of its ${field}`),
    ...told
      .filter((field) => plain(kept[field]) !== plain(wanted[field]))
      .map(
        (field) =>
          `its ${field} was ${plain(wanted[field])}, and the far side has ${plain(kept[field])}`,
      ),
  ];
}

/** Amounts are equal however many noughts stand behind them; so are fields in any order. */
function plain(value: unknown): string {
  return (
    JSON.stringify(value, (_name, part: unknown) => {
      if (typeof part === "string" && /^-?\d+\.\d*$/.test(part)) return part.replace(/\.?0*$/, "");
      if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
      return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
    }) ?? "nothing"
  );
}

async function frozen<Wanted>({ of, one, rig, key, fresh }: Desk<Wanted>): Promise<Outcome> {
  const { kept } = rig;
  if (kept === undefined) return untried("the rig does not tell what is `kept`");
  await (await fresh()).make(rig.wanted(key));
  const before = await kept(key);
  const hand = await fresh();
  // It may say that one is there, refuse the other, or throw.
  await noting(one.bench, `making another ${of.id} of the same number`, () =>
    hand.make(of.changed(rig.wanted(key))),
  ).catch(() => undefined);
  const count = await rig.held(key);
  const after = await kept(key);
  return [
    ...(count === 1 ? [] : [`with other content under its number the far side holds ${count}`]),
    ...changes(before, after),
  ];
}

function changes<Wanted>(before: Partial<Wanted> | null, after: Partial<Wanted> | null): string[] {
  if (before === null || after === null)
    return [`it was made, and ${before === null ? "not kept" : "went when other content came"}`];
  return (Object.keys(before) as (keyof Wanted & string)[])
    .filter((field) => plain(before[field]) !== plain(after[field]))
    .map(
      (field) =>
        `its ${field} was ${plain(before[field])}, and other content under its number made it ` +
        plain(after[field]),
    );
}
