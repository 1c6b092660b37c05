/** Checks of a far side that moves or misbehaves while it is read. */
import { positionOf } from "../delta.ts";
import type { FaultKind, SourceRow, StreamDefinition } from "../contract.ts";
import { faultOf, short, trial, type Trial } from "./bench.ts";
import { eachStream, every, isPassedOver, notHere, undisturbed, untried } from "./check.ts";
import type { Check, Outcome } from "./check.ts";
import {
  freshStand,
  hasKey,
  keyOf,
  MOST_ATTEMPTS,
  pull,
  pullFresh,
  stateOf,
  told,
  unlike,
} from "./pulling.ts";
import type { Pulled, PullOptions, Stand } from "./pulling.ts";
import { BAD_ROWS, type Misbehaviour, type Values } from "./rig.ts";

type LookAt = (one: Trial, stream: StreamDefinition) => Promise<Outcome>;

export const DISTURBING_CHECKS: readonly Check[] = [
  on(
    "edited-while-paging",
    "a row edited while pages are read is there, old or new, and then new",
    (one, stream) => movedWhilePaging(one, stream, "edit"),
  ),
  on(
    "removed-while-paging",
    "a row removed while pages are read costs no other row",
    (one, stream) => movedWhilePaging(one, stream, "remove"),
  ),
  on("removals-show", "a removed row shows as the stream declares it", removalsShow),
  on("bad-rows", "bad rows of every kind come as rows or rejects and end nothing", badRows),
  pages(
    "page-twice",
    "a page that comes twice loses no row, or is a fault and all rows come afterwards",
    ["page twice"],
  ),
  pages(
    "page-missing",
    "a page that is left out is a fault or shows in the totals, and all rows come afterwards",
    ["page missing"],
  ),
  pages("page-short", "a page with few rows or none in the middle is not the end of the list", [
    "page short",
    "page empty",
  ]),
  pages(
    "page-earlier",
    "an earlier page in the place of a later one loses no row, or is a fault, and all rows come",
    ["page earlier"],
  ),
  on(
    "pages-out-of-order",
    "rows in another order than asked for are all read, or a fault",
    (one, stream) => allOrLoud(one, stream, "out of order"),
  ),
  on(
    "token-expires",
    "a token that expires in a reading is renewed once, and no row is lost",
    tokenExpires,
  ),
  {
    id: "token-shared",
    holds: "two sessions whose token expires renew it once between them, through host.tokens",
    needsRig: true,
    run: (bench) => eachStream(bench, every, tokenShared),
  },
  on("waits-as-told", "told to wait, it waits by the host's clock and loses no row", waitsAsTold),
  on(
    "tries-again",
    "one failed request does not end a reading, and no row is lost",
    (one, stream) => survives(one, stream, "fails once"),
  ),
  faults("fault-sign-in", "a refused sign-in is an auth fault", "refuses sign-in", ["auth"]),
  faults(
    "fault-throttled",
    "a far side that keeps refusing for its rate is a throttled fault",
    "throttles",
    ["throttled"],
  ),
  faults("fault-failing", "a far side that keeps failing is a transient fault", "fails", [
    "transient",
  ]),
  faults(
    "fault-garbage",
    "an answer that is none of its kind is a fault, not an end of rows",
    "garbage",
    ["transient", "defect", "refused", "config"],
  ),
];

function on(id: string, holds: string, look: LookAt): Check {
  return { id, holds, needsRig: true, run: (bench) => eachStream(bench, every, look) };
}

