/** `plan`, `apply`, `replay` and `drift`: what would be done, before it is done. */
import type { Command } from "commander";
import { records, type Field, type RecordDefinition } from "../model/index.ts";
import type { PriceEffect } from "../pricing/index.ts";
import { changesInWords, problemText } from "../sync/index.ts";
import type { PlanDocument, RecordPlan, StreamPlan } from "../sync/index.ts";
import {
  answer,
  checkStream,
  connectionOf,
  connectionOption,
  example,
  EXIT,
  nextLines,
  quoted,
  UsageError,
  whoOption,
  whyOption,
  type Answer,
  type Opened,
} from "./command.ts";
import { readNamed, writeNamed } from "./files.ts";
import { count, day, moment, plain, price, table, words } from "./print.ts";
import { syncAnswer } from "./sync.ts";

interface PlanOptions {
  readonly connection?: string;
  readonly out?: string;
}

interface ReplayOptions extends PlanOptions {
  readonly plan?: boolean;
  readonly apply?: boolean;
  readonly acceptRemovals?: boolean;
}

export function addPlanCommands(program: Command): void {
  program
    .command("plan")
    .description("What a sync would insert, change and remove, and what that does to prices.")
    .argument("[streams...]", "streams to read; all of them when none is named")
    .addOption(connectionOption())
    .option("--out <file>", "write the plan there, to be applied")
    .addHelpText("after", example("plan price-rules --out friday.plan.json"))
    .action(async (streams: string[], options: PlanOptions, command: Command) => {
      await answer(command, (opened) => plan(opened, streams, options));
    });
  program
    .command("apply <file>")
    .description("Do exactly what a plan shows, or refuse because the world moved.")
    .option("--accept-removals", "let it remove more than the drop brake allows")
    .action(async (file: string, options: { acceptRemovals?: boolean }, command: Command) => {
      await answer(command, async (opened) => apply(opened, await readPlan(file), options));
    });
  program
    .command("replay <stream>")
    .description("Map what was read before anew, after its mapping was changed; no other pull.")
    .addOption(connectionOption("connection that it was read from"))
    .option("--plan", "show what would change, and do nothing (the default)")
    .option("--apply", "do it at once")
    .option("--out <file>", "write the plan there, to be applied")
    .option("--accept-removals", "let it remove more than the drop brake allows")
    .addHelpText("after", example("replay price-rules --out replay.plan.json"))
    .action(async (stream: string, options: ReplayOptions, command: Command) => {
      await answer(command, (opened) => replay(opened, stream, options));
    });
  addDriftCommands(program);
}

function addDriftCommands(program: Command): void {
  const drift = program
    .command("drift")
    .description("The columns of each stream, and changed ones that wait to be accepted.")
    .action(async (_options: unknown, command: Command) => {
      await answer(command, shapes);
    });
  drift
    .command("accept <stream>")
    .description("Take the changed columns of a stream as right from now on.")
    .addOption(connectionOption("connection that it is read from"))
    .addOption(whoOption())
    .addOption(whyOption("stream").makeOptionMandatory(false))
    .addHelpText("after", example('drift accept price-rules --who "J Ross" --why "a new export"'))
    .action(async (stream: string, options: AcceptOptions, command: Command) => {
      await answer(command, (opened) => accept(opened, stream, options));
    });
}

interface AcceptOptions {
  readonly connection?: string;
  readonly who: string;
  readonly why?: string;
}

async function plan(opened: Opened, streams: string[], options: PlanOptions): Promise<Answer> {
  for (const stream of streams) checkStream(opened, stream);
  const document = await opened.company.plan(connectionOf(opened, options.connection), { streams });
  return planAnswer(opened, document, options.out);
}

async function replay(opened: Opened, stream: string, options: ReplayOptions): Promise<Answer> {
  checkStream(opened, stream);
  if (options.plan === true && options.apply === true)
    throw new UsageError("Give --plan to see what would change, or --apply to do it; not both.");
  const document = await opened.company.replay(connectionOf(opened, options.connection), stream);
  if (options.apply !== true || !isApplicable(document))
    return planAnswer(opened, document, options.out);
  return apply(opened, document, options);
}

async function apply(
  { company, tradepost }: Opened,
  document: PlanDocument,
  { acceptRemovals }: { readonly acceptRemovals?: boolean },
): Promise<Answer> {
  const results = await company.apply(document, { acceptRemovals: acceptRemovals === true });
  await tradepost.drain();
  // What its notes say was seen before: only what waits now asks for a person.
  const waits = results.some(({ rows, dismissed = 0 }) => rows.quarantined > dismissed);
  return { ...syncAnswer(results), exit: waits ? EXIT.quarantine : EXIT.fine };
}

async function readPlan(file: string): Promise<PlanDocument> {
  const advice = "Give a file that `plan --out` wrote.";
  const text = await readNamed(file, { what: "The plan", advice });
  try {
    const plan = JSON.parse(text) as PlanDocument;
    if (plan.document === "tradepost plan" && Array.isArray(plan.streams)) return plan;
  } catch {
    // It is told below.
  }
  throw new UsageError(`${file} is no plan: expected a file that \`plan --out\` wrote.`);
}

