/** What a check is and gives, and the loop over streams that most of them share. */
import type { ReadEvent, StreamDefinition } from "../contract.ts";
import { once, short, trial, type Bench, type Trial } from "./bench.ts";
import { freshStand, pullFresh, type Pulled } from "./pulling.ts";

export interface Check {
  /** Stable: waivers name it. */
  readonly id: string;
  /** What holds when it passes, as a sentence's end: "a connector keeps …". */
  readonly holds: string;
  /** True: it needs a far side. */
  readonly needsRig: boolean;
  run(bench: Bench): Promise<Outcome>;
}

/** Findings (none: it holds), or why nothing could be found. */
export type Outcome = readonly string[] | Passed;

export interface Passed {
  /** `notHere`: the connector promises nothing of the kind. `untried`: the rig does not play it. */
  readonly passedOver: "notHere" | "untried";
  readonly why: string;
}

export function notHere(why: string): Passed {
  return { passedOver: "notHere", why };
}

export function untried(why: string): Passed {
  return { passedOver: "untried", why };
}

export function isPassedOver(outcome: Outcome): outcome is Passed {
  return "passedOver" in outcome;
}

/** Null: the check is for this stream; else why it is not. */
type Applies = (stream: StreamDefinition) => string | null;

/** Runs on each stream that the rig names and the check is for, each in a trial of its own. */
export async function eachStream(
  bench: Bench,
  applies: Applies,
  look: (trial: Trial, stream: StreamDefinition) => Promise<Outcome>,
): Promise<Outcome> {
  return overStreams(bench, applies, ({ name }) =>
    trial(bench, (one) => look(one, named(one, name))),
  );
}

/** One reading of the stream from its start that nothing disturbs. */
export async function undisturbed(bench: Bench, { name }: StreamDefinition): Promise<Pulled> {
  return once(bench, `reading ${name}`, () =>
    trial(bench, (one) => pullFresh(one, named(one, name), freshStand())),
  );
}

async function overStreams(
  bench: Bench,
  applies: Applies,
  look: (stream: StreamDefinition) => Promise<Outcome>,
): Promise<Outcome> {
  const streams = await streamsUnderTest(bench);
  const chosen = streams.filter((stream) => applies(stream) === null);
  if (chosen.length === 0)
    return notHere(streams.map(applies).find((why) => why !== null) ?? "there is no stream");
  const outcomes: { name: string; outcome: Outcome }[] = [];
  for (const stream of chosen) outcomes.push({ name: stream.name, outcome: await look(stream) });
  return together(outcomes);
}

/** Looks at one undisturbed reading of each stream, which several checks share. */
export async function eachReading(
  bench: Bench,
  applies: Applies,
  look: (events: readonly ReadEvent[], stream: StreamDefinition) => Outcome,
): Promise<Outcome> {
  return overStreams(bench, applies, async (stream) => {
    const { thrown, events } = await undisturbed(bench, stream);
    return thrown === null ? look(events, stream) : untried(`its reading fails: ${short(thrown)}`);
  });
}

/** Findings of any; else untried, when none could be tried; else passed. */
function together(outcomes: readonly { name: string; outcome: Outcome }[]): Outcome {
  const findings = outcomes.flatMap(({ name, outcome }) =>
    isPassedOver(outcome) ? [] : outcome.map((finding) => `${name}: ${finding}`),
  );
  if (findings.length > 0) return findings;
  const over = outcomes.flatMap(({ name, outcome }) =>
    isPassedOver(outcome) ? [{ name, ...outcome }] : [],
  );
  const [first] = over.toSorted((a, b) => b.passedOver.localeCompare(a.passedOver));
  if (first === undefined || over.length < outcomes.length) return [];
  return { passedOver: first.passedOver, why: `${first.name}: ${first.why}` };
}

export async function streamsUnderTest(bench: Bench): Promise<readonly StreamDefinition[]> {
  return once(bench, "streams", () =>
    trial(bench, async ({ streams }) => {
      const wanted = bench.rig?.streams ?? streams.map(({ name }) => name);
      const unknown = wanted.filter((name) => !streams.some((stream) => stream.name === name));
      if (unknown.length === 0) return streams.filter(({ name }) => wanted.includes(name));
      throw new Error(`the rig names streams that the settings do not give: ${unknown.join(", ")}`);
    }),
  );
}

function named({ streams }: Trial, name: string): StreamDefinition {
  const found = streams.find((stream) => stream.name === name);
  if (found === undefined) throw new Error(`the stream ${name} was there a moment ago`);
  return found;
}

export const every: Applies = () => null;

export const withDelta: Applies = ({ delta }) =>
  delta === undefined ? "no stream has a delta promise" : null;