/** Moves a row that was read and one that was not, once the first rows have come. */
async function movedWhilePaging(
  one: Trial,
  stream: StreamDefinition,
  how: "edit" | "remove",
): Promise<Outcome> {
  const { far } = one;
  const { key, name } = stream;
  if (key === undefined) return notHere("no stream has a key to know a row by");
  if (far[how] === undefined) return untried(`the rig cannot \`${how}\` rows`);
  const before = far.rows(name);
  const stand = freshStand();
  let moved = false;
  const opened = await one.open();
  const first = await pull(one, opened, stream, stand, {
    between: async ({ kind }) => {
      if (kind !== "rows" || moved) return;
      moved = true;
      await far[how]?.(name, before.length - 1, null);
      await far[how]?.(name, 0, null);
    },
  });
  if (first.thrown !== null)
    return faultOf(first.thrown)?.kind === "transient" ? [] : [short(first.thrown)];
  const lost = keysLost(key, stand.kept, before, far.rows(name));
  if (lost.length > 0) return [`rows that nobody touched are lost: ${lost.slice(0, 3).join(", ")}`];
  return afterwards(one, stream, stand, how);
}

/** Keys that were there before and after, and were not given. */
function keysLost(
  key: readonly string[],
  given: readonly SourceRow[],
  before: readonly Values[],
  after: readonly Values[],
): readonly string[] {
  const have = new Set(given.map(({ values }) => keyOf(key, values)));
  const still = new Set(after.map((values) => keyOf(key, values)));
  return before.map((values) => keyOf(key, values)).filter((id) => still.has(id) && !have.has(id));
}

/** The next reading brings what is there now. */
async function afterwards(
  one: Trial,
  stream: StreamDefinition,
  stand: Stand,
  how: "edit" | "remove",
): Promise<Outcome> {
  const next = await pullFresh(one, stream, stand);
  if (next.thrown !== null) return [`the next reading ends with ${short(next.thrown)}`];
  const wrong = unlike(stateOf(stream, stand.kept), one.far.rows(stream.name));
  // How removed rows show in a delta is another check's affair.
  const mayKeep = how === "remove" && stream.reading === "delta";
  const found = told(mayKeep ? { lost: wrong.lost, extra: [] } : wrong);
  return found === null ? [] : [`after the next reading: ${found}`];
}

async function removalsShow(one: Trial, stream: StreamDefinition): Promise<Outcome> {
  const { far } = one;
  const { name } = stream;
  const how = stream.deletions ?? (stream.reading === "snapshot" ? "absence" : "never");
  if (how === "never") return notHere("no stream shows removals");
  if (far.remove === undefined) return untried("the rig cannot `remove` rows");
  const stand = freshStand();
  const first = await pullFresh(one, stream, stand);
  if (first.thrown !== null) return untried(`its reading fails: ${short(first.thrown)}`);
  await far.remove(name, 1);
  const truth = far.rows(name);
  if (how === "keys") return keysAre(one, stream, truth);
  const second = await pullFresh(one, stream, stand);
  if (second.thrown !== null) return [`reading ends with ${short(second.thrown)}`];
  const wrong = told(unlike(stateOf(stream, stand.kept), truth));
  return wrong === null ? [] : [`a row was removed, and afterwards: ${wrong}`];
}

async function keysAre(
  one: Trial,
  stream: StreamDefinition,
  truth: readonly Values[],
): Promise<Outcome> {
  const { session } = await one.open();
  const { key = [] } = stream;
  if (session.keys === undefined) return ['it promises removals by "keys", and has no keys()'];
  const given: Values[] = [];
  for await (const event of session.keys(stream.name))
    if (event.kind === "rows") given.push(...event.rows.map(({ values }) => values));
  const wanted = truth.map((row) => Object.fromEntries(key.map((column) => [column, row[column]])));
  const wrong = told(unlike(given, wanted));
  return wrong === null ? [] : [`keys(): ${wrong}`];
}