function isApplicable({ streams }: PlanDocument): boolean {
  return streams.some(({ state }) => state === "planned");
}

async function planAnswer(
  { company, global }: Opened,
  document: PlanDocument,
  out: string | undefined,
): Promise<Answer> {
  if (out !== undefined) await writeNamed(out, `${JSON.stringify(document, null, 2)}\n`);
  const { timeZone } = company.settings;
  const at = (text: string) => moment(Temporal.Instant.from(text), timeZone);
  const applicable = isApplicable(document);
  const next = !applicable
    ? document.streams.every(({ state }) => state === "nothing")
      ? []
      : ["There is nothing to apply."]
    : out === undefined
      ? ["It was not written to a file, so it cannot be applied: give --out FILE."]
      : [
          `Written to ${out}; good until ${at(document.expiresAt)}, as long as nothing moves.`,
          ...nextLines(global, [`apply ${quoted(out)}`]),
        ];
  const failed = document.streams.some(({ state }) => state === "failed" || state === "stopped");
  const waits = document.streams.some(
    ({ rows, dismissed, state }) => rows.quarantined > dismissed || state === "refused",
  );
  return {
    text: [...streamsLines(document), ...next].join("\n"),
    data: document,
    exit: failed ? EXIT.failed : waits ? EXIT.quarantine : EXIT.fine,
  };
}

/** Streams of which nothing waits are counted: their names say nothing. */
function streamsLines({ streams, connection }: PlanDocument): string[] {
  const isQuiet = ({ state, notes }: StreamPlan) => state === "nothing" && notes.length === 0;
  const told = streams.filter((stream) => !isQuiet(stream));
  const quiet = streams.length - told.length;
  if (told.length === 0)
    return [
      `Nothing waits at ${connection}: ${quiet === 1 ? "the stream has" : `none of ${several(quiet, "stream")} has`} new content.`,
    ];
  const rest = quiet === 0 ? [] : [`Nothing waits for ${several(quiet, "other stream")}.`];
  return [...told.flatMap(streamLines), ...rest];
}

function streamLines(stream: StreamPlan): string[] {
  const from = stream.origins.map(({ name }) => name).join(", ");
  const records = Object.values(stream.records);
  return [
    `${stream.stream}: ${words(stream.state)}${from === "" ? "" : `, from ${from}`}`,
    ...stream.notes.map((note) => `  ${note}`),
    ...(records.length === 0 ? [] : [indented(countsTable(stream, records))]),
    ...records.flatMap(recordLines),
    ...quarantineLines(stream),
    "",
  ];
}

function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, "  ");
}

function countsTable({ rows }: StreamPlan, records: readonly RecordPlan[]): string {
  return table(records, [
    { head: "record", of: ({ counts }) => counts.record },
    { head: "rows read", right: true, of: () => count(rows.read) },
    { head: "quarantine", right: true, of: () => count(rows.quarantined) },
    { head: "new", right: true, of: ({ counts }) => count(counts.inserted) },
    { head: "changed", right: true, of: ({ counts }) => count(counts.updated) },
    { head: "same", right: true, of: ({ counts }) => count(counts.unchanged) },
    { head: "removed", right: true, of: ({ counts }) => count(counts.removed) },
    { head: "then held", right: true, of: ({ counts }) => count(counts.after) },
  ]);
}

/** Lines of each kind that a terminal shows; the file holds more. */
const SHOWN = 10;
const MARKS = { change: "~", insert: "+", remove: "−" } as const;

function recordLines({ counts, changes, leftOut, removals, prices }: RecordPlan): string[] {
  const lines: string[] = [];
  for (const what of ["change", "remove", "insert"] as const) {
    const all = changes.filter((each) => each.what === what);
    for (const { key, fields } of all.slice(0, SHOWN)) {
      const told = Object.entries(fields).map(([name, { before, after, currency }]) => {
        const field = definitions[counts.record]?.fields[name];
        const [was, is] = [before, after].map((value) => shown(value, field, currency));
        return `${name} ${was} → ${is}`;
      });
      lines.push(`  ${MARKS[what]} ${key}${what === "change" ? `: ${told.join(", ")}` : ""}`);
    }
    const more = Math.max(0, all.length - SHOWN) + leftOut[what];
    if (more > 0) lines.push(`  ${MARKS[what]} and ${count(more)} more`);
  }
  const { before, removed, mostPercent } = removals;
  if (removals.stops)
    lines.push(
      `  The drop brake stops it: ${count(removed)} of ${count(before)} ${counts.record} records would ` +
        `go, and at most ${mostPercent}% may. Apply it with --accept-removals if that is right.`,
    );
  return [...lines, ...(prices === null ? [] : priceLines(prices as PriceEffect, changes))];
}

const definitions: Readonly<Record<string, RecordDefinition>> = records;

