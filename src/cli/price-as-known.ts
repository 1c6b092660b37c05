/** `price parity --as-known`: what we would have said on the day of each document. */
import { reasonWords, type AsKnown, type AsKnownLine } from "../parity/index.ts";
import { count, day, moment, plain, pounds, price, table, words } from "./print.ts";

const STATES = ["match", "explained", "mismatch", "unpriced"] as const;

export function asKnownText(found: AsKnown, timeZone: string): string {
  const { lines, notKept, from, to } = found;
  const proved = lines - notKept.lines;
  const head = [
    `Goods lines from ${day(from)} to ${day(to)}, by the rules as they were known when the day of each ended`,
    "",
    ...notKeptLines(found, timeZone),
  ];
  if (lines === 0) return [...head, "No goods were charged on these days."].join("\n");
  if (proved === 0) return head.join("\n").trimEnd();
  return [
    ...head,
    table(
      [
        ["as known then", found.asThen],
        ["as known now", found.asNow],
      ] as const,
      [
        { head: `${count(proved)} lines`, of: ([name]) => name },
        ...STATES.map((state) => ({
          head: words(state),
          right: true,
          of: ([, counts]: readonly [string, AsKnown["asThen"]]) => count(counts[state]),
        })),
      ],
    ),
    "",
    `${count(found.otherPrice)} lines have another price by what we know now: ` +
      `${count(found.learnedLater)} were charged by a rule that we learned later, ` +
      `${count(found.knownBefore)} by one that we have learned to be another since.`,
    ...(found.shown.length === 0 ? [] : ["", shownTable(found.shown)]),
  ].join("\n");
}

function notKeptLines({ lines, notKept }: AsKnown, timeZone: string): string[] {
  if (notKept.lines === 0) return [];
  const since =
    notKept.since === null
      ? "no price book was ever published"
      : `prices are known since ${moment(Temporal.Instant.from(notKept.since), timeZone)}`;
  return [
    `${count(notKept.lines)} of ${count(lines)} lines cannot be told: ${since}, and nobody knew or kept what held before.`,
    "",
  ];
}

function shownTable(lines: readonly AsKnownLine[]): string {
  return table(lines, [
    { head: "document", of: (line) => `${line.document}/${line.line}` },
    { head: "date", of: (line) => day(line.documentOn) },
    { head: "account", of: (line) => line.account },
    { head: "product", of: (line) => line.product },
    { head: "quantity", right: true, of: (line) => plain(line.quantity) },
    { head: "charged", right: true, of: (line) => pounds(line.chargedNet, line.currency) },
    { head: "then", right: true, of: (line) => priceOf(line, line.asThen) },
    { head: "now", right: true, of: (line) => priceOf(line, line.asNow) },
    { head: "by the rules then", of: (line) => whyOf(line.asThen) },
    { head: "by those of now", of: (line) => whyOf(line.asNow) },
  ]);
}

function priceOf({ currency }: AsKnownLine, { unitPrice }: AsKnownLine["asThen"]): string {
  return unitPrice === null ? "–" : price(unitPrice, currency);
}

function whyOf({ state, reason, because }: AsKnownLine["asThen"]): string {
  return `${reasonWords(state, reason)} (${because || "none"})`;
}
