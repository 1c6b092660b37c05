/** `plan`, `apply`, `replay` and `drift`: what would be done, before it is done. */
import { readFile, writeFile } from "node:fs/promises";
import type { Command } from "commander";
import type { PriceEffect } from "../pricing/index.ts";
import { changesInWords } from "../sync/index.ts";
import type { PlanDocument, RecordPlan, StreamPlan } from "../sync/index.ts";
import {
  answer,
  chosen,
  CONNECTION_ABSENT,
  connectionOf,
  example,
  EXIT,
  nextLines,
  quoted,
  UsageError,
  type Answer,
  type Opened,
} from "./command.ts";
import { count, moment, plain, table, words } from "./print.ts";
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
    .option("--connection <name>", `connection to read${CONNECTION_ABSENT}`)
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
    .option("--connection <name>", `connection that it was read from${CONNECTION_ABSENT}`)
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
    .option("--connection <name>", `connection that it is read from${CONNECTION_ABSENT}`)
    .action(async (stream: string, options: PlanOptions, command: Command) => {
      await answer(command, (opened) =>
        accept(opened, stream, connectionOf(opened, options.connection)),
      );
    });
}

function checkStream({ company }: Opened, name: string): void {
  chosen("The stream", company.streams.toSorted())(name);
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
  return syncAnswer(results);
}

async function readPlan(file: string): Promise<PlanDocument> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new UsageError(`The plan ${file} cannot be read: ${String(cause)}`);
  });
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
  if (out !== undefined) await writeFile(out, `${JSON.stringify(document, null, 2)}\n`);
  const { timeZone } = company.settings;
  const at = (text: string) => moment(Temporal.Instant.from(text), timeZone);
  const applicable = isApplicable(document);
  const next = !applicable
    ? ["There is nothing to apply."]
    : out === undefined
      ? ["It was not written to a file, so it cannot be applied: give --out FILE."]
      : [
          `Written to ${out}; good until ${at(document.expiresAt)}, as long as nothing moves.`,
          ...nextLines(global, [`apply ${quoted(out)}`]),
        ];
  const failed = document.streams.some(({ state }) => state === "failed" || state === "stopped");
  const waits = document.streams.some(
    ({ rows, state }) => rows.quarantined > 0 || state === "refused",
  );
  return {
    text: [...document.streams.flatMap(streamLines), ...next].join("\n"),
    data: document,
    exit: failed ? EXIT.failed : waits ? EXIT.quarantine : EXIT.fine,
  };
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
      const told = Object.entries(fields).map(([name, { before, after }]) =>
        what === "change"
          ? `${name} ${shown(before)} → ${shown(after)}`
          : `${name} ${shown(after ?? before)}`,
      );
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
  return [...lines, ...(prices === null ? [] : priceLines(prices as PriceEffect))];
}

function shown(value: string | null): string {
  if (value === null) return "nothing";
  return /^-?\d+\.\d+$/.test(value) ? plain(value) : value;
}

function priceLines(effect: PriceEffect): string[] {
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
  const largest = table(effect.largest, [
    { head: "rule", of: ({ rule }) => rule },
    { head: "for", of: ({ customer }) => customer },
    { head: "on", of: ({ product }) => product },
    { head: "from", right: true, of: ({ fromQuantity }) => fromQuantity },
    { head: "kind", of: ({ kind }) => kind },
    { head: "before", right: true, of: ({ before }) => before },
    { head: "after", right: true, of: ({ after }) => after },
    { head: "change", right: true, of: ({ percent }) => `${percent}%` },
  ]);
  return [summary, indented(largest)];
}

function several(many: number, what: string): string {
  return `${count(many)} ${what}${many === 1 ? "" : "s"}`;
}

function quarantineLines({ quarantine, rows }: StreamPlan): string[] {
  const some = quarantine.slice(0, SHOWN);
  const more = rows.quarantined - some.length;
  return [
    ...some.map(
      ({ where, field, found, expected }) =>
        `  ! ${where} ${field === "" ? "" : `${field}: `}found ${found}, expected ${expected}`,
    ),
    ...(more > 0 ? [`  ! and ${count(more)} more rows would wait in quarantine`] : []),
  ];
}

async function shapes({ company }: Opened): Promise<Answer> {
  const all = await company.shapes();
  const text = table(all, [
    { head: "connection", of: ({ connection }) => connection },
    { head: "stream", of: ({ stream }) => stream },
    { head: "columns", right: true, of: ({ columns }) => count(Object.keys(columns ?? {}).length) },
    { head: "since", of: ({ changedAt }) => moment(changedAt, company.settings.timeZone) },
    {
      head: "waits to be accepted",
      of: ({ pending }) =>
        pending === null ? "" : `${pending.origin}: ${changesInWords(pending.changes)}`,
    },
  ]);
  return { text: all.length === 0 ? "Nothing was read yet." : text, data: all };
}

async function accept(opened: Opened, stream: string, connection: string): Promise<Answer> {
  checkStream(opened, stream);
  const accepted = await opened.company.acceptShape(connection, stream);
  if (accepted === null)
    return { text: `No changed columns of ${connection}/${stream} wait.`, data: null };
  const text =
    `Accepted for ${connection}/${stream}: ${changesInWords(accepted.changes)}. ` +
    "Read it again; a file that was set aside must be put back first.";
  return { text, data: accepted };
}
