/** `orders shadow`: what would have been handed over, against what staff keyed. */
import type { Command } from "commander";
import type { ShadowedOrder, ShadowPayload, ShadowReport } from "../orders/index.ts";
import { answer, EXIT, NotFound, type Answer, type Opened } from "./command.ts";
import { count, moment, pounds, printable, table, words } from "./print.ts";

export function addShadowCommand(orders: Command): void {
  orders
    .command("shadow [order]")
    .description("Orders of a connection in shadow against what staff keyed; one: its tables.")
    .action(async (number: string | undefined, _options: unknown, command: Command) => {
      await answer(command, (opened) =>
        number === undefined ? report(opened) : payload(opened, number),
      );
    });
}

async function report({ company }: Opened): Promise<Answer> {
  const shadow = await company.orders.shadowReport();
  const { timeZone } = company.settings;
  if (shadow.orders.length === 0)
    return {
      text: "No order was shadowed: set mode: shadow of the connection that takes the orders.",
      data: shadow,
    };
  const text = table(shadow.orders, [
    { head: "order", of: ({ order }) => order },
    { head: "account", of: ({ account }) => account },
    { head: "taken", of: ({ shadowedAt }) => moment(shadowedAt, timeZone) },
    { head: "net", right: true, of: ({ net }) => pounds(net) },
    { head: "is", of: ({ verdict }) => words(verdict) },
    { head: "keyed as", of: ({ erpOrders }) => erpOrders.join(", ") || "–" },
    { head: "known by", of: ({ knownBy }) => (knownBy === null ? "–" : words(knownBy)) },
    { head: "what differs", of: differs },
  ]);
  const equal = shadow.counts.equal === shadow.orders.length - shadow.counts["not-keyed-yet"];
  return {
    text: `${text}\n\n${summary(shadow)}`,
    data: shadow,
    exit: equal ? EXIT.fine : EXIT.differ,
  };
}

/** "quantity of PLY12: 10, keyed 12 (2); net: 100.00, keyed 120.00 (20.00)" */
function differs({ differences, problem }: ShadowedOrder): string {
  if (problem !== null) return problem;
  return differences
    .map(
      ({ what, ours, theirs, by }) =>
        `${what}: ${ours}, keyed ${theirs}${by === null ? "" : ` (${by})`}`,
    )
    .join("; ");
}

function summary({ counts, equalPercent, orders }: ShadowReport): string {
  const said = [
    `${count(counts.equal)} equal`,
    `${count(counts.different)} different`,
    `${count(counts["keyed-twice"])} keyed twice`,
    `${count(counts["not-keyed"])} not keyed`,
    ...(counts["not-rendered"] > 0
      ? [`${count(counts["not-rendered"])} could not be written`]
      : []),
    ...(counts["not-keyed-yet"] > 0 ? [`${count(counts["not-keyed-yet"])} not keyed yet`] : []),
  ];
  const share = equalPercent === null ? "none can be compared yet" : `${equalPercent}% equal`;
  return `${count(orders.length)} orders: ${said.join(", ")}; ${share}.`;
}

async function payload({ company }: Opened, number: string): Promise<Answer> {
  const kept = await company.orders.shadowPayload(number);
  if (kept === null)
    throw new NotFound(`${number} was not shadowed. \`orders shadow\` lists those that were.`);
  return { text: tablesText(kept), data: kept };
}

/** Each table under its name, without fields that are empty throughout; one row stands upright. */
export function tablesText({ tables }: ShadowPayload): string {
  return tables
    .map(({ name, columns, rows }) => {
      const filled = columns
        .map((head, at) => ({ head, of: (row: readonly string[]) => printable(row[at] ?? "") }))
        .filter(({ of }) => rows.some((row) => of(row) !== ""));
      const [first] = rows;
      if (first === undefined) return `${name}: no rows`;
      const text =
        rows.length > 1
          ? table(rows, filled)
          : table(filled, [
              { head: "field", of: ({ head }) => head },
              { head: "value", of: ({ of }) => of(first) },
            ]);
      return `${name}\n${text}`;
    })
    .join("\n\n");
}