async function badRows(one: Trial, stream: StreamDefinition): Promise<Outcome> {
  const { far } = one;
  if (far.spoil === undefined) return untried("the rig cannot `spoil` rows");
  const planted: string[] = [];
  for (const kind of BAD_ROWS) if (await far.spoil(stream.name, kind)) planted.push(kind);
  if (planted.length === 0) return untried("the rig plants no bad row of any kind");
  const stand = freshStand();
  const { thrown, events } = await pullFresh(one, stream, stand);
  const kinds = planted.join(", ");
  if (thrown !== null) return [`bad rows (${kinds}) end the reading with ${short(thrown)}`];
  if (events.some(({ kind }) => kind === "refused"))
    return [`bad rows (${kinds}) refuse the whole`];
  const truth = far.rows(stream.name);
  const { lost } = unlike(
    stand.kept.map(({ values }) => values),
    truth,
  );
  const rows = events.flatMap((event) => (event.kind === "rows" ? event.rows : []));
  const nowhere = stream.delta === undefined ? undefined : rows.find(({ at }) => !isPlace(at));
  if (nowhere !== undefined)
    return [
      `a row that does not say where it stands comes as a row, which ends the host's reading: ${nowhere.raw}`,
    ];
  // Those without their key are set aside by the host, one by one.
  const keyless = rows.filter(({ values }) => !hasKey(stream, values)).length;
  const rejects = events.filter(({ kind }) => kind === "reject").length;
  const bad = stand.kept.length - (truth.length - lost.length) + keyless + rejects;
  return [
    ...(lost.length === 0 ? [] : [`beside bad rows (${kinds}) good ones are lost: ${lost[0]}`]),
    ...(bad >= planted.length ? [] : [`${planted.length} bad rows (${kinds}), and ${bad} came`]),
  ];
}

function isPlace(at: SourceRow["at"]): boolean {
  return at !== undefined && positionOf({ ...at }) !== null;
}

/** Reads under a misbehaviour; null: the rig does not play it. */
async function under(
  one: Trial,
  stream: StreamDefinition,
  what: Misbehaviour,
  options: PullOptions = {},
): Promise<(Pulled & { readonly stand: Stand }) | null> {
  const plays = await one.far.misbehave?.(what, stream.name);
  if (plays !== true) return null;
  const stand = freshStand();
  return { ...(await pullFresh(one, stream, stand, options)), stand };
}

function notPlayed(what: Misbehaviour): Outcome {
  return untried(`the rig does not play "${what}"`);
}

async function allOrLoud(
  one: Trial,
  stream: StreamDefinition,
  what: Misbehaviour,
): Promise<Outcome> {
  const read = await under(one, stream, what, { strict: true });
  if (read === null) return notPlayed(what);
  const { thrown, refused, stand } = read;
  if (thrown !== null) return faultOf(thrown) === null ? [short(thrown)] : [];
  return refused === null ? withoutAWord(stream, stand, one.far.rows(stream.name)) : [];
}

/** A page that is wrong once: each misbehaviour in a trial of its own. */
function pages(id: string, holds: string, kinds: readonly Misbehaviour[]): Check {
  return on(id, holds, async (one, stream) => {
    const { thrown, refused } = await undisturbed(one.bench, stream);
    const fails = thrown === null ? refused : short(thrown);
    if (fails !== null) return untried(`its reading fails without it: ${fails}`);
    const findings: string[] = [];
    let played = 0;
    for (const what of kinds) {
      const outcome = await trial(one.bench, (own) => onceWrong(own, stream, what));
      if (isPassedOver(outcome)) continue;
      played += 1;
      findings.push(...outcome.map((each) => (kinds.length === 1 ? each : `${what}: ${each}`)));
    }
    if (played === kinds.length || findings.length > 0) return findings;
    return untried(`the rig does not play ${kinds.map((kind) => `"${kind}"`).join(" and ")}`);
  });
}

/** One that fails, those that go on from its mark in vain, and one that starts over. */
const MOST_PULLS = MOST_ATTEMPTS + 2;

/** The far side errs once; the host comes back until all is whole. */
async function onceWrong(
  one: Trial,
  stream: StreamDefinition,
  what: Misbehaviour,
): Promise<Outcome> {
  if ((await one.far.misbehave?.(what, stream.name)) !== true) return notPlayed(what);
  const stand = freshStand();
  let ended = "";
  for (let number = 0; number < MOST_PULLS; number += 1) {
    const { thrown, refused } = await pullFresh(one, stream, stand, { strict: true });
    if (thrown !== null && faultOf(thrown) === null) return [short(thrown)];
    const isWhole = thrown === null && refused === null;
    if (isWhole) return withoutAWord(stream, stand, one.far.rows(stream.name));
    ended = thrown === null ? `is refused: ${refused}` : `ends with ${short(thrown)}`;
  }
  return [`the far side erred once, and pull ${MOST_PULLS} still ${ended}`];
}