function shown(
  value: string | null,
  field: Field | undefined,
  currency: string | undefined,
): string {
  if (value === null) return "nothing";
  if (currency !== undefined) return price(value, currency);
  if (field?.kind === "decimal") return plain(value);
  return field?.kind === "date" ? day(value) : value;
}

function priceLines(effect: PriceEffect, changes: RecordPlan["changes"]): string[] {
  const rules = effect.up.count + effect.down.count + effect.new + effect.gone + effect.otherwise;
  if (rules === 0) return ["  Prices: none would change."];
  const spread = (name: string, { count: n, smallest, median, largest }: PriceEffect["up"]) =>
    smallest === null
      ? `${count(n)} ${name}`
      : `${count(n)} ${name} (by ${smallest}% to ${largest}%, half of them by ${median}% or less)`;
  const moved = [
    spread("up", effect.up),
    spread("down", effect.down),
    `${count(effect.new)} new`,
    `${count(effect.gone)} gone`,
    `${count(effect.otherwise)} changed otherwise`,
  ];
  const summary =
    `  Prices: ${moved.join(", ")}; for ${several(effect.customers, "customer")} and ` +
    `${several(effect.products, "product")}.`;
  if (effect.largest.length === 0) return [summary];
  const shownOf = ({ rule, fromQuantity, kind }: PriceEffect["largest"][number], value: string) => {
    if (kind === "percent" || kind === "markup") return `${value}%`;
    const { fields } = changes.find(({ key }) => key === `${rule} / ${fromQuantity}`) ?? {};
    const currency = fields?.["value"]?.currency;
    return currency === undefined ? value : price(value, currency);
  };
  const largest = table(effect.largest, [
    { head: "rule", of: ({ rule }) => rule },
    { head: "for", of: ({ customer }) => customer },
    { head: "on", of: ({ product }) => product },
    { head: "from", right: true, of: ({ fromQuantity }) => fromQuantity },
    { head: "kind", of: ({ kind }) => kind },
    { head: "before", right: true, of: (rule) => shownOf(rule, rule.before) },
    { head: "after", right: true, of: (rule) => shownOf(rule, rule.after) },
    { head: "change", right: true, of: ({ percent }) => `${percent}%` },
  ]);
  return [summary, indented(largest)];
}

function several(many: number, what: string): string {
  return `${count(many)} ${what}${many === 1 ? "" : "s"}`;
}

function quarantineLines({ quarantine, rows, dismissed }: StreamPlan): string[] {
  const some = quarantine.slice(0, SHOWN);
  const more = rows.quarantined - dismissed - some.length;
  return [
    ...some.map((item) => `  ! ${item.where} ${problemText(item)}`),
    ...(more > 0 ? [`  ! and ${count(more)} more would wait in quarantine`] : []),
    ...(dismissed > 0 ? [`  ${count(dismissed)} more dismissed before would stay so`] : []),
  ];
}

async function shapes({ company }: Opened): Promise<Answer> {
  const all = await company.shapes();
  const { timeZone } = company.settings;
  const text = table(all, [
    { head: "connection", of: ({ connection }) => connection },
    { head: "stream", of: ({ stream }) => stream },
    { head: "columns", right: true, of: ({ columns }) => count(Object.keys(columns ?? {}).length) },
    { head: "since", of: ({ changedAt }) => moment(changedAt, timeZone) },
    {
      head: "waits to be accepted",
      of: ({ pending }) =>
        pending === null ? "" : `${pending.origin}: ${changesInWords(pending.changes)}`,
    },
    {
      head: "accepted last",
      of: ({ accepted }) => (accepted === null ? "" : acceptedText(accepted, timeZone)),
    },
  ]);
  return { text: all.length === 0 ? "Nothing was read yet." : text, data: all };
}

type Accepted = NonNullable<Awaited<ReturnType<Opened["company"]["shapes"]>>[number]["accepted"]>;

function acceptedText({ who, why, at, changes }: Accepted, timeZone: string): string {
  const reason = why === null ? "" : `, since ${why}`;
  return `${changesInWords(changes)}: by ${who} on ${moment(Temporal.Instant.from(at), timeZone)}${reason}`;
}

async function accept(
  opened: Opened,
  stream: string,
  { connection: named, who, why: given }: AcceptOptions,
): Promise<Answer> {
  checkStream(opened, stream);
  const { company } = opened;
  const connection = connectionOf(opened, named);
  const why = given ?? null;
  const accepted = await company.acceptShape(connection, stream, { who, why });
  if (accepted === null)
    return { text: `No changed columns of ${connection}/${stream} wait.`, data: null };
  const aside =
    accepted.reaction === "quarantine"
      ? await company.asideAt(connection, stream, { name: accepted.origin })
      : null;
  const next =
    aside === null
      ? `Have ${accepted.origin} read again.`
      : `${accepted.origin} was set aside: move ${aside} back to out/, and have it read again.`;
  const text = `Accepted for ${connection}/${stream} by ${who}: ${changesInWords(accepted.changes)}. ${next}`;
  return { text, data: { ...accepted, who, why, aside } };
}