/** What was published against what is there; without a key a row that came again is another one. */
function withoutAWord(
  stream: StreamDefinition,
  { kept }: Stand,
  truth: readonly Values[],
): readonly string[] {
  const { lost, extra } = unlike(stateOf(stream, kept), truth);
  const found = told({ lost, extra: stream.key === undefined ? [] : extra });
  return found === null ? [] : [`without a word: ${found}`];
}

async function survives(
  one: Trial,
  stream: StreamDefinition,
  what: Misbehaviour,
): Promise<Outcome> {
  const read = await under(one, stream, what);
  if (read === null) return notPlayed(what);
  if (read.thrown !== null) return [`it ends with ${short(read.thrown)}`];
  const wrong = told(unlike(stateOf(stream, read.stand.kept), one.far.rows(stream.name)));
  return wrong === null ? [] : [wrong];
}

async function tokenExpires(one: Trial, stream: StreamDefinition): Promise<Outcome> {
  if (one.far.signIns === undefined) return tokensUnknown(one, stream);
  const read = await survives(one, stream, "token expires");
  if ("passedOver" in read || read.length > 0) return read;
  const signIns = one.far.signIns();
  return signIns === 2
    ? []
    : [`${signIns} tokens were asked for, expected 2: one, and its successor`];
}

/** Without tokens there is nothing to renew. */
async function tokensUnknown(one: Trial, stream: StreamDefinition): Promise<Outcome> {
  await pullFresh(one, stream, freshStand());
  if (!one.world.keepsTokens()) return notHere("it keeps no tokens");
  return untried("it keeps tokens, and the rig has no `signIns`");
}

async function tokenShared(one: Trial, stream: StreamDefinition): Promise<Outcome> {
  if (one.far.signIns === undefined) return tokensUnknown(one, stream);
  const warm = await pullFresh(one, stream, freshStand());
  if (warm.thrown !== null) return untried(`its reading fails: ${short(warm.thrown)}`);
  if ((await one.far.misbehave?.("token expires", stream.name)) !== true)
    return notPlayed("token expires");
  const before = one.far.signIns();
  const both = await Promise.all([0, 1].map(() => pullFresh(one, stream, freshStand())));
  const failed = both.find(({ thrown }) => thrown !== null);
  if (failed !== undefined) return [`it ends with ${short(failed.thrown)}`];
  const renewed = one.far.signIns() - before;
  return renewed === 1 ? [] : [`${renewed} new tokens were asked for by two sessions, expected 1`];
}

/** What a rig's "throttles once" asks for, at least. */
const TOLD_TO_WAIT_MS = 1_000;

async function waitsAsTold(one: Trial, stream: StreamDefinition): Promise<Outcome> {
  const outcome = await survives(one, stream, "throttles once");
  if ("passedOver" in outcome || outcome.length > 0) return outcome;
  const waited = one.world.waits.reduce((sum, ms) => sum + ms, 0);
  return waited >= TOLD_TO_WAIT_MS ? [] : [`it went on after ${waited} ms of the host's wait()`];
}

function faults(id: string, holds: string, what: Misbehaviour, kinds: readonly FaultKind[]): Check {
  return on(id, holds, async (one, stream) => {
    const read = await under(one, stream, what);
    if (read === null) return notPlayed(what);
    // A file that is refused whole is as loud as a fault.
    if (what === "garbage" && read.events.some(({ kind }) => kind === "refused")) return [];
    if (read.thrown === null) return ["the reading ends as if all were well"];
    const kind = faultOf(read.thrown)?.kind;
    if (kind !== undefined && kinds.includes(kind)) return [];
    return [`it ends with ${short(read.thrown)}, expected a fault of kind ${kinds.join(" or ")}`];
  });
}
